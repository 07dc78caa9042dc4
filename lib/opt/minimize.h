/* opt/minimize.h: what the minimisers share: the function, the point, its gradient, the bounds, the stopping rule. */
#ifndef NNB__MINIMIZE_H
#define NNB__MINIMIZE_H

#include "optim.h"
#include "stop.h"

/* What a minimiser is handed: x between the bounds and evaluated.  It leaves the best point it found in x, g, value. */
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

/* *f ← f(x), g ← its gradient (NULL: not wanted), and counts.  Where f is not defined or not finite, or the gradient is
 * not, *f is INFINITY and the status NNB_OK. */
nnb_status nnb__min_eval(nnb__min *m, const real *x, double *f, real *g);
/* Moves to x_new, where f and g_new were found, and ends the iteration: true when it is time to stop. */
bool nnb__min_move(nnb__min *m, const real *x_new, double f, const real *g_new);
/* max |g_i| over the variables that g does not push against a bound of theirs. */
double nnb__min_norm(const nnb__min *m);

#endif
