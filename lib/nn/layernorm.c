/* nn/layernorm.c: Z = γ ⊙ X + β with X = (A - μ)/√(σ² + ε), where μ and σ² are the mean and the variance of a row.
 * (Ba, Kiros, Hinton 2016.) */
#include "ints.h"
#include "norm.h"
#include "view.h"

enum { TILE = NNB__NORM_TILE, LANES = NNB__NORM_LANES };

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  nnb__norm *d = self;
  nnb_status status = nnb__norm_check(d, n_from, "layernorm");
  if (status) return status;
  d->channels = needs->cols = needs->w_cols = cols[0], needs->shape = needs->from[0];
  needs->w_rows = 1, needs->bias = true, needs->no_decay = true;
  needs->scratch = 2; /* μ and 1/√(σ² + ε) */
  return NNB_OK;
}

static real *moments(const nnb_layer_io *io, int i) { return io->scratch + 2 * (size_t)i; }

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__norm *d = self;
  const int n = io->z.cols;
  const real *gain = io->w, *bias = io->w + n;
  for (int i = 0; i < io->z.rows; i++) {
    const real *a = nnb__crow(io->a[0], i), mean = nnb__norm_sum(n, a) / (real)n;
    const real root = 1 / R(sqrt)(nnb__norm_squares(n, a, mean) / (real)n + (real)d->epsilon);
    real *z = nnb__row(io->z, i), *m = moments(io, i);
    for (int j = 0; j < n; j++) z[j] = gain[j] * ((a[j] - mean) * root) + bias[j];
    m[0] = mean, m[1] = root;
  }
}

/* *sum ← Σ g_j and *dot ← Σ g_j·(a_j - mean), g = δ ⊙ γ */
static void add_up(int n, const real *delta, const real *gain, const real *a, real mean, real *sum, real *dot) {
  real s[LANES] = {0}, t[LANES] = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int k = 0; k < LANES; k++) {
      const real g = delta[j + k] * gain[j + k];
      s[k] += g, t[k] += g * (a[j + k] - mean);
    }
  for (int k = 0; j < n; j++, k++) s[k] += delta[j] * gain[j], t[k] += delta[j] * gain[j] * (a[j] - mean);
  *sum = nnb__norm_total(s), *dot = nnb__norm_total(t);
}

/* ∂E/∂A = (G - mean of G - X · mean of G ⊙ X)/√(σ² + ε), where G = Δ ⊙ γ */
static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  const int n = io->delta.cols;
  const real *gain = io->w;
  for (int i = 0; i < io->delta.rows; i++) {
    const real *a = nnb__crow(io->a[0], i), *delta = nnb__crow(io->delta, i), *m = moments(io, i);
    const real mean = m[0], root = m[1];
    real *da = nnb__row(io->da[k], i), sum, dot;
    add_up(n, delta, gain, a, mean, &sum, &dot);
    const real level = sum / (real)n, slope = dot / (real)n * root * root;
    for (int j = 0; j < n; j++) {
      const real d = root * (delta[j] * gain[j] - level - (a[j] - mean) * slope);
      da[j] = io->da_beta == 0 ? d : da[j] + d;
    }
  }
}

/* dγ = Σ Δ ⊙ X and dβ = Σ Δ over the rows */
static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  (void)self;
  if (io->part != io->parts - 1) return; /* which has the one row of W, and b */
  for (int c = 0, n; (n = nnb__chunk(io->delta.cols, c, TILE)) > 0; c += n) {
    double gain[TILE] = {0}, bias[TILE] = {0};
    for (int i = 0; i < io->delta.rows; i++) {
      const real *a = nnb__crow(io->a[0], i) + c, *delta = nnb__crow(io->delta, i) + c, *m = moments(io, i);
      for (int j = 0; j < n; j++) gain[j] += (double)(delta[j] * ((a[j] - m[0]) * m[1])), bias[j] += (double)delta[j];
    }
    nnb__norm_put(sink, c, n, gain, bias);
  }
}

/* dZ = γ ⊙ (dA - mean of dA - X · mean of dA ⊙ X)/√(σ² + ε) */
static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  const int cols = dz.cols;
  const real *gain = io->w;
  (void)self;
  for (int i = 0; i < dz.rows; i++) {
    const real *a = nnb__crow(io->a[0], i / n), *d = nnb__crow(da[0], i), *m = moments(io, i / n);
    real *z = nnb__row(dz, i), dot = 0;
    const real level = nnb__norm_sum(cols, d) / (real)cols;
    for (int j = 0; j < cols; j++) dot += d[j] * (a[j] - m[0]);
    const real slope = dot / (real)cols * m[1] * m[1];
    for (int j = 0; j < cols; j++) z[j] = gain[j] * m[1] * (d[j] - level - (a[j] - m[0]) * slope);
  }
}

static const nnb_attr attrs[] = {{"epsilon", NNB_ATTR_REAL, offsetof(nnb__norm, epsilon)}, {0}};

const nnb_layer_ops nnb__layer_layernorm = {
    .name = "layernorm",
    .size = sizeof(nnb__norm),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = nnb__norm_init,
    .tangent = tangent,
};
