/* num/kernels/gradient_tile.h: gradients of weights from blocks of samples, whose lanes are summed at the end of a
 * tile. */
#ifndef NNB__GRADIENT_TILE_H
#define NNB__GRADIENT_TILE_H

#include "vec.h"

#define OWN(j, k)     ((j) & (k) ? LANES + (j) : (j))
#define PARTNER(j, k) ((j) & (k) ? LANES + ((j) ^ (k)) : (j) ^ (k))
/* Lanes j without bit k: x_j + x_(j+k); lanes with it: y_j + y_(j-k). */
#define FOLD(x, y, k) (SHUFFLE(x, y, OWN, k) + SHUFFLE(x, y, PARTNER, k))

/* From LANES vecs: lane j of the result is the sum of the lanes of v[j]. */
INLINE vec sums_of_lanes(vec *v) {
#if LANES > 8
  for (int j = 0; j < 8; j++) v[j] = FOLD(v[j], v[j + 8], 8);
#endif
#if LANES > 4
  for (int j = 0; j < 4; j++) v[j] = FOLD(v[j], v[j + 4], 4);
#endif
#if LANES > 2
  for (int j = 0; j < 2; j++) v[j] = FOLD(v[j], v[j + 2], 2);
#endif
  return FOLD(v[0], v[1], 1);
}

#ifdef VEC_AVX512
enum { TILE_I = 4, TILE_O = 4 }; /* 16 of 32 registers */
#else
enum { TILE_I = 2, TILE_O = 4 }; /* 8 of 16 */
#endif
enum { IN_TILE = TILE_I * TILE_O, TILE_SUMS = IN_TILE < LANES ? LANES : IN_TILE }; /* sums_of_lanes takes LANES */

/* g_io ← g_io + the lanes of sum[i·TILE_O + o], mi by no of them */
INLINE void add_tile(int mi, int no, vec sum[TILE_SUMS], real *g, int ldg) {
  real out[TILE_SUMS];
  for (int k = 0; k < IN_TILE; k += LANES) store(out + k, sums_of_lanes(sum + k));
  for (int i = 0; i < mi; i++) {
    if (no == TILE_O)
      *(quad_in_memory *)(g + i * ldg) += *(const quad_in_memory *)(out + i * TILE_O);
    else
      for (int o = 0; o < no; o++) g[i * ldg + o] += out[i * TILE_O + o];
  }
}

#endif
