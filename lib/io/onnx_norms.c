/* io/onnx_norms.c: batch normalisation, and layer normalisation as one operator or spelt out: the mean of the numbers
 * of a sample, what is left without it, the mean of the squares of that, and so on, which onnx_match.c puts together.
 */
#include <math.h>
#include <string.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;

#define FAIL NNB__ONNX_REFUSE

/* ---- batch normalisation ----------------------------------------------------------------------------------------- */

bool nnb__onnx_for_predictions(const graph *g, const node_t *node) {
  return g->opset > 6 || nnb__onnx_int_of(node, "is_test", 0);
}

/* part ← γ, β, μ, σ² */
static nnb_status read_parts(const graph *g, const node_t *node, int n, const nnb__onnx_const *part[4]) {
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < 4 && !status; i++) {
    status = nnb__onnx_constant(g, node, i + 1, &part[i]);
    if (!status && (!nnb__onnx_is_vector(part[i], (size_t)n) || part[i]->t.n_dims != 1))
      return FAIL("its input %zu does not have a number for each of %d column(s) or channel(s)", i + 2, n);
  }
  return status;
}

/* Of rows it is arithmetic, which may become part of a dense layer or of scalers. */
static nnb_status norm_of_rows(graph *g, const node_t *node, int k, double eps, const nnb__onnx_more *more) {
  static const struct {
    nnb__onnx_arith arith;
    int part;
  } steps[] = {{NNB__ONNX_SUB, 2}, {NNB__ONNX_MUL, 0}, {NNB__ONNX_DIV_ROOT, 3}, {NNB__ONNX_ADD, 1}};
  nnb_status status = NNB_OK;
  for (int i = 0; i < 4 && !status; i++) {
    const nnb__onnx_value v = {.kind = NNB__ONNX_ARITH,
                               .arith = steps[i].arith,
                               .from = k,
                               .alpha = eps,
                               .c = more->part[steps[i].part],
                               .more = i == 3 ? more : NULL,
                               .cols = nnb__onnx_at(g, k)->cols,
                               .rank = 2};
    status = nnb__onnx_add(g, node, v, &k);
  }
  return status ? status : nnb__onnx_define(g, node, k);
}

/* Of files in single precision; those in double precision have a σ² that goes with the ε as it is stored. */
static double epsilon_of(const node_t *node, const nnb__onnx_const *part) {
  const double eps = nnb__onnx_real_of(node, "epsilon", 1e-5);
  return part && part->t.dtype == NNB__F32 ? nnb__onnx_decimal(eps) : eps;
}

nnb_status nnb__onnx_batch_norm(graph *g, const node_t *node, int unused) {
  nnb__onnx_more *more = nnb__onnx_take(g->pool, 1, sizeof *more);
  (void)unused;
  if (!more) return nnb__onnx_pool_fail(g->pool, g->file);
  nnb_status status = nnb__onnx_numbers(g, node, 0, &more->source);
  if (status) return status;
  if (nnb__onnx_int_of(node, "training_mode", 0) || !nnb__onnx_for_predictions(g, node))
    return FAIL("it is in training mode");
  const nnb__onnx_value *x = nnb__onnx_at(g, more->source);
  const bool rows = x->rank == 2;
  status = read_parts(g, node, rows ? x->cols : x->shape.channels, more->part);
  if (status) return status;
  const double eps = epsilon_of(node, more->part[3]);
  if (rows) return norm_of_rows(g, node, more->source, eps, more);
  const nnb__onnx_value v = {.kind = NNB__ONNX_BATCHNORM, .from = more->source, .alpha = eps, .more = more};
  return nnb__onnx_make(g, node, v);
}

/* ---- layer normalisation ----------------------------------------------------------------------------------------- */

nnb_status nnb__onnx_layer_norm(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_LAYERNORM};
  const int64_t axis = nnb__onnx_int_of(node, "axis", -1);
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &v.from);
  if (!status) status = nnb__onnx_constant(g, node, 1, &v.c);
  if (!status) status = nnb__onnx_constant(g, node, 2, &v.bias);
  if (status) return status;
  const nnb__onnx_value *x = nnb__onnx_at(g, v.from);
  v.alpha = epsilon_of(node, v.c);
  if (axis != 1 && axis != 1 - x->rank)
    return FAIL("axis is %lld, so it normalises parts of a sample; wanted 1", (long long)axis);
  for (size_t i = 1; i < node->n_output; i++)
    if (node->output[i] && *node->output[i]) return FAIL("its mean and deviation are not read");
  const nnb__onnx_const *part[] = {v.c, v.bias};
  for (int i = 0; i < 2; i++)
    if (part[i] && (!nnb__onnx_fits(part[i], x) || nnb__onnx_count(part[i]) != (size_t)x->cols))
      return FAIL("its input %d does not have a number for each of %d column(s)", i + 2, x->cols);
  return nnb__onnx_make(g, node, v);
}

/* Whether the axes are dimensions first … rank - 1, each once. */
static bool are_axes(const int64_t *axis, size_t n, int first, int rank) {
  unsigned seen = 0;
  for (size_t i = 0; i < n; i++) {
    const int64_t at = axis[i] < 0 ? axis[i] + rank : axis[i];
    if (at < first || at >= rank) return false;
    seen |= 1u << at;
  }
  return n == (size_t)(rank - first) && seen == (1u << rank) - (1u << first);
}

/* The mean of all numbers of a sample, a part of layer normalisation. */
nnb_status nnb__onnx_mean(graph *g, const node_t *node, int unused) {
  nnb__onnx_value v = {.kind = NNB__ONNX_MEAN, .cols = 1};
  int64_t axis[4];
  size_t n = 0;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &v.from);
  if (!status) status = nnb__onnx_axes(g, node, axis, &n);
  if (status) return status;
  const nnb__onnx_value *x = nnb__onnx_at(g, v.from);
  const bool keeps = nnb__onnx_int_of(node, "keepdims", 1) != 0;
  if (x->rank > 2 && are_axes(axis, n, 2, x->rank)) return nnb__onnx_pool_mean(g, node, !keeps);
  if (!keeps || !are_axes(axis, n, 1, x->rank))
    return FAIL(
        "it is neither the mean of all numbers of a sample, with the dimensions kept, nor that of each channel");
  v.rank = x->rank;
  if (v.rank > 2) v.shape = (nnb_shape){1, 1, 1};
  if (x->kind == NNB__ONNX_SQUARES) v.kind = NNB__ONNX_VARIANCE, v.from = x->from;
  return nnb__onnx_make(g, node, v);
}

nnb_status nnb__onnx_power(graph *g, const node_t *node, int unused) {
  const nnb__onnx_const *c;
  double exponent = 0;
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (!status) status = nnb__onnx_constant(g, node, 1, &c);
  if (status) return status;
  if (nnb__onnx_at(g, x)->kind != NNB__ONNX_CENTRED || !nnb__onnx_scalar(c, nnb__onnx_at(g, x), &exponent) ||
      exponent != 2)
    return FAIL("it is no part of a layer normalisation");
  return nnb__onnx_make(g, node, (nnb__onnx_value){.kind = NNB__ONNX_SQUARES, .from = nnb__onnx_at(g, x)->from});
}

/* √(variance + ε) */
nnb_status nnb__onnx_root(graph *g, const node_t *node, int unused) {
  int x;
  (void)unused;
  nnb_status status = nnb__onnx_numbers(g, node, 0, &x);
  if (status) return status;
  const nnb__onnx_value *sum = nnb__onnx_at(g, x), *variance = sum->from ? nnb__onnx_at(g, sum->from) : NULL;
  if (sum->kind != NNB__ONNX_ARITH || sum->arith != NNB__ONNX_ADD || sum->c || variance->kind != NNB__ONNX_VARIANCE)
    return FAIL("it is no part of a layer normalisation");
  nnb__onnx_value v = {.kind = NNB__ONNX_DEVIATION, .from = variance->from, .cols = 1, .rank = sum->rank};
  v.shape = sum->shape,
  v.alpha = sum->number == (double)(float)sum->number ? nnb__onnx_decimal(sum->number) : sum->number;
  return nnb__onnx_make(g, node, v);
}
