/* nn/net_chain.c: nets as chains, for the executors that take no others. */
#include "net_chain.h"

#include "chain_blocks_kernel.h"
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

/* Whether node k can be a link; images: also one that is no dense layer. */
static bool is_link(const nnb_net *net, int k, bool images) {
  const nnb__node *node = &net->nodes[k];
  const nnb_layer_ops *ops = node->ops;
  const bool image = ops == &nnb__layer_conv || ops == &nnb__layer_maxpool || ops == &nnb__layer_avgpool ||
                     ops == &nnb__layer_flatten || ops == &nnb__layer_activation;
  return (ops == &nnb__layer_dense || (images && image)) && node->n_from == 1 && node->from[0] == k &&
         has_activation(node->activation);
}

static bool is_chain(const nnb_net *net, bool images) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  if (!nnb__node_is_input(&net->nodes[0]) || last->out_col < 0 || last->needs.cols != net->n_y) return false;
  for (int k = 1; k < net->n_nodes; k++)
    if (!is_link(net, k, images)) return false;
  return has_loss(loss_of(net, last));
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

static nnb__link_kind kind_of(const nnb_layer_ops *ops) {
  if (ops == &nnb__layer_dense) return NNB__LINK_DENSE;
  if (ops == &nnb__layer_conv) return NNB__LINK_CONV;
  if (ops == &nnb__layer_maxpool) return NNB__LINK_MAXPOOL;
  return ops == &nnb__layer_avgpool ? NNB__LINK_AVGPOOL : NNB__LINK_PAD;
}

static nnb__patches patches_of(const nnb__node *node) {
  const nnb__link_kind kind = kind_of(node->ops);
  if (kind == NNB__LINK_CONV) return ((const nnb__conv *)node->self)->patches;
  if (kind == NNB__LINK_MAXPOOL || kind == NNB__LINK_AVGPOOL) return ((const nnb__pool *)node->self)->patches;
  return (nnb__patches){.in = {node->needs.cols, 1, 1}}; /* a copy of one pixel of each channel */
}

/* A convolution with pad is two links: its images with zeros around them, and a convolution of those. */
static nnb__link link_of(const nnb_net *net, int k, bool padded) {
  const nnb__node *node = &net->nodes[k];
  nnb__link link = {.kind = kind_of(node->ops),
                    .n_in = net->nodes[k - 1].needs.cols,
                    .n_out = node->needs.cols,
                    .rows = node->needs.w_rows,
                    .cols = node->needs.w_cols,
                    .bias = node->needs.bias,
                    .act = (nnb_activation)node->activation,
                    .off = node->off,
                    .node = k,
                    .patches = patches_of(node)};
  nnb__patches *p = &link.patches;
  const int height = p->in.height + 2 * p->pad_y, width = p->in.width + 2 * p->pad_x;
  if (link.kind != NNB__LINK_CONV || (p->pad_y == 0 && p->pad_x == 0)) return link;
  if (!padded)
    return (nnb__link){
        .kind = NNB__LINK_PAD, .n_in = link.n_in, .n_out = p->in.channels * height * width, .node = k, .patches = *p};
  p->in.height = height, p->in.width = width, p->pad_y = p->pad_x = 0;
  link.n_in = p->in.channels * height * width;
  return link;
}

bool nnb__net_next_link(const nnb_net *net, nnb__link *link) {
  const bool padded =
      link->kind == NNB__LINK_PAD && link->node > 0 && kind_of(net->nodes[link->node].ops) == NNB__LINK_CONV;
  const int k = padded ? link->node : link->node + 1;
  if (k == net->n_nodes) return false;
  *link = link_of(net, k, padded);
  return true;
}

int nnb__net_links(const nnb_net *net) { return is_chain(net, false) ? net->n_nodes - 1 : 0; }

/* Pixels of padded images are counted before a link of them is made. */
static bool fits(const nnb_net *net, int k) {
  const nnb__patches p = patches_of(&net->nodes[k]);
  const int64_t pixels = ((int64_t)p.in.height + 2 * (int64_t)p.pad_y) * ((int64_t)p.in.width + 2 * (int64_t)p.pad_x);
  return pixels <= INT32_MAX / p.in.channels;
}

bool nnb__net_is_narrow(const nnb_net *net) {
  if (nnb__net_links(net) == 0 || net->n_x > NNB__CHAIN_BLOCKS_WIDEST) return false;
  for (int k = 0; k < net->n_nodes; k++)
    if (net->nodes[k].needs.cols > NNB__CHAIN_BLOCKS_WIDEST) return false;
  return true;
}

bool nnb__net_is_dense(const nnb_net *net) {
  for (int b = 0; b < net->n_blocks; b++)
    if (net->nodes[net->block_node[b] - 1].ops != &nnb__layer_dense) return false;
  return true;
}

int nnb__net_group(const nnb_net *net) { return nnb__net_is_narrow(net) ? NNB__GROUP : 1; }

int nnb__net_image_links(const nnb_net *net) {
  if (!is_chain(net, true)) return 0;
  for (int k = 1; k < net->n_nodes; k++)
    if (!fits(net, k)) return 0;
  int n = 0;
  for (nnb__link link = {0}; nnb__net_next_link(net, &link);) n++;
  return n;
}

nnb__link nnb__net_link(const nnb_net *net, int i) { return link_of(net, i + 1, false); }

nnb__chain nnb__net_chain(const nnb_net *net, nnb__link *links) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  nnb__chain chain = {.link = links, .widest = net->n_x, .loss = (nnb_loss)loss_of(net, last), .factor = last->factor};
  for (nnb__link link = {0}; nnb__net_next_link(net, &link); chain.n++) {
    if (link.n_out > chain.widest) chain.widest = link.n_out;
    if (links) links[chain.n] = link;
  }
  return chain;
}
