/* nn/layerwise_wide.h: layer-by-layer runs that divide wide layers by columns. */
#ifndef NNB__LAYERWISE_WIDE_H
#define NNB__LAYERWISE_WIDE_H

#include "pass.h"

/* Whether a layer is wide enough, compared with the rows of the job. */
bool nnb__layerwise_wide_suits(const nnb__pass *p);
/* Loads the rows, and computes forward, the loss, and back to every Δ. */
void nnb__layerwise_wide_run(const nnb__pass *p);

#endif
