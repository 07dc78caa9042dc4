/* tests/support.h: what every suite needs. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite and prints Check's totals; the value main returns. */
int run_suite(Suite *suite);

#endif
