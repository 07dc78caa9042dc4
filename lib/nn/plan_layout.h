/* nn/plan_layout.h: the memory of a plan. */
#ifndef NNB__PLAN_LAYOUT_H
#define NNB__PLAN_LAYOUT_H

#include "arena.h"
#include "plan_state.h"

/* Counts the outputs and the operations of a row, and finds the longest input list. */
void nnb__plan_count_outputs(nnb_plan *plan);
/* Lays out everything after the plan itself; called once to measure and once to hand out. */
void nnb__plan_lay_out(nnb_plan *plan, nnb__arena *arena);

#endif
