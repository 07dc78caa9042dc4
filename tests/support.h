/* tests/support.h: what every suite needs. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

/* 1 under AddressSanitizer or ThreadSanitizer, else 0.  There a child of fork() keeps locks of the parent's threads, or
 * may start no threads. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Runs the suite and prints Check's totals.  Returns the exit status: 77, skipped, if no test ran. A test that leaves
 * something out prints a line "skipped: why", which tools/run_suite.py shows. */
int run_suite(Suite *suite);

/* Whether valgrind runs the test (NNB_VALGRIND): it takes memory itself, and holds 500 threads at most. */
bool under_valgrind(void);
/* Whether long double, in which tests compute references, has more digits than double.  Valgrind computes it as double.
 */
bool long_double_is_longer(void);

/* How many times as long a test may take under the tool that runs it: NNB_SLOWNESS, or 1. */
double slowness(void);

#endif
