/* nn/embedding.c: Z = rows of a table W, levels×units, one for each whole number that is read.
 *
 * The n columns of A are numbers 0 … levels - 1, and unit j of column c is column j·n + c of Z: an image of `units`
 * channels for each channel of A.  Z is constant between whole numbers, so its derivatives by A are 0. */
#include <assert.h>
#include <string.h>

#include "ints.h"
#include "layer.h"
#include "view.h"

const nnb__embedding nnb__embedding_defaults = {.init = NNB_INIT_NORMAL, .init_scale = 1};

static nnb_status check(const nnb__embedding *d, int n_from) {
  const int most = 1 << (sizeof(real) == sizeof(float) ? 24 : 30); /* all whole numbers up to it are numbers of reals */
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "an embedding has %d input node(s); wanted 1", n_from);
  if (d->levels < 1 || d->levels > most)
    return nnb_layer_fail(NNB_E_ARG, "an embedding has %d level(s); wanted 1 to %d", d->levels, most);
  if (d->units < 1) return nnb_layer_fail(NNB_E_ARG, "an embedding has %d unit(s); wanted at least 1", d->units);
  if (!(d->init_scale > 0) || isinf(d->init_scale))
    return nnb_layer_fail(NNB_E_ARG, "init_scale is %g; wanted a positive number", d->init_scale);
  return NNB_OK;
}

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  const nnb__embedding *d = self;
  const nnb_status status = check(d, n_from);
  if (status) return status;
  if (__builtin_mul_overflow(cols[0], d->units, &needs->cols))
    return nnb_layer_fail(NNB_E_OVERFLOW, "%d units for each of %d columns are more than an int can count", d->units,
                          cols[0]);
  needs->w_rows = needs->levels = d->levels, needs->w_cols = d->units;
  needs->affine = true;
  needs->init_scratch = nnb__init_scratch((nnb_init)d->init, d->levels, d->units);
  needs->shape = needs->from[0];
  if (needs->shape.channels == 0 && cols[0] > 1) needs->shape = (nnb_shape){1, 1, cols[0]};
  needs->shape.channels *= d->units;
  return NNB_OK;
}

static void init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  const nnb__embedding *d = self;
  nnb__init_weights((nnb_init)d->init, d->init_scale, d->levels, d->units, d->units, w, rng, scratch);
}

/* The row of W for a number, which the public calls have checked. */
static int row_for(const nnb__embedding *d, real a) {
  assert(a >= 0 && a < (real)d->levels), (void)d;
  return (int)a;
}

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__embedding *d = self;
  const int n = io->a[0].cols;
  for (int i = 0; i < io->z.rows; i++)
    for (int c = 0; c < n; c++) {
      const real *w = io->w + (size_t)row_for(d, nnb__crow(io->a[0], i)[c]) * (size_t)d->units;
      real *z = nnb__row(io->z, i) + c;
      for (int j = 0; j < d->units; j++) z[j * n] = w[j];
    }
}

static void clear(nnb_mat m) {
  for (int i = 0; i < m.rows; i++) memset(nnb__row(m, i), 0, (size_t)m.cols * sizeof *m.p);
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  if (io->da_beta == 0) clear(io->da[k]);
}

static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)self, (void)io, (void)da, (void)n;
  clear(dz);
}

/* w ← beta·w, n numbers; they may be NaN if beta is 0 */
static void scale(size_t n, real beta, real *w) {
  if (beta == 0) memset(w, 0, n * sizeof *w);
  for (size_t i = 0; beta != 0 && beta != 1 && i < n; i++) w[i] *= beta;
}

/* w ← w + alpha·∂E/∂W of row i of the batch, in rows [r0, r1) of W */
static void add_row(const nnb__embedding *d, const nnb_layer_io *io, int i, int r0, int r1, real alpha, real *w) {
  const int n = io->a[0].cols;
  for (int c = 0; c < n; c++) {
    const int r = row_for(d, nnb__crow(io->a[0], i)[c]);
    const real *delta = nnb__crow(io->delta, i) + c;
    real *to = w + (size_t)r * (size_t)d->units;
    for (int j = 0; r0 <= r && r < r1 && j < d->units; j++) to[j] += alpha * delta[j * n];
  }
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const nnb__embedding *d = self;
  const int r0 = nnb__share(d->levels, io->part, io->parts), r1 = nnb__share(d->levels, io->part + 1, io->parts);
  const size_t units = (size_t)d->units;
  if (!sink->w) return;
  scale((size_t)(r1 - r0) * units, sink->beta, sink->w + (size_t)r0 * units);
  for (int i = 0; i < io->delta.rows; i++) add_row(d, io, i, r0, r1, sink->alpha, sink->w);
}

static void backward_rows(const void *self, const nnb_layer_io *io, real *w, real *b, size_t ld) {
  const nnb__embedding *d = self;
  (void)b;
  for (int i = 0; w && i < io->delta.rows; i++) {
    scale((size_t)d->levels * (size_t)d->units, 0, w + (size_t)i * ld);
    add_row(d, io, i, 0, d->levels, 1, w + (size_t)i * ld);
  }
}

static const nnb_attr attrs[] = {
    {"levels", NNB_ATTR_INT, offsetof(nnb__embedding, levels)},
    {"units", NNB_ATTR_INT, offsetof(nnb__embedding, units)},
    {"init", NNB_ATTR_INIT, offsetof(nnb__embedding, init)},
    {"init_scale", NNB_ATTR_REAL, offsetof(nnb__embedding, init_scale)},
    {0},
};

const nnb_layer_ops nnb__layer_embedding = {
    .name = "embedding",
    .size = sizeof(nnb__embedding),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = init,
    .backward_rows = backward_rows,
    .tangent = tangent,
};
