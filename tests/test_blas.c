/* The matrix products against the sums that define them. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "blas.h"

enum { GAP = 3, MOST = 260 };
static const real UNTOUCHED = 77;

typedef struct matrix { /* a view with gaps between its rows */
  real *p;
  int rows, cols, ld;
} matrix;

static uint64_t seed = 1;
static real draw(void) { /* quarters in [-2, 2): sums of products are exact in either precision */
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (real)((int)((seed >> 33) % 16) - 8) / 4;
}

static matrix fresh(int rows, int cols) {
  matrix m = {NULL, rows, cols, cols + GAP};
  size_t n = (size_t)(rows + 1) * (size_t)m.ld;
  m.p = malloc(n * sizeof *m.p);
  ck_assert_ptr_nonnull(m.p);
  for (size_t i = 0; i < n; i++) m.p[i] = UNTOUCHED;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) m.p[i * m.ld + j] = draw();
  return m;
}

static nnb_mat view(matrix m) { return (nnb_mat){m.p, m.rows, m.cols, m.ld}; }
static nnb_cmat read_view(matrix m) { return (nnb_cmat){m.p, m.rows, m.cols, m.ld}; }
static double at(matrix m, char t, int i, int j) { return (double)(t == 'T' ? m.p[j * m.ld + i] : m.p[i * m.ld + j]); }

static void check_product(char ta, char tb, int m, int n, int k, double alpha, double beta, bool nan_before) {
  matrix a = ta == 'T' ? fresh(k, m) : fresh(m, k), b = tb == 'T' ? fresh(n, k) : fresh(k, n), c = fresh(m, n);
  double *want = malloc(((size_t)m * (size_t)n + 1) * sizeof *want);
  ck_assert_ptr_nonnull(want);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      double sum = 0;
      for (int l = 0; l < k; l++) sum += at(a, ta, i, l) * at(b, tb, l, j);
      want[i * n + j] = alpha * sum + (beta == 0 ? 0 : beta * at(c, 'N', i, j));
      if (nan_before) c.p[i * c.ld + j] = (real)NAN;
    }
  nnb__gemm(ta, tb, (real)alpha, read_view(a), read_view(b), (real)beta, view(c));
  for (int i = 0; i <= m; i++)
    for (int j = 0; j < c.ld; j++) {
      double w = i < m && j < n ? want[i * n + j] : (double)UNTOUCHED, got = (double)c.p[i * c.ld + j];
      double tolerance = 4 * (double)REAL_EPS * (1 + fabs(w)); /* the sums are exact but for the last products */
      if (!(fabs(got - w) <= tolerance)) /* Check's asserts write a record each; these are millions */
        ck_abort_msg("%c%c %dx%dx%d alpha %g beta %g: (%d, %d) is %.17g, not %.17g", ta, tb, m, n, k, alpha, beta, i, j,
                     got, w);
    }
  free(a.p), free(b.p), free(c.p), free(want);
}

static const char transpose[4][2] = {{'N', 'N'}, {'N', 'T'}, {'T', 'N'}, {'T', 'T'}};
static const double factor[] = {0, 1, -1, 0.5};

static void check_factors(char ta, char tb, int m, int n, int k) {
  for (size_t x = 0; x < 4; x++)
    for (size_t y = 0; y < 4; y++) check_product(ta, tb, m, n, k, factor[x], factor[y], false);
  check_product(ta, tb, m, n, k, 1, 0, true);
  check_product(ta, tb, m, n, k, -0.5, 0, true);
}

START_TEST(small_products) {
  const char *t = transpose[_i];
  for (int m = 0; m <= 9; m++)
    for (int n = 0; n <= 9; n++)
      for (int k = 0; k <= 9; k++) check_factors(t[0], t[1], m, n, k);
}
END_TEST

START_TEST(larger_products) {
  static const int size[][3] = {{1, 30, 784},    {784, 30, 1},   {1, 300, 20}, {1, 300, 40},
                                {MOST, MOST, 1}, {MOST, 253, 1}, {33, 17, 65}, {7, 10, 1100},
                                {1, 1, 2000},    {64, 64, 64},   {129, 1, 77}, {100, 130, MOST}};
  const char *t = transpose[_i];
  for (size_t s = 0; s < sizeof size / sizeof *size; s++) check_factors(t[0], t[1], size[s][0], size[s][1], size[s][2]);
}
END_TEST

START_TEST(empty_views_need_no_memory) {
  real c[4] = {1, 2, 3, 4};
  nnb__gemm('N', 'N', 1, (nnb_cmat){NULL, 2, 0, 0}, (nnb_cmat){NULL, 0, 2, 2}, (real)0.5, (nnb_mat){c, 2, 2, 2});
  for (int i = 0; i < 4; i++) ck_assert(c[i] == (real)0.5 * (real)(i + 1));
  nnb__gemm('N', 'N', 1, (nnb_cmat){NULL, 0, 3, 3}, (nnb_cmat){NULL, 3, 0, 0}, 0, (nnb_mat){NULL, 0, 0, 0});
}
END_TEST

START_TEST(axpy_adds) {
  real x[37], y[37];
  for (int n = 0; n <= 37; n++) {
    for (int i = 0; i < 37; i++) x[i] = (real)i, y[i] = 1;
    nnb__axpy((size_t)n, (real)0.5, x, y);
    for (int i = 0; i < 37; i++) ck_assert_msg(y[i] == (i < n ? 1 + (real)0.5 * (real)i : 1), "n %d, entry %d", n, i);
  }
}
END_TEST

START_TEST(sum_of_squares) {
  real x[41];
  for (size_t n = 0; n <= 41; n++) {
    double want = 0;
    for (size_t i = 0; i < n; i++) x[i] = (real)((double)i - 20), want += ((double)i - 20) * ((double)i - 20);
    ck_assert_double_eq(nnb__sum_squares(n, x), want);
  }
  real large[20]; /* their squares are beyond a float */
  for (int i = 0; i < 20; i++) large[i] = (real)1e30;
  double got = nnb__sum_squares(20, large), want = 20 * (double)large[0] * (double)large[0];
  ck_assert_msg(fabs(got - want) <= 1e-14 * want, "%g, not %g", got, want);
  large[7] = (real)NAN;
  ck_assert(isnan(nnb__sum_squares(20, large)));
}
END_TEST

int main(void) {
  Suite *suite = suite_create(sizeof(real) == sizeof(float) ? "blas, single" : "blas, double");
  TCase *tc = tcase_create("products");
  tcase_add_loop_test(tc, small_products, 0, 4);
  tcase_add_loop_test(tc, larger_products, 0, 4);
  tcase_add_test(tc, empty_views_need_no_memory);
  tcase_add_test(tc, axpy_adds);
  tcase_add_test(tc, sum_of_squares);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
