/* opt/minimize.h: what the minimisers share: the function, the point, its gradient, the bounds, the stopping rule. */
#ifndef NNB__MINIMIZE_H
#define NNB__MINIMIZE_H

#include "optim.h"
#include "stop.h"

/* The problem of a minimiser, evaluated at x, which is within the bounds.  It leaves its best point in x, g, value. */
struct nnb__min {
  const nnb_fdf *f;
  size_t n;
  real *x;                   /* n: the point reached */
  real *g;                   /* n: the gradient there */
  double value;              /* f(x), finite */
  const real *lower, *upper; /* n each, or both NULL */
  nnb__stop *stop;
  real *vectors; /* what needs() asked for, not zeroed */
  double *doubles;
};

/* *f ← f(x), g ← its gradient (NULL: not wanted); counts an evaluation.  If f is not defined, or f or its gradient is
 * not finite, *f is INFINITY and the status NNB_OK. */
nnb_status nnb__min_eval(nnb__min *m, const real *x, double *f, real *g);
/* Moves to x_new, with f and g_new there, and ends the iteration; true when the search must end. */
bool nnb__min_move(nnb__min *m, const real *x_new, double f, const real *g_new);
/* max |g_i| over the variables that are not held at a bound. */
double nnb__min_norm(const nnb__min *m);
/* The same for the stopping rule: a function alone has no scale that its gradient could be measured in. */
nnb__slope nnb__min_slope(const nnb__min *m);

#endif
