/* opt/optim.c: the code that all optimisers share. */
#include "optim.h"

#include "alloc.h"
#include "blas.h"
#include "elementary.h"
#include "kernels.h"
#include "status.h"

/* *o ← the options, checked and with the defaults of their list; *ops ← the row of the method. */
static nnb_status complete(const nnb_optim_opts *opts, nnb_optim_opts *o, const nnb__optim_ops **ops) {
  *o = opts ? *opts : (nnb_optim_opts){0};
  nnb_status status = nnb__opts_check(NNB__OPTIM_OPTS, o);
  if (status) return status;
  o->algo = nnb__optim_algo(o->algo, NNB__TRAIT_STEPS);
  *ops = nnb__optim_find(o->algo);
  if (!nnb__optim_has(*ops, NNB__TRAIT_STEPS))
    return nnb__fail(NNB_E_ARG, "%s does not step from batch to batch; use nnb_fit, with the full batch, or %s",
                     (*ops)->name, (*ops)->minimize ? "nnb_minimize" : "nnb_least_squares");
  status = nnb__opts_check_taken(NNB__OPTIM_OPTS, o, nnb__optim_traits(*ops), (*ops)->name);
  nnb__opts_complete(NNB__OPTIM_OPTS, o, nnb__optim_traits(*ops));
  return status;
}

/* 0: the default of the method; NNB_NONE: 0. */
static double or_default(double value, double usual) { return value == NNB_NONE ? 0 : value > 0 ? value : usual; }

static void resolve(nnb_optim *optim, const nnb_optim_opts *o) {
  const nnb__optim_ops *ops = optim->ops = nnb__optim_find(o->algo);
  optim->algo = o->algo;
  optim->opts = *o;
  optim->seed = o->seed;
  optim->base_lr = or_default(o->lr, ops->lr);
  optim->momentum = or_default(o->momentum, ops->momentum);
  optim->beta1 = or_default(o->beta1, ops->beta1), optim->beta2 = or_default(o->beta2, ops->beta2);
  optim->epsilon = or_default(o->epsilon, ops->epsilon);
  optim->l1 = o->l1, optim->l2 = or_default(o->l2, ops->l2), optim->clip_norm = o->clip_norm;
  optim->ema = or_default(o->ema, 0);
  optim->product = 1;
}

/* The largest scratch of a segment, frozen ones included, because they may be trained later. */
static bool scratch_size(const nnb__optim_ops *ops, const nnb__block *blocks, int n_blocks, size_t *out) {
  *out = 0;
  for (int b = 0; b < n_blocks && ops->scratch; b++) {
    nnb__block thawed = blocks[b];
    nnb__segment seg[2];
    thawed.frozen = 0;
    for (int s = 0, n = nnb__block_segments(&thawed, seg); s < n; s++) {
      size_t wanted = 0;
      if (!ops->scratch(&seg[s], &wanted)) return false;
      if (wanted > *out) *out = wanted;
    }
  }
  return true;
}

/* *out ← n zeros, if wanted; false if out of memory. */
static bool keep(bool wanted, size_t n, real **out) {
  if (wanted) *out = nnb__zalloc(n, sizeof **out);
  return !wanted || *out;
}

static bool allocate(nnb_optim *o, size_t scratch) {
  size_t n = o->n_params;
  unsigned keeps = o->ops->keeps;
  o->g = nnb__alloc(n, sizeof *o->g); /* not touched: where a gradient is formed elsewhere its pages stay unused */
  return o->g && keep(keeps & NNB__KEEP_M, n, &o->m) && keep(keeps & NNB__KEEP_S, n, &o->s) &&
         keep(keeps & NNB__KEEP_TOP, n, &o->top) && keep(o->ema > 0, n, &o->mean) &&
         keep(scratch > 0, scratch, &o->scratch);
}

nnb_status nnb__optim_create(size_t n_params, const nnb__block *blocks, int n_blocks, const nnb_optim_opts *opts,
                             nnb_optim **out) {
  nnb_optim_opts o;
  const nnb__optim_ops *ops;
  nnb__schedule schedule;
  size_t scratch;
  *out = NULL;
  nnb_status status = complete(opts, &o, &ops);
  if (!status) status = nnb__schedule_init(&schedule, &o);
  if (status) return status;
  nnb_optim *optim = nnb__zalloc(1, sizeof *optim);
  if (!optim) return nnb__fail_nomem("an optimiser");
  resolve(optim, &o);
  if (o.lr_min > optim->base_lr) {
    nnb_status refused =
        nnb__fail(NNB_E_ARG, "lr_min is %g; wanted at most %g, the learning rate", o.lr_min, optim->base_lr);
    nnb_optim_destroy(optim);
    return refused;
  }
  optim->schedule = schedule;
  optim->threads = nnb_get_threads();
  optim->lr = nnb__schedule_lr(&schedule, optim->base_lr, 0);
  optim->n_params = n_params;
  optim->shape = nnb__shape_of_blocks(blocks, n_blocks);
  if (!scratch_size(optim->ops, blocks, n_blocks, &scratch)) {
    nnb_optim_destroy(optim);
    return nnb__fail(NNB_E_OVERFLOW, "a layer is too large for %s", ops->name);
  }
  if (!allocate(optim, scratch)) {
    nnb_optim_destroy(optim);
    return nnb__fail_nomem("an optimiser");
  }
  if (optim->ops->open && (status = optim->ops->open(optim, blocks, n_blocks, &o))) {
    nnb_optim_destroy(optim);
    return status;
  }
  *out = optim;
  return NNB_OK;
}

void nnb_optim_destroy(nnb_optim *optim) {
  if (!optim) return;
  if (optim->ops->close) optim->ops->close(optim);
  real *all[] = {optim->g, optim->m, optim->s, optim->top, optim->mean, optim->scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) nnb__release(all[i]);
  nnb__release(optim);
}

nnb_status nnb_optim_set_lr(nnb_optim *optim, double lr) {
  if (!optim) return nnb__fail(NNB_E_ARG, "optim is NULL");
  if (!(lr > 0) || isinf(lr)) return nnb__fail(NNB_E_ARG, "lr is %g; wanted a finite positive number", lr);
  optim->base_lr = lr;
  if (optim->updates == 0) optim->lr = nnb__schedule_lr(&optim->schedule, lr, 0);
  return NNB_OK;
}

double nnb_optim_lr(const nnb_optim *optim) { return optim ? optim->lr : 0; }

nnb_status nnb_optim_epoch(nnb_optim *optim, double loss) {
  if (!optim) return nnb__fail(NNB_E_ARG, "optim is NULL");
  nnb__schedule_epoch(&optim->schedule, loss);
  return NNB_OK;
}

void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w) {
  const real by = (real)(optim->lr * optim->l1);
  nnb__segment seg[2];
  if (by == 0) return;
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      for (size_t i = seg[s].off; seg[s].decays && i < seg[s].off + seg[s].n; i++)
        w[i] = R(copysign)(R(fmax)(R(fabs)(w[i]) - by, 0), w[i]);
}

void nnb__optim_clip(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *g) {
  double squares = 0;
  nnb__segment seg[2];
  if (!(optim->clip_norm > 0)) return;
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      squares += nnb__sum_squares(seg[s].n, g + seg[s].off);
  double norm = sqrt(squares);
  if (!(norm > optim->clip_norm)) return;
  const real factor = (real)(optim->clip_norm / norm);
  for (size_t i = 0; i < optim->n_params; i++) g[i] *= factor;
}

void nnb__optim_begin(nnb_optim *o) {
  o->lr = nnb__schedule_lr(&o->schedule, o->base_lr, o->updates);
  o->updates++;
  o->rates = (nnb__rates){.lr = (real)o->lr,
                          .mu = (real)o->momentum,
                          .beta1 = (real)o->beta1,
                          .fresh1 = (real)(1 - o->beta1),
                          .beta2 = (real)o->beta2,
                          .fresh2 = (real)(1 - o->beta2),
                          .eps = (real)o->epsilon};
  if (o->ops->begin) o->ops->begin(o);
}

void nnb__optim_end(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w) {
  nnb__shrink(o, blocks, n_blocks, w);
  if (!o->mean) return;
  double share = (1 - o->ema) / (1 - nnb__pow(o->ema, (double)o->updates));
  nnb__kernel()->steps->average(o->n_params, (real)share, w, o->mean);
}

void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g) {
  nnb__segment seg[2];
  nnb__optim_clip(optim, blocks, n_blocks, g);
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++) optim->ops->step(optim, &seg[s], w, g);
  nnb__optim_end(optim, blocks, n_blocks, w);
}

bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target) {
  if (optim->clip_norm > 0 || !optim->ops->offer) return false;
  optim->ops->offer(optim, w, target);
  target->skip_frozen = true;
  return target->dst != w || chunks == 1;
}

void nnb__optim_apply(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w) {
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks && optim->ops->finish; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++) optim->ops->finish(optim, &seg[s], w);
}

void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w) {
  nnb__optim_apply(optim, blocks, n_blocks, w);
  nnb__optim_end(optim, blocks, n_blocks, w);
}

bool nnb__optim_is_plain(const nnb_optim *o) {
  return nnb__optim_has(o->ops, NNB__TRAIT_PLAIN) && o->clip_norm == 0 && o->l1 == 0 && !o->mean;
}

nnb_status nnb__optim_exchange(nnb_optim *o, real *w) {
  if (!o->mean) return nnb__fail(NNB_E_STATE, "the optimiser keeps no average; set .ema");
  if (o->updates == 0) return nnb__fail(NNB_E_STATE, "there is no average before the first update");
  for (size_t i = 0; i < o->n_params; i++) {
    real held = w[i];
    w[i] = o->mean[i], o->mean[i] = held;
  }
  o->exchanged = !o->exchanged;
  return NNB_OK;
}
