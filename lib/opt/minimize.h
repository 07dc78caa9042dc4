/* opt/minimize.h: shared by the minimisers: the function, the point, its gradient, the bounds, the stopping rule. */
#ifndef NNB__MINIMIZE_H
#define NNB__MINIMIZE_H

#include "optim.h"
#include "stop.h"

/* The problem of a minimiser, evaluated at x, which is within the bounds.  The minimiser leaves its best point in x, g,
 * value. */
struct nnb__min {
  const nnb_fdf *f;
  size_t n;
  real *x;                   /* n: the present point */
  real *g;                   /* n: its gradient */
  double value;              /* f(x), finite */
  const real *lower, *upper; /* n each, or both NULL */
  nnb__stop *stop;
  real *vectors; /* the memory of needs(), not zeroed */
  double *doubles;
};

/* *f ← f(x), g ← its gradient (NULL: not wanted); counts an evaluation.  If f is not defined, or f or its gradient is
 * not finite, *f is INFINITY and the status NNB_OK. */
nnb_status nnb__min_eval(nnb__min *m, const real *x, double *f, real *g);
/* Moves to x_new, with f and g_new there, and ends the iteration; true if the search must end. */
bool nnb__min_move(nnb__min *m, const real *x_new, double f, const real *g_new);
/* max |g_i| over the variables that are not held at a bound. */
double nnb__min_norm(const nnb__min *m);
/* The same for the stopping rule: the gradient of a general function has no scale to compare it with. */
nnb__slope nnb__min_slope(const nnb__min *m);

#endif
