/* nn/squares.c: the factor of the terms in an output's loss, and losses that are sums of squares. */
#include "squares.h"

#include "chain_blocks_kernel.h"
#include "ints.h"
#include "loss.h"
#include "status.h"

double nnb__pass_scale(const nnb__node *node, const nnb__state *s, double norm) {
  double scale = node->factor;
  if (s->loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL)) scale = norm > 0 ? scale / norm : 0;
  if (s->loss->traits & NNB_LOSS_MEAN_ALL) scale /= node->needs.cols;
  return scale;
}

/* Where the loss of output o is added, and its factor */
static double *sum_of(const nnb_plan *plan, int o, nnb__loss_sum *sum, double *factor) {
  const nnb__state *s = &plan->state[plan->outputs[o]];
  *factor = nnb__pass_scale(&plan->net->nodes[plan->outputs[o]], s, 1);
  return s->loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL) ? &sum->mean : &sum->sum;
}

/* The losses of a group of rows, times a factor; row i belongs to sum i mod 16. */
static double group_loss(const double *loss, int n, double factor) {
  enum { SUMS = NNB__GROUP_SUMS };
  double sum[SUMS] = {0};
  int i = 0;
  for (; i + SUMS <= n; i += SUMS)
    for (int s = 0; s < SUMS; s++) sum[s] += factor * loss[i + s];
  for (int s = 0; i + s < n; s++) sum[s] += factor * loss[i + s];
  for (int half = SUMS / 2; half > 0; half /= 2)
    for (int s = 0; s < half; s++) sum[s] += sum[s + half];
  return sum[0];
}

nnb__loss_sum nnb__add_row_losses(const nnb_plan *plan, const nnb__job *job) {
  nnb__loss_sum sum = job->before_loss;
  const double *loss = plan->rows_loss;
  double factor, *to = sum_of(plan, 0, &sum, &factor);
  for (int i = 0, n; plan->group > 1 && (n = nnb__chunk(job->rows, i, plan->group)) > 0; i += n)
    *to += group_loss(loss + i, n, factor);
  for (int i = 0; plan->group == 1 && i < job->rows; i++) {
    nnb__loss_sum row = {0};
    for (int o = 0; o < plan->n_outputs; o++) {
      to = sum_of(plan, o, &row, &factor);
      *to += *loss++ * factor;
    }
    sum.mean += row.mean, sum.sum += row.sum;
  }
  return sum;
}

double nnb__slope_scale(const nnb_net *net, const nnb_loss_ops *loss) {
  const double weight = net->derivatives > 0 ? net->derivatives : 1;
  return loss->traits & NNB_LOSS_MEAN_ALL ? weight / net->n_x : weight;
}

size_t nnb__n_residuals(const nnb_net *net, const nnb_batch *batch) {
  return (size_t)net->n_y * (batch->dt.p ? 1 + (size_t)net->n_x : 1);
}

/* The factor of ½(a - t)² in the loss; 0: not a sum of squares. */
static double square_factor(const nnb_loss_ops *loss) {
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  if (squares > 0 && loss == nnb__loss(NAME)) return squares;
#include "losses.def"
  return 0;
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

double nnb__output_root(const nnb_net *net, int k, double norm) {
  const nnb__node *node = &net->nodes[k];
  const nnb__state s = {.loss = nnb__net_loss_ops(net, node)};
  return sqrt(nnb__pass_scale(node, &s, norm) * square_factor(s.loss));
}

double nnb__net_root(const nnb_net *net, int column, double norm) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col >= 0 && column >= node->out_col && column < node->out_col + node->needs.cols)
      return nnb__output_root(net, k, norm);
  }
  return 0;
}
