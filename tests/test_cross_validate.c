/* nnb_cross_validate against the same runs made by hand, for any number of threads, in both precisions. */
#include "toys.h"

enum { FOLDS = 4, REPEATS = 2, RUNS = FOLDS * REPEATS };

static const nnb_fit_opts adam = {.algo = NNB_ADAM, .lr = 0.02, .max_epochs = 6, .batch = 8, .seed = 3};

static nnb_data *weighted(void) {
  nnb_data *plain = toy_classes(61, 4, 3), *data;
  nnb_batch rows;
  real weight[61];
  ck_ok(nnb_data_batch(plain, 0, 61, &rows));
  for (int i = 0; i < 61; i++) weight[i] = (real)(1 + i % 3);
  rows.weight = weight;
  ck_ok(nnb_data_copy(&rows, 3, &data));
  nnb_data_destroy(plain);
  return data;
}

static nnb_net *net_for(const char *text, const nnb_data *data, nnb_scaling scaling) {
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_scale_inputs(net, data, scaling));
  if (!nnb_data_n_classes(data)) ck_ok(nnb_net_scale_targets(net, data, scaling));
  ck_ok(nnb_net_seed(net, 7));
  return net;
}

/* Run r by the calls that the header names. */
static nnb_metrics by_hand(const char *text, const nnb_data *data, nnb_scaling scaling, int r) {
  nnb_data *train, *test;
  nnb_metrics m;
  ck_ok(nnb_data_fold(data, FOLDS, r % FOLDS, 11 + (uint64_t)(r / FOLDS), &train, &test));
  nnb_net *net = net_for(text, train, scaling);
  ck_ok(nnb_net_init(net, 7 + (uint64_t)r));
  nnb_fit_opts opts = adam;
  opts.threads = 1;
  ck_ok(nnb_fit(net, train, NULL, &opts, NULL));
  ck_ok(nnb_evaluate(net, test, &m));
  nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(test);
  return m;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Few rows need no option: each is a part. */
START_TEST(few_rows) {
  nnb_data *data = toy_regression(3, 2, 1), *one = toy_regression(1, 2, 1);
  nnb_net *net;
  nnb_cv_report report;
  ck_ok(nnb_net_parse("2-3:tanh-1", &net));
  ck_ok(nnb_cross_validate(net, data, &(nnb_fit_opts){.max_epochs = 2}, NULL, &report));
  ck_assert_int_eq(report.n_runs, 3);
  nnb_cv_report_clear(&report);
  ck_assert_int_eq(nnb_cross_validate(net, one, NULL, NULL, &report), NNB_E_SHAPE);
  ck_assert_str_eq(nnb_errmsg(), "a cross-validation needs at least 2 rows; there is 1");
  nnb_net_destroy(net);
  nnb_data_destroy(data), nnb_data_destroy(one);
}
END_TEST

START_TEST(runs_are_those_made_by_hand) {
  const bool classes = _i < 2;
  const nnb_scaling scaling = _i % 2 ? NNB_MINMAX : NNB_STANDARDIZE;
  const char *text = classes ? "4-5:tanh-3:softmax" : "3-5:tanh-2";
  nnb_data *data = classes ? weighted() : toy_regression(50, 3, 2);
  nnb_net *net = net_for(text, data, scaling);
  nnb_cv_report report;
  ck_ok(nnb_set_threads(1)); /* nnb_evaluate by hand has the bits of one thread */
  ck_ok(nnb_cross_validate(net, data, &adam, &(nnb_cv_opts){.folds = FOLDS, .repeats = REPEATS, .seed = 11}, &report));
  ck_assert_int_eq(report.n_runs, RUNS);
  ck_assert(!report.stopped);
  for (int r = 0; r < RUNS; r++) {
    const nnb_cv_run *run = &report.run[r];
    const nnb_metrics m = by_hand(text, data, scaling, r);
    ck_assert(run->repeat == r / FOLDS && run->fold == r % FOLDS);
    ck_assert_int_eq(run->train_rows + run->test_rows, nnb_data_rows(data));
    ck_assert_int_eq(run->test_rows, (int)m.rows);
    ck_assert(run->algo == NNB_ADAM && run->epochs == 6 && run->stop == NNB_STOP_EPOCHS);
    ck_assert_msg(same(run->metrics.loss, m.loss) && same(run->metrics.accuracy, m.accuracy) &&
                      same(run->metrics.rmse, m.rmse) && same(run->metrics.r2, m.r2),
                  "run %d: loss %.17g, by hand %.17g", r, run->metrics.loss, m.loss);
  }
  nnb_cv_report_clear(&report);
  nnb_net_destroy(net), nnb_data_destroy(data);
  ck_ok(nnb_set_threads(0));
}
END_TEST

/* ---- metrics and weights of classes ------------------------------------------------------------------------------ */

enum {
  OF_CLASSES = NNB_METRIC_ACCURACY | NNB_METRIC_BALANCED_ACCURACY | NNB_METRIC_PRECISION | NNB_METRIC_RECALL |
               NNB_METRIC_F1 | NNB_METRIC_AUC | NNB_METRIC_LOG_LOSS,
  OF_VALUES = NNB_METRIC_MSE | NNB_METRIC_RMSE | NNB_METRIC_MAE | NNB_METRIC_R2
};

/* What run r must have: the rows trained on have the weights of their classes, those held out do not. */
static nnb_scores *scores_by_hand(const char *text, const nnb_data *data, const nnb_cv_opts *opts, int r) {
  nnb_data *train, *test;
  nnb_scores *scores;
  ck_ok(nnb_data_fold(data, opts->folds, r, opts->seed, &train, &test));
  if (opts->weigh_classes) {
    real weight[3];
    for (int k = 0; opts->class_weight && k < 3; k++) weight[k] = (real)opts->class_weight[k];
    ck_ok(nnb_data_weigh_classes(train, opts->class_weight ? weight : NULL));
  }
  nnb_net *net = net_for(text, train, NNB_STANDARDIZE);
  ck_ok(nnb_net_init(net, 7 + (uint64_t)r));
  ck_ok(nnb_fit(net, train, NULL, &adam, NULL));
  ck_ok(nnb_net_score(net, test, NULL, &scores));
  nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(test);
  return scores;
}

START_TEST(metrics_are_those_made_by_hand) {
  static const double weight[] = {5, 0.5, 1};
  const bool classes = _i < 3;
  const char *text = classes ? "4-5:tanh-3:softmax" : "3-5:tanh-2";
  nnb_data *data = classes ? weighted() : toy_regression(50, 3, 2);
  nnb_net *net = net_for(text, data, NNB_STANDARDIZE);
  nnb_fit_opts fit = adam;
  fit.metrics = classes ? OF_CLASSES : OF_VALUES;
  nnb_cv_opts opts = {.folds = FOLDS, .seed = 11, .weigh_classes = _i == 1 || _i == 2};
  if (_i == 2) opts.class_weight = weight;
  nnb_cv_report report;
  ck_ok(nnb_set_threads(1));
  ck_ok(nnb_cross_validate(net, data, &fit, &opts, &report));
  ck_assert(report.metrics == fit.metrics && report.n_runs == FOLDS);
  double sum[11] = {0};
  for (int r = 0; r < FOLDS; r++) {
    nnb_scores *scores = scores_by_hand(text, data, &opts, r);
    for (unsigned i = 0; i < 11; i++) {
      const nnb_metric metric = (nnb_metric)(1U << i);
      const double got = nnb_cv_report_run_metric(&report, r, metric);
      const double wanted = nnb_scores_get(scores, metric);
      ck_assert_msg(same(got, wanted), "run %d: %s is %.17g, by hand %.17g", r, nnb_metric_name(metric), got, wanted);
      ck_assert(isnan(got) == !(fit.metrics & (unsigned)metric));
      sum[i] += got / FOLDS;
    }
    nnb_scores_destroy(scores);
  }
  for (unsigned i = 0; i < 11; i++) {
    const nnb_cv_score score = nnb_cv_report_metric(&report, (nnb_metric)(1U << i));
    ck_assert(fabs(score.mean - sum[i]) < 1e-14 || (isnan(score.mean) && isnan(sum[i]) && isnan(score.error)));
  }
  ck_assert(isnan(nnb_cv_report_run_metric(&report, FOLDS, NNB_METRIC_ACCURACY)));
  ck_assert(isnan(nnb_cv_report_run_metric(NULL, 0, NNB_METRIC_ACCURACY)));
  ck_assert(isnan(nnb_cv_report_metric(NULL, NNB_METRIC_R2).mean));
  ck_assert(isnan(nnb_cv_report_metric(&report, (nnb_metric)3).mean)); /* no single one */
  nnb_cv_report_clear(&report);
  nnb_net_destroy(net), nnb_data_destroy(data);
  ck_ok(nnb_set_threads(0));
}
END_TEST

/* ---- the figures ------------------------------------------------------------------------------------------------- */

static void check_score(const nnb_cv_report *report, const nnb_cv_score *s, const double *x) {
  const int n = report->n_runs;
  double mean = 0, squares = 0, ratio = 0, min = x[0], max = x[0];
  for (int i = 0; i < n; i++) {
    mean += x[i] / n, ratio += (double)report->run[i].test_rows / report->run[i].train_rows / n;
    min = fmin(min, x[i]), max = fmax(max, x[i]);
  }
  for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
  const double deviation = sqrt(squares / (n - 1));
  ck_assert_double_eq_tol(s->mean, mean, 1e-14);
  ck_assert_double_eq_tol(s->deviation, deviation, 1e-14);
  ck_assert_double_eq_tol(s->plain_error, deviation / sqrt(n), 1e-14);
  ck_assert_double_eq_tol(s->error, deviation * sqrt(1.0 / n + ratio), 1e-14);
  ck_assert(s->min == min && s->max == max && s->error > 1.5 * s->plain_error);
}

START_TEST(figures) {
  nnb_data *data = weighted();
  nnb_net *net = net_for("4-3:softmax", data, NNB_STANDARDIZE);
  nnb_cv_report report;
  double accuracy[10], loss[10];
  ck_ok(nnb_cross_validate(net, data, &adam, &(nnb_cv_opts){.repeats = 2}, &report));
  ck_assert_int_eq(report.n_runs, 10); /* 5 folds */
  for (int i = 0; i < 10; i++) accuracy[i] = report.run[i].metrics.accuracy, loss[i] = report.run[i].metrics.loss;
  check_score(&report, &report.accuracy, accuracy);
  check_score(&report, &report.loss, loss);
  ck_assert(isnan(report.rmse.mean) && isnan(report.rmse.error) && isnan(report.r2.mean));
  nnb_cv_report_clear(&report);
  ck_assert(report.run == NULL && report.n_runs == 0);
  nnb_cv_report_clear(&report), nnb_cv_report_clear(NULL);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- the same for any number of threads -------------------------------------------------------------------------- */

static uint64_t digest(const nnb_fit_opts *fit, int threads, int in_all) {
  nnb_data *data = weighted();
  nnb_net *net = net_for("4-6:tanh-3:softmax", data, NNB_STANDARDIZE);
  nnb_cv_report report;
  ck_ok(nnb_set_threads(in_all));
  ck_ok(nnb_cross_validate(net, data, fit, &(nnb_cv_opts){.folds = 5, .threads = threads}, &report));
  uint64_t h = 1;
  for (int i = 0; i < report.n_runs; i++) {
    h = toy_hash(h, &report.run[i].metrics.loss, sizeof(double));
    h = toy_hash(h, &report.run[i].metrics.accuracy, sizeof(double));
  }
  nnb_cv_report_clear(&report);
  nnb_net_destroy(net), nnb_data_destroy(data);
  ck_ok(nnb_set_threads(0));
  return h;
}

START_TEST(threads_change_nothing) {
  static const nnb_fit_opts fits[] = {
      {.algo = NNB_ADAM, .max_epochs = 4}, {.max_epochs = 10}, {.restarts = 2, .algo = NNB_SCG, .max_epochs = 5}};
  const uint64_t one = digest(&fits[_i], 1, 1);
  ck_assert(one == digest(&fits[_i], 2, 1));
  ck_assert(one == digest(&fits[_i], 0, 3));
  ck_assert(one == digest(&fits[_i], 7, 2));
}
END_TEST

/* ---- the net stays as it is -------------------------------------------------------------------------------------- */

START_TEST(the_net_stays) {
  nnb_data *data = weighted();
  nnb_net *net = net_for("4-6:tanh:frozen=3-3:softmax", data, NNB_STANDARDIZE);
  nnb_cv_report a, b;
  const nnb_cv_opts opts = {.folds = 3};
  ck_ok(nnb_cross_validate(net, data, &adam, &opts, &a));
  ck_ok(nnb_net_seed(net, 7)); /* it is not sealed */
  ck_assert(nnb_net_column_name(net, 0) == NULL);
  ck_ok(nnb_net_init(net, 99)); /* its frozen layer has other weights than the runs would draw */
  const uint64_t before = toy_hash_net(1, net);
  ck_ok(nnb_cross_validate(net, data, &adam, &opts, &b));
  ck_assert(before == toy_hash_net(1, net));
  ck_assert_msg(a.loss.mean != b.loss.mean, "the frozen layer was drawn again");
  nnb_cv_report_clear(&a), nnb_cv_report_clear(&b);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A net that was trained on the rows held out predicts them no better. */
START_TEST(trained_parameters_do_not_count) {
  nnb_data *data = weighted();
  nnb_net *net = net_for("4-6:tanh-3:softmax", data, NNB_STANDARDIZE);
  nnb_cv_report a, b;
  ck_ok(nnb_cross_validate(net, data, &adam, NULL, &a));
  ck_ok(nnb_fit(net, data, NULL, NULL, NULL)); /* it has seen all rows */
  ck_ok(nnb_cross_validate(net, data, &adam, NULL, &b));
  ck_assert_double_eq(a.loss.mean, b.loss.mean);
  nnb_cv_report_clear(&a), nnb_cv_report_clear(&b);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* The way of scaling goes through copies and files. */
START_TEST(scaling_is_kept_in_files) {
  nnb_data *data = toy_regression(40, 3, 1);
  for (int minmax = 0; minmax < 2; minmax++) {
    nnb_net *net = net_for("3-4:tanh-1", data, minmax ? NNB_MINMAX : NNB_STANDARDIZE), *loaded;
    nnb_cv_report a, b;
    void *file;
    size_t bytes;
    ck_ok(nnb_cross_validate(net, data, &adam, NULL, &a));
    ck_ok(nnb_net_save_mem(net, &file, &bytes));
    ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
    ck_ok(nnb_cross_validate(loaded, data, &adam, NULL, &b));
    ck_assert_double_eq(a.rmse.mean, b.rmse.mean);
    nnb_cv_report_clear(&a), nnb_cv_report_clear(&b);
    nnb_net_destroy(net), nnb_net_destroy(loaded), nnb_free(file);
  }
  nnb_data_destroy(data);
}
END_TEST

/* ---- own parts --------------------------------------------------------------------------------------------------- */

START_TEST(own_parts) {
  nnb_data *data = toy_regression(30, 3, 1);
  nnb_net *net = net_for("3-4:tanh-1", data, NNB_STANDARDIZE);
  nnb_cv_report report;
  int32_t part[30];
  for (int i = 0; i < 30; i++) part[i] = i < 5 ? 2 : i < 12 ? 0 : 1;
  ck_ok(nnb_cross_validate(net, data, &adam, &(nnb_cv_opts){.folds = 3, .part = part}, &report));
  ck_assert_int_eq(report.n_runs, 3);
  ck_assert(report.run[0].test_rows == 7 && report.run[1].test_rows == 18 && report.run[2].test_rows == 5);
  nnb_cv_report_clear(&report);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

static int stop_at(void *user, int done, int runs) {
  ck_assert(done >= 1 && done <= runs && runs == 6);
  return done >= *(int *)user;
}

static int count_epochs(void *user, const nnb_record *record) {
  ck_assert_int_ge(record->epoch, 1);
  return ++*(int *)user >= 20;
}

START_TEST(callbacks_stop) {
  nnb_data *data = weighted();
  nnb_net *net = net_for("4-3:softmax", data, NNB_STANDARDIZE);
  nnb_cv_report report;
  int limit = 2, epochs = 0;
  nnb_cv_opts opts = {.folds = 3, .repeats = 2, .threads = 1, .on_run = stop_at, .user = &limit};
  ck_ok(nnb_cross_validate(net, data, &adam, &opts, &report));
  ck_assert(report.stopped && report.n_runs == 2);
  nnb_cv_report_clear(&report);
  nnb_fit_opts fit = adam;
  fit.on_epoch = count_epochs, fit.user = &epochs; /* the fourth run ends early and does not count */
  ck_ok(nnb_cross_validate(net, data, &fit, &(nnb_cv_opts){.folds = 3, .repeats = 2, .threads = 1}, &report));
  ck_assert(report.stopped && report.n_runs == 3 && epochs == 20);
  nnb_cv_report_clear(&report);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static nnb_status read_none(void *user, int64_t row0, int n, const nnb_rows *rows) {
  (void)user, (void)row0, (void)n, (void)rows;
  return NNB_E_IO;
}

START_TEST(refusals) {
  nnb_data *data = weighted(), *unread, *wide = toy_classes(20, 5, 3);
  nnb_net *net = net_for("4-3:softmax", data, NNB_STANDARDIZE);
  nnb_data *flow = toy_regression(30, 3, 1);
  nnb_net *flow_net = net_for("3-1", flow, NNB_STANDARDIZE);
  const double below[3] = {-1, 1, 1};
  int32_t part[61] = {0};
  static const nnb_comm comm = {.size = 1};
  ck_ok(nnb_data_from_source(&(nnb_source){.rows = 20, .n_in = 4, .n_classes = 3, .read = read_none}, &unread));
  const struct {
    const nnb_net *net;
    const nnb_data *data;
    nnb_fit_opts fit;
    nnb_cv_opts opts;
    nnb_status status;
    const char *words;
  } cases[] = {
      {NULL, data, {0}, {0}, NNB_E_ARG, "NULL"},
      {net, NULL, {0}, {0}, NNB_E_ARG, "data is NULL"},
      {net, data, {0}, {.folds = 1}, NNB_E_ARG, "folds is 1; wanted 2 to 61"},
      {net, data, {0}, {.folds = 62}, NNB_E_ARG, "folds is 62; wanted 2 to 61"},
      {net, data, {0}, {.repeats = -1}, NNB_E_ARG, "repeats is -1"},
      {net, data, {0}, {.folds = 2, .repeats = 2000000000}, NNB_E_OVERFLOW, "too many"},
      {net, data, {0}, {.threads = 2000}, NNB_E_ARG, "threads is 2000"},
      {net, data, {0}, {.folds = 2, .part = part}, NNB_E_ARG, "no row is in part 1 of 2"},
      {net, data, {0}, {.folds = 2, .repeats = 2, .part = part}, NNB_E_ARG, "every repeat would be the same"},
      {net, data, {0}, {.reserved = {(void *)part}}, NNB_E_ARG, "reserved"},
      {net, data, {.lr = -1}, {0}, NNB_E_ARG, "lr is -1"},
      {net, data, {.checkpoint = "x"}, {0}, NNB_E_UNSUPPORTED, "checkpoint"},
      {net, data, {.comm = &comm}, {0}, NNB_E_UNSUPPORTED, "one rank each"},
      {net, data, {.own_rows = true}, {0}, NNB_E_UNSUPPORTED, "one rank each"},
      {net, unread, {0}, {0}, NNB_E_UNSUPPORTED, "source"},
      {net, wide, {0}, {0}, NNB_E_SHAPE, "repeat 1, fold 1: "},
      {net, data, {.algo = NNB_LM}, {0}, NNB_E_UNSUPPORTED, "repeat 1, fold 1: "},
      {net, data, {.metrics = NNB_METRIC_RMSE}, {0}, NNB_E_ARG, "the metric rmse is for targets t"},
      {flow_net, flow, {.metrics = NNB_METRIC_F1}, {0}, NNB_E_ARG, "the metric f1 is for classes and labels"},
      {flow_net, flow, {0}, {.weigh_classes = true}, NNB_E_ARG, "the data has no classes to weigh"},
      {net, data, {0}, {.class_weight = below}, NNB_E_ARG, "class_weight is set, but weigh_classes is false"},
      {net, data, {0}, {.weigh_classes = true, .class_weight = below}, NNB_E_ARG, "weight[0] is -1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nnb_cv_report report = {.n_runs = 5};
    const nnb_status got = nnb_cross_validate(cases[i].net, cases[i].data, &cases[i].fit, &cases[i].opts, &report);
    ck_assert_msg(got == cases[i].status && strstr(nnb_errmsg(), cases[i].words), "case %d: %s: %s", (int)i,
                  nnb_strstatus(got), nnb_errmsg());
    ck_assert(report.n_runs == 0 && report.run == NULL);
  }
  ck_assert_int_eq(nnb_cross_validate(net, data, NULL, NULL, NULL), NNB_E_ARG);
  part[60] = 2;
  nnb_cv_report report;
  ck_assert_int_eq(nnb_cross_validate(net, data, NULL, &(nnb_cv_opts){.folds = 2, .part = part}, &report), NNB_E_ARG);
  ck_assert(strstr(nnb_errmsg(), "part[60] is 2; wanted 0 to 1") != NULL);
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(unread), nnb_data_destroy(wide);
  nnb_net_destroy(flow_net), nnb_data_destroy(flow);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cross_validate_" PRECISION);
  TCase *tc = tcase_create("cross_validate");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, few_rows);
  tcase_add_loop_test(tc, runs_are_those_made_by_hand, 0, 4);
  tcase_add_loop_test(tc, metrics_are_those_made_by_hand, 0, 4);
  tcase_add_test(tc, figures);
  tcase_add_loop_test(tc, threads_change_nothing, 0, 3);
  tcase_add_test(tc, the_net_stays);
  tcase_add_test(tc, trained_parameters_do_not_count);
  tcase_add_test(tc, scaling_is_kept_in_files);
  tcase_add_test(tc, own_parts);
  tcase_add_test(tc, callbacks_stop);
  tcase_add_test(tc, refusals);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
