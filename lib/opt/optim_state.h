/* opt/optim_state.h: the state of an optimiser in a bag, beside the net that it trains. */
#ifndef NNB__OPTIM_STATE_H
#define NNB__OPTIM_STATE_H

#include "optim.h"
#include "state.h"

/* Every number and array that the next update depends on. */
void nnb__optim_visit(nnb_optim *optim, nnb__visitor *state);

/* Puts options and state into a bag, whose tensors borrow the optimiser's memory. */
nnb_status nnb__optim_put(nnb_optim *optim, nnb__bag *bag);
/* Whether a bag from a file has the state of an optimiser with the same options: NNB_E_ARG, NNB_E_PARSE.  Changes
 * nothing. */
nnb_status nnb__optim_check(nnb_optim *optim, const nnb__bag *bag);
/* Loads a state that was checked. */
void nnb__optim_take(nnb_optim *optim, const nnb__bag *bag);

#endif
