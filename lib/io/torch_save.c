/* io/torch_save.c: the parameters of layers in the names and the layout of PyTorch. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "safetensors.h"
#include "status.h"
#include "torch.h"

static bool is_chain(const nnb_net *net) {
  for (int k = 2; k <= net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k - 1];
    const bool one = nnb__torch_is_module(node->ops) || node->ops == &nnb__layer_activation;
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
    number += nnb__torch_is_module(node->ops) + (node->activation != NNB_LINEAR) + is_flattened(net, i);
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

/* out ← the transpose of t's matrix in w: cols×rows */
static void transpose(const nnb__torch_tensor *t, const real *w, real *out) {
  const size_t cols = t->dim[0];
  size_t rows = 1;
  for (int i = 1; i < t->n_dims; i++) rows *= t->dim[i];
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < cols; c++) out[c * rows + r] = w[r * cols + c];
}

static void put_tensor(const nnb_net *net, const nnb_torch_opts *opts, int i, const nnb__torch_tensor *t,
                       real *transposed, nnb__bag *bag) {
  static const int64_t none = 0;
  const bool count = t->part == NNB__TORCH_COUNT;
  char *name = tensor_name(net, opts, i, nnb__torch_parts[t->part]);
  if (t->transposed) transpose(t, net->params + t->at, transposed + t->at);
  const real *numbers = t->transposed ? transposed + t->at : net->params + t->at;
  if (name)
    nnb__bag_tensor(bag, name, count ? NNB__I64 : NNB__REAL_DTYPE, t->n_dims, t->dim,
                    count ? (const void *)&none : numbers);
  else if (!bag->status)
    bag->status = nnb__fail_nomem("the name of a tensor");
  nnb__release(name);
}

/* Puts all layers into the bag, whose tensors point into the net and into transposed: P numbers. */
static nnb_status fill(const nnb_net *net, const nnb_torch_opts *opts, real *transposed, nnb__bag *bag) {
  for (int i = 0; i < net->n_blocks; i++) {
    nnb__torch_tensor tensors[NNB__TORCH_MOST];
    const int n = nnb__torch_tensors(net, i, tensors);
    for (int k = 0; k < n; k++) put_tensor(net, opts, i, &tensors[k], transposed, bag);
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
