/* num/kernels/mm_row.c: y ← beta·y + alpha·x·B for one row x (built once per level).  Reads the rows of B one after the
 * other, without those whose number in x is 0. */
#include "mm.h"
#include "vec.h"

enum { SUMS = 8, LISTED = 256 }; /* vectors of sums; numbers of x processed at once */

#ifdef VEC_AVX512
/* Writes l + k for each lane k of m; returns their number. */
INLINE int put_where(mask m, int l, int *place) {
#if LANES == 16
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  _mm512_storeu_si512(place, _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lanes, _mm512_set1_epi32(l))));
#else
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_storeu_si256((__m256i_u *)place,
                      _mm256_maskz_compress_epi32(m, _mm256_add_epi32(lanes, _mm256_set1_epi32(l))));
#endif
  return __builtin_popcount(m);
}
#endif

/* The indices of the numbers of x that are not 0, of n.  The list has space for LANES more. */
static int list(int n, const real *x, size_t dx, int *place) {
  int m = 0, l = 0;
#ifdef VEC_AVX512
  for (; dx == 1 && l + LANES <= n; l += LANES) m += put_where(not_zero(load(x + l)), l, place + m);
#endif
  for (; l < n; l++) place[m] = l, m += x[(size_t)l * dx] != 0;
  return m;
}

typedef struct row {
  int n_places;
  const int *place;
  const real *x;
  size_t dx;
  real alpha, beta;
  const real *b;
  size_t ldb;
  real *y;
} row;

/* sum ← sum + x_at·(nv vectors of row `at` of B, the last of `part` numbers unless full_end) */
INLINE void add(const row *r, size_t at, int nv, bool full_end, int part, vec *sum) {
  const real *b = r->b + at * r->ldb;
  const vec x = fill(r->x[at * r->dx]);
  UNROLL for (int j = 0; j < nv; j++) sum[j] =
      mul_add(x, full_end || j < nv - 1 ? load(b + j * LANES) : load_part(b + j * LANES, part), sum[j]);
}

#ifdef NNB_EXACT
/* nv vectors of y, each number one chain that begins with beta·y; alpha is 1. */
INLINE void strip(const row *pointer, int nv, bool full_end, int part) {
  const row r = *pointer;
  vec sum[SUMS];
  UNROLL for (int j = 0; j < nv; j++) {
    sum[j] = (vec){0};
    if (r.beta != 0)
      sum[j] = r.beta * (full_end || j < nv - 1 ? load(r.y + j * LANES) : load_part(r.y + j * LANES, part));
  }
  for (int l = 0; l < r.n_places; l++) add(&r, (size_t)r.place[l], nv, full_end, part, sum);
  UNROLL for (int j = 0; j < nv; j++) store_part(r.y + j * LANES, j < nv - 1 ? LANES : part, sum[j] + (vec){0});
}

static void strips(row r, int n) {
  for (; n >= 8 * LANES; n -= 8 * LANES, r.b += 8 * LANES, r.y += 8 * LANES) strip(&r, 8, true, LANES);
  for (; n >= 4 * LANES; n -= 4 * LANES, r.b += 4 * LANES, r.y += 4 * LANES) strip(&r, 4, true, LANES);
  if (n > 3 * LANES)
    strip(&r, 4, false, n - 3 * LANES);
  else if (n > 2 * LANES)
    strip(&r, 3, false, n - 2 * LANES);
  else if (n > LANES)
    strip(&r, 2, false, n - LANES);
  else if (n > 0)
    strip(&r, 1, false, n);
}
#else
/* nv vectors of y, with SUMS/nv independent sums for each. */
INLINE void strip(const row *pointer, int nv, bool full_end, int part) {
  const row r = *pointer;
  const int apart = SUMS / nv;
  vec sum[SUMS];
  UNROLL for (int i = 0; i < SUMS; i++) sum[i] = (vec){0};
  int l = 0;
  for (; l + apart <= r.n_places; l += apart) {
    UNROLL for (int h = 0; h < apart; h++) add(&r, (size_t)r.place[l + h], nv, full_end, part, sum + h * nv);
  }
  for (; l < r.n_places; l++) add(&r, (size_t)r.place[l], nv, full_end, part, sum);
  UNROLL for (int i = nv; i < SUMS; i++) sum[i % nv] += sum[i];
  UNROLL for (int j = 0; j < nv; j++) {
    real *y = r.y + j * LANES;
    vec v = r.alpha * sum[j];
    if (r.beta != 0) v += r.beta * load_part(y, part);
    store_part(y, part, v);
  }
}

static void strips(row r, int n) {
  for (; n >= 8 * LANES; n -= 8 * LANES, r.b += 8 * LANES, r.y += 8 * LANES) strip(&r, 8, true, LANES);
  for (; n >= 4 * LANES; n -= 4 * LANES, r.b += 4 * LANES, r.y += 4 * LANES) strip(&r, 4, true, LANES);
  for (; n >= LANES; n -= LANES, r.b += LANES, r.y += LANES) strip(&r, 1, true, LANES);
  if (n > 0) strip(&r, 1, false, n);
}
#endif

void NNB__MM_ROW(int n, int k, real alpha, const real *x, size_t dx, const real *b, size_t ldb, real beta, real *y) {
  int place[LISTED + LANES];
  row r = {0, place, x, dx, alpha, beta, b, ldb, y};
  for (;; r.beta = 1) {
    int now = k < LISTED ? k : LISTED;
    r.n_places = list(now, r.x, dx, place);
    strips(r, n);
    if ((k -= now) == 0) return;
    r.x += (size_t)now * dx, r.b += (size_t)now * ldb;
  }
}
