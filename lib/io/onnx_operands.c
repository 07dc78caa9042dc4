/* io/onnx_operands.c */
#include "onnx_operands.h"

#include <math.h>
#include <string.h>

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

/* ---- attributes -------------------------------------------------------------------------------------------------- */

const Nnb__Onnx__Attribute *nnb__onnx_attribute_of(const node_t *node, const char *name) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0) return node->attribute[i];
  return NULL;
}

int64_t nnb__onnx_int_of(const node_t *node, const char *name, int64_t otherwise) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  return a && a->has_i ? a->i : otherwise;
}

double nnb__onnx_real_of(const node_t *node, const char *name, double otherwise) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  return a && a->has_f ? (double)a->f : otherwise;
}

bool nnb__onnx_differs(const node_t *node, const char *name, const char *text) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  return a && (a->s.len != strlen(text) || memcmp(a->s.data, text, a->s.len) != 0);
}

double nnb__onnx_decimal(double value) {
  double power = 1;
  for (int digits = 0; digits <= 22; digits++, power *= 10) { /* powers up to 10²² are exact */
    const double decimal = nearbyint(value * power) / power;
    if ((float)decimal == (float)value) return decimal;
  }
  return value;
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static bool has_input(const node_t *node, size_t i) { return i < node->n_input && node->input[i] && *node->input[i]; }

nnb_status nnb__onnx_operand(const graph *g, const node_t *node, size_t i, int *out) {
  *out = has_input(node, i) ? nnb__onnx_find(g, node->input[i]) : 0;
  if (*out || !has_input(node, i)) return NNB_OK;
  return nnb__onnx_fail(g, node, NNB_E_PARSE, "its input \"%.60s\" is not defined before it", node->input[i]);
}

nnb_status nnb__onnx_constant(const graph *g, const node_t *node, size_t i, const nnb__onnx_const **out) {
  int k;
  *out = NULL;
  nnb_status status = nnb__onnx_operand(g, node, i, &k);
  if (status || !k) return status;
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  if (v->kind != NNB__ONNX_CONST) return NNB__ONNX_REFUSE("its input %zu is not a constant", i + 1);
  return *out = v->c, NNB_OK;
}

nnb_status nnb__onnx_in_order(const graph *g, const node_t *node, size_t i, const char *order, int *out) {
  char words[64], wanted[64], own[NNB__ONNX_ORDER];
  int k;
  nnb_status status = nnb__onnx_operand(g, node, i, &k);
  if (status) return status;
  if (!k) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input %zu", i + 1);
  if ((*out = nnb__onnx_as(g, k, order))) return NNB_OK;
  nnb__onnx_order_of(g, k, own);
  nnb__onnx_order_words(order, wanted);
  if (!*own) return NNB__ONNX_REFUSE("its input %zu is not a signal; wanted %s", i + 1, wanted);
  return NNB__ONNX_REFUSE("its input %zu is %s; wanted %s", i + 1, nnb__onnx_order_words(own, words), wanted);
}

nnb_status nnb__onnx_numbers(const graph *g, const node_t *node, size_t i, int *out) {
  nnb_status status = nnb__onnx_operand(g, node, i, out);
  if (status) return status;
  if (!*out) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input %zu", i + 1);
  const nnb__onnx_value *v = nnb__onnx_at(g, *out);
  if (nnb__onnx_is_numbers(v)) return NNB_OK;
  if (v->kind == NNB__ONNX_VIEW || *v->order) return nnb__onnx_in_order(g, node, i, v->rank == 2 ? "NC" : "NCL", out);
  return NNB__ONNX_REFUSE("its input %zu is neither rows nor images of numbers that depend on the inputs", i + 1);
}

nnb_status nnb__onnx_rows(const graph *g, const node_t *node, size_t i, int *out) {
  nnb_status status = nnb__onnx_numbers(g, node, i, out);
  if (status || nnb__onnx_at(g, *out)->rank == 2) return status;
  return NNB__ONNX_REFUSE("its input %zu has %d dimension(s); wanted a matrix with one row for each sample", i + 1,
                          nnb__onnx_at(g, *out)->rank);
}

nnb_status nnb__onnx_images(const graph *g, const node_t *node, size_t i, int *out) {
  nnb_status status = nnb__onnx_numbers(g, node, i, out);
  if (status || nnb__onnx_at(g, *out)->rank > 2) return status;
  return NNB__ONNX_REFUSE("its input %zu has 2 dimensions; wanted 3, signals, or 4, images", i + 1);
}

bool nnb__onnx_is_vector(const nnb__onnx_const *c, size_t n) {
  return c && nnb__onnx_is_real(c) && nnb__onnx_count(c) == n && c->t.n_dims > 0 && c->t.dim[c->t.n_dims - 1] == n;
}

nnb_status nnb__onnx_axes(const graph *g, const node_t *node, int64_t axis[4], size_t *n) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, "axes");
  const nnb__onnx_const *c;
  nnb_status status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  *n = a ? a->n_ints : c ? nnb__onnx_count(c) : 0;
  if (*n > 4) return NNB__ONNX_REFUSE("it has more than 4 axes");
  for (size_t i = 0; i < *n; i++)
    if (a)
      axis[i] = a->ints[i];
    else if (!nnb__onnx_int(c, i, &axis[i]))
      return NNB__ONNX_REFUSE("its axes are no integers");
  return status;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

nnb_status nnb__onnx_define(graph *g, const node_t *node, int k) {
  return node->n_output > 0 && node->output[0] && *node->output[0] ? nnb__onnx_name(g, node->output[0], k) : NNB_OK;
}

nnb_status nnb__onnx_make(graph *g, const node_t *node, nnb__onnx_value v) {
  int k;
  if (v.cols == 0) v.cols = nnb__onnx_at(g, v.from)->cols;
  if (v.rank == 0) v.rank = nnb__onnx_at(g, v.from)->rank, v.shape = nnb__onnx_at(g, v.from)->shape;
  nnb_status status = nnb__onnx_add(g, node, v, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}
