/* nnb_fit: why it stops, what it reports, which parameters it leaves. */
#include <stdio.h>

#include "toys.h"

enum { N = 50, N_IN = 3 };

static nnb_net *small_net(void) {
  nnb_net *net;
  ck_ok(nnb_net_parse("3-8:tanh-2", &net));
  return net;
}

/* Targets that are independent of the inputs: what is learned on one part does not help on the other. */
static nnb_data *noise(int rows, uint64_t stream) {
  real x[N * N_IN], t[N * 2];
  nnb_data *data;
  toy_fill(x, (size_t)rows * N_IN, stream), toy_fill(t, (size_t)rows * 2, stream + 100);
  nnb_batch batch = {.x = nnb_cview(x, rows, N_IN), .t = nnb_cview(t, rows, 2)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  return data;
}

/* The parameters after each epoch, and the records of the callback. */
typedef struct diary {
  nnb_net *net;
  real *spoil; /* a parameter that becomes NaN after epoch spoil_at */
  int epochs, stop_at, spoil_at;
  real params[200][50];
  nnb_record records[200];
} diary;

static int write_diary(void *user, const nnb_record *record) {
  diary *d = user;
  ck_assert_int_eq(record->epoch, d->epochs + 1);
  memcpy(d->params[d->epochs], nnb_net_params_read(d->net), nnb_net_n_params(d->net) * sizeof(real));
  d->records[d->epochs++] = *record;
  if (d->epochs == d->spoil_at) *d->spoil = (real)NAN;
  return d->epochs == d->stop_at;
}

static bool has_params_of(nnb_net *net, const diary *d, int epoch) {
  return memcmp(nnb_net_params_read(net), d->params[epoch - 1], nnb_net_n_params(net) * sizeof(real)) == 0;
}

static double loss_on(nnb_net *net, const nnb_data *data) {
  nnb_metrics m;
  ck_ok(nnb_evaluate(net, data, &m));
  return m.loss;
}

#define ck_near(a, b) \
  ck_assert_msg(fabs((a) - (b)) <= TOL(1e-12, 1e-5) * fabs(b), #a " is %.17g, " #b " %.17g", (a), (b))

/* ---- why it stops --------------------------------------------------------------------------------------------------
 */

typedef struct course { /* one fit, with all results */
  nnb_net *net;
  nnb_data *train, *val;
  nnb_report report;
  diary diary;
} course;

static nnb_status run(course *c, bool validated, nnb_fit_opts opts) {
  static const nnb_report unset = {.epochs = -7, .best_epoch = -7, .n_history = -7};
  c->net = small_net();
  c->train = noise(N, 1), c->val = validated ? noise(20, 2) : NULL;
  c->report = unset;
  c->diary.net = c->net, c->diary.epochs = 0, c->diary.spoil = nnb_net_params(c->net) + 3;
  opts.on_epoch = write_diary, opts.user = &c->diary;
  if (opts.algo == NNB_AUTO) opts.algo = NNB_ADAM; /* small regressions get another method: test_varpro.c */
  return nnb_fit(c->net, c->train, c->val, &opts, &c->report);
}

static void end(course *c) {
  nnb_net_destroy(c->net);
  nnb_data_destroy(c->train);
  nnb_data_destroy(c->val);
}

/* True of every fit that succeeds. */
static void check_report(const course *c, const nnb_fit_opts *opts, nnb_stop stop) {
  const nnb_report *r = &c->report;
  const diary *d = &c->diary;
  int batch = opts->batch == NNB_FULL_BATCH || opts->batch > N ? N : opts->batch ? opts->batch : 32, best = 0;
  ck_assert_msg(r->stop == stop, "stopped because: %s, not: %s", nnb_stop_text(r->stop), nnb_stop_text(stop));
  ck_assert_int_eq(r->epochs, d->epochs);
  ck_assert_int_eq(r->updates, (int64_t)r->epochs * ((N + batch - 1) / batch));
  ck_assert_int_eq(r->samples, (int64_t)r->epochs * N);
  ck_assert(r->algo == (opts->algo ? opts->algo : NNB_ADAM) && r->seconds > 0);
  for (int i = 0; i < d->epochs; i++) {
    const nnb_record *rec = &d->records[i];
    ck_assert(rec->updates == (i + 1) * ((N + batch - 1) / batch) && rec->samples == N && isfinite(rec->loss));
    ck_assert(c->val ? isfinite(rec->val_loss) : isnan(rec->val_loss));
    ck_assert(rec->seconds >= 0 && rec->total_seconds >= rec->seconds);
    double loss = c->val ? rec->val_loss : rec->loss,
           least = c->val ? d->records[best].val_loss : d->records[best].loss;
    if (loss < least) best = i;
  }
  ck_assert_int_eq(r->best_epoch, best + 1);
  ck_assert_double_eq(r->best_loss, c->val ? d->records[best].val_loss : d->records[best].loss);
  ck_assert_double_eq(r->loss, d->records[d->epochs - 1].loss);
  if (c->val)
    ck_assert_double_eq(r->val_loss, d->records[d->epochs - 1].val_loss);
  else
    ck_assert(isnan(r->val_loss));
  int kept = c->val ? r->best_epoch : r->epochs;
  ck_assert_msg(has_params_of(c->net, d, kept), "the parameters are not those of epoch %d", kept);
  ck_assert_int_eq(r->restored, c->val != NULL);
  if (c->val) ck_near(loss_on(c->net, c->val), r->best_loss);
}

START_TEST(stops_after_its_epochs) {
  static const int batches[] = {0, 1, 7, N, N + 1, 1000000, NNB_FULL_BATCH};
  for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
    for (int validated = 0; validated < 2; validated++) {
      static course c;
      nnb_fit_opts opts = {.algo = NNB_NESTEROV, .batch = batches[i], .max_epochs = 9, .chunk = i % 2 ? 4 : 0};
      ck_ok(run(&c, validated, opts));
      check_report(&c, &opts, NNB_STOP_EPOCHS);
      ck_assert_int_eq(c.report.epochs, 9);
      end(&c);
    }
}
END_TEST

START_TEST(a_hundred_epochs_by_default) {
  static course c;
  nnb_fit_opts opts = {.algo = NNB_AUTO};
  ck_ok(run(&c, false, opts));
  check_report(&c, &opts, NNB_STOP_EPOCHS);
  ck_assert_int_eq(c.report.epochs, 100);
  end(&c);
}
END_TEST

START_TEST(stops_by_the_clock) {
  static course c;
  nnb_fit_opts opts = {.max_epochs = NNB_NONE, .max_seconds = 1e-9};
  ck_ok(run(&c, _i, opts));
  check_report(&c, &opts, NNB_STOP_SECONDS);
  ck_assert_int_eq(c.report.epochs, 1);
  end(&c);
}
END_TEST

START_TEST(stops_at_the_target) {
  static course c;
  nnb_fit_opts opts = {.algo = NNB_NESTEROV, .max_epochs = 200, .lr = 0.05, .target_loss = _i ? 0.36 : 0.31};
  ck_ok(run(&c, _i, opts));
  check_report(&c, &opts, NNB_STOP_TARGET);
  const diary *d = &c.diary;
  for (int i = 0; i < d->epochs; i++) {
    double loss = _i ? d->records[i].val_loss : d->records[i].loss;
    ck_assert_msg((loss <= opts.target_loss) == (i == d->epochs - 1), "epoch %d: %g", i + 1, loss);
  }
  end(&c);
}
END_TEST

START_TEST(stops_when_patience_ends) {
  static course c;
  nnb_fit_opts opts = {.algo = NNB_NESTEROV, .max_epochs = 200, .lr = 0.1, .patience = 4};
  ck_ok(run(&c, true, opts));
  check_report(&c, &opts, NNB_STOP_PATIENCE);
  ck_assert_int_eq(c.report.epochs, c.report.best_epoch + 4);
  ck_assert_int_lt(c.report.epochs, 200);
  end(&c);
}
END_TEST

START_TEST(stops_when_told_to) {
  static course c;
  c.diary.stop_at = 3;
  nnb_fit_opts opts = {.max_epochs = 3}; /* the callback comes before the other reasons */
  ck_ok(run(&c, _i, opts));
  check_report(&c, &opts, NNB_STOP_USER);
  ck_assert_int_eq(c.report.epochs, 3);
  end(&c);
}
END_TEST

/* ---- the start ----------------------------------------------------------------------------------------------------
 */

static const nnb_algo every_algo[] = {
#define ALGO(name, text) name,
    NNB_ALGO_LIST(ALGO)
#undef ALGO
};

/* Rows in pairs, with targets 0.1 above and below the net's outputs: no other parameters have a lower loss. */
static nnb_data *rows_around(nnb_net *net) {
  enum { PAIRS = 10 };
  real x[2 * PAIRS * N_IN], t[2 * PAIRS * 2];
  nnb_data *data;
  toy_fill(x, PAIRS * N_IN, 2);
  memcpy(x + PAIRS * N_IN, x, PAIRS * N_IN * sizeof *x);
  ck_ok(nnb_net_predict(net, nnb_cview(x, PAIRS, N_IN), nnb_view(t, PAIRS, 2)));
  for (int i = 0; i < PAIRS * 2; i++) t[PAIRS * 2 + i] = t[i] - (real)0.1, t[i] += (real)0.1;
  nnb_batch batch = {.x = nnb_cview(x, 2 * PAIRS, N_IN), .t = nnb_cview(t, 2 * PAIRS, 2)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  return data;
}

/* A net with the lowest possible validation loss stays as good, for every method and learning rate. */
START_TEST(the_start_is_epoch_0) {
  const nnb_algo algo = every_algo[_i];
  nnb_net *net = small_net();
  nnb_data *train = noise(N, 1), *val = rows_around(net);
  nnb_report r;
  const double before = loss_on(net, val);
  const uint64_t bits = toy_hash_net(1, net);
  nnb_fit_opts opts = {.algo = algo, .max_epochs = 5};
  ck_ok(nnb_fit(net, train, val, &opts, &r));
  ck_assert_msg(toy_hash_net(1, net) == bits, "%s: the validation loss went from %g to %g", nnb_algo_name(algo), before,
                loss_on(net, val));
  ck_assert(r.best_epoch == 0 && r.restored && r.epochs == 5);
  ck_near(r.best_loss, before);
  opts.patience = 3; /* the start counts too */
  ck_ok(nnb_fit(net, train, val, &opts, &r));
  ck_assert_msg(r.epochs == 3 && r.stop == NNB_STOP_PATIENCE, "%s: %d epochs, %s", nnb_algo_name(algo), r.epochs,
                nnb_stop_text(r.stop));
  ck_assert(toy_hash_net(1, net) == bits);
  nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* With such a learning rate nothing is learned, and nothing may be lost. */
START_TEST(a_large_learning_rate_keeps_the_start) {
  nnb_net *net;
  nnb_data *data = toy_regression(40, N_IN, 1), *train, *val;
  nnb_report r;
  ck_ok(nnb_data_split(data, 0.3, 1, &train, &val));
  ck_ok(nnb_net_parse("3-8:tanh-1", &net));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LBFGS, .max_epochs = 500}, NULL));
  const double before = loss_on(net, val);
  ck_ok(nnb_fit(net, train, val, &(nnb_fit_opts){.algo = NNB_ADAM, .lr = 0.3, .max_epochs = 20}, &r));
  ck_assert_msg(loss_on(net, val) <= before, "the validation loss went from %g to %g", before, loss_on(net, val));
  ck_assert(r.restored && r.best_epoch == 0 && r.val_loss > r.best_loss);
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* A start whose validation loss overflows is not a candidate: one step takes w from 1 to 0. */
START_TEST(a_start_that_overflows_is_no_candidate) {
  real x = 1, far = (real)TOL(1e200, 1e30), t = 0;
  nnb_data *train, *val;
  nnb_net *net;
  nnb_report r;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(&x, 1, 1), .t = nnb_cview(&t, 1, 1)}, 0, &train));
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(&far, 1, 1), .t = nnb_cview(&t, 1, 1)}, 0, &val));
  ck_ok(nnb_net_parse("1-1:bias=0", &net));
  ck_ok(nnb_net_loss(net, NNB_HALF_SSE));
  nnb_net_params(net)[0] = 1;
  ck_ok(nnb_fit(net, train, val, &(nnb_fit_opts){.algo = NNB_SGD, .lr = 1, .max_epochs = 3}, &r));
  ck_assert(r.best_epoch == 1 && r.best_loss == 0 && nnb_net_params_read(net)[0] == 0);
  nnb_net_destroy(net), nnb_data_destroy(train), nnb_data_destroy(val);
}
END_TEST

/* ---- divergence ----------------------------------------------------------------------------------------------------
 */

START_TEST(divergence_leaves_the_best_epoch) {
  static course c;
  c.diary.spoil_at = 12;
  nnb_fit_opts opts = {.algo = NNB_NESTEROV, .max_epochs = 30, .lr = 0.02};
  ck_assert_int_eq(run(&c, _i, opts), NNB_E_NUMERIC);
  const nnb_report *r = &c.report;
  ck_assert_int_eq(r->stop, NNB_STOP_DIVERGED);
  ck_assert_int_eq(r->epochs, 12);
  ck_assert(r->restored && r->best_epoch >= 1 && r->best_epoch <= 12 && isfinite(r->best_loss) && !isfinite(r->loss));
  int kept = _i ? r->best_epoch : r->best_epoch - 1; /* without validation: the parameters at the epoch's start */
  ck_assert_int_gt(kept, 0);
  ck_assert_msg(has_params_of(c.net, &c.diary, kept), "the parameters are not those of epoch %d", kept);
  if (_i) ck_near(loss_on(c.net, c.val), r->best_loss);
  ck_assert_int_eq(r->n_history, 12);
  char words[80];
  snprintf(words, sizeof words, "epoch %d", r->best_epoch);
  ck_assert_msg(strstr(nnb_errmsg(), "diverged in epoch 13") && strstr(nnb_errmsg(), words), "%s", nnb_errmsg());
  ck_ok(nnb_fit(c.net, c.train, NULL, &(nnb_fit_opts){.max_epochs = 2}, NULL)); /* training can continue */
  end(&c);
}
END_TEST

/* w ← -2w from 1: the loss ½w² of an epoch is that of the parameters at its start. */
START_TEST(divergence_leaves_what_was_measured) {
  real x = 1, t = 0;
  nnb_data *data;
  nnb_net *net;
  nnb_report r;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(&x, 1, 1), .t = nnb_cview(&t, 1, 1)}, 0, &data));
  ck_ok(nnb_net_parse("1-1:bias=0", &net));
  ck_ok(nnb_net_loss(net, NNB_HALF_SSE));
  nnb_net_params(net)[0] = 1;
  nnb_fit_opts opts = {.algo = NNB_SGD, .lr = 3, .max_epochs = 2000, .ema = _i ? 0.5 : 0};
  ck_assert_int_eq(nnb_fit(net, data, NULL, &opts, &r), NNB_E_NUMERIC);
  ck_assert(r.restored && r.best_epoch == 1);
  ck_assert_double_eq(r.best_loss, 0.5);
  ck_assert_msg(nnb_net_params(net)[0] == 1, "w is %g, the loss %g was measured at 1", (double)nnb_net_params(net)[0],
                r.best_loss);
  ck_assert_msg(strstr(nnb_errmsg(), "from before epoch 1"), "%s", nnb_errmsg());
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

START_TEST(divergence_by_the_learning_rate) {
  static const nnb_algo algos[] = {NNB_SGD, NNB_MOMENTUM, NNB_NESTEROV};
  nnb_fit_opts opts = {.algo = algos[_i], .lr = 1e4, .max_epochs = 2000};
  nnb_net *line;
  nnb_report r;
  nnb_data *data = toy_regression(N, N_IN, 2);
  for (int batch = -1; batch < 10; batch += 5) {
    opts.batch = batch;
    ck_ok(nnb_net_parse("3-2", &line));
    ck_ok(nnb_net_init(line, 5));
    double at_first = loss_on(line, data);
    ck_assert_int_eq(nnb_fit(line, data, data, &opts, &r), NNB_E_NUMERIC);
    ck_assert_int_eq(r.stop, NNB_STOP_DIVERGED);
    ck_assert(r.restored && r.epochs < 2000);
    ck_assert_msg(strstr(nnb_errmsg(), "learning rate"), "%s", nnb_errmsg());
    if (r.best_epoch)
      ck_near(loss_on(line, data), r.best_loss);
    else
      ck_near(loss_on(line, data), at_first);
    nnb_net_destroy(line);
  }
  nnb_data_destroy(data);
}
END_TEST

START_TEST(divergence_in_the_first_epoch) {
  nnb_net *net = small_net();
  nnb_data *data = noise(N, 1);
  nnb_report r;
  ck_ok(nnb_net_init(net, 1));
  uint64_t before = toy_hash_net(1, net);
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_SGD, .lr = 1e300, .batch = 1}, &r),
                   NNB_E_NUMERIC);
  ck_assert(r.stop == NNB_STOP_DIVERGED && r.best_epoch == 0 && r.epochs == 0 && r.restored && r.n_history == 0);
  ck_assert_msg(toy_hash_net(1, net) == before, "the parameters are not those from before");
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- the history ---------------------------------------------------------------------------------------------------
 */

START_TEST(history_covers_the_whole_run) {
  static const int room[] = {1, 2, 3, 4, 5, 7, 16, 99, 100, 101, 0};
  static course c;
  int most = room[_i];
  nnb_fit_opts opts = {.max_epochs = 100, .history = most};
  ck_ok(run(&c, true, opts));
  const nnb_report *r = &c.report;
  ck_assert_int_le(r->n_history, most ? most : 100);
  ck_assert_int_ge(r->n_history, 1);
  if (most == 0 || most >= 100) ck_assert(r->n_history == 100 && r->history_stride == 1);
  ck_assert_msg((r->history_stride & (r->history_stride - 1)) == 0, "the stride is %d", r->history_stride);
  if (most > 1) ck_assert_int_ge(2 * r->n_history, most > 100 ? 100 : most); /* no more were dropped than necessary */
  ck_assert_int_eq(r->history[r->n_history - 1].epoch, 100);
  for (int i = 0; i < r->n_history; i++) {
    int epoch = i < r->n_history - 1 ? 1 + i * r->history_stride : 100;
    const nnb_record *kept = &r->history[i], *seen = &c.diary.records[epoch - 1];
    ck_assert_int_eq(kept->epoch, epoch);
    ck_assert(kept->loss == seen->loss && kept->val_loss == seen->val_loss && kept->updates == seen->updates &&
              kept->samples == seen->samples);
  }
  if (most != 1)
    ck_assert_int_gt(1 + r->n_history * r->history_stride, 100); /* the next record would be after the end */
  end(&c);
}
END_TEST

START_TEST(no_history) {
  static course c;
  ck_ok(run(&c, false, (nnb_fit_opts){.max_epochs = 5, .history = NNB_NONE}));
  ck_assert_int_eq(c.report.n_history, 0);
  ck_assert_int_eq(c.diary.epochs, 5);
  end(&c);
}
END_TEST

/* ---- progress
 * -------------------------------------------------------------------------------------------------------- */

START_TEST(progress_goes_where_it_is_asked_to) {
  static course c;
  FILE *f = tmpfile();
  char line[200], last[200] = "";
  int lines = 0;
  ck_assert_ptr_nonnull(f);
  ck_ok(run(&c, _i, (nnb_fit_opts){.max_epochs = 30, .progress = f}));
  rewind(f);
  while (fgets(line, sizeof line, f)) {
    if (lines == 0) ck_assert_msg(strncmp(line, "epoch 1 ", 8) == 0, "first line: %s", line);
    ck_assert_msg(strncmp(line, "epoch ", 6) == 0 && strstr(line, "loss") && strchr(line, '\n'), "line: %s", line);
    ck_assert_msg((strstr(line, "validation") != NULL) == _i, "line: %s", line);
    strcpy(last, line);
    lines++;
  }
  ck_assert_msg(strncmp(last, "epoch 30 ", 9) == 0, "last line: %s", last);
  ck_assert_int_ge(lines, 2);
  ck_assert_int_le(lines, 30);
  fclose(f);
  end(&c);
}
END_TEST

/* ---- what it computes
 * ------------------------------------------------------------------------------------------------ */

static uint64_t bits_of(const nnb_data *data, nnb_fit_opts opts) {
  nnb_net *net = small_net();
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  uint64_t h = toy_hash_net(1, net);
  nnb_net_destroy(net);
  return h;
}

START_TEST(seeds_and_order) {
  nnb_data *data = toy_regression(N, N_IN, 2);
  nnb_fit_opts a = {.max_epochs = 4, .batch = 8}, other_seed = a, in_order = a, more = a, all = a;
  other_seed.seed = 1, in_order.in_order = true, more.batch = N + 5, all.batch = NNB_FULL_BATCH;
  ck_assert_msg(bits_of(data, a) == bits_of(data, a), "another run, other bits");
  ck_assert_msg(bits_of(data, a) != bits_of(data, other_seed), "the seed does not matter");
  ck_assert_msg(bits_of(data, a) != bits_of(data, in_order), "the rows were not shuffled");
  ck_assert_msg(bits_of(data, more) == bits_of(data, all), "a batch of more than all rows is not a full one");
  other_seed.in_order = true;
  ck_assert_msg(bits_of(data, in_order) == bits_of(data, other_seed), "the seed matters for rows in order");
  nnb_data_destroy(data);
}
END_TEST

START_TEST(it_is_the_loop_over_rows) {
  nnb_data *data = toy_regression(N, N_IN, 2);
  nnb_fit_opts opts = {
      .algo = NNB_MOMENTUM, .lr = 0.02, .momentum = 0.8, .l2 = 1e-3, .batch = 7, .max_epochs = 6, .in_order = true};
  nnb_net *net = small_net();
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch rows;
  ck_ok(nnb_data_batch(data, 0, N, &rows));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 7, .want = NNB_GRAD}, &plan));
  ck_ok(
      nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_MOMENTUM, .lr = 0.02, .momentum = 0.8, .l2 = 1e-3}, &optim));
  for (int epoch = 0; epoch < 6; epoch++) ck_ok(nnb_train_rows(net, plan, &rows, NULL, 0, 7, optim, NULL));
  ck_assert_msg(toy_hash_net(1, net) == bits_of(data, opts), "other bits than the loop");
  nnb_optim_destroy(optim), nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Weight 2 counts as the row twice, weight 0 as no row. */
START_TEST(sample_weights) {
  enum { ROWS = 10 };
  real x[(ROWS + 1) * N_IN], t[(ROWS + 1) * 2], w[ROWS];
  nnb_data *weighted, *plain;
  toy_fill(x, ROWS * N_IN, 1), toy_fill(t, ROWS * 2, 2);
  for (int i = 0; i < ROWS; i++) w[i] = 1;
  w[3] = 2, w[ROWS - 1] = 0;
  nnb_batch a = {.x = nnb_cview(x, ROWS, N_IN), .t = nnb_cview(t, ROWS, 2), .weight = w};
  ck_ok(nnb_data_copy(&a, 0, &weighted));
  memcpy(x + (ROWS - 1) * N_IN, x + 3 * N_IN,
         N_IN * sizeof *x); /* the row without weight becomes the one counted twice */
  memcpy(t + (ROWS - 1) * 2, t + 3 * 2, 2 * sizeof *t);
  a.weight = NULL;
  ck_ok(nnb_data_copy(&a, 0, &plain));
  static const int batches[] = {NNB_FULL_BATCH, 4};
  nnb_report r[2];
  nnb_net *net[2] = {small_net(), small_net()};
  nnb_fit_opts opts = {.batch = batches[_i], .max_epochs = 20, .in_order = true, .chunk = 3};
  ck_ok(nnb_fit(net[0], weighted, weighted, &opts, &r[0]));
  ck_ok(nnb_fit(net[1], plain, plain, &opts, &r[1]));
  if (_i == 0) { /* in one batch the position of the second copy does not matter */
    ck_assert_msg(fabs(r[0].loss - r[1].loss) <= TOL(1e-12, 1e-5), "%.17g, %.17g", r[0].loss, r[1].loss);
    ck_near(r[0].val_loss, r[1].val_loss);
    const real *p = nnb_net_params_read(net[0]), *q = nnb_net_params_read(net[1]);
    for (size_t i = 0; i < nnb_net_n_params(net[0]); i++)
      ck_assert_msg(fabs((double)(p[i] - q[i])) <= TOL(1e-12, 1e-5), "parameter %zu: %g, %g", i, (double)p[i],
                    (double)q[i]);
  }
  ck_near(loss_on(net[0], weighted), r[0].best_loss);
  nnb_net_destroy(net[0]), nnb_net_destroy(net[1]), nnb_data_destroy(weighted), nnb_data_destroy(plain);
}
END_TEST

START_TEST(frozen_parts_stay) {
  nnb_net *net;
  nnb_data *data = toy_regression(N, N_IN, 2);
  static const nnb_fit_opts opts[] = {{.algo = NNB_SGD, .l1 = 1e-3, .l2 = 1e-2},
                                      {.algo = NNB_MOMENTUM, .l2 = 1e-2},
                                      {.algo = NNB_NESTEROV, .clip_norm = 0.1}};
  for (size_t k = 0; k < 3; k++) {
    nnb_cmat w, b, w2, b2;
    ck_ok(nnb_net_parse("3-4:tanh:frozen=1-5:tanh:frozen=2-2", &net));
    ck_ok(nnb_net_weights(net, 2, &w));
    ck_ok(nnb_net_bias(net, 2, &b));
    ck_ok(nnb_net_weights(net, 3, &w2));
    ck_ok(nnb_net_bias(net, 3, &b2));
    uint64_t before[] = {toy_hash(1, w.p, 12 * sizeof(real)), toy_hash(1, b.p, 4 * sizeof(real)),
                         toy_hash(1, w2.p, 20 * sizeof(real)), toy_hash(1, b2.p, 5 * sizeof(real))};
    ck_ok(nnb_fit(net, data, NULL, &opts[k], NULL));
    ck_assert_msg(toy_hash(1, w.p, 12 * sizeof(real)) == before[0], "frozen weights moved");
    ck_assert_msg(toy_hash(1, b.p, 4 * sizeof(real)) != before[1], "a bias did not move");
    ck_assert_msg(toy_hash(1, w2.p, 20 * sizeof(real)) != before[2], "weights did not move");
    ck_assert_msg(toy_hash(1, b2.p, 5 * sizeof(real)) == before[3], "a frozen bias moved");
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

START_TEST(nothing_but_the_data_is_needed) {
  nnb_net *net = small_net();
  nnb_data *data = toy_regression(N, N_IN, 2);
  nnb_metrics m;
  ck_ok(nnb_fit(net, data, NULL, NULL, NULL));
  ck_ok(nnb_fit(net, data, data, NULL, NULL));
  ck_ok(nnb_evaluate(net, data, &m));
  ck_assert_msg(m.r2 > 0.8, "r² is %g", m.r2);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- digits
 * ------------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name;
  nnb_fit_opts opts;
} forms[] = {
    {"one row at a time", {.algo = NNB_SGD, .batch = 1, .lr = 0.01, .max_epochs = 12}},
    {"batches of 32", {.algo = NNB_NESTEROV, .batch = 32, .lr = 0.02, .max_epochs = 20}},
    {"all rows at once", {.algo = NNB_NESTEROV, .batch = NNB_FULL_BATCH, .lr = 0.2, .max_epochs = 200}},
};

static double learn_digits(const nnb_data *train, const nnb_data *test, nnb_fit_opts opts, uint64_t *bits) {
  nnb_net *net = nnb_net_create(64);
  nnb_metrics m;
  nnb_net_standardize(net, train);
  nnb_net_dense(net, 32, NNB_TANH);
  nnb_net_dense(net, 10, NNB_SOFTMAX);
  nnb_net_seed(net, 3);
  opts.seed = 4;
  ck_ok(nnb_fit(net, train, NULL, &opts, NULL));
  ck_ok(nnb_evaluate(net, test, &m));
  *bits = toy_hash_net(1, net);
  nnb_net_destroy(net);
  return m.accuracy;
}

START_TEST(digits_are_learnt_by_every_form_of_descent) {
  nnb_data *all, *train, *test;
  uint64_t bits[2];
  ck_ok(nnb_data_read_csv(EXAMPLE_DATA "/digits.csv", &(nnb_csv_opts){.classify = true}, &all));
  ck_assert(nnb_data_rows(all) == 1797 && nnb_data_n_in(all) == 64 && nnb_data_n_classes(all) == 10);
  ck_ok(nnb_data_split(all, 0.2, 1, &train, &test));
  double accuracy = learn_digits(train, test, forms[_i].opts, &bits[0]);
  printf("digits, %s: accuracy %.4f\n", forms[_i].name, accuracy);
  ck_assert_msg(accuracy >= 0.95, "%s: accuracy %g", forms[_i].name, accuracy);
  double again = learn_digits(train, test, forms[_i].opts, &bits[1]);
  ck_assert_msg(bits[0] == bits[1] && accuracy == again, "%s: other bits on a second run", forms[_i].name);
  nnb_data_destroy(all), nnb_data_destroy(train), nnb_data_destroy(test);
}
END_TEST

/* Classes numbered by first appearance differ between two files: the call fails instead of scoring them. */
START_TEST(classes_named_otherwise_are_refused) {
  static const char a[] = "x,kind\n0,cat\n0.1,cat\n1,dog\n1.1,dog\n", b[] = "x,kind\n1,dog\n1.1,dog\n0,cat\n0.1,cat\n";
  nnb_data *train = NULL, *other = NULL;
  nnb_net *net = NULL;
  nnb_metrics metrics;
  nnb_fit_opts opts = {.max_epochs = 2};
  ck_assert_int_eq(nnb_data_parse_csv(a, sizeof a - 1, "a", NULL, &train), NNB_OK);
  ck_assert_int_eq(nnb_data_parse_csv(b, sizeof b - 1, "b", NULL, &other), NNB_OK);
  ck_assert_int_eq(nnb_net_parse("1-4:tanh-2:softmax", &net), NNB_OK);
  ck_assert_int_eq(nnb_fit(net, train, NULL, &opts, NULL), NNB_OK);
  ck_assert_int_eq(nnb_evaluate(net, train, &metrics), NNB_OK);
  ck_assert_int_eq(nnb_evaluate(net, other, &metrics), NNB_E_SHAPE);
  ck_assert_msg(strstr(nnb_errmsg(), "cat") && strstr(nnb_errmsg(), "dog"), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_fit(net, train, other, &opts, NULL), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_fit(net, other, NULL, &opts, NULL), NNB_E_SHAPE);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
  nnb_data_destroy(other);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fit, " PRECISION);
  TCase *tc = tcase_create("fit");
  tcase_add_test(tc, stops_after_its_epochs);
  tcase_add_test(tc, classes_named_otherwise_are_refused);
  tcase_add_test(tc, a_hundred_epochs_by_default);
  tcase_add_loop_test(tc, stops_by_the_clock, 0, 2);
  tcase_add_loop_test(tc, stops_at_the_target, 0, 2);
  tcase_add_test(tc, stops_when_patience_ends);
  tcase_add_loop_test(tc, stops_when_told_to, 0, 2);
  tcase_add_loop_test(tc, the_start_is_epoch_0, 0, NNB_N_ALGOS);
  tcase_add_test(tc, a_large_learning_rate_keeps_the_start);
  tcase_add_test(tc, a_start_that_overflows_is_no_candidate);
  tcase_add_loop_test(tc, divergence_leaves_the_best_epoch, 0, 2);
  tcase_add_loop_test(tc, divergence_leaves_what_was_measured, 0, 2);
  tcase_add_loop_test(tc, divergence_by_the_learning_rate, 0, 3);
  tcase_add_test(tc, divergence_in_the_first_epoch);
  tcase_add_loop_test(tc, history_covers_the_whole_run, 0, 11);
  tcase_add_test(tc, no_history);
  tcase_add_loop_test(tc, progress_goes_where_it_is_asked_to, 0, 2);
  tcase_add_test(tc, seeds_and_order);
  tcase_add_test(tc, it_is_the_loop_over_rows);
  tcase_add_loop_test(tc, sample_weights, 0, 2);
  tcase_add_test(tc, frozen_parts_stay);
  tcase_add_test(tc, nothing_but_the_data_is_needed);
  tcase_add_loop_test(tc, digits_are_learnt_by_every_form_of_descent, 0, 3);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
