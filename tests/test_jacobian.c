/* nnb_plan_rows: residuals and their derivatives against central differences, the loss and the gradient; and nnb_fit by
 * lm over them. */
#include "plan.h"
#include "toys.h"

enum { ROWS = 12 };

/* ---- nets ------------------------------------------------------------------------------------------------------- */

/* A branch, both ways of joining, an own layer without backward_rows, two outputs with a loss each; another node also
 * reads one of them. */
static nnb_net *graph(void) {
  nnb_net *net = nnb_net_create(4);
  toy_gain_fields gain = {.power = 2, .factor = 0.25};
  int bump = nnb_net_own_activation(net, &toy_bump);
  int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 5, .from = 1, .activation = NNB_TANH});
  int b = nnb_net_dense_opts(
      net, &(nnb_dense_opts){.units = 5, .from = 1, .activation = (nnb_activation)bump, .no_bias = true});
  int sum = nnb_net_add(net, (int[]){a, b}, 2, NNB_SIGMOID);
  int act = nnb_net_activation(net, a, NNB_SOFTPLUS);
  int wide = nnb_net_concat(net, (int[]){sum, act, 1}, 3);
  int g = nnb_net_own_layer(net, &toy_gain, &gain, &wide, 1, NNB_LINEAR, "widened");
  int head = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .from = g, .frozen = NNB_BIAS, .name = "head"});
  int tail = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = head, .activation = NNB_ELU});
  nnb_net_output(net, tail);
  nnb_net_output(net, head);
  nnb_net_output_loss(net, tail, NNB_HALF_SSE, 0.5);
  nnb_net_output_loss(net, head, NNB_MSE, 2);
  return net;
}

static nnb_net *parsed(const char *text, nnb_loss loss) {
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_loss(net, loss));
  return net;
}

static nnb_net *make_net(int which) {
  switch (which) {
    case 0:
      return parsed("4-6:tanh-3", NNB_MSE);
    case 1:
      return parsed("4-5:silu-4:gelu-3:sigmoid", NNB_HALF_SSE);
    case 2:
      return parsed("4-7:softplus-3:softmax", NNB_SSE);
    case 3:
      return parsed("4-3", NNB_MSE);
    default:
      return graph();
  }
}
enum { NETS = 5 };

static void spread_params(nnb_net *net) {
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5); /* biases too, away from the kinks of elu */
}

/* Two linear outputs, one of them in part frozen, and one that is not. */
static nnb_net *heads(void) {
  nnb_net *net = nnb_net_create(4);
  int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 5, .from = 1, .activation = NNB_TANH});
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = a, .activation = NNB_SILU}));
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = a, .frozen = NNB_BIAS}));
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = 1}));
  ck_ok(nnb_net_loss(net, NNB_MSE));
  return net;
}

typedef struct sample {
  real x[ROWS * 4], t[ROWS * 3], w[ROWS];
  nnb_batch batch;
} sample;

static void make_sample(sample *s, bool weighted) {
  toy_fill(s->x, ROWS * 4, 1), toy_fill(s->t, ROWS * 3, 2), toy_fill(s->w, ROWS, 3);
  for (int i = 0; i < ROWS; i++) s->w[i] = i == 4 ? 0 : 1 + s->w[i] / 2;
  s->batch =
      (nnb_batch){.x = nnb_cview(s->x, ROWS, 4), .t = nnb_cview(s->t, ROWS, 3), .weight = weighted ? s->w : NULL};
}

/* ---- the derivatives -------------------------------------------------------------------------------------------- */

/* NNB__LINEAR writes the columns of nnb__linear_params, as NNB__FREE has them, and no others. */
START_TEST(linear_columns) {
  sample s;
  nnb_net *net = _i % (NETS + 1) < NETS ? make_net(_i % (NETS + 1)) : heads();
  make_sample(&s, _i > NETS);
  spread_params(net);
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_ROWS}, &plan));
  enum { MOST = 200, M = ROWS * 3 };
  static real J[M * MOST], some[M * MOST], r[M], r2[M];
  bool linear[MOST];
  const int n = (int)nnb__net_n_free(net);
  ck_assert_int_le(n, MOST);
  nnb__linear_params(net, linear);
  for (int i = 0; i < M * MOST; i++) some[i] = -77;
  ck_ok(nnb__plan_rows(plan, &s.batch, 0, ROWS, 1, r, J, MOST, NNB__FREE));
  ck_ok(nnb__plan_rows(plan, &s.batch, 0, ROWS, 1, r2, some, MOST, NNB__LINEAR));
  for (int i = 0; i < M; i++) {
    ck_assert_msg(r[i] == r2[i], "net %d, r_%d: %g, not %g", _i, i, (double)r2[i], (double)r[i]);
    const bool weightless = s.batch.weight && s.batch.weight[i / 3] == 0;
    for (int j = 0; j < n; j++) {
      const double got = (double)some[i * MOST + j], want = linear[j] ? (double)J[i * MOST + j] : weightless ? 0 : -77;
      ck_assert_msg(got == want, "net %d, ∂r_%d/∂w_%d: %g, not %g", _i, i, j, got, want);
    }
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(rows_are_derivatives) {
  sample s;
  nnb_net *net = make_net(_i % NETS);
  make_sample(&s, _i >= NETS);
  spread_params(net);
  int P = (int)nnb_net_n_params(net), m = ROWS * 3, ld = P + 3;
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_ROWS | NNB_GRAD}, &plan));
  real *J = calloc((size_t)(m * ld), sizeof *J), *r = malloc((size_t)m * sizeof *r),
       *r1 = malloc((size_t)m * sizeof *r), *r2 = malloc((size_t)m * sizeof *r), *g = malloc((size_t)P * sizeof *g),
       *w = nnb_net_params(net);
  for (int i = 0; i < m * ld; i++) J[i] = -77;
  double loss, squares = 0;
  ck_ok(nnb_plan_gradient(plan, &s.batch, 0, &loss, g));
  ck_ok(nnb_plan_rows(plan, &s.batch, r, J, ld));
  for (int i = 0; i < m; i++) squares += (double)r[i] * (double)r[i];
  ck_assert_double_eq_tol(squares / 2, loss, TOL(1e-14, 1e-6) * (1 + loss)); /* ½Σr² is the loss */
  for (int j = 0; j < P; j++) {                                              /* Jᵀr is its gradient */
    double sum = 0;
    for (int i = 0; i < m; i++) sum += (double)J[i * ld + j] * (double)r[i];
    ck_assert_msg(fabs(sum - (double)g[j]) <= TOL(1e-13, 1e-5), "net %d, parameter %d: Jᵀr %.9g, gradient %.9g", _i, j,
                  sum, (double)g[j]);
  }
  for (int j = 0; j < P; j++) { /* J against central differences */
    const real at = w[j], h = (real)TOL(1e-5, 4e-3);
    w[j] = at + h;
    ck_ok(nnb_plan_rows(plan, &s.batch, r1, NULL, 0));
    w[j] = at - h;
    ck_ok(nnb_plan_rows(plan, &s.batch, r2, NULL, 0));
    w[j] = at;
    for (int i = 0; i < m; i++) {
      double slope = (double)(r1[i] - r2[i]) / (2 * (double)h);
      ck_assert_msg(fabs(slope - (double)J[i * ld + j]) <= TOL(1e-8, 2e-3),
                    "net %d, ∂r_%d/∂w_%d: %.9g, difference %.9g", _i, i, j, (double)J[i * ld + j], slope);
    }
  }
  for (int i = 0; i < m; i++) ck_assert(J[i * ld + P] == -77 && J[i * ld + P + 2] == -77); /* nothing beyond P */
  free(J), free(r), free(r1), free(r2), free(g);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Rows are independent of other rows, and labels are unit vectors. */
START_TEST(rows_stand_alone) {
  sample s;
  nnb_net *net = make_net(2);
  make_sample(&s, false);
  nnb_plan *plan;
  int P = (int)nnb_net_n_params(net);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_ROWS}, &plan));
  real *J = malloc((size_t)(ROWS * 3 * P) * sizeof *J), *one = malloc((size_t)(3 * P) * sizeof *one), r[ROWS * 3], q[3];
  int32_t label[ROWS];
  for (int i = 0; i < ROWS; i++) label[i] = i % 3;
  for (int i = 0; i < ROWS * 3; i++) s.t[i] = i % 3 == label[i / 3];
  ck_ok(nnb_plan_rows(plan, &s.batch, r, J, P));
  for (int i = 0; i < ROWS; i++) {
    nnb_batch b = {.x = nnb_cview(s.x + 4 * i, 1, 4), .label = label + i, .norm = 1};
    ck_ok(nnb_plan_rows(plan, &b, q, one, P));
    for (int k = 0; k < 3; k++) ck_assert_double_eq_tol((double)q[k], (double)r[3 * i + k], TOL(1e-14, 1e-6));
    for (int k = 0; k < 3 * P; k++) ck_assert_double_eq_tol((double)one[k], (double)J[3 * i * P + k], TOL(1e-14, 1e-6));
  }
  free(J), free(one);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(says_what_it_cannot) {
  sample s;
  nnb_plan *plan = NULL;
  real r[ROWS * 3], J[1];
  make_sample(&s, false);
  nnb_net *net = parsed("4-3:softmax", NNB_LOSS_AUTO);
  ck_assert_int_eq(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_ROWS}, &plan), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "cross_entropy") && strstr(nnb_errmsg(), "lbfgs"), "%s", nnb_errmsg());
  nnb_data *data = toy_classes(ROWS, 4, 3);
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM}, NULL), NNB_E_UNSUPPORTED);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
  net = make_net(0);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_assert_int_eq(nnb_plan_rows(plan, &s.batch, r, NULL, 0), NNB_E_STATE);
  nnb_plan_destroy(plan);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_ROWS}, &plan));
  ck_assert_int_eq(nnb_plan_rows(plan, &s.batch, r, J, 1), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_plan_rows(plan, &s.batch, NULL, NULL, 0), NNB_E_ARG);
  s.x[5] = (real)NAN;
  ck_assert_int_eq(nnb_plan_rows(plan, &s.batch, r, NULL, 0), NNB_E_NUMERIC);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- nnb_fit by lm ---------------------------------------------------------------------------------------------- */

static nnb_data *sine(int n) {
  const double pi = acos(-1.0);
  real x[400], t[400];
  nnb_data *data = NULL;
  for (int i = 0; i < n; i++) x[i] = (real)(-pi + 2 * pi * i / (n - 1)), t[i] = (real)sin((double)x[i]);
  ck_ok(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, n, 1), .t = nnb_cview(t, n, 1)}, 0, &data));
  return data;
}

static nnb_net *uniform_net(const char *text, uint64_t seed) {
  nnb_net *net = parsed(text, NNB_MSE);
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 0);
  real *w = nnb_net_params(net);
  for (size_t i = 0; i < nnb_net_n_params(net); i++) w[i] = (real)(1.4 * nnb_rng_uniform(&rng) - 0.7);
  return net;
}

START_TEST(fits_a_sine) {
  nnb_data *data = sine(100);
  int reached = 0;
  for (uint64_t seed = 1; seed <= 7; seed++) {
    nnb_net *net = uniform_net("1-10:tanh-1", seed);
    nnb_report report;
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .target_loss = TOL(1e-8, 1e-6), .max_epochs = 1000},
                  &report));
    ck_assert(report.algo == NNB_LM && report.n_history == report.epochs);
    for (int i = 1; i < report.n_history; i++) ck_assert(report.history[i].loss <= report.history[i - 1].loss * 1.0001);
    if (getenv("NNB_TEST_TABLE"))
      printf("seed %d: %d epochs, %lld rows, loss %.3g, %.3g ms, %s\n", (int)seed, report.epochs,
             (long long)report.samples, report.loss, 1e3 * report.seconds, nnb_stop_text(report.stop));
    reached += report.stop == NNB_STOP_TARGET;
    nnb_metrics metrics;
    ck_ok(nnb_evaluate(net, data, &metrics)); /* the net has the parameters of the report */
    ck_assert_double_eq_tol(metrics.loss, report.loss, TOL(1e-14, 1e-8));
    nnb_net_destroy(net);
  }
  ck_assert_msg(reached >= 5, "%d of 7 starts reached the target", reached);
  nnb_data_destroy(data);
}
END_TEST

/* Frozen parameters stay; the decay shows in the gradient at the end: ∂E/∂w + l2·w = 0. */
START_TEST(decays_and_freezes) {
  nnb_data *data = toy_regression(40, 4, 3);
  nnb_batch all;
  ck_ok(nnb_data_batch(data, 0, 40, &all));
  nnb_net *net = make_net(0);
  ck_ok(nnb_net_freeze(net, 2, NNB_BIAS));
  spread_params(net);
  int P = (int)nnb_net_n_params(net);
  real *before = malloc((size_t)P * sizeof *before), *g = malloc((size_t)P * sizeof *g), *w = nnb_net_params(net);
  memcpy(before, w, (size_t)P * sizeof *w);
  nnb_report report;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .l2 = 0.01, .max_epochs = 500}, &report));
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 40, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_plan_gradient(plan, &all, 0, NULL, g));
  for (int j = 0; j < P; j++) {
    bool frozen = j >= 24 && j < 30, bias = frozen || j >= 48;
    double slope = (double)g[j] + (bias ? 0 : 0.01 * (double)w[j]);
    if (frozen)
      ck_assert(w[j] == before[j]);
    else
      ck_assert_msg(fabs(slope) < TOL(1e-8, 1e-4), "parameter %d: %g (%s)", j, slope, nnb_stop_text(report.stop));
  }
  free(before), free(g);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

static int stop_at_third(void *user, const nnb_record *record) {
  (void)user;
  return record->epoch == 3;
}

START_TEST(stops_and_validates) {
  nnb_data *data = sine(60), *val = sine(33);
  nnb_net *net = uniform_net("1-10:tanh-1", 3);
  nnb_report report;
  ck_ok(nnb_fit(net, data, val, &(nnb_fit_opts){.algo = NNB_LM, .on_epoch = stop_at_third}, &report));
  ck_assert(report.stop == NNB_STOP_USER && report.epochs == 3 && isfinite(report.val_loss));
  nnb_metrics metrics;
  ck_ok(nnb_evaluate(net, val, &metrics));
  ck_assert_double_eq_tol(metrics.loss, report.best_loss, TOL(1e-14, 1e-7));
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .batch = 7}, NULL), NNB_E_ARG);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  nnb_data_destroy(val);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("jacobian, " PRECISION);
  TCase *tc = tcase_create("jacobian");
  tcase_add_loop_test(tc, linear_columns, 0, 2 * (NETS + 1));
  tcase_add_loop_test(tc, rows_are_derivatives, 0, 2 * NETS);
  tcase_add_test(tc, rows_stand_alone);
  tcase_add_test(tc, says_what_it_cannot);
  tcase_add_test(tc, fits_a_sine);
  tcase_add_test(tc, decays_and_freezes);
  tcase_add_test(tc, stops_and_validates);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
