/* base/table.h: numbered texts; the hash against its published values. */
#include <string.h>

#include "alloc_count.h"
#include "table.h"

START_TEST(published_hashes) { /* vectors.h of the authors' reference: key 00 … 0f, messages 00, 00 01, … */
  static const struct {
    size_t n;
    uint64_t hash;
  } wanted[] = {{0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
                {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u}, {16, 0x3f2acc7f57c29bdbu}};
  uint8_t message[16];
  for (int i = 0; i < 16; i++) message[i] = (uint8_t)i;
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
    ck_assert_uint_eq(nnb__siphash(message, wanted[k].n, (uint64_t[]){0x0706050403020100u, 0x0f0e0d0c0b0a0908u}),
                      wanted[k].hash);
}
END_TEST

static const char *name(int i) {
  static char text[20];
  snprintf(text, sizeof text, "%d", i);
  return text;
}

static int64_t find(const nnb__table *t, const char *text) { return nnb__table_find(t, text, strlen(text)); }
static int64_t add(nnb__table *t, const char *text) { return nnb__table_add(t, text, strlen(text)); }

START_TEST(numbers_in_order) {
  enum { MANY = 5000 };
  nnb__table t = {0};
  ck_assert_int_eq(find(&t, "0"), -1);
  for (int i = 0; i < MANY; i++) ck_assert_int_eq(add(&t, name(i)), i);
  for (int i = 0; i < MANY; i++) {
    ck_assert_int_eq(find(&t, name(i)), i);
    ck_assert_str_eq(t.text[i], name(i));
  }
  ck_assert_int_eq(add(&t, "17"), -1);
  ck_assert_int_eq(nnb__table_find(&t, "1234", 3), 123); /* n counts, not the NUL */
  ck_assert_int_eq(find(&t, ""), -1);
  ck_assert_uint_eq(t.n, MANY);
  nnb__table_clear(&t);
  ck_assert_int_eq(find(&t, "0"), -1);
  ck_assert_int_eq(add(&t, ""), 0);
  ck_assert_int_eq(find(&t, ""), 0);
  nnb__table_clear(&t);
}
END_TEST

START_TEST(without_memory_nothing_changes) {
  for (long k = 1; k < 5; k++) {
    nnb__table t = {0};
    alloc_count_begin(0);
    for (int i = 0; i < 8; i++) add(&t, name(i)); /* the ninth grows all of it */
    alloc_count.fail_at = alloc_count.calls + k;
    int64_t ninth = add(&t, name(8));
    ck_assert_int_eq(ninth, k < 4 ? -1 : 8);
    ck_assert_uint_eq(t.n, k < 4 ? 8 : 9);
    for (int i = 0; i < 8; i++) ck_assert_int_eq(find(&t, name(i)), i);
    ck_assert_int_eq(find(&t, name(8)), ninth);
    nnb__table_clear(&t);
    ck_assert_int_eq(alloc_count.live, 0);
    alloc_count_end();
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("table");
  TCase *tcase = tcase_create("table");
  tcase_add_test(tcase, published_hashes);
  tcase_add_test(tcase, numbers_in_order);
  tcase_add_test(tcase, without_memory_nothing_changes);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
