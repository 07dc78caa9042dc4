/* Arithmetic of counts: chunks and shares near the ends of an int. */
#include "ints.h"

#include <limits.h>

#include "support.h"

/* Counts as every loop over chunks of rows does. */
START_TEST(chunks_cover_all_rows) {
  static const int rows[] = {0, 1, 255, 256, 257, 1000, INT_MAX - 256, INT_MAX - 255, INT_MAX - 1, INT_MAX};
  static const int sizes[] = {1 << 20, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, INT_MAX - 1, INT_MAX};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
      int n, done = 0, chunks = 0;
      for (; (n = nnb__chunk(rows[i], done, sizes[k])) > 0; done += n, chunks++)
        ck_assert(n <= sizes[k] && n <= rows[i] - done);
      ck_assert_int_eq(done, rows[i]);
      ck_assert_int_eq(chunks, (int)(((int64_t)rows[i] + sizes[k] - 1) / sizes[k]));
    }
}
END_TEST

START_TEST(shares_cover_everything) {
  static const int counts[] = {0, 1, 7, 1024, INT_MAX - 1, INT_MAX};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    for (int parts = 1; parts <= 1024; parts *= 2) {
      ck_assert_int_eq(nnb__share(counts[i], 0, parts), 0);
      ck_assert_int_eq(nnb__share(counts[i], parts, parts), counts[i]);
      for (int part = 0; part < parts; part++)
        ck_assert_int_le(nnb__share(counts[i], part, parts), nnb__share(counts[i], part + 1, parts));
    }
}
END_TEST

/* In empty shares is nothing, so the part with the first thing of a share is the one that is not empty. */
START_TEST(a_thing_is_in_one_share) {
  static const int counts[] = {1, 7, 1024, INT_MAX - 1, INT_MAX};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    for (int parts = 1; parts <= 1024; parts = 3 * parts / 2 + 1)
      for (int part = 0; part < parts; part++) {
        const int begin = nnb__share(counts[i], part, parts), end = nnb__share(counts[i], part + 1, parts);
        if (begin == end) continue;
        ck_assert_int_eq(nnb__part_with(counts[i], begin, parts), part);
        ck_assert_int_eq(nnb__part_with(counts[i], end - 1, parts), part);
      }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ints");
  TCase *tc = tcase_create("ints");
  tcase_add_test(tc, chunks_cover_all_rows);
  tcase_add_test(tc, shares_cover_everything);
  tcase_add_test(tc, a_thing_is_in_one_share);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
