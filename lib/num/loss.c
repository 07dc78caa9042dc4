/* num/loss.c: the losses, built once per level (see kernels.h).  All but softmax with cross-entropy are sums of terms
 * ℓ(a, t) of one output each: a term is written for a vec, and one loop serves them all. */
#include <assert.h>
#include <string.h>

#include "kernels.h"
#include "loss.h"
#include "loss_vec.h"

/* ---- the loop over terms ---- */

/* Σ ℓ over n outputs; d ← c·∂ℓ/∂a unless d is NULL. */
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

/* A sample of weight 0 counts for nothing, even where its loss is infinite. */
static void clear_row(int n, real *d) {
  if (d) memset(d, 0, (size_t)n * sizeof *d);
}

INLINE double sum_loss(nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da, term_fn f) {
  double sum = 0;
  if (!batch->weight && !batch->label && is_flat(a) && is_flat(batch->t) && (!da.p || is_flat(nnb__read(da)))) {
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

static double half_sse_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, half_square);
}
static double sse_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, square);
}
static double mae_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, absolute);
}
static double huber_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, huber);
}
static double cross_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, cross);
}
static double binary_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  (void)self;
  return sum_loss(a, batch, scale, da, binary_cross);
}
static double binary_fused(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, real scale, nnb_mat delta) {
  (void)self;
  return sum_loss(z, batch, scale, delta, binary_cross_logit);
}

/* ---- softmax with cross-entropy ---- */

/* Logarithms are taken many at a time: Σ weight·(T·log s - linear) over the rows put by. */
enum { PUT_BY = 64 };
typedef struct put_by {
  int n;
  real s[PUT_BY], factor[PUT_BY];
} put_by;
static double settle(put_by *rows) {
  dvec sum = {0};
  for (int k = rows->n; k % LANES; k++) rows->s[k] = 1, rows->factor[k] = 0;
  for (int k = 0; k < rows->n; k += LANES) sum += widen(load(rows->factor + k) * log_normal(load(rows->s + k)));
  rows->n = 0;
  return sum_wide(sum);
}

static double cross_fused(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, real scale, nnb_mat delta) {
  (void)self;
  double sum = 0;
  put_by rows;
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
    if (rows.n == PUT_BY) sum += settle(&rows);
  }
  return sum + settle(&rows);
}

/* ---- the table ---- */

const nnb_loss_ops NNB__LOSSES[] = {
    [NNB_HALF_SSE] = {.name = "half_sse", .value = half_sse_value, .sample = nnb__sample_normal},
    [NNB_SSE] = {.name = "sse", .value = sse_value, .sample = nnb__sample_half_normal},
    [NNB_MSE] = {.name = "mse", .traits = NNB_LOSS_MEAN_ALL, .value = sse_value, .sample = nnb__sample_half_normal},
    [NNB_MAE] = {.name = "mae", .traits = NNB_LOSS_MEAN_ALL, .value = mae_value, .sample = nnb__sample_laplace},
    [NNB_HUBER] = {.name = "huber", .traits = NNB_LOSS_MEAN_ALL, .value = huber_value},
    [NNB_BINARY_CROSS_ENTROPY] = {.name = "binary_cross_entropy",
                                  .traits = NNB_LOSS_MEAN_ROWS | NNB_LOSS_CLASSES | NNB_LOSS_PROBABILITIES |
                                            NNB_LOSS_LABELS,
                                  .value = binary_value,
                                  .fuses = NNB_SIGMOID,
                                  .fused = binary_fused,
                                  .sample = nnb__sample_bernoulli},
    [NNB_CROSS_ENTROPY] = {.name = "cross_entropy",
                           .traits = NNB_LOSS_MEAN_ROWS | NNB_LOSS_CLASSES | NNB_LOSS_PROBABILITIES,
                           .value = cross_value,
                           .fuses = NNB_SOFTMAX,
                           .fused = cross_fused,
                           .sample = nnb__sample_class},
};
static_assert(sizeof NNB__LOSSES / sizeof *NNB__LOSSES == NNB_N_LOSSES, "one row for each loss");
