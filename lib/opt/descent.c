/* opt/descent.c: plain gradient descent, momentum (Polyak 1964), Nesterov's (1983, as in Sutskever et al. 2013).
 * η: lr, μ: momentum, λ: l2, applied apart from the gradient (Loshchilov and Hutter 2019): w ← (1 - ηλ)·w - …  */
#include "optim.h"

/* What a segment's numbers are multiplied by in a step. */
static real keep_factor(const nnb_optim *o, const nnb__segment *s) {
  return (real)(s->weights ? 1 - o->lr * o->l2 : 1);
}

/* ---- sgd ---- */

static void sgd_step(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w, const real *g) {
  const real lr = (real)o->lr;
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++) {
      const real keep = keep_factor(o, &seg[s]);
      for (size_t i = seg[s].off; i < seg[s].off + seg[s].n; i++) w[i] = keep * w[i] - lr * g[i];
    }
}

/* W itself: W ← (1 - ηλ)·W - η·dW in the product that forms dW */
static void sgd_offer(nnb_optim *o, real *w, nnb__target *t) {
  *t = (nnb__target){.dst = w, .alpha = (real)-o->lr, .beta = (real)(1 - o->lr * o->l2), .beta_bias = 1};
}

const nnb__optim_ops nnb__algo_sgd = {.name = "sgd", .lr = 0.1, .step = sgd_step, .offer = sgd_offer};

/* ---- momentum ---- */

/* w ← (1 - ηλ)·w - η·v */
static void momentum_finish(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w) {
  sgd_step(o, blocks, n_blocks, w, o->v);
}

static void momentum_step(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w, const real *g) {
  const real mu = (real)o->momentum;
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      for (size_t i = seg[s].off; i < seg[s].off + seg[s].n; i++) o->v[i] = mu * o->v[i] + g[i];
  momentum_finish(o, blocks, n_blocks, w);
}

/* V ← μV + dW in the product that forms dW */
static void momentum_offer(nnb_optim *o, real *w, nnb__target *t) {
  (void)w;
  *t = (nnb__target){.dst = o->v, .alpha = 1, .beta = (real)o->momentum, .beta_bias = (real)o->momentum};
}

const nnb__optim_ops nnb__algo_momentum = {.name = "momentum",
                                           .lr = 0.01,
                                           .has_velocity = true,
                                           .step = momentum_step,
                                           .offer = momentum_offer,
                                           .finish = momentum_finish};

/* ---- nesterov ---- */

/* v ← μv + g, w ← (1 - ηλ)·w - η(g + μv) */
static void nesterov_step(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w, const real *g) {
  const real mu = (real)o->momentum, lr = (real)o->lr;
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++) {
      const real keep = keep_factor(o, &seg[s]);
      for (size_t i = seg[s].off; i < seg[s].off + seg[s].n; i++) {
        o->v[i] = mu * o->v[i] + g[i];
        w[i] = keep * w[i] - lr * (g[i] + mu * o->v[i]);
      }
    }
}

const nnb__optim_ops nnb__algo_nesterov = {.name = "nesterov", .lr = 0.01, .has_velocity = true, .step = nesterov_step};
