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

typedef struct nnb__exec nnb__exec;               /* exec.h */
typedef struct nnb__online_plan nnb__online_plan; /* online.c */
typedef struct nnb__soa_room nnb__soa_room;       /* soa.c */

struct nnb_plan {
  nnb_net *net;
  unsigned execs; /* bit i: that one of exec.c has not declined */
  bool forced;    /* by nnb__plan_force: whether or not it pays */
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
  nnb__online_plan *online;
  nnb__soa_room *soa; /* of the executor of that name */
  void *memory;       /* to be released; NULL: the caller's */
};

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
} nnb__job;

/* The loss is mean/norm + sum, so that chunks and batches add up. */
typedef struct nnb__loss_sum {
  double mean, sum;
} nnb__loss_sum;

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job);
/* y ← the outputs for one row, in the data's units.  False: no executor has a short way to them, and nothing has
 * happened. */
bool nnb__plan_row(nnb_plan *plan, const real *x, real *y);

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

/* False: no executor takes them, and nothing has happened. */
bool nnb__plan_updates(nnb_plan *plan, nnb__updates *updates);
/* Asks every executor what it needs. */
void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena);
double nnb__loss_value(nnb__loss_sum sum, double norm);

/* Curvature, after a run with NNB__LOSS | NNB__OUTPUT | NNB__BACK: of the first n rows Δ becomes that of scores, with
 * the root of what the loss multiplies each row's term by, so that Σ g_i·g_iᵀ, g_i: the gradient of row i, is an
 * estimate of the Fisher matrix, which is the Gauss–Newton matrix of the loss.  The targets are drawn from the
 * distribution that the loss stands for: those of row i of the job are a function of seed, update and row0 + i.  data,
 * or a loss without `sample`: they are the data's.  NNB_DELTA is no longer to be seen then. */
typedef struct nnb__draw {
  uint64_t seed;
  int64_t update;
  bool data;
} nnb__draw;
void nnb__plan_scores(nnb_plan *plan, const nnb__job *job, int n, const nnb__draw *draw);
/* Hands rows [r0, r0 + n) of those scores to visit, block by block.  gradient: room for the largest block that has no
 * pairs. */
void nnb__plan_pairs(nnb_plan *plan, const nnb__job *job, int r0, int n, real *gradient, nnb__pairs_fn *visit,
                     void *context);

/* nnb_plan_rows with the first `rows` rows from row0 on of a checked batch.  norm: of the loss. */
nnb_status nnb__plan_rows(nnb_plan *plan, const nnb_batch *batch, int row0, int rows, double norm, real *r, real *J,
                          size_t ldj, nnb__columns columns);
/* The first output whose loss is not a sum of squares, or NULL. */
const nnb__node *nnb__not_squares(const nnb_net *net);
/* NNB_E_UNSUPPORTED with a sentence unless the loss of every output is a sum of squares. */
nnb_status nnb__check_squares(const nnb_net *net);
/* ∂r/∂a of a row of weight 1 in a column of the outputs: √c of r = √(c·weight)·(a - t), with the loss's own factor, the
 * output's, and what a mean divides by. */
double nnb__net_root(const nnb_net *net, int column, double norm);
/* Number of parameters that are not frozen. */
size_t nnb__net_n_free(const nnb_net *net);

/* linear.c: node k is an output that is linear in its own parameters, which nothing else depends on. */
bool nnb__is_linear_output(const nnb_net *net, int k);
/* linear (may be NULL) ← for each parameter that is not frozen whether it is one of those; their number. */
size_t nnb__linear_params(const nnb_net *net, bool *linear);

/* Checks at the door: shapes against the net, labels against the outputs, weights; rows ≤ most (0: any number). */
nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most);
/* NNB_E_SHAPE for a net of several outputs, which one class does not tell apart. */
nnb_status nnb__check_one_output(const nnb_net *net);
nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most);
/* Σ weight of the rows that order[0 … n-1] names (order NULL: rows 0 … n-1). */
double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n);
/* Whether x and t hold finite numbers only. */
bool nnb__batch_finite(const nnb_batch *batch);
/* NNB_E_NUMERIC with a sentence that names the loss and, where there is one, the first number of the batch that is not
 * finite. */
nnb_status nnb__fail_loss(double loss, const nnb_batch *batch);

/* y ← the outputs of the last run with NNB__OUTPUT, in the data's units. */
void nnb__plan_outputs(const nnb_plan *plan, nnb_mat y);
/* dx ← ∂E/∂x of the last run with NNB__BACK of a plan that wants NNB_DX, in the data's units. */
void nnb__plan_input_gradient(const nnb_plan *plan, nnb_mat dx);

#endif
