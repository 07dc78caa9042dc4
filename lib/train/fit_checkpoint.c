/* train/fit_checkpoint.c: checkpoints of a fit: model files with the state of the training beside the net. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "exact.h"
#include "fit.h"
#include "kernels.h"
#include "net_bag.h"
#include "optim_state.h"
#include "plan.h"
#include "safetensors.h"
#include "save.h"
#include "status.h"
#include "training.h"
#include "view.h"

typedef struct nnb__fit fit;

static const double default_seconds = 60;
static const char machine_key[] = "nnblas.state.fit.machine";
static const char train_key[] = "nnblas.state.fit.train", val_key[] = "nnblas.state.fit.validation";

/* ---- what a checkpoint has -------------------------------------------------------------------------------------- */

enum { RECORD = 8 };                                 /* numbers of a record */
static const double most_whole = 9007199254740992.0; /* 2⁵³: below, doubles have all whole numbers */

/* The state of a fit besides its optimiser and the parameters. */
typedef struct progress {
  int64_t epoch, updates, samples, best_epoch, n_history, stride;
  double best_loss, waited_loss;
  int64_t waited_epoch;
  double *records; /* those of the history, then the last one: (n_history + 1)×RECORD … */
  double *values;  /* … and their metrics, in the memory behind: (n_history + 1)×nnb__fit_n_values */
} progress;

static void visit_numbers(progress *p, nnb__visitor *s) {
  nnb__state_whole(s, "fit.epoch", 1, INT_MAX, &p->epoch);
  nnb__state_whole(s, "fit.updates", 0, INT64_MAX, &p->updates);
  nnb__state_whole(s, "fit.samples", 0, INT64_MAX, &p->samples);
  nnb__state_whole(s, "fit.best_epoch", 0, INT_MAX, &p->best_epoch);
  nnb__state_number(s, "fit.best_loss", -HUGE_VAL, HUGE_VAL, &p->best_loss);
  nnb__state_number(s, "fit.waited_loss", -HUGE_VAL, HUGE_VAL, &p->waited_loss);
  nnb__state_whole(s, "fit.waited_epoch", 0, INT_MAX, &p->waited_epoch);
  nnb__state_whole(s, "fit.history", 0, INT_MAX, &p->n_history);
  nnb__state_whole(s, "fit.stride", 1, INT_MAX, &p->stride);
}

static const char first_key[] = "nnblas.state/first", run_key[] = "nnblas.state.descents.run";

static void visit_descents(fit *f, nnb__visitor *s) {
  nnb__descents *d = &f->descents;
  nnb__state_reals(s, "first", f->net->n_values, f->first);
  nnb__state_int(s, "descents.run", 0, NNB__FIT_RUNS - 1, &d->run);
  nnb__state_number(s, "descents.unit", 0, DBL_MAX, &d->unit);
  nnb__state_number(s, "descents.to_beat", -HUGE_VAL, HUGE_VAL, &d->to_beat);
  nnb__state_whole(s, "descents.iterations", 0, INT64_MAX, &d->iterations);
  nnb__state_whole(s, "descents.evaluations", 0, INT64_MAX, &d->evaluations);
  nnb__state_int(s, "descents.second_start", 0, INT_MAX, &f->report.second_start);
}

static void visit_arrays(fit *f, progress *p, nnb__visitor *s) {
  enum { EVIDENCE = sizeof(nnb_evidence) / sizeof(double) };
  nnb__state_reals(s, "best", f->net->n_values, f->best);
  const size_t n = (size_t)nnb__fit_n_values(&f->opts);
  nnb__state_doubles(s, "history", ((size_t)p->n_history + 1) * RECORD, p->records);
  if (n > 0) nnb__state_doubles(s, "metrics", ((size_t)p->n_history + 1) * n, p->values);
  if (f->optim) return;
  if (f->net->n_buffers) nnb__state_reals(s, "buffers", f->net->n_buffers, f->buffers);
  nnb__state_doubles(s, "fit.evidence", EVIDENCE, (double *)&f->report.evidence);
  nnb__state_doubles(s, "fit.best_evidence", EVIDENCE, (double *)&f->best_evidence);
  if (f->first) visit_descents(f, s);
}

static nnb_status allocate(const fit *f, progress *p) {
  const size_t rows = (size_t)p->n_history + 1;
  p->records = nnb__alloc(rows, (RECORD + (size_t)nnb__fit_n_values(&f->opts)) * sizeof *p->records);
  if (!p->records) return nnb__fail_nomem("the history of a checkpoint");
  p->values = p->records + rows * RECORD;
  return NNB_OK;
}

/* The metrics of record i of the file's or memory's history. */
static double *values_of(const fit *f, const progress *p, int64_t i) {
  return p->values + (size_t)i * (size_t)nnb__fit_n_values(&f->opts);
}

static void write_record(const fit *f, progress *p, int i, const nnb_record *r) {
  double *to = p->records + (size_t)i * RECORD;
  const size_t n = (size_t)nnb__fit_n_values(&f->opts);
  if (n > 0) memcpy(values_of(f, p, i), r->values, n * sizeof *p->values);
  const double row[RECORD] = {r->epoch,    (double)r->updates, (double)r->samples, r->loss,
                              r->val_loss, r->seconds,         r->total_seconds,   r->lr};
  memcpy(to, row, sizeof row);
}

static bool is_whole(double x, double least, double most) { return x >= least && x <= most && x == floor(x); }

static bool read_record(const double *from, int last_epoch, nnb_record *out) {
  if (!is_whole(from[0], 1, last_epoch) || !is_whole(from[1], 0, most_whole) || !is_whole(from[2], 0, most_whole))
    return false;
  *out = (nnb_record){.epoch = (int)from[0],
                      .updates = (int64_t)from[1],
                      .samples = (int64_t)from[2],
                      .loss = from[3],
                      .val_loss = from[4],
                      .seconds = from[5],
                      .total_seconds = from[6],
                      .lr = from[7]};
  return true;
}

/* On these the bits of the results depend besides data, net and options. */
enum { MACHINE = 1200 };
static void describe_machine(const fit *f, char out[MACHINE]) {
  char thresholds[512] = "";
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  nnb_get_thresholds(thresholds, sizeof thresholds);
  if (nnb__exact()) {
    snprintf(out, MACHINE, "libnnblas %s, defined arithmetic", nnb_version());
    return;
  }
  snprintf(out, MACHINE, "libnnblas %s, threads %d, chunk %d, %s %s %s, kernels %s, thresholds %s", nnb_version(),
           f->plan->threads, f->opts.chunk, blas.vendor, blas.version, blas.core, nnb__kernel()->level, thresholds);
}

enum { PRINT = 24 };
static void print_of(uint64_t fingerprint, char out[PRINT]) { snprintf(out, PRINT, "%016" PRIx64, fingerprint); }

void nnb__fit_without_checkpoint(nnb_fit_opts *o) {
  o->checkpoint = NULL, o->resume = false, o->checkpoint_epochs = 0, o->checkpoint_seconds = 0;
}

static bool writes(const fit *f) { return !f->ranks || f->ranks->comm.calls.rank == 0; }

/* ---- before the training ---------------------------------------------------------------------------------------- */

static nnb_status check_opts(const nnb_fit_opts *o) {
  const char *alone = o->resume                   ? "resume"
                      : o->checkpoint_epochs > 0  ? "checkpoint_epochs"
                      : o->checkpoint_seconds > 0 ? "checkpoint_seconds"
                                                  : NULL;
  if (!o->checkpoint && alone) return nnb__fail(NNB_E_ARG, "%s is set, but checkpoint names no file", alone);
  if (o->checkpoint && !*o->checkpoint) return nnb__fail(NNB_E_ARG, "checkpoint is an empty path");
  return NNB_OK;
}

/* A rank may have no rows. */
static nnb_status fingerprint(const nnb_data *data, uint64_t *out) {
  return nnb_data_rows(data) > 0 ? nnb__data_fingerprint(data, out) : NNB_OK;
}

nnb_status nnb__fit_checkpoint_open(fit *f) {
  nnb_status status = check_opts(&f->opts);
  if (status || !f->opts.checkpoint) return status;
  status = fingerprint(f->train, &f->train_print);
  if (!status && f->val) status = fingerprint(f->val, &f->val_print);
  if (!status && writes(f)) status = nnb__save_try(f->opts.checkpoint);
  f->checkpoint_time = nnb__now();
  return status;
}

/* *print ← one of the rows of all ranks. */
static nnb_status join(nnb__comm *comm, uint64_t *print) {
  uint64_t all = 0;
  for (int q = 0; q < nnb__comm_size(comm); q++) {
    uint64_t theirs = *print;
    const nnb_status status = nnb__comm_broadcast(comm, q, sizeof theirs, &theirs);
    if (status) return status;
    all = nnb__siphash(&theirs, sizeof theirs, (const uint64_t[2]){all, 0});
  }
  *print = all;
  return NNB_OK;
}

nnb_status nnb__fit_checkpoint_join(fit *f) {
  if (!f->opts.checkpoint || !f->ranks || !f->ranks->own_rows) return NNB_OK;
  const nnb_status status = join(&f->ranks->comm, &f->train_print);
  return status ? status : join(&f->ranks->comm, &f->val_print);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static nnb_status put_texts(const fit *f, nnb__bag *bag) {
  char machine[MACHINE], print[PRINT];
  nnb_status status = nnb__choices_put(f->choices, &f->given, bag);
  if (status) return status;
  describe_machine(f, machine);
  nnb__bag_string(bag, machine_key, machine);
  print_of(f->train_print, print);
  nnb__bag_string(bag, train_key, print);
  print_of(f->val_print, print);
  nnb__bag_string(bag, val_key, f->val ? print : "none");
  return bag->status;
}

static nnb_status put_progress(fit *f, progress *p, nnb__bag *bag) {
  const nnb_report *r = &f->report;
  nnb__visitor state = {.way = NNB__STATE_SAVE, .out = bag};
  p->epoch = r->epochs, p->updates = r->updates, p->samples = r->samples;
  p->best_epoch = r->best_epoch, p->best_loss = r->best_loss;
  p->waited_epoch = f->waited_epoch, p->waited_loss = f->waited_loss;
  p->n_history = f->n_history, p->stride = f->stride;
  nnb_status status = allocate(f, p);
  if (status) return status;
  for (int i = 0; i < f->n_history; i++) write_record(f, p, i, &f->history[i]);
  write_record(f, p, f->n_history, &f->last_record);
  visit_numbers(p, &state);
  visit_arrays(f, p, &state);
  if (!f->optim) nnb__keep_visit(&f->keep, &state);
  return state.status;
}

static nnb_status save(fit *f) {
  nnb__bag bag = {0};
  progress p = {0};
  const nnb_training training = nnb__fit_training(f);
  nnb_status status = nnb__net_describe(f->net, &bag);
  if (!status) nnb__training_to_bag(&training, &bag), status = bag.status;
  if (!status && f->optim) status = nnb__optim_put(f->optim, &bag);
  if (!status) status = put_texts(f, &bag);
  if (!status) status = put_progress(f, &p, &bag);
  if (!status) status = nnb__safetensors_save(&bag, f->opts.checkpoint);
  nnb__bag_clear(&bag);
  nnb__release(p.records);
  return status;
}

static bool is_due(const fit *f) {
  const nnb_fit_opts *o = &f->opts;
  const double seconds = o->checkpoint_seconds > 0  ? o->checkpoint_seconds
                         : o->checkpoint_epochs > 0 ? HUGE_VAL
                                                    : default_seconds;
  if (o->checkpoint_epochs > 0 && f->report.epochs - f->checkpoint_epoch >= o->checkpoint_epochs) return true;
  return nnb__now() - f->checkpoint_time >= seconds;
}

void nnb__fit_checkpoint_write(fit *f, bool last) {
  nnb_report *r = &f->report;
  if (!f->opts.checkpoint || !writes(f) || !(last || is_due(f))) return;
  r->checkpoint_status = save(f);
  if (!r->checkpoint_status)
    r->checkpoints++;
  else if (f->opts.progress)
    nnb_progress_end(&f->bar), fprintf(f->opts.progress, "no checkpoint: %s\n", nnb_errmsg());
  f->checkpoint_epoch = r->epochs, f->checkpoint_time = nnb__now();
}

/* ---- resuming --------------------------------------------------------------------------------------------------- */

static nnb_status match_data(const nnb__bag *bag, const char *key, const char *what, const char *here) {
  const char *there = nnb__bag_find_string(bag, key);
  if (there && strcmp(there, here) == 0) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "the %s data is not that of the training in the file", what);
}

static nnb_status match(fit *f, const nnb__bag *bag) {
  char print[PRINT];
  nnb_status status = nnb__net_match(f->net, bag);
  print_of(f->train_print, print);
  if (!status) status = match_data(bag, train_key, "training", print);
  print_of(f->val_print, print);
  if (!status) status = match_data(bag, val_key, "validation", f->val ? print : "none");
  return status || !f->optim ? status : nnb__optim_check(f->optim, bag);
}

static void take_metrics(const fit *f, const double *values, nnb_record *rec) {
  rec->metrics = f->opts.metrics, rec->train_metrics = f->opts.train_metrics ? f->opts.metrics : 0;
  rec->values = rec->metrics ? values : NULL;
}

/* The history from the records of the file. */
static nnb_status take_records(fit *f, const progress *p) {
  bool good = read_record(p->records + (size_t)p->n_history * RECORD, (int)p->epoch, &f->last_record);
  good = good && f->last_record.epoch == p->epoch;
  for (int i = 0; i < p->n_history && good; i++) {
    nnb_record rec = {0};
    good = read_record(p->records + (size_t)i * RECORD, (int)p->epoch, &rec) &&
           (i == 0 || rec.epoch > f->history[i - 1].epoch);
    take_metrics(f, values_of(f, p, i), &rec);
    if (good) nnb__fit_put_record(f, i, &rec);
  }
  if (!good) return nnb__fail(NNB_E_PARSE, "the history in the file is not one of epochs up to %d", (int)p->epoch);
  f->n_history = (int)p->n_history, f->stride = (int)p->stride;
  const size_t n = (size_t)nnb__fit_n_values(&f->opts);
  double *last = f->values + (size_t)f->cap_history * n;
  if (n > 0) memcpy(last, values_of(f, p, p->n_history), n * sizeof *last);
  take_metrics(f, last, &f->last_record);
  return NNB_OK;
}

/* A fit has the descents of the file, whatever its limits are now. */
static nnb_status prepare_descents(fit *f, const nnb__bag *bag) {
  const bool there = nnb__bag_find_tensor(bag, first_key) || nnb__bag_find_string(bag, run_key);
  if (there && !f->optim && !f->first) {
    f->first = nnb__alloc(f->net->n_values, sizeof *f->first);
    return f->first ? NNB_OK : nnb__fail_nomem("a fit");
  }
  if (!there) nnb__release(f->first), f->first = NULL;
  return NNB_OK;
}

static nnb_status take_progress(fit *f, const nnb__bag *bag) {
  nnb__visitor state = {.way = NNB__STATE_LOAD, .in = bag};
  progress p = {0};
  visit_numbers(&p, &state);
  if (state.status) return state.status;
  if (f->opts.max_epochs != NNB_NONE && p.epoch > f->opts.max_epochs)
    return nnb__fail(NNB_E_ARG, "max_epochs is %d; the training in the file is at epoch %d", f->opts.max_epochs,
                     (int)p.epoch);
  if (p.best_epoch > p.epoch || p.waited_epoch > p.epoch || p.n_history > f->cap_history)
    return nnb__fail(NNB_E_PARSE, "the file has an impossible best epoch or history");
  nnb_status status = prepare_descents(f, bag);
  if (!status) status = allocate(f, &p);
  if (status) return status;
  visit_arrays(f, &p, &state);
  status = state.status ? state.status : take_records(f, &p);
  nnb__release(p.records);
  if (status) return status;
  nnb_report *r = &f->report;
  r->epochs = r->resumed = f->checkpoint_epoch = (int)p.epoch;
  r->updates = p.updates, r->samples = p.samples;
  r->best_epoch = (int)p.best_epoch, r->best_loss = p.best_loss;
  f->waited_epoch = (int)p.waited_epoch, f->waited_loss = p.waited_loss;
  r->loss = f->last_record.loss, r->val_loss = f->last_record.val_loss;
  f->start -= f->last_record.total_seconds > 0 ? f->last_record.total_seconds : 0;
  return NNB_OK;
}

/* The net's parameters are the last to change; those of a full-batch method after its own state (fit_full.c). */
static nnb_status take(fit *f, const nnb__bag *bag) {
  char machine[MACHINE];
  const size_t n = f->net->n_values;
  nnb_status status = match(f, bag);
  if (status) return status;
  real *values = nnb__alloc(n, sizeof *values);
  status = values ? nnb__net_values_from_bag(f->net, bag, values) : nnb__fail_nomem("the parameters of a checkpoint");
  if (!status && !nnb__all_finite(n, values)) status = nnb__fail(NNB_E_PARSE, "a parameter in the file is not finite");
  if (!status) status = take_progress(f, bag);
  if (!status) {
    const char *then = nnb__bag_find_string(bag, machine_key);
    describe_machine(f, machine);
    f->report.bits_may_differ = !then || strcmp(then, machine) != 0;
    if (f->optim) nnb__optim_take(f->optim, bag);
    memcpy(f->optim ? f->net->params : f->last, values, n * sizeof *values);
    f->report.stop = nnb__fit_at_limit(f, &f->last_record);
  }
  nnb__release(values);
  return status;
}

nnb_status nnb__fit_checkpoint_resume(fit *f) {
  if (!f->choices || !f->choices->resumes) return NNB_OK;
  const nnb_status status = take(f, &f->choices->bag);
  if (status) return nnb__choices_explain(f->opts.checkpoint, status);
  if (f->optim)
    nnb__choices_close(f->choices); /* the file is as large as the parameters and all that the optimiser keeps */
  else
    f->keep.from = &f->choices->bag;
  return NNB_OK;
}
