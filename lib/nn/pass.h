/* nn/pass.h: takes the rows of a job through the layers of a net. */
#ifndef NNB__PASS_H
#define NNB__PASS_H

#include "plan_state.h"

typedef struct nnb__pass {
  nnb_plan *plan;
  const nnb__job *job;
  nnb_batch batch; /* the rows of this run, in the net's units; t, label, weight from the job or the plan's copies */
  int row_parts, param_parts;
  bool owned; /* each part has columns of W in every update (layerwise_wide.c) */
} nnb__pass;

/* The number of parts for this number of floating-point operations: at most threads and `most`, at least 1. */
int nnb__pass_parts(double flops, int threads, int most);
/* The first row of a part, and the number of its rows. */
int nnb__pass_first_row(const nnb__pass *p, int part);
int nnb__pass_n_rows(const nnb__pass *p, int part);

/* Decides which arrays are read in place and which are copied; points the inputs to their columns of x. */
void nnb__pass_begin(nnb__pass *p);
/* Copies rows [r0, r1) into the plan, unless the pass reads the caller's rows in place. */
void nnb__pass_load(const nnb__pass *p, int r0, int r1);
/* The sample weights of the job's rows, or NULL. */
const real *nnb__pass_weights(const nnb_plan *plan, const nnb__job *job);
/* The nnb_layer_io of node k for rows [r0, r0 + n); part selects the memory of its lists. */
nnb_layer_io nnb__pass_io(const nnb_plan *plan, int k, int r0, int n, int part);
/* The same for the forward pass, in which a layer may change its buffers. */
nnb_layer_io nnb__pass_io_forward(const nnb_plan *plan, int k, int r0, int n, int part);

/* Forward: rows [r0, r0 + n) from the inputs to the losses. */
void nnb__pass_forward(const nnb__pass *p, int part, int r0, int n);
/* The work after the product of node k: the activation, and an output's loss. */
void nnb__pass_finish(const nnb__pass *p, int part, int k, int r0, int n);
/* Columns [c0, c0 + n) of A from Z and of Δ from ∂E/∂A, for all rows of a hidden node with an elementwise activation.
 */
void nnb__pass_activate_columns(const nnb__pass *p, int k, int c0, int n);
void nnb__pass_pull_columns(const nnb__pass *p, int k, int c0, int n);
/* The place for a part's loss of output k. */
double *nnb__pass_partial_loss(const nnb_plan *plan, int part, int k);

/* Backward to every Δ, from the loss or the job's v; column ≥ 0: from the residuals of that column of the outputs. */
void nnb__pass_back(const nnb__pass *p, int part, int r0, int n, int column);
/* Whether node k has a Δ. */
bool nnb__pass_goes_back(const nnb_plan *plan, int k);
/* Computes Δ of node k; column as in nnb__pass_back. */
void nnb__pass_delta(const nnb__pass *p, int k, int r0, int n, int column);
/* Computes ∂E/∂A of the inputs of node k from its Δ. */
void nnb__pass_hand_back(const nnb_plan *plan, int k, nnb_layer_io *io);

double nnb__loss_value(nnb__loss_sum sum, double norm);

#endif
