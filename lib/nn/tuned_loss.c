/* nn/tuned_loss.c: losses with options, over views.
 *
 * Smoothed targets are t' = t + e with e = s(m - t), m = Σt/n_out or ½.  A cross-entropy is linear in its targets: from
 * logits, the loss without options computes that of t, and -Σ e·z is added. */
#include "tuned_loss.h"

#include "elementary.h"
#include "loss.h"
#include "status.h"
#include "view.h"

static const nnb__tuned *tuned(const nnb_loss_ops *self) { return (const nnb__tuned *)self; }

/* Target (i, j) of n columns: t, or the unit vector of the class (of one column: the class, 0 or 1). */
static real target_at(const nnb_batch *batch, int n, int i, int j) {
  if (!batch->label) return nnb__crow(batch->t, i)[j];
  return (real)(n == 1 ? batch->label[i] : batch->label[i] == j);
}

static real weight_at(const nnb_batch *batch, int i) { return batch->weight ? batch->weight[i] : 1; }

/* ---- huber ------------------------------------------------------------------------------------------------------- */

/* With c = r limited to ±δ, the loss is c(r - ½c) and the slope c. */
static double huber_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  const real delta = (real)tuned(self)->delta;
  double sum = 0;
  for (int i = 0; i < a.rows; i++) {
    const real weight = weight_at(batch, i);
    double row = 0;
    for (int j = 0; j < a.cols; j++) {
      const real r = nnb__crow(a, i)[j] - target_at(batch, a.cols, i, j);
      const real c = r > delta ? delta : r < -delta ? -delta : r; /* NaN stays */
      row += (double)(c * (r - (real)0.5 * c));
      if (da.p) nnb__row(da, i)[j] = weight == 0 ? 0 : scale * weight * c;
    }
    if (weight != 0) sum += (double)weight * row;
  }
  return sum;
}

/* ---- label smoothing --------------------------------------------------------------------------------------------- */

static bool is_binary(const nnb__tuned *t) { return t->base->traits & NNB_LOSS_LABELS; }

/* NaN stays. */
static real at_least(real p) { return p < REAL_MIN ? REAL_MIN : p; }

/* m of row i */
static real mean_target(const nnb__tuned *t, const nnb_batch *batch, int n, int i) {
  real sum = 0;
  if (is_binary(t)) return (real)0.5;
  for (int j = 0; j < n; j++) sum += target_at(batch, n, i, j);
  return sum / (real)n;
}

/* From outputs: the loss of t' term by term, with outputs of at least REAL_MIN as in num/kernels/loss_vec.h. */
static double smooth_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  const nnb__tuned *t = tuned(self);
  const bool binary = is_binary(t);
  double sum = 0;
  for (int i = 0; i < a.rows; i++) {
    const real weight = weight_at(batch, i), mean = mean_target(t, batch, a.cols, i);
    double row = 0;
    for (int j = 0; j < a.cols; j++) {
      const real y = target_at(batch, a.cols, i, j), smooth = y + (real)t->smoothing * (mean - y);
      const real p = at_least(nnb__crow(a, i)[j]), q = at_least(1 - nnb__crow(a, i)[j]);
      row -= (double)smooth * nnb__log((double)p) + (binary ? (double)(1 - smooth) * nnb__log((double)q) : 0);
      const real slope = -smooth / p + (binary ? (1 - smooth) / q : 0);
      if (da.p) nnb__row(da, i)[j] = weight == 0 ? 0 : scale * weight * slope;
    }
    if (weight != 0) sum += (double)weight * row;
  }
  return sum;
}

/* The loss of e for logits: -Σ e·z */
static double extra_loss(const nnb__tuned *t, nnb_cmat z, const nnb_batch *batch) {
  double sum = 0;
  for (int i = 0; i < z.rows; i++) {
    const real weight = weight_at(batch, i), mean = mean_target(t, batch, z.cols, i);
    double row = 0;
    for (int j = 0; j < z.cols && weight != 0; j++)
      row -= (double)(mean - target_at(batch, z.cols, i, j)) * (double)nnb__crow(z, i)[j];
    sum += (double)weight * row;
  }
  return t->smoothing * sum;
}

/* delta ← delta - c·e */
static void add_slope(const nnb__tuned *t, const nnb_batch *batch, real scale, nnb_mat delta) {
  for (int i = 0; i < delta.rows; i++) {
    const real c = scale * weight_at(batch, i), mean = mean_target(t, batch, delta.cols, i);
    for (int j = 0; j < delta.cols && c != 0; j++)
      nnb__row(delta, i)[j] -= c * ((real)t->smoothing * (mean - target_at(batch, delta.cols, i, j)));
  }
}

static double smooth_fused(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, real scale, nnb_mat delta) {
  const nnb__tuned *t = tuned(self);
  const double extra = extra_loss(t, z, batch); /* before delta, which may be z, is written */
  const nnb_loss_ops *plain = nnb__loss(is_binary(t) ? NNB_BINARY_CROSS_ENTROPY : NNB_CROSS_ENTROPY);
  const double sum = plain->fused(plain, z, batch, scale, delta); /* in the arithmetic of this run */
  if (delta.p) add_slope(t, batch, scale, delta);
  return sum + extra;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

nnb_status nnb__tune_loss(const nnb_loss_ops *base, int activation, double delta, double smoothing, nnb__tuned *out) {
  const bool huber = base == nnb__loss(NNB_HUBER);
  const bool cross = base == nnb__loss(NNB_CROSS_ENTROPY) || base == nnb__loss(NNB_BINARY_CROSS_ENTROPY);
  if (delta > 0 && !huber)
    return nnb__fail(NNB_E_ARG, "delta is %g; %s does not take it; huber does", delta, base->name);
  if (smoothing > 0 && !cross)
    return nnb__fail(NNB_E_ARG, "label_smoothing is %g; %s does not take it; cross_entropy and binary_cross_entropy do",
                     smoothing, base->name);
  *out = (nnb__tuned){.ops = *base, .delta = delta, .smoothing = smoothing};
  if (huber && delta > 0 && delta != 1) out->base = base, out->ops.value = huber_value;
  if (!(smoothing > 0)) return NNB_OK;
  const bool fused = base->fused && (int)base->fuses == activation;
  out->base = base, out->ops.value = smooth_value, out->ops.fused = base->fused ? smooth_fused : NULL;
  if (!fused) out->ops.sample = NULL; /* the slope at drawn targets is not that of the loss without smoothing */
  return NNB_OK;
}
