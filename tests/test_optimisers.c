/* Optimisers per batch, schedules and averaged weights: trajectories of PyTorch and of the papers, and identities. */
#include <math.h>
#include <string.h>

#include "precision.h"
#include "support.h"
#include "toys.h"

typedef struct golden {
  const char *name;
  nnb_optim_opts opts;
  double w[26];
} golden;
typedef struct rates {
  const char *name;
  nnb_optim_opts opts;
  double lr[20];
} rates;
#include "golden/optimisers.h"

enum { N_GOLDENS = sizeof goldens / sizeof *goldens, N_RATES = sizeof schedules / sizeof *schedules };

/* All methods that step from batch to batch, except kfac, which needs more than a gradient: test_kfac. */
static nnb_algo algos[NNB_N_ALGOS];
static int n_algos;
static void list_algos(void) {
  nnb_algo all[NNB_N_ALGOS];
  for (int k = 0, n = toy_steppers(all); k < n; k++)
    if (all[k] != NNB_KFAC) algos[n_algos++] = all[k];
}

/* ---- trajectories ----------------------------------------------------------------------------------------------- */

static nnb_net *small_net(void) {
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse("3-4:tanh-2", &net));
  ck_assert_uint_eq(nnb_net_n_params(net), N_PARAMS);
  real *w = nnb_net_params(net);
  for (int i = 0; i < N_PARAMS; i++) w[i] = (real)(((i * 37) % 23 - 11) / 10.0);
  return net;
}

/* The same as in make_optimisers.py. */
static void gradient(const real *w, int t, real *g) {
  for (int i = 0; i < N_PARAMS; i++) {
    double x = (double)w[i], pull = (0.5 + 0.1 * (i % 5)) * (x - 0.25 * (i % 3));
    g[i] = (real)(pull + 0.1 * (x * x * x) + ((i * 7 + t * 3) % 11 - 5) * 0.05);
  }
}

static void step(nnb_optim *optim, nnb_net *net, int t) {
  real g[N_PARAMS];
  gradient(nnb_net_params_read(net), t, g);
  ck_ok(nnb_optim_step(optim, net, g));
}

START_TEST(hundred_steps_as_elsewhere) {
  const golden *c = &goldens[_i];
  nnb_net *net = small_net();
  nnb_optim *optim;
  ck_ok(nnb_optim_create(net, &c->opts, &optim));
  for (int t = 0; t < STEPS; t++) step(optim, net, t);
  /* in single precision a sign of lion's may differ */
  double tol = TOL(1e-12, c->opts.algo == NNB_LION ? 3 * c->opts.lr : 2e-4);
  for (int i = 0; i < N_PARAMS; i++) {
    double got = (double)nnb_net_params_read(net)[i];
    ck_assert_msg(fabs(got - c->w[i]) <= tol, "%s: parameter %d is %.17g, not %.17g", c->name, i, got, c->w[i]);
  }
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(every_optimiser_has_a_trajectory) {
  bool found = false;
  for (int k = 0; k < N_GOLDENS; k++) found = found || goldens[k].opts.algo == algos[_i];
  ck_assert_msg(found, "%s has no trajectory: add one to tests/golden/make_optimisers.py", nnb_algo_name(algos[_i]));
}
END_TEST

START_TEST(frozen_parameters_stay) {
  nnb_net *net = small_net();
  nnb_optim *optim;
  real before[N_PARAMS];
  ck_ok(nnb_net_freeze(net, 2, NNB_WEIGHTS));
  ck_ok(nnb_net_freeze(net, 3, NNB_BIAS));
  memcpy(before, nnb_net_params_read(net), sizeof before);
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = algos[_i], .l2 = 0.1, .l1 = 0.01, .clip_norm = 1}, &optim));
  for (int t = 0; t < 5; t++) step(optim, net, t);
  for (int i = 0; i < N_PARAMS; i++) {
    bool moved = nnb_net_params_read(net)[i] != before[i], frozen = i < 12 || i >= 24;
    ck_assert_msg(moved == !frozen, "%s: parameter %d %s", nnb_algo_name(algos[_i]), i, moved ? "moved" : "stayed");
  }
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

/* With a gradient of 0, only the decay remains: (1 - ηλ)ᵗ on the weights, and nothing on the biases. */
START_TEST(decay_stands_apart) {
  nnb_net *net = small_net();
  nnb_optim *optim;
  real before[N_PARAMS], zero[N_PARAMS] = {0};
  memcpy(before, nnb_net_params_read(net), sizeof before);
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = algos[_i], .lr = 0.1, .l2 = 0.5}, &optim));
  for (int t = 0; t < 10; t++) ck_ok(nnb_optim_step(optim, net, zero));
  for (int i = 0; i < N_PARAMS; i++) {
    bool bias = (i >= 12 && i < 16) || i >= 24;
    double want = (double)before[i] * (bias ? 1 : pow(0.95, 10)), got = (double)nnb_net_params_read(net)[i];
    ck_assert_msg(fabs(got - want) <= 20 * (double)REAL_EPS, "%s: parameter %d is %.9g, not %.9g",
                  nnb_algo_name(algos[_i]), i, got, want);
  }
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

/* 3 gains, 1 to 3, which do not decay, then [W; b] of 3×2. */
static nnb_net *net_with_gains(void) {
  nnb_net *net = nnb_net_create(3);
  toy_gain_fields gain = {.power = 1, .factor = 1};
  ck_assert_int_gt(nnb_net_own_layer(net, &toy_spared, &gain, NULL, 0, NNB_LINEAR, NULL), 0);
  ck_assert_int_gt(nnb_net_dense(net, 2, NNB_LINEAR), 0);
  ck_ok((nnb_status)nnb_net_loss(net, NNB_HALF_SSE));
  real *w = nnb_net_params(net);
  for (int i = 0; i < 11; i++) w[i] = (real)(i + 1);
  return net;
}

/* Without a gradient only the decay changes parameters: W and nothing else. */
static void check_gains_stay(const nnb_net *net, const char *name) {
  const real *w = nnb_net_params_read((nnb_net *)net);
  for (int i = 0; i < 11; i++) {
    const bool decays = i >= 3 && i < 9, less = w[i] < (real)(i + 1);
    ck_assert_msg(less == decays && (decays || w[i] == (real)(i + 1)), "%s: parameter %d is %g", name, i, (double)w[i]);
  }
}

START_TEST(gains_do_not_decay) {
  const nnb_optim_opts opts = {.algo = algos[_i], .lr = 0.01, .l1 = 0.5, .l2 = 0.5};
  nnb_net *net = net_with_gains();
  nnb_optim *optim;
  real zero[11] = {0};
  ck_ok(nnb_optim_create(net, &opts, &optim));
  ck_ok(nnb_optim_step(optim, net, zero));
  check_gains_stay(net, nnb_algo_name(opts.algo));
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

/* With inputs 0 and the biases as targets there is no gradient: for the training calls, which may form the gradient in
 * the weights, and for the full batch. */
START_TEST(gains_do_not_decay_in_a_fit) {
  const nnb_algo algo = (nnb_algo)(_i + 1);
  const nnb_fit_opts opts = {.algo = algo, .l2 = 0.01, .max_epochs = 1, .batch = NNB_FULL_BATCH};
  nnb_net *net = net_with_gains();
  nnb_data *data;
  static const real x[12], y[] = {10, 11, 10, 11, 10, 11, 10, 11};
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 4, 3), .t = nnb_cview(y, 4, 2)}, 0, &data));
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  check_gains_stay(net, nnb_algo_name(algo));
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
END_TEST

/* ---- the same update by every level and in chunks --------------------------------------------------------------- */

/* Twelve updates of 10 rows, max_rows at a time; by hand: a gradient and a step. */
static void train(nnb_algo algo, nnb_net *net, const nnb_batch *rows, int max_rows, bool by_hand) {
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_optim_opts opts = {.algo = algo, .l2 = 0.01, .schedule = NNB_COSINE, .epochs = 12, .warmup = 3, .ema = 0.5};
  real g[N_PARAMS];
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = max_rows, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &opts, &optim));
  for (int t = 0; t < 12; t++) {
    if (by_hand) {
      ck_ok(nnb_plan_gradient(plan, rows, 0, NULL, g));
      ck_ok(nnb_optim_step(optim, net, g));
    } else {
      ck_ok(nnb_train_rows(net, plan, rows, NULL, 0, rows->x.rows, optim, NULL));
    }
  }
  ck_ok(nnb_optim_average(optim, net));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
}

START_TEST(levels_and_chunks_agree) {
  nnb_net *net[3] = {small_net(), small_net(), small_net()};
  real x[30], y[20];
  toy_fill(x, 30, 1), toy_fill(y, 20, 2);
  nnb_batch rows = {.x = nnb_cview(x, 10, 3), .t = nnb_cview(y, 10, 2)};
  train(algos[_i], net[0], &rows, 10, false);
  train(algos[_i], net[1], &rows, 4, false);
  train(algos[_i], net[2], &rows, 10, true);
  for (int k = 1; k < 3; k++)
    for (int i = 0; i < N_PARAMS; i++) {
      double a = (double)nnb_net_params_read(net[0])[i], b = (double)nnb_net_params_read(net[k])[i];
      ck_assert_msg(fabs(a - b) <= TOL(1e-11, 2e-3), "%s, %s: parameter %d is %.17g and %.17g",
                    nnb_algo_name(algos[_i]), k == 1 ? "chunks" : "by hand", i, a, b);
    }
  for (int k = 0; k < 3; k++) nnb_net_destroy(net[k]);
}
END_TEST

/* ---- schedules -------------------------------------------------------------------------------------------------- */

static void check_rates(const char *name, const nnb_optim_opts *opts, int n, const double *want) {
  nnb_net *net = small_net();
  nnb_optim *optim;
  ck_ok(nnb_optim_create(net, opts, &optim));
  for (int t = 0; t < n; t++) {
    step(optim, net, t);
    double got = nnb_optim_lr(optim);
    ck_assert_msg(fabs(got - want[t]) <= 1e-15, "%s: update %d has %.17g, not %.17g", name, t, got, want[t]);
    if (t < UPDATES) ck_ok(nnb_optim_epoch(optim, losses[t]));
  }
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}

START_TEST(rates_as_elsewhere) { check_rates(schedules[_i].name, &schedules[_i].opts, UPDATES, schedules[_i].lr); }
END_TEST

START_TEST(warm_up_and_what_follows) {
  check_rates("constant", &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .warmup = 4}, 6,
              (double[]){0.25, 0.5, 0.75, 1, 1, 1});
  /* half an epoch of five updates */
  check_rates("half an epoch", &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .warmup = 0.5, .epoch_updates = 5}, 4,
              (double[]){0.4, 0.8, 1, 1});
  check_rates("cosine", &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .warmup = 2, .schedule = NNB_COSINE, .epochs = 6},
              8, (double[]){0.5, 1, 1, 0.5 + sqrt(0.125), 0.5, 0.5 - sqrt(0.125), 0, 0});
  check_rates("stepwise",
              &(nnb_optim_opts){.algo = NNB_SGD,
                                .lr = 1,
                                .warmup = 1,
                                .epoch_updates = 2,
                                .schedule = NNB_STEPWISE,
                                .lr_step = 1,
                                .lr_factor = 0.5,
                                .lr_min = 0.2},
              8, (double[]){0.5, 1, 1, 1, 0.5, 0.5, 0.25, 0.25});
  check_rates("floor",
              &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .schedule = NNB_EXPONENTIAL, .lr_factor = 0.5, .lr_min = 0.2},
              5, (double[]){1, 0.5, 0.25, 0.2, 0.2});
  check_rates("one cycle of one", &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .schedule = NNB_ONE_CYCLE, .epochs = 1},
              3, (double[]){1, 4e-6, 4e-6});
}
END_TEST

START_TEST(set_lr_is_what_the_schedule_multiplies) {
  nnb_net *net = small_net();
  nnb_optim *optim;
  ck_ok(
      nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = 1, .schedule = NNB_COSINE, .epochs = 2}, &optim));
  ck_assert_double_eq(nnb_optim_lr(optim), 1);
  step(optim, net, 0);
  ck_ok(nnb_optim_set_lr(optim, 4));
  ck_assert_double_eq(nnb_optim_lr(optim), 1);
  step(optim, net, 1);
  ck_assert_double_eq_tol(nnb_optim_lr(optim), 2, 1e-15);
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(options_that_make_no_sense) {
  static const nnb_optim_opts bad[] = {{.beta1 = 1},
                                       {.beta2 = -0.5},
                                       {.epsilon = -1},
                                       {.ema = 1},
                                       {.l2 = -2},
                                       {.schedule = NNB_COSINE},
                                       {.schedule = NNB_ONE_CYCLE},
                                       {.schedule = NNB_N_SCHEDULES},
                                       {.lr_factor = 1.5},
                                       {.lr_step = -1},
                                       {.lr_min = -1},
                                       {.warmup = -1},
                                       {.warmup = 3, .epochs = 2},
                                       {.algo = NNB_N_ALGOS}};
  nnb_net *net = small_net();
  nnb_optim *optim;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_msg(nnb_optim_create(net, &bad[i], &optim) == NNB_E_ARG, "case %zu is taken", i);
    ck_assert_ptr_null(optim);
  }
  nnb_net_destroy(net);
}
END_TEST

/* ---- averaged weights ------------------------------------------------------------------------------------------- */

/* The average of w_1 … w_t with weights that fall by d: Σ d^{t-i} w_i / Σ d^{t-i}. */
START_TEST(average_is_the_weighted_mean) {
  const double d = 0.7;
  nnb_net *net = small_net();
  nnb_optim *optim;
  real raw[N_PARAMS], again[N_PARAMS];
  double sum[N_PARAMS] = {0}, weight = 0;
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = algos[_i], .ema = d}, &optim));
  ck_assert_int_eq(nnb_optim_average(optim, net), NNB_E_STATE);
  for (int t = 0; t < 15; t++) {
    step(optim, net, t);
    memcpy(raw, nnb_net_params_read(net), sizeof raw);
    for (int i = 0; i < N_PARAMS; i++) sum[i] = d * sum[i] + (double)raw[i];
    weight = d * weight + 1;
    ck_ok(nnb_optim_average(optim, net));
    for (int i = 0; i < N_PARAMS; i++) {
      double got = (double)nnb_net_params_read(net)[i], want = sum[i] / weight;
      ck_assert_msg(fabs(got - want) <= 20 * (double)REAL_EPS, "%s, update %d: the average of %d is %.17g, not %.17g",
                    nnb_algo_name(algos[_i]), t, i, got, want);
    }
    ck_assert_int_eq(nnb_optim_step(optim, net, again), NNB_E_STATE);
    ck_ok(nnb_optim_average(optim, net));
    memcpy(again, nnb_net_params_read(net), sizeof again);
    ck_assert_msg(memcmp(raw, again, sizeof raw) == 0, "the weights came back changed");
  }
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(no_average_unless_asked_for) {
  nnb_net *net = small_net();
  nnb_optim *optim;
  ck_ok(nnb_optim_create(net, NULL, &optim));
  step(optim, net, 0);
  ck_assert_int_eq(nnb_optim_average(optim, net), NNB_E_STATE);
  nnb_optim_destroy(optim);
  nnb_net_destroy(net);
}
END_TEST

/* ---- nnb_fit ---------------------------------------------------------------------------------------------------- */

static nnb_net *digits_net(void) {
  nnb_net *net = NULL;
  ck_ok(nnb_net_parse("64-24:tanh-10:softmax", &net));
  ck_ok(nnb_net_init(net, 3));
  return net;
}

static nnb_data *digits(void) {
  nnb_data *data = NULL;
  ck_ok(nnb_data_read_csv(EXAMPLE_DATA "/digits.csv", &(nnb_csv_opts){.classify = true}, &data));
  return data;
}

START_TEST(fits_the_digits_twice_alike) {
  nnb_data *data = digits();
  uint64_t hash[2];
  for (int k = 0; k < 2; k++) {
    nnb_net *net = digits_net();
    nnb_report report;
    nnb_metrics m;
    nnb_fit_opts opts = {.algo = algos[_i],
                         .max_epochs = 8,
                         .seed = 1,
                         .ema = 0.9,
                         .schedule = NNB_ONE_CYCLE,
                         .lr = algos[_i] == NNB_SGD || algos[_i] == NNB_ADAGRAD ? 0.1
                               : algos[_i] == NNB_LION                          ? 3e-3
                                                                                : 0.01};
    ck_ok(nnb_fit(net, data, NULL, &opts, &report));
    ck_assert_int_eq(report.algo, algos[_i]);
    ck_ok(nnb_evaluate(net, data, &m));
    ck_assert_msg(m.accuracy > 0.9, "%s: accuracy %g", nnb_algo_name(algos[_i]), m.accuracy);
    hash[k] = toy_hash_net(0, net);
    nnb_net_destroy(net);
  }
  ck_assert_uint_eq(hash[0], hash[1]);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(auto_is_adam_with_a_batch) {
  nnb_data *data = digits();
  for (int k = 0; k < 2; k++) {
    nnb_net *net = digits_net();
    nnb_report report;
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.batch = k ? 1 : 32, .max_epochs = 1}, &report));
    ck_assert_int_eq(report.algo, NNB_ADAM);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* nnb_fit with an average and a schedule is the loop over nnb_train_rows, bit for bit; the average is validated and
 * left in the net. */
START_TEST(fit_is_the_loop) {
  enum { EPOCHS = 4, BATCH = 100 };
  nnb_data *data = digits();
  nnb_batch rows;
  nnb_net *a = digits_net(), *b = digits_net();
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_report report;
  nnb_metrics m;
  nnb_fit_opts o = {.batch = BATCH,
                    .max_epochs = EPOCHS,
                    .in_order = true,
                    .ema = 0.95,
                    .warmup = 1.5,
                    .schedule = NNB_COSINE,
                    .lr = 0.01};
  ck_ok(nnb_data_batch(data, 0, nnb_data_rows(data), &rows));
  int updates = (rows.x.rows - 1) / BATCH + 1;
  nnb_optim_opts optim_opts = {
      .ema = o.ema, .warmup = o.warmup, .schedule = o.schedule, .lr = o.lr, .epochs = EPOCHS, .epoch_updates = updates};
  ck_ok(nnb_fit(a, data, data, &o, &report));
  ck_ok(nnb_plan_create(b, &(nnb_plan_opts){.max_rows = BATCH, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(b, &optim_opts, &optim));
  for (int e = 0; e < EPOCHS; e++) {
    if (e) ck_ok(nnb_optim_average(optim, b));
    ck_ok(nnb_train_rows(b, plan, &rows, NULL, 0, BATCH, optim, NULL));
    ck_ok(nnb_optim_average(optim, b));
    ck_assert_double_eq(report.history[e].lr, nnb_optim_lr(optim));
    ck_ok(nnb_evaluate(b, data, &m));
    ck_assert_double_eq_tol(report.history[e].val_loss, m.loss, TOL(1e-12, 1e-5) * m.loss);
  }
  ck_assert_int_eq(report.best_epoch, EPOCHS);
  ck_assert_msg(toy_hash_net(0, a) == toy_hash_net(0, b), "other bits than nnb_fit");
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(a);
  nnb_net_destroy(b);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(fit_lowers_the_rate_on_a_plateau) {
  nnb_data *data = digits();
  nnb_net *net = digits_net();
  nnb_report report;
  /* frozen throughout: no epoch is better than the first one */
  ck_ok(nnb_net_freeze(net, 2, NNB_WEIGHTS | NNB_BIAS));
  ck_ok(nnb_net_freeze(net, 3, NNB_WEIGHTS | NNB_BIAS));
  ck_ok(nnb_fit(net, data, data,
                &(nnb_fit_opts){.lr = 1, .schedule = NNB_PLATEAU, .lr_step = 2, .lr_factor = 0.5, .max_epochs = 6},
                &report));
  static const double want[] = {1, 1, 1, 0.5, 0.5, 0.25};
  for (int e = 0; e < 6; e++)
    ck_assert_msg(report.history[e].lr == want[e], "epoch %d: %g, not %g", e + 1, report.history[e].lr, want[e]);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("optimisers " PRECISION);
  TCase *tests = tcase_create("optimisers");
  list_algos();
  tcase_add_loop_test(tests, hundred_steps_as_elsewhere, 0, N_GOLDENS);
  tcase_add_loop_test(tests, every_optimiser_has_a_trajectory, 0, n_algos);
  tcase_add_loop_test(tests, frozen_parameters_stay, 0, n_algos);
  tcase_add_loop_test(tests, decay_stands_apart, 0, n_algos);
  tcase_add_loop_test(tests, gains_do_not_decay, 0, n_algos);
  tcase_add_loop_test(tests, gains_do_not_decay_in_a_fit, 0, NNB_N_ALGOS - 1);
  tcase_add_loop_test(tests, levels_and_chunks_agree, 0, n_algos);
  tcase_add_loop_test(tests, rates_as_elsewhere, 0, N_RATES);
  tcase_add_test(tests, warm_up_and_what_follows);
  tcase_add_test(tests, set_lr_is_what_the_schedule_multiplies);
  tcase_add_test(tests, options_that_make_no_sense);
  tcase_add_loop_test(tests, average_is_the_weighted_mean, 0, n_algos);
  tcase_add_test(tests, no_average_unless_asked_for);
  tcase_add_loop_test(tests, fits_the_digits_twice_alike, 0, n_algos);
  tcase_add_test(tests, auto_is_adam_with_a_batch);
  tcase_add_test(tests, fit_is_the_loop);
  tcase_add_test(tests, fit_lowers_the_rate_on_a_plateau);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
