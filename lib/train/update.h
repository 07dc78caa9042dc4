/* train/update.h: one update of the parameters. */
#ifndef NNB__UPDATE_H
#define NNB__UPDATE_H

#include "optim.h"
#include "plan.h"

/* Rows [row0, row0 + n) in the given order, in chunks of at most the plan's rows. */
typedef struct nnb__update {
  nnb_net *net;
  nnb_plan *plan;
  const nnb_batch *rows;
  const int32_t *order;
  int row0, n;
  int before;  /* rows of the epoch before those of rows and order */
  int first;   /* rows of the update before row0, on other ranks */
  double norm; /* divisor of a mean */
  nnb_optim *optim;
} nnb__update;

/* The job of chunk c.  Chunks differ by one row at most, so none is small. */
int nnb__update_chunks(const nnb__update *u);
nnb__job nnb__update_job(const nnb__update *u, int c, unsigned what, const nnb__target *target);

/* NNB_E_UNSUPPORTED if a layer that couples rows would get an update of n rows in chunks of `chunk`. */
nnb_status nnb__check_chunks(const nnb_net *net, int n, int chunk);

/* Called for each chunk right after its run. */
typedef void nnb__chunk_fn(const nnb__update *u, const nnb__job *job, void *context);

/* Runs all chunks and adds up their losses, and their gradients in target (NULL: none).  visit may be NULL. */
nnb__loss_sum nnb__update_run(const nnb__update *u, unsigned what, nnb__target *target, nnb__chunk_fn *visit,
                              void *context);

#endif
