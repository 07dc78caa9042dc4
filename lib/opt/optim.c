/* opt/optim.c: what all optimisers share. */
#include "optim.h"

#include <assert.h>

#include "alloc.h"
#include "blas.h"
#include "status.h"

static const nnb__optim_ops *const algos[] = {
    [NNB_AUTO] = &nnb__algo_nesterov,
#define ALGO(name) &nnb__algo_##name,
#include "algos.def"
#undef ALGO
};
static_assert(sizeof algos / sizeof *algos == NNB_N_ALGOS, "one row of algos.def for each of NNB_ALGO_LIST");

const nnb__optim_ops *nnb__optim_find(nnb_algo algo) {
  if ((int)algo >= 0 && algo < NNB_N_ALGOS) return algos[algo];
  nnb__fail(NNB_E_ARG, "there is no algorithm %d", (int)algo);
  return NULL;
}

static nnb_status check(const nnb_optim_opts *o) {
  const nnb__optim_ops *ops = nnb__optim_find(o->algo);
  if (!ops) return NNB_E_ARG;
  if (!ops->step)
    return nnb__fail(NNB_E_ARG,
                     "%s does not step from one batch to the next; nnb_fit takes it, for the full batch, and %s",
                     ops->name, ops->minimize ? "nnb_minimize" : "nnb_least_squares");
  if (!(o->lr >= 0) || isinf(o->lr))
    return nnb__fail(NNB_E_ARG, "lr is %g; it must be positive, or 0 for the default", o->lr);
  if (!(o->momentum == NNB_NONE || (o->momentum >= 0 && o->momentum < 1)))
    return nnb__fail(NNB_E_ARG, "momentum is %g; it must be at least 0 and below 1, or NNB_NONE", o->momentum);
  if (!(o->l1 >= 0) || isinf(o->l1)) return nnb__fail(NNB_E_ARG, "l1 is %g; it must not be negative", o->l1);
  if (!(o->l2 >= 0) || isinf(o->l2)) return nnb__fail(NNB_E_ARG, "l2 is %g; it must not be negative", o->l2);
  if (!(o->clip_norm >= 0)) return nnb__fail(NNB_E_ARG, "clip_norm is %g; it must not be negative", o->clip_norm);
  return NNB_OK;
}

static void resolve(nnb_optim *optim, const nnb_optim_opts *o) {
  optim->algo = o->algo == NNB_AUTO ? NNB_NESTEROV : o->algo;
  optim->ops = algos[o->algo];
  optim->lr = o->lr > 0 ? o->lr : optim->ops->lr;
  optim->momentum = o->momentum == NNB_NONE ? 0 : o->momentum > 0 ? o->momentum : 0.9;
  optim->l1 = o->l1, optim->l2 = o->l2, optim->clip_norm = o->clip_norm;
}

nnb_status nnb__optim_create(size_t n_params, const nnb_optim_opts *opts, nnb_optim **out) {
  static const nnb_optim_opts defaults = {0};
  *out = NULL;
  if (!opts) opts = &defaults;
  nnb_status status = check(opts);
  if (status) return status;
  nnb_optim *optim = nnb__zalloc(1, sizeof *optim);
  if (!optim) return nnb__fail_nomem("an optimiser");
  resolve(optim, opts);
  optim->n_params = n_params;
  optim->g = nnb__alloc(n_params, sizeof *optim->g);
  if (optim->ops->has_velocity) optim->v = nnb__zalloc(n_params, sizeof *optim->v);
  if (!optim->g || (optim->ops->has_velocity && !optim->v)) {
    nnb_optim_destroy(optim);
    return nnb__fail_nomem("an optimiser");
  }
  *out = optim;
  return NNB_OK;
}

void nnb_optim_destroy(nnb_optim *optim) {
  if (!optim) return;
  nnb__release(optim->g);
  nnb__release(optim->v);
  nnb__release(optim);
}

nnb_status nnb_optim_set_lr(nnb_optim *optim, double lr) {
  if (!optim) return nnb__fail(NNB_E_ARG, "optim is NULL");
  if (!(lr > 0) || isinf(lr)) return nnb__fail(NNB_E_ARG, "lr is %g; it must be finite and positive", lr);
  optim->lr = lr;
  return NNB_OK;
}

int nnb__block_segments(const nnb__block *block, nnb__segment out[2]) {
  size_t n_weights = (size_t)block->rows * (size_t)block->cols;
  int n = 0;
  if (n_weights && !(block->frozen & NNB_WEIGHTS)) out[n++] = (nnb__segment){block->off, n_weights, true};
  if (block->bias && !(block->frozen & NNB_BIAS))
    out[n++] = (nnb__segment){block->off + n_weights, (size_t)block->cols, false};
  return n;
}

void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w) {
  const real by = (real)(optim->lr * optim->l1);
  nnb__segment seg[2];
  if (by == 0) return;
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      for (size_t i = seg[s].off; seg[s].weights && i < seg[s].off + seg[s].n; i++)
        w[i] = R(copysign)(R(fmax)(R(fabs)(w[i]) - by, 0), w[i]);
}

/* g ← g·min(1, clip/‖g‖) over what is not frozen */
static void clip(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *g) {
  double squares = 0;
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      squares += nnb__sum_squares(seg[s].n, g + seg[s].off);
  double norm = sqrt(squares);
  if (!(norm > optim->clip_norm)) return;
  const real factor = (real)(optim->clip_norm / norm);
  for (size_t i = 0; i < optim->n_params; i++) g[i] *= factor;
}

void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g) {
  if (optim->clip_norm > 0) clip(optim, blocks, n_blocks, g);
  optim->ops->step(optim, blocks, n_blocks, w, g);
  nnb__shrink(optim, blocks, n_blocks, w);
}

bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target) {
  if (optim->clip_norm > 0 || !optim->ops->offer) return false;
  optim->ops->offer(optim, w, target);
  target->skip_frozen = true;
  return target->dst != w || chunks == 1;
}

void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w) {
  if (optim->ops->finish) optim->ops->finish(optim, blocks, n_blocks, w);
  nnb__shrink(optim, blocks, n_blocks, w);
}
