/* num/blas/blas_shared.c: a matrix product divided over the team by rows of the result, so threads share no sum. */
#include "blas.h"
#include "ints.h"
#include "team.h"
#include "thresholds.h"
#include "view.h"

typedef struct product {
  char ta, tb;
  real alpha, beta;
  nnb_cmat a, b;
  nnb_mat c;
  int parts;
} product;

static void share(void *context, int part) {
  const product *p = context;
  const int r0 = nnb__share(p->c.rows, part, p->parts), n = nnb__share(p->c.rows, part + 1, p->parts) - r0;
  nnb_cmat a = p->ta == 'T' ? nnb__ccols(p->a, r0, n) : nnb__crows(p->a, r0, n);
  nnb__gemm(p->ta, p->tb, p->alpha, a, p->b, p->beta, nnb__rows(p->c, r0, n));
}

void nnb__gemm_shared(int threads, char ta, char tb, real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  const double flops = 2.0 * c.rows * c.cols * (ta == 'T' ? a.rows : a.cols);
  const double worth = flops / nnb__threshold.thread_flops;
  int parts = worth < threads ? (int)worth : threads;
  if (parts > c.rows) parts = c.rows;
  if (parts < 1) parts = 1;
  product p = {.ta = ta, .tb = tb, .alpha = alpha, .beta = beta, .a = a, .b = b, .c = c, .parts = parts};
  nnb__team_run(parts, share, &p);
}
