/* train/match.h: whether data fits the data that the net was trained on. */
#ifndef NNB__MATCH_H
#define NNB__MATCH_H

#include "real.h"

/* Compares data of the net's shape with the sealed net: NNB_E_SHAPE if a class or a column has different names in both,
 * NNB_E_ARG for a target outside 0 … 1 if the loss takes probabilities.  O(N). */
nnb_status nnb__check_match(const nnb_net *net, const nnb_data *data);

#endif
