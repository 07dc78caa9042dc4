/* train/fit_call.c: nnb_fit: holds the net and lets it go; what is done in between is said by the options. */
#include "clock.h"
#include "exact.h"
#include "fit.h"
#include "fit_restarts.h"
#include "seal.h"
#include "status.h"

/* What is not defined to the bit. */
static nnb_status check_exact(const nnb_fit_opts *o) {
  const unsigned undefined = NNB__TRAIT_PAIRS | NNB__TRAIT_SQUARES;
  nnb_status status = nnb__check_exact();
  if (status) return status;
  if (o->algo == NNB_AUTO)
    return nnb__fail(NNB_E_UNSUPPORTED,
                     "algo is auto; wanted a method by name, because its choice depends on times (exact)");
  const nnb__optim_ops *ops = nnb__optim_find(o->algo);
  if (!ops) return NNB_E_ARG;
  if (nnb__optim_traits(ops) & undefined || o->bayes)
    return nnb__fail(
        NNB_E_UNSUPPORTED,
        "%s is not defined to the bit (exact); wanted a method that steps with a gradient other than kfac, or "
        "rprop, scg, cg, lbfgs or bfgs",
        ops->name);
  if (o->comm && o->shards == 0)
    return nnb__fail(NNB_E_UNSUPPORTED,
                     "exact is set with comm; wanted shards, too, because sums over ranks are in any "
                     "order without");
  return NNB_OK;
}

/* status: how the call fared before; ranks agree on it. */
static nnb_status run(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *o,
                      nnb_status status, double began, nnb_report *report) {
  if (o->comm || o->shards > 0) return nnb__fit_ranks(net, train, val, o, status, began, report);
  if (status) return status;
  if (o->own_rows) return nnb__fail(NNB_E_ARG, "own_rows is true, but comm is NULL");
  return nnb__fit_restarts(net, train, val, o, began, report);
}

nnb_status nnb_fit(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                   nnb_report *report) {
  static const nnb_fit_opts none;
  const double began = nnb__now();
  const nnb_fit_opts *o = opts ? opts : &none;
  nnb_report r = nnb__fit_no_report(o->algo);
  nnb__change change;
  const nnb_status held = nnb__net_begin(net, &change);
  const bool wanted = !held && (o->exact || net->exact), exact = nnb__exact_set(wanted);
  nnb_status status = run(net, train, val, o, wanted ? check_exact(o) : held, began, &r);
  nnb__exact_set(exact);
  if (!held) nnb__net_end(&change, status && r.best_epoch == 0); /* the parameters are those from before */
  if (report) *report = r;
  return status;
}
