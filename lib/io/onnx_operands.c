/* io/onnx_operands.c */
#include "onnx_operands.h"

#include <math.h>
#include <string.h>

#include "text.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

/* ---- attributes -------------------------------------------------------------------------------------------------- */

const Nnb__Onnx__Attribute *nnb__onnx_attribute_of(const node_t *node, const char *name) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0) return node->attribute[i];
  return NULL;
}

/* Files of proto3 leave out zeros, so an attribute without a number has 0. */
int64_t nnb__onnx_int_of(const node_t *node, const char *name, int64_t otherwise) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  return a ? a->i : otherwise;
}

double nnb__onnx_real_of(const node_t *node, const char *name, double otherwise) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, name);
  return a ? (double)a->f : otherwise;
}

/* Whether the attribute has a number of the type that its name is read with.  Lists and texts are not looked at: of
 * another type they are empty, which is refused where they are read. */
static bool has_its_type(const Nnb__Onnx__Attribute *a) {
  enum { FLOAT = 1, INT = 2 };
  static const struct {
    const char *name;
    int type;
  } known[] = {{"alpha", FLOAT},
               {"axis", INT},
               {"beta", FLOAT},
               {"ceil_mode", INT},
               {"clip", FLOAT},
               {"count_include_pad", INT},
               {"epsilon", FLOAT},
               {"gamma", FLOAT},
               {"group", INT},
               {"hidden_size", INT},
               {"is_test", INT},
               {"keepdims", INT},
               {"layout", INT},
               {"linear_before_reset", INT},
               {"max", FLOAT},
               {"min", FLOAT},
               {"to", INT},
               {"training_mode", INT},
               {"transA", INT},
               {"transB", INT},
               {"value_float", FLOAT},
               {"value_int", INT}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(a->name, known[i].name) != 0) continue;
    if (a->has_type && a->type) return a->type == known[i].type; /* the first files had no types */
    return known[i].type == FLOAT ? !a->has_i : !a->has_f;
  }
  return true;
}

nnb_status nnb__onnx_check_attributes(const graph *g, const node_t *node) {
  enum { MOST = 64 };
  char shown[NNB__SHOWN_TEXT];
  if (node->n_attribute > MOST) return NNB__ONNX_REFUSE("it has more than %d attributes", MOST);
  for (size_t i = 0; i < node->n_attribute; i++) {
    const Nnb__Onnx__Attribute *a = node->attribute[i];
    if (!a->name) return nnb__onnx_fail(g, node, NNB_E_PARSE, "one of its attributes has no name");
    const char *name = nnb__show(a->name, strlen(a->name), shown);
    if (nnb__onnx_attribute_of(node, a->name) != a)
      return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has the attribute \"%s\" twice", name);
    if (!has_its_type(a))
      return nnb__onnx_fail(g, node, NNB_E_PARSE, "the type of its attribute \"%s\" is wrong", name);
  }
  return NNB_OK;
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
  char shown[NNB__SHOWN_TEXT];
  return nnb__onnx_fail(g, node, NNB_E_PARSE, "its input \"%s\" is not defined before it",
                        nnb__show(node->input[i], strlen(node->input[i]), shown));
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
  return c && nnb__onnx_is_real(c) && nnb__onnx_count(c) == n && c->t.n_dims > 0 && c->t.dim[c->t.n_dims - 1] == n &&
         !c->transposed;
}

/* Dimension t of a constant, counted from the last one, which is 0; those that it does not have are 1. */
static size_t side_of(const nnb__onnx_const *c, int t) { return t < c->t.n_dims ? c->t.dim[c->t.n_dims - 1 - t] : 1; }

bool nnb__onnx_fits(const nnb__onnx_const *c, const nnb__onnx_value *v) {
  const int side[3] = {v->rank == 2 ? v->cols : v->shape.width, v->rank == 4 ? v->shape.height : v->shape.channels,
                       v->shape.channels};
  const int last = v->rank - 2; /* the channels of images, the columns of rows */
  bool all = true, channels = true;
  if (!nnb__onnx_is_real(c) || c->t.n_dims > v->rank) return false; /* the result would have more dimensions */
  if (nnb__onnx_count(c) == 1) return true;
  if (c->transposed) return false;
  for (int t = 0; t < NNB__MAX_DIMS; t++) {
    const size_t n = side_of(c, t), whole = t <= last ? (size_t)side[t] : 1; /* NOLINT: rank is at most 4 */
    all &= n == whole;
    channels &= n == (t == last ? (size_t)side[t] : 1);
  }
  return all || channels;
}

bool nnb__onnx_scalar(const nnb__onnx_const *c, const nnb__onnx_value *v, double *out) {
  return c && nnb__onnx_number(c, out) && c->t.n_dims <= v->rank;
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
