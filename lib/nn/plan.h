/* nn/plan.h: the inside of a plan, and the one way to run it. */
#ifndef NNB__PLAN_H
#define NNB__PLAN_H

#include "arena.h"
#include "net.h"
#include "view.h"

/* One node at run time.  Matrices have max_rows rows; B of them are in use. */
typedef struct nnb__state {
  const nnb_act_ops *act;   /* NULL: linear, nothing to do */
  const nnb_loss_ops *loss; /* outputs only */
  bool fused;               /* the loss is computed from Z, together with the activation */
  bool needs_d;             /* Δ is wanted: it or a node before it has parameters, or dx is asked for */
  int first_node, first_k;  /* the consumer that writes d first in the backward pass: it overwrites, others add */
  nnb_mat z, a;             /* the same memory where nothing needs Z afterwards */
  nnb_cmat out;             /* what consumers read: A, or for an input columns of x */
  nnb_mat d;                /* ∂E/∂A, and after the pull ∂E/∂Z */
  nnb_mat tap;              /* an output that is also consumed: the loss's own part of d */
  nnb_mat da, slope;        /* NNB_KEEP */
  real *scratch;
} nnb__state;

typedef struct nnb__exec nnb__exec; /* exec.h */

struct nnb_plan {
  nnb_net *net;
  unsigned execs; /* bit i: that one of exec.c has not declined */
  nnb__state *state;
  int max_rows, threads;
  unsigned want;
  int rows;      /* of the last call … */
  unsigned what; /* … and what it did: NNB__LOSS … */
  bool formed;   /* g holds a gradient */
  int *outputs, n_outputs;
  double flops;    /* of a forward pass, per row */
  nnb_mat x, t;    /* rows gathered or scaled */
  nnb_mat pair[2]; /* a chain that only predicts: Z of every other node */
  int32_t *label;
  real *weight;
  real *g;         /* NNB_KEEP: the last gradient */
  double *partial; /* threads × outputs: the parts' losses */
  nnb_cmat *from;  /* threads × the longest input list: the views handed to layers */
  nnb_mat *from_d;
  int longest;
  void *memory; /* to be released; NULL: the caller's */
};

/* What a run does besides the forward pass. */
enum {
  NNB__LOSS = 1,      /* the loss */
  NNB__OUTPUT = 2,    /* A of the outputs, also where the loss needs only Z */
  NNB__BACK = 4,      /* Δ of all nodes, from the loss or from v */
  NNB__RESIDUALS = 8, /* r and J, for a loss that is a sum of squares */
};

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
  bool free_only; /* J has no columns for frozen parameters */
} nnb__job;

/* The loss is mean/norm + sum, so that chunks and batches add up. */
typedef struct nnb__loss_sum {
  double mean, sum;
} nnb__loss_sum;

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job);
/* Asks every executor what it needs. */
void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena);
double nnb__loss_value(nnb__loss_sum sum, double norm);

/* nnb_plan_rows with the first `rows` rows from row0 on of a checked batch; free_only as in a job.  norm: of the loss.
 */
nnb_status nnb__plan_rows(nnb_plan *plan, const nnb_batch *batch, int row0, int rows, double norm, real *r, real *J,
                          size_t ldj, bool free_only);
/* NNB_E_UNSUPPORTED with a sentence unless the loss of every output is a sum of squares. */
nnb_status nnb__check_squares(const nnb_net *net);
/* Number of parameters that are not frozen. */
size_t nnb__net_n_free(const nnb_net *net);

/* Checks at the door: shapes against the net, labels against the outputs, weights; rows ≤ most (0: any number). */
nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most);
nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most);
/* Σ weight of the rows that order[0 … n-1] names (order NULL: rows 0 … n-1). */
double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n);
/* NNB_E_NUMERIC with a sentence that names the loss and, where there is one, the first number of the batch that is not
 * finite. */
nnb_status nnb__fail_loss(double loss, const nnb_batch *batch);

/* y ← the outputs of the last run with NNB__OUTPUT, in the data's units. */
void nnb__plan_outputs(const nnb_plan *plan, nnb_mat y);
/* dx ← ∂E/∂x of the last run with NNB__BACK of a plan that wants NNB_DX, in the data's units. */
void nnb__plan_input_gradient(const nnb_plan *plan, nnb_mat dx);

#endif
