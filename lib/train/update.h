/* train/update.h: one update of the parameters, as the training calls make it. */
#ifndef NNB__UPDATE_H
#define NNB__UPDATE_H

#include "optim.h"
#include "plan.h"

/* Rows [row0, row0 + n) of what order names, in chunks of at most the plan's rows. */
typedef struct nnb__update {
  nnb_net *net;
  nnb_plan *plan;
  const nnb_batch *rows;
  const int32_t *order;
  int row0, n;
  double norm; /* what a mean divides by */
  nnb_optim *optim;
} nnb__update;

/* The job of chunk c: chunks differ by one row at most, so that none is small. */
int nnb__update_chunks(const nnb__update *u);
nnb__job nnb__update_job(const nnb__update *u, int c, unsigned what, const nnb__target *target);

/* With an optimiser that sees curvature (opt/kfac.h); the loss before the update. */
nnb__loss_sum nnb__update_curved(const nnb__update *u);

#endif
