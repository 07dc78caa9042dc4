/* nn/fold.c: a net for predictions alone: without dropout, and with batch normalisation as part of the dense layer
 * or the convolution before it. */
#include "fold.h"

#include <string.h>

#include "alloc.h"
#include "copy.h"
#include "seal.h"
#include "status.h"

/* What becomes of a node of the old net. */
typedef struct fate {
  int source;  /* the node that stands for it: itself, or for a dropout that is left out what it reads */
  int readers; /* of that node, without those that are left out */
  int norm;    /* a dense layer or a convolution: the batch normalisation that becomes part of it, or 0 */
  int now;     /* its number in the new net */
} fate;

static bool same(const nnb_shape *s, const nnb_shape *t) {
  return s->channels == t->channels && s->height == t->height && s->width == t->width;
}

/* A dropout after which the columns are read in another shape (nnb_net_shape) stays as an activation. */
static bool is_left_out(const nnb_net *net, const nnb__node *node) {
  if (node->ops != &nnb__layer_dropout || node->activation != NNB_LINEAR || node->out_col >= 0) return false;
  return same(&node->needs.shape, &net->nodes[node->from[0] - 1].needs.shape);
}

static void find_sources(const nnb_net *net, fate *fates) {
  for (int k = 1; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    const bool left_out = is_left_out(net, node);
    fates[k].source = left_out ? fates[node->from[0]].source : k;
    for (int i = 0; !left_out && i < node->n_from; i++) fates[fates[node->from[i]].source].readers++;
  }
}

/* Whether the norm can become part of the weights of the layer that it reads. */
static bool takes_norm(const nnb__node *layer, const nnb__node *norm) {
  if (layer->out_col >= 0 || layer->activation != NNB_LINEAR) return false;
  if (layer->ops == &nnb__layer_dense) return true;
  return layer->ops == &nnb__layer_conv && ((const nnb__norm *)norm->self)->channels == layer->needs.w_cols;
}

static void find_norms(const nnb_net *net, fate *fates) {
  for (int k = 1; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    if (node->ops != &nnb__layer_batchnorm) continue;
    fate *source = &fates[fates[node->from[0]].source];
    if (source->readers == 1 && takes_norm(&net->nodes[source->source - 1], node)) source->norm = k;
  }
}

/* Makes the node an activation, with what its layer sets; the shape stays. */
static nnb_status make_activation(nnb__node *node) {
  const nnb_needs old = node->needs;
  node->ops = &nnb__layer_activation;
  node->needs = (nnb_needs){.from = &old.shape};
  const nnb_status status = node->ops->shape(node->self, &old.cols, 1, &node->needs);
  node->needs.from = NULL;
  return status;
}

/* Adds the node that k becomes: its layer and name, the activation and the output of `last`. */
static nnb_status add_node(nnb_net *to, const nnb_net *net, int k, int last, fate *fates, int *from) {
  nnb__node node = net->nodes[last - 1];
  const nnb__node *first = &net->nodes[k - 1];
  node.ops = first->ops, node.self = first->self, node.name = first->name;
  node.needs = first->needs, node.frozen = first->frozen;
  union {
    nnb__dense dense;
    nnb__conv conv;
  } self;
  nnb_status status = first->ops == &nnb__layer_dropout ? make_activation(&node) : NNB_OK;
  if (last != k) { /* the bias takes up μ and β */
    memcpy(&self, first->self, first->ops->size);
    if (first->ops == &nnb__layer_conv)
      self.conv.bias = 1;
    else
      self.dense.bias = 1;
    node.self = &self, node.needs.bias = true, node.needs.shape = net->nodes[last - 1].needs.shape;
  }
  for (int i = 0; i < first->n_from; i++) from[i] = fates[fates[first->from[i]].source].now;
  node.from = from, node.n_from = first->n_from;
  if (!status) status = nnb__copy_node(to, &node, nnb__net_kind(net, node.ops).numbered);
  if (!status) fates[k].now = fates[last].now = to->n_nodes;
  return status;
}

static nnb_status add_nodes(nnb_net *to, const nnb_net *net, fate *fates, int *from) {
  nnb_status status = NNB_OK;
  for (int k = 1; k <= net->n_nodes && !status; k++)
    if (fates[k].source == k && fates[k].now == 0)
      status = add_node(to, net, k, fates[k].norm ? fates[k].norm : k, fates, from);
  for (int i = 0; i < to->n_nodes; i++) to->nodes[i].n_consumers = 0;
  for (int i = 0; i < to->n_nodes && !status; i++)
    for (int j = 0; j < to->nodes[i].n_from; j++) to->nodes[to->nodes[i].from[j] - 1].n_consumers++;
  return status;
}

/* [W; b] ← [W ⊙ s; (b - μ) ⊙ s + β], s = γ/√(σ² + ε).  A column of W makes one column of a dense layer, of which a
 * channel may have several, and one channel of a convolution. */
static void fold(const nnb_net *net, const nnb__node *layer, const nnb__node *norm, real *to) {
  const nnb__norm *d = norm->self;
  const int cols = layer->needs.w_cols, rows = layer->needs.w_rows;
  const real *w = net->params + layer->off, *gain = net->params + norm->off, *bias = gain + d->channels;
  const real *mean = net->params + norm->buffers_off, *variance = mean + d->channels;
  for (int j = 0; j < cols; j++) {
    const int c = j / (cols / d->channels);
    const double scale = (double)gain[c] / sqrt((double)variance[c] + d->epsilon);
    const double shift = layer->needs.bias ? (double)w[(size_t)rows * (size_t)cols + (size_t)j] : 0;
    for (int i = 0; i <= rows; i++) {
      const size_t at = (size_t)i * (size_t)cols + (size_t)j;
      to[at] = (real)(i < rows ? (double)w[at] * scale : (shift - (double)mean[c]) * scale + (double)bias[c]);
    }
  }
}

static void copy_values(nnb_net *to, const nnb_net *net, const fate *fates) {
  for (int k = 1; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    if (fates[k].source != k || (node->ops == &nnb__layer_batchnorm && fates[fates[node->from[0]].source].norm == k))
      continue;
    const nnb__node *now = &to->nodes[fates[k].now - 1];
    const size_t n = ((size_t)node->needs.w_rows + node->needs.bias) * (size_t)node->needs.w_cols;
    if (fates[k].norm)
      fold(net, node, &net->nodes[fates[k].norm - 1], to->params + now->off);
    else
      memcpy(to->params + now->off, net->params + node->off, n * sizeof(real));
    memcpy(to->params + now->buffers_off, net->params + node->buffers_off, node->needs.buffers * sizeof(real));
  }
}

static nnb_status fold_into(nnb_net *to, const nnb_net *net, fate *fates, int *from) {
  find_sources(net, fates);
  find_norms(net, fates);
  nnb_status status = add_nodes(to, net, fates, from);
  if (!status) status = nnb__copy_frame(to, net);
  if (!status) status = nnb__net_seal_undrawn(to);
  if (!status) copy_values(to, net, fates);
  return status;
}

bool nnb__net_folds(const nnb_net *net) {
  for (int i = 0; i < net->n_nodes; i++)
    if (net->nodes[i].ops == &nnb__layer_dropout || net->nodes[i].ops == &nnb__layer_batchnorm) return true;
  return false;
}

nnb_status nnb_net_fold(const nnb_net *net, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  int longest = 0;
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  for (int i = 0; i < net->n_nodes; i++)
    if (net->nodes[i].n_from > longest) longest = net->nodes[i].n_from;
  nnb_net *to = nnb__net_new();
  fate *fates = nnb__zalloc((size_t)net->n_nodes + 1, sizeof *fates);
  int *from = nnb__alloc((size_t)longest, sizeof *from);
  status = to && fates && from ? fold_into(to, net, fates, from) : nnb__fail_nomem("a net");
  nnb__release(fates);
  nnb__release(from);
  if (status)
    nnb_net_destroy(to);
  else
    *out = to;
  return status;
}
