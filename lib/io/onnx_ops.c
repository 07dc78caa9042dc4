/* io/onnx_ops.c: operators of ONNX as values (onnx_graph.h). */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"
#include "status.h"
#include "text.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

#define FAIL NNB__ONNX_REFUSE

/* ---- activations ------------------------------------------------------------------------------------------------- */

static bool near(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

/* The parameters of an activation must be those that the library has. */
static nnb_status check_activation(const graph *g, const node_t *node, int act) {
  const double alpha = nnb__onnx_real_of(node, "alpha", act == NNB_ELU ? 1 : act == NNB_LEAKY_RELU ? 0.01 : 1.67326324);
  const double gamma = nnb__onnx_real_of(node, "gamma", 1.05070098);
  const int64_t axis = nnb__onnx_int_of(node, "axis", 1);
  if (act == NNB_ELU && !near(alpha, 1)) return FAIL("alpha is %g; the library has 1", alpha);
  if (act == NNB_LEAKY_RELU && !near(alpha, 0.01)) return FAIL("alpha is %g; the library has 0.01", alpha);
  if (act == NNB_SELU && (!near(alpha, 1.67326324) || !near(gamma, 1.05070098)))
    return FAIL("alpha and gamma are %g and %g; the library has 1.67326 and 1.0507", alpha, gamma);
  if (act == NNB_SOFTMAX && axis != 1 && axis != -1) return FAIL("axis is %lld; wanted 1 or -1", (long long)axis);
  if (act == NNB_GELU && nnb__onnx_differs(node, "approximate", "none"))
    return FAIL("an approximation of gelu is another function");
  return NNB_OK;
}

static nnb_status activation(graph *g, const node_t *node, int act) {
  int x;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (!status && act != NNB_SOFTMAX && x && nnb__onnx_at(g, x)->kind == NNB__ONNX_VIEW) {
    status = check_activation(g, node, act);
    return status ? status : nnb__onnx_act_on_view(g, node, x, act);
  }
  if (!status) status = (act == NNB_SOFTMAX ? nnb__onnx_rows : nnb__onnx_numbers)(g, node, 0, &x);
  if (!status) status = check_activation(g, node, act);
  return status ? status : nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = act, .from = x});
}

static nnb_status part(graph *g, const node_t *node, int kind) {
  int x;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  return status ? status : nnb__onnx_make(g, node, (nnb__onnx_value){.kind = (nnb__onnx_kind)kind, .from = x});
}

static nnb_status logarithm(graph *g, const node_t *node, int unused) {
  int x, k = 0;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = nnb__onnx_match_log(g, node, x, &k);
  if (!status && !k) return FAIL("a logarithm is read in log(1 + e^x) only");
  return status ? status : nnb__onnx_define(g, node, k);
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

/* W: a matrix of numbers, with `cols` rows once it is transposed as asked for */
static nnb_status weights(graph *g, const node_t *node, bool transposed, int cols, nnb__onnx_value *v) {
  const nnb__onnx_const *c;
  nnb_status status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  if (!c || !nnb__onnx_is_real(c) || c->t.n_dims != 2) return FAIL("its weights are not a constant matrix of numbers");
  transposed = transposed != c->transposed;
  const size_t rows = c->t.dim[transposed], columns = c->t.dim[!transposed];
  if (rows != (size_t)cols || columns < 1 || columns > INT_MAX)
    return FAIL("its weights are %zu×%zu for an input of %d column(s)", rows, columns, cols);
  nnb__onnx_const *own = nnb__onnx_take(g->pool, 1, sizeof *own);
  if (!own) return nnb__onnx_pool_fail(g->pool, g->file);
  *own = *c, own->transposed = transposed;
  v->c = own, v->cols = (int)columns;
  return NNB_OK;
}

/* A bias: one number, or one for each of n columns */
static bool fits_columns(const nnb__onnx_const *c, int n) {
  return nnb__onnx_fits(c, &(nnb__onnx_value){.rank = 2, .cols = n});
}

/* Rows also of steps×channels, for which the rows of W change places (onnx_chain.c) */
static nnb_status rows_of_any_order(const graph *g, const node_t *node, int *x) {
  nnb_status status = nnb__onnx_operand(g, node, 0, x);
  return status || (*x && nnb__onnx_at(g, *x)->turned) ? status : nnb__onnx_rows(g, node, 0, x);
}

static nnb_status gemm(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_DENSE,
                       .alpha = nnb__onnx_real_of(node, "alpha", 1),
                       .beta = nnb__onnx_real_of(node, "beta", 1)};
  (void)unused;
  nnb_status status = rows_of_any_order(g, node, &v.from);
  if (!status && nnb__onnx_int_of(node, "transA", 0)) return FAIL("transA is not 0");
  if (!status) status = weights(g, node, nnb__onnx_int_of(node, "transB", 0) != 0, nnb__onnx_at(g, v.from)->cols, &v);
  if (!status) status = nnb__onnx_constant(g, node, 2, &v.bias);
  if (!status && v.bias && !fits_columns(v.bias, v.cols))
    return FAIL("its bias does not have a number for each of %d column(s)", v.cols);
  return status ? status : nnb__onnx_make(g, node, v);
}

static nnb_status matmul(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_DENSE, .alpha = 1, .beta = 1};
  (void)unused;
  nnb_status status = rows_of_any_order(g, node, &v.from);
  if (!status) status = weights(g, node, false, nnb__onnx_at(g, v.from)->cols, &v);
  return status ? status : nnb__onnx_make(g, node, v);
}

/* A value that is arithmetic with a constant, or what a formula says that it is. */
static nnb_status arith(graph *g, const node_t *node, nnb__onnx_arith kind, int from, const nnb__onnx_const *c,
                        int *out) {
  const nnb__onnx_value *x = nnb__onnx_at(g, from);
  nnb__onnx_value v = {.kind = NNB__ONNX_ARITH,
                       .arith = kind,
                       .from = from,
                       .c = c,
                       .cols = x->cols,
                       .rank = x->rank,
                       .shape = x->shape};
  if (!nnb__onnx_fits(c, x)) return FAIL("its constant does not have a number for each of %d column(s)", v.cols);
  nnb_status status = NNB_OK;
  *out = 0;
  if (nnb__onnx_number(c, &v.number)) {
    v.c = NULL;
    status = nnb__onnx_match_const(g, node, kind, from, v.number, out);
  }
  if (!status && !*out) status = nnb__onnx_match_columns(g, node, kind, from, c, out);
  return status || *out ? status : nnb__onnx_add(g, node, v, out);
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/* Of values that have the same shape */
static nnb_status sum_of(graph *g, const node_t *node, nnb__onnx_kind kind, int n, const int *list) {
  const nnb__onnx_value *first = nnb__onnx_at(g, list[0]);
  nnb__onnx_value v = {.kind = kind, .n_list = n, .cols = first->cols, .rank = first->rank, .shape = first->shape};
  v.list = nnb__onnx_take(g->pool, (size_t)n, sizeof *v.list);
  if (!v.list) return nnb__onnx_pool_fail(g->pool, g->file);
  memcpy(v.list, list, (size_t)n * sizeof *v.list);
  for (int i = 1; i < n; i++) {
    const nnb__onnx_value *one = nnb__onnx_at(g, list[i]);
    if (one->cols != v.cols) return FAIL("its inputs have %d and %d column(s)", v.cols, one->cols);
    if (one->rank != v.rank || memcmp(&one->shape, &v.shape, sizeof v.shape) != 0)
      return FAIL("its inputs have %d column(s) each, but other shapes", v.cols);
  }
  return nnb__onnx_make(g, node, v);
}

static nnb_status of_values(graph *g, const node_t *node, nnb__onnx_arith kind, int x, int y) {
  int k = 0;
  nnb_status status = kind == NNB__ONNX_ADD   ? nnb__onnx_match_add(g, node, x, y, &k)
                      : kind == NNB__ONNX_SUB ? nnb__onnx_match_sub(g, node, x, y, &k)
                      : kind == NNB__ONNX_MUL ? nnb__onnx_match_mul(g, node, x, y, &k)
                                              : nnb__onnx_match_div(g, node, x, y, &k);
  if (status) return status;
  if (k) return nnb__onnx_define(g, node, k);
  if (kind == NNB__ONNX_ADD) return sum_of(g, node, NNB__ONNX_SUM, 2, (const int[]){x, y});
  if (kind == NNB__ONNX_MUL) return sum_of(g, node, NNB__ONNX_PRODUCT, 2, (const int[]){x, y});
  return FAIL("both of its inputs depend on the inputs of the graph, and it is no part of a known activation or norm");
}

static nnb_status binary(graph *g, const node_t *node, int kind) {
  int x, y, k = 0;
  double one;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (!status) status = nnb__onnx_operand(g, node, 1, &y);
  if (status) return status;
  if (!x || !y) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has fewer than two inputs");
  if (nnb__onnx_int_of(node, "axis", 1) != 1) return FAIL("axis is not 1"); /* version 6 */
  const nnb__onnx_value *a = nnb__onnx_at(g, x), *b = nnb__onnx_at(g, y);
  if (nnb__onnx_is_numbers(a) && nnb__onnx_is_numbers(b)) return of_values(g, node, (nnb__onnx_arith)kind, x, y);
  if (nnb__onnx_is_numbers(a) && b->kind == NNB__ONNX_CONST)
    status = arith(g, node, (nnb__onnx_arith)kind, x, b->c, &k);
  else if (nnb__onnx_is_numbers(b) && a->kind == NNB__ONNX_CONST && kind != NNB__ONNX_DIV)
    status = arith(g, node, kind == NNB__ONNX_SUB ? NNB__ONNX_SUB_FROM : (nnb__onnx_arith)kind, y, a->c, &k);
  else if (nnb__onnx_is_numbers(b) && a->kind == NNB__ONNX_CONST && nnb__onnx_scalar(a->c, b, &one) && one == 1)
    status = nnb__onnx_match_inverse(g, node, y, &k);
  if (!status && !k) return FAIL("its inputs are not a matrix and a constant");
  return status ? status : nnb__onnx_define(g, node, k);
}

static nnb_status negative(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (status) return status;
  return nnb__onnx_make(g, node,
                        (nnb__onnx_value){.kind = NNB__ONNX_ARITH, .arith = NNB__ONNX_MUL, .number = -1, .from = x});
}

static nnb_status inverse(graph *g, const node_t *node, int unused) {
  int x, k = 0;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = nnb__onnx_match_inverse(g, node, x, &k);
  if (!status && !k) return FAIL("it is no part of a known activation");
  return status ? status : nnb__onnx_define(g, node, k);
}

/* Max and Min of two: with 0, or the leaky relu */
static nnb_status extreme(graph *g, const node_t *node, int least) {
  int x, y, k = 0;
  double zero = 1;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (!status) status = nnb__onnx_operand(g, node, 1, &y);
  if (status) return status;
  if (node->n_input != 2 || !x || !y) return FAIL("it does not have two inputs");
  if (nnb__onnx_at(g, x)->kind == NNB__ONNX_CONST) k = x, x = y, y = k, k = 0;
  const nnb__onnx_value *a = nnb__onnx_at(g, x), *b = nnb__onnx_at(g, y);
  const bool with_zero = b->kind == NNB__ONNX_CONST && nnb__onnx_scalar(b->c, a, &zero) && zero == 0;
  if (!nnb__onnx_is_numbers(a)) return FAIL("its inputs are no matrix of numbers");
  if (with_zero && least) return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_BELOW, .from = x});
  if (with_zero) return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_RELU, .from = x});
  if (!least && nnb__onnx_is_numbers(b)) status = nnb__onnx_match_max(g, node, x, y, &k);
  if (!status && !k) return FAIL("it is neither with 0 nor part of a known activation");
  return status ? status : nnb__onnx_define(g, node, k);
}

static nnb_status greater(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *c;
  double zero = 1;
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = nnb__onnx_constant(g, node, 1, &c);
  if (!status && (!nnb__onnx_scalar(c, nnb__onnx_at(g, x), &zero) || zero != 0))
    return FAIL("it does not compare with 0");
  return status ? status : nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ABOVE, .from = x});
}

/* One bound of Clip: an input or, before version 11, an attribute */
static nnb_status bound(graph *g, const node_t *node, size_t i, const char *name, double otherwise, double *out) {
  const nnb__onnx_const *c;
  *out = nnb__onnx_real_of(node, name, otherwise);
  nnb_status status = nnb__onnx_constant(g, node, i, &c);
  if (!status && c && !nnb__onnx_number(c, out)) return FAIL("its %s is not one number", name);
  return status;
}

static nnb_status clip(graph *g, const node_t *node, int unused) {
  double least, most;
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = bound(g, node, 1, "min", -(double)FLT_MAX, &least);
  if (!status) status = bound(g, node, 2, "max", (double)FLT_MAX, &most);
  if (status) return status;
  if (isnan(least) || isnan(most)) return FAIL("one of its limits is no number");
  if (most < (double)FLT_MAX || (least != 0 && least > -(double)FLT_MAX))
    return FAIL("it limits to %g … %g; the library has max(x, 0) alone", least, most);
  if (least != 0) return nnb__onnx_define(g, node, x);
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_RELU, .from = x});
}

/* ---- shapes, types, copies --------------------------------------------------------------------------------------- */

/* What has the values of its input. */
static nnb_status same(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (!status && !x) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  return status ? status : nnb__onnx_define(g, node, x);
}

static nnb_status dropout(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *c;
  nnb_status status = nnb__onnx_constant(g, node, 2, &c);
  if (!status && c && (c->t.dtype != NNB__U8 || !c->t.data || nnb__onnx_count(c) != 1 || *(const char *)c->t.data))
    return FAIL("it is in training mode");
  if (!status && !nnb__onnx_for_predictions(g, node)) return FAIL("it is in training mode");
  return status ? status : same(g, node, unused);
}

static nnb_status cast(graph *g, const node_t *node, int unused) {
  const int64_t to = nnb__onnx_int_of(node, "to", 0);
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (status || !x) return status ? status : nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  const nnb__onnx_value *v = nnb__onnx_at(g, x);
  const bool floats = to == NNB__ONNX_FLOAT || to == NNB__ONNX_DOUBLE || to == NNB__ONNX_HALF || to == NNB__ONNX_BFLOAT;
  if (v->kind == NNB__ONNX_LABEL || v->kind == NNB__ONNX_SIZES) return nnb__onnx_define(g, node, x);
  if (to == NNB__ONNX_INT64 || to == NNB__ONNX_INT32) return nnb__onnx_whole(g, node, x);
  if (!floats) return FAIL("it makes numbers that are not floating-point (type %lld)", (long long)to);
  if (v->kind != NNB__ONNX_ABOVE) return nnb__onnx_define(g, node, x);
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_STEP, .from = v->from});
}

static nnb_status transpose(graph *g, const node_t *node, int unused) {
  const Nnb__Onnx__Attribute *perm = nnb__onnx_attribute_of(node, "perm");
  const nnb__onnx_const *c;
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &k);
  if (!status && k && nnb__onnx_at(g, k)->kind != NNB__ONNX_CONST) return nnb__onnx_turn(g, node);
  if (!status) status = nnb__onnx_constant(g, node, 0, &c);
  if (status) return status;
  if (!c || c->t.n_dims != 2 || (perm && (perm->n_ints != 2 || perm->ints[0] != 1 || perm->ints[1] != 0)))
    return FAIL("it does not swap the sides of a constant matrix");
  nnb__onnx_const *own = nnb__onnx_take(g->pool, 1, sizeof *own);
  if (!own) return nnb__onnx_pool_fail(g->pool, g->file);
  *own = *c, own->transposed = !c->transposed;
  status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_CONST, .c = own}, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

/* Numbers of an attribute as a constant */
static nnb_status const_of(graph *g, nnb__dtype type, const void *p, size_t n, int n_dims, nnb__onnx_const **out) {
  nnb__onnx_const *c = *out = nnb__onnx_take(g->pool, 1, sizeof *c);
  if (!c) return nnb__onnx_pool_fail(g->pool, g->file);
  c->t = (nnb__tensor){.dtype = type, .n_dims = n_dims, .dim = {n}, .data = p};
  return NNB_OK;
}

static nnb_status constant_node(graph *g, const node_t *node, int unused) {
  const Nnb__Onnx__Attribute *tensor = nnb__onnx_attribute_of(node, "value"),
                             *one = nnb__onnx_attribute_of(node, "value_float"),
                             *many = nnb__onnx_attribute_of(node, "value_floats"),
                             *sizes = nnb__onnx_attribute_of(node, "value_ints"),
                             *size = nnb__onnx_attribute_of(node, "value_int");
  nnb__onnx_const *c = NULL;
  int k;
  (void)unused;
  nnb_status status = NNB_OK;
  if (tensor && tensor->n_t == 1)
    status = nnb__onnx_const_of(g, tensor->t[0], &c);
  else if (one)
    status = const_of(g, NNB__F32, &one->f, 1, 0, &c);
  else if (many && many->n_floats > 0)
    status = const_of(g, NNB__F32, many->floats, many->n_floats, 1, &c);
  else if (sizes && sizes->n_ints > 0)
    status = const_of(g, NNB__I64, sizes->ints, sizes->n_ints, 1, &c);
  else if (size)
    status = const_of(g, NNB__I64, &size->i, 1, 0, &c);
  else
    return FAIL("it has neither a tensor nor numbers");
  if (!status) status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_CONST, .c = c}, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

/* ---- several inputs ---------------------------------------------------------------------------------------------- */

/* list ← all inputs, matrices of numbers */
static nnb_status matrices(graph *g, const node_t *node, int **list) {
  nnb_status status = NNB_OK;
  if (node->n_input < 1) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  *list = nnb__onnx_take(g->pool, node->n_input, sizeof **list);
  if (!*list) return nnb__onnx_pool_fail(g->pool, g->file);
  for (size_t i = 0; i < node->n_input && !status; i++) status = nnb__onnx_numbers(g, node, i, &(*list)[i]);
  return status;
}

static nnb_status sum(graph *g, const node_t *node, int unused) {
  int *list;
  (void)unused;
  nnb_status status = matrices(g, node, &list);
  if (status) return status;
  return node->n_input == 1 ? nnb__onnx_define(g, node, list[0])
                            : sum_of(g, node, NNB__ONNX_SUM, (int)node->n_input, list);
}

/* Whether axis 1 of the value is meant */
static bool is_first_axis(const nnb__onnx_value *v, int64_t axis) { return axis == 1 || axis == 1 - v->rank; }

/* Side by side, images as channels.  1 - p and p, of one class, are a pair. */
static nnb_status concat(graph *g, const node_t *node, int unused) {
  const int64_t axis = nnb__onnx_int_of(node, "axis", 1);
  nnb__onnx_value v = {.kind = NNB__ONNX_CONCAT, .n_list = (int)node->n_input};
  if (nnb__onnx_is_sizes(g, node)) return nnb__onnx_join_sizes(g, node, unused);
  nnb_status status = matrices(g, node, &v.list);
  if (status) return status;
  const nnb__onnx_value *first = nnb__onnx_at(g, v.list[0]);
  if (!is_first_axis(first, axis)) return FAIL("axis is %lld; wanted 1", (long long)axis);
  if (v.n_list == 2 && nnb__onnx_is_rest(g, v.list[0], v.list[1]))
    return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_PAIR, .from = v.list[1], .cols = 2});
  v.rank = first->rank, v.shape = first->shape, v.shape.channels = 0;
  for (int i = 0; i < v.n_list; i++) {
    const nnb__onnx_value *one = nnb__onnx_at(g, v.list[i]);
    if (one->rank != v.rank || one->shape.height != v.shape.height || one->shape.width != v.shape.width)
      return FAIL("its inputs are not images of one size");
    if (__builtin_add_overflow(v.cols, one->cols, &v.cols))
      return FAIL("its result has more columns than an int can hold");
    v.shape.channels += one->shape.channels; /* at most the columns */
  }
  return nnb__onnx_make(g, node, v);
}

/* ---- ends of classifiers ----------------------------------------------------------------------------------------- */

static nnb_status label(graph *g, const node_t *node, int unused) {
  const int64_t axis = nnb__onnx_int_of(node, "axis", 0);
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  const bool pair = !status && x && nnb__onnx_at(g, x)->kind == NNB__ONNX_PAIR;
  if (pair) x = nnb__onnx_at(g, x)->from;
  if (!status && !pair) status = nnb__onnx_rows(g, node, 0, &x);
  if (!status && axis != 1 && axis != -1) return FAIL("axis is %lld; wanted 1", (long long)axis);
  return status ? status : nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_LABEL, .from = x});
}

/* The classes' names by their number */
static nnb_status pick_label(graph *g, const node_t *node, int unused) {
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_operand(g, node, 1, &k);
  const nnb__onnx_const *c;
  if (!status) status = nnb__onnx_constant(g, node, 0, &c);
  if (status) return status;
  if (!c || !k || nnb__onnx_at(g, k)->kind != NNB__ONNX_LABEL) return FAIL("it does not pick the name of a class");
  g->classes = c, g->classes_of = nnb__onnx_at(g, k)->from;
  return nnb__onnx_define(g, node, k);
}

/* Probabilities with the names of their classes; the names are read where the labels are made. */
static nnb_status zip_map(graph *g, const node_t *node, int unused) {
  int x;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  const bool pair = !status && x && nnb__onnx_at(g, x)->kind == NNB__ONNX_PAIR;
  if (!status && !pair) status = nnb__onnx_numbers(g, node, 0, &x);
  return status ? status : same(g, node, unused);
}

/* (x - offset)·scale of scikit-learn */
static nnb_status ml_scaler(graph *g, const node_t *node, int unused) {
  static const char *const names[] = {"offset", "scale"};
  int k;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &k);
  for (int i = 0; i < 2 && !status; i++) {
    const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, names[i]);
    nnb__onnx_const *c;
    if (!a || a->n_floats < 1) continue;
    status = const_of(g, NNB__F32, a->floats, a->n_floats, 1, &c);
    if (!status) status = arith(g, node, i ? NNB__ONNX_MUL : NNB__ONNX_SUB, k, c, &k);
  }
  return status ? status : nnb__onnx_define(g, node, k);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct op {
  const char *name;
  nnb_status (*make)(graph *g, const node_t *node, int argument);
  int argument;
} op;

static const op ops[] = {
    {"Abs", part, NNB__ONNX_ABS},
    {"Add", binary, NNB__ONNX_ADD},
    {"ArgMax", label, 0},
    {"AveragePool", nnb__onnx_pool_op, 1},
    {"BatchNormalization", nnb__onnx_batch_norm, 0},
    {"Cast", cast, 0},
    {"Clip", clip, 0},
    {"Concat", concat, 0},
    {"Constant", constant_node, 0},
    {"ConstantOfShape", nnb__onnx_zeros, 0},
    {"Conv", nnb__onnx_conv, 0},
    {"Div", binary, NNB__ONNX_DIV},
    {"Dropout", dropout, 0},
    {"Elu", activation, NNB_ELU},
    {"Erf", part, NNB__ONNX_ERF},
    {"Exp", part, NNB__ONNX_EXP},
    {"Expand", nnb__onnx_zeros, 1},
    {"Flatten", nnb__onnx_flatten, 0},
    {"Gather", nnb__onnx_gather, 0},
    {"Gelu", activation, NNB_GELU},
    {"GRU", nnb__onnx_gru, 0},
    {"Gemm", gemm, 0},
    {"GlobalAveragePool", nnb__onnx_pool_all, 1},
    {"GlobalMaxPool", nnb__onnx_pool_all, 0},
    {"Greater", greater, 0},
    {"Identity", same, 0},
    {"LayerNormalization", nnb__onnx_layer_norm, 0},
    {"LeakyRelu", activation, NNB_LEAKY_RELU},
    {"Log", logarithm, 0},
    {"MatMul", matmul, 0},
    {"Max", extreme, 0},
    {"MaxPool", nnb__onnx_pool_op, 0},
    {"Min", extreme, 1},
    {"Mul", binary, NNB__ONNX_MUL},
    {"Neg", negative, 0},
    {"Pad", nnb__onnx_pad, 0},
    {"Pow", nnb__onnx_power, 0},
    {"Reciprocal", inverse, 0},
    {"ReduceMean", nnb__onnx_mean, 0},
    {"Relu", activation, NNB_RELU},
    {"Reshape", nnb__onnx_reshape, 0},
    {"Selu", activation, NNB_SELU},
    {"Shape", nnb__onnx_sizes_of, 0},
    {"Sigmoid", activation, NNB_SIGMOID},
    {"Slice", nnb__onnx_slice, 0},
    {"Softmax", activation, NNB_SOFTMAX},
    {"Softplus", activation, NNB_SOFTPLUS},
    {"Sqrt", nnb__onnx_root, 0},
    {"Squeeze", nnb__onnx_squeeze, 0},
    {"Sub", binary, NNB__ONNX_SUB},
    {"Sum", sum, 0},
    {"Tanh", activation, NNB_TANH},
    {"Transpose", transpose, 0},
    {"Unsqueeze", nnb__onnx_unsqueeze, 0},
};
static const op ml_ops[] = {{"ArrayFeatureExtractor", pick_label, 0}, {"Scaler", ml_scaler, 0}, {"ZipMap", zip_map, 0}};

static const op *find(const op *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].name, name) == 0) return &list[i];
  return NULL;
}

nnb_status nnb__onnx_translate(graph *g, const node_t *node) {
  const char *type = node->op_type ? node->op_type : "", *domain = node->domain ? node->domain : "";
  const op *found = NULL;
  if (!*domain || strcmp(domain, "ai.onnx") == 0) found = find(ops, sizeof ops / sizeof *ops, type);
  if (strcmp(domain, "ai.onnx.ml") == 0) found = find(ml_ops, sizeof ml_ops / sizeof *ml_ops, type);
  char shown[NNB__SHOWN_TEXT];
  if (!found)
    return FAIL("the operator is not one of those that are read%s%s", *domain ? "; its domain is " : "",
                nnb__show(domain, strlen(domain), shown));
  nnb_status status = nnb__onnx_check_attributes(g, node);
  return status ? status : found->make(g, node, found->argument);
}
