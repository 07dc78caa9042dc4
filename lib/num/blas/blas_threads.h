/* num/blas/blas_threads.h: the BLAS's own threads, which the library keeps out of its way.  Not typed: compiled once.
 */
#ifndef NNB__BLAS_THREADS_H
#define NNB__BLAS_THREADS_H

#include "nnblas/core.h"

/* Between the two the BLAS computes with one thread.  Calls nest and may come from several threads at once: the first
 * sets the BLAS's count to 1, the last restores it.  A BLAS that is not OpenBLAS, or threads by OpenMP, is left alone.
 * Each product and factorisation stands between the two: entering makes sure that OpenBLAS has a work buffer for each
 * thread that may be in one, those of the team with it.  NNB_E_NOMEM where there is no address space for that: then
 * nothing is entered.  A nested call succeeds. */
nnb_status nnb__blas_enter(void);
void nnb__blas_leave(void);

/* The BLAS's count outside of the two; 1 where it cannot be asked. */
int nnb__blas_outer_threads(void);

#endif
