/* Bayesian regularisation and error bars: linear models against the closed form, nets against known data. */
#include <math.h>

#include "heap.h"
#include "linear_models.h"
#include "toys.h"

#define ck_near(what, got, want, tol)                                                                                \
  ck_assert_msg(fabs((double)(got) - (want)) <= (tol) * (1e-3 + fabs(want)), "case %d, %s: %.12g, wanted %.12g", _i, \
                what, (double)(got), (double)(want))

/* ---- linear models: the closed form ----------------------------------------------------------------------------- */

static nnb_report fit(nnb_net *net, const nnb_data *data, const nnb_data *val, nnb_fit_opts opts) {
  nnb_report r;
  opts.bayes = true;
  ck_ok(nnb_fit(net, data, val, &opts, &r));
  return r;
}

START_TEST(linear_models_as_in_the_closed_form) {
  static setting s;
  setting_make(&s, _i);
  maximise_evidence(&s.ref);
  nnb_report r = fit(s.net, s.data, NULL, (nnb_fit_opts){.max_epochs = 200});
  ck_assert_int_eq(r.algo, NNB_LM);
  ck_assert_msg(r.stop == NNB_STOP_CHANGE || r.stop == NNB_STOP_STALLED || r.stop == NNB_STOP_GRADIENT, "%s",
                nnb_stop_text(r.stop));
  ck_near("alpha", r.evidence.alpha, s.ref.alpha, TOL(1e-8, 1e-3));
  ck_near("beta", r.evidence.beta, s.ref.beta, TOL(1e-8, 1e-3));
  ck_near("gamma", r.evidence.gamma, s.ref.gamma, TOL(1e-8, 1e-3));
  ck_near("log evidence", r.evidence.log_evidence, s.ref.log_evidence, TOL(1e-10, 1e-4));
  for (int j = 0; j < s.ref.p; j++) ck_near("a parameter", nnb_net_params(s.net)[j], s.ref.w[j], TOL(1e-7, 1e-3));
  setting_end(&s);
}
END_TEST

START_TEST(linear_models_have_the_most_evidence) {
  static setting s;
  setting_make(&s, _i);
  search_evidence(&s.ref);
  nnb_report r = fit(s.net, s.data, NULL, (nnb_fit_opts){0});
  ck_near("alpha", r.evidence.alpha, s.ref.alpha, TOL(1e-6, 1e-3));
  ck_near("beta", r.evidence.beta, s.ref.beta, TOL(1e-6, 1e-3));
  ck_near("log evidence", r.evidence.log_evidence, s.ref.log_evidence, TOL(1e-10, 1e-4));
  ck_assert_msg(r.epochs <= 12, "case %d: %d epochs, wanted at most 12", _i, r.epochs);
  setting_end(&s);
}
END_TEST

/* ---- error bars of linear models -------------------------------------------------------------------------------- */

/* φᵀ(βAᵀA + αI)⁻¹φ for row i and column j, in scaled units. */
static double variance(const setting *s, const real *x, int j) {
  double phi[MOST_P] = {0}, sum = 0;
  for (int k = 0; k < I; k++) phi[k * s->o + j] = (double)x[k];
  if (s->ref.p == (I + 1) * s->o) phi[I * s->o + j] = 1;
  for (int a = 0; a < s->ref.p; a++)
    for (int b = 0; b < s->ref.p; b++) sum += phi[a] * s->ref.inverse[a][b] * phi[b];
  return sum;
}

enum { MANY = 200 }; /* rows, for several blocks */

static void check_bars(int _i, setting *s, nnb_error_bars *bars) {
  static real x[MANY * I], y[MANY * MOST_O], want[MANY * MOST_O], sd[MANY * MOST_O], sd_new[MANY * MOST_O];
  toy_fill(x, MANY * I, 9);
  nnb_cmat in = nnb_cview(x, MANY, I);
  ck_ok(nnb_error_bars_predict(bars, in, nnb_view(y, MANY, s->o), nnb_view(sd, MANY, s->o),
                               nnb_view(sd_new, MANY, s->o)));
  ck_ok(nnb_net_predict(s->net, in, nnb_view(want, MANY, s->o)));
  for (int k = 0; k < MANY * s->o; k++) {
    int j = k % s->o;
    double var = variance(s, x + k / s->o * I, j), f2 = s->factor[j] * s->factor[j];
    ck_near("a prediction", y[k], (double)want[k], TOL(1e-12, 1e-3)); /* sums of numbers near 1, in another order */
    ck_near("a deviation", sd[k], sqrt(var / f2), TOL(1e-7, 1e-3));
    ck_near("a deviation with noise", sd_new[k], sqrt((var + 1 / s->ref.beta) / f2), TOL(1e-7, 1e-3));
  }
}

START_TEST(error_bars_as_in_the_closed_form) {
  static setting s;
  nnb_error_bars *bars, *copy;
  setting_make(&s, _i);
  s.ref.alpha = 2.5, s.ref.beta = 7;
  posterior(&s.ref);
  nnb_error_bars_opts opts = {.evidence = {.alpha = 2.5, .beta = 7}};
  ck_ok(nnb_error_bars_create(s.net, s.data, &opts, &bars));
  ck_ok(nnb_error_bars_copy(bars, &copy));
  check_bars(_i, &s, bars);
  nnb_error_bars_destroy(bars);
  check_bars(_i, &s, copy);
  nnb_error_bars_destroy(copy);
  setting_end(&s);
}
END_TEST

/* No decay, noise unknown: least squares, s² = Σr²/(N - P), s²(AᵀA)⁻¹. */
START_TEST(error_bars_of_least_squares) {
  static setting s;
  nnb_error_bars *bars;
  double of_w;
  setting_make(&s, _i);
  s.ref.alpha = 0, s.ref.beta = 1;
  posterior(&s.ref);
  s.ref.beta = (s.ref.m - s.ref.p) / squares(&s.ref, &of_w);
  posterior(&s.ref);
  ck_ok(nnb_fit(s.net, s.data, NULL, &(nnb_fit_opts){.algo = NNB_LM}, NULL));
  ck_ok(nnb_error_bars_create(s.net, s.data, NULL, &bars));
  check_bars(_i, &s, bars);
  nnb_error_bars_destroy(bars);
  setting_end(&s);
}
END_TEST

/* ---- nets -------------------------------------------------------------------------------------------------------- */

enum { MOST = 400 };

static double sine(double x) { return sin(2 * x) + 0.3 * x; }

static nnb_data *noisy_sine(int n, double noise, uint64_t stream) {
  static real x[MOST], t[MOST];
  nnb_data *data = NULL;
  nnb_rng rng;
  nnb_rng_init(&rng, 21, stream);
  for (int i = 0; i < n; i++) {
    double at = 6 * nnb_rng_uniform(&rng) - 3;
    x[i] = (real)at, t[i] = (real)(sine(at) + noise * nnb_rng_normal(&rng));
  }
  nnb_batch rows = {.x = nnb_cview(x, n, 1), .t = nnb_cview(t, n, 1)};
  ck_ok(nnb_data_copy(&rows, 0, &data));
  return data;
}

static nnb_net *tanh_net(const nnb_data *data, int hidden, uint64_t seed) {
  nnb_net *net = nnb_net_create(1);
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  nnb_net_dense(net, hidden, NNB_TANH);
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_ok(nnb_net_init(net, seed));
  return net;
}

static double rmse(nnb_net *net, const nnb_data *data) {
  nnb_metrics m;
  ck_ok(nnb_evaluate(net, data, &m));
  return m.rmse;
}

/* The share of rows whose target is within `times` sd_new of the prediction. */
static double coverage(nnb_error_bars *bars, const nnb_data *data, double times) {
  real y[MOST], sd_new[MOST];
  nnb_batch rows;
  int n = nnb_data_rows(data), within = 0;
  ck_ok(nnb_data_batch(data, 0, n, &rows));
  ck_ok(nnb_error_bars_predict(bars, rows.x, nnb_view(y, n, 1), (nnb_mat){0}, nnb_view(sd_new, n, 1)));
  for (int i = 0; i < n; i++) within += fabs((double)(rows.t.p[i * rows.t.ld] - y[i])) <= times * (double)sd_new[i];
  return (double)within / n;
}

START_TEST(a_noisy_sine) {
  const double noise = 0.2;
  nnb_data *train = noisy_sine(100, noise, 1), *fresh = noisy_sine(MOST, noise, 2);
  nnb_net *net = tanh_net(train, 10, (uint64_t)_i);
  const real *shift, *factor;
  nnb_report r = fit(net, train, NULL, (nnb_fit_opts){.max_epochs = 400});
  nnb_net_target_scaler(net, &shift, &factor);
  double found = 1 / sqrt(r.evidence.beta) / (double)factor[0];
  ck_assert_msg(0.85 * noise < found && found < 1.15 * noise, "noise %g, wanted about %g", found, noise);
  ck_assert_msg(6 < r.evidence.gamma && r.evidence.gamma < 20, "%g of 31 parameters", r.evidence.gamma);
  ck_assert_msg(rmse(net, fresh) < 1.15 * noise, "an error of %g", rmse(net, fresh));
  nnb_error_bars *bars;
  ck_ok(nnb_error_bars_create(net, train, &(nnb_error_bars_opts){.evidence = r.evidence}, &bars));
  double one = coverage(bars, fresh, 1), two = coverage(bars, fresh, 2);
  ck_assert_msg(0.6 < one && one < 0.77, "%g of new targets within one deviation, wanted about 0.68", one);
  ck_assert_msg(0.92 < two && two < 0.99, "%g of new targets within two deviations, wanted about 0.95", two);
  real x[] = {0, 5}, y[2], sd[2];
  ck_ok(nnb_error_bars_predict(bars, nnb_cview(x, 2, 1), nnb_view(y, 2, 1), nnb_view(sd, 2, 1), (nnb_mat){0}));
  ck_assert_msg(sd[1] > 3 * sd[0], "deviation %g among the data, %g far from them", (double)sd[0], (double)sd[1]);
  nnb_error_bars_destroy(bars);
  nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(fresh);
}
END_TEST

/* A fit ends when α and β agree with γ, the weights and the residuals, and long before the limit: 200 epochs and the
 * path of ridges before them. */
START_TEST(nets_converge) {
  enum { N = 60 };
  nnb_data *train = noisy_sine(N, 0.3, 6);
  nnb_net *net = tanh_net(train, 8, (uint64_t)_i);
  nnb_report r = fit(net, train, NULL, (nnb_fit_opts){.max_epochs = 1000});
  const nnb_evidence *e = &r.evidence;
  double squares = 0;
  for (size_t i = 0; i < nnb_net_n_params(net); i++)
    squares += (double)nnb_net_params(net)[i] * (double)nnb_net_params(net)[i];
  ck_assert_msg(r.stop == NNB_STOP_CHANGE && r.epochs <= 250, "start %d: %s after %d epochs", _i, nnb_stop_text(r.stop),
                r.epochs);
  ck_near("alpha", e->alpha, e->gamma / squares, TOL(1e-4, 1e-3));
  ck_near("beta", e->beta, (N - e->gamma) / (N * r.loss), TOL(1e-4, 1e-3));
  nnb_net_destroy(net), nnb_data_destroy(train);
}
END_TEST

START_TEST(does_not_overfit) {
  nnb_data *train = noisy_sine(30, 0.2, 3), *fresh = noisy_sine(MOST, 0.2, 4);
  nnb_net *net = tanh_net(train, 20, (uint64_t)_i), *plain = tanh_net(train, 20, (uint64_t)_i);
  fit(net, train, NULL, (nnb_fit_opts){.max_epochs = 200});
  ck_ok(nnb_fit(plain, train, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 200}, NULL));
  ck_assert_msg(rmse(net, fresh) < 0.35 && rmse(net, fresh) < 0.7 * rmse(plain, fresh), "errors %g, without decay %g",
                rmse(net, fresh), rmse(plain, fresh));
  nnb_net_destroy(net), nnb_net_destroy(plain), nnb_data_destroy(train), nnb_data_destroy(fresh);
}
END_TEST

/* All results are finite for any data: nothing to fit, only noise, no noise, fewer rows than parameters. */
START_TEST(stays_within_its_bounds) {
  static const struct {
    int rows, hidden;
    double noise, scale;
  } row[] = {{20, 3, 0, 0}, {40, 5, 3, 1}, {60, 8, 0, 1}, {5, 10, 0.1, 1}, {1, 2, 0, 1}, {40, 5, 0.1, 1e6}};
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    nnb_data *data = noisy_sine(row[k].rows, row[k].noise, 5 + k), *scaled = NULL;
    nnb_batch rows;
    real t[MOST];
    ck_ok(nnb_data_batch(data, 0, row[k].rows, &rows));
    for (int i = 0; i < row[k].rows; i++) t[i] = rows.t.p[i] * (real)row[k].scale;
    rows.t.p = t;
    ck_ok(nnb_data_wrap(&rows, 0, &scaled));
    nnb_net *net = nnb_net_create(1);
    nnb_net_dense(net, row[k].hidden, NNB_TANH);
    nnb_net_dense(net, 1, NNB_LINEAR);
    nnb_report r = fit(net, scaled, NULL, (nnb_fit_opts){.max_epochs = 150});
    const nnb_evidence *e = &r.evidence;
    ck_assert_msg(e->alpha > 0 && e->beta > 0 && e->gamma >= 0 && e->gamma <= 3 * row[k].hidden + 1 &&
                      e->gamma <= row[k].rows && isfinite(e->alpha + e->beta + e->log_evidence) && isfinite(r.loss),
                  "row %zu: alpha %g, beta %g, gamma %g, log evidence %g, loss %g", k, e->alpha, e->beta, e->gamma,
                  e->log_evidence, r.loss);
    nnb_net_destroy(net), nnb_data_destroy(scaled), nnb_data_destroy(data);
  }
}
END_TEST

/* ---- the report ------------------------------------------------------------------------------------------------- */

static int third(void *user, const nnb_record *record) {
  (void)user;
  return record->epoch == 3;
}

START_TEST(reports_what_is_in_the_net) {
  nnb_data *train = noisy_sine(60, 0.3, 1), *val = noisy_sine(60, 0.3, 2);
  nnb_net *net = tanh_net(train, 8, 1), *again = tanh_net(train, 8, 1);
  nnb_report r = fit(net, train, NULL, (nnb_fit_opts){.on_epoch = third});
  ck_assert(r.stop == NNB_STOP_USER && r.epochs == 3 && r.evidence.gamma > 0 && isfinite(r.evidence.log_evidence));
  nnb_metrics m;
  ck_ok(nnb_evaluate(net, train, &m));
  ck_assert_msg(fabs(m.loss - r.loss) <= 1e-5 * m.loss, "loss %g, reported %g", m.loss, r.loss);
  nnb_net_destroy(net);
  net = tanh_net(train, 8, 1);
  r = fit(net, train, val, (nnb_fit_opts){.max_epochs = 60});
  ck_assert(r.best_epoch > 0);
  nnb_report s = fit(again, train, NULL, (nnb_fit_opts){.max_epochs = r.best_epoch});
  ck_assert_msg(!memcmp(&r.evidence, &s.evidence, sizeof r.evidence), "alpha %g of the best epoch, %g",
                r.evidence.alpha, s.evidence.alpha);
  ck_ok(nnb_fit(net, train, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 2}, &r));
  ck_assert(r.evidence.alpha == 0 && r.evidence.beta == 0 && r.evidence.log_evidence == 0);
  nnb_net_destroy(net), nnb_net_destroy(again), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* A net that fits its only row exactly: in the end, the decay is by far the larger part of the loss. */
START_TEST(losses_are_not_negative) {
  nnb_data *data = toy_regression(1, 4, 2);
  nnb_net *net = nnb_net_create(4);
  nnb_net_dense(net, 5, NNB_TANH), nnb_net_dense(net, 2, NNB_LINEAR);
  nnb_report r = fit(net, data, NULL, (nnb_fit_opts){.max_epochs = 200});
  for (int i = 0; i < r.n_history; i++)
    ck_assert_msg(r.history[i].loss >= 0, "epoch %d: the loss is %g", r.history[i].epoch, r.history[i].loss);
  ck_assert(r.best_loss >= 0);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static nnb_status no_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  (void)user, (void)x, (void)row0, (void)k, (void)r, (void)J, (void)ldj;
  return NNB_E_STATE;
}

static nnb_status no_value(void *user, const real *x, double *f, real *g) {
  (void)user, (void)x, (void)f, (void)g;
  return NNB_E_STATE;
}

static nnb_status line_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const real *t = user;
  for (int i = 0; i < k; i++) {
    const real at = (real)(row0 + (size_t)i);
    r[i] = x[0] + x[1] * at - t[row0 + (size_t)i];
    if (J) J[i * ldj] = 1, J[i * ldj + 1] = at;
  }
  return NNB_OK;
}

/* lm chooses the decay, even if variables are linear. */
START_TEST(auto_is_lm) {
  real t[8] = {1, 2, 2, 4, 5, 5, 7, 8}, x[2] = {0};
  const bool both[2] = {true, true};
  nnb_min_report r;
  nnb_lsq lsq = {.m = 8, .n = 2, .user = t, .rows = line_rows, .linear = both};
  ck_ok(nnb_least_squares(&lsq, x, &(nnb_min_opts){.bayes = true}, &r));
  ck_assert_msg(r.algo == NNB_LM && r.evidence.gamma > 0, "%s, gamma %g", nnb_algo_name(r.algo), r.evidence.gamma);
  ck_assert_msg(fabs((double)x[1] - 1) < 0.1, "slope %g, expected about 1", (double)x[1]);
}
END_TEST

START_TEST(unsuitable_fits) {
  nnb_data *data = noisy_sine(20, 0.1, 1), *classes = toy_classes(20, 4, 3);
  nnb_net *net = tanh_net(data, 3, 1), *classifier;
  const double ridge[] = {1, 1};
  real x[2] = {0};
  ck_ok(nnb_net_parse("4-3:softmax", &classifier));
  for (nnb_algo algo = NNB_SGD; algo < NNB_N_ALGOS; algo++)
    if (algo != NNB_LM)
      bad(NNB_E_ARG, "lm", nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algo, .bayes = true}, NULL));
  bad(NNB_E_ARG, "l2", nnb_fit(net, data, NULL, &(nnb_fit_opts){.l2 = 0.1, .bayes = true}, NULL));
  bad(NNB_E_ARG, "batch", nnb_fit(net, data, NULL, &(nnb_fit_opts){.batch = 8, .bayes = true}, NULL));
  bad(NNB_E_UNSUPPORTED, "squares", nnb_fit(classifier, classes, NULL, &(nnb_fit_opts){.bayes = true}, NULL));
  nnb_lsq lsq = {.m = 4, .n = 2, .rows = no_rows, .ridge = ridge};
  bad(NNB_E_ARG, "ridge", nnb_least_squares(&lsq, x, &(nnb_min_opts){.bayes = true}, NULL));
  lsq.ridge = NULL, lsq.m_known = 5;
  bad(NNB_E_ARG, "m_known", nnb_least_squares(&lsq, x, &(nnb_min_opts){.bayes = true}, NULL));
  nnb_fdf f = {.n = 2, .eval = no_value};
  bad(NNB_E_ARG, "bayes", nnb_minimize(&f, x, &(nnb_min_opts){.bayes = true}, NULL));
  nnb_net_destroy(net), nnb_net_destroy(classifier), nnb_data_destroy(data), nnb_data_destroy(classes);
}
END_TEST

static nnb_status create_bars(nnb_net *net, const nnb_data *data, double alpha, double beta, nnb_error_bars **out) {
  return nnb_error_bars_create(net, data, &(nnb_error_bars_opts){.evidence = {.alpha = alpha, .beta = beta}}, out);
}

START_TEST(unsuitable_error_bars) {
  nnb_data *data = noisy_sine(20, 0.1, 1), *classes = toy_classes(20, 4, 3), *few = noisy_sine(5, 0.1, 1), *bare;
  nnb_net *net = tanh_net(data, 3, 1), *classifier;
  nnb_error_bars *bars = NULL;
  real x[4] = {0}, y[4], sd[4];
  nnb_batch rows = {.x = nnb_cview(x, 4, 1)};
  ck_ok(nnb_net_parse("4-3:softmax", &classifier));
  ck_ok(nnb_data_wrap(&rows, 0, &bare));
  bad(NNB_E_ARG, "out", create_bars(net, data, 1, 1, NULL));
  bad(NNB_E_ARG, "NULL", create_bars(NULL, data, 1, 1, &bars));
  bad(NNB_E_ARG, "data", create_bars(net, NULL, 1, 1, &bars));
  bad(NNB_E_ARG, "targets", create_bars(net, bare, 1, 1, &bars));
  bad(NNB_E_SHAPE, "columns", create_bars(net, classes, 1, 1, &bars));
  bad(NNB_E_UNSUPPORTED, "squares", create_bars(classifier, classes, 1, 1, &bars));
  bad(NNB_E_ARG, "alpha", create_bars(net, data, -1, 1, &bars));
  bad(NNB_E_ARG, "beta", create_bars(net, data, 1, 0, &bars));
  bad(NNB_E_ARG, "beta", create_bars(net, data, 1, (double)NAN, &bars));
  bad(NNB_E_NUMERIC, "alpha", create_bars(net, few, 0, 1, &bars));
  ck_assert_ptr_null(bars);
  bad(NNB_E_ARG, "out", nnb_error_bars_copy(bars, NULL));
  bad(NNB_E_ARG, "NULL", nnb_error_bars_copy(NULL, &bars));
  nnb_error_bars_destroy(NULL);

  ck_ok(create_bars(net, data, 1, 1, &bars));
  nnb_mat out = nnb_view(y, 4, 1), wide = nnb_view(sd, 2, 2), none = {0};
  bad(NNB_E_ARG, "NULL", nnb_error_bars_predict(NULL, rows.x, out, none, none));
  bad(NNB_E_ARG, "NULL", nnb_error_bars_predict(bars, rows.x, none, none, none));
  bad(NNB_E_SHAPE, "columns", nnb_error_bars_predict(bars, nnb_cview(x, 2, 2), out, none, none));
  bad(NNB_E_SHAPE, "y", nnb_error_bars_predict(bars, rows.x, wide, none, none));
  bad(NNB_E_SHAPE, "sd ", nnb_error_bars_predict(bars, rows.x, out, wide, none));
  bad(NNB_E_SHAPE, "sd_new", nnb_error_bars_predict(bars, rows.x, out, none, wide));
  x[2] = (real)NAN;
  bad(NNB_E_NUMERIC, "row 3", nnb_error_bars_predict(bars, rows.x, out, none, none));
  x[2] = 0;
  ck_ok(nnb_error_bars_predict(bars, rows.x, out, none, none));
  ck_ok(nnb_net_freeze(net, 2, NNB_BIAS));
  bad(NNB_E_STATE, "frozen", nnb_error_bars_predict(bars, rows.x, out, none, none));
  nnb_error_bars *copy = NULL;
  bad(NNB_E_STATE, "frozen", nnb_error_bars_copy(bars, &copy));
  nnb_error_bars_destroy(bars);
  nnb_net_destroy(net), nnb_net_destroy(classifier);
  nnb_data_destroy(data), nnb_data_destroy(classes), nnb_data_destroy(few), nnb_data_destroy(bare);
}
END_TEST

/* All parameters known: no uncertainty but the noise. */
START_TEST(frozen_nets_have_noise_only) {
  nnb_data *data = noisy_sine(20, 0.1, 1);
  nnb_net *net = nnb_net_create(1);
  nnb_error_bars *bars;
  real x[2] = {0, 1}, y[2], sd[2], sd_new[2];
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .frozen = NNB_WEIGHTS | NNB_BIAS});
  ck_ok(create_bars(net, data, 1, 4, &bars));
  ck_ok(
      nnb_error_bars_predict(bars, nnb_cview(x, 2, 1), nnb_view(y, 2, 1), nnb_view(sd, 2, 1), nnb_view(sd_new, 2, 1)));
  for (int i = 0; i < 2; i++) ck_assert(sd[i] == 0 && fabs((double)sd_new[i] - 0.5) < 1e-6);
  nnb_error_bars_destroy(bars);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */

START_TEST(predictions_allocate_nothing) {
  heap_install();
  nnb_data *data = noisy_sine(50, 0.1, 1);
  nnb_net *net = tanh_net(data, 12, 1);
  nnb_error_bars *bars;
  real y[50], sd[50], sd_new[50];
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, 50, &rows));
  ck_ok(create_bars(net, data, 1, 1, &bars));
  long before = heap_allocs();
  for (int k = 0; k < 3; k++)
    ck_ok(nnb_error_bars_predict(bars, rows.x, nnb_view(y, 50, 1), nnb_view(sd, 50, 1), nnb_view(sd_new, 50, 1)));
  ck_assert_int_eq(heap_allocs(), before);
  nnb_error_bars_destroy(bars);
  nnb_net_destroy(net), nnb_data_destroy(data);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bayes, " PRECISION);
  TCase *tc = tcase_create("bayes");
  tcase_add_loop_test(tc, linear_models_as_in_the_closed_form, 0, CASES);
  tcase_add_loop_test(tc, linear_models_have_the_most_evidence, 0, CASES);
  tcase_add_loop_test(tc, error_bars_as_in_the_closed_form, 0, CASES);
  tcase_add_loop_test(tc, error_bars_of_least_squares, 0, CASES);
  tcase_add_loop_test(tc, a_noisy_sine, 0, 4);
  tcase_add_loop_test(tc, nets_converge, 0, 7);
  tcase_add_loop_test(tc, does_not_overfit, 0, 3);
  tcase_add_test(tc, stays_within_its_bounds);
  tcase_add_test(tc, reports_what_is_in_the_net);
  tcase_add_test(tc, losses_are_not_negative);
  tcase_add_test(tc, auto_is_lm);
  tcase_add_test(tc, unsuitable_fits);
  tcase_add_test(tc, unsuitable_error_bars);
  tcase_add_test(tc, frozen_nets_have_noise_only);
  tcase_add_test(tc, predictions_allocate_nothing);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
