/* num/kernels/reflect.c: see reflect.h. */
#include "reflect.h"

#include "vec.h"

enum { MOST = 4 }; /* vecs of columns at a time */

/* nv vecs of columns, the last one of `part` */
INLINE void strip(int m, int nv, int part, const real *v, real b, real *a, size_t ld) {
  vec w[MOST];
  UNROLL for (int j = 0; j < nv; j++) w[j] = (vec){0};
  for (int i = 0; i < m; i++)
    UNROLL for (int j = 0; j < nv; j++) w[j] +=
        v[i] * load_up_to(a + (size_t)i * ld + j * LANES, j < nv - 1 ? LANES : part);
  UNROLL for (int j = 0; j < nv; j++) w[j] = b * w[j];
  for (int i = 0; i < m; i++) UNROLL for (int j = 0; j < nv; j++) {
      real *p = a + (size_t)i * ld + j * LANES;
      const int k = j < nv - 1 ? LANES : part;
      store_up_to(p, k, load_up_to(p, k) - v[i] * w[j]);
    }
}

void NNB__REFLECT(int m, int n, const real *v, real b, real *a, size_t ld) {
  for (; n >= MOST * LANES; n -= MOST * LANES, a += MOST * LANES) strip(m, MOST, LANES, v, b, a, ld);
  for (; n > 0; n -= LANES, a += LANES) strip(m, 1, n < LANES ? n : LANES, v, b, a, ld);
}
