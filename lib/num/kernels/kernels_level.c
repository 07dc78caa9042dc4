/* num/kernels/kernels_level.c: the kernels of one level (see kernels.h). */
#include "act.h"
#include "kernels.h"
#include "loss.h"

#include "vecmath.h"

#define TEXT(x)    #x
#define TEXT_OF(x) TEXT(x)

static void exp_row(size_t n, const real *x, real *y) { map_row(n, x, y, exp_any); }
static void log_row(size_t n, const real *x, real *y) { map_row(n, x, y, log_normal); }

#ifdef NNB_EXACT
/* nv vecs of columns, the last one of `part`: each sum is one chain that begins with beta·b if alpha is 1, else with 0;
 * then b ← beta·b + alpha·sum. */
INLINE void sum_block(nnb_cmat m, real alpha, real beta, real *b, int nv, int part) {
  vec sum[4], old[4];
  UNROLL for (int k = 0; k < nv; k++) {
    old[k] = beta != 0 ? beta * load_part(b + k * LANES, k < nv - 1 ? LANES : part) : (vec){0};
    sum[k] = alpha == 1 ? old[k] : (vec){0};
  }
  for (int i = 0; i < m.rows; i++)
    UNROLL for (int k = 0; k < nv; k++) sum[k] += load_part(nnb__crow(m, i) + k * LANES, k < nv - 1 ? LANES : part);
  UNROLL for (int k = 0; k < nv; k++) {
    sum[k] += (vec){0};
    store_part(b + k * LANES, k < nv - 1 ? LANES : part, alpha == 1 ? sum[k] : old[k] + alpha * sum[k]);
  }
}
static void col_sums(nnb_cmat m, real alpha, real beta, real *b) {
  int j = 0;
  for (; j + 4 * LANES <= m.cols; j += 4 * LANES) sum_block(nnb__ccols(m, j, 4 * LANES), alpha, beta, b + j, 4, LANES);
  for (; j < m.cols; j += LANES) {
    const int n = m.cols - j < LANES ? m.cols - j : LANES;
    sum_block(nnb__ccols(m, j, n), alpha, beta, b + j, 1, n);
  }
}
#else
/* b ← beta·b + alpha·sum for n ≤ LANES columns */
INLINE void finish(vec sum, real alpha, real beta, real *b, int n) {
  vec y = alpha * sum;
  if (beta != 0) y += beta * load_part(b, n);
  store_part(b, n, y);
}
/* Four vecs of columns at a time, each row once: four independent sums. */
static void sum_wide_block(nnb_cmat m, real alpha, real beta, real *b) {
  vec sum[4] = {{0}};
  for (int i = 0; i < m.rows; i++) {
    for (int k = 0; k < 4; k++) sum[k] += load(nnb__crow(m, i) + k * LANES);
  }
  for (int k = 0; k < 4; k++) finish(sum[k], alpha, beta, b + k * LANES, LANES);
}
/* At most one vec of columns, four rows at a time, for the same reason. */
static void sum_narrow_block(nnb_cmat m, real alpha, real beta, real *b) {
  vec sum[4] = {{0}};
  int i = 0;
  for (; i + 4 <= m.rows; i += 4) {
    for (int k = 0; k < 4; k++) sum[k] += load_part(nnb__crow(m, i + k), m.cols);
  }
  for (; i < m.rows; i++) sum[0] += load_part(nnb__crow(m, i), m.cols);
  finish((sum[0] + sum[1]) + (sum[2] + sum[3]), alpha, beta, b, m.cols);
}
static void col_sums(nnb_cmat m, real alpha, real beta, real *b) {
  int j = 0;
  for (; j + 4 * LANES <= m.cols; j += 4 * LANES) sum_wide_block(nnb__ccols(m, j, 4 * LANES), alpha, beta, b + j);
  for (; j < m.cols; j += LANES) {
    int n = m.cols - j < LANES ? m.cols - j : LANES;
    sum_narrow_block(nnb__ccols(m, j, n), alpha, beta, b + j);
  }
}
#endif

/* One column: out ← d·a. */
static void outer_column(int m, const real *a, real d, real *out) {
  int i = 0;
  for (; i + LANES <= m; i += LANES) store(out + i, d * load(a + i));
  if (i < m) store_part(out + i, m - i, d * load_part(a + i, m - i));
}
static void outer(int m, int n, const real *a, const real *d, real *out) {
  if (n == 1) {
    outer_column(m, a, d[0], out);
    return;
  }
  const real *end = out + (size_t)m * (size_t)n;
  for (int i = 0; i < m; i++, out += n) {
    int j = 0;
    for (; j + LANES <= n; j += LANES) store(out + j, a[i] * load(d + j));
    if (j == n) continue;
    vec v = a[i] * load_part(d + j, n - j);
    if (end - (out + j) >= LANES)
      store(out + j, v); /* numbers beyond the end of a row are overwritten by the next row */
    else
      store_part(out + j, n - j, v);
  }
}

const nnb__kernels NNB__KERNELS = {
    .level = TEXT_OF(NNB__LEVEL),
    .acts = NNB__ACTS,
    .losses = NNB__LOSSES,
    .steps = &NNB__STEPS,
    .exp = exp_row,
    .log = log_row,
    .col_sums = col_sums,
    .outer = outer,
    .mm = NNB__MM,
    .mm_copy = NNB__MM_COPY,
    .mm_row = NNB__MM_ROW,
#ifdef NNB_EXACT
    .mm_two = NNB__MM_TWO,
    .row_sums = NNB__ROW_SUMS,
#endif
    .reflect = NNB__REFLECT,
    .chain_blocks = NNB__CHAIN_BLOCKS,
    .chain_rows = NNB__CHAIN_ROWS,
    .predict = NNB__PREDICT,
#ifndef NNB_EXACT
    .qr = NNB__QR,
    .cholesky = NNB__CHOLESKY,
#endif
    .layer_rows = &NNB__LAYER_ROWS,
};
