/* num/factor/normal.c: A ← A + JᵀJ for least squares, or R of [R; J], in double for both precisions, so compiled once.
 *
 * For A, rows of J are processed in pieces that stay in the cache.  For each piece, the strips of A from the left to
 * the diagonal use the kernel that reads its operands in place (num/kernels/mm.c); a syrk copies J twice before it
 * begins. */
#include "normal.h"

#include "blas.h"
#include "cpu.h"
#include "exact.h"
#include "ints.h"
#include "kernels.h"
#include "thresholds.h"

enum {
  OWN_LEVEL = 2, /* AVX2 and FMA: without them OpenBLAS's kernels are faster */
  PIECE = 64,    /* rows of J */
  STRIP = 16     /* rows of A */
};

/* Updates the first n_rows rows, n or n + 1, with k ≤ PIECE rows of J.  A strip extends beyond the diagonal, by less
 * than its height; nobody reads that part. */
static void add_piece(int n, int n_rows, int k, const double *J, int ld, double *A) {
  for (int i = 0, m; i < n_rows; i += m) {
    m = nnb__smaller(STRIP, n_rows - i);
    nnb__strided rows = {J + i, 1, (size_t)ld};
    nnb__kernel()->mm(m, nnb__smaller(i + m, n), k, 1, rows, J, (size_t)ld, 1, A + (size_t)i * (size_t)n, (size_t)n);
  }
}

void nnb__add_normal(int n, int k, const double *J, int ld, bool with_r, double *A) {
  if (!n || !k) return;
  if (nnb__cpu_level() < OWN_LEVEL || (double)n * n * sizeof *A > nnb__threshold.unpacked_bytes) {
    nnb_cmat rows = {.p = J, .rows = k, .cols = n, .ld = ld};
    nnb__gram(1, rows, 1, (nnb_mat){.p = A, .rows = n, .cols = n, .ld = n});
    if (with_r) nnb__add_transpose_times(n, k, J, ld, J + n, ld, A + (size_t)n * (size_t)n);
    return;
  }
  for (int i = 0, now; i < k; i += now) {
    now = nnb__smaller(PIECE, k - i);
    add_piece(n, with_r ? n + 1 : n, now, J + (size_t)i * (size_t)ld, ld, A);
  }
}

/* The defined arithmetic has no factorisations: what is called from within a call that computes in it, for another
 * purpose, has the ordinary ones. */
static const nnb__kernels *ordinary(void) {
  const bool exact = nnb__exact_set(false);
  const nnb__kernels *kernels = nnb__kernel();
  nnb__exact_set(exact);
  return kernels;
}

bool nnb__cholesky(int n, double *a) { return ordinary()->cholesky(n, a); }

void nnb__qr_add_with(int n, int k, double *l, int ld, double *b, int n_rhs, double *z, int ld_z, double *c) {
  if (k > 0) ordinary()->qr(n, k, l, ld, b, n_rhs, z, ld_z, c);
}

void nnb__qr_add(int n, int k, double *l, int ld, double *b) { nnb__qr_add_with(n, k, l, ld, b, 0, NULL, 0, NULL); }
