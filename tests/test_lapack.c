/* Orthogonal matrices: orthonormal, and the Q of the factorisation whose R has a positive diagonal. */
#include "support.h"

#include <math.h>
#include <string.h>

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

int main(void) {
  Suite *suite = suite_create(sizeof(real) == sizeof(float) ? "lapack, single" : "lapack, double");
  TCase *tc = tcase_create("orthogonal");
  tcase_add_loop_test(tc, orthonormal_with_positive_diagonal, 0, N_SHAPES);
  tcase_add_test(tc, one_by_one_keeps_its_sign);
  tcase_add_test(tc, nothing_is_fine);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
