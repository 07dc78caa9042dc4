/* opt/descent.c: plain gradient descent, momentum (Polyak 1964), Nesterov's (1983, as in Sutskever et al. 2013).
 * The formulas are in num/kernels/steps.h. */
#include "kernels.h"
#include "optim.h"

/* ---- sgd ---- */

static void sgd_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->sgd, s, w, g);
}

/* Into W itself: W ← (1 - ηλ)·W - η·dW in the product that forms dW */
static void sgd_offer(nnb_optim *o, real *w, nnb__target *t) {
  *t = (nnb__target){.dst = w, .alpha = (real)-o->lr, .beta = (real)(1 - o->lr * o->l2), .beta_bias = 1};
}

const nnb__optim_ops nnb__algo_sgd = {
    .name = "sgd", .traits = NNB__TRAIT_PLAIN, .lr = 0.1, .step = sgd_step, .offer = sgd_offer};

/* ---- momentum ---- */

static void momentum_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->momentum, s, w, g);
}

/* V ← μV + dW in the product that forms dW */
static void momentum_offer(nnb_optim *o, real *w, nnb__target *t) {
  (void)w;
  *t = (nnb__target){.dst = o->m, .alpha = 1, .beta = (real)o->momentum, .beta_bias = (real)o->momentum};
}

/* w ← (1 - ηλ)·w - η·v */
static void momentum_finish(nnb_optim *o, const nnb__segment *s, real *w) { sgd_step(o, s, w, o->m); }

const nnb__optim_ops nnb__algo_momentum = {.name = "momentum",
                                           .lr = 0.01,
                                           .momentum = 0.9,
                                           .keeps = NNB__KEEP_M,
                                           .step = momentum_step,
                                           .offer = momentum_offer,
                                           .finish = momentum_finish};

/* ---- nesterov ---- */

static void nesterov_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  nnb__optim_run(o, nnb__kernel()->steps->nesterov, s, w, g);
}

const nnb__optim_ops nnb__algo_nesterov = {
    .name = "nesterov", .lr = 0.01, .momentum = 0.9, .keeps = NNB__KEEP_M, .step = nesterov_step};
