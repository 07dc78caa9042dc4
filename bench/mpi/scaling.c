/* bench/mpi/scaling.c: all parts of a round run on the same machine in the same minute, so ratios within a round are
 * steadier than the times. */
#include "scaling.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SMALLER = 8, PIECES = 4 };

typedef struct session {
  const rank_fit_ops *ops;
  const scaling_job *job;
  const nnb_comm *comm;
  timed_comm timed;
  rank_fit *fit;
  size_t n_params;
  void *numbers; /* that many */
  int epochs;
  bool threads;
} session;

/* Waits for all ranks without taking a core from those that work. */
static void rest(void) {
  MPI_Request all;
  MPI_Ibarrier(MPI_COMM_WORLD, &all);
  for (int done = 0; !done;) {
    const struct timespec pause = {0, 200000};
    MPI_Test(&all, &done, MPI_STATUS_IGNORE);
    if (!done) nanosleep(&pause, NULL);
  }
}

static double total_of(double mine) {
  double all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return all;
}

/* ---- fits -------------------------------------------------------------------------------------------------------- */

/* Rows of a rank in an update of `rows` by all. */
static int share_of(const session *s, int rows) {
  const int64_t rank = s->comm->rank, size = s->comm->size;
  return (int)(rows * (rank + 1) / size - rows * rank / size);
}

static int run(session *s, scaling_part part, fit_time *out) {
  const int batch = s->job->w->batch, updates = s->job->updates, ranks = s->comm->size;
  const int small = batch > SMALLER ? batch / SMALLER : 1, share = share_of(s, batch);
  switch (part) {
    case PART_SMALL:
      return s->ops->fit(s->fit, NULL, updates * small, small, s->epochs, out);
    case PART_SHARES:
      return s->ops->fit(s->fit, NULL, updates * share, share, s->epochs, out);
    case PART_STRONG:
      return s->ops->fit(s->fit, &s->timed, updates * share, batch, s->epochs, out);
    case PART_WEAK:
      return s->ops->fit(s->fit, &s->timed, updates * batch, ranks * batch, s->epochs, out);
    default:
      return s->ops->fit(s->fit, NULL, updates * batch, batch, s->epochs, out);
  }
}

static int rows_of(const session *s, scaling_part part) {
  const int batch = s->job->w->batch, small = batch > SMALLER ? batch / SMALLER : 1;
  return part == PART_SMALL    ? small
         : part == PART_SHARES ? share_of(s, batch)
         : part == PART_WEAK   ? s->comm->size * batch
                               : batch;
}

/* Rows per second, of all ranks where each has a net of its own. */
static int time_part(session *s, scaling_part part, double *rate, double *in_comm) {
  const bool one = part == PART_ALONE || part == PART_SMALL;
  fit_time time = {.seconds = 1};
  rest();
  const int failed = one && s->comm->rank > 0 ? 0 : run(s, part, &time);
  if (failed) return failed;
  rest();
  double mine = time.epochs * (double)s->job->updates * rows_of(s, part) / time.seconds;
  if (part == PART_INDEPENDENT || part == PART_SHARES) mine = total_of(mine);
  MPI_Bcast(&mine, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  *rate = mine, *in_comm = total_of(time.in_comm / time.seconds) / s->comm->size;
  return 0;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static MPI_Datatype type_of(const session *s) { return s->ops->bytes == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE; }

static void sum_numbers(session *s) {
  const nnb_comm *c = s->comm;
  s->ops->bytes == sizeof(float) ? c->sum_float(c->user, s->n_params, s->numbers)
                                 : c->sum(c->user, s->n_params, s->numbers);
}

static double time_sum(session *s) {
  const size_t bytes = s->n_params * s->ops->bytes;
  const int calls = bytes < 1 << 20 ? 100 : 4;
  rest();
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = clock_seconds();
  for (int i = 0; i < calls; i++) sum_numbers(s);
  return (clock_seconds() - start) / calls;
}

/* The arithmetic of this rank's rows of an update.  Where a request is given, MPI may get on with it in between. */
static int compute(session *s, MPI_Request *request) {
  const int share = share_of(s, s->job->w->batch), most = share > PIECES ? share / PIECES : 1;
  int failed = 0;
  for (int i = 0, n, done; i < share && !failed; i += n) {
    n = most < RANK_FIT_ROWS ? most : RANK_FIT_ROWS;
    if (n > share - i) n = share - i;
    failed = s->ops->gradient(s->fit, n);
    if (request) MPI_Test(request, &done, MPI_STATUS_IGNORE);
  }
  return failed;
}

static void *sum_in_thread(void *session_) { return sum_numbers(session_), NULL; }

/* 0: one after the other; 1: by MPI_Iallreduce; 2: by a thread. */
static int time_together(session *s, int way, double *seconds) {
  MPI_Request request;
  pthread_t thread;
  rest();
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = clock_seconds();
  if (way == 1)
    MPI_Iallreduce(MPI_IN_PLACE, s->numbers, (int)s->n_params, type_of(s), MPI_SUM, MPI_COMM_WORLD, &request);
  if (way == 2 && pthread_create(&thread, NULL, sum_in_thread, s)) return -1;
  const int failed = compute(s, way == 1 ? &request : NULL);
  if (way == 0) sum_numbers(s);
  if (way == 1) MPI_Wait(&request, MPI_STATUS_IGNORE);
  if (way == 2) pthread_join(thread, NULL);
  *seconds = clock_seconds() - start;
  return failed;
}

static int time_overlap(session *s, scaling *out) {
  double seconds[3] = {0};
  const int i = out->rounds;
  for (int way = 0; way < 3; way++)
    if ((way < 2 || s->threads) && time_together(s, way, &seconds[way])) return -1;
  out->behind[i] = seconds[1] / seconds[0], out->by_thread[i] = seconds[2] / seconds[0];
  return 0;
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

/* The epochs of a part, from those of one rank; the first is not timed. */
static int calibrate(session *s) {
  fit_time time = {.epochs = 1};
  s->epochs = 2;
  rest();
  if (s->comm->rank == 0 && run(s, PART_ALONE, &time)) return -1;
  rest();
  const double wanted = time.seconds > 0 ? s->job->part_seconds / time.seconds : 0;
  if (wanted > 1) s->epochs += (int)wanted;
  MPI_Bcast(&s->epochs, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return 0;
}

/* In changing order. */
static int one_round(session *s, scaling *out) {
  const int i = out->rounds;
  for (int k = 0; k < N_PARTS; k++) {
    const int part = i % 2 ? N_PARTS - 1 - k : k;
    if (time_part(s, (scaling_part)part, &out->rate[part][i], &out->in_comm[part][i])) return -1;
  }
  out->sum[i] = time_sum(s);
  return time_overlap(s, out);
}

static int run_rounds(session *s, scaling *out) {
  int failed = calibrate(s);
  for (; !failed && out->rounds < s->job->rounds; out->rounds++) failed = one_round(s, out);
  return failed;
}

int measure_scaling(const rank_fit_ops *ops, const scaling_job *job, const nnb_comm *comm, bool threads, scaling *out) {
  session s = {.ops = ops, .job = job, .comm = comm, .threads = threads};
  memset(out, 0, sizeof *out);
  timed_comm_open(&s.timed, comm);
  s.fit = ops->create(job->w, job->updates * job->w->batch, job->threads);
  if (!s.fit) return -1;
  s.n_params = ops->n_params(s.fit);
  s.numbers = calloc(s.n_params, ops->bytes);
  out->precision = ops->precision, out->ranks = comm->size, out->bytes = s.n_params * ops->bytes;
  if (!s.numbers) fprintf(stderr, "nnblas-bench-mpi: out of memory\n");
  const int failed = s.numbers ? run_rounds(&s, out) : -1;
  free(s.numbers);
  ops->destroy(s.fit);
  return failed;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static double median_of(const double *values, int n) {
  double v[MAX_ROUNDS];
  memcpy(v, values, (size_t)n * sizeof *v);
  return spread_of(v, n).median;
}

scale_model model_of(const scaling *s, const scaling_job *job, const comm_speed *speed) {
  const int batch = job->w->batch, small = batch > SMALLER ? batch / SMALLER : 1;
  const double all = batch / median_of(s->rate[PART_ALONE], s->rounds);
  const double few = small / median_of(s->rate[PART_SMALL], s->rounds);
  scale_model m = {.latency = speed->latency, .bandwidth = speed->sum_bandwidth, .bytes = s->bytes};
  m.row = batch > small ? (all - few) / (batch - small) : all;
  if (!(m.row > 0) || m.row * batch > all) m.row = all / batch; /* a measurement that was disturbed */
  m.fixed = all - m.row * batch;
  return m;
}
