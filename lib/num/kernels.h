/* num/kernels.h: passes over rows that are not matrix products, in vector instructions chosen when the library is
 * loaded.  Functions of one row or one flat array; IEEE special cases right. */
#ifndef NNB__KERNELS_H
#define NNB__KERNELS_H

#include "real.h"

typedef struct nnb__kernels {
  const char *level; /* "v4", "v3", "v2", "plain" */
  /* y ← f(x), n numbers; y may be x */
  void (*exp)(size_t n, const real *x, real *y);
  void (*sigmoid)(size_t n, const real *x, real *y);
  void (*tanh)(size_t n, const real *x, real *y);
  void (*relu)(size_t n, const real *x, real *y);
  void (*softmax)(int n, const real *x, real *y); /* one row */
  /* y ← x·(1-x)·d … the pulls of the common activations: d ← d·f'(…) from a */
  void (*pull_sigmoid)(size_t n, const real *a, real *d);
  void (*pull_tanh)(size_t n, const real *a, real *d);
  void (*pull_relu)(size_t n, const real *a, real *d);
  /* z ← z + b, row by row of a rows×cols matrix */
  void (*add_row)(nnb_mat z, const real *b);
  /* b ← beta·b + alpha·(column sums of m); a beta of 0 overwrites */
  void (*col_sums)(nnb_cmat m, real alpha, real beta, real *b);
} nnb__kernels;

/* The table for this processor. */
const nnb__kernels *nnb__kernel(void);

#endif
