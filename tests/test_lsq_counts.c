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
  ck_assert_int_le(beyond, 1); /* the Gaussian function from 100 times its start depends on the last digit */
  ck_assert_int_le(total, their_total);
  ck_assert_int_ge(only_ours, only_theirs);
}
END_TEST

/* Problems without residuals, or whose Jacobian is singular or nearly so, from their starts.  1e-40: x within rounding
 * of a minimum of 0 where r is of second order. */
START_TEST(ends_as_low_as_minpack) {
  static const char *const hard[] = {"powell singular, x1", "extended powell singular, x1",
                                     "biggs exp6, x1",      "Lanczos1 1, x1",
                                     "Lanczos1 2, x1",      "Lanczos2 1, x1",
                                     "Lanczos2 2, x1",      "Lanczos3 1, x1",
                                     "Lanczos3 2, x1"};
  size_t tried = 0;
  for (int i = 0; i < RACE_CASES; i += 3) {
    static race_case c;
    race_run run = {0};
    nnb_min_report report;
    bool wanted = false;
    ck_assert(race_load(i, NIST_DATA, &c));
    for (size_t k = 0; k < sizeof hard / sizeof *hard; k++) wanted |= strcmp(c.name, hard[k]) == 0;
    if (!wanted) continue;
    tried++;
    ck_assert(race_ours(&c, -1, &run, &report));
    ck_assert_msg(run.end <= fmax(10 * minpack_counts[i].end, 1e-40), "%s: f ends at %.3g, MINPACK's at %.3g", c.name,
                  run.end, minpack_counts[i].end);
  }
  ck_assert_uint_eq(tried, sizeof hard / sizeof *hard);
}
END_TEST

enum { WATSON_N = 20, WATSON_M = 31 };

static nnb_status watson_rows(void *user, const double *x, size_t row0, int k, double *r, double *J, int ldj) {
  (void)user;
  double own[WATSON_M * WATSON_N] = {0};
  ck_assert(row0 == 0 && k == WATSON_M);
  mgh_watson(WATSON_N, WATSON_M, x, r, own);
  for (int i = 0; J && i < k; i++) memcpy(J + (size_t)i * (size_t)ldj, own + i * WATSON_N, WATSON_N * sizeof *J);
  return NNB_OK;
}

/* Watson's function of 20 variables: Moré, Garbow and Hillstrom give 2f = 2.48631e-20. */
START_TEST(watson_of_twenty_variables) {
  double x[WATSON_N] = {0};
  nnb_lsq lsq = {.m = WATSON_M, .n = WATSON_N, .rows = watson_rows};
  nnb_min_report report;
  ck_assert_int_eq(nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_iterations = NNB_NONE}, &report), NNB_OK);
  ck_assert_msg(2 * report.value <= 10 * 2.48631e-20, "2f ends at %.6g (%s)", 2 * report.value,
                nnb_stop_text(report.stop));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("least squares beside MINPACK");
  TCase *tc = tcase_create("counts");
  tcase_set_timeout(tc, 280);
  tcase_add_test(tc, no_more_than_minpack);
  tcase_add_test(tc, ends_as_low_as_minpack);
  tcase_add_test(tc, watson_of_twenty_variables);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
