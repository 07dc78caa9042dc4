/* opt/lm_box.h: the step of Levenberg–Marquardt within bounds. */
#ifndef NNB__LM_BOX_H
#define NNB__LM_BOX_H

#include "lsq_system.h"

typedef struct nnb__box {
  nnb__system *system;
  real *lower, *upper;       /* n each; NULL: no bounds */
  bool *held;                /* n: at a bound, and not in the damped system */
  double *v;                 /* the step so far, in the caller's memory */
  double *slope, *slope_new; /* n: gradient of the damped model at v and at trial; for held variables, the force on the
                                bound */
  double *direction, *trial; /* n */
} nnb__box;

void nnb__box_take(nnb__box *b, int n, nnb__arena *arena);
/* Moves x between the bounds of the options; no variable is held. */
void nnb__box_enter(nnb__box *b, nnb__system *s);
/* v ← the step within the bounds; updates slope and the system's held.  *done: false if the system has no solution. */
nnb_status nnb__box_step(nnb__box *b, double *v, bool *done);

#endif
