/* num/blas/blas.h: the matrix products.  num/blas/blas.c is the only file that includes cblas.h. */
#ifndef NNB__BLAS_H
#define NNB__BLAS_H

#include "real.h"

/* C ← beta·C + alpha·op(A)·op(B), op is 'N' or 'T'.  Shapes must match (asserted).  A beta of 0 overwrites NaN.  Runs
 * on one thread; sizes may be 0. */
void nnb__gemm(char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c);
/* The same, with its rows divided over that many threads of the team. */
void nnb__gemm_shared(int threads, char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c);

/* C ← beta·C + A·B for a dense layer, beta 0 or 1.  In the defined arithmetic few inputs are two chains, or four if
 * the layer has one output: B, which may be some columns of its weights, is contiguous then. */
void nnb__gemm_forward(nnb_cmat a, nnb_cmat b, real beta, nnb_mat c);

/* C ← beta·C + alpha·Aᵀ·B.  In the defined arithmetic, unless alpha is 1, Aᵀ·B is a gradient by itself, from 0, of at
 * most NNB__UPDATE_ROWS rows, and C the weights: one pass over them. */
enum { NNB__UPDATE_ROWS = 128 };
void nnb__gemm_update(real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c);

/* The lower triangle of C ← beta·C + alpha·AᵀA.  A beta of 0 overwrites NaN. */
void nnb__gram(real alpha, nnb_cmat a, real beta, nnb_mat c);

/* y ← y + alpha·x, for n contiguous numbers. */
void nnb__axpy(size_t n, real alpha, const real *x, real *y);
/* Σ x², in double. */
double nnb__sum_squares(size_t n, const real *x);
/* Σ x·y, in double. */
double nnb__dot(size_t n, const real *x, const real *y);

/* For least squares, in double in both precisions; see also num/factor/normal.h.
 * A ← A - W·Wᵀ (the lower triangle of n×n, row by row), W: n×k */
void nnb__subtract_square(int n, int k, const double *W, double *A);
/* g ← g + Jᵀr; the numbers of r are `step` apart. */
void nnb__add_transpose_times(int n, int k, const double *J, int ld, const double *r, int step, double *g);
/* x ← (L·Lᵀ)⁻¹·x, L the lower triangle of n×n, row by row */
void nnb__solve_factored(int n, const double *l, double *x);

#endif
