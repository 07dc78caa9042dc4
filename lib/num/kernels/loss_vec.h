/* num/kernels/loss_vec.h: the losses for a vec of outputs, and softmax with cross-entropy for a row.  loss.c and the
 * kernels for chains make loops of them. */
#ifndef NNB__LOSS_VEC_H
#define NNB__LOSS_VEC_H

#include "softmax.h"

/* ---- terms: ℓ(a, t) of an output and ∂ℓ/∂a, or the same from z if activation and loss are fused ----------------- */

typedef struct term {
  vec loss, slope;
} term;
typedef term term_fn(vec a, vec t);

INLINE term half_square(vec a, vec t) {
  vec r = a - t;
  return (term){(real)0.5 * r * r, r};
}
INLINE term square(vec a, vec t) {
  vec r = a - t;
  return (term){r * r, r + r};
}
/* The slope at r = 0 is 0; NaN passes both comparisons. */
INLINE term absolute(vec a, vec t) {
  vec r = a - t, none = {0};
  return (term){magnitude(r), pick(less(none, r), fill(1), pick(less(r, none), fill(-1), r))};
}
/* ½r² for |r| ≤ 1, |r| - ½ beyond: with c = r limited to ±1, the loss is c(r - ½c) and the slope c */
INLINE term huber(vec a, vec t) {
  vec r = a - t, c = at_least(at_most(r, 1), -1);
  return (term){c * (r - (real)0.5 * c), c};
}
/* a is at least REAL_MIN, so target 0 and output 0 give a loss of 0, and the slope is finite. */
INLINE term cross(vec a, vec t) {
  vec p = at_least(a, REAL_MIN);
  return (term){-t * log_normal(p), -t / p};
}
INLINE term binary_cross(vec a, vec t) {
  term yes = cross(a, t), no = cross((real)1 - a, (real)1 - t);
  return (term){yes.loss + no.loss, yes.slope - no.slope};
}
/* The same from the logit z of a = σ(z): log(1 + e^z) - z·t, slope a - t */
INLINE term binary_cross_logit(vec z, vec t) {
  vec e = exp_down(minus_magnitude(z)), none = {0};
  vec a = pick(less(z, none), e, fill(1)) / (e + (real)1);
  return (term){(larger(none, z) - z * t) + log1p_unit(e), a - t};
}

/* ---- targets ---- */

/* The targets of a row: t, or the unit vector of a class if t is NULL. */
typedef struct target {
  const real *t;
  int label;
} target;
INLINE vec target_at(target t, size_t j, int n) {
  if (!t.t) return pick(lane(t.label - (int)j), fill(1), (vec){0});
  return load_up_to(t.t + j, n);
}

/* ---- softmax with cross-entropy ---- */

/* The loss of a row is total·log s - linear: with m = max z, s = Σ e^(z-m) and T = Σ t it is T·log s - Σ t(z-m).  The
 * caller takes the logarithm. */
typedef struct row_parts {
  real s, total, linear;
} row_parts;

/* delta ← c·(e^(z-m)/s - unit vector) */
INLINE row_parts class_row(int n, const real *z, int label, real c, real *delta) {
  real chosen = z[label]; /* read before delta, which may be z, is written */
  peak_sum p = row_softmax(n, z, delta, c);
  if (delta) delta[label] -= c;
  return (row_parts){p.s[0], 1, chosen - p.m[0]};
}

/* Σ t and Σ t·(z-m), m = max z */
INLINE row_parts target_sums(int n, const real *z, const real *t) {
  vec m = row_max(n, z), total = {0}, linear = {0};
  int j = 0;
#ifdef NNB_EXACT
  for (; j < n; j++) total[0] += t[j], linear[0] += t[j] * (z[j] - m[0]);
  return (row_parts){0, total[0], linear[0]};
#endif
  for (; j + LANES <= n; j += LANES) total += load(t + j), linear += load(t + j) * (load(z + j) - m);
  if (j < n) {
    vec part = load_part(t + j, n - j);
    total += part, linear += part * pick(first(n - j), load_part(z + j, n - j) - m, (vec){0});
  }
  return (row_parts){0, sum_lanes(total)[0], sum_lanes(linear)[0]};
}
/* delta ← c·(T·e^(z-m)/s - t) */
INLINE row_parts soft_row(int n, const real *z, const real *t, real c, real *delta) {
  row_parts row = target_sums(n, z, t);
  row.s = row_softmax(n, z, delta, c * row.total).s[0];
  int j = 0;
  if (!delta) return row;
  for (; j + LANES <= n; j += LANES) store(delta + j, load(delta + j) - c * load(t + j));
  if (j < n) store_part(delta + j, n - j, load_part(delta + j, n - j) - c * load_part(t + j, n - j));
  return row;
}

#endif
