/* Training by several ranks, which are threads here: the same bits on all of them, close to one rank's; and whatever
 * fails on one of them fails on all, and none waits. */
#include "rank_threads.h"

enum { N = 1001, N_IN = 4, N_OUT = 3 };

/* ---- fits -------------------------------------------------------------------------------------------------------- */

typedef struct task {
  const char *net;
  nnb_fit_opts opts;
  bool classes, weighted, validates, from_source;
  bool redundant;        /* many parameters give the same outputs: losses are compared */
  int share[MOST_RANKS]; /* own_rows: of each rank */
} task;

static real weight_of(int row) { return (real)(1 + row % 3) / 2; }

/* Rows [row0, row0 + n) of the task's data, or NULL without rows. */
static nnb_data *rows_of(const task *t, int row0, int n) {
  nnb_data *all = t->classes ? toy_classes(N, N_IN, N_OUT) : toy_regression(N, N_IN, N_OUT), *part = NULL;
  nnb_batch rows;
  real weight[N];
  for (int i = 0; i < n; i++) weight[i] = weight_of(row0 + i);
  if (n > 0 && !nnb_data_batch(all, row0, n, &rows)) {
    rows.weight = t->weighted ? weight : NULL;
    if (nnb_data_copy(&rows, t->classes ? N_OUT : 0, &part)) part = NULL;
  }
  nnb_data_destroy(all);
  return part;
}

static nnb_status read_data(void *user, int64_t row0, int n, const nnb_rows *to) {
  nnb_batch rows;
  nnb_status status = nnb_data_batch(user, (int)row0, n, &rows);
  for (int i = 0; i < n && !status; i++) {
    memcpy(to->x.p + i * to->x.ld, rows.x.p + i * rows.x.ld, N_IN * sizeof(real));
    memcpy(to->t.p + i * to->t.ld, rows.t.p + i * rows.t.ld, N_OUT * sizeof(real));
  }
  return status;
}

/* The net says the validation rows of all ranks. */
static void check_facts(const task *t, int size, const nnb_net *net) {
  nnb_training facts;
  int wanted = t->validates && !t->opts.own_rows ? N / 3 : 0;
  for (int q = 0; q < size && t->validates && t->opts.own_rows; q++) wanted += t->share[q] / 3;
  if (!nnb_net_training(net, &facts) || facts.rows != N || facts.val_rows != wanted) abort();
}

static void fit(rank_thread *r) {
  const task *t = r->context;
  nnb_fit_opts opts = t->opts;
  const int rank = r->comm.rank;
  int row0 = 0, n = N;
  for (int q = 0; opts.own_rows && q < rank; q++) row0 += t->share[q];
  if (opts.own_rows) n = t->share[rank];
  nnb_data *memory = rows_of(t, row0, n), *val = t->validates ? rows_of(t, row0 / 3, n / 3) : NULL, *data = memory;
  nnb_net *net = NULL;
  opts.comm = &r->comm;
  if (t->from_source && n > 0) {
    const nnb_source source = {.rows = n, .n_in = N_IN, .n_out = N_OUT, .read = read_data, .user = memory};
    if (nnb_data_from_source(&source, &data)) abort();
  }
  if (nnb_net_parse(t->net, &net) || nnb_net_init(net, (uint64_t)rank)) abort(); /* the start is that of rank 0 */
  r->status = nnb_fit(net, data, val, &opts, &r->report);
  if (!r->status && r->report.choice != NNB_CHOICE_HELD_OUT) check_facts(t, r->comm.size, net);
  rank_keep(r, net);
  nnb_net_destroy(net);
  if (data != memory) nnb_data_destroy(data);
  nnb_data_destroy(memory);
  nnb_data_destroy(val);
}

static const char *name_of(const task *t) { return nnb_algo_name(t->opts.algo); }

/* All ranks succeed with the same bits and the same report. */
static void check_equal(const task *t, int size, rank_thread *r) {
  for (int q = 0; q < size; q++) {
    const nnb_report *a = &r[0].report, *b = &r[q].report;
    ck_assert_msg(r[q].status == NNB_OK, "%s, rank %d of %d: %s", name_of(t), q, size, r[q].message);
    ck_assert_msg(r[q].digest == r[0].digest, "%s: rank %d of %d ended with other bits", name_of(t), q, size);
    ck_assert_msg(a->epochs == b->epochs && a->updates == b->updates && a->samples == b->samples && a->stop == b->stop,
                  "%s: rank %d of %d: epochs %d and %d, updates %lld and %lld, samples %lld and %lld, stop %d and %d",
                  name_of(t), q, size, a->epochs, b->epochs, (long long)a->updates, (long long)b->updates,
                  (long long)a->samples, (long long)b->samples, a->stop, b->stop);
    ck_assert_msg(a->loss == b->loss && a->best_epoch == b->best_epoch, "%s: losses %g and %g", name_of(t), a->loss,
                  b->loss);
  }
}

/* The fit of one rank without a comm. */
static void fit_alone(const task *t, rank_thread *out) {
  nnb_data *data = rows_of(t, 0, N), *val = t->validates ? rows_of(t, 0, N / 3) : NULL;
  nnb_net *net;
  nnb_fit_opts opts = t->opts;
  opts.own_rows = false, opts.threads = 1;
  ck_ok(nnb_net_parse(t->net, &net));
  ck_ok(nnb_net_init(net, 0));
  ck_ok(nnb_fit(net, data, val, &opts, &out->report));
  rank_keep(out, net);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  nnb_data_destroy(val);
}

static double distance(const rank_thread *a, const rank_thread *b) {
  double most = 0;
  for (size_t i = 0; i < a->n_params; i++) most = fmax(most, fabs((double)a->params[i] - (double)b->params[i]));
  return most;
}

static void check_close(const task *t, int size, double tol) {
  static rank_thread one, r[MOST_RANKS];
  memset(&one, 0, sizeof one), memset(r, 0, sizeof r);
  fit_alone(t, &one);
  run_ranks(size, r, fit, (void *)t);
  check_equal(t, size, r);
  ck_assert_msg(
      t->redundant || (one.report.updates == r[0].report.updates && one.report.samples == r[0].report.samples),
      "%s: %lld updates of %lld rows by %d ranks, %lld of %lld by one", name_of(t), (long long)r[0].report.updates,
      (long long)r[0].report.samples, size, (long long)one.report.updates, (long long)one.report.samples);
  const double loss = one.report.loss;
  const double far = t->redundant ? fabs(r[0].report.loss - loss) / loss : distance(&one, &r[0]);
  ck_assert_msg(far <= tol, "%s, %s: %d ranks end %g away from one", name_of(t), t->net, size, far);
  release_ranks(1, &one), release_ranks(size, r);
}

/* ---- the methods ------------------------------------------------------------------------------------------------- */

/* Methods that step by the sign of a sum enlarge rounding where the sum is nearly 0. */
static double tol_of(nnb_algo algo) {
  if (algo == NNB_KFAC) return TOL(1e-7, 1e-2); /* inverses of factors */
  return algo == NNB_LION || algo == NNB_MUON ? 1e-2 : TOL(1e-9, 2e-3);
}

START_TEST(steps) {
  nnb_algo algo[NNB_N_ALGOS];
  const int n = toy_steppers(algo);
  for (int k = 0; k < n; k++) {
    const task t = {.net = "4-9:tanh-3",
                    .opts = {.algo = algo[k], .batch = 64, .max_epochs = 3, .seed = 5, .clip_norm = k % 2 ? 0.5 : 0},
                    .weighted = k % 2};
    for (int size = 1; size <= MOST_RANKS; size++) check_close(&t, size, tol_of(algo[k]));
  }
}
END_TEST

START_TEST(full_batch) {
  const nnb_algo algo[] = {NNB_RPROP, NNB_SCG, NNB_CG, NNB_LBFGS, NNB_BFGS};
  for (size_t k = 0; k < sizeof algo / sizeof *algo; k++) {
    const task t = {.net = "4-9:tanh-3",
                    .opts = {.algo = algo[k], .max_epochs = 8, .l2 = 1e-4},
                    .weighted = k % 2,
                    .validates = k % 2 == 0};
    for (int size = 1; size <= MOST_RANKS; size++) check_close(&t, size, TOL(1e-7, 5e-2));
  }
}
END_TEST

/* Few variables with a trust region and curvature; more of them with accelerations; ill-conditioned ones by QR, where
 * rounding decides which steps are tried. */
static const struct {
  const char *net;
  int epochs;
  double tol;
} squares[] = {{"4-2:tanh-3", 8, TOL(1e-7, 1e-2)}, {"4-9:tanh-3", 8, TOL(1e-7, 1e-2)}, {"4-1-3", 100, 1e-2}};

static task task_of_squares(int k, int shards) {
  return (task){
      .net = squares[k].net,
      .opts = {.algo = NNB_LM, .max_epochs = squares[k].epochs, .l2 = k == 2 ? NNB_NONE : 1e-5, .shards = shards},
      .weighted = k % 2,
      .redundant = k == 2};
}

START_TEST(least_squares) {
  for (int size = 1; size <= MOST_RANKS; size++) {
    task t = task_of_squares(_i, 0);
    t.from_source = size == 3 && _i == 0;
    check_close(&t, size, squares[_i].tol);
  }
}
END_TEST

/* Masks are numbers of an update's rows, so it does not matter which rank has a row. */
START_TEST(dropout) {
  const task t = {.net = "4-32:relu-dropout0.5-3:softmax",
                  .opts = {.algo = NNB_ADAM, .batch = 50, .max_epochs = 3, .seed = 3, .ema = 0.9},
                  .classes = true,
                  .validates = true};
  check_close(&t, 3, TOL(1e-9, 1e-3));
}
END_TEST

/* Ranges of rows, blocks, the order of the data, batches of one row, all rows at once. */
START_TEST(batches) {
  const nnb_fit_opts opts[] = {{.batch = 1, .in_order = true},
                               {.batch = 3},
                               {.batch = 100, .block = 128},
                               {.batch = NNB_FULL_BATCH, .chunk = 100},
                               {.batch = 5000}};
  for (size_t i = 0; i < sizeof opts / sizeof *opts; i++) {
    task t = {.net = "4-5:tanh-3:softmax", .opts = opts[i], .classes = true, .weighted = i % 2};
    t.opts.algo = NNB_SGD, t.opts.max_epochs = 2;
    check_close(&t, 4, TOL(1e-10, 1e-3));
  }
}
END_TEST

START_TEST(sources) {
  const nnb_algo algo[] = {NNB_ADAM, NNB_LBFGS};
  for (int k = 0; k < 4; k++) {
    const task t = {.net = "4-5:tanh-3",
                    .opts = {.algo = algo[k % 2], .max_epochs = 3, .block = k == 2 ? 100 : 0},
                    .from_source = true};
    check_close(&t, 3, TOL(1e-8, 1e-2));
  }
}
END_TEST

/* ---- shards ------------------------------------------------------------------------------------------------------ */

static uint64_t digest_of(const task *t, int size) {
  static rank_thread r[MOST_RANKS];
  memset(r, 0, sizeof r);
  if (size == 0) {
    fit_alone(t, r); /* without a comm */
    ck_ok(r[0].status);
  } else {
    run_ranks(size, r, fit, (void *)t);
    check_equal(t, size, r);
  }
  const uint64_t digest = r[0].digest;
  release_ranks(MOST_RANKS, r);
  return digest;
}

/* One order of the sums: the bits do not depend on the number of ranks. */
START_TEST(shards) {
  const nnb_algo algo[] = {NNB_SGD, NNB_ADAM,  NNB_MUON, NNB_LION, NNB_KFAC, NNB_LBFGS,
                           NNB_SCG, NNB_RPROP, NNB_BFGS, NNB_CG,   NNB_LM,   NNB_AUTO};
  for (size_t k = 0; k < sizeof algo / sizeof *algo; k++) {
    const bool by_steps = k < 5;
    const task t = {.net = by_steps ? "4-9:tanh-dropout0.1-3" : "4-9:tanh-3",
                    .opts = {.algo = algo[k], .batch = by_steps ? 70 : 0, .max_epochs = 4, .shards = k == 1 ? 4 : 16},
                    .weighted = k % 2,
                    .validates = k % 3 == 0,
                    .from_source = k == 2};
    const uint64_t wanted = digest_of(&t, 0);
    for (int size = 1; size <= MOST_RANKS; size++)
      ck_assert_msg(digest_of(&t, size) == wanted, "%s: %d ranks end with other bits", name_of(&t), size);
  }
}
END_TEST

START_TEST(least_squares_in_shards) {
  for (int n = 4; n <= 1024; n *= 16) { /* 1024: more than rows */
    const task t = task_of_squares(_i, n);
    const uint64_t wanted = digest_of(&t, 0);
    for (int size = 1; size <= MOST_RANKS; size++)
      ck_assert_msg(digest_of(&t, size) == wanted, "%s: %d ranks end with other bits", t.net, size);
  }
}
END_TEST

/* ---- rows of each rank ------------------------------------------------------------------------------------------- */

static const int shares[][MOST_RANKS] = {{251, 250, 250, 250}, {600, 1, 400, 0}, {0, 1001, 0, 0}, {1, 0, 0, 1000}};

/* In one update it does not matter who has which rows. */
START_TEST(own_rows_all_at_once) {
  const nnb_algo algo[] = {NNB_ADAM, NNB_LBFGS, NNB_SGD, NNB_LM};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
    task t = {.net = "4-7:tanh-3",
              .opts = {.algo = algo[i], .batch = NNB_FULL_BATCH, .max_epochs = 5, .own_rows = true},
              .weighted = i % 2,
              .validates = i < 2};
    memcpy(t.share, shares[i], sizeof t.share);
    if (!t.validates) {
      check_close(&t, 4, TOL(1e-8, 1e-2));
      continue;
    }
    static rank_thread r[MOST_RANKS]; /* its validation set is another one than that of one rank */
    memset(r, 0, sizeof r);
    run_ranks(4, r, fit, &t);
    check_equal(&t, 4, r);
    ck_assert(r[0].report.val_loss > 0 && r[0].report.val_loss == r[3].report.val_loss);
    release_ranks(4, r);
  }
}
END_TEST

/* The same rows in the same updates from sources of the ranks as from memory; a rank without rows has none. */
START_TEST(own_sources) {
  const nnb_fit_opts opts[] = {{.algo = NNB_ADAM, .batch = 64},
                               {.algo = NNB_ADAM, .batch = 7, .block = 50},
                               {.algo = NNB_KFAC, .batch = 300, .block = 40},
                               {.algo = NNB_SGD, .batch = 200, .in_order = true},
                               {.algo = NNB_MOMENTUM, .batch = NNB_FULL_BATCH},
                               {.algo = NNB_LBFGS},
                               {.algo = NNB_LM}};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    for (size_t k = 0; k < sizeof opts / sizeof *opts; k++) {
      task t = {.net = "4-7:tanh-3", .opts = opts[k], .validates = k % 2};
      t.opts.max_epochs = 3, t.opts.own_rows = true;
      memcpy(t.share, shares[i], sizeof t.share);
      const uint64_t wanted = digest_of(&t, 4);
      t.from_source = true;
      ck_assert_msg(digest_of(&t, 4) == wanted, "%s, batch %d: other bits from sources", name_of(&t), t.opts.batch);
    }
}
END_TEST

/* The number of updates is that of all rows, whoever has them. */
START_TEST(own_rows_in_batches) {
  static rank_thread r[MOST_RANKS];
  const int batch[] = {64, 7, 1000};
  const nnb_algo algo[] = {NNB_ADAM, NNB_SGD, NNB_KFAC};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    for (size_t b = 0; b < sizeof batch / sizeof *batch; b++) {
      task t = {.net = "4-7:tanh-3",
                .opts = {.algo = algo[b], .batch = batch[b], .max_epochs = 3, .own_rows = true},
                .weighted = b == 1};
      memcpy(t.share, shares[i], sizeof t.share);
      memset(r, 0, sizeof r);
      run_ranks(4, r, fit, &t);
      check_equal(&t, 4, r);
      ck_assert_int_eq(r[0].report.updates, 3 * ((N - 1) / batch[b] + 1));
      ck_assert_int_eq(r[0].report.samples, 3 * N);
      release_ranks(4, r);
    }
}
END_TEST

/* ---- stopping and metrics ---------------------------------------------------------------------------------------- */

START_TEST(patience) {
  const task t = {.net = "4-9:tanh-3:softmax",
                  .opts = {.algo = NNB_ADAM,
                           .lr = 0.05,
                           .max_epochs = 60,
                           .patience = 3,
                           .metrics = NNB_METRIC_ACCURACY | NNB_METRIC_LOG_LOSS},
                  .classes = true,
                  .validates = true};
  static rank_thread r[MOST_RANKS];
  memset(r, 0, sizeof r);
  run_ranks(3, r, fit, (void *)&t);
  check_equal(&t, 3, r);
  ck_assert_int_eq(r[0].report.stop, NNB_STOP_PATIENCE);
  release_ranks(3, r);
}
END_TEST

static int stop_at_4(void *user, const nnb_record *record) { return user && record->epoch == 4; }

/* The callback of one rank stops all of them. */
static void fit_until_4(rank_thread *r) {
  task t = *(const task *)r->context;
  t.opts.on_epoch = stop_at_4, t.opts.user = r->comm.rank == 1 ? r : NULL;
  r->context = &t;
  fit(r);
}

START_TEST(callback_of_one) {
  static rank_thread r[MOST_RANKS];
  for (int full = 0; full < 2; full++) {
    task t = {.net = "4-9:tanh-3", .opts = {.algo = full ? NNB_LBFGS : NNB_ADAM, .max_epochs = 20}};
    memset(r, 0, sizeof r);
    run_ranks(3, r, fit_until_4, &t);
    check_equal(&t, 3, r);
    ck_assert_int_eq(r[0].report.epochs, 4);
    ck_assert_int_eq(r[0].report.stop, NNB_STOP_USER);
    release_ranks(3, r);
  }
}
END_TEST

START_TEST(seconds) {
  static rank_thread r[MOST_RANKS];
  for (int full = 0; full < 2; full++) {
    task t = {.net = "4-9:tanh-3",
              .opts = {.algo = full ? NNB_SCG : NNB_ADAM, .max_epochs = NNB_NONE, .max_seconds = 0.2}};
    memset(r, 0, sizeof r);
    run_ranks(4, r, fit, &t);
    check_equal(&t, 4, r);
    release_ranks(4, r);
  }
}
END_TEST

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static uint64_t fit_with(task *t, int size, int epochs, int *resumed) {
  static rank_thread r[MOST_RANKS];
  memset(r, 0, sizeof r);
  t->opts.max_epochs = epochs;
  run_ranks(size, r, fit, t);
  check_equal(t, size, r);
  *resumed = r[0].report.resumed;
  ck_assert_int_eq(r[size - 1].report.resumed, *resumed);
  ck_assert(r[0].report.checkpoints > 0 && (size == 1 || r[1].report.checkpoints == 0));
  const uint64_t digest = r[0].digest;
  release_ranks(size, r);
  return digest;
}

/* Rank 0 chooses as one rank does; what it holds out, the others do, too, also when the training goes on. */
START_TEST(automatic) {
  char path[TOY_PATH];
  int resumed;
  static rank_thread r[MOST_RANKS];
  const task tasks[] = {{.net = "4-6:tanh-3", .opts = {.max_epochs = 10}},
                        {.net = "4-6:tanh-3", .opts = {.max_epochs = 10}, .validates = true},
                        {.net = "4-6:tanh-3", .opts = {.batch = 128, .lr = 0.02}}};
  for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
    task t = tasks[k];
    t.redundant = true;
    check_close(&t, 3, TOL(1e-6, 2e-2));
  }
  task t = tasks[2];
  toy_path(path, "automatic");
  unlink(path);
  t.opts.checkpoint = path, t.opts.resume = true;
  memset(r, 0, sizeof r);
  run_ranks(3, r, fit_until_4, &t);
  check_equal(&t, 3, r);
  ck_assert_int_eq(r[0].report.choice, NNB_CHOICE_HELD_OUT);
  release_ranks(3, r);
  const uint64_t parts = fit_with(&t, 3, 0, &resumed);
  ck_assert_int_eq(resumed, 4);
  unlink(path);
  ck_assert(fit_with(&t, 3, 0, &resumed) == parts);
  unlink(path);
}
END_TEST

START_TEST(checkpoints) {
  const nnb_algo algo[] = {NNB_ADAM, NNB_KFAC, NNB_LBFGS, NNB_BFGS, NNB_LM};
  char path[TOY_PATH];
  toy_path(path, "ranks");
  for (int own = 0; own < 2; own++)
    for (size_t k = 0; k < sizeof algo / sizeof *algo; k++) {
      int resumed;
      task t = {.net = "4-6:tanh-3",
                .opts = {.algo = algo[k], .checkpoint = path, .resume = true, .own_rows = own, .seed = 2},
                .share = {500, 400, 101}};
      unlink(path);
      const uint64_t whole = fit_with(&t, 3, 12, &resumed);
      ck_assert_int_eq(resumed, 0);
      unlink(path);
      fit_with(&t, 3, 5, &resumed);
      const uint64_t parts = fit_with(&t, 3, 12, &resumed);
      ck_assert_int_eq(resumed, 5);
      ck_assert_msg(whole == parts, "%s: resumed, the ranks end with other bits", name_of(&t));
      if (own) continue;
      fit_with(&t, 2, 14, &resumed); /* another number of ranks */
      ck_assert_int_eq(resumed, 12);
    }
  unlink(path);
}
END_TEST

/* ---- failures ---------------------------------------------------------------------------------------------------- */

/* What one rank, `who`, does otherwise than the others. */
typedef struct fault {
  const char *name;
  void (*make)(rank_thread *r, nnb_fit_opts *opts, nnb_net **net, nnb_data **data);
  nnb_status wanted;
  const char *words[2];
  nnb_fit_opts opts;
} fault;

static void other_lr(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)net, (void)data;
  o->lr = 0.5;
}
static void bad_option(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)net, (void)data;
  o->lr = -1;
}
static void own_schedule(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  static const nnb_own_schedule schedule;
  (void)r, (void)net, (void)data;
  o->own_schedule = &schedule;
}
static void no_net(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)data;
  nnb_net_destroy(*net), *net = NULL;
}
static void unfinished_net(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)data;
  nnb_net_destroy(*net);
  *net = nnb_net_create(N_IN);
}
static void other_net(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)data;
  nnb_net_destroy(*net), *net = NULL;
  if (nnb_net_parse("4-5:relu-3", net)) abort();
}
static void own_scaler(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o;
  nnb_net_destroy(*net), *net = NULL;
  if (nnb_net_parse("4-5:tanh-3", net) || nnb_net_standardize(*net, *data)) abort();
}
static void no_data(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)net;
  nnb_data_destroy(*data), *data = NULL;
}
static void other_data(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)net;
  nnb_data_destroy(*data);
  *data = toy_regression(N - 1, N_IN, N_OUT);
}
static void other_columns(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)r, (void)o, (void)net;
  nnb_data_destroy(*data);
  *data = toy_regression(N, N_IN + 1, N_OUT);
}
static void huge_targets(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  static real x[N_IN], t[N_OUT] = {TOL((real)1e300, (real)1e30)};
  const nnb_batch row = {.x = nnb_cview(x, 1, N_IN), .t = nnb_cview(t, 1, N_OUT)};
  (void)r, (void)o, (void)net;
  nnb_data_destroy(*data), *data = NULL;
  if (nnb_data_copy(&row, 0, data)) abort();
}
static nnb_status read_badly(void *user, int64_t row0, int n, const nnb_rows *to) {
  int *left = user;
  if (--*left < 0) return NNB_E_IO;
  for (int i = 0; i < n * N_IN; i++) to->x.p[i] = (real)sin((double)row0 * N_IN + i);
  for (int i = 0; i < n * N_OUT; i++) to->t.p[i] = (real)cos((double)row0 * N_OUT + 3 * i);
  return NNB_OK;
}
static void any_source(nnb_data **data, int *left) {
  const nnb_source source = {.rows = N, .n_in = N_IN, .n_out = N_OUT, .read = read_badly, .user = left};
  nnb_data_destroy(*data), *data = NULL;
  if (nnb_data_from_source(&source, data)) abort();
}

enum { WHO = 1, RANKS = 3 };
static _Thread_local int reads_left;

static void bad_read(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  (void)o, (void)net;
  reads_left = r->comm.rank == WHO ? 9 : 1 << 30;
  any_source(data, &reads_left);
}

static void from_source(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) {
  static int left = 1 << 30;
  (void)r, (void)o, (void)net;
  any_source(data, &left);
}
static void in_memory(rank_thread *r, nnb_fit_opts *o, nnb_net **net, nnb_data **data) { /* the rows of that source */
  real x[N * N_IN], y[N * N_OUT];
  const nnb_rows rows = {.x = nnb_view(x, N, N_IN), .t = nnb_view(y, N, N_OUT)};
  const nnb_batch all = {.x = nnb_cview(x, N, N_IN), .t = nnb_cview(y, N, N_OUT)};
  int left = 1;
  if (r->comm.rank != WHO) {
    from_source(r, o, net, data);
    return;
  }
  nnb_data_destroy(*data), *data = NULL;
  if (read_badly(&left, 0, N, &rows) || nnb_data_copy(&all, 0, data)) abort();
}

static const fault faults[] = {
    {"lr", other_lr, NNB_E_ARG, {"rank 1 of 3", "lr is 0.5; rank 0 has lr=0"}, {.algo = NNB_ADAM}},
    {"bad option", bad_option, NNB_E_ARG, {"rank 1 of 3", "lr"}, {.algo = NNB_ADAM}},
    {"own schedule", own_schedule, NNB_E_ARG, {"rank 1 of 3", "schedule"}, {.algo = NNB_ADAM}},
    {"no net", no_net, NNB_E_ARG, {"rank 1 of 3", "net is NULL"}, {.algo = NNB_ADAM}},
    {"unfinished net", unfinished_net, NNB_E_STATE, {"rank 1 of 3", ""}, {.algo = NNB_ADAM}},
    {"other net", other_net, NNB_E_ARG, {"rank 1 of 3", "the net"}, {.algo = NNB_LBFGS}},
    {"own scaler", own_scaler, NNB_E_ARG, {"rank 1 of 3", "scalers"}, {.algo = NNB_LBFGS}},
    {"no data", no_data, NNB_E_ARG, {"rank 1 of 3", "train is NULL"}, {.algo = NNB_ADAM}},
    {"other data", other_data, NNB_E_ARG, {"rank 1 of 3", "1000 rows"}, {.algo = NNB_ADAM}},
    {"columns", other_columns, NNB_E_SHAPE, {"rank 1 of 3", "5 input columns"}, {.algo = NNB_ADAM, .own_rows = true}},
    {"huge targets", huge_targets, NNB_E_NUMERIC, {"rank 1 of 3", "diverged"}, {.algo = NNB_ADAM, .own_rows = true}},
    {"huge targets", huge_targets, NNB_E_NUMERIC, {"rank 1 of 3", "start"}, {.algo = NNB_LBFGS, .own_rows = true}},
    {"source", bad_read, NNB_E_IO, {"rank 1 of 3", "returned -7"}, {.algo = NNB_ADAM, .block = 100}},
    {"source", bad_read, NNB_E_IO, {"rank 1 of 3", "returned -7"}, {.algo = NNB_ADAM, .block = 50, .own_rows = true}},
    {"source", bad_read, NNB_E_IO, {"rank 1 of 3", "returned -7"}, {.algo = NNB_LBFGS}},
    {"source", bad_read, NNB_E_IO, {"rank 1 of 3", "returned -7"}, {.algo = NNB_LBFGS, .own_rows = true}},
    {"source", bad_read, NNB_E_IO, {"rank 1 of 3", "returned -7"}, {.algo = NNB_LM}},
    {"in memory", in_memory, NNB_E_ARG, {"rank 1 of 3", "from a source"}, {.algo = NNB_ADAM}},
};

static void fit_with_fault(rank_thread *r) {
  const fault *f = r->context;
  nnb_fit_opts opts = f->opts;
  nnb_data *data = toy_regression(N, N_IN, N_OUT);
  nnb_net *net = NULL;
  opts.comm = &r->comm;
  if (nnb_net_parse("4-5:tanh-3", &net)) abort();
  if (r->comm.rank == WHO || f->make == bad_read || f->make == in_memory) f->make(r, &opts, &net, &data);
  r->status = nnb_fit(net, data, NULL, &opts, &r->report);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

START_TEST(failures) {
  static rank_thread r[MOST_RANKS];
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    const fault *f = &faults[i];
    memset(r, 0, sizeof r);
    run_ranks(RANKS, r, fit_with_fault, (void *)f);
    for (int q = 0; q < RANKS; q++) {
      ck_assert_msg(r[q].status == f->wanted, "%s: rank %d: %s (%s), not %s", f->name, q, nnb_strstatus(r[q].status),
                    r[q].message, nnb_strstatus(f->wanted));
      for (int w = 0; w < 2; w++)
        ck_assert_msg(strstr(r[q].message, f->words[w]), "%s: rank %d: \"%s\" says nothing of \"%s\"", f->name, q,
                      r[q].message, f->words[w]);
    }
  }
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static _Thread_local long allocs_left = -1; /* of this thread; -1: no limit */
static _Thread_local long allocs;
static void *limited_alloc(void *user, size_t bytes) {
  (void)user;
  allocs++;
  if (allocs_left == 0) return NULL;
  if (allocs_left > 0) allocs_left--;
  return malloc(bytes);
}
static void plain_release(void *user, void *p) {
  (void)user;
  free(p);
}

typedef struct memory_task {
  nnb_fit_opts opts;
  long fail_at;
} memory_task;

static void fit_with_little_memory(rank_thread *r) {
  const memory_task *m = r->context;
  nnb_fit_opts opts = m->opts;
  nnb_data *data = toy_regression(100, N_IN, N_OUT);
  nnb_net *net = NULL;
  opts.comm = &r->comm;
  if (nnb_net_parse("4-5:tanh-3", &net) || nnb_net_init(net, (uint64_t)r->comm.rank)) abort();
  const uint64_t before = toy_hash_net(1, net);
  if (r->comm.rank == WHO) allocs_left = m->fail_at, allocs = 0;
  r->status = nnb_fit(net, data, NULL, &opts, &r->report);
  allocs_left = -1;
  r->digest = toy_hash_net(1, net);
  r->calls = r->status ? before == r->digest : allocs; /* the net of a refused call is as it was */
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

START_TEST(no_memory) {
  static const nnb_allocator allocator = {limited_alloc, plain_release, NULL};
  static rank_thread r[MOST_RANKS];
  const nnb_fit_opts opts[] = {{.algo = NNB_ADAM, .max_epochs = 2, .batch = 10},
                               {.algo = NNB_LBFGS, .max_epochs = 3},
                               {.algo = NNB_LM, .max_epochs = 3},
                               {.algo = NNB_KFAC, .max_epochs = 2, .batch = 50},
                               {.max_epochs = 2},
                               {.algo = NNB_ADAM, .max_epochs = 2, .batch = 10, .own_rows = true}};
  nnb_set_allocator(&allocator);
  for (size_t i = 0; i < sizeof opts / sizeof *opts; i++) {
    memory_task m = {.opts = opts[i]};
    for (bool done = false; !done; m.fail_at++) {
      memset(r, 0, sizeof r);
      run_ranks(RANKS, r, fit_with_little_memory, &m);
      done = r[0].status == NNB_OK;
      for (int q = 0; q < RANKS; q++) {
        ck_assert_msg(r[q].status == (done ? NNB_OK : NNB_E_NOMEM), "allocation %ld: rank %d: %s", m.fail_at, q,
                      r[q].message);
        ck_assert_msg(done || strstr(r[q].message, "rank 1 of 3"), "allocation %ld: rank %d: %s", m.fail_at, q,
                      r[q].message);
        ck_assert_msg(done || r[q].report.epochs > 0 || r[q].calls, "allocation %ld: the net of rank %d has changed",
                      m.fail_at, q);
      }
      ck_assert_msg(m.fail_at < 1000, "no end");
    }
    ck_assert_msg(m.fail_at > 5, "only %ld allocations", m.fail_at);
  }
  nnb_set_allocator(NULL);
}
END_TEST

/* Steps and evaluations allocate nothing. */
static int count_allocs(void *user, const nnb_record *record) {
  rank_thread *r = user;
  if (record->epoch == 2) r->fail_at = -allocs;
  return record->epoch > 2 && -r->fail_at != allocs;
}

static void fit_steadily(rank_thread *r) {
  task t = *(const task *)r->context;
  t.opts.on_epoch = count_allocs, t.opts.user = r;
  r->context = &t;
  fit(r);
}

START_TEST(steady) {
  static const nnb_allocator allocator = {limited_alloc, plain_release, NULL};
  static rank_thread r[MOST_RANKS];
  nnb_set_allocator(&allocator);
  const nnb_algo algo[] = {NNB_ADAM, NNB_KFAC, NNB_SCG, NNB_LM};
  for (size_t k = 0; k < sizeof algo / sizeof *algo; k++) {
    task t = {.net = "4-9:tanh-3", .opts = {.algo = algo[k], .max_epochs = 6}, .validates = true};
    memset(r, 0, sizeof r);
    run_ranks(3, r, fit_steadily, &t);
    check_equal(&t, 3, r);
    ck_assert_int_eq(r[0].report.stop, NNB_STOP_EPOCHS);
    release_ranks(3, r);
  }
  nnb_set_allocator(NULL);
}
END_TEST

/* ---- the communicator -------------------------------------------------------------------------------------------- */

/* Where a call of the comm fails on all ranks, all end with its status. */
static void fit_with_broken_comm(rank_thread *r) {
  r->fail_at = *(const long *)r->context;
  nnb_data *data = toy_regression(50, N_IN, N_OUT);
  nnb_net *net = NULL;
  const nnb_fit_opts opts = {.algo = NNB_ADAM, .batch = 25, .max_epochs = 2, .comm = &r->comm};
  if (nnb_net_parse("4-5:tanh-3", &net)) abort();
  r->status = nnb_fit(net, data, data, &opts, &r->report);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

START_TEST(broken_comm) {
  static rank_thread r[MOST_RANKS];
  long k = 1;
  for (bool done = false; !done; k++) {
    memset(r, 0, sizeof r);
    run_ranks(2, r, fit_with_broken_comm, &k);
    done = r[0].calls < k;
    for (int q = 0; q < 2; q++)
      ck_assert_msg(r[q].status == (done ? NNB_OK : NNB_E_IO), "call %ld of %ld: rank %d: %s: %s", k, r[q].calls, q,
                    nnb_strstatus(r[q].status), r[q].message);
  }
  ck_assert_int_gt(k, 20);
}
END_TEST

static void refused(nnb_fit_opts opts, const char *net_text, nnb_status wanted, const char *words) {
  rank_thread r = {0};
  nnb_net *net;
  nnb_data *data = toy_regression(20, N_IN, N_OUT);
  crew alone = {.size = 1};
  r.crew = &alone;
  nnb_comm comm = {
      .rank = 0, .size = 1, .user = &r, .sum = rank_sum, .sum_float = rank_sum_float, .broadcast = rank_broadcast};
  ck_assert_int_eq(pthread_barrier_init(&alone.together, NULL, 1), 0);
  ck_ok(nnb_net_parse(net_text, &net));
  const uint64_t before = toy_hash_net(1, net);
  if (!opts.comm) opts.comm = &comm;
  const nnb_status status = nnb_fit(net, data, NULL, &opts, NULL);
  ck_assert_msg(status == wanted, "%s: %s, not %s", nnb_errmsg(), nnb_strstatus(status), nnb_strstatus(wanted));
  ck_assert_msg(strstr(nnb_errmsg(), words), "\"%s\" says nothing of \"%s\"", nnb_errmsg(), words);
  ck_assert(toy_hash_net(1, net) == before);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
  pthread_barrier_destroy(&alone.together);
}

/* A fit alone: the message names the option that was set, and no rank. */
static void refused_alone(nnb_fit_opts opts, const char *net_text, nnb_status wanted, const char *words) {
  nnb_net *net;
  nnb_data *data = toy_regression(20, N_IN, N_OUT);
  ck_ok(nnb_net_parse(net_text, &net));
  ck_assert_int_eq(nnb_fit(net, data, NULL, &opts, NULL), wanted);
  ck_assert_str_eq(nnb_errmsg(), words);
  nnb_net_destroy(net);
  nnb_data_destroy(data);
}

START_TEST(refusals) {
  const nnb_comm empty = {.size = 1}, odd = {.rank = 2, .size = 2};
  const char *plain = "4-5:tanh-3";
  refused((nnb_fit_opts){.algo = NNB_ADAM, .comm = &empty}, plain, NNB_E_ARG, "sum, sum_float or broadcast is NULL");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .comm = &odd}, plain, NNB_E_ARG, "rank 2 of 2");
  refused((nnb_fit_opts){.own_rows = true}, plain, NNB_E_UNSUPPORTED, "wanted a method by name");
  refused((nnb_fit_opts){.bayes = true}, plain, NNB_E_UNSUPPORTED, "bayes");
  refused((nnb_fit_opts){.algo = NNB_VARPRO}, plain, NNB_E_UNSUPPORTED, "varpro does not train by parts of the rows");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .restarts = 2}, plain, NNB_E_UNSUPPORTED, "restarts");
  refused((nnb_fit_opts){.algo = NNB_ADAM}, "4-8:linear-batchnorm:relu-3", NNB_E_UNSUPPORTED, "batchnorm");
  refused_alone((nnb_fit_opts){.own_rows = true}, plain, NNB_E_ARG, "own_rows is true, but comm is NULL");
  refused_alone((nnb_fit_opts){.algo = NNB_VARPRO, .shards = 4}, plain, NNB_E_UNSUPPORTED,
                "varpro does not train by parts of the rows (shards); wanted lm or another method");
  refused_alone((nnb_fit_opts){.algo = NNB_ADAM, .shards = 4, .restarts = 2}, plain, NNB_E_UNSUPPORTED,
                "restarts is 2; wanted at most 1 with shards");
  refused_alone((nnb_fit_opts){.algo = NNB_ADAM, .shards = 4}, "4-8:linear-batchnorm:relu-3", NNB_E_UNSUPPORTED,
                "the layer batchnorm1 learns from all rows of an update together; wanted none with shards");
  refused_alone((nnb_fit_opts){.algo = NNB_ADAM, .shards = 12}, plain, NNB_E_ARG,
                "shards is 12; wanted a power of two up to 1024");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .shards = 12}, plain, NNB_E_ARG, "shards is 12; wanted a power of two");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .shards = 4, .own_rows = true}, plain, NNB_E_UNSUPPORTED, "own_rows");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .shards = 4}, plain, NNB_E_ARG, "transfer is NULL");
  refused((nnb_fit_opts){.algo = NNB_ADAM, .own_rows = true, .metrics = NNB_METRIC_MSE}, plain, NNB_E_UNSUPPORTED,
          "own_rows");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ranks " PRECISION);
  TCase *fits = tcase_create("fits"), *fail = tcase_create("failures");
  tcase_set_timeout(fits, 240), tcase_set_timeout(fail, 240); /* a rank that never returns */
  tcase_add_test(fits, steps);
  tcase_add_test(fits, full_batch);
  tcase_add_loop_test(fits, least_squares, 0, sizeof squares / sizeof *squares);
  tcase_add_test(fits, dropout);
  tcase_add_test(fits, batches);
  tcase_add_test(fits, sources);
  tcase_add_test(fits, shards);
  tcase_add_loop_test(fits, least_squares_in_shards, 0, sizeof squares / sizeof *squares);
  tcase_add_test(fits, own_rows_all_at_once);
  tcase_add_test(fits, own_sources);
  tcase_add_test(fits, own_rows_in_batches);
  tcase_add_test(fits, patience);
  tcase_add_test(fits, callback_of_one);
  tcase_add_test(fits, seconds);
  tcase_add_test(fits, checkpoints);
  tcase_add_test(fits, automatic);
  tcase_add_test(fail, failures);
  tcase_add_test(fail, no_memory);
  tcase_add_test(fail, steady);
  tcase_add_test(fail, broken_comm);
  tcase_add_test(fail, refusals);
  suite_add_tcase(suite, fits);
  suite_add_tcase(suite, fail);
  return run_suite(suite);
}
