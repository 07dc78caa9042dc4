/* Results as text, by the names of their fields. */
#include <locale.h>
#include <math.h>
#include <string.h>

#include <nnblas.h>

#include "heap.h"
#include "support.h"

static void ck_ok(nnb_status status) { ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg()); }

/* The line "name=value" is in the text. */
static void has(const char *text, const char *line) {
  const size_t n = strlen(line);
  for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
    if (strncmp(at, line, n) == 0 && at[n] == '\n') return;
  ck_abort_msg("no line \"%s\" in:\n%s", line, text);
}

START_TEST(a_report_has_its_fields) {
  nnb_report report = {.stop = NNB_STOP_TARGET,
                       .algo = NNB_LM,
                       .epochs = 12,
                       .updates = INT64_C(9007199254740993), /* 2⁵³ + 1 is no double */
                       .loss = 0.1,
                       .val_loss = -(double)NAN,
                       .best_loss = (double)INFINITY,
                       .restored = true,
                       .evidence = {.gamma = 3.5},
                       .choice = NNB_CHOICE_HELD_OUT,
                       .checkpoint_status = NNB_E_IO};
  static const char *const lines[] = {"stop=target",
                                      "algo=lm",
                                      "epochs=12",
                                      "updates=9007199254740993",
                                      "loss=0.1",
                                      "val_loss=nan",
                                      "best_loss=inf",
                                      "restored=true",
                                      "samples=0",
                                      "held_rows=0",
                                      "evidence.gamma=3.5",
                                      "choice=held_out",
                                      "start=0",
                                      "bits_may_differ=false",
                                      "checkpoint_status=e_io"};
  char *text;
  ck_ok(nnb_result_print("nnb_report", &report, &text));
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) has(text, lines[i]);
  nnb_free(text);
  report.stop = (nnb_stop)1000, report.choice = NNB_CHOICE_NONE, report.checkpoint_status = NNB_OK;
  ck_ok(nnb_result_print("nnb_report", &report, &text));
  has(text, "stop=?"), has(text, "choice=none"), has(text, "checkpoint_status=ok");
  nnb_free(text);
}
END_TEST

START_TEST(numbers_have_a_point_in_every_locale) {
  const nnb_metrics metrics = {.loss = 1.0 / 3, .rows = 7};
  char *text;
  const char *at;
  if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) printf("skipped: no locale with a decimal comma\n");
  ck_ok(nnb_result_print("nnb_metrics", &metrics, &text));
  setlocale(LC_NUMERIC, "C");
  ck_assert((at = strstr(text, "loss=")) && strtod(at + 5, NULL) == metrics.loss);
  has(text, "rows=7");
  nnb_free(text);
}
END_TEST

START_TEST(a_fit_into_a_created_report) {
  double x[] = {0, 1, 2, 3}, losses[4], epochs[4];
  nnb_batch rows = {.x = nnb_cview(x, 4, 1), .t = nnb_cview(x, 4, 1)};
  nnb_data *data;
  nnb_net *net;
  void *report;
  char *text;
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  ck_ok(nnb_net_parse("1-2:tanh-1", &net));
  ck_ok(nnb_result_create("nnb_report", &report));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_RPROP, .max_epochs = 4}, report));
  ck_ok(nnb_result_print("nnb_report", report, &text));
  has(text, "n_history=4"), has(text, "algo=rprop"), has(text, "stop=epochs");
  ck_ok(nnb_report_history(report, "loss", losses));
  ck_ok(nnb_report_history(report, "epoch", epochs));
  for (int i = 0; i < 4; i++) {
    ck_assert(losses[i] == ((nnb_report *)report)->history[i].loss);
    ck_assert(epochs[i] == i + 1);
  }
  ck_assert_int_eq(nnb_report_history(report, "los", losses), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "did you mean loss?"), "%s", nnb_errmsg());
  nnb_free(text);
  nnb_free(report);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(a_record_has_its_metrics) {
  const double values[] = {0.75, 0.5, -(double)NAN, 0.25}; /* in the order of the flags, .metrics first */
  nnb_record record = {.loss = 2,
                       .values = values,
                       .metrics = NNB_METRIC_ACCURACY | NNB_METRIC_F1,
                       .train_metrics = NNB_METRIC_F1 | NNB_METRIC_MAE};
  static const char *const lines[] = {"loss=2", "metrics=accuracy+f1", "train_metrics=f1+mae", "accuracy=0.75",
                                      "f1=0.5", "train_f1=nan",        "train_mae=0.25"};
  char *text;
  ck_ok(nnb_result_print("nnb_record", &record, &text));
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) has(text, lines[i]);
  ck_assert_msg(!strstr(text, "train_accuracy=") && !strstr(text, "\nmae="), "%s", text);
  nnb_free(text);
  record.values = NULL; /* they were not computed */
  ck_ok(nnb_result_print("nnb_record", &record, &text));
  has(text, "f1=nan"), has(text, "train_mae=nan");
  nnb_free(text);
}
END_TEST

static int see_f1(void *user, const nnb_record *record) {
  char *text;
  ck_ok(nnb_result_print("nnb_record", record, &text));
  const char *f1 = strstr(text, "\nf1="), *train_f1 = strstr(text, "\ntrain_f1=");
  ck_assert_msg(f1 && train_f1, "%s", text);
  ck_assert_double_eq(strtod(f1 + 4, NULL), nnb_record_metric(record, NNB_METRIC_F1));
  ck_assert_double_eq(strtod(train_f1 + 10, NULL), nnb_record_train_metric(record, NNB_METRIC_F1));
  nnb_free(text);
  ++*(int *)user;
  return 0;
}

START_TEST(a_callback_sees_the_metrics) {
  double x[] = {0, 1, 2, 3};
  const int32_t labels[] = {0, 0, 1, 1};
  nnb_batch rows = {.x = nnb_cview(x, 4, 1), .label = labels};
  int seen = 0;
  const nnb_fit_opts opts = {.algo = NNB_RPROP,
                             .max_epochs = 3,
                             .metrics = NNB_METRIC_F1,
                             .train_metrics = true,
                             .on_epoch = see_f1,
                             .user = &seen};
  nnb_data *data;
  nnb_net *net;
  ck_ok(nnb_data_wrap(&rows, 2, &data));
  ck_ok(nnb_net_parse("1-2:softmax", &net));
  ck_ok(nnb_fit(net, data, data, &opts, NULL));
  ck_assert_int_eq(seen, 3);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(every_struct_is_made_and_printed) {
  static const char *const names[] = {"nnb_report",     "nnb_record", "nnb_metrics", "nnb_min_report",
                                      "nnb_min_record", "nnb_sums",   "nnb_training"};
  heap_install();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *result;
    char *text;
    ck_ok(nnb_result_create(names[i], &result));
    ck_ok(nnb_result_print(names[i], result, &text));
    ck_assert_msg(strchr(text, '=') && text[strlen(text) - 1] == '\n', "%s: \"%s\"", names[i], text);
    nnb_free(text);
    heap_fail_at(1, false);
    ck_assert_int_eq(nnb_result_print(names[i], result, &text), NNB_E_NOMEM);
    ck_assert_ptr_null(text);
    nnb_free(result);
    heap_fail_at(1, false);
    ck_assert_int_eq(nnb_result_create(names[i], &result), NNB_E_NOMEM);
    ck_assert_ptr_null(result);
    heap_fail_at(0, false);
  }
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
}
END_TEST

START_TEST(other_names_are_refused) {
  void *result = &result;
  char *text = (char *)&text;
  ck_assert_int_eq(nnb_result_create("nnb_reports", &result), NNB_E_ARG);
  ck_assert_ptr_null(result);
  ck_assert_msg(strstr(nnb_errmsg(), "did you mean nnb_report?"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_result_print("nnb_fit_opts", &result, &text), NNB_E_ARG);
  ck_assert_ptr_null(text);
}
END_TEST

/* ---- options that are pointers ----------------------------------------------------------------------------------- */

static int stop_at_once(void *user, const nnb_record *record) { return *(int *)user = record->epoch; }

START_TEST(pointers_are_set_by_name) {
  union {
    int (*call)(void *, const nnb_record *);
    void *p;
  } f = {.call = stop_at_once};
  int user = 0;
  const double lower[] = {0};
  nnb_fit_opts fit = {0};
  nnb_min_opts min = {0};
  ck_ok(nnb_fit_opts_set_pointer(&fit, "on_epoch", f.p));
  ck_ok(nnb_fit_opts_set_pointer(&fit, "user", &user));
  ck_assert(fit.on_epoch == stop_at_once && fit.user == &user);
  ck_ok(nnb_min_opts_set_pointer(&min, "lower", lower));
  ck_assert(min.lower == lower && !min.upper);
  ck_ok(nnb_min_opts_set_pointer(&min, "lower", NULL));
  ck_assert_ptr_null(min.lower);
  ck_assert_int_eq(nnb_fit_opts_set_pointer(&fit, "lr", &user), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit_opts_set_pointer(&fit, "lower", lower), NNB_E_ARG);
  ck_assert_int_eq(nnb_min_opts_set_pointer(&min, "on_epoch", f.p), NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "\"on_epoch\""), "%s", nnb_errmsg());
}
END_TEST

int main(void) {
  Suite *suite = suite_create("results");
  TCase *tc = tcase_create("results");
  tcase_add_test(tc, a_report_has_its_fields);
  tcase_add_test(tc, numbers_have_a_point_in_every_locale);
  tcase_add_test(tc, a_fit_into_a_created_report);
  tcase_add_test(tc, a_record_has_its_metrics);
  tcase_add_test(tc, a_callback_sees_the_metrics);
  tcase_add_test(tc, every_struct_is_made_and_printed);
  tcase_add_test(tc, other_names_are_refused);
  tcase_add_test(tc, pointers_are_set_by_name);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
