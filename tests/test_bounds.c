/* nnb_least_squares between bounds: minima that are known or satisfy the conditions of Karush, Kuhn and Tucker, the
 * options, and failures.  Every problem here fails if it is evaluated outside its bounds. */
#include <stdio.h>
#include <string.h>

#include "alloc_count.h"
#include "lsq.h"
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
  real last[MOST_N];       /* the last point of evaluation */
  int nan_from, nan_calls; /* a residual is NaN in this number of calls, from call nan_from on; 0: never */
  int fail_at;             /* NNB_E_IO in this call; 0: never */
} boxed;

static double lower_of(const boxed *b, size_t i) { return b->lower ? (double)(real)b->lower[i] : -HUGE_VAL; }
static double upper_of(const boxed *b, size_t i) { return b->upper ? (double)(real)b->upper[i] : HUGE_VAL; }

/* Check reports every assertion to its parent process; this one only failures. */
static void ck_inside(const boxed *b, const real *x) {
  for (size_t i = 0; i < b->inner.n; i++)
    if (!((double)x[i] >= lower_of(b, i) && (double)x[i] <= upper_of(b, i)))
      ck_abort_msg("x%zu is %.17g, not in [%.17g, %.17g]", i, (double)x[i], lower_of(b, i), upper_of(b, i));
}

static nnb_status boxed_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  boxed *b = user;
  const size_t bytes = b->inner.n * sizeof *x;
  ck_inside(b, x);
  if (++b->calls == b->fail_at) return NNB_E_IO;
  if (J && row0 == 0) {
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
  if (p->m > 500 || n > MOST_N) ck_abort_msg("too large for this");
  memset(J, 0, sizeof J);
  if (p->rows(p->user, x, 0, (int)p->m, r, J, n)) ck_abort_msg("rows failed");
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

/* The violation of the conditions: the largest cosine of the angle between r and the column of J of a variable that may
 * move down the slope (Moré's test); 0 if r is 0. */
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

/* Boxes with the start inside: every second variable has a bound between its start and its value at the minimum. */
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

/* Each run ends where the conditions hold or, if rounding hides that, as low as lbfgs; usually both, but there may be
 * several minima. */
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

/* Infinite bounds change nothing except rounding. */
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
      {{1.5, -HUGE_VAL}, {HUGE_VAL, HUGE_VAL}, {1.5, 2.25}, 0.25},      /* the start is outside */
      {{-HUGE_VAL, 1.5}, {HUGE_VAL, 3}, {-1.2210263, 1.5}, 4.94122932}, /* Hock and Schittkowski's 2: local minimum */
      {{0, 1.5}, {HUGE_VAL, 3}, {1.22437075, 1.5}, 0.0504261879},       /* the same: global minimum */
      {{-2, -2}, {2, 2}, {1, 1}, 0},                                    /* inactive */
      {{-1.2, -5}, {-1.2, 5}, {-1.2, 1.44}, 4.84},                      /* one variable is fixed */
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

/* [A; I] with b such that a chosen x satisfies the conditions with a chosen slope: Aᵀ(A·x - b₁) + (x - b₂) = slope, +
 * for variables at their lower bound, - at their upper, else 0. */
START_TEST(linear_in_a_box) {
  enum { M = 60, N = 30 };
  static double A[(M + N) * N], rhs[M + N];
  double want[N], lower[N], upper[N], slope[N];
  real x[N];
  nnb_rng rng;
  nnb_rng_init(&rng, 3, (uint64_t)_i);
  memset(A, 0, sizeof A);
  for (int j = 0; j < N; j++) {
    const int where = (int)nnb_rng_below(&rng, 3);
    want[j] = nnb_rng_normal(&rng);
    lower[j] = want[j] - (where == 0 ? 0 : 0.01 + nnb_rng_uniform(&rng));
    upper[j] = where == 1 ? want[j] : want[j] + 0.01 + nnb_rng_uniform(&rng);
    slope[j] = where == 2 ? 0 : (where == 0 ? 1 : -1) * (0.1 + nnb_rng_uniform(&rng));
    x[j] = (real)(10 * nnb_rng_normal(&rng));
    A[(M + j) * N + j] = 1, rhs[M + j] = want[j] - slope[j];
  }
  for (int i = 0; i < M; i++) {
    const double r = nnb_rng_normal(&rng);
    rhs[i] = -r;
    for (int j = 0; j < N; j++) {
      A[i * N + j] = nnb_rng_normal(&rng) + (_i % 2 ? 3 : 0); /* 3: similar columns */
      rhs[i] += A[i * N + j] * want[j], rhs[M + j] += A[i * N + j] * r;
    }
  }
  linear_system l = {M + N, N, A, rhs};
  boxed b = {.inner = {.m = M + N, .n = N, .user = &l, .rows = line_rows}, .lower = lower, .upper = upper};
  nnb_min_report report = solve(&b, x);
  for (int j = 0; j < N; j++)
    ck_assert_msg(fabs((double)x[j] - want[j]) < TOL(1e-12, 1e-4) && (slope[j] == 0 || x[j] == (real)want[j]),
                  "x%d is %.15g, not %.15g after %d iterations (%s)", j, (double)x[j], want[j], (int)report.iterations,
                  nnb_stop_text(report.stop));
  ck_assert_msg(report.iterations <= 25, "%d iterations", (int)report.iterations);
}
END_TEST

/* With a ridge, only the signs: the slope of the whole function counts. */
START_TEST(non_negative_with_ridge) {
  enum { M = 200, N = 12 };
  static double A[M * N], rhs[M], lower[N], ridge[N];
  nnb_rng rng;
  nnb_rng_init(&rng, 8, (uint64_t)_i);
  for (int i = 0; i < M * N; i++) A[i] = nnb_rng_normal(&rng) + 1;
  for (int i = 0; i < M; i++) rhs[i] = 3 * nnb_rng_normal(&rng) + A[i * N] - A[i * N + 1];
  for (int j = 0; j < N; j++) ridge[j] = j * j;
  linear_system l = {M, N, A, rhs};
  boxed b = {.inner = {.m = M, .n = N, .user = &l, .rows = line_rows, .ridge = ridge}, .lower = lower};
  real x[N] = {0}, y[N] = {0};
  nnb_min_report report = solve(&b, x);
  double g[N], columns[N], f = evaluate(&b.inner, x, g, columns), most = 0;
  int held = 0;
  for (int j = 0; j < N; j++) {
    held += x[j] == 0;
    if (!(x[j] == 0 && g[j] > 0)) most = fmax(most, fabs(g[j]));
  }
  ck_assert_msg(held > 0 && held < N, "%d of %d variables are 0", held, N);
  ck_assert_msg(most < TOL(1e-9, 2e-2), "a slope of %g is left", most);
  ck_assert_double_eq_tol(report.gradient_norm, most, TOL(1e-9, 2e-2));
  ck_assert_double_eq_tol(report.value, f, TOL(1e-12, 1e-5) * f);
  ck_assert_double_le(report.value, by_lbfgs(&b, y).value * (1 + TOL(1e-12, 1e-5)));
}
END_TEST

/* Läuchli's matrix, for which only QR distinguishes the columns, with k variables ≤ ½.  The others are equal: ((4 -
 * k)·t + ½k - 4) + δ²(t - 1) = 0. */
START_TEST(ill_conditioned) {
  enum { N = 4 };
  const int k = _i;
  const double tiny = TOL(1e-9, 1e-3), want = (N - 0.5 * k + tiny * tiny) / (N - k + tiny * tiny);
  double upper[N], A[(N + 1) * N] = {1, 1, 1, 1}, rhs[N + 1] = {N, tiny, tiny, tiny, tiny};
  for (int j = 0; j < N; j++) A[(j + 1) * N + j] = tiny, upper[j] = j < k ? 0.5 : HUGE_VAL;
  linear_system l = {N + 1, N, A, rhs};
  boxed b = {.inner = {.m = N + 1, .n = N, .user = &l, .rows = line_rows}, .upper = upper};
  real x[N] = {0, (real)0.1, 1, 2};
  solve(&b, x);
  for (int j = 0; j < k; j++) ck_assert_msg(x[j] == (real)0.5, "x%d is %.15g, not 0.5", j, (double)x[j]);
  for (int j = k; j < N; j++)
    ck_assert_msg(fabs((double)x[j] - want) < TOL(1e-5, 1e-2), "x%d is %.9g, not %.9g", j, (double)x[j], want);
}
END_TEST

/* Columns of a smooth kernel, almost dependent; few of them are not 0 in the end. */
START_TEST(ill_posed) {
  enum { M = 60, N = 20 };
  static double A[M * N], rhs[M], lower[N];
  nnb_rng rng;
  nnb_rng_init(&rng, 21, 0);
  for (int i = 0; i < M; i++) {
    rhs[i] = 0.01 * nnb_rng_normal(&rng);
    for (int j = 0; j < N; j++) {
      A[i * N + j] = exp(-9 * (i / 59.0 - j / 19.0) * (i / 59.0 - j / 19.0));
      rhs[i] += A[i * N + j] * (j % 7 == 3 ? 1 : j % 3 == 0 ? -0.5 : 0);
    }
  }
  linear_system l = {M, N, A, rhs};
  boxed b = {.inner = {.m = M, .n = N, .user = &l, .rows = line_rows}, .lower = lower};
  real x[N] = {0}, y[N] = {0};
  for (int j = 0; j < N; j++) x[j] = 1;
  nnb_min_report report = solve(&b, x), other = by_lbfgs(&b, y);
  double wrong = violation(&b, x);
  ck_assert_msg(wrong < TOL(1e-12, 1e-2) && report.value <= other.value * (1 + TOL(1e-9, 1e-5)),
                "f is %.12g, cosine %g after %d iterations (%s); by lbfgs %.12g", report.value, wrong,
                (int)report.iterations, nnb_stop_text(report.stop), other.value);
}
END_TEST

/* ---- curves ----------------------------------------------------------------------------------------------------- */

/* r_i = a·e^(-k·t) + b·e^(-q·t) - y_i, or with q = 0 fixed. */
enum { DECAY_M = 50 };
typedef struct decay {
  double y[DECAY_M];
  bool constant;
} decay;

static nnb_status decay_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const decay *d = user;
  for (int i = 0; i < k; i++) {
    double t = 0.1 * ((double)row0 + i), e1 = exp(-(double)x[1] * t), e2 = d->constant ? 1 : exp(-(double)x[3] * t);
    r[i] = (real)((double)x[0] * e1 + (double)x[2] * e2 - d->y[row0 + (size_t)i]);
    if (!J) continue;
    J[i * ldj] = (real)e1, J[i * ldj + 1] = (real)(-(double)x[0] * t * e1), J[i * ldj + 2] = (real)e2;
    if (!d->constant) J[i * ldj + 3] = (real)(-(double)x[2] * t * e2);
  }
  return NNB_OK;
}

/* Rates must not be negative; the data rises in the end, so one becomes 0: the fit is that of the model with a
 * constant. */
START_TEST(positive_rates) {
  decay d = {.constant = false};
  nnb_rng rng;
  nnb_rng_init(&rng, 6, 0);
  for (int i = 0; i < DECAY_M; i++) d.y[i] = 2 * exp(-0.15 * i) + 1 + 0.03 * (0.1 * i) + 0.01 * nnb_rng_normal(&rng);
  const double lower[] = {-HUGE_VAL, 0, -HUGE_VAL, 0};
  boxed b = {.inner = {.m = DECAY_M, .n = 4, .user = &d, .rows = decay_rows}, .lower = lower};
  real x[] = {1, 3, (real)0.5, (real)0.1};
  nnb_min_report report = solve(&b, x), free;
  decay c = d;
  c.constant = true;
  real y[] = {1, 3, (real)0.5};
  nnb_lsq simpler = {.m = DECAY_M, .n = 3, .user = &c, .rows = decay_rows};
  ck_ok(nnb_least_squares(&simpler, y, &(nnb_min_opts){.gradient_tol = NNB_NONE}, &free));
  ck_assert_msg(x[3] == 0, "the rate is %g", (double)x[3]);
  ck_assert_double_eq_tol(report.value, free.value, TOL(1e-12, 1e-6));
  for (int j = 0; j < 3; j++)
    ck_assert_msg(fabs((double)(x[j] - y[j])) < TOL(1e-8, 2e-3), "x%d is %.12g, with a constant %.12g", j, (double)x[j],
                  (double)y[j]);
}
END_TEST

/* r_i = √(x₀·t) + log(x₁·t) + x₂·√(1 - x₃²) - y_i: not defined outside the box, and without a slope at parts of its
 * boundary. */
static nnb_status edge_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const double *y = user, a = (double)x[0], b = (double)x[1], c = (double)x[2], root = sqrt(1 - (double)(x[3] * x[3]));
  for (int i = 0; i < k; i++) {
    double t = 1 + (double)row0 + i;
    r[i] = (real)(sqrt(a * t) + log(b * t) / t + c * root * sin(t) - y[row0 + (size_t)i]);
    if (!J) continue;
    J[i * ldj] = (real)(sqrt(t / a) / 2), J[i * ldj + 1] = (real)(1 / (b * t)), J[i * ldj + 2] = (real)(root * sin(t));
    J[i * ldj + 3] = (real)(-c * (double)x[3] / root * sin(t));
  }
  return NNB_OK;
}

START_TEST(never_beyond_the_edge) {
  enum { M = 20 };
  static const double lower[] = {1e-6, 1e-3, -HUGE_VAL, -0.999}, upper[] = {HUGE_VAL, HUGE_VAL, HUGE_VAL, 0.999};
  static const double truth[][4] = {{2, 3, 1, 0.5}, {1e-6, 4, 2, 0.3}, {0.5, 1e-3, 1, -0.2}};
  for (int k = 0; k < 3; k++) {
    double y[M] = {0};
    real x[] = {5, (real)0.5, 1, (real)0.9}, r[M], at[4];
    for (int j = 0; j < 4; j++) at[j] = (real)truth[k][j];
    edge_rows(y, at, 0, M, r, NULL, 0);
    for (int i = 0; i < M; i++) y[i] = (double)r[i] - (k == 0 ? 0 : 0.5 / (i + 1.0));
    boxed b = {.inner = {.m = M, .n = 4, .user = y, .rows = edge_rows}, .lower = lower, .upper = upper};
    nnb_min_report report = solve(&b, x);
    double wrong = violation(&b, x);
    ck_assert_msg(isfinite(report.value) && wrong < TOL(1e-6, 1e-2),
                  "case %d: f is %g, cosine %g after %d iterations (%s)", k, report.value, wrong,
                  (int)report.iterations, nnb_stop_text(report.stop));
    const double near =
        1 + TOL(1e-9, 1e-3); /* the minimum of case 1 is on its bound with residuals of 0: there is no force on it */
    bool met = (double)x[0] <= near * lower[0] || (double)x[1] <= near * lower[1] || fabs((double)x[3]) >= 0.999 / near;
    ck_assert_msg(met == (k > 0), "case %d: x is %.12g, %.12g, %.12g, %.12g", k, (double)x[0], (double)x[1],
                  (double)x[2], (double)x[3]);
  }
}
END_TEST

/* ---- options ---------------------------------------------------------------------------------------------------- */

START_TEST(fixed_variables) {
  const mgh *p = &mgh_problems[13]; /* Wood's, of four */
  double at[] = {-3, 0.5, -3, -1}, upper[] = {-3, HUGE_VAL, -3, HUGE_VAL}, lower[] = {-3, -HUGE_VAL, -3, -HUGE_VAL};
  boxed b = {.inner = mgh_lsq(p), .lower = at, .upper = at};
  real x[] = {7, 7, 7, 7};
  nnb_min_report report = solve_with(&b, x, (nnb_min_opts){.gradient_tol = NNB_NONE});
  ck_assert_msg(report.iterations == 0 && report.stop == NNB_STOP_GRADIENT && report.gradient_norm == 0 && b.calls == 1,
                "%d iterations, %d calls: %s", (int)report.iterations, b.calls, nnb_stop_text(report.stop));
  for (int j = 0; j < 4; j++) ck_assert(x[j] == (real)at[j]);
  b.lower = lower, b.upper = upper;
  report = solve(&b, x); /* f is quadratic in the others */
  ck_assert_msg(report.iterations < 40 && violation(&b, x) < TOL(1e-10, 1e-3) && x[0] == -3 && x[2] == -3,
                "cosine %g after %d iterations", violation(&b, x), (int)report.iterations);
}
END_TEST

static int stop_at_second(void *user, const nnb_min_record *record) {
  *(nnb_min_record *)user = *record;
  ck_assert(((const real *)record->x)[0] <= (real)0.5);
  return record->iteration == 2;
}

START_TEST(stops_when_told) {
  static const double upper[] = {0.5, HUGE_VAL};
  boxed b = {.inner = mgh_lsq(&mgh_problems[0]), .upper = upper};
  nnb_min_record seen;
  real x[] = {(real)-1.2, 1};
  nnb_min_report r = solve_with(&b, x, (nnb_min_opts){.on_iteration = stop_at_second, .user = &seen});
  ck_assert(r.stop == NNB_STOP_USER && r.iterations == 2 && r.value == seen.value);
  r = solve_with(&b, x, (nnb_min_opts){0}); /* continues from there */
  ck_assert_msg(r.stop == NNB_STOP_GRADIENT && x[0] == (real)0.5, "x0 is %g: %s", (double)x[0], nnb_stop_text(r.stop));
  double g[2], columns[2];
  evaluate(&b.inner, x, g, columns); /* x₀ is held: its slope does not count */
  ck_assert_msg(fabs(r.gradient_norm - fabs(g[1])) < TOL(1e-12, 1e-4) && fabs(g[0]) > 0.4, "norm %g of a slope %g, %g",
                r.gradient_norm, g[0], g[1]);
  x[0] = (real)-1.2, x[1] = 1;
  r = solve_with(&b, x, (nnb_min_opts){.max_evaluations = 5, .gradient_tol = NNB_NONE});
  ck_assert_int_eq(r.stop, NNB_STOP_EVALUATIONS);
}
END_TEST

/* ---- what may go wrong ------------------------------------------------------------------------------------------ */

START_TEST(steps_over_nan) {
  static const double upper[] = {0.5, HUGE_VAL};
  for (int from = 2; from < 20; from++) {
    boxed b = {.inner = mgh_lsq(&mgh_problems[0]), .upper = upper, .nan_from = from, .nan_calls = 1 + from % 3};
    real x[] = {(real)-1.2, 1};
    nnb_lsq lsq = in_box(&b);
    nnb_min_report report;
    nnb_status status = nnb_least_squares(&lsq, x, &(nnb_min_opts){.upper = upper}, &report);
    if (status == NNB_E_NUMERIC) continue; /* a second call at the same point gave NaN */
    ck_ok(status);
    ck_assert_msg(fabs(2 * report.value - 0.25) < TOL(1e-8, 1e-5), "NaN from call %d on: f is %g", from, report.value);
  }
}
END_TEST

START_TEST(hands_a_status_back) {
  static const double upper[] = {0.5, HUGE_VAL};
  for (int at = 1; at < 8; at++) {
    boxed b = {.inner = mgh_lsq(&mgh_problems[0]), .upper = upper, .fail_at = at};
    real x[] = {3, 1};
    nnb_lsq lsq = in_box(&b);
    nnb_min_report report;
    ck_assert_int_eq(nnb_least_squares(&lsq, x, &(nnb_min_opts){.upper = upper, .gradient_tol = NNB_NONE}, &report),
                     NNB_E_IO);
    ck_assert(report.stop == NNB_STOP_ERROR);
    ck_inside(&b, x);
  }
}
END_TEST

START_TEST(refuses_nonsense) {
  static const double one[] = {1, 1}, two[] = {2, 2}, nan_[] = {0, (double)NAN}, inf[] = {HUGE_VAL, 0};
  static const bool linear[] = {false, true};
  static const struct {
    nnb_min_opts opts;
    const char *word;
  } row[] = {
      {{.lower = two, .upper = one}, "variable 0"},
      {{.lower = nan_}, "variable 1"},
      {{.upper = nan_}, "variable 1"},
      {{.lower = inf}, "variable 0"},
      {{.lower = one, .bayes = true}, "bayes"},
      {{.upper = one, .algo = NNB_VARPRO}, "varpro does not take this option, which is for lbfgs and lm"},
  };
  nnb_lsq lsq = mgh_lsq(&mgh_problems[0]);
  lsq.linear = linear;
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    real x[] = {-7, 9};
    nnb_min_report report;
    ck_assert_int_eq(nnb_least_squares(&lsq, x, &row[k].opts, &report), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), row[k].word) != NULL, "row %zu: \"%s\"", k, nnb_errmsg());
    ck_assert(report.stop == NNB_STOP_ERROR && x[0] == -7 && x[1] == 9);
  }
  boxed b = {.inner = lsq, .lower = two};
  real x[] = {-7, 9};
  solve(&b, x); /* by lm, although a variable is linear */
  ck_assert_msg(fabs((double)x[0] - 2) < 1e-6 && fabs((double)x[1] - 4) < TOL(1e-6, 1e-3), "x is %g, %g", (double)x[0],
                (double)x[1]);
}
END_TEST

static nnb_status five_iterations(void *context) {
  static const double lower[] = {-5, -5}, upper[] = {0.5, 5};
  nnb_lsq lsq = mgh_lsq(&mgh_problems[0]);
  real x[] = {(real)-1.2, 1};
  (void)context;
  return nnb_least_squares(&lsq, x, &(nnb_min_opts){.lower = lower, .upper = upper, .max_iterations = 5}, NULL);
}

START_TEST(every_allocation_fails) { check_every_allocation(five_iterations, NULL); }
END_TEST

int main(void) {
  Suite *suite = suite_create("bounds, " PRECISION);
  TCase *tc = tcase_create("bounds");
  tcase_add_loop_test(tc, many_boxes, 0, MGH_PROBLEMS);
  tcase_add_loop_test(tc, infinite_bounds, 0, MGH_PROBLEMS);
  tcase_add_test(tc, rosenbrock);
  tcase_add_loop_test(tc, linear_in_a_box, 0, 20);
  tcase_add_loop_test(tc, non_negative_with_ridge, 0, 5);
  tcase_add_loop_test(tc, ill_conditioned, 0, 3);
  tcase_add_test(tc, ill_posed);
  tcase_add_test(tc, positive_rates);
  tcase_add_test(tc, never_beyond_the_edge);
  tcase_add_test(tc, fixed_variables);
  tcase_add_test(tc, stops_when_told);
  tcase_add_test(tc, steps_over_nan);
  tcase_add_test(tc, hands_a_status_back);
  tcase_add_test(tc, refuses_nonsense);
  tcase_add_test(tc, every_allocation_fails);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
