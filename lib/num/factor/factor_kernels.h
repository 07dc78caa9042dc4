/* num/factor/factor_kernels.h: factorisations that are built once for each level of vector instructions. */
#ifndef NNB__FACTOR_KERNELS_H
#define NNB__FACTOR_KERNELS_H

#include <stdbool.h>

#include "level.h"

/* nnb__qr_add_with of normal.h */
typedef void nnb__qr_fn(int n, int k, double *l, int ld, double *b, int n_rhs, double *z, int ld_z, double *c);

/* nnb__cholesky of normal.h */
typedef bool nnb__cholesky_fn(int n, double *a);

extern nnb__qr_fn NNB__QR;
extern nnb__cholesky_fn NNB__CHOLESKY;

#endif
