/* nn/run.h: runs a plan. */
#ifndef NNB__RUN_H
#define NNB__RUN_H

#include "exec.h"

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job);
/* y ← the outputs for one row, in the data's units.  False: no executor has a fast way, and nothing was done. */
bool nnb__plan_row(nnb_plan *plan, const real *x, real *y);
/* False: no executor takes these updates, and nothing was done. */
bool nnb__plan_updates(nnb_plan *plan, nnb__updates *updates);
/* Lets every executor lay out its memory. */
void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena);

/* For tests: from now on the plan uses this executor, or the last one if it declines.  False: it declined this plan. */
bool nnb__plan_force(nnb_plan *plan, const nnb__exec *exec);

#endif
