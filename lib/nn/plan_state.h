/* nn/plan_state.h: the struct of a plan, for its executors. */
#ifndef NNB__PLAN_STATE_H
#define NNB__PLAN_STATE_H

#include "job.h"
#include "net.h"

/* One node at run time.  Matrices have max_rows rows; B of them are in use. */
typedef struct nnb__state {
  const nnb_act_ops *act;   /* NULL: linear, nothing to do */
  const nnb_loss_ops *loss; /* outputs only */
  int output;               /* its number among the outputs */
  bool fused;               /* the loss is computed from Z, together with the activation */
  bool needs_d;             /* Δ is needed: it or a node before it has parameters, or dx is requested */
  int first_node, first_k;  /* the consumer that writes d first in the backward pass: it overwrites, others add */
  nnb_mat z, a;             /* the same memory if nothing needs Z afterwards */
  nnb_cmat out;             /* the matrix that consumers read: A, or for an input columns of x */
  nnb_mat d;                /* ∂E/∂A, and after the activation's pull ∂E/∂Z */
  nnb_mat tap;              /* for an output with consumers: the part of d from its own loss */
  nnb_mat da, slope;        /* only with NNB_KEEP */
  real *scratch, *work;
} nnb__state;

/* Derivatives of one node along directions of x, and derivatives of a number by them (second.c). */
typedef struct nnb__jet {
  nnb_mat z1, a1, z2, a2; /* first and second derivatives of Z and A: a row for each row of the batch and direction */
  nnb_mat d1, d2;         /* derivatives by a1 and a2, then by z1 and z2 */
  nnb_mat tap;            /* for an output with consumers: the part of d1 from its own loss */
  nnb_mat f1, f2, f3;     /* f', f'', f''' at Z, for activations element by element */
} nnb__jet;

typedef struct nnb__chain_rows_plan nnb__chain_rows_plan;     /* chain_rows.c */
typedef struct nnb__chain_blocks_plan nnb__chain_blocks_plan; /* chain_blocks.c */

struct nnb_plan {
  nnb_net *net;
  unsigned execs; /* bit i: executor i of run.c has not declined */
  bool exact;     /* computes in the defined arithmetic (base/exact.h) */
  int group;      /* rows whose gradients are summed together there; 1: they are one chain (docs/arithmetic.md) */
  bool forced;    /* by nnb__plan_force: use the executor even if it is slower */
  nnb__state *state;
  int max_rows, threads;
  unsigned want;
  int rows;      /* of the last call */
  unsigned what; /* the work of the last call: NNB__LOSS … */
  bool formed;   /* g has a gradient */
  int *outputs, n_outputs;
  double flops;    /* of a forward pass, per row */
  nnb_mat x, t;    /* rows gathered or scaled */
  bool alternates; /* a chain that only predicts: the layers use the two matrices of pair alternately for Z */
  nnb_mat pair[2];
  int32_t *label;
  real *weight;
  real *g;           /* NNB_KEEP: the last gradient */
  real *group_sums;  /* group > 1, for layerwise: NNB__GROUP_SUMS gradients */
  double *partial;   /* threads × outputs: the parts' losses */
  double *rows_loss; /* exact: max_rows × outputs: the losses of rows */
  nnb_cmat *from;    /* threads × the longest input list: the views passed to layers */
  nnb_mat *from_d;
  nnb_cmat *from_t; /* the same for derivatives of the inputs */
  int longest;
  nnb_run run;    /* of the last call */
  nnb_run *runs;  /* threads: the same with the part's own node and row0 */
  nnb__jet *jets; /* NNB_SECOND and NNB_DT, for second.c: nodes */
  nnb_mat dt;     /* NNB_DT: targets of derivatives in the net's units, a row for each row of the batch and input */
  /* NNB_DX, for derivatives.c: rows of derivatives of some rows of the batch */
  int tile_rows;
  nnb_mat *tiles;  /* threads × nodes: tile_rows×cols */
  nnb_mat *slopes; /* threads: f' of these rows of the batch, for the widest node */
  nnb__chain_rows_plan *chain_rows;
  nnb__chain_blocks_plan *chain_blocks; /* of the executor of that name */
  void *memory;                         /* to be released; NULL: it is the caller's */
};

#endif
