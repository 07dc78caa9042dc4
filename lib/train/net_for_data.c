/* train/net_for_data.c: nnb_net_for_data: a net with the inputs, outputs and scalers that data needs. */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "data.h"
#include "net.h"
#include "status.h"

static const char default_layers[] = "20:tanh", none[] = "none";

/* "4-20:tanh-3:softmax" */
static nnb_status parse(const nnb_data *data, const char *layers, nnb_net **out) {
  const bool hidden = strcmp(layers, none) != 0;
  const size_t bytes = strlen(layers) + 64;
  char *text = nnb__alloc(bytes, 1);
  if (!text) return nnb__fail_nomem("the text of a net");
  snprintf(text, bytes, "%d-%s%s%d:%s", nnb_data_n_in(data), hidden ? layers : "", hidden ? "-" : "",
           nnb_data_n_out(data), nnb_data_n_classes(data) ? "softmax" : "linear");
  nnb_status status = nnb_net_parse(text, out);
  nnb__release(text);
  return status;
}

nnb_status nnb_net_for_data(const nnb_data *data, const char *layers, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  const int n_out = nnb_data_n_out(data), n_classes = nnb_data_n_classes(data);
  if (n_out == 0) return nnb__fail(NNB_E_ARG, "the data has no targets");
  if (n_classes == 1) return nnb__fail(NNB_E_ARG, "all rows have the same class; there is nothing to learn");
  nnb_net *net = NULL;
  nnb_status status = parse(data, layers ? layers : default_layers, &net);
  if (!status) status = (nnb_status)nnb_net_standardize(net, data);
  if (!status && !n_classes) status = (nnb_status)nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  if (!status) return *out = net, NNB_OK;
  nnb_net_destroy(net);
  return status;
}
