/* bench/tune.h: finds the thresholds of this machine. */
#ifndef BENCH_TUNE_H
#define BENCH_TUNE_H

#include "options.h"

/* Measures, prints, and ends with the text for nnb_set_thresholds and NNBLAS_THRESHOLDS.  -1 on failure. */
int run_tune(const options *o);

#endif
