/* opt/evidence.h: Bayesian regularisation: α and β of a least-squares problem. */
#ifndef NNB__EVIDENCE_H
#define NNB__EVIDENCE_H

#include "lsq_system.h"

typedef struct nnb__bayes {
  nnb_evidence now, next; /* next: the α and β of the next iteration */
  double gain_left;       /* predicted gain of the log evidence */
  int times;              /* iterations in a row with almost no predicted gain */
  double least_squares;   /* lower bound of ½‖r‖², because of rounding */
  double *g;              /* n: the gradient with another ridge */
} nnb__bayes;

void nnb__evidence_take(nnb__bayes *b, int n, nnb__arena *arena);
void nnb__evidence_visit(nnb__bayes *b, nnb__visitor *s);
/* next ← first estimates of α and β at x, where the system has no ridge yet. */
void nnb__evidence_begin(nnb__bayes *b, const nnb__system *s);
/* now ← the evidence of the present α and β; next ← the next ones.  *gradient_norm ← that of f with the next ones. */
nnb_status nnb__evidence_measure(nnb__bayes *b, nnb__system *s, double *gradient_norm);
/* now ← next; f, g and normal of the system change with the ridge. */
nnb_status nnb__evidence_update(nnb__bayes *b, nnb__system *s);
/* Whether the minimum is near, so that secants of the last steps approximate its Hessian. */
bool nnb__evidence_near(const nnb__bayes *b);
/* Whether there was almost no predicted gain for some iterations, including this one. */
bool nnb__evidence_converged(nnb__bayes *b, const nnb__system *s);

#endif
