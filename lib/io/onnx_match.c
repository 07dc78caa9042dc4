/* io/onnx_match.c: activations that files spell out as formulas. */
#include <math.h>

#include "onnx_graph.h"

#define ROOT_HALF  0.70710678118654752440
#define SELU_SCALE 1.05070098735548049342
#define SELU_ALPHA 1.67326324235437728482

/* Constants in files are rounded, often to single precision. */
static bool near(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

/* ---- parts of formulas ------------------------------------------------------------------------------------------- */

/* What the value of that kind is made of, or 0 */
static int inside(const nnb__onnx_graph *g, int k, nnb__onnx_kind kind) {
  return k && nnb__onnx_at(g, k)->kind == kind ? nnb__onnx_at(g, k)->from : 0;
}

static int inside_act(const nnb__onnx_graph *g, int k, int act) {
  return k && nnb__onnx_at(g, k)->act == act ? inside(g, k, NNB__ONNX_ACT) : 0;
}

/* x, if the value is x + c */
static int less_added(const nnb__onnx_graph *g, int k, double c) {
  if (!inside(g, k, NNB__ONNX_ARITH) || nnb__onnx_at(g, k)->c) return 0;
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  const bool right = (v->arith == NNB__ONNX_ADD && v->number == c) || (v->arith == NNB__ONNX_SUB && v->number == -c);
  return right ? v->from : 0;
}

/* x and *factor, if the value is x·factor; else the value itself and 1 */
static int less_factor(const nnb__onnx_graph *g, int k, double *factor) {
  *factor = 1;
  if (!inside(g, k, NNB__ONNX_ARITH) || nnb__onnx_at(g, k)->c) return k;
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  if (v->arith != NNB__ONNX_MUL && v->arith != NNB__ONNX_DIV) return k;
  *factor = v->arith == NNB__ONNX_MUL ? v->number : 1 / v->number;
  return v->from;
}

/* x, if the value is -x */
static int less_sign(const nnb__onnx_graph *g, int k) {
  double factor;
  const int x = less_factor(g, k, &factor);
  return factor == -1 ? x : 0;
}

static nnb_status make(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_kind kind, int act, int from,
                       int *out) {
  const nnb__onnx_value *x = nnb__onnx_at(g, from);
  const nnb__onnx_value v = {
      .kind = kind, .act = act, .from = from, .cols = x->cols, .rank = x->rank, .shape = x->shape};
  return nnb__onnx_add(g, node, v, out);
}

static nnb_status make_act(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int act, int from, int *out) {
  return make(g, node, NNB__ONNX_ACT, act, from, out);
}

/* ---- formulas ---------------------------------------------------------------------------------------------------- */

/* Factors that cancel; the last factor of selu. */
nnb_status nnb__onnx_match_const(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_arith arith, int from,
                                 double number, int *out) {
  double before;
  if (arith != NNB__ONNX_MUL && arith != NNB__ONNX_DIV) return NNB_OK;
  const double factor = arith == NNB__ONNX_MUL ? number : 1 / number;
  const int x = less_factor(g, from, &before), z = inside(g, from, NNB__ONNX_SELU_PART);
  if (z && near(factor, SELU_SCALE)) return make_act(g, node, NNB_SELU, z, out);
  const bool same_shape = nnb__onnx_at(g, x)->rank == nnb__onnx_at(g, from)->rank; /* a factor of 1 may change it */
  if (x != from && factor * before == 1 && same_shape) *out = x;
  return NNB_OK;
}

/* max(z, 0) + α(e^min(z, 0) - 1), max(z, 0) + log(1 + e^-|z|) */
nnb_status nnb__onnx_match_add(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  double alpha;
  for (int turn = 0; turn < 2; turn++) {
    const int z = inside_act(g, turn ? y : x, NNB_RELU), other = turn ? x : y;
    if (!z) continue;
    if (inside(g, other, NNB__ONNX_LOG_PART) == z) return make_act(g, node, NNB_SOFTPLUS, z, out);
    const int minus_one = less_factor(g, other, &alpha);
    const int below = inside(g, inside(g, less_added(g, minus_one, -1), NNB__ONNX_EXP), NNB__ONNX_BELOW);
    if (below != z) continue;
    if (alpha == 1) return make_act(g, node, NNB_ELU, z, out);
    if (near(alpha, SELU_ALPHA)) return make(g, node, NNB__ONNX_SELU_PART, 0, z, out);
  }
  return NNB_OK;
}

/* z·a·(1 + erf(z/√2))·b is gelu(z)·2ab */
static nnb_status match_gelu(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  double a, b, c;
  const int plus_one = less_factor(g, y, &b);
  const int scaled = inside(g, less_added(g, plus_one, 1), NNB__ONNX_ERF);
  const int z = less_factor(g, scaled, &c);
  if (!scaled || !near(c, ROOT_HALF)) return NNB_OK;
  if (x == z)
    a = 1;
  else if (less_factor(g, x, &a) != z)
    return NNB_OK;
  nnb_status status = make_act(g, node, NNB_GELU, z, out);
  if (status || 2 * a * b == 1) return status;
  const nnb__onnx_value v = {.kind = NNB__ONNX_ARITH,
                             .arith = NNB__ONNX_MUL,
                             .number = 2 * a * b,
                             .from = *out,
                             .cols = nnb__onnx_at(g, z)->cols,
                             .rank = nnb__onnx_at(g, z)->rank,
                             .shape = nnb__onnx_at(g, z)->shape};
  return nnb__onnx_add(g, node, v, out);
}

nnb_status nnb__onnx_match_mul(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  const int centred = inside(g, x, NNB__ONNX_CENTRED);
  if (centred && x == y) return make(g, node, NNB__ONNX_SQUARES, 0, centred, out);
  if (inside_act(g, y, NNB_SIGMOID) == x) return make_act(g, node, NNB_SILU, x, out);
  if (inside_act(g, x, NNB_SIGMOID) == y) return make_act(g, node, NNB_SILU, y, out);
  nnb_status status = match_gelu(g, node, x, y, out);
  return status || *out ? status : match_gelu(g, node, y, x, out);
}

/* z, if the value is 1 + e^-z */
static int inside_logistic(const nnb__onnx_graph *g, int k) {
  return less_sign(g, inside(g, less_added(g, k, 1), NNB__ONNX_EXP));
}

nnb_status nnb__onnx_match_div(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  const int centred = inside(g, x, NNB__ONNX_CENTRED);
  if (inside_logistic(g, y) == x) return make_act(g, node, NNB_SILU, x, out);
  if (!centred || inside(g, y, NNB__ONNX_DEVIATION) != centred) return NNB_OK;
  nnb_status status = make(g, node, NNB__ONNX_LAYERNORM, 0, centred, out);
  if (!status) nnb__onnx_at(g, *out)->alpha = nnb__onnx_at(g, y)->alpha;
  return status;
}

/* x - mean of x */
nnb_status nnb__onnx_match_sub(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  return inside(g, y, NNB__ONNX_MEAN) == x ? make(g, node, NNB__ONNX_CENTRED, 0, x, out) : NNB_OK;
}

/* A layer normalisation that has no γ, or no β, gets it. */
nnb_status nnb__onnx_match_columns(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_arith arith, int from,
                                   const nnb__onnx_const *c, int *out) {
  nnb__onnx_value v = *nnb__onnx_at(g, from);
  if (v.kind != NNB__ONNX_LAYERNORM || v.bias || nnb__onnx_count(c) != (size_t)v.cols) return NNB_OK;
  if (arith == NNB__ONNX_ADD)
    v.bias = c;
  else if (arith == NNB__ONNX_MUL && !v.c)
    v.c = c;
  else
    return NNB_OK;
  v.uses = v.user = 0;
  return nnb__onnx_add(g, node, v, out);
}

nnb_status nnb__onnx_match_inverse(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int *out) {
  const int z = inside_logistic(g, x);
  return z ? make_act(g, node, NNB_SIGMOID, z, out) : NNB_OK;
}

nnb_status nnb__onnx_match_max(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int y, int *out) {
  double slope;
  if (less_factor(g, y, &slope) == x && near(slope, 0.01)) return make_act(g, node, NNB_LEAKY_RELU, x, out);
  if (less_factor(g, x, &slope) == y && near(slope, 0.01)) return make_act(g, node, NNB_LEAKY_RELU, y, out);
  return NNB_OK;
}

/* log(1 + e^x) is softplus, where x = -|z| a part of it */
nnb_status nnb__onnx_match_log(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int x, int *out) {
  const int exponent = inside(g, less_added(g, x, 1), NNB__ONNX_EXP);
  const int z = inside(g, less_sign(g, exponent), NNB__ONNX_ABS);
  if (!exponent) return NNB_OK;
  return z ? make(g, node, NNB__ONNX_LOG_PART, 0, z, out) : make_act(g, node, NNB_SOFTPLUS, exponent, out);
}

bool nnb__onnx_is_rest(const nnb__onnx_graph *g, int x, int y) {
  if (inside(g, x, NNB__ONNX_ARITH) != y || !inside_act(g, y, NNB_SIGMOID) || nnb__onnx_at(g, y)->cols != 1)
    return false;
  const nnb__onnx_value *v = nnb__onnx_at(g, x);
  return v->arith == NNB__ONNX_SUB_FROM && !v->c && v->number == 1;
}
