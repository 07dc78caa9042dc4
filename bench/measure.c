/* bench/measure.c: all parts of a round run on the same machine in the same minute, so ratios within a round are
 * steadier than the times; so no table has a time without a ratio. */
#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Idle workers of a threaded BLAS spin for about 2^26 ticks before they sleep (OpenBLAS, THREAD_TIMEOUT), and would
 * take the cores from the next part. */
#define SETTLE_SECONDS 0.06

typedef struct session {
  const rig_ops *ops;
  const bench_job *job;
  rig *r, *twin, *exact; /* twin: only if there is a pair; exact: only if that is a runner */
  int blas_threads;      /* the BLAS's own count when the program started */
  bool spinning;         /* the last part left idle workers behind */
} session;

static double read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_seconds(void) { return read_clock(CLOCK_MONOTONIC); }
double clock_cpu_seconds(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

double job_clock(const bench_job *job) { return read_clock(job->cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC); }
static double part_clock(const session *s) { return job_clock(s->job); }

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double quantile(const double *sorted, int n, double p) {
  double place = p * (n - 1);
  int i = (int)place, j = i + 1 < n ? i + 1 : i;
  return sorted[i] + (place - i) * (sorted[j] - sorted[i]);
}

spread spread_of(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, ascending);
  return (spread){v[0], quantile(v, n, 0.25), quantile(v, n, 0.5), quantile(v, n, 0.75), v[n - 1]};
}

spread step_seconds(const timings *t, int i) {
  double v[MAX_ROUNDS];
  memcpy(v, t->second[i], (size_t)t->rounds * sizeof *v);
  return spread_of(v, t->rounds);
}

spread ratio_of(const timings *t, int over, int under) {
  double v[MAX_ROUNDS];
  for (int n = 0; n < t->rounds; n++) v[n] = t->second[over][n] / t->second[under][n];
  return spread_of(v, t->rounds);
}

int find_runner(const timings *t, runner_kind kind, int c) {
  for (int i = 0; i < t->n_runners; i++)
    if (t->runner[i].kind == kind && t->runner[i].c == c) return i;
  return -1;
}

/* ---- one part of a round ---------------------------------------------------------------------------------------- */

static void settle(session *s, int threads) {
  struct timespec t = {0, (long)(1e9 * SETTLE_SECONDS)};
  if (s->spinning) nanosleep(&t, NULL);
  s->spinning = threads > 1;
}

/* Runs before a timed part, so that caches and threads are those of the part.  Long steps need it least. */
static long warm_steps(int threads, long steps) { return steps / 8 + (threads > 1); }

static int time_steps(const session *s, rig *r, int c, long steps, double *per_step) {
  if (s->ops->ours(r, c, warm_steps(s->job->count[c], steps))) return -1;
  double start = part_clock(s);
  if (s->ops->ours(r, c, steps)) return -1;
  *per_step = (part_clock(s) - start) / (double)steps;
  return 0;
}

static int time_fit(const session *s, int c, long steps, double *per_step) {
  double start = part_clock(s);
  long done = s->ops->fit(s->r, c, steps);
  *per_step = (part_clock(s) - start) / (double)done;
  return done < 0 ? -1 : 0;
}

static int time_ceiling(const session *s, int c, long steps, double *per_step) {
  if (s->ops->refresh(s->r)) return -1;
  s->ops->ceiling_threads(s->job->count[c]);
  s->ops->ceiling(s->r, warm_steps(s->job->count[c], steps));
  double start = part_clock(s);
  s->ops->ceiling(s->r, steps);
  *per_step = (part_clock(s) - start) / (double)steps;
  s->ops->ceiling_threads(s->blas_threads);
  return 0;
}

typedef struct half_of_pair {
  const session *s;
  rig *r;
  int c, failed;
  long steps;
  double per_step;
  pthread_barrier_t *start;
} half_of_pair;

static void *run_half(void *argument) {
  half_of_pair *h = argument;
  pthread_barrier_wait(h->start);
  h->failed = time_steps(h->s, h->r, h->c, h->steps, &h->per_step);
  return NULL;
}

/* The slower of the two counts. */
static int time_pair(const session *s, int c, long steps, double *per_step) {
  pthread_barrier_t start;
  pthread_t other;
  half_of_pair half[2] = {{.s = s, .r = s->r, .c = c, .steps = steps, .start = &start},
                          {.s = s, .r = s->twin, .c = c, .steps = steps, .start = &start}};
  if (pthread_barrier_init(&start, NULL, 2)) return -1;
  if (pthread_create(&other, NULL, run_half, &half[1])) {
    fprintf(stderr, "nnblas-bench: no second thread\n");
    pthread_barrier_destroy(&start);
    return -1;
  }
  run_half(&half[0]);
  pthread_join(other, NULL);
  pthread_barrier_destroy(&start);
  *per_step = half[0].per_step > half[1].per_step ? half[0].per_step : half[1].per_step;
  return half[0].failed || half[1].failed ? -1 : 0;
}

static int time_part(session *s, runner who, long steps, double *per_step) {
  settle(s, s->job->count[who.c]);
  if (who.kind == RUN_CEILING) return time_ceiling(s, who.c, steps, per_step);
  if (who.kind == RUN_PAIR) return time_pair(s, who.c, steps, per_step);
  if (who.kind == RUN_FIT) return time_fit(s, who.c, steps, per_step);
  if (who.kind == RUN_EXACT) return time_steps(s, s->exact, who.c, steps, per_step);
  return time_steps(s, s->r, who.c, steps, per_step);
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

/* Doubles the steps until a part is long enough, or returns -1.  This also warms up, with all rows once. */
static long find_steps(const session *s, double part_seconds) {
  if (s->ops->ours(s->r, 0, 2 + s->job->data->rows / s->job->w->batch)) return -1;
  for (long steps = 1;; steps *= 2) {
    double start = clock_seconds();
    if (s->ops->ours(s->r, 0, steps)) return -1;
    if (clock_seconds() - start >= part_seconds) return steps;
  }
}

static int run_rounds(session *s, const effort *e, timings *t) {
  double start = clock_seconds();
  int n = 0;
  for (; n < MAX_ROUNDS && (n < e->rounds || clock_seconds() - start < e->seconds); n++)
    for (int k = 0; k < t->n_runners; k++) {
      int i = n % 2 ? t->n_runners - 1 - k : k;
      if (time_part(s, t->runner[i], t->steps, &t->second[i][n])) return -1;
    }
  t->rounds = n;
  return 0;
}

static bool has(const timings *t, runner_kind kind) { return find_runner(t, kind, 0) >= 0; }

/* The nets of the runners beside the first; all rows go once through that of the defined arithmetic. */
static int make_others(session *s, const timings *t) {
  if (has(t, RUN_PAIR) && !(s->twin = s->ops->twin(s->r))) return -1;
  if (!has(t, RUN_EXACT)) return 0;
  s->exact = s->ops->exact(s->r);
  return s->exact ? s->ops->ours(s->exact, 0, 2 + s->job->data->rows / s->job->w->batch) : -1;
}

int measure(const rig_ops *ops, const bench_job *job, const effort *e, timings *out) {
  int failed = -1;
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  session s = {.ops = ops, .job = job, .r = ops->create(job), .blas_threads = blas.threads};
  if (!s.r || make_others(&s, out)) goto done;
  for (int c = 0; c < job->n_counts; c++) out->blas_threads[c] = ops->ceiling_threads(job->count[c]);
  ops->ceiling_threads(blas.threads);
  out->steps = find_steps(&s, e->part_seconds);
  if (out->steps > 0) failed = run_rounds(&s, e, out);
done:
  ops->destroy(s.exact);
  ops->destroy(s.twin);
  ops->destroy(s.r);
  return failed;
}

/* ---- two ways --------------------------------------------------------------------------------------------------- */

static int time_way(const session *s, const char *way, long steps, double *per_step) {
  if (nnb_set_thresholds(way)) return fprintf(stderr, "nnblas-bench: %s\n", nnb_errmsg()), -1;
  return time_steps(s, s->r, 0, steps, per_step);
}

static int time_ways(const session *s, const effort *e, const char *const ways[2], const char *before, spread *ratio) {
  double v[MAX_ROUNDS], second[2];
  long steps = find_steps(s, e->part_seconds);
  int failed = steps < 0;
  for (int n = 0; !failed && n < e->rounds; n++) {
    int first = n % 2;
    failed = time_way(s, ways[first], steps, &second[first]) || time_way(s, ways[!first], steps, &second[!first]);
    nnb_set_thresholds(before);
    v[n] = second[1] / second[0];
  }
  if (!failed) *ratio = spread_of(v, e->rounds);
  return failed ? -1 : 0;
}

int measure_ways(const rig_ops *ops, const bench_job *job, const effort *e, const char *const ways[2], spread *ratio) {
  char before[512];
  session s = {.ops = ops, .job = job};
  if (nnb_get_thresholds(before, sizeof before)) return -1;
  s.r = ops->create(job);
  int failed = s.r ? time_ways(&s, e, ways, before, ratio) : -1;
  ops->destroy(s.r);
  return failed;
}
