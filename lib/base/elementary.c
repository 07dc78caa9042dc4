/* base/elementary.c: see elementary.h.  exp, log, sin and cos reduce their argument and take the polynomials of fdlibm
 * (Sun Microsystems 1993).  This file must be compiled without contraction of a·b + c. */
#include "elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ln 2 and π/2 in parts; the first ones have 33 bits, so their products with small integers are exact */
static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
static const double log2_e = 1.44269504088896338700e+00;
static const double quarter_1 = 1.57079632673412561417e+00, quarter_2 = 6.07710050630396597660e-11,
                    quarter_3 = 2.02226624879595063154e-21, quarters = 6.36619772367581382433e-01;

/* c_0 + c_1·x + … */
static double polynomial(double x, const double *c, int n) {
  double y = c[n - 1];
  for (int k = n - 2; k >= 0; k--) y = y * x + c[k];
  return y;
}
#define POLYNOMIAL(x, c) polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

/* x = k·ln 2 + r with |r| ≤ ½ ln 2: e^r = 1 + r + r·c/(2 - c), where c = r - r²·p(r²) */
double nnb__exp(double x) {
  static const double p[] = {1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05,
                             -1.65339022054652515390e-06, 4.13813679705723846039e-08};
  if (!(fabs(x) < 746)) return x < 0 ? 0 : x > 0 ? (double)INFINITY : x;
  const double k = floor(x * log2_e + 0.5), high = x - k * ln2_high, low = k * ln2_low, r = high - low;
  const double square = r * r, c = r - square * POLYNOMIAL(square, p);
  return ldexp(1 - ((low - r * c / (2 - c)) - high), (int)k);
}

/* x = 2^k·(1 + f) with √½ ≤ 1 + f < √2; log(1 + f) = f - (½f² - s·(½f² + R)), s = f/(2 + f), R = s²·p(s²) */
double nnb__log(double x) {
  static const double p[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                             2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                             1.479819860511658591e-01};
  int k;
  if (!(x > 0) || isinf(x)) return x == 0 ? -(double)INFINITY : x < 0 ? (double)NAN : x;
  double m = frexp(x, &k);
  if (m < 0.70710678118654752440) m *= 2, k--;
  const double f = m - 1, s = f / (2 + f), square = s * s, half = 0.5 * f * f;
  const double rest = s * (half + square * POLYNOMIAL(square, p));
  return k * ln2_high - ((half - (rest + k * ln2_low)) - f);
}

/* cos and sin of x + low for |x| ≤ π/4 */
static double cos_near(double x, double low) {
  static const double p[] = {4.16666666666666019037e-02,  -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                             -2.75573143513906633035e-07, 2.08757232129817482790e-09,  -1.13596475577881948265e-11};
  const double square = x * x, half = 0.5 * square, w = 1 - half;
  return w + (((1 - w) - half) + (square * square * POLYNOMIAL(square, p) - x * low));
}
static double sin_near(double x, double low) {
  static const double p[] = {8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                             -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  const double square = x * x, cube = square * x;
  return x - ((square * (0.5 * low - cube * POLYNOMIAL(square, p)) - low) + cube * 1.66666666666666324348e-01);
}

/* x = k·π/2 + r + low */
double nnb__cos(double x) {
  if (!(fabs(x) <= 1e5)) return (double)NAN;
  const double k = floor(x * quarters + 0.5), near = x - k * quarter_1, take = k * quarter_2, rest = near - take;
  const double below = k * quarter_3 - ((near - rest) - take);
  const double r = rest - below, low = (rest - r) - below;
  switch ((int)k & 3) {
    case 0:
      return cos_near(r, low);
    case 1:
      return -sin_near(r, low);
    case 2:
      return -cos_near(r, low);
    default:
      return sin_near(r, low);
  }
}

/* ---- powers: integer ones by products of numbers in two parts ---------------------------------------------------- */

typedef struct pair {
  double high, low;
} pair;

/* Dekker's product, whose error is exact (1971). */
static pair times(pair a, pair b) {
  const double high = a.high * b.high, splitter = 134217729;
  if (!(fabs(high) < 0x1p900) || fabs(a.high) > 0x1p900 || fabs(b.high) > 0x1p900) return (pair){high, 0};
  const double ta = splitter * a.high, a1 = ta - (ta - a.high), a2 = a.high - a1;
  const double tb = splitter * b.high, b1 = tb - (tb - b.high), b2 = b.high - b1;
  const double error = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2;
  const double low = error + (a.high * b.low + a.low * b.high), sum = high + low;
  return (pair){sum, low - (sum - high)};
}

static double integer_power(double x, uint64_t n) {
  pair y = {1, 0}, square = {x, 0};
  for (; n > 0; n >>= 1, square = times(square, square))
    if (n & 1) y = times(y, square);
  return y.high;
}

double nnb__pow(double x, double y) {
  const double size = fabs(y);
  if (size < 0x1p53 && size == floor(size)) {
    const double z = integer_power(x, (uint64_t)size);
    return y < 0 ? 1 / z : z;
  }
  return x == 0 ? (y > 0 ? 0 : (double)INFINITY) : nnb__exp(y * nnb__log(x));
}
