/* nn/tensor.c: IEEE 754 binary64, binary32 and binary16, and bfloat16, the upper half of a binary32. */
#include "tensor.h"

#include <string.h>

#include "half.h"
#include "status.h"
#include "text.h"

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

/* Elements of a tensor in memory; the name is that of the tensor they come from. */
static nnb_status convert(const nnb__tensor *t, size_t first, size_t n, real *out) {
  char shown[NNB__SHOWN_TEXT];
  for (size_t i = 0; i < n; i++)
    if (!nnb__tensor_real(t, first + i, &out[i]))
      return nnb__fail(NNB_E_PARSE, "the tensor \"%s\" holds a number too large for single precision",
                       nnb__show(t->name, strlen(t->name), shown));
  return NNB_OK;
}

nnb_status nnb__tensor_reals(const nnb__tensor *t, size_t first, size_t n, real *out) {
  uint64_t raw[1 << 10]; /* a piece */
  const size_t size = nnb__dtype_size(t->dtype);
  const uint64_t at = t->at + (uint64_t)first * size;
  if (!t->store) return convert(t, first, n, out);
  if (t->dtype == NNB__REAL_DTYPE) return t->store->read(t->store->user, out, n * size, at);
  nnb__tensor part = *t;
  part.data = raw, part.store = NULL;
  nnb_status status = NNB_OK;
  for (size_t done = 0, k; done < n && !status; done += k) {
    k = n - done < sizeof raw / size ? n - done : sizeof raw / size;
    status = t->store->read(t->store->user, raw, k * size, at + done * size);
    if (!status) status = convert(&part, 0, k, out + done);
  }
  return status;
}
