/* bench/slot.h: the workloads of the comparison with other libraries, in one precision. */
#ifndef BENCH_SLOT_H
#define BENCH_SLOT_H

enum { SLOT_UNKNOWN = 2 }; /* the program's exit status for a workload that is none, or not yet one of ours */

/* Runs one workload and prints its lines; returns the exit status. */
int slot_run_f32(const char *workload, int threads);
int slot_run_f64(const char *workload, int threads);

#endif
