/* num/block.h: what the optimisers know of a net: where its parameters lie, and where an update goes.  nn fills it in,
 * opt reads it; neither sees the other. */
#ifndef NNB__BLOCK_H
#define NNB__BLOCK_H

#include "real.h"

/* One layer's parameters in the flat vector: [W; b], (rows + bias)×cols numbers from off. */
typedef struct nnb__block {
  size_t off;
  int rows, cols;
  bool bias;
  unsigned frozen; /* NNB_WEIGHTS, NNB_BIAS */
  bool kron;       /* its gradient is Aᵀ·Δ: there are pairs */
  bool spared;     /* decay leaves the weights alone too, as it does the bias: gains */
} nnb__block;

/* Rows of a batch as one block of parameters sees them: the gradient of row i is [a_i 1]ᵀ·δ_i. */
typedef struct nnb__pairs {
  int block, row, rows; /* rows [row, row + rows) of those asked for */
  nnb_cmat a, delta;    /* B×I and B×O; a.p NULL: delta is one row, the gradient of the whole block */
  const real *weight;   /* of these rows, or NULL for 1 */
} nnb__pairs;
typedef void nnb__pairs_fn(void *context, const nnb__pairs *pairs);

/* A number that tells the shapes of blocks apart: FNV-1a (Fowler, Noll, Vo) over them. */
static inline uint64_t nnb__shape_of_blocks(const nnb__block *blocks, int n) {
  uint64_t h = 0xCBF29CE484222325u;
  for (int i = 0; i < n; i++) {
    h = (h ^ (uint64_t)blocks[i].rows) * 0x100000001B3u;
    h = (h ^ (uint64_t)blocks[i].cols) * 0x100000001B3u;
    h = (h ^ (uint64_t)(blocks[i].bias + 2 * blocks[i].kron)) * 0x100000001B3u;
  }
  return h;
}

/* Where the parameter gradient goes, block by block: dst ← beta·dst + alpha·∂E/∂w.  An optimiser offers its own memory
 * (plain descent the weights themselves, with alpha = -η) or takes a gradient and makes its step from that. */
typedef struct nnb__target {
  real *dst; /* P numbers */
  real alpha;
  real beta, beta_bias; /* what decays; the row of b and blocks that are spared */
  bool skip_frozen;     /* dst of frozen parameters stays as it is */
} nnb__target;

#endif
