/* num/simd/vec.h: vectors of reals in GCC's vector extensions, as wide as the target level (-march) allows, and loops
 * over views with them.  Intrinsics are used only where the extensions are not enough: selection by lane, parts of a
 * vector, scaling by powers of two. */
#ifndef NNB__VEC_H
#define NNB__VEC_H

#include <string.h>

#include "view.h"

#if defined __AVX512F__ && defined __AVX512DQ__
#define VEC_AVX512 1
#define VEC_BYTES  64
#elif defined __AVX2__
#define VEC_AVX2  1
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif

#if defined VEC_AVX512 || defined VEC_AVX2
#include <immintrin.h>
#endif

/* A vec has LANES reals.  Their lowest MANTISSA bits are the mantissa, and BIAS is added to the exponent.  X512(max) is
 * the name of the intrinsic for the larger of two vecs. */
#ifdef NNB_SINGLE
typedef uint32_t word;
#define LANES    (VEC_BYTES / 4)
#define MANTISSA 23
#define BIAS     127
#define X512(op) _mm512_##op##_ps
#define X256(op) _mm256_##op##_ps
#else
typedef uint64_t word;
#define LANES    (VEC_BYTES / 8)
#define MANTISSA 52
#define BIAS     1023
#define X512(op) _mm512_##op##_pd
#define X256(op) _mm256_##op##_pd
#endif

/* The loops below call functions of a vec, which must be inlined into the loop. */
#define INLINE static inline __attribute__((always_inline, unused))

/* Before a loop over an array of vecs, to keep these in registers: the loop is unrolled before other optimisations. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 24")
#endif

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef real vec_in_memory __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real)), may_alias));
typedef word bits __attribute__((vector_size(VEC_BYTES)));
typedef double dvec __attribute__((vector_size(VEC_BYTES)));

typedef real quad __attribute__((vector_size(4 * sizeof(real))));
typedef real quad_in_memory __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
#if LANES >= 4 || defined NNB_EXACT /* a vector wider than registers is not returned */
INLINE quad load_quad(const real *p) { return *(const quad_in_memory *)p; }
#endif

INLINE vec fill(real x) { return x - (vec){0}; } /* x + 0 would lose the sign of -0 */
INLINE vec load(const real *p) { return *(const vec_in_memory *)p; }
INLINE void store(real *p, vec v) { *(vec_in_memory *)p = v; }

/* a·b + c.  In the defined arithmetic (NNB_EXACT; docs/arithmetic.md) it is rounded once at every level; elsewhere the
 * compiler decides. */
INLINE vec mul_add(vec a, vec b, vec c) {
#ifndef NNB_EXACT
  return a * b + c;
#elif defined VEC_AVX512
  return X512(fmadd)(a, b, c);
#elif defined VEC_AVX2
  return X256(fmadd)(a, b, c);
#else
  for (int k = 0; k < LANES; k++) c[k] = R(fma)(a[k], b[k], c[k]);
  return c;
#endif
}

INLINE bits lane_numbers(void) {
  bits n = {0};
  for (word k = 0; k < LANES; k++) n[k] = k;
  return n;
}

/* ---- selection by lane: comparisons with NaN are false ----------------------------------------------------------- */

#ifdef VEC_AVX512
#ifdef NNB_SINGLE
typedef __mmask16 mask;
INLINE mask less(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE mask is_nan(vec a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
INLINE mask not_zero(vec a) { return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ); }
#else
typedef __mmask8 mask;
INLINE mask less(vec a, vec b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
INLINE mask is_nan(vec a) { return _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q); }
INLINE mask not_zero(vec a) { return _mm512_cmp_pd_mask(a, _mm512_setzero_pd(), _CMP_NEQ_UQ); }
#endif
INLINE mask first(int n) { return (mask)((1u << n) - 1); }                    /* lanes 0 … n-1, n ≤ LANES */
INLINE mask lane(int k) { return (mask)(0 <= k && k < LANES ? 1u << k : 0); } /* lane k, if there is one */
INLINE vec pick(mask m, vec yes, vec no) { return X512(mask_blend)(m, no, yes); }
#else
typedef bits mask;
INLINE mask less(vec a, vec b) { return (mask)(a < b); }
INLINE mask is_nan(vec a) { return (mask)(a != a); }
INLINE mask first(int n) { return (mask)(lane_numbers() < (bits){0} + (word)n); }
INLINE mask lane(int k) { return (mask)(lane_numbers() == (bits){0} + (word)k); }
INLINE vec pick(mask m, vec yes, vec no) { return (vec)((m & (bits)yes) | (~m & (bits)no)); }
#endif

/* x limited on one side; NaN stays NaN. */
INLINE vec at_least(vec x, real bound) {
#if defined VEC_AVX512
  return X512(max)(fill(bound), x); /* gives its second argument where one is NaN */
#elif defined VEC_AVX2
  return X256(max)(fill(bound), x);
#else
  return pick(less(x, fill(bound)), fill(bound), x);
#endif
}
INLINE vec at_most(vec x, real bound) {
#if defined VEC_AVX512
  return X512(min)(fill(bound), x);
#elif defined VEC_AVX2
  return X256(min)(fill(bound), x);
#else
  return pick(less(fill(bound), x), fill(bound), x);
#endif
}
/* The larger; m where x is NaN. */
INLINE vec larger(vec m, vec x) {
#if defined VEC_AVX512
  return X512(max)(x, m);
#elif defined VEC_AVX2
  return X256(max)(x, m);
#else
  return pick(less(m, x), x, m);
#endif
}

/* a/b.  `half`: only the lower half of the lanes matters; AVX-512 divides 64 bytes as two halves, one after the
 * other. */
INLINE vec divide(vec a, vec b, bool half) {
#if defined VEC_AVX512 && defined NNB_SINGLE
  if (half) return _mm512_zextps256_ps512(_mm512_castps512_ps256(a) / _mm512_castps512_ps256(b));
#elif defined VEC_AVX512
  if (half) return _mm512_zextpd256_pd512(_mm512_castpd512_pd256(a) / _mm512_castpd512_pd256(b));
#endif
  (void)half;
  return a / b;
}

INLINE vec root(vec x) {
#if defined VEC_AVX512
  return X512(sqrt)(x);
#elif defined VEC_AVX2
  return X256(sqrt)(x);
#else
  for (int k = 0; k < LANES; k++) x[k] = R(sqrt)(x[k]);
  return x;
#endif
}

/* The first n lanes from memory, the others 0; n ≤ LANES.  Memory beyond them is not read. */
INLINE vec load_part(const real *p, int n) {
#if defined VEC_AVX512
  return X512(maskz_loadu)(first(n), p);
#elif defined VEC_AVX2
  return X256(maskload)(p, (__m256i)first(n));
#else
  vec v = {0};
  for (int k = 0; k < n; k++) v[k] = p[k];
  return v;
#endif
}
/* ---- sign and exponent ----------------------------------------------------------------------------------------- */

#define SIGN_BIT ((word)1 << (8 * sizeof(real) - 1))

INLINE vec magnitude(vec x) { return (vec)((bits)x & ~SIGN_BIT); }
INLINE vec minus_magnitude(vec x) { return (vec)((bits)x | SIGN_BIT); }
INLINE vec with_sign_of(vec magnitude_, vec x) { return (vec)((bits)magnitude_ | ((bits)x & SIGN_BIT)); }

/* Adding 1½·2^MANTISSA leaves no bits for a fraction: the sum is rounded, and its lowest bits are the integer. */
#define ROUNDER ((real)1.5 * (real)((uint64_t)1 << MANTISSA))
INLINE vec nearest(vec x) { return x + ROUNDER - ROUNDER; }
/* 2^n for integers n in -BIAS+1 … BIAS. */
INLINE vec pow2(vec n) { return (vec)((bits)(n + (ROUNDER + BIAS)) << MANTISSA); }

/* x·2^n, rounded once, for every n that takes a number near 1 to 0 or infinity. */
INLINE vec scale2(vec x, vec n) {
#ifdef VEC_AVX512
  return X512(scalef)(x, n);
#else
  vec half = nearest(n * (real)0.5);
  return x * pow2(half) * pow2(n - half);
#endif
}

/* ---- across lanes ---------------------------------------------------------------------------------------------- */

/* f(0, k), f(1, k), … for every lane */
#if LANES == 16
#define LANES_OF(f, k)                                                                                          \
  f(0, k), f(1, k), f(2, k), f(3, k), f(4, k), f(5, k), f(6, k), f(7, k), f(8, k), f(9, k), f(10, k), f(11, k), \
      f(12, k), f(13, k), f(14, k), f(15, k)
#elif LANES == 8
#define LANES_OF(f, k) f(0, k), f(1, k), f(2, k), f(3, k), f(4, k), f(5, k), f(6, k), f(7, k)
#elif LANES == 4
#define LANES_OF(f, k) f(0, k), f(1, k), f(2, k), f(3, k)
#else
#define LANES_OF(f, k) f(0, k), f(1, k)
#endif

/* SHUFFLE: lane i of the result is lane from(i, k) of the 2·LANES lanes of a and b.  JOIN_4, JOIN_8: the concatenation
 * of a and b, which have 4 or 8 lanes each, as a type of twice as many.  gcc has __builtin_shufflevector from version
 * 12 on. */
#if defined __clang__ || __GNUC__ >= 12
#define SHUFFLE(a, b, from, k) __builtin_shufflevector(a, b, LANES_OF(from, k))
#define JOIN_4(type, a, b)     __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7)
#define JOIN_8(type, a, b)     __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#else
#define SHUFFLE(a, b, from, k) __builtin_shuffle(a, b, (bits){LANES_OF(from, k)})
#define JOIN_4(type, a, b)     ((type){a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]})
#define JOIN_8(type, a, b) \
  ((type){a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]})
#endif
#define OTHER(i, k)    ((i) ^ (k))
#define EXCHANGE(v, k) SHUFFLE(v, v, OTHER, k)

/* Divides a and b into parts of k lanes, and returns the even parts of both, each in the place of its pair, or the odd
 * ones: for k = 1 a0 b0 a2 b2 … or a1 b1 a3 b3 … k is a power of two below LANES and a constant after inlining. */
#define LOW(i, k)  ((i) & (k) ? LANES + ((i) ^ (k)) : (i))
#define HIGH(i, k) ((i) & (k) ? LANES + (i) : (i) ^ (k))
INLINE vec low_parts(vec a, vec b, int k) {
  (void)k;
#if LANES > 8
  if (k == 8) return SHUFFLE(a, b, LOW, 8);
#endif
#if LANES > 4
  if (k == 4) return SHUFFLE(a, b, LOW, 4);
#endif
#if LANES > 2
  if (k == 2) return SHUFFLE(a, b, LOW, 2);
#endif
  return SHUFFLE(a, b, LOW, 1);
}
INLINE vec high_parts(vec a, vec b, int k) {
  (void)k;
#if LANES > 8
  if (k == 8) return SHUFFLE(a, b, HIGH, 8);
#endif
#if LANES > 4
  if (k == 4) return SHUFFLE(a, b, HIGH, 4);
#endif
#if LANES > 2
  if (k == 2) return SHUFFLE(a, b, HIGH, 2);
#endif
  return SHUFFLE(a, b, HIGH, 1);
}

/* Transposes LANES rows of LANES numbers in registers: half rows are exchanged, then quarters, … */
INLINE void transpose(vec *v) {
  for (int d = LANES / 2; d > 0; d /= 2)
    for (int i = 0; i < LANES; i++) {
      if (i & d) continue;
      vec x = v[i], y = v[i + d];
      v[i] = low_parts(x, y, d), v[i + d] = high_parts(x, y, d);
    }
}

/* The sum or the largest of all lanes, in every lane. */
INLINE vec sum_lanes(vec v) {
#if LANES > 8
  v += EXCHANGE(v, 8);
#endif
#if LANES > 4
  v += EXCHANGE(v, 4);
#endif
#if LANES > 2
  v += EXCHANGE(v, 2);
#endif
  return v + EXCHANGE(v, 1);
}
INLINE vec max_lanes(vec v) {
#if LANES > 8
  v = larger(v, EXCHANGE(v, 8));
#endif
#if LANES > 4
  v = larger(v, EXCHANGE(v, 4));
#endif
#if LANES > 2
  v = larger(v, EXCHANGE(v, 2));
#endif
  return larger(v, EXCHANGE(v, 1));
}

#ifdef NNB_EXACT
/* Lane i of the result is lane i + k of v, in the first n lanes, n + k ≤ LANES. */
INLINE vec shift_lanes(vec v, int k, int n) {
#if defined VEC_AVX512
  return X512(maskz_compress)((mask)(first(n) << k), v);
#else
  real lane[2 * LANES] = {0};
  memcpy(lane, &v, sizeof v);
  return load_part(lane + k, n);
#endif
}
#endif

/* Stores the first n lanes in pieces of 8, 4, 2 and 1, not by a masked store: the load of the next row would wait for
 * an overlapping masked store, even in lanes that it does not write (10 ns a row). */
INLINE void store_part(real *p, int n, vec v) {
  if (n == LANES) {
    store(p, v);
    return;
  }
#if LANES > 8
  if (n & 8) memcpy(p, &v, 8 * sizeof *p), p += 8, v = EXCHANGE(v, 8);
#endif
#if LANES > 4
  if (n & 4) memcpy(p, &v, 4 * sizeof *p), p += 4, v = EXCHANGE(v, 4);
#endif
#if LANES > 2
  if (n & 2) memcpy(p, &v, 2 * sizeof *p), p += 2, v = EXCHANGE(v, 2);
#endif
  if (n & 1) *p = v[0];
}

/* The same by a masked store, for rows that are not read soon. */
INLINE void store_masked(real *p, int n, vec v) {
#if defined VEC_AVX512
  X512(mask_storeu)(p, first(n), v);
#elif defined VEC_AVX2
  X256(maskstore)(p, (__m256i)first(n), v);
#else
  store_part(p, n, v);
#endif
}

/* A vec, or the n lanes that are left at the end. */
INLINE vec load_up_to(const real *p, int n) { return n == LANES ? load(p) : load_part(p, n); }
INLINE void store_up_to(real *p, int n, vec v) {
  if (n == LANES)
    store(p, v);
  else
    store_part(p, n, v);
}

/* Part k of a vec in double: a dvec has LANES/DVECS lanes.  gcc makes a conversion to 64 bytes of two. */
enum { DVECS = sizeof(double) / sizeof(real) };
INLINE dvec double_part(vec v, int k) {
#ifdef NNB_SINGLE
  typedef float half __attribute__((vector_size(VEC_BYTES / 2)));
  union {
    vec all;
    half part[DVECS];
  } u = {v};
#if defined VEC_AVX512
  return _mm512_cvtps_pd(u.part[k]);
#elif defined VEC_AVX2
  return _mm256_cvtps_pd(u.part[k]);
#else
  return __builtin_convertvector(u.part[k], dvec);
#endif
#else
  return (void)k, v;
#endif
}
/* For sums in double: lanes are added in pairs if a real is shorter. */
INLINE dvec widen(vec v) { return DVECS == 1 ? double_part(v, 0) : double_part(v, 0) + double_part(v, 1); }
INLINE double sum_wide(dvec v) {
  double sum = 0;
  for (size_t k = 0; k < VEC_BYTES / sizeof(double); k++) sum += v[k];
  return sum;
}

#ifdef NNB_EXACT
/* Sums over a row are one chain in ascending order, whatever the width of a vector is: sum ← sum + the first n lanes.
 */
INLINE real add_in_order(real sum, vec v, int n) {
  real lane[LANES];
  store(lane, v);
  for (int k = 0; k < n; k++) sum += lane[k];
  return sum;
}

/* The first n of four numbers, the others 0; memory beyond them is not read. */
INLINE quad load_quad_part(const real *p, int n) {
#if defined VEC_AVX512 || defined VEC_AVX2
  typedef word quad_bits __attribute__((vector_size(4 * sizeof(word))));
  const quad_bits loaded = (quad_bits)((quad_bits){0, 1, 2, 3} < (quad_bits){0} + (word)n);
#ifdef NNB_SINGLE
  return _mm_maskload_ps(p, (__m128i)loaded);
#else
  return _mm256_maskload_pd(p, (__m256i)loaded);
#endif
#else
  quad q = {0};
  for (int k = 0; k < n; k++) q[k] = p[k];
  return q;
#endif
}
INLINE quad quad_mul_add(quad a, quad b, quad c) {
#if (defined VEC_AVX512 || defined VEC_AVX2) && defined NNB_SINGLE
  return _mm_fmadd_ps(a, b, c);
#elif defined VEC_AVX512 || defined VEC_AVX2
  return _mm256_fmadd_pd(a, b, c);
#else
  for (int k = 0; k < 4; k++) c[k] = R(fma)(a[k], b[k], c[k]);
  return c;
#endif
}
/* Lanes k to k + 3 of a vec */
INLINE quad quad_of(vec v, int k) {
#if LANES > 4
  union {
    vec all;
    quad part[LANES / 4];
  } u = {v};
  return u.part[k / 4];
#elif LANES == 4
  return (void)k, v;
#else /* not used */
  return (void)k, (quad){v[0], v[1]};
#endif
}
/* x·y by four sums, number i in sum i mod 4 */
INLINE real total_of(quad s) { return (s[0] + s[2]) + (s[1] + s[3]); }
INLINE real sums_dot(int n, const real *x, const real *y) {
  quad sum = {0};
  int j = 0;
  for (; j + 4 <= n; j += 4) sum = quad_mul_add(load_quad(x + j), load_quad(y + j), sum);
  if (j < n) sum = quad_mul_add(load_quad_part(x + j, n - j), load_quad_part(y + j, n - j), sum);
  return total_of(sum);
}

/* x·y, in every lane */
INLINE vec row_dot(int n, const real *x, const real *y) {
  real sum = 0;
  for (int j = 0; j < n; j++) sum = R(fma)(x[j], y[j], sum);
  return fill(sum);
}
#else
/* x·y, in every lane */
INLINE vec row_dot(int n, const real *x, const real *y) {
  vec sum = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES) sum += load(x + j) * load(y + j);
  if (j < n) sum += load_part(x + j, n - j) * load_part(y + j, n - j);
  return sum_lanes(sum);
}
#endif

/* ---- loops over rows ------------------------------------------------------------------------------------------- */

typedef vec vec_fn(vec x);
typedef vec vec_fn2(vec x, vec y);

/* y ← f(x); y may be x. */
INLINE void map_row(size_t n, const real *x, real *y, vec_fn f) {
  size_t j = 0;
  for (; j + LANES <= n; j += LANES) store(y + j, f(load(x + j)));
  if (j < n) store_part(y + j, (int)(n - j), f(load_part(x + j, (int)(n - j))));
}
/* y ← f(x, y) */
INLINE void map2_row(size_t n, const real *x, real *y, vec_fn2 f) {
  size_t j = 0;
  for (; j + LANES <= n; j += LANES) store(y + j, f(load(x + j), load(y + j)));
  if (j < n) store_part(y + j, (int)(n - j), f(load_part(x + j, (int)(n - j)), load_part(y + j, (int)(n - j))));
}

/* Whether the rows are contiguous, so that they can be treated as one long row. */
INLINE bool is_flat(nnb_cmat m) { return m.ld == m.cols; }
INLINE size_t count(nnb_cmat m) { return (size_t)m.rows * (size_t)m.cols; }

INLINE void map(nnb_cmat x, nnb_mat y, vec_fn f) {
  if (is_flat(x) && is_flat(nnb__read(y))) {
    map_row(count(x), x.p, y.p, f);
  } else {
    for (int i = 0; i < x.rows; i++) map_row((size_t)x.cols, nnb__crow(x, i), nnb__row(y, i), f);
  }
}
INLINE void map2(nnb_cmat x, nnb_mat y, vec_fn2 f) {
  if (is_flat(x) && is_flat(nnb__read(y))) {
    map2_row(count(x), x.p, y.p, f);
  } else {
    for (int i = 0; i < x.rows; i++) map2_row((size_t)x.cols, nnb__crow(x, i), nnb__row(y, i), f);
  }
}

#endif
