/* nnb_search: its candidates, order, stages and winner, in both precisions. */
#include "toys.h"

static const nnb_fit_opts brief = {.max_epochs = 4, .seed = 3};

static void search(const nnb_data *data, const char *space, const nnb_fit_opts *fit, const nnb_search_opts *opts,
                   nnb_net **best, nnb_search_report *report) {
  ck_ok(nnb_search(data, space, fit, opts, best, report));
}

static void expect_texts(const nnb_search_report *report, int n, const char *const *texts) {
  bool found[64] = {false};
  ck_assert_int_eq(report->n, n);
  for (int i = 0; i < n; i++) {
    bool known = false;
    for (int k = 0; k < n; k++)
      if (!found[k] && strcmp(report->candidate[i].text, texts[k]) == 0) known = found[k] = true;
    ck_assert_msg(known, "candidate \"%s\" is not expected, or there twice", report->candidate[i].text);
  }
}

/* ---- the space --------------------------------------------------------------------------------------------------- */

/* Options that the method does not take are left out, so lbfgs comes once for both rates. */
START_TEST(a_grid_is_every_combination) {
  static const char *const texts[] = {"layers=3 lr=0.01 algo=adam",   "layers=3 lr=0.1 algo=adam",
                                      "layers=3 algo=lbfgs",          "layers=none lr=0.01 algo=adam",
                                      "layers=none lr=0.1 algo=adam", "layers=none algo=lbfgs"};
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  const nnb_search_opts opts = {.method = NNB_SEARCH_GRID, .cv = {.folds = 2}};
  search(data, " layers = 3 | none;lr=0.01..0.1 log 2 ;algo = adam,lbfgs;", &brief, &opts, NULL, &report);
  expect_texts(&report, 6, texts);
  ck_assert(report.left_out == 0 && !report.stopped && strcmp(report.score, "accuracy") == 0);
  nnb_search_report_clear(&report);
  ck_assert(report.candidate == NULL && report.n == 0);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(ranges_of_a_grid) {
  static const char *const linear[] = {"l2=0", "l2=0.25", "l2=0.5", "l2=0.75", "l2=1"};
  static const char *const whole[] = {"batch=2", "batch=4", "batch=8", "batch=16"};
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  const nnb_search_opts opts = {.method = NNB_SEARCH_GRID, .layers = "none", .cv = {.folds = 2}};
  search(data, "l2=0..1", &brief, &opts, NULL, &report);
  expect_texts(&report, 5, linear);
  nnb_search_report_clear(&report);
  search(data, "batch=2..16 log 4", &brief, &opts, NULL, &report);
  expect_texts(&report, 4, whole);
  nnb_search_report_clear(&report);
  nnb_data_destroy(data);
}
END_TEST

/* Hidden layers that name no activation get it; the text has the result. */
START_TEST(activations) {
  static const char *const texts[] = {"layers=none", "layers=4:tanh-3:init=normal:init_scale=1e-3-2:relu:bias=0",
                                      "layers=4:elu-3:init=normal:init_scale=1e-3-2:relu:bias=0", "layers=5:tanh",
                                      "layers=5:elu"};
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  search(data, "activation=tanh,elu; layers=none,5,4-3:init=normal:init_scale=1e-3-2:relu:bias=0", &brief,
         &(nnb_search_opts){.method = NNB_SEARCH_GRID, .cv = {.folds = 2}}, NULL, &report);
  expect_texts(&report, 5, texts);
  nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

START_TEST(random_draws) {
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report few, more;
  nnb_search_opts opts = {.candidates = 6, .layers = "none", .cv = {.folds = 2, .seed = 5}};
  search(data, "l2=1e-4..1 log", &brief, &opts, NULL, &few);
  ck_assert_int_eq(few.n, 6);
  opts.candidates = 12;
  search(data, "l2=1e-4..1 log", &brief, &opts, NULL, &more);
  ck_assert_int_eq(more.n, 12);
  int below = 0;
  for (int i = 0; i < 12; i++) {
    nnb_fit_opts fit = {0};
    ck_ok(nnb_fit_opts_parse(more.candidate[i].text, &fit));
    ck_assert(fit.l2 >= 1e-4 && fit.l2 <= 1);
    below += fit.l2 < 0.01;
  }
  ck_assert_msg(below >= 2 && below <= 10, "%d of 12 draws are in the lower half of the logarithms", below);
  for (int i = 0; i < 6; i++) /* the first ones do not depend on how many follow */
    for (int k = 0; k < 12; k++)
      if (more.candidate[k].number == few.candidate[i].number)
        ck_assert_str_eq(more.candidate[k].text, few.candidate[i].text);
  nnb_search_report_clear(&few), nnb_search_report_clear(&more);
  opts.candidates = 50, opts.layers = "3"; /* there are only 4 */
  search(data, "l2=0,0.1; activation=tanh,relu", &brief, &opts, NULL, &few);
  ck_assert_int_eq(few.n, 4);
  nnb_search_report_clear(&few);
  nnb_data_destroy(data);
}
END_TEST

/* ---- scores ------------------------------------------------------------------------------------------------------ */

static nnb_data *curve(void) { /* a parabola, which a linear net cannot follow */
  real x[60], t[60];
  nnb_data *data;
  for (int i = 0; i < 60; i++) x[i] = (real)((i * 7 % 60 - 30) / 20.0), t[i] = x[i] * x[i];
  const nnb_batch rows = {.x = nnb_cview(x, 60, 1), .t = nnb_cview(t, 60, 1)};
  ck_ok(nnb_data_copy(&rows, 0, &data));
  return data;
}

/* Each candidate is what nnb_cross_validate says of the same net; the order is that of the scores. */
START_TEST(scores_are_those_of_cross_validation) {
  nnb_data *data = curve();
  nnb_search_report report;
  const nnb_fit_opts fit = {.algo = NNB_LBFGS, .max_epochs = 30, .seed = 3};
  const nnb_search_opts opts = {.cv = {.folds = 3, .repeats = 2, .seed = 8}};
  search(data, "layers=none,2,6:tanh; activation=tanh", &fit, &opts, NULL, &report);
  ck_assert_int_eq(report.n, 3);
  for (int i = 0; i < 3; i++) {
    const nnb_candidate *c = &report.candidate[i];
    char layers[40];
    ck_assert(sscanf(c->text, "layers=%39s", layers) == 1);
    nnb_net *net;
    nnb_cv_report alone;
    ck_ok(nnb_net_for_data(data, layers, &net));
    ck_ok(nnb_net_seed(net, 3));
    ck_ok(nnb_cross_validate(net, data, &fit, &opts.cv, &alone));
    ck_assert_double_eq(c->score.mean, alone.rmse.mean);
    ck_assert_double_eq(c->score.error, alone.rmse.error);
    ck_assert_int_eq(c->cv.n_runs, 6);
    if (i) ck_assert(c->score.mean >= report.candidate[i - 1].score.mean);
    ck_assert_double_eq_tol(c->behind.mean, c->score.mean - report.candidate[0].score.mean, 1e-12);
    nnb_cv_report_clear(&alone), nnb_net_destroy(net);
  }
  ck_assert_str_eq(report.candidate[2].text, "layers=none");
  ck_assert(report.candidate[0].behind.error == 0 && report.candidate[2].behind.error > 0);
  ck_assert(report.candidate[2].behind.mean > 3 * report.candidate[2].behind.error);
  nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

/* By any metric the order is that of the scores, which are those of nnb_cross_validate. */
START_TEST(any_metric_gives_the_order) {
  static const nnb_metric metrics[] = {NNB_METRIC_AUC, NNB_METRIC_LOG_LOSS, NNB_METRIC_F1, NNB_METRIC_MAE,
                                       NNB_METRIC_R2};
  const nnb_metric metric = metrics[_i];
  const bool classes = _i < 3;
  nnb_data *data = classes ? toy_classes(60, 3, 3) : curve();
  nnb_search_report report;
  const nnb_fit_opts fit = {.algo = NNB_SCG, .max_epochs = 6, .seed = 3};
  nnb_loss_opts loss = {.loss = NNB_HUBER, .delta = 0.5};
  if (classes) loss = (nnb_loss_opts){.label_smoothing = 0.1};
  const nnb_search_opts opts = {
      .metric = metric, .loss = &loss, .cv = {.folds = 3, .seed = 8, .weigh_classes = classes}};
  search(data, "layers=none,2,6:relu,3:tanh", &fit, &opts, NULL, &report);
  ck_assert_int_eq(report.n, 4);
  ck_assert_str_eq(report.score, nnb_metric_name(metric));
  nnb_fit_opts with = fit;
  with.metrics = (unsigned)metric;
  for (int i = 0; i < 4; i++) {
    const nnb_candidate *c = &report.candidate[i];
    char layers[40];
    nnb_net *net;
    nnb_cv_report alone;
    ck_assert(sscanf(c->text, "layers=%39s", layers) == 1);
    ck_ok(nnb_net_for_data(data, layers, &net));
    ck_ok(nnb_net_loss_opts(net, &loss));
    ck_ok(nnb_net_seed(net, 3));
    ck_ok(nnb_cross_validate(net, data, &with, &opts.cv, &alone));
    ck_assert_double_eq(c->score.mean, nnb_cv_report_metric(&alone, metric).mean);
    const double more = (c->score.mean - report.candidate[0].score.mean) * (nnb_metric_is_error(metric) ? 1 : -1);
    ck_assert(more >= 0 && fabs(c->behind.mean - more) < 1e-12);
    if (i) ck_assert(c->behind.mean >= report.candidate[i - 1].behind.mean);
    nnb_cv_report_clear(&alone), nnb_net_destroy(net);
  }
  ck_assert(report.candidate[3].behind.mean > 0);
  nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

/* Rows of one class have no AUC. */
START_TEST(a_metric_without_a_value) {
  nnb_data *data = toy_classes(12, 3, 2);
  nnb_search_report report;
  const nnb_search_opts opts = {.metric = NNB_METRIC_AUC, .cv = {.folds = 12}};
  ck_assert_int_eq(nnb_search(data, "layers=none,2", &brief, &opts, NULL, &report), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "auc is NaN in a part for every candidate") != NULL, "%s", nnb_errmsg());
  nnb_data_destroy(data);
}
END_TEST

/* The winner is trained on all rows, by its options. */
START_TEST(the_best_is_trained_on_all_rows) {
  nnb_data *data = curve();
  nnb_search_report report;
  nnb_net *best, *again;
  nnb_fit_opts fit = {.max_epochs = 30, .seed = 3};
  search(data, "layers=none,6:tanh; algo=lbfgs", &fit, &(nnb_search_opts){.cv = {.folds = 3}}, &best, &report);
  ck_assert_str_eq(report.candidate[0].text, "layers=6:tanh algo=lbfgs");
  ck_assert(report.fit.algo == NNB_LBFGS && report.fit.epochs > 0);
  ck_ok(nnb_net_for_data(data, "6:tanh", &again));
  ck_ok(nnb_net_seed(again, 3));
  fit.algo = NNB_LBFGS, fit.threads = 1;
  ck_ok(nnb_fit(again, data, NULL, &fit, NULL));
  ck_assert(toy_hash_net(1, best) == toy_hash_net(1, again));
  nnb_net_destroy(best), nnb_net_destroy(again);
  nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

/* Candidates that fail are at the end, with their message; the others count. */
START_TEST(failures_are_reported) {
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  search(data, "algo=lm,scg,adam", &brief, &(nnb_search_opts){.layers = "none", .cv = {.folds = 2}}, NULL, &report);
  ck_assert_int_eq(report.n, 3);
  ck_assert(!report.candidate[0].status && !report.candidate[1].status && *report.candidate[0].message == '\0');
  ck_assert_str_eq(report.candidate[2].text, "algo=lm");
  ck_assert_int_eq(report.candidate[2].status, NNB_E_UNSUPPORTED);
  ck_assert(*report.candidate[2].message && report.candidate[2].cv.n_runs == 0);
  nnb_search_report_clear(&report);
  ck_assert_int_eq(nnb_search(data, "algo=lm,varpro", &brief, NULL, NULL, &report), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "no candidate could be measured; algo=lm: ") != NULL, "%s", nnb_errmsg());
  nnb_data_destroy(data);
}
END_TEST

/* ---- halving ----------------------------------------------------------------------------------------------------- */

static int count_runs(void *user, int done, int runs) {
  int *seen = user;
  seen[0]++, seen[1] = runs;
  return done != seen[0];
}

START_TEST(halving) {
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  int seen[2] = {0, 0};
  nnb_net *best;
  const nnb_fit_opts fit = {.algo = NNB_ADAM, .max_epochs = 10};
  const nnb_search_opts opts = {.method = NNB_SEARCH_HALVING,
                                .candidates = 9,
                                .factor = 2,
                                .layers = "3",
                                .cv = {.folds = 2, .threads = 1, .on_run = count_runs, .user = seen}};
  search(data, "lr=1e-4..0.3 log", &fit, &opts, &best, &report); /* 9, 5, 3, 2 candidates of 2, 3, 5, 10 epochs */
  ck_assert(seen[0] == 2 * (9 + 5 + 3 + 2) && seen[1] == seen[0]);
  ck_assert_int_eq(report.n, 9);
  static const int stages[] = {3, 3, 2, 1, 1, 0, 0, 0, 0}, epochs[] = {2, 3, 5, 10};
  for (int i = 0; i < 9; i++) {
    ck_assert_int_eq(report.candidate[i].stage, stages[i]);
    ck_assert_int_eq(report.candidate[i].epochs, epochs[stages[i]]);
    ck_assert_int_eq(report.candidate[i].cv.run[0].epochs, epochs[stages[i]]);
  }
  ck_assert_int_eq(report.fit.epochs, 10);
  nnb_net_destroy(best), nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

/* ---- the same for any number of threads -------------------------------------------------------------------------- */

static uint64_t digest(nnb_search_method method, int threads, int in_all) {
  nnb_data *data = toy_classes(50, 3, 2);
  nnb_search_report report;
  nnb_net *best;
  const nnb_search_opts opts = {.method = method, .candidates = 7, .cv = {.folds = 2, .threads = threads}};
  ck_ok(nnb_set_threads(in_all));
  search(data, "layers=3,5:relu; algo=adam,scg; l2=1e-4..1 log 2", &brief, &opts, &best, &report);
  uint64_t h = toy_hash_net(1, best);
  for (int i = 0; i < report.n; i++) {
    h = toy_hash(h, report.candidate[i].text, strlen(report.candidate[i].text));
    h = toy_hash(h, &report.candidate[i].score.mean, sizeof(double));
    h = toy_hash(h, &report.candidate[i].cv.loss.mean, sizeof(double));
  }
  nnb_net_destroy(best), nnb_search_report_clear(&report), nnb_data_destroy(data);
  ck_ok(nnb_set_threads(0));
  return h;
}

START_TEST(threads_change_nothing) {
  const nnb_search_method method = (nnb_search_method)_i;
  const uint64_t one = digest(method, 1, 1);
  ck_assert(one == digest(method, 2, 2));
  ck_assert(one == digest(method, 5, 1));
}
END_TEST

/* ---- time and stopping ------------------------------------------------------------------------------------------- */

static int stop_at_once(void *user, int done, int runs) { return (void)user, done > 0 && runs > 0; }

START_TEST(a_callback_stops) {
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  nnb_net *best;
  const nnb_search_opts opts = {.cv = {.folds = 2, .threads = 1, .on_run = stop_at_once}};
  search(data, "l2=0,0.1", &brief, &opts, &best, &report);
  ck_assert(report.stopped && best == NULL && report.n == 0 && report.left_out == 2);
  nnb_search_report_clear(&report), nnb_data_destroy(data);
}
END_TEST

/* Adam without a limit of epochs has no end. */
START_TEST(time_is_limited) {
  nnb_data *data = toy_classes(40, 3, 2);
  nnb_search_report report;
  nnb_net *best;
  const nnb_fit_opts fit = {.algo = NNB_ADAM, .max_epochs = NNB_NONE};
  const nnb_search_opts opts = {.max_seconds = 0.3, .cv = {.folds = 2}};
  ck_assert_int_eq(nnb_search(data, "l2=0,0.1", &fit, &opts, &best, &report), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "too short to measure one candidate") != NULL, "%s", nnb_errmsg());
  ck_assert(best == NULL && report.n == 0);
  nnb_data_destroy(data);
}
END_TEST

/* ---- nets for data ----------------------------------------------------------------------------------------------- */

START_TEST(nets_for_data) {
  nnb_data *data = toy_classes(20, 4, 3), *flow = toy_regression(20, 3, 2), *one;
  nnb_net *net;
  const real *shift;
  ck_ok(nnb_net_for_data(data, NULL, &net));
  nnb_net_input_scaler(net, &shift, NULL);
  ck_assert(shift && nnb_net_n_nodes(net) == 3 && nnb_net_n_out(net) == 3 && nnb_net_n_params(net) == 4 * 20 + 20 + 63);
  nnb_net_destroy(net);
  ck_ok(nnb_net_for_data(flow, "none", &net));
  nnb_net_target_scaler(net, &shift, NULL);
  ck_assert(shift && nnb_net_n_nodes(net) == 2 && nnb_net_n_params(net) == 8);
  nnb_net_destroy(net);
  ck_assert_int_eq(nnb_net_for_data(flow, "5:tahn", &net), NNB_E_PARSE);
  ck_assert(net == NULL);
  const real x[] = {1, 2};
  const int32_t label[] = {0, 0};
  ck_ok(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, 2, 1), .label = label}, 0, &one));
  ck_assert_int_eq(nnb_net_for_data(one, NULL, &net), NNB_E_ARG);
  ck_assert(strstr(nnb_errmsg(), "the same class") != NULL);
  nnb_data_destroy(data), nnb_data_destroy(flow), nnb_data_destroy(one);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

START_TEST(refusals) {
  nnb_data *data = toy_classes(40, 3, 2);
  static const struct {
    const char *space;
    nnb_fit_opts fit;
    nnb_search_opts opts;
    nnb_status status;
    const char *words;
  } cases[] = {
      {NULL, {0}, {0}, NNB_E_ARG, "space is NULL"},
      {" ; ", {0}, {0}, NNB_E_PARSE, "nothing varies"},
      {"l2", {0}, {0}, NNB_E_PARSE, "l2; wanted NAME=VALUES"},
      {"layer=3", {0}, {0}, NNB_E_PARSE, "layer is not layers, activation or an option of a fit; did you mean layers?"},
      {"on_epoch=3", {0}, {0}, NNB_E_PARSE, "on_epoch is not"},
      {"l2=0,0.1;l2=3", {0}, {0}, NNB_E_PARSE, "l2 is given twice"},
      {"l2=0,,1", {0}, {0}, NNB_E_PARSE, "l2 has an empty value"},
      {"l2=a", {0}, {0}, NNB_E_PARSE, "l2=a; wanted a number"},
      {"algo=adan", {0}, {0}, NNB_E_PARSE, "did you mean adam?"},
      {"activation=tahn", {0}, {0}, NNB_E_PARSE, "\"tahn\" is not an activation"},
      {"layers=3:tahn", {0}, {0}, NNB_E_PARSE, "3:tahn"},
      {"l2=1..0", {0}, {0}, NNB_E_PARSE, "a lower number before a higher one"},
      {"l2=0..1 log", {0}, {0}, NNB_E_PARSE, "begins above 0"},
      {"l2=0..1 lin", {0}, {0}, NNB_E_PARSE, "wanted LOW..HIGH"},
      {"l2=0..1 log 1", {0}, {0}, NNB_E_PARSE, "wanted LOW..HIGH"},
      {"l2=0..x", {0}, {0}, NNB_E_PARSE, "wanted LOW..HIGH"},
      {"algo=1..3", {0}, {0}, NNB_E_PARSE, "algo has no numbers"},
      {"momentum=0.5..1", {0}, {0}, NNB_E_ARG, "momentum"},
      {"l2=1,2", {.lr = -1}, {0}, NNB_E_ARG, "lr is -1"},
      {"l2=1,2", {.checkpoint = "x"}, {0}, NNB_E_UNSUPPORTED, "checkpoint"},
      {"l2=1,2", {0}, {.candidates = -1}, NNB_E_ARG, "candidates is -1"},
      {"l2=1,2", {0}, {.factor = 1}, NNB_E_ARG, "factor is 1"},
      {"l2=1,2", {0}, {.max_seconds = -1}, NNB_E_ARG, "max_seconds is -1"},
      {"l2=1,2", {0}, {.method = (nnb_search_method)7}, NNB_E_ARG, "method is 7"},
      {"l2=1,2", {0}, {.cv = {.folds = 41}}, NNB_E_ARG, "folds is 41"},
      {"l2=1,2", {0}, {.metric = (nnb_metric)3}, NNB_E_ARG, "metric is 3; wanted a value of nnb_metric"},
      {"l2=1,2", {0}, {.metric = NNB_METRIC_R2}, NNB_E_ARG, "the metric r2 is for targets t"},
      {"max_epochs=1,2", {0}, {.method = NNB_SEARCH_HALVING}, NNB_E_ARG, "halving sets max_epochs"},
      {"l2=0..1 200;l1=0..1 200", {0}, {.method = NNB_SEARCH_GRID}, NNB_E_ARG, "40000 combinations"},
  };
  nnb_net *best;
  nnb_search_report report;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    report.n = 5;
    const nnb_status got = nnb_search(data, cases[i].space, &cases[i].fit, &cases[i].opts, &best, &report);
    ck_assert_msg(got == cases[i].status && strstr(nnb_errmsg(), cases[i].words), "%s: %s: %s", cases[i].space,
                  nnb_strstatus(got), nnb_errmsg());
    ck_assert(best == NULL && report.n == 0 && report.candidate == NULL);
  }
  ck_assert_int_eq(nnb_search(NULL, "l2=1", NULL, NULL, NULL, NULL), NNB_E_ARG);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(methods_have_names) {
  nnb_search_method method;
  for (int m = 0; m < NNB_N_SEARCH_METHODS; m++) {
    ck_assert(nnb_search_method_find(nnb_search_method_name((nnb_search_method)m), &method));
    ck_assert_int_eq(method, m);
  }
  ck_assert(!nnb_search_method_find("bayes", &method) && !nnb_search_method_find(NULL, &method));
  ck_assert_str_eq(nnb_search_method_name((nnb_search_method)99), "?");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search_" PRECISION);
  TCase *tc = tcase_create("search");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, a_grid_is_every_combination);
  tcase_add_test(tc, ranges_of_a_grid);
  tcase_add_test(tc, activations);
  tcase_add_test(tc, random_draws);
  tcase_add_test(tc, scores_are_those_of_cross_validation);
  tcase_add_loop_test(tc, any_metric_gives_the_order, 0, 5);
  tcase_add_test(tc, a_metric_without_a_value);
  tcase_add_test(tc, the_best_is_trained_on_all_rows);
  tcase_add_test(tc, failures_are_reported);
  tcase_add_test(tc, halving);
  tcase_add_loop_test(tc, threads_change_nothing, 0, NNB_N_SEARCH_METHODS);
  tcase_add_test(tc, a_callback_stops);
  tcase_add_test(tc, time_is_limited);
  tcase_add_test(tc, nets_for_data);
  tcase_add_test(tc, refusals);
  tcase_add_test(tc, methods_have_names);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
