/* num/act_vec.h: the activations that go number by number, and their pulls, for a vec: act.c makes its loops of them,
 * and the kernels that take rows through whole nets inline them.  Of each: the function, and d·slope, with the slope
 * from a, or from z where NNB_ACT_NEEDS_Z says so. */
#ifndef NNB__ACT_VEC_H
#define NNB__ACT_VEC_H

#include "vecmath.h"

#define ZERO ((vec){0})

/* ---- step: NaN stays NaN, as x falls through both choices ---- */

INLINE vec step(vec z) { return pick(less(ZERO, z), fill(1), pick(less(z, ZERO), ZERO, z)); }
INLINE vec zero(vec a, vec d) {
  (void)a, (void)d;
  return ZERO;
}

/* ---- sigmoid: a(1-a) ---- */

INLINE vec pull_sigmoid(vec a, vec d) { return d * (a * ((real)1 - a)); }

/* ---- tanh: 1 - a², with one rounding or in the form that keeps its digits near ±1 ---- */

INLINE vec pull_tanh(vec a, vec d) {
#if defined VEC_AVX512
  return d * X512(fnmadd)(a, a, fill(1));
#elif defined VEC_AVX2
  return d * X256(fnmadd)(a, a, fill(1));
#else
  return d * (((real)1 - a) * ((real)1 + a));
#endif
}

/* ---- relu: a slope is chosen, not multiplied; NaN stays NaN ---- */

INLINE vec relu(vec z) { return at_least(z, 0); }
INLINE vec pull_relu(vec a, vec d) { return pick(less(ZERO, a), d, ZERO); }

/* ---- leaky_relu ---- */

#define LEAK ((real)0.01)
INLINE vec leaky(vec z) { return pick(less(ZERO, z), z, LEAK * z); }
INLINE vec pull_leaky(vec a, vec d) { return pick(less(ZERO, a), d, LEAK * d); }

/* ---- elu: left of 0 the slope is e^z = a + 1 ---- */

INLINE vec elu(vec z) { return pick(less(ZERO, z), z, expm1_down(z)); }
INLINE vec pull_elu(vec a, vec d) { return pick(less(ZERO, a), d, (a + (real)1) * d); }

/* ---- selu: constants of Klambauer et al. 2017, which make mean 0 and variance 1 a fixed point ---- */

#define SELU_SCALE ((real)1.05070098735548049342)
#define SELU_ALPHA ((real)1.67326324235437728482)
INLINE vec selu(vec z) { return SELU_SCALE * pick(less(ZERO, z), z, SELU_ALPHA * expm1_down(z)); }
INLINE vec pull_selu(vec a, vec d) { return d * pick(less(ZERO, a), fill(SELU_SCALE), a + SELU_SCALE * SELU_ALPHA); }

/* ---- gelu: z Φ(z), slope Φ(z) + z φ(z); z is limited where Φ is 0 and φ is 0, so that ∞·0 does not arise ---- */

#define ROOT_2PI_INVERSE ((real)0.39894228040143267794)
INLINE vec gelu(vec z) {
  vec tail = normal_at(at_most(magnitude(z), TAIL_END)).tail;
  return at_least(z, -TAIL_END) * pick(less(z, ZERO), tail, (real)1 - tail);
}
INLINE vec pull_gelu(vec z, vec d) {
  vec u = at_most(magnitude(z), TAIL_END);
  normal n = normal_at(u);
  vec below = pick(less(z, ZERO), n.tail, (real)1 - n.tail);
  return d * (below + with_sign_of(u, z) * n.exponential * ROOT_2PI_INVERSE);
}

/* ---- silu: z s, slope s + z s(1-s), with s = σ(z) and s(1-s) = e/(1+e)², e = e^-|z| ---- */

INLINE vec silu(vec z) { return at_least(z, EXP_LOW) * sigmoid_any(z); }
INLINE vec pull_silu(vec z, vec d) {
  vec u = at_most(magnitude(z), -EXP_LOW), e = exp_down(-u), r = (real)1 / ((real)1 + e);
  vec s = pick(less(z, ZERO), e, fill(1)) * r;
  return d * (s + with_sign_of(u, z) * (e * r * r));
}

/* ---- softplus: slope σ(z) = 1 - e^-a ---- */

INLINE vec pull_softplus(vec a, vec d) { return d * -expm1_down(-a); }

#endif
