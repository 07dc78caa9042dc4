/* opt/minimize.h: shared by the minimisers: the function, the point, its gradient, the bounds, the stopping rule. */
#ifndef NNB__MINIMIZE_H
#define NNB__MINIMIZE_H

#include "keep.h"
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
  real *vectors; /* the memory of needs(), zeroed if it may be saved */
  double *doubles;
  nnb__visit *visit; /* of the method's own state */
  void *self;
};

/* *f ← f(x), g ← its gradient (NULL: not wanted); counts an evaluation.  If f is not defined, or f or its gradient is
 * not finite, *f is INFINITY and the status NNB_OK. */
nnb_status nnb__min_eval(nnb__min *m, const real *x, double *f, real *g);
/* Before the first iteration.  visit: what the method keeps from one iteration to the next, besides x, g and value.
 * *resumed: self and m have a saved state. */
nnb_status nnb__min_begin(nnb__min *m, nnb__visit *visit, void *self, bool *resumed);
/* Before each iteration; false: there is none. */
static inline bool nnb__min_goes_on(nnb__min *m) { return nnb__keep_goes_on(m->stop, false); }
/* Moves to x_new, with f and g_new there, and ends the iteration; true if the search must end. */
bool nnb__min_move(nnb__min *m, const real *x_new, double f, const real *g_new);
/* max |g_i| over the variables that are not held at a bound. */
double nnb__min_norm(const nnb__min *m);
/* The same for the stopping rule: the gradient of a general function has no scale to compare it with. */
nnb__slope nnb__min_slope(const nnb__min *m);

#endif
