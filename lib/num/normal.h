/* num/normal.h: the normal equations of least squares, in double in both precisions.  Not typed: compiled once. */
#ifndef NNB__NORMAL_H
#define NNB__NORMAL_H

#include <stdbool.h>

/* A ← A + JᵀJ in the lower triangle of n×n, row by row; what is above it is lost.  J: k×n, ld apart.  with_r: column n
 * of J is r, and row n of A, behind the others, is g ← g + Jᵀr: a product of its own would read J once more.  One
 * thread. */
void nnb__add_normal(int n, int k, const double *J, int ld, bool with_r, double *A);

#endif
