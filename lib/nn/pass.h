/* nn/pass.h: what the files share that take rows through a net. */
#ifndef NNB__PASS_H
#define NNB__PASS_H

#include "plan.h"

typedef struct nnb__pass {
  nnb_plan *plan;
  const nnb__job *job;
  nnb_batch batch; /* the rows of this run, in the net's units; t, label, weight from the job or the plan's copies */
  int row_parts, param_parts;
} nnb__pass;

/* What a layer gets to see of node k for rows [r0, r0 + n); part chooses the room for the lists. */
nnb_layer_io nnb__pass_io(const nnb_plan *plan, int k, int r0, int n, int part);
/* The factor of an output's summed loss: its weight, and what a mean divides by. */
double nnb__pass_scale(const nnb__node *node, const nnb__state *s, double norm);
/* Back to every Δ, from the loss or the job's v; column ≥ 0: from the residuals of
 * that one of the outputs' columns. */
void nnb__pass_back(const nnb__pass *p, int part, int r0, int n, int column);
/* The sample weights of the job's rows, or NULL. */
const real *nnb__pass_weights(const nnb_plan *plan, const nnb__job *job);
/* The gradients of rows [r0, r0 + n) of node k, row by row: its backward_rows, or backward_params. */
void nnb__pass_layer_rows(const nnb_plan *plan, int k, int part, int r0, int n, real *w, real *b, size_t ld);
/* How many parts work of that many operations is for. */
int nnb__pass_parts(double flops, int threads, int most);
/* ∂r/∂a of a row of weight 1 of output k: √factor, with the loss's own (jacobian.c). */
real nnb__pass_root(const nnb__pass *p, int k);
/* Residuals and their derivatives (jacobian.c), after the forward pass. */
void nnb__pass_rows(const nnb__pass *p, int part, int r0, int n);

#endif
