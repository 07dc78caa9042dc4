/* Targets of derivatives, nnb_batch.dt: gradients, losses and residuals of nets with all kinds of nodes that take them,
 * fits by every method, and what is refused. */
#include <stdatomic.h>

#include "toys.h"

enum { ROWS = 7 };

static void near(double got, double want, const char *what, int i) {
  ck_assert_msg(fabs(got - want) <= TOL(1e-12, 1e-4) * fmax(1, fabs(want)), "test %s, number %d: %.17g, expected %.17g",
                what, i, got, want);
}

/* ---- targets of derivatives -------------------------------------------------------------------------------------- */

static nnb_status affine_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  needs->affine = true;
  return toy_gain.shape(self, cols, n_from, needs);
}

/* All kinds of nodes that take such targets; another node reads one of the outputs. */
static nnb_net *affine_graph(void) {
  static nnb_layer_ops gain;
  gain = toy_gain;
  gain.shape = affine_shape, gain.tangent = toy_gain_tangent;
  nnb_net *net = nnb_net_create(2);
  const int second = nnb_net_input(net, 1, NULL);
  const int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .from = 1, .activation = NNB_TANH});
  const int g = nnb_net_own_layer(net, &gain, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_SOFTMAX, NULL);
  const int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .from = second, .activation = NNB_GELU});
  const int sum = nnb_net_add(net, (int[]){g, b}, 2, NNB_LINEAR);
  const int both = nnb_net_concat(net, (int[]){sum, 1}, 2);
  const int head = nnb_net_dense_opts(
      net, &(nnb_dense_opts){.units = 2, .from = both, .activation = NNB_SIGMOID, .frozen = NNB_BIAS});
  const int tail = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = head, .activation = NNB_SILU});
  nnb_net_output(net, tail);
  nnb_net_output(net, head);
  ck_ok(nnb_net_output_loss(net, tail, NNB_HALF_SSE, 0.5));
  return net;
}

enum { SLOPE_NETS = 5 };
static nnb_net *slope_net(int which, nnb_data *data) {
  static const char *const text[] = {"3-5:tanh-3", "3-4:silu-4:softplus-3:sigmoid", "3-6:gelu-3:softmax", "3-4:elu-3"};
  nnb_net *net = NULL;
  if (which == SLOPE_NETS - 1)
    net = affine_graph();
  else
    ck_ok(nnb_net_parse(text[which], &net));
  if (which % 2) nnb_net_standardize(net, data), nnb_net_scale_targets(net, data, NNB_MINMAX);
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = which == 1 ? NNB_HUBER : NNB_MSE, .derivatives = 0.7}));
  return net;
}

typedef struct slope_rows {
  real x[ROWS * 3], t[ROWS * 3], dt[ROWS * 9], w[ROWS];
  nnb_batch batch;
} slope_rows;

static nnb_data *make_rows(slope_rows *r) {
  nnb_data *data;
  toy_fill(r->x, ROWS * 3, 31), toy_fill(r->t, ROWS * 3, 32), toy_fill(r->dt, ROWS * 9, 33), toy_fill(r->w, ROWS, 34);
  for (int i = 0; i < ROWS; i++) r->w[i] = i == 2 ? 0 : 1 + r->w[i] / 2;
  r->batch = (nnb_batch){
      .x = nnb_cview(r->x, ROWS, 3), .t = nnb_cview(r->t, ROWS, 3), .dt = nnb_cview(r->dt, ROWS, 9), .weight = r->w};
  ck_ok(nnb_data_wrap(&r->batch, 0, &data));
  return data;
}

static nnb_net *drawn(nnb_net *net) {
  toy_fill(nnb_net_params(net), nnb_net_n_params(net), 5);
  return net;
}

START_TEST(gradients) {
  slope_rows r;
  double worst;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i, data));
  ck_ok(nnb_check_gradient(net, &r.batch, &worst));
  ck_assert_msg(worst < TOL(1e-6, 2e-2), "net %d: worst %g", _i, worst);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* The loss is that of the outputs and, as further outputs, of their derivatives in the net's units. */
START_TEST(losses) {
  slope_rows r;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i, data));
  const nnb_real *shift, *in, *out;
  nnb_net_input_scaler(net, &shift, &in);
  nnb_net_target_scaler(net, &shift, &out);
  nnb_plan *plan;
  const unsigned want = NNB_DX | NNB_DT;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 3, .want = want}, &plan));
  double with, without, weight = 0, sum = 0;
  real J[ROWS * 9];
  ck_ok(nnb_plan_loss(plan, &r.batch, &with));
  ck_ok(nnb_plan_jacobian(plan, r.batch.x, (nnb_mat){0}, nnb_view(J, ROWS, 9)));
  r.batch.dt = (nnb_cmat){0};
  ck_ok(nnb_plan_loss(plan, &r.batch, &without));
  for (int i = 0; i < ROWS; i++) {
    weight += (double)r.w[i];
    for (int k = 0; k < 9; k++) {
      const double scale = in ? (double)out[k / 3] / (double)in[k % 3] : 1;
      const double d = scale * ((double)J[9 * i + k] - (double)r.dt[9 * i + k]);
      const double huber = fabs(d) < 1 ? d * d / 2 : fabs(d) - 0.5;
      sum += (double)r.w[i] * (_i == 1 ? huber : d * d);
    }
  }
  near(with - without, 0.7 * sum / (9 * weight), "loss", _i);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* ½·Σr² is the loss and Jᵀr its gradient; also gathered in another order, in chunks and with several threads. */
START_TEST(residuals) {
  enum { N_R = 12, MOST_P = 100 };
  static real J[ROWS * N_R * MOST_P];
  real res[ROWS * N_R], grad[MOST_P], chunked[MOST_P];
  slope_rows r;
  double loss, sum = 0, half;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(_i == 1 ? 3 : _i, data));
  const int P = (int)nnb_net_n_params(net);
  ck_assert_int_le(P, MOST_P);
  nnb_plan *plan, *small;
  const unsigned want = NNB_GRAD | NNB_ROWS | NNB_DT;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 2, .want = want}, &plan));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 3, .threads = 1, .want = want}, &small));
  ck_ok(nnb_plan_gradient(plan, &r.batch, 0, &loss, grad));
  ck_ok(nnb_plan_rows(plan, &r.batch, res, J, P));
  for (int i = 0; i < ROWS * N_R; i++) sum += (double)res[i] * (double)res[i] / 2;
  near(sum, loss, "loss of residuals", _i);
  for (int p = 0; p < P; p++) {
    double g = 0;
    for (int i = 0; i < ROWS * N_R; i++) g += (double)res[i] * (double)J[i * P + p];
    near(g, (double)grad[p], "Jᵀr", p);
  }
  double total = 0;
  for (int i = 0; i < ROWS; i++) total += (double)r.w[i];
  loss = 0;
  for (int i = 0; i < ROWS; i += 3) {
    nnb_batch part;
    ck_ok(nnb_data_batch(data, i, i + 3 <= ROWS ? 3 : ROWS - i, &part));
    part.norm = total;
    ck_ok(nnb_plan_gradient(small, &part, i > 0, &half, chunked));
    loss += half;
  }
  near(loss, sum, "loss in chunks", _i);
  for (int p = 0; p < P; p++) near((double)chunked[p], (double)grad[p], "gradient in chunks", p);
  nnb_plan_destroy(plan), nnb_plan_destroy(small);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* sin(3x) at 6 points with its slope: every method that takes such targets lowers the loss, and lm and lbfgs learn the
 * curve between the points. */
START_TEST(fits) {
  enum { N = 6 };
  real x[N], t[N], dt[N];
  for (int i = 0; i < N; i++) {
    x[i] = (real)(-1 + 0.4 * i), t[i] = (real)sin(3 * (double)x[i]), dt[i] = (real)(3 * cos(3 * (double)x[i]));
  }
  const nnb_batch rows = {.x = nnb_cview(x, N, 1), .t = nnb_cview(t, N, 1), .dt = nnb_cview(dt, N, 1)};
  nnb_data *data;
  ck_ok(nnb_data_copy(&rows, 0, &data));
  ck_assert_int_eq(nnb_data_write_csv(data, "/nonexistent/slopes.csv"), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_data_write_fann(data, "/nonexistent/slopes.data"), NNB_E_UNSUPPORTED);
  for (int k = NNB_AUTO + 1; k < NNB_N_ALGOS; k++) {
    nnb_net *net = NULL;
    nnb_report report;
    ck_ok(nnb_net_parse("1-8:tanh-1", &net));
    ck_ok(nnb_net_standardize(net, data));
    ck_ok(nnb_net_scale_targets(net, data, NNB_STANDARDIZE));
    nnb_plan *plan;
    nnb_batch all;
    double before, after;
    ck_ok(nnb_data_batch(data, 0, N, &all));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_DT}, &plan));
    ck_ok(nnb_plan_loss(plan, &all, &before));
    const bool exact = k == NNB_LM || k == NNB_LBFGS;
    const nnb_fit_opts opts = {.algo = (nnb_algo)k, .max_epochs = exact ? 300 : 20, .batch = 0};
    const nnb_status status = nnb_fit(net, data, NULL, &opts, &report);
    if (k == NNB_KFAC || k == NNB_VARPRO) {
      ck_assert_int_eq(status, NNB_E_UNSUPPORTED);
      ck_assert_msg(strstr(nnb_errmsg(), "dt"), "%s", nnb_errmsg());
    } else {
      ck_ok(status);
      ck_ok(nnb_plan_loss(plan, &all, &after));
      ck_assert_msg(after < before, "method %d: %g, before %g", k, after, before);
    }
    if (exact)
      for (int i = 0; i < 50; i++) {
        real at = (real)(-1 + 0.04 * i), y;
        ck_ok(nnb_net_predict(net, nnb_cview(&at, 1, 1), nnb_view(&y, 1, 1)));
        ck_assert_msg(fabs((double)y - sin(3 * (double)at)) < 0.02, "method %d at %g: %g", k, (double)at, (double)y);
      }
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

START_TEST(refusals) {
  slope_rows r;
  double value;
  nnb_data *data = make_rows(&r), *other = NULL;
  nnb_net *net = NULL;
  nnb_plan *plan;
  nnb_batch batch = r.batch;
  batch.dt.cols = 8;
  bad(NNB_E_SHAPE, "wanted 7×(3·3)", nnb_data_wrap(&batch, 0, &other));
  batch = r.batch, batch.t.p = NULL;
  bad(NNB_E_ARG, "no t", nnb_data_wrap(&batch, 0, &other));
  r.dt[4] = (real)NAN;
  bad(NNB_E_ARG, "dt has NaN in row 1, column 5", nnb_data_wrap(&r.batch, 0, &other));
  r.dt[4] = 0;
  bad(NNB_E_UNSUPPORTED, "dt", nnb_data_take_columns(data, (int32_t[]){0}, 1, &other));
  bad(NNB_E_UNSUPPORTED, "dt", nnb_data_merge(data, data, &other));
  ck_ok(nnb_net_parse("3-4:tanh-3", &net));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS}, &plan));
  bad(NNB_E_STATE, "NNB_DT", nnb_plan_loss(plan, &r.batch, &value));
  batch = r.batch, batch.dt.rows = 2;
  bad(NNB_E_SHAPE, "dt is 2×9", nnb_plan_loss(plan, &batch, &value));
  bad(NNB_E_UNSUPPORTED, "name the method", nnb_fit(net, data, NULL, NULL, NULL));
  bad(NNB_E_UNSUPPORTED, "bayes", nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .bayes = true}, NULL));
  bad(NNB_E_UNSUPPORTED, "dt", nnb_solve_output(net, data, 0));
  nnb_error_bars *bars;
  bad(NNB_E_UNSUPPORTED, "dt", nnb_error_bars_create(net, data, NULL, &bars));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  ck_ok(nnb_net_parse("3-4:tanh-3:softmax", &net));
  bad(NNB_E_UNSUPPORTED, "cross_entropy", nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DT}, &plan));
  nnb_net_destroy(net);
  net = nnb_net_create(1);
  bad(NNB_E_ARG, "derivatives is -1", nnb_net_loss_opts(net, &(nnb_loss_opts){.derivatives = -1}));
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* A row of weight 0 has residuals and rows of J of 0, even if its values are not finite; and so have all rows if all
 * weights are 0. */
START_TEST(weightless_rows) {
  enum { N_R = 12, MOST_P = 100 };
  static real J[ROWS * N_R * MOST_P];
  real res[ROWS * N_R];
  slope_rows r;
  nnb_data *data = make_rows(&r);
  nnb_net *net = drawn(slope_net(0, data));
  const int P = (int)nnb_net_n_params(net);
  ck_assert_int_le(P, MOST_P);
  nnb_plan *plan = toy_plan(net, ROWS, 1, NNB_ROWS | NNB_DT);
  for (int i = 0; _i && i < ROWS; i++) r.w[i] = 0;
  for (int j = 0; j < 3; j++) r.x[2 * 3 + j] = (real)(_i ? 1 : NAN);
  for (int i = 0; i < ROWS * N_R * P; i++) J[i] = 42;
  ck_ok(nnb_plan_rows(plan, &r.batch, res, J, P));
  for (int i = 0; i < ROWS * N_R; i++) {
    const bool zero = r.w[i / N_R] == 0;
    ck_assert_msg(zero ? res[i] == 0 : isfinite(res[i]) && res[i] != 0, "residual %d is %g", i, (double)res[i]);
    for (int p = 0; p < P; p++)
      ck_assert_msg(zero ? J[i * P + p] == 0 : isfinite(J[i * P + p]), "row %d of J, parameter %d: %g", i, p,
                    (double)J[i * P + p]);
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* A gain with a buffer: the number of its forward passes that change it, and of their rows. */
static atomic_int passes, passed_rows;
static void counting_forward(const void *self, const nnb_layer_io *io) {
  if (io->new_buffers) atomic_fetch_add(&passes, 1);
  if (io->new_buffers) atomic_fetch_add(&passed_rows, io->z.rows);
  toy_gain.forward(self, io);
}

/* Without and with dt, a layer with buffers gets all rows in one call. */
START_TEST(whole_rows) {
  enum { N = 64, N_IN = 30 };
  static real x[N * N_IN], t[N], dt[N * N_IN], grad[2000];
  static nnb_layer_ops counting;
  counting = toy_gain;
  counting.shape = toy_whole_shape, counting.forward = counting_forward, counting.tangent = toy_gain_tangent;
  toy_fill(x, N * N_IN, 1), toy_fill(t, N, 2), toy_fill(dt, N * N_IN, 3);
  nnb_net *net = nnb_net_create(N_IN);
  const int a = nnb_net_dense(net, 30, NNB_TANH);
  nnb_net_own_layer(net, &counting, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_LINEAR, NULL);
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_assert_uint_le(nnb_net_n_params(net), sizeof grad / sizeof *grad);
  nnb_plan *plan = toy_plan(net, N, 4, NNB_GRAD | NNB_DT);
  const nnb_batch batch = {
      .x = nnb_cview(x, N, N_IN), .t = nnb_cview(t, N, 1), .dt = _i ? nnb_cview(dt, N, N_IN) : (nnb_cmat){0}};
  passes = passed_rows = 0;
  ck_ok(nnb_plan_gradient(plan, &batch, 0, NULL, grad));
  const int n_passes = passes, n_rows = passed_rows;
  ck_assert_int_eq(n_passes, 1);
  ck_assert_int_eq(n_rows, N);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

static void sum_up(const void *self, const nnb_layer_io *io) {
  (void)self;
  for (int i = 0; i < io->delta.rows; i++) io->work[0] += io->delta.p[i * io->delta.ld];
}

/* A layer that sums Δ over the rows would sum the derivatives by directions, too. */
START_TEST(not_with_work) {
  static nnb_layer_ops working;
  working = toy_gain;
  working.shape = toy_working_shape, working.tangent = toy_gain_tangent, working.prepare_back = sum_up;
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan;
  nnb_net_own_layer(net, &working, &(toy_gain_fields){.power = 2, .factor = 0.25}, (int[]){1}, 1, NNB_LINEAR, NULL);
  bad(NNB_E_UNSUPPORTED, "work", nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DT}, &plan));
  nnb_plan_destroy(toy_plan(net, 1, 1, NNB_SECOND));
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("targets of derivatives, " PRECISION);
  TCase *tc = tcase_create("dt");
  tcase_add_loop_test(tc, gradients, 0, SLOPE_NETS);
  tcase_add_loop_test(tc, losses, 0, SLOPE_NETS - 1);
  tcase_add_loop_test(tc, residuals, 0, SLOPE_NETS);
  tcase_add_test(tc, fits);
  tcase_add_test(tc, refusals);
  tcase_add_loop_test(tc, weightless_rows, 0, 2);
  tcase_add_loop_test(tc, whole_rows, 0, 2);
  tcase_add_test(tc, not_with_work);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
