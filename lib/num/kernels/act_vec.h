/* num/kernels/act_vec.h: the element-wise activations for a vec.  act.c and the kernels for chains make loops of them.
 * Each has, under its name in activations.def: name_value(z) is a = f(z); name_pull(a, d) is d·f'(z), with the slope
 * from a (FROM_A) or, as name_pull(z, d), from z (FROM_Z). */
#ifndef NNB__ACT_VEC_H
#define NNB__ACT_VEC_H

#include "vecmath.h"

#define ZERO ((vec){0})

/* ---- linear ---- */

INLINE vec linear_value(vec z) { return z; }
INLINE vec linear_pull(vec a, vec d) { return (void)a, d; }

/* ---- step: its slope is 0; NaN stays NaN, because it passes both comparisons --------------------------------------
 */

INLINE vec step_value(vec z) { return pick(less(ZERO, z), fill(1), pick(less(z, ZERO), ZERO, z)); }
INLINE vec step_pull(vec a, vec d) {
  (void)a, (void)d;
  return ZERO;
}

/* ---- sigmoid: slope a(1-a) ---- */

INLINE vec sigmoid_value(vec z) { return sigmoid_any(z); }
INLINE vec sigmoid_pull(vec a, vec d) { return d * (a * ((real)1 - a)); }

/* ---- tanh: slope 1 - a², by FMA or as (1-a)(1+a), which loses no digits near a = ±1 ---- */

INLINE vec tanh_value(vec z) { return tanh_any(z); }
INLINE vec tanh_pull(vec a, vec d) {
#if defined NNB_EXACT
  return d * mul_add(-a, a, fill(1));
#elif defined VEC_AVX512
  return d * X512(fnmadd)(a, a, fill(1));
#elif defined VEC_AVX2
  return d * X256(fnmadd)(a, a, fill(1));
#else
  return d * (((real)1 - a) * ((real)1 + a));
#endif
}

/* ---- relu: d is selected, not multiplied by 0 or 1; NaN stays NaN ------------------------------------------------ */

INLINE vec relu_value(vec z) { return at_least(z, 0); }
INLINE vec relu_pull(vec a, vec d) { return pick(less(ZERO, a), d, ZERO); }

/* ---- leaky_relu ---- */

#define LEAK ((real)0.01)
INLINE vec leaky_relu_value(vec z) { return pick(less(ZERO, z), z, LEAK * z); }
INLINE vec leaky_relu_pull(vec a, vec d) { return pick(less(ZERO, a), d, LEAK * d); }

/* ---- elu: for z < 0 the slope is e^z = a + 1 ---- */

INLINE vec elu_value(vec z) { return pick(less(ZERO, z), z, expm1_down(z)); }
INLINE vec elu_pull(vec a, vec d) { return pick(less(ZERO, a), d, (a + (real)1) * d); }

/* ---- selu: constants of Klambauer et al. 2017: mean 0 and variance 1 are a fixed point ---- */

#define SELU_SCALE ((real)1.05070098735548049342)
#define SELU_ALPHA ((real)1.67326324235437728482)
INLINE vec selu_value(vec z) { return SELU_SCALE * pick(less(ZERO, z), z, SELU_ALPHA * expm1_down(z)); }
INLINE vec selu_pull(vec a, vec d) { return d * pick(less(ZERO, a), fill(SELU_SCALE), a + SELU_SCALE * SELU_ALPHA); }

/* ---- gelu: z Φ(z), slope Φ(z) + z φ(z); z is limited where Φ and φ are 0, so that ∞·0 does not occur ---- */

#define ROOT_2PI_INVERSE ((real)0.39894228040143267794)
INLINE vec gelu_value(vec z) {
  vec tail = normal_at(at_most(magnitude(z), TAIL_END)).tail;
  return at_least(z, -TAIL_END) * pick(less(z, ZERO), tail, (real)1 - tail);
}
INLINE vec gelu_pull(vec z, vec d) {
  vec u = at_most(magnitude(z), TAIL_END);
  normal n = normal_at(u);
  vec below = pick(less(z, ZERO), n.tail, (real)1 - n.tail);
  return d * (below + with_sign_of(u, z) * n.exponential * ROOT_2PI_INVERSE);
}

/* ---- silu: z s, slope s + z s(1-s), with s = σ(z) and s(1-s) = e/(1+e)², e = e^-|z| ---- */

INLINE vec silu_value(vec z) { return at_least(z, EXP_LOW) * sigmoid_any(z); }
INLINE vec silu_pull(vec z, vec d) {
  vec u = at_most(magnitude(z), -EXP_LOW), e = exp_down(-u), r = (real)1 / ((real)1 + e);
  vec s = pick(less(z, ZERO), e, fill(1)) * r;
  return d * (s + with_sign_of(u, z) * (e * r * r));
}

/* ---- softplus: slope σ(z) = 1 - e^-a ---- */

INLINE vec softplus_value(vec z) { return softplus_any(z); }
INLINE vec softplus_pull(vec a, vec d) { return d * -expm1_down(-a); }

#endif
