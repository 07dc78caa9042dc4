/* train/fit_metrics.c: the metrics of each epoch of a fit (.metrics, .train_metrics). */
#include <string.h>

#include "fit.h"
#include "status.h"

typedef struct nnb__fit fit;

static int count(unsigned flags) {
  int n = 0;
  for (; flags; flags &= flags - 1) n++;
  return n;
}

int nnb__fit_n_values(const nnb_fit_opts *o) { return count(o->metrics) * (o->train_metrics ? 2 : 1); }

/* NNB_E_ARG for a metric that has no meaning for the data. */
static nnb_status check(const fit *f, const nnb_scores *scores) {
  const unsigned unknown = f->opts.metrics & ~nnb__scores_known(scores), first = unknown & (~unknown + 1);
  if (!unknown) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "metrics has %s, which is for %s; this data and net have %s",
                   nnb_metric_name((nnb_metric)first), scores->n_questions > 0 ? "targets t" : "classes and labels",
                   scores->n_questions > 0 ? "classes" : "no classes and no labels");
}

nnb_status nnb__fit_metrics_open(fit *f) {
  const nnb_fit_opts *o = &f->opts;
  const unsigned want = o->metrics & NNB_METRIC_AUC ? NNB__WANT_AREAS : 0;
  if (o->train_metrics && !o->metrics) return nnb__fail(NNB_E_ARG, "train_metrics is true, but metrics is 0");
  if (!o->metrics) return NNB_OK;
  nnb_status status = nnb__tally_open(&f->tally, f->net, f->val ? f->val : f->train, want, o->threads);
  if (!status) status = check(f, f->tally.scores);
  if (!status && f->val && o->train_metrics)
    status = nnb__tally_open(&f->train_tally, f->net, f->train, want, o->threads);
  return status;
}

/* values ← the metrics; NaN where the loss is not finite. */
static nnb_status measure(fit *f, nnb__tally *tally, double *values) {
  nnb_status status = nnb__tally_run(tally, NULL);
  const bool finite = !status;
  if (status && status != NNB_E_NUMERIC) return f->broken = status;
#define VALUE(metric, value, text) \
  if (f->opts.metrics & value) *values++ = finite ? nnb_scores_get(tally->scores, metric) : (double)NAN;
  NNB_METRIC_LIST(VALUE)
#undef VALUE
  return NNB_OK;
}

nnb_status nnb__fit_metrics(fit *f, nnb_record *rec) {
  const int n = count(f->opts.metrics);
  if (n == 0) return NNB_OK;
  double *values = f->values + (size_t)f->cap_history * (size_t)nnb__fit_n_values(&f->opts);
  rec->values = values, rec->metrics = f->opts.metrics;
  nnb_status status = measure(f, &f->tally, values);
  if (status || !f->opts.train_metrics) return status;
  rec->train_metrics = f->opts.metrics;
  if (f->val) return measure(f, &f->train_tally, values + n);
  memcpy(values + n, values, (size_t)n * sizeof *values);
  return NNB_OK;
}

void nnb__fit_metrics_close(fit *f) {
  nnb__tally_close(&f->tally);
  nnb__tally_close(&f->train_tally);
}
