/* num/kernels/loss.c: the losses over views, built once per level (see kernels.h): loops over the terms of loss_vec.h,
 * softmax with cross-entropy, and the table, from losses.def. */
#include <string.h>

#include "loss.h"
#include "loss_vec.h"

/* ---- sums of terms ---- */

/* Σ ℓ over n outputs; d ← c·∂ℓ/∂a unless d is NULL. */
#ifdef NNB_EXACT
INLINE double row_loss(size_t n, const real *a, target t, real c, real *d, term_fn f) {
  double sum = 0;
  for (size_t j = 0; j < n; j += LANES) {
    const int k = n - j < LANES ? (int)(n - j) : LANES;
    const term x = f(load_part(a + j, k), target_at(t, j, k));
    real lane[LANES];
    store(lane, x.loss);
    for (int i = 0; i < k; i++) sum += (double)lane[i];
    if (d) store_part(d + j, k, c * x.slope);
  }
  return sum;
}
#else
INLINE double row_loss(size_t n, const real *a, target t, real c, real *d, term_fn f) {
  dvec sum = {0};
  size_t j = 0;
  for (; j + LANES <= n; j += LANES) {
    term x = f(load(a + j), target_at(t, j, LANES));
    sum += widen(x.loss);
    if (d) store(d + j, c * x.slope);
  }
  if (j < n) {
    int rest = (int)(n - j);
    term x = f(load_part(a + j, rest), target_at(t, j, rest));
    sum += widen(pick(first(rest), x.loss, (vec){0}));
    if (d) store_part(d + j, rest, c * x.slope);
  }
  return sum_wide(sum);
}
#endif

/* A sample of weight 0 adds nothing, even if its loss is infinite. */
static void clear_row(int n, real *d) {
  if (d) memset(d, 0, (size_t)n * sizeof *d);
}

INLINE double sum_loss(nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da, term_fn f) {
  double sum = 0;
#ifdef NNB_EXACT
  const bool as_one = false; /* the loss of each row is a sum of its own */
#else
  const bool as_one = true;
#endif
  if (as_one && !batch->weight && !batch->label && is_flat(a) && is_flat(batch->t) &&
      (!da.p || is_flat(nnb__read(da)))) {
    return row_loss(count(a), a.p, (target){.t = batch->t.p}, scale, da.p, f); /* all rows as one */
  }
  for (int i = 0; i < a.rows; i++) {
    real weight = batch->weight ? batch->weight[i] : 1, single;
    real *d = da.p ? nnb__row(da, i) : NULL;
    target t = {0};
    if (!batch->label) {
      t.t = nnb__crow(batch->t, i);
    } else if (a.cols == 1) { /* one output: its target is the class, 0 or 1 */
      single = (real)batch->label[i], t.t = &single;
    } else {
      t.label = batch->label[i];
    }
    if (weight == 0) {
      clear_row(a.cols, d);
    } else {
      sum += (double)weight * row_loss((size_t)a.cols, nnb__crow(a, i), t, scale * weight, d, f);
    }
  }
  return sum;
}

/* name_view of each loss, and f_view of each fused term */
#define SUM_OF(name, f)                                                                                             \
  static double name##_view(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) { \
    (void)self;                                                                                                     \
    return sum_loss(a, batch, scale, da, f);                                                                        \
  }
#define TERMS(NAME, name, f) SUM_OF(name, f)
#include "losses.def"

#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) FUSED
#define UNFUSED
#define FUSED_TERMS(ACT, f) SUM_OF(f, f)
#define FUSED_ROWS(ACT, f)
#include "losses.def"

/* ---- softmax with cross-entropy ---- */

/* Σ weight·(T·log s - linear); the logarithms are taken for a vec of rows at a time. */
enum { MOST_PENDING = 64 };
typedef struct pending_logs {
  int n;
  real s[MOST_PENDING], factor[MOST_PENDING];
} pending_logs;
static double take_logs(pending_logs *rows) {
  dvec sum = {0};
  for (int k = rows->n; k % LANES; k++) rows->s[k] = 1, rows->factor[k] = 0;
  for (int k = 0; k < rows->n; k += LANES) sum += widen(load(rows->factor + k) * log_normal(load(rows->s + k)));
  rows->n = 0;
  return sum_wide(sum);
}

static double cross_softmax_view(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, real scale,
                                 nnb_mat delta) {
  (void)self;
  double sum = 0;
  pending_logs rows;
  rows.n = 0;
  for (int i = 0; i < z.rows; i++) {
    real weight = batch->weight ? batch->weight[i] : 1, c = scale * weight;
    real *d = delta.p ? nnb__row(delta, i) : NULL;
    if (weight == 0) {
      clear_row(z.cols, d);
      continue;
    }
    const bool classes = batch->label && z.cols > 1; /* one output: its target is the class, 0 or 1 */
    const real single = batch->label ? (real)batch->label[i] : 0;
    const real *t = batch->label ? &single : nnb__crow(batch->t, i);
    row_parts r = classes ? class_row(z.cols, nnb__crow(z, i), batch->label[i], c, d)
                          : soft_row(z.cols, nnb__crow(z, i), t, c, d);
    sum -= (double)weight * (double)r.linear;
    rows.s[rows.n] = r.s, rows.factor[rows.n++] = weight * r.total;
    if (rows.n == MOST_PENDING) sum += take_logs(&rows);
  }
  return sum + take_logs(&rows);
}

/* ---- the table ---- */

#define TERMS(NAME, name, f)     name##_view
#define LAYERWISE(NAME, name, f) f
#define UNFUSED                  .fused = NULL
#define FUSED_TERMS(ACT, f)      .fuses = ACT, .fused = f##_view
#define FUSED_ROWS(ACT, f)       .fuses = ACT, .fused = f##_view
#define LOSS(NAME, called, KIND, f, its_traits, squares, draw, FUSED) \
  [NAME] = {.name = #called, .traits = its_traits, .value = KIND(NAME, called, f), .sample = draw, FUSED},
const nnb_loss_ops NNB__LOSSES[NNB_N_LOSSES] = {
#include "losses.def"
};
