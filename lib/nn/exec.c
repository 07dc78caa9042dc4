/* nn/exec.c: which executor runs a job, and nets as chains for those that want them. */
#include "exec.h"

#include "loss.h"

static const nnb__exec *const execs[] = {&nnb__exec_online, &nnb__exec_soa, &nnb__exec_layerwise};
enum { N_EXECS = sizeof execs / sizeof *execs };

void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena) {
  plan->execs = 0;
  for (int i = 0; i < N_EXECS; i++)
    if (execs[i]->lay_out(plan, arena)) plan->execs |= 1u << i;
}

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job) {
  int i = 0;
  while (i < N_EXECS - 1 && !((plan->execs >> i & 1) && execs[i]->takes(plan, job))) i++;
  plan->rows = job->rows, plan->what = job->what;
  return execs[i]->run(plan, job);
}

bool nnb__plan_row(nnb_plan *plan, const real *x, real *y) {
  for (int i = 0; i < N_EXECS; i++)
    if ((plan->execs >> i & 1) && execs[i]->row) {
      plan->rows = 1, plan->what = NNB__OUTPUT;
      execs[i]->row(plan, x, y);
      return true;
    }
  return false;
}

bool nnb__plan_updates(nnb_plan *plan, nnb__updates *updates) {
  plan->rows = 0, plan->what = 0;
  for (int i = 0; i < N_EXECS; i++)
    if ((plan->execs >> i & 1) && execs[i]->updates && execs[i]->updates(plan, updates)) return true;
  return false;
}

bool nnb__plan_force(nnb_plan *plan, const nnb__exec *exec) {
  for (int i = 0; i < N_EXECS; i++)
    if (execs[i] == exec && (plan->execs >> i & 1)) {
      plan->execs = 1u << i | 1u << (N_EXECS - 1), plan->forced = true;
      return true;
    }
  return false;
}

/* ---- chains ----------------------------------------------------------------------------------------------------- */

static int loss_of(const nnb_net *net, const nnb__node *output) {
  for (int loss = NNB_LOSS_AUTO + 1; loss < NNB_N_LOSSES; loss++)
    if (nnb__net_loss_ops(net, output) == nnb__loss((nnb_loss)loss)) return loss;
  return NNB_LOSS_AUTO;
}

int nnb__net_links(const nnb_net *net) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  if (!nnb__node_is_input(&net->nodes[0]) || last->out_col < 0 || last->needs.cols != net->n_y) return 0;
  for (int k = 1; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    bool follows = node->n_from == 1 && node->from[0] == k;
    if (node->ops != &nnb__layer_dense || !follows || node->activation >= NNB_N_ACTIVATIONS) return 0;
  }
  return loss_of(net, last) == NNB_LOSS_AUTO ? 0 : net->n_nodes - 1;
}

nnb__link nnb__net_link(const nnb_net *net, int i) {
  const nnb__node *node = &net->nodes[i + 1];
  return (nnb__link){.n_in = node->needs.w_rows,
                     .n_out = node->needs.w_cols,
                     .bias = node->needs.bias,
                     .act = (nnb_activation)node->activation,
                     .off = node->off};
}

nnb__chain nnb__net_chain(const nnb_net *net, nnb__link *link) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  nnb__chain chain = {.link = link,
                      .n = net->n_nodes - 1,
                      .widest = net->n_x,
                      .loss = (nnb_loss)loss_of(net, last),
                      .factor = last->factor};
  for (int i = 0; i < chain.n; i++) {
    nnb__link one = nnb__net_link(net, i);
    if (one.n_out > chain.widest) chain.widest = one.n_out;
    if (link) link[i] = one;
  }
  return chain;
}
