/* nn/net_chain.h: nets as chains. */
#ifndef NNB__NET_CHAIN_H
#define NNB__NET_CHAIN_H

#include "chain.h"
#include "net.h"

/* The number of links if the sealed net is a chain for which there are kernels: one input, dense layers with
 * activations of activations.def, the last one the only output, with a loss of losses.def, none of them LAYERWISE.
 * Else 0.  Link i is the net's block i. */
int nnb__net_links(const nnb_net *net);
nnb__link nnb__net_link(const nnb_net *net, int i);
/* Whether the net is such a chain with at most NNB__CHAIN_BLOCKS_WIDEST inputs and units in every layer. */
bool nnb__net_is_narrow(const nnb_net *net);
/* Whether all parameters of the sealed net are those of dense layers. */
bool nnb__net_is_dense(const nnb_net *net);
/* Rows whose gradients are summed together in the defined arithmetic: NNB__GROUP if the net is narrow, else 1.  Chunks
 * of an update begin at multiples of it. */
int nnb__net_group(const nnb_net *net);
/* The same for chains that may also have convolutions, pools, flatten and activations.  A node may be two links. */
int nnb__net_image_links(const nnb_net *net);
/* From one link of a chain to the next, the first one after {0}; false after the last one. */
bool nnb__net_next_link(const nnb_net *net, nnb__link *link);
/* The chain; its links are written to links, unless that is NULL. */
nnb__chain nnb__net_chain(const nnb_net *net, nnb__link *links);

#endif
