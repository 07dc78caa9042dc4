#include "support.h"

#include <stdio.h>

/* meson ends a test that hangs.  Check's own limit of 4 seconds per case would end correct tests on a busy machine or
 * under a sanitizer; it is read when a case is made. */
__attribute__((constructor)) static void no_limit_of_time(void) { setenv("CK_DEFAULT_TIMEOUT", "0", 0); }

enum { SKIPPED = 77 }; /* meson's status for a skipped test */

int run_suite(Suite *suite) {
  fflush(stdout); /* otherwise each child would print it again */
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
  srunner_free(runner);
  if (ran == 0) return puts("skipped: no test of this suite can run here"), SKIPPED;
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool under_valgrind(void) { return getenv("NNB_VALGRIND"); }

bool long_double_is_longer(void) {
  volatile long double tiny = 0x1p-60L, sum = 1 + tiny;
  return sum != 1;
}

double slowness(void) {
  const char *text = getenv("NNB_SLOWNESS");
  return text ? atof(text) : 1;
}
