/* bench/mpi/comm_speed.h: what the communicator of the ranks takes.  Does not depend on the precision. */
#ifndef BENCH_COMM_SPEED_H
#define BENCH_COMM_SPEED_H

#include <nnblas.h>

/* The calls of another communicator, with the seconds that they take. */
typedef struct timed_comm {
  nnb_comm calls; /* what nnb_fit takes */
  const nnb_comm *inner;
  double seconds;
} timed_comm;

void timed_comm_open(timed_comm *c, const nnb_comm *inner);

typedef struct comm_speed {
  double latency;       /* seconds of a message of 8 bytes, half of there and back; 0: one rank */
  double bandwidth;     /* bytes per second of messages of 32 MiB */
  double sum;           /* seconds of a sum of 3 numbers over all ranks */
  double sum_bandwidth; /* bytes per second through each rank in sums of 32 MiB, of which 2·(R-1)/R goes through each */
} comm_speed;

/* Collective.  calls: of short messages in a round.  -1 on failure, with a message on stderr. */
int measure_comm(const nnb_comm *comm, int rounds, int calls, comm_speed *out);

#endif
