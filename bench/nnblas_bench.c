/* nnblas-bench: training and inference throughput, compared with the same matrix products in cblas. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bars.h"
#include "latency.h"
#include "print.h"
#include "start.h"
#include "tune.h"
#include "two_runs.h"

enum { SHAPE_ROWS = 4096 };

/* One row at a time, whatever the batch; on one thread, so once for all thread counts. */
static int run_latency(const options *o, const rig_ops *ops, const bench_job *job, int c) {
  latency l;
  if (c) return 0;
  if (measure_latency(ops, job, latency_calls(o), &l)) return -1;
  (o->json ? print_shape_latency_json : print_shape_latency)(job, ops->precision, &l);
  return 0;
}

static int run_mode(const options *o, const rig_ops *ops, const bench_job *job, bench_mode mode, int c) {
  static timings t; /* too large for the stack */
  if (mode == MODE_LATENCY) return run_latency(o, ops, job, c);
  t.n_runners = 2;
  t.runner[0] = (runner){mode == MODE_FIT ? RUN_FIT : RUN_STEPS, c};
  t.runner[1] = (runner){RUN_CEILING, c};
  if (measure(ops, job, &o->effort, &t)) return -1;
  (o->json ? print_shape_json : print_shape)(job, mode, ops->precision, &t, c);
  return 0;
}

static int run_precisions(const options *o, const bench_job *job, bench_mode mode, int c) {
  return (o->f32 && run_mode(o, &rig_f32, job, mode, c)) || (o->f64 && run_mode(o, &rig_f64, job, mode, c)) ? -1 : 0;
}

static int run_shape(const options *o, const bench_shape *shape) {
  workload w = {.name = shape->text, .net = shape->net, .rows = SHAPE_ROWS, .batch = shape->batch, .algo = NNB_SGD};
  bench_data data;
  bench_job job = o->job;
  w.rows -= w.rows % w.batch;
  job.w = &w, job.data = &data;
  w.loss = layout_of(w.net).n_out > 1 ? NNB_CROSS_ENTROPY : NNB_MSE;
  if (make_data(&w, 0, &data)) return fprintf(stderr, "nnblas-bench: out of memory for %s\n", w.name), -1;
  int failed = 0;
  for (int c = 0; !failed && c < job.n_counts; c++)
    for (int m = 0; !failed && m < N_MODES; m++) {
      w.manner = m == MODE_INFER || m == MODE_LATENCY ? PREDICT : BY_STEP;
      if (o->mode[m]) failed = run_precisions(o, &job, (bench_mode)m, c);
    }
  free_data(&data);
  return failed;
}

/* --mpi: continues as the program nnblas-bench-mpi beside this one. */
static int become_mpi(char **argv) {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "-mpi");
  if (n > 0) {
    strcpy(path + n, "-mpi");
    argv[0] = path;
    execv(path, argv);
  }
  return fprintf(stderr, "nnblas-bench: %s: %s (it is there if MPI was found)\n", n > 0 ? path : "--mpi",
                 strerror(errno)),
         1;
}

int main(int argc, char **argv) {
  static options o;
  if (argc > 1 && !strcmp(argv[1], "--mpi")) return become_mpi(argv + 1);
  int child = start_child(argc, argv);
  if (child >= 0) return child;
  int asked = parse_options(argc, argv, &o);
  if (asked) return asked < 0 ? 2 : 0;
  if (o.compare[0]) return compare_runs(o.compare[0], o.compare[1], o.json) ? 1 : 0;
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  if (!o.json) print_head(&o, &blas);
  if (o.tune) return run_tune(&o) ? 1 : 0;
  if (!o.n_shapes) return run_bars(&o) ? 1 : 0;
  for (int i = 0; i < o.n_shapes; i++)
    if (run_shape(&o, &o.shape[i])) return 1;
  return 0;
}
