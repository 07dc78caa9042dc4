/* base/half.h: IEEE 754 binary16. */
#ifndef NNB__HALF_H
#define NNB__HALF_H

#include <math.h>
#include <stdint.h>

/* ±(1 + m/2¹⁰)·2^(e-15), for e 0 ±m/2¹⁰·2⁻¹⁴ */
static inline float nnb__half_to_float(uint16_t h) {
  const int e = h >> 10 & 31, m = h & 1023;
  const float size = e == 31 ? (m ? NAN : INFINITY) : e ? ldexpf((float)(m + 1024), e - 25) : ldexpf((float)m, -24);
  return h >> 15 ? -size : size;
}

#endif
