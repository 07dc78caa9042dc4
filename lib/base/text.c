/* base/text.c: numbers as text, independent of the locale. */
#include "text.h"

#include <math.h>
#include <string.h>

#include "decimal.h"

bool nnb__c_locale_enter(nnb__c_locale *locale) {
  locale->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (!locale->c) return false;
  locale->before = uselocale(locale->c);
  return true;
}

void nnb__c_locale_leave(nnb__c_locale *locale) {
  uselocale(locale->before);
  freelocale(locale->c);
}

/* ---- "1 row", "2 rows" ------------------------------------------------------------------------------------------ */

enum { FORMAT = 1024, SO_FAR = 8192 };

/* Whether the last words follow the number 1: "x has 1 target column". */
static bool counts_one(const char *text) {
  const char *p = text + strlen(text);
  while (p > text && (p[-1] == ' ' || (p[-1] >= 'a' && p[-1] <= 'z'))) p--;
  return p > text && p[-1] == '1' && (p - 1 == text || strchr(" (\"", p[-2]));
}

/* plain ← the format with an ending, or without one, for each "(s)" and "(es)". */
static void with_endings(const char *format, va_list args, char plain[FORMAT]) {
  char so_far[SO_FAR];
  size_t n = 0;
  while (*format) {
    const size_t ending = strncmp(format, "(s)", 3) == 0 ? 1 : strncmp(format, "(es)", 4) == 0 ? 2 : 0;
    plain[n] = '\0';
    if (ending == 0) {
      plain[n++] = *format++;
      continue;
    }
    va_list copy;
    va_copy(copy, args);
    vsnprintf(so_far, sizeof so_far, plain, copy);
    va_end(copy);
    if (!counts_one(so_far)) memcpy(plain + n, format + 1, ending), n += ending;
    format += ending + 2;
  }
  plain[n] = '\0';
}

int nnb__vformat(char *out, size_t bytes, const char *format, va_list args) {
  char plain[FORMAT];
  nnb__c_locale locale;
  bool entered = nnb__c_locale_enter(&locale);
  if (strstr(format, "s)") && strlen(format) < FORMAT) with_endings(format, args, plain), format = plain;
  int n = vsnprintf(out, bytes, format, args);
  if (entered) nnb__c_locale_leave(&locale);
  return n;
}

int nnb__format(char *out, size_t bytes, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = nnb__vformat(out, bytes, format, args);
  va_end(args);
  return n;
}

bool nnb__text_to_double(const char *text, double *out) {
  double value;
  if (nnb__decimal(text, strlen(text), '.', &value) == NNB__NOT_DECIMAL) return false;
  *out = value;
  return true;
}

/* Replaces the locale's decimal point, of one byte or several, by a point, in place. */
static void plain_point(char *text) {
  char *to = text;
  for (const char *from = text; *from;) {
    size_t n = strspn(from, "0123456789+-einfa"); /* digits, exponent, "inf", "nan" */
    memmove(to, from, n);
    to += n, from += n;
    if (*from) *to++ = '.';
    from += strcspn(from, "0123456789");
  }
  *to = '\0';
}

void nnb__double_to_text(double value, char out[NNB__DOUBLE_TEXT]) {
  for (int digit = 15; digit <= 17; digit++) {
    double back;
    snprintf(out, NNB__DOUBLE_TEXT, "%.*g", digit, value);
    plain_point(out);
    if (isnan(value) || (nnb__text_to_double(out, &back) && back == value)) return;
  }
}

const char *nnb__show(const char *text, size_t n, char out[NNB__SHOWN_TEXT]) {
  size_t kept = n > 40 ? 40 : n;
  while (kept < n && kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) kept--; /* keep whole characters */
  for (size_t i = 0; i < kept; i++) out[i] = (unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i];
  strcpy(out + kept, kept < n ? "…" : "");
  return out;
}

/* The length of the UTF-8 character that starts at p, with n bytes left; 0 if it is malformed. */
static size_t utf8_character(const unsigned char *p, size_t n) {
  if (p[0] < 0x80) return 1;
  size_t size = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
  if (p[0] < 0xC2 || p[0] > 0xF4 || size > n) return 0;
  for (size_t i = 1; i < size; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
  bool surrogate = p[0] == 0xED && p[1] > 0x9F, beyond = p[0] == 0xF4 && p[1] > 0x8F;
  return overlong || surrogate || beyond ? 0 : size;
}

bool nnb__is_utf8(const char *text, size_t n) {
  for (size_t i = 0, size; i < n; i += size) {
    size = utf8_character((const unsigned char *)text + i, n - i);
    if (size == 0) return false;
  }
  return true;
}
