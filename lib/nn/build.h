/* nn/build.h: adding nodes to a net. */
#ifndef NNB__BUILD_H
#define NNB__BUILD_H

#include "net.h"

/* Adds a node behind checked arguments; the one way in for all builders.  name NULL: base and a number. */
int nnb__net_append(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n_from,
                    int activation, unsigned frozen, const char *name, const char *base);

/* A name and the REQUIRED functions are there. */
bool nnb__layer_complete(const nnb_layer_ops *ops);

#endif
