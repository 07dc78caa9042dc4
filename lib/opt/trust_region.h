/* opt/trust_region.h: the step of a least-squares model within ‖D·v‖ ≤ radius. */
#ifndef NNB__TRUST_REGION_H
#define NNB__TRUST_REGION_H

#include "lsq_system.h"

typedef struct nnb__region {
  double radius;
  bool started; /* a step has been tried, which bounds the radius */
  double *z;    /* n: scratch */
} nnb__region;

void nnb__region_take(nnb__region *t, int n, nnb__arena *arena);
/* The first radius, at the start. */
void nnb__region_begin(nnb__region *t, const nnb__system *s);
/* v ← the step with ‖D·v‖ ≤ 1.1·radius, and the system's λ with it.  *done: false where there is none. */
nnb_status nnb__region_step(nnb__region *t, nnb__system *s, double *v, bool *done);
/* Where there was none. */
void nnb__region_shrink(nnb__region *t, nnb__system *s);
/* After a trial of v, for which the model predicted that f would decrease to f - predicted, and it came to f_new. */
void nnb__region_update(nnb__region *t, nnb__system *s, const double *v, double predicted, double f_new);

#endif
