/* nn/gru.c: a gated recurrent unit over signals (Cho and others 2014, in the form of PyTorch and cuDNN).  With h₀ = 0,
 * for each sample x of T
 *
 *     r = σ(x·W_r + b_r + h·U_r + c_r)     z = σ(x·W_z + b_z + h·U_z + c_z)     u = h·U_n + c_n
 *     n = tanh(x·W_n + b_n + r ⊙ u)        h ← (1 - z) ⊙ n + z ⊙ h
 *
 * and backward, from δh = ∂E/∂h, with h before the step,
 *
 *     δn = δh ⊙ (1 - z) ⊙ (1 - n²)         δz = δh ⊙ (h - n) ⊙ z ⊙ (1 - z)
 *     δu = δn ⊙ r                          δr = δn ⊙ u ⊙ r ⊙ (1 - r)
 *     δh ← δh ⊙ z + [δr δz δu]·Uᵀ,
 *
 * and along a direction, with dh₀ = 0,
 *
 *     dr = (dx·W_r + dh·U_r) ⊙ r ⊙ (1 - r)     dz = (dx·W_z + dh·U_z) ⊙ z ⊙ (1 - z)     du = dh·U_n
 *     dn = (dx·W_n + dr ⊙ u + r ⊙ du) ⊙ (1 - n²)     dh ← dn + dz ⊙ (h - n) + z ⊙ (dh - dn).
 *
 * The block is [W; U; c; b], with columns r, z, n.  A row of the batch has T records in the scratch, one for each step.
 * All records are the rows of one matrix, so the products with W, and those for ∂E/∂W and ∂E/∂U, are one each for all
 * rows and steps. */
#include <limits.h>
#include <string.h>

#include "act.h"
#include "blas.h"
#include "ints.h"
#include "kernels.h"
#include "layer.h"
#include "view.h"

const nnb__gru nnb__gru_defaults = {.init = NNB_INIT_GLOROT_UNIFORM, .init_scale = 1};

/* A product has at most this many records as its rows, so that they are counted by an int. */
enum { MOST = 1 << 24 };

static nnb_status check(const nnb__gru *d, int n_from, const nnb_shape *from) {
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "a gru has %d input node(s); wanted 1", n_from);
  if (d->units < 1) return nnb_layer_fail(NNB_E_ARG, "a gru has %d unit(s); wanted at least 1", d->units);
  if (d->sequence != 0 && d->sequence != 1)
    return nnb_layer_fail(NNB_E_ARG, "sequence is %d; wanted 0 or 1", d->sequence);
  if (!(d->init_scale > 0) || isinf(d->init_scale))
    return nnb_layer_fail(NNB_E_ARG, "init_scale is %g; wanted a positive number", d->init_scale);
  if (from->channels > 0 && from->height == 1) return NNB_OK;
  return nnb_layer_fail(NNB_E_SHAPE, "a gru reads signals; wanted a node of channels and samples, as the input 3x100");
}

static nnb_status shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  nnb__gru *d = self;
  const nnb_status status = check(d, n_from, &needs->from[0]);
  int record = 0, all = 0;
  (void)cols;
  if (status) return status;
  d->channels = needs->from[0].channels, d->steps = needs->from[0].width;
  if (d->units > (INT_MAX / 2 - d->channels) / 5 || (record = 2 * d->channels + 10 * d->units) > INT_MAX / d->steps ||
      __builtin_mul_overflow(d->units, d->steps, &all))
    return nnb_layer_fail(NNB_E_OVERFLOW, "%d units for %d samples of %d channels are more than an int can count",
                          d->units, d->steps, d->channels);
  needs->cols = d->sequence ? all : d->units;
  if (d->sequence) needs->shape = (nnb_shape){d->units, 1, d->steps};
  needs->w_rows = d->channels + d->units + 1, needs->w_cols = 3 * d->units, needs->bias = true;
  needs->scratch = (size_t)record * (size_t)d->steps;
  const size_t of_w = nnb__init_scratch((nnb_init)d->init, d->channels, 3 * d->units),
               of_u = nnb__init_scratch((nnb_init)d->init, d->units, 3 * d->units);
  needs->init_scratch = of_w > of_u ? of_w : of_u;
  return NNB_OK;
}

/* c stays 0. */
static void init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  const nnb__gru *d = self;
  const int cols = 3 * d->units;
  real *u = w + (size_t)d->channels * (size_t)cols;
  nnb__init_weights((nnb_init)d->init, d->init_scale, d->channels, cols, d->units, w, rng, scratch);
  nnb__init_weights((nnb_init)d->init, d->init_scale, d->units, cols, d->units, u, rng, scratch);
  memset(u + (size_t)d->units * (size_t)cols, 0, (size_t)cols * sizeof *u);
}

/* ---- the records ------------------------------------------------------------------------------------------------- */

/* A field of the records: where it begins, and its numbers. */
typedef struct field {
  int at, n;
} field;

static field x_of(const nnb__gru *d) { return (field){0, d->channels}; }
static field dx_of(const nnb__gru *d) { return (field){d->channels, d->channels}; }
/* n fields of `units` numbers from number k on: h before the step, r, z, n, u, δr, δz, δn, δu, ∂E/∂h before the step */
enum { H, GATE_R, GATE_Z, GATE_N, GATE_U, D_R, D_Z, D_N, D_U, D_H, N_FIELDS };
static field fields(const nnb__gru *d, int k, int n) { return (field){2 * d->channels + k * d->units, n * d->units}; }

static int record_size(const nnb__gru *d) { return 2 * d->channels + N_FIELDS * d->units; }

/* The field in step t of all rows. */
static nnb_mat in_step(const nnb__gru *d, const nnb_layer_io *io, int rows, int t, field f) {
  const int size = record_size(d);
  return (nnb_mat){io->scratch + (size_t)t * (size_t)size + f.at, rows, f.n, d->steps * size};
}
/* The field in all steps of n rows. */
static nnb_mat in_all(const nnb__gru *d, const nnb_layer_io *io, int r, int n, field f) {
  const int size = record_size(d);
  return (nnb_mat){io->scratch + (size_t)r * (size_t)d->steps * (size_t)size + f.at, n * d->steps, f.n, size};
}
/* How many rows from r on have records for one product; 0 at the end. */
static int n_rows(const nnb__gru *d, int rows, int r) {
  return nnb__chunk(rows, r, d->steps < MOST ? MOST / d->steps : 1);
}

/* Columns for gates [g, g + n) of W or U. */
static nnb_cmat w_of(const nnb__gru *d, const nnb_layer_io *io, int g, int n) {
  return nnb__ccols(nnb_cview(io->w, d->channels, 3 * d->units), g * d->units, n * d->units);
}
static nnb_cmat u_of(const nnb__gru *d, const nnb_layer_io *io, int g, int n) {
  const real *u = io->w + (size_t)d->channels * (size_t)(3 * d->units);
  return nnb__ccols(nnb_cview(u, d->units, 3 * d->units), g * d->units, n * d->units);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* Every row of m ← v */
static void spread(const real *v, nnb_mat m) {
  for (int i = 0; i < m.rows; i++) memcpy(nnb__row(m, i), v, (size_t)m.cols * sizeof *v);
}

/* Every row of m ← m + v */
static void add_row(const real *v, nnb_mat m) {
  for (int i = 0; i < m.rows; i++)
    for (int j = 0; j < m.cols; j++) nnb__row(m, i)[j] += v[j];
}

/* Rows of records, one for each step, from signals */
static void unpack(const nnb__gru *d, nnb_cmat signals, nnb_mat x) {
  for (int i = 0; i < x.rows; i++) {
    const real *a = nnb__crow(signals, i / d->steps) + i % d->steps;
    for (int c = 0; c < d->channels; c++) nnb__row(x, i)[c] = a[c * d->steps];
  }
}

/* The records' x, from signals; and the gates ← X·W + b */
static void begin(const nnb__gru *d, const nnb_layer_io *io) {
  const real *b = io->w + (size_t)(d->channels + d->units + 1) * (size_t)(3 * d->units);
  for (int r = 0, n; (n = n_rows(d, io->z.rows, r)) > 0; r += n) {
    const nnb_mat x = in_all(d, io, r, n, x_of(d)), gates = in_all(d, io, r, n, fields(d, GATE_R, 3));
    unpack(d, nnb__crows(io->a[0], r, n), x);
    spread(b, gates);
    nnb__gemm('N', 'N', 1, nnb__read(x), w_of(d, io, 0, 3), 1, gates);
  }
}

/* The gates of a step, from h */
static void find_gates(const nnb__gru *d, const nnb_layer_io *io, int t) {
  const int rows = io->z.rows, units = d->units;
  const real *c = io->w + (size_t)(d->channels + units) * (size_t)(3 * units);
  const nnb_mat rz = in_step(d, io, rows, t, fields(d, GATE_R, 2)), n = in_step(d, io, rows, t, fields(d, GATE_N, 1)),
                u = in_step(d, io, rows, t, fields(d, GATE_U, 1));
  const nnb_cmat h = nnb__read(in_step(d, io, rows, t, fields(d, H, 1)));
  add_row(c, rz);
  spread(c + 2 * units, u);
  if (t > 0) { /* else h is 0 */
    nnb__gemm('N', 'N', 1, h, u_of(d, io, 0, 2), 1, rz);
    nnb__gemm('N', 'N', 1, h, u_of(d, io, 2, 1), 1, u);
  }
  nnb__act(NNB_SIGMOID)->value(nnb__act(NNB_SIGMOID), nnb__read(rz), rz);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < units; j++) nnb__row(n, i)[j] += nnb__row(rz, i)[j] * nnb__row(u, i)[j];
  nnb__act(NNB_TANH)->value(nnb__act(NNB_TANH), nnb__read(n), n);
}

/* h of row i after step t: to the next record, and to Z */
static void put_state(const nnb__gru *d, const nnb_layer_io *io, int t, int i, nnb_mat next) {
  const real *h = nnb__row(in_step(d, io, io->z.rows, t, fields(d, H, 1)), i), *z = h + 2 * d->units, *n = z + d->units;
  real *out = nnb__row(io->z, i) + (d->sequence ? t : 0);
  for (int j = 0; j < d->units; j++) {
    const real now = n[j] + z[j] * (h[j] - n[j]);
    if (next.p) nnb__row(next, i)[j] = now;
    if (d->sequence || !next.p) out[d->sequence ? j * d->steps : j] = now;
  }
}

static void clear(nnb_mat m) {
  for (int i = 0; i < m.rows; i++) memset(nnb__row(m, i), 0, (size_t)m.cols * sizeof *m.p);
}

static void forward(const void *self, const nnb_layer_io *io) {
  const nnb__gru *d = self;
  begin(d, io);
  clear(in_step(d, io, io->z.rows, 0, fields(d, H, 1)));
  for (int t = 0; t < d->steps; t++) {
    nnb_mat next = {0};
    if (t + 1 < d->steps) next = in_step(d, io, io->z.rows, t + 1, fields(d, H, 1));
    find_gates(d, io, t);
    for (int i = 0; i < io->z.rows; i++) put_state(d, io, t, i, next);
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* ∂E/∂h of row i after step t: from Z, and from the next step */
static void add_up(const nnb__gru *d, const nnb_layer_io *io, int t, int i, const real *later, real *dh) {
  const real *delta = nnb__crow(io->delta, i) + (d->sequence ? t : 0);
  for (int j = 0; j < d->units; j++) {
    dh[j] = later ? later[j] : 0;
    if (d->sequence || !later) dh[j] += delta[d->sequence ? j * d->steps : j];
  }
}

/* The δ of row i in a step, and ∂E/∂h ← ∂E/∂h ⊙ z, from the fields of a record, `units` apart */
static void pull(int units, real *h) {
  real *of[N_FIELDS];
  for (int k = 0; k < N_FIELDS; k++) of[k] = h + (size_t)k * (size_t)units;
  for (int j = 0; j < units; j++) {
    const real r = of[GATE_R][j], z = of[GATE_Z][j], n = of[GATE_N][j], u = of[GATE_U][j];
    const real dh = of[D_H][j], dn = dh * (1 - z) * (1 - n * n);
    of[D_N][j] = dn, of[D_U][j] = dn * r;
    of[D_R][j] = dn * u * (r * (1 - r));
    of[D_Z][j] = dh * (h[j] - n) * (z * (1 - z));
    of[D_H][j] = dh * z;
  }
}

static void prepare_back(const void *self, const nnb_layer_io *io) {
  const nnb__gru *d = self;
  const int rows = io->delta.rows;
  for (int t = d->steps - 1; t >= 0; t--) {
    const nnb_mat dh = in_step(d, io, rows, t, fields(d, D_H, 1)), h = in_step(d, io, rows, t, fields(d, H, 1));
    for (int i = 0; i < rows; i++) {
      const real *later = t + 1 < d->steps ? nnb__row(in_step(d, io, rows, t + 1, fields(d, D_H, 1)), i) : NULL;
      add_up(d, io, t, i, later, nnb__row(dh, i));
      pull(d->units, nnb__row(h, i));
    }
    if (t == 0) return;
    nnb__gemm('N', 'T', 1, nnb__read(in_step(d, io, rows, t, fields(d, D_R, 2))), u_of(d, io, 0, 2), 1, dh);
    nnb__gemm('N', 'T', 1, nnb__read(in_step(d, io, rows, t, fields(d, D_U, 1))), u_of(d, io, 2, 1), 1, dh);
  }
}

static void backward_data(const void *self, const nnb_layer_io *io, int k) {
  const nnb__gru *d = self;
  for (int r = 0, n; (n = n_rows(d, io->delta.rows, r)) > 0; r += n) {
    const nnb_mat dx = in_all(d, io, r, n, dx_of(d));
    nnb__gemm('N', 'T', 1, nnb__read(in_all(d, io, r, n, fields(d, D_R, 3))), w_of(d, io, 0, 3), 0, dx);
    for (int i = 0; i < dx.rows; i++) {
      real *da = nnb__row(io->da[k], r + i / d->steps) + i % d->steps;
      for (int c = 0; c < d->channels; c++)
        da[c * d->steps] = (io->da_beta == 0 ? 0 : da[c * d->steps]) + nnb__row(dx, i)[c];
    }
  }
}

/* Rows [k0, k1) of what `fields` multiplies, from row `first` of the block on: w ← beta·w + alpha·AᵀΔ, for gates [g, g
 * + n) */
static void add_product(const nnb__gru *d, nnb_cmat a, nnb_cmat delta, int first, int k0, int k1, int g, real alpha,
                        real beta, real *w) {
  const int from = k0 > first ? k0 : first, to = nnb__smaller(k1, first + a.cols);
  if (from >= to) return;
  const nnb_mat rows = nnb__rows(nnb_view(w, d->channels + d->units + 1, 3 * d->units), from, to - from);
  nnb__gemm('T', 'N', alpha, nnb__ccols(a, from - first, to - from), delta, beta,
            nnb__cols(rows, g * d->units, delta.cols));
}

/* The part's rows of the block, from n rows of the batch */
static void add_rows(const nnb__gru *d, const nnb_layer_io *io, int r, int n, const nnb_sink *sink) {
  const int k_all = d->channels + d->units + 1;
  const int k0 = nnb__share(k_all, io->part, io->parts), k1 = nnb__share(k_all, io->part + 1, io->parts);
  const nnb_cmat x = nnb__read(in_all(d, io, r, n, x_of(d))), h = nnb__read(in_all(d, io, r, n, fields(d, H, 1)));
  const nnb_cmat rzn = nnb__read(in_all(d, io, r, n, fields(d, D_R, 3))),
                 u = nnb__read(in_all(d, io, r, n, fields(d, D_U, 1)));
  const nnb_cmat rz = nnb__ccols(rzn, 0, 2 * d->units);
  const bool last = io->part == io->parts - 1;
  if (sink->b && last) nnb__kernel()->col_sums(rzn, sink->alpha, r ? 1 : sink->beta_bias, sink->b);
  if (!sink->w) return;
  const real beta = r ? 1 : sink->beta;
  real *c = sink->w + (size_t)(k_all - 1) * (size_t)(3 * d->units);
  add_product(d, x, rzn, 0, k0, k1, 0, sink->alpha, beta, sink->w);
  add_product(d, h, rz, d->channels, k0, k1, 0, sink->alpha, beta, sink->w);
  add_product(d, h, u, d->channels, k0, k1, 2, sink->alpha, beta, sink->w);
  if (last) nnb__kernel()->col_sums(rz, sink->alpha, beta, c);
  if (last) nnb__kernel()->col_sums(u, sink->alpha, beta, c + 2 * d->units);
}

static void backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  for (int r = 0, n; (n = n_rows(self, io->delta.rows, r)) > 0; r += n) add_rows(self, io, r, n, sink);
}

/* ---- along directions ---------------------------------------------------------------------------------------------
 *
 * The fields of the δ hold the derivatives of the gates' sums, that of ∂E/∂h the derivative of h after the step. */

/* Derivatives of the gates' sums ← dX·W, for one direction of each row */
static void begin_along(const nnb__gru *d, const nnb_layer_io *io, nnb_cmat da) {
  for (int r = 0, n; (n = n_rows(d, da.rows, r)) > 0; r += n) {
    const nnb_mat dx = in_all(d, io, r, n, dx_of(d));
    unpack(d, nnb__crows(da, r, n), dx);
    nnb__gemm('N', 'N', 1, nnb__read(dx), w_of(d, io, 0, 3), 0, in_all(d, io, r, n, fields(d, D_R, 3)));
  }
}

/* dh after a step of one row, from dh before it; NULL: that is 0 */
static void push(int units, real *h, const real *before) {
  real *of[N_FIELDS];
  for (int k = 0; k < N_FIELDS; k++) of[k] = h + (size_t)k * (size_t)units;
  for (int j = 0; j < units; j++) {
    const real r = of[GATE_R][j], z = of[GATE_Z][j], n = of[GATE_N][j], u = of[GATE_U][j];
    const real dr = of[D_R][j] * (r * (1 - r)), dz = of[D_Z][j] * (z * (1 - z)), dh = before ? before[j] : 0;
    const real dn = (of[D_N][j] + dr * u + r * of[D_U][j]) * (1 - n * n);
    of[D_H][j] = dn + dz * (h[j] - n) + z * (dh - dn);
  }
}

static void step_along(const nnb__gru *d, const nnb_layer_io *io, int rows, int t) {
  const nnb_mat h = in_step(d, io, rows, t, fields(d, H, 1)), du = in_step(d, io, rows, t, fields(d, D_U, 1));
  nnb_mat before = {0};
  if (t == 0) {
    clear(du);
  } else {
    before = in_step(d, io, rows, t - 1, fields(d, D_H, 1));
    nnb__gemm('N', 'N', 1, nnb__read(before), u_of(d, io, 0, 2), 1, in_step(d, io, rows, t, fields(d, D_R, 2)));
    nnb__gemm('N', 'N', 1, nnb__read(before), u_of(d, io, 2, 1), 0, du);
  }
  for (int i = 0; i < rows; i++) push(d->units, nnb__row(h, i), t > 0 ? nnb__row(before, i) : NULL);
}

/* dZ ← dh, after the last step or after each one */
static void end_along(const nnb__gru *d, const nnb_layer_io *io, nnb_mat dz) {
  for (int t = d->sequence ? 0 : d->steps - 1; t < d->steps; t++) {
    const nnb_mat dh = in_step(d, io, dz.rows, t, fields(d, D_H, 1));
    for (int i = 0; i < dz.rows; i++)
      for (int j = 0; j < d->units; j++) nnb__row(dz, i)[d->sequence ? j * d->steps + t : j] = nnb__row(dh, i)[j];
  }
}

static void tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  const nnb__gru *d = self;
  const int rows = dz.rows / n;
  for (int k = 0; k < n; k++) { /* direction k of each row */
    begin_along(d, io, (nnb_cmat){nnb__crow(da[0], k), rows, da[0].cols, n * da[0].ld});
    for (int t = 0; t < d->steps; t++) step_along(d, io, rows, t);
    end_along(d, io, (nnb_mat){nnb__row(dz, k), rows, dz.cols, n * dz.ld});
  }
}

static const nnb_attr attrs[] = {
    {"units", NNB_ATTR_INT, offsetof(nnb__gru, units)},
    {"sequence", NNB_ATTR_INT, offsetof(nnb__gru, sequence)},
    {"init", NNB_ATTR_INIT, offsetof(nnb__gru, init)},
    {"init_scale", NNB_ATTR_REAL, offsetof(nnb__gru, init_scale)},
    {0},
};

const nnb_layer_ops nnb__layer_gru = {
    .name = "gru",
    .size = sizeof(nnb__gru),
    .attrs = attrs,
    .shape = shape,
    .forward = forward,
    .backward_data = backward_data,
    .backward_params = backward_params,
    .init = init,
    .tangent = tangent,
    .prepare_back = prepare_back,
};
