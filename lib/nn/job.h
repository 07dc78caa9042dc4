/* nn/job.h: what a plan is asked to do with some rows. */
#ifndef NNB__JOB_H
#define NNB__JOB_H

#include "block.h"
#include "view.h"

/* What a run does besides the forward pass. */
enum {
  NNB__LOSS = 1,      /* the loss */
  NNB__OUTPUT = 2,    /* A of the outputs, also where the loss needs only Z */
  NNB__BACK = 4,      /* Δ of all nodes, from the loss or from v */
  NNB__RESIDUALS = 8, /* r and J, for a loss that is a sum of squares */
  NNB__SCORES = 16,   /* Δ from scores (nnb__plan_scores) */
};

/* Columns of a Jacobian. */
typedef enum nnb__columns {
  NNB__EVERY,  /* one for each parameter */
  NNB__FREE,   /* … that is not frozen */
  NNB__LINEAR, /* the same, of which only those that nnb__linear_params names are written */
} nnb__columns;

/* One run over at most max_rows rows: those of batch from row0 on, or the rows that order[row0 …] names. */
typedef struct nnb__job {
  const nnb_batch *batch;
  const int32_t *order;
  int row0, rows;
  double norm; /* Σ weight of the whole update */
  unsigned what;
  const nnb__target *target; /* NULL: no parameter gradients */
  nnb_cmat v;                /* instead of a loss: ∂E/∂y, y in the data's units */
  real *r, *J;               /* NNB__RESIDUALS: rows·n_y residuals; NULL or their derivatives, ldj apart */
  size_t ldj;
  nnb__columns columns; /* of J */
  nnb_run run;          /* for layers; its row0 is that of the first row of the job */
} nnb__job;

/* The loss is mean/norm + sum, so that chunks and batches add up. */
typedef struct nnb__loss_sum {
  double mean, sum;
  nnb_status status; /* NNB_E_NOMEM: nothing has been computed; never between nnb__blas_enter and leave */
} nnb__loss_sum;

/* Updates of one row each, those that order names (NULL: as they lie), by plain descent: W ← beta·W + alpha·dW in the
 * weights themselves. */
typedef struct nnb__updates {
  const nnb_batch *batch;
  const int32_t *order;
  int rows;
  /* An update begins: its alpha and beta; beta_bias is 1. */
  void (*begin)(void *context, nnb__target *target);
  void *context;
  /* What came of them: they stop with the first whose loss, value, is not finite.  weight: of the rows. */
  int made;
  double value, weight;
  nnb__loss_sum sum;
} nnb__updates;

#endif
