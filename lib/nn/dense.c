/* nn/dense.c: Z = A·W + b.  W: I×O, b: 1×O; the block is [W; b]. */
#include <string.h>

#include "blas.h"
#include "ints.h"
#include "kernels.h"
#include "layer.h"
#include "view.h"

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  nnb__dense *d = self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "a dense layer has %d input node(s); wanted 1", n_from);
  if (d->units < 1) return nnb_layer_fail(NNB_E_ARG, "a dense layer has %d unit(s); wanted at least 1", d->units);
  if (d->bias != 0 && d->bias != 1) return nnb_layer_fail(NNB_E_ARG, "bias is %d; wanted 0 or 1", d->bias);
  if (!(d->init_scale > 0) || isinf(d->init_scale))
    return nnb_layer_fail(NNB_E_ARG, "init_scale is %g; wanted a positive number", d->init_scale);
  d->n_in = cols[0];
  needs->cols = needs->w_cols = d->units;
  needs->w_rows = d->n_in;
  needs->bias = d->bias, needs->by_columns = needs->affine = true;
  needs->init_scratch = nnb__init_scratch((nnb_init)d->init, d->n_in, d->units);
  return NNB_OK;
}

static void init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  const nnb__dense *d = self;
  nnb__init_weights((nnb_init)d->init, d->init_scale, d->n_in, d->units, d->units, w, rng, scratch);
}

static nnb_cmat weights(const nnb__dense *d, const nnb_layer_io *io) { return nnb_cview(io->w, d->n_in, d->units); }

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__dense *d = self;
  const int c0 = nnb__share(d->units, io->part, io->parts), n = nnb__share(d->units, io->part + 1, io->parts) - c0;
  const real *b = io->w + (size_t)d->n_in * (size_t)d->units + c0;
  nnb_mat z = nnb__cols(io->z, c0, n);
  /* a gemm with beta 1 on copies of b costs no more than one that first clears Z */
  for (int i = 0; d->bias && i < z.rows; i++) memcpy(nnb__row(z, i), b, (size_t)n * sizeof *b);
  nnb__gemm_forward(io->a[0], nnb__ccols(weights(d, io), c0, n), d->bias ? 1 : 0, z); /* Z = A·W + 1·b */
}

static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)n;
  nnb__gemm('N', 'N', 1, da[0], weights(self, io), 0, dz); /* Ż = Ȧ·W */
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  const nnb__dense *d = self;
  const int c0 = nnb__share(d->n_in, io->part, io->parts), n = nnb__share(d->n_in, io->part + 1, io->parts) - c0;
  nnb_cmat w = nnb__crows(weights(d, io), c0, n);
  nnb__gemm('N', 'T', 1, io->delta, w, io->da_beta, nnb__cols(io->da[k], c0, n)); /* ∂E/∂A = Δ·Wᵀ */
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const nnb__dense *d = self;
  const int r0 = nnb__share(d->n_in, io->part, io->parts), r1 = nnb__share(d->n_in, io->part + 1, io->parts);
  if (sink->w) {
    nnb_mat w = nnb__rows(nnb_view(sink->w, d->n_in, d->units), r0, r1 - r0);
    nnb__gemm_update(sink->alpha, nnb__ccols(io->a[0], r0, r1 - r0), io->delta, sink->beta, w); /* dW = Aᵀ·Δ */
  }
  if (sink->b && io->part == io->parts - 1) nnb__kernel()->col_sums(io->delta, sink->alpha, sink->beta_bias, sink->b);
}

static void backward_rows(const void *self, const nnb_layer_io *io, real *w, real *b, size_t ld) {
  const nnb__dense *d = self;
  const nnb__kernels *kernel = nnb__kernel();
  for (int i = 0; i < io->delta.rows; i++) { /* dW_i = a_iᵀ·δ_i, db_i = δ_i */
    const real *delta = nnb__crow(io->delta, i);
    if (w) kernel->outer(d->n_in, d->units, nnb__crow(io->a[0], i), delta, w + (size_t)i * ld);
    if (b) memcpy(b + (size_t)i * ld, delta, (size_t)d->units * sizeof *b);
  }
}

static void kron(const void *self, const nnb_layer_io *io, nnb_cmat *a, nnb_cmat *delta) {
  (void)self;
  *a = io->a[0], *delta = io->delta;
}

static const nnb_attr attrs[] = {
    {"units", NNB_ATTR_INT, offsetof(nnb__dense, units)},
    {"bias", NNB_ATTR_INT, offsetof(nnb__dense, bias)},
    {"init", NNB_ATTR_INIT, offsetof(nnb__dense, init)},
    {"init_scale", NNB_ATTR_REAL, offsetof(nnb__dense, init_scale)},
    {0},
};

const nnb_layer_ops nnb__layer_dense = {
    .name = "dense",
    .size = sizeof(nnb__dense),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = init,
    .backward_rows = backward_rows,
    .kron = kron,
    .tangent = tangent,
};
