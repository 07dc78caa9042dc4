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

/* What the derivative by the rows of batch normalisation needs, a number for each channel. */
typedef struct nnb__channel_terms {
  const real *mean, *scale, *level, *slope;
} nnb__channel_terms;

typedef struct nnb__layer_rows {
  /* Dropout: mask_j ← 0 where word j of nnb_rng_u32 for (seed, stream) is below bound, else kept. */
  void (*mask)(uint64_t seed, uint64_t stream, uint32_t bound, real kept, int n, real *mask);
  /* out_j ← beta·out_j + a_j·b_j */
  void (*times)(int n, const real *a, const real *b, real beta, real *out);
  /* Σ a_j */
  real (*sum)(int n, const real *a);
  /* Layer normalisation, x = (a - mean)·root: z ← γ ⊙ x + β */
  nnb__moments (*norm)(int n, real epsilon, const real *gain, const real *bias, const real *a, real *z);
  /* with g = δ ⊙ γ: da ← beta·da + root·(g - mean of g - x · mean of g ⊙ x) */
  void (*norm_back)(int n, const nnb__moments *m, const real *gain, const real *a, const real *delta, real beta,
                    real *da);
  /* dg ← dg + δ ⊙ x, db ← db + δ */
  void (*norm_params)(int n, const nnb__moments *m, const real *a, const real *delta, real *dg, real *db);
  /* Batch normalisation, of rows with channels of `pixels` numbers; mean, scale, … have a number for each channel c.
   * sum_c ← sum_c + Σ a, or with mean Σ (a - mean_c)², over rows and pixels */
  void (*channel_sums)(nnb_cmat a, int pixels, const real *mean, real *sum);
  /* dg_c ← dg_c + Σ δ ⊙ (a - mean_c), db_c ← db_c + Σ δ */
  void (*channel_slopes)(nnb_cmat delta, nnb_cmat a, int pixels, const real *mean, real *dg, real *db);
  /* z ← scale_c·(a - mean_c) + shift_c */
  void (*channel_scale)(nnb_cmat a, int pixels, const real *mean, const real *scale, const real *shift, nnb_mat z);
  /* da ← beta·da + scale_c·(δ - level_c - (a - mean_c)·slope_c) */
  void (*channel_back)(nnb_cmat delta, nnb_cmat a, int pixels, const nnb__channel_terms *terms, real beta, nnb_mat da);
} nnb__layer_rows;

/* The table of the level of this build. */
extern const nnb__layer_rows NNB__LAYER_ROWS;

#endif
