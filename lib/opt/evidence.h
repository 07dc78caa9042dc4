/* opt/evidence.h: Bayesian regularisation: α and β of a least-squares problem. */
#ifndef NNB__EVIDENCE_H
#define NNB__EVIDENCE_H

#include "lsq_system.h"

typedef struct nnb__bayes {
  nnb_evidence now, next; /* next: the α and β to follow */
  double gain_left;       /* of the log evidence, predicted */
  int times;              /* iterations in a row for which that was next to nothing */
  double least_squares;   /* ½‖r‖² counts as no less, because of rounding */
  double *g;              /* n: the gradient with another ridge */
} nnb__bayes;

void nnb__evidence_take(nnb__bayes *b, int n, nnb__arena *arena);
/* next ← first guesses of α and β at x, where the system has no ridge yet. */
void nnb__evidence_begin(nnb__bayes *b, const nnb__system *s);
/* now ← the evidence of the present α and β; next ← those to follow.  *gradient_norm ← that of f with these. */
nnb_status nnb__evidence_measure(nnb__bayes *b, nnb__system *s, double *gradient_norm);
/* now ← next; f, g and normal of the system change with the ridge. */
nnb_status nnb__evidence_update(nnb__bayes *b, nnb__system *s);
/* Near the minimum, where secants of the last steps tell of the Hessian. */
bool nnb__evidence_near(const nnb__bayes *b);
/* Next to nothing has been left to gain for some iterations, this one included. */
bool nnb__evidence_converged(nnb__bayes *b, const nnb__system *s);

#endif
