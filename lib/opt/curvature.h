/* opt/curvature.h: a matrix S for what Gauss–Newton leaves out of the Hessian, Σ rᵢ∇²rᵢ, and when to use it. */
#ifndef NNB__CURVATURE_H
#define NNB__CURVATURE_H

#include "lsq_system.h"

typedef struct nnb__curvature {
  double *S;       /* n×n, symmetric; NULL: not kept */
  double *pulled;  /* n: Jᵀr_new with J before the step, and then y# */
  double *g;       /* n: the gradient before the step, and then y */
  double *product; /* n */
  bool better;     /* at the last trial, S made the prediction better */
} nnb__curvature;

void nnb__curvature_take(nnb__curvature *c, int n, nnb__arena *arena);
void nnb__curvature_begin(nnb__curvature *c, int n);
/* Adds S to the system at x, or not. */
nnb_status nnb__curvature_choose(nnb__curvature *c, nnb__system *s);
/* After a trial of v: the decrease of f that the model predicted, and the actual one. */
void nnb__curvature_compare(nnb__curvature *c, const nnb__system *s, const double *v, double predicted, double actual);
/* Before the model moves to x_new, where r_new is; and when it has, from x_before. */
nnb_status nnb__curvature_before_step(nnb__curvature *c, nnb__system *s);
void nnb__curvature_after_step(nnb__curvature *c, const nnb__system *s, const real *x_before);

#endif
