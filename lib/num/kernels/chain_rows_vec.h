/* num/kernels/chain_rows_vec.h: shared by chain_rows_kernel.c and chain_predict_kernel.c: activations of a vec,
 * products with weights that may be updated in the same pass, lists of inputs that are not 0.  Built once per level
 * (see kernels.h). */
#ifndef NNB__CHAIN_ROWS_VEC_H
#define NNB__CHAIN_ROWS_VEC_H

#include "act_vec.h"
#include "mm.h"
#include "real.h"
#include "softmax.h"

/* ---- activations of a vec --------------------------------------------------------------------------------------- */

/* Called, not inlined: the code is large, and a copy at each use costs more than the call. */
#define NOINLINE static __attribute__((noinline))

/* f(z) of an element-wise activation */
NOINLINE vec value_of(nnb_activation act, vec z) {
  switch (act) {
#define ELEMENTWISE(NAME, name) \
  case NAME:                    \
    return name##_value(z);
#include "activations.def"
    default: /* not reached; NaN would reveal it */
      return fill((real)NAN);
  }
}

/* Whether an output depends on its whole row. */
INLINE bool is_rowwise(nnb_activation act) {
  switch (act) {
#define ROWWISE(NAME, name) case NAME:
#include "activations.def"
    return true;
    default:
      return false;
  }
}

/* a ← f(z) of a row; a may be z. */
NOINLINE void row_value(nnb_activation act, int n, const real *z, real *a) {
  switch (act) {
#define ROWWISE(NAME, name) \
  case NAME:                \
    name##_row(n, z, a);    \
    break;
#include "activations.def"
    default:
      break;
  }
}

/* ---- update and product together --------------------------------------------------------------------------------- */

/* Vecs of columns processed at a time, limited by the number of registers. */
#ifdef VEC_AVX512
enum { MOST = 8 };
#else
enum { MOST = 4 };
#endif

/* A rank-1 update and a product (BLAS: ger, gemv) that read the rows of M once.  For the n rows i in list:
 *     M_i ← beta·M_i + u_i·vᵀ unless v is NULL     y ← start + Σ w_i·M_i
 * M has cols columns; v is padded with zeros to whole vecs.  start NULL: 0.  In the defined arithmetic M_i ← beta·M_i -
 * eta·(u_i·vᵀ), and each y is a chain in the order of the list, but for its last `apart` entries, which are a chain
 * from 0 that is added; or y is a number that is the total of sums, if by_sums. */
typedef struct ger_gemv {
  real *m;
  size_t ld;
  int cols, n, apart;
  bool by_sums;
  const int32_t *list;
  const real *u, *v, *w, *start;
  real beta, *y, eta;
} ger_gemv;

/* Constants of ger_gemv_columns: k vecs of columns; `ways` rows at a time, each with its own sum, because additions to
 * a single sum would wait for each other; whether the last vec is whole; whether M is updated; whether it is only
 * updated, with a beta of 1, and y is not computed. */
typedef struct column_shape {
  int k, ways;
  bool whole, learns, only;
} column_shape;

#ifdef NNB_EXACT
/* w - eta·(u·v + 0): the gradient of one row.  Its sign, if it is 0, shows only in a w of -0; so 0 may be added to the
 * product with eta instead, in the same step, unless eta is 0. */
INLINE vec descended(vec w, real eta, real u, vec v) { return w - mul_add(fill(eta), u * v, ZERO); }
#endif

INLINE vec column_vec(const real *p, int j, int part, const column_shape s) {
  return s.whole || j < s.k - 1 ? load(p + j * LANES) : load_part(p + j * LANES, part);
}
INLINE void ger_gemv_row(const ger_gemv *p, int r, int part, const vec *v, vec *sum, const column_shape s) {
  const int i = p->list[r];
  const real w = s.only ? 0 : p->w[i], u = s.learns ? p->u[i] : 0;
  real *m = p->m + (size_t)i * p->ld;
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) {
    vec row = column_vec(m, j, part, s);
#ifdef NNB_EXACT
    if (s.learns) row = descended(s.only ? row : p->beta * row, p->eta, u, v[j]), store(m + j * LANES, row);
#else
    if (s.learns) row = p->beta * row + u * v[j], store(m + j * LANES, row);
#endif
    if (!s.only) sum[j] = mul_add(fill(w), row, sum[j]);
  }
}
/* The first k vecs of columns; the last one has `part` lanes. */
INLINE void ger_gemv_columns(const ger_gemv *from, int part, const column_shape s) {
  const ger_gemv p = *from; /* a copy, so that stores to M cannot change it */
  vec v[MOST], sum[4][MOST];
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) {
    v[j] = s.learns ? load(p.v + j * LANES) : ZERO;
    sum[0][j] = p.start ? column_vec(p.start, j, part, s) : ZERO;
    sum[1][j] = sum[2][j] = sum[3][j] = ZERO;
  }
  int r = 0;
#ifdef NNB_EXACT
  if (s.k == 1 && p.by_sums) {
    vec each[4] = {ZERO};
    for (; r < p.n; r++) ger_gemv_row(&p, r, part, v, &each[p.list[r] % 4], s);
    sum[1][0] = (each[0] + each[2]) + (each[1] + each[3]);
  }
  for (; r < p.n - p.apart; r++) ger_gemv_row(&p, r, part, v, sum[0], s);
  for (; r < p.n; r++) ger_gemv_row(&p, r, part, v, sum[1], s);
#endif
  for (; r + s.ways <= p.n; r += s.ways)
#pragma GCC unroll 8
    for (int h = 0; h < s.ways; h++) ger_gemv_row(&p, r + h, part, v, sum[h], s);
  for (; r < p.n; r++) ger_gemv_row(&p, r, part, v, sum[0], s);
  if (s.only) return;
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) store(p.y + j * LANES, (sum[0][j] + sum[1][j]) + (sum[2][j] + sum[3][j]));
}

/* One instance for each number of vecs. */
INLINE void ger_gemv_by_count(const ger_gemv *p, int k, int part, const bool whole, const bool learns,
                              const bool only) {
#ifdef NNB_EXACT
#define AT_A_TIME(ways) 1
#else
#define AT_A_TIME(ways) ways
#endif
#define CASE(count, ways)                                                                   \
  case count:                                                                               \
    ger_gemv_columns(p, part, (column_shape){count, AT_A_TIME(ways), whole, learns, only}); \
    break
  switch (k) {
    CASE(1, 4);
    CASE(2, 4 * MOST / 8);
    CASE(3, 2 * MOST / 8);
    CASE(4, 2 * MOST / 8);
#ifdef VEC_AVX512
    CASE(5, 1);
    CASE(6, 1);
    CASE(7, 1);
    CASE(8, 1);
#endif
  }
#undef CASE
}
static void read_columns(const ger_gemv *p, int k) { ger_gemv_by_count(p, k, LANES, true, false, false); }

/* ---- inputs that are not 0 --------------------------------------------------------------------------------------- */

#ifdef VEC_AVX512
#ifdef NNB_SINGLE
INLINE mask nonzero(vec x) { return _mm512_cmp_ps_mask(x, ZERO, _CMP_NEQ_UQ); }
INLINE void put_numbers(int32_t *list, int from, mask m) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  _mm512_storeu_si512(list, _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lanes, _mm512_set1_epi32(from))));
}
#else
INLINE mask nonzero(vec x) { return _mm512_cmp_pd_mask(x, ZERO, _CMP_NEQ_UQ); }
INLINE void put_numbers(int32_t *list, int from, mask m) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i numbers = _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lanes, _mm512_set1_epi32(from)));
  _mm256_storeu_si256((__m256i_u *)list, _mm512_castsi512_si256(numbers));
}
#endif
INLINE int append(int32_t *list, int n, int from, mask m) {
  put_numbers(list + n, from, m);
  return n + __builtin_popcount(m);
}
#else
INLINE mask nonzero(vec x) { return (mask)(x != ZERO); }
INLINE int append(int32_t *list, int n, int from, mask m) {
  for (int k = 0; k < LANES; k++) list[n] = from + k, n += (int)(m[k] & 1);
  return n;
}
#endif

INLINE vec vec_at(const real *x, int j, int n) { return n - j < LANES ? load_part(x + j, n - j) : load(x + j); }

/* list ← the indices of the elements that are not 0; returns their number.  Up to LANES more entries are written. */
static int list_nonzero(int n, const real *x, int32_t *list) {
  int listed = 0;
  for (int j = 0; j < n; j += LANES) listed = append(list, listed, j, nonzero(vec_at(x, j, n)));
  return listed;
}

#ifdef NNB_EXACT
/* How many of the n listed inputs of a link are in its second chain */
static int apart_of(int n_in, const int32_t *list, int n) {
  const int second = nnb__second_chain(n_in);
  int apart = 0;
  while (apart < n && list[n - 1 - apart] >= second) apart++;
  return apart;
}
#endif
#ifndef NNB_EXACT
/* x·y */
static real dot(int n, const real *x, const real *y) { return row_dot(n, x, y)[0]; }
#endif

#endif
