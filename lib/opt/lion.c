/* opt/lion.c: Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms").  The formula is in
 * num/kernels/steps.h.
 */
#include "kernels.h"
#include "optim.h"

static void lion_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->lion, s, w, g);
}

const nnb__optim_ops nnb__algo_lion = {
    .name = "lion", .lr = 1e-4, .beta1 = 0.9, .beta2 = 0.99, .keeps = NNB__KEEP_M, .step = lion_step};
