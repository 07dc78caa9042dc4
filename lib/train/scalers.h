/* train/scalers.h: scalers of a net from the statistics of data. */
#ifndef NNB__SCALERS_H
#define NNB__SCALERS_H

#include "net.h"

/* Replaces the scaler of the inputs or of the targets, also that of a sealed net, which must be the caller's own. */
nnb_status nnb__scale(nnb_net *net, const nnb_data *data, bool targets, nnb_scaling scaling);

#endif
