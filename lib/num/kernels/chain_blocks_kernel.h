/* num/kernels/chain_blocks_kernel.h: takes a block of rows through a whole chain while it stays in the first-level
 * cache, or for images in the second-level cache.  Built once per level.
 *
 * A block is a structure of arrays: one row of `stride` samples for each feature, so a vector has as many samples as it
 * has lanes, however narrow a layer is.  With A: I×S and W: I×O,
 *
 *     Z = Wᵀ·A + b·1     Δ = f'∘(W_next·Δ_next)     dW = A·Δᵀ     db = Δ·1
 *
 * in a dense link; num/kernels/image_vec.h has those of images.  Δ overwrites A, link by link, so little memory is
 * touched.  If the block is longer than its rows, the last row is repeated with a weight of 0. */
#ifndef NNB__CHAIN_BLOCKS_KERNEL_H
#define NNB__CHAIN_BLOCKS_KERNEL_H

#include "chain.h"
#include "level.h"

/* The layout of a chain's blocks, in rows of `rows` samples from the start of a part's workspace. */
typedef struct nnb__chain_blocks {
  nnb__chain chain;
  int rows;         /* maximum in a block; a multiple of NNB__CHAIN_BLOCKS_LANES */
  const int *a, *z; /* first row of A and Z of each link; the same if A overwrites Z */
  int x, t, weight; /* x; targets, then Δ of the last link; weights */
  int back;         /* ∂E/∂A of one link */
  int first;        /* the first link with parameters: derivatives go back to it */
  size_t n_params;
} nnb__chain_blocks;

enum {
  NNB__CHAIN_BLOCKS_LANES = 64 / sizeof(real), /* of the widest vector of any level */
  NNB__CHAIN_BLOCKS_WIDEST = 64,               /* features of chains without images; wider layers use gemm */
  /* In the defined arithmetic the gradient of such a chain is a sum over groups of this many rows, in each of which row
   * i belongs to sum i mod NNB__GROUP_SUMS.  A block is a group there. */
  NNB__GROUP = 192,
  NNB__GROUP_SUMS = 16
};

/* The rows of a job: in order from row0 on, or order[row0 …]. */
typedef struct nnb__chain_blocks_job {
  const real *params;
  const nnb_batch *batch;
  const int32_t *order;
  int row0;
  const real *x_shift, *x_factor; /* by column; NULL: not scaled */
  const real *t_shift, *t_factor;
  bool loss;
  real scale;        /* factor of the slope of the loss */
  nnb_mat y;         /* the outputs of all rows of the job; p NULL: not wanted */
  double *rows_loss; /* in the defined arithmetic: the losses of all rows of the job, up to whole vectors */
} nnb__chain_blocks_job;

/* Processes rows [r0, r0 + n) of the job.  Returns their undivided loss, writes their outputs, and, unless g is NULL, g
 * ← their gradient.  workspace: workspace as laid out.  In the defined arithmetic, without images: writes the losses of
 * rows, and g ← g + the gradient of each group; r0 is the start of one. */
typedef double nnb__chain_blocks_fn(const nnb__chain_blocks *layout, const nnb__chain_blocks_job *job, int r0, int n,
                                    real *workspace, real *g);

/* The function of the level of this build. */
extern nnb__chain_blocks_fn NNB__CHAIN_BLOCKS;

#endif
