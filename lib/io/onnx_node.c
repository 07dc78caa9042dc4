/* io/onnx_node.c: layers of the net for values of an ONNX file, but for dense ones, with which arithmetic is joined. */
#include "onnx_net.h"

#include <string.h>

#include "build.h"
#include "status.h"
#include "text.h"

typedef nnb__onnx_builder builder;
typedef nnb__onnx_value value;

static value *at(const builder *b, int k) { return nnb__onnx_at(b->g, k); }

nnb_status nnb__onnx_misplaced(const builder *b, int k, const char *sentence) {
  return nnb__onnx_fail(b->g, at(b, k)->node, NNB_E_UNSUPPORTED, "%s", sentence);
}

/* ---- appending --------------------------------------------------------------------------------------------------- */

/* The tensor's name without our ".scaled", if nodes may have such a name; else NULL */
const char *nnb__onnx_node_name(const builder *b, int k, char out[64]) {
  const char *name = at(b, k)->name ? at(b, k)->name : "";
  const char *suffix = strstr(name, ".scaled");
  const size_t n = suffix && !suffix[7] ? (size_t)(suffix - name) : strlen(name);
  if (n < 1 || n > 60 || strchr("0123456789/", *name) || !nnb__is_utf8(name, n)) return NULL;
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)name[i] <= ' ' || strchr(":-=.\"\\", name[i])) return NULL;
  memcpy(out, name, n);
  out[n] = '\0';
  return nnb_net_find(b->net, out) > 0 ? NULL : out;
}

nnb_status nnb__onnx_append(builder *b, int k, const nnb_layer_ops *ops, const void *self, const int *from, int n,
                            int act) {
  char name[64];
  const int node = nnb__net_append(b->net, ops, self, from, n, act, 0, nnb__onnx_node_name(b, k, name), ops->name);
  if (node < 0) return (nnb_status)node;
  b->node[k] = node;
  return NNB_OK;
}

static nnb_status append_list(builder *b, int k, int list_of, const nnb_layer_ops *ops, int act) {
  const value *v = at(b, list_of);
  nnb_status status = NNB_OK;
  int *from = nnb__onnx_take(b->g->pool, (size_t)v->n_list, sizeof *from);
  if (!from) return nnb__onnx_pool_fail(b->g->pool, b->g->file);
  for (int i = 0; i < v->n_list && !status; i++) status = nnb__onnx_node_of(b, v->list[i], &from[i]);
  return status ? status : nnb__onnx_append(b, k, ops, NULL, from, v->n_list, act);
}

/* The layer has parameters, which are read once the net is sealed. */
static nnb_status append_with_params(builder *b, int k, int layer, const nnb_layer_ops *ops, const void *self, int from,
                                     int act) {
  nnb_status status = nnb__onnx_append(b, k, ops, self, &from, 1, act);
  if (!status) b->layer[b->n_layers++] = (nnb__onnx_layer){.node = b->node[k], .value = layer, .after = layer};
  return status;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static nnb_status append_conv(builder *b, int k, int layer, int from, int act) {
  const value *v = at(b, layer);
  const nnb__onnx_more *more = v->more;
  const nnb__conv self = {.channels = v->shape.channels,
                          .bias = v->bias != NULL,
                          .height = more->height,
                          .width = more->width,
                          .stride = more->stride,
                          .pad = more->pad,
                          .init = (int)nnb__init_for(act),
                          .init_scale = 1};
  return append_with_params(b, k, layer, &nnb__layer_conv, &self, from, act);
}

static nnb_status append_pool(builder *b, int k, int layer, int from, int act) {
  const nnb__onnx_more *more = at(b, layer)->more;
  const nnb__pool self = {.height = more->height, .width = more->width, .stride = more->stride};
  return nnb__onnx_append(b, k, more->average ? &nnb__layer_avgpool : &nnb__layer_maxpool, &self, &from, 1, act);
}

/* Columns of rows are channels, also where the node that has them is an image. */
static nnb_status append_batchnorm(builder *b, int k, int layer, int from, int act) {
  nnb__norm self = nnb__norm_defaults;
  self.epsilon = at(b, layer)->alpha;
  if (at(b, layer)->rank == 2 && b->net->nodes[from - 1].needs.shape.channels > 0)
    from = nnb__net_append(b->net, &nnb__layer_flatten, NULL, &from, 1, NNB_LINEAR, 0, NULL, "flatten");
  return from < 0 ? (nnb_status)from : append_with_params(b, k, layer, &nnb__layer_batchnorm, &self, from, act);
}

static nnb_status append_layernorm(builder *b, int k, int layer, int from, int act) {
  nnb__norm self = nnb__norm_defaults;
  self.epsilon = at(b, layer)->alpha;
  return append_with_params(b, k, layer, &nnb__layer_layernorm, &self, from, act);
}

/* The shape is that of the value also where the input has another one. */
static nnb_status append_embedding(builder *b, int k, int layer, int from, int act) {
  const value *v = at(b, layer);
  nnb__embedding self = nnb__embedding_defaults;
  self.levels = (int)v->c->t.dim[0], self.units = (int)v->c->t.dim[1];
  nnb_status status = append_with_params(b, k, layer, &nnb__layer_embedding, &self, from, act);
  if (status || v->rank == 2) return status;
  return (nnb_status)nnb_net_shape(b->net, b->node[k], v->shape.channels, 1, v->shape.width);
}

static nnb_status append_gru(builder *b, int k, int layer, int from, int act) {
  const value *v = at(b, layer);
  nnb__gru self = nnb__gru_defaults;
  self.units = v->rank == 2 ? v->cols : v->shape.channels, self.sequence = v->rank == 3;
  return append_with_params(b, k, layer, &nnb__layer_gru, &self, from, act);
}

/* Whether k is the last step of a batch normalisation of rows. */
static bool is_norm_of_rows(const builder *b, int k) { return at(b, k)->kind == NNB__ONNX_ARITH && at(b, k)->more; }

bool nnb__onnx_takes_activation(const builder *b, int k) {
  switch (at(b, k)->kind) {
    case NNB__ONNX_SUM:
    case NNB__ONNX_PRODUCT:
    case NNB__ONNX_CONV:
    case NNB__ONNX_POOL:
    case NNB__ONNX_BATCHNORM:
    case NNB__ONNX_LAYERNORM:
    case NNB__ONNX_EMBEDDING:
    case NNB__ONNX_GRU:
      return true;
    default:
      return is_norm_of_rows(b, k);
  }
}

nnb_status nnb__onnx_append_layer(builder *b, int k, int layer, int act) {
  const value *v = at(b, layer);
  int from = 0;
  if (v->kind == NNB__ONNX_SUM) return append_list(b, k, layer, &nnb__layer_add, act);
  if (v->kind == NNB__ONNX_PRODUCT) return append_list(b, k, layer, &nnb__layer_product, act);
  if (v->kind == NNB__ONNX_CONCAT) return append_list(b, k, layer, &nnb__layer_concat, act);
  nnb_status status = nnb__onnx_node_of(b, is_norm_of_rows(b, layer) ? v->more->source : v->from, &from);
  if (status) return status;
  switch (v->kind) {
    case NNB__ONNX_CONV:
      return append_conv(b, k, layer, from, act);
    case NNB__ONNX_POOL:
      return append_pool(b, k, layer, from, act);
    case NNB__ONNX_LAYERNORM:
      return append_layernorm(b, k, layer, from, act);
    case NNB__ONNX_EMBEDDING:
      return append_embedding(b, k, layer, from, act);
    case NNB__ONNX_GRU:
      return append_gru(b, k, layer, from, act);
    case NNB__ONNX_FLATTEN:
      return nnb__onnx_append(b, k, &nnb__layer_flatten, NULL, &from, 1, act);
    default:
      return append_batchnorm(b, k, layer, from, act);
  }
}

/* ---- which node has a value -------------------------------------------------------------------------------------- */

/* Batch normalisations of rows one behind the other, up to k, which have become no part of other layers. */
static nnb_status append_norms(builder *b, int k) {
  int n = 0, first = k;
  for (; !b->node[first] && is_norm_of_rows(b, first); n++) first = at(b, first)->more->source;
  int *list = nnb__onnx_take(b->g->pool, (size_t)n, sizeof *list);
  nnb_status status = list || n == 0 ? NNB_OK : nnb__onnx_pool_fail(b->g->pool, b->g->file);
  for (int i = n - 1, v = k; !status && i >= 0; v = at(b, v)->more->source) list[i--] = v;
  for (int i = 0; i < n && !status; i++) {
    const int source = at(b, list[i])->more->source;
    status = b->node[source] ? append_batchnorm(b, list[i], list[i], b->node[source], NNB_LINEAR)
                             : nnb__onnx_node_of(b, source, &(int){0});
  }
  return status;
}

nnb_status nnb__onnx_node_of(builder *b, int k, int *out) {
  nnb_status status = b->node[k] || !is_norm_of_rows(b, k) ? NNB_OK : append_norms(b, k);
  if (status) return status;
  if ((*out = b->node[k])) return NNB_OK;
  return nnb__onnx_misplaced(
      b, k, "arithmetic with constants is only read beside a dense layer, after an input or before an output");
}
