/* bench/slot_iteration.c: W6biter: an iteration of Levenberg–Marquardt on 8-15-1 tanh with 1000 rows, from one point to
 * the next, compared with its necessary parts: JᵀJ and its Cholesky factor, of the same sizes, in cblas and LAPACK, on
 * one thread, in turn.  Medians of this thread's processor time; the library's system is double in both precisions. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ceiling.h"
#include "normal_ceiling.h"
#include "precision.h"
#include "slot.h"

enum { ROWS = 1000, INPUTS = 8, UNITS = 15, P = (INPUTS + 2) * UNITS + 1, STARTS = 14, EPOCHS = 30, ALONE = 10 };

typedef struct times {
  double last, lm[STARTS * EPOCHS], alone[STARTS * ALONE];
  int n_lm, n_alone;
} times;

static double thread_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int note(void *user, const nnb_record *record) {
  times *t = user;
  const double now = thread_seconds();
  (void)record;
  t->lm[t->n_lm++] = now - t->last;
  t->last = thread_seconds();
  return 0;
}

static void make_rows(real *x, real *y) {
  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  for (int i = 0; i < ROWS; i++, x += INPUTS) {
    for (int j = 0; j < INPUTS; j++) x[j] = (real)nnb_rng_uniform(&rng);
    const double u = (double)x[2] - 0.5;
    y[i] = (real)(sin(3 * (double)x[0] * (double)x[1]) + 2 * u * u + (double)x[3] + (double)x[4] / 2 - 1);
  }
}

static nnb_status fit(const nnb_data *data, uint64_t seed, times *t) {
  nnb_net *net = NULL;
  nnb_status status = nnb_net_parse("8-15:tanh-1", &net);
  if (!status) status = (nnb_status)nnb_net_loss(net, NNB_MSE);
  if (!status) status = nnb_net_init(net, seed);
  t->last = thread_seconds();
  if (!status)
    status = nnb_fit(net, data, NULL,
                     &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = EPOCHS, .on_epoch = note, .user = t}, NULL);
  nnb_net_destroy(net);
  return status;
}

static int alone(const double *J, double *A, times *t) {
  for (int i = 0; i < ALONE; i++) {
    const double began = thread_seconds();
    if (normal_ceiling(ROWS, P, J, A)) return -1;
    t->alone[t->n_alone++] = thread_seconds() - began;
  }
  return 0;
}

static int rising(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, rising);
  return values[n / 2];
}

static double mean(const double *values, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += values[i];
  return sum / n;
}

static void print(int threads, times *t) {
  const double lm = 1e3 * median(t->lm, t->n_lm), least = 1e3 * median(t->alone, t->n_alone);
  printf(
      "{\"peer\":\"libnnblas-lm\",\"workload\":\"W6biter\",\"dtype\":\"%s\",\"threads\":%d,\"metric\":\"ms\","
      "\"value\":%.5g,\"mean\":%.5g,\"alone\":%.5g,\"ratio\":%.4g,\"iterations\":%d}\n",
      PRECISION, threads, lm, 1e3 * mean(t->lm, t->n_lm), least, lm / least, t->n_lm);
}

#define slot_iteration TWIN(slot_iteration)
int slot_iteration(int threads) {
  static times t; /* too large for the stack */
  nnb_data *data = NULL;
  real *x = malloc(ROWS * INPUTS * sizeof *x), *y = malloc(ROWS * sizeof *y);
  double *J = malloc((size_t)ROWS * P * sizeof *J), *A = malloc((size_t)P * P * sizeof *A);
  int failed = !x || !y || !J || !A;
  nnb_rng rng;
  nnb_rng_init(&rng, 2, 0);
  ceiling_threads(1);
  for (int i = 0; !failed && i < ROWS * P; i++) J[i] = nnb_rng_uniform(&rng) - 0.5;
  if (!failed) make_rows(x, y);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, INPUTS), .t = nnb_cview(y, ROWS, 1)};
  if (!failed) failed = nnb_data_wrap(&rows, 0, &data) != NNB_OK;
  t.n_lm = t.n_alone = 0;
  for (uint64_t s = 0; !failed && s < STARTS; s++) failed = fit(data, s, &t) || alone(J, A, &t);
  if (failed)
    fprintf(stderr, "nnblas_bench: W6biter: %s\n", nnb_errmsg());
  else
    print(threads, &t);
  nnb_data_destroy(data);
  free(x), free(y), free(J), free(A);
  return failed ? 1 : 0;
}
