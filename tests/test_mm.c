/* The products without packing, at every level of the processor, against plain loops; and nnb__gemm around the sizes
 * where it uses them. */
#include "real.h"

#include <stdio.h>
#include <string.h>

#include "blas.h"
#include "kernels.h"
#include "support.h"

enum { GAP = 3 }; /* columns after a row that must not change */

static real *numbers(size_t n, uint64_t stream) {
  real *p = malloc((n + 1) * sizeof *p);
  nnb_rng rng;
  nnb_rng_init(&rng, 7, stream);
  for (size_t i = 0; i < n; i++) p[i] = (real)(2 * nnb_rng_uniform(&rng) - 1);
  return p;
}

typedef struct shape {
  int m, n, k;
  bool transposed;
  real alpha, beta;
} shape;

typedef void product(const shape *s, const real *a, const real *b, real *c, const void *context);

/* c ← beta·c + alpha·A·B by f, compared with sums in long double; the gaps must not change. */
static void compare(shape s, product f, const void *context, const char *what) {
  size_t lda = (size_t)(s.transposed ? s.m : s.k) + GAP, ldb = (size_t)s.n + GAP;
  size_t rows_a = (size_t)(s.transposed ? s.k : s.m), m = (size_t)s.m, n = (size_t)s.n;
  real *a = numbers(rows_a * lda, 1), *b = numbers((size_t)s.k * ldb, 2), *c = numbers(m * ldb, 3);
  real *before = numbers(m * ldb, 3);
  if (s.beta == 0)
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) c[i * ldb + j] = (real)NAN;
  f(&s, a, b, c, context);
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      long double sum = 0, size = 1;
      for (size_t l = 0; l < (size_t)s.k; l++) {
        long double x = (long double)a[s.transposed ? l * lda + i : i * lda + l] * (long double)b[l * ldb + j];
        sum += x, size += fabsl(x);
      }
      sum = (long double)s.alpha * sum + (s.beta != 0 ? (long double)s.beta * (long double)before[i * ldb + j] : 0);
      long double error = fabsl(sum - (long double)c[i * ldb + j]);
      ck_assert_msg(error <= 4 * (long double)REAL_EPS * size,
                    "%s: %d×%d, k %d, %c, alpha %g, beta %g: (%zu, %zu) is %g, not %Lg", what, s.m, s.n, s.k,
                    s.transposed ? 'T' : 'N', (double)s.alpha, (double)s.beta, i, j, (double)c[i * ldb + j], sum);
    }
    ck_assert_mem_eq(c + i * ldb + n, before + i * ldb + n, GAP * sizeof *c);
  }
  free(a), free(b), free(c), free(before);
}

static void by_level(const shape *s, const real *a, const real *b, real *c, const void *context) {
  size_t lda = (size_t)(s->transposed ? s->m : s->k) + GAP, ldb = (size_t)s->n + GAP;
  nnb__strided op = {a, s->transposed ? 1 : lda, s->transposed ? lda : 1};
  ((const nnb__kernels *)context)->mm(s->m, s->n, s->k, s->alpha, op, b, ldb, s->beta, c, ldb);
}

static void by_gemm(const shape *s, const real *a, const real *b, real *c, const void *context) {
  (void)context;
  int ldb = s->n + GAP;
  nnb_cmat op = {a, s->m, s->k, s->k + GAP};
  if (s->transposed) op = (nnb_cmat){a, s->k, s->m, s->m + GAP};
  nnb__gemm(s->transposed ? 'T' : 'N', 'N', s->alpha, op, (nnb_cmat){b, s->k, s->n, ldb}, s->beta,
            (nnb_mat){c, s->m, s->n, ldb});
}

/* Every size from 0 to 20 and around the widths of a tile, 16 to 48 columns and 8 rows. */
START_TEST(every_size) {
  const nnb__kernels *kernels = nnb__kernel_level(_i);
  if (!kernels) return;
  for (int n = 0; n <= 52; n++)
    for (int m = 0; m <= 19; m++) {
      int k = (3 * n + 5 * m) % 13;
      compare((shape){m, n, k, false, 1, 0}, by_level, kernels, kernels->level);
      compare((shape){m, n, k, true, 1, 1}, by_level, kernels, kernels->level);
    }
}
END_TEST

START_TEST(factors) {
  static const real alphas_betas[] = {0, 1, -1, (real)0.5};
  const nnb__kernels *kernels = nnb__kernel_level(_i);
  if (!kernels) return;
  for (int i = 0; i < 16; i++)
    compare((shape){11, 37, 6, i & 1, alphas_betas[i / 4], alphas_betas[i % 4]}, by_level, kernels, kernels->level);
}
END_TEST

/* 10^6 multiply-adds, 128 rows, 1.5 MB: both sides of each threshold. */
START_TEST(around_thresholds) {
  static const int sizes[][3] = {{100, 100, 99}, {100, 100, 101}, {32, 128, 784}, {784, 128, 32},
                                 {127, 90, 400}, {128, 90, 400},  {129, 90, 400}, {400, 90, 129},
                                 {16, 700, 512}, {16, 800, 512},  {512, 400, 16}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    compare((shape){sizes[i][0], sizes[i][1], sizes[i][2], false, 1, 0}, by_gemm, NULL, "gemm");
    compare((shape){sizes[i][0], sizes[i][1], sizes[i][2], true, (real)0.5, 1}, by_gemm, NULL, "gemm");
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create(sizeof(real) == sizeof(double) ? "mm, double" : "mm, single");
  TCase *t = tcase_create("mm");
  tcase_add_loop_test(t, every_size, 0, 4);
  tcase_add_loop_test(t, factors, 0, 4);
  tcase_add_test(t, around_thresholds);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
