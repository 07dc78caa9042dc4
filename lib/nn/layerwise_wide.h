/* nn/layerwise_wide.h: layer-by-layer runs that share wide layers out by columns. */
#ifndef NNB__LAYERWISE_WIDE_H
#define NNB__LAYERWISE_WIDE_H

#include "pass.h"

/* Whether some layer is wide enough, for the rows of the job. */
bool nnb__layerwise_wide_suits(const nnb__pass *p);
/* The rows in, forward, loss, and back to every Δ. */
void nnb__layerwise_wide_run(const nnb__pass *p);

#endif
