/* num/factor/normal.h: normal equations of least squares: adding rows to JᵀJ or to its factor, and the factorisation,
 * in double in both precisions.  Not typed: compiled once.  One thread. */
#ifndef NNB__NORMAL_H
#define NNB__NORMAL_H

#include <stdbool.h>

/* A ← A + JᵀJ in the lower triangle of n×n, row by row; the upper triangle is overwritten.  J: k×n, ld apart.  with_r:
 * column n of J is r, and row n of A, after the others, is g ← g + Jᵀr; a separate product would read J once more. */
void nnb__add_normal(int n, int k, const double *J, int ld, bool with_r, double *A);
/* A ← L of A = L·Lᵀ in the lower triangle of n×n, row by row; the upper triangle is overwritten.  False if A is not
 * positive definite. */
bool nnb__cholesky(int n, double *a);
/* L·Lᵀ ← L·Lᵀ + BᵀB by a QR factorisation of [Lᵀ; B], without forming either.  l: the lower triangle of n×n, row by
 * row, ld apart; b: the columns of B, k numbers each, overwritten. */
void nnb__qr_add(int n, int k, double *l, int ld, double *b);
/* The same, and the same transformation of right-hand sides: [Z; C] ← Qᵀ·[Z; C].  z: n_rhs columns of n numbers, ld_z
 * apart; c: the columns of C, k numbers each, afterwards the part that R cannot reduce.  Both NULL if n_rhs is 0. */
void nnb__qr_add_with(int n, int k, double *l, int ld, double *b, int n_rhs, double *z, int ld_z, double *c);

#endif
