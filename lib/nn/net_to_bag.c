/* nn/net_to_bag.c: writes a net to a bag (net_keys.h). */
#include <string.h>

#include "alloc.h"
#include "attr.h"
#include "net_bag.h"
#include "net_keys.h"
#include "seal.h"
#include "status.h"
#include "training.h"

static void put_attrs(nnb__bag *bag, int k, const nnb__node *node) {
  char key[NNB__KEY], text[NNB__DOUBLE_TEXT];
  for (const nnb_attr *at = node->ops->attrs; at && at->name; at++)
    nnb__bag_string(bag, nnb__node_key(key, k, at->name), nnb__attr_get(at, node->self, text));
}

static void put_from(nnb__bag *bag, int k, const nnb__node *node) {
  size_t bytes = 12 * (size_t)node->n_from + 1, used = 0;
  char key[NNB__KEY], *text = nnb__alloc(bytes, 1);
  if (!text) {
    if (!bag->status) bag->status = nnb__fail_nomem("a list of nodes");
    return;
  }
  text[0] = '\0';
  for (int i = 0; i < node->n_from; i++)
    used += (size_t)snprintf(text + used, bytes - used, "%s%d", i ? "," : "", node->from[i]);
  nnb__bag_string(bag, nnb__node_key(key, k, "from"), text);
  nnb__release(text);
}

static void put_shape(nnb__bag *bag, int k, nnb_shape s) {
  char key[NNB__KEY], text[40];
  snprintf(text, sizeof text, "%d,%d,%d", s.channels, s.height, s.width);
  if (s.channels > 0) nnb__bag_string(bag, nnb__node_key(key, k, "shape"), text);
}

static const char *loss_name(const nnb_net *net, int loss) {
  return loss >= NNB_OWN_LOSS ? net->own_losses[loss - NNB_OWN_LOSS]->name : nnb_loss_name((nnb_loss)loss);
}

/* Options of a loss, where they are set. */
static void put_loss_opts(nnb__bag *bag, const char *delta_key, double delta, const char *smoothing_key,
                          double smoothing) {
  if (delta > 0) nnb__bag_number(bag, delta_key, delta);
  if (smoothing > 0) nnb__bag_number(bag, smoothing_key, smoothing);
}

static void put_node(const nnb_net *net, nnb__bag *bag, int k) {
  const nnb__node *node = &net->nodes[k - 1];
  char key[NNB__KEY], other[NNB__KEY];
  nnb__bag_string(bag, nnb__node_key(key, k, "layer"), node->ops->name);
  nnb__bag_string(bag, nnb__node_key(key, k, "name"), node->name);
  put_from(bag, k, node);
  nnb__bag_string(bag, nnb__node_key(key, k, "act"), nnb__net_act(net, node->activation)->name);
  nnb__bag_number(bag, nnb__node_key(key, k, "frozen"), node->frozen);
  put_attrs(bag, k, node);
  put_shape(bag, k, node->needs.shape);
  if (node->out_col < 0) return;
  nnb__bag_number(bag, nnb__node_key(key, k, "output"), node->out_col);
  nnb__bag_string(bag, nnb__node_key(key, k, "loss"), loss_name(net, node->loss));
  nnb__bag_number(bag, nnb__node_key(key, k, "factor"), node->factor);
  put_loss_opts(bag, nnb__node_key(key, k, "delta"), node->delta, nnb__node_key(other, k, "label_smoothing"),
                node->smoothing);
}

static void put_params(const nnb_net *net, nnb__bag *bag, const nnb__node *node) {
  char key[NNB__KEY];
  size_t dim[] = {(size_t)node->needs.w_rows, (size_t)node->needs.w_cols};
  const real *w = net->params + node->off;
  if (dim[0] && dim[1]) nnb__bag_tensor(bag, nnb__part_key(key, node->name, "weight"), NNB__REAL_DTYPE, 2, dim, w);
  if (node->needs.bias)
    nnb__bag_tensor(bag, nnb__part_key(key, node->name, "bias"), NNB__REAL_DTYPE, 1, dim + 1, w + dim[0] * dim[1]);
  if (node->needs.buffers)
    nnb__bag_tensor(bag, nnb__part_key(key, node->name, "buffers"), NNB__REAL_DTYPE, 1, &node->needs.buffers,
                    net->params + node->buffers_off);
}

static void put_scaler(nnb__bag *bag, const char *name, const nnb__scaler *s) {
  char key[NNB__KEY];
  size_t n = (size_t)s->n;
  if (!s->shift) return;
  nnb__bag_tensor(bag, nnb__part_key(key, name, "shift"), NNB__REAL_DTYPE, 1, &n, s->shift);
  nnb__bag_tensor(bag, nnb__part_key(key, name, "factor"), NNB__REAL_DTYPE, 1, &n, s->factor);
  if (s->scaling == NNB_MINMAX) nnb__bag_string(bag, nnb__part_key(key, name, "scaling"), NNB__MINMAX_TEXT);
}

static void put_names(nnb__bag *bag, const char *list, const char *item, const nnb__names *names) {
  char key[NNB__KEY], number[20];
  if (names->n > 0) nnb__bag_number(bag, list, names->n);
  for (int i = 0; i < names->n; i++) {
    snprintf(number, sizeof number, "%d", i);
    if (names->name[i]) nnb__bag_string(bag, nnb__part_key(key, item, number), names->name[i]);
  }
}

nnb_status nnb__net_describe(const nnb_net *net, nnb__bag *bag) {
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  char seed[24];
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)net->seed);
  nnb__bag_number(bag, "nnblas", NNB__NET_FORMAT);
  nnb__bag_number(bag, "nodes", net->n_nodes);
  nnb__bag_string(bag, "loss", loss_name(net, net->loss));
  put_loss_opts(bag, "loss.delta", net->delta, "loss.label_smoothing", net->smoothing);
  if (net->derivatives > 0) nnb__bag_number(bag, "loss.derivatives", net->derivatives);
  nnb__bag_string(bag, "seed", seed);
  for (int k = 1; k <= net->n_nodes; k++) put_node(net, bag, k);
  for (int i = 0; i < net->n_nodes; i++) put_params(net, bag, &net->nodes[i]);
  put_scaler(bag, "scaler.input", &net->in);
  put_scaler(bag, "scaler.target", &net->out);
  put_names(bag, "columns", "column", &net->columns);
  if (net->table && !nnb__columns_plain(net->table)) nnb__columns_to_bag(net->table, bag);
  put_names(bag, "classes", "class", &net->classes);
  return bag->status;
}

nnb_status nnb__net_to_bag(const nnb_net *net, nnb__bag *bag) {
  const nnb_status status = nnb__net_describe(net, bag);
  if (!status) nnb__training_to_bag(&net->training, bag);
  return status ? status : bag->status;
}
