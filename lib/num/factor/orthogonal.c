/* num/factor/orthogonal.c: see orthogonal.h.  Householder's factorisation (Golub and Van Loan, "Matrix Computations",
 * algorithm 5.2.1) of blocks of columns that stay in the cache, by reflectors of the defined arithmetic: LAPACK's would
 * have other bits on other processors. */
#include "orthogonal.h"

#include <math.h>
#include <string.h>

#include "exact.h"
#include "ints.h"
#include "kernels.h"
#include "view.h"

enum { BLOCK = 32 }; /* columns */

/* A tall matrix q, its reflectors I - b·v·vᵀ, v_k in row k of v from column k on, and the signs of R's diagonal */
typedef struct tall {
  nnb_mat q, v;
  real *b, *sign;
} tall;

static void reflect(const tall *t, int k, int from, int n) {
  const real *v = nnb__row(t->v, k) + k;
  nnb__kernel()->reflect(t->q.rows - k, n, v, t->b[k], nnb__row(t->q, k) + from, (size_t)t->q.ld);
}

/* The reflector that makes column k of q zero below row k.  A column of zeros needs none. */
static void make_reflector(const tall *t, int k) {
  real *v = nnb__row(t->v, k);
  double rest = 0;
  for (int i = k; i < t->q.rows; i++) v[i] = nnb__row(t->q, i)[k];
  for (int i = k + 1; i < t->q.rows; i++) rest += (double)v[i] * (double)v[i];
  const double first = (double)v[k], norm = sqrt(first * first + rest), r = first < 0 ? norm : -norm;
  t->sign[k] = (rest > 0 ? r : first) < 0 ? -1 : 1;
  t->b[k] = rest > 0 ? (real)((r - first) / r) : 0;
  for (int i = k + 1; i < t->q.rows; i++) v[i] = rest > 0 ? (real)((double)v[i] / (first - r)) : 0;
  v[k] = 1;
}

static void factor(const tall *t) {
  for (int j = 0, n; (n = nnb__chunk(t->q.cols, j, BLOCK)) > 0; j += n) {
    for (int k = 0; k < j; k++) reflect(t, k, j, n);
    for (int k = j; k < j + n; k++) {
      make_reflector(t, k);
      reflect(t, k, k + 1, j + n - k - 1);
    }
  }
}

/* q ← the product of the reflectors, in reverse, with the first columns of I, times the signs */
static void form(const tall *t) {
  for (int j = 0, n; (n = nnb__chunk(t->q.cols, j, BLOCK)) > 0; j += n) {
    for (int i = 0; i < t->q.rows; i++) {
      real *row = nnb__row(t->q, i) + j;
      memset(row, 0, (size_t)n * sizeof *row);
      if (j <= i && i < j + n) row[i - j] = t->sign[i];
    }
    for (int k = j + n - 1; k >= 0; k--) reflect(t, k, j, n);
  }
}

static void transpose(nnb_mat from, nnb_mat to) {
  for (int i = 0; i < to.rows; i++)
    for (int j = 0; j < to.cols; j++) nnb__row(to, i)[j] = nnb__row(from, j)[i];
}

size_t nnb__orthogonal_work(int rows, int cols) {
  const size_t k = (size_t)nnb__smaller(rows, cols);
  return k * (size_t)(rows > cols ? rows : cols) + 2 * k;
}

/* With R's diagonal positive, Q of a normal matrix has the Haar distribution: Mezzadri 2007, "How to generate random
 * matrices from the classical compact groups". */
void nnb__orthogonalize(nnb_mat a, real *work) {
  const int k = nnb__smaller(a.rows, a.cols), m = a.rows > a.cols ? a.rows : a.cols;
  const bool wide = a.rows < a.cols;
  tall t = {.b = work, .sign = work + k};
  const nnb_mat other = wide ? nnb_view(work + 2 * k, m, k) : nnb_view(work + 2 * k, k, m);
  t.q = wide ? other : a, t.v = wide ? a : other;
  if (k == 0) return;
  if (wide) transpose(a, other);
  const bool exact = nnb__exact_set(true); /* for its table */
  factor(&t);
  form(&t);
  nnb__exact_set(exact);
  if (wide) transpose(other, a);
}
