/* nn/net_bag.h: a net as a bag, for files. */
#ifndef NNB__NET_BAG_H
#define NNB__NET_BAG_H

#include "bag.h"
#include "real.h"

/* Puts structure, parameters, scalers and names into an empty bag (sealing the net).  The tensors borrow the net's
 * memory: the net must outlive the bag, unchanged. */
nnb_status nnb__net_to_bag(nnb_net *net, nnb__bag *bag);

/* Builds the net that a bag describes; converts f32 and f64.  The bag comes from a file of file_bytes and is not
 * trusted beyond what bag.h promises: NNB_E_PARSE; NNB_E_UNSUPPORTED for an own part that opts does not name, or for a
 * net that takes more memory than opts allows. */
nnb_status nnb__net_from_bag(const nnb__bag *bag, size_t file_bytes, const nnb_load_opts *opts, nnb_net **out);

#endif
