/* nn/derivatives.h: derivatives of the outputs by the inputs, as further rows of the layers' products. */
#ifndef NNB__DERIVATIVES_H
#define NNB__DERIVATIVES_H

#include "pass.h"

/* NNB_E_UNSUPPORTED, with the name of the node, where a layer or activation has no derivative along a direction. */
nnb_status nnb__check_tangents(const nnb_net *net);
/* After the forward pass of rows [r0, r0 + n): their Jacobians, or derivatives along the job's directions. */
void nnb__pass_derivatives(const nnb__pass *p, int part, int r0, int n);

#endif
