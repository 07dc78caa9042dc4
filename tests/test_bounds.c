/* nnb_least_squares between bounds: minima that are known or satisfy the conditions of Karush, Kuhn and Tucker, the
 * options, and what may go wrong.  Every problem here refuses to be asked for anything beyond its bounds. */
#include <stdio.h>
#include <string.h>

#include "alloc_count.h"
#include "mgh_lsq.h"
#include "support.h"

enum { MOST_N = 40 };

#define ck_ok(call)                                                           \
  do {                                                                        \
    nnb_status ok_ = (nnb_status)(call);                                      \
    ck_assert_msg(ok_ == NNB_OK, "%s: %s", nnb_strstatus(ok_), nnb_errmsg()); \
  } while (0)

/* ---- a problem in a box ----------------------------------------------------------------------------------------- */

typedef struct boxed {
  nnb_lsq inner;
  const double *lower, *upper; /* NULL: none */
  int calls;
  bool again;              /* derivatives were wanted at the same x twice running: QR has taken over */
  real last[MOST_N];       /* where they were wanted last */
  int nan_from, nan_calls; /* a residual is NaN in these calls, from call nan_from on; 0: never */
  int fail_at;             /* NNB_E_IO in this call; 0: never */
} boxed;

static double lower_of(const boxed *b, size_t i) { return b->lower ? (double)(real)b->lower[i] : -HUGE_VAL; }
static double upper_of(const boxed *b, size_t i) { return b->upper ? (double)(real)b->upper[i] : HUGE_VAL; }

static void ck_inside(const boxed *b, const real *x) {
  for (size_t i = 0; i < b->inner.n; i++)
    ck_assert_msg((double)x[i] >= lower_of(b, i) && (double)x[i] <= upper_of(b, i),
                  "x%zu is %.17g, not in [%.17g, %.17g]", i, (double)x[i], lower_of(b, i), upper_of(b, i));
}

static nnb_status boxed_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  boxed *b = user;
  const size_t bytes = b->inner.n * sizeof *x;
  ck_inside(b, x);
  if (++b->calls == b->fail_at) return NNB_E_IO;
  if (J && row0 == 0) {
    b->again |= b->calls > 1 && memcmp(b->last, x, bytes) == 0;
    memcpy(b->last, x, bytes);
  }
  nnb_status status = b->inner.rows(b->inner.user, x, row0, k, r, J, ldj);
  if (b->nan_from && b->calls >= b->nan_from && b->calls < b->nan_from + b->nan_calls) r[0] = (real)NAN;
  return status;
}

static nnb_lsq in_box(boxed *b) {
  nnb_lsq lsq = b->inner;
  lsq.user = b, lsq.rows = boxed_rows;
  return lsq;
}

static nnb_min_report solve_with(boxed *b, real *x, nnb_min_opts opts) {
  nnb_min_report report;
  nnb_lsq lsq = in_box(b);
  opts.lower = b->lower, opts.upper = b->upper;
  ck_ok(nnb_least_squares(&lsq, x, &opts, &report));
  ck_assert(report.algo == NNB_LM && report.value <= report.start_value);
  ck_inside(b, x);
  return report;
}

static nnb_min_report solve(boxed *b, real *x) {
  return solve_with(b, x, (nnb_min_opts){.gradient_tol = NNB_NONE, .max_iterations = 5000});
}

/* f and its slope; norms of J's columns. */
static double evaluate(const nnb_lsq *p, const real *x, double *g, double *columns) {
  static real r[500], J[500 * MOST_N];
  const int n = (int)p->n;
  double f = 0;
  ck_assert(p->m <= 500 && n <= MOST_N);
  memset(J, 0, sizeof J);
  ck_ok(p->rows(p->user, x, 0, (int)p->m, r, J, n));
  for (int j = 0; j < n; j++) {
    double squares = 0, own = p->ridge ? p->ridge[j] : 0;
    g[j] = own * (double)x[j], f += own * (double)x[j] * (double)x[j] / 2;
    for (size_t i = 0; i < p->m; i++) {
      double d = (double)J[i * p->n + (size_t)j];
      g[j] += d * (double)r[i], squares += d * d;
    }
    columns[j] = sqrt(squares);
  }
  for (size_t i = 0; i < p->m; i++) f += (double)r[i] * (double)r[i] / 2;
  return f;
}

/* How far x is from satisfying the conditions: the largest cosine of the angle between r and the column of J of a
 * variable that may move down the slope (Moré's test); 0 where r is. */
static double violation(const boxed *b, const real *x) {
  double g[MOST_N], columns[MOST_N], worst = 0, f = evaluate(&b->inner, x, g, columns);
  for (size_t i = 0; i < b->inner.n; i++) {
    bool held = (g[i] > 0 && (double)x[i] <= lower_of(b, i)) || (g[i] < 0 && (double)x[i] >= upper_of(b, i));
    if (!held && columns[i] > 0) worst = fmax(worst, fabs(g[i]) / (columns[i] * sqrt(2 * f)));
  }
  return f < TOL(1e-20, 1e-9) ? 0 : worst;
}

/* The same by nnb_minimize. */
static nnb_status as_function(void *user, const real *x, double *f, real *g) {
  boxed *b = user;
  double slope[MOST_N], columns[MOST_N];
  ck_inside(b, x);
  *f = evaluate(&b->inner, x, slope, columns);
  for (size_t i = 0; g && i < b->inner.n; i++) g[i] = (real)slope[i];
  return NNB_OK;
}

static nnb_min_report by_lbfgs(boxed *b, real *x) {
  nnb_min_opts opts = {.gradient_tol = NNB_NONE, .max_iterations = 5000, .lower = b->lower, .upper = b->upper};
  nnb_min_report report;
  ck_ok(nnb_minimize(&(nnb_fdf){.n = b->inner.n, .user = b, .eval = as_function}, x, &opts, &report));
  return report;
}

/* ---- Moré, Garbow and Hillstrom in boxes ------------------------------------------------------------------------ */

/* Boxes with the start inside: for every second variable a bound between the start and where it goes without bounds. */
static void draw_box(nnb_rng *rng, int n, const double *start, const real *end, double *lower, double *upper) {
  for (int j = 0; j < n; j++) {
    const double part = nnb_rng_uniform(rng), kind = nnb_rng_uniform(rng), to = (double)end[j];
    const double way = start[j] == to ? 1 : start[j] - to, bound = to + part * way;
    lower[j] = -HUGE_VAL, upper[j] = HUGE_VAL;
    if (kind < 0.5 && bound < start[j]) lower[j] = bound;
    if (kind < 0.5 && bound >= start[j]) upper[j] = bound;
    if (kind > 0.7) lower[j] = fmin(to, start[j]) - part * fabs(way), upper[j] = fmax(to, start[j]) + part * fabs(way);
  }
}

/* Each ends where the conditions hold or, where rounding hides that, as low as by lbfgs; mostly both, but minima may be
 * several. */
START_TEST(many_boxes) {
  enum { BOXES = 8 };
  const mgh *p = &mgh_problems[_i];
  boxed b = {.inner = mgh_lsq(p)};
  real end[MGH_MOST_N], x[MGH_MOST_N], y[MGH_MOST_N];
  double lower[MGH_MOST_N], upper[MGH_MOST_N];
  int lows = 0;
  for (int j = 0; j < p->n; j++) end[j] = (real)p->start[j];
  ck_ok(nnb_least_squares(&b.inner, end, NULL, NULL));
  for (int k = 0; k < BOXES; k++) {
    nnb_rng rng;
    nnb_rng_init(&rng, 11, (uint64_t)(BOXES * _i + k));
    draw_box(&rng, p->n, p->start, end, lower, upper);
    for (int j = 0; j < p->n; j++) x[j] = y[j] = (real)p->start[j];
    b.lower = lower, b.upper = upper;
    nnb_min_opts opts = {.gradient_tol = NNB_NONE, .acceleration = k % 4 == 3 ? NNB_NONE : 0};
    nnb_min_report report = solve_with(&b, x, opts), other = by_lbfgs(&b, y);
    const double wrong = violation(&b, x);
    const bool low = report.value <= other.value * (1 + TOL(1e-8, 1e-5)) + TOL(1e-12, 1e-7);
    lows += low;
    if (getenv("NNB_TEST_TABLE"))
      printf("%-28s %d %4lld it %5lld ev  f %.10g  cos %.1e  %s; lbfgs %5lld ev  f %.10g\n", p->name, k,
             (long long)report.iterations, (long long)report.evaluations, report.value, wrong,
             nnb_stop_text(report.stop), (long long)other.evaluations, other.value);
    ck_assert_msg(low || wrong < TOL(1e-6, 1e-2), "%s, box %d: f is %.10g, by lbfgs %.10g; cosine %g (%s)", p->name, k,
                  report.value, other.value, wrong, nnb_stop_text(report.stop));
  }
  ck_assert_msg(lows >= BOXES - 3, "%s: only %d of %d boxes as low as by lbfgs", p->name, lows, BOXES);
}
END_TEST

/* Bounds that are all infinite change nothing but rounding. */
START_TEST(infinite_bounds) {
  const mgh *p = &mgh_problems[_i];
  double lower[MGH_MOST_N], upper[MGH_MOST_N];
  boxed b = {.inner = mgh_lsq(p), .lower = lower, .upper = upper};
  real x[MGH_MOST_N], y[MGH_MOST_N];
  nnb_min_report r;
  for (int j = 0; j < p->n; j++) lower[j] = -HUGE_VAL, upper[j] = HUGE_VAL, x[j] = y[j] = (real)p->start[j];
  nnb_min_report report = solve_with(&b, x, (nnb_min_opts){.max_iterations = 5});
  ck_ok(nnb_least_squares(&b.inner, y, &(nnb_min_opts){.max_iterations = 5}, &r));
  ck_assert_msg(
      report.iterations == r.iterations && fabs(report.value - r.value) <= TOL(1e-6, 1e-3) * r.value + TOL(1e-12, 1e-7),
      "%s: f is %.12g, without bounds %.12g", p->name, report.value, r.value);
}
END_TEST

/* ---- minima that are known -------------------------------------------------------------------------------------- */

START_TEST(rosenbrock) {
  static const struct {
    double lower[2], upper[2], x[2], f;
  } row[] = {
      {{-HUGE_VAL, -HUGE_VAL}, {0.5, HUGE_VAL}, {0.5, 0.25}, 0.25},
      {{1.5, -HUGE_VAL}, {HUGE_VAL, HUGE_VAL}, {1.5, 2.25}, 0.25},      /* the start lies outside */
      {{-HUGE_VAL, 1.5}, {HUGE_VAL, 3}, {-1.2210263, 1.5}, 4.94122932}, /* Hock and Schittkowski's 2: local … */
      {{0, 1.5}, {HUGE_VAL, 3}, {1.22437075, 1.5}, 0.0504261879},       /* … and its minimum */
      {{-2, -2}, {2, 2}, {1, 1}, 0},                                    /* inactive */
      {{-1.2, -5}, {-1.2, 5}, {-1.2, 1.44}, 4.84},                      /* one variable has no room */
  };
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    boxed b = {.inner = mgh_lsq(&mgh_problems[0]), .lower = row[k].lower, .upper = row[k].upper};
    real x[] = {(real)-1.2, 1};
    nnb_min_report report = solve(&b, x);
    ck_assert_msg(fabs(2 * report.value - row[k].f) < TOL(1e-8, 1e-5), "row %zu: Σ r² is %.10g, not %.10g (%s)", k,
                  2 * report.value, row[k].f, nnb_stop_text(report.stop));
    for (int i = 0; i < 2; i++)
      ck_assert_msg(fabs((double)x[i] - row[k].x[i]) < TOL(1e-7, 1e-3), "row %zu: x%d is %.10g, not %.10g", k, i,
                    (double)x[i], row[k].x[i]);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bounds, " PRECISION);
  TCase *tc = tcase_create("bounds");
  tcase_add_loop_test(tc, many_boxes, 0, MGH_PROBLEMS);
  tcase_add_loop_test(tc, infinite_bounds, 0, MGH_PROBLEMS);
  tcase_add_test(tc, rosenbrock);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
