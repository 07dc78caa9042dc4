/* io/c_layer_parts.c: helpers for layers of images, norms, embeddings and gated recurrent units.  Sums go in the order
 * of the library's products. */
#include "c_parts.h"

/* Of a window: the pixels of the image that the pixel (r, q) of the window meets, on channel c */
#define PIXELS                                                                           \
  "        const int y0 = @_first(r, g->pad_y, g->stride_y);\n"                          \
  "        const int y1 = @_last(r, g->pad_y, g->stride_y, g->height, g->out_height);\n" \
  "        const int p0 = @_first(q, g->pad_x, g->stride_x);\n"                          \
  "        const int p1 = @_last(q, g->pad_x, g->stride_x, g->width, g->out_width);\n"   \
  "        for (int o = 0; o < n_out; ++o) {\n"

#define ROWS                                                                              \
  "          for (int y = y0; y < y1; ++y) {\n"                                           \
  "            const int row = (((c * g->height) + (y * g->stride_y)) + r) - g->pad_y;\n" \
  "            const int from = ((row * g->width) + q) - g->pad_x;\n"                     \
  "            const int to = ((o * g->out_height) + y) * g->out_width;\n"                \
  "            for (int p = p0; p < p1; ++p) {\n"

#define OVER_WINDOW                             \
  "  int k = 0;\n"                              \
  "  for (int c = 0; c < g->channels; ++c) {\n" \
  "    for (int r = 0; r < g->rows; ++r) {\n"   \
  "      for (int q = 0; q < g->cols; ++q) {\n" PIXELS

#define END_ROWS "            }\n          }\n"
#define END      "          ++k;\n        }\n      }\n    }\n  }\n}\n"

/* All places of a window on all channels */
#define PLACES(body)                                                                                        \
  "  int to = 0;\n"                                                                                         \
  "  for (int c = 0; c < g->channels; ++c) {\n"                                                             \
  "    for (int y = 0; y < g->out_height; ++y) {\n"                                                         \
  "      for (int p = 0; p < g->out_width; ++p) {\n"                                                        \
  "        const int from = (((c * g->height) + (y * g->stride_y)) * g->width) + (p * g->stride_x);\n" body \
  "        ++to;\n      }\n    }\n  }\n}\n"

#define EACH_OF_WINDOW(body)                      \
  "        for (int r = 0; r < g->rows; ++r) {\n" \
  "          for (int q = 0; q < g->cols; ++q) {\n" body "          }\n        }\n"

#define LARGEST                                                   \
  "        int best = from;\n" EACH_OF_WINDOW(                    \
      "            const int at = (from + (r * g->width)) + q;\n" \
      "            best = ((x[at] > x[best]) || (x[at] != x[at])) ? at : best;\n")

#define CHANNELS(body)                                                                             \
  "  for (int j = 0; j < n; ++j) {\n    for (int q = j * pixels; q < ((j + 1) * pixels); ++q) {\n" \
  "      " body "\n    }\n  }\n}\n"

static const char *const helpers[NNB__C_N_HELPERS] = {
    [NNB__C_WINDOW] =
        "/* A window of rows x cols that moves over images to out_height x out_width places */\n"
        "typedef struct @_window {\n"
        "  int channels;\n  int height;\n  int width;\n  int rows;\n  int cols;\n  int stride_y;\n"
        "  int stride_x;\n  int pad_y;\n  int pad_x;\n  int out_height;\n  int out_width;\n} @_window;\n",
    [NNB__C_RANGE] =
        "/* The places, _first <= place < _last, at which pixel at of the window is inside the image */\n"
        "static int @_first(int at, int pad, int stride)\n{\n"
        "  return (at >= pad) ? 0 : (((pad - at) + (stride - 1)) / stride);\n}\n\n"
        "static int @_last(int at, int pad, int stride, int side, int places)\n{\n"
        "  const int inside = (side + pad) - at;\n"
        "  const int n = (inside > 0) ? (((inside - 1) / stride) + 1) : 0;\n"
        "  return (n < places) ? n : places;\n}\n",
    [NNB__C_SPREAD] =
        "/* y = b for all pixels of a channel */\n"
        "static void @_spread(int n, int pixels, const $ *b, $ *y)\n{\n" CHANNELS("y[q] = b[j];"),
    [NNB__C_TIMES_CHANNELS] =
        "/* y = y * factor of the channel */\n"
        "static void @_times_channels(int n, int pixels, const $ *factor, $ *y)\n{\n" CHANNELS("y[q] *= factor[j];"),
    [NNB__C_ADD_CHANNELS] =
        "/* y = y + x of the channel */\n"
        "static void @_add_channels(int n, int pixels, const $ *x, $ *y)\n{\n" CHANNELS("y[q] += x[j];"),
    [NNB__C_CONVOLVE] =
        "/* z = z + convolution of x with W: a row of n_out weights for each pixel of the window */\n"
        "static void @_convolve(const @_window *g, int n_out, const ^ *w, const $ *x, $ *z)\n{\n" OVER_WINDOW
        "          const $ f = ($)w[k];\n" ROWS
        "              z[to + p] += f * x[from + (p * g->stride_x)];\n" END_ROWS END,
    [NNB__C_CONVOLVE_BACK] =
        "/* x = x + the same backwards, from d by the places */\n"
        "static void @_convolve_back(const @_window *g, int n_out, const ^ *w, const $ *d, $ *x)\n{\n" OVER_WINDOW
        "          const $ f = ($)w[k];\n" ROWS
        "              x[from + (p * g->stride_x)] += f * d[to + p];\n" END_ROWS END,
    [NNB__C_CONVOLVE_DESCEND] =
        "/* W = W - lr * derivative by W */\n"
        "static void @_convolve_descend(const @_window *g, int n_out, $ lr, $ *w, const $ *x, const $ "
        "*d)\n{\n" OVER_WINDOW "          $ sum = 0.0~;\n" ROWS
        "              sum += x[from + (p * g->stride_x)] * d[to + p];\n" END_ROWS "          w[k] -= lr * sum;\n" END,
    [NNB__C_DESCEND_CHANNELS] =
        "/* b = b - lr * sum of d over the pixels of a channel */\n"
        "static void @_descend_channels(int n, int pixels, $ lr, const $ *d, $ *b)\n{\n"
        "  for (int j = 0; j < n; ++j) {\n    $ sum = 0.0~;\n"
        "    for (int q = j * pixels; q < ((j + 1) * pixels); ++q) {\n      sum += d[q];\n    }\n"
        "    b[j] -= lr * sum;\n  }\n}\n",
    [NNB__C_MOST] =
        "/* z = the largest number under the window */\n"
        "static void @_most(const @_window *g, const $ *x, $ *z)\n{\n" PLACES(LARGEST "        z[to] = x[best];\n"),
    [NNB__C_MOST_BACK] = "static void @_most_back(const @_window *g, const $ *x, const $ *d, $ *xd)\n{\n" PLACES(
        LARGEST "        xd[best] += d[to];\n"),
    [NNB__C_AVERAGE] =
        "/* z = the mean of the numbers under the window */\n"
        "static void @_average(const @_window *g, const $ *x, $ *z)\n{\n"
        "  const int count = g->rows * g->cols;\n  const $ n = ($)count;\n" PLACES(
            "        $ sum = 0.0~;\n" EACH_OF_WINDOW(
                "            sum += x[(from + (r * g->width)) + q];\n") "        z[to] = sum / n;\n"),
    [NNB__C_AVERAGE_BACK] =
        "static void @_average_back(const @_window *g, const $ *d, $ *xd)\n{\n"
        "  const int count = g->rows * g->cols;\n  const $ n = ($)count;\n" PLACES(
            EACH_OF_WINDOW("            xd[(from + (r * g->width)) + q] += d[to] / n;\n")),
    [NNB__C_MOMENTS] =
        "/* The mean of x, and 1 / sqrt(variance + eps) */\n"
        "static void @_moments(int n, $ eps, const $ *x, $ *mean, $ *root)\n{\n"
        "  $ sum = 0.0~;\n  $ squares = 0.0~;\n"
        "  for (int j = 0; j < n; ++j) {\n    sum += x[j];\n  }\n  sum /= ($)n;\n"
        "  for (int j = 0; j < n; ++j) {\n    squares += (x[j] - sum) * (x[j] - sum);\n  }\n"
        "  *mean = sum;\n  *root = 1.0~ / sqrt~((squares / ($)n) + eps);\n}\n",
    [NNB__C_NORMALISE] =
        "/* z = (x - mean) / sqrt(variance + eps) */\n"
        "static void @_normalise(int n, $ eps, const $ *x, $ *z)\n{\n"
        "  $ mean;\n  $ root;\n  @_moments(n, eps, x, &mean, &root);\n"
        "  for (int j = 0; j < n; ++j) {\n    z[j] = (x[j] - mean) * root;\n  }\n}\n",
    [NNB__C_NORMALISE_BACK] =
        "/* xd = xd + the derivatives by x of gain * normalised x, from d */\n"
        "static void @_normalise_back(int n, $ eps, const $ *gain, const $ *x, const $ *d, $ *xd)\n{\n"
        "  $ mean;\n  $ root;\n  $ level = 0.0~;\n  $ slope = 0.0~;\n  @_moments(n, eps, x, &mean, &root);\n"
        "  for (int j = 0; j < n; ++j) {\n    level += gain[j] * d[j];\n"
        "    slope += (gain[j] * d[j]) * (x[j] - mean);\n  }\n"
        "  level /= ($)n;\n  slope = ((slope / ($)n) * root) * root;\n"
        "  for (int j = 0; j < n; ++j) {\n"
        "    xd[j] += root * (((gain[j] * d[j]) - level) - ((x[j] - mean) * slope));\n  }\n}\n",
    [NNB__C_DESCEND_GAIN] =
        "/* gain = gain - lr * d * normalised x */\n"
        "static void @_descend_gain(int n, $ eps, $ lr, const $ *x, const $ *d, $ *gain)\n{\n"
        "  $ mean;\n  $ root;\n  @_moments(n, eps, x, &mean, &root);\n"
        "  for (int j = 0; j < n; ++j) {\n"
        "    gain[j] -= lr * (d[j] * ((x[j] - mean) * root));\n  }\n}\n",
    [NNB__C_NORM] =
        "/* z = gain (x - mean) root + bias, a number of each for a channel */\n"
        "static void @_norm(int n, int pixels, const $ *mean, const $ *root, const $ *gain, const $ *bias,\n"
        "                   const $ *x, $ *z)\n{\n" CHANNELS(
            "z[q] = (gain[j] * ((x[q] - mean[j]) * root[j])) + bias[j];"),
    [NNB__C_NORM_BACK] =
        "static void @_norm_back(int n, int pixels, const $ *root, const $ *gain, const $ *d, $ *xd)\n{\n" CHANNELS(
            "xd[q] += (gain[j] * root[j]) * d[q];"),
    [NNB__C_LEVEL] =
        "/* The row of a table for x; the first or the last one for a number outside */\n"
        "static int @_level(int levels, $ x)\n{\n"
        "  const int last = levels - 1;\n  int row = 0;\n"
        "  if (x >= ($)last) {\n    row = last;\n  } else if (x > 0.0~) {\n    row = (int)x;\n"
        "  } else {\n    row = 0;\n  }\n  return row;\n}\n",
    [NNB__C_LOOKUP] =
        "/* z = rows of W, one for each of n numbers x; unit j of number c at j * n + c */\n"
        "static void @_lookup(int n, int levels, int units, const ^ *w, const $ *x, $ *z)\n{\n"
        "  for (int c = 0; c < n; ++c) {\n    const int from = @_level(levels, x[c]) * units;\n"
        "    for (int j = 0; j < units; ++j) {\n      z[(j * n) + c] = ($)w[from + j];\n    }\n  }\n}\n",
    [NNB__C_LOOKUP_DESCEND] =
        "/* The rows of W that x looked up: W = W - lr * d */\n"
        "static void @_lookup_descend(int n, int levels, int units, $ lr, $ *w, const $ *x, const $ *d)\n{\n"
        "  for (int c = 0; c < n; ++c) {\n    const int to = @_level(levels, x[c]) * units;\n"
        "    for (int j = 0; j < units; ++j) {\n      w[to + j] -= lr * d[(j * n) + c];\n    }\n  }\n}\n",
    [NNB__C_GRU_SUMS] =
        "/* Step k of a gated recurrent unit.  g: h before it, and the sums for r, z, n and u.  To these it adds\n"
        " * [x; h; 1] times w, whose columns are those of r, z and n, or for h and 1 of r, z and u */\n"
        "static void @_gru_sums(int channels, int units, int steps, int k, const ^ *w, const $ *x, $ *g)\n{\n"
        "  const int n = 3 * units;\n  const int u = 2 * units;\n  const ^ *row = w;\n"
        "  for (int i = 0; i < channels; ++i) {\n    const $ xi = x[(i * steps) + k];\n"
        "    for (int j = 0; j < n; ++j) {\n      g[units + j] += xi * ($)row[j];\n    }\n    row = &row[n];\n  }\n"
        "  for (int i = 0; i <= units; ++i) {\n    const $ hi = (i < units) ? g[i] : 1.0~;\n"
        "    for (int j = 0; j < u; ++j) {\n      g[units + j] += hi * ($)row[j];\n    }\n"
        "    for (int j = u; j < n; ++j) {\n      g[u + j] += hi * ($)row[j];\n    }\n"
        "    row = &row[n];\n  }\n}\n",
    [NNB__C_GRU_STATE] =
        "/* r, z and n from the sums; out = h after the step, which is also that of the next g, size numbers on */\n"
        "static void @_gru_state(int units, int size, int stride, int at, $ *g, $ *out)\n{\n"
        "  for (int j = 0; j < units; ++j) {\n    const $ r = 1.0~ / (1.0~ + exp~(-g[units + j]));\n"
        "    const $ z = 1.0~ / (1.0~ + exp~(-g[(2 * units) + j]));\n"
        "    const $ n = tanh~(g[(3 * units) + j] + (r * g[(4 * units) + j]));\n"
        "    const $ h = n + (z * (g[j] - n));\n"
        "    g[units + j] = r;\n    g[(2 * units) + j] = z;\n    g[(3 * units) + j] = n;\n"
        "    g[size + j] = h;\n    out[(j * stride) + at] = h;\n  }\n}\n",
    [NNB__C_GRU_PULL] =
        "/* e = derivatives by the sums for r, z, n and u, from those by h after the step; h = its part by z\n"
        " * of those by h before it */\n"
        "static void @_gru_pull(int units, const $ *g, $ *h, $ *e)\n{\n"
        "  for (int j = 0; j < units; ++j) {\n    const $ r = g[units + j];\n    const $ z = g[(2 * units) + j];\n"
        "    const $ n = g[(3 * units) + j];\n    const $ dn = (h[j] * (1.0~ - z)) * (1.0~ - (n * n));\n"
        "    e[j] = (dn * g[(4 * units) + j]) * (r * (1.0~ - r));\n"
        "    e[units + j] = (h[j] * (g[j] - n)) * (z * (1.0~ - z));\n"
        "    e[(2 * units) + j] = dn;\n    e[(3 * units) + j] = dn * r;\n    h[j] *= z;\n  }\n}\n",
    [NNB__C_GRU_BACK_H] =
        "/* h = h + U e */\n"
        "static void @_gru_back_h(int units, const ^ *w, const $ *e, $ *h)\n{\n"
        "  const int n = 3 * units;\n  const int u = 2 * units;\n  const ^ *row = w;\n"
        "  for (int i = 0; i < units; ++i) {\n    $ sum = 0.0~;\n"
        "    for (int j = 0; j < u; ++j) {\n      sum += ($)row[j] * e[j];\n    }\n"
        "    for (int j = u; j < n; ++j) {\n      sum += ($)row[j] * e[units + j];\n    }\n"
        "    h[i] += sum;\n    row = &row[n];\n  }\n}\n",
    [NNB__C_GRU_BACK_X] =
        "/* x = x + W e, in step k */\n"
        "static void @_gru_back_x(int channels, int units, int steps, int k, const ^ *w, const $ *e, $ *x)\n{\n"
        "  const int n = 3 * units;\n  const ^ *row = w;\n"
        "  for (int i = 0; i < channels; ++i) {\n    $ sum = 0.0~;\n    for (int j = 0; j < n; ++j) {\n"
        "      sum += ($)row[j] * e[j];\n    }\n"
        "    x[(i * steps) + k] += sum;\n    row = &row[n];\n  }\n}\n",
    [NNB__C_GRU_DESCEND] =
        "/* w = w - lr [x; h; 1] e, in step k */\n"
        "static void @_gru_descend(int channels, int units, int steps, int k, $ lr, const $ *x, const $ *g,\n"
        "                          const $ *e, $ *w)\n{\n"
        "  const int n = 3 * units;\n  const int u = 2 * units;\n  $ *row = w;\n"
        "  for (int i = 0; i < channels; ++i) {\n    const $ c = lr * x[(i * steps) + k];\n"
        "    for (int j = 0; j < n; ++j) {\n      row[j] -= c * e[j];\n    }\n    row = &row[n];\n  }\n"
        "  for (int i = 0; i <= units; ++i) {\n    const $ c = (i < units) ? (lr * g[i]) : lr;\n"
        "    for (int j = 0; j < u; ++j) {\n      row[j] -= c * e[j];\n    }\n"
        "    for (int j = u; j < n; ++j) {\n      row[j] -= c * e[units + j];\n    }\n"
        "    row = &row[n];\n  }\n}\n",
};

const char *nnb__c_layer_helper(nnb__c_helper helper) { return helpers[helper]; }
