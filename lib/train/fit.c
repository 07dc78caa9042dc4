/* train/fit.c: a fit by one method: checks options and data, allocates everything, calls one of the ways to train. */
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "exact.h"
#include "fit.h"
#include "ints.h"
#include "kfac.h"
#include "match.h"
#include "plan.h"
#include "status.h"
#include "update.h"
#include "view.h"

enum {
  DEFAULT_EPOCHS = 100,
  DEFAULT_BAYES_EPOCHS = 1000,
  DEFAULT_BATCH = 32,
  DEFAULT_CHUNK = 1024,
  CHUNK_PER_THREAD = 128
};

typedef struct nnb__fit fit;

/* ---- setting up ------------------------------------------------------------------------------------------------- */

/* Chooses the method, and checks that it takes the options. */
static nnb_status choose(fit *f) {
  const unsigned bayes = NNB__TRAIT_SQUARES | NNB__TRAIT_BAYES;
  f->opts.algo = nnb__optim_algo(f->opts.algo, f->opts.bayes ? bayes : NNB__TRAIT_STEPS);
  f->ops = nnb__optim_find(f->opts.algo);
  if (!f->ops) return NNB_E_ARG;
  f->given.algo = f->opts.algo;
  nnb_status status = nnb__opts_check_taken(NNB__FIT_OPTS, &f->opts, nnb__optim_traits(f->ops), f->ops->name);
  return status || nnb__optim_has(f->ops, NNB__TRAIT_STEPS) ? status : nnb__fit_full_check(f);
}

/* The products of the forward pass and of the gradient both read a chunk's rows, which should stay in the second-level
 * cache between them: 784-128-64-10 trains in 2 to 11 % less time with chunks of 256 rows.  Large chunks are used if
 * the rows fit anyway, as in narrow chains, and if the net itself does not fit, because each chunk reads and writes all
 * of it. */
static int default_chunk(const fit *f) {
  const double cache = 1 << 20;
  const int threads = f->opts.threads > 0 ? f->opts.threads : nnb_get_threads();
  double row = 0;
  for (int k = 0; k < f->net->n_nodes; k++) row += (double)f->net->nodes[k].needs.cols * sizeof(real);
  if (nnb__optim_traits(f->ops) & (NNB__TRAIT_PAIRS | NNB__TRAIT_SQUARES)) return DEFAULT_CHUNK;
  if (DEFAULT_CHUNK * row <= cache || (double)f->net->n_params * sizeof(real) > cache) return DEFAULT_CHUNK;
  if (threads >= DEFAULT_CHUNK / CHUNK_PER_THREAD) return DEFAULT_CHUNK;
  return threads > 1 ? threads * CHUNK_PER_THREAD : 2 * CHUNK_PER_THREAD;
}

static void complete(fit *f, bool full, int n_rows) {
  nnb_fit_opts *o = &f->opts;
  const int given_chunk = o->chunk;
  if (o->batch == 0) o->batch = full ? NNB_FULL_BATCH : DEFAULT_BATCH;
  if (o->batch == NNB_FULL_BATCH || o->batch > n_rows) o->batch = n_rows;
  if (o->chunk == 0) o->chunk = o->batch == n_rows ? default_chunk(f) : DEFAULT_CHUNK;
  if (f->net->coupling) o->chunk = o->batch;
  if (given_chunk == 0 && f->rows.dt.p) o->chunk = o->chunk / (1 + f->net->n_x) + 1; /* as many rows of products */
  o->chunk = nnb__smaller(o->chunk, nnb__ranks_most(f->ranks, o->batch, o->shards));
  if (nnb__exact()) o->chunk = nnb__in_groups(o->chunk, nnb__net_group(f->net));
  nnb__opts_complete(NNB__FIT_OPTS, o, nnb__optim_traits(f->ops));
  if (o->max_epochs == 0) o->max_epochs = o->bayes ? DEFAULT_BAYES_EPOCHS : DEFAULT_EPOCHS;
  if (o->max_epochs != NNB_NONE && o->history > o->max_epochs) o->history = o->max_epochs;
}

static const char *data_column(const void *data, int i) { return nnb_data_column_name(data, i); }

static const char *data_class(const void *data, int i) { return nnb_data_class_name(data, i); }

static bool has_name(const char *(*name)(const void *data, int i), const nnb_data *data, int n) {
  for (int i = 0; i < n; i++)
    if (name(data, i)) return true;
  return false;
}

/* A net without names takes those of the data. */
static nnb_status take_names(nnb_net *net, const nnb_data *data) {
  int n_classes = nnb_data_n_classes(data), n_columns = nnb_data_n_in(data) + (n_classes ? 1 : nnb_data_n_out(data));
  nnb_status status = NNB_OK;
  if (net->columns.n == 0 && has_name(data_column, data, n_columns)) {
    status = nnb__net_set_names(&net->columns, n_columns, data_column, data);
    if (!status) status = nnb__net_set_table(net, nnb_data_columns(data));
  }
  if (!status && net->classes.n == 0 && has_name(data_class, data, n_classes))
    status = nnb__net_set_names(&net->classes, n_classes, data_class, data);
  return status;
}

static nnb_status check_data(const nnb_net *net, const nnb_data *data, const char *what, const nnb__ranks *ranks) {
  if (nnb_data_n_in(data) != net->n_x)
    return nnb__fail(NNB_E_SHAPE, "the %s data has %d input column(s); the net has %d input(s)", what,
                     nnb_data_n_in(data), net->n_x);
  int n_out = nnb_data_n_out(data), labelled_pair = net->n_y == 1 && nnb_data_n_classes(data) == 2;
  if (n_out == 0) return nnb__fail(NNB_E_ARG, "the %s data has no targets", what);
  if (n_out != net->n_y && !labelled_pair && !(nnb_data_n_classes(data) && n_out < net->n_y))
    return nnb__fail(NNB_E_SHAPE,
                     nnb_data_n_classes(data) ? "the %s data has %d class(es); the net has %d output(s)"
                                              : "the %s data has %d target(s); the net has %d output(s)",
                     what, n_out, net->n_y);
  if (ranks && ranks->own_rows) return NNB_OK; /* the weights of all ranks were checked */
  const nnb_batch all = nnb__data_outline(data);
  nnb_status status = nnb__check_weight_sum(nnb__sum_weights(&all, NULL, 0, all.x.rows));
  return status ? nnb__fail(status, "the %s data: %s", what, nnb_errmsg()) : NNB_OK;
}

static nnb_optim_opts optim_opts(const nnb_fit_opts *o, int n_rows) {
  nnb_optim_opts optim = {.epoch_updates = (n_rows - 1) / o->batch + 1,
                          .epochs = o->max_epochs == NNB_NONE ? 0 : o->max_epochs};
  nnb__opts_copy(NNB__FIT_OPTS, o, NNB__OPTIM_OPTS, &optim);
  optim.own_schedule = o->own_schedule;
  return optim;
}

static nnb_status check_derivatives(const fit *f) {
  const unsigned not_for = NNB__TRAIT_PAIRS | NNB__TRAIT_LINEAR;
  if (!f->rows.dt.p) return NNB_OK;
  if (f->opts.bayes || nnb__optim_traits(f->ops) & not_for)
    return nnb__fail(NNB_E_UNSUPPORTED,
                     "the training data has targets of derivatives (dt), which %s does not take; wanted a method that "
                     "steps, a full-batch method, or lm without .bayes",
                     f->opts.bayes ? ".bayes" : f->ops->name);
  return NNB_OK;
}

static unsigned want_of(const nnb_data *data) { return data->dt.p ? NNB_DT : 0; }

static double weight_of(const nnb_batch *rows) { return nnb__sum_weights(rows, NULL, 0, rows->x.rows); }

static void take_rows(fit *f) {
  const bool own = f->ranks && f->ranks->own_rows;
  f->rows = nnb__data_outline(f->train);
  f->n_rows = f->ranks ? f->ranks->n_rows : f->rows.x.rows;
  f->norm = own ? f->ranks->norm : weight_of(&f->rows);
  if (!f->val) return;
  const nnb_batch val = nnb__data_outline(f->val);
  f->val_norm = own ? f->ranks->val_norm : weight_of(&val);
}

static nnb_status prepare(fit *f) {
  nnb_fit_opts *o = &f->opts;
  const nnb_data *train = f->train;
  nnb_status status = check_data(f->net, train, "training", f->ranks);
  if (!status && f->val) status = check_data(f->net, f->val, "validation", f->ranks);
  if (status) return status;
  take_rows(f);
  const bool steps = nnb__optim_has(f->ops, NNB__TRAIT_STEPS), squares = nnb__optim_has(f->ops, NNB__TRAIT_SQUARES);
  if ((status = check_derivatives(f))) return status;
  complete(f, !steps, f->n_rows);
  if ((status = nnb__check_chunks(f->net, o->batch, o->chunk))) return status;
  nnb_plan_opts plan = {
      .max_rows = o->chunk, .threads = o->threads, .want = want_of(train) | (squares ? NNB_ROWS : NNB_GRAD)};
  status = nnb__plan_make(f->net, &plan, &f->plan);
  if (!status && f->val) {
    int n = nnb_data_rows(f->val) > 0 ? nnb_data_rows(f->val) : 1; /* a rank may have none */
    plan = (nnb_plan_opts){
        .max_rows = n < DEFAULT_CHUNK ? n : DEFAULT_CHUNK, .threads = o->threads, .want = want_of(f->val)};
    status = nnb__plan_make(f->net, &plan, &f->val_plan);
    if (!status) status = nnb__window_open(&f->val_window, f->val, plan.max_rows);
  }
  if (!status && !steps) status = nnb__window_open(&f->window, train, o->chunk);
  nnb_optim_opts optim = optim_opts(o, f->n_rows);
  if (!status && steps) status = nnb__optim_make(f->net, &optim, &f->optim);
  const size_t n_means = f->optim && f->optim->kfac ? f->optim->kfac->n_means : 0;
  if (!status && f->ranks) status = nnb__ranks_batches(f->ranks, o->batch, o->shards, f->net->n_params, n_means);
  if (!status) status = take_names(f->net, train);
  if (!status) status = nnb__check_match(f->net, train);
  return status || !f->val ? status : nnb__check_match(f->net, f->val);
}

static nnb_status allocate(fit *f) {
  const size_t n_rows = f->rows.x.rows > 0 ? (size_t)f->rows.x.rows : 1;
  f->cap_history = f->opts.history > 0 ? f->opts.history : 0;
  const size_t n_values = f->net->n_values;
  f->best = nnb__alloc(n_values, sizeof *f->best);
  const size_t record_bytes = sizeof *f->history + (size_t)nnb__fit_n_values(&f->opts) * sizeof *f->values;
  f->history = nnb__alloc((size_t)f->cap_history + 1, record_bytes);
  /* A sum does not depend on the order of its rows, but a method that needs pairs uses the first rows as a sample. */
  const bool one_update = f->opts.batch == f->n_rows && !nnb__optim_has(f->ops, NNB__TRAIT_PAIRS);
  const bool shuffled = f->optim && !f->opts.in_order && !one_update;
  if (shuffled) f->order = nnb__alloc(n_rows, sizeof *f->order);
  if (!f->optim && n_values <= SIZE_MAX / 2) f->x = nnb__alloc(2 * n_values, sizeof *f->x);
  if (f->x) f->last = f->x + f->net->n_params, f->buffers = f->last + n_values;
  const bool moving = f->optim && !f->val;
  if (moving) f->epoch_start = nnb__alloc(n_values, sizeof *f->epoch_start);
  const bool twice = !f->optim && nnb__fit_full_may_repeat(f);
  if (twice) f->first = nnb__memdup(f->net->params, n_values, sizeof *f->first);
  const bool ridge = nnb__optim_has(f->ops, NNB__TRAIT_SQUARES);
  if (ridge) f->ridge = nnb__alloc(f->net->n_params, sizeof *f->ridge);
  const bool linear = nnb__optim_has(f->ops, NNB__TRAIT_LINEAR);
  if (linear) f->linear = nnb__alloc(nnb__net_n_free(f->net), sizeof *f->linear);
  f->before = nnb__memdup(f->net->params, n_values, sizeof *f->before);
  if (!f->best || !f->before || (moving && !f->epoch_start) || !f->history || (shuffled && !f->order) ||
      (!f->optim && !f->x) || (ridge && !f->ridge) || (twice && !f->first) || (linear && !f->linear))
    return nnb__fail_nomem("a fit");
  f->values = (double *)(f->history + f->cap_history);
  memcpy(f->best, f->net->params, n_values * sizeof *f->best);
  return f->optim && nnb__data_is_read(f->train) ? nnb__fit_open_source(f) : NNB_OK;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

static void finish(fit *f, nnb_status status) {
  nnb_report *r = &f->report;
  r->seconds = nnb__now() - f->start;
  r->batch = f->opts.batch;
  r->l2 = f->optim ? f->optim->l2 : fmax(f->opts.l2, 0), r->lr = f->optim ? f->optim->base_lr : 0;
  bool keep_last = !status && !f->val && r->second_start == 0;
  r->restored = !keep_last || (!f->epoch_start && r->best_epoch == r->epochs);
  if (!keep_last) memcpy(f->net->params, f->best, f->net->n_values * sizeof *f->best), r->evidence = f->best_evidence;
  if (!status || r->best_epoch > 0) f->net->training = nnb__fit_training(f);
  nnb__net_keep_history(f->net, f->history);
  nnb__fit_keep_last_record(f);
  r->log_status = f->log.status;
  r->history = f->history, r->n_history = f->n_history, r->history_stride = f->stride;
  f->history = NULL;
  if (f->choices) nnb__choices_report(f->choices, r);
}

static void release(fit *f) {
  nnb_progress_end(&f->bar);
  nnb__log_close(&f->log);
  nnb__fit_metrics_close(f);
  nnb_plan_destroy(f->plan);
  nnb_plan_destroy(f->val_plan);
  nnb_optim_destroy(f->optim);
  nnb__window_close(&f->window);
  nnb__window_close(&f->val_window);
  nnb__release(f->local);
  nnb__release(f->order);
  nnb__release(f->best);
  nnb__release(f->epoch_start);
  nnb__release(f->x);
  nnb__release(f->ridge);
  nnb__release(f->first);
  nnb__release(f->before);
  nnb__release(f->linear);
  nnb__release(f->history);
}

/* ---- the beginning ---------------------------------------------------------------------------------------------- */

static nnb_status set_up(fit *f) {
  nnb_status status = f->train ? nnb__opts_check(NNB__FIT_OPTS, &f->opts) : nnb__fail(NNB_E_ARG, "train is NULL");
  if (!status) status = choose(f);
  if (f->ops) f->report.algo = f->opts.algo;
  if (!status) status = prepare(f);
  if (!status) status = allocate(f);
  if (!status) status = nnb__fit_metrics_open(f);
  if (!status && !nnb__all_finite(f->net->n_params, f->net->params))
    status = nnb__fail(NNB_E_NUMERIC, "a parameter of the net is not finite at the start");
  return status;
}

static void log_head(const fit *f, char head[NNB__LOG_ROW]) {
  nnb__log_head(f->opts.metrics, f->opts.train_metrics ? f->opts.metrics : 0, f->val, head);
}

/* A log that a checkpoint is there for is continued. */
static nnb_status open_log(fit *f) {
  const nnb_fit_opts *o = &f->opts;
  char head[NNB__LOG_ROW];
  if (!o->log) return NNB_OK;
  log_head(f, head);
  return nnb__log_open(&f->log, o->log, o->resume && access(o->checkpoint, F_OK) == 0 ? head : NULL);
}

static void begin_log(fit *f) {
  char head[NNB__LOG_ROW];
  log_head(f, head);
  nnb__log_begin(&f->log, head, f->report.resumed);
}

/* ---- ranks ------------------------------------------------------------------------------------------------------ */

/* The net may have other parameters than its own by now: those of an epoch, of rank 0, or of a file. */
static void refuse(const fit *f) { memcpy(f->net->params, f->before, f->net->n_values * sizeof *f->before); }

/* All ranks start from the parameters of rank 0. */
static nnb_status share_start(fit *f) {
  const size_t bytes = f->net->n_values * sizeof(real);
  if (!f->ranks || f->report.resumed > 0) return NNB_OK;
  const nnb_status status = nnb__comm_broadcast(nnb__fit_comm(f), 0, bytes, f->net->params);
  memcpy(f->best, f->net->params, bytes);
  if (f->first) memcpy(f->first, f->net->params, bytes);
  return status;
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

/* Once training has begun, only divergence and an error of a source end it.  Every other error is a refusal, and the
 * report stays unchanged. */
static nnb_status train_net(fit *f) {
  nnb_report *r = &f->report;
  nnb_status status = set_up(f);
  if (!status) status = nnb__fit_checkpoint_open(f);
  if (!status) status = open_log(f);
  if ((status = nnb__comm_agree(nnb__fit_comm(f), status))) return status;
  const nnb_report refused = *r;
  *r = (nnb_report){.algo = f->optim ? f->optim->algo : r->algo, .val_loss = (double)NAN, .best_loss = HUGE_VAL};
  status = nnb__fit_checkpoint_join(f);
  if (!status) status = nnb__comm_agree(nnb__fit_comm(f), nnb__fit_checkpoint_resume(f));
  if (!status) status = share_start(f);
  if (!status && r->resumed == 0) {
    nnb__fit_judge_start(f);
    status = f->broken;
  }
  if (status) {
    *r = refused;
    refuse(f);
    return status;
  }
  begin_log(f);
  f->bar.stream = f->opts.progress;
  status = f->optim ? nnb__fit_batches(f) : nnb__fit_full(f);
  if (f->broken) r->stop = NNB_STOP_ERROR;
  if (status && status != NNB_E_NUMERIC && !f->broken) {
    *r = refused;
    refuse(f);
    return status;
  }
  finish(f, status);
  return status;
}

nnb_report nnb__fit_no_report(nnb_algo algo) {
  return (nnb_report){.stop = NNB_STOP_ERROR,
                      .algo = nnb__optim_algo(algo, NNB__TRAIT_STEPS),
                      .loss = (double)NAN,
                      .val_loss = (double)NAN,
                      .best_loss = (double)NAN};
}

void nnb__fit_quiet(nnb_fit_opts *opts) {
  opts->on_epoch = NULL, opts->user = NULL, opts->callbacks = NULL;
  opts->progress = NULL, opts->log = NULL;
  opts->metrics = 0, opts->train_metrics = false;
}

nnb_status nnb__fit_check(const nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts) {
  nnb_status status = train ? nnb__opts_check(NNB__FIT_OPTS, opts) : nnb__fail(NNB_E_ARG, "train is NULL");
  if (!status) status = check_data(net, train, "training", NULL);
  if (!status && val) status = check_data(net, val, "validation", NULL);
  if (!status) status = nnb__check_match(net, train);
  if (!status && val) status = nnb__check_match(net, val);
  return status ? status : nnb__fit_metrics_check(net, val ? val : train, opts);
}

nnb_status nnb__fit_run(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                        nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report) {
  fit f = {.net = net,
           .train = train,
           .val = val,
           .given = *opts,
           .opts = *opts,
           .ranks = ranks,
           .choices = choices,
           .stride = 1,
           .start = began,
           .waited_loss = HUGE_VAL};
  f.report = nnb__fit_no_report(opts->algo);
  nnb_status status = train_net(&f);
  release(&f);
  if (status == NNB_E_NUMERIC && !f.broken) f.report.stop = NNB_STOP_DIVERGED;
  *report = f.report;
  return status;
}
