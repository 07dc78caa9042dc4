/* train/curved.h: an update by an optimiser that sees curvature. */
#ifndef NNB__CURVED_H
#define NNB__CURVED_H

#include "update.h"

/* With an optimiser that wants pairs; the loss before the update. */
nnb__loss_sum nnb__update_curved(const nnb__update *u);

#endif
