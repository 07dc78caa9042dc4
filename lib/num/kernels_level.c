/* num/kernels_level.c: the kernels of one level (see kernels.h). */
#include "kernels.h"

#include "vecmath.h"

#define TEXT(x)    #x
#define TEXT_OF(x) TEXT(x)

static void exp_row(size_t n, const real *x, real *y) { map_row(n, x, y, exp_any); }
static void log_row(size_t n, const real *x, real *y) { map_row(n, x, y, log_normal); }

INLINE vec add(vec x, vec y) { return x + y; }
static void add_row(nnb_mat z, const real *b) {
  for (int i = 0; i < z.rows; i++) map2_row((size_t)z.cols, b, nnb__row(z, i), add);
}

/* b ← beta·b + alpha·sum for n ≤ LANES columns */
INLINE void finish(vec sum, real alpha, real beta, real *b, int n) {
  vec y = alpha * sum;
  if (beta != 0) y += beta * load_part(b, n);
  store_part(b, n, y);
}
/* Four vecs of columns, each row once: four sums that do not wait for each other. */
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

/* Two columns of B, part of their length, lie side by side on the stack: then A and B are read along k. */
enum { PART = 512, AT_ONCE = 4 };
typedef struct columns {
  real p[2][PART];
} columns;

static void take_columns(nnb_cmat b, columns *out) {
  for (int k = 0; k < b.rows; k++)
    for (int j = 0; j < b.cols; j++) out->p[j][k] = nnb__crow(b, k)[j];
}
INLINE void narrow_block(int rows, int cols, real alpha, nnb_cmat a, const columns *b, real beta, nnb_mat c) {
  vec sum[AT_ONCE][2] = {{{0}}};
  for (int k = 0; k < a.cols; k += LANES) {
    int n = a.cols - k < LANES ? a.cols - k : LANES;
    vec y[2] = {load_part(b->p[0] + k, n), cols > 1 ? load_part(b->p[1] + k, n) : (vec){0}};
    for (int i = 0; i < rows; i++) {
      vec x = n == LANES ? load(nnb__crow(a, i) + k) : load_part(nnb__crow(a, i) + k, n);
      for (int j = 0; j < cols; j++) sum[i][j] += x * y[j];
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      real *to = nnb__row(c, i) + j;
      *to = (beta == 0 ? 0 : beta * *to) + alpha * sum_lanes(sum[i][j])[0];
    }
}
INLINE void narrow_rows(int cols, real alpha, nnb_cmat a, const columns *b, real beta, nnb_mat c) {
  int i = 0;
  for (; i + AT_ONCE <= c.rows; i += AT_ONCE)
    narrow_block(AT_ONCE, cols, alpha, nnb__crows(a, i, AT_ONCE), b, beta, nnb__rows(c, i, AT_ONCE));
  for (; i < c.rows; i++) narrow_block(1, cols, alpha, nnb__crows(a, i, 1), b, beta, nnb__rows(c, i, 1));
}
static void narrow(real alpha, nnb_cmat a, nnb_cmat b, real beta, nnb_mat c) {
  columns part;
  for (int j = 0; j < c.cols; j += 2)
    for (int k = 0; k < a.cols; k += PART) {
      int cols = c.cols - j < 2 ? 1 : 2, n = a.cols - k < PART ? a.cols - k : PART;
      take_columns(nnb__ccols(nnb__crows(b, k, n), j, cols), &part);
      if (cols == 2)
        narrow_rows(2, alpha, nnb__ccols(a, k, n), &part, k ? 1 : beta, nnb__cols(c, j, cols));
      else
        narrow_rows(1, alpha, nnb__ccols(a, k, n), &part, k ? 1 : beta, nnb__cols(c, j, cols));
    }
}

const nnb__kernels NNB__KERNELS = {
    .level = TEXT_OF(NNB__LEVEL),
    .acts = NNB__ACTS,
    .losses = NNB__LOSSES,
    .exp = exp_row,
    .log = log_row,
    .add_row = add_row,
    .col_sums = col_sums,
    .narrow = narrow,
};
