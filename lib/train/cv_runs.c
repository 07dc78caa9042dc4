/* train/cv_runs.c: the runs of cross-validations.  Each is a job for one thread: it divides the rows, trains a copy of
 * the net and measures it, so that the number of threads changes nothing. */
#include "cv_runs.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "data.h"
#include "fit.h"
#include "metrics.h"
#include "options.h"
#include "scalers.h"
#include "status.h"
#include "team.h"

enum { DEFAULT_FOLDS = 5, MOST_THREADS = 1024 };

/* ---- options ----------------------------------------------------------------------------------------------------- */

static nnb_status check_numbers(const nnb_cv_opts *o, int rows) {
  if (rows < 2) return nnb__fail(NNB_E_SHAPE, "a cross-validation needs at least 2 rows; there is %d", rows);
  if (o->folds < 2 || o->folds > rows)
    return nnb__fail(NNB_E_ARG, "nnb_cv_opts: folds is %d; wanted 2 to %d, the number of rows", o->folds, rows);
  if (o->repeats < 1) return nnb__fail(NNB_E_ARG, "nnb_cv_opts: repeats is %d; wanted 0 or more", o->repeats);
  if (o->repeats > INT_MAX / o->folds)
    return nnb__fail(NNB_E_OVERFLOW, "nnb_cv_opts: %d repeats of %d folds are too many", o->repeats, o->folds);
  if (o->threads < 0 || o->threads > MOST_THREADS)
    return nnb__fail(NNB_E_ARG, "nnb_cv_opts: threads is %d; wanted 0 to %d", o->threads, MOST_THREADS);
  if (o->class_weight && !o->weigh_classes)
    return nnb__fail(NNB_E_ARG, "nnb_cv_opts: class_weight is set, but weigh_classes is false");
  for (size_t i = 0; i < sizeof o->reserved / sizeof *o->reserved; i++)
    if (o->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_cv_opts: a reserved word is not 0; initialise the struct with {0}");
  return NNB_OK;
}

/* Own parts: each has a row. */
static nnb_status check_parts(const nnb_cv_opts *o, int rows) {
  if (o->repeats > 1)
    return nnb__fail(NNB_E_ARG, "nnb_cv_opts: repeats is %d; with .part every repeat would be the same", o->repeats);
  bool *seen = nnb__zalloc((size_t)o->folds, sizeof *seen);
  nnb_status status = seen ? NNB_OK : nnb__fail_nomem("the parts");
  for (int i = 0; i < rows && !status; i++) {
    if (o->part[i] < 0 || o->part[i] >= o->folds)
      status = nnb__fail(NNB_E_ARG, "nnb_cv_opts: part[%d] is %d; wanted 0 to %d, folds - 1", i, (int)o->part[i],
                         o->folds - 1);
    else
      seen[o->part[i]] = true;
  }
  for (int k = 0; k < o->folds && !status; k++)
    if (!seen[k]) status = nnb__fail(NNB_E_ARG, "nnb_cv_opts: no row is in part %d of %d", k, o->folds);
  nnb__release(seen);
  return status;
}

nnb_status nnb__cv_begin(nnb__cv *cv, const nnb_data *data, const nnb_fit_opts *fit, const nnb_cv_opts *opts) {
  static const nnb_fit_opts no_fit;
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  nnb_status status = nnb__data_in_memory(data, "cross-validation");
  if (status) return status;
  cv->data = data, cv->given = fit ? fit : &no_fit;
  if (opts) cv->opts = *opts;
  if (cv->opts.folds == 0) cv->opts.folds = data->x.rows < DEFAULT_FOLDS ? data->x.rows : DEFAULT_FOLDS;
  if (cv->opts.repeats == 0) cv->opts.repeats = 1;
  status = check_numbers(&cv->opts, data->x.rows);
  if (!status && cv->opts.part) status = check_parts(&cv->opts, data->x.rows);
  if (!status) status = nnb__opts_check(NNB__FIT_OPTS, cv->given);
  if (!status && (cv->given->checkpoint || cv->given->resume))
    status = nnb__fail(NNB_E_UNSUPPORTED, "a cross-validation has no checkpoint: checkpoint or resume is set");
  if (!status && (cv->given->comm || cv->given->own_rows))
    status = nnb__fail(NNB_E_UNSUPPORTED, "the runs of a cross-validation have one rank each: comm or own_rows is set");
  if (!status) cv->n_runs = cv->opts.folds * cv->opts.repeats, cv->metrics = cv->given->metrics;
  return status;
}

/* ---- the rows and the net of a run ------------------------------------------------------------------------------- */

static nnb_status take_part(const nnb__cv *cv, int part, nnb_data **train, nnb_data **test) {
  const int rows = cv->data->x.rows;
  int32_t *row = nnb__alloc((size_t)rows, sizeof *row);
  int n = 0;
  if (!row) return nnb__fail_nomem("the rows of a part");
  for (int32_t i = 0; i < rows; i++)
    if (cv->opts.part[i] != part) row[n++] = i;
  const int n_train = n;
  for (int32_t i = 0; i < rows; i++)
    if (cv->opts.part[i] == part) row[n++] = i;
  nnb_status status = nnb__data_take(cv->data, row, n_train, train);
  if (!status) status = nnb__data_take(cv->data, row + n_train, rows - n_train, test);
  if (!status) status = nnb__data_impute(*train, *test);
  nnb__release(row);
  return status;
}

static nnb_status divide(const nnb__cv *cv, int repeat, int fold, nnb_data **train, nnb_data **test) {
  if (cv->opts.part) return take_part(cv, fold, train, test);
  return nnb_data_fold(cv->data, cv->opts.folds, fold, cv->opts.seed + (uint64_t)repeat, train, test);
}

nnb_status nnb__cv_weigh(const nnb_cv_opts *opts, nnb_data *train) {
  const size_t n = (size_t)nnb_data_n_classes(train);
  if (!opts->weigh_classes) return NNB_OK;
  if (!opts->class_weight || n == 0) return nnb_data_weigh_classes(train, NULL);
  real *weight = nnb__alloc(n, sizeof *weight);
  if (!weight) return nnb__fail_nomem("the weights of the classes");
  for (size_t k = 0; k < n; k++) weight[k] = (real)opts->class_weight[k];
  nnb_status status = nnb_data_weigh_classes(train, weight);
  nnb__release(weight);
  return status;
}

/* The frozen parameters of net ← those of the net that it is a copy of. */
static void keep_frozen(nnb_net *net, const nnb_net *from) {
  for (int b = 0; b < net->n_blocks; b++) {
    const nnb__block *block = &net->blocks[b];
    const size_t w = (size_t)block->rows * (size_t)block->cols, n = (size_t)block->cols;
    if (block->frozen & NNB_WEIGHTS) memcpy(net->params + block->off, from->params + block->off, w * sizeof(real));
    if (block->bias && (block->frozen & NNB_BIAS))
      memcpy(net->params + block->off + w, from->params + block->off + w, n * sizeof(real));
  }
}

static nnb_status start_net(const nnb_net *from, const nnb_data *train, uint64_t run, nnb_net **out) {
  const nnb_columns *table = nnb_data_columns(train);
  nnb_status status = nnb_net_copy(from, out);
  if (!status && from->table && table) status = nnb__net_set_table(*out, table); /* its means are those of the rows */
  if (!status && from->in.shift) status = nnb__scale(*out, train, false, from->in.scaling);
  if (!status && from->out.shift) status = nnb__scale(*out, train, true, from->out.scaling);
  if (!status) status = nnb_net_init(*out, from->seed + run);
  if (!status && atomic_load(&from->sealed)) keep_frozen(*out, from);
  return status;
}

/* ---- callbacks and the deadline ---------------------------------------------------------------------------------- */

static bool is_late(const nnb__cv *cv) { return cv->deadline > 0 && nnb__now() >= cv->deadline; }

static int on_epoch(void *user, const nnb_record *record) {
  nnb__cv *cv = user;
  pthread_mutex_lock(cv->lock);
  if (!cv->stopped && nnb__fit_call_back(cv->given, record)) cv->stopped = true;
  if (is_late(cv)) cv->late = true;
  const bool ends = cv->stopped || cv->late;
  pthread_mutex_unlock(cv->lock);
  return ends;
}

/* Runs after one that failed would not change the result. */
static bool is_wanted(nnb__cv *cv, const nnb__cv_case *c, int r) {
  pthread_mutex_lock(cv->lock);
  if (is_late(cv)) cv->late = true;
  const bool wanted = !cv->stopped && !cv->late && !(c->status && c->failed < r);
  pthread_mutex_unlock(cv->lock);
  return wanted;
}

static void note_failure(nnb__cv_case *c, int r, nnb_status status) {
  if (c->status && c->failed < r) return;
  nnb__release(c->message);
  c->status = status, c->failed = r, c->message = nnb__strdup(nnb_errmsg());
}

static void end_run(nnb__cv *cv, nnb__cv_case *c, int r, nnb_status status, const nnb_cv_run *run) {
  pthread_mutex_lock(cv->lock);
  if (is_late(cv)) cv->late = true;
  if (!cv->stopped && !cv->late) {
    if (status)
      note_failure(c, r, status);
    else
      c->result.run[r] = *run;
    cv->done++;
    if (cv->opts.on_run && cv->opts.on_run(cv->opts.user, cv->done, cv->all)) cv->stopped = true;
  }
  pthread_mutex_unlock(cv->lock);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

nnb_status nnb__cv_case_open(const nnb__cv *cv, nnb__cv_case *c) {
  const size_t runs = (size_t)cv->n_runs, n = (size_t)nnb__count_metrics(cv->metrics);
  c->result.run = nnb__zalloc(runs, sizeof *c->result.run);
  if (n > 0) c->result.values = nnb__alloc(runs, n * sizeof *c->result.values);
  const bool whole = c->result.run && (n == 0 || c->result.values);
  return whole ? NNB_OK : nnb__fail_nomem("the runs of a cross-validation");
}

void nnb__cv_case_close(nnb__cv_case *c) {
  nnb__release(c->result.run);
  nnb__release(c->result.values);
  nnb__release(c->message);
  *c = (nnb__cv_case){0};
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static nnb_fit_opts options_of_run(nnb__cv *cv, const nnb__cv_case *c) {
  nnb_fit_opts o = c->fit;
  nnb__fit_quiet(&o);
  o.threads = 1, o.history = NNB_NONE;
  o.on_epoch = on_epoch, o.user = cv;
  if (cv->deadline > 0) {
    const double left = fmax(cv->deadline - nnb__now(), DBL_MIN);
    if (!(o.max_seconds > 0) || left < o.max_seconds) o.max_seconds = left;
  }
  return o;
}

/* Where the metrics of run r go; NULL if there are none. */
static double *values_of(const nnb__cv *cv, const nnb__cv_case *c, int r) {
  const size_t n = (size_t)nnb__count_metrics(cv->metrics);
  return n > 0 ? c->result.values + (size_t)r * n : NULL;
}

static nnb_status measure(nnb__cv *cv, const nnb__cv_case *c, int r, nnb_cv_run *out) {
  nnb_data *train = NULL, *test = NULL;
  nnb_net *net = NULL;
  nnb__tally tally = {0};
  nnb_report report;
  const unsigned metrics = cv->metrics, want = metrics & NNB_METRIC_AUC ? NNB__WANT_AREAS : 0;
  *out = (nnb_cv_run){.repeat = r / cv->opts.folds, .fold = r % cv->opts.folds};
  nnb_status status = divide(cv, out->repeat, out->fold, &train, &test);
  if (!status) status = nnb__cv_weigh(&cv->opts, train);
  if (!status) status = start_net(c->net, train, (uint64_t)r, &net);
  if (!status) status = nnb__tally_open(&tally, net, test, want, 1);
  if (!status) status = nnb__scores_check(tally.scores, metrics);
  if (!status) {
    const nnb_fit_opts opts = options_of_run(cv, c);
    status = nnb_fit(net, train, NULL, &opts, &report);
  }
  if (!status) status = nnb__measure(&tally, &out->metrics);
  if (!status) {
    nnb__scores_put(tally.scores, metrics, values_of(cv, c, r));
    out->train_rows = nnb_data_rows(train), out->test_rows = nnb_data_rows(test);
    out->algo = report.algo, out->stop = report.stop, out->epochs = report.epochs, out->seconds = report.seconds;
  }
  nnb__tally_close(&tally);
  nnb_net_destroy(net);
  nnb_data_destroy(train);
  nnb_data_destroy(test);
  return status;
}

static void run_job(void *context, int job) {
  nnb__cv *cv = context;
  nnb__cv_case *c = &cv->cases[job / cv->n_runs];
  const int r = job % cv->n_runs;
  nnb_cv_run run;
  if (!is_wanted(cv, c, r)) return;
  nnb_status status = measure(cv, c, r, &run);
  end_run(cv, c, r, status, &run);
}

nnb_status nnb__cv_run_all(nnb__cv *cv) {
  pthread_mutex_t lock;
  if (cv->n_cases > INT_MAX / cv->n_runs)
    return nnb__fail(NNB_E_OVERFLOW, "%d nets with %d runs each are too many", cv->n_cases, cv->n_runs);
  if (pthread_mutex_init(&lock, NULL) != 0) return nnb__fail_nomem("a lock");
  cv->lock = &lock;
  const int threads = cv->opts.threads > 0 ? cv->opts.threads : nnb_get_threads();
  nnb__team_run_jobs(cv->n_cases * cv->n_runs, threads, run_job, cv);
  pthread_mutex_destroy(&lock);
  for (int i = 0; i < cv->n_cases; i++)
    if (cv->cases[i].status == NNB_E_NOMEM) return nnb__fail_nomem("a run of a cross-validation");
  return NNB_OK;
}
