/* num/kernels/chain_predict_kernel.c: predictions of one row (see chain_rows_kernel.h).  Built once per level (see
 * kernels.h).
 */
#include "chain_rows_kernel.h"

#include <string.h>

#include "chain_rows_vec.h"

static void read_part(const ger_gemv *p, int k, int part) { ger_gemv_by_count(p, k, part, false, false, false); }

/* z ← b + Wᵀ·x; W is in place in the parameters. */
static void product(const nnb__link *l, const real *params, const int32_t *list, int n, const real *x, real *z) {
  const real *w = params + l->off, *b = w + (size_t)l->n_in * (size_t)l->n_out;
  ger_gemv p = {.m = (real *)w, /* not written, because v is NULL */
                .ld = (size_t)l->n_out,
                .n = n,
                .list = list,
                .w = x,
                .start = l->bias ? b : NULL,
                .y = z};
#ifdef NNB_EXACT
  p.apart = apart_of(l->n_in, list, n);
#endif
  for (int left = l->n_out; left > 0; left -= MOST * LANES) {
    if (left >= MOST * LANES) {
      read_columns(&p, MOST);
    } else {
      int k = (left + LANES - 1) / LANES;
      read_part(&p, k, left - (k - 1) * LANES);
    }
    if (p.start) p.start += MOST * LANES;
    p.m += MOST * LANES, p.y += MOST * LANES;
  }
}

/* ---- narrow links: all inputs are used, and a row of W fits into a few vecs -------------------------------------- */

enum { MOST_NARROW = LANES < 16 ? 4 : 2 }; /* vecs */

/* How the n_out numbers of a row are loaded as vecs; a constant after inlining.
 *
 *   partial     |x x x|. .|         fewer numbers than lanes: one vec, loaded in part
 *   otherwise   |x x x x x|x x|     n vecs.  The last ends with the row and overlaps the previous one:
 *                    |x x x x x|    no load is masked, which would cost an instruction more
 *
 * The last vec has `tail` numbers, a full vec or its lower half or quarter, the rest 0.  Short loads rarely cross a
 * cache line.  Loads of 64 bytes nearly always do if rows are not a multiple of that, and then take twice as long. */
typedef struct row_shape {
  int n, tail;
  bool partial;
} row_shape;

INLINE vec load_tail(const real *p, const int tail) {
#if defined VEC_AVX512 && defined NNB_SINGLE
  if (tail == LANES / 2) return _mm512_zextps256_ps512(_mm256_loadu_ps(p));
  if (tail == LANES / 4) return _mm512_zextps128_ps512(_mm_loadu_ps(p));
#elif defined VEC_AVX512
  if (tail == LANES / 2) return _mm512_zextpd256_pd512(_mm256_loadu_pd(p));
  if (tail == LANES / 4) return _mm512_zextpd128_pd512(_mm_loadu_pd(p));
#endif
  (void)tail;
  return load(p);
}

/* Vec j of a row of n_out numbers */
INLINE vec row_vec(const real *row, int n_out, int j, const row_shape s) {
  if (s.partial) return load_part(row, n_out);
  return j < s.n - 1 ? load(row + j * LANES) : load_tail(row + n_out - s.tail, s.tail);
}

#ifdef NNB_EXACT
enum { WAYS = 2 }; /* chains */
#else
enum { WAYS = MOST == 8 ? 4 : 2 }; /* independent sums */
#endif

/* sum_h ← sum_h + x_i·W_i for the rows i = r, r + 1, … of W before n, `ways` of them at a time; returns the first row
 * that is left. */
INLINE int add_rows(const nnb__link *l, const real *w, const real *x, int r, int n, vec (*sum)[MOST_NARROW],
                    const int ways, const row_shape s) {
  const int n_out = l->n_out;
  const real *row = w + (size_t)r * (size_t)n_out;
  for (; r + ways <= n; r += ways)
    UNROLL for (int h = 0; h < ways; h++, row += n_out) UNROLL for (int j = 0; j < s.n; j++) sum[h][j] =
        mul_add(fill(x[r + h]), row_vec(row, n_out, j, s), sum[h][j]);
  return r;
}

#ifdef NNB_EXACT
/* The same for all rows, those from `second` on in the second sum. */
INLINE void add_two(const nnb__link *l, const real *w, const real *x, int second, vec (*sum)[MOST_NARROW],
                    const row_shape s) {
  const int n_out = l->n_out, n = l->n_in - second;
  const real *other = w + (size_t)second * (size_t)n_out, *y = x + second;
  int r = 0;
  for (; r < n; r++, w += n_out, other += n_out) UNROLL for (int j = 0; j < s.n; j++) {
      sum[0][j] = mul_add(fill(x[r]), row_vec(w, n_out, j, s), sum[0][j]);
      sum[1][j] = mul_add(fill(y[r]), row_vec(other, n_out, j, s), sum[1][j]);
    }
  add_rows(l, w - (size_t)r * (size_t)n_out, x, r, second, sum, 1, s);
}
#endif

INLINE vec value_inline(nnb_activation act, vec z) { return act == NNB_RELU ? relu_value(z) : value_of(act, z); }

/* v ← f(b + Wᵀ·x); z if f is row-wise.  In the defined arithmetic a sum of -0 becomes +0 if `last`. */
INLINE void narrow_values(const nnb__link *l, bool last, const real *params, const real *x, vec *v, const row_shape s) {
  const real *w = params + l->off, *b = w + (size_t)l->n_in * (size_t)l->n_out;
  const nnb_activation act = is_rowwise(l->act) ? NNB_LINEAR : l->act;
  (void)last;
  vec sum[WAYS][MOST_NARROW] = {{ZERO}};
  UNROLL for (int j = 0; j < s.n; j++) if (l->bias) sum[0][j] = row_vec(b, l->n_out, j, s);
#ifdef NNB_EXACT
  add_two(l, w, x, nnb__second_chain(l->n_in), sum, s);
#else
  int r = add_rows(l, w, x, 0, l->n_in, sum, WAYS, s);
  r = add_rows(l, w, x, r, l->n_in, sum, 2, s);
  add_rows(l, w, x, r, l->n_in, sum, 1, s);
#endif
  UNROLL for (int j = 0; j < s.n; j++) {
    vec z = sum[0][j] + sum[1][j];
    if (WAYS == 4) z += sum[2][j] + sum[3][j];
#ifdef NNB_EXACT
    if (last) z += ZERO;
#endif
    v[j] = value_inline(act, z);
  }
}

/* w·a for a row of n numbers in v */
#ifdef NNB_EXACT
INLINE vec narrow_dot(const real *w, const vec *v, int n, const row_shape s) {
  const int rest = n - (s.n - 1) * LANES;
  const vec end = s.partial ? v[0] : shift_lanes(v[s.n - 1], s.tail - rest, rest);
  quad sum = {0};
  UNROLL for (int j = 0; j < s.n - 1; j++) UNROLL for (int k = 0; k < LANES; k += 4) sum =
      quad_mul_add(quad_of(v[j], k), load_quad(w + j * LANES + k), sum);
  UNROLL for (int k = 0; k < s.tail; k += 4) if (k < rest) sum =
      quad_mul_add(quad_of(end, k), load_quad_part(w + n - rest + k, rest - k < 4 ? rest - k : 4), sum);
  return fill(total_of(sum));
}
#else
INLINE vec narrow_dot(const real *w, const vec *v, int n, const row_shape s) {
  if (s.partial) return sum_lanes(v[0] * load_part(w, n));
  const int twice = (s.n - 1) * LANES + s.tail - n; /* numbers that both the last vec and the one before it have */
  vec sum = pick(first(twice), ZERO, v[s.n - 1] * load_tail(w + n - s.tail, s.tail));
  UNROLL for (int j = 0; j < s.n - 1; j++) sum += v[j] * load(w + j * LANES);
  return sum_lanes(sum);
}
#endif

/* a ← f(z) of a link.  If the next link has one output (one is not NULL): a[0] ← its z, so the values need not go
 * through memory. */
INLINE void narrow_link(const nnb__link *l, const nnb__link *one, bool last, const real *params, const real *x, real *a,
                        const row_shape s) {
  const int n = l->n_out;
  vec v[MOST_NARROW];
  narrow_values(l, last, params, x, v, s);
  if (one) {
    const real *w = params + one->off;
    a[0] = (one->bias ? w[n] : 0) + narrow_dot(w, v, n, s)[0];
    return;
  }
  UNROLL for (int j = 0; j < s.n - 1; j++) store(a + j * LANES, v[j]);
  store(s.partial ? a : a + n - s.tail, v[s.n - 1]);
}
/* Uses the shortest tail that holds the numbers after n - 1 vecs. */
INLINE void narrow_by_tail(const nnb__link *l, const nnb__link *one, bool last, const real *params, const real *x,
                           real *a, const int n) {
#ifdef VEC_AVX512
  const int rest = l->n_out - (n - 1) * LANES;
  if (rest <= LANES / 4) {
    narrow_link(l, one, last, params, x, a, (row_shape){n, LANES / 4, false});
    return;
  }
  if (rest <= LANES / 2) {
    narrow_link(l, one, last, params, x, a, (row_shape){n, LANES / 2, false});
    return;
  }
#endif
  narrow_link(l, one, last, params, x, a, (row_shape){n, LANES, false});
}
/* In the caller: as a function of its own it was given too few registers, and f32 rows took a fifth longer. */
INLINE void narrow_by_count(const nnb__link *l, const nnb__link *one, bool last, const real *params, const real *x,
                            real *a) {
  if (l->n_out < LANES) {
    narrow_link(l, one, last, params, x, a, (row_shape){1, LANES, true});
    return;
  }
  switch ((l->n_out + LANES - 1) / LANES) {
    case 1:
      narrow_link(l, one, last, params, x, a, (row_shape){1, LANES, false});
      break;
    case 2:
      narrow_by_tail(l, one, last, params, x, a, 2);
      break;
#if LANES < 16
    case 3:
      narrow_by_tail(l, one, last, params, x, a, 3);
      break;
    case 4:
      narrow_by_tail(l, one, last, params, x, a, 4);
      break;
#endif
  }
}

/* ---- a link ------------------------------------------------------------------------------------------------------ */

/* Whether link i is a dot product that may follow in registers; in the defined arithmetic it may be a chain. */
static bool has_one_output(const nnb__chain *chain, int i) {
#ifdef NNB_EXACT
  return LANES >= 4 && i < chain->n && nnb__by_sums(chain->link[i].n_in, chain->link[i].n_out);
#else
  return i < chain->n && chain->link[i].n_out == 1;
#endif
}
static bool is_sparse(const nnb__chain *chain, int i) {
  const nnb__link *l = &chain->link[i];
  return l->n_in > NNB__CHAIN_ROWS_FEW && (i == 0 || l[-1].act == NNB_RELU);
}

/* One output: W is a column, and z a dot product. */
static real product_one(const nnb__link *l, const real *params, const real *x) {
  const real *w = params + l->off;
#ifdef NNB_EXACT
  real z = l->bias ? w[l->n_in] : 0;
  if (nnb__by_sums(l->n_in, 1)) return z + sums_dot(l->n_in, x, w) + 0;
  for (int i = 0; i < l->n_in; i++) z = R(fma)(x[i], w[i], z);
  return z + 0;
#else
  return dot(l->n_in, x, w) + (l->bias ? w[l->n_in] : 0);
#endif
}
/* z is one number; loading a vec from where it has just been stored would wait. */
INLINE real value_one(nnb_activation act, real z) {
  if (act == NNB_LINEAR) return z;
  if (is_rowwise(act)) row_value(act, 1, &z, &z);
  return is_rowwise(act) ? z : value_of(act, fill(z))[0];
}
/* a ← f(z), in place */
static void activate_row(const nnb__link *l, real *z) {
  const int n = l->n_out;
  if (is_rowwise(l->act))
    row_value(l->act, n, z, z);
  else if (l->act != NNB_LINEAR)
    for (int j = 0; j < n; j += LANES) store(z + j, value_of(l->act, load(z + j)));
}

void NNB__PREDICT(const nnb__chain *chain, const real *params, const real *x, real *const a[2], int32_t *list,
                  const int32_t *all, real *y) {
  for (int i = 0; i < chain->n; i++) {
    const nnb__link *l = &chain->link[i];
    real *z = a[x == a[0]];
    if (l->n_out == 1) {
      z[0] = value_one(l->act, product_one(l, params, x));
    } else if (is_sparse(chain, i)) {
      product(l, params, list, list_nonzero(l->n_in, x, list), x, z);
      activate_row(l, z);
    } else if (l->n_out > MOST_NARROW * LANES) {
      product(l, params, all, l->n_in, x, z);
      activate_row(l, z);
    } else {
      const nnb__link *one = has_one_output(chain, i + 1) && !is_rowwise(l->act) ? l + 1 : NULL;
      narrow_by_count(l, one, i + 1 == chain->n, params, x, z);
      if (is_rowwise(l->act)) row_value(l->act, l->n_out, z, z);
#ifdef NNB_EXACT
      if (one) z[0] += 0;
#endif
      if (one) z[0] = value_one(one->act, z[0]), i++;
    }
    x = z;
  }
  const int n_y = chain->link[chain->n - 1].n_out;
  if (n_y == 1)
    y[0] = x[0];
  else
    memcpy(y, x, (size_t)n_y * sizeof *y);
}
