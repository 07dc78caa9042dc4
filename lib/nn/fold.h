/* nn/fold.h: nets for predictions alone (nnb_net_fold). */
#ifndef NNB__FOLD_H
#define NNB__FOLD_H

#include "net.h"

/* Whether nnb_net_fold may make another net of it. */
bool nnb__net_folds(const nnb_net *net);

#endif
