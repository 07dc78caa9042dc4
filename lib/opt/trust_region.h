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
void nnb__region_visit(nnb__region *t, nnb__visitor *s);
/* Sets the first radius. */
void nnb__region_begin(nnb__region *t, const nnb__system *s);
/* v ← the step with ‖D·v‖ ≤ 1.1·radius; sets the system's λ.  *done: false if there is no step. */
nnb_status nnb__region_step(nnb__region *t, nnb__system *s, double *v, bool *done);
/* Shrinks the region if there was no step. */
void nnb__region_shrink(nnb__region *t, nnb__system *s);
/* Adapts the radius after a trial of v: the model predicted a decrease of f by `predicted`, and f became f_new. */
void nnb__region_update(nnb__region *t, nnb__system *s, const double *v, double predicted, double f_new);

#endif
