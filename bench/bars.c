/* bench/bars.c: the figures and their bars.  All figures of one workload and precision come from the same rounds:
 *   share    the products in cblas ÷ the library's step, both with this number of threads
 *   threads  a step with one thread ÷ a step with this number of threads
 *   fit      a step with rows in order ÷ one of nnb_fit, which shuffles them; one thread
 *   pair     a step alone ÷ one while another thread of the program trains a second net (the slower of the two); one
 *            thread each
 *   exact    a step in the usual arithmetic ÷ one in the defined arithmetic (nnb_net_exact); one thread
 *   start    from exec to the end of the first training step of a program
 *   latency  a prediction of one row, call by call; no ratio and no bar */
#include "bars.h"

#include <stdio.h>
#include <string.h>

#include "apart.h"
#include "latency.h"
#include "print.h"
#include "start.h"

enum { QUICK_ROWS = 4096 };

/* The nets that programs wait for, one row at a time. */
static const char *const awaited[] = {"W3i", "W3x", "W4", "W5m", "W5s", "W7"};

/* The bars; workload "": for all.  Those of comparisons with other libraries are in compare/. */
static const struct {
  const char *workload, *figure;
  int threads; /* 0: any */
  double f32, f64;
} bars[] = {
    {"W1", "share", 1, 0.975, 0.96},      {"W1", "share", 2, 0.97, 0.97},     {"W2b32", "share", 1, 0.975, 0.975},
    {"W2b128", "share", 1, 0.975, 0.975}, {"W2b128", "share", 2, 0.96, 0.96}, {"W2b32", "fit", 1, 0.93, 0.93},
    {"W1", "fit", 1, 0.9, 0.9},           {"W7", "threads", 2, 1.8, 1.8},     {"W10", "share", 1, 1.1, 0},
    {"", "threads", 0, 0.97, 0.97},       {"", "pair", 0, 0.9, 0.9},          {"W8", "start", 0, 0.02, 0.02},
    {"W2b32", "exact", 1, 0.9, 0.9},      {"W2b128", "exact", 1, 0.9, 0.9},   {"W2full", "exact", 1, 0.9, 0.9},
    {"W3i", "exact", 1, 0.9, 0.9},        {"W3x", "exact", 1, 0.9, 0.9},      {"W3ifull", "exact", 1, 0.9, 0.9},
    {"W3xfull", "exact", 1, 0.9, 0.9},    {"W4", "exact", 1, 0.9, 0.9},       {"W5m", "exact", 1, 0.9, 0.9},
    {"W5s", "exact", 1, 0.9, 0.9},        {"W7", "exact", 1, 0.9, 0.9},
};

/* If the BLAS's kernels are slower than the processor allows, a share meets no bar. */
static bool says_nothing(const figure *f) {
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  return blas.slow && !strcmp(f->name, "share");
}

/* A quick run judges no bars, because it is too short. */
static double find_bar(const options *o, const figure *f) {
  if (o->quick) return 0;
  for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
    if ((!*bars[i].workload || !strcmp(bars[i].workload, f->workload)) && !strcmp(bars[i].figure, f->name) &&
        (!bars[i].threads || bars[i].threads == f->threads))
      return !strcmp(f->precision, "f32") ? bars[i].f32 : bars[i].f64;
  return 0;
}

/* The ratio over ÷ under, if both were measured. */
static void show(const options *o, const bench_job *job, figure f, const timings *t, const char *name, int c, int over,
                 int under, int timed) {
  if (over < 0 || under < 0) return;
  f.name = name, f.threads = job->count[c], f.rounds = t->rounds;
  f.step = step_seconds(t, timed), f.ratio = ratio_of(t, over, under);
  f.bar = find_bar(o, &f), f.void_share = says_nothing(&f);
  if (o->json)
    print_figure_json(job, &f);
  else
    print_figure(&f);
}

static void show_all(const options *o, const bench_job *job, const char *precision, double apart, const timings *t) {
  figure f = {.workload = job->w->name, .precision = precision, .batch = job->w->batch, .apart = apart};
  int alone = find_runner(t, RUN_STEPS, 0);
  for (int c = 0; c < job->n_counts; c++) {
    int ours = find_runner(t, RUN_STEPS, c);
    show(o, job, f, t, "share", c, find_runner(t, RUN_CEILING, c), ours, ours);
    if (c) show(o, job, f, t, "threads", c, alone, ours, ours);
  }
  int fit = find_runner(t, RUN_FIT, 0), pair = find_runner(t, RUN_PAIR, 0), exact = find_runner(t, RUN_EXACT, 0);
  show(o, job, f, t, "fit", 0, alone, fit, fit);
  show(o, job, f, t, "pair", 0, alone, pair, pair);
  show(o, job, f, t, "exact", 0, alone, exact, exact);
}

static void add(timings *t, runner_kind kind, int c) { t->runner[t->n_runners++] = (runner){kind, c}; }

static int run_workload(const options *o, const rig_ops *ops, const bench_job *job) {
  static timings t; /* too large for the stack */
  t.n_runners = 0;
  bool train = job->w->manner != PREDICT, one = job->count[0] == 1;
  for (int c = 0; c < job->n_counts; c++) add(&t, RUN_CEILING, c), add(&t, RUN_STEPS, c);
  if (train) add(&t, RUN_FIT, 0);
  if (train && one && !job->cpu_time) add(&t, RUN_PAIR, 0);
  if (one && ops->has_exact()) add(&t, RUN_EXACT, 0);
  const double before = job->n_counts > 1 ? apart_seconds() : 0;
  if (measure(ops, job, &o->effort, &t)) return -1;
  const double after = job->n_counts > 1 ? apart_seconds() : 0;
  show_all(o, job, ops->precision, before > after ? before : after, &t);
  return 0;
}

static bool is_awaited(const workload *w) {
  for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++)
    if (!strcmp(awaited[i], w->name)) return true;
  return false;
}

static int run_latency(const options *o, const rig_ops *ops, const bench_job *job) {
  figure f = {.workload = job->w->name, .precision = ops->precision, .name = "latency", .threads = 1};
  latency l;
  if (measure_latency(ops, job, latency_calls(o), &l)) return -1;
  if (o->json)
    print_latency_json(job, &f, &l);
  else
    print_latency(&f, &l);
  return 0;
}

static int run_figures(const options *o, const rig_ops *ops, const bench_job *job) {
  return run_workload(o, ops, job) || (is_awaited(job->w) && run_latency(o, ops, job)) ? -1 : 0;
}

static int run_both(const options *o, const workload *w) {
  workload reduced = *w;
  bench_job job = o->job;
  bench_data data;
  if (o->quick && reduced.batch > QUICK_ROWS) reduced.batch = QUICK_ROWS;
  job.w = &reduced, job.data = &data;
  if (!o->json) print_workload(w);
  if (make_data(&reduced, o->quick ? QUICK_ROWS : 0, &data))
    return fprintf(stderr, "nnblas-bench: out of memory\n"), -1;
  int failed = (o->f32 && run_figures(o, &rig_f32, &job)) || (o->f64 && run_figures(o, &rig_f64, &job));
  free_data(&data);
  return failed ? -1 : 0;
}

static int run_start(const options *o, const char *precision) {
  for (int c = 0; c < o->job.n_counts; c++) {
    double seconds[MAX_ROUNDS];
    int n = o->quick ? 3 : 31;
    figure f = {.workload = "W8", .precision = precision, .name = "start", .threads = o->job.count[c], .rounds = n};
    if (start_seconds(precision, f.threads, n, seconds)) return -1;
    f.step = spread_of(seconds, n), f.bar = find_bar(o, &f);
    if (o->json)
      print_start_json(&o->job, &f);
    else
      print_start(&f);
  }
  return 0;
}

int run_bars(const options *o) {
  for (int i = 0; i < (o->n_only ? o->n_only : n_workloads); i++)
    if (run_both(o, o->n_only ? o->only[i] : &workloads[i])) return -1;
  if (o->n_only || o->job.cpu_time) return 0;
  return (o->f32 && run_start(o, "f32")) || (o->f64 && run_start(o, "f64")) ? -1 : 0;
}
