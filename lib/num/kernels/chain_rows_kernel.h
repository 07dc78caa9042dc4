/* num/kernels/chain_rows_kernel.h: takes one row at a time through a chain of dense layers: predictions of a row, and
 * updates of one row each.  The update of a row and the forward pass of the next row read and write the weights
 * together.
 *
 * With u the inputs of a link for the previous row, v = -η·Δ of it, and w the inputs for this row,
 *     W ← beta·W + u·vᵀ      z = b + Wᵀ·w
 * is one pass over W.  ∂E/∂A of the previous link is one pass over Wᵀ; every link except the first keeps a copy of it:
 *     Wᵀ ← beta·Wᵀ + v·uᵀ    ∂E/∂u = W·Δ
 */
#ifndef NNB__CHAIN_ROWS_KERNEL_H
#define NNB__CHAIN_ROWS_KERNEL_H

#include "block.h"
#include "chain.h"
#include "level.h"

/* The rows below are padded with zeros to a multiple of this many numbers, 64 bytes, so every load is a whole vector.
 */
enum { NNB__PAD = 64 / (int)sizeof(real) };
static inline size_t nnb__padded(int n) { return ((size_t)n + NNB__PAD - 1) / NNB__PAD * NNB__PAD; }

/* Up to this many inputs of the net are all used; with more, inputs that are 0 are skipped. */
enum { NNB__CHAIN_ROWS_FEW = 32 };

typedef struct nnb__chain_rows_link {
  nnb__link shape;
  bool learns_w, learns_b; /* false: frozen, or there are none */
  real *w, *t, *b;         /* W, n_in rows; Wᵀ, n_out rows, not for the first link; b, or zeros */
  size_t ldw, ldt;
  real *z, *d;       /* of this row: Z and Δ */
  real *a[2], *v[2]; /* A and -η·Δ, of this row and the previous one */
} nnb__chain_rows_link;

typedef struct nnb__chain_rows {
  nnb__chain_rows_link *link;
  int n;
  nnb_loss loss;
  double factor;
  const int32_t *all;      /* 0, 1, 2 … up to the widest row */
  int32_t *update, *fresh; /* indices of inputs; NNB__PAD longer than the number of inputs */
  const real *zeros;       /* as long as the widest row */
  real *ahead;             /* W·x of the first link for the next row, without the update of this one */
  real *x[3], *t;          /* scaled rows: previous, present and next; the targets */
  /* the run: n_rows rows, in the order of `order` or of the batch */
  const nnb_batch *batch;
  const int32_t *order;
  int n_rows;
  const real *x_shift, *x_factor, *t_shift, *t_factor; /* NULL: none */
  /* Called at the start of an update: writes alpha = -η and beta. */
  void (*begin)(void *context, nnb__target *target);
  void *context;
  /* Results: updates made (the last one is the first whose loss is not finite, or that of the last row); sums of the
   * losses that are means over rows, and of the others; sum of the weights; loss of the last update. */
  int updates;
  double mean, sum, weight, value;
} nnb__chain_rows;

typedef void nnb__chain_rows_fn(nnb__chain_rows *run);

/* y ← the outputs of the chain for x.  a: two padded rows as long as the widest; list: NNB__PAD longer than the widest
 * row; all as above. */
typedef void nnb__predict_fn(const nnb__chain *chain, const real *params, const real *x, real *const a[2],
                             int32_t *list, const int32_t *all, real *y);

/* The functions of the level of this build. */
extern nnb__chain_rows_fn NNB__CHAIN_ROWS;
extern nnb__predict_fn NNB__PREDICT;

#endif
