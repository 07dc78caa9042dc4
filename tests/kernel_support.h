/* tests/kernel_support.h: for the tests of vector functions, which compare every level with long double. */
#ifndef TEST_KERNEL_SUPPORT_H
#define TEST_KERNEL_SUPPORT_H

#include "kernels.h"
#include "support.h"
#include "view.h"

/* Check writes to a file for each assertion, even if it holds: too slow for millions. */
#define expect(condition, ...)                   \
  do {                                           \
    if (!(condition)) ck_abort_msg(__VA_ARGS__); \
  } while (0)

/* All comparisons are in long double, on purpose. */
#pragma GCC diagnostic ignored "-Wdouble-promotion"

#define N_OF_TABLE(t) ((int)(sizeof(t) / sizeof *(t)))

static inline int n_levels(void) {
  int n = 0;
  while (nnb__kernel_level(n)) n++;
  return n;
}

/* Whether only layerwise runs nets with this activation or loss (activations.def, losses.def). */
static inline bool activation_is_layerwise(nnb_activation act) {
  (void)act;
#define LAYERWISE(NAME, name) \
  if (act == NAME) return true;
#include "activations.def"
  return false;
}
static inline bool loss_is_layerwise(nnb_loss loss) {
  (void)loss;
#define LAYERWISE(NAME, name, f) \
  if (loss == NAME) return true;
#include "losses.def"
  return false;
}

/* The distance of two numbers in units of the last place of want; 0 for two NaNs or equal infinities. */
static inline double ulps(real got, long double want) {
  if (isnan(want)) return isnan(got) ? 0 : (double)INFINITY;
  real rounded = (real)want;
  if (isinf(rounded) || isinf(got)) return got == rounded ? 0 : (double)INFINITY;
  if (isnan(got)) return (double)INFINITY;
  int exponent;
  frexpl(want, &exponent);
#ifdef NNB_SINGLE
  int last = exponent - FLT_MANT_DIG, least = FLT_MIN_EXP - FLT_MANT_DIG;
#else
  int last = exponent - DBL_MANT_DIG, least = DBL_MIN_EXP - DBL_MANT_DIG;
#endif
  return (double)(fabsl((long double)got - want) / ldexpl(1, last > least && want != 0 ? last : least));
}

/* Compares bits, so that -0 is not 0. */
static inline bool same_bits(real a, real b) {
  union {
    real x;
    unsigned char c[sizeof(real)];
  } u = {a}, v = {b};
  for (size_t k = 0; k < sizeof(real); k++) {
    if (u.c[k] != v.c[k]) return false;
  }
  return true;
}

/* A dense grid over lo … hi, then every power of two of either sign within it (denormal ones, too). */
enum { DENSE = 40000 };
static inline int make_grid(real lo, real hi, real *x) {
  int n = 0;
  for (int k = 0; k <= DENSE; k++) x[n++] = lo + (hi - lo) * ((real)k / DENSE);
  for (real p = REAL_MAX / 2; p > 0; p /= 2) {
    real q = p * (real)1.2345;
    real all[] = {p, -p, q, -q};
    for (int k = 0; k < 4; k++) {
      if (lo <= all[k] && all[k] <= hi) x[n++] = all[k];
    }
  }
  return n;
}
enum { GRID = DENSE + 10000 };

/* Reproducible numbers in -1 … 1. */
static inline real noise(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (real)((double)(*state >> 40) / (double)(1 << 23) - 1);
}

#endif
