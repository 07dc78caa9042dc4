/* Every activation of every level against long double, at special values, in place and with gaps between rows. */
#include "act.h"
#include "kernel_support.h"

/* ---- what is right ---- */

static long double f_linear(long double z) { return z; }
static long double f_step(long double z) { return isnan(z) ? z : z > 0; }
static long double f_sigmoid(long double z) { return z < 0 ? expl(z) / (1 + expl(z)) : 1 / (1 + expl(-z)); }
static long double f_tanh(long double z) { return tanhl(z); }
static long double f_relu(long double z) { return z < 0 ? 0 : z; }
static long double f_leaky(long double z) { return z > 0 ? z : (long double)(real)0.01 * z; }
static long double f_elu(long double z) { return z > 0 ? z : expm1l(z); }
static const long double scale = 1.0507009873554804934193349852946L, alpha = 1.6732632423543772848170429916717L;
static long double f_selu(long double z) { return scale * (z > 0 ? z : alpha * expm1l(z)); }
static long double phi(long double z) { return erfcl(-z * 0.70710678118654752440084436210485L) / 2; }
static long double f_gelu(long double z) { return z < -100 ? 0 : z * phi(z); }
static long double f_silu(long double z) { return z < -12000 ? 0 : z * f_sigmoid(z); }
static long double f_softplus(long double z) {
  return isinf(z) ? (z > 0 ? z : 0) : fmaxl(z, 0) + log1pl(expl(-fabsl(z)));
}

static long double d_linear(long double z) { return (void)z, 1; }
static long double d_step(long double z) { return (void)z, 0; }
static long double d_sigmoid(long double z) { return f_sigmoid(z) * f_sigmoid(-z); }
static long double d_tanh(long double z) { return 1 / (coshl(z) * coshl(z)); }
static long double d_relu(long double z) { return z > 0; }
static long double d_leaky(long double z) { return z > 0 ? 1 : 0.01L; }
static long double d_elu(long double z) { return z > 0 ? 1 : expl(z); }
static long double d_selu(long double z) { return scale * (z > 0 ? 1 : alpha * expl(z)); }
static long double d_gelu(long double z) {
  return fabsl(z) > 100 ? z > 0 : phi(z) + z * expl(-z * z / 2) * 0.39894228040143267793994605993438L;
}
static long double d_silu(long double z) {
  return fabsl(z) > 12000 ? z > 0 : f_sigmoid(z) + z * f_sigmoid(z) * f_sigmoid(-z);
}

/* ---- references ---- */

typedef struct known {
  nnb_activation act;
  long double (*f)(long double), (*slope)(long double);
  double ulps;  /* allowed error of the value */
  bool product; /* of z and a number that may be denormal: such values are correct to some denormal steps only */
} known;
static const known table[] = {
    {NNB_LINEAR, f_linear, d_linear, 0, false},
    {NNB_STEP, f_step, d_step, 0, false},
    {NNB_SIGMOID, f_sigmoid, d_sigmoid, 4, false},
    {NNB_TANH, f_tanh, d_tanh, 2, false},
    {NNB_RELU, f_relu, d_relu, 0, false},
    {NNB_LEAKY_RELU, f_leaky, d_leaky, 0.5, false},
    {NNB_ELU, f_elu, d_elu, 4, false},
    {NNB_SELU, f_selu, d_selu, 4, false},
    {NNB_GELU, f_gelu, d_gelu, 6, true},
    {NNB_SILU, f_silu, d_silu, 4, true},
    {NNB_SOFTPLUS, f_softplus, f_sigmoid, 4, false},
    /* ---- end of the table ---- */
};

static real grid[GRID], out[GRID], slope[GRID];

static const known *reference_of(nnb_activation act) {
  for (int k = 0; k < N_OF_TABLE(table); k++)
    if (table[k].act == act) return &table[k];
  return NULL;
}

static const nnb_act_ops *ops_of(int level, nnb_activation act) { return &nnb__kernel_level(level)->acts[act]; }
static void evaluate(const nnb_act_ops *ops, int n, const real *z, real *a, real *d) {
  ops->value(ops, nnb_cview(z, 1, n), nnb_view(a, 1, n));
  for (int k = 0; k < n; k++) d[k] = 1;
  ops->pull(ops, nnb_cview(z, 1, n), nnb_cview(a, 1, n), nnb_view(d, 1, n));
}

/* softmax_of_a_row checks whole rows; test_gradient checks the gradients of all. */
START_TEST(every_activation_has_a_row_and_a_reference) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    const nnb_act_ops *ops = ops_of(_i, (nnb_activation)k);
    ck_assert_str_eq(ops->name, nnb_activation_name((nnb_activation)k));
    ck_assert(ops->value && ops->pull);
    ck_assert_msg((ops->traits & NNB_ACT_ROWWISE) || reference_of((nnb_activation)k),
                  "%s has no reference: add a row to the table of test_act.c", ops->name);
  }
}
END_TEST

/* The error of the references: where long double is double, erfc is off by thousands of ulp far out. */
static double reference_ulps(void) { return long_double_is_longer() || sizeof(real) < sizeof(double) ? 0 : 1e4; }

static bool value_is_right(const known *f, real z, real a) {
  long double want = f->f(z);
  if (ulps(a, want) <= f->ulps + reference_ulps()) return true;
  return f->product && fabsl(want) < 1000 * (long double)REAL_MIN &&
         fabsl(a - want) <= 1000 * (long double)REAL_MIN * REAL_EPS;
}

START_TEST(values_over_a_grid) {
  static const real reach[] = {4, 30, 800, REAL_MAX};
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    double worst = 0;
    for (int r = 0; r < N_OF_TABLE(reach); r++) {
      int n = make_grid(-reach[r] / 2, reach[r] / 2, grid);
      evaluate(ops_of(_i, table[k].act), n, grid, out, slope);
      for (int j = 0; j < n; j++) {
        expect(value_is_right(&table[k], grid[j], out[j]), "%s %s(%a): expected %La, got %a, %g ulp apart",
               nnb__kernel_level(_i)->level, nnb_activation_name(table[k].act), (double)grid[j], table[k].f(grid[j]),
               (double)out[j], ulps(out[j], table[k].f(grid[j])));
        if (fabsl(table[k].f(grid[j])) > 1000 * (long double)REAL_MIN)
          worst = fmax(worst, ulps(out[j], table[k].f(grid[j])));
      }
    }
    if (getenv("SHOW")) printf("%s %s %g\n", nnb__kernel_level(_i)->level, nnb_activation_name(table[k].act), worst);
  }
}
END_TEST

/* Slopes are computed from rounded activations, so the error is some roundings of a number of size 1. */
START_TEST(slopes_over_a_grid) {
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    static const real reach[] = {8, 80, 2000};
    for (int r = 0; r < N_OF_TABLE(reach); r++) {
      int n = make_grid(-reach[r] / 2, reach[r] / 2, grid);
      evaluate(ops_of(_i, table[k].act), n, grid, out, slope);
      for (int j = 0; j < n; j++) {
        long double want = table[k].slope(grid[j]);
        expect(fabsl(slope[j] - want) <= 4 * (long double)REAL_EPS, "%s %s'(%a): expected %Lg, got %g",
               nnb__kernel_level(_i)->level, nnb_activation_name(table[k].act), (double)grid[j], want,
               (double)slope[j]);
      }
    }
  }
}
END_TEST

START_TEST(slopes_are_differences) {
  const real h = sizeof(real) == sizeof(double) ? (real)1e-5 : (real)1e-2;
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    for (real z = (real)-5.03; z < 5; z += (real)0.1) {
      real at[3] = {z - h, z + h, z}, a[3], d[3];
      evaluate(ops_of(_i, table[k].act), 3, at, a, d);
      double want = ((double)a[1] - (double)a[0]) / ((double)at[1] - (double)at[0]);
      expect(fabs((double)d[2] - want) < (sizeof(real) == sizeof(double) ? 1e-9 : 1e-4),
             "%s'(%g): difference %g, slope %g", nnb_activation_name(table[k].act), (double)z, want, (double)d[2]);
    }
  }
}
END_TEST

/* ---- special values ---- */

#define INF ((real)INFINITY)
typedef struct special {
  nnb_activation act;
  real z, a, slope;
} special;
static const special specials[] = {
    {NNB_LINEAR, INF, INF, 1},
    {NNB_LINEAR, -INF, -INF, 1},
    {NNB_STEP, 0, 0, 0},
    {NNB_STEP, (real)-0., 0, 0},
    {NNB_STEP, INF, 1, 0},
    {NNB_STEP, -INF, 0, 0},
    {NNB_SIGMOID, 0, 0.5, 0.25},
    {NNB_SIGMOID, (real)-0., 0.5, 0.25},
    {NNB_SIGMOID, 40, 1, 0},
    {NNB_SIGMOID, INF, 1, 0},
    {NNB_SIGMOID, -INF, 0, 0},
    {NNB_SIGMOID, -REAL_MAX, 0, 0},
    {NNB_TANH, 0, 0, 1},
    {NNB_TANH, (real)-0., (real)-0., 1},
    {NNB_TANH, 30, 1, 0},
    {NNB_TANH, INF, 1, 0},
    {NNB_TANH, -INF, -1, 0},
    {NNB_TANH, REAL_MIN, REAL_MIN, 1},
    {NNB_RELU, 0, 0, 0},
    {NNB_RELU, INF, INF, 1},
    {NNB_RELU, -INF, 0, 0},
    {NNB_LEAKY_RELU, 0, 0, (real)0.01},
    {NNB_LEAKY_RELU, INF, INF, 1},
    {NNB_LEAKY_RELU, -INF, -INF, (real)0.01},
    {NNB_ELU, 0, 0, 1},
    {NNB_ELU, INF, INF, 1},
    {NNB_ELU, -INF, -1, 0},
    {NNB_SELU, INF, INF, (real)1.0507009873554804934},
    {NNB_SELU, -INF, (real)-1.7580993408473768599, 0},
    {NNB_GELU, 0, 0, 0.5},
    {NNB_GELU, INF, INF, 1},
    {NNB_GELU, -INF, 0, 0},
    {NNB_GELU, REAL_MAX, REAL_MAX, 1},
    {NNB_SILU, 0, 0, 0.5},
    {NNB_SILU, INF, INF, 1},
    {NNB_SILU, -INF, 0, 0},
    {NNB_SILU, -REAL_MAX, 0, 0},
    {NNB_SOFTPLUS, INF, INF, 1},
    {NNB_SOFTPLUS, -INF, 0, 0},
    {NNB_SOFTPLUS, 0, (real)0.69314718055994530942, 0.5},
    {NNB_SOFTPLUS, REAL_MAX, REAL_MAX, 1},
};

START_TEST(special_values) {
  for (int k = 0; k < N_OF_TABLE(specials); k++) {
    const special *s = &specials[k];
    real a, d;
    evaluate(ops_of(_i, s->act), 1, &s->z, &a, &d);
    const char *name = nnb_activation_name(s->act);
    expect(ulps(a, s->a) <= 1, "%s(%g): expected %a, got %a", name, (double)s->z, (double)s->a, (double)a);
    expect(ulps(d, s->slope) <= 2 || fabs((double)(d - s->slope)) < 1e-15, "%s'(%g): expected %a, got %a", name,
           (double)s->z, (double)s->slope, (double)d);
    if (s->act == NNB_TANH) ck_assert(signbit(a) == signbit(s->a));
  }
}
END_TEST

START_TEST(nan_stays_nan) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    real z[3] = {1, (real)NAN, 2}, a[3], d[3];
    evaluate(ops_of(_i, (nnb_activation)k), 3, z, a, d);
    expect(isnan(a[1]), "%s(NaN) is %g", nnb_activation_name((nnb_activation)k), (double)a[1]);
    if (!(ops_of(_i, (nnb_activation)k)->traits & NNB_ACT_ROWWISE)) ck_assert(!isnan(a[0]) && !isnan(a[2]));
  }
}
END_TEST

/* ---- identities and published values ---- */

/* x, sigmoid, its slope, tanh, its slope */
static const double published[][5] = {
    {-30, 9.357622968839299e-14, 9.357622968838424e-14, -1, 0},
    {-5, 0.0066928509242848554, 0.0066480566707901555, -0.9999092042625951, 0.0001815832309438603},
    {-2, 0.11920292202211755, 0.10499358540350649, -0.9640275800758169, 0.07065082485316443},
    {-1, 0.2689414213699951, 0.19661193324148185, -0.7615941559557649, 0.41997434161402614},
    {-0.5, 0.3775406687981454, 0.2350037122015945, -0.46211715726000974, 0.7864477329659274},
    {0, 0.5, 0.25, 0, 1},
    {0.5, 0.6224593312018546, 0.2350037122015945, 0.46211715726000974, 0.7864477329659274},
    {1, 0.7310585786300049, 0.19661193324148185, 0.7615941559557649, 0.41997434161402614},
    {2, 0.8807970779778823, 0.10499358540350649, 0.9640275800758169, 0.07065082485316443},
    {5, 0.9933071490757153, 0.0066480566707901555, 0.9999092042625951, 0.0001815832309438603},
    {30, 0.9999999999999065, 9.357622968838424e-14, 1, 0},
};

START_TEST(published_values) {
  const double tol = 5 * (double)REAL_EPS;
  for (int k = 0; k < N_OF_TABLE(published); k++) {
    const double *row = published[k];
    real x = (real)row[0], a, d;
    evaluate(ops_of(_i, NNB_SIGMOID), 1, &x, &a, &d);
    ck_assert_double_eq_tol((double)a, row[1], tol * row[1]);
    ck_assert_double_eq_tol((double)d, row[2], tol);
    evaluate(ops_of(_i, NNB_TANH), 1, &x, &a, &d);
    ck_assert_double_eq_tol((double)a, row[3], tol * fabs(row[3]) + 1e-300);
    ck_assert_double_eq_tol((double)d, row[4], tol);
  }
}
END_TEST

START_TEST(identities) {
  for (real x = 0; x < 50; x += (real)0.37) {
    real z[2] = {x, -x}, a[2], d[2];
    evaluate(ops_of(_i, NNB_TANH), 2, z, a, d);
    expect(same_bits(a[0], -a[1]), "tanh is not odd at %g", (double)x);
    evaluate(ops_of(_i, NNB_SIGMOID), 2, z, a, d);
    ck_assert_double_eq_tol((double)(a[0] + a[1]), 1, 2 * (double)REAL_EPS);
    ck_assert_double_eq_tol((double)d[0], (double)d[1], (double)REAL_EPS);
    ck_assert_double_eq_tol((double)d[0], (double)a[0] * (1 - (double)a[0]), (double)REAL_EPS);
  }
}
END_TEST

/* A denser grid, because one level computes tanh from a table of intervals. */
START_TEST(tanh_in_small_steps) {
  for (int from = 0; from < 12 << 16; from += GRID) {
    for (int k = 0; k < GRID; k++) grid[k] = (real)(from + k) / 65536;
    evaluate(ops_of(_i, NNB_TANH), GRID, grid, out, slope);
    for (int k = 0; k < GRID; k++)
      expect(out[k] <= 1 && ulps(out[k], tanhl(grid[k])) <= 2 + reference_ulps(), "%s tanh(%a): expected %La, got %a",
             nnb__kernel_level(_i)->level, (double)grid[k], tanhl(grid[k]), (double)out[k]);
  }
}
END_TEST

/* ---- shapes ---- */

enum { LONGEST = 70, ROWS = 3, GAP = 5 };
static const real untouched = (real)-12345.5;

/* Row i of a matrix with gaps must be the result of that row alone (to rounding: two loops may contract different
 * products to FMA), and the gaps must not change.  In place, pull has no z, unless the activation needs it. */
static void check_rows(const nnb_act_ops *ops, int n, bool in_place) {
  real z[ROWS * (LONGEST + GAP)], a[ROWS * (LONGEST + GAP)], d[ROWS * (LONGEST + GAP)];
  int ld = n + GAP;
  uint64_t state = (uint64_t)n + 1;
  for (int k = 0; k < ROWS * ld; k++)
    z[k] = k % ld < n ? 5 * noise(&state) : untouched, a[k] = in_place ? z[k] : untouched;
  for (int k = 0; k < ROWS * ld; k++) d[k] = k % ld < n ? 1 : untouched;
  nnb_cmat from = {in_place ? a : z, ROWS, n, ld}, values = {a, ROWS, n, ld};
  ops->value(ops, from, (nnb_mat){a, ROWS, n, ld});
  const bool needs_z = ops->traits & NNB_ACT_NEEDS_Z;
  ops->pull(ops, (nnb_cmat){in_place && !needs_z ? a : z, ROWS, n, ld}, values, (nnb_mat){d, ROWS, n, ld});
  for (int i = 0; i < ROWS; i++) {
    real alone[LONGEST], slope_alone[LONGEST];
    evaluate(ops, n, z + i * ld, alone, slope_alone);
    for (int j = 0; j < ld; j++) {
      real want = j < n ? alone[j] : untouched, want_slope = j < n ? slope_alone[j] : untouched;
      expect(j < n ? ulps(a[i * ld + j], want) <= 4 : same_bits(a[i * ld + j], want),
             "%s, %d columns, row %d column %d: expected %a, got %a", ops->name, n, i, j, (double)want,
             (double)a[i * ld + j]);
      expect(j < n ? fabs((double)(d[i * ld + j] - want_slope)) <= 4 * (double)REAL_EPS
                   : same_bits(d[i * ld + j], want_slope),
             "%s', %d columns, row %d column %d: expected %a, got %a", ops->name, n, i, j, (double)want_slope,
             (double)d[i * ld + j]);
    }
  }
}

START_TEST(rows_gaps_and_in_place) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    for (int n = 0; n <= LONGEST; n++) {
      check_rows(ops_of(_i, (nnb_activation)k), n, false);
      check_rows(ops_of(_i, (nnb_activation)k), n, true);
    }
  }
}
END_TEST

START_TEST(without_gaps_as_with) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    const nnb_act_ops *ops = ops_of(_i, (nnb_activation)k);
    real z[7 * 13], flat[7 * 13], gap[7 * 20];
    uint64_t state = 3;
    for (int j = 0; j < 7 * 13; j++) z[j] = 4 * noise(&state);
    ops->value(ops, nnb_cview(z, 7, 13), nnb_view(flat, 7, 13));
    ops->value(ops, nnb_cview(z, 7, 13), (nnb_mat){gap, 7, 13, 20});
    for (int i = 0; i < 7; i++) {
      for (int j = 0; j < 13; j++) ck_assert_double_le(ulps(flat[i * 13 + j], gap[i * 20 + j]), 4);
    }
  }
}
END_TEST

/* ---- softmax ---- */

static void softmax_right(int n, const real *z, long double *p) {
  long double m = z[0], sum = 0;
  for (int j = 1; j < n; j++) m = fmaxl(m, z[j]);
  for (int j = 0; j < n; j++) sum += p[j] = expl(z[j] - m);
  for (int j = 0; j < n; j++) p[j] /= sum;
}

START_TEST(softmax_of_a_row) {
  const nnb_act_ops *ops = ops_of(_i, NNB_SOFTMAX);
  for (int n = 1; n <= LONGEST; n++) {
    for (int size = 1; size <= 1000; size *= 10) {
      real z[LONGEST], a[LONGEST], d[LONGEST], moved[LONGEST], g[LONGEST];
      long double p[LONGEST], dot = 0, sum = 0;
      uint64_t state = (uint64_t)n;
      for (int j = 0; j < n; j++) z[j] = (real)size * noise(&state), g[j] = d[j] = noise(&state);
      ops->value(ops, nnb_cview(z, 1, n), nnb_view(a, 1, n));
      softmax_right(n, z, p);
      for (int j = 0; j < n; j++) {
        sum += a[j], dot += p[j] * g[j];
        expect(fabsl(a[j] - p[j]) <= p[j] * (8 + 2 * size) * (long double)REAL_EPS + (long double)REAL_MIN,
               "softmax of %d: expected %Lg, got %g", n, p[j], (double)a[j]);
        moved[j] = z[j] + 64 * (real)size;
      }
      ck_assert_double_eq_tol((double)sum, 1, 4 * (double)REAL_EPS);
      ops->pull(ops, nnb_cview(z, 1, n), nnb_cview(a, 1, n), nnb_view(d, 1, n));
      for (int j = 0; j < n; j++)
        ck_assert_double_eq_tol((double)d[j], (double)(p[j] * (g[j] - dot)), 16 * (double)REAL_EPS);
      ops->value(ops, nnb_cview(moved, 1, n), nnb_view(moved, 1, n));
      for (int j = 0; j < n; j++)
        ck_assert_double_eq_tol((double)moved[j], (double)a[j], 100. * size * (double)REAL_EPS);
    }
  }
}
END_TEST

START_TEST(softmax_of_infinities) {
  const nnb_act_ops *ops = ops_of(_i, NNB_SOFTMAX);
  real z[4][3] = {{1, INF, 2}, {INF, -INF, INF}, {-INF, 0, -INF}, {-INF, -INF, -INF}};
  const real want[3][3] = {{0, 1, 0}, {0.5, 0, 0.5}, {0, 1, 0}};
  ops->value(ops, nnb_cview(z[0], 4, 3), nnb_view(z[0], 4, 3));
  for (int k = 0; k < 9; k++) ck_assert_double_eq((double)z[k / 3][k % 3], (double)want[k / 3][k % 3]);
  for (int j = 0; j < 3; j++) ck_assert(isnan(z[3][j]));
}
END_TEST

START_TEST(levels_agree) {
  for (int k = 0; k < NNB_N_ACTIVATIONS; k++) {
    real z[LONGEST], a[LONGEST], d[LONGEST], plain[LONGEST], plain_d[LONGEST];
    uint64_t state = 11;
    for (int j = 0; j < LONGEST; j++) z[j] = 6 * noise(&state);
    evaluate(ops_of(0, (nnb_activation)k), LONGEST, z, plain, plain_d);
    evaluate(ops_of(_i, (nnb_activation)k), LONGEST, z, a, d);
    for (int j = 0; j < LONGEST; j++) {
      ck_assert_double_le(ulps(a[j], plain[j]), 8);
      ck_assert_double_eq_tol((double)d[j], (double)plain_d[j], 8 * (double)REAL_EPS);
    }
  }
}
END_TEST

START_TEST(the_best_level_is_chosen) {
  const nnb__kernels *best = nnb__kernel_level(n_levels() - 1);
  ck_assert_ptr_eq(nnb__kernel(), best);
  ck_assert_ptr_eq(nnb__act(NNB_TANH), &best->acts[NNB_TANH]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("activations");
  TCase *levels = tcase_create("each level");
  const TTest *tests[] = {every_activation_has_a_row_and_a_reference,
                          values_over_a_grid,
                          slopes_over_a_grid,
                          slopes_are_differences,
                          special_values,
                          nan_stays_nan,
                          published_values,
                          identities,
                          tanh_in_small_steps,
                          rows_gaps_and_in_place,
                          without_gaps_as_with,
                          softmax_of_a_row,
                          softmax_of_infinities,
                          levels_agree};
  for (int k = 0; k < N_OF_TABLE(tests); k++) tcase_add_loop_test(levels, tests[k], 0, n_levels());
  tcase_add_test(levels, the_best_level_is_chosen);
  suite_add_tcase(suite, levels);
  return run_suite(suite);
}
