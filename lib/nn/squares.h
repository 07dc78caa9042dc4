/* nn/squares.h: the factors of losses, and losses that are sums of squares. */
#ifndef NNB__SQUARES_H
#define NNB__SQUARES_H

#include "plan_state.h"

/* The factor of an output's summed loss: its weight, divided by the divisor of a mean. */
double nnb__pass_scale(const nnb__node *node, const nnb__state *s, double norm);
/* In the defined arithmetic: the losses before the job, and those of its rows one after the other, each the sum over
 * the outputs. */
nnb__loss_sum nnb__add_row_losses(const nnb_plan *plan, const nnb__job *job);
/* ∂r/∂a of a row of weight 1 of output k: √factor, including the loss's own factor. */
double nnb__output_root(const nnb_net *net, int k, double norm);

/* The factor of a loss of derivatives, relative to that of the outputs. */
double nnb__slope_scale(const nnb_net *net, const nnb_loss_ops *loss);
/* The number of residuals of each row of a batch: of the outputs, then of their derivatives, if these have targets. */
size_t nnb__n_residuals(const nnb_net *net, const nnb_batch *batch);

/* The first output whose loss is not a sum of squares, or NULL. */
const nnb__node *nnb__not_squares(const nnb_net *net);
/* NNB_E_UNSUPPORTED with a message unless the losses of all outputs are sums of squares. */
nnb_status nnb__check_squares(const nnb_net *net);
/* ∂r/∂a of a row of weight 1 in a column of the outputs: √c of r = √(c·weight)·(a - t), with the loss's own factor, the
 * output's factor, and the divisor of a mean. */
double nnb__net_root(const nnb_net *net, int column, double norm);

#endif
