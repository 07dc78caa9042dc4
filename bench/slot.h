/* bench/slot.h: the workloads of the comparison with other libraries, in one precision. */
#ifndef BENCH_SLOT_H
#define BENCH_SLOT_H

enum { SLOT_UNKNOWN = 2 }; /* the program's exit status for an unknown workload */

/* Runs one workload and prints its lines; returns the exit status. */
int slot_run_f32(const char *workload, int threads);
int slot_run_f64(const char *workload, int threads);
/* The same for the fits, W6 (slot_fit.c); SLOT_UNKNOWN without a message for any other workload. */
int slot_fit_f32(const char *workload, int threads);
int slot_fit_f64(const char *workload, int threads);
/* One iteration of these fits, W6biter (slot_iteration.c). */
int slot_iteration_f32(int threads);
int slot_iteration_f64(int threads);
/* The first epoch of a fit compared with later ones (slot_epochs.c). */
int slot_epochs_f32(int threads);
int slot_epochs_f64(int threads);

#endif
