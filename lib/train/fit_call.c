/* train/fit_call.c: nnb_fit: holds the net and lets it go; what is done in between is said by the options. */
#include "clock.h"
#include "fit.h"
#include "fit_restarts.h"
#include "seal.h"
#include "status.h"

nnb_status nnb_fit(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                   nnb_report *report) {
  static const nnb_fit_opts none;
  const double began = nnb__now();
  const nnb_fit_opts *o = opts ? opts : &none;
  nnb_report r = nnb__fit_no_report(o->algo);
  nnb__change change;
  const nnb_status held = nnb__net_begin(net, &change);
  nnb_status status = held;
  if (o->comm || o->shards > 0)
    status = nnb__fit_ranks(net, train, val, o, held, began, &r);
  else if (!held && o->own_rows)
    status = nnb__fail(NNB_E_ARG, "own_rows is true, but comm is NULL");
  else if (!held)
    status = nnb__fit_restarts(net, train, val, o, began, &r);
  if (!held) nnb__net_end(&change, status && r.best_epoch == 0); /* the parameters are those from before */
  if (report) *report = r;
  return status;
}
