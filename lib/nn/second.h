/* nn/second.h: derivatives along directions of x, carried forward, and derivatives of these, carried back. */
#ifndef NNB__SECOND_H
#define NNB__SECOND_H

#include "pass.h"

/* NNB_E_UNSUPPORTED, with the node, where a layer or an activation has no second derivatives; order: of the derivatives
 * that are carried back. */
nnb_status nnb__check_second(const nnb_net *net, int order);

/* After the forward pass of rows [r0, r0 + n): the job's Hessian times vector, or its Taylor coefficients. */
void nnb__pass_second(const nnb__pass *p, int part, int r0, int n);

#endif
