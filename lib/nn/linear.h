/* nn/linear.h: parameters that the outputs are linear in. */
#ifndef NNB__LINEAR_H
#define NNB__LINEAR_H

#include "net.h"

/* Node k is an output that is linear in its own parameters, which nothing else depends on. */
bool nnb__is_linear_output(const nnb_net *net, int k);
/* linear (may be NULL) ← for each parameter that is not frozen whether it is one of those; their number. */
size_t nnb__linear_params(const nnb_net *net, bool *linear);

#endif
