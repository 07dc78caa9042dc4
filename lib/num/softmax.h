/* num/softmax.h: the three passes over a row that softmax and its cross-entropy share. */
#ifndef NNB__SOFTMAX_H
#define NNB__SOFTMAX_H

#include "vecmath.h"

/* The largest of a row in every lane; NaN does not count. */
INLINE vec row_max(int n, const real *x) {
  vec m = fill((real)-INFINITY);
  int j = 0;
  for (; j + LANES <= n; j += LANES) m = larger(m, load(x + j));
  if (j < n) m = larger(m, pick(first(n - j), load_part(x + j, n - j), m));
  return max_lanes(m);
}

/* y ← e^(x-m) (y NULL: not stored); the sum in every lane. */
INLINE vec row_exp(int n, const real *x, vec m, real *y) {
  vec sum = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES) {
    vec e = exp_down(load(x + j) - m);
    if (y) store(y + j, e);
    sum += e;
  }
  if (j < n) {
    vec e = exp_down(load_part(x + j, n - j) - m);
    if (y) store_part(y + j, n - j, e);
    sum += pick(first(n - j), e, (vec){0});
  }
  return sum_lanes(sum);
}

/* y ← c·y */
INLINE void row_scale(int n, real *y, vec c) {
  int j = 0;
  for (; j + LANES <= n; j += LANES) store(y + j, c * load(y + j));
  if (j < n) store_part(y + j, n - j, c * load_part(y + j, n - j));
}

#endif
