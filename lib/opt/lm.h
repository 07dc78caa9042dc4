/* opt/lm.h: Levenberg–Marquardt: steps and damping on a linear model, of all variables or of some while the others are
 * solved for (varpro.c). */
#ifndef NNB__LM_H
#define NNB__LM_H

#include "curvature.h"
#include "evidence.h"
#include "lm_box.h"
#include "lsq_system.h"
#include "secant.h"
#include "trust_region.h"

typedef struct nnb__lm {
  nnb__system system; /* the first member: a model reaches what is around it by a cast */
  nnb__box box;
  nnb__secants secants;
  nnb__bayes bayes;
  bool no_region;           /* the caller wants λ by growth */
  nnb__region region;       /* .z NULL: λ is raised and lowered by growth */
  nnb__curvature curvature; /* .S NULL: Gauss–Newton alone */
  const real *point;        /* the variables of the problem, where x holds only some of them; else x */
  double other_step;        /* the largest change of one of the others in the last step */
  bool accelerates;         /* adds the geodesic acceleration to steps … */
  bool decreased_much;      /* … unless the last one lowered f by much */
  int limited;              /* steps in a row that the region has limited */
  bool stalled;             /* f decreases no further */
  double slow;              /* counts as stalled, too, when so many … */
  int slow_over;            /* … iterations leave more than this part of f; 0: not */
  double growth;            /* the factor by which the next refused step raises λ */
  double *v, *a, *p;        /* n: velocity, acceleration, step */
} nnb__lm;

/* Lays lm of all variables out in memory: *bytes, at most stop->opts.max_bytes, or NNB_E_OVERFLOW. */
nnb_status nnb__lm_measure(nnb__lm *lm, size_t *bytes);
void nnb__lm_lay_out(nnb__lm *lm, void *memory);
/* What steps of n variables need, for other models. */
void nnb__lm_take(nnb__lm *lm, nnb__arena *arena);

/* The model at x, where damping and scales start anew.  NNB_E_NUMERIC where it is not finite. */
nnb_status nnb__lm_begin(nnb__lm *lm);
/* Steps from there until stop says that it is time to end, or f decreases no further. */
nnb_status nnb__lm_search(nnb__lm *lm);
double nnb__lm_gradient_norm(const nnb__lm *lm);
/* Tells stop how it ended. */
void nnb__lm_end(const nnb__lm *lm, double gradient_norm);

#endif
