/* io/onnx_shapes.c: rows and images of the same numbers, and the dimensions of tensors, from which exporters compute
 * the shapes that they ask for. */
#include <limits.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

#define FAIL NNB__ONNX_REFUSE

enum { MOST = NNB__ONNX_MOST_SIZES, SAMPLES = -2 }; /* the size that stands for the number of samples */

/* ---- dimensions -------------------------------------------------------------------------------------------------- */

static nnb_status make_sizes(graph *g, const node_t *node, const int64_t *size, int n) {
  nnb__onnx_more *more = nnb__onnx_take(g->pool, 1, sizeof *more);
  int k;
  if (!more) return nnb__onnx_pool_fail(g->pool, g->file);
  for (int i = 0; i < n; i++) more->size[i] = size[i];
  more->n_sizes = n;
  nnb_status status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_SIZES, .more = more}, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

/* Appends the dimensions or the constant integers of input i. */
static nnb_status append_sizes(const graph *g, const node_t *node, size_t i, int64_t size[MOST], int *n) {
  int k;
  nnb_status status = nnb__onnx_operand(g, node, i, &k);
  if (status) return status;
  const nnb__onnx_value *v = k ? nnb__onnx_at(g, k) : NULL;
  const bool sizes = v && v->kind == NNB__ONNX_SIZES, constant = v && v->kind == NNB__ONNX_CONST;
  const size_t count = sizes ? (size_t)v->more->n_sizes : constant ? nnb__onnx_count(v->c) : 0;
  if (!sizes && !constant) return FAIL("its input %zu is neither a constant nor dimensions of a tensor", i + 1);
  if (count > (size_t)(MOST - *n)) return FAIL("more than %d dimensions", MOST);
  for (size_t j = 0; j < count; j++, ++*n)
    if (sizes)
      size[*n] = v->more->size[j];
    else if (!nnb__onnx_int(v->c, j, &size[*n]))
      return FAIL("its input %zu has no integers", i + 1);
  return NNB_OK;
}

/* The dimensions of rows or of a signal in any order */
static nnb_status sizes_in_order(graph *g, const node_t *node, int k) {
  char order[NNB__ONNX_ORDER];
  int64_t size[NNB__ONNX_ORDER];
  int n = 0;
  nnb__onnx_order_of(g, k, order);
  if (!*order) return FAIL("it reads neither rows nor images of numbers that depend on the inputs");
  const nnb__onnx_value *v = nnb__onnx_at(g, k), *base = v->kind == NNB__ONNX_VIEW ? nnb__onnx_at(g, v->from) : v;
  const int channels = base->rank == 3 ? base->shape.channels : base->cols;
  for (; order[n]; n++)
    size[n] = order[n] == 'N' ? SAMPLES : order[n] == 'C' ? channels : order[n] == 'L' ? base->shape.width : 1;
  return make_sizes(g, node, size, n);
}

nnb_status nnb__onnx_sizes_of(graph *g, const node_t *node, int unused) {
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &k);
  if (!status && !k) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  if (status) return status;
  if (nnb__onnx_attribute_of(node, "start") || nnb__onnx_attribute_of(node, "end")) return FAIL("start or end is set");
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  const int64_t images[] = {SAMPLES, v->shape.channels, v->shape.height, v->shape.width};
  if (v->rank == 4 && nnb__onnx_is_numbers(v)) return make_sizes(g, node, images, 4);
  return sizes_in_order(g, node, k);
}

nnb_status nnb__onnx_pick_sizes(graph *g, const node_t *node, int unused) {
  int64_t size[MOST], picked[MOST], at;
  const nnb__onnx_const *c;
  int n = 0;
  (void)unused;
  if (!nnb__onnx_is_sizes(g, node)) return FAIL("it does not pick a dimension of a tensor");
  nnb_status status = append_sizes(g, node, 0, size, &n);
  if (!status) status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  if (!c || nnb__onnx_int_of(node, "axis", 0) != 0 || nnb__onnx_count(c) > MOST)
    return FAIL("it does not pick a dimension of a tensor");
  for (size_t i = 0; i < nnb__onnx_count(c); i++) {
    if (!nnb__onnx_int(c, i, &at) || at >= n || at < -n)
      return FAIL("a tensor of %d dimension(s) does not have that one", n);
    picked[i] = size[at < 0 ? at + n : at];
  }
  return make_sizes(g, node, picked, (int)nnb__onnx_count(c));
}

bool nnb__onnx_is_sizes(const graph *g, const node_t *node) {
  for (size_t i = 0; i < node->n_input; i++) {
    const int k = node->input[i] && *node->input[i] ? nnb__onnx_find(g, node->input[i]) : 0;
    if (k && nnb__onnx_at(g, k)->kind == NNB__ONNX_SIZES) return true;
  }
  return false;
}

nnb_status nnb__onnx_join_sizes(graph *g, const node_t *node, int first_only) {
  int64_t size[MOST];
  int n = 0;
  nnb_status status = NNB_OK;
  if (!nnb__onnx_is_sizes(g, node)) return FAIL("its input is not a dimension of a tensor");
  for (size_t i = 0; i < (first_only ? 1 : node->n_input) && !status; i++) status = append_sizes(g, node, i, size, &n);
  return status ? status : make_sizes(g, node, size, n);
}

/* ---- rows and images --------------------------------------------------------------------------------------------- */

/* Rows of the numbers of x.  After an input it is no layer, so that scalers behind it are those of the input. */
static nnb_status flatten_value(graph *g, const node_t *node, int x, bool whole) {
  const nnb__onnx_value *v = nnb__onnx_at(g, x);
  if (v->kind == NNB__ONNX_VIEW || (*v->order && !nnb__onnx_is_numbers(v)))
    return nnb__onnx_flatten_view(g, node, x, whole);
  if (v->kind == NNB__ONNX_LABEL || v->rank == 2) return nnb__onnx_define(g, node, x);
  nnb__onnx_value rows = {.kind = NNB__ONNX_FLATTEN, .from = x, .rank = 2};
  if (v->kind == NNB__ONNX_INPUT) rows.kind = NNB__ONNX_ARITH, rows.arith = NNB__ONNX_MUL, rows.number = 1;
  return nnb__onnx_make(g, node, rows);
}

/* Input 0, which is no constant and no dimensions. */
static nnb_status read_source(const graph *g, const node_t *node, int *x) {
  nnb_status status = nnb__onnx_operand(g, node, 0, x);
  if (status) return status;
  const nnb__onnx_kind kind = *x ? nnb__onnx_at(g, *x)->kind : NNB__ONNX_CONST;
  if (kind == NNB__ONNX_WHOLE) return FAIL("its input is integers that were made of real numbers");
  return kind == NNB__ONNX_CONST || kind == NNB__ONNX_SIZES || kind == NNB__ONNX_ZEROS ? FAIL("its input is a constant")
                                                                                       : NNB_OK;
}

nnb_status nnb__onnx_flatten(graph *g, const node_t *node, int unused) {
  const int64_t axis = nnb__onnx_int_of(node, "axis", 1);
  int x;
  (void)unused;
  nnb_status status = read_source(g, node, &x);
  if (status) return status;
  if (axis != 1 && axis != 1 - nnb__onnx_at(g, x)->rank) return FAIL("axis is %lld; wanted 1", (long long)axis);
  return flatten_value(g, node, x, false);
}

/* A dimension that is 0 is that of the input, one that is -1 follows from the others. */
static nnb_status complete(const graph *g, const node_t *node, const nnb__onnx_value *x, int64_t *size, int n) {
  const int64_t own[] = {SAMPLES, x->rank == 2 ? x->cols : x->shape.channels,
                         x->rank == 4 ? x->shape.height : x->shape.width, x->shape.width};
  int64_t product = 1;
  int open = 0;
  for (int i = 0; i < n; i++) {
    if (size[i] == 0 && i < x->rank && i < 4) size[i] = own[i];
    if (size[i] == -1) open = open ? n + 1 : i + 1;
    if (i == 0 || size[i] == -1) continue;
    if (size[i] < 1 || size[i] > INT_MAX || product > x->cols) return FAIL("its shape has a dimension that is no size");
    product *= size[i];
  }
  const bool whole = n >= 2 && n <= 4 && open <= n && (open > 1 ? x->cols % product == 0 : product == x->cols);
  if (!whole) return FAIL("its result does not have %d number(s) for each sample, in 2, 3 or 4 dimensions", x->cols);
  if (open > 1) size[open - 1] = x->cols / product;
  return NNB_OK;
}

nnb_status nnb__onnx_reshape(graph *g, const node_t *node, int unused) {
  int64_t size[MOST];
  int x, n = 0;
  (void)unused;
  nnb_status status = read_source(g, node, &x);
  if (status || nnb__onnx_at(g, x)->kind == NNB__ONNX_LABEL) return status ? status : nnb__onnx_define(g, node, x);
  status = append_sizes(g, node, 1, size, &n);
  const nnb__onnx_value v = *nnb__onnx_at(g, x);
  const bool keeps_first = n > 0 && size[0] == 0;
  if (!status) status = complete(g, node, &v, size, n);
  if (status) return status;
  if (n == 2) return flatten_value(g, node, x, !keeps_first);
  if (!nnb__onnx_is_numbers(&v)) return FAIL("it makes signals or images of numbers in another order");
  const nnb_shape shape = {(int)size[1], n == 4 ? (int)size[2] : 1, (int)size[n - 1]};
  const bool same = v.rank == n && v.shape.channels == shape.channels && v.shape.height == shape.height;
  if (same) return nnb__onnx_define(g, node, x);
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_IMAGES, .from = x, .rank = n, .shape = shape});
}
