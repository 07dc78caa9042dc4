/* nn/jacobian.c: the residuals of a sum of squares and their derivatives with respect to the parameters, row by row.
 * For each column of the outputs there is one backward pass over all rows; a row of J is then, layer by layer, the
 * outer product of a row of [A 1] and a row of Δ.  The rows must be independent: layers that couple rows are not
 * possible here. */
#include "jacobian.h"

#include <string.h>

#include "linear.h"
#include "squares.h"

/* ---- the residuals: ½r² is a term of the loss -------------------------------------------------------------------- */

static real target_at(const nnb_batch *batch, const nnb__node *node, int i, int j) {
  if (!batch->label) return nnb__crow(batch->t, i)[node->out_col + j];
  return (real)(node->needs.cols == 1 ? batch->label[i] : batch->label[i] == j);
}

static void residuals(const nnb__pass *p, int k, int r0, int n) {
  const nnb__node *node = &p->plan->net->nodes[k];
  nnb_cmat a = nnb__read(p->plan->state[k].a);
  const real base = (real)nnb__output_root(p->plan->net, k, p->job->norm);
  for (int i = r0; i < r0 + n; i++) {
    const real root = p->batch.weight ? base * R(sqrt)(p->batch.weight[i]) : base;
    real *r = p->job->r + (size_t)i * nnb__n_residuals(p->plan->net, p->job->batch) + (size_t)node->out_col;
    for (int j = 0; j < a.cols; j++)
      r[j] = root == 0 ? 0 : root * (nnb__crow(a, i)[j] - target_at(&p->batch, node, i, j));
  }
}

/* ---- the rows of J ----------------------------------------------------------------------------------------------- */

size_t nnb__net_n_free(const nnb_net *net) {
  size_t n = 0;
  for (int b = 0; b < net->n_blocks; b++) {
    const nnb__block *block = &net->blocks[b];
    if (!(block->frozen & NNB_WEIGHTS)) n += (size_t)block->rows * (size_t)block->cols;
    if (block->bias && !(block->frozen & NNB_BIAS)) n += (size_t)block->cols;
  }
  return n;
}

void nnb__pass_layer_rows(const nnb_plan *plan, int k, int part, int r0, int n, real *w, real *b, size_t ld) {
  const nnb__node *node = &plan->net->nodes[k];
  if (node->ops->backward_rows) {
    nnb_layer_io io = nnb__pass_io(plan, k, r0, n, part);
    node->ops->backward_rows(node->self, &io, w, b, ld);
    return;
  }
  for (int i = 0; node->ops->backward_params && i < n; i++) {
    nnb_layer_io io = nnb__pass_io(plan, k, r0 + i, 1, part);
    nnb_sink sink = {.w = w ? w + (size_t)i * ld : NULL, .b = b ? b + (size_t)i * ld : NULL, .alpha = 1};
    node->ops->backward_params(node->self, &io, &sink);
  }
}

/* The rows of one column of the outputs: all blocks, each from its offset in J. */
static void column_rows(const nnb__pass *p, int part, int r0, int n, real *J, size_t ld) {
  const nnb_net *net = p->plan->net;
  for (int b = 0; b < net->n_blocks; b++) {
    const nnb__block *block = &net->blocks[b];
    size_t n_w = (size_t)block->rows * (size_t)block->cols, n_b = block->bias ? (size_t)block->cols : 0;
    const int k = net->block_node[b] - 1;
    const unsigned skip = p->job->columns == NNB__EVERY ? 0 : block->frozen;
    if (skip & NNB_WEIGHTS) n_w = 0;
    if (skip & NNB_BIAS) n_b = 0;
    if (n_w + n_b && (p->job->columns != NNB__LINEAR || nnb__is_linear_output(net, k)))
      nnb__pass_layer_rows(p->plan, k, part, r0, n, n_w ? J : NULL, n_b ? J + n_w : NULL, ld);
    J += n_w + n_b;
  }
}

/* Rows of weight 0 are 0, even if the net's values are not finite. */
static void clear_weightless(const nnb__pass *p, int r0, int n, real *J, size_t ld) {
  size_t n_cols = p->job->columns == NNB__EVERY ? p->plan->net->n_params : nnb__net_n_free(p->plan->net);
  for (int i = 0; p->batch.weight && i < n; i++)
    if (p->batch.weight[r0 + i] == 0) memset(J + (size_t)i * ld, 0, n_cols * sizeof *J);
}

void nnb__pass_rows(const nnb__pass *p, int part, int r0, int n) {
  const nnb_plan *plan = p->plan;
  const size_t n_r = nnb__n_residuals(plan->net, p->job->batch), ld = p->job->ldj;
  for (int o = 0; o < plan->n_outputs; o++) {
    int k = plan->outputs[o];
    residuals(p, k, r0, n);
    for (int j = 0; p->job->J && j < plan->net->nodes[k].needs.cols; j++) {
      int column = plan->net->nodes[k].out_col + j;
      real *J = p->job->J + ((size_t)r0 * n_r + (size_t)column) * ld;
      nnb__pass_back(p, part, r0, n, column);
      column_rows(p, part, r0, n, J, n_r * ld);
      clear_weightless(p, r0, n, J, n_r * ld);
    }
  }
}
