/* num/kernels/chain_blocks_kernel.c: see chain_blocks_kernel.h; built once per level. */
#include "chain_blocks_kernel.h"

#include <string.h>

#include "act.h"
#include "act_vec.h"
#include "gradient_tile.h"
#include "loss.h"
#include "loss_vec.h"
#include "mm.h"
#ifndef NNB_EXACT /* chains with images are not defined to the bit */
#include "image_vec.h"
#endif

/* The block that is being processed. */
typedef struct block {
  const nnb__chain_blocks *layout;
  const nnb__chain_blocks_job *job;
  int row0, n, stride; /* n rows of the job from row0 on; stride: n, rounded up to whole vecs */
  real *workspace;
} block;

static real *row_at(const block *b, int row) { return b->workspace + (size_t)row * (size_t)b->stride; }
static const nnb__link *last(const block *b) { return &b->layout->chain.link[b->layout->chain.n - 1]; }

/* ---- in and out ------------------------------------------------------------------------------------------------- */

static int source_row(const block *b, int i) {
  const int row = b->job->row0 + b->row0 + i;
  return b->job->order ? b->job->order[row] : row;
}

#if LANES >= 4
/* Four numbers from each of row[0], row[4], …, joined in registers: loading a vec just after its parts were stored
 * would wait for the stores. */
#if LANES == 16
typedef real eight __attribute__((vector_size(8 * sizeof(real))));
INLINE eight join(quad a, quad b) { return JOIN_4(eight, a, b); }
INLINE vec load_quads(const real *const *row, int column) {
  eight a = join(load_quad(row[0] + column), load_quad(row[4] + column)),
        b = join(load_quad(row[8] + column), load_quad(row[12] + column));
  return JOIN_8(vec, a, b);
}
#elif LANES == 8
INLINE vec load_quads(const real *const *row, int column) {
  quad a = load_quad(row[0] + column), b = load_quad(row[4] + column);
  return JOIN_4(vec, a, b);
}
#else
INLINE vec load_quads(const real *const *row, int column) { return load(row[0] + column); }
#endif

/* Four columns of LANES rows.  Quad q of v[k] is row k + 4q; each quad is then transposed. */
#define PAIRS(j, k)  ((((j) & ~3) + (((j)&3) >> 1) + 2 * (k)) + ((j)&1) * LANES)
#define FOURS(j, k)  ((((j) & ~3) + ((j)&1) + 2 * (k)) + (((j)&2) >> 1) * LANES)
#define ZIP(x, y, k) SHUFFLE(x, y, PAIRS, k)
#define TWO(x, y, k) SHUFFLE(x, y, FOURS, k)
INLINE void load_four(const real *const row[LANES], int column, size_t stride, real *dst) {
  vec v[4];
  UNROLL for (int k = 0; k < 4; k++) v[k] = load_quads(row + k, column);
  vec low = ZIP(v[0], v[1], 0), high = ZIP(v[0], v[1], 1), low2 = ZIP(v[2], v[3], 0), high2 = ZIP(v[2], v[3], 1);
  store(dst, TWO(low, low2, 0));
  store(dst + stride, TWO(low, low2, 1));
  store(dst + 2 * stride, TWO(high, high2, 0));
  store(dst + 3 * stride, TWO(high, high2, 1));
}
#endif

/* dst ← the transpose of LANES rows.  If the number of columns is not a multiple of four, some are loaded twice. */
INLINE void load_rows(const real *const row[LANES], int cols, size_t stride, real *dst) {
#if LANES >= 4
  for (int j = 0; cols >= 4 && j < cols; j += 4) {
    int column = j + 4 <= cols ? j : cols - 4;
    load_four(row, column, stride, dst + (size_t)column * stride);
  }
  if (cols >= 4) return;
#endif
  for (int j = 0; j < cols; j++)
    for (int k = 0; k < LANES; k++) dst[(size_t)j * stride + (size_t)k] = row[k][j];
}

/* The same for n contiguous rows.  cols is a constant after inlining, so this becomes shuffles. */
INLINE void part_columns(int cols, int n, size_t stride, const real *restrict p, real *restrict dst) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < cols; j++) dst[(size_t)j * stride + (size_t)i] = p[i * cols + j];
}
static bool load_narrow(const block *b, nnb_cmat m, real *dst) {
  const size_t s = (size_t)b->stride;
  if (b->job->order || m.ld != m.cols || m.cols > 4) return false;
  const real *p = nnb__crow(m, source_row(b, 0));
  if (m.cols == 1) part_columns(1, b->n, s, p, dst);
  if (m.cols == 2) part_columns(2, b->n, s, p, dst);
  if (m.cols == 3) part_columns(3, b->n, s, p, dst);
  if (m.cols == 4) part_columns(4, b->n, s, p, dst);
  for (int j = 0; j < m.cols; j++)
    for (int i = b->n; i < b->stride; i++) dst[(size_t)j * s + (size_t)i] = dst[(size_t)j * s + (size_t)b->n - 1];
  return true;
}

/* dst ← mᵀ; the last column is repeated up to the stride */
static void load_columns(const block *b, nnb_cmat m, real *dst) {
  if (load_narrow(b, m, dst)) return;
  for (int i = 0; i < b->stride; i += LANES) {
    const real *row[LANES];
    for (int k = 0; k < LANES; k++) row[k] = nnb__crow(m, source_row(b, i + k < b->n ? i + k : b->n - 1));
    load_rows(row, m.cols, (size_t)b->stride, dst + i);
  }
}

static void scale_columns(const block *b, int n, const real *shift, const real *factor, real *x) {
  if (!shift) return;
  for (int j = 0; j < n; j++, x += b->stride)
    for (int i = 0; i < b->stride; i += LANES) store(x + i, (load(x + i) - shift[j]) * factor[j]);
}

/* Targets from labels: unit vectors; for one output the label itself. */
static void load_labels(const block *b, int n, real *t) {
  memset(t, 0, (size_t)n * (size_t)b->stride * sizeof *t);
  for (int i = 0; i < b->n; i++) {
    int label = b->job->batch->label[source_row(b, i)];
    if (n == 1)
      t[i] = (real)label;
    else
      t[label * b->stride + i] = 1;
  }
}

static void load_targets(const block *b) {
  const nnb_batch *batch = b->job->batch;
  const int n = last(b)->n_out;
  real *t = row_at(b, b->layout->t), *weight = row_at(b, b->layout->weight);
  if (batch->label)
    load_labels(b, n, t);
  else {
    load_columns(b, batch->t, t);
    scale_columns(b, n, b->job->t_shift, b->job->t_factor, t);
  }
  for (int i = 0; i < b->n; i++) weight[i] = batch->weight ? batch->weight[source_row(b, i)] : 1;
  for (int i = b->n; i < b->stride; i++) weight[i] = 0;
}

static void store_outputs(const block *b) {
  const int n = last(b)->n_out;
  const real *a = row_at(b, b->layout->a[b->layout->chain.n - 1]);
  const nnb_mat y = nnb__rows(b->job->y, b->row0, b->n);
  if (y.ld == 1) memcpy(y.p, a, (size_t)b->n * sizeof *a);
  if (y.ld == 1) return;
  for (int j = 0; j < n; j++)
    for (int i = 0; i < b->n; i++) y.p[(size_t)i * (size_t)y.ld + (size_t)j] = a[j * b->stride + i];
}

/* ---- activations: n features, s samples -------------------------------------------------------------------------- */

/* a ← f(z); a may be z. */
typedef void value_fn(int n, int s, const real *z, real *a);
/* y ← d·∂a/∂z.  Rows of a (or of z, if the slope is computed from it) and of y are lda apart, those of d ldd; y may be
 * a or d. */
typedef void pull_fn(int n, int s, const real *a, int lda, const real *d, int ldd, real *y);

/* max z and e^(z-m) for one vec of samples; if m is infinite, the elements equal to it share 1 evenly. */
INLINE vec column_max(int n, int s, const real *z) {
  vec m = load(z);
  for (int j = 1; j < n; j++) m = larger(m, load(z + j * s));
  return m;
}
INLINE vec exp_below_max(vec z, vec m) { return exp_down(at_most(z - at_most(m, REAL_MAX), 0)); }

static void softmax_columns(int n, int s, const real *z, real *a) {
  for (int i = 0; i < s; i += LANES) {
    vec m = column_max(n, s, z + i), sum = {0};
    for (int j = 0; j < n; j++) {
      vec e = exp_below_max(load(z + j * s + i), m);
      store(a + j * s + i, e), sum += e;
    }
#ifdef NNB_EXACT
    const vec share = (real)1 / sum; /* as softmax.h */
    for (int j = 0; j < n; j++) store(a + j * s + i, load(a + j * s + i) * share);
#else
    for (int j = 0; j < n; j++) store(a + j * s + i, load(a + j * s + i) / sum);
#endif
  }
}

/* y_j ← a_j·(d_j - Σ_k a_k·d_k) */
static void softmax_columns_pull(int n, int s, const real *a, int lda, const real *d, int ldd, real *y) {
  for (int i = 0; i < s; i += LANES) {
    vec dot = {0};
    for (int j = 0; j < n; j++) dot = mul_add(load(a + j * lda + i), load(d + j * ldd + i), dot);
    for (int j = 0; j < n; j++) store(y + j * lda + i, load(a + j * lda + i) * (load(d + j * ldd + i) - dot));
  }
}

INLINE void map_block(int n, const real *z, real *a, vec_fn f) {
  for (int j = 0; j < n; j += LANES) store(a + j, f(load(z + j)));
}
INLINE void pull_block(int n, int s, const real *a, int lda, const real *d, int ldd, real *y, vec_fn2 f) {
  for (int j = 0; j < n; j++, a += lda, d += ldd, y += lda)
    for (int i = 0; i < s; i += LANES) store(y + i, f(load(a + i), load(d + i)));
}

/* The functions of act.c are not used: they take views, and a view that was just written to the stack is loaded only
 * after all stores of the previous product (3 % of 4-32-16-4). */
#define ELEMENTWISE(NAME, name)                                                                             \
  static void name##_columns(int n, int s, const real *z, real *a) { map_block(n *s, z, a, name##_value); } \
  static void name##_columns_pull(int n, int s, const real *a, int lda, const real *d, int ldd, real *y) {  \
    pull_block(n, s, a, lda, d, ldd, y, name##_pull);                                                       \
  }
#include "activations.def"

static const struct {
  value_fn *value;
  pull_fn *pull;
} activations[NNB_N_ACTIVATIONS] = {
#define ELEMENTWISE(NAME, name) [NAME] = {name##_columns, name##_columns_pull},
#define ROWWISE(NAME, name)     [NAME] = {name##_columns, name##_columns_pull},
#include "activations.def"
};

/* ---- the loss --------------------------------------------------------------------------------------------------- */

#ifdef NNB_EXACT
/* The losses of a vec of samples, each a sum in double over its outputs in ascending order. */
typedef struct row_losses {
  dvec of[DVECS];
} row_losses;
INLINE void add_each(row_losses *r, vec v) { UNROLL for (int k = 0; k < DVECS; k++) r->of[k] += double_part(v, k); }
/* Part k of the losses of a vec of samples; 0 for a sample of weight 0 */
INLINE void put_losses(dvec loss, dvec weight, int k, double *rows) {
  typedef int64_t masks __attribute__((vector_size(VEC_BYTES)));
  typedef dvec dvec_in_memory __attribute__((aligned(sizeof(double)), may_alias));
  *(dvec_in_memory *)(rows + k * (LANES / DVECS)) = (dvec)((masks)loss & (masks)(weight > 0));
}
/* rows ← weight·loss */
INLINE void put_each(const row_losses *r, vec weight, double *rows) {
  UNROLL for (int k = 0; k < DVECS; k++) {
    const dvec w = double_part(weight, k);
    put_losses(w * r->of[k], w, k, rows);
  }
}

/* rows ← weight·Σ ℓ(a, t) of each sample; t ← c·weight·∂ℓ/∂a */
INLINE double sum_terms(int n, int s, const real *a, const real *weight, real c, real *t, double *rows, term_fn f) {
  const vec none = {0};
  for (int i = 0; i < s; i += LANES) {
    row_losses sum = {{{0}}};
    const vec w = load(weight + i);
    const mask counts = less(none, w);
    for (int j = 0; j < n; j++) {
      term x = f(load(a + j * s + i), load(t + j * s + i));
      add_each(&sum, x.loss);
      store(t + j * s + i, pick(counts, (c * w) * x.slope, none));
    }
    put_each(&sum, w, rows + i);
  }
  return 0;
}
#else
/* Returns Σ weight·ℓ(a, t); t ← c·weight·∂ℓ/∂a.  A sample of weight 0 adds nothing, even if its loss is infinite. */
INLINE double sum_terms(int n, int s, const real *a, const real *weight, real c, real *t, double *rows, term_fn f) {
  (void)rows;
  const vec none = {0};
  dvec sum = {0};
  for (int j = 0; j < n; j++, a += s, t += s) {
    for (int i = 0; i < s; i += LANES) {
      vec w = load(weight + i);
      term x = f(load(a + i), load(t + i));
      mask counts = less(none, w);
      sum += widen(pick(counts, w * x.loss, none));
      store(t + i, pick(counts, (c * w) * x.slope, none));
    }
  }
  return sum_wide(sum);
}
#endif

/* n features, s samples; rows: NULL, or in the defined arithmetic the losses of the samples, instead of their sum */
typedef double loss_fn(int n, int s, const real *a, const real *weight, real c, real *t, double *rows);

/* name_columns of each loss, and f_columns of each fused term */
#define SUM_OF(name, f)                                                                                          \
  static double name##_columns(int n, int s, const real *a, const real *weight, real c, real *t, double *rows) { \
    return sum_terms(n, s, a, weight, c, t, rows, f);                                                            \
  }
#define TERMS(NAME, name, f) SUM_OF(name, f)
#include "losses.def"

#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) FUSED
#define UNFUSED
#define FUSED_TERMS(ACT, f) SUM_OF(f, f)
#define FUSED_ROWS(ACT, f)
#include "losses.def"

/* From Z: with m = max z, s = Σ e^(z-m) and T = Σ t the loss is T·log s - Σ t(z-m), its slope T·e^(z-m)/s - t.  Z is
 * not changed. */
#ifdef NNB_EXACT
static double cross_softmax_columns(int n, int s, const real *z, const real *weight, real c, real *t, double *rows) {
  for (int i = 0; i < s; i += LANES) {
    const vec w = load(weight + i), none = {0}, m = column_max(n, s, z + i);
    const mask counts = less(none, w);
    vec e = none, total = none, linear = none;
    for (int j = 0; j < n; j++) {
      vec x = load(z + j * s + i), y = load(t + j * s + i);
      e += exp_below_max(x, m), total += y, linear += y * (x - m);
    }
    const vec logarithm = (w * total) * log_normal(e);
    UNROLL for (int k = 0; k < DVECS; k++) {
      const dvec of = double_part(w, k);
      put_losses(double_part(logarithm, k) - of * double_part(linear, k), of, k, rows + i);
    }
    const vec share = ((c * w) * total) / e;
    for (int j = 0; j < n; j++) {
      real *q = t + j * s + i;
      store(q, pick(counts, exp_below_max(load(z + j * s + i), m) * share - (c * w) * load(q), none));
    }
  }
  return 0;
}
#else
static double cross_softmax_columns(int n, int s, const real *z, const real *weight, real c, real *t, double *rows) {
  (void)rows;
  dvec sum = {0};
  for (int i = 0; i < s; i += LANES) {
    const vec w = load(weight + i), none = {0}, m = column_max(n, s, z + i);
    const mask counts = less(none, w);
    vec e = none, total = none, linear = none;
    for (int j = 0; j < n; j++) {
      vec x = load(z + j * s + i), y = load(t + j * s + i);
      e += exp_below_max(x, m), total += y, linear += y * (x - m);
    }
    sum += widen(pick(counts, w * (total * log_normal(e) - linear), none));
    const vec share = total / e;
    for (int j = 0; j < n; j++) {
      real *q = t + j * s + i;
      store(q, pick(counts, (c * w) * (share * exp_below_max(load(z + j * s + i), m) - load(q)), none));
    }
  }
  return sum_wide(sum);
}
#endif

static const struct {
  loss_fn *by_outputs;  /* from A */
  nnb_activation fuses; /* the activation that fused includes */
  loss_fn *fused;       /* from Z, or NULL */
} losses[NNB_N_LOSSES] = {
#define TERMS(NAME, name, f)                                      name##_columns
#define LAYERWISE(NAME, name, f)                                  NULL
#define UNFUSED                                                   .fused = NULL
#define FUSED_TERMS(ACT, f)                                       .fuses = ACT, .fused = f##_columns
#define FUSED_ROWS(ACT, f)                                        .fuses = ACT, .fused = f##_columns
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) [NAME] = {.by_outputs = KIND(NAME, name, f), FUSED},
#include "losses.def"
};

/* The loss from Z if it is fused with the activation of the last link, else NULL. */
static loss_fn *fused(const nnb__chain_blocks *layout) {
  const nnb_loss loss = layout->chain.loss;
  return losses[loss].fuses == layout->chain.link[layout->chain.n - 1].act ? losses[loss].fused : NULL;
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

static const real *bias_of(const block *b, const nnb__link *link) {
  return link->bias ? b->job->params + link->off + (size_t)link->rows * (size_t)link->cols : NULL;
}

/* Whether the product of a link also applies its activation. */
static bool product_has_relu(const nnb__chain_blocks *layout, int l) {
  const nnb__link *link = &layout->chain.link[l];
  return link->act == NNB_RELU && layout->z[l] == layout->a[l] && link->rows > 0;
}

#ifdef NNB_EXACT
/* z ← b + Wᵀ·A for one output, by four sums */
static void one_output(int n_in, int s, const real *bias, const real *w, const real *a, real *z, bool positive) {
  for (int i = 0; i < s; i += LANES) {
    const real *x = a + i;
    vec sum[4] = {ZERO};
    int k = 0;
    for (; k + 4 <= n_in; k += 4, x += 4 * s)
      UNROLL for (int h = 0; h < 4; h++) sum[h] = mul_add(fill(w[k + h]), load(x + h * s), sum[h]);
    UNROLL for (int h = 0; h < 3; h++) if (k + h < n_in) sum[h] = mul_add(fill(w[k + h]), load(x + h * s), sum[h]);
    const vec y = (bias ? bias[0] : 0) + ((sum[0] + sum[2]) + (sum[1] + sum[3]));
    store(z + i, positive ? at_least(y, 0) : y);
  }
}

/* -0 becomes +0 */
static void clear_signs(int n, real *z) {
  for (int j = 0; j < n; j += LANES) store(z + j, load(z + j) + ZERO);
}
#endif

/* Z ← b·1ᵀ + Wᵀ·A, or the link's other way to compute Z */
static void multiply(const block *b, int l, real *a) {
  const nnb__link *link = &b->layout->chain.link[l];
  const size_t s = (size_t)b->stride;
  const real *w = b->job->params + link->off;
  real *z = row_at(b, b->layout->z[l]);
  const bool relu = product_has_relu(b->layout, l);
#ifdef NNB_EXACT
  const int n = link->n_out, n_in = link->n_in, second = nnb__second_chain(n_in);
  if (nnb__by_sums(n_in, n))
    one_output(n_in, b->stride, bias_of(b, link), w, a, z, relu);
  else if (second < n_in)
    NNB__MM_TWO(n, b->stride, n_in, second, bias_of(b, link), false, w, 1, (size_t)n, a, s, z, s, relu, true);
  else
    NNB__MM_FROM(n, b->stride, n_in, bias_of(b, link), w, 1, (size_t)n, a, s, z, s, relu);
  if (link == last(b) && b->job->y.p) clear_signs(n * b->stride, z);
#else
  if (link->kind == NNB__LINK_DENSE)
    NNB__MM_FROM(link->n_out, b->stride, link->n_in, bias_of(b, link), w, 1, (size_t)link->n_out, a, s, z, s, relu);
  if (link->kind == NNB__LINK_CONV) conv_forward(link, b->stride, w, bias_of(b, link), a, z, relu);
  if (link->kind == NNB__LINK_MAXPOOL) maxpool_forward(&link->patches, s, a, z);
  if (link->kind == NNB__LINK_AVGPOOL) avgpool_forward(&link->patches, s, a, z);
  if (link->kind == NNB__LINK_PAD) pad_block(&link->patches, s, a, z, false);
#endif
}

/* A ← f(Z) */
static void activate(const block *b, int l) {
  const nnb__chain_blocks *layout = b->layout;
  const nnb__link *link = &layout->chain.link[l];
  if (link->act == NNB_LINEAR || product_has_relu(layout, l)) return;
  activations[link->act].value(link->n_out, b->stride, row_at(b, layout->z[l]), row_at(b, layout->a[l]));
}

/* The loss, from A of the last link or, if it is fused, from Z; Δ overwrites the targets. */
static double compute_loss(const block *b, loss_fn *loss, int row) {
  const nnb__chain_blocks *layout = b->layout;
#ifdef NNB_EXACT
  double *rows = b->job->rows_loss + b->row0;
  return loss(last(b)->n_out, b->stride, row_at(b, row), row_at(b, layout->weight), b->job->scale, row_at(b, layout->t),
              rows);
#else
  return loss(last(b)->n_out, b->stride, row_at(b, row), row_at(b, layout->weight), b->job->scale, row_at(b, layout->t),
              NULL);
#endif
}

static double forward(const block *b) {
  const nnb__chain_blocks *layout = b->layout;
  const nnb__chain_blocks_job *job = b->job;
  const int end = layout->chain.n - 1;
  loss_fn *from_z = job->loss ? fused(layout) : NULL;
  double loss = 0;
  for (int l = 0; l <= end; l++) {
    multiply(b, l, row_at(b, l ? layout->a[l - 1] : layout->x));
    if (l == end && from_z) loss = compute_loss(b, from_z, layout->z[l]);
    if (l < end || !from_z || job->y.p) activate(b, l);
  }
  return job->loss && !from_z ? compute_loss(b, losses[layout->chain.loss].by_outputs, layout->a[end]) : loss;
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

/* Samples are summed by lane, in the defined arithmetic by sum of their group: sum i has the samples i, i + 16, …,
 * whatever the number of lanes, and the sums are added in pairs that are 8, 4, 2 and 1 apart. */
#ifdef NNB_EXACT
enum { SUMS = NNB__GROUP_SUMS / LANES };
#else
enum { SUMS = 1 };
#endif
enum { SUMMED = SUMS * LANES };

/* sum[0][k] ← the SUMS vecs sum[·][k] added in pairs, for n numbers k */
INLINE void add_pairs(const int n, vec (*sum)[TILE_SUMS]) {
  for (int half = SUMS / 2; half > 0; half /= 2)
    for (int p = 0; p < half; p++)
      for (int k = 0; k < n; k++) sum[p][k] += sum[p + half][k];
}

/* sum ← Σ_v a_iv·d_ov over the vecs v of samples from `from` on, SUMMED apart */
INLINE void tile_sums(int mi, int no, const real *a, const real *d, int s, int from, vec sum[TILE_SUMS]) {
  for (int k = 0; k < TILE_SUMS; k++) sum[k] = (vec){0};
  for (int v = from; v < s; v += SUMMED) {
    vec row[TILE_O];
    for (int o = 0; o < no; o++) row[o] = load(d + o * s + v);
    for (int i = 0; i < mi; i++) {
      vec x = load(a + i * s + v);
      for (int o = 0; o < no; o++) sum[i * TILE_O + o] = mul_add(x, row[o], sum[i * TILE_O + o]);
    }
  }
}

/* g_io ← g_io + Σ_s a_is·d_os for mi by no numbers */
INLINE void gradient_tile(int mi, int no, const real *a, const real *d, int s, real *g, int ldg) {
  vec sum[SUMS][TILE_SUMS];
  for (int p = 0; p < SUMS; p++) tile_sums(mi, no, a, d, s, p * LANES, sum[p]);
  add_pairs(TILE_SUMS, sum);
  add_tile(mi, no, sum[0], g, ldg);
}

INLINE void gradient_rows(int mi, const real *a, const real *d, int n_out, int s, real *g) {
  int o = 0;
  for (; o + TILE_O <= n_out; o += TILE_O) gradient_tile(mi, TILE_O, a, d + o * s, s, g + o, n_out);
  switch (n_out - o) {
    case 3:
      gradient_tile(mi, 3, a, d + o * s, s, g + o, n_out);
      break;
    case 2:
      gradient_tile(mi, 2, a, d + o * s, s, g + o, n_out);
      break;
    case 1:
      gradient_tile(mi, 1, a, d + o * s, s, g + o, n_out);
      break;
  }
}

/* Sums across lanes are made once for LANES numbers of g, by transposing Δ once for LANES samples.  This pays if there
 * are few samples for each row of A.  With AVX2, f32 and 16 samples 30-30-30-30-1 gains 9 %, 10-20-20-1 would lose 12
 * %. */
#ifndef NNB_EXACT
INLINE bool has_few_samples(int s, int n_in, int n_out) { return 12 * s <= n_in * LANES && n_out >= LANES / 2; }
#endif

/* g ← g + A·Δᵀ for n_in rows of A */
static void add_gradient(int n_in, const real *a, const real *d, int n_out, int s, real *g) {
#ifndef NNB_EXACT
  if (has_few_samples(s, n_in, n_out)) {
    const nnb__strided rows = {a, (size_t)s, 1};
    NNB__MM_COPY(n_in, n_out, s, 1, rows, d, (size_t)s, true, 1, g, (size_t)n_out);
    return;
  }
#endif
  int i = 0;
  for (; i + TILE_I <= n_in; i += TILE_I) gradient_rows(TILE_I, a + i * s, d, n_out, s, g + i * n_out);
  a += i * s, g += i * n_out;
  switch (n_in - i) {
#ifdef VEC_AVX512
    case 3:
      gradient_rows(3, a, d, n_out, s, g);
      break;
    case 2:
      gradient_rows(2, a, d, n_out, s, g);
      break;
#endif
    case 1:
      gradient_rows(1, a, d, n_out, s, g);
      break;
  }
}

/* The sums of n ≤ 4 rows, by lane. */
INLINE void sums_of_rows(const int n, const real *d, int s, vec *sum) {
  vec total[SUMS][TILE_SUMS];
  for (int p = 0; p < SUMS; p++) {
    UNROLL for (int k = 0; k < n; k++) total[p][k] = (vec){0};
    for (int v = p * LANES; v < s; v += SUMMED) UNROLL for (int k = 0; k < n; k++) total[p][k] += load(d + k * s + v);
  }
  add_pairs(n, total);
  UNROLL for (int k = 0; k < n; k++) sum[k] = total[0][k];
}
/* g_o ← g_o + Σ_s d_os */
static void add_sums(const real *d, int n_out, int s, real *g) {
  for (int o = 0; o < n_out; o += LANES) {
    const int n = n_out - o < LANES ? n_out - o : LANES;
    vec sum[LANES];
    int k = 0;
    for (; k + 4 <= n; k += 4) sums_of_rows(4, d + (o + k) * s, s, sum + k);
    for (; k < n; k++) sums_of_rows(1, d + (o + k) * s, s, sum + k);
    for (; k < LANES; k++) sum[k] = (vec){0};
    store_part(g + o, n, load_part(g + o, n) + sums_of_lanes(sum));
  }
}

/* A or Z of link l, whichever its slope is computed from */
static const real *slopes_from(const block *b, int l) {
  const bool z = NNB__ACTS[b->layout->chain.link[l].act].traits & NNB_ACT_NEEDS_Z;
  return row_at(b, z ? b->layout->z[l] : b->layout->a[l]);
}

/* Samples processed at a time in the backward pass of a dense link: those of a tile of the product */
enum { AT_ONCE = 3 * LANES };

/* y ← f'∘(W·Δ); from: what f' is computed from */
static void back_from_dense(const block *b, const nnb__link *link, const real *delta, const real *from, real *y) {
  const int s = b->stride, n = link->n_in;
  real *product = row_at(b, b->layout->back);
  for (int i = 0; i < s; i += AT_ONCE) {
    const int k = s - i < AT_ONCE ? s - i : AT_ONCE;
    NNB__MM_FROM(n, k, link->n_out, NULL, b->job->params + link->off, (size_t)link->n_out, 1, delta + i, (size_t)s,
                 product, (size_t)k, false);
    activations[link[-1].act].pull(n, k, from + i, s, product, k, y + i);
  }
}

#ifndef NNB_EXACT
/* The same for a link of images; y holds A of the link before. */
static void back_from_images(const block *b, const nnb__link *link, const real *delta, const real *from, real *y) {
  const size_t s = (size_t)b->stride;
  const nnb__patches *at = &link->patches;
  real *da = row_at(b, b->layout->back);
  if (link->kind == NNB__LINK_CONV) conv_back(link, b->stride, b->job->params + link->off, delta, da);
  if (link->kind == NNB__LINK_MAXPOOL || link->kind == NNB__LINK_AVGPOOL)
    memset(da, 0, (size_t)link->n_in * s * sizeof *da);
  if (link->kind == NNB__LINK_MAXPOOL) maxpool_back(at, s, y, delta, da);
  if (link->kind == NNB__LINK_AVGPOOL) avgpool_back(at, s, delta, da);
  if (link->kind == NNB__LINK_PAD) pad_block(at, s, da, (real *)(uintptr_t)delta, true);
  activations[link[-1].act].pull(link->n_in, b->stride, from, b->stride, da, b->stride, y);
}
#endif

/* Δ of link l - 1, which overwrites A of that link: it is not used again. */
static const real *back_from(const block *b, int l, const real *delta) {
  const nnb__link *link = &b->layout->chain.link[l];
  const real *from = slopes_from(b, l - 1);
  real *y = row_at(b, b->layout->a[l - 1]);
#ifndef NNB_EXACT
  if (link->kind != NNB__LINK_DENSE) {
    back_from_images(b, link, delta, from, y);
    return y;
  }
#endif
  back_from_dense(b, link, delta, from, y);
  return y;
}

/* g ← g + the gradient of a link from its input and Δ */
static void add_gradients(const block *b, const nnb__link *link, const real *a, const real *delta, real *g) {
  const int s = b->stride;
  real *w = g + link->off;
  const bool conv = link->kind == NNB__LINK_CONV;
  if (link->bias)
    add_sums(delta, link->cols, conv ? s * nnb__n_places(&link->patches) : s,
             w + (size_t)link->rows * (size_t)link->cols);
#ifndef NNB_EXACT
  if (conv) conv_gradient(link, s, a, delta, w);
#endif
  if (link->kind == NNB__LINK_DENSE) add_gradient(link->n_in, a, delta, link->n_out, s, w);
}

/* g ← g + the block's gradient */
static void backward(const block *b, real *g) {
  const nnb__chain_blocks *layout = b->layout;
  const int s = b->stride, end = layout->chain.n - 1;
  const nnb__link *link = last(b);
  real *slope = row_at(b, layout->t);
  const real *delta = slope;
  if (!fused(layout)) activations[link->act].pull(link->n_out, s, slopes_from(b, end), s, slope, s, slope);
  for (int l = end; l >= 0; l--, link--) {
    add_gradients(b, link, row_at(b, l ? layout->a[l - 1] : layout->x), delta, g);
    if (l > layout->first) delta = back_from(b, l, delta);
  }
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

static double run_block(const block *b, real *g) {
  const nnb__chain_blocks_job *job = b->job;
  real *x = row_at(b, b->layout->x);
  load_columns(b, job->batch->x, x);
  scale_columns(b, b->layout->chain.link[0].n_in, job->x_shift, job->x_factor, x);
  if (job->loss) load_targets(b);
  double loss = forward(b);
  if (job->y.p) store_outputs(b);
  if (g) backward(b, g);
  return loss;
}

double NNB__CHAIN_BLOCKS(const nnb__chain_blocks *layout, const nnb__chain_blocks_job *job, int r0, int n,
                         real *workspace, real *g) {
  double loss = 0;
  block b = {.layout = layout, .job = job, .workspace = workspace};
#ifndef NNB_EXACT /* which goes on with g */
  if (g) memset(g, 0, layout->n_params * sizeof *g);
#endif
  for (int done = 0; done < n; done += b.n) {
    b.row0 = r0 + done, b.n = n - done < layout->rows ? n - done : layout->rows;
    b.stride = (b.n + LANES - 1) / LANES * LANES;
    loss += run_block(&b, g);
  }
  return loss;
}
