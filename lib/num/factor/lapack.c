/* num/factor/lapack.c: factorisations, through LAPACKE_*_work in column-major order: a row-major rows×cols matrix is
 * its transpose, cols×rows, for LAPACK.  The plain LAPACKE calls allocate; these do not.  As in num/blas/blas.c, no
 * fork may interrupt them. */
#include "lapack.h"

#include <lapacke.h>
#include <limits.h>

#include "fork.h"
#include "ints.h"
#include "view.h"

#ifdef NNB_SINGLE
#define LAPACK_WORK(f) LAPACKE_s##f##_work
#else
#define LAPACK_WORK(f) LAPACKE_d##f##_work
#endif

bool nnb__invert_positive(int n, real *a) {
  const size_t ld = (size_t)n;
  if (n == 0) return true;
  nnb__hold_forks();
  bool done = LAPACK_WORK(potrf)(LAPACK_COL_MAJOR, 'U', n, a, n) == 0 &&
              LAPACK_WORK(potri)(LAPACK_COL_MAJOR, 'U', n, a, n) == 0;
  nnb__allow_forks();
  if (!done) return false;
  for (size_t i = 0; i < ld; i++)
    for (size_t j = 0; j < i; j++) a[j * ld + i] = a[i * ld + j];
  return true;
}

/* ---- least squares: always double ------------------------------------------------------------------------------- */

double nnb__log_det_factor(int n, const double *l) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += log(fabs(l[(size_t)i * (size_t)(n + 1)]));
  return sum;
}

double nnb__inverse_squares(int n, double *l) {
  double sum = 0;
  nnb__hold_forks();
  bool done = n == 0 || LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', n, l, n) == 0;
  nnb__allow_forks();
  if (!done) return HUGE_VAL;
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) sum += l[(size_t)i * (size_t)n + (size_t)j] * l[(size_t)i * (size_t)n + (size_t)j];
  return sum;
}

void nnb__solve_lower(int n, const double *l, int n_rows, double *y) {
  if (n == 0) return;
  nnb__hold_forks();
  LAPACKE_dtrtrs_work(LAPACK_COL_MAJOR, 'U', 'T', 'N', n, n_rows, l, n, y, n);
  nnb__allow_forks();
}

/* ---- triangles of any rank -------------------------------------------------------------------------------------- */

enum { BLOCK = 32 }; /* the block size that ilaenv gives for QR */

static int gelsy_scratch(int n, int n_rhs) { return 3 * n + BLOCK * (n + 1) + BLOCK * n_rhs; }

/* A copy of R, the scales of its columns, and scratch for trcon and gelsy. */
size_t nnb__solve_rank_work(int n, int n_rhs) {
  return (size_t)n * (size_t)n + (size_t)n + (size_t)gelsy_scratch(n, n_rhs);
}

/* a ← R, column by column, with zeros below the diagonal. */
static void copy_triangle(int n, const double *l, int ld, double *a) {
  for (int j = 0; j < n; j++)
    for (int i = 0; i < n; i++)
      a[(size_t)j * (size_t)n + (size_t)i] = i <= j ? l[(size_t)j * (size_t)ld + (size_t)i] : 0;
}

/* a's columns to norm 1; false where one is 0. */
static bool scale_columns(int n, double *a, double *scale) {
  for (int j = 0; j < n; j++) {
    double *column = a + (size_t)j * (size_t)n, sum = 0;
    for (int i = 0; i <= j; i++) sum += column[i] * column[i];
    if (!(sum > 0)) return false;
    scale[j] = 1 / sqrt(sum);
    for (int i = 0; i <= j; i++) column[i] *= scale[j];
  }
  return true;
}

/* Solves for X if R is well-conditioned after scaling; the units of its columns do not matter then. */
static bool solve_directly(int n, int n_rhs, double *a, double *z, int ld_z, double tol, double *scale, double *scratch,
                           int *pivots) {
  double reciprocal = 0;
  if (!scale_columns(n, a, scale)) return false;
  if (LAPACKE_dtrcon_work(LAPACK_COL_MAJOR, '1', 'U', 'N', n, a, n, &reciprocal, scratch, pivots)) return false;
  if (!(reciprocal > tol)) return false;
  if (LAPACKE_dtrtrs_work(LAPACK_COL_MAJOR, 'U', 'N', 'N', n, n_rhs, a, n, z, ld_z)) return false;
  for (int j = 0; j < n_rhs; j++)
    for (int i = 0; i < n; i++) z[(size_t)j * (size_t)ld_z + (size_t)i] *= scale[i];
  return true;
}

static bool solve_rank(int n, const double *l, int ld, int n_rhs, double *z, int ld_z, double tol, double *work,
                       int *pivots) {
  double *a = work, *scale = a + (size_t)n * (size_t)n, *scratch = scale + n;
  int rank;
  copy_triangle(n, l, ld, a);
  if (solve_directly(n, n_rhs, a, z, ld_z, tol, scale, scratch, pivots)) return true;
  copy_triangle(n, l, ld, a);
  for (int j = 0; j < n; j++) pivots[j] = 0;
  return LAPACKE_dgelsy_work(LAPACK_COL_MAJOR, n, n, n_rhs, a, n, z, ld_z, pivots, tol, &rank, scratch,
                             gelsy_scratch(n, n_rhs)) == 0;
}

bool nnb__solve_rank(int n, const double *l, int ld, int n_rhs, double *z, int ld_z, double tol, double *work,
                     int *pivots) {
  if (n == 0) return true;
  nnb__hold_forks();
  bool done = solve_rank(n, l, ld, n_rhs, z, ld_z, tol, work, pivots);
  nnb__allow_forks();
  return done;
}
