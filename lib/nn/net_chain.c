/* nn/net_chain.c: nets as chains of dense layers, for the executors that take no others. */
#include "net_chain.h"

#include "loss.h"

/* Whether the kernels for chains know an activation or a loss. */
static bool has_activation(int activation) {
  switch (activation) {
#define ELEMENTWISE(NAME, name) case NAME:
#define ROWWISE(NAME, name)     case NAME:
#include "activations.def"
    return true;
    default:
      return false;
  }
}
static bool has_loss(int loss) {
  switch (loss) {
#define TERMS(NAME, name, f) case NAME:
#include "losses.def"
    return true;
    default:
      return false;
  }
}

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
    if (node->ops != &nnb__layer_dense || !follows || !has_activation(node->activation)) return 0;
  }
  return has_loss(loss_of(net, last)) ? net->n_nodes - 1 : 0;
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
