/* train/metrics.c: nnb_evaluate and nnb_net_score. */
#include "metrics.h"

#include "scores.h"
#include "seal.h"
#include "status.h"

nnb_status nnb__measure(nnb__tally *tally, nnb_metrics *out) {
  nnb_status status = nnb__tally_run(tally, &out->loss);
  if (status && status != NNB_E_NUMERIC) return status;
  out->accuracy = nnb_scores_get(tally->scores, NNB_METRIC_ACCURACY);
  out->rmse = nnb_scores_get(tally->scores, NNB_METRIC_RMSE);
  out->r2 = nnb_scores_get(tally->scores, NNB_METRIC_R2);
  out->rows = nnb_data_rows(tally->data);
  return status;
}

nnb_status nnb__evaluate(nnb_net *net, const nnb_data *data, int threads, nnb_metrics *out) {
  nnb__tally tally;
  if (!data || !out) return nnb__fail(NNB_E_ARG, "data or out is NULL");
  *out = (nnb_metrics){0};
  nnb_status status = nnb__tally_open(&tally, net, data, 0, threads);
  if (status) return status;
  status = nnb__measure(&tally, out);
  nnb__tally_close(&tally);
  return status;
}

nnb_status nnb_evaluate(const nnb_net *net, const nnb_data *data, nnb_metrics *out) {
  return nnb__evaluate(nnb__net_sealable(net), data, 0, out);
}

static nnb_status check_opts(const nnb_score_opts *o) {
  if (o->threads < 0) return nnb__fail(NNB_E_ARG, "threads is %d; wanted 0 or more", o->threads);
  for (size_t i = 0; i < sizeof o->reserved / sizeof *o->reserved; i++)
    if (o->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_score_opts: a reserved word is not 0; initialise the struct with {0}");
  return NNB_OK;
}

nnb_status nnb_net_score(const nnb_net *net, const nnb_data *data, const nnb_score_opts *opts, nnb_scores **out) {
  static const nnb_score_opts none;
  const nnb_score_opts *o = opts ? opts : &none;
  nnb__tally tally;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  nnb_status status = check_opts(o);
  const unsigned want = (o->no_auc ? 0 : NNB__WANT_AREAS) | (o->no_confusion ? 0 : NNB__WANT_CONFUSION);
  if (!status) status = nnb__tally_open(&tally, nnb__net_sealable(net), data, want, o->threads);
  if (status) return status;
  status = nnb__tally_run(&tally, NULL);
  if (!status) *out = tally.scores, tally.scores = NULL;
  nnb__tally_close(&tally);
  return status;
}
