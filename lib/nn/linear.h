/* nn/linear.h: the parameters in which the outputs are linear. */
#ifndef NNB__LINEAR_H
#define NNB__LINEAR_H

#include "net.h"

/* Whether node k is an output that is linear in its own parameters, and no other node depends on it. */
bool nnb__is_linear_output(const nnb_net *net, int k);
/* linear[i] ← whether the i-th parameter that is not frozen is one of those; linear may be NULL.  Returns their
 * number. */
size_t nnb__linear_params(const nnb_net *net, bool *linear);

#endif
