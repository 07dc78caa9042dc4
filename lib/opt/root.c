/* opt/root.c: steps divided by the root of the squares of earlier gradients: Adagrad (Duchi, Hazan, Singer 2011) uses
 * their sum, RMSProp (Tieleman and Hinton 2012) their moving average.  The formulas are in num/kernels/steps.h. */
#include "kernels.h"
#include "optim.h"

/* ---- adagrad ---- */

static void adagrad_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->adagrad, s, w, g);
}

const nnb__optim_ops nnb__algo_adagrad = {
    .name = "adagrad", .lr = 0.01, .epsilon = 1e-10, .keeps = NNB__KEEP_S, .step = adagrad_step};

/* ---- rmsprop ---- */

static void rmsprop_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->rmsprop, s, w, g);
}

const nnb__optim_ops nnb__algo_rmsprop = {
    .name = "rmsprop", .lr = 0.001, .beta2 = 0.99, .epsilon = 1e-8, .keeps = NNB__KEEP_S, .step = rmsprop_step};
