/* tests/support.h: what every suite needs. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite and prints Check's totals.  Returns the exit status: 77, skipped, if no test ran. A test that leaves
 * something out prints a line "skipped: why", which tools/run_suite.py shows. */
int run_suite(Suite *suite);

#endif
