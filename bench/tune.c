/* bench/tune.c: each threshold has a row of sizes, at which a step is timed both ways, in turn.  The threshold is set
 * where the sum of log(time one way ÷ time the other) over the sizes beyond it is largest, so that one bad measurement
 * does not decide.  Both precisions count equally, because they share the thresholds. */
#include "tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZES = 8, MAX_POINTS = 2 * MAX_SIZES };

typedef enum measure_of { MULTIPLY_ADDS, ROWS, BYTES, FLOPS_A_THREAD, ROWS_A_THREAD } measure_of;

typedef struct search {
  const char *threshold;
  bool above;          /* the first way is used above the threshold, else up to it */
  const char *ways[2]; /* the first way, the other */
  manner manner;
  bool threads; /* measured with more than one */
  measure_of what;
  const char *sizes; /* at most MAX_SIZES of net@batch */
} search;

#define OWN    "unpacked_least=0,unpacked_bytes=1e15,unpacked_sum_bytes=1e15"
#define BLAS   "unpacked_least=1e300"
#define OF_W   "unpacked_least=0,unpacked_sum_bytes=1e15,unpacked_bytes=0"
#define SHARED "thread_flops=0,private_bytes=0"
#define ALONE  "thread_flops=1e300"

/* clang-format off */
static const search searches[] = {
  {"unpacked_least", true, {OWN, BLAS}, BY_STEP, false, MULTIPLY_ADDS,
   "64-64@16 128-96@16 128-128@16 192-192@16 256-256@16 384-384@16 512-384@16"},
  {"unpacked_bytes", false, {OWN ",unpacked_rows=0", BLAS}, BY_STEP, false, BYTES,
   "512-128@32 784-128@32 784-256@32 1024-256@32 1024-512@32 1024-1024@32 2048-1024@32"},
  {"unpacked_rows", false, {OF_W ",unpacked_rows=1e9", OF_W ",unpacked_rows=0"}, PREDICT, false, ROWS,
   "1024-1024@16 1024-1024@32 1024-1024@64 1024-1024@128 1024-1024@256 2048-1024@32 2048-1024@64 2048-1024@128"},
  {"unpacked_sum_bytes", false, {OWN, OWN ",unpacked_sum_bytes=0"}, BY_STEP, false, BYTES,
   "512-128@32 784-128@32 784-256@32 1024-256@32 1024-512@32 1024-1024@32 2048-1024@32"},
  {"transposed_rows", true, {"transposed_rows=0", "transposed_rows=1e9"}, BY_STEP, false, ROWS,
   "64-128-64@2 64-128-64@4 64-128-64@8 64-128-64@12 64-128-64@16 64-128-64@24 64-128-64@32"},
  {"transposed_most", false, {"transposed_most=1e9", "transposed_most=0"}, BY_STEP, false, ROWS,
   "128-1024-1024@16 128-1024-1024@32 128-1024-1024@64 128-1024-1024@128 128-1024-1024@256 128-1024-1024@512"},
  {"thread_flops", true, {SHARED, ALONE}, PREDICT, true, FLOPS_A_THREAD,
   "64-64@16 64-64@32 64-64@64 64-64@128 64-64@256 64-64@512 64-64@1024 64-64@4096"},
  {"private_bytes", true, {SHARED, ALONE}, BY_STEP, true, BYTES,
   "256-128-10@32 784-64-10@32 784-128-64-10@32 784-256-10@32 784-512-10@32 1024-1024-10@32 2048-1024-10@32"},
  {"private_rows", true, {SHARED, ALONE}, BY_STEP, true, ROWS_A_THREAD,
   "784-128-64-10@32 784-128-64-10@64 784-128-64-10@128 784-128-64-10@256 784-128-64-10@512 784-128-64-10@1024"},
  {"owned_flops", true, {"owned_flops=0", "owned_flops=1e300"}, BY_STEP, true, FLOPS_A_THREAD,
   "784-128-64-10@4 784-128-64-10@8 784-128-64-10@16 784-128-64-10@24 784-128-64-10@32 784-128-64-10@48"},
};
/* clang-format on */

typedef struct point {
  double at, gain; /* gain: log(time of the other way ÷ time of the first) */
} point;

static double place(const search *s, const workload *w, int threads, size_t number) {
  const net_layout net = layout_of(w->net);
  const int layers = net.n_layers;
  double products = 0, params = 0;
  for (int l = 0; l < layers; l++) {
    products += (double)net.layer[l].inputs * net.layer[l].units;
    params += (double)(net.layer[l].inputs + 1) * net.layer[l].units;
  }
  switch (s->what) {
    case MULTIPLY_ADDS:
      return w->batch * products;
    case ROWS:
      return w->batch;
    case BYTES:
      return (layers > 1 ? params : products) * (double)number;
    case FLOPS_A_THREAD:
      return 2 * w->batch * products / threads;
    default:
      return (double)w->batch / threads;
  }
}

static int measure_point(const options *o, const search *s, const char *net, int batch, const rig_ops *ops,
                         point *out) {
  workload w = {.name = s->threshold, .net = net, .manner = s->manner, .loss = NNB_MSE, .algo = NNB_SGD};
  bench_data data;
  bench_job job = o->job;
  spread ratio;
  bool f32 = !strcmp(ops->precision, "f32");
  w.batch = batch, w.rows = 4 * batch;
  job.w = &w, job.data = &data, job.n_counts = 1;
  job.count[0] = s->threads ? o->job.count[o->job.n_counts - 1] : 1;
  if (make_data(&w, 0, &data)) return fprintf(stderr, "nnblas-bench: out of memory\n"), -1;
  int failed = measure_ways(ops, &job, &o->effort, s->ways, &ratio);
  free_data(&data);
  if (failed) return -1;
  *out = (point){place(s, &w, job.count[0], f32 ? sizeof(float) : sizeof(double)), log(ratio.median)};
  if (!o->json)
    printf("%-16s %-14s %5d %-4s %3d %12.4g %7.3f  %.3f-%.3f\n", s->threshold, net, batch, ops->precision, job.count[0],
           out->at, ratio.median, ratio.q1, ratio.q3);
  fflush(stdout);
  return 0;
}

static int by_place(const void *a, const void *b) {
  const point *p = a, *q = b;
  return (p->at > q->at) - (p->at < q->at);
}

/* Where to cut sorted points so that the points on the side of the first way gain most: a value between two of them. */
static double best_cut(const point *p, int n, bool above) {
  double best = 0, sum = 0, cut = above ? 2 * p[n - 1].at : p[0].at / 2;
  for (int k = 0; k < n; k++) {
    int i = above ? n - 1 - k : k, beyond = above ? i - 1 : i + 1;
    sum += p[i].gain;
    if (beyond >= 0 && beyond < n && p[beyond].at == p[i].at) continue; /* both precisions of one size */
    if (sum <= best) continue;
    best = sum;
    cut = beyond < 0 ? p[i].at / 2 : beyond < n ? sqrt(p[i].at * p[beyond].at) : 2 * p[i].at;
  }
  return cut;
}

static int run_search(const options *o, const search *s) {
  point points[MAX_POINTS];
  char net[64];
  int n = 0, batch, length;
  for (const char *p = s->sizes; sscanf(p, " %63[0-9-]@%d%n", net, &batch, &length) == 2; p += length) {
    if (o->f32 && measure_point(o, s, net, batch, &rig_f32, &points[n++])) return -1;
    if (o->f64 && measure_point(o, s, net, batch, &rig_f64, &points[n++])) return -1;
  }
  qsort(points, (size_t)n, sizeof *points, by_place);
  char text[64];
  snprintf(text, sizeof text, "%s=%.3g", s->threshold, best_cut(points, n, s->above));
  return nnb_set_thresholds(text) ? -1 : 0;
}

int run_tune(const options *o) {
  char text[512];
  if (nnb_get_thresholds(text, sizeof text)) return -1;
  if (!o->json)
    printf("\nnow: %s\n\n%-16s %-14s %5s %-4s %3s %12s %7s %s\n", text, "threshold", "net", "batch", "prec", "thr",
           "at", "ratio", "(quartiles)");
  for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
    if (searches[i].threads && o->job.count[o->job.n_counts - 1] < 2) continue;
    if (run_search(o, &searches[i])) return -1;
  }
  if (nnb_get_thresholds(text, sizeof text)) return -1;
  printf(o->json ? "{\"thresholds\":\"%s\"}\n" : "\nNNBLAS_THRESHOLDS=%s\n", text);
  return 0;
}
