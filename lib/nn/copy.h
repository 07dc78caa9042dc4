/* nn/copy.h: parts of copying a net. */
#ifndef NNB__COPY_H
#define NNB__COPY_H

#include "net.h"

/* Appends a copy of a node, whose `from` are nodes of `to`.  numbered: as for nnb__net_add. */
nnb_status nnb__copy_node(nnb_net *to, const nnb__node *node, int numbered);
/* All but the nodes and parameters: losses, own parts, scalers, names. */
nnb_status nnb__copy_frame(nnb_net *to, const nnb_net *net);

#endif
