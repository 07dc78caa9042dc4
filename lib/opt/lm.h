/* opt/lm.h: Levenberg–Marquardt: steps and damping on a linear model of all variables, or of some of them if the others
 * are solved for (varpro.c). */
#ifndef NNB__LM_H
#define NNB__LM_H

#include "curvature.h"
#include "evidence.h"
#include "keep.h"
#include "lm_box.h"
#include "lsq_system.h"
#include "secant.h"
#include "trust_region.h"

typedef struct nnb__lm {
  nnb__system system; /* the first member, so that a model can cast it to its own struct */
  nnb__box box;
  nnb__secants secants;
  nnb__bayes bayes;
  bool no_region;           /* the caller wants no trust region: λ is adapted by growth */
  nnb__region region;       /* .z NULL: λ is adapted by growth */
  nnb__curvature curvature; /* .S NULL: Gauss–Newton alone */
  const real *point;        /* all variables of the problem, if x holds only some of them; else x */
  double other_step;        /* largest change of the other variables in the last step */
  bool accelerates;         /* adds the geodesic acceleration to steps */
  bool decreased_much;      /* the last step lowered f by much: the next one is not accelerated */
  int limited;              /* steps in a row that the trust region has limited */
  bool stalled;             /* f decreases no further */
  bool evidence_due;        /* .bayes: the last iteration ended, and α and β are those from before it */
  double last_predicted;    /* by the last accepted step */
  int accepted;             /* steps */
  double mark;              /* f when slow_over steps were last accepted */
  double slow;              /* with slow_over iterations that leave more than this part of f, it also counts as
                               stalled */
  int slow_over;            /* 0: not */
  double growth;            /* the factor by which the next rejected step raises λ */
  double *v, *a, *p;        /* n: velocity, acceleration, step */
} nnb__lm;

/* Lays out lm of all variables in memory: *bytes, at most stop->opts.max_bytes, or NNB_E_OVERFLOW. */
nnb_status nnb__lm_measure(nnb__lm *lm, size_t *bytes);
void nnb__lm_lay_out(nnb__lm *lm, void *memory);
/* The memory for steps of n variables, for other models. */
void nnb__lm_take(nnb__lm *lm, nnb__arena *arena);

/* Computes the model at x; damping and scales are reset.  NNB_E_NUMERIC if it is not finite. */
nnb_status nnb__lm_begin(nnb__lm *lm);
/* Steps from there, or from a saved state, until the stopping rule ends it or f decreases no further. */
nnb_status nnb__lm_search(nnb__lm *lm);
/* The state between two steps, without that of the other variables. */
void nnb__lm_visit(nnb__lm *lm, nnb__visitor *s);
double nnb__lm_gradient_norm(const nnb__lm *lm);
/* Records the end in stop. */
void nnb__lm_end(const nnb__lm *lm, double gradient_norm);

#endif
