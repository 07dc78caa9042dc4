/* nn/dropout.c: in training each number is 0 with probability p, and else multiplied by 1/(1 - p), so that its mean
 * stays; otherwise Z = A.  (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014.)
 *
 * Number j of a row is dropped if the j-th word of nnb_rng_u32 for (seed, update, node, row), as at nnb_run, is below
 * p·2³².  So masks do not depend on threads and chunks. */
#include <string.h>

#include "kernels.h"
#include "layer.h"
#include "view.h"

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  const nnb__dropout *d = self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "dropout has %d input node(s); wanted 1", n_from);
  if (!(d->p >= 0 && d->p < 1)) return nnb_layer_fail(NNB_E_ARG, "p is %g; wanted 0 or more, below 1", d->p);
  needs->cols = cols[0], needs->shape = needs->from[0];
  needs->scratch = (size_t)cols[0]; /* the masks */
  needs->random = true;
  return NNB_OK;
}

/* mask ← 0 or 1/(1 - p), n numbers, for row i of the run */
static void draw_mask(const nnb__dropout *d, const nnb_run *run, int i, int n, real *mask) {
  const uint64_t seed = run->seed + (uint64_t)run->node * 0x9E3779B97F4A7C15u;
  const uint64_t stream = (uint64_t)run->update << 32 | (uint32_t)(run->row0 + i);
  nnb__kernel()->layer_rows->mask(seed, stream, (uint32_t)(d->p * 0x1p32), (real)(1 / (1 - d->p)), n, mask);
}

static void forward(const void *self, const nnb_layer_io *io) {
  const int n = io->z.cols;
  for (int i = 0; i < io->z.rows; i++) {
    const real *a = nnb__crow(io->a[0], i);
    real *z = nnb__row(io->z, i), *mask = io->scratch + (size_t)i * (size_t)n;
    if (!io->run->training) {
      memcpy(z, a, (size_t)n * sizeof *z);
      continue;
    }
    draw_mask(self, io->run, i, n, mask);
    nnb__kernel()->layer_rows->times(n, a, mask, 0, z);
  }
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  const int n = io->delta.cols;
  for (int i = 0; i < io->delta.rows; i++) {
    const real *delta = nnb__crow(io->delta, i), *mask = io->scratch + (size_t)i * (size_t)n;
    real *da = nnb__row(io->da[k], i);
    if (io->run->training) nnb__kernel()->layer_rows->times(n, delta, mask, io->da_beta, da);
    for (int j = 0; !io->run->training && j < n; j++) da[j] = io->da_beta == 0 ? delta[j] : da[j] + delta[j];
  }
}

/* Derivatives are those of predictions: dZ = dA. */
static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)self, (void)io, (void)n;
  for (int i = 0; i < dz.rows; i++) memcpy(nnb__row(dz, i), nnb__crow(da[0], i), (size_t)dz.cols * sizeof *dz.p);
}

static const nnb_attr attrs[] = {{"p", NNB_ATTR_REAL, offsetof(nnb__dropout, p)}, {0}};

const nnb_layer_ops nnb__layer_dropout = {
    .name = "dropout",
    .size = sizeof(nnb__dropout),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .tangent = tangent,
};
