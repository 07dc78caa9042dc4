/* io/onnx_read.c: the message of a file, its inputs and outputs. */
#include <limits.h>
#include <string.h>

#include "onnx_operands.h"
#include "status.h"
#include "text.h"

enum { LEAST_OPSET = 6, MOST_OPSET = 25 };

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

static nnb_status add_initializer(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t) {
  nnb__onnx_const *c;
  int k;
  if (!t->name || !*t->name) return nnb__fail(NNB_E_PARSE, "%s: a tensor has no name", g->file);
  nnb_status status = nnb__onnx_const_of(g, t, &c);
  if (!status) status = nnb__onnx_add(g, NULL, (nnb__onnx_value){.kind = NNB__ONNX_CONST, .c = c, .name = t->name}, &k);
  return status ? status : nnb__onnx_name(g, t->name, k);
}

static nnb_status fail_input(const nnb__onnx_graph *g, const char *name, const char *sentence) {
  char shown[NNB__SHOWN_TEXT];
  return nnb__fail(NNB_E_UNSUPPORTED, "%s: the input \"%s\" %s", g->file, nnb__show(name, strlen(name), shown),
                   sentence);
}

/* The columns of an input: all its dimensions but the one that counts samples.  That is the first one, or the second
 * one if it is open and the first one is not. */
static nnb_status read_sides(nnb__onnx_graph *g, const char *name, const Nnb__Onnx__Shape *shape, nnb__onnx_value *v) {
  const bool second = shape->n_dim >= 2 && shape->n_dim <= 3 && (shape->n_dim == 3 || v->whole) &&
                      shape->dim[0]->dim_value > 0 && shape->dim[1]->dim_value < 1;
  int side[4] = {0}, n_sides = 0;
  v->cols = 1, v->rank = (int)shape->n_dim;
  for (size_t i = 0; i < shape->n_dim; i++) {
    const int64_t n = shape->dim[i]->dim_value;
    if (i == second) {
      if (n > 0) g->samples = g->samples == 0 || g->samples == n ? n : -1;
      continue;
    }
    if (n < 1 || n > INT_MAX / v->cols) return fail_input(g, name, "does not have a fixed number of columns");
    v->cols *= (int)n;
    if (n_sides < 4) side[n_sides++] = (int)n;
  }
  const char *order = v->rank == 1 ? "N" : v->rank == 2 ? (second ? "CN" : "NC") : second ? "LNC" : "NCL";
  if (v->rank <= 3) memcpy(v->order, order, strlen(order) + 1);
  if (v->rank == 3) v->shape = second ? (nnb_shape){side[1], 1, side[0]} : (nnb_shape){side[0], 1, side[1]};
  if (v->rank == 4) v->shape = (nnb_shape){side[0], side[1], side[2]};
  return NNB_OK;
}

/* Real numbers of 16 bits or more, or integers */
static bool has_numbers(int type) {
  enum { UINT8 = 2, INT8 = 3, UINT16 = 4, INT16 = 5, UINT32 = 12, UINT64 = 13 };
  switch (type) {
    case NNB__ONNX_FLOAT:
    case NNB__ONNX_DOUBLE:
    case NNB__ONNX_HALF:
    case NNB__ONNX_BFLOAT:
    case NNB__ONNX_INT32:
    case NNB__ONNX_INT64:
    case UINT8:
    case INT8:
    case UINT16:
    case INT16:
    case UINT32:
    case UINT64:
      return true;
    default:
      return false;
  }
}

static nnb_status add_input(nnb__onnx_graph *g, const Nnb__Onnx__ValueInfo *info) {
  const Nnb__Onnx__Type *type = info->n_type == 1 ? info->type[0] : NULL;
  const Nnb__Onnx__TensorType *tensor = type && type->n_tensor_type == 1 ? type->tensor_type[0] : NULL;
  const Nnb__Onnx__Shape *shape = tensor && tensor->n_shape == 1 ? tensor->shape[0] : NULL;
  nnb__onnx_value v = {.kind = NNB__ONNX_INPUT, .name = info->name};
  int k;
  if (!info->name || !*info->name) return nnb__fail(NNB_E_PARSE, "%s: an input has no name", g->file);
  const int known = nnb__onnx_find(g, info->name);
  if (known && nnb__onnx_at(g, known)->kind == NNB__ONNX_CONST) return NNB_OK; /* its default value */
  if (!tensor || !has_numbers(tensor->elem_type)) return fail_input(g, info->name, "is not a tensor of numbers");
  v.whole = tensor->elem_type == NNB__ONNX_INT64 || tensor->elem_type == NNB__ONNX_INT32;
  if (!shape || shape->n_dim < 2 - (size_t)v.whole)
    return fail_input(g, info->name, "is not a matrix with one row for each sample");
  nnb_status status = read_sides(g, info->name, shape, &v);
  if (!status) status = nnb__onnx_add(g, NULL, v, &k);
  return status ? status : nnb__onnx_name(g, info->name, k);
}

/* ---- outputs ----------------------------------------------------------------------------------------------------- */

/* An output that is not made by a node of the net needs one. */
static nnb_status add_output(nnb__onnx_graph *g, int k) {
  if (nnb__onnx_at(g, k)->kind == NNB__ONNX_PAIR) k = nnb__onnx_at(g, k)->from;
  nnb__onnx_value v = *nnb__onnx_at(g, k);
  nnb_status status = NNB_OK;
  if (v.kind == NNB__ONNX_VIEW || v.turned || (*v.order && !nnb__onnx_is_numbers(&v)))
    return nnb__onnx_fail(g, v.node, NNB_E_UNSUPPORTED, "an output is not samples×channels×steps");
  if (v.kind == NNB__ONNX_INPUT)
    status = nnb__onnx_add(g, NULL,
                           (nnb__onnx_value){.kind = NNB__ONNX_ACT,
                                             .act = NNB_LINEAR,
                                             .from = k,
                                             .cols = v.cols,
                                             .rank = v.rank,
                                             .shape = v.shape,
                                             .name = ""},
                           &k);
  g->outputs[g->n_outputs++] = k;
  return status;
}

/* What the value is made of by steps that keep the order of the columns: its largest one stays that. */
static int root_of(const nnb__onnx_graph *g, int k) {
  for (;;) {
    const nnb__onnx_value *v = nnb__onnx_at(g, k);
    const bool grows = v->act == NNB_LINEAR || v->act == NNB_SIGMOID || v->act == NNB_TANH || v->act == NNB_SOFTMAX;
    const bool positive = (v->arith == NNB__ONNX_MUL || v->arith == NNB__ONNX_DIV) && !v->c && v->number > 0;
    if (!(v->kind == NNB__ONNX_ACT && grows) && !(v->kind == NNB__ONNX_ARITH && positive)) return k;
    k = v->from;
  }
}

static bool is_among(int root, int n, const int *roots) {
  while (n > 0 && roots[n - 1] != root) n--;
  return n > 0;
}

/* Class numbers are those of an output; the net has names for the classes of its only one. */
static nnb_status check_labels(nnb__onnx_graph *g) {
  char shown[NNB__SHOWN_TEXT];
  int *roots = nnb__onnx_take(g->pool, (size_t)g->n_outputs, sizeof *roots);
  if (!roots) return nnb__onnx_pool_fail(g->pool, g->file);
  for (int i = 0; i < g->n_outputs; i++) roots[i] = root_of(g, g->outputs[i]);
  for (size_t i = 0; i < g->message->n_output; i++) {
    const char *name = g->message->output[i]->name ? g->message->output[i]->name : "";
    const nnb__onnx_value *v = nnb__onnx_at(g, nnb__onnx_find(g, name));
    if (v->kind == NNB__ONNX_LABEL && !is_among(root_of(g, v->from), g->n_outputs, roots))
      return nnb__fail(NNB_E_UNSUPPORTED, "%s: the output \"%s\" has class numbers of what is no output", g->file,
                       nnb__show(name, strlen(name), shown));
  }
  if (g->classes && (g->n_outputs != 1 || root_of(g, g->classes_of) != roots[0])) g->classes = NULL;
  return NNB_OK;
}

/* The outputs without class numbers; if there are only those, what they are computed from. */
static nnb_status read_outputs(nnb__onnx_graph *g) {
  const Nnb__Onnx__Graph *message = g->message;
  char shown[NNB__SHOWN_TEXT];
  int scores = 0;
  nnb_status status = NNB_OK;
  g->outputs = nnb__onnx_take(g->pool, message->n_output + 1, sizeof *g->outputs);
  if (!g->outputs) return nnb__onnx_pool_fail(g->pool, g->file);
  for (size_t i = 0; i < message->n_output && !status; i++) {
    const char *name = message->output[i]->name ? message->output[i]->name : "";
    const int k = nnb__onnx_find(g, name);
    if (!k)
      return nnb__fail(NNB_E_PARSE, "%s: the output \"%s\" is not defined", g->file,
                       nnb__show(name, strlen(name), shown));
    if (nnb__onnx_at(g, k)->kind == NNB__ONNX_LABEL)
      scores = nnb__onnx_at(g, k)->from;
    else
      status = add_output(g, k);
  }
  if (!status && g->n_outputs == 0 && scores) status = add_output(g, scores);
  if (!status && g->n_outputs == 0) return nnb__fail(NNB_E_PARSE, "%s: the graph has no output", g->file);
  return status ? status : check_labels(g);
}

/* ---- which values are used --------------------------------------------------------------------------------------- */

static void use(nnb__onnx_graph *g, int k, int user) {
  if (!k) return;
  nnb__onnx_value *v = nnb__onnx_at(g, k);
  v->live = true, v->uses++, v->user = user;
}

static void find_uses(nnb__onnx_graph *g) {
  for (int i = 0; i < g->n_outputs; i++) use(g, g->outputs[i], 0);
  for (int k = (int)g->n; k > 0; k--) {
    const nnb__onnx_value *v = nnb__onnx_at(g, k);
    if (!v->live) continue;
    use(g, v->from, k);
    for (int i = 0; i < v->n_list; i++) use(g, v->list[i], k);
  }
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* Operators of other domains have versions of their own; they are rejected one by one. */
static nnb_status read_opset(nnb__onnx_graph *g) {
  for (size_t i = 0; i < g->model->n_opset_import; i++) {
    const Nnb__Onnx__Opset *set = g->model->opset_import[i];
    if (set->domain && *set->domain && strcmp(set->domain, "ai.onnx") != 0) continue;
    g->opset = (int)set->version;
    if (set->version >= LEAST_OPSET && set->version <= MOST_OPSET) return NNB_OK;
    return nnb__fail(NNB_E_UNSUPPORTED, "%s has version %lld of the operators; wanted %d to %d", g->file,
                     (long long)set->version, LEAST_OPSET, MOST_OPSET);
  }
  if (g->model->n_opset_import > 0) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "%s is not an ONNX model: it does not say which operators it uses", g->file);
}

static nnb_status unpack(nnb__onnx_graph *g, const void *bytes, size_t n) {
  ProtobufCAllocator allocator = nnb__onnx_pool_allocator(g->pool);
  g->model = nnb__onnx__model__unpack(&allocator, n, bytes);
  if (!g->model && g->pool->failed) return nnb__onnx_pool_fail(g->pool, g->file);
  if (!g->model) return nnb__fail(NNB_E_PARSE, "%s is cut off, damaged or not an ONNX model", g->file);
  nnb_status status = read_opset(g);
  if (status) return status;
  if (g->model->n_graph != 1)
    return nnb__fail(NNB_E_PARSE, "%s is not an ONNX model: it has %zu graph(s)", g->file, g->model->n_graph);
  g->message = g->model->graph[0];
  return NNB_OK;
}

nnb_status nnb__onnx_read(nnb__onnx_graph *g, const void *bytes, size_t n) {
  nnb_status status = unpack(g, bytes, n);
  for (size_t i = 0; !status && i < g->message->n_initializer; i++)
    status = add_initializer(g, g->message->initializer[i]);
  for (size_t i = 0; !status && i < g->message->n_input; i++) status = add_input(g, g->message->input[i]);
  for (size_t i = 0; !status && i < g->message->n_node; i++) status = nnb__onnx_translate(g, g->message->node[i]);
  if (!status) status = read_outputs(g);
  if (!status) find_uses(g);
  return status;
}

void nnb__onnx_graph_clear(nnb__onnx_graph *g) {
  nnb__table_clear(&g->names);
  nnb__table_clear(&g->others);
}
