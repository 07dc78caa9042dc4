/* nnb_net_training: what a net was trained by, in the net, in its copies and in files. */
#include "toys.h"

enum { N = 60 };

static nnb_net *trained(nnb_data *data, const nnb_data *val, nnb_report *report) {
  const nnb_fit_opts opts = {.algo = NNB_ADAM, .batch = 16, .max_epochs = 12, .seed = UINT64_MAX};
  nnb_net *net;
  ck_ok(nnb_net_parse("4-6:tanh-batchnorm-dropout0.1-3:softmax", &net));
  ck_ok(nnb_fit(net, data, val, &opts, report));
  return net;
}

static void ck_same(const nnb_training *a, const nnb_training *b) {
  ck_assert_int_eq(a->algo, b->algo);
  ck_assert(a->epochs == b->epochs && a->best_epoch == b->best_epoch && a->restored == b->restored);
  ck_assert(a->updates == b->updates && a->rows == b->rows && a->val_rows == b->val_rows && a->seed == b->seed);
  const double x[] = {a->loss, a->val_loss, a->best_loss, a->score},
               y[] = {b->loss, b->val_loss, b->best_loss, b->score};
  for (int i = 0; i < 4; i++) ck_assert(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])));
  ck_assert(a->metric == b->metric && a->score_rows == b->score_rows);
  ck_assert_str_eq(a->version, b->version);
}

static nnb_training of(const nnb_net *net) {
  nnb_training t;
  ck_assert_msg(nnb_net_training(net, &t), "nothing is known");
  return t;
}

static nnb_net *through_file(const nnb_net *net) {
  void *file;
  size_t bytes;
  nnb_net *back;
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &back));
  nnb_free(file);
  return back;
}

START_TEST(a_fit_says_what_it_did) {
  nnb_data *data = toy_classes(N, 4, 3), *val = toy_classes(20, 4, 3);
  for (int with = 0; with < 2; with++) {
    nnb_report r;
    nnb_net *net = trained(data, with ? val : NULL, &r);
    const nnb_training t = of(net);
    ck_assert(t.algo == NNB_ADAM && t.epochs == 12 && t.best_epoch == r.best_epoch && t.restored == r.restored);
    ck_assert(t.updates == r.updates && t.rows == N && t.val_rows == (with ? 20 : 0) && t.seed == UINT64_MAX);
    ck_assert(t.loss == r.loss && t.best_loss == r.best_loss && (with ? t.val_loss == r.val_loss : isnan(t.val_loss)));
    ck_assert(t.metric == 0 && t.score_rows == 0 && isnan(t.score));
    ck_assert_str_eq(t.version, nnb_version());
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data), nnb_data_destroy(val);
}
END_TEST

START_TEST(copies_and_files_keep_it) {
  nnb_data *data = toy_classes(N, 4, 3);
  nnb_net *net = trained(data, NULL, NULL), *copy, *folded, *back;
  nnb_training t = of(net);
  t.metric = NNB_METRIC_ACCURACY, t.score = 0.1, t.score_rows = 7;
  ck_ok(nnb_net_set_training(net, &t));
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_net_fold(net, &folded));
  back = through_file(net);
  nnb_net *const nets[] = {net, copy, folded, back};
  for (int i = 0; i < 4; i++) {
    const nnb_training u = of(nets[i]);
    ck_same(&t, &u);
  }
  ck_ok(nnb_net_init(copy, 1));
  ck_assert(!nnb_net_training(copy, &t));
  ck_ok(nnb_net_set_training(back, NULL));
  ck_assert(!nnb_net_training(back, &t));
  nnb_net *none = through_file(back);
  ck_assert(!nnb_net_training(none, &t) && !nnb_net_training(NULL, &t) && !nnb_net_training(net, NULL));
  for (int i = 0; i < 4; i++) nnb_net_destroy(nets[i]);
  nnb_net_destroy(none), nnb_data_destroy(data);
}
END_TEST

/* The same training gives the same file. */
START_TEST(the_file_is_that_of_the_training) {
  nnb_data *data = toy_classes(N, 4, 3);
  void *file[2];
  size_t bytes[2];
  for (int i = 0; i < 2; i++) {
    nnb_net *net = trained(data, NULL, NULL);
    ck_ok(nnb_net_save_mem(net, &file[i], &bytes[i]));
    nnb_net_destroy(net);
  }
  ck_assert(bytes[0] == bytes[1] && memcmp(file[0], file[1], bytes[0]) == 0);
  nnb_free(file[0]), nnb_free(file[1]), nnb_data_destroy(data);
}
END_TEST

static int stop_at_5(void *user, const nnb_record *record) {
  (void)user;
  return record->epoch == 5;
}

/* A checkpoint is a model that was trained so far; the run that goes on from it says the same as a whole one. */
START_TEST(a_checkpoint_says_it_too) {
  nnb_fit_opts opts = {.algo = NNB_LBFGS, .max_epochs = 9};
  nnb_data *data = toy_regression(N, 3, 1);
  nnb_net *whole, *parts, *model, *rest;
  char path[TOY_PATH];
  toy_path(path, "training.safetensors");
  ck_ok(nnb_net_parse("3-4:tanh-1", &whole));
  ck_ok(nnb_net_copy(whole, &parts));
  ck_ok(nnb_net_copy(whole, &rest));
  ck_ok(nnb_fit(whole, data, NULL, &opts, NULL));
  opts.checkpoint = path, opts.resume = true, opts.on_epoch = stop_at_5;
  ck_ok(nnb_fit(parts, data, NULL, &opts, NULL));
  ck_ok(nnb_net_load(path, NULL, &model));
  const nnb_training t = of(model), u = of(parts);
  ck_assert(t.algo == NNB_LBFGS && t.epochs == 5 && t.rows == N && t.loss == u.loss);
  opts.on_epoch = NULL;
  ck_ok(nnb_net_set_training(rest, &t)); /* what a net was trained by is not compared */
  ck_ok(nnb_fit(rest, data, NULL, &opts, NULL));
  const nnb_training a = of(whole), b = of(rest);
  ck_same(&a, &b);
  remove(path);
  nnb_net_destroy(whole), nnb_net_destroy(parts), nnb_net_destroy(model), nnb_net_destroy(rest);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(wrong_numbers_are_refused) {
  static const struct {
    nnb_training t;
    const char *words;
  } bad[] = {{{.epochs = -1}, "epochs or updates is below 0"},
             {{.updates = -1}, "epochs or updates is below 0"},
             {{.epochs = 3, .best_epoch = 4}, "best_epoch"},
             {{.best_epoch = -1}, "best_epoch"},
             {{.rows = -1}, "rows is below 0"},
             {{.score_rows = -2}, "rows is below 0"},
             {{.algo = (nnb_algo)1000}, "algo is 1000"},
             {{.metric = NNB_METRIC_F1 | NNB_METRIC_AUC}, "metric is 48"},
             {{.version = "0123456789abcdef"}, "version is longer than 15 letters"},
             {{.reserved = {(void *)1}}, "reserved"}};
  nnb_data *data = toy_classes(N, 4, 3);
  nnb_net *net = trained(data, NULL, NULL);
  const nnb_training before = of(net);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_int_eq(nnb_net_set_training(net, &bad[i].t), NNB_E_ARG);
    ck_assert_msg(strstr(nnb_errmsg(), bad[i].words) != NULL, "%s", nnb_errmsg());
    const nnb_training after = of(net);
    ck_same(&before, &after);
  }
  ck_assert_int_eq(nnb_net_set_training(NULL, &before), NNB_E_ARG);
  ck_ok(nnb_net_set_training(net, &(nnb_training){.epochs = 3, .score = 5}));
  const nnb_training t = of(net);
  ck_assert(t.epochs == 3 && isnan(t.score));
  ck_assert_str_eq(t.version, nnb_version());
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A fit that is refused leaves it. */
START_TEST(a_refused_fit_changes_nothing) {
  nnb_data *data = toy_classes(N, 4, 3);
  nnb_net *net = trained(data, NULL, NULL);
  const nnb_training before = of(net);
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM}, NULL), NNB_E_UNSUPPORTED);
  const nnb_training after = of(net);
  ck_same(&before, &after);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

static const struct damage {
  const char *from, *to;
  const char *words; /* NULL: it is loaded */
} damages[] = {{"training.rows\":\"60\"", "training.rows\":\"6x\"", "\"training.rows\" is \"6x\""},
               {"training.epochs\":\"12\"", "training.epochs\":\"-2\"", "\"training.epochs\" is \"-2\""},
               {"training.epochs\":\"12\"", "training.epochs\":\"00\"", "best_epoch"},
               {"training.loss\":\"", "training.loss\":\"z", "wanted a finite number"},
               {"training.restored\":\"", "training.restored\":\"7", "restored"},
               {"training.algo\":\"adam", "training.algo\":\"ad_m", NULL},
               {"training.version\":\"", "training.verzion\":\"", NULL}};

START_TEST(malformed_files_are_refused) {
  const struct damage *d = &damages[_i];
  nnb_data *data = toy_classes(N, 4, 3);
  nnb_net *net = trained(data, NULL, NULL), *back;
  nnb_training t;
  void *file;
  size_t bytes, n = strlen(d->from), at = 0;
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  while (at + n < bytes && memcmp((char *)file + at, d->from, n) != 0) at++;
  ck_assert_msg(at + n < bytes, "there is no %s", d->from);
  memcpy((char *)file + at, d->to, strlen(d->to));
  const nnb_status status = nnb_net_load_mem(file, bytes, NULL, &back);
  ck_assert_msg(status == (d->words ? NNB_E_PARSE : NNB_OK), "%s: %s", d->to, status ? nnb_errmsg() : "loaded");
  if (d->words) ck_assert_msg(strstr(nnb_errmsg(), d->words) != NULL, "%s", nnb_errmsg());
  if (!status && nnb_net_training(back, &t)) ck_assert(t.algo == NNB_AUTO && t.rows == N);
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_data_destroy(data), nnb_free(file);
}
END_TEST

START_TEST(results_as_text) {
  nnb_data *data = toy_classes(N, 4, 3);
  nnb_net *net = trained(data, NULL, NULL);
  void *result;
  char *text;
  ck_ok(nnb_result_create("nnb_training", &result));
  ck_assert(nnb_net_training(net, result));
  ck_ok(nnb_result_print("nnb_training", result, &text));
  ck_assert_ptr_nonnull(strstr(text, "algo=adam\n"));
  ck_assert_ptr_nonnull(strstr(text, "\nseed=18446744073709551615\n"));
  ck_assert_ptr_nonnull(strstr(text, "\nversion="));
  nnb_free(text), nnb_free(result);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *s = suite_create("training " PRECISION);
  TCase *tc = tcase_create("all");
  tcase_add_test(tc, a_fit_says_what_it_did);
  tcase_add_test(tc, copies_and_files_keep_it);
  tcase_add_test(tc, the_file_is_that_of_the_training);
  tcase_add_test(tc, a_checkpoint_says_it_too);
  tcase_add_test(tc, wrong_numbers_are_refused);
  tcase_add_test(tc, a_refused_fit_changes_nothing);
  tcase_add_loop_test(tc, malformed_files_are_refused, 0, sizeof damages / sizeof *damages);
  tcase_add_test(tc, results_as_text);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
