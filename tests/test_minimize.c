/* nnb_minimize: known minima, quadratics, bounds, every reason to stop, functions that are not defined everywhere. */
#include "precision.h"
#include "support.h"

#include <string.h>

#include "mgh.h"

static const nnb_algo algos[] = {NNB_RPROP, NNB_SCG, NNB_CG, NNB_LBFGS, NNB_BFGS};
enum { N_ALGOS = sizeof algos / sizeof *algos };

/* ---- the problems ----------------------------------------------------------------------------------------------- */

static nnb_status mgh_fdf(void *user, const real *x, double *f, real *g) {
  const mgh *p = user;
  double at[MGH_MOST_N], slope[MGH_MOST_N];
  for (int i = 0; i < p->n; i++) at[i] = (double)x[i];
  *f = mgh_value(p, at, g ? slope : NULL);
  for (int i = 0; g && i < p->n; i++) g[i] = (real)slope[i];
  return NNB_OK;
}

static nnb_fdf problem(int k, real *x) {
  const mgh *p = &mgh_problems[k];
  for (int i = 0; i < p->n; i++) x[i] = (real)p->start[i];
  return (nnb_fdf){.n = (size_t)p->n, .user = (void *)p, .eval = mgh_fdf};
}

START_TEST(jacobians_are_slopes) {
  const mgh *p = &mgh_problems[_i];
  double x[MGH_MOST_N] = {0}, J[MGH_MOST_M * MGH_MOST_N] = {0}, r[2][MGH_MOST_M], scratch[MGH_MOST_M * MGH_MOST_N];
  for (int j = 0; j < p->n; j++) x[j] = p->start[j] * 1.01 + 0.003 * (j + 1);
  p->eval(p->n, p->m, x, r[0], J);
  for (int j = 0; j < p->n; j++) {
    const double at = x[j], h = 6e-6 * fmax(fabs(at), 1e-2);
    for (int side = 0; side < 2; side++) {
      x[j] = side ? at + h : at - h;
      memset(scratch, 0, sizeof scratch);
      p->eval(p->n, p->m, x, r[side], scratch);
    }
    x[j] = at;
    for (int i = 0; i < p->m; i++) {
      double want = (r[1][i] - r[0][i]) / (2 * h), got = J[i * p->n + j];
      double noise = 1e-15 * (fabs(r[0][i]) + fabs(r[1][i]) + 1) / h;
      ck_assert_msg(fabs(got - want) <= 1e-7 * (fabs(got) + fabs(want)) + 20 * noise, "%s: dr%d/dx%d is %g, not %g",
                    p->name, i, j, got, want);
    }
  }
}
END_TEST

/* The f - f* of methods that do not reach the minimum; the reason is in the problem's name, or in the iterations that a
 * first-order method would need. */
typedef struct exception {
  const char *problem;
  nnb_algo algo;
  double in_double, in_single; /* 0: no exception */
} exception;

static const exception exceptions[] = {
    /* scales a million apart, which methods by signs and single precision cannot resolve */
    {"powell badly scaled", NNB_RPROP, 1e-6, 1e-4},
    {"powell badly scaled", NNB_SCG, 0, 1e-3},
    {"powell badly scaled", NNB_CG, 0, 1e-3},
    {"powell badly scaled", NNB_BFGS, 1e-7, 1e-2},
    {"brown badly scaled", NNB_RPROP, 5e6, 5e6},
    {"brown badly scaled", NNB_BFGS, 0, 5e4},
    {"meyer", NNB_RPROP, 1.2e5, 1.2e5},
    {"meyer", NNB_SCG, 1.2e5, 1.2e5},
    {"meyer", NNB_CG, 1.2e5, 1.2e5},
    {"meyer", NNB_LBFGS, 0, 1.2e5},
    {"meyer", NNB_BFGS, 1e-3, 1.2e5},
    /* long curved valleys: more iterations than are allowed here */
    {"gulf research", NNB_SCG, 0, 1e-5},
    {"gulf research", NNB_CG, 1e-6, 1e-5}, /* 0 by another libm, on i386 2e-7 */
    {"wood", NNB_RPROP, 0, 7.9},           /* its stationary point near (-1, 1, -1, 1) */
    {"osborne 1", NNB_RPROP, 1e-5, 1e-5},
    {"osborne 1", NNB_SCG, 2e-5, 3e-5},
    {"osborne 1", NNB_CG, 5e-6, 3e-5},
    {"watson", NNB_RPROP, 5e-5, 2e-4},
    {"penalty 2", NNB_RPROP, 2e-7, 0},
    {"penalty 2", NNB_SCG, 1e-8, 0},
};

static double allowed(const mgh *p, nnb_algo algo, double minimum) {
  double tol = TOL(1e-6, 1e-4) * minimum + TOL(1e-9, 1e-6);
  for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
    const exception *e = &exceptions[i];
    if (e->algo == algo && !strcmp(e->problem, p->name)) tol = fmax(tol, TOL(e->in_double, e->in_single));
  }
  return tol;
}

START_TEST(known_minima) {
  const mgh *p = &mgh_problems[_i];
  for (int a = 0; a < N_ALGOS; a++) {
    real x[MGH_MOST_N];
    double at[MGH_MOST_N];
    nnb_fdf f = problem(_i, x);
    nnb_min_opts opts = {.algo = algos[a], .gradient_tol = NNB_NONE, .max_iterations = a == 0 ? 20000 : 1000};
    nnb_min_report report;
    ck_assert_msg(nnb_minimize(&f, x, &opts, &report) == NNB_OK, "%s by %s: %s", p->name, nnb_algo_name(algos[a]),
                  nnb_errmsg());
    ck_assert_int_eq(report.algo, algos[a]);
    for (int i = 0; i < p->n; i++) at[i] = (double)x[i];
    double value = mgh_value(p, at, NULL), worst = HUGE_VAL;
    ck_assert_msg(value == report.value, "%s by %s: value is %g, reported %g", p->name, nnb_algo_name(algos[a]), value,
                  report.value);
    ck_assert(report.value <= report.start_value);
    for (int k = 0; k < MGH_MINIMA && p->minima[k] != MGH_NO_MORE; k++) {
      double error = fabs(value - p->minima[k]);
      if (error <= allowed(p, algos[a], p->minima[k])) worst = 0;
      worst = fmin(worst, error);
    }
    ck_assert_msg(worst == 0, "%s by %s: f is %g, %g from a known minimum after %lld iterations (%s)", p->name,
                  nnb_algo_name(algos[a]), value, worst, (long long)report.iterations, nnb_stop_text(report.stop));
  }
}
END_TEST

/* ---- quadratics ------------------------------------------------------------------------------------------------- */

enum { N = 10 };

/* ½·Σ c_i(x_i - a_i)² with c_i among `distinct` values from 1 to 100 */
typedef struct quadratic {
  double c[N], a[N];
} quadratic;

static quadratic make_quadratic(int distinct) {
  quadratic q;
  for (int i = 0; i < N; i++) q.c[i] = pow(100, (i % distinct) / fmax(1, distinct - 1)), q.a[i] = i - 4.5;
  return q;
}

static nnb_status quadratic_fdf(void *user, const real *x, double *f, real *g) {
  const quadratic *q = user;
  *f = 0;
  for (int i = 0; i < N; i++) {
    double d = (double)x[i] - q->a[i];
    *f += q->c[i] * d * d / 2;
    if (g) g[i] = (real)(q->c[i] * d);
  }
  return NNB_OK;
}

/* Conjugate gradients need as many steps as there are distinct curvatures, with exact searches; so do quasi-Newton
 * methods, which end with the Hessian.  Searches are inexact here, and Møller's steps damped: some more. */
START_TEST(quadratics_take_n_steps) {
  static const int steps[N_ALGOS] = {0, 40, 5, 60, 30};
  for (int distinct = 1; distinct <= N; distinct += 3)
    for (int a = 1; a < N_ALGOS; a++) {
      quadratic q = make_quadratic(distinct);
      real x[N] = {0};
      nnb_min_opts opts = {.algo = algos[a], .gradient_tol = TOL(1e-8, 1e-3)};
      nnb_min_report report;
      ck_assert(nnb_minimize(&(nnb_fdf){.n = N, .user = &q, .eval = quadratic_fdf}, x, &opts, &report) == NNB_OK);
      ck_assert_msg(report.stop == NNB_STOP_GRADIENT && report.iterations <= distinct + steps[a],
                    "%s, %d curvatures: %lld iterations, %s", nnb_algo_name(algos[a]), distinct,
                    (long long)report.iterations, nnb_stop_text(report.stop));
      for (int i = 0; i < N; i++) ck_assert(fabs((double)x[i] - q.a[i]) < TOL(1e-7, 1e-2));
    }
}
END_TEST

/* ---- the strong Wolfe conditions -------------------------------------------------------------------------------- */

typedef struct trace {
  const mgh *p;
  double x[MGH_MOST_N], f, g[MGH_MOST_N], gtol;
  int seen, met;
} trace;

static int check_wolfe(void *user, const nnb_min_record *rec) {
  trace *t = user;
  const real *x = rec->x;
  double now[MGH_MOST_N], g[MGH_MOST_N], before = 0, after = 0;
  for (int i = 0; i < t->p->n; i++) now[i] = (double)x[i];
  double f = mgh_value(t->p, now, g);
  for (int i = 0; i < t->p->n; i++) before += t->g[i] * (now[i] - t->x[i]), after += g[i] * (now[i] - t->x[i]);
  t->seen++;                                                            /* compares φ'·a before and after */
  bool rounding = fabs(f - t->f) <= 11 * (double)REAL_EPS * fabs(t->f); /* then by slopes: Hager and Zhang */
  bool lower = rounding ? after <= (2e-4 - 1) * before : f <= t->f + 1e-4 * before * (1 - 1e-9);
  t->met += lower && fabs(after) <= t->gtol * fabs(before) * (1 + 1e-6);
  memcpy(t->x, now, sizeof now), memcpy(t->g, g, sizeof g), t->f = f;
  return 0;
}

/* Every step satisfies them to rounding; the last steps of a run are at rounding level. */
START_TEST(steps_satisfy_strong_wolfe) {
  static const double gtol[] = {0.1, 0.9, 0.9};
  for (int a = 0; a < 3; a++) {
    trace t = {.p = &mgh_problems[_i], .gtol = gtol[a]};
    real x[MGH_MOST_N];
    nnb_fdf f = problem(_i, x);
    memcpy(t.x, t.p->start, sizeof t.x);
    for (int i = 0; i < t.p->n; i++) t.x[i] = (double)x[i];
    t.f = mgh_value(t.p, t.x, t.g);
    nnb_min_opts opts = {.algo = algos[2 + a], .on_iteration = check_wolfe, .user = &t, .max_iterations = 20};
    nnb_min_report report;
    ck_assert(nnb_minimize(&f, x, &opts, &report) == NNB_OK);
    int exempt = 0;
#ifdef NNB_SINGLE
    exempt = t.seen / 2; /* x itself is rounded: slopes along the true step differ */
#endif
    ck_assert_msg(t.met + exempt >= t.seen - (report.stop == NNB_STOP_STALLED), "%s by %s: %d of %d steps", t.p->name,
                  nnb_algo_name(algos[2 + a]), t.met, t.seen);
  }
}
END_TEST

/* ---- bounds ----------------------------------------------------------------------------------------------------- */

typedef struct boxed {
  nnb_fdf inner;
  const double *lower, *upper;
} boxed;

static nnb_status boxed_fdf(void *user, const real *x, double *f, real *g) {
  const boxed *b = user;
  for (size_t i = 0; i < b->inner.n; i++) {
    ck_assert_msg(!b->lower || x[i] >= (real)b->lower[i], "x[%zu] is %g", i, (double)x[i]);
    ck_assert_msg(!b->upper || x[i] <= (real)b->upper[i], "x[%zu] is %g", i, (double)x[i]);
  }
  return b->inner.eval(b->inner.user, x, f, g);
}

static nnb_min_report within(const nnb_fdf *f, const double *lower, const double *upper, real *x) {
  boxed b = {*f, lower, upper};
  nnb_min_opts opts = {.lower = lower, .upper = upper};
  nnb_min_report report;
  ck_assert_msg(nnb_minimize(&(nnb_fdf){.n = f->n, .user = &b, .eval = boxed_fdf}, x, &opts, &report) == NNB_OK, "%s",
                nnb_errmsg());
  ck_assert_int_eq(report.algo, NNB_LBFGS);
  return report;
}

START_TEST(bounds_active_at_the_solution) {
  static const struct {
    double lower[2], upper[2], x[2], f;
  } row[] = {
      {{-HUGE_VAL, -HUGE_VAL}, {0.5, HUGE_VAL}, {0.5, 0.25}, 0.25},
      {{1.5, -HUGE_VAL}, {HUGE_VAL, HUGE_VAL}, {1.5, 2.25}, 0.25},      /* the start is outside */
      {{-HUGE_VAL, 1.5}, {HUGE_VAL, 3}, {-1.2210263, 1.5}, 4.94122932}, /* Hock and Schittkowski's 2: local */
      {{-2, -2}, {2, 2}, {1, 1}, 0},                                    /* inactive */
      {{-1.2, -5}, {-1.2, 5}, {-1.2, 1.44}, 4.84},                      /* one variable is fixed */
  };
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    real x[MGH_MOST_N];
    nnb_fdf f = problem(0, x);
    nnb_min_report report = within(&f, row[k].lower, row[k].upper, x);
    ck_assert_msg(fabs(report.value - row[k].f) < TOL(1e-6, 1e-4), "row %zu: f is %.9g, not %.9g (%s)", k, report.value,
                  row[k].f, nnb_stop_text(report.stop));
    for (int i = 0; i < 2; i++)
      ck_assert_msg(fabs((double)x[i] - row[k].x[i]) < TOL(1e-4, 3e-2), "row %zu: x%d is %.9g, not %.9g", k, i,
                    (double)x[i], row[k].x[i]);
  }
}
END_TEST

/* A separable quadratic has its minimum at a_i moved into the box. */
START_TEST(bounds_of_many_variables) {
  quadratic q = make_quadratic(N);
  nnb_fdf f = {.n = N, .user = &q, .eval = quadratic_fdf};
  nnb_rng rng;
  nnb_rng_init(&rng, 7, (uint64_t)_i);
  double lower[N], upper[N];
  real x[N];
  for (int i = 0; i < N; i++) {
    lower[i] = -4 + 3 * nnb_rng_normal(&rng), upper[i] = lower[i] + fabs(5 * nnb_rng_normal(&rng));
    x[i] = (real)nnb_rng_normal(&rng);
  }
  nnb_min_report report = within(&f, _i % 3 == 1 ? NULL : lower, _i % 3 == 2 ? NULL : upper, x);
  for (int i = 0; i < N; i++) {
    double want = q.a[i];
    if (_i % 3 != 1) want = fmax(want, lower[i]);
    if (_i % 3 != 2) want = fmin(want, upper[i]);
    ck_assert_msg(fabs((double)x[i] - want) < TOL(1e-7, 1e-2), "x%d is %g, not %g (%s)", i, (double)x[i], want,
                  nnb_stop_text(report.stop));
  }
}
END_TEST

/* ---- reasons to stop -------------------------------------------------------------------------------------------- */

static int stop_at_third(void *user, const nnb_min_record *rec) {
  *(nnb_min_record *)user = *rec;
  return rec->iteration == 3;
}

static nnb_min_report run(int k, nnb_min_opts opts, nnb_algo algo) {
  real x[MGH_MOST_N];
  nnb_fdf f = problem(k, x);
  nnb_min_report report;
  opts.algo = algo;
  ck_assert(nnb_minimize(&f, x, &opts, &report) == NNB_OK);
  return report;
}

static void expect(nnb_min_report r, nnb_stop want) {
  ck_assert_msg(r.stop == want, "%s stopped with \"%s\", not \"%s\"", nnb_algo_name(r.algo), nnb_stop_text(r.stop),
                nnb_stop_text(want));
}

START_TEST(every_reason_to_stop) {
  const nnb_algo algo = algos[_i];
  nnb_min_record rec = {0};
  enum { BEALE = 4 };
  nnb_min_report r = run(BEALE, (nnb_min_opts){.gradient_tol = 1e-2}, algo);
  expect(r, NNB_STOP_GRADIENT);
  ck_assert(r.gradient_norm <= 1e-2);
  r = run(BEALE, (nnb_min_opts){.has_target = true, .target = 1}, algo);
  expect(r, NNB_STOP_TARGET);
  ck_assert(r.value <= 1 && r.value > 1e-6);
  r = run(BEALE, (nnb_min_opts){.has_target = true, .target = 1e9}, algo);
  expect(r, NNB_STOP_TARGET);
  ck_assert(r.iterations == 0 && r.evaluations == 1);
  expect(run(BEALE, (nnb_min_opts){.change_tol = 0.5}, algo), NNB_STOP_CHANGE);
  r = run(BEALE, (nnb_min_opts){.max_iterations = 4}, algo);
  expect(r, NNB_STOP_ITERATIONS);
  ck_assert_int_eq((int)r.iterations, 4);
  r = run(BEALE, (nnb_min_opts){.max_evaluations = 6}, algo);
  expect(r, NNB_STOP_EVALUATIONS);
  ck_assert(r.evaluations >= 6 && r.evaluations <= 7);
  expect(run(BEALE, (nnb_min_opts){.max_seconds = 1e-9}, algo), NNB_STOP_SECONDS);
  r = run(BEALE, (nnb_min_opts){.on_iteration = stop_at_third, .user = &rec}, algo);
  expect(r, NNB_STOP_USER);
  ck_assert(r.iterations == 3 && rec.iteration == 3 && rec.evaluations == r.evaluations && rec.step > 0);
}
END_TEST

/* f does not change as its gradient predicts. */
static nnb_status flat_fdf(void *user, const real *x, double *f, real *g) {
  (void)user, (void)x;
  *f = 1;
  for (int i = 0; g && i < 2; i++) g[i] = 1;
  return NNB_OK;
}

START_TEST(stalls_and_patience) {
  real x[2] = {0};
  nnb_fdf f = {.n = 2, .eval = flat_fdf};
  nnb_min_report r;
  ck_assert(nnb_minimize(&f, x, &(nnb_min_opts){.algo = NNB_RPROP, .patience = 7}, &r) == NNB_OK);
  expect(r, NNB_STOP_PATIENCE);
  ck_assert(r.iterations == 7 && x[0] == 0 && x[1] == 0);
  for (int a = 0; a < N_ALGOS; a++) {
    ck_assert(nnb_minimize(&f, x, &(nnb_min_opts){.algo = algos[a]}, &r) == NNB_OK);
    expect(r, NNB_STOP_STALLED);
  }
}
END_TEST

/* ---- functions that are not defined everywhere ------------------------------------------------------------------ */

typedef struct wall {
  int kind;    /* result outside: 0: NaN, 1: infinity, 2: NNB_E_NUMERIC, 3: a NaN only in the gradient */
  int fail_at; /* the evaluation that must fail; 0: none */
  int evaluations;
} wall;

/* Σ i·x_i - log x_i, with the minimum x_i = 1/i; not defined for x_i ≤ 0. */
static nnb_status wall_fdf(void *user, const real *x, double *f, real *g) {
  wall *w = user;
  bool beyond = false;
  if (++w->evaluations == w->fail_at) return NNB_E_STATE;
  *f = 0;
  for (int i = 0; i < 4; i++) {
    beyond |= !(x[i] > 0);
    *f += (i + 1) * (double)x[i] - log((double)x[i]);
    if (g) g[i] = (real)(i + 1 - 1 / (double)x[i]);
  }
  if (!beyond) return NNB_OK;
  *f = w->kind == 1 ? -HUGE_VAL : w->kind == 3 ? -100 : (double)NAN;
  if (g && w->kind == 3) g[2] = (real)NAN;
  return w->kind == 2 ? NNB_E_NUMERIC : NNB_OK;
}

START_TEST(backs_off_from_what_is_not_finite) {
  for (int kind = 0; kind < 4; kind++) {
    wall w = {.kind = kind};
    real x[4] = {(real)0.01, 20, 3, (real)1e-4};
    nnb_min_opts opts = {.algo = algos[_i], .max_iterations = 5000, .gradient_tol = 1e-3};
    nnb_min_report r;
    ck_assert(nnb_minimize(&(nnb_fdf){.n = 4, .user = &w, .eval = wall_fdf}, x, &opts, &r) == NNB_OK);
    for (int i = 0; i < 4; i++)
      ck_assert_msg(fabs((double)x[i] * (i + 1) - 1) < 0.01, "%s, kind %d: x%d is %g after %lld iterations (%s)",
                    nnb_algo_name(algos[_i]), kind, i, (double)x[i], (long long)r.iterations, nnb_stop_text(r.stop));
    x[1] = -1;
    ck_assert_int_eq(nnb_minimize(&(nnb_fdf){.n = 4, .user = &w, .eval = wall_fdf}, x, &opts, &r), NNB_E_NUMERIC);
    ck_assert(r.stop == NNB_STOP_ERROR && strstr(nnb_errmsg(), "at the start"));
  }
}
END_TEST

START_TEST(a_failing_callback_ends_it) {
  for (int k = 1; k <= 12; k++) {
    wall w = {.fail_at = k}, again = {0};
    real x[4] = {(real)0.5, 2, 3, (real)0.3}, start[4];
    memcpy(start, x, sizeof x);
    nnb_min_report r;
    nnb_min_opts opts = {.algo = algos[_i], .gradient_tol = NNB_NONE};
    ck_assert_int_eq(nnb_minimize(&(nnb_fdf){.n = 4, .user = &w, .eval = wall_fdf}, x, &opts, &r), NNB_E_STATE);
    ck_assert(r.stop == NNB_STOP_ERROR);
    double value, before;
    wall_fdf(&again, x, &value, NULL);
    wall_fdf(&again, start, &before, NULL);
    ck_assert_msg(value <= before, "%s, evaluation %d: %g is left, %g was there", nnb_algo_name(algos[_i]), k, value,
                  before);
  }
}
END_TEST

/* ---- arguments and memory --------------------------------------------------------------------------------------- */

START_TEST(bad_options) {
  static const double one[] = {1, 1}, two[] = {2, 2}, nan_[] = {(double)NAN, 0};
  static const struct {
    nnb_min_opts opts;
    const char *word;
  } row[] = {
      {{.algo = NNB_N_ALGOS}, "algo is "},
      {{.algo = (nnb_algo)-3}, "algo is "},
      {{.algo = NNB_SGD}, "sgd"},
      {{.max_iterations = -2}, "max_iterations"},
      {{.max_evaluations = -1}, "max_evaluations"},
      {{.max_seconds = -1}, "max_seconds"},
      {{.max_seconds = (double)NAN}, "max_seconds"},
      {{.gradient_tol = -2}, "gradient_tol"},
      {{.gradient_tol = (double)NAN}, "gradient_tol"},
      {{.change_tol = -1}, "change_tol"},
      {{.has_target = true, .target = (double)NAN}, "target"},
      {{.patience = -1}, "patience"},
      {{.memory = -1}, "memory"},
      {{.algo = NNB_CG, .lower = one}, "lower is set; cg does not take this option"},
      {{.algo = NNB_BFGS, .upper = one}, "upper is set; bfgs does not take this option"},
      {{.lower = two, .upper = one}, "variable 0"},
      {{.lower = nan_}, "variable 0"},
  };
  static real many[30000];
  ck_assert_int_eq(
      nnb_minimize(&(nnb_fdf){.n = 30000, .eval = flat_fdf}, many, &(nnb_min_opts){.algo = NNB_BFGS}, NULL), NNB_E_ARG);
  ck_assert(strstr(nnb_errmsg(), "lbfgs"));
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    real x[MGH_MOST_N];
    nnb_fdf f = problem(0, x);
    nnb_min_report r;
    ck_assert_int_eq(nnb_minimize(&f, x, &row[k].opts, &r), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), row[k].word) != NULL, "row %zu: \"%s\"", k, nnb_errmsg());
    ck_assert(r.stop == NNB_STOP_ERROR && x[0] == (real)-1.2);
  }
  real x[1] = {0};
  ck_assert_int_eq(nnb_minimize(NULL, x, NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_minimize(&(nnb_fdf){.n = 1}, x, NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_minimize(&(nnb_fdf){.eval = flat_fdf}, x, NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_minimize(&(nnb_fdf){.n = 2, .eval = flat_fdf}, NULL, NULL, NULL), NNB_E_ARG);
  nnb_net *net = nnb_net_create(2);
  nnb_optim *optim = NULL;
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_assert_int_eq(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_LBFGS}, &optim), NNB_E_ARG);
  ck_assert(strstr(nnb_errmsg(), "nnb_minimize") && !optim);
  nnb_net_destroy(net);
}
END_TEST

static struct counter { int made, fail_at, alive; } counter;

static void *counting_alloc(void *user, size_t bytes) {
  (void)user;
  if (++counter.made == counter.fail_at) return NULL;
  counter.alive++;
  return malloc(bytes);
}

static void counting_release(void *user, void *p) {
  (void)user;
  counter.alive -= p != NULL;
  free(p);
}

START_TEST(every_allocation_fails_once) {
  static const double lower[] = {-5, -5};
  nnb_set_allocator(&(nnb_allocator){counting_alloc, counting_release, NULL});
  for (int k = 1;; k++) {
    real x[MGH_MOST_N];
    nnb_fdf f = problem(0, x);
    nnb_min_opts opts = {.algo = algos[_i], .max_iterations = 5, .lower = algos[_i] == NNB_LBFGS ? lower : NULL};
    counter = (struct counter){.fail_at = k};
    nnb_status status = nnb_minimize(&f, x, &opts, NULL);
    ck_assert_int_eq(counter.alive, 0);
    if (status == NNB_OK) break;
    ck_assert_int_eq(status, NNB_E_NOMEM);
  }
  int at_start = counter.made;
  counter.fail_at = 0;
  run(0, (nnb_min_opts){.max_iterations = 50}, algos[_i]);
  ck_assert_msg(counter.made == 2 * at_start, "%d allocations, then %d", at_start, counter.made - at_start);
  nnb_set_allocator(NULL);
}
END_TEST

/* Rosenbrock's function in small units, whose whole gradient is below the default tolerance. */
static nnb_status small_units(void *user, const real *x, double *f, real *g) {
  const double unit = *(const double *)user;
  nnb_status status = mgh_fdf((void *)&mgh_problems[0], x, f, g);
  *f *= unit;
  for (int i = 0; g && i < 2; i++) g[i] = (real)((double)g[i] * unit);
  return status;
}

START_TEST(defaults_do_not_depend_on_units) {
  double units[] = {1, 1e-4, 1e-8, 1e-12};
  for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
    real x[] = {(real)-1.2, 1};
    nnb_min_report report;
    nnb_fdf f = {.n = 2, .user = &units[k], .eval = small_units};
    ck_assert_int_eq(nnb_minimize(&f, x, &(nnb_min_opts){.algo = algos[_i]}, &report), NNB_OK);
    ck_assert_msg(report.value <= 1e-2 * units[k], "%s in units of %g: f = %g (%s)", nnb_algo_name(algos[_i]), units[k],
                  report.value, nnb_stop_text(report.stop));
  }
}
END_TEST

START_TEST(runs_are_repeatable) {
  nnb_min_report a = run(13, (nnb_min_opts){.max_iterations = 100}, algos[_i]);
  nnb_min_report b = run(13, (nnb_min_opts){.max_iterations = 100}, algos[_i]);
  ck_assert(a.value == b.value && a.evaluations == b.evaluations && a.gradient_norm == b.gradient_norm);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("minimize, " PRECISION);
  TCase *tc = tcase_create("minimize");
  tcase_add_loop_test(tc, jacobians_are_slopes, 0, MGH_PROBLEMS);
  tcase_add_loop_test(tc, known_minima, 0, MGH_PROBLEMS);
  tcase_add_test(tc, quadratics_take_n_steps);
  tcase_add_loop_test(tc, steps_satisfy_strong_wolfe, 0, MGH_PROBLEMS);
  tcase_add_test(tc, bounds_active_at_the_solution);
  tcase_add_loop_test(tc, bounds_of_many_variables, 0, 30);
  tcase_add_loop_test(tc, every_reason_to_stop, 0, N_ALGOS);
  tcase_add_test(tc, stalls_and_patience);
  tcase_add_loop_test(tc, backs_off_from_what_is_not_finite, 0, N_ALGOS);
  tcase_add_loop_test(tc, a_failing_callback_ends_it, 0, N_ALGOS);
  tcase_add_test(tc, bad_options);
  tcase_add_loop_test(tc, every_allocation_fails_once, 0, N_ALGOS);
  tcase_add_loop_test(tc, defaults_do_not_depend_on_units, 0, N_ALGOS);
  tcase_add_loop_test(tc, runs_are_repeatable, 0, N_ALGOS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
