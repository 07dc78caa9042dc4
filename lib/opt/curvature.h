/* opt/curvature.h: a matrix S for the part of the Hessian that Gauss–Newton lacks, Σ rᵢ∇²rᵢ, and when to use it. */
#ifndef NNB__CURVATURE_H
#define NNB__CURVATURE_H

#include "lsq_system.h"

typedef struct nnb__curvature {
  double *S;       /* n×n, symmetric; NULL: not used */
  double *pulled;  /* n: Jᵀr_new with J before the step, later y# */
  double *g;       /* n: the gradient before the step, later y */
  double *product; /* n */
  int better;      /* trials in a row, up to the last one, whose prediction S improved */
} nnb__curvature;

void nnb__curvature_take(nnb__curvature *c, int n, nnb__arena *arena);
void nnb__curvature_visit(nnb__curvature *c, int n, nnb__visitor *s);
void nnb__curvature_begin(nnb__curvature *c, int n);
/* Decides whether the system at x includes S. */
nnb_status nnb__curvature_choose(nnb__curvature *c, nnb__system *s);
/* After a trial step v: the decrease of f that the model predicted, and the actual one. */
void nnb__curvature_compare(nnb__curvature *c, const nnb__system *s, const double *v, double predicted, double actual);
/* Call the first before the model moves to x_new (r_new is there already), the second after it moved from x_before. */
nnb_status nnb__curvature_before_step(nnb__curvature *c, nnb__system *s);
void nnb__curvature_after_step(nnb__curvature *c, const nnb__system *s, const real *x_before);

#endif
