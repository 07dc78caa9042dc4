/* num/factor/cholesky.c: A = L·Lᵀ in place, for one level (see kernels.h).  For each block of columns, first a product
 * subtracts the contribution of the columns before it; then its square is factored, and the rows below follow by
 * forward substitution, as many at a time as a vector has lanes, one column in a register. */
#include "factor_kernels.h"
#include "mm.h"
#include "vec.h"

#ifdef NNB_SINGLE
#error "double in both precisions: compiled once"
#endif

#ifdef VEC_AVX512
enum { WIDTH = 24 }; /* columns of a block: registers, and the columns of a panel of mm.c */
#else
enum { WIDTH = 8 };
#endif

/* Factors the square of n columns at a; inverse ← the reciprocals of its diagonal. */
static bool factor(int n, double *a, size_t ld, double *inverse) {
  for (int j = 0; j < n; j++) {
    double *row = a + (size_t)j * ld, square = row[j] - row_dot(j, row, row)[0];
    if (!(square > 0)) return false;
    row[j] = sqrt(square), inverse[j] = 1 / row[j];
    for (int i = j + 1; i < n; i++) {
      double *below = a + (size_t)i * ld;
      below[j] = (below[j] - row_dot(j, below, row)[0]) * inverse[j];
    }
  }
  return true;
}

/* Solves X·Lᵀ = A for n ≤ LANES rows of X, in place of A. */
INLINE void substitute(const double *l, const double *inverse, int n, double *a, size_t ld) {
  vec x[WIDTH];
  for (int j = 0; j < WIDTH; j += LANES) {
    for (int i = 0; i < LANES; i++) x[j + i] = load(a + (size_t)(i < n ? i : n - 1) * ld + j);
    transpose(x + j);
  }
  UNROLL for (int k = 0; k < WIDTH; k++) {
    x[k] *= inverse[k];
    UNROLL for (int j = k + 1; j < WIDTH; j++) x[j] -= x[k] * l[(size_t)j * ld + (size_t)k];
  }
  for (int j = 0; j < WIDTH; j += LANES) {
    transpose(x + j);
    for (int i = 0; i < n; i++) store(a + (size_t)i * ld + j, x[j + i]);
  }
}

bool NNB__CHOLESKY(int n, double *a) {
  const size_t ld = (size_t)n;
  for (int j = 0; j < n; j += WIDTH) {
    const int width = n - j < WIDTH ? n - j : WIDTH;
    double *row = a + (size_t)j * ld, *square = row + j, inverse[WIDTH];
    if (j > 0) NNB__MM_COPY(n - j, width, j, -1, (nnb__strided){row, ld, 1}, row, ld, true, 1, square, ld);
    if (!factor(width, square, ld, inverse)) return false;
    for (int i = j + WIDTH; i < n; i += LANES)
      substitute(square, inverse, n - i < LANES ? n - i : LANES, a + (size_t)i * ld + j, ld);
  }
  return true;
}
