/* num/mm.c: C ← beta·C + alpha·A·B in tiles of C that stay in registers (built once per level).
 *
 * For each k a tile of MR rows and NV vectors of columns takes NV vectors of a row of B, straight from where they lie,
 * and MR numbers of A, each spread over a vector: MR·NV multiply-adds for NV + MR loads. */
#include "kernels.h"
#include "vec.h"

#ifdef VEC_AVX512
enum { NV = 3, MR = 8 }; /* 24 of 32 registers hold the tile */
#else
enum { NV = 2, MR = 6 }; /* 12 of 16 */
#endif

/* The last vector of a row may be a part of one. */
INLINE vec load_end(const real *p, bool full_end, int part) { return full_end ? load(p) : load_part(p, part); }

/* mr rows by nv vectors, the last of `part` columns unless full_end; all but part are constants where this is used. */
INLINE void tile(int mr, int nv, bool full_end, int part, int k, real alpha, nnb__strided a, const real *b, size_t ldb,
                 real beta, real *c, size_t ldc) {
  vec sum[MR][NV];
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) sum[i][j] = (vec){0};
  for (int l = 0; l < k; l++, b += ldb, a.p += a.col) {
    vec row[NV];
    for (int j = 0; j < nv; j++) row[j] = load_end(b + j * LANES, full_end || j < nv - 1, part);
    for (int i = 0; i < mr; i++) {
      vec x = fill(a.p[(size_t)i * a.row]);
      for (int j = 0; j < nv; j++) sum[i][j] += x * row[j];
    }
  }
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) {
      real *at = c + (size_t)i * ldc + j * LANES;
      bool full = full_end || j < nv - 1;
      vec v = alpha * sum[i][j];
      if (beta != 0) v += beta * load_end(at, full, part);
      if (full)
        store(at, v);
      else
        store_part(at, part, v);
    }
}

/* The rows of C in tiles of MR and what is left over, for one column of tiles. */
INLINE void column(int m, int nv, bool full_end, int part, int k, real alpha, nnb__strided a, const real *b, size_t ldb,
                   real beta, real *c, size_t ldc) {
  int i = 0;
#define ROWS(count)                                                                  \
  for (; m - i >= count; i += count, a.p += count * a.row, c += (size_t)count * ldc) \
  tile(count, nv, full_end, part, k, alpha, a, b, ldb, beta, c, ldc)
#ifdef VEC_AVX512
  ROWS(8);
#else
  ROWS(6);
#endif
  ROWS(4);
  ROWS(2);
  ROWS(1);
#undef ROWS
}

void NNB__MM(int m, int n, int k, real alpha, nnb__strided a, const real *b, size_t ldb, real beta, real *c,
             size_t ldc) {
  int j = 0;
  for (; n - j >= NV * LANES; j += NV * LANES) column(m, NV, true, 0, k, alpha, a, b + j, ldb, beta, c + j, ldc);
  int left = n - j, part = left % LANES;
  if (left == 0) return;
  b += j, c += j;
#if defined VEC_AVX512
  if (left > 2 * LANES)
    column(m, 3, false, part, k, alpha, a, b, ldb, beta, c, ldc);
  else
#endif
      if (left == 2 * LANES)
    column(m, 2, true, 0, k, alpha, a, b, ldb, beta, c, ldc);
  else if (left > LANES)
    column(m, 2, false, part, k, alpha, a, b, ldb, beta, c, ldc);
  else if (left == LANES)
    column(m, 1, true, 0, k, alpha, a, b, ldb, beta, c, ldc);
  else
    column(m, 1, false, part, k, alpha, a, b, ldb, beta, c, ldc);
}
