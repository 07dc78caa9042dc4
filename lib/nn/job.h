/* nn/job.h: the work that a plan is to do with some rows. */
#ifndef NNB__JOB_H
#define NNB__JOB_H

#include "block.h"
#include "view.h"

/* The work of a run besides the forward pass. */
enum {
  NNB__LOSS = 1,      /* the loss */
  NNB__OUTPUT = 2,    /* A of the outputs, even if the loss needs only Z */
  NNB__BACK = 4,      /* Δ of all nodes, from the loss or from v */
  NNB__RESIDUALS = 8, /* r and J, for a loss that is a sum of squares */
  NNB__SCORES = 16,   /* Δ from scores (nnb__plan_scores) */
  NNB__TANGENTS = 32, /* dy, derivatives of the outputs by the inputs */
  NNB__SECOND = 64,   /* a Hessian times vector, or Taylor coefficients and their derivatives by the parameters */
};

/* Whether a run has targets of derivatives. */
#define NNB__HAS_SLOPES(job) ((job)->batch->dt.p && (job)->what & (NNB__LOSS | NNB__RESIDUALS))

/* The columns of a Jacobian. */
typedef enum nnb__columns {
  NNB__EVERY,  /* one for each parameter */
  NNB__FREE,   /* one for each parameter that is not frozen */
  NNB__LINEAR, /* the same; only those of nnb__linear_params are written */
} nnb__columns;

/* The loss is mean/norm + sum, so the losses of chunks and batches can be added. */
typedef struct nnb__loss_sum {
  double mean, sum;
  nnb_status status; /* NNB_E_NOMEM: nothing was computed; cannot happen between nnb__blas_enter and leave */
} nnb__loss_sum;

/* One run over at most max_rows rows: those of batch from row0 on, or order[row0 …]. */
typedef struct nnb__job {
  const nnb_batch *batch;
  const int32_t *order;
  int row0, rows;
  int before;  /* rows of the epoch before those of batch and order: random targets are a function of the sum */
  double norm; /* Σ weight of the whole update */
  unsigned what;
  const nnb__target *target; /* NULL: no parameter gradients */
  nnb_cmat v;                /* ∂E/∂y instead of a loss, y in the data's units; NNB__TANGENTS: directions of x */
  nnb_mat dy;                /* NNB__TANGENTS: ∂y/∂x·v, B×n_y; v.p NULL: the Jacobians, B×(n_y·n_x).
                                NNB__SECOND: Taylor coefficients, whose derivatives by the parameters go into J */
  nnb_cmat of;               /* NNB__SECOND: B×n_y weights of the outputs for a Hessian times v; p NULL: Taylor */
  int degree;                /* NNB__SECOND: of the derivatives along v, 1 or 2 */
  real *r, *J;               /* NNB__RESIDUALS: rows·n_y residuals; their derivatives, ldj apart, or NULL */
  size_t ldj;
  nnb__columns columns;      /* of J */
  nnb_run run;               /* for layers; its row0 belongs to the first row of the job */
  nnb__loss_sum before_loss; /* of earlier chunks: the result is the sum with it, in the order of the rows */
} nnb__job;

/* Updates of one row each, in the given order (NULL: in their own), by plain descent: W ← beta·W + alpha·dW in the
 * weights themselves. */
typedef struct nnb__updates {
  const nnb_batch *batch;
  const int32_t *order;
  int rows;
  /* Called at the start of an update: sets its alpha and beta; beta_bias is 1. */
  void (*begin)(void *context, nnb__target *target);
  void *context;
  /* Results.  The run stops at the first update whose loss, value, is not finite.  weight: of the rows processed. */
  int made;
  double value, weight;
  nnb__loss_sum sum;
} nnb__updates;

#endif
