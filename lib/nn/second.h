/* nn/second.h: derivatives along directions of x, carried forward, and derivatives of these, carried back. */
#ifndef NNB__SECOND_H
#define NNB__SECOND_H

#include "pass.h"

/* NNB_E_UNSUPPORTED, with the node, where a layer or an activation has no second derivatives; order: of the derivatives
 * that are carried back. */
nnb_status nnb__check_second(const nnb_net *net, int order);

/* The same for targets of derivatives, and where losses do not take them. */
nnb_status nnb__check_slopes(const nnb_net *net);

/* With targets of derivatives, after the forward pass of rows [r0, r0 + n): adds their losses, and goes back to every Δ
 * if the run does. */
void nnb__pass_slopes(const nnb__pass *p, int part, int r0, int n);
/* Adds the part of them to the parameter gradient of node k, which has that of the outputs. */
void nnb__pass_slope_params(const nnb__pass *p, int k, nnb_layer_io *io, nnb_sink sink, int part);
/* Residuals of the derivatives and rows of J, after those of the outputs. */
void nnb__pass_slope_rows(const nnb__pass *p, int part, int r0, int n);

/* After the forward pass of rows [r0, r0 + n): the job's Hessian times vector, or its Taylor coefficients. */
void nnb__pass_second(const nnb__pass *p, int part, int r0, int n);

#endif
