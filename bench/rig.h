/* bench/rig.h: everything one case needs to run, in one precision. */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include "case.h"

typedef struct rig rig;

typedef struct rig_ops {
  const char *precision;
  /* NULL on failure, with a sentence on stderr.  job must outlive the rig. */
  rig *(*create)(const bench_case *job);
  void (*destroy)(rig *r);
  /* That many steps of the library.  -1 on failure, with a sentence on stderr. */
  int (*ours)(rig *r, long steps);
  /* Gives the ceiling the present weights, activations and deltas.  -1 on failure. */
  int (*refresh)(rig *r);
  /* As many steps' products through cblas alone. */
  void (*ceiling)(rig *r, long steps);
  /* Sets the BLAS's own thread count; returns the one in force, 0: unknown. */
  int (*ceiling_threads)(int threads);
} rig_ops;

extern const rig_ops rig_f32, rig_f64;

#endif
