/* num/simd/vecmath.h: exp and related functions for a vec.  NaN gives NaN; infinities, overflow and underflow give the
 * same as libm.  Errors against long double (test_act.c, test_kernels.c): exp and tanh within 2 ulp, gelu within 6, the
 * others within 4.  Products with a result below REAL_MIN (silu and gelu for large negative x) are correct to some
 * denormal steps only.  The coefficients are from tools/vec_coefficients.py. */
#ifndef NNB__VECMATH_H
#define NNB__VECMATH_H

#include "tanh_table.h"
#include "vec.h"

/* ln 2 in two parts, the first so short that n·LN2_HIGH is exact for every exponent n.  e^EXP_LOW is 0, e^EXP_HIGH is
 * infinite.  TAIL_END: beyond it the normal distribution is below the smallest number. */
#ifdef NNB_SINGLE
#define LN2_HIGH    0.693115234375f
#define LN2_LOW     3.19461849453094e-5f
#define EXP_LOW     (-104.f)
#define EXP_HIGH    89.f
#define TANH_END    10.f
#define SIGMOID_END 60.f
#define TAIL_END    15.f
#define TAIL_K      4.f
#define HALF_BITS   12
/* Coefficients of (e^r - 1 - r)/r² in r, (2 atanh(s)/s - 2)/s² in s², Φ(-u)·e^(u²/2)/v in t (see normal_at); lowest
 * power first. */
static const real exp_tail[] = {0.5f, 0.166665769896987757f, 0.0416665546172045742f, 0.00836317905272257737f,
                                0.00139261835877134945f};
static const real atanh_tail[] = {0.666666673205274125f, 0.399997063319297174f, 0.285923579943028377f,
                                  0.217065758008803726f, 0.232243292240233488f};
static const real normal_tail[] = {0.188821284649048234f,     -0.151974148536270435f,   0.0967841707676013551f,
                                   -0.0466308266894419556f,   0.0151015463775729488f,   -0.00188135060455213617f,
                                   -0.000880243205996593517f, 0.000391720421945226186f, 0.0000472491298550659932f,
                                   -0.0000313895964005640242f};
#else
#define LN2_HIGH    0.693147180559662956512
#define LN2_LOW     2.82352905630315771226e-13
#define EXP_LOW     (-746.)
#define EXP_HIGH    710.
#define TANH_END    22.
#define SIGMOID_END 60.
#define TAIL_END    39.
#define TAIL_K      5.
#define HALF_BITS   27
static const real exp_tail[] = {0.500000000000000102211,     0.166666666666666674527,      0.041666666666624127873,
                                0.00833333333333006183252,   0.00138888889172137169014,    0.000198412698630536168779,
                                0.0000248015212959543751312, 0.00000275572684599970647717, 2.7620088445409748161e-7,
                                2.51003854955103190776e-8};
static const real atanh_tail[] = {0.66666666666666666886,   0.399999999999995225053, 0.285714285716000992922,
                                  0.22222222198236770557,   0.181818198979627143826, 0.153845439648605492869,
                                  0.133351786314492558366,  0.1173427906130319746,   0.10845178394880014822,
                                  0.0749214379555076730083, 0.156305778009228504463};
static const real normal_tail[] = {
    0.153838609950012591712,      -0.133076500578011340078,     0.0990611231939952826535,
    -0.062706631334260908939,     0.0330040732340769435832,     -0.013823727741262032715,
    0.0041590133599766359278,     -0.000598675354101708487739,  -0.000159573879693214021087,
    0.00010897981295462597877,    -0.0000118751456019831727355, -0.00000995256285411716103395,
    0.00000333624274840841229053, 7.96180431573608223872e-7,    -5.53853419199486049085e-7,
    -6.7323073620249423443e-8,    8.66282071372516990708e-8,    8.45499874801306967671e-9,
    -1.31884433249544460858e-8,   -1.86271219886521182869e-9,   1.53261436015200820915e-9,
    3.50609680281646396104e-10,   -3.17549376549467307567e-11};
#endif
#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* Σ c_k·x^k */
INLINE vec polynomial(vec x, const real *c, int n) {
  vec y = fill(c[n - 1]);
  for (int k = n - 2; k >= 0; k--) y = mul_add(y, x, fill(c[k]));
  return y;
}

/* x = n·ln 2 + (r - low), n an integer, |r| ≤ ½ ln 2 about. */
typedef struct reduced {
  vec n, r, low;
} reduced;
INLINE reduced reduce(vec x) {
  vec n = mul_add(x, fill((real)1.44269504088896340736), fill(ROUNDER)) - ROUNDER;
  return (reduced){n, mul_add(n, fill(-LN2_HIGH), x), n * LN2_LOW}; /* the first product is exact */
}

/* e^r - 1: r + r²·q(r), and q in pairs of coefficients: half as many dependent steps */
INLINE vec expm1_pairs(vec r) {
  const real *c = exp_tail;
  const vec r2 = r * r;
  const vec first = mul_add(r, fill(c[1]), fill(c[0])), second = mul_add(r, fill(c[3]), fill(c[2]));
#ifdef NNB_SINGLE
  return mul_add(r2, mul_add(r2, mul_add(r2, fill(c[4]), second), first), r);
#else
  const vec third = mul_add(r, fill(c[5]), fill(c[4])), fourth = mul_add(r, fill(c[7]), fill(c[6])), r4 = r2 * r2;
  const vec low = mul_add(r2, second, first), high = mul_add(r2, fourth, third);
  const vec end = mul_add(r, fill(c[9]), fill(c[8]));
  return mul_add(r2, mul_add(r4, mul_add(r4, end, high), low), r);
#endif
}

/* e^(n·ln 2 + r) */
INLINE vec exp_of(vec n, vec r) { return scale2(expm1_pairs(r) + (real)1, n); }
/* e^(x + low) for x ≤ EXP_HIGH and low much smaller than x */
INLINE vec exp_sum(vec x, vec low) {
  reduced t = reduce(at_least(x, EXP_LOW));
  return exp_of(t.n, t.r - (t.low - low));
}
/* e^x for x ≤ 0 */
INLINE vec exp_down(vec x) {
  reduced t = reduce(at_least(x, EXP_LOW));
  return exp_of(t.n, mul_add(t.n, fill(-LN2_LOW), t.r));
}
INLINE vec exp_any(vec x) { return exp_down(at_most(x, EXP_HIGH)); }

/* e^x - 1 for |x| ≤ 2·TANH_END: (2^n - 1) + 2^n·(r + tail).  No digits are lost, because the first sum is exact if its
 * terms are of similar size. */
typedef struct expm1_parts {
  vec value, tail;
} expm1_parts;
INLINE expm1_parts expm1_near(vec x) {
  reduced t = reduce(x);
  vec s = pow2(t.n), r = mul_add(t.n, fill(-LN2_LOW), t.r);
  vec tail = mul_add(r * r, polynomial(r, exp_tail, N_OF(exp_tail)), -t.low);
  return (expm1_parts){mul_add(s, tail, mul_add(s, t.r, s - (real)1)), tail};
}
/* e^x - 1 for x ≤ 0 */
INLINE vec expm1_down(vec x) { return expm1_near(at_least(x, -2 * TANH_END)).value; }

#if (defined VEC_AVX512 || defined NNB_EXACT) && defined NNB_SINGLE
/* Element k mod 16 of a row of the table, for each lane. */
INLINE vec look_up(bits k, const float *row) {
#if defined VEC_AVX512
  return _mm512_permutexvar_ps((__m512i)k, load(row));
#elif defined VEC_AVX2
  const vec low = _mm256_permutevar8x32_ps(load(row), (__m256i)k),
            high = _mm256_permutevar8x32_ps(load(row + 8), (__m256i)k);
  return _mm256_blendv_ps(low, high, (vec)(k << 28));
#else
  vec y;
  for (int i = 0; i < LANES; i++) y[i] = row[k[i] & 15];
  return y;
#endif
}

/* Uses the table: no division, which would limit the loop below, and half as many dependent steps.  The last sum is
 * rounded once; earlier rounding errors are small compared with it. */
INLINE vec tanh_any(vec x) {
  const vec u = at_most(magnitude(x), TANH_TABLE_END);
  const bits k = (bits)mul_add(u, fill(TANH_TABLE_STEP), fill(1)) >> TANH_TABLE_SHIFT;
  const vec t = u - look_up(k, tanh_table[0]);
  vec y = look_up(k, tanh_table[6]);
  UNROLL for (int j = 5; j > 0; j--) y = mul_add(y, t, look_up(k, tanh_table[j]));
  return with_sign_of(y, x);
}
#else
/* tanh x = e/(e+2), e = e^2x - 1, for x ≥ 0.  If n is 0, e = 2x + tail, and x + (½tail - ½e·e/(e+2)) is the same with
 * only one rounding error of its size. */
INLINE vec tanh_any(vec x) {
  vec u = at_most(magnitude(x), TANH_END);
  expm1_parts e = expm1_near(u + u);
  vec y = e.value / (e.value + (real)2);
  vec small = mul_add(fill((real)0.5), mul_add(-e.value, y, e.tail), u);
  return with_sign_of(pick(less(u, fill((real)0.17)), small, y), x);
}
#endif

/* 1/(1 + e^-x) = t/(t + 1 + e^r - 1), where e^x is t·e^-r with t = 2^n: no selection by sign, and e^r is the end of a
 * short chain of dependent steps.  `half`: see divide. */
INLINE vec sigmoid_part(vec x, bool half) {
  reduced m = reduce(at_least(at_most(x, SIGMOID_END), EXP_LOW));
  vec t = scale2(fill(1), m.n), r = mul_add(m.n, fill(LN2_LOW), -m.r);
  return divide(t, (t + (real)1) + expm1_pairs(r), half);
}
INLINE vec sigmoid_any(vec x) { return sigmoid_part(x, false); }

/* 2·atanh s = 2s + s³·p(s²) for |s| ≤ ⅓ */
INLINE vec twice_atanh(vec s) {
  vec w = s * s;
  return mul_add(s * w, polynomial(w, atanh_tail, N_OF(atanh_tail)), s + s);
}
/* log(1 + u) for 0 ≤ u ≤ 1 */
INLINE vec log1p_unit(vec u) { return twice_atanh(u / (u + (real)2)); }

/* log x for finite x ≥ REAL_MIN; NaN for NaN and infinity.  x = 2^k·m with m in [√½, √2). */
INLINE vec log_normal(vec x) {
  const word one = (word)BIAS << MANTISSA;
  const real two_mantissa = (real)((uint64_t)1 << MANTISSA);
  const vec root_half = fill((real)0.70710678118654752440);
  bits raised = (bits)x - (bits)root_half + one; /* its exponent is that of k, biased: never negative */
  bits exponent = raised >> MANTISSA;
  vec k = (vec)(exponent | (bits)fill(two_mantissa)) - (two_mantissa + BIAS);
  vec m = (vec)((bits)x - ((exponent << MANTISSA) - one));
  vec log_m = twice_atanh((m - (real)1) / (m + (real)1));
  return mul_add(k, fill(LN2_HIGH), mul_add(k, fill(LN2_LOW), log_m)) + (x - x);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
INLINE vec softplus_any(vec x) { return larger((vec){0}, x) + log1p_unit(exp_down(minus_magnitude(x))); }

/* The upper tail of the normal distribution at u ≥ 0 and e^(-u²/2): Φ(-u) = e^(-u²/2)·v·p(1-2v), v = k/(u+k).  The
 * factor after the exponential varies slowly, and v maps 0 … ∞ to one interval (as Shepherd and Laframboise 1981 do for
 * erfc).  u²/2 is computed in two parts, because the exponential amplifies its error. */
typedef struct normal {
  vec tail, exponential;
} normal;
INLINE normal normal_at(vec u) {
  vec high = (vec)((bits)u & ~(((word)1 << HALF_BITS) - 1));
  vec e = exp_sum((real)-0.5 * high * high, (real)-0.5 * (u - high) * (u + high));
  vec sum = u + TAIL_K, error = u - (sum - TAIL_K);
  vec v = TAIL_K / sum;
  v -= v * (v * error) * (1 / TAIL_K); /* Φ(-u) depends on v so much that the rounding of the sum would show */
  return (normal){e * (v * polynomial((real)1 - (real)2 * v, normal_tail, N_OF(normal_tail))), e};
}

#endif
