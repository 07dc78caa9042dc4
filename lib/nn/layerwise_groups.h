/* nn/layerwise_groups.h: gradients of narrow chains in the defined arithmetic, for plans that chain_blocks declines. */
#ifndef NNB__LAYERWISE_GROUPS_H
#define NNB__LAYERWISE_GROUPS_H

#include "plan_state.h"

/* backward_params of the dense node k in the order of docs/arithmetic.md: sums of groups of plan->group rows.  alpha is
 * 1, or the rows are one group. */
void nnb__layerwise_groups(const nnb_plan *plan, int k, const nnb_layer_io *io, nnb_sink sink);

#endif
