/* train/match.h: whether data mean to a net what the net was made for. */
#ifndef NNB__MATCH_H
#define NNB__MATCH_H

#include "real.h"

/* Data of the net's shape against the sealed net: NNB_E_SHAPE where both name a class or a column and the names differ,
 * NNB_E_ARG for a target outside 0 … 1 where the loss takes probabilities.  O(N). */
nnb_status nnb__check_match(const nnb_net *net, const nnb_data *data);

#endif
