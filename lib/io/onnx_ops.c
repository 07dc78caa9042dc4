/* io/onnx_ops.c: operators of ONNX as values (onnx_graph.h). */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "onnx_graph.h"
#include "status.h"
#include "tensor.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

#define FAIL(...) nnb__onnx_fail(g, node, NNB_E_UNSUPPORTED, __VA_ARGS__)

/* ---- attributes and operands ------------------------------------------------------------------------------------- */

static const Nnb__Onnx__Attribute *attribute(const node_t *node, const char *name) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0) return node->attribute[i];
  return NULL;
}

static int64_t int_attribute(const node_t *node, const char *name, int64_t otherwise) {
  const Nnb__Onnx__Attribute *a = attribute(node, name);
  return a && a->has_i ? a->i : otherwise;
}

static double real_attribute(const node_t *node, const char *name, double otherwise) {
  const Nnb__Onnx__Attribute *a = attribute(node, name);
  return a && a->has_f ? (double)a->f : otherwise;
}

static bool has_input(const node_t *node, size_t i) { return i < node->n_input && node->input[i] && *node->input[i]; }

/* *out ← the value of input i, 0 if it is left out */
static nnb_status operand(const graph *g, const node_t *node, size_t i, int *out) {
  *out = has_input(node, i) ? nnb__onnx_find(g, node->input[i]) : 0;
  if (*out || !has_input(node, i)) return NNB_OK;
  return nnb__onnx_fail(g, node, NNB_E_PARSE, "its input \"%.60s\" is not defined before it", node->input[i]);
}

/* The constant of input i; NULL: left out */
static nnb_status constant(const graph *g, const node_t *node, size_t i, const nnb__onnx_const **out) {
  int k;
  *out = NULL;
  nnb_status status = operand(g, node, i, &k);
  if (status || !k) return status;
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  if (v->kind != NNB__ONNX_CONST) return FAIL("its input %zu is not a constant", i + 1);
  return *out = v->c, NNB_OK;
}

/* Whether values of this kind are matrices of numbers. */
static bool is_matrix(const nnb__onnx_value *v) {
  return v->flat && v->kind != NNB__ONNX_CONST && v->kind != NNB__ONNX_LABEL && v->kind != NNB__ONNX_ABOVE;
}

static nnb_status matrix(const graph *g, const node_t *node, size_t i, int *out) {
  nnb_status status = operand(g, node, i, out);
  if (status) return status;
  if (!*out) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input %zu", i + 1);
  return is_matrix(nnb__onnx_at(g, *out))
             ? NNB_OK
             : FAIL("its input %zu is not a matrix of numbers that depends on the inputs", i + 1);
}

static nnb_status define(graph *g, const node_t *node, int k) {
  return node->n_output > 0 && node->output[0] && *node->output[0] ? nnb__onnx_name(g, node->output[0], k) : NNB_OK;
}

/* A value of the columns of `from`, and its name */
static nnb_status make(graph *g, const node_t *node, nnb__onnx_value v) {
  int k;
  if (v.cols == 0) v.cols = nnb__onnx_at(g, v.from)->cols;
  v.flat = true;
  nnb_status status = nnb__onnx_add(g, node, v, &k);
  return status ? status : define(g, node, k);
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

static bool near(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

/* The parameters of an activation must be those that the library has. */
static nnb_status check_activation(const graph *g, const node_t *node, int act) {
  const double alpha = real_attribute(node, "alpha", act == NNB_ELU ? 1 : act == NNB_LEAKY_RELU ? 0.01 : 1.67326324);
  const double gamma = real_attribute(node, "gamma", 1.05070098);
  const int64_t axis = int_attribute(node, "axis", 1);
  const Nnb__Onnx__Attribute *approximate = attribute(node, "approximate");
  if (act == NNB_ELU && !near(alpha, 1)) return FAIL("alpha is %g; the library has 1", alpha);
  if (act == NNB_LEAKY_RELU && !near(alpha, 0.01)) return FAIL("alpha is %g; the library has 0.01", alpha);
  if (act == NNB_SELU && (!near(alpha, 1.67326324) || !near(gamma, 1.05070098)))
    return FAIL("alpha and gamma are %g and %g; the library has 1.67326 and 1.0507", alpha, gamma);
  if (act == NNB_SOFTMAX && axis != 1 && axis != -1) return FAIL("axis is %lld; wanted 1 or -1", (long long)axis);
  if (act == NNB_GELU && approximate && (approximate->s.len != 4 || memcmp(approximate->s.data, "none", 4) != 0))
    return FAIL("an approximation of gelu is another function");
  return NNB_OK;
}

static nnb_status activation(graph *g, const node_t *node, int act) {
  int x;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status) status = check_activation(g, node, act);
  return status ? status : make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = act, .from = x});
}

static nnb_status part(graph *g, const node_t *node, int kind) {
  int x;
  nnb_status status = matrix(g, node, 0, &x);
  return status ? status : make(g, node, (nnb__onnx_value){.kind = (nnb__onnx_kind)kind, .from = x});
}

static nnb_status logarithm(graph *g, const node_t *node, int unused) {
  int x, k = 0;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status) status = nnb__onnx_match_log(g, node, x, &k);
  if (!status && !k) return FAIL("a logarithm is read in log(1 + e^x) only");
  return status ? status : define(g, node, k);
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

/* W: a matrix of numbers, with `cols` rows once it is transposed as asked for */
static nnb_status weights(graph *g, const node_t *node, bool transposed, int cols, nnb__onnx_value *v) {
  const nnb__onnx_const *c;
  nnb_status status = constant(g, node, 1, &c);
  if (status) return status;
  if (!c || !nnb__onnx_is_real(c) || c->t.n_dims != 2) return FAIL("its weights are not a constant matrix of numbers");
  transposed = transposed != c->transposed;
  const size_t rows = c->t.dim[transposed], columns = c->t.dim[!transposed];
  if (rows != (size_t)cols || columns < 1 || columns > INT_MAX)
    return FAIL("its weights are %zu×%zu for an input of %d columns", rows, columns, cols);
  nnb__onnx_const *own = nnb__onnx_take(g->pool, 1, sizeof *own);
  if (!own) return nnb__onnx_pool_fail(g->pool, g->file);
  *own = *c, own->transposed = transposed;
  v->c = own, v->cols = (int)columns;
  return NNB_OK;
}

/* One number, or one for each of n columns: dimensions … 1, n */
static bool fits_columns(const nnb__onnx_const *c, int n) {
  if (!nnb__onnx_is_real(c)) return false;
  const size_t count = nnb__onnx_count(c);
  return count == 1 ||
         (count == (size_t)n && c->t.n_dims > 0 && c->t.dim[c->t.n_dims - 1] == count && c->t.n_dims <= 2);
}

static nnb_status gemm(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {
      .kind = NNB__ONNX_DENSE, .alpha = real_attribute(node, "alpha", 1), .beta = real_attribute(node, "beta", 1)};
  (void)unused;
  nnb_status status = matrix(g, node, 0, &v.from);
  if (!status && int_attribute(node, "transA", 0)) return FAIL("transA is not 0");
  if (!status) status = weights(g, node, int_attribute(node, "transB", 0) != 0, nnb__onnx_at(g, v.from)->cols, &v);
  if (!status) status = constant(g, node, 2, &v.bias);
  if (!status && v.bias && !fits_columns(v.bias, v.cols))
    return FAIL("its bias does not have a number for each of %d columns", v.cols);
  return status ? status : make(g, node, v);
}

static nnb_status matmul(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_DENSE, .alpha = 1, .beta = 1};
  (void)unused;
  nnb_status status = matrix(g, node, 0, &v.from);
  if (!status) status = weights(g, node, false, nnb__onnx_at(g, v.from)->cols, &v);
  return status ? status : make(g, node, v);
}

/* A value that is arithmetic with a constant, or what a formula says that it is. */
static nnb_status arith(graph *g, const node_t *node, nnb__onnx_arith kind, int from, const nnb__onnx_const *c,
                        int *out) {
  nnb__onnx_value v = {
      .kind = NNB__ONNX_ARITH, .arith = kind, .from = from, .c = c, .cols = nnb__onnx_at(g, from)->cols, .flat = true};
  if (!fits_columns(c, v.cols)) return FAIL("its constant does not have a number for each of %d columns", v.cols);
  nnb_status status = NNB_OK;
  *out = 0;
  if (nnb__onnx_number(c, &v.number)) {
    v.c = NULL;
    status = nnb__onnx_match_const(g, node, kind, from, v.number, out);
  }
  return status || *out ? status : nnb__onnx_add(g, node, v, out);
}

/* Version 6 of the operators trains unless it is told not to. */
static bool is_for_predictions(const graph *g, const node_t *node) {
  return g->opset > 6 || int_attribute(node, "is_test", 0);
}

static nnb_status batch_norm(graph *g, const node_t *node, int unused) {
  static const struct {
    nnb__onnx_arith arith;
    size_t input;
  } steps[] = {{NNB__ONNX_SUB, 3}, {NNB__ONNX_MUL, 1}, {NNB__ONNX_DIV_ROOT, 4}, {NNB__ONNX_ADD, 2}};
  const double eps = real_attribute(node, "epsilon", 1e-5);
  int k;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &k);
  if (!status && (int_attribute(node, "training_mode", 0) || !is_for_predictions(g, node)))
    return FAIL("it is in training mode");
  for (int i = 0; i < 4 && !status; i++) {
    nnb__onnx_value v = {.kind = NNB__ONNX_ARITH, .arith = steps[i].arith, .from = k, .alpha = eps, .flat = true};
    v.cols = nnb__onnx_at(g, k)->cols;
    status = constant(g, node, steps[i].input, &v.c);
    if (!status && (!v.c || !nnb__onnx_is_real(v.c) || nnb__onnx_count(v.c) != (size_t)v.cols))
      return FAIL("its input %zu does not have a number for each of %d columns", steps[i].input + 1, v.cols);
    if (!status) status = nnb__onnx_add(g, node, v, &k);
  }
  return status ? status : define(g, node, k);
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static nnb_status sum_of(graph *g, const node_t *node, int n, const int *list) {
  nnb__onnx_value v = {.kind = NNB__ONNX_SUM, .n_list = n, .cols = nnb__onnx_at(g, list[0])->cols};
  v.list = nnb__onnx_take(g->pool, (size_t)n, sizeof *v.list);
  if (!v.list) return nnb__onnx_pool_fail(g->pool, g->file);
  memcpy(v.list, list, (size_t)n * sizeof *v.list);
  for (int i = 1; i < n; i++)
    if (nnb__onnx_at(g, list[i])->cols != v.cols)
      return FAIL("its inputs have %d and %d columns", v.cols, nnb__onnx_at(g, list[i])->cols);
  return make(g, node, v);
}

static nnb_status of_values(graph *g, const node_t *node, nnb__onnx_arith kind, int x, int y) {
  int k = 0;
  nnb_status status = kind == NNB__ONNX_ADD   ? nnb__onnx_match_add(g, node, x, y, &k)
                      : kind == NNB__ONNX_MUL ? nnb__onnx_match_mul(g, node, x, y, &k)
                      : kind == NNB__ONNX_DIV ? nnb__onnx_match_div(g, node, x, y, &k)
                                              : NNB_OK;
  if (status) return status;
  if (k) return define(g, node, k);
  if (kind == NNB__ONNX_ADD) return sum_of(g, node, 2, (const int[]){x, y});
  return FAIL("both of its inputs depend on the inputs of the graph, and it is no part of a known activation");
}

static nnb_status binary(graph *g, const node_t *node, int kind) {
  int x, y, k = 0;
  double one;
  nnb_status status = operand(g, node, 0, &x);
  if (!status) status = operand(g, node, 1, &y);
  if (status) return status;
  if (!x || !y) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has fewer than two inputs");
  if (int_attribute(node, "axis", 1) != 1) return FAIL("axis is not 1"); /* version 6 */
  const nnb__onnx_value *a = nnb__onnx_at(g, x), *b = nnb__onnx_at(g, y);
  if (is_matrix(a) && is_matrix(b)) return of_values(g, node, (nnb__onnx_arith)kind, x, y);
  if (is_matrix(a) && b->kind == NNB__ONNX_CONST)
    status = arith(g, node, (nnb__onnx_arith)kind, x, b->c, &k);
  else if (is_matrix(b) && a->kind == NNB__ONNX_CONST && kind != NNB__ONNX_DIV)
    status = arith(g, node, kind == NNB__ONNX_SUB ? NNB__ONNX_SUB_FROM : (nnb__onnx_arith)kind, y, a->c, &k);
  else if (is_matrix(b) && a->kind == NNB__ONNX_CONST && nnb__onnx_number(a->c, &one) && one == 1)
    status = nnb__onnx_match_inverse(g, node, y, &k);
  if (!status && !k) return FAIL("its inputs are not a matrix and a constant");
  return status ? status : define(g, node, k);
}

static nnb_status negative(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (status) return status;
  return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ARITH, .arith = NNB__ONNX_MUL, .number = -1, .from = x});
}

static nnb_status inverse(graph *g, const node_t *node, int unused) {
  int x, k = 0;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status) status = nnb__onnx_match_inverse(g, node, x, &k);
  if (!status && !k) return FAIL("it is no part of a known activation");
  return status ? status : define(g, node, k);
}

/* Max and Min of two: with 0, or the leaky relu */
static nnb_status extreme(graph *g, const node_t *node, int least) {
  int x, y, k = 0;
  double zero = 1;
  nnb_status status = operand(g, node, 0, &x);
  if (!status) status = operand(g, node, 1, &y);
  if (status) return status;
  if (node->n_input != 2 || !x || !y) return FAIL("it does not have two inputs");
  if (nnb__onnx_at(g, x)->kind == NNB__ONNX_CONST) k = x, x = y, y = k, k = 0;
  const nnb__onnx_value *a = nnb__onnx_at(g, x), *b = nnb__onnx_at(g, y);
  const bool with_zero = b->kind == NNB__ONNX_CONST && nnb__onnx_number(b->c, &zero) && zero == 0;
  if (!is_matrix(a)) return FAIL("its inputs are no matrix of numbers");
  if (with_zero && least) return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_BELOW, .from = x});
  if (with_zero) return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_RELU, .from = x});
  if (!least && is_matrix(b)) status = nnb__onnx_match_max(g, node, x, y, &k);
  if (!status && !k) return FAIL("it is neither with 0 nor part of a known activation");
  return status ? status : define(g, node, k);
}

static nnb_status greater(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *c;
  double zero = 1;
  int x;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status) status = constant(g, node, 1, &c);
  if (!status && (!c || !nnb__onnx_number(c, &zero) || zero != 0)) return FAIL("it does not compare with 0");
  return status ? status : make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ABOVE, .from = x});
}

/* One bound of Clip: an input or, before version 11, an attribute */
static nnb_status bound(graph *g, const node_t *node, size_t i, const char *name, double otherwise, double *out) {
  const nnb__onnx_const *c;
  *out = real_attribute(node, name, otherwise);
  nnb_status status = constant(g, node, i, &c);
  if (!status && c && !nnb__onnx_number(c, out)) return FAIL("its %s is not one number", name);
  return status;
}

static nnb_status clip(graph *g, const node_t *node, int unused) {
  double least, most;
  int x;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status) status = bound(g, node, 1, "min", -(double)FLT_MAX, &least);
  if (!status) status = bound(g, node, 2, "max", (double)FLT_MAX, &most);
  if (status) return status;
  if (most < (double)FLT_MAX || (least != 0 && least > -(double)FLT_MAX))
    return FAIL("it limits to %g … %g; the library has max(x, 0) alone", least, most);
  if (least != 0) return define(g, node, x);
  return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_RELU, .from = x});
}

/* ---- shapes, types, copies --------------------------------------------------------------------------------------- */

/* What has the values of its input. */
static nnb_status same(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = operand(g, node, 0, &x);
  if (!status && !x) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  return status ? status : define(g, node, x);
}

static nnb_status dropout(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *c;
  nnb_status status = constant(g, node, 2, &c);
  if (!status && c && (c->t.dtype != NNB__U8 || !c->t.data || nnb__onnx_count(c) != 1 || *(const char *)c->t.data))
    return FAIL("it is in training mode");
  if (!status && !is_for_predictions(g, node)) return FAIL("it is in training mode");
  return status ? status : same(g, node, unused);
}

static nnb_status cast(graph *g, const node_t *node, int unused) {
  const int64_t to = int_attribute(node, "to", 0);
  int x;
  (void)unused;
  nnb_status status = operand(g, node, 0, &x);
  if (status || !x) return status ? status : nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  const nnb__onnx_value *v = nnb__onnx_at(g, x);
  const bool floats = to == NNB__ONNX_FLOAT || to == NNB__ONNX_DOUBLE || to == NNB__ONNX_HALF || to == NNB__ONNX_BFLOAT;
  if (v->kind == NNB__ONNX_LABEL) return define(g, node, x);
  if (!floats) return FAIL("it makes numbers that are not floating-point (type %lld)", (long long)to);
  if (v->kind != NNB__ONNX_ABOVE) return define(g, node, x);
  return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ACT, .act = NNB_STEP, .from = v->from});
}

/* Rows of all columns: *out is x, or the flat value of the same columns. */
static nnb_status flatten_value(graph *g, const node_t *node, int x) {
  nnb__onnx_value v = *nnb__onnx_at(g, x);
  if (v.kind == NNB__ONNX_LABEL || v.flat) return define(g, node, x);
  return make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ARITH, .arith = NNB__ONNX_MUL, .number = 1, .from = x});
}

static nnb_status flatten(graph *g, const node_t *node, int unused) {
  const int64_t axis = int_attribute(node, "axis", 1);
  int x;
  (void)unused;
  nnb_status status = operand(g, node, 0, &x);
  if (status) return status;
  if (!x || nnb__onnx_at(g, x)->kind == NNB__ONNX_CONST) return FAIL("its input is a constant");
  if (axis != 1) return FAIL("axis is %lld; wanted 1", (long long)axis);
  return flatten_value(g, node, x);
}

/* To one row for each sample: (0 or -1 or a number, columns or -1) */
static nnb_status reshape(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *shape;
  int64_t first = 0, second = 0;
  int x;
  (void)unused;
  nnb_status status = operand(g, node, 0, &x);
  if (!status) status = constant(g, node, 1, &shape);
  if (status) return status;
  if (!x || !shape || nnb__onnx_at(g, x)->kind == NNB__ONNX_CONST)
    return FAIL("its input is a constant, or it has no shape");
  if (nnb__onnx_at(g, x)->kind == NNB__ONNX_LABEL) return define(g, node, x);
  const int cols = nnb__onnx_at(g, x)->cols;
  if (nnb__onnx_count(shape) != 2 || !nnb__onnx_int(shape, 0, &first) || !nnb__onnx_int(shape, 1, &second) ||
      (second != cols && !(second == -1 && first >= 0)))
    return FAIL("its result is not a matrix of %d columns", cols);
  return flatten_value(g, node, x);
}

static nnb_status transpose(graph *g, const node_t *node, int unused) {
  const Nnb__Onnx__Attribute *perm = attribute(node, "perm");
  const nnb__onnx_const *c;
  int k;
  (void)unused;
  nnb_status status = constant(g, node, 0, &c);
  if (status) return status;
  if (!c || c->t.n_dims != 2 || (perm && (perm->n_ints != 2 || perm->ints[0] != 1 || perm->ints[1] != 0)))
    return FAIL("it does not swap the sides of a constant matrix");
  nnb__onnx_const *own = nnb__onnx_take(g->pool, 1, sizeof *own);
  if (!own) return nnb__onnx_pool_fail(g->pool, g->file);
  *own = *c, own->transposed = !c->transposed;
  status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_CONST, .c = own}, &k);
  return status ? status : define(g, node, k);
}

/* A float of an attribute as a constant */
static nnb_status const_of_floats(graph *g, const float *p, size_t n, int n_dims, nnb__onnx_const **out) {
  nnb__onnx_const *c = *out = nnb__onnx_take(g->pool, 1, sizeof *c);
  if (!c) return nnb__onnx_pool_fail(g->pool, g->file);
  c->t = (nnb__tensor){.dtype = NNB__F32, .n_dims = n_dims, .dim = {n}, .data = p};
  return NNB_OK;
}

static nnb_status constant_node(graph *g, const node_t *node, int unused) {
  const Nnb__Onnx__Attribute *tensor = attribute(node, "value"), *one = attribute(node, "value_float"),
                             *many = attribute(node, "value_floats");
  nnb__onnx_const *c = NULL;
  int k;
  (void)unused;
  nnb_status status = NNB_OK;
  if (tensor && tensor->n_t == 1)
    status = nnb__onnx_const_of(g, tensor->t[0], &c);
  else if (one)
    status = const_of_floats(g, &one->f, 1, 0, &c);
  else if (many && many->n_floats > 0)
    status = const_of_floats(g, many->floats, many->n_floats, 1, &c);
  else
    return FAIL("it has neither a tensor nor floating-point numbers");
  if (!status) status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_CONST, .c = c}, &k);
  return status ? status : define(g, node, k);
}

/* ---- several inputs ---------------------------------------------------------------------------------------------- */

/* list ← all inputs, matrices of numbers */
static nnb_status matrices(graph *g, const node_t *node, int **list) {
  nnb_status status = NNB_OK;
  if (node->n_input < 1) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  *list = nnb__onnx_take(g->pool, node->n_input, sizeof **list);
  if (!*list) return nnb__onnx_pool_fail(g->pool, g->file);
  for (size_t i = 0; i < node->n_input && !status; i++) status = matrix(g, node, i, &(*list)[i]);
  return status;
}

static nnb_status sum(graph *g, const node_t *node, int unused) {
  int *list;
  (void)unused;
  nnb_status status = matrices(g, node, &list);
  if (status) return status;
  return node->n_input == 1 ? define(g, node, list[0]) : sum_of(g, node, (int)node->n_input, list);
}

/* Side by side.  1 - p and p of one class are p alone. */
static nnb_status concat(graph *g, const node_t *node, int unused) {
  const int64_t axis = int_attribute(node, "axis", 1);
  nnb__onnx_value v = {.kind = NNB__ONNX_CONCAT, .n_list = (int)node->n_input};
  (void)unused;
  nnb_status status = matrices(g, node, &v.list);
  if (status) return status;
  if (axis != 1 && axis != -1) return FAIL("axis is %lld; wanted 1", (long long)axis);
  if (v.n_list == 2 && nnb__onnx_at(g, v.list[1])->cols == 1 && nnb__onnx_is_rest(g, v.list[0], v.list[1]))
    return define(g, node, v.list[1]);
  for (int i = 0; i < v.n_list; i++)
    if (__builtin_add_overflow(v.cols, nnb__onnx_at(g, v.list[i])->cols, &v.cols))
      return FAIL("its result has more columns than an int can hold");
  return make(g, node, v);
}

/* ---- ends of classifiers ----------------------------------------------------------------------------------------- */

static nnb_status label(graph *g, const node_t *node, int unused) {
  const int64_t axis = int_attribute(node, "axis", 0);
  int x;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &x);
  if (!status && axis != 1 && axis != -1) return FAIL("axis is %lld; wanted 1", (long long)axis);
  return status ? status : make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_LABEL, .from = x});
}

/* The classes' names by their number */
static nnb_status pick_label(graph *g, const node_t *node, int unused) {
  int k;
  (void)unused;
  nnb_status status = operand(g, node, 1, &k);
  const nnb__onnx_const *c;
  if (!status) status = constant(g, node, 0, &c);
  if (status) return status;
  if (!c || !k || nnb__onnx_at(g, k)->kind != NNB__ONNX_LABEL) return FAIL("it does not pick the name of a class");
  g->classes = c;
  return define(g, node, k);
}

/* Probabilities with the names of their classes; the names are read where the labels are made. */
static nnb_status zip_map(graph *g, const node_t *node, int unused) {
  int x;
  nnb_status status = matrix(g, node, 0, &x);
  return status ? status : same(g, node, unused);
}

/* (x - offset)·scale of scikit-learn */
static nnb_status ml_scaler(graph *g, const node_t *node, int unused) {
  static const char *const names[] = {"offset", "scale"};
  int k;
  (void)unused;
  nnb_status status = matrix(g, node, 0, &k);
  for (int i = 0; i < 2 && !status; i++) {
    const Nnb__Onnx__Attribute *a = attribute(node, names[i]);
    nnb__onnx_const *c;
    if (!a || a->n_floats < 1) continue;
    status = const_of_floats(g, a->floats, a->n_floats, 1, &c);
    if (!status) status = arith(g, node, i ? NNB__ONNX_MUL : NNB__ONNX_SUB, k, c, &k);
  }
  return status ? status : define(g, node, k);
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
    {"BatchNormalization", batch_norm, 0},
    {"Cast", cast, 0},
    {"Clip", clip, 0},
    {"Concat", concat, 0},
    {"Constant", constant_node, 0},
    {"Div", binary, NNB__ONNX_DIV},
    {"Dropout", dropout, 0},
    {"Elu", activation, NNB_ELU},
    {"Erf", part, NNB__ONNX_ERF},
    {"Exp", part, NNB__ONNX_EXP},
    {"Flatten", flatten, 0},
    {"Gelu", activation, NNB_GELU},
    {"Gemm", gemm, 0},
    {"Greater", greater, 0},
    {"Identity", same, 0},
    {"LeakyRelu", activation, NNB_LEAKY_RELU},
    {"Log", logarithm, 0},
    {"MatMul", matmul, 0},
    {"Max", extreme, 0},
    {"Min", extreme, 1},
    {"Mul", binary, NNB__ONNX_MUL},
    {"Neg", negative, 0},
    {"Reciprocal", inverse, 0},
    {"Relu", activation, NNB_RELU},
    {"Reshape", reshape, 0},
    {"Selu", activation, NNB_SELU},
    {"Sigmoid", activation, NNB_SIGMOID},
    {"Softmax", activation, NNB_SOFTMAX},
    {"Softplus", activation, NNB_SOFTPLUS},
    {"Sub", binary, NNB__ONNX_SUB},
    {"Sum", sum, 0},
    {"Tanh", activation, NNB_TANH},
    {"Transpose", transpose, 0},
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
  if (!found)
    return FAIL("the operator is not one of those that are read%s%.60s", *domain ? "; its domain is " : "", domain);
  return found->make(g, node, found->argument);
}
