/* num/kernels/softmax.h: softmax of a row, for the activation and for cross-entropy. */
#ifndef NNB__SOFTMAX_H
#define NNB__SOFTMAX_H

#include "vecmath.h"

/* m = max x, s = Σ e^(x-m), each in every lane. */
typedef struct peak_sum {
  vec m, s;
} peak_sum;

/* The limit for max x = +∞: c divided by the number of elements that are +∞; 0 for the others.  NaN if all are -∞ or
 * one is NaN. */
static peak_sum infinite_softmax(int n, const real *x, vec m, real *y, real c) {
  real n_infinite = 0;
  for (int j = 0; j < n; j++) n_infinite += isnan(x[j]) ? x[j] : (real)(x[j] == (real)INFINITY);
  for (int j = 0; y && j < n; j++) y[j] = x[j] == (real)INFINITY ? c / n_infinite : 0 / n_infinite;
  return (peak_sum){m, fill((real)NAN)};
}

#ifndef NNB_EXACT
/* A row of k vecs in registers; the last vec may be partial.  Its lanes after the end of the row hold m and are left
 * out of the sum.  -∞ would also be correct, but the underflow of its exponential costs 80 ns. */
enum { SHORT = 4 };
INLINE peak_sum short_softmax(int n, const real *x, real *y, real c, int k) {
  vec e[SHORT], s = {0};
  int rest = n - (k - 1) * LANES;
  for (int i = 0; i < k - 1; i++) e[i] = load(x + i * LANES);
  e[k - 1] = load_part(x + n - rest, rest);
  vec m = pick(first(rest), larger(fill((real)-INFINITY), e[k - 1]), fill((real)-INFINITY));
  for (int i = 0; i < k - 1; i++) m = larger(m, e[i]);
  m = max_lanes(m);
  if (isinf(m[0])) return infinite_softmax(n, x, m, y, c);
  e[k - 1] = pick(first(rest), e[k - 1], m);
  for (int i = 0; i < k; i++) e[i] = exp_down(e[i] - m);
  for (int i = 0; i < k - 1; i++) s += e[i];
  s = sum_lanes(s + pick(first(rest), e[k - 1], (vec){0}));
  if (y) {
    vec factor = c / s;
    for (int i = 0; i < k - 1; i++) store(y + i * LANES, e[i] * factor);
    store_part(y + n - rest, rest, e[k - 1] * factor);
  }
  return (peak_sum){m, s};
}
#endif

/* max x; NaN is ignored. */
INLINE vec row_max(int n, const real *x) {
  vec m = fill((real)-INFINITY);
  int j = 0;
  for (; j + LANES <= n; j += LANES) m = larger(m, load(x + j));
  if (j < n) m = larger(m, pick(first(n - j), load_part(x + j, n - j), m));
  return max_lanes(m);
}
#ifndef NNB_EXACT
/* Returns Σ e^(x-m); y ← e^(x-m) unless y is NULL. */
INLINE vec row_exp(int n, const real *x, vec m, real *y) {
  vec s = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES) {
    vec e = exp_down(load(x + j) - m);
    if (y) store(y + j, e);
    s += e;
  }
  if (j < n) {
    vec e = exp_down(pick(first(n - j), load_part(x + j, n - j), m) - m);
    if (y) store_part(y + j, n - j, e);
    s += pick(first(n - j), e, (vec){0});
  }
  return sum_lanes(s);
}
#endif
/* y ← c·y */
INLINE void row_scale(int n, real *y, vec c) {
  int j = 0;
  for (; j + LANES <= n; j += LANES) store(y + j, c * load(y + j));
  if (j < n) store_part(y + j, n - j, c * load_part(y + j, n - j));
}
#ifdef NNB_EXACT
/* y ← c·e^(x-m)/s.  y may be x, or NULL if only m and s are wanted. */
INLINE peak_sum row_softmax(int n, const real *x, real *y, real c) {
  const vec m = row_max(n, x);
  real s = 0;
  if (isinf(m[0])) return infinite_softmax(n, x, m, y, c);
  for (int j = 0; j < n; j += LANES) {
    const int k = n - j < LANES ? n - j : LANES;
    const vec e = exp_down(pick(first(k), load_part(x + j, k), m) - m);
    if (y) store_part(y + j, k, e);
    s = add_in_order(s, e, k);
  }
  if (y) row_scale(n, y, fill(c) / fill(s));
  return (peak_sum){m, fill(s)};
}
#else
static peak_sum long_softmax(int n, const real *x, real *y, real c) {
  vec m = row_max(n, x);
  if (isinf(m[0])) return infinite_softmax(n, x, m, y, c);
  vec s = row_exp(n, x, m, y);
  if (y) row_scale(n, y, c / s);
  return (peak_sum){m, s};
}

/* y ← c·e^(x-m)/s.  y may be x, or NULL if only m and s are wanted. */
INLINE peak_sum row_softmax(int n, const real *x, real *y, real c) {
  switch ((n + LANES - 1) / LANES) {
    case 1:
      return short_softmax(n, x, y, c, 1);
    case 2:
      return short_softmax(n, x, y, c, 2);
    case 3:
      return short_softmax(n, x, y, c, 3);
    case 4:
      return short_softmax(n, x, y, c, 4);
    default:
      return long_softmax(n, x, y, c);
  }
}
#endif

/* ---- the activation ---- */

/* a ← softmax(z); a may be z. */
INLINE void softmax_row(int n, const real *z, real *a) { row_softmax(n, z, a, 1); }

/* d_j ← a_j·(d_j - Σ_k a_k·d_k) */
INLINE void softmax_row_pull(int n, const real *a, real *d) {
  const vec dot = row_dot(n, a, d);
  int j = 0;
  for (; j + LANES <= n; j += LANES) store(d + j, load(a + j) * (load(d + j) - dot));
  if (j < n) store_part(d + j, n - j, load_part(a + j, n - j) * (load_part(d + j, n - j) - dot));
}

#endif
