/* bench/latency.h: how long one prediction takes, call by call: what a control loop waits for. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include "measure.h"

typedef struct latency {
  double p50, p99, worst; /* seconds of a call; each includes one reading of the clock */
  double clock;           /* seconds of that reading: the median of two in a row */
  long calls;
} latency;

/* Times n calls of nnb_plan_predict one by one, each with the next row of the job's data, on one thread.  -1 on
 * failure, with a message on stderr. */
int measure_latency(const rig_ops *ops, const bench_job *job, long n, latency *out);

#endif
