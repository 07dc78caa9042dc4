/* io/torch_save.c: the parameters of layers in the names and the layout of PyTorch. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "safetensors.h"
#include "status.h"
#include "torch.h"

/* Whether the layer, apart from its activation, is a module of torch.nn. */
static bool is_module(const nnb__node *node) {
  static const nnb_layer_ops *const modules[] = {&nnb__layer_dense,     &nnb__layer_dropout,   &nnb__layer_conv,
                                                 &nnb__layer_maxpool,   &nnb__layer_avgpool,   &nnb__layer_flatten,
                                                 &nnb__layer_layernorm, &nnb__layer_batchnorm, &nnb__layer_embedding};
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
    if (node->ops == modules[i]) return true;
  return false;
}

bool nnb__torch_has_running(const nnb_net *net, int i) {
  return net->nodes[net->block_node[i] - 1].ops == &nnb__layer_batchnorm;
}

static bool has_images(const nnb_net *net) {
  bool any = false;
  for (int k = 0; k < net->n_nodes; k++) any |= net->nodes[k].needs.shape.height > 1;
  return any;
}

bool nnb__torch_has_table(const nnb_net *net, int i) {
  return net->nodes[net->block_node[i] - 1].ops == &nnb__layer_embedding;
}

/* Outputs first, but for a table; where all images have height 1, they are signals, and have no height. */
int nnb__torch_shape(const nnb_net *net, int i, size_t dim[4]) {
  const nnb__node *node = &net->nodes[net->block_node[i] - 1];
  const nnb_shape *read = &net->nodes[node->from[0] - 1].needs.shape;
  int n = 0;
  if (node->ops == &nnb__layer_conv) {
    const nnb__patches *p = &((const nnb__conv *)node->self)->patches;
    dim[n++] = (size_t)node->needs.w_cols, dim[n++] = (size_t)p->in.channels;
    if (has_images(net)) dim[n++] = (size_t)p->height;
    return dim[n++] = (size_t)p->width, n;
  }
  if (node->ops == &nnb__layer_layernorm && read->channels > 0) {
    dim[n++] = (size_t)read->channels;
    if (has_images(net)) dim[n++] = (size_t)read->height;
    return dim[n++] = (size_t)read->width, n;
  }
  if (node->ops == &nnb__layer_embedding) dim[n++] = (size_t)node->needs.w_rows;
  dim[n++] = (size_t)node->needs.w_cols;
  if (node->ops == &nnb__layer_dense) dim[n++] = (size_t)node->needs.w_rows;
  return n;
}

nnb_status nnb__torch_check(const nnb_net *net, const nnb_torch_opts *opts) {
  for (size_t i = 0; i < sizeof opts->reserved / sizeof *opts->reserved; i++)
    if (opts->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_torch_opts: a reserved word is not 0; initialise the struct with {0}");
  for (int i = 0; i < net->n_blocks; i++) {
    const nnb__node *node = &net->nodes[net->block_node[i] - 1];
    if (!is_module(node))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s (%.60s) is no layer that is read and written for PyTorch", node->name,
                       node->ops->name);
  }
  if (!opts->names) return NNB_OK;
  if (opts->n_names != net->n_blocks)
    return nnb__fail(NNB_E_SHAPE, "the options have %d names; the net has %d layers with parameters", opts->n_names,
                     net->n_blocks);
  for (int i = 0; i < opts->n_names; i++)
    if (!opts->names[i]) return nnb__fail(NNB_E_ARG, "names[%d] is NULL", i);
  return NNB_OK;
}

static bool is_chain(const nnb_net *net) {
  for (int k = 2; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    const bool one = is_module(node) || node->ops == &nnb__layer_activation;
    if (!one || node->n_from != 1 || node->from[0] != k - 1) return false;
  }
  return nnb__node_is_input(&net->nodes[0]);
}

/* Whether torch.nn.Flatten stands before a layer of a chain: a dense one that reads images. */
static bool is_flattened(const nnb_net *net, int k) {
  return net->nodes[k - 1].ops == &nnb__layer_dense && net->nodes[k - 2].needs.shape.channels > 0;
}

/* The module's number in torch.nn.Sequential: each layer, each activation that is not linear and each Flatten counts.
 */
static int number_in_chain(const nnb_net *net, int k) {
  int number = is_flattened(net, k);
  for (int i = 2; i < k; i++) {
    const nnb__node *node = &net->nodes[i - 1];
    number += is_module(node) + (node->activation != NNB_LINEAR) + is_flattened(net, i);
  }
  return number;
}

static char *tensor_name(const nnb_net *net, const nnb_torch_opts *opts, int block, const char *part) {
  const int k = net->block_node[block];
  char number[16];
  snprintf(number, sizeof number, "%d", number_in_chain(net, k));
  const char *prefix = opts->prefix ? opts->prefix : "";
  const char *module = opts->names ? opts->names[block] : is_chain(net) ? number : net->nodes[k - 1].name;
  const size_t bytes = strlen(prefix) + strlen(module) + strlen(part) + 2;
  char *name = nnb__alloc(bytes, 1);
  if (name) snprintf(name, bytes, "%s%s%s%s", prefix, module, *module ? "." : "", part);
  return name;
}

static void put_tensor(const nnb_net *net, const nnb_torch_opts *opts, int i, nnb__torch_part part, const void *data,
                       nnb__bag *bag) {
  const bool norm = net->nodes[net->block_node[i] - 1].ops == &nnb__layer_layernorm;
  size_t dim[4] = {(size_t)net->blocks[i].cols};
  int n_dims = part == NNB__TORCH_COUNT ? 0 : 1;
  if (part == NNB__TORCH_WEIGHT || norm) n_dims = nnb__torch_shape(net, i, dim);
  char *name = tensor_name(net, opts, i, nnb__torch_parts[part]);
  if (name)
    nnb__bag_tensor(bag, name, part == NNB__TORCH_COUNT ? NNB__I64 : NNB__REAL_DTYPE, n_dims, dim, data);
  else if (!bag->status)
    bag->status = nnb__fail_nomem("the name of a tensor");
  nnb__release(name);
}

static void put_running(const nnb_net *net, const nnb_torch_opts *opts, int i, nnb__bag *bag) {
  static const int64_t none = 0;
  const real *mean = net->params + net->nodes[net->block_node[i] - 1].buffers_off;
  put_tensor(net, opts, i, NNB__TORCH_MEAN, mean, bag);
  put_tensor(net, opts, i, NNB__TORCH_VARIANCE, mean + net->blocks[i].cols, bag);
  put_tensor(net, opts, i, NNB__TORCH_COUNT, &none, bag);
}

/* Puts all layers into the bag, whose tensors point into transposed: P numbers. */
static nnb_status fill(const nnb_net *net, const nnb_torch_opts *opts, real *transposed, nnb__bag *bag) {
  for (int i = 0; i < net->n_blocks; i++) {
    const nnb__block *block = &net->blocks[i];
    const size_t rows = (size_t)block->rows, cols = (size_t)block->cols;
    const real *w = net->params + block->off;
    real *t = transposed + block->off;
    const bool table = nnb__torch_has_table(net, i);
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < cols; c++) t[table ? r * cols + c : c * rows + r] = w[r * cols + c];
    put_tensor(net, opts, i, NNB__TORCH_WEIGHT, t, bag);
    if (block->bias) put_tensor(net, opts, i, NNB__TORCH_BIAS, w + rows * cols, bag);
    if (nnb__torch_has_running(net, i)) put_running(net, opts, i, bag);
  }
  return bag->status;
}

/* *bag ← the layers; *transposed is to be released after it. */
static nnb_status to_bag(const nnb_net *net, const nnb_torch_opts *opts, nnb__bag *bag, real **transposed) {
  static const nnb_torch_opts defaults = {0};
  if (!opts) opts = &defaults;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__torch_check(net, opts);
  if (status) return status;
  *transposed = nnb__alloc(net->n_params, sizeof **transposed);
  return *transposed ? fill(net, opts, *transposed, bag) : nnb__fail_nomem("the transposed weights");
}

nnb_status nnb_net_save_torch(const nnb_net *net, const char *path, const nnb_torch_opts *opts) {
  if (!net || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb__bag bag = {0};
  real *transposed = NULL;
  nnb_status status = to_bag(net, opts, &bag, &transposed);
  if (!status) status = nnb__safetensors_save(&bag, path);
  nnb__bag_clear(&bag);
  nnb__release(transposed);
  return status;
}

nnb_status nnb_net_save_torch_mem(const nnb_net *net, const nnb_torch_opts *opts, void **out, size_t *bytes) {
  if (!net || !out || !bytes) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "out or bytes" : "net");
  *out = NULL, *bytes = 0;
  nnb__bag bag = {0};
  nnb__bytes file = {0};
  real *transposed = NULL;
  nnb_status status = to_bag(net, opts, &bag, &transposed);
  if (!status) status = nnb__safetensors_to_mem(&bag, &file);
  nnb__bag_clear(&bag);
  nnb__release(transposed);
  *out = file.p, *bytes = file.n;
  return status;
}
