/* num/loss.h: the losses: tables of functions over views (nnb_loss_ops in extend.h). */
#ifndef NNB__LOSS_H
#define NNB__LOSS_H

#include "real.h"

/* The table row of a built-in loss other than NNB_LOSS_AUTO. */
const nnb_loss_ops *nnb__loss(nnb_loss loss);

#endif
