/* nn/pool.c: pooling: the largest number (maxpool) or the mean (avgpool) of each window of each channel. */
#include <string.h>

#include "layer.h"
#include "view.h"

static nnb_status shape(const char *layer, void *self, int n_from, nnb_needs *needs) {
  nnb__pool *d = self;
  nnb__patches *w = &d->patches;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "a %s layer has %d input node(s); wanted 1", layer, n_from);
  if (d->stride < 0)
    return nnb_layer_fail(NNB_E_ARG, "the stride of a %s layer is %d; wanted 0 or more", layer, d->stride);
  nnb_status status = nnb__patches_fit(layer, needs->from, d->height, d->width, d->stride ? d->stride : 1, 0, w);
  if (status) return status;
  d->height = w->height;
  if (d->stride == 0) { /* windows side by side */
    w->stride_y = w->height, w->stride_x = w->width;
    w->out_height = w->in.height / w->height, w->out_width = w->in.width / w->width;
  }
  needs->shape = (nnb_shape){w->in.channels, w->out_height, w->out_width};
  needs->cols = w->in.channels * nnb__n_places(w); /* at most the columns of the input */
  return NNB_OK;
}
static nnb_status shape_max(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)cols;
  return shape("maxpool", self, n_from, needs);
}
static nnb_status shape_average(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)cols;
  needs->affine = true;
  return shape("avgpool", self, n_from, needs);
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

/* What happens to a window, whose first number is at a, and to its number z or δ, and to the window of da. */
typedef void window_fn(const nnb__patches *w, const real *a, real *z, const real *delta, real *da);

/* f for all windows of one sample; NULL arrays stay NULL. */
static void each_window(const nnb__patches *w, const real *a, real *z, const real *delta, real *da, window_fn *f) {
  const size_t area = (size_t)w->in.height * (size_t)w->in.width;
  size_t place = 0;
  for (int c = 0; c < w->in.channels; c++)
    for (int y = 0; y < w->out_height; y++)
      for (int x = 0; x < w->out_width; x++, place++) {
        const size_t at =
            (size_t)c * area + (size_t)y * (size_t)w->stride_y * (size_t)w->in.width + (size_t)x * (size_t)w->stride_x;
        f(w, a ? a + at : NULL, z ? z + place : NULL, delta ? delta + place : NULL, da ? da + at : NULL);
      }
}

/* The place of the largest number, the first of equal ones; of the last NaN if there is one. */
static size_t largest(const nnb__patches *w, const real *a) {
  size_t best = 0;
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) {
      const size_t at = (size_t)y * (size_t)w->in.width + (size_t)x;
      if (a[at] > a[best] || isnan(a[at])) best = at;
    }
  return best;
}
static void take_largest(const nnb__patches *w, const real *a, real *z, const real *delta, real *da) {
  (void)delta, (void)da;
  *z = a[largest(w, a)];
}
static void give_to_largest(const nnb__patches *w, const real *a, real *z, const real *delta, real *da) {
  (void)z;
  da[largest(w, a)] += *delta;
}

static void take_from_largest(const nnb__patches *w, const real *a, real *z, const real *delta, real *da) {
  (void)delta;
  *z = da[largest(w, a)];
}

static void take_mean(const nnb__patches *w, const real *a, real *z, const real *delta, real *da) {
  (void)delta, (void)da;
  real sum = 0;
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) sum += a[(size_t)y * (size_t)w->in.width + (size_t)x];
  *z = sum / ((real)w->height * (real)w->width);
}
static void give_to_all(const nnb__patches *w, const real *a, real *z, const real *delta, real *da) {
  (void)a, (void)z;
  const real share = *delta / ((real)w->height * (real)w->width);
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) da[(size_t)y * (size_t)w->in.width + (size_t)x] += share;
}

/* ---- the passes -------------------------------------------------------------------------------------------------- */

static void forward(const void *self, const nnb_layer_io *io, window_fn *f) {
  const nnb__pool *d = self;
  for (int i = 0; i < io->z.rows; i++)
    each_window(&d->patches, nnb__crow(io->a[0], i), nnb__row(io->z, i), NULL, NULL, f);
}
static void backward(const void *self, const nnb_layer_io *io, int k, window_fn *f) {
  const nnb__pool *d = self;
  for (int i = 0; i < io->delta.rows; i++) {
    real *da = nnb__row(io->da[k], i);
    if (io->da_beta == 0) memset(da, 0, (size_t)io->da[k].cols * sizeof *da);
    const real *a = f == give_to_largest ? nnb__crow(io->a[0], i) : NULL; /* the mean needs nothing but Δ */
    each_window(&d->patches, a, NULL, nnb__crow(io->delta, i), da, f);
  }
}
/* The derivative of the maximum is that of the largest number; the mean is linear. */
static void tangent_max(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  const nnb__pool *d = self;
  for (int i = 0; i < dz.rows; i++) {
    real *along = (real *)(uintptr_t)nnb__crow(da[0], i); /* which is only read */
    each_window(&d->patches, nnb__crow(io->a[0], i / n), nnb__row(dz, i), NULL, along, take_from_largest);
  }
}
static void tangent_average(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)io, (void)n;
  const nnb__pool *d = self;
  for (int i = 0; i < dz.rows; i++)
    each_window(&d->patches, nnb__crow(da[0], i), nnb__row(dz, i), NULL, NULL, take_mean);
}

static void forward_max(const void *self, const nnb_layer_io *io) { forward(self, io, take_largest); }
static void backward_max(const void *self, const nnb_layer_io *io, int k) { backward(self, io, k, give_to_largest); }
static void forward_average(const void *self, const nnb_layer_io *io) { forward(self, io, take_mean); }
static void backward_average(const void *self, const nnb_layer_io *io, int k) { backward(self, io, k, give_to_all); }

static const nnb_attr attrs[] = {
    {"height", NNB_ATTR_INT, offsetof(nnb__pool, height)},
    {"width", NNB_ATTR_INT, offsetof(nnb__pool, width)},
    {"stride", NNB_ATTR_INT, offsetof(nnb__pool, stride)},
    {0},
};

const nnb_layer_ops nnb__layer_maxpool = {
    .name = "maxpool",
    .size = sizeof(nnb__pool),
    .attrs = attrs,
    .shape = shape_max,
    .forward = forward_max,
    .backward_data = backward_max,
    .tangent = tangent_max,
};
const nnb_layer_ops nnb__layer_avgpool = {
    .name = "avgpool",
    .size = sizeof(nnb__pool),
    .attrs = attrs,
    .shape = shape_average,
    .forward = forward_average,
    .backward_data = backward_average,
    .tangent = tangent_average,
};
