/* num/kernels/mm.h: products of small and narrow matrices without packing, built once per level.  A BLAS copies both
 * operands into the order that its kernel needs; if one side has few rows, the copy costs as much as the product.
 */
#ifndef NNB__MM_H
#define NNB__MM_H

#include "level.h"
#include "real.h"

/* An operand of which single numbers are read: element (i, k) is p[i·row + k·col]. */
typedef struct nnb__strided {
  const real *p;
  size_t row, col;
} nnb__strided;

/* C ← beta·C + alpha·A·B for the rows of C: A m×k, B k×n by rows, C m×n.  beta 0 overwrites.  k = 0 is fine. */
typedef void nnb__mm_fn(int m, int n, int k, real alpha, nnb__strided a, const real *b, size_t ldb, real beta, real *c,
                        size_t ldc);

/* C ← start·1ᵀ + A·B, start m numbers or NULL for 0; element (i, k) of A is a[i·row + k·col].  positive: negative
 * results become 0.  For small products in succession: arguments in structs would be loaded from the stack only after
 * the stores of the previous product. */
typedef void nnb__mm_from_fn(int m, int n, int k, const real *start, const real *a, size_t row, size_t col,
                             const real *b, size_t ldb, real *c, size_t ldc, bool positive);

/* In the defined arithmetic only: the same, or from C on if `more`, where each number is two chains: k < second, and
 * the others from 0.  any_zero: a sum of -0 stays, as in nnb__mm_from_fn; otherwise it becomes +0. */
typedef void nnb__mm_two_fn(int m, int n, int k, int second, const real *start, bool more, const real *a, size_t row,
                            size_t col, const real *b, size_t ldb, real *c, size_t ldc, bool positive, bool any_zero);

/* In the defined arithmetic z of a dense layer with few inputs is two chains, so that the additions of a single row
 * wait less for each other: the inputs before this one, from the bias on, and the others, from 0. */
static inline bool nnb__has_few(int n_in) { return 8 <= n_in && n_in <= 64; }
static inline int nnb__second_chain(int n_in) { return nnb__has_few(n_in) ? (n_in + 1) / 2 : n_in; }

/* If such a layer has one output, its z is four sums, input k in sum k mod 4, from 0: b + ((s₀ + s₂) + (s₁ + s₃)). */
static inline bool nnb__by_sums(int n_in, int n_out) { return n_out == 1 && nnb__has_few(n_in); }

/* For rows of k numbers of A, such a layer's inputs: c_i ← c_i + (row i)·b if `more`, else (row i)·b */
typedef void nnb__row_sums_fn(int rows, int k, const real *a, size_t lda, const real *b, bool more, real *c,
                              size_t ldc);

/* C ← beta·C + alpha·A·B with a copy of pieces of B, 24 KB on the stack: B k×n by rows, or n×k if b_transposed. */
typedef void nnb__mm_copy_fn(int m, int n, int k, real alpha, nnb__strided a, const real *b, size_t ldb,
                             bool b_transposed, real beta, real *c, size_t ldc);

/* The same for one row: y ← beta·y + alpha·x·B, B k×n by rows, x_l at x[l·dx].  Rows of B whose number in x is 0 are
 * not read, even if they contain NaN. */
typedef void nnb__mm_row_fn(int n, int k, real alpha, const real *x, size_t dx, const real *b, size_t ldb, real beta,
                            real *y);

/* The functions of the level of this build. */
extern nnb__mm_fn NNB__MM;
extern nnb__mm_from_fn NNB__MM_FROM;
extern nnb__mm_two_fn NNB__MM_TWO;
extern nnb__row_sums_fn NNB__ROW_SUMS;
extern nnb__mm_copy_fn NNB__MM_COPY;
extern nnb__mm_row_fn NNB__MM_ROW;

#endif
