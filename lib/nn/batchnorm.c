/* nn/batchnorm.c: Z = γ ⊙ X + β with X = (A - μ)/√(σ² + ε).  (Ioffe, Szegedy 2015.)
 *
 * In training μ and σ² are the mean and the variance of a column over the rows of the batch, or of a channel over rows
 * and pixels, if the columns are images.  Running means of both, with σ² unbiased, are the buffers [μ; σ²], which all
 * other runs use. */
#include "ints.h"
#include "kernels.h"
#include "norm.h"
#include "view.h"

enum { TILE = NNB__NORM_TILE };

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  nnb__norm *d = self;
  nnb_status status = nnb__norm_check(d, n_from, "batchnorm");
  if (status) return status;
  if (!(d->momentum > 0 && d->momentum <= 1))
    return nnb_layer_fail(NNB_E_ARG, "momentum is %g; wanted a number above 0, at most 1", d->momentum);
  needs->cols = cols[0], needs->shape = needs->from[0];
  d->channels = needs->shape.channels > 0 ? needs->shape.channels : cols[0];
  d->pixels = cols[0] / d->channels;
  needs->w_rows = 1, needs->w_cols = d->channels, needs->bias = true, needs->no_decay = true;
  needs->couples_rows = needs->by_columns = true; /* threads share the channels, so sums do not depend on them */
  needs->buffers = 2 * (size_t)d->channels, needs->work = 4 * (size_t)d->channels;
  return NNB_OK;
}

static void init_buffers(const void *self, real *buffers) {
  const nnb__norm *d = self;
  for (int c = 0; c < d->channels; c++) buffers[c] = 0, buffers[d->channels + c] = 1;
}

/* ---- tiles of channels ------------------------------------------------------------------------------------------- */

/* What the passes of training keep for each channel, in io->work. */
enum { MEAN, ROOT, GAIN, BIAS }; /* μ and 1/√(σ² + ε); ∂E/∂γ = Σ Δ ⊙ X and ∂E/∂β = Σ Δ */

static real *kept(const nnb__norm *d, const nnb_layer_io *io, int what, int c) {
  return io->work + (size_t)what * (size_t)d->channels + c;
}

/* Channels c … c + n - 1, with their μ and 1/√(σ² + ε). */
typedef struct tile {
  int c, n, pixels;
  real mean[TILE], root[TILE];
} tile;

/* The tile after t in the part's share of the channels, or the first one after {0}; false after the last. */
static bool next_tile(const nnb__norm *d, const nnb_layer_io *io, tile *t) {
  const int end = nnb__share(d->channels, io->part + 1, io->parts);
  t->c = t->n > 0 ? t->c + t->n : nnb__share(d->channels, io->part, io->parts);
  t->n = nnb__smaller(end - t->c, TILE), t->pixels = d->pixels;
  return t->n > 0;
}

/* The tile's columns of rows r … r + n - 1. */
static nnb_cmat part_of(nnb_cmat m, const tile *t, int r, int n) {
  return nnb__crows(nnb__ccols(m, t->c * t->pixels, t->n * t->pixels), r, n);
}
static nnb_mat columns_of(nnb_mat m, const tile *t) { return nnb__cols(m, t->c * t->pixels, t->n * t->pixels); }

/* sum ← Σ a, or with mean Σ (a - μ)² */
static void add_up(nnb_cmat m, const tile *t, const real *mean, double sum[TILE]) {
  for (int j = 0; j < TILE; j++) sum[j] = 0;
  for (int r = 0, rows; (rows = nnb__chunk(m.rows, r, NNB__NORM_ROWS)) > 0; r += rows) {
    real part[TILE] = {0};
    nnb__kernel()->layer_rows->channel_sums(part_of(m, t, r, rows), t->pixels, mean, part);
    for (int j = 0; j < t->n; j++) sum[j] += (double)part[j];
  }
}

/* Computes μ and σ² of the batch, keeps them for the backward pass, and moves the running means. */
static void measure(const nnb__norm *d, const nnb_layer_io *io, tile *t) {
  const double count = (double)io->a[0].rows * t->pixels;
  double sum[TILE], squares[TILE];
  add_up(io->a[0], t, NULL, sum);
  for (int j = 0; j < t->n; j++) t->mean[j] = (real)(sum[j] / count);
  add_up(io->a[0], t, t->mean, squares);
  for (int j = 0; j < t->n; j++) {
    t->root[j] = (real)(1 / sqrt(squares[j] / count + d->epsilon));
    kept(d, io, MEAN, t->c)[j] = t->mean[j], kept(d, io, ROOT, t->c)[j] = t->root[j];
    if (!io->new_buffers) continue;
    real *mean = io->new_buffers + t->c + j, *variance = mean + d->channels;
    *mean += (real)(d->momentum * (sum[j] / count - (double)*mean));
    if (count > 1) *variance += (real)(d->momentum * (squares[j] / (count - 1) - (double)*variance));
  }
}

/* The μ and σ² of the run, once it has measured them. */
static void recall(const nnb__norm *d, const nnb_layer_io *io, tile *t) {
  const real *known = (io->run->training ? io->work : io->buffers) + t->c;
  for (int j = 0; j < t->n; j++) {
    t->mean[j] = known[j], t->root[j] = known[d->channels + j];
    if (!io->run->training) t->root[j] = (real)(1 / sqrt((double)t->root[j] + d->epsilon));
  }
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static void forward_tile(const nnb_layer_io *io, const tile *t, const real *gain, const real *bias) {
  real scale[TILE];
  for (int j = 0; j < t->n; j++) scale[j] = gain[j] * t->root[j];
  nnb__kernel()->layer_rows->channel_scale(part_of(io->a[0], t, 0, io->z.rows), t->pixels, t->mean, scale, bias,
                                           columns_of(io->z, t));
}

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__norm *d = self;
  for (tile t = {0}; next_tile(d, io, &t);) {
    if (io->run->training)
      measure(d, io, &t);
    else
      recall(d, io, &t);
    forward_tile(io, &t, io->w + t.c, io->w + d->channels + t.c);
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* ∂E/∂γ = Σ Δ ⊙ X and ∂E/∂β = Σ Δ */
static void find_slopes(const nnb_layer_io *io, const tile *t, double gain[TILE], double bias[TILE]) {
  for (int j = 0; j < TILE; j++) gain[j] = bias[j] = 0;
  for (int r = 0, rows; (rows = nnb__chunk(io->delta.rows, r, NNB__NORM_ROWS)) > 0; r += rows) {
    real dg[TILE] = {0}, db[TILE] = {0};
    nnb__kernel()->layer_rows->channel_slopes(part_of(io->delta, t, r, rows), part_of(io->a[0], t, r, rows), t->pixels,
                                              t->mean, dg, db);
    for (int j = 0; j < t->n; j++) gain[j] += (double)(dg[j] * t->root[j]), bias[j] += (double)db[j];
  }
}

static void prepare_back(const void *self, const nnb_layer_io *io) {
  const nnb__norm *d = self;
  for (tile t = {0}; io->run->training && next_tile(d, io, &t);) {
    double gain[TILE], bias[TILE];
    recall(d, io, &t);
    find_slopes(io, &t, gain, bias);
    for (int j = 0; j < t.n; j++) kept(d, io, GAIN, t.c)[j] = (real)gain[j], kept(d, io, BIAS, t.c)[j] = (real)bias[j];
  }
}

/* ∂E/∂A = γ/√(σ² + ε) · (Δ - mean of Δ - X · mean of Δ ⊙ X); with μ and σ² that do not depend on A, without the means
 */
static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  const nnb__norm *d = self;
  const real count = (real)io->delta.rows * (real)d->pixels;
  for (tile t = {0}; next_tile(d, io, &t);) {
    real scale[TILE], level[TILE] = {0}, slope[TILE] = {0};
    recall(d, io, &t);
    for (int j = 0; j < t.n; j++) {
      scale[j] = io->w[t.c + j] * t.root[j];
      if (!io->run->training) continue;
      level[j] = kept(d, io, BIAS, t.c)[j] / count, slope[j] = kept(d, io, GAIN, t.c)[j] / count * t.root[j];
    }
    const nnb__channel_terms terms = {t.mean, scale, level, slope};
    nnb__kernel()->layer_rows->channel_back(part_of(io->delta, &t, 0, io->delta.rows),
                                            part_of(io->a[0], &t, 0, io->delta.rows), t.pixels, &terms, io->da_beta,
                                            columns_of(io->da[k], &t));
  }
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const nnb__norm *d = self;
  nnb_layer_io all = *io;
  if (io->part != io->parts - 1) return; /* which has the one row of W, and b */
  all.part = 0, all.parts = 1;
  for (tile t = {0}; next_tile(d, &all, &t);) {
    double gain[TILE], bias[TILE];
    recall(d, io, &t);
    if (!io->run->training) find_slopes(io, &t, gain, bias);
    for (int j = 0; io->run->training && j < t.n; j++)
      gain[j] = (double)kept(d, io, GAIN, t.c)[j], bias[j] = (double)kept(d, io, BIAS, t.c)[j];
    nnb__norm_put(sink, t.c, t.n, gain, bias);
  }
}

/* Derivatives are those of predictions: dZ = γ/√(σ² + ε) ⊙ dA. */
static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  const nnb__norm *d = self;
  (void)n;
  for (tile t = {0}; next_tile(d, io, &t);) {
    recall(d, io, &t);
    static const real none[TILE];
    real scale[TILE];
    for (int j = 0; j < t.n; j++) scale[j] = io->w[t.c + j] * t.root[j];
    nnb__kernel()->layer_rows->channel_scale(part_of(da[0], &t, 0, dz.rows), t.pixels, none, scale, none,
                                             columns_of(dz, &t));
  }
}

static const nnb_attr attrs[] = {{"epsilon", NNB_ATTR_REAL, offsetof(nnb__norm, epsilon)},
                                 {"momentum", NNB_ATTR_REAL, offsetof(nnb__norm, momentum)},
                                 {0}};

const nnb_layer_ops nnb__layer_batchnorm = {
    .name = "batchnorm",
    .size = sizeof(nnb__norm),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = nnb__norm_init,
    .init_buffers = init_buffers,
    .tangent = tangent,
    .prepare_back = prepare_back,
};
