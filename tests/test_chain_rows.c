/* Updates of one row each and predictions of one row, by the executor for them, against layerwise: every activation
 * with every loss, many shapes, on all levels of vector instructions. */
#include <pthread.h>

#include "kernel_support.h"
#include "optim.h"
#include "run.h"

#ifdef NNB_SINGLE
#define PRECISION "single"
#else
#define PRECISION "double"
#endif

#define ck_ok(call) ck_assert_msg((call) == NNB_OK, "%s: %s", #call, nnb_errmsg())

static void fill_numbers(real *p, size_t n, uint64_t stream) {
  nnb_rng rng;
  nnb_rng_init(&rng, 77, stream);
  for (size_t i = 0; i < n; i++) p[i] = (real)(2 * nnb_rng_uniform(&rng) - 1);
}

enum { ROWS = 24, MOST = 60 };

/* Rows in which three of four inputs are 0, targets in (0, 1), labels, weights. */
typedef struct rows {
  real *x, *t, *weight;
  int32_t label[ROWS], order[2 * ROWS];
  int n_in, n_out;
} rows;

static rows rows_for(const nnb_net *net) {
  rows r = {.n_in = nnb_net_n_in(net), .n_out = nnb_net_n_out(net)};
  size_t n_x = (size_t)(ROWS * r.n_in), n_t = (size_t)(ROWS * r.n_out);
  r.x = malloc(n_x * sizeof(real)), r.t = malloc(n_t * sizeof(real)), r.weight = malloc(ROWS * sizeof(real));
  ck_assert(r.x && r.t && r.weight);
  fill_numbers(r.x, n_x, 1), fill_numbers(r.t, n_t, 2), fill_numbers(r.weight, ROWS, 3);
  for (size_t i = 0; i < n_x; i++)
    if ((i * 7 + i / 5) % 4) r.x[i] = 0;
  for (size_t i = 0; i < n_t; i++) r.t[i] = (r.t[i] + (real)1.25) / (real)2.5;
  for (int i = 0; i < ROWS; i++) {
    r.weight[i] = i % 5 == 3 ? 0 : r.weight[i] + (real)1.5;
    r.label[i] = (i * 5 + 1) % (r.n_out > 1 ? r.n_out : 2);
  }
  for (int i = 0; i < 2 * ROWS; i++) r.order[i] = i * 11 % ROWS;
  return r;
}

static void free_rows(rows *r) { free(r->x), free(r->t), free(r->weight); }

/* The result of one net, run one way. */
typedef struct twin {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
} twin;

static twin make_twin(const nnb_net *net, const nnb_optim_opts *opts, const nnb__exec *exec, int level) {
  twin t = {0};
  ck_ok(nnb_net_copy(net, &t.net));
  ck_ok(nnb_plan_create(t.net, &(nnb_plan_opts){.max_rows = 1, .threads = 1, .want = NNB_GRAD}, &t.plan));
  ck_ok(nnb_optim_create(t.net, opts, &t.optim));
  ck_assert_msg(nnb__plan_force(t.plan, exec), "%s declines", exec->name);
  if (exec == &nnb__exec_chain_rows) nnb__chain_rows_use(t.plan, nnb__kernel_level(level));
  return t;
}

static void destroy_twin(twin *t) {
  nnb_optim_destroy(t->optim);
  nnb_plan_destroy(t->plan);
  nnb_net_destroy(t->net);
}

static void expect_near(const char *what, double got, double want, double tol, const char *name, int level) {
  expect((isnan(got) && isnan(want)) || got == want || fabs(got - want) <= tol * fmax(1, fabs(want)),
         PRECISION " %s at level %d: %s is %.17g, layerwise has %.17g", name, level, what, got, want);
}

static void expect_like(const twin *got, const twin *want, double tol, const char *name, int level) {
  const real *a = nnb_net_params_read(got->net), *b = nnb_net_params_read(want->net);
  for (size_t i = 0; i < nnb_net_n_params(want->net); i++) {
    char what[40];
    snprintf(what, sizeof what, "parameter %zu", i);
    expect_near(what, (double)a[i], (double)b[i], tol, name, level);
  }
}

/* Calls of 1, 2, 5, 24 and 40 rows, each starting where the last one left the net. */
static void train_alike(nnb_net *net, const nnb_optim_opts *opts, const nnb_batch *batch, const int32_t *order,
                        const char *name, int level) {
  static const int calls[] = {1, 2, 5, ROWS, 40};
  const double tol = 3e3 * (double)REAL_EPS;
  twin chain_rows = make_twin(net, opts, &nnb__exec_chain_rows, level),
       layerwise = make_twin(net, opts, &nnb__exec_layerwise, 0);
  for (int k = 0; k < N_OF_TABLE(calls); k++) {
    nnb_batch part = *batch;
    if (!order) part.x.rows = part.t.rows = calls[k] < ROWS ? calls[k] : ROWS;
    int n = order ? calls[k] : 0;
    nnb_sums got, want;
    nnb_status a = nnb_train_rows(chain_rows.net, chain_rows.plan, &part, order, n, 1, chain_rows.optim, &got);
    nnb_status b = nnb_train_rows(layerwise.net, layerwise.plan, &part, order, n, 1, layerwise.optim, &want);
    ck_assert_msg(a == b, PRECISION " %s: status %d, layerwise has %d", name, a, b);
    ck_assert_int_eq(got.rows, want.rows);
    ck_assert_int_eq(got.updates, want.updates);
    expect_near("weight", got.weight, want.weight, 1e-12, name, level);
    expect_near("loss", got.loss, want.loss, tol, name, level);
    ck_assert(nnb_optim_lr(chain_rows.optim) == nnb_optim_lr(layerwise.optim));
    expect_like(&chain_rows, &layerwise, tol, name, level);
  }
  destroy_twin(&chain_rows);
  destroy_twin(&layerwise);
}

/* With targets; with labels if the loss is for classes; then in an order, with weights. */
static void train_every_way(nnb_net *net, const nnb_optim_opts *opts, bool classes, const char *name, int level) {
  rows r = rows_for(net);
  nnb_batch batch = {.x = nnb_cview(r.x, ROWS, r.n_in), .t = nnb_cview(r.t, ROWS, r.n_out)};
  train_alike(net, opts, &batch, NULL, name, level);
  batch.weight = r.weight;
  train_alike(net, opts, &batch, r.order, name, level);
  if (classes) {
    batch.t = (nnb_cmat){0}, batch.label = r.label;
    train_alike(net, opts, &batch, r.order, name, level);
  }
  free_rows(&r);
}

static nnb_net *parsed(const char *text, nnb_loss loss) {
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  if (loss) ck_ok(nnb_net_loss(net, loss));
  return net;
}

/* Biases that are not 0. */
static void stir(nnb_net *net) {
  real *w = nnb_net_params(net);
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 5);
  for (size_t i = 0; i < nnb_net_n_params(net); i++) w[i] += (real)(0.2 * nnb_rng_uniform(&rng) - 0.1);
}

static const nnb_optim_opts plain = {.algo = NNB_SGD, .lr = 0.05};

/* ---- activations and losses ------------------------------------------------------------------------------------- */

START_TEST(every_activation_with_every_loss) {
  for (int act = 0; act < NNB_N_ACTIVATIONS; act++)
    for (int out = 0; out < NNB_N_ACTIVATIONS; out++)
      for (int loss = NNB_LOSS_AUTO + 1; loss < NNB_N_LOSSES; loss++) {
        char text[100];
        if (activation_is_layerwise((nnb_activation)act) || activation_is_layerwise((nnb_activation)out)) continue;
        if (loss_is_layerwise((nnb_loss)loss)) continue;
        const bool entropy = loss == NNB_CROSS_ENTROPY || loss == NNB_BINARY_CROSS_ENTROPY;
        if (loss == NNB_BINARY_CROSS_ENTROPY && out == NNB_SOFTMAX) continue; /* rejected */
        const bool share = out == NNB_SOFTMAX || (out == NNB_SIGMOID && loss != NNB_CROSS_ENTROPY);
        if ((entropy && !share) || (act != out && act % 4 != out % 4 && !share)) continue;
        snprintf(text, sizeof text, "5-9:%s-7:%s", nnb_activation_name((nnb_activation)act),
                 nnb_activation_name((nnb_activation)out));
        nnb_net *net = parsed(text, (nnb_loss)loss);
        stir(net);
        train_every_way(net, &plain, entropy, text, _i);
        nnb_net_destroy(net);
      }
}
END_TEST

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

START_TEST(chains_of_many_shapes) {
  nnb_rng rng;
  nnb_rng_init(&rng, 11, 3);
  for (int k = 0; k < 60; k++) {
    char text[300];
    int links = 1 + k % 5, at = snprintf(text, sizeof text, "%d", 1 + (int)nnb_rng_below(&rng, MOST));
    for (int i = 1; i <= links; i++)
      at += snprintf(text + at, sizeof text - (size_t)at, "-%d:%s%s", 1 + (int)nnb_rng_below(&rng, 40),
                     i % 2 ? "tanh" : "sigmoid", nnb_rng_below(&rng, 4) ? "" : ":bias=0");
    nnb_net *net = parsed(text, NNB_HALF_SSE);
    train_every_way(net, &plain, false, text, _i);
    nnb_net_destroy(net);
  }
}
END_TEST

/* Columns in several blocks, whole and partial; rows without copies; one output with labels. */
static const char *const wide[] = {"3-300:tanh-5:softmax",          "130-128:sigmoid-10:sigmoid",
                                   "40-64:relu-32:relu-16:softmax", "70-1:tanh-1:sigmoid",
                                   "33-17:elu-1:sigmoid",           "12-4:softmax"};

START_TEST(wide_nets) {
  for (int k = 0; k < N_OF_TABLE(wide); k++) {
    nnb_net *net = parsed(wide[k], NNB_LOSS_AUTO);
    train_every_way(net, &plain, true, wide[k], _i);
    nnb_net_destroy(net);
  }
}
END_TEST

/* ---- options ---------------------------------------------------------------------------------------------------- */

START_TEST(decay_and_schedules) {
  const nnb_optim_opts opts[] = {
      {.algo = NNB_SGD, .lr = 0.05, .l2 = 0.1},
      {.algo = NNB_SGD, .lr = 0.05, .schedule = NNB_EXPONENTIAL, .lr_factor = 0.5, .epoch_updates = 7},
      {.algo = NNB_SGD, .lr = 0.05, .l2 = 0.2, .schedule = NNB_COSINE, .epochs = 4, .epoch_updates = 20}};
  static const char *const nets[] = {"6-9:tanh-4:softmax", "50-32:tanh-4:softmax"};
  for (int k = 0; k < N_OF_TABLE(opts); k++)
    for (int i = 0; i < N_OF_TABLE(nets); i++) {
      nnb_net *net = parsed(nets[i], NNB_LOSS_AUTO);
      train_every_way(net, &opts[k], true, nets[i], _i);
      nnb_net_destroy(net);
    }
}
END_TEST

START_TEST(what_is_frozen_stays) {
  static const char *const nets[] = {"6-9:tanh-7:tanh-4", "50-32:tanh-7:tanh-4"};
  const nnb_optim_opts decays = {.algo = NNB_SGD, .lr = 0.05, .l2 = 0.1};
  for (unsigned parts = 0; parts < 64; parts++)
    for (int i = 0; i < N_OF_TABLE(nets); i++) {
      nnb_net *net = parsed(nets[i], NNB_LOSS_AUTO);
      stir(net);
      for (int node = 2; node <= 4; node++) ck_ok(nnb_net_freeze(net, node, parts >> (2 * (node - 2)) & 3));
      rows r = rows_for(net);
      nnb_batch batch = {.x = nnb_cview(r.x, ROWS, r.n_in), .t = nnb_cview(r.t, ROWS, r.n_out)};
      train_alike(net, parts % 2 ? &plain : &decays, &batch, NULL, nets[i], _i);
      free_rows(&r);
      nnb_net_destroy(net);
    }
}
END_TEST

static nnb_net *scaled_net(int n_in) {
  nnb_net *net = nnb_net_create(n_in);
  real *x = malloc((size_t)(ROWS * n_in) * sizeof *x), t[ROWS * 3];
  nnb_data *data;
  fill_numbers(x, (size_t)(ROWS * n_in), 8), fill_numbers(t, ROWS * 3, 9);
  for (int i = 0; i < ROWS * 3; i++) t[i] = 3 * t[i] + (real)(i % 3);
  ck_ok(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, ROWS, n_in), .t = nnb_cview(t, ROWS, 3)}, 0, &data));
  ck_ok(nnb_net_standardize(net, data));
  ck_ok(nnb_net_scale_targets(net, data, NNB_STANDARDIZE));
  ck_assert_int_gt(nnb_net_dense(net, 9, NNB_TANH), 0);
  ck_assert_int_gt(nnb_net_dense(net, 3, NNB_LINEAR), 0);
  nnb_data_destroy(data);
  free(x);
  return net;
}

START_TEST(scaled_inputs_and_targets) {
  static const int widths[] = {5, 45};
  for (int k = 0; k < N_OF_TABLE(widths); k++) {
    nnb_net *net = scaled_net(widths[k]);
    train_every_way(net, &plain, false, "a net with scalers", _i);
    nnb_net_destroy(net);
  }
}
END_TEST

/* Both stop at the update whose loss is not finite. */
START_TEST(divergence_stops_the_run) {
  const nnb_optim_opts wild = {.algo = NNB_SGD, .lr = 1e8};
  nnb_net *net = parsed("5-9:relu-3", NNB_HALF_SSE);
  rows r = rows_for(net);
  for (int i = 0; i < ROWS * r.n_in; i++) r.x[i] += 2;
  nnb_batch batch = {.x = nnb_cview(r.x, ROWS, r.n_in), .t = nnb_cview(r.t, ROWS, r.n_out)};
  twin twins[] = {make_twin(net, &wild, &nnb__exec_chain_rows, _i), make_twin(net, &wild, &nnb__exec_layerwise, 0)};
  nnb_sums sums[2];
  for (int k = 0; k < 2; k++)
    ck_assert_int_eq(
        nnb_train_rows(twins[k].net, twins[k].plan, &batch, r.order, 2 * ROWS, 1, twins[k].optim, &sums[k]),
        NNB_E_NUMERIC);
  ck_assert_int_eq(sums[0].updates, sums[1].updates);
  ck_assert_int_lt(sums[0].updates, 2 * ROWS);
  for (int k = 0; k < 2; k++) destroy_twin(&twins[k]);
  free_rows(&r);
  nnb_net_destroy(net);
}
END_TEST

/* ---- predictions ------------------------------------------------------------------------------------------------ */

static void predict_alike(nnb_net *net, const char *name, int level) {
  rows r = rows_for(net);
  real *y[2] = {calloc((size_t)r.n_out, sizeof(real)), calloc((size_t)r.n_out, sizeof(real))};
  nnb_plan *plan[2];
  const nnb__exec *exec[] = {&nnb__exec_chain_rows, &nnb__exec_layerwise};
  for (int k = 0; k < 2; k++) {
    ck_ok(nnb_plan_create(net, NULL, &plan[k]));
    ck_assert(y[k] && nnb__plan_force(plan[k], exec[k]));
  }
  nnb__chain_rows_use(plan[0], nnb__kernel_level(level));
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < 2; k++)
      ck_ok(nnb_plan_predict(plan[k], nnb_cview(r.x + i * r.n_in, 1, r.n_in), nnb_view(y[k], 1, r.n_out)));
    for (int j = 0; j < r.n_out; j++)
      expect_near("a prediction", (double)y[0][j], (double)y[1][j], 300 * (double)REAL_EPS, name, level);
  }
  for (int k = 0; k < 2; k++) nnb_plan_destroy(plan[k]), free(y[k]);
  free_rows(&r);
}

START_TEST(predictions_of_a_row) {
  nnb_rng rng;
  nnb_rng_init(&rng, 12, 4);
  for (int k = 0; k < 150; k++) {
    char text[300];
    int links = 1 + k % 5, at = snprintf(text, sizeof text, "%d", 1 + (int)nnb_rng_below(&rng, MOST));
    for (int i = 1; i <= links; i++) {
      const nnb_activation act = (nnb_activation)((k + i) % NNB_N_ACTIVATIONS);
      at += snprintf(text + at, sizeof text - (size_t)at, "-%d:%s%s", 1 + (int)nnb_rng_below(&rng, k % 3 ? 40 : 300),
                     activation_is_layerwise(act) ? "linear" : nnb_activation_name(act),
                     nnb_rng_below(&rng, 4) ? "" : ":bias=0");
    }
    nnb_net *net = parsed(text, NNB_HALF_SSE);
    if (k % 2) stir(net);
    predict_alike(net, text, _i);
    nnb_net_destroy(net);
  }
}
END_TEST

START_TEST(predictions_with_scalers) {
  nnb_net *net = scaled_net(6);
  predict_alike(net, "a net with scalers", _i);
  nnb_net_destroy(net);
}
END_TEST

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void *train_apart(void *arg) {
  twin *t = arg;
  rows r = rows_for(t->net);
  nnb_batch batch = {.x = nnb_cview(r.x, ROWS, r.n_in), .t = nnb_cview(r.t, ROWS, r.n_out)};
  for (int k = 0; k < 50; k++) nnb_train_rows(t->net, t->plan, &batch, r.order, 2 * ROWS, 1, t->optim, NULL);
  free_rows(&r);
  return NULL;
}

/* Two threads, each with its own net and plan: the same bits as alone. */
START_TEST(threads_do_not_meet) {
  nnb_net *net = parsed("5-9:tanh-3:sigmoid", NNB_HALF_SSE);
  twin t[3];
  pthread_t thread[2];
  for (int k = 0; k < 3; k++) t[k] = make_twin(net, &plain, &nnb__exec_chain_rows, _i);
  for (int k = 0; k < 2; k++) ck_assert_int_eq(pthread_create(&thread[k], NULL, train_apart, &t[k]), 0);
  for (int k = 0; k < 2; k++) pthread_join(thread[k], NULL);
  train_apart(&t[2]);
  for (int k = 0; k < 2; k++)
    ck_assert(
        !memcmp(nnb_net_params_read(t[k].net), nnb_net_params_read(t[2].net), nnb_net_n_params(net) * sizeof(real)));
  for (int k = 0; k < 3; k++) destroy_twin(&t[k]);
  nnb_net_destroy(net);
}
END_TEST

/* ---- what it leaves to others ----------------------------------------------------------------------------------- */

/* Neither executor for chains takes a net with an activation or a loss that its kernels do not have. */
static void expect_layerwise(const char *text, nnb_loss loss) {
  nnb_net *net = parsed(text, loss);
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 20, .want = NNB_GRAD}, &plan));
  ck_assert_msg(!nnb__plan_force(plan, &nnb__exec_chain_rows), "%s, %s: taken", text, nnb_loss_name(loss));
  ck_assert_msg(!nnb__plan_force(plan, &nnb__exec_chain_blocks), "%s, %s: taken", text, nnb_loss_name(loss));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

START_TEST(what_the_kernels_do_not_have_is_declined) {
  char text[100];
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    snprintf(text, sizeof text, "4-6:%s-3", nnb_activation_name((nnb_activation)k));
    if (activation_is_layerwise((nnb_activation)k)) expect_layerwise(text, NNB_LOSS_AUTO);
  }
  for (int k = NNB_LOSS_AUTO + 1; k < NNB_N_LOSSES; k++)
    if (loss_is_layerwise((nnb_loss)k)) expect_layerwise("4-6:tanh-3", (nnb_loss)k);
}
END_TEST

START_TEST(what_is_declined) {
  static const struct {
    const char *net;
    nnb_plan_opts opts;
  } cases[] = {{"4-6-3", {.max_rows = 1, .want = NNB_GRAD | NNB_KEEP}}, {"4-6-3", {.max_rows = 4, .want = NNB_KEEP}}};
  for (int k = 0; k < N_OF_TABLE(cases); k++) {
    nnb_net *net = parsed(cases[k].net, NNB_LOSS_AUTO);
    nnb_plan *plan;
    ck_ok(nnb_plan_create(net, &cases[k].opts, &plan));
    ck_assert(!nnb__plan_force(plan, &nnb__exec_chain_rows));
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
  const nnb_optim_opts others[] = {{.algo = NNB_MOMENTUM},
                                   {.algo = NNB_ADAM},
                                   {.algo = NNB_SGD, .clip_norm = 1},
                                   {.algo = NNB_SGD, .l1 = 0.1},
                                   {.algo = NNB_SGD, .ema = 0.9}};
  nnb_net *net = parsed("4-6-3", NNB_LOSS_AUTO);
  for (int k = 0; k < N_OF_TABLE(others); k++) {
    nnb_optim *optim;
    ck_ok(nnb_optim_create(net, &others[k], &optim));
    ck_assert(!nnb__optim_is_plain(optim));
    nnb_optim_destroy(optim);
    train_every_way(net, &others[k], false, "an optimiser that is declined", 0);
  }
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("chain_rows " PRECISION);
  TCase *levels = tcase_create("each level"), *once = tcase_create("once");
  const TTest *tests[] = {every_activation_with_every_loss,
                          chains_of_many_shapes,
                          wide_nets,
                          decay_and_schedules,
                          what_is_frozen_stays,
                          scaled_inputs_and_targets,
                          divergence_stops_the_run,
                          threads_do_not_meet,
                          predictions_of_a_row,
                          predictions_with_scalers};
  for (int k = 0; k < N_OF_TABLE(tests); k++) tcase_add_loop_test(levels, tests[k], 0, n_levels());
  tcase_add_test(once, what_the_kernels_do_not_have_is_declined);
  tcase_add_test(once, what_is_declined);
  suite_add_tcase(suite, levels);
  suite_add_tcase(suite, once);
  return run_suite(suite);
}
