/* train/scalers.c: scalers of a net from the statistics of data. */
#include "scalers.h"

#include "alloc.h"
#include "data.h"
#include "status.h"

nnb_status nnb__scale(nnb_net *net, const nnb_data *data, bool targets, nnb_scaling scaling) {
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  if (scaling != NNB_STANDARDIZE && scaling != NNB_MINMAX)
    return nnb__fail(NNB_E_ARG, "scaling is %d; wanted a value of nnb_scaling", (int)scaling);
  int n = targets ? nnb_data_n_out(data) : nnb_data_n_in(data);
  if (targets && nnb_data_n_classes(data)) return nnb__fail(NNB_E_ARG, "classes cannot be scaled: the data has labels");
  if (!targets && n != net->n_x)
    return nnb__fail(NNB_E_SHAPE, "the data has %d input column(s); the net has %d input(s)", n, net->n_x);
  real *shift = nnb__alloc((size_t)n, sizeof *shift), *factor = nnb__alloc((size_t)n, sizeof *factor);
  nnb_status status = shift && factor ? NNB_OK : nnb__fail_nomem("a scaler");
  if (!status) status = nnb__data_scaler(data, targets, scaling, shift, factor);
  if (!status) status = nnb__net_set_scaler(net, targets, scaling, n, shift, factor);
  nnb__release(shift);
  nnb__release(factor);
  return status;
}

static int scale(nnb_net *net, const nnb_data *data, bool targets, nnb_scaling scaling) {
  nnb_status status = nnb__net_open(net);
  if (!status) status = nnb__scale(net, data, targets, scaling);
  return status ? nnb__net_stick(net, status) : NNB_OK;
}

int nnb_net_scale_inputs(nnb_net *net, const nnb_data *data, nnb_scaling scaling) {
  return scale(net, data, false, scaling);
}

int nnb_net_scale_targets(nnb_net *net, const nnb_data *data, nnb_scaling scaling) {
  return scale(net, data, true, scaling);
}

int nnb_net_standardize(nnb_net *net, const nnb_data *data) { return scale(net, data, false, NNB_STANDARDIZE); }
