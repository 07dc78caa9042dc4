/* num/blas/blas.c: the matrix products, through cblas.  The BLAS has its own locks, so no fork may interrupt it. */
#include "real.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <string.h>

#include "blas.h"
#include "blas_core.h"
#include "cpu.h"
#include "exact.h"
#include "fork.h"
#include "kernels.h"
#include "thresholds.h"
#include "view.h"

#ifdef NNB_SINGLE
#define BLAS(f) cblas_s##f
#else
#define BLAS(f) cblas_d##f
#endif

/* A static link that takes nnb__gemm also takes the constructor that selects the BLAS's kernels. */
__attribute__((used)) static const int *const with_constructor = &nnb__blas_core_linked;

static void scale(real beta, nnb_mat c) {
  if (beta == 1) return;
  for (int i = 0; i < c.rows; i++) {
    real *row = nnb__row(c, i);
    if (beta == 0)
      memset(row, 0, (size_t)c.cols * sizeof *row);
    else
      for (int j = 0; j < c.cols; j++) row[j] *= beta;
  }
}

/* C ← C + alpha·x·yᵀ; x is the only column of op(A), y the only row of op(B). */
static void outer(char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, nnb_mat c) {
  nnb__hold_forks();
  BLAS(ger)(CblasRowMajor, c.rows, c.cols, alpha, a.p, ta == 'T' ? 1 : a.ld, b.p, tb == 'T' ? b.ld : 1, c.p, c.ld);
  nnb__allow_forks();
}

/* C ← C + alpha·x·Bᵀ, one row. */
static void row_by_transpose(char ta, real alpha, nnb_cmat a, nnb_cmat b, nnb_mat c) {
  nnb__hold_forks();
  BLAS(gemv)(CblasRowMajor, CblasNoTrans, b.rows, b.cols, alpha, b.p, b.ld, a.p, ta == 'T' ? a.ld : 1, 1, c.p, 1);
  nnb__allow_forks();
}

static void product(char ta, char tb, int k, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const CBLAS_TRANSPOSE op_a = ta == 'T' ? CblasTrans : CblasNoTrans, op_b = tb == 'T' ? CblasTrans : CblasNoTrans;
  nnb__hold_forks();
  BLAS(gemm)(CblasRowMajor, op_a, op_b, c.rows, c.cols, k, alpha, a.p, a.ld, b.p, b.ld, beta, c.p, c.ld);
  nnb__allow_forks();
}

/* Whether the kernels of num/kernels/mm.c, which read B in place or copy small pieces of it, are faster than OpenBLAS
 * 0.3.21, which packs both operands (num/blas/thresholds.h).  Without AVX2 and FMA they never are. */
enum { OWN_LEVEL = 2, WIDE_LEVEL = 3 };

/* OpenBLAS's AVX-512 kernels for small A·B (up to 10⁶ products, dgemm_small_kernel_nn_skylakex.c and the same in sgemm)
 * call malloc, unchecked, for the last columns: up to 4 of 8 in double, up to 8 of 16 in single precision, from 16 or
 * 32 products each.  A step must not allocate, so OpenBLAS never gets products with such columns. */
enum { VECTOR = 64 / sizeof(real) };

static bool takes_rows(char ta, int m, int n, int k) { /* A·B or Aᵀ·B */
  const nnb__thresholds *t = &nnb__threshold;
  double stays = (double)(ta == 'T' ? m : k) * n * sizeof(real), products = (double)m * n * k;
  double most = ta == 'T' ? t->unpacked_sum_bytes : t->unpacked_bytes;
  const bool once = ta == 'N' && m <= t->unpacked_rows && nnb__cpu_level() >= WIDE_LEVEL;
  return products > t->unpacked_least ? once || stays <= most : ta == 'N' && n % VECTOR != 0;
}
static bool takes_transposed(int m, int n, int k) { /* A·Bᵀ */
  const nnb__thresholds *t = &nnb__threshold;
  double numbers = (double)n * k;
  if (m < t->transposed_rows) return numbers <= t->transposed_numbers;
  return m <= t->transposed_most || numbers * sizeof(real) <= t->unpacked_bytes;
}

/* Computes the product by an own kernel; false if OpenBLAS should do it. */
static bool by_own(char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const int m = c.rows, n = c.cols, k = tb == 'T' ? b.cols : b.rows;
  const size_t ld = (size_t)a.ld, ldb = (size_t)b.ld, ldc = (size_t)c.ld;
  const nnb__strided op_a = {a.p, ta == 'T' ? 1 : ld, ta == 'T' ? ld : 1};
  if (nnb__cpu_level() < OWN_LEVEL) return false;
  if (tb == 'N' && m == 1)
    nnb__kernel()->mm_row(n, k, alpha, a.p, op_a.col, b.p, ldb, beta, c.p);
  else if (tb == 'N' && takes_rows(ta, m, n, k))
    nnb__kernel()->mm(m, n, k, alpha, op_a, b.p, ldb, beta, c.p, ldc);
  else if (tb == 'T' && takes_transposed(m, n, k))
    nnb__kernel()->mm_copy(m, n, k, alpha, op_a, b.p, ldb, true, beta, c.p, ldc);
  else
    return false;
  return true;
}

/* In the defined arithmetic: each number of C is one chain of fused multiply-adds in ascending order of k, from beta·C
 * or 0 on.  alpha is 1. */
static void chains(char ta, char tb, int k, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const nnb__kernels *kernel = nnb__kernel();
  const size_t ld = (size_t)a.ld, ldb = (size_t)b.ld, ldc = (size_t)c.ld;
  const nnb__strided op_a = {a.p, ta == 'T' ? 1 : ld, ta == 'T' ? ld : 1};
  if (tb == 'N' && c.rows == 1)
    kernel->mm_row(c.cols, k, 1, a.p, op_a.col, b.p, ldb, beta, c.p);
  else if (tb == 'N' && (double)k * c.cols * sizeof(real) <= nnb__threshold.unpacked_bytes)
    kernel->mm(c.rows, c.cols, k, 1, op_a, b.p, ldb, beta, c.p, ldc);
  else
    kernel->mm_copy(c.rows, c.cols, k, 1, op_a, b.p, ldb, tb == 'T', beta, c.p, ldc);
}

/* C ← alpha·(beta/alpha·C + A·B) */
static void exact_product(char ta, char tb, int k, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  chains(ta, tb, k, a, b, alpha == 1 ? beta : beta / alpha, c);
  scale(alpha, c);
}

void nnb__gemm_forward(nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  if (c.rows == 0 || c.cols == 0) return;
  const int second = nnb__exact() ? nnb__second_chain(a.cols) : a.cols;
  if (second == a.cols)
    nnb__gemm('N', 'N', 1, a, b, beta, c);
  else if (nnb__by_sums(a.cols, b.ld)) /* all columns of W, not only some of them */
    nnb__kernel()->row_sums(c.rows, a.cols, a.p, (size_t)a.ld, b.p, beta != 0, c.p, (size_t)c.ld);
  else
    nnb__kernel()->mm_two(c.rows, c.cols, a.cols, second, NULL, beta != 0, a.p, (size_t)a.ld, 1, b.p, (size_t)b.ld, c.p,
                          (size_t)c.ld, false, false);
}

void nnb__gemm_update(real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const size_t ld = (size_t)a.ld, ldb = (size_t)b.ld, ldc = (size_t)c.ld;
  const nnb__strided transposed = {a.p, 1, ld};
  if (!nnb__exact() || alpha == 1)
    nnb__gemm('T', 'N', alpha, a, b, beta, c);
  else if ((double)b.rows * b.cols * sizeof(real) <= nnb__threshold.unpacked_bytes)
    nnb__kernel()->mm(c.rows, c.cols, b.rows, alpha, transposed, b.p, ldb, beta, c.p, ldc);
  else
    nnb__kernel()->mm_copy(c.rows, c.cols, b.rows, alpha, transposed, b.p, ldb, false, beta, c.p, ldc);
}

void nnb__gemm(char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  assert((ta == 'N' || ta == 'T') && (tb == 'N' || tb == 'T'));
  int m = c.rows, n = c.cols, k = ta == 'T' ? a.rows : a.cols;
  assert((ta == 'T' ? a.cols : a.rows) == m && (tb == 'T' ? b.rows : b.cols) == n &&
         (tb == 'T' ? b.cols : b.rows) == k);
  if (m == 0 || n == 0) return;
  if (k == 0) {
    scale(beta, c); /* cblas would reject a leading dimension of 0 */
  } else if (nnb__exact()) {
    exact_product(ta, tb, k, alpha, a, b, beta, c);
  } else if (k == 1 && (double)m * n >= nnb__threshold.outer_from) {
    scale(beta, c);
    outer(ta, tb, alpha, a, b, c);
  } else if (m == 1 && tb == 'T' && k <= nnb__threshold.row_until) {
    scale(beta, c);
    row_by_transpose(ta, alpha, a, b, c);
  } else if (!by_own(ta, tb, alpha, a, b, beta, c)) {
    product(ta, tb, k, alpha, a, b, beta, c);
  }
}

void nnb__gram(real alpha, nnb_cmat a, real beta, nnb_mat c) {
  assert(c.rows == a.cols && c.cols == a.cols);
  if (c.rows == 0) return;
  if (a.rows == 0) {
    scale(beta, c);
    return;
  }
  nnb__hold_forks();
  BLAS(syrk)(CblasRowMajor, CblasLower, CblasTrans, c.rows, a.rows, alpha, a.p, a.ld, beta, c.p, c.ld);
  nnb__allow_forks();
}

void nnb__axpy(size_t n, real alpha, const real *x, real *y) {
  if (nnb__exact()) {
    for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
    return;
  }
  nnb__hold_forks();
  for (; n > INT_MAX; n -= INT_MAX, x += INT_MAX, y += INT_MAX) BLAS(axpy)(INT_MAX, alpha, x, 1, y, 1);
  if (n) BLAS(axpy)((int)n, alpha, x, 1, y, 1);
  nnb__allow_forks();
}

double nnb__dot(size_t n, const real *x, const real *y) {
  enum { LANES = 8 }; /* independent sums, so the compiler can vectorise */
  double sum[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) sum[j] += (double)x[i + j] * (double)y[i + j];
  for (; i < n; i++) sum[i % LANES] += (double)x[i] * (double)y[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

double nnb__sum_squares(size_t n, const real *x) { return nnb__dot(n, x, x); }

void nnb__subtract_square(int n, int k, const double *W, double *A) {
  if (!n || !k) return;
  nnb__hold_forks();
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, k, -1, W, k, 1, A, n);
  nnb__allow_forks();
}

void nnb__add_transpose_times(int n, int k, const double *J, int ld, const double *r, int step, double *g) {
  if (!n || !k) return;
  nnb__hold_forks();
  cblas_dgemv(CblasRowMajor, CblasTrans, k, n, 1, J, ld, r, step, 1, g, 1);
  nnb__allow_forks();
}

/* trsv, because potrs treats the vector as a matrix and copies all of L. */
void nnb__solve_factored(int n, const double *l, double *x) {
  if (n == 0) return;
  nnb__hold_forks();
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, l, n, x, 1);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, l, n, x, 1);
  nnb__allow_forks();
}
