/* nn/build.h: adding nodes to a net. */
#ifndef NNB__BUILD_H
#define NNB__BUILD_H

#include "net.h"

/* Adds a node with checked arguments; all building calls use it.  name NULL: base and a number. */
int nnb__net_append(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n_from,
                    int activation, unsigned frozen, const char *name, const char *base);

/* Checks the name and the REQUIRED functions of an own part. */
bool nnb__layer_complete(const nnb_layer_ops *ops);
/* Whether the net can have this own layer beside those that it has. */
nnb_status nnb__check_own_layer(const nnb_net *net, const nnb_layer_ops *ops);

#endif
