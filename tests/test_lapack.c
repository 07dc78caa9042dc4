/* Orthogonal matrices: orthonormal, and the Q of the factorisation whose R has a positive diagonal. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "blas.h"
#include "lapack.h"

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
    ck_assert(nnb__orthogonalize((nnb_mat){q, rows, cols, cols}, work));
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
  ck_assert(nnb__orthogonalize((nnb_mat){&a, 1, 1, 1}, work));
  ck_assert_msg(a == -1, "%g", (double)a);
}
END_TEST

START_TEST(nothing_is_fine) {
  real work[1];
  ck_assert_uint_eq(nnb__orthogonal_work(0, 4), 0);
  ck_assert(nnb__orthogonalize((nnb_mat){NULL, 0, 4, 4}, work));
  ck_assert(nnb__orthogonalize((nnb_mat){NULL, 4, 0, 0}, work));
}
END_TEST

/* ---- triangles: always double ----------------------------------------------------------------------------------- */

enum { ROWS = 70, N_C = 5, N_A = 7, N = N_C + N_A + 1 };

/* Of [J_c J_a r] = Q·R, folded block by block: R_aaᵀR_aa = J_aᵀPJ_a and R_aaᵀR_ar = J_aᵀPr, where P = I - J_c·J_c⁺ is
 * made by Gram and Schmidt, twice (Kaufman 1975). */
START_TEST(trailing_triangle_is_the_projected_part) {
  static double B[ROWS * N], Q[ROWS * N], L[N * N], block[ROWS * N], work[64 * N];
  nnb_rng rng;
  nnb_rng_init(&rng, 4, 0);
  ck_assert_uint_le(nnb__qr_work(N), 64 * N);
  for (int i = 0; i < ROWS * N; i++) Q[i] = B[i] = nnb_rng_normal(&rng);
  for (int at = 0, k = 0; at < ROWS; at += k) {
    k = at == 0 ? 9 : 33 < ROWS - at ? 33 : ROWS - at;
    for (int i = 0; i < k; i++)
      for (int j = 0; j < N; j++) block[j * k + i] = B[(at + i) * N + j];
    ck_assert(nnb__qr_add(N, k, L, N, block, work));
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

/* X solves R·X = Z where R has full rank, however its columns are scaled; of a dependent column both get their share.
 */
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

/* LAPACK prints its complaints; here they count. */
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
  ck_assert(nnb__qr_add(0, 3, l, 1, y, work) && nnb__solve_rank(0, l, 1, 1, y, 1, 1e-14, work, pivots));
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
  tcase_add_test(tc, triangles_of_any_rank);
  tcase_add_test(tc, empty_triangles_are_fine);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
