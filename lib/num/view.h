/* num/view.h: small operations on views. */
#ifndef NNB__VIEW_H
#define NNB__VIEW_H

#include "real.h"

static inline nnb_cmat nnb__read(nnb_mat m) { return (nnb_cmat){m.p, m.rows, m.cols, m.ld}; }

/* Whether all n numbers are finite: 0·x is then 0, else NaN. */
static inline bool nnb__all_finite(size_t n, const real *x) {
  real zero = 0;
  for (size_t i = 0; i < n; i++) zero += x[i] * 0;
  return zero == 0;
}

/* The largest |x_i|; 0 for n = 0.  NaN is ignored.  Here and elsewhere a maximum of reals is computed in their own
 * type: gcc 12 for arm64 fails with an internal error on a reduction of floats by fmax in double. */
static inline double nnb__max_abs(size_t n, const real *x) {
  real most = 0;
  for (size_t i = 0; i < n; i++) most = R(fmax)(most, R(fabs)(x[i]));
  return (double)most;
}
/* The largest |x_i - y_i|, in the same way. */
static inline double nnb__max_difference(size_t n, const real *x, const real *y) {
  real most = 0;
  for (size_t i = 0; i < n; i++) most = R(fmax)(most, R(fabs)(x[i] - y[i]));
  return (double)most;
}

/* Rows [r, r + n) of a view; a NULL view stays NULL. */
static inline nnb_mat nnb__rows(nnb_mat m, int r, int n) {
  return (nnb_mat){m.p ? m.p + (size_t)r * (size_t)m.ld : NULL, n, m.cols, m.ld};
}
static inline nnb_cmat nnb__crows(nnb_cmat m, int r, int n) {
  return (nnb_cmat){m.p ? m.p + (size_t)r * (size_t)m.ld : NULL, n, m.cols, m.ld};
}

/* Columns [c, c + n) of a view. */
static inline nnb_mat nnb__cols(nnb_mat m, int c, int n) { return (nnb_mat){m.p ? m.p + c : NULL, m.rows, n, m.ld}; }
static inline nnb_cmat nnb__ccols(nnb_cmat m, int c, int n) {
  return (nnb_cmat){m.p ? m.p + c : NULL, m.rows, n, m.ld};
}

static inline real *nnb__row(nnb_mat m, int i) { return m.p + (size_t)i * (size_t)m.ld; }
static inline const real *nnb__crow(nnb_cmat m, int i) { return m.p + (size_t)i * (size_t)m.ld; }

#endif
