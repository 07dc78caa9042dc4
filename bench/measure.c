/* bench/measure.c: both halves of a round see the same machine in the same minute, so their ratio is steadier than
 * either of them; that is why the table never shows one without the other. */
#include "measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A half round is at least so long: the clock and the call around it then do not count. */
#define HALF_SECONDS 0.02
/* Idle workers of a threaded BLAS spin for about 2^26 ticks before they sleep (OpenBLAS, THREAD_TIMEOUT), and would
 * take the cores away from whoever comes next. */
#define SETTLE_SECONDS 0.06
enum { MAX_ROUNDS = 2000 };

typedef struct halves {
  double ours[MAX_ROUNDS], ceiling[MAX_ROUNDS], share[MAX_ROUNDS]; /* seconds a step */
} halves;

static double read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_seconds(void) { return read_clock(CLOCK_MONOTONIC); }

static double half_clock(const bench_case *job) {
  return read_clock(job->cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Linear between the two order statistics around p·(n-1). */
static double quantile(const double *sorted, int n, double p) {
  double place = p * (n - 1);
  int i = (int)place, j = i + 1 < n ? i + 1 : i;
  return sorted[i] + (place - i) * (sorted[j] - sorted[i]);
}

spread spread_of(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, ascending);
  return (spread){v[0], quantile(v, n, 0.25), quantile(v, n, 0.5), quantile(v, n, 0.75), v[n - 1]};
}

static void settle(int threads) {
  struct timespec t = {0, (long)(1e9 * SETTLE_SECONDS)};
  if (threads > 1) nanosleep(&t, NULL);
}

/* Before a timed half: caches and threads are those of the half.  Long steps need it least. */
static long warm_steps(const bench_case *job, long steps) { return steps / 8 + (job->threads > 1); }

/* The library runs as in any program: the BLAS's own count is what it was at the start. */
static int time_ours(const rig_ops *ops, rig *r, const bench_case *job, long steps, double *per_step) {
  ops->ceiling_threads(job->blas_threads);
  settle(job->threads);
  if (ops->ours(r, warm_steps(job, steps))) return -1;
  double start = half_clock(job);
  if (ops->ours(r, steps)) return -1;
  *per_step = (half_clock(job) - start) / (double)steps;
  return 0;
}

static int time_ceiling(const rig_ops *ops, rig *r, const bench_case *job, long steps, double *per_step) {
  if (ops->refresh(r)) return -1;
  ops->ceiling_threads(job->threads);
  settle(job->threads);
  ops->ceiling(r, warm_steps(job, steps));
  double start = half_clock(job);
  ops->ceiling(r, steps);
  *per_step = (half_clock(job) - start) / (double)steps;
  return 0;
}

/* Doubles the steps until a half is long enough, or returns -1.  Warms up on the way. */
static long find_steps(const rig_ops *ops, rig *r) {
  if (ops->ours(r, 2)) return -1;
  for (long steps = 1;; steps *= 2) {
    double start = clock_seconds();
    if (ops->ours(r, steps)) return -1;
    if (clock_seconds() - start >= HALF_SECONDS) return steps;
  }
}

static int run_rounds(const rig_ops *ops, rig *r, const bench_case *job, int rounds, double seconds, halves *h,
                      measurement *out) {
  double start = clock_seconds();
  long steps = out->steps;
  int n = 0;
  for (; n < MAX_ROUNDS && (n < rounds || clock_seconds() - start < seconds); n++) {
    bool ours_first = n % 2 == 0;
    if (ours_first && time_ours(ops, r, job, steps, &h->ours[n])) return -1;
    if (time_ceiling(ops, r, job, steps, &h->ceiling[n])) return -1;
    if (!ours_first && time_ours(ops, r, job, steps, &h->ours[n])) return -1;
    h->share[n] = h->ceiling[n] / h->ours[n];
  }
  out->rounds = n;
  return 0;
}

int measure(const rig_ops *ops, const bench_case *job, int rounds, double seconds, measurement *out) {
  int failed = -1;
  memset(out, 0, sizeof *out);
  rig *r = ops->create(job);
  halves *h = malloc(sizeof *h);
  if (!h) fprintf(stderr, "nnblas-bench: out of memory\n");
  if (!r || !h) goto done;
  out->blas_threads = ops->ceiling_threads(job->threads);
  out->steps = find_steps(ops, r);
  if (out->steps < 0 || run_rounds(ops, r, job, rounds, seconds, h, out)) goto done;
  out->step = spread_of(h->ours, out->rounds);
  out->ceiling = spread_of(h->ceiling, out->rounds);
  out->share = spread_of(h->share, out->rounds);
  failed = 0;
done:
  free(h);
  ops->destroy(r);
  return failed;
}
