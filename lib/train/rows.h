/* train/rows.h: the training calls of a fit, which holds its net so that others cannot change it. */
#ifndef NNB__ROWS_H
#define NNB__ROWS_H

#include "optim.h"
#include "plan.h"

/* nnb_optim_create for the library's own use, as nnb__plan_make. */
nnb_status nnb__optim_make(nnb_net *net, const nnb_optim_opts *opts, nnb_optim **out);
/* NNB_E_SHAPE unless the optimiser was made for a net of these shapes; NNB_E_ARG for NULL. */
nnb_status nnb__check_optim(const nnb_net *net, const nnb_optim *optim);

/* nnb_train_rows and nnb_optim_average for a sealed net, even if it is held.  sums is all zero or NULL. */
nnb_status nnb__train_rows(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n, int batch,
                           nnb_optim *optim, nnb_sums *sums);
/* The same for checked arguments, added to a total: many calls give the bits of one. */
typedef struct nnb__total {
  nnb__loss_sum sum;
  double weight, value; /* of all updates; the loss of the last update */
  int64_t rows, updates;
} nnb__total;
nnb_status nnb__train_more(nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order, int n, int batch,
                           nnb_optim *optim, nnb__total *total);
nnb_sums nnb__total_sums(const nnb__total *total);
nnb_status nnb__average(nnb_optim *optim, nnb_net *net);

#endif
