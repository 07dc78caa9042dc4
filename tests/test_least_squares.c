/* nnb_least_squares: the problems of Moré, Garbow and Hillstrom, its options, and what may go wrong. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mgh.h"
#include "precision.h"
#include "support.h"

#define ck_ok(call)                                                           \
  do {                                                                        \
    nnb_status ok_ = (nnb_status)(call);                                      \
    ck_assert_msg(ok_ == NNB_OK, "%s: %s", nnb_strstatus(ok_), nnb_errmsg()); \
  } while (0)
#define ck_refused(status, call) ck_refused_(status, (nnb_status)(call), __LINE__)

static void ck_refused_(nnb_status wanted, nnb_status came, int line) {
  ck_assert_msg(wanted == came, "line %d: wanted %s, came %s: %s", line, nnb_strstatus(wanted), nnb_strstatus(came),
                nnb_errmsg());
  ck_assert_msg(nnb_errmsg()[0], "line %d: no sentence", line);
}

/* ---- a table of problems ---------------------------------------------------------------------------------------- */

static nnb_status mgh_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const mgh *p = user;
  static double all_r[MGH_MOST_M], all_J[MGH_MOST_M * MGH_MOST_N];
  double at[MGH_MOST_N];
  memset(all_J, 0, sizeof all_J);
  for (int j = 0; j < p->n; j++) at[j] = (double)x[j];
  p->eval(p->n, p->m, at, all_r, all_J);
  for (int i = 0; i < k; i++) {
    r[i] = (real)all_r[row0 + (size_t)i];
    for (int j = 0; J && j < p->n; j++) J[i * ldj + j] = (real)all_J[((int)row0 + i) * p->n + j];
  }
  return NNB_OK;
}

/* Σ r² at x. */
static double squares_at(const mgh *p, const real *x) {
  static real r[MGH_MOST_M];
  double sum = 0;
  mgh_rows((void *)(uintptr_t)p, x, 0, p->m, r, NULL, 0);
  for (int i = 0; i < p->m; i++) sum += (double)r[i] * (double)r[i];
  return sum;
}

static void solve(const mgh *p, const nnb_min_opts *opts, real *x, nnb_min_report *report) {
  nnb_lsq lsq = {.m = (size_t)p->m, .n = (size_t)p->n, .user = (void *)(uintptr_t)p, .rows = mgh_rows};
  for (int j = 0; j < p->n; j++) x[j] = (real)p->start[j];
  ck_ok(nnb_least_squares(&lsq, x, opts, report));
}

static bool near_minimum(const mgh *p, double squares, double rel, double abs) {
  for (int k = 0; k < MGH_MINIMA && p->minima[k] >= 0; k++)
    if (fabs(squares - p->minima[k]) <= abs + rel * p->minima[k]) return true;
  return false;
}

/* Whose minimum lies between the numbers of single precision. */
static bool too_fine(const mgh *p) {
  (void)p;
  return TOL(false, strcmp(p->name, "brown badly scaled") == 0 || strcmp(p->name, "meyer") == 0);
}

START_TEST(reaches_known_minima) {
  const mgh *p = &mgh_problems[_i];
  if (too_fine(p)) return;
  for (int plain = 0; plain < 2; plain++) {
    real x[MGH_MOST_N];
    nnb_min_report report;
    nnb_min_opts opts = {.acceleration = plain ? NNB_NONE : 0, .gradient_tol = NNB_NONE};
    solve(p, &opts, x, &report);
    double squares = squares_at(p, x);
    if (getenv("NNB_TEST_TABLE"))
      printf("%-28s %-9s %4lld it %5lld ev  f %.10g  |g| %.2g  %s\n", p->name, plain ? "plain" : "geodesic",
             (long long)report.iterations, (long long)report.evaluations, squares, report.gradient_norm,
             nnb_stop_text(report.stop));
    ck_assert_msg(near_minimum(p, squares, TOL(1e-5, 1e-3), TOL(1e-12, 1e-7)),
                  "%s, %s: Σ r² = %.12g after %lld iterations (%s), wanted %.12g", p->name,
                  plain ? "plain" : "geodesic", squares, (long long)report.iterations, nnb_stop_text(report.stop),
                  p->minima[0]);
    ck_assert(report.algo == NNB_LM && report.value <= report.start_value);
    ck_assert_double_le(fabs(report.value - squares / 2), TOL(1e-14, 1e-5) * (1 + squares));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("least squares, " PRECISION);
  TCase *tc = tcase_create("least squares");
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, reaches_known_minima, 0, MGH_PROBLEMS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
