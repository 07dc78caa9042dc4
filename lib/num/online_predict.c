/* num/online_predict.c: predictions of one row (see online.h).  Built once per level (see kernels.h). */
#include "online.h"

#include <string.h>

#include "online_row.h"

static void read_part(const pass *p, int k, int part) { columns_by_count(p, k, part, false, false); }

/* z ← b + Wᵀ·x; W as it lies in the parameters. */
static void product(const nnb__link *l, const real *params, const int32_t *list, int n, const real *x, real *z) {
  const real *w = params + l->off, *b = w + (size_t)l->n_in * (size_t)l->n_out;
  pass p = {.m = (real *)w, /* not written without v */
            .ld = (size_t)l->n_out,
            .n = n,
            .list = list,
            .w = x,
            .start = l->bias ? b : NULL,
            .y = z};
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

INLINE vec value_soon(nnb_activation act, vec z) { return act == NNB_RELU ? relu_value(z) : value_of(act, z); }

/* Links of at least a vec and at most MOST_NARROW of columns, all of whose inputs are taken.  The last vec ends with
 * the row, over columns of the one before: no load is masked, which would cost an instruction more. */
enum { MOST_NARROW = LANES < 16 ? 4 : 2 };
INLINE int column_of(int j, int k, int n, int tail) { return j < k - 1 ? j * LANES : n - tail; }

/* `tail` numbers, all lanes or the lower half or quarter, the others 0.  Short loads seldom cross a cache line, and
 * those of 64 bytes nearly always do in rows that are no multiple of that, which takes them twice as long. */
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

/* v ← f(b + Wᵀ·x), k vecs, the last of them with `tail` lanes; tail 0: a part in one that is not whole */
INLINE void narrow(const nnb__link *l, const real *params, const real *x, vec *v, const int k, const int tail) {
  enum { WAYS = MOST == 8 ? 4 : 2 };
  const int n = l->n_in, n_out = l->n_out;
  const size_t ld = (size_t)n_out;
  const real *w = params + l->off, *b = w + (size_t)n * ld;
  vec sum[WAYS][MOST_NARROW] = {{ZERO}};
/* Vec j of the row at p, behind which the next one begins at p + ld. */
#define PIECE(p, j) \
  (!tail ? load_part(p, n_out) : (j) < k - 1 ? load((p) + (j)*LANES) : load_tail((p) + ld - tail, tail))
  UNROLL for (int j = 0; j < k; j++) if (l->bias) sum[0][j] = PIECE(b, j);
  int r = 0;
/* `ways` rows, with sums that do not wait for each other */
#define ROWS(ways)                                                                             \
  for (; r + (ways) <= n; r += (ways), w += (ways)*ld) {                                       \
    UNROLL for (int h = 0; h < (ways); h++) {                                                  \
      UNROLL for (int j = 0; j < k; j++) sum[h][j] += x[r + h] * PIECE(w + (size_t)h * ld, j); \
    }                                                                                          \
  }
  ROWS(WAYS)
  ROWS(2)
  ROWS(1)
#undef ROWS
#undef PIECE
  const nnb_activation act = is_rowwise(l->act) ? NNB_LINEAR : l->act; /* the caller applies it to the row */
  UNROLL for (int j = 0; j < k; j++) {
    vec z = sum[0][j] + sum[1][j];
    if (WAYS == 4) z += sum[2][j] + sum[3][j];
    v[j] = value_soon(act, z);
  }
}

/* a ← f(z) of a link; or, where the next one has one output, that one's z: a dot product, for which A need not go
 * through memory. */
INLINE void narrow_link(const nnb__link *l, const nnb__link *one, const real *params, const real *x, real *a,
                        const int k, const int tail) {
  const int n = l->n_out, twice = (k - 1) * LANES + tail - n; /* lanes of the last vec that the one before has, too */
  vec v[MOST_NARROW];
  narrow(l, params, x, v, k, tail);
  if (one) {
    const real *w = params + one->off;
    vec sum = tail ? pick(first(twice), ZERO, v[k - 1] * load_tail(w + n - tail, tail)) : v[0] * load_part(w, n);
    UNROLL for (int j = 0; j < k - 1; j++) sum += v[j] * load(w + j * LANES);
    a[0] = sum_lanes(sum)[0] + (one->bias ? w[n] : 0);
  } else {
    UNROLL for (int j = 0; j < k; j++) store(a + (tail ? column_of(j, k, n, tail) : 0), v[j]);
  }
}
/* The shortest tail that holds what k - 1 vecs leave. */
INLINE void narrow_by_tail(const nnb__link *l, const nnb__link *one, const real *params, const real *x, real *a,
                           const int k) {
#ifdef VEC_AVX512
  const int rest = l->n_out - (k - 1) * LANES;
  if (rest <= LANES / 4) {
    narrow_link(l, one, params, x, a, k, LANES / 4);
    return;
  }
  if (rest <= LANES / 2) {
    narrow_link(l, one, params, x, a, k, LANES / 2);
    return;
  }
#endif
  narrow_link(l, one, params, x, a, k, LANES);
}
static void narrow_by_count(const nnb__link *l, const nnb__link *one, const real *params, const real *x, real *a) {
  if (l->n_out < LANES) {
    narrow_link(l, one, params, x, a, 1, 0);
    return;
  }
  switch ((l->n_out + LANES - 1) / LANES) {
    case 1:
      narrow_link(l, one, params, x, a, 1, LANES);
      break;
    case 2:
      narrow_by_tail(l, one, params, x, a, 2);
      break;
#if LANES < 16
    case 3:
      narrow_by_tail(l, one, params, x, a, 3);
      break;
    case 4:
      narrow_by_tail(l, one, params, x, a, 4);
      break;
#endif
  }
}

static bool has_one_output(const nnb__chain *chain, int i) { return i < chain->n && chain->link[i].n_out == 1; }
static bool is_sparse(const nnb__chain *chain, int i) {
  const nnb__link *l = &chain->link[i];
  return l->n_in > NNB__ONLINE_FEW && (i == 0 || l[-1].act == NNB_RELU);
}

/* One output: W is a column, and z a dot product. */
static real product_one(const nnb__link *l, const real *params, const real *x) {
  const real *w = params + l->off;
  return dot(l->n_in, x, w) + (l->bias ? w[l->n_in] : 0);
}
/* z is one number: a vec loaded from where it has just been stored would wait. */
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
      narrow_by_count(l, one, params, x, z);
      if (is_rowwise(l->act)) row_value(l->act, l->n_out, z, z);
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
