/* num/lapack.h: factorisations.  num/lapack.c is the only file that includes lapacke.h; it uses only LAPACKE_*_work. */
#ifndef NNB__LAPACK_H
#define NNB__LAPACK_H

#include "real.h"

/* Q with orthonormal columns (rows ≥ cols) or rows (rows < cols) from the QR of a, times the signs that make R's diagonal positive;
 * overwrites a (rows×cols, ld = cols).  work: nnb__orthogonal_work() numbers.  false if LAPACK fails. */
bool nnb__orthogonalize(nnb_mat a, real *work);
size_t nnb__orthogonal_work(int rows, int cols);

/* A ← A⁻¹, both triangles, from the lower one of a symmetric n×n; false where A is not positive definite (A is lost). */
bool nnb__invert_positive(int n, real *a);

/* For least squares, in double in both precisions.  Triangles are the lower one of n×n, row by row: L of A = L·Lᵀ, in
 * LAPACK's order the upper R = Lᵀ of A = RᵀR. */

/* A ← L; false where A is not positive definite. */
bool nnb__cholesky(int n, double *a);
/* x ← (L·Lᵀ)⁻¹·x */
void nnb__solve_factored(int n, const double *l, double *x);
/* L·Lᵀ ← L·Lᵀ + BᵀB by a QR factorisation of [Lᵀ; B], without forming either.  l: n×n with leading dimension ld; b: the
 * columns of B, k numbers each, overwritten.  work: nnb__qr_work(n) numbers. */
bool nnb__qr_add(int n, int k, double *l, int ld, double *b, double *work);
size_t nnb__qr_work(int n);

#endif
