/* The row kernels of every level this processor runs. */
#include "kernel_support.h"

static real grid[GRID], out[GRID];

START_TEST(levels_have_names) {
  static const char *const names[] = {"plain", "v2", "v3", "v4"};
  ck_assert_int_ge(n_levels(), 1);
  ck_assert_str_eq(nnb__kernel_level(_i)->level, names[_i]);
  ck_assert_ptr_null(nnb__kernel_level(n_levels()));
  ck_assert_ptr_null(nnb__kernel_level(-1));
}
END_TEST

START_TEST(exp_over_a_grid) {
  static const real reach[] = {1, 40, 2000, REAL_MAX};
  for (int r = 0; r < N_OF_TABLE(reach); r++) {
    int n = make_grid(-reach[r] / 2, reach[r] / 2, grid);
    nnb__kernel_level(_i)->exp((size_t)n, grid, out);
    for (int k = 0; k < n; k++) {
      expect(ulps(out[k], expl(grid[k])) <= 2, "exp(%a): expected %La, got %a", (double)grid[k], expl(grid[k]),
             (double)out[k]);
    }
  }
}
END_TEST

START_TEST(exp_of_special_values) {
  const real x[] = {0, (real)-0., (real)INFINITY, (real)-INFINITY, (real)NAN};
  real y[5];
  nnb__kernel_level(_i)->exp(5, x, y);
  ck_assert(y[0] == 1 && y[1] == 1 && isinf(y[2]) && y[2] > 0 && same_bits(y[3], 0) && isnan(y[4]));
}
END_TEST

START_TEST(log_over_a_grid) {
  static const real reach[] = {2, 100, REAL_MAX};
  for (int r = 0; r < N_OF_TABLE(reach); r++) {
    int n = make_grid(REAL_MIN, reach[r], grid);
    nnb__kernel_level(_i)->log((size_t)n, grid, out);
    for (int k = 0; k < n; k++) {
      expect(ulps(out[k], logl(grid[k])) <= 4, "log(%a): expected %La, got %a", (double)grid[k], logl(grid[k]),
             (double)out[k]);
    }
  }
  const real x[] = {1, (real)INFINITY, (real)NAN};
  nnb__kernel_level(_i)->log(3, x, out);
  ck_assert(out[0] == 0 && isnan(out[1]) && isnan(out[2]));
}
END_TEST

/* ---- rows ---- */

enum { MOST = 200, GAP = 3 };
static const real untouched = (real)-777.25;

START_TEST(col_sums_sum) {
  static real m[21 * (MOST + GAP)], b[MOST + 1];
  for (int cols = 0; cols <= MOST; cols += cols < 70 ? 1 : 13) {
    for (int rows = 0; rows <= 21; rows += 1 + rows / 5) {
      for (int beta = 0; beta < 2; beta++) {
        int ld = cols + GAP;
        uint64_t state = (uint64_t)(cols + 1000 * rows);
        for (int k = 0; k < rows * ld; k++) m[k] = k % ld < cols ? noise(&state) : (real)NAN;
        for (int j = 0; j <= cols; j++) b[j] = j == cols ? untouched : beta ? (real)j : (real)NAN;
        nnb__kernel_level(_i)->col_sums((nnb_cmat){m, rows, cols, ld}, (real)0.5, (real)(3 * beta), b);
        for (int j = 0; j < cols; j++) {
          double want = 3. * beta * j;
          for (int i = 0; i < rows; i++) want += 0.5 * (double)m[i * ld + j];
          expect(fabs((double)b[j] - want) <= 40 * (double)REAL_EPS * (1 + fabs(want)),
                 "%d×%d, column %d: expected %g, got %g", rows, cols, j, want, (double)b[j]);
        }
        ck_assert(same_bits(b[cols], untouched));
      }
    }
  }
}
END_TEST

/* Masks of dropout are the numbers of nnb_rng_u32, at every level. */
START_TEST(masks_are_of_the_generator) {
  static real mask[MOST + 1];
  for (int n = 0; n <= MOST; n += 7) {
    const uint64_t seed = 0x9E3779B97F4A7C15u * (uint64_t)(n + 1), stream = ~(uint64_t)n << 20;
    nnb_rng rng;
    nnb_rng_init(&rng, seed, stream);
    mask[n] = untouched;
    nnb__kernel_level(_i)->layer_rows->mask(seed, stream, 0x60000000u, (real)1.5, n, mask);
    for (int j = 0; j < n; j++) ck_assert(mask[j] == (nnb_rng_u32(&rng) < 0x60000000u ? 0 : (real)1.5));
    ck_assert(same_bits(mask[n], untouched));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernels");
  TCase *levels = tcase_create("each level");
  const TTest *tests[] = {levels_have_names, exp_over_a_grid, exp_of_special_values,
                          log_over_a_grid,   col_sums_sum,    masks_are_of_the_generator};
  for (int k = 0; k < N_OF_TABLE(tests); k++) tcase_add_loop_test(levels, tests[k], 0, n_levels());
  suite_add_tcase(suite, levels);
  return run_suite(suite);
}
