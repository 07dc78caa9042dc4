#include "comm_speed.h"

#include <stdio.h>
#include <stdlib.h>

#include "../measure.h"

/* ---- a table that is timed --------------------------------------------------------------------------------------- */

static nnb_status add_time(timed_comm *c, double start, nnb_status status) {
  c->seconds += clock_seconds() - start;
  return status;
}

static nnb_status sum(void *user, size_t n, double *a) {
  timed_comm *c = user;
  const double start = clock_seconds();
  return add_time(c, start, c->inner->sum(c->inner->user, n, a));
}

static nnb_status sum_float(void *user, size_t n, float *a) {
  timed_comm *c = user;
  const double start = clock_seconds();
  return add_time(c, start, c->inner->sum_float(c->inner->user, n, a));
}

static nnb_status broadcast(void *user, int root, size_t bytes, void *p) {
  timed_comm *c = user;
  const double start = clock_seconds();
  return add_time(c, start, c->inner->broadcast(c->inner->user, root, bytes, p));
}

static nnb_status transfer(void *user, int from, int to, size_t bytes, void *p) {
  timed_comm *c = user;
  const double start = clock_seconds();
  return add_time(c, start, c->inner->transfer(c->inner->user, from, to, bytes, p));
}

void timed_comm_open(timed_comm *c, const nnb_comm *inner) {
  *c = (timed_comm){.inner = inner, .calls = *inner};
  c->calls.user = c;
  c->calls.sum = sum, c->calls.sum_float = sum_float;
  c->calls.broadcast = broadcast, c->calls.transfer = transfer;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

enum { SMALL = 8, LARGE = 32 << 20, LARGE_CALLS = 2, SUM_OF = 3, N_KINDS = 4 };

typedef struct session {
  const nnb_comm *comm;
  int calls;
  double *numbers; /* LARGE bytes */
  double seconds[N_KINDS];
} session;

/* Seconds of a message between ranks 0 and 1; other ranks wait for the next sum. */
static nnb_status ping(const session *s, size_t bytes, int calls, double *seconds) {
  const nnb_comm *c = s->comm;
  nnb_status status = NNB_OK;
  const double start = clock_seconds();
  for (int i = 0; i < calls && !status && c->rank < 2; i++) {
    status = c->transfer(c->user, 0, 1, bytes, s->numbers);
    if (!status) status = c->transfer(c->user, 1, 0, bytes, s->numbers);
  }
  *seconds = (clock_seconds() - start) / (2 * calls);
  return status;
}

static nnb_status time_sum(const session *s, size_t n, int calls, double *seconds) {
  const nnb_comm *c = s->comm;
  nnb_status status = NNB_OK;
  const double start = clock_seconds();
  for (int i = 0; i < calls && !status; i++) status = c->sum(c->user, n, s->numbers);
  *seconds = (clock_seconds() - start) / calls;
  return status;
}

/* The sums before each part let the ranks begin it together. */
static nnb_status one_round(session *s) {
  double warm;
  nnb_status status = time_sum(s, SUM_OF, s->calls / 10 + 1, &warm);
  if (!status) status = time_sum(s, SUM_OF, s->calls, &s->seconds[0]);
  if (!status) status = time_sum(s, LARGE / sizeof *s->numbers, LARGE_CALLS, &s->seconds[1]);
  if (status || s->comm->size == 1) return status;
  status = ping(s, SMALL, s->calls, &s->seconds[2]);
  if (!status) status = time_sum(s, SUM_OF, 1, &warm);
  return status ? status : ping(s, LARGE, LARGE_CALLS, &s->seconds[3]);
}

int measure_comm(const nnb_comm *comm, int rounds, int calls, comm_speed *out) {
  static double v[N_KINDS][MAX_ROUNDS];
  session s = {.comm = comm, .calls = calls, .numbers = calloc(LARGE, 1)};
  nnb_status status = s.numbers ? one_round(&s) : NNB_E_NOMEM; /* untimed: pages, connections */
  for (int i = 0; i < rounds && !status; i++) {
    status = one_round(&s);
    for (int k = 0; k < N_KINDS; k++) v[k][i] = s.seconds[k];
  }
  free(s.numbers);
  if (status) return fprintf(stderr, "nnblas-bench-mpi: the communicator: %s\n", nnb_strstatus(status)), -1;
  *out = (comm_speed){.sum = spread_of(v[0], rounds).median};
  if (comm->size == 1) return 0;
  out->sum_bandwidth = 2.0 * (comm->size - 1) / comm->size * LARGE / spread_of(v[1], rounds).median;
  out->latency = spread_of(v[2], rounds).median;
  out->bandwidth = LARGE / spread_of(v[3], rounds).median;
  return 0;
}
