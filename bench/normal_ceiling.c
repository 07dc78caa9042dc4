/* bench/normal_ceiling.c: with ceiling.c the only files of bench that include cblas.h; the only one with lapacke.h. */
#include "normal_ceiling.h"

#include <cblas.h>
#include <lapacke.h>

int normal_ceiling(int m, int n, const double *J, double *A) {
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, m, 1, J, n, 0, A, n);
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, A, n) ? -1 : 0;
}
