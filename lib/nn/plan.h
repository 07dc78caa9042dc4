/* nn/plan.h: all that fitting and evaluating need of a plan. */
#ifndef NNB__PLAN_H
#define NNB__PLAN_H

#include "batch_check.h"
#include "jacobian.h"
#include "kron.h"
#include "linear.h"
#include "look.h"
#include "run.h"
#include "seal.h"
#include "squares.h"

/* nnb_plan_rows with the first `rows` rows from row0 on of a checked batch.  norm: of the loss. */
nnb_status nnb__plan_rows(nnb_plan *plan, const nnb_batch *batch, int row0, int rows, double norm, real *r, real *J,
                          size_t ldj, nnb__columns columns);

#endif
