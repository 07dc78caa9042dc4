/* num/kernels/layer_rows.h: the loops of layers over the numbers of a row. */
#ifndef NNB__LAYER_ROWS_H
#define NNB__LAYER_ROWS_H

#include "real.h"
/* the precision first */
#include "level.h"

/* The mean of a row, and 1/√(variance + ε). */
typedef struct nnb__moments {
  real mean, root;
} nnb__moments;

typedef struct nnb__layer_rows {
  /* Dropout: mask_j ← 0 where word j of nnb_rng_u32 for (seed, stream) is below bound, else kept. */
  void (*mask)(uint64_t seed, uint64_t stream, uint32_t bound, real kept, int n, real *mask);
  /* Σ a_j, and Σ (a_j - shift)² */
  real (*sum)(int n, const real *a);
  real (*squares)(int n, const real *a, real shift);
  /* Layer normalisation, x = (a - mean)·root: z ← γ ⊙ x + β */
  nnb__moments (*norm)(int n, real epsilon, const real *gain, const real *bias, const real *a, real *z);
  /* with g = δ ⊙ γ: da ← beta·da + root·(g - mean of g - x · mean of g ⊙ x) */
  void (*norm_back)(int n, const nnb__moments *m, const real *gain, const real *a, const real *delta, real beta,
                    real *da);
  /* dg ← dg + δ ⊙ x, db ← db + δ */
  void (*norm_params)(int n, const nnb__moments *m, const real *a, const real *delta, real *dg, real *db);
} nnb__layer_rows;

/* The table of the level of this build. */
extern const nnb__layer_rows NNB__LAYER_ROWS;

#endif
