/* train/epoch.c: the end of an epoch of a fit: validation, the best parameters, the history, whether to stop. */
#include <string.h>

#include "clock.h"
#include "exact.h"
#include "fit.h"
#include "ints.h"
#include "match.h"
#include "plan.h"

typedef struct nnb__fit fit;

/* The loss on rows of the validation data, in chunks whose losses add up. */
static nnb_status validate_rows(fit *f, int row0, int n_rows, double *out, real *no_gradient) {
  nnb_batch part;
  nnb__loss_sum sum = {0};
  nnb_status status = NNB_OK;
  (void)no_gradient;
  for (int r = 0, n; !status && (n = nnb__chunk(n_rows, r, f->val_plan->max_rows)) > 0; r += n) {
    if ((status = f->broken = nnb__fetch(f->net, &f->val_window, row0 + r, n, &part))) break;
    part.norm = f->val_norm;
    status = nnb__plan_loss(f->val_plan, &part, &(nnb_run){0}, &sum);
  }
  *out = nnb__loss_value(sum, f->val_norm);
  return status;
}

static nnb_status validate(fit *f, double *out) {
  return nnb__fit_sum(f, nnb_data_rows(f->val), validate_rows, out, NULL);
}

void nnb__fit_judge_start(fit *f) {
  double loss;
  if (f->val && !validate(f, &loss)) f->report.best_loss = f->waited_loss = loss;
}

void nnb__fit_put_record(fit *f, int i, const nnb_record *rec) {
  const size_t n = (size_t)nnb__fit_n_values(&f->opts);
  f->history[i] = *rec;
  f->history[i].net = NULL;
  if (n == 0) return;
  f->history[i].values = f->values + (size_t)i * n;
  memmove(f->values + (size_t)i * n, rec->values, n * sizeof *f->values);
}

/* Keeps every stride-th record; when full, drops every second one and doubles the stride. */
static void keep_record(fit *f, const nnb_record *rec) {
  if (f->cap_history == 0 || (rec->epoch - 1) % f->stride) return;
  if (f->n_history == f->cap_history) {
    for (int i = 1; 2 * i < f->n_history; i++) nnb__fit_put_record(f, i, &f->history[2 * i]);
    f->n_history = (f->n_history + 1) / 2;
    f->stride *= 2;
    if ((rec->epoch - 1) % f->stride) return;
    if (f->n_history == f->cap_history) return; /* the capacity is one record */
  }
  nnb__fit_put_record(f, f->n_history++, rec);
}

/* In mini-batch training without validation, the loss of an epoch is a mean while the parameters change.  It says
 * nothing about those at the end, whose last step may have gone anywhere.  Those at the start are the first that it was
 * computed with, and the only ones if an epoch is one update. */
static void keep_best(fit *f, const nnb_record *rec) {
  double loss = f->val ? rec->val_loss : rec->loss;
  if (!(loss < f->report.best_loss)) return;
  f->report.best_loss = loss;
  f->report.best_epoch = rec->epoch;
  f->best_evidence = f->report.evidence;
  if (f->epoch_start && rec->epoch > 1) {
    real *swap = f->best;
    f->best = f->epoch_start, f->epoch_start = swap;
  } else if (!f->epoch_start) {
    memcpy(f->best, f->net->params, f->net->n_values * sizeof *f->best);
  }
}

/* The patience begins again where the loss fell by more than min_delta. */
static void note_fall(fit *f, const nnb_record *rec) {
  const double loss = f->val ? rec->val_loss : rec->loss;
  if (!(loss < f->waited_loss - f->opts.min_delta)) return;
  f->waited_loss = loss, f->waited_epoch = rec->epoch;
}

nnb_stop nnb__fit_at_limit(const fit *f, const nnb_record *rec) {
  const nnb_fit_opts *o = &f->opts;
  double loss = f->val ? rec->val_loss : rec->loss;
  if (o->target_loss > 0 && loss <= o->target_loss) return NNB_STOP_TARGET;
  if (o->patience > 0 && rec->epoch - f->waited_epoch >= o->patience) return NNB_STOP_PATIENCE;
  if (o->max_seconds > 0 && rec->total_seconds >= o->max_seconds) return NNB_STOP_SECONDS;
  if (o->max_epochs != NNB_NONE && rec->epoch >= o->max_epochs) return NNB_STOP_EPOCHS;
  return NNB_STOP_NONE;
}

/* What the program computes there has nothing to do with the arithmetic of this fit. */
bool nnb__fit_call_back(const nnb_fit_opts *o, const nnb_record *rec) {
  const bool exact = nnb__exact_set(false);
  bool stopped = o->on_epoch && o->on_epoch(o->user, rec);
  for (const nnb_callback *c = o->callbacks; c && c->on_epoch; c++) stopped = c->on_epoch(c->user, rec) || stopped;
  nnb__exact_set(exact);
  return stopped;
}

/* Validates and measures the net; the ranks agree that they have the same one, and on the time. */
static nnb_status measure(fit *f, nnb_record *rec) {
  nnb_status status = f->val ? validate(f, &rec->val_loss) : NNB_OK;
  if (status) return status;
  status = nnb__fit_metrics(f, rec);
  rec->total_seconds = nnb__now() - f->start;
  if (!f->ranks) return status;
  return f->broken = nnb__ranks_end_epoch(f->ranks, status, f->net->n_params, f->net->params, &rec->total_seconds);
}

nnb_status nnb__fit_end_epoch(fit *f, nnb_record *rec) {
  nnb_report *r = &f->report;
  rec->val_loss = (double)NAN;
  nnb_status status = measure(f, rec);
  r->loss = rec->loss, r->val_loss = rec->val_loss;
  if (status) return status;
  r->epochs = rec->epoch;
  rec->max_epochs = f->opts.max_epochs == NNB_NONE ? 0 : f->opts.max_epochs;
  keep_best(f, rec);
  note_fall(f, rec);
  rec->stop = nnb__fit_at_limit(f, rec);
  keep_record(f, rec);
  f->last_record = *rec;
  nnb__log_row(&f->log, rec, f->val);
  rec->net = f->net;
  bool stopped = nnb__fit_call_back(&f->opts, rec);
  if (f->ranks) status = f->broken = nnb__ranks_any(f->ranks, &stopped);
  if (stopped) rec->stop = NNB_STOP_USER;
  r->stop = rec->stop;
  nnb_progress_epoch(&f->bar, rec);
  return status;
}

nnb_training nnb__fit_training(const fit *f) {
  const nnb_report *r = &f->report;
  const double none = (double)NAN;
  nnb_training t = {.algo = r->algo,
                    .epochs = r->epochs,
                    .best_epoch = r->best_epoch,
                    .restored = r->restored,
                    .updates = r->updates,
                    .rows = f->n_rows,
                    .val_rows = f->ranks ? f->ranks->n_val : nnb_data_rows(f->val),
                    .seed = f->opts.seed,
                    .loss = isfinite(r->loss) ? r->loss : none,
                    .val_loss = isfinite(r->val_loss) ? r->val_loss : none,
                    .best_loss = isfinite(r->best_loss) ? r->best_loss : none,
                    .score = none};
  snprintf(t.version, sizeof t.version, "%s", nnb_version());
  return t;
}

/* Puts the last epoch into the history: after the last record kept, or in its place if the history is full. */
void nnb__fit_keep_last_record(fit *f) {
  int n = f->n_history;
  if (n == 0 || f->history[n - 1].epoch == f->last_record.epoch) return;
  if (n < f->cap_history) f->n_history = ++n;
  nnb__fit_put_record(f, n - 1, &f->last_record);
}
