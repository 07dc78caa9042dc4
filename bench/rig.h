/* bench/rig.h: everything to run one workload in one precision: the library's steps, and the same products in cblas. */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include "data.h"

enum { MAX_COUNTS = 16 };

typedef struct bench_job {
  const workload *w;
  const bench_data *data;
  int n_counts, count[MAX_COUNTS]; /* thread counts; a plan for each */
  bool cpu_time;                   /* measure the thread's processor time; one thread only */
} bench_job;

typedef struct rig rig;

typedef struct rig_ops {
  const char *precision;
  /* NULL on failure, with a message on stderr.  job must outlive the rig. */
  rig *(*create)(const bench_job *job);
  /* A second net on the same rows: the first rig must outlive it, and both may run at the same time. */
  rig *(*twin)(const rig *first);
  /* The same in the defined arithmetic, nnb_net_exact, and whether this processor and build have it. */
  rig *(*exact)(const rig *first);
  bool (*has_exact)(void);
  void (*destroy)(rig *r);
  /* Makes this number of steps of the library, with job->count[c] threads.  -1 on failure, with a message on stderr. */
  int (*ours)(rig *r, int c, long steps);
  /* One nnb_fit of at least this number of steps, shuffled; returns the number of steps, or -1. */
  long (*fit)(rig *r, int c, long steps);
  /* Gives the ceiling the present weights, activations and deltas.  -1 on failure. */
  int (*refresh)(rig *r);
  /* The products of this number of steps in cblas. */
  void (*ceiling)(rig *r, long steps);
  /* Sets the BLAS's own thread count; returns the present one, 0: unknown. */
  int (*ceiling_threads)(int threads);
} rig_ops;

extern const rig_ops rig_f32, rig_f64;

#endif
