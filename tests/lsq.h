/* tests/lsq.h: problems for nnb_least_squares, in the precision of the test: those of mgh.h, and linear ones. */
#ifndef TEST_LSQ_H
#define TEST_LSQ_H

#include <stdint.h>
#include <string.h>

#include "mgh.h"
#include "precision.h"

static nnb_status mgh_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const mgh *p = user;
  static double all_r[MGH_MOST_M], all_J[MGH_MOST_M * MGH_MOST_N];
  double at[MGH_MOST_N];
  memset(all_J, 0, sizeof all_J);
  for (int j = 0; j < p->n; j++) at[j] = (double)x[j];
  p->eval(p->n, p->m, at, all_r, all_J);
  for (int i = 0; i < k; i++) {
    r[i] = (real)all_r[row0 + (size_t)i];
    for (int j = 0; J && j < p->n; j++) J[i * ldj + j] = (real)all_J[((int)row0 + i) * p->n + j];
  }
  return NNB_OK;
}

static inline nnb_lsq mgh_lsq(const mgh *p) {
  return (nnb_lsq){.m = (size_t)p->m, .n = (size_t)p->n, .user = (void *)(uintptr_t)p, .rows = mgh_rows};
}

/* r = A·x - b */
typedef struct linear_system {
  int m, n;
  const double *A, *b;
} linear_system;

static inline nnb_status line_rows(void *user, const real *x, size_t row0, int k, real *r, real *J, int ldj) {
  const linear_system *l = user;
  for (int i = 0; i < k; i++) {
    const double *a = l->A + ((int)row0 + i) * l->n;
    double sum = -l->b[(int)row0 + i];
    for (int j = 0; j < l->n; j++) sum += a[j] * (double)x[j];
    r[i] = (real)sum;
    for (int j = 0; J && j < l->n; j++) J[i * ldj + j] = (real)a[j];
  }
  return NNB_OK;
}

#endif
