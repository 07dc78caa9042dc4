/* nn/run.h: the one way to run a plan. */
#ifndef NNB__RUN_H
#define NNB__RUN_H

#include "exec.h"

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job);
/* y ← the outputs for one row, in the data's units.  False: no executor has a short way to them, and nothing has
 * happened. */
bool nnb__plan_row(nnb_plan *plan, const real *x, real *y);
/* False: no executor takes them, and nothing has happened. */
bool nnb__plan_updates(nnb_plan *plan, nnb__updates *updates);
/* Asks every executor what it needs. */
void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena);

/* For tests: from now on the plan runs by this executor and, where that declines, by the last.  False: it declined. */
bool nnb__plan_force(nnb_plan *plan, const nnb__exec *exec);

#endif
