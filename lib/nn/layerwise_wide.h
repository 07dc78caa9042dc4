/* nn/layerwise_wide.h: layer-by-layer runs that divide layers by columns. */
#ifndef NNB__LAYERWISE_WIDE_H
#define NNB__LAYERWISE_WIDE_H

#include "pass.h"

/* Whether any layer is divided by columns. */
bool nnb__layerwise_wide_divides(const nnb__pass *p);
/* Whether this is the way to run the first phase. */
bool nnb__layerwise_wide_suits(const nnb__pass *p);
/* Loads the rows, and computes forward, the loss, and back to every Δ. */
void nnb__layerwise_wide_run(const nnb__pass *p);
/* Whether the gradient of node k's parameters is divided by columns of W. */
bool nnb__layerwise_wide_owns(const nnb__pass *p, int k);
/* The gradient of node k's parameters for the columns of a part. */
void nnb__layerwise_wide_params(const nnb__pass *p, int k, const nnb_sink *sink, int part);

#endif
