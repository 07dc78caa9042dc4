/* Evaluations of nnb_least_squares compared with those of MINPACK's lmder, which bench/optimisers/minpack.c recorded.
 */
#include "lsq_race.h"

#include "minpack_counts.h"
#include "support.h"

START_TEST(no_more_than_minpack) {
  int both = 0, within = 0, beyond = 0, total = 0, their_total = 0, only_ours = 0, only_theirs = 0;
  for (int i = 0; i < RACE_CASES; i++) {
    static race_case c;
    race_run run = {0};
    nnb_min_report report;
    const double their_end = minpack_counts[i].end;
    const int theirs = minpack_counts[i].n_r + minpack_counts[i].n_J;
    if (their_end < 0) continue;
    ck_assert(race_load(i, NIST_DATA, &c));
    bool reached = race_ours(&c, -1, &run, &report);
    const double target = race_target(their_end, run.end);
    if (reached) race_ours(&c, target, &run, &report);
    reached = run.r_to > 0;
    const double ratio = (double)(run.r_to + run.J_to) / theirs;
    only_ours += reached && their_end > target, only_theirs += !reached && their_end <= target;
    if (!reached || their_end > target) continue;
    both++, within += ratio <= 1.5, beyond += ratio > 3, total += run.r_to + run.J_to, their_total += theirs;
    if (ratio > 3) printf("%s: %.2f times MINPACK's evaluations\n", c.name, ratio);
  }
  printf(
      "%d cases: %d at most 1.5 times MINPACK's evaluations, %d over 3 times; in all %d, MINPACK %d; only lm reaches "
      "the "
      "lower end in %d, only MINPACK in %d\n",
      both, within, beyond, total, their_total, only_ours, only_theirs);
  ck_assert_int_ge(10 * within, 9 * both);
  ck_assert_int_le(beyond, 1); /* the Gaussian function from 100 times its start */
  ck_assert_int_le(total, their_total);
  ck_assert_int_ge(only_ours, only_theirs);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("least squares beside MINPACK");
  TCase *tc = tcase_create("counts");
  tcase_set_timeout(tc, 280);
  tcase_add_test(tc, no_more_than_minpack);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
