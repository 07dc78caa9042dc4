/* bench/data.h: rows made up by the laws of workload.h.  Numbers are float, so that both precisions and other programs
 * get the same.  No precision here. */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

#include "workload.h"

typedef struct bench_data {
  int rows, n_in, n_out;
  float *x;       /* rows×n_in  */
  float *t;       /* rows×n_out, or NULL */
  int32_t *label; /* rows, or NULL */
} bench_data;

/* {0} on failure (-1), which is want of memory.  limit: at most so many rows, but at least one batch; 0: no limit. */
int make_data(const workload *w, int limit, bench_data *out);
void free_data(bench_data *data);

/* n floats aligned as vectors like it; NULL without memory. */
void *take(size_t n, size_t size);

/* Writes the files that nnblas_bench reads into a folder: 0, or -1 with a sentence on stderr. */
int write_files(const char *folder);

#endif
