/* num/kernels/mm.c: C ← beta·C + alpha·A·B in tiles of C that stay in registers (built once per level).
 *
 * For each k, a tile of `mr` rows and nv vectors of columns reads nv vectors of a row of B in place, and mr numbers of
 * A, each broadcast to a vector: mr·nv multiply-adds for nv + mr loads. */
#include "mm.h"
#include "vec.h"

#ifdef VEC_AVX512
enum { TILE = 24, NV = 3 }; /* vectors of a tile, 24 of 32 registers; maximum of vectors in a row */
enum { DEPTH = 128 };       /* rows of B in one pass over C: NV vectors of each stay in the first-level cache */
#else
enum { TILE = 12, NV = 2 }; /* of 16 */
enum { DEPTH = 256 };
#endif

/* Rows of C that are processed for all columns before the next: their part of A stays in the first- or second-level
 * cache (1024×784·784×128 in f64: 85 GFLOP/s, and 77 with all rows at once). */
enum { ROWS_AT_ONCE = 48 };
/* The number of pages for the rows of B, or of Aᵀ, in one pass over C: the first-level TLB has 64 to 96 entries.  With
 * AVX2, whose registers allow 89 GFLOP/s in f32: 128×784·784×128 in even passes 91, at once 85; 100×300·300×300, where
 * 300 rows cover 88 pages, 91 and 83; (300×100)ᵀ·100×300, one pass where rows share pages, 90, in two passes 86. */
enum { PAGES_AT_ONCE = 64, PAGE = 4096, LINE = 64 };

typedef struct product {
  int m, n, k;
  real alpha, beta;
  nnb__strided a;
  const real *b;
  size_t ldb;
  real *c;
  size_t ldc;
  const real *start; /* NULL, or a number for each row of C that is added to the whole row */
  bool positive;     /* max(C, 0) instead of C */
  bool any_zero; /* in the defined arithmetic: a sum of -0 stays.  Elsewhere it would show which terms of 0 were left
                    out (mm_row.c), but nothing shows the sign of a 0 inside of a chain. */
  bool more;     /* of two chains: from C on */
  int second;    /* the first k of the second chain */
} product;

/* The last vector of a row may be partial. */
INLINE vec load_end(const real *p, bool full_end, int part) { return full_end ? load(p) : load_part(p, part); }
INLINE void store_end(real *p, bool full_end, int part, vec v) {
  if (full_end)
    store(p, v);
  else
    store_masked(p, part, v);
}

/* Prefetches nv vectors into the first-level cache. */
INLINE void fetch(const real *p, int nv) {
  for (int j = 0; j < nv * LANES; j += LINE / (int)sizeof(real)) __builtin_prefetch(p + j);
  __builtin_prefetch(p + nv * LANES - 1);
}

/* mr rows by nv vectors; the last vector has `part` columns unless full_end.  All except part are constants after
 * inlining. */
INLINE void tile(const product *p, int row, int mr, int nv, bool full_end, int part) {
  const size_t a_row = p->a.row, a_col = p->a.col, ldb = p->ldb, ldc = p->ldc;
  const real *a = p->a.p + (size_t)row * a_row, *b = p->b;
  real *c = p->c + (size_t)row * ldc;
  const real *start = p->start ? p->start + row : NULL;
  if (p->beta != 0) UNROLL for (int i = 0; i < mr; i++) fetch(c + (size_t)i * ldc, nv);
  vec sum[TILE][NV];
  UNROLL for (int i = 0; i < mr; i++) {
    vec x = start ? fill(start[i]) : (vec){0};
    UNROLL for (int j = 0; j < nv; j++) sum[i][j] = x;
  }
#ifdef NNB_EXACT /* one chain from the start on: another pass over C goes on with it */
  if (p->beta != 0 && p->alpha == 1)
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] =
        p->beta * load_end(c + (size_t)i * ldc + j * LANES, full_end || j < nv - 1, part);
#endif
  for (int l = p->k; l > 0; l--, b += ldb, a += a_col) {
    vec y[NV];
    UNROLL for (int j = 0; j < nv; j++) y[j] = load_end(b + j * LANES, full_end || j < nv - 1, part);
    UNROLL for (int i = 0; i < mr; i++) {
      vec x = fill(a[(size_t)i * a_row]);
      UNROLL for (int j = 0; j < nv; j++) sum[i][j] = mul_add(x, y[j], sum[i][j]);
    }
  }
#ifdef NNB_EXACT
  if (!p->any_zero) UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] += (vec){0};
  if (p->alpha != 1)
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] =
        p->beta * load_end(c + (size_t)i * ldc + j * LANES, full_end || j < nv - 1, part) + p->alpha * sum[i][j];
#else
  if (p->alpha != 1) UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] *= p->alpha;
  if (p->beta != 0)
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] +=
        p->beta * load_end(c + (size_t)i * ldc + j * LANES, full_end || j < nv - 1, part);
#endif
  if (p->positive)
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] = at_least(sum[i][j], 0);
  UNROLL for (int i = 0; i < mr; i++) /* after all loads, which would wait for overlapping stores */
      UNROLL for (int j = 0; j < nv; j++)
          store_end(c + (size_t)i * ldc + j * LANES, full_end || j < nv - 1, part, sum[i][j]);
}

/* One column of tiles: rows in tiles of TILE vectors, then the rest. */
INLINE void column(const product *p, int nv, bool full_end, int part) {
  int i = 0;
  for (; p->m - i >= TILE / nv; i += TILE / nv) tile(p, i, TILE / nv, nv, full_end, part);
  if (12 < TILE / nv)
    for (; p->m - i >= 12; i += 12) tile(p, i, 12, nv, full_end, part);
  if (8 < TILE / nv)
    for (; p->m - i >= 8; i += 8) tile(p, i, 8, nv, full_end, part);
  for (; p->m - i >= 4; i += 4) tile(p, i, 4, nv, full_end, part);
  for (; p->m - i >= 2; i += 2) tile(p, i, 2, nv, full_end, part);
  for (; p->m - i >= 1; i += 1) tile(p, i, 1, nv, full_end, part);
}
static void column_1(const product *p) { column(p, 1, true, LANES); }
static void column_2(const product *p) { column(p, 2, true, LANES); }
static void end_1(const product *p, int part) { column(p, 1, false, part); }
static void end_2(const product *p, int part) { column(p, 2, false, part); }
#if VEC_BYTES == 64
static void column_3(const product *p) { column(p, 3, true, LANES); }
static void end_3(const product *p, int part) { column(p, 3, false, part); }
#else /* not called: columns have at most NV vectors */
#define column_3 column_2
#define end_3    end_2
#endif

/* The first nv vectors of columns, or the rest of them. */
static void multiply_columns(const product *p, int nv) {
  int part = p->n < nv * LANES ? p->n % LANES : 0;
  if (part == 0)
    nv == 1 ? column_1(p) : nv == 2 ? column_2(p) : column_3(p);
  else
    nv == 1 ? end_1(p, part) : nv == 2 ? end_2(p, part) : end_3(p, part);
}

/* The width of the next column of tiles in vectors, such that n is divided evenly: 8 into 3, 3 and 2, 4 into 2 and 2.
 */
static int next_width(int n) {
  int vecs = (n + LANES - 1) / LANES, columns = (vecs + NV - 1) / NV;
  return (vecs + columns - 1) / columns;
}

static int up_to(int n, int limit) { return n < limit ? n : limit; }

/* All columns for a few rows; advances b, c and n.  fresh: B has not been read yet, so its next columns are
 * prefetched. */
static void wide(product *p, bool fresh) {
  while (p->n > 0) {
    int nv = next_width(p->n), n = up_to(p->n, nv * LANES);
    for (int l = 0; fresh && p->n > n && l < p->k; l++) fetch(p->b + (size_t)l * p->ldb + n, NV);
    multiply_columns(p, nv);
    p->b += n, p->c += n, p->n -= n;
  }
}

static void all_rows(const product *p) {
  product part = *p;
  for (int i = 0; i < p->m; i += part.m) {
    part.m = up_to(p->m - i, ROWS_AT_ONCE), part.n = p->n, part.b = p->b;
    part.a.p = p->a.p + (size_t)i * p->a.row, part.c = p->c + (size_t)i * p->ldc;
    wide(&part, i == 0);
  }
}

/* The number of rows of ld numbers on PAGES_AT_ONCE pages. */
static int rows_on_pages(size_t ld) {
  const size_t bytes = ld * sizeof(real);
  return bytes < PAGE ? PAGES_AT_ONCE * PAGE / (int)bytes : PAGES_AT_ONCE;
}

/* Rows of a pass: k divided evenly into passes of at most this number. */
static int even_depth(int k, int most) {
  int passes = (k + most - 1) / most;
  return passes > 1 ? (k + passes - 1) / passes : most;
}

void NNB__MM(int m, int n, int k, real alpha, nnb__strided a, const real *b, size_t ldb, real beta, real *c,
             size_t ldc) {
  product p = {m, n, k, alpha, beta, a, b, ldb, c, ldc, NULL, false, false, false, 0};
  int most = up_to(DEPTH, rows_on_pages(ldb));
  if (a.row < a.col) most = up_to(most, rows_on_pages(a.col));
#ifdef NNB_EXACT
  if (alpha != 1) most = k;
#endif
  for (int left = k, depth = even_depth(k, most);; p.beta = 1) {
    p.k = up_to(left, depth);
    all_rows(&p);
    left -= p.k;
    if (left == 0) return;
    p.a.p += (size_t)p.k * a.col, p.b += (size_t)p.k * ldb;
  }
}

void NNB__MM_FROM(int m, int n, int k, const real *start, const real *a, size_t row, size_t col, const real *b,
                  size_t ldb, real *c, size_t ldc, bool positive) {
  product p = {m, n, k, 1, 0, {a, row, col}, b, ldb, c, ldc, start, positive, true, false, 0};
  wide(&p, false);
}

#ifdef NNB_EXACT
/* ---- two chains -------------------------------------------------------------------------------------------------- */

/* sum_ij ← sum_ij + a_ik·b_kj */
INLINE void add_product(const product *p, const real *a, const real *b, int mr, int nv, bool full_end, int part,
                        vec (*sum)[NV]) {
  vec y[NV];
  UNROLL for (int j = 0; j < nv; j++) y[j] = load_end(b + j * LANES, full_end || j < nv - 1, part);
  UNROLL for (int i = 0; i < mr; i++) {
    const vec x = fill(a[(size_t)i * p->a.row]);
    UNROLL for (int j = 0; j < nv; j++) sum[i][j] = mul_add(x, y[j], sum[i][j]);
  }
}

/* tile with two sums for each number, so half as many numbers */
INLINE void tile_of_two(const product *p, int row, int mr, int nv, bool full_end, int part) {
  const real *a = p->a.p + (size_t)row * p->a.row, *b = p->b;
  const size_t step_a = (size_t)p->second * p->a.col, step_b = (size_t)p->second * p->ldb;
  real *c = p->c + (size_t)row * p->ldc;
  vec sum[TILE / 2][NV], apart[TILE / 2][NV];
  UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) {
    sum[i][j] = p->start ? fill(p->start[row + i]) : (vec){0}, apart[i][j] = (vec){0};
    if (p->more) sum[i][j] = load_end(c + (size_t)i * p->ldc + j * LANES, full_end || j < nv - 1, part);
  }
  for (int l = 0; l < p->second; l++, a += p->a.col, b += p->ldb) {
    add_product(p, a, b, mr, nv, full_end, part, sum);
    if (l < p->k - p->second) add_product(p, a + step_a, b + step_b, mr, nv, full_end, part, apart);
  }
  UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < nv; j++) {
    vec z = sum[i][j] + apart[i][j];
    if (!p->any_zero) z += (vec){0};
    store_end(c + (size_t)i * p->ldc + j * LANES, full_end || j < nv - 1, part, p->positive ? at_least(z, 0) : z);
  }
}

INLINE void column_of_two(const product *p, int nv, bool full_end, int part) {
  int i = 0;
  for (; p->m - i >= TILE / 2 / nv; i += TILE / 2 / nv) tile_of_two(p, i, TILE / 2 / nv, nv, full_end, part);
  if (TILE / 2 / nv > 3 && p->m - i == 3) {
    tile_of_two(p, i, 3, nv, full_end, part);
    return;
  }
  for (; p->m - i >= 2; i += 2) tile_of_two(p, i, 2, nv, full_end, part);
  if (i < p->m) tile_of_two(p, i, 1, nv, full_end, part);
}
static void two_1(const product *p) { column_of_two(p, 1, true, LANES); }
static void two_2(const product *p) { column_of_two(p, 2, true, LANES); }
#ifdef VEC_AVX512
static void two_3(const product *p) { column_of_two(p, 3, true, LANES); }
#endif
static void two_end(const product *p, int part) { column_of_two(p, 1, false, part); }

void NNB__MM_TWO(int m, int n, int k, int second, const real *start, bool more, const real *a, size_t row, size_t col,
                 const real *b, size_t ldb, real *c, size_t ldc, bool positive, bool any_zero) {
  product p = {m, n, k, 1, 0, {a, row, col}, b, ldb, c, ldc, start, positive, any_zero, more, second};
#ifdef VEC_AVX512
  for (; p.n >= 3 * LANES; p.n -= 3 * LANES, p.b += 3 * LANES, p.c += 3 * LANES) two_3(&p);
#endif
  for (; p.n >= 2 * LANES; p.n -= 2 * LANES, p.b += 2 * LANES, p.c += 2 * LANES) two_2(&p);
  for (; p.n >= LANES; p.n -= LANES, p.b += LANES, p.c += LANES) two_1(&p);
  if (p.n > 0) two_end(&p, p.n);
}

void NNB__ROW_SUMS(int rows, int k, const real *a, size_t lda, const real *b, bool more, real *c, size_t ldc) {
  for (int i = 0; i < rows; i++, a += lda, c += ldc) c[0] = (more ? c[0] : 0) + sums_dot(k, a, b) + 0;
}
#endif

/* ---- with a copy of B -------------------------------------------------------------------------------------------- */

/* A piece of B in the order in which the tiles read it: rows of at most NV vectors, at most 24 KB, on the stack. */
typedef struct panel {
  real at[DEPTH * NV * LANES];
} panel;

/* panel ← k×n of B, in rows of nv vectors; numbers beyond n are not read by the tiles, or their results are not used */
static void copy_panel(int n, int nv, int k, const real *b, size_t ldb, real *to) {
  for (int l = 0; l < k; l++, b += ldb, to += nv * LANES)
    for (int j = 0; j < n; j += LANES) store(to + j, load_part(b + j, up_to(n - j, LANES)));
}

/* panel ← (n×k of B)ᵀ, in rows of nv vectors */
static void transpose_panel(int n, int nv, int k, const real *b, size_t ldb, real *to) {
  for (int j = 0; j < n; j += LANES)
    for (int l = 0; l < k; l += LANES) {
      vec v[LANES];
      for (int i = 0; i < LANES; i++)
        v[i] = j + i < n ? load_part(b + (size_t)(j + i) * ldb + l, up_to(k - l, LANES)) : (vec){0};
      transpose(v);
      for (int i = 0; i < LANES; i++) store(to + (size_t)((l + i) * nv * LANES + j), v[i]);
    }
}

void NNB__MM_COPY(int m, int n, int k, real alpha, nnb__strided a, const real *b, size_t ldb, bool transposed,
                  real beta, real *c, size_t ldc) {
  panel copy;
  for (int j = 0, width; j < n; j += width) {
    int nv = next_width(n - j);
    width = up_to(n - j, nv * LANES);
    product p = {m, width, 0, alpha, beta, a, copy.at, (size_t)(nv * LANES), c + j, ldc, NULL, false, false, false, 0};
    const int depth = even_depth(k, DEPTH);
    for (int l = 0; l == 0 || l < k; l += depth, p.beta = 1) {
      p.k = up_to(k - l, depth);
      if (transposed)
        transpose_panel(width, nv, p.k, b + (size_t)j * ldb + l, ldb, copy.at);
      else
        copy_panel(width, nv, p.k, b + (size_t)l * ldb + j, ldb, copy.at);
      p.a.p = a.p + (size_t)l * a.col;
      multiply_columns(&p, nv);
    }
  }
}
