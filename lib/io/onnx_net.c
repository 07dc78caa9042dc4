/* io/onnx_net.c: a net of the values of an ONNX file.  Elementwise arithmetic becomes part of the dense layer before it
 * or after it, or of the scalers. */
#include "onnx_net.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "net_memory.h"
#include "onnx_names.h"
#include "seal.h"
#include "status.h"
#include "text.h"

typedef nnb__onnx_builder builder;
typedef nnb__onnx_value value;

static value *at(const builder *b, int k) { return nnb__onnx_at(b->g, k); }

/* ---- runs of arithmetic ------------------------------------------------------------------------------------------ */

/* Whether the only thing that reads the value is another value of that kind. */
static bool only_read_by(const builder *b, int k, nnb__onnx_kind kind) {
  const value *v = at(b, k);
  return v->uses == 1 && v->user && at(b, v->user)->kind == kind;
}

/* Where the run of arithmetic that ends with k begins: the first value below that others read too, that has a node, or
 * that is no arithmetic.  k itself, if it is none. */
static int base_of(const builder *b, int k) {
  int base = k;
  if (at(b, k)->kind != NNB__ONNX_ARITH) return k;
  do base = at(b, base)->from;
  while (at(b, base)->kind == NNB__ONNX_ARITH && at(b, base)->uses == 1 && !b->node[base]);
  return base;
}

/* The first step of the run of k above its base */
static int first_step(const builder *b, int k, int base) {
  while (at(b, k)->from != base) k = at(b, k)->from;
  return k;
}

static bool adds(const value *v) {
  return v->arith != NNB__ONNX_MUL && v->arith != NNB__ONNX_DIV && v->arith != NNB__ONNX_DIV_ROOT;
}

static bool run_adds(const builder *b, int k, int base) {
  bool any = false;
  for (; k != base; k = at(b, k)->from) any |= adds(at(b, k));
  return any;
}

/* Multiplications by 1, which stand for a change of shape */
static bool is_identity(const builder *b, int k, int base) {
  for (; k != base; k = at(b, k)->from)
    if (at(b, k)->arith != NNB__ONNX_MUL || at(b, k)->c || at(b, k)->number != 1) return false;
  return true;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* The dense layer `dense` with the arithmetic up to `after`, and an activation; the node is that of value k. */
static nnb_status append_dense(builder *b, int k, int dense, int after, int act) {
  const value *v = at(b, dense);
  int from = b->node[v->from], before = 0;
  if (!from && at(b, v->from)->kind == NNB__ONNX_ARITH) {
    before = v->from;
    if (!b->stop[v->from]) b->stop[v->from] = base_of(b, v->from); /* other layers may read it too */
    from = b->node[b->stop[v->from]];
  }
  nnb_status status = NNB_OK;
  if (!from) before = 0, status = nnb__onnx_node_of(b, v->from, &from); /* which may add layers */
  if (status) return status;
  b->stop[after] = dense;
  nnb__dense self = {.units = v->cols, .init = (int)nnb__init_for(act), .init_scale = 1};
  self.bias = v->bias || before || run_adds(b, after, dense);
  status = nnb__onnx_append(b, k, &nnb__layer_dense, &self, &from, 1, act);
  b->layer[b->n_layers] = (nnb__onnx_layer){.node = b->node[k], .value = dense, .before = before, .after = after};
  b->n_layers += !status;
  return status;
}

/* ---- one value after the other ----------------------------------------------------------------------------------- */

static nnb_status set_input_scaler(builder *b, int input, int end) {
  const nnb__onnx_chain *chain;
  const int column = b->net->nodes[b->node[input] - 1].x_col;
  b->stop[end] = input;
  nnb_status status = nnb__onnx_chain_of(b, end, &chain);
  for (int j = 0; j < at(b, end)->cols && !status; j++) {
    const double factor = chain->d[j] == 1 ? chain->m[j] : chain->m[j] / chain->d[j];
    const double shift = chain->q[j] == 0 ? chain->p[j] : chain->p[j] - chain->q[j] / factor;
    b->shift[column + j] = (real)shift, b->factor[column + j] = (real)factor;
    if (!isfinite(b->shift[column + j]) || !isfinite(b->factor[column + j]) || b->factor[column + j] == 0)
      return nnb__onnx_misplaced(b, end, "it scales a column of an input by 0 or by a number that is not finite");
  }
  b->node[end] = b->node[input];
  return status;
}

/* A multiplication by 1 of what has a node; that of an input which others read too is no scaler. */
static bool is_same_node(const builder *b, int k) {
  const int from = at(b, k)->from;
  return b->node[from] && is_identity(b, k, from) && (at(b, from)->kind != NNB__ONNX_INPUT || at(b, from)->uses > 1);
}

/* The end of a run of arithmetic.  Without a node it belongs to the dense layers that read it, or to a scaler. */
static nnb_status place_run(builder *b, int k) {
  const int base = base_of(b, k);
  const bool alone = at(b, base)->uses == 1;
  if (b->node[base] && is_identity(b, k, base)) return b->node[k] = b->node[base], NNB_OK;
  if (at(b, base)->kind == NNB__ONNX_INPUT && alone) return set_input_scaler(b, base, k);
  if (at(b, base)->kind != NNB__ONNX_DENSE || !alone || only_read_by(b, k, NNB__ONNX_ACT)) return NNB_OK;
  if (at(b, k)->uses > 1 || at(b, k)->user) return append_dense(b, k, base, k, NNB_LINEAR);
  const int first = first_step(b, k, base);
  const int after = !at(b, base)->bias && adds(at(b, first)) ? first : base; /* the rest scales the output */
  return append_dense(b, after, base, after, NNB_LINEAR);
}

static nnb_status place_activation(builder *b, int k) {
  const value *v = at(b, k);
  const int base = base_of(b, v->from);
  int from;
  const bool in_layer =
      !b->node[v->from] && at(b, base)->kind == NNB__ONNX_DENSE && at(b, v->from)->uses == 1 && at(b, base)->uses == 1;
  if (in_layer) return append_dense(b, k, base, v->from, v->act);
  if (!b->node[v->from] && at(b, v->from)->uses == 1 && nnb__onnx_takes_activation(b, v->from))
    return nnb__onnx_append_layer(b, k, v->from, v->act);
  nnb_status status = nnb__onnx_node_of(b, v->from, &from);
  return status ? status : nnb__onnx_append(b, k, &nnb__layer_activation, NULL, &from, 1, v->act);
}

static bool has_shape(const builder *b, int node, const nnb_shape *shape) {
  const nnb_shape own = nnb_net_node_shape(b->net, node);
  return own.channels == shape->channels && own.height == shape->height && own.width == shape->width;
}

/* The node that has the numbers gets the shape, if it lacks it and nothing else reads it. */
static nnb_status place_images(builder *b, int k) {
  const value *v = at(b, k), *from = at(b, v->from);
  const bool own = from->kind == NNB__ONNX_INPUT || from->kind == NNB__ONNX_DENSE || from->kind == NNB__ONNX_ACT ||
                   from->kind == NNB__ONNX_SUM || from->kind == NNB__ONNX_CONCAT || from->kind == NNB__ONNX_PRODUCT ||
                   from->kind == NNB__ONNX_EMBEDDING;
  int node;
  nnb_status status = nnb__onnx_node_of(b, v->from, &node);
  if (status) return status;
  if (has_shape(b, node, &v->shape)) return b->node[k] = node, NNB_OK;
  if (own && from->uses == 1)
    b->node[k] = node;
  else
    status = nnb__onnx_append(b, k, &nnb__layer_activation, NULL, &node, 1, NNB_LINEAR);
  return status ? status
                : (nnb_status)nnb_net_shape(b->net, b->node[k], v->shape.channels, v->shape.height, v->shape.width);
}

static nnb_status place(builder *b, int k) {
  switch (at(b, k)->kind) {
    case NNB__ONNX_INPUT:
      return NNB_OK;
    case NNB__ONNX_ARITH:
      if (is_same_node(b, k)) return b->node[k] = b->node[at(b, k)->from], NNB_OK;
      return only_read_by(b, k, NNB__ONNX_ARITH) ? NNB_OK : place_run(b, k);
    case NNB__ONNX_ACT:
      return place_activation(b, k);
    case NNB__ONNX_CONCAT:
      return nnb__onnx_append_layer(b, k, k, NNB_LINEAR);
    case NNB__ONNX_FLATTEN: /* dense layers read images as rows, and nothing else reads rows of steps×channels */
      if (at(b, k)->turned || only_read_by(b, k, NNB__ONNX_DENSE))
        return nnb__onnx_node_of(b, at(b, k)->from, &b->node[k]);
      return nnb__onnx_append_layer(b, k, k, NNB_LINEAR);
    case NNB__ONNX_IMAGES:
      return place_images(b, k);
    case NNB__ONNX_DENSE:
      if (only_read_by(b, k, NNB__ONNX_ACT) || only_read_by(b, k, NNB__ONNX_ARITH)) return NNB_OK;
      return append_dense(b, k, k, k, NNB_LINEAR);
    case NNB__ONNX_CONST:
    case NNB__ONNX_SIZES:
      return nnb__onnx_misplaced(b, k, "an output is a constant");
    default:
      if (!nnb__onnx_takes_activation(b, k))
        return nnb__onnx_misplaced(b, k, "it is no part of a known activation or norm");
      return only_read_by(b, k, NNB__ONNX_ACT) ? NNB_OK : nnb__onnx_append_layer(b, k, k, NNB_LINEAR);
  }
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static nnb_status place_inputs(builder *b) {
  char name[64];
  nnb_status status = NNB_OK;
  for (int k = 1; k <= (int)b->g->n && !status; k++) {
    if (at(b, k)->kind != NNB__ONNX_INPUT) continue;
    const nnb_shape *shape = &at(b, k)->shape;
    const int node = nnb_net_input(b->net, at(b, k)->cols, nnb__onnx_node_name(b, k, name));
    if (node < 0)
      status = (nnb_status)node;
    else if (shape->channels > 0)
      status = (nnb_status)nnb_net_shape(b->net, node, shape->channels, shape->height, shape->width);
    b->node[k] = node;
  }
  if (status) return status;
  b->shift = nnb__onnx_take(b->g->pool, (size_t)b->net->n_x, sizeof *b->shift);
  b->factor = nnb__onnx_take(b->g->pool, (size_t)b->net->n_x, sizeof *b->factor);
  if (!b->shift || !b->factor) return nnb__onnx_pool_fail(b->g->pool, b->g->file);
  for (int i = 0; i < b->net->n_x; i++) b->factor[i] = 1;
  return NNB_OK;
}

/* The scaler, unless it changes nothing */
static nnb_status set_scaler(const builder *b, bool targets, int n, const real *shift, const real *factor) {
  bool trivial = true;
  for (int i = 0; i < n; i++) trivial &= shift[i] == 0 && factor[i] == 1;
  return trivial ? NNB_OK : nnb__net_set_scaler(b->net, targets, NNB_STANDARDIZE, n, shift, factor);
}

/* Declares an output, with a node of its own where the one that has its numbers is an input or an output already. */
static nnb_status declare_output(builder *b, int k, int node) {
  nnb_status status = NNB_OK;
  if (nnb__node_is_input(&b->net->nodes[node - 1]) || b->net->nodes[node - 1].out_col >= 0)
    status = nnb__onnx_append(b, k, &nnb__layer_activation, NULL, &node, 1, NNB_LINEAR), node = b->node[k];
  if (!status && (node = nnb_net_output(b->net, node)) < 0) status = (nnb_status)node;
  return status;
}

/* Declares an output; arithmetic between its node and the output is its scaler, x/factor + shift. */
static nnb_status place_output(builder *b, int k, real *shift, real *factor) {
  const value *v = at(b, k);
  const nnb__onnx_chain *chain = NULL;
  int node = k;
  nnb_status status = NNB_OK;
  if (!b->node[k] && v->kind == NNB__ONNX_ARITH && v->uses == 1) {
    node = b->stop[k] = base_of(b, k);
    status = nnb__onnx_chain_of(b, k, &chain);
  }
  if (!status) status = nnb__onnx_node_of(b, node, &node);
  if (!status) status = declare_output(b, k, node);
  for (int j = 0; j < v->cols && !status; j++) {
    const double m = chain ? chain->m[j] : 1, d = chain ? chain->d[j] : 1;
    factor[j] = (real)(m == 1 ? d : d / m);
    shift[j] = (real)(chain ? chain->q[j] - chain->p[j] * m / d : 0);
    if (!isfinite(shift[j]) || !isfinite(factor[j]) || factor[j] == 0)
      return nnb__onnx_misplaced(b, k, "it scales a column of an output by 0 or by a number that is not finite");
  }
  return status;
}

static nnb_status place_outputs(builder *b) {
  const nnb__onnx_graph *g = b->g;
  int total = 0, column = 0;
  for (int i = 0; i < g->n_outputs; i++)
    if (__builtin_add_overflow(total, at(b, g->outputs[i])->cols, &total))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the outputs have more columns in all than an int can hold", g->file);
  real *shift = nnb__onnx_take(g->pool, (size_t)total, sizeof *shift),
       *factor = nnb__onnx_take(g->pool, (size_t)total, sizeof *factor);
  nnb_status status = shift && factor ? NNB_OK : nnb__onnx_pool_fail(g->pool, g->file);
  for (int i = 0; i < g->n_outputs && !status; i++) {
    status = place_output(b, g->outputs[i], shift + column, factor + column);
    column += at(b, g->outputs[i])->cols;
  }
  if (!status) status = set_scaler(b, true, total, shift, factor);
  if (!status && b->net->out.shift) status = (nnb_status)nnb_net_loss(b->net, NNB_MSE);
  return status;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

typedef struct names {
  char **name;
  int n, most;
} names;

/* Keys PREFIX.0, PREFIX.1, … of the metadata */
static void read_names(const nnb__onnx_graph *g, const char *prefix, names *out) {
  const size_t n = strlen(prefix);
  for (size_t i = 0; i < g->model->n_metadata_props; i++) {
    const char *key = g->model->metadata_props[i]->key, *name = g->model->metadata_props[i]->value;
    if (!key || !name || strncmp(key, prefix, n) != 0 || !nnb__is_utf8(name, strlen(name))) continue;
    char *end;
    const long number = strtol(key + n, &end, 10);
    if (end == key + n || *end || number < 0 || number >= out->most) continue;
    out->name[number] = g->model->metadata_props[i]->value;
    if (number >= out->n) out->n = (int)number + 1;
  }
}

/* The names in the constant that the labels are picked from */
static nnb_status read_classes(const nnb__onnx_graph *g, names *out) {
  const Nnb__Onnx__Tensor *t = g->classes ? g->classes->source : NULL;
  int64_t number;
  for (int i = 0; i < out->most && t; i++) {
    const bool text = (size_t)i < t->n_string_data;
    if (!text && !nnb__onnx_int(g->classes, (size_t)i, &number)) break;
    const size_t n = text ? t->string_data[i].len : 24;
    char *name = out->name[i] = nnb__onnx_take(g->pool, n + 1, 1);
    if (!name) return nnb__onnx_pool_fail(g->pool, g->file);
    if (text && n > 0)
      memcpy(name, t->string_data[i].data, n);
    else if (!text)
      snprintf(name, n + 1, "%lld", (long long)number);
    if (!nnb__is_utf8(name, strlen(name))) break;
    out->n = i + 1;
  }
  return NNB_OK;
}

static const char *name_at(const void *list, int i) { return ((const names *)list)->name[i]; }

static nnb_status set_names(builder *b) {
  const nnb__onnx_graph *g = b->g;
  nnb_net *net = b->net;
  const int n_y = nnb_net_n_out(net);
  names columns = {.most = n_y <= INT_MAX - net->n_x ? net->n_x + n_y : INT_MAX}, classes = {.most = n_y > 1 ? n_y : 2};
  columns.name = nnb__onnx_take(g->pool, (size_t)columns.most, sizeof *columns.name);
  classes.name = nnb__onnx_take(g->pool, (size_t)classes.most, sizeof *classes.name);
  if (!columns.name || !classes.name) return nnb__onnx_pool_fail(g->pool, g->file);
  nnb_status status = read_classes(g, &classes);
  read_names(g, NNB__ONNX_NAMES "column.", &columns);
  read_names(g, NNB__ONNX_NAMES "class.", &classes);
  if (!status && classes.n > 0) status = nnb__net_set_names(&net->classes, classes.n, name_at, &classes);
  if (!status && columns.n > 0) status = nnb__net_set_names(&net->columns, columns.n, name_at, &columns);
  if (!status && columns.n > 0) status = nnb__net_set_table(net, NULL);
  return status;
}

/* ---- the net ----------------------------------------------------------------------------------------------------- */

static nnb_status build(builder *b, size_t max_bytes) {
  nnb__onnx_graph *g = b->g;
  const size_t n = g->n + 1;
  b->node = nnb__onnx_take(g->pool, n, sizeof *b->node), b->stop = nnb__onnx_take(g->pool, n, sizeof *b->stop);
  b->chain = nnb__onnx_take(g->pool, n, sizeof *b->chain), b->layer = nnb__onnx_take(g->pool, n, sizeof *b->layer);
  if (!b->node || !b->stop || !b->chain || !b->layer) return nnb__onnx_pool_fail(g->pool, g->file);
  nnb_status status = place_inputs(b);
  for (int k = 1; k < (int)n && !status; k++)
    if (at(b, k)->live) status = place(b, k);
  if (!status) status = set_scaler(b, false, b->net->n_x, b->shift, b->factor);
  if (!status) status = place_outputs(b);
  if (!status) status = set_names(b);
  if (!status) status = nnb__net_check_memory(b->net, g->file_bytes, max_bytes);
  if (!status) status = nnb__net_seal_undrawn(b->net);
  for (int i = 0; i < b->n_layers && !status; i++) status = nnb__onnx_fill(b, &b->layer[i]);
  return status;
}

/* An argument that a building call rejects is here a net that the library does not have. */
static nnb_status refuse(const nnb__onnx_graph *g, nnb_status status) {
  if (status == NNB_E_NOMEM || status == NNB_E_UNSUPPORTED || status == NNB_E_PARSE || status == NNB_E_IO)
    return status;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s: %s", g->file, nnb_errmsg());
}

nnb_status nnb__onnx_build(nnb__onnx_graph *g, size_t max_bytes, nnb_net **out) {
  builder b = {.g = g, .net = nnb__net_new()};
  *out = NULL;
  if (!b.net) return NNB_E_NOMEM;
  nnb_status status = build(&b, max_bytes);
  if (!status) return *out = b.net, NNB_OK;
  nnb_net_destroy(b.net);
  return refuse(g, status);
}
