/* base/clock.h: seconds of a monotonic clock. */
#ifndef NNB__CLOCK_H
#define NNB__CLOCK_H

#include <time.h>

static inline double nnb__now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
