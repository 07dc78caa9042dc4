/* nn/tensor.c: IEEE 754 binary64, binary32 and binary16, and bfloat16, the upper half of a binary32. */
#include "tensor.h"

#include <string.h>

#include "half.h"

bool nnb__tensor_is_real(const nnb__tensor *t) {
  return t->dtype == NNB__F64 || t->dtype == NNB__F32 || t->dtype == NNB__F16 || t->dtype == NNB__BF16;
}

static float from_upper_half(uint16_t h) {
  const uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

bool nnb__tensor_real(const nnb__tensor *t, size_t i, real *out) {
  const char *p = (const char *)t->data + i * nnb__dtype_size(t->dtype);
  double d = 0;
  float f = 0;
  uint16_t h = 0;
  if (t->dtype == NNB__F64) {
    memcpy(&d, p, sizeof d);
    *out = (real)d;
    return !isinf(*out) || isinf(d);
  }
  if (t->dtype == NNB__F32)
    memcpy(&f, p, sizeof f);
  else
    memcpy(&h, p, sizeof h);
  *out = (real)(t->dtype == NNB__F32 ? f : t->dtype == NNB__F16 ? nnb__half_to_float(h) : from_upper_half(h));
  return true;
}
