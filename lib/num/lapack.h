/* num/lapack.h: factorisations.  num/lapack.c is the only file that includes lapacke.h; it uses only LAPACKE_*_work. */
#ifndef NNB__LAPACK_H
#define NNB__LAPACK_H

#include "real.h"

/* Q with orthonormal columns (rows ≥ cols) or rows (rows < cols) from the QR of a, times the signs that make R's diagonal positive;
 * overwrites a (rows×cols, ld = cols).  work: nnb__orthogonal_work() numbers.  false if LAPACK fails. */
bool nnb__orthogonalize(nnb_mat a, real *work);
size_t nnb__orthogonal_work(int rows, int cols);

#endif
