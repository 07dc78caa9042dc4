/* Numbers as text. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bag.h"
#include "decimal.h"
#include "support.h"
#include "text.h"

START_TEST(what_is_a_number) {
  static const struct {
    const char *text;
    nnb__number kind;
    double value;
  } table[] = {
      {"1", NNB__DECIMAL, 1},           {"+1", NNB__DECIMAL, 1},        {"-1.5", NNB__DECIMAL, -1.5},
      {".5", NNB__DECIMAL, .5},         {"5.", NNB__DECIMAL, 5},        {"1e3", NNB__DECIMAL, 1000},
      {"1E+3", NNB__DECIMAL, 1000},     {" \t7 ", NNB__DECIMAL, 7},     {"1e-999", NNB__DECIMAL, 0},
      {"nan", NNB__NOT_FINITE, 0},      {"-Inf", NNB__NOT_FINITE, 0},   {"infinity", NNB__NOT_FINITE, 0},
      {"1e999", NNB__NOT_FINITE, 0},    {"", NNB__NOT_DECIMAL, 0},      {"  ", NNB__NOT_DECIMAL, 0},
      {".", NNB__NOT_DECIMAL, 0},       {"-", NNB__NOT_DECIMAL, 0},     {"1e", NNB__NOT_DECIMAL, 0},
      {"1e+", NNB__NOT_DECIMAL, 0},     {"0x1p3", NNB__NOT_DECIMAL, 0}, {"1,5", NNB__NOT_DECIMAL, 0},
      {"1 2", NNB__NOT_DECIMAL, 0},     {"abc", NNB__NOT_DECIMAL, 0},   {"1a", NNB__NOT_DECIMAL, 0},
      {"nan(1)", NNB__NOT_DECIMAL, 0},  {"+-1", NNB__NOT_DECIMAL, 0},   {"1.2.3", NNB__NOT_DECIMAL, 0},
      {"infinit", NNB__NOT_DECIMAL, 0}, {"in", NNB__NOT_DECIMAL, 0},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    double value = -1;
    nnb__number kind = nnb__decimal(table[i].text, strlen(table[i].text), '.', &value);
    ck_assert_msg(kind == table[i].kind, "\"%s\": kind %d", table[i].text, (int)kind);
    if (kind == NNB__DECIMAL) ck_assert_msg(value == table[i].value, "\"%s\": %g", table[i].text, value);
  }
  double value;
  ck_assert_int_eq(nnb__decimal("1\0002", 3, '.', &value), NNB__NOT_DECIMAL);
  ck_assert_int_eq(nnb__decimal("12345", 2, '.', &value), NNB__DECIMAL);
  ck_assert(value == 12);
  ck_assert_int_eq(nnb__decimal("-1,25", 5, ',', &value), NNB__DECIMAL);
  ck_assert(value == -1.25);
  ck_assert_int_eq(nnb__decimal("1.25", 4, ',', &value), NNB__NOT_DECIMAL);
}
END_TEST

/* Both precisions against strtod and strtof in the C locale. */
static void check_rounding(const char *text) {
  double value;
  float single;
  ck_assert_int_ne(nnb__decimal(text, strlen(text), '.', &value), NNB__NOT_DECIMAL);
  nnb__decimal_single(text, strlen(text), '.', &single);
  const double wanted = strtod(text, NULL);
  const float wanted_single = strtof(text, NULL);
  ck_assert_msg(memcmp(&value, &wanted, sizeof value) == 0, "%s: %.17g, not %.17g", text, value, wanted);
  ck_assert_msg(memcmp(&single, &wanted_single, sizeof single) == 0, "%s: %.9g, not %.9g", text, (double)single,
                (double)wanted_single);
}

static uint64_t random_bits(nnb_rng *rng) {
  const uint64_t high = nnb_rng_u32(rng);
  return high << 32 | nnb_rng_u32(rng);
}

/* Random bits: digits of every number and every exponent. */
START_TEST(rounding_of_random_numbers) {
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 1);
  char text[64];
  for (int i = 0; i < 300000; i++) {
    const uint64_t digits = random_bits(&rng) >> (random_bits(&rng) % 64), kind = random_bits(&rng);
    const int limit = kind & 1   ? 360
                      : kind & 2 ? 70
                                 : 30,
              exponent = (int)((kind >> 8) % (2 * (unsigned)limit)) - limit;
    snprintf(text, sizeof text, "%s%llu%se%d", kind & 4 ? "-" : "", (unsigned long long)digits,
             kind & 8 ? ".000123" : "", exponent);
    check_rounding(text);
  }
}
END_TEST

/* Numbers halfway between two, a little below and above: of doubles, of floats, of those below the normal ones. */
START_TEST(rounding_of_ties) {
  nnb_rng rng;
  nnb_rng_init(&rng, 2, 1);
  char text[1300];
  for (int i = 0; i < 20000; i++) {
    const bool single = i & 1;
    const uint64_t odd = ((random_bits(&rng) >> (single ? 39 : 10)) | (uint64_t)1 << (single ? 24 : 53)) | 1;
    const int exponent = (int)(random_bits(&rng) % 60) - (i & 2 ? 170 : i & 4 ? 90 : 40);
    /* odd·2^exponent exactly: printf of the two halves of its digits would round, so long double does not serve */
    const double high = ldexp((double)(odd & ~(uint64_t)1), exponent);
    const int n = snprintf(text, 1200, "%.*f", exponent < 0 ? -exponent : 0, high);
    ck_assert_int_lt(n, 1200);
    if (single) {
      snprintf(text, 1200, "%.*f", exponent < 0 ? -exponent : 0, ldexp((double)odd, exponent));
    } else if (exponent >= 0) {
      snprintf(text, 1200, "%llu", (unsigned long long)odd);
    }
    check_rounding(text);
    if (!strchr(text, '.')) strcat(text, ".");
    strcat(text, "0000001");
    check_rounding(text);
  }
  check_rounding("9007199254740993"), check_rounding("9007199254740993.0000000000000000000000000000000000001");
  check_rounding("9007199254740992.9999999999999999999999999999999999999");
  check_rounding("2.4703282292062327208e-324"), check_rounding("2.4703282292062328e-324");
  check_rounding("1.7976931348623158079e308"), check_rounding("0.000000000000000000000000000000e400");
  check_rounding("1.00000005960464477539062500001"), check_rounding("1.000000059604644775390625");
}
END_TEST

START_TEST(very_long_numbers) {
  enum { N = 5000 };
  char text[N + 20];
  for (int n = 700; n < N; n += 51) {
    memset(text, '3', (size_t)n), strcpy(text + n, "e-600"), check_rounding(text);
    memset(text, '0', (size_t)n), memcpy(text, "0.", 2), strcpy(text + n, "1234567e700"), check_rounding(text);
    memset(text, '0', (size_t)n), memcpy(text, "9007199254740993.", 17), strcpy(text + n, "1"), check_rounding(text);
  }
}
END_TEST

static void check_round_trips(void) {
  static const double values[] = {0.0, -0.0, 0.1, 1.0 / 3, -1e300, 5e-324, 1.7976931348623157e308, 123456789, 1e15};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char text[NNB__DOUBLE_TEXT];
    double back = 7;
    nnb__double_to_text(values[i], text);
    ck_assert_msg(nnb__text_to_double(text, &back) && memcmp(&back, &values[i], sizeof back) == 0, "%a: \"%s\" is %a",
                  values[i], text, back);
    ck_assert_ptr_null(strchr(text, ','));
  }
  nnb__bag bag = {0};
  double half = 0;
  nnb__bag_number(&bag, "half", 0.5);
  nnb__bag_number(&bag, "much", (double)INFINITY);
  ck_assert_str_eq(nnb__bag_find_string(&bag, "half"), "0.5");
  ck_assert(nnb__bag_find_number(&bag, "half", &half) && half == 0.5);
  ck_assert(nnb__bag_find_number(&bag, "much", &half) && isinf(half));
  nnb__bag_clear(&bag);
}

START_TEST(numbers_round_trip) { check_round_trips(); }
END_TEST

START_TEST(numbers_round_trip_with_a_decimal_comma) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
  bool found = false;
  for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) found = setlocale(LC_ALL, names[i]) != NULL;
  if (!found) fprintf(stderr, "skipped: no locale with a decimal comma is installed\n");
  check_round_trips();
  setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(utf8) {
  static const char *const good[] = {"", "abc", "é", "日本", "\xF0\x9F\x8C\xB7"};
  static const char *const bad[] = {"\xE9", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xFF"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) ck_assert(nnb__is_utf8(good[i], strlen(good[i])));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_msg(!nnb__is_utf8(bad[i], strlen(bad[i])), "text %zu", i);
}
END_TEST

START_TEST(shown_text_is_short) {
  char out[NNB__SHOWN_TEXT];
  ck_assert_str_eq(nnb__show("a\nb", 3, out), "a?b");
  ck_assert_str_eq(nnb__show("0123456789012345678901234567890123456789x", 41, out),
                   "0123456789012345678901234567890123456789…");
  ck_assert_str_eq(nnb__show("012345678901234567890123456789012345678éx", 42, out),
                   "012345678901234567890123456789012345678…");
}
END_TEST

/* What nnb__format writes. */
#define WRITES(wanted, ...)                    \
  do {                                         \
    char out[200];                             \
    nnb__format(out, sizeof out, __VA_ARGS__); \
    ck_assert_str_eq(out, wanted);             \
  } while (0)

START_TEST(nouns_behind_a_number) {
  WRITES("x has 1 row", "x has %d row(s)", 1);
  WRITES("x has 0 rows", "x has %d row(s)", 0);
  WRITES("x has -1 rows", "x has %d row(s)", -1);
  WRITES("x has 11 rows", "x has %d row(s)", 11);
  WRITES("1 row, 2 columns", "%zu row(s), %lld column(s)", (size_t)1, 2LL);
  WRITES("2 rows and 1 target column; wanted 1", "%d row(s) and %d target column(s); wanted %d", 2, 1, 1);
  WRITES("1 class, 3 classes", "%d class(es), %d class(es)", 1, 3);
  WRITES("3×1 weights of 0.1 units", "3×%d weight(s) of %.1f unit(s)", 1, 0.1);
  WRITES("a(s) has 1 row of 1(es)", "%s has %d row(s) of %s", "a(s)", 1, "1(es)");
  WRITES("%s) 1 row", "%s%s %d row(s)", "%s", ")", 1);
  WRITES("rows", "row(s)");
  char path[5000], out[5100]; /* the number is behind a long path */
  memset(path, 'p', sizeof path - 1), path[sizeof path - 1] = '\0';
  nnb__format(out, sizeof out, "%s has %d row(s)", path, 1);
  ck_assert_str_eq(out + sizeof path - 1, " has 1 row");
}
END_TEST

int main(void) {
  Suite *s = suite_create("text");
  TCase *t = tcase_create("text");
  tcase_add_test(t, what_is_a_number);
  tcase_add_test(t, rounding_of_random_numbers);
  tcase_add_test(t, rounding_of_ties);
  tcase_add_test(t, very_long_numbers);
  tcase_add_test(t, numbers_round_trip);
  tcase_add_test(t, numbers_round_trip_with_a_decimal_comma);
  tcase_add_test(t, utf8);
  tcase_add_test(t, shown_text_is_short);
  tcase_add_test(t, nouns_behind_a_number);
  suite_add_tcase(s, t);
  return run_suite(s);
}
