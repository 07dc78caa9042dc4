/* num/kernels/layer_rows.c: the loops of layers over the numbers of a row, which the compiler makes vectors of. */
#include "layer_rows.h"

#include <string.h>

#include "ints.h"
#include "philox.h"
#include "vec.h"

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

enum { BLOCKS = 16, WORDS = 4 * BLOCKS }; /* drawn at once */

#if defined VEC_AVX512 || defined VEC_AVX2
/* Philox with one block in each lane of 64 bits: a product reads the lower halves only, so nothing has to be cleared.
 */
#ifdef VEC_AVX512
typedef __m512i lanes;
#define MULTIPLY _mm512_mul_epu32
#else
typedef __m256i lanes;
#define MULTIPLY _mm256_mul_epu32
#endif
typedef uint64_t wide __attribute__((vector_size(VEC_BYTES)));
enum { AT_ONCE = VEC_BYTES / 8 };

static inline wide times(wide a, uint64_t b) { return (wide)MULTIPLY((lanes)a, (lanes)(b - (wide){0})); }

/* The words of BLOCKS blocks from block `first` on, in order. */
static void draw_words(uint64_t seed, uint64_t stream, uint32_t first, uint32_t out[WORDS]) {
  for (uint32_t k = 0; k < BLOCKS; k += AT_ONCE) {
    static const uint64_t number[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    wide lane, none = {0};
    memcpy(&lane, number, sizeof lane);
    wide c[4] = {lane + (first + k), none, none + (uint32_t)stream, none + (stream >> 32)};
    uint64_t k0 = (uint32_t)seed, k1 = seed >> 32;
    for (int round = 0; round < NNB__PHILOX_ROUNDS; round++) {
      const wide p0 = times(c[0], NNB__PHILOX_M0), p1 = times(c[2], NNB__PHILOX_M1);
      c[0] = (p1 >> 32) ^ c[1] ^ k0, c[2] = (p0 >> 32) ^ c[3] ^ k1;
      c[1] = p1, c[3] = p0;
      k0 += NNB__PHILOX_W0, k1 += NNB__PHILOX_W1;
    }
    for (uint32_t l = 0; l < AT_ONCE; l++)
      for (int i = 0; i < 4; i++) out[4 * (k + l) + (uint32_t)i] = (uint32_t)c[i][l];
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

const nnb__layer_rows NNB__LAYER_ROWS = {.mask = draw_mask,
                                         .sum = sum_of,
                                         .squares = squares_of,
                                         .norm = norm,
                                         .norm_back = norm_back,
                                         .norm_params = norm_params};
