/* num/kernels/layer_rows.c: the loops of layers over the numbers of a row, which the compiler makes vectors of. */
#include "layer_rows.h"

#include <string.h>

#include "ints.h"
#include "philox.h"
#include "vec.h"
#include "view.h"

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

enum { BLOCKS = 16, WORDS = 4 * BLOCKS }; /* drawn at once */

#if defined VEC_AVX512 || defined VEC_AVX2
/* Philox with one block in each lane of 64 bits: a product reads the lower halves only, so nothing has to be cleared.
 */
#ifdef VEC_AVX512
typedef __m512i lanes;
#define MULTIPLY   _mm512_mul_epu32
#define LOW_PAIRS  _mm512_unpacklo_epi64
#define HIGH_PAIRS _mm512_unpackhi_epi64
#define LANE_BLOCKS \
  { 0, 4, 1, 5, 2, 6, 3, 7 }
#else
typedef __m256i lanes;
#define MULTIPLY   _mm256_mul_epu32
#define LOW_PAIRS  _mm256_unpacklo_epi64
#define HIGH_PAIRS _mm256_unpackhi_epi64
#define LANE_BLOCKS \
  { 0, 2, 1, 3 }
#endif
typedef uint64_t wide __attribute__((vector_size(VEC_BYTES)));
enum { AT_ONCE = VEC_BYTES / 8 };

static inline wide product(wide a, uint64_t b) { return (wide)MULTIPLY((lanes)a, (lanes)(b - (wide){0})); }

/* out ← the words of the blocks, in order.  Pairs of even lanes come first, then those of odd ones: LANE_BLOCKS are the
 * blocks that make this the order of the words. */
static inline void put_words(const wide c[4], uint32_t *out) {
  const wide low = {0}, half = low + 0xFFFFFFFFu;
  const wide first = (c[0] & half) | c[1] << 32, second = (c[2] & half) | c[3] << 32;
  const lanes even = LOW_PAIRS((lanes)first, (lanes)second), odd = HIGH_PAIRS((lanes)first, (lanes)second);
  memcpy(out, &even, sizeof even);
  memcpy(out + sizeof even / sizeof *out, &odd, sizeof odd);
}

/* The words of BLOCKS blocks from block `first` on, in order. */
static void draw_words(uint64_t seed, uint64_t stream, uint32_t first, uint32_t out[WORDS]) {
  for (uint32_t k = 0; k < BLOCKS; k += AT_ONCE) {
    const wide lane = LANE_BLOCKS, none = {0};
    wide c[4] = {lane + (first + k), none, none + (uint32_t)stream, none + (stream >> 32)};
    uint64_t k0 = (uint32_t)seed, k1 = seed >> 32;
    for (int round = 0; round < NNB__PHILOX_ROUNDS; round++) {
      const wide p0 = product(c[0], NNB__PHILOX_M0), p1 = product(c[2], NNB__PHILOX_M1);
      c[0] = (p1 >> 32) ^ c[1] ^ k0, c[2] = (p0 >> 32) ^ c[3] ^ k1;
      c[1] = p1, c[3] = p0;
      k0 += NNB__PHILOX_W0, k1 += NNB__PHILOX_W1;
    }
    put_words(c, out + 4 * k);
  }
}
#else
static void draw_words(uint64_t seed, uint64_t stream, uint32_t first, uint32_t out[WORDS]) {
  uint32_t c[WORDS];
  for (uint32_t k = 0; k < BLOCKS; k++) {
    c[k] = first + k, c[BLOCKS + k] = 0;
    c[2 * BLOCKS + k] = (uint32_t)stream, c[3 * BLOCKS + k] = (uint32_t)(stream >> 32);
  }
  nnb__philox(BLOCKS, seed, c);
  for (int k = 0; k < BLOCKS; k++)
    for (int i = 0; i < 4; i++) out[4 * k + i] = c[i * BLOCKS + k];
}
#endif

static void draw_mask(uint64_t seed, uint64_t stream, uint32_t bound, real kept, int n, real *out) {
  uint32_t drawn[WORDS];
  for (int j = 0, now; (now = nnb__chunk(n, j, WORDS)) > 0; j += now) {
    draw_words(seed, stream, (uint32_t)j / 4, drawn);
    for (int k = 0; k < now; k++) out[j + k] = drawn[k] < bound ? 0 : kept;
  }
}

static void times(int n, const real *a, const real *b, real beta, real *out) {
  for (int j = 0; j < n; j++) {
    const real v = a[j] * b[j];
    out[j] = beta == 0 ? v : beta * out[j] + v;
  }
}

/* ---- layer normalisation ----------------------------------------------------------------------------------------- */

enum { PARTS = 32 }; /* of a sum */

static inline real add_up(const real part[PARTS]) {
  real sum = 0;
  for (int k = 0; k < PARTS; k++) sum += part[k];
  return sum;
}

static real sum_of(int n, const real *a) {
  real part[PARTS] = {0};
  int j = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (int k = 0; k < PARTS; k++) part[k] += a[j + k];
  for (int k = 0; j < n; j++, k++) part[k] += a[j];
  return add_up(part);
}

static real squares_of(int n, const real *a, real mean) {
  real part[PARTS] = {0};
  int j = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (int k = 0; k < PARTS; k++) part[k] += (a[j + k] - mean) * (a[j + k] - mean);
  for (int k = 0; j < n; j++, k++) part[k] += (a[j] - mean) * (a[j] - mean);
  return add_up(part);
}

static nnb__moments norm(int n, real epsilon, const real *gain, const real *bias, const real *a, real *z) {
  const real mean = sum_of(n, a) / (real)n, root = 1 / R(sqrt)(squares_of(n, a, mean) / (real)n + epsilon);
  for (int j = 0; j < n; j++) z[j] = gain[j] * ((a[j] - mean) * root) + bias[j];
  return (nnb__moments){mean, root};
}

static void norm_back(int n, const nnb__moments *m, const real *gain, const real *a, const real *delta, real beta,
                      real *da) {
  const real mean = m->mean, root = m->root;
  real sum[PARTS] = {0}, dot[PARTS] = {0};
  int j = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (int k = 0; k < PARTS; k++) {
      const real g = delta[j + k] * gain[j + k];
      sum[k] += g, dot[k] += g * (a[j + k] - mean);
    }
  for (int k = 0; j < n; j++, k++) sum[k] += delta[j] * gain[j], dot[k] += delta[j] * gain[j] * (a[j] - mean);
  const real level = add_up(sum) / (real)n, slope = add_up(dot) / (real)n * root * root;
  for (j = 0; j < n; j++) {
    const real d = root * (delta[j] * gain[j] - level - (a[j] - mean) * slope);
    da[j] = beta == 0 ? d : da[j] + d;
  }
}

static void norm_params(int n, const nnb__moments *m, const real *a, const real *delta, real *dg, real *db) {
  const real mean = m->mean, root = m->root;
  for (int j = 0; j < n; j++) dg[j] += delta[j] * ((a[j] - mean) * root), db[j] += delta[j];
}

/* ---- batch normalisation ----------------------------------------------------------------------------------------- */

static void sums_of_columns(nnb_cmat a, const real *mean, real *sum) {
  for (int i = 0; i < a.rows; i++) {
    const real *row = nnb__crow(a, i);
    for (int j = 0; mean && j < a.cols; j++) sum[j] += (row[j] - mean[j]) * (row[j] - mean[j]);
    for (int j = 0; !mean && j < a.cols; j++) sum[j] += row[j];
  }
}

static void channel_sums(nnb_cmat a, int pixels, const real *mean, real *sum) {
  if (pixels == 1) {
    sums_of_columns(a, mean, sum);
    return;
  }
  for (int i = 0; i < a.rows; i++)
    for (int c = 0; c < a.cols / pixels; c++) {
      const real *row = nnb__crow(a, i) + c * pixels;
      sum[c] += mean ? squares_of(pixels, row, mean[c]) : sum_of(pixels, row);
    }
}

/* *dg, *db ← *dg, *db + Σ δ ⊙ (a - mean), Σ δ */
static void slopes_of(int n, const real *delta, const real *a, real mean, real *dg, real *db) {
  real sum[PARTS] = {0}, dot[PARTS] = {0};
  int j = 0;
  for (; j + PARTS <= n; j += PARTS)
    for (int k = 0; k < PARTS; k++) sum[k] += delta[j + k], dot[k] += delta[j + k] * (a[j + k] - mean);
  for (int k = 0; j < n; j++, k++) sum[k] += delta[j], dot[k] += delta[j] * (a[j] - mean);
  *dg += add_up(dot), *db += add_up(sum);
}

static void channel_slopes(nnb_cmat delta, nnb_cmat a, int pixels, const real *mean, real *dg, real *db) {
  for (int i = 0; i < a.rows; i++) {
    const real *d = nnb__crow(delta, i), *row = nnb__crow(a, i);
    for (int j = 0; pixels == 1 && j < a.cols; j++) dg[j] += d[j] * (row[j] - mean[j]), db[j] += d[j];
    for (int c = 0; pixels > 1 && c < a.cols / pixels; c++)
      slopes_of(pixels, d + c * pixels, row + c * pixels, mean[c], &dg[c], &db[c]);
  }
}

static void channel_scale(nnb_cmat a, int pixels, const real *mean, const real *scale, const real *shift, nnb_mat z) {
  for (int i = 0; i < a.rows; i++) {
    const real *row = nnb__crow(a, i);
    real *restrict to = nnb__row(z, i);
    for (int j = 0; pixels == 1 && j < a.cols; j++) to[j] = scale[j] * (row[j] - mean[j]) + shift[j];
    for (int c = 0; pixels > 1 && c < a.cols / pixels; c++, row += pixels, to += pixels)
      for (int q = 0; q < pixels; q++) to[q] = scale[c] * (row[q] - mean[c]) + shift[c];
  }
}

static inline real back_one(const nnb__channel_terms *t, int c, real delta, real a) {
  return t->scale[c] * (delta - t->level[c] - (a - t->mean[c]) * t->slope[c]);
}

static void channel_back(nnb_cmat delta, nnb_cmat a, int pixels, const nnb__channel_terms *terms, real beta,
                         nnb_mat da) {
  const nnb__channel_terms t = *terms;
  for (int i = 0; i < a.rows; i++) {
    const real *d = nnb__crow(delta, i), *row = nnb__crow(a, i);
    real *restrict to = nnb__row(da, i);
    for (int j = 0; pixels == 1 && j < a.cols; j++) {
      const real v = back_one(&t, j, d[j], row[j]);
      to[j] = beta == 0 ? v : beta * to[j] + v;
    }
    for (int c = 0; pixels > 1 && c < a.cols / pixels; c++, d += pixels, row += pixels, to += pixels)
      for (int q = 0; q < pixels; q++) {
        const real v = back_one(&t, c, d[q], row[q]);
        to[q] = beta == 0 ? v : beta * to[q] + v;
      }
  }
}

const nnb__layer_rows NNB__LAYER_ROWS = {.mask = draw_mask,
                                         .times = times,
                                         .sum = sum_of,
                                         .norm = norm,
                                         .norm_back = norm_back,
                                         .norm_params = norm_params,
                                         .channel_sums = channel_sums,
                                         .channel_slopes = channel_slopes,
                                         .channel_scale = channel_scale,
                                         .channel_back = channel_back};
