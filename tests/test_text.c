/* Numbers as text. */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "bag.h"
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
  nnb__c_locale locale;
  ck_assert(nnb__c_locale_enter(&locale));
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    double value = -1;
    nnb__number kind = nnb__text_number(table[i].text, strlen(table[i].text), &value);
    ck_assert_msg(kind == table[i].kind, "\"%s\": kind %d", table[i].text, (int)kind);
    if (kind == NNB__DECIMAL) ck_assert_msg(value == table[i].value, "\"%s\": %g", table[i].text, value);
  }
  double value;
  ck_assert_int_eq(nnb__text_number("1\0002", 3, &value), NNB__NOT_DECIMAL);
  nnb__c_locale_leave(&locale);
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

int main(void) {
  Suite *s = suite_create("text");
  TCase *t = tcase_create("text");
  tcase_add_test(t, what_is_a_number);
  tcase_add_test(t, numbers_round_trip);
  tcase_add_test(t, numbers_round_trip_with_a_decimal_comma);
  tcase_add_test(t, utf8);
  tcase_add_test(t, shown_text_is_short);
  suite_add_tcase(s, t);
  return run_suite(s);
}
