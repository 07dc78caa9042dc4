/* nn/plan.h: all that training and evaluation need of a plan. */
#ifndef NNB__PLAN_H
#define NNB__PLAN_H

#include "batch_check.h"
#include "derivatives.h"
#include "jacobian.h"
#include "kron.h"
#include "linear.h"
#include "look.h"
#include "run.h"
#include "seal.h"
#include "second.h"
#include "squares.h"

/* nnb_plan_create for the library's own use: the program does not see the plan (nnb__net_show). */
nnb_status nnb__plan_make(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out);

/* nnb__check_batch, and whether the plan was made for its targets of derivatives. */
nnb_status nnb__check_plan_batch(const nnb_plan *plan, const nnb_batch *batch, int most);
/* nnb_plan_loss and nnb_plan_gradient as part of a caller's run.  *sum ← *sum + the loss, which batch->norm, or the
 * weights of the batch, divides in the end. */
nnb_status nnb__plan_loss(nnb_plan *plan, const nnb_batch *batch, const nnb_run *run, nnb__loss_sum *sum);
nnb_status nnb__plan_gradient(nnb_plan *plan, const nnb_batch *batch, const nnb_run *run, double keep,
                              nnb__loss_sum *sum, real *grad);

/* nnb_plan_rows for the `rows` rows from row0 on of a checked batch.  norm: of the loss. */
nnb_status nnb__plan_rows(nnb_plan *plan, const nnb_batch *batch, int row0, int rows, double norm, real *r, real *J,
                          size_t ldj, nnb__columns columns);

#endif
