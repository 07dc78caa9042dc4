/* bench/case.h: what one row of the table measures.  No precision here. */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include <stdbool.h>

enum { MAX_LAYERS = 32 };

typedef enum bench_mode { MODE_TRAIN, MODE_INFER, MODE_FIT, N_MODES } bench_mode;

typedef struct bench_shape {
  char text[128]; /* "784-128-10" */
  int width[MAX_LAYERS + 1];
  int n_layers, batch;
} bench_shape;

typedef struct bench_case {
  const bench_shape *shape;
  bench_mode mode;
  int threads;
  int blas_threads; /* the BLAS's own count when the program started */
  bool cpu_time;    /* measure the thread's time on the processor; threads is 1 */
} bench_case;

/* 2·m·n·k for each matrix product of one step: one product a layer to predict; to train also AᵀΔ for each layer and ΔWᵀ
 * for each but the first. */
static inline double case_flops(const bench_case *job) {
  double products = 0;
  for (int l = 0; l < job->shape->n_layers; l++) {
    double weights = (double)job->shape->width[l] * job->shape->width[l + 1];
    products += weights * (job->mode == MODE_INFER ? 1 : l ? 3 : 2);
  }
  return 2 * job->shape->batch * products;
}

#endif
