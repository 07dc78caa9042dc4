/* Data that is read from a source: the same bits as in memory, errors of the source, and the order of the rows. */
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "alloc_count.h"
#include "toys.h"

enum { ROWS = 230, COLS = 5, OUTS = 2, CLASSES = 3, MOST_CALLS = 100000 };

/* A source over data in memory, which may fail in call number fail_at or write what it must not. */
typedef struct tape_state {
  nnb_batch all;
  atomic_int calls; /* from two windows at once */
  int fail_at;
  nnb_status status;
  bool silent, wrong;
  atomic_int widest; /* rows of the largest call */
} tape_state;

static bool ahead; /* of the sources that from_tape makes */

static nnb_status read_tape(void *user, int64_t row0, int n, const nnb_rows *rows) {
  tape_state *t = user;
  ck_assert(row0 >= 0 && n >= 1 && row0 + n <= ROWS && rows->x.rows == n);
  if (n > t->widest) t->widest = n;
  for (int i = 0; i < n; i++) {
    const int row = (int)row0 + i;
    memcpy(rows->x.p + i * rows->x.ld, t->all.x.p + row * t->all.x.ld, COLS * sizeof(real));
    if (rows->t.p) memcpy(rows->t.p + i * rows->t.ld, t->all.t.p + row * t->all.t.ld, OUTS * sizeof(real));
    if (rows->label) rows->label[i] = t->all.label[row];
    if (rows->weight) rows->weight[i] = t->all.weight[row];
  }
  if (++t->calls != t->fail_at) return NNB_OK;
  if (t->wrong) rows->label ? (void)(rows->label[n - 1] = CLASSES) : (void)(rows->x.p[0] = (real)NAN);
  if (t->wrong) return NNB_OK;
  return t->silent ? t->status : nnb_layer_fail(t->status, "the tape is torn");
}

static nnb_data *from_tape(tape_state *t, const nnb_data *data, const real *weight) {
  nnb_data *out;
  *t = (tape_state){0};
  ck_ok(nnb_data_batch(data, 0, ROWS, &t->all));
  t->all.weight = weight;
  nnb_source source = {.rows = ROWS, .n_in = COLS, .user = t, .read = read_tape, .weighted = weight != NULL,
                       .ahead = ahead};
  if (t->all.label)
    source.n_classes = CLASSES;
  else
    source.n_out = OUTS;
  ck_ok(nnb_data_from_source(&source, &out));
  ck_assert_int_eq(nnb_data_rows(out), ROWS);
  ck_assert_int_eq(nnb_data_n_in(out), COLS);
  ck_assert_int_eq(nnb_data_n_out(out), t->all.label ? CLASSES : OUTS);
  return out;
}

static nnb_net *make_net(const nnb_data *scale, bool classes) {
  nnb_net *net = nnb_net_create(COLS);
  ck_assert(net);
  nnb_net_standardize(net, scale);
  nnb_net_dense(net, 6, NNB_TANH);
  nnb_net_dense(net, classes ? CLASSES : OUTS, classes ? NNB_SOFTMAX : NNB_LINEAR);
  nnb_net_seed(net, 3);
  return net;
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

typedef struct outcome {
  uint64_t bits;
  nnb_status status;
  double loss, best;
  int epochs;
} outcome;

static outcome fit(const nnb_data *scale, const nnb_data *train, const nnb_data *val, const char *text) {
  nnb_net *net = make_net(scale, nnb_data_n_classes(scale) > 0);
  nnb_fit_opts opts = {0};
  nnb_report report;
  ck_ok(nnb_fit_opts_parse(text, &opts));
  nnb_status status = nnb_fit(net, train, val, &opts, &report);
  ck_assert_msg(status == NNB_OK, "%s: %s", text, nnb_errmsg());
  outcome o = {toy_hash_net(1, net), status, report.loss, report.best_loss, report.epochs};
  nnb_net_destroy(net);
  return o;
}

static void compare(const char *text, bool classes, bool weighted, bool validates) {
  nnb_data *data = classes ? toy_classes(ROWS, COLS, CLASSES) : toy_regression(ROWS, COLS, OUTS), *memory;
  real weight[ROWS];
  nnb_batch all;
  tape_state tape, other;
  for (int i = 0; i < ROWS; i++) weight[i] = (real)(i % 4);
  ck_ok(nnb_data_batch(data, 0, ROWS, &all));
  all.weight = weighted ? weight : NULL;
  ck_ok(nnb_data_wrap(&all, classes ? CLASSES : 0, &memory));
  nnb_data *source = from_tape(&tape, data, all.weight), *val = from_tape(&other, data, NULL);
  outcome a = fit(data, memory, validates ? data : NULL, text), b = fit(data, source, validates ? val : NULL, text);
  ck_assert_msg(a.bits == b.bits, "%s, weights %d, validation %d: other parameters", text, weighted, validates);
  ck_assert_msg(a.loss == b.loss && a.best == b.best && a.epochs == b.epochs,
                "%s: %.17g, %.17g, %d and %.17g, %.17g, %d", text, a.loss, a.best, a.epochs, b.loss, b.best, b.epochs);
  nnb_data_destroy(source), nnb_data_destroy(val), nnb_data_destroy(memory), nnb_data_destroy(data);
}

/* Single samples: an update is fused with the next row only within a window, so that the rest is rounding. */
START_TEST(test_single_samples) {
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  nnb_data *source = from_tape(&tape, data, NULL);
  outcome a = fit(data, data, NULL, "algo=sgd batch=1 block=50 max_epochs=3 lr=0.01");
  outcome b = fit(data, source, NULL, "algo=sgd batch=1 block=50 max_epochs=3 lr=0.01");
  ck_assert_double_eq_tol(a.loss, b.loss, TOL(1e-12, 1e-4) * a.loss);
  nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

static const char *const both[] = {"algo=sgd batch=1 max_epochs=3",
                                   "algo=sgd batch=32 max_epochs=3",
                                   "algo=adam max_epochs=4 block=50",
                                   "algo=adam max_epochs=4 block=7 batch=64 chunk=20",
                                   "algo=adam max_epochs=4 block=1 batch=9",
                                   "algo=adam max_epochs=4 block=229",
                                   "algo=adam max_epochs=4 block=10000",
                                   "algo=adam max_epochs=4 in_order block=50",
                                   "algo=adam max_epochs=4 batch=full chunk=100",
                                   "algo=adam max_epochs=9 schedule=plateau lr_step=1 ema=0.9",
                                   "algo=kfac max_epochs=2 batch=64 block=50",
                                   "algo=kfac max_epochs=2 batch=full",
                                   "algo=lbfgs max_epochs=5 chunk=100",
                                   "algo=rprop max_epochs=5"};
static const char *const squares[] = {"algo=lm max_epochs=5 chunk=50", "algo=varpro max_epochs=5",
                                      "algo=lm bayes max_epochs=5"};

START_TEST(test_same_bits) {
  ahead = _i;
  for (size_t i = 0; i < sizeof both / sizeof *both; i++)
    for (int ways = 0; ways < 8; ways++) compare(both[i], ways & 1, ways & 2, ways & 4);
  for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
    for (int ways = 0; ways < 4; ways++) compare(squares[i], false, ways & 1, ways & 2);
}
END_TEST

/* With block each epoch reads each block once; without, row by row. */
START_TEST(test_calls) {
  ahead = _i;
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  nnb_data *source = from_tape(&tape, data, NULL);
  fit(data, source, NULL, "algo=adam max_epochs=3 block=50");
  ck_assert_int_eq(tape.calls, 3 * 5);
  ck_assert_int_eq(tape.widest, 50);
  tape.calls = 0;
  fit(data, source, NULL, "algo=adam max_epochs=1 in_order");
  ck_assert_int_eq(tape.calls, 1);
  nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

START_TEST(test_evaluate) {
  ahead = _i;
  for (int classes = 0; classes < 2; classes++) {
    nnb_data *data = classes ? toy_classes(ROWS, COLS, CLASSES) : toy_regression(ROWS, COLS, OUTS);
    tape_state tape;
    nnb_metrics a, b;
    nnb_data *source = from_tape(&tape, data, NULL);
    nnb_net *net = make_net(data, classes);
    ck_ok(nnb_evaluate(net, data, &a));
    ck_ok(nnb_evaluate(net, source, &b));
    ck_assert_mem_eq(&a, &b, sizeof a);
    tape.calls = 0;
    tape.fail_at = 1, tape.status = NNB_E_IO;
    ck_assert_int_eq(nnb_evaluate(net, source, &b), NNB_E_IO);
    ck_assert_msg(strstr(nnb_errmsg(), "the tape is torn") != NULL, "%s", nnb_errmsg());
    nnb_net_destroy(net), nnb_data_destroy(source), nnb_data_destroy(data);
  }
}
END_TEST

static int fork_at_first(void *user, const nnb_record *record) {
  if (record->epoch == 1) *(pid_t *)user = fork();
  return 0;
}

/* A child has no thread that reads ahead: it reads for itself, and ends with the same bits. */
START_TEST(test_fork_in_callback) {
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  ahead = true;
  nnb_data *source = from_tape(&tape, data, NULL);
  const outcome wanted = fit(data, source, source, "algo=adam max_epochs=4 block=50");
  nnb_net *net = make_net(data, false);
  nnb_fit_opts opts = {.on_epoch = fork_at_first};
  pid_t child = -1;
  int status;
  ck_ok(nnb_fit_opts_parse("algo=adam max_epochs=4 block=50", &opts));
  opts.user = &child;
  const bool done = nnb_fit(net, source, source, &opts, NULL) == NNB_OK && toy_hash_net(1, net) == wanted.bits;
  if (child == 0) _exit(done ? 0 : 1);
  ck_assert(done && child > 0);
  for (int i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
    if (i == 2000) kill(child, SIGKILL), waitpid(child, &status, 0), ck_abort_msg("the child hangs");
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  nnb_net_destroy(net), nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

/* What auto finds out by trials it does not for a source, which one thread reads at a time. */
START_TEST(test_auto) {
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  nnb_data *source = from_tape(&tape, data, NULL);
  for (int validates = 0; validates < 2; validates++) {
    nnb_net *net = make_net(data, false);
    nnb_report report;
    ck_ok(nnb_fit(net, source, validates ? data : NULL, &(nnb_fit_opts){.max_epochs = 3}, &report));
    ck_assert(report.epochs == 3 && report.trials == 0);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

/* ---- parts, scalers ---------------------------------------------------------------------------------------------- */

/* The same metrics and the same training as with the part of the data in memory. */
static void compare_part(const nnb_data *scale, nnb_data *memory, nnb_data *source) {
  const bool classes = nnb_data_n_classes(scale) > 0;
  nnb_net *net = make_net(scale, classes);
  nnb_metrics a, b;
  ck_assert_int_eq(nnb_data_rows(memory), nnb_data_rows(source));
  ck_ok(nnb_evaluate(net, memory, &a));
  ck_ok(nnb_evaluate(net, source, &b));
  ck_assert_mem_eq(&a, &b, sizeof a);
  outcome x = fit(scale, memory, memory, "algo=adam max_epochs=2 block=20");
  outcome y = fit(scale, source, source, "algo=adam max_epochs=2 block=20");
  ck_assert(x.bits == y.bits && x.best == y.best);
  nnb_net_destroy(net), nnb_data_destroy(memory), nnb_data_destroy(source);
}

START_TEST(test_parts) {
  for (int ways = 0; ways < 8; ways++) {
    nnb_data *data = ways & 1 ? toy_classes(ROWS, COLS, CLASSES) : toy_regression(ROWS, COLS, OUTS), *a, *b, *c, *d;
    nnb_data *memory;
    real weight[ROWS];
    nnb_batch all;
    tape_state tape;
    for (int i = 0; i < ROWS; i++) weight[i] = (real)(1 + i % 3);
    ck_ok(nnb_data_batch(data, 0, ROWS, &all));
    all.weight = ways & 2 ? weight : NULL;
    ck_ok(nnb_data_wrap(&all, ways & 1 ? CLASSES : 0, &memory));
    ahead = ways & 4;
    nnb_data *source = from_tape(&tape, data, all.weight);
    ck_ok(nnb_data_split(memory, 0.3, 5, &a, &b));
    ck_ok(nnb_data_split(source, 0.3, 5, &c, &d));
    compare_part(data, a, c), compare_part(data, b, d);
    ck_ok(nnb_data_fold(memory, 4, 1, 5, &a, &b));
    ck_ok(nnb_data_fold(source, 4, 1, 5, &c, &d));
    compare_part(data, a, c), compare_part(data, b, d);
    ck_ok(nnb_data_shuffle(memory, 3, &a));
    ck_ok(nnb_data_shuffle(source, 3, &c));
    nnb_data *one[2], *other[2]; /* parts of a part */
    ck_ok(nnb_data_split(a, 0.5, 1, &one[0], &one[1]));
    ck_ok(nnb_data_split(c, 0.5, 1, &other[0], &other[1]));
    for (int k = 0; k < 2; k++) compare_part(data, one[k], other[k]);
    compare_part(data, a, c);
    const int32_t row[] = {7, 3, 3, 4, 5, ROWS - 1};
    ck_ok(nnb_data_take_rows(memory, row, 6, &a));
    ck_ok(nnb_data_take_rows(source, row, 6, &c));
    compare_part(data, a, c);
    nnb_data_destroy(source), nnb_data_destroy(memory), nnb_data_destroy(data);
  }
}
END_TEST

START_TEST(test_scalers) {
  for (int ways = 0; ways < 4; ways++) {
    nnb_data *data = toy_regression(ROWS, COLS, OUTS);
    tape_state tape;
    ahead = ways & 1;
    nnb_data *source = from_tape(&tape, data, NULL);
    const nnb_scaling scaling = ways & 2 ? NNB_MINMAX : NNB_STANDARDIZE;
    real y[2][ROWS * OUTS];
    nnb_batch all;
    ck_ok(nnb_data_batch(data, 0, ROWS, &all));
    for (int k = 0; k < 2; k++) {
      nnb_net *net = nnb_net_create(COLS);
      nnb_net_scale_inputs(net, k ? source : data, scaling);
      nnb_net_dense(net, OUTS, NNB_TANH);
      nnb_net_scale_targets(net, k ? source : data, scaling);
      ck_ok(nnb_net_predict(net, all.x, nnb_view(y[k], ROWS, OUTS)));
      nnb_net_destroy(net);
    }
    ck_assert_mem_eq(y[0], y[1], sizeof y[0]);
    nnb_data_destroy(source), nnb_data_destroy(data);
  }
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* A fit whose source fails in call number fail_at, the first of a later epoch or of the first. */
static void fit_torn(const char *text, int fail_at, nnb_status status, bool silent, bool classes) {
  nnb_data *data = classes ? toy_classes(ROWS, COLS, CLASSES) : toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  nnb_data *source = from_tape(&tape, data, NULL);
  nnb_net *net = make_net(data, classes);
  nnb_fit_opts opts = {0};
  nnb_report report;
  const uint64_t before = toy_hash_net(1, net);
  ck_ok(nnb_fit_opts_parse(text, &opts));
  tape.fail_at = fail_at, tape.status = status, tape.silent = silent, tape.wrong = status == NNB_OK;
  const nnb_status wanted = status > 0 || status == NNB_OK ? NNB_E_ARG : status;
  const nnb_status came = nnb_fit(net, source, NULL, &opts, &report);
  ck_assert_msg(came == wanted, "%s: %s (%s)", text, nnb_strstatus(came), nnb_errmsg());
  const char *part = tape.wrong ? (classes ? "label 3 in row" : "x has NaN in row") : silent ? "read returned" : "torn";
  ck_assert_msg(strstr(nnb_errmsg(), part) != NULL, "%s: %s", text, nnb_errmsg());
  ck_assert_int_eq(report.stop, NNB_STOP_ERROR);
  if (report.best_epoch == 0) ck_assert_uint_eq(toy_hash_net(1, net), before);
  ck_assert_int_eq(nnb_net_seed(net, 1), NNB_E_STATE); /* it was sealed, and can be used again */
  ck_ok(nnb_fit(net, source, NULL, &opts, NULL));
  nnb_net_destroy(net), nnb_data_destroy(source), nnb_data_destroy(data);
}

START_TEST(test_errors) {
  ahead = _i;
  static const char *const texts[] = {"algo=adam block=50 max_epochs=3", "algo=adam max_epochs=3",
                                      "algo=lbfgs chunk=100 max_epochs=3", "algo=lm chunk=100 max_epochs=3"};
  static const nnb_status statuses[] = {NNB_E_IO, NNB_E_NUMERIC, NNB_E_NOMEM, (nnb_status)7, NNB_OK};
  for (size_t i = 0; i < 4; i++)
    for (size_t k = 0; k < 5; k++) {
      fit_torn(texts[i], 1, statuses[k], statuses[k] > 0, false);
      fit_torn(texts[i], 8, statuses[k], statuses[k] > 0, false);
    }
  fit_torn(texts[0], 7, NNB_OK, false, true);
  fit_torn(texts[2], 2, NNB_E_IO, true, true);
}
END_TEST

/* The parameters of the best epoch are in the net, as after a divergence. */
START_TEST(test_best_so_far) {
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  tape_state tape;
  nnb_data *source = from_tape(&tape, data, NULL);
  nnb_net *net = make_net(data, false), *two = make_net(data, false);
  nnb_fit_opts opts = {.algo = NNB_LBFGS, .max_epochs = 2};
  nnb_report report;
  ck_ok(nnb_fit(two, data, NULL, &opts, NULL));
  tape.fail_at = 8, tape.status = NNB_E_IO, opts.max_epochs = 100;
  ck_assert_int_eq(nnb_fit(net, source, NULL, &opts, &report), NNB_E_IO);
  ck_assert_int_ge(report.best_epoch, 2);
  ck_assert(report.restored && report.n_history == report.epochs);
  opts.max_epochs = report.best_epoch, tape.fail_at = 0;
  nnb_net *again = make_net(data, false);
  ck_ok(nnb_fit(again, data, NULL, &opts, NULL));
  ck_assert_uint_eq(toy_hash_net(1, net), toy_hash_net(1, again));
  nnb_net_destroy(net), nnb_net_destroy(two), nnb_net_destroy(again), nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

static void refuse(nnb_status wanted, nnb_source source) {
  nnb_data *data;
  ck_assert_int_eq(nnb_data_from_source(&source, &data), wanted);
  ck_assert(!data);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct job {
  const nnb_data *scale;
  const char *options;
  int epochs;
} job;

static nnb_status fit_and_evaluate(void *context) {
  const job *j = context;
  static real weight[ROWS];
  tape_state tape = {0};
  nnb_data *data = NULL;
  nnb_net *net = nnb_net_create(COLS);
  nnb_fit_opts opts = {0};
  nnb_metrics metrics;
  for (int i = 0; i < ROWS; i++) weight[i] = 1;
  ck_ok(nnb_data_batch(j->scale, 0, ROWS, &tape.all));
  tape.all.weight = weight;
  nnb_source source = {.rows = ROWS, .n_in = COLS, .n_out = OUTS, .user = &tape, .read = read_tape, .weighted = true,
                       .ahead = ahead};
  nnb_status status = net ? nnb_data_from_source(&source, &data) : NNB_E_NOMEM;
  if (!status) status = (nnb_status)nnb_net_dense(net, 3, NNB_TANH) < 0 ? NNB_E_NOMEM : NNB_OK;
  if (!status) status = (nnb_status)nnb_net_dense(net, OUTS, NNB_LINEAR) < 0 ? NNB_E_NOMEM : NNB_OK;
  if (!status) status = nnb_fit_opts_parse(j->options, &opts);
  opts.max_epochs = j->epochs;
  if (!status) status = nnb_fit(net, data, data, &opts, NULL);
  if (!status) status = nnb_evaluate(net, data, &metrics);
  nnb_net_destroy(net), nnb_data_destroy(data);
  return status;
}

static long allocations(const job *j) {
  alloc_count_begin(0);
  nnb_status status = fit_and_evaluate((void *)j);
  alloc_count_end();
  ck_ok(status);
  return alloc_count.calls;
}

/* Each allocation fails in turn, and further epochs allocate nothing. */
START_TEST(test_memory) {
  ahead = _i;
  static const char *const options[] = {"algo=adam block=50 batch=9 history=1", "algo=sgd batch=1 history=1",
                                        "algo=lbfgs chunk=100 history=1"};
  nnb_data *data = toy_regression(ROWS, COLS, OUTS);
  for (int i = 0; i < 3; i++) {
    job few = {data, options[i], 2}, many = {data, options[i], 12};
    check_every_allocation(fit_and_evaluate, &few);
    ck_assert_int_eq(allocations(&few), allocations(&many));
  }
  nnb_data_destroy(data);
}
END_TEST

START_TEST(test_refusals) {
  tape_state tape;
  nnb_data *data = toy_regression(ROWS, COLS, OUTS), *a, *source = from_tape(&tape, data, NULL);
  nnb_net *net = make_net(data, false);
  nnb_batch batch;
  nnb_error_bars *bars;
  const nnb_source good = {.rows = 2, .n_in = 1, .n_out = 1, .read = read_tape};
  nnb_source bad = good;
  bad.read = NULL, refuse(NNB_E_ARG, bad), bad = good;
  bad.rows = 0, refuse(NNB_E_ARG, bad), bad = good;
  bad.n_in = 0, refuse(NNB_E_ARG, bad), bad = good;
  bad.n_classes = 2, refuse(NNB_E_ARG, bad), bad = good;
  bad.n_out = -1, refuse(NNB_E_ARG, bad), bad = good;
  bad.reserved[8] = &bad, refuse(NNB_E_ARG, bad), bad = good;
  bad.rows = (int64_t)INT32_MAX + 1, refuse(NNB_E_OVERFLOW, bad);
  ck_assert_int_eq(nnb_data_batch(source, 0, 1, &batch), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_data_take_columns(source, (int32_t[]){0}, 1, &a), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_data_merge(data, source, &a), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_solve_output(net, source, 0), NNB_E_UNSUPPORTED);
  ck_assert_int_eq(nnb_error_bars_create(net, source, NULL, &bars), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "nnb_data_wrap") != NULL, "%s", nnb_errmsg());
  nnb_net_destroy(net), nnb_data_destroy(source), nnb_data_destroy(data);
}
END_TEST

/* ---- the order of the rows --------------------------------------------------------------------------------------- */

static void check_order(int n, int block) {
  static int32_t order[1000], again[1000];
  bool seen[1000] = {false};
  nnb_epoch_order(4, 3, n, block, order), nnb_epoch_order(4, 3, n, block, again);
  ck_assert_mem_eq(order, again, (size_t)n * sizeof *order);
  for (int i = 0; i < n; i++) {
    ck_assert(order[i] >= 0 && order[i] < n && !seen[order[i]]);
    seen[order[i]] = true;
  }
  if (block < 1 || block >= n) return;
  for (int i = 0; i < n;) { /* a block is read to its end before the next begins */
    const int b = order[i] / block, rows = n - b * block < block ? n - b * block : block;
    for (int k = 0; k < rows; k++, i++) ck_assert_int_eq(order[i] / block, b);
  }
}

START_TEST(test_order) {
  static const int sizes[] = {1, 2, 10, 999}, blocks[] = {-1, 0, 1, 2, 3, 7, 10, 998, 999, 1000};
  int32_t order[100], other[100];
  nnb_rng rng;
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 10; k++) check_order(sizes[i], blocks[k]);
  nnb_epoch_order(9, 5, 100, 0, order);
  nnb_rng_init(&rng, 9, 4), nnb_rng_shuffle(&rng, other, 100);
  ck_assert_mem_eq(order, other, sizeof order);
  for (int block = 0; block < 40; block += 20) {
    nnb_epoch_order(9, 5, 100, block, order), nnb_epoch_order(9, 6, 100, block, other);
    ck_assert(memcmp(order, other, sizeof order) != 0);
    nnb_epoch_order(8, 5, 100, block, other);
    ck_assert(memcmp(order, other, sizeof order) != 0);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("source, " PRECISION);
  TCase *tcase = tcase_create("source");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, test_order);
  tcase_add_loop_test(tcase, test_same_bits, 0, 2);
  tcase_add_test(tcase, test_single_samples);
  tcase_add_loop_test(tcase, test_calls, 0, 2);
  tcase_add_loop_test(tcase, test_evaluate, 0, 2);
  tcase_add_test(tcase, test_auto);
  if (SANITIZED)
    printf("skipped: a child of a process with threads inherits the sanitizer's locks\n");
  else
    tcase_add_test(tcase, test_fork_in_callback);
  tcase_add_test(tcase, test_parts);
  tcase_add_test(tcase, test_scalers);
  tcase_add_loop_test(tcase, test_errors, 0, 2);
  tcase_add_test(tcase, test_best_so_far);
  tcase_add_test(tcase, test_refusals);
  tcase_add_loop_test(tcase, test_memory, 0, 2);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
