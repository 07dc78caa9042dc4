/* num/kernels/reflect.h: Householder reflectors, built once per level. */
#ifndef NNB__REFLECT_H
#define NNB__REFLECT_H

#include "level.h"
#include "real.h"

/* A ← A - b·v·(vᵀ·A) for m rows of n numbers, ld apart; v: m numbers.  vᵀ·A is summed over the rows in their order, and
 * each operation is rounded, so that the tables of the defined arithmetic, and those of processors without fused
 * multiply-adds, have the same bits. */
typedef void nnb__reflect_fn(int m, int n, const real *v, real b, real *a, size_t ld);

/* The function of the level of this build. */
extern nnb__reflect_fn NNB__REFLECT;

#endif
