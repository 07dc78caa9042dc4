/* bench/two_runs.h: two saved runs side by side. */
#ifndef BENCH_TWO_RUNS_H
#define BENCH_TWO_RUNS_H

#include <stdbool.h>

/* Prints what changed from the run in file a to that in file b, which hold lines of --json; as a table, or as JSON.
 * -1 on failure, with a message on stderr: a file cannot be read, or the runs measured nothing in common. */
int compare_runs(const char *a, const char *b, bool json);

#endif
