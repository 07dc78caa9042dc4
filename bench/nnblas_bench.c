/* nnblas-bench: training and inference throughput, beside the same matrix products through cblas alone. */
#include <nnblas.h>

#include "measure.h"
#include "options.h"
#include "print.h"

static int run_case(const options *o, const rig_ops *ops, const bench_case *job) {
  measurement m;
  if (measure(ops, job, o->rounds, o->seconds, &m)) return -1;
  (o->json ? print_json : print_row)(job, ops->precision, &m);
  return 0;
}

static int run_shape(const options *o, const bench_shape *shape, int blas_threads) {
  for (int t = 0; t < o->n_threads; t++)
    for (int m = 0; m < N_MODES; m++) {
      bench_case job = {shape, (bench_mode)m, o->threads[t], blas_threads, o->cpu_time};
      if (!o->mode[m]) continue;
      if (o->f32 && run_case(o, &rig_f32, &job)) return -1;
      if (o->f64 && run_case(o, &rig_f64, &job)) return -1;
    }
  return 0;
}

int main(int argc, char **argv) {
  static options o;
  int asked = parse_options(argc, argv, &o);
  if (asked) return asked < 0 ? 2 : 0;
  nnb_blas_facts blas;
  nnb_blas_info(&blas);
  if (!o.json) print_head(&o, &blas);
  for (int i = 0; i < o.n_shapes; i++)
    if (run_shape(&o, &o.shape[i], blas.threads)) return 1;
  return 0;
}
