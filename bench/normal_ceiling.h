/* bench/normal_ceiling.h: the normal equations of least squares in cblas and LAPACK.  Not typed. */
#ifndef BENCH_NORMAL_CEILING_H
#define BENCH_NORMAL_CEILING_H

/* A ← JᵀJ by cblas_dsyrk, A ← its Cholesky factor by LAPACKE_dpotrf_work; J: m×n, A: n×n, row by row.  One thread if
 * the BLAS has one.  0, or -1: JᵀJ is not positive definite. */
int normal_ceiling(int m, int n, const double *J, double *A);

#endif
