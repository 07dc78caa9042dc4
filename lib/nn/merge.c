/* nn/merge.c: the layers without parameters: activation (Z = A), add (Z = Σ A_k), concat (Z = [A_1 A_2
 * …]), flatten (Z = A without a shape). */
#include <string.h>

#include "layer.h"
#include "view.h"

/* dst ← beta·dst + src; beta is 0 or 1 */
static void copy_or_add(nnb_mat dst, nnb_cmat src, real beta) {
  for (int i = 0; i < dst.rows; i++) {
    real *d = nnb__row(dst, i);
    const real *s = nnb__crow(src, i);
    if (beta == 0)
      memmove(d, s, (size_t)dst.cols * sizeof *d);
    else
      for (int j = 0; j < dst.cols; j++) d[j] += s[j];
  }
}

static bool same(const nnb_shape *s, const nnb_shape *t) {
  return s->channels == t->channels && s->height == t->height && s->width == t->width;
}

void nnb__take_shape(int n_from, nnb_needs *needs) {
  for (int k = 1; k < n_from; k++)
    if (!same(&needs->from[k], &needs->from[0])) return;
  needs->shape = needs->from[0];
}

/* Images of one size side by side are further channels. */
static void join_shapes(int n_from, nnb_needs *needs) {
  nnb_shape all = {0, needs->from[0].height, needs->from[0].width};
  for (int k = 0; k < n_from; k++) {
    if (needs->from[k].channels == 0 || needs->from[k].height != all.height || needs->from[k].width != all.width)
      return;
    all.channels += needs->from[k].channels; /* at most the columns, which an int holds */
  }
  needs->shape = all;
}

static nnb_status shape_equal(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  for (int k = 1; k < n_from; k++)
    if (cols[k] != cols[0])
      return nnb_layer_fail(NNB_E_SHAPE,
                            "a sum needs nodes of equal width; the first has %d column(s), number %d has %d", cols[0],
                            k + 1, cols[k]);
  needs->cols = cols[0], needs->affine = true;
  nnb__take_shape(n_from, needs);
  return NNB_OK;
}

static nnb_status shape_single(void *self, const int *cols, int n_from, nnb_needs *needs) {
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "an activation has %d input node(s); wanted 1", n_from);
  return shape_equal(self, cols, n_from, needs);
}

static nnb_status shape_flatten(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "flatten has %d input node(s); wanted 1", n_from);
  needs->cols = cols[0], needs->affine = true;
  return NNB_OK;
}

static nnb_status shape_concat(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self;
  for (int k = 0; k < n_from; k++)
    if (__builtin_add_overflow(needs->cols, cols[k], &needs->cols))
      return nnb_layer_fail(NNB_E_OVERFLOW, "the nodes have more columns in all than an int can hold");
  needs->affine = true;
  join_shapes(n_from, needs);
  return NNB_OK;
}

static void sum(int n_from, const nnb_cmat *a, nnb_mat z) {
  for (int k = 0; k < n_from; k++) copy_or_add(z, a[k], k ? 1 : 0);
}

static void forward_add(const void *self, const nnb_layer_io *io) {
  (void)self;
  sum(io->n_from, io->a, io->z);
}

static void tangent_add(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)self, (void)n;
  sum(io->n_from, da, dz);
}

static void backward_add(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  copy_or_add(io->da[k], io->delta, io->da_beta);
}

static void join(int n_from, const nnb_cmat *a, nnb_mat z) {
  for (int k = 0, c = 0; k < n_from; c += a[k++].cols) copy_or_add(nnb__cols(z, c, a[k].cols), a[k], 0);
}

static void forward_concat(const void *self, const nnb_layer_io *io) {
  (void)self;
  join(io->n_from, io->a, io->z);
}

static void tangent_concat(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)self, (void)n;
  join(io->n_from, da, dz);
}

static void backward_concat(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  copy_or_add(io->da[k], nnb__ccols(io->delta, io->cols_before, io->a[k].cols), io->da_beta);
}

const nnb_layer_ops nnb__layer_activation = {.name = "activation",
                                             .shape = shape_single,
                                             .forward = forward_add,
                                             .backward_data = backward_add,
                                             .tangent = tangent_add};
const nnb_layer_ops nnb__layer_add = {
    .name = "add", .shape = shape_equal, .forward = forward_add, .backward_data = backward_add, .tangent = tangent_add};
const nnb_layer_ops nnb__layer_concat = {.name = "concat",
                                         .shape = shape_concat,
                                         .forward = forward_concat,
                                         .backward_data = backward_concat,
                                         .tangent = tangent_concat};
const nnb_layer_ops nnb__layer_flatten = {.name = "flatten",
                                          .shape = shape_flatten,
                                          .forward = forward_add,
                                          .backward_data = backward_add,
                                          .tangent = tangent_add};
