/* num/blas/blas_threads.h: the BLAS's own threads, which the library does not use.  Not typed: compiled once. */
#ifndef NNB__BLAS_THREADS_H
#define NNB__BLAS_THREADS_H

#include "nnblas/core.h"

/* Between these two calls the BLAS computes with one thread.  Calls nest and may come from several threads at once: the
 * first sets the BLAS's count to 1, the last restores it.  A BLAS that is not OpenBLAS, or that uses OpenMP, is not
 * changed. Each product and factorisation is between the two calls: entering makes sure that OpenBLAS has a work buffer
 * for each thread that may be in one, including the team's.  NNB_E_NOMEM if there is no address space for that; nothing
 * is entered then.  A nested call succeeds. */
nnb_status nnb__blas_enter(void);
void nnb__blas_leave(void);

/* The BLAS's thread count outside of the two calls; 1 if the BLAS cannot report it. */
int nnb__blas_outer_threads(void);

#endif
