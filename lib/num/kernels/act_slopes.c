/* num/kernels/act_slopes.c: second and third derivatives of activations.  A built-in activation without a row in the
 * table below has none. */
#include "act_slopes.h"

#include "act.h"
#include "view.h"

/* ---- element by element: f''(z), or f'''(z) if third, with a = f(z) ---------------------------------------------- */

static real zero(bool third, real z, real a) { return (void)third, (void)z, a * 0; } /* NaN stays */

/* s = f' = a(1 - a), f'' = s(1 - 2a), f''' = s(1 - 6s) */
static real sigmoid(bool third, real z, real a) {
  const real s = a * (1 - a);
  return (void)z, third ? s * (1 - 6 * s) : s * (1 - 2 * a);
}

/* s = f' = 1 - a², f'' = -2as, f''' = s(4 - 6s) */
static real hyperbolic_tangent(bool third, real z, real a) {
  const real s = (1 - a) * (1 + a);
  return (void)z, third ? s * (4 - 6 * s) : -2 * a * s;
}

/* e^z below 0 */
static real elu(bool third, real z, real a) { return (void)third, (void)z, a > 0 ? 0 : a + 1; }
static real selu(bool third, real z, real a) {
  const real scale = (real)(1.05070098735548049342 * 1.67326324235437728482);
  return (void)third, (void)z, a > 0 ? 0 : a + scale;
}

/* f' = Φ + zφ, f'' = (2 - z²)φ, f''' = (z² - 4)zφ */
static real gelu(bool third, real z, real a) {
  const real density = R(exp)(-z * z / 2) * (real)0.39894228040143267794;
  if (density == 0) return a * 0; /* z² may be infinite */
  return (third ? (z * z - 4) * z : 2 - z * z) * density;
}

/* f = zσ; σ' = s, σ'' = s(1 - 2σ), σ''' = s(1 - 6s); f'' = 2σ' + zσ'', f''' = 3σ'' + zσ''' */
static real silu(bool third, real z, real a) {
  const real e = R(exp)(-R(fabs)(z)), low = e / (1 + e), high = 1 / (1 + e); /* σ of -|z| and |z| */
  const real s = low * high, bend = s * (z > 0 ? low - high : high - low);
  if (s == 0) return a * 0; /* z may be infinite */
  return third ? 3 * bend + z * s * (1 - 6 * s) : 2 * s + z * bend;
}

/* f' = σ(z) = 1 - e^-a */
static real softplus(bool third, real z, real a) {
  const real rest = R(exp)(-a), s = rest * -R(expm1)(-a);
  return (void)z, third ? s * (2 * rest - 1) : s;
}

typedef real slope_fn(bool third, real z, real a);
static slope_fn *const slopes[NNB_N_ACTIVATIONS] = {
    [NNB_LINEAR] = zero, [NNB_STEP] = zero,       [NNB_SIGMOID] = sigmoid,  [NNB_TANH] = hyperbolic_tangent,
    [NNB_RELU] = zero,   [NNB_LEAKY_RELU] = zero, [NNB_ELU] = elu,          [NNB_SELU] = selu,
    [NNB_GELU] = gelu,   [NNB_SILU] = silu,       [NNB_SOFTPLUS] = softplus};

static slope_fn *slope_of(const nnb_act_ops *act) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++)
    if (nnb__act((nnb_activation)k) == act) return slopes[k];
  return NULL;
}

/* ---- softmax ----------------------------------------------------------------------------------------------------- */

/* With J = diag(a) - aaᵀ: v·J·ż = Σ avż - (Σ av)(Σ aż), whose derivative by a is g = vż - v(Σ aż) - ż(Σ av); d += Jg.
 */
static void bend_row(int n, const real *a, const real *dz, const real *v, real *d) {
  real in_dz = 0, in_v = 0, in_g = 0;
  for (int j = 0; j < n; j++) in_dz += a[j] * dz[j], in_v += a[j] * v[j];
  for (int j = 0; j < n; j++) in_g += a[j] * (v[j] * (dz[j] - in_dz) - dz[j] * in_v);
  for (int j = 0; j < n; j++) d[j] += a[j] * (v[j] * (dz[j] - in_dz) - dz[j] * in_v - in_g);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

bool nnb__act_bends(const nnb_act_ops *act, int order) {
  if (!act) return true;
  if (act->traits & NNB_ACT_ROWWISE) return order == 2 && act->push && (act->bend || act == nnb__act(NNB_SOFTMAX));
  return act->slope || slope_of(act);
}

void nnb__act_slope(const nnb_act_ops *act, int order, nnb_cmat z, nnb_cmat a, nnb_mat s) {
  if (act->slope) {
    act->slope(act, order, z, a, s);
    return;
  }
  slope_fn *slope = slope_of(act);
  for (int i = 0; i < s.rows; i++)
    for (int j = 0; j < s.cols; j++) nnb__row(s, i)[j] = slope(order == 3, nnb__crow(z, i)[j], nnb__crow(a, i)[j]);
}

void nnb__act_bend(const nnb_act_ops *act, nnb_cmat z, nnb_cmat a, nnb_cmat dz, nnb_cmat v, nnb_mat d) {
  if (act->bend) {
    act->bend(act, z, a, dz, v, d);
    return;
  }
  for (int i = 0; i < d.rows; i++) bend_row(d.cols, nnb__crow(a, i), nnb__crow(dz, i), nnb__crow(v, i), nnb__row(d, i));
}
