/* K-FAC on all kinds of nets: own parts, frozen and singular ones; what it may change, what it learns, how it fails. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "blas.h"
#include "kfac.h"
/* after the private headers */
#include "kfac_trainer.h"

/* ---- nets of all kinds ------------------------------------------------------------------------------------------ */

/* Two inputs, branches, own activation, loss and layer, a frozen bias.  Because of the own loss it uses the data's
 * targets. */
START_TEST(a_graph_with_own_parts_is_trained) {
  enum { ROWS = 40 };
  real x[ROWS * 4], y[ROWS * 3], frozen[2];
  double first, loss = 0;
  nnb_net *net = toy_graph();
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_cmat bias;
  toy_fill(x, sizeof x / sizeof *x, 11), toy_fill(y, sizeof y / sizeof *y, 12);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .t = nnb_cview(y, ROWS, 3)};
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC}, &optim));
  ck_ok(nnb_net_bias(net, nnb_net_find(net, "head"), &bias));
  memcpy(frozen, bias.p, sizeof frozen);
  ck_ok(nnb_plan_loss(plan, &rows, &first));
  for (int k = 0; k < 60; k++) ck_ok(nnb_train_step(net, plan, &rows, optim, &loss));
  ck_assert_msg(loss < 0.85 * first, "the loss went from %g to %g only", first, loss);
  ck_assert_mem_eq(frozen, bias.p, sizeof frozen);
  nnb_cmat gain;
  ck_ok(nnb_net_weights(net, nnb_net_find(net, "widened"), &gain));
  ck_assert(gain.p[1] != 0);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* A dense layer without bias as an own layer, with pairs. */
static nnb_status mine_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self, (void)n_from;
  needs->cols = needs->w_cols = 3;
  needs->w_rows = cols[0];
  return NNB_OK;
}
static nnb_cmat mine_weights(const nnb_layer_io *io) { return nnb_cview(io->w, io->a[0].cols, 3); }
static void mine_forward(const void *self, const nnb_layer_io *io) {
  (void)self;
  nnb__gemm('N', 'N', 1, io->a[0], mine_weights(io), 0, io->z);
}
static void mine_backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  nnb__gemm('N', 'T', 1, io->delta, mine_weights(io), io->da_beta, io->da[k]);
}
static void mine_backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  (void)self;
  if (io->part == 0) /* does all the work */
    nnb__gemm('T', 'N', sink->alpha, io->a[0], io->delta, sink->beta, nnb_view(sink->w, io->a[0].cols, 3));
}
static void mine_kron(const void *self, const nnb_layer_io *io, nnb_cmat *a, nnb_cmat *delta) {
  (void)self;
  *a = io->a[0], *delta = io->delta;
}
static const nnb_layer_ops mine = {.name = "mine",
                                   .shape = mine_shape,
                                   .forward = mine_forward,
                                   .backward_data = mine_backward_data,
                                   .backward_params = mine_backward_params,
                                   .kron = mine_kron};

START_TEST(own_layers_may_have_pairs) {
  enum { ROWS = 20 };
  nnb_net *net[2] = {nnb_net_create(4), nnb_net_create(4)};
  real x[ROWS * 4], y[ROWS * 3];
  toy_fill(x, sizeof x / sizeof *x, 20), toy_fill(y, sizeof y / sizeof *y, 21);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .t = nnb_cview(y, ROWS, 3)};
  nnb_net_own_layer(net[0], &mine, NULL, NULL, 0, NNB_LINEAR, NULL);
  nnb_net_dense_opts(net[1], &(nnb_dense_opts){.units = 3, .no_bias = true, .init = NNB_INIT_ZEROS});
  for (int k = 0; k < 2; k++) {
    nnb_plan *plan;
    nnb_optim *optim;
    ck_ok(nnb_plan_create(net[k], &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
    ck_ok(nnb_optim_create(net[k], &(nnb_optim_opts){.algo = NNB_KFAC}, &optim));
    for (int u = 0; u < 5; u++) ck_ok(nnb_train_step(net[k], plan, &rows, optim, NULL));
    nnb_optim_destroy(optim);
    nnb_plan_destroy(plan);
  }
  for (int p = 0; p < 12; p++)
    ck_near(nnb_net_params_read(net[0])[p], nnb_net_params_read(net[1])[p], 0, "parameter %d", p);
  ck_assert(nnb_net_params_read(net[0])[0] != 0);
  nnb_net_destroy(net[0]), nnb_net_destroy(net[1]);
}
END_TEST

/* A gain with a buffer: the number of its calls of prepare_back, and of their rows. */
static atomic_int prepared, prepared_rows;
static void counting_prepare(const void *self, const nnb_layer_io *io) {
  (void)self;
  atomic_fetch_add(&prepared, 1);
  atomic_fetch_add(&prepared_rows, io->delta.rows);
}

/* All rows at once, with targets of the model (0) and of the data (1): for the gradient and for the scores. */
START_TEST(layers_with_buffers_get_all_rows) {
  enum { ROWS = 256, N = 100 };
  static real x[ROWS * N], y[ROWS * 2];
  static nnb_layer_ops counting;
  counting = toy_gain;
  counting.shape = toy_whole_shape, counting.prepare_back = counting_prepare;
  toy_fill(x, ROWS * N, 20), toy_fill(y, ROWS * 2, 21);
  const nnb_batch rows = {.x = nnb_cview(x, ROWS, N), .t = nnb_cview(y, ROWS, 2)};
  nnb_net *net = nnb_net_create(N);
  nnb_plan *plan;
  nnb_optim *optim;
  const int a = nnb_net_dense(net, N, NNB_TANH);
  nnb_net_own_layer(net, &counting, &(toy_gain_fields){.power = 2, .factor = 0.25}, &a, 1, NNB_LINEAR, NULL);
  nnb_net_dense(net, 2, NNB_LINEAR);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .threads = 4, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC, .data_fisher = _i}, &optim));
  prepared = prepared_rows = 0;
  ck_ok(nnb_train_step(net, plan, &rows, optim, NULL));
  const int n_calls = prepared, n_rows = prepared_rows;
  ck_assert_int_eq(n_calls, 2);
  ck_assert_int_eq(n_rows, ROWS + nnb__kfac_rows(ROWS));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Numbers that prepare_back computes from all rows give no gradients of single ones. */
START_TEST(layers_with_work_are_refused) {
  static nnb_layer_ops working;
  working = toy_gain;
  working.shape = toy_working_shape, working.prepare_back = counting_prepare;
  nnb_net *net = nnb_net_create(2);
  nnb_optim *optim;
  nnb_net_own_layer(net, &working, &(toy_gain_fields){.power = 2, .factor = 0.25}, (int[]){1}, 1, NNB_LINEAR, NULL);
  ck_assert_int_eq(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC}, &optim), NNB_E_UNSUPPORTED);
  ck_assert(strstr(nnb_errmsg(), "gain") && strstr(nnb_errmsg(), "work"));
  ck_assert_ptr_null(optim);
  nnb_net_destroy(net);
}
END_TEST

/* With targets of the data, the means of a layer that computes its gradient from numbers of prepare_back are those of
 * the gradients of single rows: E g² = Σ g_i²/ω, with ω = 1/ROWS the share of a row. */
START_TEST(prepared_layers_are_scaled) {
  enum { ROWS = 8 };
  trainer t = start("1x3-gru2-2", ROWS, &(nnb_optim_opts){.data_fisher = true});
  const nnb__kfac_block *block = &t.optim->kfac->block[0];
  real x[ROWS * 3], y[ROWS * 2], g[MOST_PARAMS];
  double want[MOST_PARAMS] = {0};
  toy_fill(x, ROWS * 3, 20), toy_fill(y, ROWS * 2, 21);
  const nnb_batch rows = {.x = nnb_cview(x, ROWS, 3), .t = nnb_cview(y, ROWS, 2)};
  for (int i = 0; i < ROWS; i++) {
    const nnb_batch row = {.x = nnb_cview(x + 3 * i, 1, 3), .t = nnb_cview(y + 2 * i, 1, 2), .norm = ROWS};
    ck_ok(nnb_plan_gradient(t.plan, &row, 0, NULL, g));
    for (size_t p = 0; p < block->size; p++) want[p] += ROWS * (double)g[p] * (double)g[p];
  }
  ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL));
  ck_assert_ptr_nonnull(block->diagonal);
  for (size_t p = 0; p < block->size; p++)
    ck_near(block->diagonal[p], want[p], TOL(1e-13, 1e-5) + TOL(1e-10, 1e-3) * want[p], "E g², %zu", p);
  end(&t);
}
END_TEST

/* ½(a-t)² with targets that are always one above the outputs: every score is -1. */
static double above_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  double sum = 0;
  (void)self;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      real r = a.p[i * a.ld + j] - batch->t.p[i * batch->t.ld + j];
      sum += 0.5 * (double)(r * r);
      if (da.p) da.p[i * da.ld + j] = scale * r;
    }
  return sum;
}
static void above_sample(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self, (void)rng;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) t.p[i * t.ld + j] = a.p[i * a.ld + j] + 1;
}
static const nnb_loss_ops above = {.name = "above", .value = above_value, .sample = above_sample};

START_TEST(own_losses_may_be_drawn_from) {
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan;
  nnb_optim *optim;
  real x[] = {1, 2, 3, 4}, y[6] = {0};
  nnb_batch rows = {.x = nnb_cview(x, 2, 2), .t = nnb_cview(y, 2, 3)};
  nnb_net_dense(net, 3, NNB_LINEAR);
  ck_ok(nnb_net_loss(net, (nnb_loss)nnb_net_own_loss(net, &above)));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 2, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC}, &optim));
  ck_ok(nnb_train_step(net, plan, &rows, optim, NULL));
  for (int i = 0; i < 9; i++)
    ck_near(mean_at(&optim->kfac->block[0].out, i / 3, i % 3), 2, TOL(1e-14, 1e-5), "G, %d", i);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Targets that are always close to the outputs: the model sees almost no curvature, and its steps are far too long. */
static void near_sample(const nnb_loss_ops *self, nnb_cmat a, nnb_rng *rng, nnb_mat t) {
  (void)self, (void)rng;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) t.p[i * t.ld + j] = a.p[i * a.ld + j] + (real)0.01;
}
static const nnb_loss_ops near_by = {.name = "near by", .value = above_value, .sample = near_sample};

START_TEST(what_is_taken_back_leaves_no_trace) {
  const nnb_optim_opts opts = {.algo = NNB_KFAC, .l1 = 0.1, .l2 = 0.1};
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan;
  nnb_optim *optim;
  real x[] = {1, 2, 3, 4}, y[] = {5, 6, 7, 8, 9, 10}, before[9];
  nnb_batch rows = {.x = nnb_cview(x, 2, 2), .t = nnb_cview(y, 2, 3)};
  nnb_net_dense(net, 3, NNB_LINEAR);
  ck_ok(nnb_net_loss(net, (nnb_loss)nnb_net_own_loss(net, &near_by)));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 2, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &opts, &optim));
  memcpy(before, nnb_net_params_read(net), sizeof before);
  ck_ok(nnb_train_step(net, plan, &rows, optim, NULL));
  for (int p = 0; p < 9; p++) ck_near(nnb_net_params_read(net)[p], before[p], 0, "parameter %d", p);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(frozen_parts_stay) {
  enum { ROWS = 20 };
  static const unsigned parts[] = {NNB_WEIGHTS, NNB_BIAS, NNB_WEIGHTS | NNB_BIAS};
  trainer t = start("4-5:tanh-3", ROWS, &(nnb_optim_opts){.l2 = 0.01, .l1 = 0.001, .ema = 0.5});
  real x[ROWS * 4], y[ROWS * 3], before[MOST_PARAMS];
  toy_fill(x, sizeof x / sizeof *x, 13), toy_fill(y, sizeof y / sizeof *y, 14);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .t = nnb_cview(y, ROWS, 3)};
  ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL)); /* also if frozen between two inversions */
  for (int k = 0; k < 3; k++) {
    ck_ok(nnb_net_freeze(t.net, 2, parts[k]));
    memcpy(before, nnb_net_params_read(t.net), t.n * sizeof *before);
    for (int u = 0; u < 4; u++) {
      /* the last change before a parameter was frozen does not move it either */
      ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL));
      for (size_t p = 0; p < t.n; p++) {
        bool frozen = (p < 20 && parts[k] & NNB_WEIGHTS) || (p >= 20 && p < 25 && parts[k] & NNB_BIAS);
        bool moved = nnb_net_params_read(t.net)[p] != before[p];
        ck_assert_msg(moved == !frozen, "parts %u: parameter %zu %s", parts[k], p, moved ? "moved" : "stayed");
      }
    }
  }
  end(&t);
}
END_TEST

/* Inputs that never vary and dead units: singular factors. */
START_TEST(singular_factors_are_damped) {
  enum { ROWS = 20 };
  trainer t = start("4-5:relu-3:softmax", ROWS, &(nnb_optim_opts){.damping = 1e-12});
  real x[ROWS * 4] = {0};
  int32_t label[ROWS];
  for (int i = 0; i < ROWS; i++) x[i * 4] = i % 2 ? 1 : -1, label[i] = i % 2;
  memset(nnb_net_params(t.net), 0, 10 * sizeof(real));
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 4), .label = label};
  for (int k = 0; k < 30; k++) ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL));
  for (size_t p = 0; p < t.n; p++) ck_assert(isfinite(nnb_net_params_read(t.net)[p]));
  end(&t);
}
END_TEST

/* ---- the same seed, the same bits ------------------------------------------------------------------------------- */

static uint64_t digest(uint64_t seed, int threads) {
  nnb_data *data = toy_classes(MOST_ROWS, 6, 3);
  nnb_net *net;
  ck_ok(nnb_net_parse("6-8:tanh-3:softmax", &net));
  nnb_fit_opts opts = {
      .algo = NNB_KFAC, .batch = 60, .max_epochs = 4, .seed = seed, .in_order = true, .threads = threads};
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  uint64_t h = toy_hash_net(1, net);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  return h;
}

START_TEST(a_seed_decides) {
  ck_assert_uint_eq(digest(1, 1), digest(1, 1));
  ck_assert_uint_eq(digest(1, 2), digest(1, 2));
  ck_assert_uint_ne(digest(1, 1), digest(2, 1));
}
END_TEST

/* Batches that are small for it: without bounds of its steps, one start in five ends with a high loss. */
START_TEST(classes_are_learnt) {
  const uint64_t seed = (uint64_t)_i;
  nnb_data *data = toy_classes(MOST_ROWS, 6, 3);
  nnb_net *net;
  nnb_report report;
  nnb_fit_opts opts = {.algo = NNB_KFAC, .batch = 100, .max_epochs = 40, .seed = seed};
  ck_ok(nnb_net_parse("6-20:tanh-3:softmax", &net));
  nnb_net_seed(net, seed);
  ck_ok(nnb_fit(net, data, NULL, &opts, &report));
  ck_assert_int_eq(report.algo, NNB_KFAC);
  ck_assert_msg(report.loss < 0.15, "start %d: the loss is %g after 40 epochs", _i, report.loss);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* Where rows are told apart ever better, their scores vanish, and a step may lead away from all that was learnt. */
START_TEST(what_is_learnt_stays) {
  nnb_data *data = toy_classes(120, 4, 3);
  nnb_net *net;
  nnb_report report;
  nnb_fit_opts opts = {.algo = NNB_KFAC, .batch = NNB_FULL_BATCH, .max_epochs = 300, .threads = 1};
  double loss[300], least = HUGE_VAL;
  ck_ok(nnb_net_parse("4-16:tanh-3:softmax", &net));
  nnb_net_seed(net, (uint64_t)_i);
  ck_ok(nnb_fit(net, data, NULL, &opts, &report));
  ck_assert_int_eq(report.n_history, 300);
  ck_ok(nnb_report_history(&report, "loss", loss));
  for (int k = 20; k < 300; k++) {
    ck_assert_msg(loss[k] < 0.05 + 10 * least, "start %d, epoch %d: %g after %g", _i, k + 1, loss[k], least);
    least = fmin(least, loss[k]);
  }
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

/* ---- failures --------------------------------------------------------------------------------------------------- */

START_TEST(options_that_make_no_sense) {
  static const nnb_optim_opts bad[] = {
      {.momentum = 0.9}, {.damping = -1}, {.damping = HUGE_VAL}, {.invert_every = -1}, {.beta2 = 1}};
  trainer t = start("4-3", 1, &(nnb_optim_opts){0});
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    nnb_optim *optim;
    nnb_optim_opts opts = bad[i];
    opts.algo = NNB_KFAC;
    ck_assert_msg(nnb_optim_create(t.net, &opts, &optim) == NNB_E_ARG, "case %zu is taken", i);
    ck_assert_ptr_null(optim);
  }
  real g[15] = {0}, before[15];
  memcpy(before, nnb_net_params_read(t.net), sizeof before);
  ck_assert_int_eq(nnb_optim_step(t.optim, t.net, g), NNB_E_UNSUPPORTED);
  ck_assert_mem_eq(before, nnb_net_params_read(t.net), sizeof before);
  nnb_data *data = toy_regression(10, 4, 3);
  ck_assert_int_eq(nnb_fit(t.net, data, NULL, &(nnb_fit_opts){.algo = NNB_LBFGS, .damping = 1}, NULL), NNB_E_ARG);
  nnb_data_destroy(data);
  end(&t);
}
END_TEST

START_TEST(nan_is_reported) {
  trainer t = start("4-5:tanh-3", 10, &(nnb_optim_opts){0});
  real x[40], y[30];
  toy_fill(x, 40, 15), toy_fill(y, 30, 16);
  nnb_batch rows = {.x = nnb_cview(x, 10, 4), .t = nnb_cview(y, 10, 3)};
  ck_ok(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL));
  x[17] = (real)NAN;
  ck_assert_int_eq(nnb_train_step(t.net, t.plan, &rows, t.optim, NULL), NNB_E_NUMERIC);
  end(&t);
}
END_TEST

/* A plan with NNB_KEEP shows its results, and reports those that it no longer has. */
START_TEST(a_keeping_plan_shows_the_gradient) {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_cmat view;
  real x[40], y[30], g[MOST_PARAMS];
  toy_fill(x, 40, 15), toy_fill(y, 30, 16);
  nnb_batch rows = {.x = nnb_cview(x, 10, 4), .t = nnb_cview(y, 10, 3)};
  ck_ok(nnb_net_parse("4-5:tanh-3", &net));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 10, .want = NNB_GRAD | NNB_KEEP}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC}, &optim));
  ck_ok(nnb_plan_gradient(plan, &rows, 0, NULL, g));
  ck_ok(nnb_train_step(net, plan, &rows, optim, NULL));
  ck_ok(nnb_plan_view(plan, 2, NNB_DW, &view));
  for (int i = 0; i < 20; i++) ck_near(view.p[i], g[i], 0, "∂E/∂W, %d", i);
  ck_assert_int_eq(nnb_plan_view(plan, 3, NNB_DELTA, &view), NNB_E_STATE);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kfac on nets, " PRECISION);
  TCase *tc = tcase_create("kfac");
  tcase_set_timeout(tc, 200);
  tcase_add_test(tc, a_graph_with_own_parts_is_trained);
  tcase_add_test(tc, own_layers_may_have_pairs);
  tcase_add_loop_test(tc, layers_with_buffers_get_all_rows, 0, 2);
  tcase_add_test(tc, layers_with_work_are_refused);
  tcase_add_test(tc, prepared_layers_are_scaled);
  tcase_add_test(tc, own_losses_may_be_drawn_from);
  tcase_add_test(tc, what_is_taken_back_leaves_no_trace);
  tcase_add_test(tc, frozen_parts_stay);
  tcase_add_test(tc, singular_factors_are_damped);
  tcase_add_test(tc, a_seed_decides);
  tcase_add_loop_test(tc, classes_are_learnt, 0, 10);
  tcase_add_loop_test(tc, what_is_learnt_stays, 0, 10);
  tcase_add_test(tc, options_that_make_no_sense);
  tcase_add_test(tc, nan_is_reported);
  tcase_add_test(tc, a_keeping_plan_shows_the_gradient);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
