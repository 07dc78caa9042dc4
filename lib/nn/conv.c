/* nn/conv.c: convolution of images, also of signals (images of height 1).
 *
 * With K = channels·height·width of the window, P its places and O the channels of Z, W is K×O, and each sample is
 *
 *     Z = Wᵀ·C + b·1     Δ: O×P     dW += C·Δᵀ     dC = W·Δ,
 *
 * where C: K×P are the patches of its image (nn/patches.h).  Z and Δ are rows of O channels as they lie in memory.  C
 * is made in tiles that stay in the first-level cache, and dC is added to the image tile by tile. */
#include <limits.h>
#include <string.h>

#include "blas.h"
#include "exact.h"
#include "ints.h"
#include "layer.h"
#include "view.h"

/* Numbers of a tile of C, on the stack, and its most columns: the products have at least TILE/WIDEST = 32 rows of C. */
enum { TILE = 4096, WIDEST = 128 };

static nnb_status check(const nnb__conv *d, int n_from) {
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "a convolution has %d input node(s); wanted 1", n_from);
  if (d->channels < 1)
    return nnb_layer_fail(NNB_E_ARG, "a convolution has %d channel(s); wanted at least 1", d->channels);
  if (d->bias != 0 && d->bias != 1) return nnb_layer_fail(NNB_E_ARG, "bias is %d; wanted 0 or 1", d->bias);
  if (!(d->init_scale > 0) || isinf(d->init_scale))
    return nnb_layer_fail(NNB_E_ARG, "init_scale is %g; wanted a positive number", d->init_scale);
  return NNB_OK;
}

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)cols;
  nnb__conv *d = self;
  nnb__patches *w = &d->patches;
  nnb_status status = check(d, n_from);
  if (!status) status = nnb__patches_fit("conv", needs->from, d->height, d->width, d->stride, d->pad, w);
  if (status) return status;
  d->height = w->height;
  if (__builtin_mul_overflow(w->height, w->width, &needs->w_rows) ||
      __builtin_mul_overflow(needs->w_rows, w->in.channels, &needs->w_rows) ||
      __builtin_mul_overflow(nnb__n_places(w), d->channels, &needs->cols))
    return nnb_layer_fail(NNB_E_OVERFLOW, "%d channels with a window of %d×%d×%d are more than an int can count",
                          d->channels, w->in.channels, w->height, w->width);
  needs->w_cols = d->channels, needs->bias = d->bias, needs->affine = true;
  needs->shape = (nnb_shape){d->channels, w->out_height, w->out_width};
  needs->init_scratch = nnb__init_scratch((nnb_init)d->init, needs->w_rows, d->channels);
  return NNB_OK;
}

static int rows_of_w(const nnb__conv *d) { return d->patches.in.channels * d->height * d->width; }

static void init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  const nnb__conv *d = self;
  const double fan_out = (double)d->channels * d->height * d->width;
  nnb__init_weights((nnb_init)d->init, d->init_scale, rows_of_w(d), d->channels, fan_out, w, rng, scratch);
}

/* ---- tiles of C -------------------------------------------------------------------------------------------------- */

/* Rows [k, k + n_k) and columns [p, p + n_p) of C. */
typedef struct tile {
  int k, n_k, p, n_p;
} tile;

/* The tile after t, or the first one after {0}, in rows [k0, k1) of C; false after the last.  All tiles of some columns
 * follow each other. */
static bool next_tile(const nnb__conv *d, int k0, int k1, tile *t) {
  const int places = nnb__n_places(&d->patches);
  const bool first = t->n_k == 0;
  if (!first && (t->k += t->n_k) >= k1) t->p += t->n_p, t->k = k0;
  if (first) t->k = k0;
  if (t->p >= places) return false;
  t->n_p = nnb__smaller(places - t->p, WIDEST);
  t->n_k = nnb__smaller(k1 - t->k, TILE / t->n_p);
  return true;
}

static nnb_mat gather(const nnb__conv *d, const real *image, const tile *t, real memory[TILE]) {
  nnb_mat c = nnb_view(memory, t->n_k, t->n_p);
  nnb__patches_gather(&d->patches, image, t->k, t->p, c);
  return c;
}

/* The tile's columns of Z or Δ of one sample, as O×n_p */
static nnb_mat z_of(const nnb__conv *d, nnb_mat z, int i, const tile *t) {
  return nnb__cols(nnb_view(nnb__row(z, i), d->channels, nnb__n_places(&d->patches)), t->p, t->n_p);
}
static nnb_cmat delta_of(const nnb__conv *d, nnb_cmat delta, int i, const tile *t) {
  return nnb__ccols(nnb_cview(nnb__crow(delta, i), d->channels, nnb__n_places(&d->patches)), t->p, t->n_p);
}

static nnb_cmat weights(const nnb__conv *d, const nnb_layer_io *io, const tile *t) {
  return nnb__crows(nnb_cview(io->w, rows_of_w(d), d->channels), t->k, t->n_k);
}

/* ---- the passes -------------------------------------------------------------------------------------------------- */

static void start_with_bias(const nnb__conv *d, const real *b, real *z) {
  const int places = nnb__n_places(&d->patches);
  for (int o = 0; o < d->channels; o++)
    for (int p = 0; p < places; p++) *z++ = b[o];
}

/* Z ← Wᵀ·C + b·1, sample by sample; bias NULL: without b */
static void convolve(const nnb__conv *d, const nnb_layer_io *io, nnb_cmat a, const real *bias, nnb_mat z) {
  real memory[TILE];
  for (int i = 0; i < z.rows; i++) {
    if (bias) start_with_bias(d, bias, nnb__row(z, i));
    for (tile t = {0}; next_tile(d, 0, rows_of_w(d), &t);) {
      nnb_mat c = gather(d, nnb__crow(a, i), &t, memory);
      const real beta = bias || t.k > 0 ? 1 : 0;
      nnb__gemm('T', 'N', 1, weights(d, io, &t), nnb__read(c), beta, z_of(d, z, i, &t));
    }
  }
}

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__conv *d = self;
  convolve(d, io, io->a[0], d->bias ? io->w + (size_t)rows_of_w(d) * (size_t)d->channels : NULL, io->z);
}

static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)n;
  convolve(self, io, da[0], NULL, dz);
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  const nnb__conv *d = self;
  real memory[TILE];
  for (int i = 0; i < io->delta.rows; i++) {
    real *image = nnb__row(io->da[k], i);
    if (io->da_beta == 0) memset(image, 0, (size_t)io->da[k].cols * sizeof *image);
    for (tile t = {0}; next_tile(d, 0, rows_of_w(d), &t);) {
      nnb_mat c = nnb_view(memory, t.n_k, t.n_p);
      nnb__gemm('N', 'N', 1, weights(d, io, &t), delta_of(d, io->delta, i, &t), 0, c); /* dC = W·Δ */
      nnb__patches_scatter(&d->patches, nnb__read(c), t.k, t.p, image);
    }
  }
}

/* b ← beta·b + alpha·Σ Δ over samples and pixels */
static void add_bias(const nnb__conv *d, nnb_cmat delta, const nnb_sink *sink) {
  const int places = nnb__n_places(&d->patches);
  for (int o = 0; o < d->channels; o++) {
    const real kept = sink->beta_bias == 0 ? 0 : sink->beta_bias * sink->b[o];
    real sum = nnb__exact() ? kept : 0; /* the defined arithmetic goes on with the sum; alpha is 1 */
    for (int i = 0; i < delta.rows; i++)
      for (int p = 0; p < places; p++) sum += nnb__crow(delta, i)[o * places + p];
    sink->b[o] = nnb__exact() ? sum : kept + sink->alpha * sum;
  }
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const nnb__conv *d = self;
  const int k_all = rows_of_w(d);
  const int k0 = nnb__share(k_all, io->part, io->parts), k1 = nnb__share(k_all, io->part + 1, io->parts);
  real memory[TILE];
  for (int i = 0; sink->w && k1 > k0 && i < io->delta.rows; i++)
    for (tile t = {0}; next_tile(d, k0, k1, &t);) {
      nnb_mat c = gather(d, nnb__crow(io->a[0], i), &t, memory);
      nnb_mat w = nnb__rows(nnb_view(sink->w, k_all, d->channels), t.k, t.n_k);
      const real beta = i == 0 && t.p == 0 ? sink->beta : 1;
      nnb__gemm('N', 'T', sink->alpha, nnb__read(c), delta_of(d, io->delta, i, &t), beta, w); /* dW += C·Δᵀ */
    }
  if (sink->b && io->part == io->parts - 1) add_bias(d, io->delta, sink);
}

static const nnb_attr attrs[] = {
    {"channels", NNB_ATTR_INT, offsetof(nnb__conv, channels)},
    {"height", NNB_ATTR_INT, offsetof(nnb__conv, height)},
    {"width", NNB_ATTR_INT, offsetof(nnb__conv, width)},
    {"stride", NNB_ATTR_INT, offsetof(nnb__conv, stride)},
    {"pad", NNB_ATTR_INT, offsetof(nnb__conv, pad)},
    {"bias", NNB_ATTR_INT, offsetof(nnb__conv, bias)},
    {"init", NNB_ATTR_INIT, offsetof(nnb__conv, init)},
    {"init_scale", NNB_ATTR_REAL, offsetof(nnb__conv, init_scale)},
    {0},
};

const nnb_layer_ops nnb__layer_conv = {
    .name = "conv",
    .size = sizeof(nnb__conv),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = init,
    .tangent = tangent,
};
