/* num/kernels/image_vec.h: convolutions and pools of a block of samples, which are the lanes of vectors.
 *
 * A pixel is a row of s samples, and the pixels of an image follow each other.  So for one row of places of the window,
 * row k of the patches C is a part of an image as it lies there, from off[k] on: with n vectors of pixels
 *
 *     Z = Wᵀ·C + b·1: O×n     dW += C·Δᵀ: K×O     dC = W·Δ: K×n, added to the pixels
 *
 * are products in tiles of registers, without copies.  K: rows of W, O: channels of Z. */
#ifndef NNB__IMAGE_VEC_H
#define NNB__IMAGE_VEC_H

#include "chain.h"
#include "gradient_tile.h"

/* mr rows by nv vectors stay in registers, with nv vectors that are read. */
#ifdef VEC_AVX512
enum { IMAGE_M = 6, IMAGE_N = 4 }; /* 24 + 4 of 32 */
#else
enum { IMAGE_M = 4, IMAGE_N = 3 }; /* 12 + 3 of 16 */
#endif

/* ---- where the pixels are ---------------------------------------------------------------------------------------- */

/* One row of places: runs of `vecs` vectors, whose pixels are `step` numbers apart; between two runs there are `next`
 * numbers.  row: from one row of places to the next. */
typedef struct places {
  int runs, vecs;
  size_t step, next, row;
} places;

static places places_of(const nnb__patches *w, int s) {
  const size_t pixel = (size_t)w->stride_x * (size_t)s, row = (size_t)(w->stride_y * w->in.width) * (size_t)s;
  const int vecs = s / LANES;
  if (w->stride_x == 1) return (places){1, w->out_width * vecs, LANES, 0, row};
  if (vecs == 1) return (places){1, w->out_width, pixel, 0, row};
  return (places){w->out_width, vecs, LANES, pixel, row};
}

/* off[k] ← the first number under the window's pixel k */
static void offsets_of(const nnb__patches *w, int s, size_t off[NNB__MOST_OFFSETS]) {
  int k = 0;
  for (int c = 0; c < w->in.channels; c++)
    for (int y = 0; y < w->height; y++)
      for (int x = 0; x < w->width; x++, k++) off[k] = (size_t)((c * w->in.height + y) * w->in.width + x) * (size_t)s;
}

/* ---- convolution: forward ---------------------------------------------------------------------------------------- */

/* The arguments of a tile: W from its first column on, C from the first pixel on. */
typedef struct product_of_images {
  int k, cols; /* rows of W, and numbers in a row */
  const size_t *off;
  const real *w, *bias; /* bias NULL: none */
  size_t step, ldz;
  bool positive; /* max(Z, 0) */
} product_of_images;

/* mr channels by nv vectors */
INLINE void forward_tile(const product_of_images *p, int o, const real *a, real *z, int mr, int nv) {
  vec sum[IMAGE_M][IMAGE_N];
  const real *w = p->w + o;
  const size_t step = p->step, cols = (size_t)p->cols;
  UNROLL for (int i = 0; i < mr; i++) {
    const vec start = p->bias ? fill(p->bias[o + i]) : (vec){0};
    UNROLL for (int j = 0; j < nv; j++) sum[i][j] = start;
  }
  for (int k = 0; k < p->k; k++, w += cols) {
    const real *c = a + p->off[k];
    vec x[IMAGE_N];
    UNROLL for (int j = 0; j < nv; j++) x[j] = load(c + (size_t)j * step);
    UNROLL for (int i = 0; i < mr; i++) {
      const vec y = fill(w[i]);
      UNROLL for (int j = 0; j < nv; j++) sum[i][j] += y * x[j];
    }
  }
  z += (size_t)o * p->ldz;
  if (p->positive)
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] = at_least(sum[i][j], 0);
  UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++)
      store(z + (size_t)i * p->ldz + j * LANES, sum[i][j]);
}
INLINE void forward_channels(const product_of_images *p, const real *a, real *z, int nv) {
  int o = 0;
  for (; p->cols - o >= IMAGE_M; o += IMAGE_M) forward_tile(p, o, a, z, IMAGE_M, nv);
  if (IMAGE_M > 4)
    for (; p->cols - o >= 4; o += 4) forward_tile(p, o, a, z, 4, nv);
  for (; p->cols - o >= 2; o += 2) forward_tile(p, o, a, z, 2, nv);
  for (; p->cols - o >= 1; o += 1) forward_tile(p, o, a, z, 1, nv);
}
static void forward_1(const product_of_images *p, const real *a, real *z) { forward_channels(p, a, z, 1); }
static void forward_2(const product_of_images *p, const real *a, real *z) { forward_channels(p, a, z, 2); }
static void forward_3(const product_of_images *p, const real *a, real *z) { forward_channels(p, a, z, 3); }
static void forward_n(const product_of_images *p, const real *a, real *z) { forward_channels(p, a, z, IMAGE_N); }

static void forward_run(const product_of_images *p, const real *a, real *z, int vecs) {
  for (; vecs >= IMAGE_N; vecs -= IMAGE_N, a += IMAGE_N * p->step, z += IMAGE_N * LANES) forward_n(p, a, z);
  if (vecs == 1) forward_1(p, a, z);
  if (vecs == 2) forward_2(p, a, z);
  if (vecs == 3) forward_3(p, a, z);
}

/* z ← the convolution of a block; positive: max(z, 0) */
static void conv_forward(const nnb__link *link, int s, const real *w, const real *bias, const real *a, real *z,
                         bool positive) {
  size_t off[NNB__MOST_OFFSETS];
  const nnb__patches *at = &link->patches;
  const places q = places_of(at, s);
  const product_of_images p = {link->rows, link->cols, off, w, bias, q.step, (size_t)nnb__n_places(at) * (size_t)s,
                               positive};
  offsets_of(at, s, off);
  for (int y = 0; y < at->out_height; y++, a += q.row)
    for (int r = 0; r < q.runs; r++, z += q.vecs * LANES) forward_run(&p, a + (size_t)r * q.next, z, q.vecs);
}

/* ---- convolution: ∂E/∂A ------------------------------------------------------------------------------------------ */

/* mr rows of dC by nv vectors, added to their pixels */
INLINE void back_tile(const product_of_images *p, int k, const real *d, real *da, int mr, int nv) {
  vec sum[IMAGE_M][IMAGE_N];
  const size_t cols = (size_t)p->cols, step = p->step;
  const real *w = p->w + (size_t)k * cols;
  UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] = (vec){0};
  for (int o = 0; o < p->cols; o++, d += p->ldz, w++) {
    vec x[IMAGE_N];
    UNROLL for (int j = 0; j < nv; j++) x[j] = load(d + j * LANES);
    UNROLL for (int i = 0; i < mr; i++) {
      const vec y = fill(w[(size_t)i * cols]);
      UNROLL for (int j = 0; j < nv; j++) sum[i][j] += y * x[j];
    }
  }
  UNROLL for (int i = 0; i < mr; i++) {
    real *to = da + p->off[k + i];
    UNROLL for (int j = 0; j < nv; j++) store(to + (size_t)j * step, load(to + (size_t)j * step) + sum[i][j]);
  }
}
INLINE void back_rows(const product_of_images *p, const real *d, real *da, int nv) {
  int k = 0;
  for (; p->k - k >= IMAGE_M; k += IMAGE_M) back_tile(p, k, d, da, IMAGE_M, nv);
  for (; p->k - k >= 1; k++) back_tile(p, k, d, da, 1, nv);
}
static void back_1(const product_of_images *p, const real *d, real *da) { back_rows(p, d, da, 1); }
static void back_2(const product_of_images *p, const real *d, real *da) { back_rows(p, d, da, 2); }
static void back_3(const product_of_images *p, const real *d, real *da) { back_rows(p, d, da, 3); }
static void back_n(const product_of_images *p, const real *d, real *da) { back_rows(p, d, da, IMAGE_N); }

static void back_run(const product_of_images *p, const real *d, real *da, int vecs) {
  for (; vecs >= IMAGE_N; vecs -= IMAGE_N, d += IMAGE_N * LANES, da += IMAGE_N * p->step) back_n(p, d, da);
  if (vecs == 1) back_1(p, d, da);
  if (vecs == 2) back_2(p, d, da);
  if (vecs == 3) back_3(p, d, da);
}

/* da ← ∂E/∂A of a block from its Δ */
static void conv_back(const nnb__link *link, int s, const real *w, const real *delta, real *da) {
  size_t off[NNB__MOST_OFFSETS];
  const nnb__patches *at = &link->patches;
  const places q = places_of(at, s);
  const product_of_images p = {link->rows, link->cols, off, w, NULL, q.step, (size_t)nnb__n_places(at) * (size_t)s,
                               false};
  offsets_of(at, s, off);
  memset(da, 0, (size_t)link->n_in * (size_t)s * sizeof *da);
  for (int y = 0; y < at->out_height; y++, da += q.row)
    for (int r = 0; r < q.runs; r++, delta += q.vecs * LANES) back_run(&p, delta, da + (size_t)r * q.next, q.vecs);
}

/* ---- convolution: ∂E/∂W ------------------------------------------------------------------------------------------ */

/* g ← g + C·Δᵀ for mi rows by no channels: off, delta and g from the first of them on */
INLINE void conv_gradient_tile(int mi, int no, const nnb__patches *at, places q, const size_t *off, const real *a,
                               const real *delta, size_t ldd, real *g, int ldg) {
  vec sum[TILE_SUMS];
  for (int k = 0; k < TILE_SUMS; k++) sum[k] = (vec){0};
  for (int y = 0; y < at->out_height; y++, a += q.row)
    for (int r = 0; r < q.runs; r++) {
      const real *from = a + (size_t)r * q.next;
      for (int v = 0; v < q.vecs; v++, from += q.step, delta += LANES) {
        vec d[TILE_O];
        UNROLL for (int o = 0; o < no; o++) d[o] = load(delta + (size_t)o * ldd);
        UNROLL for (int i = 0; i < mi; i++) {
          const vec x = load(from + off[i]);
          UNROLL for (int o = 0; o < no; o++) sum[i * TILE_O + o] += x * d[o];
        }
      }
    }
  add_tile(mi, no, sum, g, ldg);
}
INLINE void conv_gradient_rows(int mi, const nnb__link *link, places q, const size_t *off, const real *a,
                               const real *delta, size_t ldd, real *g) {
  const nnb__patches *at = &link->patches;
  int o = 0;
  for (; o + TILE_O <= link->cols; o += TILE_O)
    conv_gradient_tile(mi, TILE_O, at, q, off, a, delta + (size_t)o * ldd, ldd, g + o, link->cols);
  for (; o + 2 <= link->cols; o += 2)
    conv_gradient_tile(mi, 2, at, q, off, a, delta + (size_t)o * ldd, ldd, g + o, link->cols);
  if (o < link->cols) conv_gradient_tile(mi, 1, at, q, off, a, delta + (size_t)o * ldd, ldd, g + o, link->cols);
}

/* g ← g + ∂E/∂W of a block */
static void conv_gradient(const nnb__link *link, int s, const real *a, const real *delta, real *g) {
  size_t off[NNB__MOST_OFFSETS];
  const places q = places_of(&link->patches, s);
  const size_t ldd = (size_t)nnb__n_places(&link->patches) * (size_t)s;
  int k = 0;
  offsets_of(&link->patches, s, off);
  for (; k + TILE_I <= link->rows; k += TILE_I)
    conv_gradient_rows(TILE_I, link, q, off + k, a, delta, ldd, g + k * link->cols);
  for (; k < link->rows; k++) conv_gradient_rows(1, link, q, off + k, a, delta, ldd, g + k * link->cols);
}

/* ---- pools and pads ---------------------------------------------------------------------------------------------- */

/* What happens in a window of one vector of samples, whose first number is at a: to its result z, or with its δ to da.
 * Pixels are s numbers apart, rows of pixels `row`. */
typedef void window_vec(const nnb__patches *w, size_t s, size_t row, const real *a, real *z, const real *delta,
                        real *da);

/* The larger one; NaN if one is NaN. */
INLINE vec larger_or_nan(vec m, vec x) { return pick(is_nan(x), x, larger(m, x)); }

INLINE vec largest_in(const nnb__patches *w, size_t s, size_t row, const real *a) {
  vec m = load(a);
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) m = larger_or_nan(m, load(a + (size_t)y * row + (size_t)x * s));
  return m;
}
INLINE void take_largest(const nnb__patches *w, size_t s, size_t row, const real *a, real *z, const real *delta,
                         real *da) {
  (void)delta, (void)da;
  store(z, largest_in(w, s, row, a));
}
/* δ goes to the first pixel that is not below the largest. */
INLINE void give_to_largest(const nnb__patches *w, size_t s, size_t row, const real *a, real *z, const real *delta,
                            real *da) {
  (void)z;
  const vec m = largest_in(w, s, row, a), none = {0};
  vec rest = load(delta);
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) {
      const size_t at = (size_t)y * row + (size_t)x * s;
      const mask below = less(load(a + at), m);
      store(da + at, load(da + at) + pick(below, none, rest));
      rest = pick(below, rest, none);
    }
}
INLINE void take_mean(const nnb__patches *w, size_t s, size_t row, const real *a, real *z, const real *delta,
                      real *da) {
  (void)delta, (void)da;
  vec sum = {0};
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) sum += load(a + (size_t)y * row + (size_t)x * s);
  store(z, sum / ((real)w->height * (real)w->width));
}
INLINE void give_to_all(const nnb__patches *w, size_t s, size_t row, const real *a, real *z, const real *delta,
                        real *da) {
  (void)a, (void)z;
  const vec share = load(delta) / ((real)w->height * (real)w->width);
  for (int y = 0; y < w->height; y++)
    for (int x = 0; x < w->width; x++) {
      real *to = da + (size_t)y * row + (size_t)x * s;
      store(to, load(to) + share);
    }
}

/* f for every window of a block; z, delta and da may be NULL. */
INLINE void each_window(const nnb__patches *w, size_t s, const real *a, real *z, const real *delta, real *da,
                        window_vec *f) {
  const size_t row = (size_t)w->in.width * s;
  size_t place = 0;
  for (int c = 0; c < w->in.channels; c++)
    for (int y = 0; y < w->out_height; y++)
      for (int x = 0; x < w->out_width; x++) {
        const size_t at = (size_t)(c * w->in.height + y * w->stride_y) * row + (size_t)(x * w->stride_x) * s;
        for (size_t i = 0; i < s; i += LANES, place += LANES)
          f(w, s, row, a ? a + at + i : NULL, z ? z + place : NULL, delta ? delta + place : NULL,
            da ? da + at + i : NULL);
      }
}

/* The common window of 2×2 as constants, so that its loops are unrolled. */
INLINE void pool(const nnb__patches *w, size_t s, const real *a, real *z, const real *delta, real *da, window_vec *f) {
  nnb__patches two = *w;
  two.height = two.width = 2;
  if (w->height == 2 && w->width == 2)
    each_window(&two, s, a, z, delta, da, f);
  else
    each_window(w, s, a, z, delta, da, f);
}
static void maxpool_forward(const nnb__patches *w, size_t s, const real *a, real *z) {
  pool(w, s, a, z, NULL, NULL, take_largest);
}
static void avgpool_forward(const nnb__patches *w, size_t s, const real *a, real *z) {
  pool(w, s, a, z, NULL, NULL, take_mean);
}
static void maxpool_back(const nnb__patches *w, size_t s, const real *a, const real *delta, real *da) {
  pool(w, s, a, NULL, delta, da, give_to_largest);
}
static void avgpool_back(const nnb__patches *w, size_t s, const real *delta, real *da) {
  pool(w, s, NULL, NULL, delta, da, give_to_all);
}

/* large ← images with zeros around them; or, back, small ← the images inside */
static void pad_block(const nnb__patches *w, size_t s, real *small, real *large, bool back) {
  const size_t wide = (size_t)(w->in.width + 2 * w->pad_x) * s, high = (size_t)(w->in.height + 2 * w->pad_y);
  const size_t n = (size_t)w->in.width * s;
  if (!back) memset(large, 0, (size_t)w->in.channels * high * wide * sizeof *large);
  for (int c = 0; c < w->in.channels; c++)
    for (int y = 0; y < w->in.height; y++, small += n) {
      real *inside = large + ((size_t)c * high + (size_t)(y + w->pad_y)) * wide + (size_t)w->pad_x * s;
      if (back)
        memcpy(small, inside, n * sizeof *small);
      else
        memcpy(inside, small, n * sizeof *small);
    }
}

#endif
