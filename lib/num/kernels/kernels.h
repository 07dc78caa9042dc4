/* num/kernels/kernels.h: passes over rows that are not matrix products, in the vector instructions of this processor.
 *
 * kernels_level.c, act.c, layer_rows.c, loss.c, mm.c, mm_row.c, reflect.c, chain_rows_kernel.c, chain_predict_kernel.c,
 * chain_blocks_kernel.c and steps.c are built once per level, cholesky.c and qr.c too, but only in double.  The level
 * "plain" has the flags of the rest of the library.  On x86-64 there are also the levels v2, v3 and v4 of its psABI
 * (SSE4.2; AVX2 and FMA; AVX-512), built with -DNNB__LEVEL=v3 and so on, which is the suffix of their tables. kernels.c
 * selects a level.
 *
 * Some of them are built once more for v3 and v4 (v3_exact, v4_exact), and on arm64 for the compiler's target
 * (plain_exact): with -DNNB_EXACT, without contraction, in the arithmetic of docs/arithmetic.md, whose bits are those
 * of every level.  A thread that computes in it (base/exact.h) gets these tables. */
#ifndef NNB__KERNELS_H
#define NNB__KERNELS_H

#include "chain_blocks_kernel.h"
#include "chain_rows_kernel.h"
#include "factor_kernels.h"
#include "layer_rows.h"
#include "mm.h"
#include "reflect.h"
#include "steps.h"

typedef struct nnb__kernels {
  const char *level;          /* "plain", "v2", "v3", "v4" */
  const nnb_act_ops *acts;    /* by nnb_activation */
  const nnb_loss_ops *losses; /* by nnb_loss; the row of NNB_LOSS_AUTO is empty */
  const nnb__steps *steps;
  /* y ← f(x), n numbers; y may be x.  For tests of the functions inside activations and losses. */
  void (*exp)(size_t n, const real *x, real *y);
  void (*log)(size_t n, const real *x, real *y); /* of finite numbers ≥ REAL_MIN; NaN for NaN and infinity */
  /* b ← beta·b + alpha·(column sums of m); a beta of 0 overwrites */
  void (*col_sums)(nnb_cmat m, real alpha, real beta, real *b);
  /* out ← a·dᵀ, m×n without gaps */
  void (*outer)(int m, int n, const real *a, const real *d, real *out);
  nnb__mm_fn *mm;
  nnb__mm_copy_fn *mm_copy;
  nnb__mm_row_fn *mm_row;
  nnb__mm_two_fn *mm_two;     /* NULL in the usual arithmetic */
  nnb__row_sums_fn *row_sums; /* NULL in the usual arithmetic */
  nnb__reflect_fn *reflect;
  nnb__chain_blocks_fn *chain_blocks;
  nnb__chain_rows_fn *chain_rows;
  nnb__predict_fn *predict;
  /* NULL in the defined arithmetic */
  nnb__qr_fn *qr; /* this and the next one: in double in both precisions */
  nnb__cholesky_fn *cholesky;
  const nnb__layer_rows *layer_rows;
} nnb__kernels;

/* Whether there is a table for the defined arithmetic. */
bool nnb__kernel_has_exact(void);
/* The table for this processor, and for the arithmetic of this thread.  Any thread may call it at any time. */
const nnb__kernels *nnb__kernel(void);
/* The tables that were built and that this processor can run, from 0 (plain) on; NULL after the last.  For tests. */
const nnb__kernels *nnb__kernel_level(int level);
/* For tests: from now on nnb__kernel gives no table above this level. */
void nnb__kernel_limit(int level);

extern const nnb__kernels NNB__KERNELS; /* of the level of this build */

#endif
