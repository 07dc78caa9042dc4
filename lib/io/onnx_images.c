/* io/onnx_images.c: convolutions and pools.  The library has one stride, and a convolution one pad on all sides. */
#include <limits.h>
#include <string.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

#define FAIL NNB__ONNX_REFUSE

/* A window over images: of the height, then of the width.  Signals have height 1. */
typedef struct window {
  int64_t size[2], stride[2], before[2], after[2];
} window;

/* ---- attributes -------------------------------------------------------------------------------------------------- */

/* out[0 … 1] ← the attribute's integers from number `first` on, for each side of images of that rank. */
static nnb_status read_sides(const graph *g, const node_t *node, const char *name, int rank, bool twice, int first,
                             int64_t out[2]) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  const int n = rank - 2, signal = rank == 3;
  if (!a) return NNB_OK;
  if (a->n_ints != (size_t)(twice ? 2 * n : n)) return FAIL("%s does not have %d number(s)", name, twice ? 2 * n : n);
  for (int i = 0; i < n; i++) out[signal + i] = a->ints[first * n + i];
  return NNB_OK;
}

/* Pads that make the result as large as the input divided by the stride */
static void pad_to_same(const nnb_shape *in, bool lower, window *w) {
  const int64_t side[] = {in->height, in->width};
  for (int i = 0; i < 2; i++) {
    const int64_t places = (side[i] - 1) / w->stride[i] + 1, over = (places - 1) * w->stride[i] + w->size[i] - side[i];
    const int64_t all = over > 0 ? over : 0;
    w->before[i] = lower ? all - all / 2 : all / 2, w->after[i] = all - w->before[i];
  }
}

static nnb_status read_pads(const graph *g, const node_t *node, const nnb__onnx_value *x, window *w) {
  const bool given = nnb__onnx_differs(node, "auto_pad", "NOTSET") && nnb__onnx_differs(node, "auto_pad", ""),
             upper = given && !nnb__onnx_differs(node, "auto_pad", "SAME_UPPER"),
             lower = given && !nnb__onnx_differs(node, "auto_pad", "SAME_LOWER"),
             valid = given && !nnb__onnx_differs(node, "auto_pad", "VALID");
  if (given && !upper && !lower && !valid) return FAIL("auto_pad is none that is known");
  nnb_status status = read_sides(g, node, "pads", x->rank, true, 0, w->before);
  if (!status) status = read_sides(g, node, "pads", x->rank, true, 1, w->after);
  for (int i = 0; i < 2 && !status; i++)
    if (valid && (w->before[i] || w->after[i])) return FAIL("auto_pad is VALID, but it has pads");
  if (!status && (upper || lower)) pad_to_same(&x->shape, lower, w);
  return status;
}

/* *w: the size of the window, if it is known without the attribute */
static nnb_status read_window(const graph *g, const node_t *node, const nnb__onnx_value *x, window *w) {
  int64_t dilation[2] = {1, 1};
  for (int i = 0; i < 2; i++) w->stride[i] = 1, w->before[i] = w->after[i] = 0;
  nnb_status status = read_sides(g, node, "kernel_shape", x->rank, false, 0, w->size);
  if (!status) status = read_sides(g, node, "strides", x->rank, false, 0, w->stride);
  if (!status) status = read_sides(g, node, "dilations", x->rank, false, 0, dilation);
  if (status) return status;
  if (dilation[0] != 1 || dilation[1] != 1) return FAIL("dilations are not 1");
  const int64_t side[] = {x->shape.height, x->shape.width};
  for (int i = 0; i < 2; i++)
    if (w->size[i] < 1 || w->size[i] > INT_MAX || w->stride[i] < 1 || w->stride[i] > INT_MAX)
      return FAIL("its window of %lld pixel(s) and stride %lld are not sizes", (long long)w->size[i],
                  (long long)w->stride[i]);
  status = read_pads(g, node, x, w);
  for (int i = 0; i < 2 && !status; i++) {
    if (w->before[i] != w->after[i]) return FAIL("pads are not the same on both sides");
    if (w->before[i] < 0 || w->before[i] >= w->size[i])
      return FAIL("pads are %lld for a window of %lld; wanted 0 or more, and less than the window",
                  (long long)w->before[i], (long long)w->size[i]);
    if (side[i] + 2 * w->before[i] < w->size[i])
      return FAIL("a window of %lld pixel(s) does not fit into %lld", (long long)w->size[i], (long long)side[i]);
  }
  return status;
}

static int places(int side, int64_t size, int64_t stride, int64_t pad) {
  return (int)((side + 2 * pad - size) / stride) + 1; /* at most 3 sides: pad is below size, which fits in */
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* The shape of the result, and what the layer has besides. */
static nnb_status apply(graph *g, const node_t *node, const nnb__onnx_value *x, const window *w, int channels,
                        nnb__onnx_value *v, nnb__onnx_more **out) {
  nnb__onnx_more *more = *out = nnb__onnx_take(g->pool, 1, sizeof *more);
  if (!more) return nnb__onnx_pool_fail(g->pool, g->file);
  *more = (nnb__onnx_more){.height = (int)w->size[0], .width = (int)w->size[1], .stride = (int)w->stride[1]};
  more->pad = (int)w->before[1];
  v->more = more, v->rank = x->rank;
  v->shape = (nnb_shape){channels, places(x->shape.height, w->size[0], w->stride[0], w->before[0]),
                         places(x->shape.width, w->size[1], w->stride[1], w->before[1])};
  if (__builtin_mul_overflow(v->shape.height, v->shape.width, &v->cols) ||
      __builtin_mul_overflow(v->cols, channels, &v->cols))
    return FAIL("its result has more numbers than an int can hold");
  return NNB_OK;
}

/* Along a height of 1 pixel the window does not move, and the library has no pad. */
static bool moves_alike(const nnb__onnx_value *x, const window *w) {
  if (x->shape.height == 1) return w->before[0] == 0;
  return w->stride[0] == w->stride[1] && w->before[0] == w->before[1];
}

/* W: O×channels×height×width */
static nnb_status conv_weights(graph *g, const node_t *node, const nnb__onnx_value *x, nnb__onnx_value *v, window *w,
                               int *channels) {
  const nnb__onnx_const *c;
  nnb_status status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  if (!c || !nnb__onnx_is_real(c) || c->t.n_dims != x->rank || c->transposed)
    return FAIL("its weights are not a constant of %d dimension(s)", x->rank);
  for (int i = 0; i < x->rank; i++)
    if (c->t.dim[i] < 1 || c->t.dim[i] > INT_MAX) return FAIL("its weights have a side of %zu number(s)", c->t.dim[i]);
  if (c->t.dim[1] != (size_t)x->shape.channels)
    return FAIL("its weights are for %zu channel(s), and it reads %d", c->t.dim[1], x->shape.channels);
  nnb__onnx_const *own = nnb__onnx_take(g->pool, 1, sizeof *own);
  if (!own) return nnb__onnx_pool_fail(g->pool, g->file);
  *own = *c, own->transposed = true; /* K×O */
  v->c = own, *channels = (int)c->t.dim[0];
  w->size[0] = x->rank == 4 ? (int64_t)c->t.dim[2] : 1, w->size[1] = (int64_t)c->t.dim[x->rank - 1];
  return NNB_OK;
}

nnb_status nnb__onnx_conv(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_CONV, .alpha = 1, .beta = 1};
  window w = {.size = {0, 0}}, of_weights;
  nnb__onnx_more *more;
  int channels = 0;
  (void)unused;
  nnb_status status = nnb__onnx_images(g, node, 0, &v.from);
  if (!status && nnb__onnx_int_of(node, "group", 1) != 1) return FAIL("group is not 1");
  const nnb__onnx_value x = status ? v : *nnb__onnx_at(g, v.from);
  if (!status) status = conv_weights(g, node, &x, &v, &w, &channels);
  of_weights = w;
  if (!status) status = read_window(g, node, &x, &w);
  if (!status && memcmp(w.size, of_weights.size, sizeof w.size) != 0)
    return FAIL("kernel_shape is not that of its weights");
  if (!status && !moves_alike(&x, &w)) return FAIL("strides or pads are not the same for height and width");
  if (!status) status = nnb__onnx_constant(g, node, 2, &v.bias);
  if (!status && v.bias && !nnb__onnx_is_vector(v.bias, (size_t)channels))
    return FAIL("its bias does not have a number for each of %d channel(s)", channels);
  if (!status) status = apply(g, node, &x, &w, channels, &v, &more);
  return status ? status : nnb__onnx_make(g, node, v);
}

/* *out ← the pool of the window w over value `from` */
static nnb_status add_pool(graph *g, const node_t *node, int from, const window *w, bool average, int *out) {
  const nnb__onnx_value x = *nnb__onnx_at(g, from);
  nnb__onnx_value v = {.kind = NNB__ONNX_POOL, .from = from};
  nnb__onnx_more *more;
  nnb_status status = apply(g, node, &x, w, x.shape.channels, &v, &more);
  if (status) return status;
  more->average = average;
  if (w->stride[1] == w->size[1] && (x.shape.height == 1 || w->stride[0] == w->size[0])) more->stride = 0;
  return nnb__onnx_add(g, node, v, out);
}

nnb_status nnb__onnx_pool_op(graph *g, const node_t *node, int average) {
  window w = {.size = {0, 0}};
  int k;
  nnb_status status = nnb__onnx_images(g, node, 0, &k);
  if (status) return status;
  const nnb__onnx_value x = *nnb__onnx_at(g, k);
  if (x.rank == 3) w.size[0] = 1;
  status = read_window(g, node, &x, &w);
  if (status) return status;
  if (w.before[0] > 0 || w.before[1] > 0) return FAIL("pads are not 0");
  const bool beside = w.stride[0] == w.size[0] && w.stride[1] == w.size[1];
  if (!beside && !moves_alike(&x, &w)) return FAIL("strides are not the same for height and width");
  if (nnb__onnx_int_of(node, "ceil_mode", 0) &&
      ((x.shape.height - w.size[0]) % w.stride[0] || (x.shape.width - w.size[1]) % w.stride[1]))
    return FAIL("ceil_mode is 1, and the last windows are not whole");
  if (node->n_output > 1 && node->output[1] && *node->output[1]) return FAIL("the places of the numbers are not read");
  status = add_pool(g, node, k, &w, average, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

/* *out ← the pool of all pixels of each channel */
static nnb_status add_pool_of_all(graph *g, const node_t *node, bool average, int *out) {
  int k;
  nnb_status status = nnb__onnx_images(g, node, 0, &k);
  if (status) return status;
  const nnb_shape *shape = &nnb__onnx_at(g, k)->shape;
  const window w = {.size = {shape->height, shape->width}, .stride = {shape->height, shape->width}};
  return add_pool(g, node, k, &w, average, out);
}

nnb_status nnb__onnx_pool_all(graph *g, const node_t *node, int average) {
  int k;
  nnb_status status = add_pool_of_all(g, node, average, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

nnb_status nnb__onnx_pool_mean(graph *g, const node_t *node, bool rows) {
  int k;
  nnb_status status = add_pool_of_all(g, node, true, &k);
  if (status || !rows) return status ? status : nnb__onnx_define(g, node, k);
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_FLATTEN, .from = k, .rank = 2});
}

/* PyTorch writes pads of 0 before its average pools. */
nnb_status nnb__onnx_pad(graph *g, const node_t *node, int unused) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, "pads");
  const nnb__onnx_const *c;
  int64_t pad = 0;
  bool none = true;
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &k);
  if (!status) status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  for (size_t i = 0; a && i < a->n_ints; i++) none &= a->ints[i] == 0;
  for (size_t i = 0; c && i < nnb__onnx_count(c); i++) none &= nnb__onnx_int(c, i, &pad) && pad == 0;
  return none ? nnb__onnx_define(g, node, k) : FAIL("it adds pixels; pads of a convolution are read");
}
