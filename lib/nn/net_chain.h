/* nn/net_chain.h: nets as chains of dense layers. */
#ifndef NNB__NET_CHAIN_H
#define NNB__NET_CHAIN_H

#include "chain.h"
#include "net.h"

/* The number of links if the sealed net is a chain that the kernels for chains know: one input, dense layers with
 * activations of activations.def, one output, the last, with a loss of losses.def, none of them LAYERWISE.  0: it is
 * not.  Link i is the net's block i. */
int nnb__net_links(const nnb_net *net);
nnb__link nnb__net_link(const nnb_net *net, int i);
/* The chain, with its links in link[0 … nnb__net_links(net) - 1]; NULL: nowhere. */
nnb__chain nnb__net_chain(const nnb_net *net, nnb__link *link);

#endif
