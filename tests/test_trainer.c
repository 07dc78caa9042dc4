/* What a fit tells while it runs, and how it is steered: callbacks, metrics in the records, min_delta, a schedule of
 * the program's own, the CSV log, progress. */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "toys.h"

enum { EPOCHS = 12 };

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

typedef struct ear {
  int calls, stop_at;
  nnb_record last;
  const nnb_data *val;
  double accuracy, train_f1; /* by nnb_net_score on the net that came, at the last call */
  const nnb_data *train;
} ear;

static double score_of(const nnb_net *net, const nnb_data *data, nnb_metric metric) {
  nnb_scores *s;
  ck_ok(nnb_net_score(net, data, NULL, &s));
  const double x = nnb_scores_get(s, metric);
  nnb_scores_destroy(s);
  return x;
}

static int listen(void *user, const nnb_record *r) {
  ear *e = user;
  e->calls++, e->last = *r;
  if (e->val) e->accuracy = score_of(r->net, e->val, NNB_METRIC_ACCURACY);
  if (e->train) e->train_f1 = score_of(r->net, e->train, NNB_METRIC_F1);
  if (e->val) ck_assert_double_eq(nnb_record_metric(r, NNB_METRIC_ACCURACY), e->accuracy);
  if (e->train) ck_assert_double_eq(nnb_record_train_metric(r, NNB_METRIC_F1), e->train_f1);
  ck_assert(isnan(nnb_record_metric(r, NNB_METRIC_RMSE)));
  const nnb_net *net = r->net; /* which shows its parameters */
  nnb_cmat w;
  ck_ok(nnb_net_weights(net, 2, &w));
  ck_assert(nnb_net_n_params(net) > 0 && w.p == nnb_net_params_read(net));
  return e->calls == e->stop_at;
}

static const nnb_algo kinds[] = {NNB_ADAM, NNB_LBFGS}; /* by batches, in full batches */

START_TEST(every_callback_is_called_and_gets_the_net) {
  nnb_data *train = toy_classes(300, 4, 3), *val = toy_classes(100, 4, 3);
  nnb_net *net;
  nnb_report r;
  ear first = {.val = val}, second = {.stop_at = 5}, third = {.train = train};
  const nnb_callback list[] = {{listen, &second}, {listen, &third}, {0}};
  nnb_fit_opts opts = {.algo = kinds[_i],
                       .max_epochs = EPOCHS,
                       .on_epoch = listen,
                       .user = &first,
                       .callbacks = list,
                       .metrics = NNB_METRIC_F1 | NNB_METRIC_ACCURACY | NNB_METRIC_AUC,
                       .train_metrics = true};
  ck_ok(nnb_net_parse("4-6:tanh-3:softmax", &net));
  ck_ok(nnb_fit(net, train, val, &opts, &r));
  ck_assert_msg(r.stop == NNB_STOP_USER, "%s", nnb_stop_text(r.stop));
  ck_assert(first.calls == 5 && second.calls == 5 && third.calls == 5);
  ck_assert(third.last.stop == NNB_STOP_NONE && third.last.max_epochs == EPOCHS && third.last.net == net);
  nnb_net_destroy(net);
  nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* The last record says which limit ends the training. */
static int make_a_plan(void *user, const nnb_record *record) {
  nnb_plan **plan = user;
  return !*plan && nnb_plan_create((nnb_net *)(uintptr_t)record->net, NULL, plan) != NNB_OK;
}

/* The plan of a callback is good after a fit that leaves the start, of a net that the fit had sealed. */
START_TEST(a_plan_of_a_callback) {
  const real x[] = {1, 2, 3, 4}, t[] = {1, 2, 3, 5};
  const nnb_batch rows = {.x = nnb_cview(x, 4, 1), .t = nnb_cview(t, 4, 1)};
  nnb_net *net = nnb_net_create(1);
  nnb_plan *plan = NULL;
  nnb_data *data;
  nnb_report report;
  real y = 7;
  nnb_net_output(net, nnb_net_dense(net, 1, NNB_LINEAR));
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  const nnb_fit_opts opts = {.algo = NNB_SGD, .lr = 3, .batch = 1, .on_epoch = make_a_plan, .user = &plan};
  ck_assert_int_eq(nnb_fit(net, data, data, &opts, &report), NNB_E_NUMERIC);
  ck_assert_int_eq(report.best_epoch, 0);
  ck_assert_ptr_nonnull(plan);
  ck_ok(nnb_plan_predict(plan, nnb_cview(x, 1, 1), nnb_view(&y, 1, 1)));
  ck_assert(isfinite((double)y));
  nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

START_TEST(the_record_has_the_limit) {
  nnb_data *train = toy_classes(60, 4, 3);
  nnb_net *net;
  ear e = {0};
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  ck_ok(nnb_fit(net, train, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .max_epochs = 4, .on_epoch = listen, .user = &e},
                NULL));
  ck_assert(e.calls == 4 && e.last.stop == NNB_STOP_EPOCHS);
  ck_ok(nnb_fit(
      net, train, NULL,
      &(nnb_fit_opts){.algo = NNB_SGD, .max_epochs = NNB_NONE, .target_loss = 1e9, .on_epoch = listen, .user = &e},
      NULL));
  ck_assert(e.calls == 5 && e.last.stop == NNB_STOP_TARGET && e.last.max_epochs == 0);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
}
END_TEST

/* ---- metrics in the history -------------------------------------------------------------------------------------- */

/* The history keeps the metrics of its epochs, also after records were dropped; metrics change no bit of the
 * training. */
static int write_down(void *user, const nnb_record *r) {
  ((double *)user)[r->epoch] = nnb_record_metric(r, NNB_METRIC_LOG_LOSS);
  return 0;
}

START_TEST(the_history_has_the_metrics) {
  nnb_data *train = toy_classes(80, 4, 3);
  double seen[41];
  uint64_t hash[2];
  for (int k = 0; k < 2; k++) {
    nnb_net *net;
    nnb_report r;
    nnb_fit_opts opts = {.algo = kinds[_i], .max_epochs = 40, .history = 7, .on_epoch = write_down, .user = seen};
    if (k == 1) opts.metrics = NNB_METRIC_LOG_LOSS | NNB_METRIC_RECALL;
    ck_ok(nnb_net_parse("4-5:tanh-3:softmax", &net));
    ck_ok(nnb_fit(net, train, NULL, &opts, &r));
    hash[k] = toy_hash_net(1, net);
    ck_assert_int_ge(r.n_history, 4);
    for (int i = 0; i < r.n_history; i++) {
      const double kept = nnb_record_metric(&r.history[i], NNB_METRIC_LOG_LOSS);
      ck_assert_ptr_null(r.history[i].net);
      if (k == 0) ck_assert(isnan(kept));
      if (k == 1) ck_assert_double_eq(kept, seen[r.history[i].epoch]);
    }
    double column[40];
    ck_ok(nnb_report_history(&r, "log_loss", column));
    for (int i = 0; i < r.n_history; i++)
      ck_assert(k == 0 ? isnan(column[i]) : column[i] == nnb_record_metric(&r.history[i], NNB_METRIC_LOG_LOSS));
    if (k == 1)
      ck_assert_double_eq(nnb_record_metric(&r.history[r.n_history - 1], NNB_METRIC_RECALL),
                          score_of(net, train, NNB_METRIC_RECALL));
    nnb_net_destroy(net);
  }
  ck_assert(hash[0] == hash[1]);
  nnb_data_destroy(train);
}
END_TEST

START_TEST(metrics_without_a_meaning_are_refused) {
  nnb_data *classes = toy_classes(60, 4, 3), *values = toy_regression(60, 4, 2);
  nnb_net *a, *b;
  ck_ok(nnb_net_parse("4-3:softmax", &a));
  ck_ok(nnb_net_parse("4-2", &b));
  const uint64_t before = toy_hash_net(1, a);
  ck_assert_int_eq(nnb_fit(a, classes, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .metrics = NNB_METRIC_RMSE}, NULL),
                   NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "the metric rmse is for targets t"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit(b, values, NULL, &(nnb_fit_opts){.algo = NNB_LM, .metrics = NNB_METRIC_AUC}, NULL),
                   NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), "the metric auc is for classes and labels"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit(a, classes, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .metrics = 1 << 20}, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit(a, classes, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .train_metrics = true}, NULL), NNB_E_ARG);
  ck_assert(toy_hash_net(1, a) == before);
  nnb_net_destroy(a), nnb_net_destroy(b);
  nnb_data_destroy(classes), nnb_data_destroy(values);
}
END_TEST

START_TEST(options_as_text) {
  nnb_fit_opts opts = {0};
  char *text;
  ck_ok(nnb_fit_opts_parse("metrics=auc+f1, train_metrics min_delta=1e-3", &opts));
  ck_assert(opts.metrics == (NNB_METRIC_AUC | NNB_METRIC_F1) && opts.train_metrics && opts.min_delta == 1e-3);
  ck_ok(nnb_fit_opts_print(&opts, &text));
  ck_assert_str_eq(text, "min_delta=0.001 metrics=f1+auc train_metrics=true");
  nnb_free(text);
  ck_assert_int_eq(nnb_fit_opts_parse("metrics=acuracy", &opts), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), "did you mean accuracy?"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit_opts_parse("metrics=f1+", &opts), NNB_E_PARSE);
  ck_assert_int_eq(nnb_fit_opts_parse("metrics=", &opts), NNB_E_PARSE);
  ck_assert(opts.metrics == (NNB_METRIC_AUC | NNB_METRIC_F1));
}
END_TEST

/* ---- min_delta --------------------------------------------------------------------------------------------------- */

/* A fall of at most min_delta does not count, and the next one is measured from the last that did. */
START_TEST(small_falls_do_not_count) {
  nnb_data *train = toy_classes(200, 4, 3), *val = toy_classes(100, 4, 3);
  nnb_report r;
  for (int k = 0; k < 2; k++) {
    nnb_net *net;
    const double min_delta = k ? 0.02 : 0;
    ck_ok(nnb_net_parse("4-6:tanh-3:softmax", &net));
    nnb_fit_opts opts = {.algo = kinds[_i], .max_epochs = 300, .patience = 4, .min_delta = min_delta};
    if (_i == 0) opts.lr = 0.002;
    ck_ok(nnb_fit(net, train, val, &opts, &r));
    int waited = 0;
    double counted = HUGE_VAL;
    for (int i = 0; i < r.n_history; i++) {
      if (r.history[i].val_loss < counted - min_delta) counted = r.history[i].val_loss, waited = r.history[i].epoch;
      ck_assert(r.history[i].epoch - waited < 4 || i == r.n_history - 1);
    }
    if (k == 1) {
      ck_assert_msg(r.stop == NNB_STOP_PATIENCE, "%s", nnb_stop_text(r.stop));
      ck_assert_int_eq(r.epochs - waited, 4);
      ck_assert_int_gt(r.best_epoch, waited); /* the best parameters do not depend on it */
    }
    nnb_net_destroy(net);
  }
  ck_assert_int_lt(r.epochs, 250);
  nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* ---- own schedule ------------------------------------------------------------------------------------------------ */

static double halve(void *user, double epoch) {
  ++*(int *)user;
  return pow(0.5, floor(epoch));
}
static double spoil(void *user, double epoch) { return epoch < *(double *)user ? 1 : -1; }

START_TEST(own_schedules) {
  nnb_data *train = toy_classes(96, 4, 3);
  nnb_net *a, *b;
  nnb_report ra, rb;
  int calls = 0;
  const nnb_own_schedule own = {halve, &calls};
  ck_ok(nnb_net_parse("4-3:softmax", &a));
  ck_ok(nnb_net_copy(a, &b));
  nnb_fit_opts opts = {.algo = NNB_SGD, .max_epochs = 5, .warmup = 1, .own_schedule = &own};
  ck_ok(nnb_fit(a, train, NULL, &opts, &ra));
  ck_assert_int_eq(calls, 4 * 3 + (opts.warmup == 0));
  opts.own_schedule = NULL, opts.schedule = NNB_STEPWISE, opts.lr_step = 1, opts.lr_factor = 0.5;
  ck_ok(nnb_fit(b, train, NULL, &opts, &rb));
  for (int i = 0; i < 5; i++) ck_assert_double_eq(ra.history[i].lr, rb.history[i].lr);
  ck_assert(toy_hash_net(1, a) == toy_hash_net(1, b));
  opts.own_schedule = &own;
  ck_assert_int_eq(nnb_fit(b, train, NULL, &opts, NULL), NNB_E_ARG); /* both */
  ck_assert_msg(strstr(nnb_errmsg(), "own_schedule"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit(b, train, NULL, &(nnb_fit_opts){.algo = NNB_LM, .own_schedule = &own}, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_fit(b, train, NULL, &(nnb_fit_opts){.own_schedule = &(nnb_own_schedule){0}}, NULL), NNB_E_ARG);
  double from = 2;
  const nnb_own_schedule bad = {spoil, &from};
  ck_assert_int_eq(nnb_fit(b, train, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .own_schedule = &bad}, NULL),
                   NNB_E_NUMERIC);
  ck_assert_msg(strstr(nnb_errmsg(), "own_schedule gave a factor"), "%s", nnb_errmsg());
  nnb_net_destroy(a), nnb_net_destroy(b);
  nnb_data_destroy(train);
}
END_TEST

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static char *slurp(const char *path) {
  static char text[20000];
  FILE *f = fopen(path, "r");
  ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  fclose(f);
  return text;
}

static int lines(const char *text) {
  int n = 0;
  for (; *text; text++) n += *text == '\n';
  return n;
}

START_TEST(a_row_for_each_epoch) {
  char path[TOY_PATH];
  nnb_data *train = toy_classes(96, 4, 3), *val = toy_classes(30, 4, 3);
  nnb_net *net;
  nnb_report r;
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  nnb_fit_opts opts = {.algo = kinds[_i], .max_epochs = 6, .log = toy_path(path, "log.csv")};
  opts.metrics = NNB_METRIC_F1 | NNB_METRIC_ACCURACY, opts.train_metrics = true;
  ck_ok(nnb_fit(net, train, val, &opts, &r));
  ck_assert(r.log_status == NNB_OK);
  const char *text = slurp(path);
  ck_assert_msg(
      strncmp(text, "epoch,updates,samples,loss,val_loss,seconds,total_seconds,lr,val_accuracy,val_f1,accuracy,f1\n1,",
              strlen("epoch,updates,samples,loss,val_loss,seconds,total_seconds,lr,val_accuracy,val_f1,"
                     "accuracy,f1\n1,")) == 0,
      "%s", text);
  ck_assert_int_eq(lines(text), 1 + r.epochs);
  nnb_data *log; /* every number reads back as it was */
  nnb_batch rows;
  ck_ok(nnb_data_read_csv(path, &(nnb_csv_opts){.n_targets = NNB_NONE}, &log));
  ck_ok(nnb_data_batch(log, 0, r.epochs, &rows));
  for (int i = 0; i < r.epochs; i++) {
    const real *row = rows.x.p + i * rows.x.ld;
    ck_assert(row[0] == (real)r.history[i].epoch && row[3] == (real)r.history[i].loss);
    ck_assert(row[4] == (real)r.history[i].val_loss);
    ck_assert(row[9] == (real)nnb_record_metric(&r.history[i], NNB_METRIC_F1));
    ck_assert(row[10] == (real)nnb_record_train_metric(&r.history[i], NNB_METRIC_ACCURACY));
  }
  opts.metrics = 0, opts.train_metrics = false, opts.max_epochs = 2;
  ck_ok(nnb_fit(net, train, NULL, &opts, &r)); /* replaced; nothing to say is an empty field */
  text = slurp(path);
  ck_assert_int_eq(lines(text), 1 + r.epochs);
  ck_assert_ptr_nonnull(strstr(text, ",,"));
  remove(path);
  nnb_data_destroy(train), nnb_data_destroy(val), nnb_data_destroy(log);
  nnb_net_destroy(net);
}
END_TEST

/* Ended in epoch 5 after a checkpoint of epoch 4, and resumed: no row twice, none missing. */
static int stop_at(void *user, const nnb_record *r) { return r->epoch == *(int *)user; }

static void without_seconds(char *text) { /* columns 6 and 7 of each row */
  char *to = text;
  int commas = 0;
  for (; *text; text++) {
    commas = *text == '\n' ? 0 : commas + (*text == ',');
    if (commas != 5 && commas != 6) *to++ = *text;
  }
  *to = '\0';
}

START_TEST(a_resumed_log_goes_on) {
  char log[TOY_PATH], state[TOY_PATH], whole[20000];
  nnb_data *train = toy_classes(96, 4, 3);
  nnb_net *net;
  nnb_report r;
  int at = 4;
  nnb_fit_opts opts = {
      .algo = NNB_ADAM, .max_epochs = 9, .log = toy_path(log, "resumed.csv"), .metrics = NNB_METRIC_F1};
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  ck_ok(nnb_fit(net, train, NULL, &opts, NULL));
  strcpy(whole, slurp(log)), without_seconds(whole);
  nnb_net_destroy(net);
  opts.checkpoint = toy_path(state, "resumed.safetensors"), opts.resume = true;
  opts.on_epoch = stop_at, opts.user = &at;
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  ck_ok(nnb_fit(net, train, NULL, &opts, NULL));
  FILE *f = fopen(log, "a"); /* a row after the checkpoint, and one that a kill has cut */
  fputs("5,15,96,0.5,,0.1,0.5,0.001,0.5\n6,18,9", f);
  fclose(f);
  opts.on_epoch = NULL;
  ck_ok(nnb_fit(net, train, NULL, &opts, &r));
  ck_assert_int_eq(r.resumed, 4);
  char *text = slurp(log);
  without_seconds(text);
  ck_assert_str_eq(text, whole);
  ck_assert_double_eq(nnb_record_metric(&r.history[8], NNB_METRIC_F1), score_of(net, train, NNB_METRIC_F1));
  ck_assert(!isnan(nnb_record_metric(&r.history[0], NNB_METRIC_F1)));
  f = fopen(log, "w"); /* a file that is something else is not continued, and stays */
  fputs("my diary\n", f);
  fclose(f);
  opts.max_epochs = 12;
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, NULL), NNB_E_ARG);
  ck_assert_str_eq(slurp(log), "my diary\n");
  remove(log), remove(state);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
}
END_TEST

START_TEST(a_log_that_cannot_be_written) {
  nnb_data *train = toy_classes(96, 4, 3);
  nnb_net *net;
  nnb_report r;
  char path[TOY_PATH];
  struct stat facts;
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  nnb_fit_opts opts = {.algo = NNB_SGD, .max_epochs = 3, .log = "/no/such/folder/log.csv"};
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, NULL), NNB_E_IO);
  ck_assert_msg(strstr(nnb_errmsg(), "/no/such/folder/log.csv"), "%s", nnb_errmsg());
  opts.log = "";
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, NULL), NNB_E_ARG);
  opts.log = toy_path(path, "refused.csv"), opts.metrics = NNB_METRIC_MAE;
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, NULL), NNB_E_ARG); /* refused: no file is made */
  ck_assert(stat(path, &facts) != 0);
  opts.metrics = 0;
  if (stat("/dev/full", &facts) == 0) {
    opts.log = "/dev/full";
    ck_ok(nnb_fit(net, train, NULL, &opts, &r)); /* the training goes on */
    ck_assert(r.epochs == 3 && r.log_status == NNB_E_IO && r.n_history == 3);
  } else {
    fprintf(stderr, "skipped: there is no /dev/full\n");
  }
  nnb_net_destroy(net);
  nnb_data_destroy(train);
}
END_TEST

/* ---- progress ---------------------------------------------------------------------------------------------------- */

START_TEST(plain_lines) {
  FILE *f = tmpfile();
  char text[4000];
  nnb_data *train = toy_classes(96, 4, 3);
  nnb_net *net;
  nnb_progress bar = {.stream = f, .title = "run 7"}, quiet = {.stream = f, .no_plain = true};
  const nnb_callback list[] = {{nnb_progress_epoch, &bar}, {nnb_progress_epoch, &quiet}, {0}};
  nnb_fit_opts opts = {.algo = NNB_SGD, .max_epochs = 5, .callbacks = list, .metrics = NNB_METRIC_AUC | NNB_METRIC_F1};
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  ck_ok(nnb_fit(net, train, NULL, &opts, NULL));
  nnb_progress_end(&bar), nnb_progress_end(&quiet);
  rewind(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  ck_assert_msg(strncmp(text, "run 7: epoch 1 of 5  loss ", 26) == 0, "%s", text);
  ck_assert_msg(
      strstr(text, "\nrun 7: epoch 5 of 5  loss ") && strstr(text, "  f1 0.") && strstr(text, " samples/s  0:0"), "%s",
      text);
  ck_assert(!strchr(text, '\r') && !strchr(text, '\033'));
  fclose(f);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
}
END_TEST

/* On a terminal: one line of at most its width, drawn again, with a bar where there is room. */
static int open_terminal(FILE **out) {
  const int leader = posix_openpt(O_RDWR | O_NOCTTY);
  int follower = -1;
  if (leader < 0 || grantpt(leader) != 0 || unlockpt(leader) != 0) return -1;
#ifdef TIOCGPTPEER
  follower = ioctl(leader, TIOCGPTPEER, O_RDWR | O_NOCTTY); /* also where /dev/pts is that of another mount */
#endif
  if (follower < 0) follower = open(ptsname(leader), O_RDWR | O_NOCTTY);
  *out = follower < 0 ? NULL : fdopen(follower, "w");
  return *out ? leader : -1;
}

static void draw(nnb_progress *bar, const nnb_record *r, int leader, char text[2000]) {
  nnb_progress_epoch(bar, r);
  const ssize_t n = read(leader, text, 1999);
  ck_assert_int_gt(n, 0);
  text[n] = '\0';
}

START_TEST(one_line_on_a_terminal) {
  char text[2000];
  nnb_progress bar = {0};
  nnb_record r = {.epoch = 40,
                  .max_epochs = 100,
                  .samples = 5000,
                  .loss = 0.25,
                  .val_loss = 0.5,
                  .seconds = 0.5,
                  .total_seconds = 20};
  const int leader = open_terminal(&bar.stream);
  if (leader < 0) {
    fprintf(stderr, "skipped: no pseudo-terminal\n");
    return;
  }
  setenv("TERM", "xterm", 1);
  bar.columns = 120;
  draw(&bar, &r, leader, text);
  ck_assert_msg(strncmp(text, "\repoch 40 of 100  [", 19) == 0 && strstr(text, "=>") && !strchr(text, '\n'), "%s",
                text);
  ck_assert_msg(strstr(text, "]  loss 0.25  validation 0.5  1e+04 samples/s  0:30 left\033[K"), "%s", text);
  r.total_seconds = 20.05;
  nnb_progress_epoch(&bar, &r); /* too soon: nothing comes */
  r.total_seconds = 30, bar.columns = 40, r.epoch = 41;
  draw(&bar, &r, leader, text);
  ck_assert_str_eq(text, "\repoch 41 of 100  loss 0.25  validation \033[K"); /* 39 places */
  bar.erase = true;
  nnb_progress_end(&bar);
  ck_assert_int_eq(read(leader, text, 10), 4);
  ck_assert(memcmp(text, "\r\033[K", 4) == 0 && !bar.drawn);
  setenv("TERM", "dumb", 1);
  draw(&bar, &r, leader, text);
  ck_assert_msg(strncmp(text, "epoch 41 of 100  loss", 21) == 0 && strchr(text, '\n'), "%s", text);
  nnb_progress_end(&bar);
  r.total_seconds = 0.1; /* of the next training */
  draw(&bar, &r, leader, text);
  ck_assert_msg(strncmp(text, "epoch 41 of 100  loss", 21) == 0, "%s", text);
  fclose(bar.stream);
  close(leader);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("trainer " PRECISION);
  TCase *tc = tcase_create("trainer");
  tcase_add_loop_test(tc, every_callback_is_called_and_gets_the_net, 0, 2);
  tcase_add_test(tc, a_plan_of_a_callback);
  tcase_add_test(tc, the_record_has_the_limit);
  tcase_add_loop_test(tc, the_history_has_the_metrics, 0, 2);
  tcase_add_test(tc, metrics_without_a_meaning_are_refused);
  tcase_add_test(tc, options_as_text);
  tcase_add_loop_test(tc, small_falls_do_not_count, 0, 2);
  tcase_add_test(tc, own_schedules);
  tcase_add_loop_test(tc, a_row_for_each_epoch, 0, 2);
  tcase_add_test(tc, a_resumed_log_goes_on);
  tcase_add_test(tc, a_log_that_cannot_be_written);
  tcase_add_test(tc, plain_lines);
  tcase_add_test(tc, one_line_on_a_terminal);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
