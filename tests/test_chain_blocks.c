/* Narrow chains in blocks (nn/chain_blocks.c) against the same plan layer by layer: activations, losses, shapes, rows
 * around the borders of blocks, threads; and every level of the kernel. */
#include "kernel_support.h"
#include "run.h"

enum { MOST_ROWS = 4000, MOST_COLS = 64, MOST_PARAMS = 20000 };
static const double tolerance = 400 * (double)REAL_EPS;

static real x[MOST_ROWS * MOST_COLS], t[MOST_ROWS * MOST_COLS], weight[MOST_ROWS];
static int32_t label[MOST_ROWS];

static void fill_data(void) {
  uint64_t state = 7;
  for (int i = 0; i < N_OF_TABLE(x); i++) x[i] = noise(&state), t[i] = (noise(&state) + 2) / 4;
  for (int i = 0; i < MOST_ROWS; i++) weight[i] = i % 5 == 3 ? 0 : 1 + noise(&state) / 2, label[i] = i * 7 % 11;
}

static void ok(nnb_status status) { expect(status == NNB_OK, "%s", nnb_errmsg()); }

static nnb_net *parsed(const char *text, int loss) {
  nnb_net *net;
  ok(nnb_net_parse(text, &net));
  if (loss) ok(nnb_net_loss(net, (nnb_loss)loss));
  return net;
}

static nnb_batch batch_of(const nnb_net *net, int rows) {
  return (nnb_batch){.x = nnb_cview(x, rows, nnb_net_n_in(net)), .t = nnb_cview(t, rows, nnb_net_n_out(net))};
}

static nnb_plan *plan_by(nnb_net *net, const nnb__exec *exec, int rows, int threads) {
  nnb_plan *plan;
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows, .want = NNB_GRAD, .threads = threads}, &plan));
  expect(nnb__plan_force(plan, exec), "%s declined", exec->name);
  return plan;
}

typedef struct result {
  double loss, loss_alone;
  real y[MOST_ROWS * MOST_COLS], g[MOST_PARAMS];
} result;

/* The gradient is added to what is there; y has a gap behind each row. */
static void compute(nnb_plan *plan, const nnb_batch *b, int n_out, result *r) {
  const int ld = n_out < MOST_COLS ? n_out + 1 : n_out;
  for (int i = 0; i < MOST_PARAMS; i++) r->g[i] = (real)0.25;
  for (int i = 0; i < b->x.rows * ld; i++) r->y[i] = -7;
  ok(nnb_plan_gradient(plan, b, 0.5, &r->loss, r->g));
  ok(nnb_plan_loss(plan, b, &r->loss_alone));
  ok(nnb_plan_predict(plan, b->x, (nnb_mat){r->y, b->x.rows, n_out, ld}));
}

static void near(double got, double want, double scale, const char *what, int i, const char *name) {
  expect(fabs(got - want) <= tolerance * fmax(scale, fabs(want)), "%s: %s[%d] is %.9g, layer by layer %.9g", name, what,
         i, got, want);
}

/* Both ways give the same; a second run gives the same bits. */
static void compare(nnb_net *net, const nnb_batch *b, int threads, const char *name) {
  static result want, got, again;
  nnb_plan *layers = plan_by(net, &nnb__exec_layerwise, b->x.rows, 1),
           *layout = plan_by(net, &nnb__exec_chain_blocks, b->x.rows, threads);
  const int n_out = nnb_net_n_out(net), ld = n_out < MOST_COLS ? n_out + 1 : n_out;
  const size_t n = nnb_net_n_params(net);
  double scale = 1;
  compute(layers, b, n_out, &want);
  compute(layout, b, n_out, &got);
  compute(layout, b, n_out, &again);
  near(got.loss, want.loss, 1, "loss", 0, name);
  near(got.loss_alone, want.loss, 1, "loss without gradient", 0, name);
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs((double)want.g[i]));
  for (size_t i = 0; i < n; i++) near((double)got.g[i], (double)want.g[i], scale, "gradient", (int)i, name);
  for (int i = 0; i < b->x.rows * ld; i++) near((double)got.y[i], (double)want.y[i], 1, "output", i, name);
  for (size_t i = 0; i < n; i++) expect(same_bits(got.g[i], again.g[i]), "%s: gradient[%d] changes", name, (int)i);
  nnb_plan_destroy(layers);
  nnb_plan_destroy(layout);
}

static void compare_text(const char *text, int loss, int rows, int threads) {
  nnb_net *net = parsed(text, loss);
  nnb_batch b = batch_of(net, rows);
  char name[200];
  snprintf(name, sizeof name, "%s, loss %d, %d rows, %d threads", text, loss, rows, threads);
  compare(net, &b, threads, name);
  nnb_net_destroy(net);
}

/* ---- the tables ------------------------------------------------------------------------------------------------- */

START_TEST(activations_and_losses) {
  char text[100];
  for (int loss = 1; loss < NNB_N_LOSSES; loss++) {
    if (activation_is_layerwise((nnb_activation)_i) || loss_is_layerwise((nnb_loss)loss)) continue;
    const char *act = nnb_activation_name((nnb_activation)_i), *end = act; /* cross-entropies need probabilities */
    if (loss == NNB_BINARY_CROSS_ENTROPY) end = "sigmoid";
    if (loss == NNB_CROSS_ENTROPY) end = "softmax";
    snprintf(text, sizeof text, "5-7:%s-6:%s-3:%s", act, act, end);
    compare_text(text, loss, 53, 1);
    snprintf(text, sizeof text, "5-7:%s-%d:%s", act, strcmp(end, "softmax") == 0 ? 2 : 1, end);
    compare_text(text, loss, 53, 1);
  }
}
END_TEST

static const int widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 40, 64};
START_TEST(shapes) {
  char text[100];
  for (int k = 0; k < N_OF_TABLE(widths); k++) {
    const int other = widths[(k * 5 + _i) % N_OF_TABLE(widths)];
    snprintf(text, sizeof text, "%d-%d:tanh-%d", widths[_i], widths[k], other);
    compare_text(text, 0, 37, 1);
  }
}
END_TEST

START_TEST(depths) {
  compare_text("6-4", 0, 60, 1);
  compare_text("6-9:tanh-4", 0, 60, 1);
  compare_text("6-9:tanh-3:gelu-5:relu-4:softmax", 0, 60, 1);
  compare_text("1-2:silu-20:softplus-3:elu-2:selu-1", 0, 60, 1);
}
END_TEST

START_TEST(rows_around_borders) {
  static const int around[] = {1, 16, 32, 48, 64, 96, 128, 144, 192, 256, 384};
  for (int k = 0; k < N_OF_TABLE(around); k++)
    for (int rows = around[k] - 1; rows <= around[k] + 1; rows++) {
      if (rows < 1) continue;
      compare_text("3-5:tanh-2", 0, rows, 1);
      compare_text("20-33:tanh-17:relu-4:softmax", 0, rows, 1);
    }
}
END_TEST

START_TEST(threads_share_rows) {
  compare_text("4-32:tanh-16:tanh-4", 0, MOST_ROWS, _i);
  compare_text("4-32:tanh-16:tanh-4", 0, MOST_ROWS - 1, _i);
  compare_text("10-20:relu-20:relu-1", 0, 777, _i);
}
END_TEST

START_TEST(without_biases) {
  nnb_net *net = nnb_net_create(5);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 6, .activation = NNB_TANH, .no_bias = true});
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 7, .activation = NNB_SIGMOID});
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .no_bias = true});
  nnb_batch b = batch_of(net, 70);
  compare(net, &b, 1, "without biases");
  nnb_net_destroy(net);
}
END_TEST

START_TEST(labels_and_weights) {
  static const char *const texts[] = {"5-7:tanh-11:softmax", "5-7:tanh-11:sigmoid"};
  for (int loss = 1; loss < NNB_N_LOSSES; loss++) {
    if (loss_is_layerwise((nnb_loss)loss)) continue;
    nnb_net *net = parsed(texts[loss != NNB_CROSS_ENTROPY], loss);
    nnb_batch b = batch_of(net, 90);
    b.weight = weight;
    compare(net, &b, 1, "weights");
    b.label = label, b.t = (nnb_cmat){0};
    compare(net, &b, 1, "weights and labels");
    b.weight = NULL, b.norm = 1000;
    compare(net, &b, 1, "labels and a norm");
    nnb_net_destroy(net);
  }
}
END_TEST

/* A sample of weight 0 does not count, even if its loss is infinite. */
START_TEST(weight_of_zero) {
  static result r;
  nnb_net *net = parsed("5-7:tanh-3", 0);
  nnb_plan *plan = plan_by(net, &nnb__exec_chain_blocks, 50, 1);
  nnb_batch b = batch_of(net, 50);
  b.weight = weight;
  const real held = t[3 * 3];
  t[3 * 3] = REAL_MAX;
  compute(plan, &b, 3, &r);
  t[3 * 3] = held;
  ck_assert(isfinite(r.loss));
  for (size_t i = 0; i < nnb_net_n_params(net); i++) ck_assert(isfinite(r.g[i]));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* Views with gaps, rows in an order, scalers, frozen parts, chunks: parameters after some updates. */
static void train(nnb_algo algo, const nnb__exec *exec, real *params) {
  enum { ROWS = 111, CHUNK = 40, BATCH = 50 };
  int32_t order[ROWS];
  double shift[] = {0.5, -1, 0, 2, 1}, factor[] = {2, 0.5, 1, 3, 1};
  nnb_net *net = nnb_net_create(5);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 6, .activation = NNB_TANH, .frozen = NNB_BIAS});
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .activation = NNB_SIGMOID, .frozen = NNB_WEIGHTS});
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3});
  real s[5], f[5];
  for (int j = 0; j < 5; j++) s[j] = (real)shift[j], f[j] = (real)factor[j];
  ok(nnb__net_set_scaler(net, false, NNB_STANDARDIZE, 5, s, f));
  ok(nnb__net_set_scaler(net, true, NNB_STANDARDIZE, 3, s, f));
  for (int i = 0; i < ROWS; i++) order[i] = (i * 37) % ROWS;
  nnb_optim *optim;
  nnb_plan *plan = plan_by(net, exec, CHUNK, 1);
  ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = algo, .lr = 0.01, .l2 = 0.1}, &optim));
  nnb_batch rows = {.x = {x, ROWS, 5, 9}, .t = {t, ROWS, 3, 8}, .weight = weight};
  for (int epoch = 0; epoch < 3; epoch++) ok(nnb_train_rows(net, plan, &rows, order, rows.x.rows, BATCH, optim, NULL));
  memcpy(params, nnb_net_params(net), nnb_net_n_params(net) * sizeof *params);
  params[nnb_net_n_params(net)] = (real)NAN;
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
START_TEST(trained_parameters) {
  static const nnb_algo algos[] = {NNB_SGD, NNB_MOMENTUM, NNB_NESTEROV, NNB_RMSPROP, NNB_LION};
  static real want[200], got[200];
  train(algos[_i], &nnb__exec_layerwise, want);
  train(algos[_i], &nnb__exec_chain_blocks, got);
  for (int i = 0; !isnan(want[i]); i++)
    near((double)got[i], (double)want[i], 1, "parameter", i, nnb_algo_name(algos[_i]));
}
END_TEST

/* Plans whose results are viewed afterwards, and wide nets, are declined. */
START_TEST(declines) {
  nnb_plan *plan;
  nnb_net *net = parsed("5-7:tanh-3", 0), *wide = parsed("5-65:tanh-3", 0);
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 9, .want = NNB_GRAD | NNB_KEEP}, &plan));
  ck_assert(!nnb__plan_force(plan, &nnb__exec_chain_blocks));
  nnb_plan_destroy(plan);
  ok(nnb_plan_create(wide, &(nnb_plan_opts){.max_rows = 9}, &plan));
  ck_assert(!nnb__plan_force(plan, &nnb__exec_chain_blocks));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  nnb_net_destroy(wide);
}
END_TEST

static void predict_by(nnb_net *net, const nnb__exec *exec, nnb_cmat rows, real *y) {
  nnb_plan *plan;
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows.rows}, &plan));
  expect(nnb__plan_force(plan, exec), "%s declined", exec->name);
  ok(nnb_plan_predict(plan, rows, nnb_view(y, rows.rows, nnb_net_n_out(net))));
  nnb_plan_destroy(plan);
}

/* A plan for predictions only, with a NaN row: it does not affect other rows, for any activation. */
START_TEST(predictions_only) {
  enum { ROWS = 131, IN = 10, OUT = 3, BAD = 70 };
  static real rows[ROWS * IN], want[ROWS * OUT], got[ROWS * OUT];
  char text[64];
  if (_i == NNB_STEP) return; /* its value for NaN is a number */
  if (activation_is_layerwise((nnb_activation)_i)) return;
  snprintf(text, sizeof text, "10-20:%s-7:%s-3:%s", nnb_activation_name((nnb_activation)_i),
           nnb_activation_name((nnb_activation)_i), nnb_activation_name((nnb_activation)_i));
  memcpy(rows, x, sizeof rows);
  rows[BAD * IN + 3] = (real)NAN;
  nnb_net *net = parsed(text, 0);
  predict_by(net, &nnb__exec_layerwise, nnb_cview(rows, ROWS, IN), want);
  predict_by(net, &nnb__exec_chain_blocks, nnb_cview(rows, ROWS, IN), got);
  for (int i = 0; i < ROWS * OUT; i++)
    if (i / OUT == BAD)
      expect(isnan(got[i]) && isnan(want[i]), "%s: %g and %g from NaN", text, (double)got[i], (double)want[i]);
    else
      near((double)got[i], (double)want[i], 1, "y", i, text);
  nnb_net_destroy(net);
}
END_TEST

/* ---- images ------------------------------------------------------------------------------------------------------ */

static const char *const images[] = {
    "1x8x8-conv3@3:tanh-maxpool2-conv4@2:relu-avgpool2-3:softmax",
    "2x5x6-conv7@3:silu:pad=1-maxpool3x2:stride=1-5:tanh-2",
    "1x7x7-maxpool2:stride=1-conv13@2x3:relu:stride=2-flatten-4:sigmoid-2",
    "3x15-conv5@4:gelu:stride=3:pad=2-avgpool2:stride=1-conv6@2:tanh:bias=0-3",
    "2x4x4-conv17@1:tanh-conv8@3:relu:pad=2-avgpool3:tanh-1",
    "1x6x9-conv11@3x5:leaky_relu-maxpool2:stride=2-6:tanh-70:tanh-4:softmax",
};
START_TEST(images_by_level) {
  static const int rows[] = {1, 7, 16, 17, 37, 100};
  nnb__kernel_limit(_i);
  for (int k = 0; k < N_OF_TABLE(images); k++)
    for (int i = 0; i < N_OF_TABLE(rows); i++) compare_text(images[k], 0, rows[i], 1 + i % 3);
  nnb__kernel_limit(n_levels() - 1);
}
END_TEST

/* The largest number of a window is NaN if one of them is; infinities are numbers. */
START_TEST(pools_of_nan) {
  enum { ROWS = 40, IN = 16 };
  static real rows[ROWS * IN], want[ROWS], got[ROWS];
  nnb_net *net = parsed("1x4x4-maxpool2-conv1@2:init=uniform", 0);
  memcpy(rows, x, sizeof rows);
  for (int k = 0; k < IN; k++) rows[k * IN + k] = (real)NAN, rows[(k + IN) * IN + k] = (real)INFINITY;
  predict_by(net, &nnb__exec_layerwise, nnb_cview(rows, ROWS, IN), want);
  predict_by(net, &nnb__exec_chain_blocks, nnb_cview(rows, ROWS, IN), got);
  for (int i = 0; i < ROWS; i++) {
    expect(isnan(got[i]) == (i < IN) && isnan(want[i]) == (i < IN), "row %d: %g, %g", i, (double)got[i],
           (double)want[i]);
    expect(isinf(got[i]) == isinf(want[i]), "row %d: %g, %g", i, (double)got[i], (double)want[i]);
  }
  nnb_net_destroy(net);
}
END_TEST

/* ---- levels ----------------------------------------------------------------------------------------------------- */

START_TEST(levels_agree) {
  enum { ROWS = 75, BLOCK = 64, N_PARAMS = 24 + 35 + 24, FEATURES = 3 + 6 + 5 + 5 + 4 + 4 + 1 + 6 };
  static const nnb__link link[] = {
      {.n_in = 3, .n_out = 6, .rows = 3, .cols = 6, .bias = true, .act = NNB_TANH, .off = 0},
      {.n_in = 6, .n_out = 5, .rows = 6, .cols = 5, .bias = true, .act = NNB_SILU, .off = 24},
      {.n_in = 5, .n_out = 4, .rows = 5, .cols = 4, .bias = true, .act = NNB_SOFTMAX, .off = 59}};
  static const int a[] = {3, 9, 19}, z[] = {3, 14, 19};
  const nnb__chain_blocks layout = {
      .chain = {.link = link, .n = 3, .widest = 6, .loss = NNB_CROSS_ENTROPY, .factor = 1},
      .rows = BLOCK,
      .a = a,
      .z = z,
      .t = 23,
      .weight = 27,
      .back = 28,
      .n_params = N_PARAMS};
  static real params[N_PARAMS], room[(FEATURES + 1) * BLOCK], want[N_PARAMS], got[N_PARAMS], y[ROWS * 4], y0[ROWS * 4];
  uint64_t state = 3;
  for (int i = 0; i < N_PARAMS; i++) params[i] = noise(&state);
  const nnb_batch batch = {.x = nnb_cview(x, ROWS, 3), .t = nnb_cview(t, ROWS, 4)};
  nnb__chain_blocks_job job = {.params = params, .batch = &batch, .loss = true, .scale = 1, .y = nnb_view(y0, ROWS, 4)};
  const double loss = nnb__kernel_level(0)->chain_blocks(&layout, &job, 0, ROWS, room, want);
  for (int i = 0; i < BLOCK; i++) room[FEATURES * BLOCK + i] = -777;
  job.y = nnb_view(y, ROWS, 4);
  near(nnb__kernel_level(_i)->chain_blocks(&layout, &job, 0, ROWS, room, got), loss, 1, "loss", 0,
       nnb__kernel_level(_i)->level);
  for (int i = 0; i < N_PARAMS; i++) near((double)got[i], (double)want[i], 10, "g", i, nnb__kernel_level(_i)->level);
  for (int i = 0; i < ROWS * 4; i++) near((double)y[i], (double)y0[i], 1, "y", i, nnb__kernel_level(_i)->level);
  for (int i = 0; i < BLOCK; i++) ck_assert(same_bits(room[FEATURES * BLOCK + i], -777));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("chain_blocks");
  TCase *tc = tcase_create("chain_blocks");
  tcase_add_unchecked_fixture(tc, fill_data, NULL);
  tcase_add_loop_test(tc, activations_and_losses, 0, NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, shapes, 0, N_OF_TABLE(widths));
  tcase_add_test(tc, depths);
  tcase_add_test(tc, rows_around_borders);
  tcase_add_loop_test(tc, threads_share_rows, 1, 5);
  tcase_add_test(tc, without_biases);
  tcase_add_test(tc, labels_and_weights);
  tcase_add_test(tc, weight_of_zero);
  tcase_add_loop_test(tc, trained_parameters, 0, 5);
  tcase_add_test(tc, declines);
  tcase_add_loop_test(tc, predictions_only, 0, NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, images_by_level, 0, n_levels());
  tcase_add_test(tc, pools_of_nan);
  tcase_add_loop_test(tc, levels_agree, 0, n_levels());
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
