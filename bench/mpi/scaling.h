/* bench/mpi/scaling.h: how fast ranks train beside as many independent processes, and where their time goes. */
#ifndef BENCH_SCALING_H
#define BENCH_SCALING_H

#include <mpi.h>

#include "../measure.h"
#include "model.h"
#include "rank_fit.h"

/* What takes its turn in a round. */
typedef enum scaling_part {
  PART_ALONE,       /* one rank trains, the others sleep */
  PART_SMALL,       /* the same with an eighth of the rows in an update */
  PART_INDEPENDENT, /* all train, each a net of its own */
  PART_SHARES,      /* the same with the rows that a rank has of an update of one */
  PART_STRONG,      /* all train one net, with the rows of one */
  PART_WEAK,        /* all train one net, with the rows of all */
  N_PARTS
} scaling_part;

typedef struct scaling_job {
  const workload *w; /* its batch is that of one rank */
  int updates;       /* of an epoch */
  int threads, rounds;
  double part_seconds; /* at least, for each part of a round */
} scaling_job;

typedef struct scaling {
  const char *precision;
  int ranks, rounds;
  double rate[N_PARTS][MAX_ROUNDS];    /* rows per second of all ranks together */
  double in_comm[N_PARTS][MAX_ROUNDS]; /* share of the time, mean of the ranks */
  size_t bytes;                        /* of a gradient */
  double sum[MAX_ROUNDS];              /* seconds of its sum over the ranks */
  /* An update's arithmetic with a sum of a gradient behind it ÷ one after the other: MPI_Iallreduce, and
   * MPI_Allreduce by a thread. */
  double behind[MAX_ROUNDS], by_thread[MAX_ROUNDS];
} scaling;

/* Collective over MPI_COMM_WORLD, of which comm is made; threads: whether MPI allows calls of another thread.  -1 on
 * failure, with a message on stderr. */
int measure_scaling(const rank_fit_ops *ops, const scaling_job *job, const nnb_comm *comm, bool threads, scaling *out);

/* The model of what was measured; speed: of the communicator. */
scale_model model_of(const scaling *s, const scaling_job *job, const comm_speed *speed);

#endif
