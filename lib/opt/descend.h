/* opt/descend.h: the loop of the methods that search along a direction. */
#ifndef NNB__DESCEND_H
#define NNB__DESCEND_H

#include "minimize.h"

/* What one of them does; self is its memory. */
typedef struct nnb__descent {
  void *self;
  double gtol;    /* of the line search (opt/linesearch.h) */
  bool unit_step; /* the first trial is 1; otherwise it is foretold from the step before */
  /* d ← a direction from the gradient g (with bounds: 0 for variables that stay). */
  void (*direction)(void *self, const real *g, real *d);
  /* A step s changed the gradient by y; sᵀy > 0 is known only where a search met the Wolfe conditions. */
  void (*update)(void *self, const real *s, const real *y);
  /* Forgets what updates taught: the next direction is -g. */
  void (*reset)(void *self);
} nnb__descent;

enum { NNB__DESCENT_VECTORS = 5 };

/* Until the stopping rule ends it.  vectors: NNB__DESCENT_VECTORS of n numbers. */
nnb_status nnb__descend(nnb__min *m, const nnb__descent *method, real *vectors);

#endif
