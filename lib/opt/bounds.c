/* opt/bounds.c: box constraints: the check, and moving x between the bounds. */
#include "bounds.h"

#include "status.h"

nnb_status nnb__bounds_check(const nnb_min_opts *o, size_t n) {
  for (size_t i = 0; nnb__bounded(o) && i < n; i++) {
    double lower = o->lower ? o->lower[i] : -HUGE_VAL, upper = o->upper ? o->upper[i] : HUGE_VAL;
    if (!(lower <= upper) || lower == HUGE_VAL || upper == -HUGE_VAL)
      return nnb__fail(NNB_E_ARG, "variable %zu has the bounds %g and %g; no number lies between them", i, lower,
                       upper);
  }
  return NNB_OK;
}

void nnb__bounds_enter(const nnb_min_opts *o, size_t n, real *x, real *lower, real *upper) {
  for (size_t i = 0; i < n; i++) {
    lower[i] = (real)(o->lower ? o->lower[i] : -HUGE_VAL);
    upper[i] = (real)(o->upper ? o->upper[i] : HUGE_VAL);
    x[i] = R(fmin)(R(fmax)(x[i], lower[i]), upper[i]);
  }
}
