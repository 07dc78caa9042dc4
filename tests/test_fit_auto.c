/* What nnb_fit does where nothing is chosen: it predicts new data, in both precisions, whatever the size. */
#include "toys.h"

/* ---- small tables ----------------------------------------------------------------------------------------------- */

enum { FOLDS = 5 };

/* n rows of a linear law of the first two of n_in inputs, with so much noise. */
static nnb_data *noisy_law(int n, int n_in, double noise) {
  real *x = malloc((size_t)n * (size_t)n_in * sizeof *x), *t = malloc((size_t)n * sizeof *t);
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 1);
  ck_assert(x && t);
  for (int i = 0; i < n * n_in; i++) x[i] = (real)nnb_rng_normal(&rng);
  for (int i = 0; i < n; i++) t[i] = (real)((double)(x[i * n_in] - x[i * n_in + 1]) + noise * nnb_rng_normal(&rng));
  nnb_batch rows = {.x = nnb_cview(x, n, n_in), .t = nnb_cview(t, n, 1)};
  nnb_data *data;
  ck_ok(nnb_data_copy(&rows, 0, &data));
  free(x), free(t);
  return data;
}

static nnb_net *net_for(const char *hidden, const nnb_data *train, uint64_t seed) {
  char text[200];
  const int classes = nnb_data_n_classes(train);
  snprintf(text, sizeof text, "%d-%s-%d:%s", nnb_data_n_in(train), hidden, nnb_data_n_out(train),
           classes ? "softmax" : "linear");
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_seed(net, seed));
  ck_ok(nnb_net_standardize(net, train));
  if (!classes) ck_ok(nnb_net_scale_targets(net, train, NNB_STANDARDIZE));
  return net;
}

/* Mean over the folds of the RMSE or the share of wrong answers, with the last report. */
static double error_over_folds(const char *hidden, const nnb_data *data, const nnb_fit_opts *opts, nnb_report *report) {
  double sum = 0;
  for (int k = 0; k < FOLDS; k++) {
    nnb_data *train, *test;
    nnb_metrics m;
    ck_ok(nnb_data_fold(data, FOLDS, k, 1, &train, &test));
    nnb_net *net = net_for(hidden, train, 1);
    ck_ok(nnb_fit(net, train, NULL, opts, report));
    ck_ok(nnb_evaluate(net, test, &m));
    sum += nnb_data_n_classes(data) ? 1 - m.accuracy : m.rmse;
    nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(test);
  }
  return sum / FOLDS;
}

/* Noise of 1, so no net is better than 1 on new rows, and the mean predictor has √3; 440 rows of 10 inputs as in the
 * diabetes table, where the training loss at its minimum predicts worse than the mean. */
START_TEST(noise_is_not_learned) {
  nnb_data *data = noisy_law(440, 10, 1);
  nnb_report r;
  double error = error_over_folds("20:tanh", data, NULL, &r);
  ck_assert_msg(error < 1.15, "RMSE %g; wanted below 1.15 of noise 1", error);
  ck_assert_int_eq(r.choice, NNB_CHOICE_FOLDS);
  ck_assert(r.trials >= 4 && r.l2 > 0 && r.held_rows == 0 && r.algo == NNB_LBFGS);
  nnb_data_destroy(data);
}
END_TEST

/* The evidence has many optima here.  From one start, α and β that are estimated at once end where nets fit the noise.
 */
START_TEST(bayes_does_not_learn_noise) {
  nnb_data *data = noisy_law(440, 10, 1);
  nnb_report r;
  double error = error_over_folds("20:tanh", data, &(nnb_fit_opts){.bayes = true, .restarts = 1}, &r);
  ck_assert_msg(error < 1.1, "RMSE %g; wanted below 1.1 of noise 1", error);
  ck_assert_msg(r.evidence.gamma < 40, "%g effective parameters", r.evidence.gamma);
  nnb_data_destroy(data);
}
END_TEST

/* 83 and 84 units of 10 inputs are 997 and 1009 parameters. */
START_TEST(no_cliff_at_a_thousand_parameters) {
  nnb_data *data = noisy_law(300, 10, 1);
  nnb_report a, b;
  double below = error_over_folds("83:tanh", data, NULL, &a), above = error_over_folds("84:tanh", data, NULL, &b);
  ck_assert_int_eq(a.algo, b.algo);
  ck_assert_msg(fabs(below - above) < 0.05 && below < 1.2, "RMSE %g with 83 units, %g with 84", below, above);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(iris_is_learned) {
  nnb_data *data;
  nnb_report r;
  ck_ok(nnb_data_read_csv(EXAMPLE_DATA "/iris.csv", NULL, &data));
  double wrong = error_over_folds("20:tanh", data, NULL, &r);
  ck_assert_msg(wrong <= 0.05, "%g of the answers are wrong", wrong);
  nnb_data_destroy(data);
}
END_TEST

/* ---- the same choice -------------------------------------------------------------------------------------------- */

static nnb_report fit_law(uint64_t seed, int threads, uint64_t *hash) {
  nnb_data *data = noisy_law(200, 5, 0.5);
  nnb_net *net = net_for("8:tanh", data, 3);
  nnb_report r;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.seed = seed, .threads = threads}, &r));
  *hash = toy_hash_net(1, net);
  nnb_net_destroy(net), nnb_data_destroy(data);
  return r;
}

START_TEST(the_seed_decides_and_nothing_else) {
  uint64_t a, b, c;
  nnb_report one = fit_law(1, 1, &a), again = fit_law(1, 1, &b), two = fit_law(1, 2, &c);
  ck_assert(a == b && a == c);
  ck_assert_double_eq(one.l2, two.l2);
  ck_assert(one.epochs == two.epochs && one.trials == two.trials && again.trials == one.trials);
}
END_TEST

/* The decay that each precision chooses is written here, up to rounding. */
START_TEST(both_precisions_choose_the_same) {
  uint64_t hash;
  nnb_report r = fit_law(1, 1, &hash);
  ck_assert_msg(fabs(r.l2 / 0.1 - 1) < 0.02, "decay %g", r.l2);
  ck_assert_int_eq(r.algo, NNB_LBFGS);
}
END_TEST

/* ---- few rows --------------------------------------------------------------------------------------------------- */

START_TEST(xor_is_learned_from_four_rows) {
  real x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0}, y[4];
  nnb_batch rows = {.x = nnb_cview(x, 4, 2), .t = nnb_cview(t, 4, 1)};
  const nnb_fit_opts opts[] = {{0}, {.lr = 0.3, .batch = NNB_FULL_BATCH, .max_epochs = 2000}, {.lr = 0.3}};
  nnb_data *data;
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  for (int k = 0; k < 3; k++) {
    nnb_net *net = nnb_net_create(2);
    nnb_report r;
    nnb_net_dense(net, 4, NNB_TANH), nnb_net_dense(net, 1, NNB_SIGMOID);
    ck_ok(nnb_fit(net, data, NULL, &opts[k], &r));
    ck_ok(nnb_net_predict(net, rows.x, nnb_view(y, 4, 1)));
    for (int i = 0; i < 4; i++) ck_assert_msg(fabs((double)(y[i] - t[i])) < 0.2, "%d: row %d: %g", k, i, (double)y[i]);
    ck_assert_int_eq(r.choice, k ? NNB_CHOICE_NONE : NNB_CHOICE_FEW_ROWS);
    ck_assert(r.held_rows == 0 && r.trials == 0);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* ---- options that are set stay ---------------------------------------------------------------------------------- */

START_TEST(given_options_stay) {
  static const struct {
    nnb_fit_opts opts;
    bool val;
    nnb_algo algo;
    nnb_choice choice;
    int held, batch;
    double lr, l2; /* 0: any */
  } cases[] = {
      {{.l2 = 0.03}, false, NNB_LBFGS, NNB_CHOICE_FOLDS, 0, 200, 0, 0.03},
      {{.max_epochs = 7}, false, NNB_LBFGS, NNB_CHOICE_FOLDS, 0, 200, 0, 0},
      {{0}, true, NNB_LBFGS, NNB_CHOICE_VALIDATION, 0, 200, 0, 0},
      {{.lr = 0.004}, false, NNB_ADAM, NNB_CHOICE_HELD_OUT, 20, 32, 0.004, 0},
      {{.batch = 9}, false, NNB_ADAM, NNB_CHOICE_HELD_OUT, 20, 9, 0.001, 0},
      {{.lr = 0.004}, true, NNB_ADAM, NNB_CHOICE_NONE, 0, 32, 0.004, 0},
      {{.lr = 0.004, .max_epochs = 5}, false, NNB_ADAM, NNB_CHOICE_NONE, 0, 32, 0.004, 0},
      {{.algo = NNB_ADAM}, false, NNB_ADAM, NNB_CHOICE_NONE, 0, 32, 0.001, 0},
      {{.algo = NNB_LBFGS}, false, NNB_LBFGS, NNB_CHOICE_NONE, 0, 200, 0, 0},
  };
  nnb_data *data = noisy_law(200, 5, 0.5);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nnb_net *net = net_for("8:tanh", data, 3);
    nnb_report r;
    ck_ok(nnb_fit(net, data, cases[i].val ? data : NULL, &cases[i].opts, &r));
    ck_assert_msg(r.algo == cases[i].algo && r.choice == cases[i].choice && r.held_rows == cases[i].held,
                  "case %zu: %s, choice %d, %d held out", i, nnb_algo_name(r.algo), r.choice, r.held_rows);
    ck_assert_msg(r.batch == cases[i].batch, "case %zu: batch %d", i, r.batch);
    ck_assert_msg((r.choice == NNB_CHOICE_FOLDS) == (r.held_loss != 0), "case %zu: held-out loss %g", i, r.held_loss);
    if (cases[i].lr > 0) ck_assert_double_eq(r.lr, cases[i].lr);
    if (cases[i].l2 > 0) ck_assert_double_eq(r.l2, cases[i].l2);
    if (cases[i].opts.max_epochs) ck_assert_int_le(r.epochs, cases[i].opts.max_epochs);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

static int count_epochs(void *user, const nnb_record *rec) {
  ck_assert_int_eq(rec->epoch, ++*(int *)user);
  return 0;
}

/* Trials call nobody. */
START_TEST(the_callback_sees_the_last_training) {
  nnb_data *data = noisy_law(100, 3, 0.5);
  nnb_net *net = net_for("4:tanh", data, 3);
  int epochs = 0;
  nnb_report r;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.on_epoch = count_epochs, .user = &epochs}, &r));
  ck_assert_int_eq(epochs, r.epochs);
  ck_assert_int_eq(r.n_history, r.epochs);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

START_TEST(the_clock_ends_the_trials) {
  nnb_data *data = noisy_law(1900, 30, 1);
  nnb_net *net = net_for("200:tanh-200:tanh", data, 3);
  nnb_report r;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_seconds = 0.05}, &r));
  ck_assert_msg(r.seconds < 5 * slowness(), "%g s", r.seconds);
  ck_assert_int_eq(r.stop, NNB_STOP_SECONDS);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A fit with a validation set never leaves a higher validation loss than it found. */
START_TEST(validation_never_gets_worse) {
  nnb_data *data = noisy_law(120, 5, 1), *train, *val;
  nnb_metrics before, after;
  ck_ok(nnb_data_split(data, 0.3, 1, &train, &val));
  nnb_net *net = net_for("8:tanh", train, 3);
  ck_ok(nnb_fit(net, train, val, NULL, NULL));
  ck_ok(nnb_evaluate(net, val, &before));
  ck_ok(nnb_fit(net, train, val, NULL, NULL));
  ck_ok(nnb_evaluate(net, val, &after));
  ck_assert_msg(after.loss <= before.loss * (1 + TOL(1e-12, 1e-5)), "%g after %g", after.loss, before.loss);
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* ---- many rows -------------------------------------------------------------------------------------------------- */

START_TEST(many_rows_go_in_batches) {
  nnb_data *data = toy_classes(4000, 20, 5), *train, *test;
  nnb_report r;
  nnb_metrics m;
  ck_ok(nnb_data_split(data, 0.25, 1, &train, &test));
  nnb_net *net = net_for("300:relu", train, 1);
  ck_ok(nnb_fit(net, train, NULL, NULL, &r));
  ck_ok(nnb_evaluate(net, test, &m));
  ck_assert_int_eq(r.choice, NNB_CHOICE_HELD_OUT); /* 3000 rows times 7805 parameters are more than 2e7 */
  ck_assert(r.algo == NNB_ADAM && r.held_rows == 150 && r.batch == 128 && r.lr > 0 && r.trials == 4);
  ck_assert_msg(m.accuracy > 0.9, "accuracy %g", m.accuracy);
  nnb_net_destroy(net);
  nnb_data_destroy(data), nnb_data_destroy(train), nnb_data_destroy(test);
}
END_TEST

/* ---- several starts --------------------------------------------------------------------------------------------- */

static nnb_report fit_starts(nnb_fit_opts opts, const nnb_data *data, const nnb_data *val, uint64_t *hash) {
  nnb_net *net = net_for("3:tanh", data, 3);
  nnb_report r;
  ck_ok(nnb_fit(net, data, val, &opts, &r));
  *hash = toy_hash_net(1, net);
  nnb_net_destroy(net);
  return r;
}

/* The best of eight starts is at least as good as the first, by any number of threads. */
START_TEST(the_best_start_trains_the_net) {
  nnb_data *data = noisy_law(80, 3, 0.1), *train, *val;
  uint64_t one, two, alone;
  ck_ok(nnb_data_split(data, 0.3, 1, &train, &val));
  nnb_fit_opts opts = {.algo = NNB_BFGS, .max_epochs = 30, .restarts = 8, .threads = 1};
  for (int k = 0; k < 2; k++) {
    const nnb_data *by = k ? val : NULL;
    opts.restarts = 8, opts.threads = 1;
    nnb_report a = fit_starts(opts, train, by, &one);
    opts.threads = 3;
    nnb_report b = fit_starts(opts, train, by, &two);
    opts.restarts = 1, opts.threads = 1;
    nnb_report c = fit_starts(opts, train, by, &alone);
    ck_assert(one == two && a.start == b.start && a.starts == 8 && c.starts == 0);
    ck_assert_msg(a.best_loss <= c.best_loss, "best loss %g of 8 starts, %g of one", a.best_loss, c.best_loss);
    ck_assert_msg((a.start == 0) == (one == alone), "start %d", a.start);
  }
  nnb_data_destroy(data), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

START_TEST(frozen_weights_stay_in_every_start) {
  nnb_data *data = noisy_law(40, 3, 0.1);
  nnb_net *net = net_for("3:tanh", data, 3);
  nnb_cmat w;
  ck_ok(nnb_net_freeze(net, 2, NNB_WEIGHTS));
  ck_ok(nnb_net_weights(net, 2, &w));
  const uint64_t before = toy_hash(1, w.p, 9 * sizeof(real));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LBFGS, .max_epochs = 5, .restarts = 5}, NULL));
  ck_assert_uint_eq(toy_hash(1, w.p, 9 * sizeof(real)), before);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* One start alone ends in an evidence that is no better, and predicts no better. */
START_TEST(bayes_takes_the_better_evidence) {
  nnb_data *data = noisy_law(150, 6, 1);
  uint64_t hash;
  nnb_report both = fit_starts((nnb_fit_opts){.bayes = true}, data, NULL, &hash);
  nnb_report one = fit_starts((nnb_fit_opts){.bayes = true, .restarts = 1}, data, NULL, &hash);
  ck_assert_int_eq(both.starts, 2);
  ck_assert_msg(both.evidence.log_evidence >= one.evidence.log_evidence - TOL(1e-3, 0.1), "%g, alone %g",
                both.evidence.log_evidence, one.evidence.log_evidence);
  ck_assert(both.stop == NNB_STOP_CHANGE);
  nnb_data_destroy(data);
}
END_TEST

/* ---- in words --------------------------------------------------------------------------------------------------- */

static void expect_words(const nnb_report *r, const char *words) {
  char text[2000] = "";
  FILE *f = tmpfile();
  ck_assert(f != NULL);
  nnb_report_print(r, f);
  rewind(f);
  size_t n = fread(text, 1, sizeof text - 1, f);
  text[n] = '\0';
  fclose(f);
  ck_assert_msg(strstr(text, words) != NULL, "\"%s\" is not in:\n%s", words, text);
}

START_TEST(the_report_speaks) {
  nnb_data *data = noisy_law(200, 5, 0.5);
  nnb_net *net = net_for("8:tanh", data, 3);
  nnb_report r;
  ck_ok(nnb_fit(net, data, NULL, NULL, &r));
  expect_words(&r, "two folds"), expect_words(&r, "lbfgs"), expect_words(&r, "decay 0.");
  expect_words(&r, nnb_stop_text(r.stop));
  ck_ok(nnb_fit(net, data, data, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 2, .lr = 0.125}, &r));
  expect_words(&r, "the options say how"), expect_words(&r, "adam"), expect_words(&r, "learning rate 0.125");
  expect_words(&r, "validation");
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.bayes = true, .max_epochs = 3}, &r));
  expect_words(&r, "log evidence");
  ck_assert_int_ne(nnb_fit(net, NULL, NULL, NULL, &r), NNB_OK);
  expect_words(&r, "failed");
  nnb_report_print(NULL, stdout), nnb_report_print(&r, NULL);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- the tables ------------------------------------------------------------------------------------------------- */

/* scikit-learn's defaults have 54.8 over such folds, the mean 77. */
START_TEST(diabetes) {
  const char *folder = getenv("NNBLAS_DATA");
  if (!folder) {
    printf("skipped: diabetes: NNBLAS_DATA is not set\n");
    return;
  }
  char path[700];
  nnb_data *inputs, *targets, *data;
  nnb_batch x, t;
  nnb_report r;
  nnb_csv_opts csv = {.header = NNB_NONE, .separator = ' ', .n_targets = NNB_NONE};
  snprintf(path, sizeof path, "%s/diabetes/diabetes_data_raw.csv.gz", folder);
  ck_ok(nnb_data_read_csv(path, &csv, &inputs));
  snprintf(path, sizeof path, "%s/diabetes/diabetes_target.csv.gz", folder);
  ck_ok(nnb_data_read_csv(path, &csv, &targets));
  ck_ok(nnb_data_batch(inputs, 0, nnb_data_rows(inputs), &x));
  ck_ok(nnb_data_batch(targets, 0, nnb_data_rows(targets), &t));
  x.t = t.x;
  ck_ok(nnb_data_copy(&x, 0, &data));
  double error = error_over_folds("20:tanh", data, NULL, &r);
  ck_assert_msg(error < 58, "RMSE %g; wanted below 58", error);
  nnb_data_destroy(inputs), nnb_data_destroy(targets), nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fit_auto " PRECISION);
  TCase *t = tcase_create("all");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, noise_is_not_learned);
  tcase_add_test(t, bayes_does_not_learn_noise);
  tcase_add_test(t, no_cliff_at_a_thousand_parameters);
  tcase_add_test(t, iris_is_learned);
  tcase_add_test(t, the_seed_decides_and_nothing_else);
  tcase_add_test(t, both_precisions_choose_the_same);
  tcase_add_test(t, xor_is_learned_from_four_rows);
  tcase_add_test(t, given_options_stay);
  tcase_add_test(t, the_callback_sees_the_last_training);
  tcase_add_test(t, the_clock_ends_the_trials);
  tcase_add_test(t, validation_never_gets_worse);
  tcase_add_test(t, many_rows_go_in_batches);
  tcase_add_test(t, the_best_start_trains_the_net);
  tcase_add_test(t, frozen_weights_stay_in_every_start);
  tcase_add_test(t, bayes_takes_the_better_evidence);
  tcase_add_test(t, the_report_speaks);
  tcase_add_test(t, diabetes);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
