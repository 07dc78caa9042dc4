/* nn/patches.c: where a window fits, and the patches under it. */
#include "patches.h"

#include <limits.h>
#include <string.h>

#include "ints.h"
#include "view.h"

/* ---- fitting ----------------------------------------------------------------------------------------------------- */

/* Places of a window of n pixels along a side of `side` pixels; 0: it does not fit. */
static int64_t places(int side, int n, int stride, int pad) {
  const int64_t room = (int64_t)side + 2 * (int64_t)pad - n;
  return room < 0 ? 0 : room / stride + 1;
}

static nnb_status check_sizes(const char *layer, const nnb__patches *w, int stride, int pad) {
  if (w->in.channels < 1)
    return nnb_layer_fail(
        NNB_E_SHAPE,
        "a %s layer reads images, and its input has no shape; declare it with nnb_net_shape, or write "
        "the inputs as 1x28x28",
        layer);
  if (w->height < 1 || w->width < 1)
    return nnb_layer_fail(NNB_E_ARG, "the window of a %s layer is %d×%d; wanted at least 1×1", layer, w->height,
                          w->width);
  if (stride < 1) return nnb_layer_fail(NNB_E_ARG, "the stride of a %s layer is %d; wanted at least 1", layer, stride);
  if (pad < 0 || w->pad_y >= w->height || w->pad_x >= w->width)
    return nnb_layer_fail(NNB_E_ARG, "the pad of a %s layer is %d; wanted 0 or more, and less than its window of %d×%d",
                          layer, pad, w->height, w->width);
  return NNB_OK;
}

nnb_status nnb__patches_fit(const char *layer, const nnb_shape *image, int height, int width, int stride, int pad,
                            nnb__patches *out) {
  const bool signal = image->height == 1;
  nnb__patches w = {.in = *image, .height = height, .width = width, .stride_y = stride, .stride_x = stride};
  if (height == 0) w.height = signal ? 1 : width;
  if (signal) w.stride_y = 1;
  w.pad_y = signal ? 0 : pad, w.pad_x = pad;
  nnb_status status = check_sizes(layer, &w, stride, pad);
  if (status) return status;
  const int64_t rows = places(image->height, w.height, w.stride_y, w.pad_y);
  const int64_t cols = places(image->width, w.width, w.stride_x, w.pad_x);
  if (rows == 0 || cols == 0)
    return nnb_layer_fail(NNB_E_SHAPE, "a window of %d×%d does not fit into images of %d×%d with pad %d", w.height,
                          w.width, image->height, image->width, pad);
  if (rows > INT_MAX / cols)
    return nnb_layer_fail(NNB_E_OVERFLOW, "a %s layer has more pixels than an int can hold", layer);
  w.out_height = (int)rows, w.out_width = (int)cols;
  *out = w;
  return NNB_OK;
}

/* ---- patches ----------------------------------------------------------------------------------------------------- */

/* A row of patches: one pixel of the window, on one channel. */
typedef struct pixel {
  size_t channel; /* the first number of the channel */
  int y, x;       /* in the window */
} pixel;

static pixel pixel_at(const nnb__patches *w, int k) {
  const int area = w->height * w->width;
  return (pixel){(size_t)(k / area) * (size_t)w->in.height * (size_t)w->in.width, k % area / w->width, k % w->width};
}

/* A run of places in one row of the output: n of them from (y, x) on, of which the pixel lies inside the image for
 * [from, to).  image: the number under the first place inside. */
typedef struct run {
  int n, from, to;
  size_t image;
} run;

/* How many places, from 0 on, have their pixel before `limit`; the pixel of place 0 is at `first`. */
static int places_before(int64_t first, int64_t limit, int stride, int n) {
  const int64_t count = first >= limit ? 0 : (limit - first - 1) / stride + 1;
  return count < n ? (int)count : n;
}

static run run_at(const nnb__patches *w, pixel at, int p, int left) {
  const int y = p / w->out_width, x = p % w->out_width;
  const int64_t row = (int64_t)y * w->stride_y - w->pad_y + at.y, col = (int64_t)x * w->stride_x - w->pad_x + at.x;
  run r = {.n = nnb__smaller(left, w->out_width - x)};
  if (row < 0 || row >= w->in.height) return r;
  r.from = places_before(col, 0, w->stride_x, r.n);
  r.to = places_before(col, w->in.width, w->stride_x, r.n);
  if (r.to > r.from)
    r.image = at.channel + (size_t)row * (size_t)w->in.width + (size_t)(col + (int64_t)r.from * w->stride_x);
  return r;
}

static void gather_run(const run *r, int stride, const real *image, real *to) {
  const int n = r->to - r->from;
  const real *p = image + r->image;
  memset(to, 0, (size_t)r->from * sizeof *to);
  if (stride == 1)
    memcpy(to + r->from, p, (size_t)n * sizeof *to);
  else
    for (int i = 0; i < n; i++) to[r->from + i] = p[(size_t)i * (size_t)stride];
  memset(to + r->to, 0, (size_t)(r->n - r->to) * sizeof *to);
}

void nnb__patches_gather(const nnb__patches *w, const real *image, int k0, int p0, nnb_mat patches) {
  for (int k = 0; k < patches.rows; k++) {
    const pixel at = pixel_at(w, k0 + k);
    real *to = nnb__row(patches, k);
    for (int i = 0; i < patches.cols;) {
      const run r = run_at(w, at, p0 + i, patches.cols - i);
      gather_run(&r, w->stride_x, image, to + i);
      i += r.n;
    }
  }
}

void nnb__patches_scatter(const nnb__patches *w, nnb_cmat patches, int k0, int p0, real *image) {
  for (int k = 0; k < patches.rows; k++) {
    const pixel at = pixel_at(w, k0 + k);
    const real *from = nnb__crow(patches, k);
    for (int i = 0; i < patches.cols;) {
      const run r = run_at(w, at, p0 + i, patches.cols - i);
      real *p = image + r.image;
      for (int j = r.from; j < r.to; j++, p += w->stride_x) *p += from[i + j];
      i += r.n;
    }
  }
}
