/* nn/jacobian.c: the residuals of a sum of squares and their derivatives with respect to the parameters, row by row:
 * for each column of the outputs one backward pass over all rows, in which a row of J is, layer by layer, the outer
 * product of a row of [A 1] and a row of Δ.  Rows do not depend on each other: a layer that couples them has no place
 * here. */
#include <string.h>

#include "loss.h"
#include "pass.h"
#include "status.h"

/* ---- residuals: ½r² is a term of the loss ----------------------------------------------------------------------- */

/* Of an output's loss: the factor of the square, against ½; 0: not a sum of squares. */
static double square_factor(const nnb_loss_ops *loss) {
  if (loss == nnb__loss(NNB_HALF_SSE)) return 1;
  return loss == nnb__loss(NNB_SSE) || loss == nnb__loss(NNB_MSE) ? 2 : 0;
}

const nnb__node *nnb__not_squares(const nnb_net *net) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col >= 0 && square_factor(nnb__net_loss_ops(net, node)) == 0) return node;
  }
  return NULL;
}

nnb_status nnb__check_squares(const nnb_net *net) {
  const nnb__node *node = nnb__not_squares(net);
  if (!node) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "the loss of %s is %s; residuals (lm, varpro, nnb_plan_rows, nnb_solve_output) need a sum of "
                   "squares: half_sse, sse or mse; lbfgs takes any loss",
                   node->name, nnb__net_loss_ops(net, node)->name);
}

static real target_at(const nnb_batch *batch, const nnb__node *node, int i, int j) {
  if (!batch->label) return nnb__crow(batch->t, i)[node->out_col + j];
  return (real)(node->needs.cols == 1 ? batch->label[i] : batch->label[i] == j);
}

static double root_of(const nnb_net *net, int k, double norm) {
  const nnb__node *node = &net->nodes[k];
  const nnb__state s = {.loss = nnb__net_loss_ops(net, node)};
  return sqrt(nnb__pass_scale(node, &s, norm) * square_factor(s.loss));
}

real nnb__pass_root(const nnb__pass *p, int k) { return (real)root_of(p->plan->net, k, p->job->norm); }

double nnb__net_root(const nnb_net *net, int column, double norm) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col >= 0 && column >= node->out_col && column < node->out_col + node->needs.cols)
      return root_of(net, k, norm);
  }
  return 0;
}

static void residuals(const nnb__pass *p, int k, int r0, int n) {
  const nnb__node *node = &p->plan->net->nodes[k];
  nnb_cmat a = nnb__read(p->plan->state[k].a);
  const real base = nnb__pass_root(p, k);
  for (int i = r0; i < r0 + n; i++) {
    const real root = p->batch.weight ? base * R(sqrt)(p->batch.weight[i]) : base;
    real *r = p->job->r + (size_t)i * (size_t)p->plan->net->n_y + (size_t)node->out_col;
    for (int j = 0; j < a.cols; j++)
      r[j] = root == 0 ? 0 : root * (nnb__crow(a, i)[j] - target_at(&p->batch, node, i, j));
  }
}

/* ---- the rows of J ---------------------------------------------------------------------------------------------- */

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

/* The rows of one column of the outputs: all blocks, from where each begins in J. */
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

/* Rows of weight 0 are 0, whatever the net made of them. */
static void clear_weightless(const nnb__pass *p, int r0, int n, real *J, size_t ld) {
  size_t n_cols = p->job->columns == NNB__EVERY ? p->plan->net->n_params : nnb__net_n_free(p->plan->net);
  for (int i = 0; p->batch.weight && i < n; i++)
    if (p->batch.weight[r0 + i] == 0) memset(J + (size_t)i * ld, 0, n_cols * sizeof *J);
}

void nnb__pass_rows(const nnb__pass *p, int part, int r0, int n) {
  const nnb_plan *plan = p->plan;
  const size_t n_y = (size_t)plan->net->n_y, ld = p->job->ldj;
  for (int o = 0; o < plan->n_outputs; o++) {
    int k = plan->outputs[o];
    residuals(p, k, r0, n);
    for (int j = 0; p->job->J && j < plan->net->nodes[k].needs.cols; j++) {
      int column = plan->net->nodes[k].out_col + j;
      real *J = p->job->J + ((size_t)r0 * n_y + (size_t)column) * ld;
      nnb__pass_back(p, part, r0, n, column);
      column_rows(p, part, r0, n, J, n_y * ld);
      clear_weightless(p, r0, n, J, n_y * ld);
    }
  }
}
