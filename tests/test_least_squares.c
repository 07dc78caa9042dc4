/* nnb_least_squares: the problems of Moré, Garbow and Hillstrom, its options, and failures. */
#include <stdio.h>
#include <string.h>

#include "lsq.h"
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

/* Σ r² at x. */
static double squares_at(const mgh *p, const real *x) {
  static real r[MGH_MOST_M];
  double sum = 0;
  mgh_rows((void *)(uintptr_t)p, x, 0, p->m, r, NULL, 0);
  for (int i = 0; i < p->m; i++) sum += (double)r[i] * (double)r[i];
  return sum;
}

static void solve(const mgh *p, const nnb_min_opts *opts, real *x, nnb_min_report *report) {
  nnb_lsq lsq = mgh_lsq(p);
  for (int j = 0; j < p->n; j++) x[j] = (real)p->start[j];
  ck_ok(nnb_least_squares(&lsq, x, opts, report));
}

static bool near_minimum(const mgh *p, double squares, double rel, double abs) {
  for (int k = 0; k < MGH_MINIMA && p->minima[k] >= 0; k++)
    if (fabs(squares - p->minima[k]) <= abs + rel * p->minima[k]) return true;
  return false;
}

/* A problem whose minimum lies between the numbers of single precision. */
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

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* r_i = e^(a·t_i) + b·t_i - y_i, with failures on request. */
enum { CURVE_M = 40 };
typedef struct curve {
  int calls, calls_j; /* counted */
  int nan_from;       /* residuals are NaN in this number of calls from here on; 0: never */
  int nan_calls;
  bool nan_in_j;
  nnb_status status; /* returned by call fail_at */
  int fail_at;
  int group;
} curve;

static nnb_status curve_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  curve *c = user;
  c->calls++, c->calls_j += J != NULL;
  if (c->fail_at && c->calls == c->fail_at) return c->status;
  bool bad = c->nan_from && c->calls >= c->nan_from && c->calls < c->nan_from + c->nan_calls;
  bad = bad && (c->nan_from == 1 || (J != NULL) == c->nan_in_j);
  ck_assert(c->group == 0 || (row0 % (size_t)c->group == 0 && k % c->group == 0));
  for (int i = 0; i < k; i++) {
    double t = (double)(row0 + (size_t)i) / CURVE_M, y = exp(0.5 * t) - 2 * t, e = exp((double)x[0] * t);
    r[i] = bad && !c->nan_in_j ? (real)NAN : (real)(e + (double)x[1] * t - y);
    if (J) J[i * ldj] = bad ? (real)NAN : (real)(t * e), J[i * ldj + 1] = (real)t;
  }
  return NNB_OK;
}

static nnb_lsq curve_problem(curve *c) {
  return (nnb_lsq){.m = CURVE_M, .n = 2, .user = c, .rows = curve_rows, .group = c->group};
}

static void ck_near_curve(const real *x) {
  ck_assert_msg(fabs((double)x[0] - 0.5) < TOL(1e-9, 1e-2) && fabs((double)x[1] + 2) < TOL(1e-9, 1e-2),
                "x is %.12g, %.12g; wanted 0.5, -2", (double)x[0], (double)x[1]);
}

/* Residuals that are NaN for a while, alone or only in the Jacobian, cost steps but nothing else. */
START_TEST(steps_over_nan) {
  for (int from = 2; from < 20; from++)
    for (int in_j = 0; in_j < 2; in_j++) {
      curve c = {.nan_from = from, .nan_calls = in_j ? 1 : 1 + from % 3, .nan_in_j = in_j};
      nnb_lsq lsq = curve_problem(&c);
      real x[] = {2, 1};
      nnb_min_report report;
      ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
      ck_near_curve(x);
    }
}
END_TEST

START_TEST(refuses_a_bad_start) {
  curve c = {.nan_from = 1, .nan_calls = 1000};
  nnb_lsq lsq = curve_problem(&c);
  real x[] = {2, 1};
  nnb_min_report report;
  ck_refused(NNB_E_NUMERIC, nnb_least_squares(&lsq, x, NULL, &report));
  ck_assert(report.stop == NNB_STOP_ERROR && x[0] == 2 && x[1] == 1);
  c = (curve){.nan_from = 1, .nan_calls = 1, .nan_in_j = true};
  ck_refused(NNB_E_NUMERIC, nnb_least_squares(&lsq, x, NULL, &report));
}
END_TEST

/* The callback's status is returned for every failing call, and x is the best point so far. */
START_TEST(hands_a_status_back) {
  curve whole = {0};
  nnb_lsq good = curve_problem(&whole);
  ck_ok(nnb_least_squares(&good, (real[]){2, 1}, &(nnb_min_opts){.gradient_tol = NNB_NONE}, NULL));
  for (int at = 1; at <= whole.calls; at++) {
    curve c = {.fail_at = at, .status = NNB_E_IO};
    nnb_lsq lsq = curve_problem(&c);
    real x[] = {2, 1};
    nnb_min_report report;
    nnb_status status = nnb_least_squares(&lsq, x, &(nnb_min_opts){.gradient_tol = NNB_NONE}, &report);
    ck_assert_int_eq(status, NNB_E_IO);
    ck_assert(report.stop == NNB_STOP_ERROR && isfinite((double)(x[0] + x[1])));
  }
}
END_TEST

START_TEST(refuses_nonsense) {
  curve c = {0};
  nnb_lsq lsq = curve_problem(&c), bad;
  real x[] = {2, 1};
  const double negative[] = {1, -1};
  ck_refused(NNB_E_ARG, nnb_least_squares(NULL, x, NULL, NULL));
  ck_refused(NNB_E_ARG, nnb_least_squares(&lsq, NULL, NULL, NULL));
  bad = lsq, bad.m = 0;
  ck_refused(NNB_E_ARG, nnb_least_squares(&bad, x, NULL, NULL));
  bad = lsq, bad.n = 0;
  ck_refused(NNB_E_ARG, nnb_least_squares(&bad, x, NULL, NULL));
  bad = lsq, bad.group = 7;
  ck_refused(NNB_E_ARG, nnb_least_squares(&bad, x, NULL, NULL));
  bad = lsq, bad.ridge = negative;
  ck_refused(NNB_E_ARG, nnb_least_squares(&bad, x, NULL, NULL));
  ck_refused(NNB_E_ARG, nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = NNB_LBFGS}, NULL));
  ck_refused(NNB_E_ARG, nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = (nnb_algo)1234}, NULL));
  ck_refused(NNB_E_ARG, nnb_least_squares(&lsq, x, &(nnb_min_opts){.change_tol = -1}, NULL));
  ck_refused(NNB_E_OVERFLOW, nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_bytes = 1000}, NULL));
  ck_assert_msg(strstr(nnb_errmsg(), "max_bytes"), "%s", nnb_errmsg());
  bad = lsq, bad.n = 20000;
  ck_refused(NNB_E_OVERFLOW, nnb_least_squares(&bad, x, NULL, NULL));
  bad.n = SIZE_MAX / 2 + 1;
  ck_refused(NNB_E_OVERFLOW, nnb_least_squares(&bad, x, NULL, NULL));
  bad = lsq, bad.m = SIZE_MAX / 2;
  ck_refused(NNB_E_OVERFLOW, nnb_least_squares(&bad, x, NULL, NULL));
  ck_assert(c.calls == 0);
}
END_TEST

static int stop_at_second(void *user, const nnb_min_record *record) {
  ck_assert(((const real *)record->x)[0] != 2);
  *(double *)user = record->value;
  return record->iteration == 2;
}

START_TEST(stops_when_told) {
  curve c = {.group = 8};
  nnb_lsq lsq = curve_problem(&c);
  nnb_min_report report;
  double seen = 0;
  real x[] = {2, 1};
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.on_iteration = stop_at_second, .user = &seen}, &report));
  ck_assert(report.stop == NNB_STOP_USER && report.iterations == 2 && report.value == seen);
  x[0] = 2, x[1] = 1;
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.has_target = true, .target = 1e-3}, &report));
  ck_assert(report.stop == NNB_STOP_TARGET && report.value <= 1e-3);
  x[0] = 2, x[1] = 1;
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_iterations = 1}, &report));
  ck_assert(report.stop == NNB_STOP_ITERATIONS && report.iterations == 1);
  x[0] = 2, x[1] = 1;
  c.calls = c.calls_j = 0;
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_evaluations = 4, .gradient_tol = NNB_NONE}, &report));
  ck_assert_msg(report.stop == NNB_STOP_EVALUATIONS && report.evaluations == c.calls && c.calls <= 7,
                "%s after %d calls, %d counted", nnb_stop_text(report.stop), c.calls, (int)report.evaluations);
}
END_TEST

/* ---- units ------------------------------------------------------------------------------------------------------ */

/* r_i = unit·(a·e^(-b·t_i) - 2.5·e^(-1.3·t_i)), in a the unit of r */
static nnb_status unit_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const double unit = *(const double *)user;
  for (int i = 0; i < k; i++) {
    double t = 0.1 * (double)(row0 + (size_t)i), e = exp(-(double)x[1] * t);
    r[i] = (real)((double)x[0] * e - unit * 2.5 * exp(-1.3 * t));
    if (J) J[i * ldj] = (real)e, J[i * ldj + 1] = (real)(-(double)x[0] * t * e);
  }
  return NNB_OK;
}

START_TEST(stops_alike_in_all_units) {
  const double smallest = TOL(1e-100, 1e-12), largest = TOL(1e100, 1e12);
  for (double unit = smallest; unit <= largest; unit *= 1000) {
    nnb_lsq lsq = {.m = 40, .n = 2, .user = &unit, .rows = unit_rows};
    real x[2] = {(real)unit, 1};
    nnb_min_report report;
    ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
    ck_assert_msg(fabs((double)x[0] / unit - 2.5) < TOL(1e-8, 1e-3) && fabs((double)x[1] - 1.3) < TOL(1e-8, 1e-3),
                  "units of %g: x is %.10g, %.10g after %d iterations (%s), wanted 2.5, 1.3", unit, (double)x[0] / unit,
                  (double)x[1], (int)report.iterations, nnb_stop_text(report.stop));
  }
}
END_TEST

/* ---- linear problems with known solutions ------------------------------------------------------------------------ */

/* (AᵀA + C)·x = Aᵀb: the gradient with the ridge is 0 at the end; many rows are processed in blocks. */
START_TEST(takes_a_ridge) {
  enum { M = 3000, N = 7 };
  static double A[M * N], b[M];
  const double ridge[N] = {0, 1, 10, 100, 0, 3, 1000};
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int i = 0; i < M * N; i++) A[i] = nnb_rng_normal(&rng);
  for (int i = 0; i < M; i++) b[i] = nnb_rng_normal(&rng) + A[i * N] - 3 * A[i * N + 2];
  linear_system l = {M, N, A, b};
  nnb_lsq lsq = {.m = M, .n = N, .user = &l, .rows = line_rows, .ridge = ridge};
  real x[N] = {0};
  nnb_min_report report;
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.gradient_tol = NNB_NONE}, &report));
  double f = 0;
  for (int i = 0; i < M; i++) {
    double r = -b[i];
    for (int j = 0; j < N; j++) r += A[i * N + j] * (double)x[j];
    f += r * r / 2;
  }
  for (int j = 0; j < N; j++) {
    double g = ridge[j] * (double)x[j];
    f += ridge[j] * (double)x[j] * (double)x[j] / 2;
    for (int i = 0; i < M; i++) {
      double r = -b[i];
      for (int k = 0; k < N; k++) r += A[i * N + k] * (double)x[k];
      g += r * A[i * N + j];
    }
    ck_assert_msg(fabs(g) < TOL(1e-9, 2e-2), "∂f/∂x_%d is %g", j, g);
  }
  ck_assert_double_eq_tol(report.value, f, TOL(1e-12, 1e-5) * f);
}
END_TEST

/* More variables than residuals, a column of zeros, two equal columns: the residuals still vanish. */
START_TEST(solves_rank_deficient) {
  static const double A[3 * 6] = {1, 2, 0, 2, -1, 3, 0, 1, 0, 1, 4, 1, 2, 0, 0, 0, 1, 5}, b[3] = {1, 2, 3};
  linear_system l = {3, 6, A, b};
  nnb_lsq lsq = {.m = 3, .n = 6, .user = &l, .rows = line_rows};
  real x[6] = {1, 1, 7, 1, 1, 1};
  nnb_min_report report;
  ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
  ck_assert_msg(report.value < TOL(1e-20, 1e-9) && x[2] == 7, "f is %g after %d iterations (%s)", report.value,
                (int)report.iterations, nnb_stop_text(report.stop));
}
END_TEST

/* Columns that agree to nine digits, which the normal equations cannot distinguish: Läuchli's matrix, x = (1, …, 1). */
START_TEST(solves_ill_conditioned) {
  enum { N = 4 };
  const double tiny = TOL(1e-9, 1e-3);
  double A[(N + 1) * N] = {1, 1, 1, 1}, b[N + 1] = {N, tiny, tiny, tiny, tiny};
  for (int j = 0; j < N; j++) A[(j + 1) * N + j] = tiny;
  linear_system l = {N + 1, N, A, b};
  nnb_lsq lsq = {.m = N + 1, .n = N, .user = &l, .rows = line_rows};
  real x[N] = {0, 3, 1, 2};
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.gradient_tol = NNB_NONE}, NULL));
  for (int j = 0; j < N; j++) ck_assert_msg(fabs((double)x[j] - 1) < TOL(1e-5, 1e-2), "x_%d is %.9g", j, (double)x[j]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("least squares, " PRECISION);
  TCase *tc = tcase_create("least squares");
  tcase_add_loop_test(tc, reaches_known_minima, 0, MGH_PROBLEMS);
  tcase_add_test(tc, steps_over_nan);
  tcase_add_test(tc, refuses_a_bad_start);
  tcase_add_test(tc, hands_a_status_back);
  tcase_add_test(tc, refuses_nonsense);
  tcase_add_test(tc, stops_when_told);
  tcase_add_test(tc, stops_alike_in_all_units);
  tcase_add_test(tc, takes_a_ridge);
  tcase_add_test(tc, solves_rank_deficient);
  tcase_add_test(tc, solves_ill_conditioned);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
