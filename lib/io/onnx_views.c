/* io/onnx_views.c: tensors whose dimensions are in another order than samples, channels, steps.  PyTorch's recurrent
 * layers read steps×samples×channels, its embeddings make samples×steps×channels, and Transpose and Squeeze are between
 * them and what follows. */
#include <limits.h>
#include <string.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;
typedef char order_t[NNB__ONNX_ORDER];

#define FAIL NNB__ONNX_REFUSE

static void remove_letter(order_t order, int64_t i) { memmove(order + i, order + i + 1, strlen(order + i)); }

/* ---- operators --------------------------------------------------------------------------------------------------- */

/* k ← input 0; order ← its order, which it must have */
static nnb_status read_order(const graph *g, const node_t *node, int *k, order_t order) {
  nnb_status status = nnb__onnx_operand(g, node, 0, k);
  if (status) return status;
  if (!*k) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  nnb__onnx_order_of(g, *k, order);
  if (*order) return NNB_OK;
  if (nnb__onnx_is_numbers(nnb__onnx_at(g, *k)))
    return FAIL("%s of images is not read; images are samples×channels×height×width", node->op_type);
  return FAIL("its input is neither rows nor signals");
}

nnb_status nnb__onnx_turn(graph *g, const node_t *node) {
  const Nnb__Onnx__Attribute *perm = nnb__onnx_attribute_of(node, "perm");
  order_t old, fresh = "";
  int k;
  unsigned seen = 0;
  nnb_status status = read_order(g, node, &k, old);
  if (status) return status;
  const int n = (int)strlen(old);
  if (perm && perm->n_ints != (size_t)n) return FAIL("perm has %zu number(s) for %d dimension(s)", perm->n_ints, n);
  for (int i = 0; i < n; i++) {
    const int64_t at = perm ? perm->ints[i] : n - 1 - i;
    if (at < 0 || at >= n || (seen & 1u << at)) return FAIL("perm is not an order of %d dimension(s)", n);
    seen |= 1u << at;
    fresh[i] = old[at];
  }
  return nnb__onnx_make_view(g, node, 0, nnb__onnx_base(g, k), fresh);
}

nnb_status nnb__onnx_squeeze_view(graph *g, const node_t *node) {
  int64_t axis[4];
  size_t n;
  order_t order;
  int k;
  unsigned out = 0;
  nnb_status status = read_order(g, node, &k, order);
  if (!status) status = nnb__onnx_axes(g, node, axis, &n);
  if (status) return status;
  const int rank = (int)strlen(order);
  if (n == 0) return FAIL("it has no axes");
  for (size_t i = 0; i < n; i++) {
    const int64_t at = axis[i] < 0 ? axis[i] + rank : axis[i];
    if (at < 0 || at >= rank || order[at] != '1')
      return FAIL("it leaves out dimension %lld, whose size may be more than 1", (long long)axis[i]);
    out |= 1u << at;
  }
  for (int i = rank - 1; i >= 0; i--)
    if (out & 1u << i) remove_letter(order, i);
  return nnb__onnx_make_view(g, node, 0, nnb__onnx_base(g, k), order);
}

nnb_status nnb__onnx_act_on_view(graph *g, const node_t *node, int k, int act) {
  const nnb__onnx_value *x = nnb__onnx_at(g, nnb__onnx_base(g, k));
  const nnb__onnx_value v = {.kind = NNB__ONNX_ACT,
                             .act = act,
                             .from = nnb__onnx_base(g, k),
                             .cols = x->cols,
                             .rank = x->rank,
                             .shape = x->shape};
  order_t order;
  int made;
  nnb__onnx_order_of(g, k, order);
  nnb_status status = nnb__onnx_add(g, node, v, &made);
  return status ? status : nnb__onnx_make_view(g, node, 0, made, order);
}

/* One index of one dimension: of a side of 1, or the last step of a gru.  That dimension is left out, or has size 1. */
static nnb_status pick(graph *g, const node_t *node, int k, int64_t axis, int64_t index, bool keep) {
  order_t order;
  int base = nnb__onnx_base(g, k);
  const nnb__onnx_value *v = nnb__onnx_at(g, base);
  nnb__onnx_order_of(g, k, order);
  const int64_t rank = (int64_t)strlen(order), at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) return FAIL("axis is %lld for %lld dimension(s)", (long long)axis, (long long)rank);
  const bool side = order[at] == '1' && (index == 0 || index == -1);
  const bool step =
      order[at] == 'L' && v->kind == NNB__ONNX_GRU && (index == -1 || index == (int64_t)v->shape.width - 1);
  if (!side && !step)
    return FAIL("it picks number %lld of dimension %lld; wanted the last state of a GRU", (long long)index,
                (long long)at);
  if (step) base = v->more->source;
  order[at] = '1';
  if (!keep) remove_letter(order, at);
  return nnb__onnx_make_view(g, node, 0, base, order);
}

nnb_status nnb__onnx_pick(graph *g, const node_t *node) {
  const nnb__onnx_const *c;
  order_t order;
  int64_t index;
  int k;
  nnb_status status = read_order(g, node, &k, order);
  if (!status) status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  if (!c || nnb__onnx_count(c) != 1 || c->t.n_dims > 1 || !nnb__onnx_int(c, 0, &index))
    return FAIL("it does not pick one index of a dimension");
  return pick(g, node, k, nnb__onnx_int_of(node, "axis", 0), index, c->t.n_dims == 1);
}

/* ---- slices ------------------------------------------------------------------------------------------------------ */

/* Number i of starts, ends or axes: an attribute or, from version 10 on, an input.  false: there is none. */
static bool slice_number(const Nnb__Onnx__Attribute *a, const nnb__onnx_const *c, size_t i, int64_t *out) {
  if (!a) return c && nnb__onnx_int(c, i, out);
  return i < a->n_ints ? (*out = a->ints[i], true) : false;
}

typedef struct slice {
  const Nnb__Onnx__Attribute *a[3];
  const nnb__onnx_const *c[4];
  int64_t axis, start; /* of the one dimension that is cut */
  int n;               /* dimensions that are cut */
} slice;

static nnb_status read_slice(const graph *g, const node_t *node, slice *s) {
  static const char *const names[] = {"starts", "ends", "axes"};
  int64_t start, end, axis, step;
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < 4 && !status; i++) status = nnb__onnx_constant(g, node, i + 1, &s->c[i]);
  if (status) return status;
  for (int j = 0; j < 3; j++) s->a[j] = nnb__onnx_attribute_of(node, names[j]);
  for (size_t i = 0; slice_number(s->a[0], s->c[0], i, &start); i++) {
    if (!slice_number(s->a[1], s->c[1], i, &end)) return FAIL("it has more starts than ends");
    if (!slice_number(s->a[2], s->c[2], i, &axis)) axis = (int64_t)i;
    if (s->c[3] && (!nnb__onnx_int(s->c[3], i, &step) || step != 1)) return FAIL("its steps are not 1");
    if (end < INT_MAX) return FAIL("it ends at %lld; wanted the end of the dimension", (long long)end);
    if (start != 0) s->axis = axis, s->start = start, s->n++;
  }
  return NNB_OK;
}

/* Dimensions as a whole, and the last step; zeros stay zeros. */
nnb_status nnb__onnx_slice(graph *g, const node_t *node, int unused) {
  slice s = {.n = 0};
  order_t order;
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &k);
  if (!status && k && nnb__onnx_at(g, k)->kind == NNB__ONNX_ZEROS) return nnb__onnx_define(g, node, k);
  if (!status) status = read_order(g, node, &k, order);
  if (!status) status = read_slice(g, node, &s);
  if (status) return status;
  if (s.n == 0) return nnb__onnx_define(g, node, k);
  return s.n == 1 ? pick(g, node, k, s.axis, s.start, true) : FAIL("it cuts %d dimension(s)", s.n);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

nnb_status nnb__onnx_flatten_view(graph *g, const node_t *node, int k, bool whole) {
  order_t order;
  char words[64];
  const int base = nnb__onnx_base(g, k);
  const nnb__onnx_value *v = nnb__onnx_at(g, base);
  nnb__onnx_value rows = {.kind = NNB__ONNX_FLATTEN, .from = base, .rank = 2};
  nnb__onnx_order_of(g, k, order);
  const bool first = *order == 'N' || whole;
  for (int i = (int)strlen(order) - 1; i >= 0; i--)
    if (order[i] == '1') remove_letter(order, i);
  rows.turned = strcmp(order, "NLC") == 0 && v->shape.channels > 1 && v->shape.width > 1;
  if (first && strcmp(order, "NC") == 0 && v->rank == 2) return nnb__onnx_make_view(g, node, 0, base, order);
  if (first && (strcmp(order, "NLC") == 0 || strcmp(order, "NCL") == 0)) return nnb__onnx_make(g, node, rows);
  nnb__onnx_order_of(g, k, order);
  return FAIL("it makes rows of %s; wanted the samples first", nnb__onnx_order_words(order, words));
}
