#include "latency.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLOCK_READINGS = 1001 };

static double seconds_of_clock(const bench_job *job) {
  double v[CLOCK_READINGS];
  for (int i = 0; i < CLOCK_READINGS; i++) {
    double start = job_clock(job);
    v[i] = job_clock(job) - start;
  }
  return spread_of(v, CLOCK_READINGS).median;
}

/* The first tenth of the calls again, before them, so that caches hold the net. */
static int time_calls(const rig_ops *ops, const bench_job *job, rig *r, long n, double *v) {
  if (ops->ours(r, 0, 1 + n / 10)) return -1;
  for (long i = 0; i < n; i++) {
    double start = job_clock(job);
    if (ops->ours(r, 0, 1)) return -1;
    v[i] = job_clock(job) - start;
  }
  return 0;
}

int measure_latency(const rig_ops *ops, const bench_job *job, long n, latency *out) {
  workload one = *job->w;
  bench_job alone = {.w = &one, .data = job->data, .n_counts = 1, .count = {1}, .cpu_time = job->cpu_time};
  one.manner = PREDICT, one.batch = 1;
  double *v = malloc((size_t)n * sizeof *v);
  rig *r = v ? ops->create(&alone) : NULL;
  if (!v) fprintf(stderr, "nnblas-bench: out of memory\n");
  int failed = r ? time_calls(ops, &alone, r, n, v) : -1;
  if (!failed) {
    spread calls = spread_of(v, (int)n);
    *out = (latency){calls.median, quantile(v, (int)n, 0.99), calls.max, seconds_of_clock(&alone), n};
  }
  ops->destroy(r);
  free(v);
  return failed;
}
