/* nn/norm.h: what the layers that normalise share.  Their block is [γ; β], one number each for a channel. */
#ifndef NNB__NORM_H
#define NNB__NORM_H

#include "layer.h"

/* Columns or channels that are worked on at once; and rows whose sum is one number of the precision, which is then
 * added in double. */
enum { NNB__NORM_TILE = 64, NNB__NORM_ROWS = 64 };

nnb_status nnb__norm_check(const nnb__norm *d, int n_from, const char *name);
/* init of a layer: γ ← 1. */
void nnb__norm_init(const void *self, real *w, nnb_rng *rng, real *scratch);
/* Passes on ∂E/∂γ and ∂E/∂β of n channels from c on. */
void nnb__norm_put(const nnb_sink *sink, int c, int n, const double *gain, const double *bias);

#endif
