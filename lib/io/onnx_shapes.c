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
    else if (size[*n] < -1)
      return FAIL("its input %zu has %lld; wanted sizes, 0 or -1", i + 1, (long long)size[*n]);
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
  if (!nnb__onnx_is_sizes(g, node)) return FAIL("its inputs are not dimensions of tensors");
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
    if (i == 0 && size[i] > 0 && size[i] != g->samples)
      return FAIL("the first dimension of its shape is %lld; wanted that of the samples", (long long)size[i]);
    if (i == 0 || size[i] == -1) continue;
    if (size[i] < 1 || size[i] > INT_MAX || product > x->cols) return FAIL("its shape has a dimension that is no size");
    product *= size[i];
  }
  const bool whole = n >= 2 && n <= 4 && open <= n && (open > 1 ? x->cols % product == 0 : product == x->cols);
  if (!whole) return FAIL("its result does not have %d number(s) for each sample, in 2, 3 or 4 dimensions", x->cols);
  if (open > 1) size[open - 1] = x->cols / product;
  return NNB_OK;
}

/* The numbers of value x in these dimensions, of which the first one is that of the samples.  whole: samples may have
 * been another one. */
static nnb_status give_shape(graph *g, const node_t *node, int x, const int64_t *size, int n, bool whole) {
  if (n == 2) return flatten_value(g, node, x, whole);
  const nnb__onnx_value v = *nnb__onnx_at(g, x);
  if (!nnb__onnx_is_numbers(&v)) return FAIL("it makes signals or images of numbers in another order");
  const nnb_shape shape = {(int)size[1], n == 4 ? (int)size[2] : 1, (int)size[n - 1]};
  const bool same = v.rank == n && v.shape.channels == shape.channels && v.shape.height == shape.height;
  if (same) return nnb__onnx_define(g, node, x);
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_IMAGES, .from = x, .rank = n, .shape = shape});
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
  return give_shape(g, node, x, size, n, !keeps_first);
}

/* size ← the dimensions of rows, signals or images; returns their number. */
static int dimensions(const nnb__onnx_value *v, int64_t size[4]) {
  size[0] = SAMPLES, size[1] = v->rank == 2 ? v->cols : v->shape.channels;
  size[2] = v->rank == 4 ? v->shape.height : v->shape.width, size[3] = v->shape.width;
  return v->rank;
}

/* *set ← the axes of a tensor of that rank, as bits */
static nnb_status read_axes(const graph *g, const node_t *node, int rank, size_t n, const int64_t *axis,
                            unsigned *set) {
  *set = 0;
  if (n == 0) return FAIL("it has no axes");
  for (size_t i = 0; i < n; i++) {
    const int64_t at = axis[i] < 0 ? axis[i] + rank : axis[i];
    if (at < 1 || at >= rank) return FAIL("axis is %lld; wanted 1 to %d", (long long)axis[i], rank - 1);
    if (*set & 1u << at) return FAIL("axis %lld is there twice", (long long)axis[i]);
    *set |= 1u << at;
  }
  return NNB_OK;
}

/* Of signals and images in the order of their columns */
static nnb_status squeeze_images(graph *g, const node_t *node, int x) {
  int64_t axis[4], size[4];
  size_t n_axes;
  unsigned out;
  const int rank = dimensions(nnb__onnx_at(g, x), size);
  int n = 0;
  nnb_status status = nnb__onnx_axes(g, node, axis, &n_axes);
  if (!status) status = read_axes(g, node, rank, n_axes, axis, &out);
  if (status) return status;
  for (int i = 0; i < rank; i++) {
    if (!(out & 1u << i))
      size[n++] = size[i];
    else if (size[i] != 1)
      return FAIL("it leaves out dimension %d, whose size is %lld", i, (long long)size[i]);
  }
  if (n == 1) return FAIL("it leaves out all dimensions but the samples");
  return give_shape(g, node, x, size, n, false);
}

nnb_status nnb__onnx_squeeze(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (status) return status;
  const bool images = x && nnb__onnx_at(g, x)->rank > 2 && nnb__onnx_is_numbers(nnb__onnx_at(g, x));
  return images ? squeeze_images(g, node, x) : nnb__onnx_squeeze_view(g, node);
}

/* Further dimensions of size 1; of dimensions as numbers, a list of one */
nnb_status nnb__onnx_unsqueeze(graph *g, const node_t *node, int unused) {
  int64_t axis[4], own[4], size[4];
  size_t n_axes;
  unsigned fresh;
  int x;
  (void)unused;
  if (nnb__onnx_is_sizes(g, node)) return nnb__onnx_join_sizes(g, node, 1);
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = nnb__onnx_axes(g, node, axis, &n_axes);
  if (status) return status;
  const int rank = dimensions(nnb__onnx_at(g, x), own), n = rank + (int)n_axes;
  if (n > 4) return FAIL("its result has %d dimension(s); wanted at most 4", n);
  status = read_axes(g, node, n, n_axes, axis, &fresh);
  if (status) return status;
  for (int i = 0, k = 0; i < n; i++) size[i] = fresh & 1u << i ? 1 : own[k++];
  return give_shape(g, node, x, size, n, false);
}
