/* opt/lm_box.h: the step of Levenberg–Marquardt within bounds. */
#ifndef NNB__LM_BOX_H
#define NNB__LM_BOX_H

#include "lsq_system.h"

typedef struct nnb__box {
  nnb__system *system;
  real *lower, *upper;       /* n each; NULL: no bounds */
  bool *held;                /* n: at a bound, and no variable of the damped system */
  double *v;                 /* the step so far: the caller's */
  double *slope, *slope_new; /* n: that of the damped model at v and at trial; where held, the push against a bound */
  double *direction, *trial; /* n */
} nnb__box;

void nnb__box_take(nnb__box *b, int n, nnb__arena *arena);
/* x moves between the bounds of the options, and nothing is held. */
void nnb__box_enter(nnb__box *b, nnb__system *s);
/* v ← the step within the bounds; slope and the system's held with it.  *done: false where the system has no solution.
 */
nnb_status nnb__box_step(nnb__box *b, double *v, bool *done);

#endif
