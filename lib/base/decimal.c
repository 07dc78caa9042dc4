/* base/decimal.c: most numbers by one product of 64×128 bits (Lemire, "Number parsing at a gigabyte per second", 2021);
 * where its error could change the rounding, strtod of the digits without a point, which no locale changes. */
#include "decimal.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More digits than the longest decimal expansion of a number halfway between two doubles (767). */
enum { MOST_DIGITS = 800, WORD_DIGITS = 19, LARGEST_POWER = 64, FAR_EXPONENT = 100000 };

/* sign · digits · 10^exponent; the text of the digits has a point among them, perhaps. */
typedef struct decimal {
  bool negative;
  const char *digits, *end; /* from the first digit that is not 0 to the end of the last one */
  int64_t n;                /* number of digits in between; of these the first WORD_DIGITS are in word */
  int64_t exponent;         /* of ten, for word and the digits behind it as integer                    */
  uint64_t word;
} decimal;

static bool is_digit(char c) { return (unsigned)(c - '0') < 10; }

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static const char *skip_digits(decimal *d, const char *p, const char *end) {
  for (; p < end && is_digit(*p); p++) {
    if (d->n == 0 && *p == '0') continue;
    if (d->n == 0) d->digits = p;
    if (d->n++ < WORD_DIGITS) d->word = 10 * d->word + (uint64_t)(*p - '0');
  }
  return p;
}

/* [e [+-] digits]; NULL without digits. */
static const char *read_exponent(decimal *d, const char *p, const char *end) {
  if (p == end || (*p != 'e' && *p != 'E')) return p;
  const bool sign = ++p < end && (*p == '+' || *p == '-'), negative = sign && *p == '-';
  int64_t e = 0;
  p += sign;
  if (p == end || !is_digit(*p)) return NULL;
  for (; p < end && is_digit(*p); p++)
    if (e < LLONG_MAX / 100) e = 10 * e + (*p - '0');
  d->exponent += negative ? -e : e;
  return p;
}

/* [+-] digits [. digits] [e [+-] digits] with a digit before or behind the point. */
static bool read_decimal(const char *p, const char *end, char point, decimal *d) {
  *d = (decimal){0};
  if (p < end && (*p == '+' || *p == '-')) d->negative = *p++ == '-';
  const char *start = p;
  p = skip_digits(d, p, end);
  int64_t n_digits = p - start;
  if (p < end && *p == point) {
    start = ++p;
    p = skip_digits(d, p, end);
    n_digits += p - start;
    d->exponent = start - p;
  }
  d->end = p;
  if (n_digits == 0) return false;
  return read_exponent(d, p, end) == end;
}

/* At most MOST_DIGITS digits, one for all that follow, and the exponent: without a point. */
static void write_digits(const decimal *d, char text[MOST_DIGITS + 32]) {
  int n = 0;
  int64_t seen = 0, exponent = d->exponent;
  bool more = false;
  if (d->negative) text[n++] = '-';
  for (const char *p = d->digits; p < d->end; p++) {
    if (!is_digit(*p)) continue;
    if (seen++ < MOST_DIGITS)
      text[n++] = *p;
    else
      more |= *p != '0';
  }
  if (seen > MOST_DIGITS) exponent += seen - MOST_DIGITS;
  if (more) text[n++] = '1', exponent--;
  if (exponent > FAR_EXPONENT) exponent = FAR_EXPONENT;
  if (exponent < -FAR_EXPONENT) exponent = -FAR_EXPONENT;
  snprintf(text + n, 24, "e%d", (int)exponent);
}

static double by_strtod(const decimal *d) {
  char text[MOST_DIGITS + 32];
  write_digits(d, text);
  return strtod(text, NULL);
}

static float by_strtof(const decimal *d) {
  char text[MOST_DIGITS + 32];
  write_digits(d, text);
  return strtof(text, NULL);
}

/* Exact operands and one rounding (Clinger 1990), where double operations are not done in a wider format. */
static bool by_product(const decimal *d, double *out) {
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (FLT_EVAL_METHOD != 0 || d->word > (UINT64_C(1) << 53) || d->exponent < -22 || d->exponent > 22) return false;
  const double word = (double)d->word;
  *out = d->exponent < 0 ? word / power[-d->exponent] : word * power[d->exponent];
  return true;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

typedef struct power {
  uint64_t high, low;
} power;

/* word · 10^q = word · 5^q · 2^q.  The product of word, shifted up to its highest bit, and the first 128 bits of 5^q is
 * at most 2^64 units of its lowest 64 bits too small.  It is left out below; what remains is at most 2 units too small.
 * False where that could change the rounding. */
static bool by_words(const decimal *d, double *out) {
#define POWER(q, high, low) {high, low},
  static const power five[] = {
#include "decimal_powers.def"
  };
#undef POWER
  if (d->exponent < -LARGEST_POWER || d->exponent > LARGEST_POWER) return false;
  const power *p = &five[d->exponent + LARGEST_POWER];
  const int shift = __builtin_clzll(d->word);
  const uint64_t word = d->word << shift;
  const wide product = (wide)word * p->high + (uint64_t)((wide)word * p->low >> 64); /* 126 or 127 is its highest bit */
  const int top = (int)(product >> 127), low_bits = 73 + top;                        /* below 54 bits: 53 and a half */
  const wide rest = product & (((wide)1 << low_bits) - 1), unit = (wide)1 << low_bits;
  if (rest < 4 || rest > unit - 4) return false;
  uint64_t bits = (uint64_t)(product >> low_bits); /* not exactly halfway: rest > 0 */
  bits = (bits + 1) >> 1;
  /* 5^q = p·2^(floor(q·log2 5) - 127) */
  const int exponent5 = (int)((d->exponent * 152170 + (d->exponent < 0 ? -65535 : 0)) / 65536);
  *out = ldexp((double)bits, exponent5 - 127 + 64 - shift + low_bits + 1 + (int)d->exponent);
  return true;
}
#else
static bool by_words(const decimal *d, double *out) {
  (void)d, (void)out;
  return false;
}
#endif

static double value_of(const decimal *d) {
  double value = 0;
  if (d->n == 0) return d->negative ? -0.0 : 0.0;
  if (d->n > WORD_DIGITS || (!by_product(d, &value) && !by_words(d, &value))) return by_strtod(d);
  return d->negative ? -value : value;
}

/* nan, inf and infinity as C writes them. */
static bool is_special(const char *p, const char *end, double *out) {
  static const char *const names[] = {"nan", "inf", "infinity"};
  const bool sign = p < end && (*p == '+' || *p == '-'), negative = sign && *p == '-';
  p += sign;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t n = strlen(names[i]), k = 0;
    if ((size_t)(end - p) != n) continue;
    while (k < n && (p[k] | 0x20) == names[i][k]) k++;
    if (k < n) continue;
    *out = i == 0 ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
    return true;
  }
  return false;
}

static void trim(const char **start, const char **end) {
  while (*start < *end && is_blank(**start)) ++*start;
  while (*end > *start && is_blank((*end)[-1])) --*end;
}

nnb__number nnb__decimal(const char *text, size_t n, char point, double *out) {
  const char *start = text, *end = text + n;
  decimal d;
  *out = (double)NAN;
  trim(&start, &end);
  if (!read_decimal(start, end, point, &d)) return is_special(start, end, out) ? NNB__NOT_FINITE : NNB__NOT_DECIMAL;
  *out = value_of(&d);
  return isfinite(*out) ? NNB__DECIMAL : NNB__NOT_FINITE;
}

/* Whether the single number nearest to value is not known: value is halfway between two (where the lowest of 29 bits
 * that are cut off is the only one to tell), or below the normal numbers. */
static bool is_unclear(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (bits & 0x1FFFFFFF) == 0x10000000 || fabs(value) < (double)FLT_MIN;
}

nnb__number nnb__decimal_single(const char *text, size_t n, char point, float *out) {
  const char *start = text, *end = text + n;
  double value;
  decimal d;
  const nnb__number kind = nnb__decimal(text, n, point, &value);
  *out = (float)value;
  if (kind != NNB__DECIMAL || value == 0 || !is_unclear(value)) return kind;
  trim(&start, &end);
  read_decimal(start, end, point, &d);
  *out = by_strtof(&d);
  return kind;
}
