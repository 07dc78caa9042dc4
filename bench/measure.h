/* bench/measure.h: the clock, spreads, and the paired measurement. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "rig.h"

typedef struct spread {
  double min, q1, median, q3, max;
} spread;

typedef struct measurement {
  spread step;    /* seconds a step of the library */
  spread ceiling; /* seconds for the step's products through cblas */
  spread share;   /* ceiling / step, round by round */
  int rounds, blas_threads;
  long steps; /* in each half of a round */
} measurement;

/* Seconds since some moment. */
double clock_seconds(void);
/* Sorts v. */
spread spread_of(double *v, int n);

/* Rounds of [steps of the library][as many steps' products through cblas], the order changing from round to round,
 * until both `rounds` and `seconds` are reached.  -1 on failure, with a sentence on stderr. */
int measure(const rig_ops *ops, const bench_case *job, int rounds, double seconds, measurement *out);

#endif
