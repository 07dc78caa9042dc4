/* nn/layernorm.c: Z = γ ⊙ X + β with X = (A - μ)/√(σ² + ε), where μ and σ² are the mean and the variance of a row.
 * (Ba, Kiros, Hinton 2016.) */
#include <string.h>

#include "exact.h"
#include "ints.h"
#include "kernels.h"
#include "norm.h"
#include "view.h"

enum { TILE = NNB__NORM_TILE };

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  nnb__norm *d = self;
  nnb_status status = nnb__norm_check(d, n_from, "layernorm");
  if (status) return status;
  d->channels = needs->cols = needs->w_cols = cols[0], needs->shape = needs->from[0];
  needs->w_rows = 1, needs->bias = true, needs->no_decay = true;
  needs->scratch = sizeof(nnb__moments) / sizeof(real);
  return NNB_OK;
}

/* Kept for row i. */
static nnb__moments *moments(const nnb_layer_io *io, int i) { return (nnb__moments *)(void *)io->scratch + i; }

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__norm *d = self;
  const int n = io->z.cols;
  const nnb__layer_rows *rows = nnb__kernel()->layer_rows;
  for (int i = 0; i < io->z.rows; i++)
    *moments(io, i) = rows->norm(n, (real)d->epsilon, io->w, io->w + n, nnb__crow(io->a[0], i), nnb__row(io->z, i));
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  const nnb__layer_rows *rows = nnb__kernel()->layer_rows;
  for (int i = 0; i < io->delta.rows; i++)
    rows->norm_back(io->delta.cols, moments(io, i), io->w, nnb__crow(io->a[0], i), nnb__crow(io->delta, i), io->da_beta,
                    nnb__row(io->da[k], i));
}

/* gain, bias ← gain, bias + Σ Δ ⊙ X, Σ Δ over rows r … r + rows - 1, for n columns from c on */
static void add_rows(const nnb_layer_io *io, int r, int rows, int c, int n, double *gain, double *bias) {
  real dg[TILE] = {0}, db[TILE] = {0};
  for (int i = r; i < r + rows; i++)
    nnb__kernel()->layer_rows->norm_params(n, moments(io, i), nnb__crow(io->a[0], i) + c, nnb__crow(io->delta, i) + c,
                                           dg, db);
  for (int j = 0; j < n; j++) gain[j] += (double)dg[j], bias[j] += (double)db[j];
}

/* In the defined arithmetic each number is one chain over the rows, which the next chunk goes on with; alpha is 1. */
static void add_in_order(const nnb_layer_io *io, int c, int n, const nnb_sink *sink) {
  real dg[TILE], db[TILE];
  for (int j = 0; j < n; j++) {
    dg[j] = sink->w && sink->beta != 0 ? sink->beta * sink->w[c + j] : 0;
    db[j] = sink->b && sink->beta_bias != 0 ? sink->beta_bias * sink->b[c + j] : 0;
  }
  for (int i = 0; i < io->delta.rows; i++)
    nnb__kernel()->layer_rows->norm_params(n, moments(io, i), nnb__crow(io->a[0], i) + c, nnb__crow(io->delta, i) + c,
                                           dg, db);
  if (sink->w) memcpy(sink->w + c, dg, (size_t)n * sizeof *dg);
  if (sink->b) memcpy(sink->b + c, db, (size_t)n * sizeof *db);
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  (void)self;
  if (io->part != io->parts - 1) return; /* which has the one row of W, and b */
  for (int c = 0, n; nnb__exact() && (n = nnb__chunk(io->delta.cols, c, TILE)) > 0; c += n)
    add_in_order(io, c, n, sink);
  if (nnb__exact()) return;
  for (int c = 0, n; (n = nnb__chunk(io->delta.cols, c, TILE)) > 0; c += n) {
    double gain[TILE] = {0}, bias[TILE] = {0};
    for (int r = 0, rows; (rows = nnb__chunk(io->delta.rows, r, NNB__NORM_ROWS)) > 0; r += rows)
      add_rows(io, r, rows, c, n, gain, bias);
    nnb__norm_put(sink, c, n, gain, bias);
  }
}

/* dZ = γ ⊙ (dA - mean of dA - X · mean of dA ⊙ X)/√(σ² + ε) */
static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  const int cols = dz.cols;
  const real *gain = io->w;
  (void)self;
  for (int i = 0; i < dz.rows; i++) {
    const real *a = nnb__crow(io->a[0], i / n), *d = nnb__crow(da[0], i);
    const nnb__moments m = *moments(io, i / n);
    real *z = nnb__row(dz, i), dot = 0;
    const real level = nnb__kernel()->layer_rows->sum(cols, d) / (real)cols;
    for (int j = 0; j < cols; j++) dot += d[j] * (a[j] - m.mean);
    const real slope = dot / (real)cols * m.root * m.root;
    for (int j = 0; j < cols; j++) z[j] = gain[j] * m.root * (d[j] - level - (a[j] - m.mean) * slope);
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
