/* num/factor/qr.c: R of [R; B] by Householder reflections, for one level (see kernels.h).  PANEL reflections are made,
 * one after the other, and applied to all later columns at once (after Schreiber and Van Loan 1989, "A
 * storage-efficient WY representation for products of Householder transformations", without forming its T). */
#include "factor_kernels.h"
#include "vec.h"

#ifdef NNB_SINGLE
#error "double in both precisions: compiled once"
#endif

#ifdef VEC_AVX512
enum { PANEL = 4, GROUP = 4 }; /* PANEL·GROUP sums in registers */
#else
enum { PANEL = 2, GROUP = 4 };
#endif

/* Columns of L, or right-hand sides, from row j on, with the matching parts of B or C: [a; x], a ld apart, x k apart.
 */
typedef struct columns {
  double *a, *x;
  size_t ld;
  int n;
} columns;

/* I - τ·[1; v]·[1; v]ᵀ for each column of a panel, and the products v_pᵀv_q. */
typedef struct panel {
  const double *v; /* k apart */
  double tau[PANEL], product[PANEL][PANEL];
} panel;

static void scale(int k, double by, double *x) {
  for (int i = 0; i < k; i++) x[i] *= by;
}

/* A power of 2 that scales the largest of [a; x] to about 1, so that squares neither underflow nor overflow. */
static double moderation(int k, double a, const double *x) {
  double most = fabs(a);
  int exponent = 0;
  for (int i = 0; i < k; i++) most = fmax(most, fabs(x[i]));
  frexp(most, &exponent);
  return isinf(most) ? 1 : ldexp(1, exponent > -1000 ? -exponent : 1000);
}

/* [a; x] ← [∓‖[a; x]‖; v]; returns τ, 0 if x is 0.  above: the elements above a in its column.  Compared with them, x
 * may be a rounding error of 0; each reflection would reduce it by ε, down to subnormal numbers, which are slow. */
static double reflect(int n_above, const double *above, int k, double *a, double *x) {
  const double squares_above = row_dot(n_above, above, above)[0];
  double squares = row_dot(k, x, x)[0], by = 1, first = *a;
  if (squares <= 1e-40 * squares_above && squares_above < 1e200) return 0;
  if (!(squares > 1e-200 && squares < 1e200 && fabs(first) < 1e100)) {
    by = moderation(k, first, x);
    scale(k, by, x);
    first *= by, squares = row_dot(k, x, x)[0];
  }
  if (squares == 0) return 0;
  const double norm = sqrt(first * first + squares), to = first > 0 ? -norm : norm;
  scale(k, 1 / (first - to), x);
  *a = to / by;
  return (to - first) / to;
}

/* Applies r reflections to m columns: s_q = τ_q·(a_q + v_qᵀx - Σ_{p<q} s_p·v_pᵀv_q), a -= s, x -= Σ s_q·v_q. */
INLINE void apply_to(int r, int m, int k, const panel *p, columns c) {
  vec sum[PANEL][GROUP] = {{{0}}};
  double s[PANEL][GROUP];
  const size_t next = (size_t)k;
  int i = 0;
  for (; i + LANES <= k; i += LANES) UNROLL for (int q = 0; q < r; q++) {
      const vec v = load(p->v + (size_t)q * next + i);
      UNROLL for (int j = 0; j < m; j++) sum[q][j] += v * load(c.x + (size_t)j * next + i);
    }
  if (i < k) UNROLL for (int q = 0; q < r; q++) {
      const vec v = load_part(p->v + (size_t)q * next + i, k - i);
      UNROLL for (int j = 0; j < m; j++) sum[q][j] += v * load_part(c.x + (size_t)j * next + i, k - i);
    }
  UNROLL for (int j = 0; j < m; j++) UNROLL for (int q = 0; q < r; q++) {
    double *a = c.a + (size_t)j * c.ld + q, t = *a + sum_lanes(sum[q][j])[0];
    for (int o = 0; o < q; o++) t -= s[o][j] * p->product[o][q];
    s[q][j] = p->tau[q] * t;
    *a -= s[q][j];
  }
  for (i = 0; i + LANES <= k; i += LANES) UNROLL for (int j = 0; j < m; j++) {
      vec x = load(c.x + (size_t)j * next + i);
      UNROLL for (int q = 0; q < r; q++) x -= s[q][j] * load(p->v + (size_t)q * next + i);
      store(c.x + (size_t)j * next + i, x);
    }
  if (i < k) UNROLL for (int j = 0; j < m; j++) {
      vec x = load_part(c.x + (size_t)j * next + i, k - i);
      UNROLL for (int q = 0; q < r; q++) x -= s[q][j] * load_part(p->v + (size_t)q * next + i, k - i);
      store_masked(c.x + (size_t)j * next + i, k - i, x);
    }
}

INLINE void apply(int r, int k, const panel *p, columns c) {
  for (; c.n >= GROUP; c.n -= GROUP) {
    apply_to(r, GROUP, k, p, c);
    c.a += GROUP * c.ld, c.x += (size_t)GROUP * (size_t)k;
  }
  for (; c.n > 0; c.n--) {
    apply_to(r, 1, k, p, c);
    c.a += c.ld, c.x += k;
  }
}

/* The reflections of the first r columns, which have n_above rows above these. */
static void factor(int r, int n_above, int k, columns c, panel *p) {
  for (int q = 0; q < r; q++) {
    double *v = c.x + (size_t)q * (size_t)k, *a = c.a + (size_t)q * c.ld + q;
    const panel one = {.v = v, .tau = {reflect(n_above + q, a - q - n_above, k, a, v)}};
    for (int o = 0; o < q; o++) p->product[o][q] = row_dot(k, c.x + (size_t)o * (size_t)k, v)[0];
    p->tau[q] = one.tau[0];
    apply(1, k, &one, (columns){c.a + (size_t)(q + 1) * c.ld + q, v + k, c.ld, r - q - 1});
  }
  p->v = c.x;
}

static columns behind(columns c, int r, int k) {
  return (columns){c.a + (size_t)r * c.ld, c.x + (size_t)r * (size_t)k, c.ld, c.n - r};
}

void NNB__QR(int n, int k, double *l, int ld, double *b, int n_rhs, double *z, int ld_z, double *c) {
  columns left = {l, b, (size_t)ld, n}, rhs = {z, c, (size_t)ld_z, n_rhs};
  panel p = {0};
  while (left.n > 0) {
    const int r = left.n < PANEL ? 1 : PANEL;
    factor(r, n - left.n, k, left, &p);
    left = behind(left, r, k);
    if (r == 1) {
      apply(1, k, &p, left);
      apply(1, k, &p, rhs);
    } else {
      apply(PANEL, k, &p, left);
      apply(PANEL, k, &p, rhs);
    }
    left.a += r;
    if (n_rhs > 0) rhs.a += r; /* z may be NULL */
  }
}
