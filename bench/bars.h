/* bench/bars.h: every workload with the figures it is judged by. */
#ifndef BENCH_BARS_H
#define BENCH_BARS_H

#include "options.h"

/* Measures and prints; -1 on failure, with a sentence on stderr. */
int run_bars(const options *o);

#endif
