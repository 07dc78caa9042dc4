/* num/normal.h: the normal equations of least squares, in double in both precisions.  Not typed: compiled once. */
#ifndef NNB__NORMAL_H
#define NNB__NORMAL_H

/* A ← A + JᵀJ in the lower triangle of n×n, row by row; what is above it is lost.  J: k×n, ld apart.  One thread. */
void nnb__add_normal(int n, int k, const double *J, int ld, double *A);

#endif
