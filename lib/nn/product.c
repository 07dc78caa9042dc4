/* nn/product.c: Z = A_1 ⊙ A_2 ⊙ …, element by element. */
#include <string.h>

#include "layer.h"
#include "view.h"

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  for (int k = 1; k < n_from; k++)
    if (cols[k] != cols[0])
      return nnb_layer_fail(NNB_E_SHAPE,
                            "a product needs nodes of equal width; the first has %d column(s), number %d has %d",
                            cols[0], k + 1, cols[k]);
  needs->cols = cols[0];
  nnb__take_shape(n_from, needs);
  return NNB_OK;
}

static void forward(const void *self, const nnb_layer_io *io) {
  (void)self;
  for (int i = 0; i < io->z.rows; i++) {
    real *z = nnb__row(io->z, i);
    memcpy(z, nnb__crow(io->a[0], i), (size_t)io->z.cols * sizeof *z);
    for (int k = 1; k < io->n_from; k++) {
      const real *a = nnb__crow(io->a[k], i);
      for (int j = 0; j < io->z.cols; j++) z[j] *= a[j];
    }
  }
}

/* ∂E/∂A_k = Δ ⊙ the product of the other nodes, which is not Z / A_k where A_k is 0. */
static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  for (int i = 0; i < io->delta.rows; i++) {
    const real *delta = nnb__crow(io->delta, i);
    real *da = nnb__row(io->da[k], i);
    for (int j = 0; j < io->delta.cols; j++) {
      real d = delta[j];
      for (int l = 0; l < io->n_from; l++)
        if (l != k) d *= nnb__crow(io->a[l], i)[j];
      da[j] = io->da_beta == 0 ? d : da[j] + d;
    }
  }
}

/* dZ = Σ_k dA_k ⊙ the product of the other nodes */
static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)self;
  for (int i = 0; i < dz.rows; i++) {
    real *d = nnb__row(dz, i);
    for (int j = 0; j < dz.cols; j++) d[j] = 0;
    for (int k = 0; k < io->n_from; k++)
      for (int j = 0; j < dz.cols; j++) {
        real v = nnb__crow(da[k], i)[j];
        for (int l = 0; l < io->n_from; l++)
          if (l != k) v *= nnb__crow(io->a[l], i / n)[j];
        d[j] += v;
      }
  }
}

const nnb_layer_ops nnb__layer_product = {
    .name = "product", .shape = shape, .forward = forward, .backward_data = backward_data, .tangent = tangent};
