/* opt/secant.h: secant corrections of A + λD² from the last steps. */
#ifndef NNB__SECANT_H
#define NNB__SECANT_H

#include "lsq_system.h"

enum { NNB__PAIRS = 5 };

typedef struct nnb__secants {
  int n;
  double *pairs;    /* NNB__PAIRS times s, w and y */
  int first, count; /* index of the oldest pair; number of pairs */
  double *g_before; /* n: the gradient before the step */
} nnb__secants;

void nnb__secants_take(nnb__secants *q, int n, nnb__arena *arena);
void nnb__secants_visit(nnb__secants *q, nnb__visitor *s);
void nnb__secants_forget(nnb__secants *q);
/* Call them before and after a step of the same f, from x_before. */
void nnb__secants_before_step(nnb__secants *q, const nnb__system *s);
void nnb__secants_after_step(nnb__secants *q, const nnb__system *s, const real *x_before);
/* v ← -(A + S + λD²)⁻¹·v, like nnb__system_solve */
void nnb__secants_solve(nnb__secants *q, const nnb__system *s, double *v);

#endif
