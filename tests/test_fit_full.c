/* nnb_fit by full-batch methods: lower losses than gradient descent, repeatable, frozen parameters, decay, errors. */
#include "toys.h"

static const nnb_algo algos[] = {NNB_RPROP, NNB_SCG, NNB_CG, NNB_LBFGS, NNB_BFGS, NNB_LM, NNB_VARPRO};
enum { N_ALGOS = sizeof algos / sizeof *algos, ROWS = 61 };

static nnb_data *parabola(double shift) {
  static real x[ROWS], t[ROWS];
  for (int i = 0; i < ROWS; i++) {
    double at = (i + shift) / 30 - 1;
    x[i] = (real)at, t[i] = (real)(at * at - 0.5 * at);
  }
  nnb_data *data = NULL;
  nnb_batch rows = {.x = nnb_cview(x, ROWS, 1), .t = nnb_cview(t, ROWS, 1)};
  ck_assert(nnb_data_copy(&rows, 0, &data) == NNB_OK);
  return data;
}

static nnb_net *small_net(void) {
  nnb_net *net = nnb_net_create(1);
  nnb_net_dense(net, 6, NNB_TANH);
  nnb_net_dense(net, 1, NNB_LINEAR);
  return net;
}

static nnb_report fit(nnb_net *net, const nnb_data *data, const nnb_data *val, nnb_fit_opts opts) {
  nnb_report report;
  ck_assert_msg(nnb_fit(net, data, val, &opts, &report) == NNB_OK, "%s", nnb_errmsg());
  return report;
}

static double loss_of(nnb_net *net, const nnb_data *data) {
  nnb_metrics m;
  ck_assert(nnb_evaluate(net, data, &m) == NNB_OK);
  return m.loss;
}

START_TEST(lower_than_gradient_descent) {
  nnb_data *data = parabola(0);
  nnb_net *by_sgd = small_net(), *net = small_net(), *again = small_net();
  double sgd = fit(by_sgd, data, NULL, (nnb_fit_opts){.algo = NNB_SGD, .max_epochs = 200}).loss;
  nnb_fit_opts opts = {.algo = algos[_i], .max_epochs = 200, .chunk = 17};
  nnb_report r = fit(net, data, NULL, opts);
  ck_assert_int_eq(r.algo, algos[_i]);
  ck_assert_msg(r.loss < sgd / 2, "%s: %g, sgd: %g", nnb_algo_name(algos[_i]), r.loss, sgd);
  if (algos[_i] == NNB_LBFGS) ck_assert_msg(r.loss < sgd / 100, "lbfgs: %g, sgd: %g", r.loss, sgd);
  /* both round outputs of about 1, and residuals are their differences from the targets */
  const double rounding = 100 * (double)REAL_EPS * sqrt(r.loss);
  ck_assert_msg(fabs(loss_of(net, data) - r.loss) <= 1e-6 * r.loss + rounding, "reported %g, evaluated %g", r.loss,
                loss_of(net, data));
  ck_assert(r.updates == r.epochs && r.samples >= (int64_t)r.epochs * ROWS && r.n_history == r.epochs);
  nnb_report s = fit(again, data, NULL, opts);
  ck_assert(s.loss == r.loss && s.epochs == r.epochs && s.samples == r.samples);
  ck_assert(!memcmp(nnb_net_params(net), nnb_net_params(again), nnb_net_n_params(net) * sizeof(real)));
  nnb_net_destroy(by_sgd), nnb_net_destroy(net), nnb_net_destroy(again), nnb_data_destroy(data);
}
END_TEST

static int third_epoch(void *user, const nnb_record *rec) {
  (void)user;
  return rec->epoch == 3;
}

START_TEST(stops_as_other_fits_do) {
  nnb_data *data = parabola(0), *val = parabola(0.5);
  nnb_net *net = small_net();
  nnb_report r = fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .on_epoch = third_epoch});
  ck_assert(r.stop == NNB_STOP_USER && r.epochs == 3);
  ck_assert_int_eq(nnb_net_init(net, 0), NNB_OK);
  r = fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .max_epochs = 2, .batch = NNB_FULL_BATCH});
  ck_assert_msg(r.stop == NNB_STOP_EPOCHS && r.epochs == 2, "%s after %d epochs, loss %g, wanted 2 epochs",
                nnb_stop_text(r.stop), (int)r.epochs, r.loss);
  ck_assert_int_eq(nnb_net_init(net, 0), NNB_OK);
  r = fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .max_seconds = 1e-9});
  ck_assert(r.stop == NNB_STOP_SECONDS);
  ck_assert_int_eq(nnb_net_init(net, 0), NNB_OK);
  r = fit(net, data, val, (nnb_fit_opts){.algo = algos[_i], .target_loss = 0.01, .max_epochs = NNB_NONE});
  ck_assert_msg(r.stop == NNB_STOP_TARGET && r.val_loss <= 0.01 && r.best_epoch > 0,
                "%s after %d epochs, loss %g, validation %g, wanted 0.01", nnb_stop_text(r.stop), (int)r.epochs, r.loss,
                r.val_loss);
  ck_assert_int_eq(nnb_net_init(net, 0), NNB_OK);
  r = fit(net, data, val, (nnb_fit_opts){.algo = algos[_i], .max_epochs = 300});
  ck_assert_msg(fabs(loss_of(net, val) - r.best_loss) <= 1e-4 * r.best_loss, "best %g, in the net %g", r.best_loss,
                loss_of(net, val));
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(val);
}
END_TEST

/* The features of a random net are odd functions of x, and almost dependent: only the last digits determine c. */
START_TEST(varpro_keeps_weights_within_reason) {
  static const double most = sizeof(real) == sizeof(double) ? 1e7 : 1e5, enough = TOL(1e-6, 1e-4);
  for (uint64_t seed = 0; seed < 6; seed++) {
    nnb_data *data = parabola(0);
    nnb_net *net = small_net();
    nnb_net_seed(net, seed);
    double loss = fit(net, data, NULL, (nnb_fit_opts){.algo = NNB_VARPRO, .max_epochs = 200}).loss;
    for (size_t i = 0; i < nnb_net_n_params(net); i++)
      ck_assert_msg(fabs((double)nnb_net_params(net)[i]) < most, "seed %d: parameter %zu is %g", (int)seed, i,
                    (double)nnb_net_params(net)[i]);
    ck_assert_msg(loss < enough, "seed %d: loss %g, wanted less than %g", (int)seed, loss, enough);
    nnb_net_destroy(net), nnb_data_destroy(data);
  }
}
END_TEST

START_TEST(frozen_parameters_stay) {
  nnb_data *data = parabola(0);
  nnb_net *net = small_net();
  nnb_cmat w, b, w2;
  ck_assert(nnb_net_freeze(net, 2, NNB_WEIGHTS) == NNB_OK && nnb_net_freeze(net, 3, NNB_BIAS) == NNB_OK);
  real before[6];
  ck_assert(nnb_net_weights(net, 2, &w) == NNB_OK);
  memcpy(before, w.p, sizeof before);
  fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .max_epochs = 30, .l2 = 1e-3});
  ck_assert(nnb_net_weights(net, 2, &w) == NNB_OK && !memcmp(before, w.p, sizeof before));
  ck_assert(nnb_net_bias(net, 3, &b) == NNB_OK && b.p[0] == 0);
  ck_assert(nnb_net_bias(net, 2, &b) == NNB_OK && b.p[0] != 0);
  ck_assert(nnb_net_weights(net, 3, &w2) == NNB_OK);
  for (int k = 2; k <= 3; k++) ck_assert(nnb_net_freeze(net, k, NNB_WEIGHTS | NNB_BIAS) == NNB_OK);
  nnb_status status = nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algos[_i]}, NULL);
  ck_assert_msg(status == NNB_OK || strstr(nnb_errmsg(), "frozen"), "all frozen: %s", nnb_errmsg());
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* One weight, no bias: mean of (t - wx)² + ½·l2·w² has its minimum at w = Σxt / (Σx² + N·l2/2), t = 2x. */
START_TEST(decay_is_in_the_objective) {
  real x[4] = {1, 2, 3, -1}, t[4] = {2, 4, 6, -2};
  nnb_data *data = NULL;
  nnb_batch rows = {.x = nnb_cview(x, 4, 1), .t = nnb_cview(t, 4, 1)};
  ck_assert(nnb_data_wrap(&rows, 0, &data) == NNB_OK);
  nnb_net *net = nnb_net_create(1);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .no_bias = true});
  nnb_report r = fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .l2 = 3, .max_epochs = 500});
  double want = 2 * 15 / (15 + 4 * 1.5), got = (double)nnb_net_params(net)[0];
  ck_assert_msg(fabs(got - want) < TOL(1e-6, 1e-3), "%s: w is %.9g, not %.9g (%s)", nnb_algo_name(algos[_i]), got, want,
                nnb_stop_text(r.stop));
  ck_assert_msg(fabs(r.loss - 15 * (2 - want) * (2 - want) / 4) < TOL(1e-5, 1e-2), "loss %g holds the decay", r.loss);
  bool ended = r.stop == NNB_STOP_GRADIENT || r.stop == NNB_STOP_STALLED;
  ck_assert_msg(ended || algos[_i] == NNB_RPROP, "%s", nnb_stop_text(r.stop)); /* which waits long for progress */
  nnb_report more = fit(net, data, NULL, (nnb_fit_opts){.algo = algos[_i], .l2 = 3, .max_epochs = 500});
  ck_assert_msg(fabs(more.best_loss - r.loss) < 1e-3, "a fit at the minimum: best %g", more.best_loss);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

START_TEST(unsuitable_options) {
  static const struct {
    nnb_fit_opts opts;
    const char *word;
  } row[] = {
      {{.batch = 8}, "batch"},         {{.lr = 0.1}, "lr"},
      {{.momentum = 0.5}, "momentum"}, {{.l1 = 1}, "l1"},
      {{.clip_norm = 1}, "clip_norm"}, {{.l2 = -2}, "l2"},
      {{.ema = 0.9}, "ema"},           {{.schedule = NNB_COSINE}, "schedule"},
      {{.beta1 = 0.8}, "beta1"},
  };
  nnb_data *data = parabola(0);
  nnb_net *net = small_net();
  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    nnb_fit_opts opts = row[k].opts;
    opts.algo = algos[_i];
    ck_assert_int_eq(nnb_fit(net, data, NULL, &opts, NULL), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), row[k].word) != NULL, "row %zu: \"%s\"", k, nnb_errmsg());
  }
  real *w = nnb_net_params(net);
  w[0] = (real)NAN;
  nnb_report r;
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algos[_i]}, &r), NNB_E_NUMERIC);
  ck_assert_int_eq(r.stop, NNB_STOP_DIVERGED);
  ck_assert_msg(strstr(nnb_errmsg(), "a parameter of the net is not finite at the start"), "%s", nnb_errmsg());
  w[0] = (real)TOL(1e300, 1e38);
  for (size_t i = 1; i < nnb_net_n_params(net); i++) w[i] = w[0];
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algos[_i]}, &r), NNB_E_NUMERIC);
  ck_assert_msg(strstr(nnb_errmsg(), "at the start the loss is"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit(net, NULL, NULL, &(nnb_fit_opts){.algo = algos[_i]}, &r), NNB_E_ARG);
  ck_assert_int_eq(r.algo, algos[_i]);
  ck_assert_int_eq(nnb_fit(net, NULL, NULL, NULL, &r), NNB_E_ARG);
  ck_assert_int_eq(r.algo, NNB_ADAM);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

static struct counter { int made, fail_at; } counter;

static void *counting_alloc(void *user, size_t bytes) {
  (void)user;
  return ++counter.made == counter.fail_at ? NULL : malloc(bytes);
}

static void counting_release(void *user, void *p) {
  (void)user;
  free(p);
}

START_TEST(every_allocation_fails_once) {
  nnb_set_allocator(&(nnb_allocator){counting_alloc, counting_release, NULL});
  nnb_data *data = parabola(0), *val = parabola(0.5);
  nnb_net *net = small_net();
  ck_assert(nnb_net_n_params(net) > 0);
  nnb_fit_opts opts = {.algo = algos[_i], .max_epochs = 2, .history = 10};
  nnb_status status = NNB_E_NOMEM;
  for (int k = 1; status != NNB_OK; k++) {
    counter = (struct counter){.fail_at = k};
    status = nnb_fit(net, data, val, &opts, NULL);
    ck_assert_msg(status == NNB_OK || status == NNB_E_NOMEM, "allocation %d: %s", k, nnb_errmsg());
  }
  opts.max_epochs = NNB_NONE, opts.target_loss = 1e9, status = NNB_E_NOMEM; /* with the memory for two descents */
  for (int k = 1; status != NNB_OK; k++) {
    counter = (struct counter){.fail_at = k};
    status = nnb_fit(net, data, NULL, &opts, NULL);
    ck_assert_msg(status == NNB_OK || status == NNB_E_NOMEM, "allocation %d: %s", k, nnb_errmsg());
  }
  opts.target_loss = 0, opts.max_epochs = 2;
  counter = (struct counter){0};
  fit(net, data, val, opts);
  int at_start = counter.made;
  counter = (struct counter){0};
  opts.max_epochs = 40;
  fit(net, data, val, opts);
  ck_assert_msg(counter.made == at_start, "%d allocations for 2 epochs, %d for 40", at_start, counter.made);
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(val);
  nnb_set_allocator(NULL);
}
END_TEST

/* ---- the second descent ----------------------------------------------------------------------------------------- */

/* Single precision wants more, so that a descent creeps and does not end within rounding. */
enum { LAW_ROWS = sizeof(real) == sizeof(double) ? 150 : 300, LAW_UNITS = sizeof(real) == sizeof(double) ? 12 : 20 };

static nnb_data *law(void) { return toy_law(LAW_ROWS); }

static nnb_net *law_net(uint64_t seed) {
  nnb_net *net = nnb_net_create(3);
  nnb_data *data = law();
  nnb_net_dense(net, LAW_UNITS, NNB_TANH), nnb_net_dense(net, 1, NNB_LINEAR), nnb_net_seed(net, seed);
  nnb_net_standardize(net, data), nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  nnb_data_destroy(data);
  return net;
}

/* A fit of the law that must not fail; *loss ← that of the net at the end. */
static nnb_report fit_law(uint64_t seed, nnb_fit_opts opts, double *loss) {
  nnb_data *data = law();
  nnb_net *net = law_net(seed);
  nnb_report r = fit(net, data, NULL, opts);
  *loss = loss_of(net, data);
  nnb_net_destroy(net), nnb_data_destroy(data);
  return r;
}

static const struct {
  nnb_algo algo;
  int length;
} descents[] = {{NNB_LM, 400}, {NNB_VARPRO, 400}, {NNB_BFGS, 800}};
/* In single precision lm and varpro end by themselves before. */
enum {
  N_DESCENTS = sizeof descents / sizeof *descents,
  FIRST_DESCENT = sizeof(real) == sizeof(double) ? 0 : 2,
  STARTS = 4
};

/* Never above the first descent at its turn, and in the mean clearly below a single descent of as many epochs. */
START_TEST(a_second_descent_ends_lower) {
  const nnb_algo algo = descents[_i].algo;
  const int length = descents[_i].length;
  double gain = 0;
  int lasting = 0;
  for (uint64_t seed = 0; seed < STARTS; seed++) {
    double at_turn, single, both;
    nnb_report one = fit_law(seed, (nnb_fit_opts){.algo = algo, .max_epochs = length, .l2 = NNB_NONE}, &at_turn);
    if (one.stop == NNB_STOP_STALLED) continue; /* within rounding, and so on rounding it depends which ones */
    ck_assert_int_eq(one.stop, NNB_STOP_EPOCHS);
    lasting++;
    fit_law(seed, (nnb_fit_opts){.algo = algo, .max_epochs = 3 * length, .l2 = NNB_NONE}, &single);
    nnb_report r = fit_law(seed, (nnb_fit_opts){.algo = algo, .max_epochs = 3 * length}, &both);
    ck_assert_int_eq(r.second_start, length);
    ck_assert_msg(both <= at_turn * (1 + 100 * (double)REAL_EPS), "%s, seed %d: %g; %g at the turn",
                  nnb_algo_name(algo), (int)seed, both, at_turn);
    gain += log(single / both);
    nnb_report again = fit_law(seed, (nnb_fit_opts){.algo = algo, .max_epochs = 3 * length}, &single);
    ck_assert(again.loss == r.loss && again.samples == r.samples && single == both);
  }
  ck_assert_int_ge(lasting, 1);
  ck_assert_msg(gain > 0.1, "%s: the loss of a single descent is only exp(%g) times as high", nnb_algo_name(algo),
                gain);
}
END_TEST

/* What is asked for stays as it is: too few epochs for two, l2 or none, patience, a validation set. */
START_TEST(one_descent_if_the_options_say_so) {
  const nnb_algo algo = descents[_i].algo;
  const int length = descents[_i].length;
  const nnb_fit_opts opts[] = {{.max_epochs = 2 * length - 1},
                               {.max_epochs = 2 * length, .l2 = NNB_NONE},
                               {.max_epochs = 2 * length, .l2 = 1e-6},
                               {.max_epochs = 2 * length, .patience = 1000}};
  double loss;
  for (size_t k = 0; k < sizeof opts / sizeof *opts; k++) {
    nnb_fit_opts o = opts[k];
    o.algo = algo;
    nnb_report r = fit_law(0, o, &loss);
    ck_assert_msg(r.second_start == 0, "case %zu: a second descent after epoch %d", k, r.second_start);
  }
}
END_TEST

static int soon_after_the_turn(void *user, const nnb_record *rec) { return rec->epoch == *(int *)user + 5; }

/* Broken off while its loss is still high: the net has the first descent's end. */
START_TEST(a_second_descent_that_is_stopped) {
  const nnb_algo algo = descents[_i].algo;
  int length = descents[_i].length;
  double first, stopped;
  fit_law(0, (nnb_fit_opts){.algo = algo, .max_epochs = length, .l2 = NNB_NONE}, &first);
  nnb_fit_opts opts = {.algo = algo, .max_epochs = NNB_NONE, .on_epoch = soon_after_the_turn, .user = &length};
  nnb_report r = fit_law(0, opts, &stopped);
  ck_assert(r.stop == NNB_STOP_USER && r.epochs == length + 5 && r.second_start == length);
  ck_assert(r.restored && r.best_epoch <= length && r.loss > r.best_loss && r.l2 == 0);
  ck_assert_msg(fabs(stopped - first) <= 100 * (double)REAL_EPS * first, "%g; the first descent ended at %g", stopped,
                first);
}
END_TEST

/* Its memory is allocated when it begins: without it the call is refused, and the net is as it was. */
START_TEST(a_second_descent_without_memory) {
  counter = (struct counter){0};
  nnb_set_allocator(&(nnb_allocator){counting_alloc, counting_release, NULL});
  nnb_data *data = law();
  nnb_net *net = law_net(0), *before = law_net(0);
  const size_t n = nnb_net_n_params(before);
  ck_assert(nnb_net_n_params(net) == n);
  nnb_fit_opts opts = {.algo = descents[_i].algo, .max_epochs = 1, .history = NNB_NONE};
  counter = (struct counter){0};
  fit(net, data, NULL, opts);
  const int of_one = counter.made;
  opts.max_epochs = 2 * descents[_i].length;
  for (int k = of_one + 1, status = NNB_E_NOMEM; status != NNB_OK; k++) {
    ck_assert(nnb_net_init(net, 0) == NNB_OK);
    counter = (struct counter){.fail_at = k};
    status = nnb_fit(net, data, NULL, &opts, NULL);
    ck_assert_msg(status == NNB_E_NOMEM || (status == NNB_OK && k > of_one + 5), "allocation %d: status %d", k, status);
    const bool same = !memcmp(nnb_net_params(net), nnb_net_params(before), n * sizeof(real));
    ck_assert_msg(same == (status != NNB_OK), "allocation %d: the net has changed", k);
  }
  nnb_net_destroy(net), nnb_net_destroy(before), nnb_data_destroy(data);
  nnb_set_allocator(NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fit_full, " PRECISION);
  TCase *tc = tcase_create("fit_full");
  tcase_add_loop_test(tc, lower_than_gradient_descent, 0, N_ALGOS);
  tcase_add_loop_test(tc, stops_as_other_fits_do, 0, N_ALGOS);
  tcase_add_test(tc, varpro_keeps_weights_within_reason);
  tcase_add_loop_test(tc, frozen_parameters_stay, 0, N_ALGOS);
  tcase_add_loop_test(tc, decay_is_in_the_objective, 0, N_ALGOS);
  tcase_add_loop_test(tc, unsuitable_options, 0, N_ALGOS);
  tcase_add_loop_test(tc, every_allocation_fails_once, 0, N_ALGOS);
  tcase_add_loop_test(tc, a_second_descent_ends_lower, FIRST_DESCENT, N_DESCENTS);
  tcase_add_loop_test(tc, one_descent_if_the_options_say_so, FIRST_DESCENT, N_DESCENTS);
  tcase_add_loop_test(tc, a_second_descent_that_is_stopped, FIRST_DESCENT, N_DESCENTS);
  tcase_add_loop_test(tc, a_second_descent_without_memory, FIRST_DESCENT, N_DESCENTS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
