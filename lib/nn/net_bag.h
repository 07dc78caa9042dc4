/* nn/net_bag.h: a net as a bag, for files. */
#ifndef NNB__NET_BAG_H
#define NNB__NET_BAG_H

#include "bag.h"
#include "real.h"

/* Puts structure, parameters, scalers, names and what the net was trained by into an empty bag; seals the net.  The
 * tensors borrow the net's memory: the net must outlive the bag, unchanged. */
nnb_status nnb__net_to_bag(const nnb_net *net, nnb__bag *bag);
/* The same without what it was trained by. */
nnb_status nnb__net_describe(const nnb_net *net, nnb__bag *bag);

/* Makes the net that a bag describes; converts f32 and f64.  The bag comes from a file of file_bytes; only the
 * guarantees of bag.h are trusted.  NNB_E_PARSE; NNB_E_UNSUPPORTED for an own part that opts does not have, or for a
 * net that needs more memory than opts allows. */
nnb_status nnb__net_from_bag(const nnb__bag *bag, size_t file_bytes, const nnb_load_opts *opts, nnb_net **out);

/* Whether a bag from a file describes this sealed net, apart from the values of its parameters and buffers and
 * what it was trained by: NNB_E_ARG with what differs. */
nnb_status nnb__net_match(nnb_net *net, const nnb__bag *bag);
/* Reads parameters and buffers from a bag that describes this net; values: net->n_values numbers.  NNB_E_PARSE. */
nnb_status nnb__net_values_from_bag(nnb_net *net, const nnb__bag *bag, real *values);

#endif
