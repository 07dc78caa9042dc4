/* num/blas/blas_core.h: the choice of the BLAS's kernels when the library is loaded.  Not typed: compiled once. */
#ifndef NNB__BLAS_CORE_H
#define NNB__BLAS_CORE_H

/* blas.c refers to it, so a static link that takes nnb__gemm also takes the constructor. */
extern const int nnb__blas_core_linked;

#endif
