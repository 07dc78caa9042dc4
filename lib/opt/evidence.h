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
  int phase;              /* NNB__EVIDENCE_… */
  int stage, left, idle;  /* of the path: the number of the stage, its iterations left, stages with less evidence */
  double ridge;           /* of the stage */
  double most;            /* the highest log evidence at the end of a stage … */
  double best_ridge;      /* … its ridge … */
  real *best;             /* … and its point */
  int below;              /* iterations in a row with clearly less than most */
  bool fell;              /* which ended the estimates … */
  double fell_evidence, fell_ridge;
  real *first; /* … here; before that the start */
} nnb__bayes;

/* PATH and KEEP keep a ridge; the others estimate α and β after every iteration. */
enum { NNB__EVIDENCE_PATH, NNB__EVIDENCE_ESTIMATE, NNB__EVIDENCE_KEEP, NNB__EVIDENCE_AGAIN, NNB__EVIDENCE_PHASES };

void nnb__evidence_take(nnb__bayes *b, int n, nnb__arena *arena);
void nnb__evidence_visit(nnb__bayes *b, int n, nnb__visitor *s);
/* next ← first estimates of α and β at x, where the system has no ridge yet; the path begins there. */
void nnb__evidence_begin(nnb__bayes *b, const nnb__system *s);
/* now ← the evidence of the present α and β; next ← the next ones.  *gradient_norm ← that of f with the next ones. */
nnb_status nnb__evidence_measure(nnb__bayes *b, nnb__system *s, double *gradient_norm);
/* now ← next; f, g and normal of the system change with the ridge. */
nnb_status nnb__evidence_update(nnb__bayes *b, nnb__system *s);
/* Whether the minimum is near, so that secants of the last steps approximate its Hessian. */
bool nnb__evidence_near(const nnb__bayes *b);
/* Whether the ridge is kept. */
bool nnb__evidence_keeps(const nnb__bayes *b);
/* Keeps this ridge; f, g and normal change with it. */
nnb_status nnb__evidence_keep(nnb__bayes *b, nnb__system *s, double ridge);
/* now ← the best β for the ridge of the system, and its α. */
void nnb__evidence_suit(nnb__bayes *b, const nnb__system *s);
/* After a measurement: whether the phase ends, or the stage of the path. */
bool nnb__evidence_ended(nnb__bayes *b, const nnb__system *s);
/* The next phase or stage: *x ← its first point, NULL: the present one; *ridge ← its ridge.  False: there is none. */
bool nnb__evidence_next(nnb__bayes *b, const nnb__system *s, const real **x, double *ridge);

#endif
