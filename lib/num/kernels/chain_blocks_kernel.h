/* num/kernels/chain_blocks_kernel.h: a block of rows through a whole chain while it stays in the first-level cache,
 * built once per level.
 *
 * A block is held as a structure of arrays: one row of `stride` samples for each feature, so that a vector holds as
 * many samples as it has lanes, however narrow a layer is.  With A: I×S and W: I×O,
 *
 *     Z = Wᵀ·A + b·1     Δ = f'∘(W_next·Δ_next)     dW = A·Δᵀ     db = Δ·1
 *
 * Δ takes the place of A, link by link, so that little memory is gone over.  Where the block is longer than its rows,
 * the last row is repeated with a weight of 0. */
#ifndef NNB__CHAIN_BLOCKS_KERNEL_H
#define NNB__CHAIN_BLOCKS_KERNEL_H

#include "chain.h"
#include "level.h"

/* What a chain's blocks look like; rows are counted in rows of `rows` samples from the start of a part's room. */
typedef struct nnb__chain_blocks {
  nnb__chain chain;
  int rows;         /* at most in a block; a multiple of NNB__CHAIN_BLOCKS_LANES */
  const int *a, *z; /* where A and Z of each link begin; the same where Z is overwritten by A */
  int x, t, weight; /* x; targets, then Δ of the last link; weights */
  size_t n_params;
} nnb__chain_blocks;

enum {
  NNB__CHAIN_BLOCKS_LANES = 64 / sizeof(real), /* of the widest vector of any level */
  NNB__CHAIN_BLOCKS_WIDEST = 64                /* features: more is for gemm */
};

/* Rows of a batch: as they lie from row0 on, or as order[row0 …] says. */
typedef struct nnb__chain_blocks_job {
  const real *params;
  const nnb_batch *batch;
  const int32_t *order;
  int row0;
  const real *x_shift, *x_factor; /* by column; NULL: as they lie */
  const real *t_shift, *t_factor;
  bool loss;
  real scale; /* of the slope of the loss */
  nnb_mat y;  /* p NULL, or where the outputs go, all rows of the job */
} nnb__chain_blocks_job;

/* Rows [r0, r0 + n) of the job: their undivided loss, their outputs, and unless g is NULL g ← their gradient.  room:
 * as laid out. */
typedef double nnb__chain_blocks_fn(const nnb__chain_blocks *layout, const nnb__chain_blocks_job *job, int r0, int n,
                                    real *room, real *g);

/* Of the level that is being built. */
extern nnb__chain_blocks_fn NNB__CHAIN_BLOCKS;

#endif
