/* train/curved.h: an update by K-FAC. */
#ifndef NNB__CURVED_H
#define NNB__CURVED_H

#include "update.h"

/* Makes one update, with an optimiser that needs pairs; returns the loss before it. */
nnb__loss_sum nnb__update_curved(const nnb__update *u);

#endif
