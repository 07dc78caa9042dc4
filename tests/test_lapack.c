/* Orthogonal matrices: orthonormal, and the Q of the factorisation whose R has a positive diagonal.  Triangles of least
 * squares. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "blas.h"
#include "kernels.h"
#include "lapack.h"
#include "normal.h"
#include "orthogonal.h"

static const int shape[][2] = {{1, 1}, {1, 5},   {5, 1},    {2, 2},    {7, 3},
                               {3, 7}, {33, 33}, {100, 40}, {40, 100}, {70, 69}};
enum { N_SHAPES = sizeof shape / sizeof *shape, MOST = 100 * 40, GUARD = 8 };

/* Σ over the long side of p's line i times q's line j, where the lines are the columns or rows of the shorter side. */
static double dot(const real *p, int i, const real *q, int j, int rows, int cols) {
  double sum = 0;
  for (int l = 0; l < (rows >= cols ? rows : cols); l++)
    sum += rows >= cols ? (double)p[l * cols + i] * (double)q[l * cols + j]
                        : (double)p[i * cols + l] * (double)q[j * cols + l];
  return sum;
}

static void draw(real *a, int n, uint64_t seed) {
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 0);
  for (int i = 0; i < n; i++) a[i] = (real)nnb_rng_normal(&rng);
}

START_TEST(orthonormal_with_positive_diagonal) {
  static real a[MOST + 900], q[MOST + 900];
  int rows = shape[_i][0], cols = shape[_i][1], k = rows < cols ? rows : cols;
  size_t n_work = nnb__orthogonal_work(rows, cols);
  ck_assert_uint_ge(n_work, (size_t)k);
  real *work = malloc((n_work + GUARD) * sizeof *work);
  ck_assert_ptr_nonnull(work);
  for (uint64_t seed = 1; seed <= 5; seed++) {
    for (size_t i = 0; i < n_work + GUARD; i++) work[i] = 77;
    draw(a, rows * cols, seed);
    memcpy(q, a, sizeof q);
    nnb__orthogonalize((nnb_mat){q, rows, cols, cols}, work);
    for (size_t i = n_work; i < n_work + GUARD; i++) ck_assert_msg(work[i] == 77, "work is overrun");
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        double got = dot(q, i, q, j, rows, cols), want = i == j;
        ck_assert_msg(fabs(got - want) < 50 * (double)REAL_EPS, "%dx%d seed %d: (QtQ)(%d, %d) is %g, not %g", rows,
                      cols, (int)seed, i, j, got, want);
      }
      double diagonal = dot(q, i, a, i, rows, cols);
      ck_assert_msg(diagonal > 0, "%dx%d seed %d: R(%d, %d) is %g", rows, cols, (int)seed, i, i, diagonal);
      for (int j = 0; j < i; j++) { /* R = QtA has nothing below its diagonal */
        double below = dot(q, i, a, j, rows, cols);
        ck_assert_msg(fabs(below) < 1000 * (double)REAL_EPS, "%dx%d: R(%d, %d) is %g", rows, cols, i, j, below);
      }
    }
  }
  free(work);
}
END_TEST

START_TEST(one_by_one_keeps_its_sign) {
  real work[64], a = -3;
  ck_assert_uint_le(nnb__orthogonal_work(1, 1), 64);
  nnb__orthogonalize((nnb_mat){&a, 1, 1, 1}, work);
  ck_assert_msg(a == -1, "%g", (double)a);
}
END_TEST

START_TEST(nothing_is_fine) {
  real work[1];
  ck_assert_uint_eq(nnb__orthogonal_work(0, 4), 0);
  nnb__orthogonalize((nnb_mat){NULL, 0, 4, 4}, work);
  nnb__orthogonalize((nnb_mat){NULL, 4, 0, 0}, work);
}
END_TEST

/* ---- triangles: always double ----------------------------------------------------------------------------------- */

enum { ROWS = 70, N_C = 5, N_A = 7, N = N_C + N_A + 1 };

/* From [J_c J_a r] = Q·R, block by block: R_aaᵀR_aa = J_aᵀPJ_a and R_aaᵀR_ar = J_aᵀPr, where P = I - J_c·J_c⁺ is
 * computed by Gram–Schmidt, twice (Kaufman 1975). */
START_TEST(trailing_triangle_is_the_projected_part) {
  static double B[ROWS * N], Q[ROWS * N], L[N * N], block[ROWS * N];
  nnb_rng rng;
  nnb_rng_init(&rng, 4, 0);
  for (int i = 0; i < ROWS * N; i++) Q[i] = B[i] = nnb_rng_normal(&rng);
  for (int at = 0, k = 0; at < ROWS; at += k) {
    k = at == 0 ? 9 : 33 < ROWS - at ? 33 : ROWS - at;
    for (int i = 0; i < k; i++)
      for (int j = 0; j < N; j++) block[j * k + i] = B[(at + i) * N + j];
    nnb__qr_add(N, k, L, N, block);
  }
  for (int j = 0; j < N; j++)
    for (int twice = 0; twice < 2; twice++)
      for (int c = 0; c < (j < N_C ? j : N_C); c++) {
        double dot_cj = 0, dot_cc = 0;
        for (int i = 0; i < ROWS; i++) dot_cj += Q[i * N + c] * Q[i * N + j], dot_cc += Q[i * N + c] * Q[i * N + c];
        for (int i = 0; i < ROWS; i++) Q[i * N + j] -= dot_cj / dot_cc * Q[i * N + c];
      }
  for (int a = N_C; a < N; a++)
    for (int b = N_C; b <= a; b++) {
      double want = 0, got = 0;
      for (int i = 0; i < ROWS; i++) want += Q[i * N + a] * Q[i * N + b];
      for (int i = N_C; i <= b; i++) got += L[a * N + i] * L[b * N + i];
      ck_assert_msg(fabs(got - want) < 1e-12 * ROWS, "(%d, %d): %.15g, projected %.15g", a, b, got, want);
    }
}
END_TEST

/* A = G·Gᵀ + I; its upper triangle must not be read. */
static void positive(int n, const double *G, double *A) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      A[i * n + j] = i == j;
      for (int c = 0; c < n && j <= i; c++) A[i * n + j] += G[i * n + c] * G[j * n + c];
      if (j > i) A[i * n + j] = (double)NAN;
    }
}

static double product_error(int n, const double *L, const double *A) {
  double worst = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double sum = 0;
      for (int c = 0; c <= j; c++) sum += L[i * n + c] * L[j * n + c];
      worst = fmax(worst, fabs(sum - A[i * n + j]) / sqrt(A[i * n + i] * A[j * n + j]));
      if (isnan(sum)) return HUGE_VAL;
    }
  return worst;
}

/* Sizes around whole blocks and vectors; then a pivot that is not positive, at every position. */
START_TEST(cholesky_at_every_level) {
  enum { SIZE = 80 };
  static double G[SIZE * SIZE], A[SIZE * SIZE], L[SIZE * SIZE + 1];
  const nnb__kernels *kernels;
  nnb_rng rng;
  nnb_rng_init(&rng, 7, 0);
  for (int i = 0; i < SIZE * SIZE; i++) G[i] = nnb_rng_normal(&rng);
  for (int level = 0; (kernels = nnb__kernel_level(level)); level++)
    for (int n = 0; n <= SIZE; n += n < 60 ? 1 : 7) {
      positive(n, G, A);
      memcpy(L, A, (size_t)(n * n) * sizeof *L);
      L[n * n] = 5;
      ck_assert_msg(kernels->cholesky(n, L), "%s: %d columns are not positive definite", kernels->level, n);
      const double error = product_error(n, L, A);
      ck_assert_msg(error <= 4e-16 * (n + 4), "%s, %d columns: off by %g", kernels->level, n, error);
      ck_assert_msg(L[n * n] == 5, "%s, %d columns: written behind A", kernels->level, n);
      for (int bad = n % 4; bad < n; bad += 1 + n / 4) {
        const double pivot = L[bad * n + bad] * L[bad * n + bad];
        for (int nan = 0; nan < 2; nan++) {
          static double B[SIZE * SIZE];
          memcpy(B, A, (size_t)(n * n) * sizeof *B);
          B[bad * n + bad] -= nan ? (double)NAN : 1.001 * pivot;
          ck_assert_msg(!kernels->cholesky(n, B), "%s, %d columns: pivot %d passed", kernels->level, n, bad);
        }
      }
    }
}
END_TEST

/* The largest difference of L·Lᵀ and L0·L0ᵀ + BᵀB, as a part of ‖column i‖·‖column j‖ of [L0ᵀ; B]. */
static double gram_error(int n, int k, const double *L, const double *L0, int ld, const double *B) {
  double worst = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double is = 0, want = 0, ii = 0, jj = 0;
      for (int c = 0; c <= j; c++) is += L[i * ld + c] * L[j * ld + c], want += L0[i * ld + c] * L0[j * ld + c];
      for (int c = 0; c < k; c++) want += B[i * k + c] * B[j * k + c];
      for (int c = 0; c <= i; c++)
        ii += L[i * ld + c] * L[i * ld + c], jj += c <= j ? L[j * ld + c] * L[j * ld + c] : 0;
      worst = fmax(worst, fabs(is - want) / (sqrt(ii) * sqrt(jj) + DBL_MIN));
    }
  return worst;
}

static void expect_qr(const nnb__kernels *kernels, int n, int k, nnb_rng *rng) {
  enum { SIZE = 41 * 45 };
  static double L[SIZE], L0[SIZE], B[SIZE], b[SIZE + 1];
  const int ld = n + n % 5;
  for (int i = 0; i < n * ld; i++) L[i] = i % ld <= i / ld ? nnb_rng_normal(rng) : 7;
  for (int i = 0; i < n * k; i++) B[i] = i / k % 7 == 3 ? 0 : nnb_rng_normal(rng); /* some columns are 0 */
  memcpy(L0, L, sizeof L), memcpy(b, B, sizeof B);
  b[n * k] = 5;
  kernels->qr(n, k, L, ld, b, 0, NULL, 0, NULL);
  const double error = gram_error(n, k, L, L0, ld, B);
  ck_assert_msg(error <= 4e-15 * (n + k), "%s, %d columns, %d rows: off by %g", kernels->level, n, k, error);
  ck_assert_msg(b[n * k] == 5, "%s, %d columns, %d rows: written behind B", kernels->level, n, k);
  for (int i = 0; i < n * ld; i++)
    ck_assert_msg(i % ld <= i / ld || L[i] == 7, "%s, %d columns, %d rows: written beside L", kernels->level, n, k);
}

START_TEST(rows_added_at_every_level) {
  const nnb__kernels *kernels;
  nnb_rng rng;
  nnb_rng_init(&rng, 5, 0);
  for (int level = 0; (kernels = nnb__kernel_level(level)); level++)
    for (int n = 0; n <= 40; n++)
      for (int k = 1 + n % 3; k <= 40; k += 3 + n % 5) expect_qr(kernels, n, k, &rng);
}
END_TEST

/* Läuchli's matrix [1 1 1; ε 0 0; 0 ε 0; 0 0 ε]: 1 + ε² rounds to 1, but R contains ε. */
START_TEST(digits_that_squares_lose) {
  const double e = 1e-9;
  const nnb__kernels *kernels;
  for (int level = 0; (kernels = nnb__kernel_level(level)); level++) {
    double L[9] = {0}, B[12] = {1, e, 0, 0, 1, 0, e, 0, 1, 0, 0, e};
    kernels->qr(3, 4, L, 3, B, 0, NULL, 0, NULL);
    ck_assert_msg(fabs(fabs(L[0]) - 1) < 1e-15, "%s: %.17g", kernels->level, L[0]);
    ck_assert_msg(fabs(fabs(L[4]) / (e * sqrt(2)) - 1) < 1e-6, "%s: %.17g", kernels->level, L[4]);
    ck_assert_msg(fabs(fabs(L[8]) / (e * sqrt(1.5)) - 1) < 1e-6, "%s: %.17g", kernels->level, L[8]);
  }
}
END_TEST

/* Right-hand sides are columns without reflections of their own: L of [R Z] gives the same.  There are few rows, so the
 * rank of B is exhausted and the rest of its columns is rounding error; sizes range from where squares underflow to
 * where they overflow. */
START_TEST(right_hand_sides_at_every_size) {
  enum { COLS = 23, RHS = 6, ALL = COLS + RHS };
  const nnb__kernels *kernels;
  nnb_rng rng;
  nnb_rng_init(&rng, 6, 0);
  for (int level = 0; (kernels = nnb__kernel_level(level)); level++)
    for (int k = 1; k < 40; k += 6)
      for (int e = -900; e <= 900; e += 300) {
        double L[ALL * ALL] = {0}, Z[ALL * RHS] = {0}, B[ALL * 40], b[ALL * 40];
        for (int i = 0; i < ALL * k; i++) b[i] = B[i] = ldexp(nnb_rng_normal(&rng), e);
        kernels->qr(ALL, k, L, ALL, b, 0, NULL, 0, NULL);
        double R[COLS * COLS] = {0};
        kernels->qr(COLS, k, R, COLS, B, RHS, Z, ALL, B + COLS * k);
        const double near = ldexp(1e-13, e);
        for (int i = 0; i < ALL; i++)
          for (int j = 0; j < COLS && j <= i; j++) {
            double is = i < COLS ? R[i * COLS + j] : Z[(i - COLS) * ALL + j];
            ck_assert_msg(fabs(is - L[i * ALL + j]) <= near, "%s, %d rows, 2^%d, row %d of column %d: %g, not %g",
                          kernels->level, k, e, j, i, is, L[i * ALL + j]);
          }
      }
}
END_TEST

START_TEST(rows_that_are_no_numbers) { /* the triangle shows them */
  const nnb__kernels *kernels;
  for (int level = 0; (kernels = nnb__kernel_level(level)); level++)
    for (int at = 0; at < 4; at++) {
      double L[4] = {1, 0, 1, 1}, B[4] = {1, 2, 3, 4};
      B[at] = at % 2 ? (double)NAN : (double)INFINITY;
      kernels->qr(2, 2, L, 2, B, 0, NULL, 0, NULL);
      ck_assert_msg(!isfinite(L[0]) || !isfinite(L[2]) || !isfinite(L[3]), "%s: %g in place %d left %g, %g, %g",
                    kernels->level, B[at], at, L[0], L[2], L[3]);
    }
}
END_TEST

/* X solves R·X = Z if R has full rank, for any scale of its columns; dependent columns share the solution. */
START_TEST(triangles_of_any_rank) {
  enum { K = 4, RHS = 2 };
  double L[K * K] = {2, 0, 0, 0, 1, 3e-9, 0, 0, -1, 1e-9, 5, 0, 0.5, 2e-9, 1, 4e7}, z[RHS * K], x[RHS * K];
  ck_assert_uint_le(nnb__solve_rank_work(K, RHS), 1000);
  double work[1000];
  int pivots[2 * K];
  for (int i = 0; i < RHS * K; i++) z[i] = x[i] = i - 3;
  ck_assert(nnb__solve_rank(K, L, K, RHS, x, K, 1e-14, work, pivots));
  for (int r = 0; r < RHS; r++)
    for (int i = 0; i < K; i++) {
      double sum = 0, size = 0;
      for (int j = i; j < K; j++) sum += L[j * K + i] * x[r * K + j], size += fabs(L[j * K + i] * x[r * K + j]);
      ck_assert_msg(fabs(sum - z[r * K + i]) <= 1e-14 * size, "row %d: %.15g, not %g", i, sum, z[r * K + i]);
    }
  double twin[4] = {2, 0, 2, 0}, y[2] = {6, 0}; /* R = [2 2; 0 0] */
  ck_assert(nnb__solve_rank(2, twin, 2, 1, y, 2, 1e-14, work, pivots));
  ck_assert_msg(fabs(y[0] - 1.5) < 1e-14 && fabs(y[1] - 1.5) < 1e-14, "%g, %g", y[0], y[1]);
}
END_TEST

/* LAPACK prints its errors; this function counts them. */
static int complaints;
void xerbla_(const char *name, const int *argument, size_t length);
void xerbla_(const char *name, const int *argument, size_t length) {
  fprintf(stderr, "%.*s: argument %d\n", (int)length, name, *argument);
  complaints++;
}

START_TEST(empty_triangles_are_fine) {
  double l[1] = {1}, y[1] = {1}, work[64];
  real a[1] = {1};
  int pivots[2];
  ck_assert(nnb__cholesky(0, l) && nnb__invert_positive(0, a));
  nnb__solve_factored(0, l, y);
  nnb__solve_lower(0, l, 3, y);
  ck_assert(nnb__inverse_squares(0, l) == 0 && nnb__log_det_factor(0, l) == 0);
  nnb__qr_add(0, 3, l, 1, y);
  ck_assert(nnb__solve_rank(0, l, 1, 1, y, 1, 1e-14, work, pivots));
  ck_assert_msg(complaints == 0, "LAPACK complained %d times, expected 0", complaints);
  ck_assert(l[0] == 1 && y[0] == 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create(sizeof(real) == sizeof(float) ? "lapack, single" : "lapack, double");
  TCase *tc = tcase_create("orthogonal");
  tcase_add_loop_test(tc, orthonormal_with_positive_diagonal, 0, N_SHAPES);
  tcase_add_test(tc, one_by_one_keeps_its_sign);
  tcase_add_test(tc, nothing_is_fine);
  tcase_add_test(tc, trailing_triangle_is_the_projected_part);
  tcase_add_test(tc, cholesky_at_every_level);
  tcase_add_test(tc, rows_added_at_every_level);
  tcase_add_test(tc, digits_that_squares_lose);
  tcase_add_test(tc, right_hand_sides_at_every_size);
  tcase_add_test(tc, rows_that_are_no_numbers);
  tcase_add_test(tc, triangles_of_any_rank);
  tcase_add_test(tc, empty_triangles_are_fine);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
