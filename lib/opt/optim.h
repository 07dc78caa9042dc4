/* opt/optim.h: optimisers.  They know vectors and blocks of parameters, and nothing of networks. */
#ifndef NNB__OPTIM_H
#define NNB__OPTIM_H

#include "block.h"

typedef struct nnb__optim_ops {
  const char *name;
  double lr;         /* the default learning rate */
  bool has_velocity; /* wants a vector of P numbers, zero at first */
  /* REQUIRED */
  /* One step of w against the gradient g. */
  void (*step)(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, const real *g);
  /* OPTIONAL: NULL means the words in brackets */
  /* Offers a place for the gradient to be formed in.  [wants a gradient] */
  void (*offer)(nnb_optim *optim, real *w, nnb__target *target);
  /* What is left to do once it has been formed there.  [nothing] */
  void (*finish)(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);
} nnb__optim_ops;

struct nnb_optim {
  const nnb__optim_ops *ops;
  nnb_algo algo; /* never NNB_AUTO */
  double lr, momentum, l1, l2, clip_norm;
  size_t n_params;
  real *g; /* a gradient of the optimiser's own, for the training calls */
  real *v; /* velocity, or NULL */
};

#define ALGO(name) extern const nnb__optim_ops nnb__algo_##name;
#include "algos.def"
#undef ALGO

/* NNB_E_ARG for settings that make no sense, NNB_E_NOMEM. */
nnb_status nnb__optim_create(size_t n_params, const nnb_optim_opts *opts, nnb_optim **out);

/* Clips g (in place) where that was asked for, and steps. */
void nnb__optim_step(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w, real *g);

/* A place to form the gradient in, or false: then g of the optimiser is to be filled, and nnb__optim_step called.
 * chunks: over how many runs the gradient is gathered; the weights themselves must not change in between. */
bool nnb__optim_offer(nnb_optim *optim, real *w, int chunks, nnb__target *target);
void nnb__optim_finish(nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

/* A run of parameters that are treated alike. */
typedef struct nnb__segment {
  size_t off, n;
  bool weights; /* they decay; biases do not */
} nnb__segment;

/* The up to two segments of a block that are not frozen; their number. */
int nnb__block_segments(const nnb__block *block, nnb__segment out[2]);

/* w ← sign(w)·max(|w| - eta·l1, 0) on all weights that are not frozen: the proximal step of η·l1·|w| (Duchi and Singer
 * 2009). */
void nnb__shrink(const nnb_optim *optim, const nnb__block *blocks, int n_blocks, real *w);

#endif
