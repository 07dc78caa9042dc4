/* Every loss of every level against its formula in long double; fused losses against activation and loss one after the
 * other; labels against unit vectors; weights; in place; gaps between rows; extreme logits. */
#include "kernel_support.h"
#include "loss.h"

enum { ROWS = 7, MOST = 40, GAP = 3, SPACE = ROWS * (MOST + GAP) };
static const real untouched = (real)-777.25;

static const nnb_loss_ops *loss_of(int level, nnb_loss loss) { return &nnb__kernel_level(level)->losses[loss]; }
static const nnb_act_ops *act_of(int level, nnb_activation act) { return &nnb__kernel_level(level)->acts[act]; }

/* ---- expected values: a term and its slope by a ------------------------------------------------------------------ */

static long double half_sse(long double a, long double t) { return (a - t) * (a - t) / 2; }
static long double half_sse_slope(long double a, long double t) { return a - t; }
static long double sse(long double a, long double t) { return (a - t) * (a - t); }
static long double sse_slope(long double a, long double t) { return 2 * (a - t); }
static long double mae(long double a, long double t) { return fabsl(a - t); }
static long double mae_slope(long double a, long double t) { return (a > t) - (a < t); }
static long double huber(long double a, long double t) {
  long double r = fabsl(a - t);
  return r <= 1 ? r * r / 2 : r - 0.5L;
}
static long double huber_slope(long double a, long double t) { return fmaxl(-1, fminl(1, a - t)); }
static long double binary(long double a, long double t) { return -t * logl(a) - (1 - t) * logl(1 - a); }
static long double binary_slope(long double a, long double t) { return (a - t) / (a * (1 - a)); }
static long double cross(long double a, long double t) { return -t * logl(a); }
static long double cross_slope(long double a, long double t) { return -t / a; }

/* ---- references ---- */

typedef struct known {
  nnb_loss loss;
  unsigned traits;
  long double (*term)(long double, long double), (*slope)(long double, long double);
} known;
static const known table[] = {
    {NNB_HALF_SSE, 0, half_sse, half_sse_slope},
    {NNB_SSE, 0, sse, sse_slope},
    {NNB_MSE, NNB_LOSS_MEAN_ALL, sse, sse_slope},
    {NNB_MAE, NNB_LOSS_MEAN_ALL, mae, mae_slope},
    {NNB_HUBER, NNB_LOSS_MEAN_ALL, huber, huber_slope},
    {NNB_BINARY_CROSS_ENTROPY, NNB_LOSS_MEAN_ROWS | NNB_LOSS_CLASSES | NNB_LOSS_PROBABILITIES | NNB_LOSS_LABELS, binary,
     binary_slope},
    {NNB_CROSS_ENTROPY, NNB_LOSS_MEAN_ROWS | NNB_LOSS_CLASSES | NNB_LOSS_PROBABILITIES, cross, cross_slope},
    /* ---- end of the table ---- */
};

static const known *reference_of(nnb_loss loss) {
  for (int k = 0; k < N_OF_TABLE(table); k++)
    if (table[k].loss == loss) return &table[k];
  return NULL;
}

START_TEST(every_loss_has_a_row_and_a_reference) {
  for (int k = NNB_LOSS_AUTO + 1; k < NNB_N_LOSSES; k++) {
    const nnb_loss_ops *ops = loss_of(_i, (nnb_loss)k);
    const known *right = reference_of((nnb_loss)k);
    ck_assert_str_eq(ops->name, nnb_loss_name((nnb_loss)k));
    ck_assert(ops->value != NULL);
    ck_assert_msg(right || loss_is_layerwise((nnb_loss)k), "%s has no reference: add a row to the table of test_loss.c",
                  ops->name);
    if (right) ck_assert_uint_eq(ops->traits, right->traits);
  }
  ck_assert_int_eq(loss_of(_i, NNB_CROSS_ENTROPY)->fuses, NNB_SOFTMAX);
  ck_assert_int_eq(loss_of(_i, NNB_BINARY_CROSS_ENTROPY)->fuses, NNB_SIGMOID);
  ck_assert_ptr_eq(nnb__loss(NNB_MSE), loss_of(n_levels() - 1, NNB_MSE));
}
END_TEST

/* A batch of random outputs in (0, 1), targets in 0 … 1 (of which some are 0 or 1), and weights (of which some are 0).
 */
typedef struct sample {
  real a[SPACE], t[SPACE], weight[ROWS], d[SPACE];
  int32_t label[ROWS];
} sample;
static void draw(sample *s, int cols, int ld) {
  uint64_t state = (uint64_t)(100 * cols + ld);
  for (int k = 0; k < SPACE; k++) s->d[k] = s->a[k] = s->t[k] = untouched;
  for (int i = 0; i < ROWS; i++) {
    for (int j = 0; j < cols; j++) {
      s->a[i * ld + j] = (real)0.5 + (real)0.49 * noise(&state);
      real t = (real)0.5 + noise(&state);
      s->t[i * ld + j] = t < 0 ? 0 : t > 1 ? 1 : t;
    }
    s->weight[i] = i == 2 ? 0 : (real)1.5 + noise(&state);
    s->label[i] = cols == 1 ? i % 2 : (int32_t)(i * 5 % cols);
  }
}

static void check_near(double got, long double want, double tol, const char *what, int cols) {
  expect(fabs(got - (double)want) <= tol * (1 + fabs((double)want)), "%s, %d columns: expected %.17g, got %.17g", what,
         cols, (double)want, got);
}

static void check_value(const nnb_loss_ops *ops, const known *right, sample *s, int cols, int ld,
                        const nnb_batch *batch) {
  const real scale = (real)0.25;
  const double tol = 40 * (double)REAL_EPS;
  long double sum = 0;
  double got = ops->value(ops, (nnb_cmat){s->a, ROWS, cols, ld}, batch, scale, (nnb_mat){s->d, ROWS, cols, ld});
  for (int i = 0; i < ROWS; i++) {
    long double w = batch->weight ? batch->weight[i] : 1;
    for (int j = 0; j < ld; j++) {
      real a = s->a[i * ld + j], t = s->t[i * ld + j], d = s->d[i * ld + j];
      if (j >= cols) {
        expect(same_bits(d, untouched), "a gap was written to");
        continue;
      }
      if (batch->label) t = cols == 1 ? (real)s->label[i] : (real)(j == s->label[i]);
      sum += w * right->term(a, t);
      check_near((double)d, scale * w * right->slope(a, t), tol, ops->name, cols);
    }
  }
  check_near(got, sum, tol, ops->name, cols);
  double alone = ops->value(ops, (nnb_cmat){s->a, ROWS, cols, ld}, batch, scale, (nnb_mat){0});
  ck_assert_double_eq(alone, got);
}

START_TEST(values_and_slopes) {
  sample s;
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    for (int cols = 1; cols <= MOST; cols++) {
      for (int gap = 0; gap <= GAP; gap += GAP) {
        for (int kind = 0; kind < 4; kind++) {
          int ld = cols + gap;
          draw(&s, cols, ld);
          nnb_batch batch = {.t = {s.t, ROWS, cols, ld}};
          if (kind & 1) batch.weight = s.weight;
          if (kind & 2) batch.label = s.label;
          check_value(loss_of(_i, table[k].loss), &table[k], &s, cols, ld, &batch);
        }
      }
    }
  }
}
END_TEST

START_TEST(slopes_in_place) {
  sample s;
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    const nnb_loss_ops *ops = loss_of(_i, table[k].loss);
    draw(&s, 11, 11);
    nnb_batch batch = {.t = {s.t, ROWS, 11, 11}, .weight = s.weight};
    double apart = ops->value(ops, nnb_cview(s.a, ROWS, 11), &batch, 1, nnb_view(s.d, ROWS, 11));
    double in_place = ops->value(ops, nnb_cview(s.a, ROWS, 11), &batch, 1, nnb_view(s.a, ROWS, 11));
    ck_assert_double_eq(apart, in_place);
    for (int j = 0; j < ROWS * 11; j++) ck_assert(same_bits(s.a[j], s.d[j]));
  }
}
END_TEST

/* r = 0 of mae, the two sides of huber's joints, NaN */
START_TEST(corners) {
  const real a[] = {1, 2, 3, -1, -2}, t[] = {1, 1, 1, 0, 0};
  const double signs[] = {0, 1, 1, -1, -1};
  real d[5];
  nnb_batch batch = {.t = nnb_cview(t, 1, 5)};
  const nnb_loss_ops *ops = loss_of(_i, NNB_MAE);
  ck_assert_double_eq(ops->value(ops, nnb_cview(a, 1, 5), &batch, 1, nnb_view(d, 1, 5)), 6);
  for (int j = 0; j < 5; j++) ck_assert_double_eq((double)d[j], signs[j]);
  ops = loss_of(_i, NNB_HUBER);
  ck_assert_double_eq(ops->value(ops, nnb_cview(a, 1, 5), &batch, 1, nnb_view(d, 1, 5)), 0.5 + 1.5 + 0.5 + 1.5);
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    real bad[5] = {0.5, 0.5, (real)NAN, 0.5, 0.5}, half[5] = {0.5, 0.5, 0.5, 0.5, 0.5};
    batch.t = nnb_cview(half, 1, 5);
    ops = loss_of(_i, table[k].loss);
    ck_assert(isnan(ops->value(ops, nnb_cview(bad, 1, 5), &batch, 1, nnb_view(d, 1, 5))));
    ck_assert(isnan(d[2]));
    if (ops->fused) ck_assert(isnan(ops->fused(ops, nnb_cview(bad, 1, 5), &batch, 1, nnb_view(d, 1, 5))));
  }
}
END_TEST

/* Outputs of exactly 0 and 1: a finite loss, and 0 where they are correct. */
START_TEST(cross_entropies_are_clamped) {
  const real a[] = {0, 1}, right[] = {0, 1}, wrong[] = {1, 0};
  real d[2];
  const double price = -log((double)REAL_MIN);
  for (int k = 0; k < 2; k++) {
    const nnb_loss_ops *ops = loss_of(_i, k ? NNB_BINARY_CROSS_ENTROPY : NNB_CROSS_ENTROPY);
    nnb_batch batch = {.t = nnb_cview(right, 1, 2)};
    ck_assert_double_eq_tol(ops->value(ops, nnb_cview(a, 1, 2), &batch, 1, nnb_view(d, 1, 2)), 0, 1e-300);
    batch.t = nnb_cview(wrong, 1, 2);
    double got = ops->value(ops, nnb_cview(a, 1, 2), &batch, 1, nnb_view(d, 1, 2));
    ck_assert_double_eq_tol(got, k ? 2 * price : price, 1e-6 * price);
    ck_assert(isfinite(d[0]) && isfinite(d[1]) && d[0] < 0);
  }
}
END_TEST

/* ---- fused ---- */

/* Activation, loss and the activation's pull one after the other, in the same precision. */
static double in_steps(int level, const nnb_loss_ops *ops, nnb_cmat z, const nnb_batch *batch, real scale,
                       real *delta) {
  real a[SPACE];
  const nnb_act_ops *act = act_of(level, ops->fuses);
  nnb_mat values = nnb_view(a, z.rows, z.cols), d = nnb_view(delta, z.rows, z.cols);
  act->value(act, z, values);
  double sum = ops->value(ops, nnb__read(values), batch, scale, d);
  act->pull(act, z, nnb__read(values), d);
  return sum;
}

static void check_fused(int level, nnb_loss loss, int cols, int gap, int kind) {
  sample s;
  int ld = cols + gap;
  real steps[SPACE];
  const nnb_loss_ops *ops = loss_of(level, loss);
  draw(&s, cols, ld);
  for (int k = 0; k < ROWS * ld; k++) s.a[k] = k % ld < cols ? 8 * (s.a[k] - (real)0.5) : untouched;
  nnb_batch batch = {.t = {s.t, ROWS, cols, ld}};
  if (kind & 1) batch.weight = s.weight;
  if (kind & 2) batch.label = s.label;
  nnb_cmat z = {s.a, ROWS, cols, ld};
  double want = in_steps(level, ops, z, &batch, (real)0.5, steps);
  double value_alone = ops->fused(ops, z, &batch, (real)0.5, (nnb_mat){0});
  double got = ops->fused(ops, z, &batch, (real)0.5, (nnb_mat){s.d, ROWS, cols, ld});
  const double tol = 2000 * (double)REAL_EPS; /* the unfused loss loses digits of 1 - a if a is near 1 */
  check_near(got, want, tol, ops->name, cols);
  ck_assert_double_eq_tol(value_alone, got, 1e-14 * fabs(got) + 1e-300);
  for (int k = 0; k < ROWS * ld; k++) {
    if (k % ld < cols) check_near((double)s.d[k], (double)steps[k / ld * cols + k % ld], tol, ops->name, cols);
    if (k % ld >= cols) expect(same_bits(s.d[k], untouched), "a gap was written to");
    if (batch.weight && k / ld == 2 && k % ld < cols) expect(same_bits(s.d[k], 0), "weight 0 has a slope");
  }
  double in_place = ops->fused(ops, z, &batch, (real)0.5, (nnb_mat){s.a, ROWS, cols, ld});
  ck_assert_double_eq(in_place, got);
  for (int k = 0; k < ROWS * ld; k++)
    expect(same_bits(s.a[k], s.d[k]), "in place %a, apart %a", (double)s.a[k], (double)s.d[k]);
}

START_TEST(fused_as_in_steps) {
  for (int cols = 1; cols <= MOST; cols++) {
    for (int gap = 0; gap <= GAP; gap += GAP) {
      for (int kind = 0; kind < 4; kind++) {
        for (int k = NNB_LOSS_AUTO + 1; k < NNB_N_LOSSES; k++) {
          const nnb_loss_ops *ops = loss_of(_i, (nnb_loss)k);
          /* a softmax of one column is the constant 1: only unit targets make sense */
          if (ops->fused && (cols > 1 || ops->fuses != NNB_SOFTMAX)) check_fused(_i, (nnb_loss)k, cols, gap, kind);
        }
      }
    }
  }
}
END_TEST

/* Wide and tall: long rows, and more rows than logarithms are computed at a time, against long double. */
START_TEST(fused_cross_entropy_is_right) {
  static real z[150 * 300], delta[150 * 300];
  static int32_t label[150];
  const nnb_loss_ops *ops = loss_of(_i, NNB_CROSS_ENTROPY);
  for (int cols = 2; cols <= 300; cols += cols < 20 ? 4 : 70) {
    uint64_t state = (uint64_t)cols;
    for (int k = 0; k < 150 * cols; k++) z[k] = 6 * noise(&state);
    long double want = 0;
    for (int i = 0; i < 150; i++) {
      long double sum = 0;
      label[i] = (int32_t)(i % cols);
      for (int j = 0; j < cols; j++) sum += expl(z[i * cols + j]);
      want += logl(sum) - z[i * cols + label[i]];
    }
    nnb_batch batch = {.label = label};
    double got = ops->fused(ops, nnb_cview(z, 150, cols), &batch, 1, nnb_view(delta, 150, cols));
    check_near(got, want, 8 * (double)REAL_EPS, "cross_entropy", cols);
    for (int i = 0; i < 150; i++) {
      long double sum = 0, row = 0;
      for (int j = 0; j < cols; j++) sum += expl(z[i * cols + j]);
      for (int j = 0; j < cols; j++) {
        row += delta[i * cols + j];
        check_near((double)delta[i * cols + j], expl(z[i * cols + j]) / sum - (j == label[i]), 16 * (double)REAL_EPS,
                   "delta", cols);
      }
      check_near((double)row, 0, 32 * (double)REAL_EPS, "sum of delta's row", cols);
    }
  }
}
END_TEST

START_TEST(extreme_logits) {
  const real z[] = {1000, -1000, 0, -1000, 1000, 0};
  const int32_t label[] = {0, 0};
  const double by_class[] = {0, 0, 0, -1, 1, 0}, by_output[] = {0, 0, 1, -1};
  real delta[6];
  nnb_batch batch = {.label = label};
  const nnb_loss_ops *ops = loss_of(_i, NNB_CROSS_ENTROPY);
  ck_assert_double_eq(ops->fused(ops, nnb_cview(z, 2, 3), &batch, 1, nnb_view(delta, 2, 3)), 2000);
  for (int k = 0; k < 6; k++) ck_assert_double_eq((double)delta[k], by_class[k]);

  const real logits[] = {1000, -1000, 1000, -1000}, t[] = {1, 0, 0, 1};
  batch = (nnb_batch){.t = nnb_cview(t, 1, 4)};
  ops = loss_of(_i, NNB_BINARY_CROSS_ENTROPY);
  ck_assert_double_eq(ops->fused(ops, nnb_cview(logits, 1, 4), &batch, 1, nnb_view(delta, 1, 4)), 2000);
  for (int k = 0; k < 4; k++) ck_assert_double_eq((double)delta[k], by_output[k]);
}
END_TEST

/* A row of weight 0 does not count, whatever its values are. */
START_TEST(weight_zero_silences) {
  const real weight[] = {0, 1}, t[] = {(real)0.25, (real)0.75, (real)0.25, (real)0.75};
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    const nnb_loss_ops *ops = loss_of(_i, table[k].loss);
    real a[] = {(real)NAN, (real)INFINITY, (real)0.5, (real)0.5}, d[4] = {9, 9, 9, 9};
    nnb_batch batch = {.t = nnb_cview(t, 2, 2), .weight = weight};
    ck_assert(isfinite(ops->value(ops, nnb_cview(a, 2, 2), &batch, 1, nnb_view(d, 2, 2))));
    ck_assert(same_bits(d[0], 0) && same_bits(d[1], 0) && d[2] != 9);
    if (ops->fused) ck_assert(isfinite(ops->fused(ops, nnb_cview(a, 2, 2), &batch, 1, nnb_view(d, 2, 2))));
    ck_assert(same_bits(d[0], 0) && same_bits(d[1], 0) && d[2] != 9);
  }
}
END_TEST

START_TEST(empty_batches_are_free) {
  real none[1] = {untouched};
  nnb_batch batch = {.t = nnb_cview(none, 0, 1)};
  for (int k = 0; k < N_OF_TABLE(table); k++) {
    const nnb_loss_ops *ops = loss_of(_i, table[k].loss);
    ck_assert_double_eq(ops->value(ops, nnb_cview(none, 0, 1), &batch, 1, nnb_view(none, 0, 1)), 0);
    if (ops->fused) ck_assert_double_eq(ops->fused(ops, nnb_cview(none, 0, 1), &batch, 1, nnb_view(none, 0, 1)), 0);
  }
  ck_assert(same_bits(none[0], untouched));
}
END_TEST

/* One output and labels: the target is the class itself, as for any other loss; nothing beside the row changes. */
START_TEST(one_column_of_softmax) {
  const nnb_loss_ops *ops = nnb__loss(NNB_CROSS_ENTROPY);
  int32_t label[] = {0, 1, 1};
  real z[] = {(real)0.5, -1, 2}, t[] = {0, 1, 1}, d[4] = {0, 0, 0, 77}, want[3];
  nnb_batch by_label = {.label = label}, by_target = {.t = {t, 3, 1, 1}};
  double a = ops->fused(ops, (nnb_cmat){z, 3, 1, 1}, &by_label, 1, (nnb_mat){d, 3, 1, 1});
  double b = ops->fused(ops, (nnb_cmat){z, 3, 1, 1}, &by_target, 1, (nnb_mat){want, 3, 1, 1});
  ck_assert_msg(fabs(a - b) < 1e-12 && fabs(a) < 1e-6, "loss by labels %g, by targets %g, wanted 0", a, b);
  ck_assert_mem_eq(d, want, sizeof want);
  ck_assert(d[3] == 77);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("losses");
  TCase *levels = tcase_create("each level");
  const TTest *tests[] = {every_loss_has_a_row_and_a_reference,
                          values_and_slopes,
                          slopes_in_place,
                          corners,
                          cross_entropies_are_clamped,
                          fused_as_in_steps,
                          fused_cross_entropy_is_right,
                          extreme_logits,
                          weight_zero_silences,
                          empty_batches_are_free,
                          one_column_of_softmax};
  for (int k = 0; k < N_OF_TABLE(tests); k++) tcase_add_loop_test(levels, tests[k], 0, n_levels());
  suite_add_tcase(suite, levels);
  return run_suite(suite);
}
