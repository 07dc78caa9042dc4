/* num/factor/orthogonal.h: orthogonal matrices for initial weights. */
#ifndef NNB__ORTHOGONAL_H
#define NNB__ORTHOGONAL_H

#include "real.h"

/* Overwrites a with Q, which has orthonormal columns (rows ≥ cols) or rows (rows < cols): Q of the QR of a, or of its
 * transpose, with the signs that make R's diagonal positive.  The bits are the same on every processor.  work:
 * nnb__orthogonal_work() numbers. */
void nnb__orthogonalize(nnb_mat a, real *work);
size_t nnb__orthogonal_work(int rows, int cols);

#endif
