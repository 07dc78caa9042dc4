/* bench/mpi/rank_fit.h: fits of a workload, alone or by ranks.  Compiled for both precisions. */
#ifndef BENCH_RANK_FIT_H
#define BENCH_RANK_FIT_H

#include "../workload.h"
#include "comm_speed.h"

enum { RANK_FIT_ROWS = 1024 }; /* the most of a gradient */

typedef struct rank_fit rank_fit;

/* What a fit took after its first epoch. */
typedef struct fit_time {
  double seconds, in_comm;
  int epochs;
} fit_time;

typedef struct rank_fit_ops {
  const char *precision;
  size_t bytes; /* of a number */
  /* A net, and rows of the workload's law.  NULL on failure, with a message on stderr. */
  rank_fit *(*create)(const workload *w, int rows, int threads);
  void (*destroy)(rank_fit *r);
  size_t (*n_params)(const rank_fit *r);
  /* Some epochs, at least 2, of nnb_fit with the first `rows` rows; comm: of all ranks, each with its rows, by
   * batches of all; NULL: alone.  -1 on failure, with a message on stderr. */
  int (*fit)(rank_fit *r, timed_comm *comm, int rows, int batch, int epochs, fit_time *out);
  /* The gradient of the first rows, at most RANK_FIT_ROWS. */
  int (*gradient)(rank_fit *r, int rows);
} rank_fit_ops;

extern const rank_fit_ops rank_fit_f32, rank_fit_f64;

#endif
