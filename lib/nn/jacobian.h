/* nn/jacobian.h: residuals and their derivatives, row by row. */
#ifndef NNB__JACOBIAN_H
#define NNB__JACOBIAN_H

#include "pass.h"

/* The number of parameters that are not frozen. */
size_t nnb__net_n_free(const nnb_net *net);
/* The gradients of rows [r0, r0 + n) of node k, row by row: its backward_rows, or backward_params. */
void nnb__pass_layer_rows(const nnb_plan *plan, int k, int part, int r0, int n, real *w, real *b, size_t ld);
/* Residuals and their derivatives, after the forward pass. */
void nnb__pass_rows(const nnb__pass *p, int part, int r0, int n);

#endif
