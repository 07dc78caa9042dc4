/* train/match.h: whether data fits the data that the net was trained on. */
#ifndef NNB__MATCH_H
#define NNB__MATCH_H

#include "real.h"
#include "source.h"

/* Compares data of the net's shape with the sealed net: NNB_E_SHAPE if a class or a column has different names in both,
 * NNB_E_ARG for a target outside 0 … 1 if the loss takes probabilities.  O(N). */
nnb_status nnb__check_match(const nnb_net *net, const nnb_data *data);

/* Rows row0 … of data, whose shape and names suit the sealed net, for a run; those of a source are checked as
 * nnb__check_match and nnb__check_batch check the others.  A view until the window's next call. */
nnb_status nnb__fetch(const nnb_net *net, nnb__window *window, int row0, int n, nnb_batch *out);
/* Checks rows that came from a source, of which row0 is the first. */
nnb_status nnb__check_fetched(const nnb_net *net, const nnb_batch *rows, int row0);

#endif
