/* opt/bounds.h: box constraints, lower_i ≤ x_i ≤ upper_i, from nnb_min_opts; for all minimisers. */
#ifndef NNB__BOUNDS_H
#define NNB__BOUNDS_H

#include "optim.h"

static inline bool nnb__bounded(const nnb_min_opts *o) { return o->lower || o->upper; }

/* NNB_E_ARG if no number lies between the bounds of a variable. */
nnb_status nnb__bounds_check(const nnb_min_opts *o, size_t n);
/* lower, upper ← the bounds in this precision; x ← x moved between them. */
void nnb__bounds_enter(const nnb_min_opts *o, size_t n, real *x, real *lower, real *upper);

/* Whether x is at a bound and a step against the slope g would cross it. */
static inline bool nnb__held(double g, real x, real lower, real upper) {
  return (g > 0 && x <= lower) || (g < 0 && x >= upper);
}

#endif
