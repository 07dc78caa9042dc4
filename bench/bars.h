/* bench/bars.h: every workload with its figures and bars. */
#ifndef BENCH_BARS_H
#define BENCH_BARS_H

#include "options.h"

/* Measures and prints; -1 on failure, with a message on stderr. */
int run_bars(const options *o);

#endif
