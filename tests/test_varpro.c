/* Variable projection: NIST's sets with their linear parameters, nets against lm, and failures. */
#include "toys.h"

#ifndef NNB_SINGLE
#include "nist.h"
#endif

/* ---- NIST ------------------------------------------------------------------------------------------------------- */

#ifndef NNB_SINGLE
/* The parameters in which a model is jointly linear, as digits. */
static const struct {
  const char *model, *linear;
} linear_of[] = {{"Misra1a", "0"},    {"Misra1b", "0"},    {"Misra1c", "0"},  {"Misra1d", "0"},    {"Lanczos1", "024"},
                 {"Lanczos2", "024"}, {"Lanczos3", "024"}, {"Gauss1", "025"}, {"Gauss2", "025"},   {"Gauss3", "025"},
                 {"DanWood", "0"},    {"Kirby2", "012"},   {"Hahn1", "0123"}, {"Nelson", "01"},    {"MGH17", "012"},
                 {"Roszman1", "01"},  {"ENSO", "0124578"}, {"MGH09", "0"},    {"Thurber", "0123"}, {"BoxBOD", "0"},
                 {"Rat42", "0"},      {"MGH10", "0"},      {"Eckerle4", "0"}, {"Rat43", "0"},      {"Bennett5", "0"}};
enum { N_LINEAR = sizeof linear_of / sizeof *linear_of };

static nnb_status nist_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  for (int i = 0; i < k; i++) r[i] = nist_residual(user, x, (int)row0 + i, J ? J + i * ldj : NULL);
  return NNB_OK;
}

static const nist_set *find_set(const char *name) {
  for (int i = 0; i < NIST_SETS; i++)
    if (strcmp(nist_sets[i].name, name) == 0) return &nist_sets[i];
  ck_abort_msg("no set %s", name);
}

static void swap(real *a, real *b) {
  real old = *a;
  *a = *b, *b = old;
}

/* The two exponentials of MGH17 may be exchanged; the curve is the same. */
static void order(const char *name, real *x) {
  if (strcmp(name, "MGH17") == 0 && x[1] < x[2]) swap(&x[1], &x[2]), swap(&x[3], &x[4]);
}

START_TEST(reaches_certified_parameters) {
  static nist_data d;
  const char *name = linear_of[_i / 2].model;
  bool linear[NIST_MOST_N] = {false};
  ck_assert(nist_read(NIST_DATA, find_set(name), &d));
  for (const char *c = linear_of[_i / 2].linear; *c; c++) linear[*c - '0'] = true;
  real x[NIST_MOST_N];
  nnb_min_report report;
  nnb_lsq lsq = {.m = (size_t)d.m, .n = (size_t)d.n, .user = &d, .rows = nist_rows, .linear = linear};
  for (int j = 0; j < d.n; j++) x[j] = d.start[_i % 2][j];
  nnb_min_opts opts = {.algo = NNB_VARPRO, .gradient_tol = NNB_NONE, .max_iterations = 5000};
  ck_ok(nnb_least_squares(&lsq, x, &opts, &report));
  if (getenv("NNB_TEST_TABLE"))
    printf("%-9s start %d: %4d iterations, %5d evaluations (%s)\n", name, _i % 2 + 1, (int)report.iterations,
           (int)report.evaluations, nnb_stop_text(report.stop));
  order(name, x);
  for (int j = 0; j < d.n; j++)
    ck_assert_msg(fabs(x[j] - d.certified[j]) <= 1e-6 * fabs(d.certified[j]),
                  "%s from start %d: parameter %d is %.10g, certified %.10g (%s)", name, _i % 2 + 1, j + 1, x[j],
                  d.certified[j], nnb_stop_text(report.stop));
}
END_TEST
#endif

/* ---- a curve: r_i = c0·e^(a·t_i) + c1·t_i - y_i -------------------------------------------------------------------
 */

enum { M = 40 };
typedef struct curve {
  int calls, nan_from, nan_calls, fail_at;
  bool nan_in_j; /* only derivatives are NaN */
} curve;

static nnb_status curve_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  curve *c = user;
  c->calls++;
  if (c->calls == c->fail_at) return NNB_E_IO;
  bool bad = c->nan_from && c->calls >= c->nan_from && c->calls < c->nan_from + c->nan_calls;
  for (int i = 0; i < k; i++) {
    double t = (double)(row0 + (size_t)i) / M, y = 3 * exp(0.5 * t) - 2 * t, e = exp((double)x[1] * t);
    r[i] = bad && !c->nan_in_j ? (real)NAN : (real)((double)x[0] * e + (double)x[2] * t - y);
    if (!J) continue;
    J[i * ldj] = (real)e, J[i * ldj + 1] = bad ? (real)NAN : (real)((double)x[0] * t * e), J[i * ldj + 2] = (real)t;
  }
  return NNB_OK;
}

static const bool curve_linear[3] = {true, false, true};

static nnb_lsq curve_problem(curve *c) {
  return (nnb_lsq){.m = M, .n = 3, .user = c, .rows = curve_rows, .linear = curve_linear};
}

static double curve_value(const real *x) {
  curve c = {0};
  real r[M];
  double sum = 0;
  curve_rows(&c, x, 0, M, r, NULL, 0);
  for (int i = 0; i < M; i++) sum += (double)r[i] * (double)r[i] / 2;
  return sum;
}

static void start_curve(real *x) { x[0] = 1, x[1] = 2, x[2] = 1; }

static void ck_near_curve(const real *x) {
  ck_assert_msg(fabs((double)x[0] - 3) < TOL(1e-7, 0.1) && fabs((double)x[1] - 0.5) < TOL(1e-7, 0.1) &&
                    fabs((double)x[2] + 2) < TOL(1e-7, 0.3),
                "x is %.12g, %.12g, %.12g; wanted 3, 0.5, -2", (double)x[0], (double)x[1], (double)x[2]);
}

/* ---- what NNB_AUTO does ----------------------------------------------------------------------------------------- */

/* Two Gaussians on a baseline: a1·e^(-z1²/2) + a2·e^(-z2²/2) + b, z = (t - m)/s; x: a1, m1, s1, a2, m2, s2, b. */
enum { PEAKS_M = 100, PEAKS_N = 7, PEAKS_STARTS = 20 };
static nnb_status peaks_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const double *y = user;
  for (int i = 0; i < k; i++) {
    double t = 10.0 * (double)(row0 + (size_t)i) / (PEAKS_M - 1), sum = (double)x[6] - y[row0 + (size_t)i];
    for (int j = 0; j < 6; j += 3) {
      double s = (double)x[j + 2], z = (t - (double)x[j + 1]) / s, e = exp(-z * z / 2), a = (double)x[j];
      sum += a * e;
      if (J) J[i * ldj + j] = (real)e, J[i * ldj + j + 1] = (real)(a * e * z / s);
      if (J) J[i * ldj + j + 2] = (real)(a * e * z * z / s);
    }
    r[i] = (real)sum;
    if (J) J[i * ldj + 6] = 1;
  }
  return NNB_OK;
}

static double fit_peaks(double *y, nnb_algo algo, int start, nnb_min_report *report) {
  static const bool linear[PEAKS_N] = {true, false, false, true, false, false, true};
  nnb_lsq lsq = {.m = PEAKS_M, .n = PEAKS_N, .user = y, .rows = peaks_rows, .linear = linear};
  real x[PEAKS_N] = {0};
  nnb_rng rng;
  nnb_rng_init(&rng, 11, (uint64_t)start);
  for (int j = 0; j < 6; j += 3) {
    x[j] = (real)(0.5 + nnb_rng_uniform(&rng)), x[j + 1] = (real)(1 + 8 * nnb_rng_uniform(&rng));
    x[j + 2] = (real)(0.3 + 1.7 * nnb_rng_uniform(&rng));
  }
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = algo, .max_iterations = 3000}, report));
  return report->value;
}

/* The lowest minimum of 20 starts: NNB_AUTO reaches it whenever one of the two does, and from more starts than
 * either. */
START_TEST(auto_is_the_better_of_both) {
  double y[PEAKS_M], f[3][PEAKS_STARTS], least = HUGE_VAL;
  int reached[3] = {0};
  static const nnb_algo algos[3] = {NNB_LM, NNB_VARPRO, NNB_AUTO};
  nnb_rng rng;
  nnb_rng_init(&rng, 7, 0);
  for (int i = 0; i < PEAKS_M; i++) {
    double t = 10.0 * i / (PEAKS_M - 1), z1 = (t - 3.5) / 0.8, z2 = (t - 6.5) / 1.2;
    y[i] = 1.5 * exp(-z1 * z1 / 2) + 0.8 * exp(-z2 * z2 / 2) + 0.3 + 0.02 * nnb_rng_normal(&rng);
  }
  for (int k = 0; k < 3; k++)
    for (int s = 0; s < PEAKS_STARTS; s++) {
      nnb_min_report report;
      f[k][s] = fit_peaks(y, algos[k], s, &report);
      least = fmin(least, f[k][s]);
    }
  for (int k = 0; k < 3; k++)
    for (int s = 0; s < PEAKS_STARTS; s++) reached[k] += f[k][s] <= 1.001 * least;
  if (getenv("NNB_TEST_TABLE"))
    printf("two Gaussians: of %d starts lm reaches the minimum from %d, varpro from %d, auto from %d\n", PEAKS_STARTS,
           reached[0], reached[1], reached[2]);
  for (int s = 0; s < PEAKS_STARTS; s++)
    ck_assert_msg(f[2][s] <= 1.001 * fmin(f[0][s], f[1][s]), "start %d: auto %g, lm %g, varpro %g", s, f[2][s], f[0][s],
                  f[1][s]);
  ck_assert(reached[2] >= reached[0] && reached[2] >= reached[1] && reached[2] > 0);
}
END_TEST

START_TEST(needs_few_steps) {
  curve c = {0};
  nnb_lsq lsq = curve_problem(&c);
  real x[3];
  nnb_min_report report;
  start_curve(x);
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = NNB_VARPRO}, &report));
  ck_near_curve(x);
  ck_assert(report.iterations <= 12 && report.evaluations == c.calls);
  ck_assert_double_eq_tol(report.value, curve_value(x), 1e-12);
  double from = report.start_value;
  start_curve(x);
  ck_assert_double_eq_tol(from, curve_value(x), TOL(1e-12, 1e-4) * from);
}
END_TEST

/* The nonlinear part is NaN. */
static nnb_status curve_linear_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  nnb_status status = curve_rows(user, x, row0, k, r, J, ldj);
  ck_assert(J != NULL);
  for (int i = 0; i < k; i++) J[i * ldj + 1] = (real)NAN;
  return status;
}

static nnb_status no_linear_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user, (void)x, (void)row0, (void)k, (void)r, (void)J, (void)ldj;
  return NNB_E_IO;
}

START_TEST(linear_rows_are_enough_for_linear_variables) {
  curve c = {0}, d = {0};
  nnb_lsq lsq = curve_problem(&c), other = curve_problem(&d);
  real x[3], y[3];
  nnb_min_report report, same;
  start_curve(x), start_curve(y);
  other.linear_rows = curve_linear_rows;
  ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
  ck_ok(nnb_least_squares(&other, y, NULL, &same));
  ck_assert_msg(memcmp(x, y, sizeof x) == 0, "%.17g, %.17g, %.17g, not %.17g, %.17g, %.17g", (double)y[0], (double)y[1],
                (double)y[2], (double)x[0], (double)x[1], (double)x[2]);
  ck_assert(report.iterations == same.iterations && report.evaluations == same.evaluations && c.calls == d.calls);
  other.linear_rows = no_linear_rows;
  start_curve(y);
  ck_assert_int_eq(nnb_least_squares(&other, y, NULL, &same), NNB_E_IO);
  ck_assert_msg(strstr(nnb_errmsg(), "linear_rows returned -7") != NULL, "%s", nnb_errmsg());
}
END_TEST

START_TEST(steps_over_nan) {
  for (int from = 8; from < 30; from++)
    for (int in_j = 0; in_j < 2; in_j++) {
      curve c = {.nan_from = from, .nan_calls = in_j ? 1 : 1 + from % 3, .nan_in_j = in_j};
      nnb_lsq lsq = curve_problem(&c);
      real x[3];
      start_curve(x);
      nnb_status status = nnb_least_squares(&lsq, x, NULL, NULL);
      ck_assert_msg(status == NNB_OK || status == NNB_E_NUMERIC, "%s", nnb_errmsg());
      if (!status) ck_near_curve(x);
      ck_assert(isfinite(curve_value(x)));
    }
  curve c = {.nan_from = 1, .nan_calls = 1000};
  nnb_lsq lsq = curve_problem(&c);
  real x[3];
  start_curve(x);
  ck_assert_int_eq(nnb_least_squares(&lsq, x, NULL, NULL), NNB_E_NUMERIC);
  ck_assert(x[0] == 1 && x[1] == 2 && x[2] == 1);
}
END_TEST

/* r_i = c0 + c1·(1 + e^(-a·t_i)) - y_i: for a large a the columns of c are dependent, so c is then found by QR. */
typedef struct fading {
  double scale; /* of y */
  int calls;
  double a[64]; /* where all residuals were wanted */
} fading;

static nnb_status fading_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  static const double y[] = {1.3, -0.1, 0.34, 0.36, 0.38, 0.4};
  fading *f = user;
  if (f->calls < 64) f->a[f->calls++] = (double)x[2];
  for (int i = 0; i < k; i++) {
    const double t = (double)row0 + i + 1, e = exp(-(double)x[2] * t);
    r[i] = (real)((double)x[0] + (double)x[1] * (1 + e) - f->scale * y[row0 + (size_t)i]);
    if (!J) continue;
    J[i * ldj] = 1, J[i * ldj + 1] = (real)(1 + e), J[i * ldj + 2] = (real)(-(double)x[1] * t * e);
  }
  return NNB_OK;
}

/* A trial that needs QR and is rejected leaves the model as it is: the next steps from there are shorter, and do not
 * depend on the unit of the residuals. */
START_TEST(a_rejected_trial_leaves_the_model) {
  static const bool linear[] = {true, true, false};
  fading f[2] = {{.scale = 1}, {.scale = 1024}};
  for (int k = 0; k < 2; k++) {
    nnb_lsq lsq = {.m = 6, .n = 3, .user = &f[k], .rows = fading_rows, .linear = linear};
    real x[] = {0, 0, 6};
    nnb_status status = nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = NNB_VARPRO, .max_evaluations = 24}, NULL);
    ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  }
  double before = 0;
  int trials = 0;
  for (int i = 0; i < f[0].calls && i < f[1].calls; i++) {
    const double step = fabs(f[0].a[i] - 6);
    if (step == before || step == 0) continue;
    if (trials++ > 0) {
      ck_assert_msg(step < before, "trial %d: a = %g, after one at a distance of %g", trials, f[0].a[i], before);
      ck_assert_msg(fabs(f[1].a[i] - f[0].a[i]) <= TOL(1e-6, 1e-2) * fabs(f[0].a[i]),
                    "trial %d: a = %g, with a unit %g", trials, f[0].a[i], f[1].a[i]);
    }
    before = step;
    if (trials == 4) break;
  }
  ck_assert_int_eq(trials, 4);
}
END_TEST

typedef struct watch {
  int stop_at;
  real x[3];
  double value;
} watch;

static int look(void *user, const nnb_min_record *record) {
  watch *w = user;
  memcpy(w->x, record->x, sizeof w->x);
  w->value = record->value;
  return record->iteration == w->stop_at;
}

/* Whatever ends it, x is the last point that a record showed, and lower than the start. */
START_TEST(keeps_the_best_point) {
  for (int at = 1; at < 6; at++) {
    watch w = {.stop_at = at};
    curve c = {0};
    nnb_lsq lsq = curve_problem(&c);
    real x[3];
    nnb_min_report report;
    start_curve(x);
    ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.on_iteration = look, .user = &w, .gradient_tol = NNB_NONE},
                            &report));
    if (report.stop != NNB_STOP_USER) break;
    ck_assert(memcmp(x, w.x, sizeof x) == 0 && report.iterations == at && report.value == w.value);
    ck_assert_double_eq_tol(w.value, curve_value(x), TOL(1e-12, 1e-5));
  }
  for (int at = 1; at < 25; at++) {
    watch w = {0};
    curve c = {.fail_at = at};
    nnb_lsq lsq = curve_problem(&c);
    real x[3];
    nnb_min_report report;
    start_curve(x);
    memcpy(w.x, x, sizeof x);
    nnb_status status = nnb_least_squares(
        &lsq, x, &(nnb_min_opts){.on_iteration = look, .user = &w, .gradient_tol = NNB_NONE}, &report);
    if (c.calls < at) break;
    ck_assert_msg(status == NNB_E_IO && report.stop == NNB_STOP_ERROR, "call %d: %s", at, nnb_strstatus(status));
    ck_assert_msg(memcmp(x, w.x, sizeof x) == 0, "call %d: x is not that of the last record", at);
  }
}
END_TEST

START_TEST(limits_and_targets) {
  curve c = {0};
  nnb_lsq lsq = curve_problem(&c);
  real x[3];
  nnb_min_report report;
  start_curve(x);
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_iterations = 1}, &report));
  ck_assert(report.stop == NNB_STOP_ITERATIONS && report.iterations == 1 && x[1] == 2); /* c is solved for first */
  start_curve(x);
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.has_target = true, .target = 1e6}, &report));
  ck_assert(report.stop == NNB_STOP_TARGET && report.iterations == 0 && x[0] == 1);
  const bool none[3] = {false};
  lsq.linear = none;
  ck_assert_int_eq(nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = NNB_VARPRO}, &report), NNB_E_ARG);
  ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
  ck_assert_int_eq(report.algo, NNB_LM);
  lsq.linear = NULL;
  ck_assert_int_eq(nnb_least_squares(&lsq, x, &(nnb_min_opts){.algo = NNB_VARPRO}, &report), NNB_E_ARG);
  lsq.linear = curve_linear;
  ck_assert_int_eq(nnb_least_squares(&lsq, x, &(nnb_min_opts){.max_bytes = 100}, &report), NNB_E_OVERFLOW);
  static const double wrong[] = {-1e-12, HUGE_VAL, (double)NAN};
  for (int k = 0; k < 3; k++) {
    lsq.linear_ridge = wrong[k];
    ck_assert_int_eq(nnb_least_squares(&lsq, x, NULL, &report), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), "linear_ridge"), "%g: %s", wrong[k], nnb_errmsg());
  }
}
END_TEST

/* ---- all variables linear ---------------------------------------------------------------------------------------- */

static nnb_status line_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user;
  for (int i = 0; i < k; i++) {
    double t = (double)row0 + i;
    r[i] = (real)((double)x[0] + (double)x[1] * t / 100 + (double)x[2] * t / 100 - sin(t / 50));
    if (J) J[i * ldj] = 1, J[i * ldj + 1] = J[i * ldj + 2] = (real)(t / 100);
  }
  return NNB_OK;
}

/* Equal columns, with and without a ridge, which makes their variables equal. */
START_TEST(nothing_but_linear) {
  const bool linear[3] = {true, true, true};
  const double ridge[3] = {0, 1e-3, 1e-3};
  for (int ridged = 0; ridged < 2; ridged++) {
    nnb_lsq lsq = {.m = 300, .n = 3, .rows = line_rows, .linear = linear, .ridge = ridged ? ridge : NULL};
    real x[3] = {5, 3, 1};
    nnb_min_report report;
    ck_ok(nnb_least_squares(&lsq, x, NULL, &report));
    double g[3] = {0};
    for (int i = 0; i < 300; i++) {
      double t = i / 100.0, r = (double)x[0] + ((double)x[1] + (double)x[2]) * t - sin(i / 50.0);
      g[0] += r, g[1] += r * t, g[2] += r * t;
    }
    for (int j = 0; ridged && j < 3; j++) g[j] += ridge[j] * (double)x[j];
    for (int j = 0; j < 3; j++) ck_assert_msg(fabs(g[j]) < TOL(1e-9, 2e-2), "∂f/∂x_%d is %g", j, g[j]);
    if (ridged) ck_assert_double_eq_tol((double)x[1], (double)x[2], TOL(1e-6, 1e-2));
    ck_assert(report.iterations <= 10);
  }
}
END_TEST

/* ---- nets ------------------------------------------------------------------------------------------------------- */

static nnb_net *make_net(const char *text, uint64_t seed) {
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_loss(net, NNB_MSE));
  ck_ok(nnb_net_init(net, seed));
  return net;
}

/* y is even and the features are odd: solved for, their weights are 0, and there is no slope to follow. */
START_TEST(even_functions_are_no_trap) {
  enum { N = 41 };
  real x[N], t[N];
  for (int i = 0; i < N; i++) x[i] = (real)(i - N / 2) / (N / 2), t[i] = x[i] * x[i] + (_i ? (real)0.01 * x[i] : 0);
  nnb_data *data = NULL;
  nnb_batch rows = {.x = nnb_cview(x, N, 1), .t = nnb_cview(t, N, 1)};
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  for (uint64_t seed = 1; seed <= 5; seed++) {
    nnb_net *net = make_net("1-6:tanh-1", seed);
    nnb_report report;
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_VARPRO, .max_epochs = 500}, &report));
    ck_assert_msg(report.loss < TOL(1e-8, 1e-4), "seed %d: loss %g after %d epochs (%s)", (int)seed, report.loss,
                  (int)report.epochs, nnb_stop_text(report.stop));
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* With a decay the minimum is unique in value: lm and varpro agree, and the slope is 0 there. */
START_TEST(the_minimum_is_that_of_lm) {
  static const char *const texts[] = {"4-3:tanh-1", "4-3:tanh-3", "4-2:sigmoid-2"};
  const char *text = texts[_i];
  nnb_data *data = toy_regression(60, 4, text[strlen(text) - 1] - '0');
  double loss[2] = {HUGE_VAL, HUGE_VAL};
  for (int k = 0; k < 2; k++)
    for (uint64_t seed = 1; seed <= 4; seed++) {
      nnb_net *net = make_net(text, seed);
      nnb_report report;
      nnb_fit_opts opts = {.algo = k ? NNB_VARPRO : NNB_LM, .l2 = 0.01, .max_epochs = 2000, .chunk = 13};
      ck_ok(nnb_fit(net, data, NULL, &opts, &report));
      ck_assert_int_eq(report.algo, opts.algo);
      double norm = 0;
      nnb_cmat W;
      for (int node = 2; node <= nnb_net_n_nodes(net); node++) {
        ck_ok(nnb_net_weights(net, node, &W));
        for (int i = 0; i < W.rows * W.cols; i++) norm += (double)W.p[i] * (double)W.p[i];
      }
      loss[k] = fmin(loss[k], report.loss + 0.005 * norm);
      nnb_net_destroy(net);
    }
  ck_assert_msg(fabs(loss[0] - loss[1]) <= TOL(1e-9, 1e-4) * loss[0], "%s: lm %.12g, varpro %.12g", text, loss[0],
                loss[1]);
  nnb_data_destroy(data);
}
END_TEST

/* The first epoch is nnb_solve_output, except for a ridge of at most a tenth of the loss. */
START_TEST(begins_with_the_output_layer) {
  nnb_data *data = toy_regression(60, 4, 2);
  nnb_net *net = make_net("4-5:tanh-2", 3), *solved = make_net("4-5:tanh-2", 3);
  nnb_report report;
  nnb_metrics least;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_VARPRO, .max_epochs = 1}, &report));
  ck_ok(nnb_solve_output(solved, data, 0));
  ck_ok(nnb_evaluate(solved, data, &least));
  ck_assert_msg(report.loss >= least.loss * (1 - 1e-5) && report.loss <= 1.1 * least.loss, "loss %g, solved %g",
                report.loss, least.loss);
  nnb_net_destroy(net), nnb_net_destroy(solved);
  nnb_data_destroy(data);
}
END_TEST

static nnb_algo chosen(const char *text, nnb_loss loss, const nnb_data *data, nnb_fit_opts opts) {
  nnb_net *net = NULL;
  nnb_report report;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_loss(net, loss));
  opts.max_epochs = 2;
  ck_ok(nnb_fit(net, data, NULL, &opts, &report));
  nnb_net_destroy(net);
  return report.algo;
}

START_TEST(what_auto_picks) {
  nnb_data *flow = toy_regression(60, 4, 2), *kinds = toy_classes(60, 4, 2);
  const nnb_fit_opts none = {0};
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-2", NNB_SSE, flow, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-5:tanh-2:tanh", NNB_HALF_SSE, flow, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, (nnb_fit_opts){.l2 = 0.1}), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MAE, flow, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, kinds, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-300:tanh-2", NNB_MSE, flow, none), NNB_LBFGS);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, (nnb_fit_opts){.batch = 8}), NNB_ADAM);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, (nnb_fit_opts){.batch = NNB_FULL_BATCH}), NNB_ADAM);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, (nnb_fit_opts){.lr = 0.01}), NNB_ADAM);
  ck_assert_int_eq(chosen("4-5:tanh-2", NNB_MSE, flow, (nnb_fit_opts){.ema = 0.9}), NNB_ADAM);
  nnb_net *net = make_net("4-5:tanh-2:tanh", 1);
  nnb_status status = nnb_fit(net, flow, NULL, &(nnb_fit_opts){.algo = NNB_VARPRO}, NULL);
  ck_assert_msg(status == NNB_E_UNSUPPORTED && strstr(nnb_errmsg(), "lm"), "%s", nnb_errmsg());
  const nnb_fit_opts of_kfac[] = {{.damping = 1}, {.invert_every = 5}, {.data_fisher = true}};
  for (int k = 0; k < 3; k++) {
    status = nnb_fit(net, flow, NULL, &of_kfac[k], NULL);
    ck_assert_msg(status == NNB_E_ARG && strstr(nnb_errmsg(), "which is for kfac"), "%d: %s", k, nnb_errmsg());
  }
  nnb_net_destroy(net);
  nnb_data_destroy(flow), nnb_data_destroy(kinds);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("varpro, " PRECISION);
  TCase *tc = tcase_create("varpro");
#ifndef NNB_SINGLE
  tcase_add_loop_test(tc, reaches_certified_parameters, 0, 2 * N_LINEAR);
#endif
  tcase_add_test(tc, auto_is_the_better_of_both);
  tcase_add_test(tc, needs_few_steps);
  tcase_add_test(tc, linear_rows_are_enough_for_linear_variables);
  tcase_add_test(tc, steps_over_nan);
  tcase_add_test(tc, a_rejected_trial_leaves_the_model);
  tcase_add_test(tc, keeps_the_best_point);
  tcase_add_test(tc, limits_and_targets);
  tcase_add_test(tc, nothing_but_linear);
  tcase_add_loop_test(tc, the_minimum_is_that_of_lm, 0, 3);
  tcase_add_loop_test(tc, even_functions_are_no_trap, 0, 2);
  tcase_add_test(tc, begins_with_the_output_layer);
  tcase_add_test(tc, what_auto_picks);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
