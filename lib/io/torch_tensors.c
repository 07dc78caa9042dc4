/* io/torch_tensors.c: the layers of a net as modules of torch.nn: which tensors they have. */
#include "real.h"
/* the precision first */
#include "status.h"
#include "torch.h"

typedef nnb__torch_tensor tensor;

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

static tensor vector(nnb__torch_part part, size_t n, size_t at) {
  return (tensor){.part = part, .n_dims = 1, .dim = {n}, .at = at};
}

/* The transpose of rows×cols numbers of the net */
static tensor matrix(nnb__torch_part part, size_t rows, size_t cols, size_t at, const char *sides) {
  return (tensor){.part = part, .n_dims = 2, .dim = {cols, rows}, .at = at, .transposed = true, .sides = sides};
}

/* out[1] ← the bias, if there is one; returns the number of tensors. */
static int with_bias(const nnb__node *node, tensor *out) {
  const size_t rows = (size_t)node->needs.w_rows, cols = (size_t)node->needs.w_cols;
  if (node->needs.bias) out[1] = vector(NNB__TORCH_BIAS, cols, node->off + rows * cols);
  return 1 + node->needs.bias;
}

static bool has_images(const nnb_net *net) {
  bool any = false;
  for (int k = 0; k < net->n_nodes; k++) any |= net->nodes[k].needs.shape.height > 1;
  return any;
}

/* Where all images have height 1, they are signals, and have no height. */
static void add_sides(const nnb_net *net, int height, int width, tensor *t) {
  if (has_images(net)) t->dim[t->n_dims++] = (size_t)height;
  t->dim[t->n_dims++] = (size_t)width;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static int of_dense(const nnb_net *net, const nnb__node *node, tensor *out) {
  (void)net;
  out[0] =
      matrix(NNB__TORCH_WEIGHT, (size_t)node->needs.w_rows, (size_t)node->needs.w_cols, node->off, "outputs×inputs");
  return with_bias(node, out);
}

static int of_conv(const nnb_net *net, const nnb__node *node, tensor *out) {
  const nnb__patches *p = &((const nnb__conv *)node->self)->patches;
  out[0] =
      matrix(NNB__TORCH_WEIGHT, (size_t)p->in.channels, (size_t)node->needs.w_cols, node->off, "outputs×channels×…");
  out[0].any_sides = true, out[0].firm = 2;
  add_sides(net, p->height, p->width, &out[0]);
  return with_bias(node, out);
}

static int of_layernorm(const nnb_net *net, const nnb__node *node, tensor *out) {
  const nnb_shape *read = &net->nodes[node->from[0] - 1].needs.shape;
  const size_t cols = (size_t)node->needs.w_cols;
  out[0] = vector(NNB__TORCH_WEIGHT, cols, node->off);
  out[0].any_sides = read->channels > 0, out[0].firm = read->channels > 1, out[0].sides = "channels×…";
  if (read->channels > 0) out[0].dim[0] = (size_t)read->channels, add_sides(net, read->height, read->width, &out[0]);
  out[1] = out[0];
  out[1].part = NNB__TORCH_BIAS, out[1].at += cols;
  return 2;
}

static int of_batchnorm(const nnb_net *net, const nnb__node *node, tensor *out) {
  const size_t cols = (size_t)node->needs.w_cols;
  (void)net;
  out[0] = vector(NNB__TORCH_WEIGHT, cols, node->off);
  out[1] = vector(NNB__TORCH_BIAS, cols, node->off + cols);
  out[2] = vector(NNB__TORCH_MEAN, cols, node->buffers_off);
  out[3] = vector(NNB__TORCH_VARIANCE, cols, node->buffers_off + cols);
  out[4] = (tensor){.part = NNB__TORCH_COUNT};
  return 5;
}

static int of_embedding(const nnb_net *net, const nnb__node *node, tensor *out) {
  (void)net;
  out[0] = matrix(NNB__TORCH_WEIGHT, (size_t)node->needs.w_cols, (size_t)node->needs.w_rows, node->off, "levels×units");
  out[0].transposed = false;
  return 1;
}

/* [W; U; c] and b, columns r, z, n, which is PyTorch's order too */
static int of_gru(const nnb_net *net, const nnb__node *node, tensor *out) {
  const nnb__gru *d = node->self;
  const size_t channels = (size_t)d->channels, units = (size_t)d->units, gates = 3 * units;
  const size_t u = node->off + channels * gates, c = u + units * gates;
  (void)net;
  out[0] = matrix(NNB__TORCH_WEIGHT_X, channels, gates, node->off, "3·units×channels");
  out[1] = matrix(NNB__TORCH_WEIGHT_H, units, gates, u, "3·units×units");
  out[2] = vector(NNB__TORCH_BIAS_X, gates, c + gates);
  out[3] = vector(NNB__TORCH_BIAS_H, gates, c);
  return 4;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct kind {
  const nnb_layer_ops *ops;
  int (*tensors)(const nnb_net *net, const nnb__node *node, tensor *out); /* NULL: no parameters */
} kind;

static const kind *kind_of(const nnb_layer_ops *ops) {
  static const kind kinds[] = {{&nnb__layer_dense, of_dense},         {&nnb__layer_dropout, NULL},
                               {&nnb__layer_conv, of_conv},           {&nnb__layer_maxpool, NULL},
                               {&nnb__layer_avgpool, NULL},           {&nnb__layer_flatten, NULL},
                               {&nnb__layer_layernorm, of_layernorm}, {&nnb__layer_batchnorm, of_batchnorm},
                               {&nnb__layer_embedding, of_embedding}, {&nnb__layer_gru, of_gru}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].ops == ops) return &kinds[i];
  return NULL;
}

bool nnb__torch_is_module(const nnb_layer_ops *ops) { return kind_of(ops) != NULL; }

int nnb__torch_tensors(const nnb_net *net, int i, nnb__torch_tensor out[NNB__TORCH_MOST]) {
  const nnb__node *node = &net->nodes[net->block_node[i] - 1];
  return kind_of(node->ops)->tensors(net, node, out); /* NOLINT: layers with parameters have it */
}

nnb_status nnb__torch_check(const nnb_net *net, const nnb_torch_opts *opts) {
  for (size_t i = 0; i < sizeof opts->reserved / sizeof *opts->reserved; i++)
    if (opts->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_torch_opts: a reserved word is not 0; initialise the struct with {0}");
  for (int i = 0; i < net->n_blocks; i++) {
    const nnb__node *node = &net->nodes[net->block_node[i] - 1];
    if (!nnb__torch_is_module(node->ops))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s (%.60s) is no layer that is read and written for PyTorch", node->name,
                       node->ops->name);
  }
  if (!opts->names) return NNB_OK;
  if (opts->n_names != net->n_blocks)
    return nnb__fail(NNB_E_SHAPE, "the options have %d name(s); the net has %d layer(s) with parameters", opts->n_names,
                     net->n_blocks);
  for (int i = 0; i < opts->n_names; i++)
    if (!opts->names[i]) return nnb__fail(NNB_E_ARG, "names[%d] is NULL", i);
  return NNB_OK;
}
