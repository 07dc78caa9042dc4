/* num/lapack.c: factorisations, through LAPACKE_*_work in column-major order: what is row-major rows×cols to us is its
 * transpose, cols×rows, to LAPACK.  The plain LAPACKE calls allocate; these do not. */
#include "lapack.h"

#include <assert.h>
#include <lapacke.h>
#include <limits.h>

#include "view.h"

#ifdef NNB_SINGLE
#define LAPACK_WORK(f) LAPACKE_s##f##_work
#else
#define LAPACK_WORK(f) LAPACKE_d##f##_work
#endif

enum { BLOCK = 32 }; /* the block size that ilaenv gives for QR and LQ */

static int smaller(int a, int b) { return a < b ? a : b; }

/* Numbers of scratch for the blocked algorithms on k reflectors: no less than k. */
static int scratch_size(int k) { return k <= INT_MAX / BLOCK ? k * BLOCK : INT_MAX; }

/* k factors of the reflectors, k signs, scratch. */
size_t nnb__orthogonal_work(int rows, int cols) {
  int k = smaller(rows, cols);
  return 2 * (size_t)k + (size_t)scratch_size(k);
}

/* The signs of a factor's diagonal, before the factor is overwritten; 0 counts as positive. */
static void diagonal_signs(nnb_mat a, int k, real *sign) {
  for (int i = 0; i < k; i++) sign[i] = a.p[(size_t)i * (size_t)a.ld + (size_t)i] < 0 ? -1 : 1;
}

/* rows ≥ cols: A = Q·R, so LAPACK's Aᵀ = Rᵀ·Qᵀ is an LQ factorisation. */
static bool orthonormal_columns(nnb_mat a, real *tau, real *sign, real *scratch, int n_scratch) {
  int m = a.cols, n = a.rows;
  if (LAPACK_WORK(gelqf)(LAPACK_COL_MAJOR, m, n, a.p, a.ld, tau, scratch, n_scratch) != 0) return false;
  diagonal_signs(a, m, sign);
  if (LAPACK_WORK(orglq)(LAPACK_COL_MAJOR, m, n, m, a.p, a.ld, tau, scratch, n_scratch) != 0) return false;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) nnb__row(a, i)[j] *= sign[j];
  return true;
}

/* rows < cols: the QR factorisation of Aᵀ, as LAPACK sees it. */
static bool orthonormal_rows(nnb_mat a, real *tau, real *sign, real *scratch, int n_scratch) {
  int m = a.cols, n = a.rows;
  if (LAPACK_WORK(geqrf)(LAPACK_COL_MAJOR, m, n, a.p, a.ld, tau, scratch, n_scratch) != 0) return false;
  diagonal_signs(a, n, sign);
  if (LAPACK_WORK(orgqr)(LAPACK_COL_MAJOR, m, n, n, a.p, a.ld, tau, scratch, n_scratch) != 0) return false;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) nnb__row(a, i)[j] *= sign[i];
  return true;
}

/* With R's diagonal positive, Q of a normal matrix has the Haar distribution: Mezzadri 2007, "How to generate random
 * matrices from the classical compact groups". */
bool nnb__orthogonalize(nnb_mat a, real *work) {
  assert(a.ld >= a.cols);
  int k = smaller(a.rows, a.cols), n_scratch = scratch_size(k);
  real *tau = work, *sign = tau + k, *scratch = sign + k;
  if (k == 0) return true;
  return a.rows >= a.cols ? orthonormal_columns(a, tau, sign, scratch, n_scratch)
                          : orthonormal_rows(a, tau, sign, scratch, n_scratch);
}

bool nnb__invert_positive(int n, real *a) {
  const size_t ld = (size_t)n;
  if (n == 0) return true;
  if (LAPACK_WORK(potrf)(LAPACK_COL_MAJOR, 'U', n, a, n) != 0) return false;
  if (LAPACK_WORK(potri)(LAPACK_COL_MAJOR, 'U', n, a, n) != 0) return false;
  for (size_t i = 0; i < ld; i++)
    for (size_t j = 0; j < i; j++) a[j * ld + i] = a[i * ld + j];
  return true;
}

/* ---- least squares: always double ------------------------------------------------------------------------------- */

bool nnb__cholesky(int n, double *a) { return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, a, n) == 0; }

void nnb__solve_factored(int n, const double *l, double *x) {
  LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', n, 1, l, n, x, n);
}

/* The factors T of the reflectors, BLOCK×n, and as much scratch. */
size_t nnb__qr_work(int n) { return 2 * (size_t)BLOCK * (size_t)n; }

bool nnb__qr_add(int n, int k, double *l, int ld, double *b, double *work) {
  int nb = smaller(BLOCK, n);
  double *scratch = work + (size_t)BLOCK * (size_t)n;
  if (n == 0 || k == 0) return true;
  return LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, k, n, 0, nb, l, ld, b, k, work, nb, scratch) == 0;
}
