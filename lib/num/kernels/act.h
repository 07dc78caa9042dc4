/* num/kernels/act.h: the activations: tables of functions over views (nnb_act_ops in extend.h). */
#ifndef NNB__ACT_H
#define NNB__ACT_H

#include "level.h"
#include "real.h"

/* The table of a built-in activation (0 … NNB_N_ACTIVATIONS-1). */
const nnb_act_ops *nnb__act(nnb_activation activation);

/* The tables of the level of this build. */
extern const nnb_act_ops NNB__ACTS[NNB_N_ACTIVATIONS];

#endif
