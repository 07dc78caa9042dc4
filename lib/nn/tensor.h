/* nn/tensor.h: the numbers of tensors of any precision. */
#ifndef NNB__TENSOR_H
#define NNB__TENSOR_H

#include "bag.h"
#include "real.h"

/* Whether the tensor has floating-point numbers: F64, F32, F16 or BF16. */
bool nnb__tensor_is_real(const nnb__tensor *t);
/* out ← n elements of such a tensor, from element `first` on.  NNB_E_PARSE if a finite number is too large for the
 * precision; errors of its store. */
nnb_status nnb__tensor_reals(const nnb__tensor *t, size_t first, size_t n, real *out);
/* *out ← element i of such a tensor in memory; false if a finite number is too large for the precision. */
bool nnb__tensor_real(const nnb__tensor *t, size_t i, real *out);

#endif
