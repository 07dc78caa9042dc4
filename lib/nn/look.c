/* nn/look.c: results of the last run of a plan. */
#include <string.h>

#include "look.h"
#include "status.h"

void nnb__plan_outputs(const nnb_plan *plan, nnb_mat y) {
  for (int o = 0; o < plan->n_outputs; o++) {
    const nnb__node *node = &plan->net->nodes[plan->outputs[o]];
    const nnb__state *s = &plan->state[plan->outputs[o]];
    nnb_mat cols = nnb__cols(y, node->out_col, node->needs.cols);
    const size_t bytes = (size_t)cols.cols * sizeof(real);
    if (cols.ld == cols.cols && s->a.ld == cols.cols)
      memcpy(cols.p, s->a.p, (size_t)y.rows * bytes);
    else
      for (int i = 0; i < y.rows; i++) memcpy(nnb__row(cols, i), nnb__row(s->a, i), bytes);
  }
  nnb_unscale(y, plan->net->out.shift, plan->net->out.factor);
}

void nnb__plan_input_gradient(const nnb_plan *plan, nnb_mat dx) {
  const real *factor = plan->net->in.factor; /* x' = (x - shift)·factor */
  for (int k = 0; k < plan->net->n_nodes; k++) {
    const nnb__node *node = &plan->net->nodes[k];
    if (!nnb__node_is_input(node)) continue;
    for (int i = 0; i < dx.rows; i++)
      for (int j = 0; j < node->needs.cols; j++) {
        real d = nnb__row(plan->state[k].d, i)[j];
        nnb__row(dx, i)[node->x_col + j] = factor ? d * factor[node->x_col + j] : d;
      }
  }
}

static nnb_status view_gradient(const nnb_plan *plan, const nnb__node *node, nnb_what what, nnb_cmat *out) {
  int rows = node->needs.w_rows, cols = node->needs.w_cols;
  if (what == NNB_DW ? rows == 0 : !node->needs.bias)
    return nnb__fail(NNB_E_ARG, "%s has no %s", node->name, what == NNB_DW ? "weights" : "bias");
  if (!plan->formed) return nnb__fail(NNB_E_STATE, "the last call computed no gradient");
  const real *g = plan->g + node->off;
  *out = what == NNB_DW ? nnb_cview(g, rows, cols) : nnb_cview(g + (size_t)rows * (size_t)cols, 1, cols);
  return NNB_OK;
}

static nnb_status view_rows(const nnb_plan *plan, int k, nnb_what what, nnb_cmat *out) {
  const nnb__node *node = &plan->net->nodes[k];
  const nnb__state *s = &plan->state[k];
  bool input = nnb__node_is_input(node), back = what == NNB_DA || what == NNB_DELTA;
  if (input && what != NNB_A) return nnb__fail(NNB_E_ARG, "%s is an input: it has only A", node->name);
  if (back && !(plan->what & NNB__BACK)) return nnb__fail(NNB_E_STATE, "the last call made no backward pass");
  if (back && !s->needs_d)
    return nnb__fail(NNB_E_ARG, "%s has no derivative: no node before it has parameters", node->name);
  if (what == NNB_DA && s->fused && (plan->what & NNB__LOSS))
    return nnb__fail(NNB_E_ARG, "%s has no ∂E/∂A: its loss and activation are computed together", node->name);
  if (what == NNB_SLOPE && s->act && (s->act->traits & NNB_ACT_ROWWISE))
    return nnb__fail(NNB_E_ARG, "%s has no slope: %s is not element-wise", node->name, s->act->name);
  nnb_cmat view[] = {[NNB_Z] = nnb__read(s->z),
                     [NNB_A] = s->out,
                     [NNB_SLOPE] = nnb__read(s->slope),
                     [NNB_DA] = nnb__read(s->da),
                     [NNB_DELTA] = nnb__read(s->d)};
  *out = nnb__crows(view[what], 0, plan->rows);
  return NNB_OK;
}

nnb_status nnb_plan_view(const nnb_plan *plan, int k, nnb_what what, nnb_cmat *out) {
  if (!plan || !out) return nnb__fail(NNB_E_ARG, "plan or out is NULL");
  *out = (nnb_cmat){0};
  if (!(plan->want & NNB_KEEP)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_KEEP");
  if (plan->rows == 0) return nnb__fail(NNB_E_STATE, "the plan has computed nothing yet");
  const nnb__node *node = nnb__net_node(plan->net, k);
  if (!node) return NNB_E_ARG;
  if ((int)what < NNB_Z || what > NNB_DB)
    return nnb__fail(NNB_E_ARG, "what is %d; wanted a value of nnb_what", (int)what);
  return what == NNB_DW || what == NNB_DB ? view_gradient(plan, node, what, out) : view_rows(plan, k - 1, what, out);
}
