/* opt/descend.h: the common loop of the methods that search along a direction. */
#ifndef NNB__DESCEND_H
#define NNB__DESCEND_H

#include "minimize.h"

/* The functions of such a method; self is its memory. */
typedef struct nnb__descent {
  void *self;
  double gtol;    /* of the line search (opt/linesearch.h) */
  bool unit_step; /* the first trial is 1; otherwise it is estimated from the previous step */
  /* d ← a direction from the gradient g (with bounds: 0 for variables at a bound that stay there). */
  void (*direction)(void *self, const real *g, real *d);
  /* A step s changed the gradient by y.  sᵀy > 0 is guaranteed only if the search met the Wolfe conditions. */
  void (*update)(void *self, const real *s, const real *y);
  /* Discards what it has learned: the next direction is -g. */
  void (*reset)(void *self);
  nnb__visit *visit;
} nnb__descent;

enum { NNB__DESCENT_VECTORS = 5 };

/* Runs until the stopping rule ends it.  vectors: NNB__DESCENT_VECTORS of n numbers. */
nnb_status nnb__descend(nnb__min *m, const nnb__descent *method, real *vectors);

#endif
