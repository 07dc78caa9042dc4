/* nn/look.h: results of the last run of a plan. */
#ifndef NNB__LOOK_H
#define NNB__LOOK_H

#include "plan_state.h"

/* y ← the outputs of the last run with NNB__OUTPUT, in the data's units. */
void nnb__plan_outputs(const nnb_plan *plan, nnb_mat y);
/* dx ← ∂E/∂x of the last run with NNB__BACK of a plan that wants NNB_DX, in the data's units. */
void nnb__plan_input_gradient(const nnb_plan *plan, nnb_mat dx);

#endif
