/* train/fit_metrics.c: the metrics of each epoch of a fit (.metrics, .train_metrics). */
#include <string.h>

#include "fit.h"
#include "status.h"

typedef struct nnb__fit fit;

int nnb__fit_n_values(const nnb_fit_opts *o) { return nnb__count_metrics(o->metrics) * (o->train_metrics ? 2 : 1); }

nnb_status nnb__fit_metrics_check(const nnb_net *net, const nnb_data *data, const nnb_fit_opts *o) {
  if (o->train_metrics && !o->metrics) return nnb__fail(NNB_E_ARG, "train_metrics is true, but metrics is 0");
  return o->metrics ? nnb__tally_check(net, data, o->metrics) : NNB_OK;
}

nnb_status nnb__fit_metrics_open(fit *f) {
  const nnb_fit_opts *o = &f->opts;
  const unsigned want = o->metrics & NNB_METRIC_AUC ? NNB__WANT_AREAS : 0;
  const nnb_data *data = f->val ? f->val : f->train;
  nnb_status status = nnb__fit_metrics_check(f->net, data, o);
  if (status || !o->metrics) return status;
  status = nnb__tally_open(&f->tally, f->net, data, want, o->threads);
  if (!status && f->val && o->train_metrics)
    status = nnb__tally_open(&f->train_tally, f->net, f->train, want, o->threads);
  return status;
}

/* values ← the metrics; NaN where the loss is not finite. */
static nnb_status measure(fit *f, nnb__tally *tally, double *values) {
  nnb_status status = nnb__tally_run(tally, NULL);
  if (status && status != NNB_E_NUMERIC) return f->broken = status;
  double *end = nnb__scores_put(tally->scores, f->opts.metrics, values);
  while (status && values < end) *values++ = (double)NAN;
  return NNB_OK;
}

nnb_status nnb__fit_metrics(fit *f, nnb_record *rec) {
  const int n = nnb__count_metrics(f->opts.metrics);
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
