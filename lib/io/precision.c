/* io/precision.c: nets of one precision in the other.  A bag holds tensors of both, so a net goes through one. */
#include <nnblas.h>

#include "bag.h"
#include "status.h"

/* nn/net_bag.h, in both precisions */
nnb_status nnb__net_to_bag(const nnb_net *net, nnb__bag *bag);
nnb_status nnbf__net_to_bag(const nnbf_net *net, nnb__bag *bag);
nnb_status nnb__net_from_bag(const nnb__bag *bag, size_t file_bytes, const nnb_load_opts *opts, nnb_net **out);
nnb_status nnbf__net_from_bag(const nnb__bag *bag, size_t file_bytes, const nnbf_load_opts *opts, nnbf_net **out);

nnb_status nnb_net_to_single(const nnb_net *net, nnbf_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  const nnbf_load_opts opts = {.max_bytes = SIZE_MAX}; /* the net is no file that promises more than it holds */
  nnb__bag bag = {0};
  nnb_status status = nnb__net_to_bag(net, &bag);
  if (!status) status = nnbf__net_from_bag(&bag, 0, &opts, out);
  nnb__bag_clear(&bag);
  return status;
}

nnb_status nnbf_net_to_double(const nnbf_net *net, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  const nnb_load_opts opts = {.max_bytes = SIZE_MAX};
  nnb__bag bag = {0};
  nnb_status status = nnbf__net_to_bag(net, &bag);
  if (!status) status = nnb__net_from_bag(&bag, 0, &opts, out);
  nnb__bag_clear(&bag);
  return status;
}
