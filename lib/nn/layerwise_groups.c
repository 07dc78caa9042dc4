/* nn/layerwise_groups.c: see layerwise_groups.h.  chain_blocks has the samples of a group as lanes; here each of the
 * NNB__GROUP_SUMS sums is a product of every sixteenth row, in memory of its own.  A part has some rows of W. */
#include "layerwise_groups.h"

#include <string.h>

#include "blas.h"
#include "chain_blocks_kernel.h"
#include "ints.h"
#include "kernels.h"
#include "view.h"

/* Every sixteenth row of m from row on, before row `end` */
static nnb_cmat every(nnb_cmat m, int row, int end) {
  const int n = row < end ? (end - row - 1) / NNB__GROUP_SUMS + 1 : 0;
  return (nnb_cmat){n ? nnb__crow(m, row) : m.p, n, m.cols, m.ld * NNB__GROUP_SUMS};
}

/* dst ← beta·dst + alpha·the total of the sums, n numbers `apart` from each other, added in pairs that are 8, 4, 2 and
 * 1 apart */
static void add_total(real *sum, size_t n, size_t apart, real alpha, real beta, real *dst) {
  for (size_t half = NNB__GROUP_SUMS / 2; half > 0; half /= 2)
    for (size_t s = 0; s < half; s++)
      for (size_t i = 0; i < n; i++) sum[s * apart + i] += sum[(s + half) * apart + i];
  for (size_t i = 0; i < n; i++) dst[i] = (beta == 0 ? 0 : beta * dst[i]) + alpha * sum[i];
}

/* The gradients of rows [r0, r1) of W and, unless sink->b is NULL, of b, from the rows of a group */
typedef struct share {
  int r0, r1;
  real *sum; /* those of [W; b]; the next of the NNB__GROUP_SUMS is `apart` from it */
  size_t apart, cols, bias;
} share;

static void add_group(const share *p, const nnb_layer_io *io, nnb_sink sink, int row, int end) {
  const size_t at = (size_t)p->r0 * p->cols, n = (size_t)(p->r1 - p->r0) * p->cols;
  for (int s = 0; s < NNB__GROUP_SUMS; s++) {
    real *sum = p->sum + (size_t)s * p->apart;
    const nnb_cmat a = every(nnb__ccols(io->a[0], p->r0, p->r1 - p->r0), row + s, end),
                   delta = every(io->delta, row + s, end);
    if (sink.w) nnb__gemm('T', 'N', 1, a, delta, 0, nnb_view(sum + at, p->r1 - p->r0, delta.cols));
    if (sink.b) nnb__kernel()->col_sums(delta, 1, 0, sum + p->bias);
  }
  if (sink.w) add_total(p->sum + at, n, p->apart, sink.alpha, sink.beta, sink.w + at);
  if (sink.b) add_total(p->sum + p->bias, p->cols, p->apart, sink.alpha, sink.beta_bias, sink.b);
}

void nnb__layerwise_groups(const nnb_plan *plan, int k, const nnb_layer_io *io, nnb_sink sink) {
  const nnb__node *node = &plan->net->nodes[k];
  const nnb_needs *needs = &node->needs;
  const share p = {.r0 = nnb__share(needs->w_rows, io->part, io->parts),
                   .r1 = nnb__share(needs->w_rows, io->part + 1, io->parts),
                   .sum = plan->group_sums + node->off,
                   .apart = plan->net->n_params,
                   .cols = (size_t)needs->w_cols,
                   .bias = (size_t)needs->w_rows * (size_t)needs->w_cols};
  if (io->part < io->parts - 1) sink.b = NULL; /* that of the last part */
  for (int row = 0, n; (n = nnb__chunk(io->delta.rows, row, NNB__GROUP)) > 0; row += n) {
    add_group(&p, io, sink, row, row + n);
    sink.beta = sink.beta_bias = 1;
  }
}
