/* num/block.h: what optimisers know about a net: the blocks of its parameters, and the destination of an update.  nn
 * writes it, opt reads it; neither sees the other. */
#ifndef NNB__BLOCK_H
#define NNB__BLOCK_H

#include "real.h"

/* One layer's parameters in the flat vector: [W; b], (rows + bias)×cols numbers from off. */
typedef struct nnb__block {
  size_t off;
  int rows, cols;
  bool bias;
  unsigned frozen; /* NNB_WEIGHTS, NNB_BIAS */
  bool kron;       /* its gradient is Aᵀ·Δ, so nnb__pairs has matrices */
  bool spared;     /* decay does not change the weights either, as for the bias: gains */
} nnb__block;

/* Some rows of a batch for one block of parameters: the gradient of row i is [a_i 1]ᵀ·δ_i. */
typedef struct nnb__pairs {
  int block, row, rows; /* rows [row, row + rows) of the requested ones */
  nnb_cmat a, delta;    /* B×I and B×O; a.p NULL: delta is one row, the gradient of the whole block */
  const real *weight;   /* of these rows, or NULL: all 1 */
} nnb__pairs;
typedef void nnb__pairs_fn(void *context, const nnb__pairs *pairs);

/* A hash of the shapes of blocks: FNV-1a (Fowler, Noll, Vo). */
static inline uint64_t nnb__shape_of_blocks(const nnb__block *blocks, int n) {
  uint64_t h = 0xCBF29CE484222325u;
  for (int i = 0; i < n; i++) {
    h = (h ^ (uint64_t)blocks[i].rows) * 0x100000001B3u;
    h = (h ^ (uint64_t)blocks[i].cols) * 0x100000001B3u;
    h = (h ^ (uint64_t)(blocks[i].bias + 2 * blocks[i].kron)) * 0x100000001B3u;
  }
  return h;
}

/* The destination of the parameter gradient, block by block: dst ← beta·dst + alpha·∂E/∂w.  An optimiser offers its own
 * memory (plain descent the weights themselves, with alpha = -η), or takes a gradient and makes its step from it. */
typedef struct nnb__target {
  real *dst; /* P numbers */
  real alpha;
  real beta, beta_bias; /* beta for what decays; beta_bias for b and for spared blocks */
  bool skip_frozen;     /* dst of frozen parameters does not change */
} nnb__target;

#endif
