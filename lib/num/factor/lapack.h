/* num/factor/lapack.h: factorisations.  num/factor/lapack.c is the only file that includes lapacke.h; it uses only
 * LAPACKE_*_work.  Any size may be 0: LAPACK, which would print an error about the leading dimension, is then not
 * called. */
#ifndef NNB__LAPACK_H
#define NNB__LAPACK_H

#include "real.h"

/* A ← A⁻¹, both triangles, from the lower triangle of a symmetric n×n.  False if A is not positive definite; A is then
 * undefined. */
bool nnb__invert_positive(int n, real *a);

/* For least squares, in double in both precisions.  Triangles are the lower one of n×n, row by row: L of A = L·Lᵀ. In
 * LAPACK's order this is the upper R = Lᵀ of A = RᵀR. */

/* log det L, with the absolute values of its diagonal. */
double nnb__log_det_factor(int n, const double *l);
/* ‖L⁻¹‖² = tr (L·Lᵀ)⁻¹; overwrites L.  Infinite or NaN if the diagonal of L has a 0. */
double nnb__inverse_squares(int n, double *l);
/* The rows y of n_rows×n: y ← L⁻¹·y */
void nnb__solve_lower(int n, const double *l, int n_rows, double *y);
/* z ← the X that minimises ‖R·X - Z‖, and among several the one with the least ‖X‖.  R = Lᵀ as above; z: n_rhs columns,
 * ld_z apart.  Solved directly if the condition of R, with its columns scaled, is below 1/tol; else by a complete
 * orthogonal factorisation that treats singular values below tol times the largest as 0.  work, pivots:
 * nnb__solve_rank_work(n, n_rhs) doubles, 2n ints.  False if LAPACK fails: a number was not finite. */
bool nnb__solve_rank(int n, const double *l, int ld, int n_rhs, double *z, int ld_z, double tol, double *work,
                     int *pivots);
size_t nnb__solve_rank_work(int n, int n_rhs);

#endif
