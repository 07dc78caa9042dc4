/* num/online.c: see online.h.  Built once per level (see kernels.h).
 *
 * The time of a small net is that of its longest chain of dependent instructions, not of their number: products are
 * broadcasts over lanes of outputs (no sums across lanes), in several sums side by side, and what does not wait for
 * the last Δ stands before it in the program. */
#include "online.h"

#include <string.h>

#include "act_vec.h"
#include "kernels.h"
#include "loss_vec.h"

/* ---- activations and losses of a vec ---------------------------------------------------------------------------- */

/* The polynomial of exp in pairs: half the steps that wait for each other. */
INLINE vec exp_pairs(vec r, vec r2) {
  const real *c = exp_tail;
#ifdef NNB_SINGLE
  return (c[0] + c[1] * r) + r2 * ((c[2] + c[3] * r) + r2 * c[4]);
#else
  vec r4 = r2 * r2;
  vec low = (c[0] + c[1] * r) + r2 * (c[2] + c[3] * r), high = (c[4] + c[5] * r) + r2 * (c[6] + c[7] * r);
  return low + r4 * (high + r4 * (c[8] + c[9] * r));
#endif
}

/* a/b, in whose upper half of lanes nothing is wanted if `half` is true: AVX-512 divides 64 bytes in two turns. */
INLINE vec divide(vec a, vec b, bool half) {
#if defined VEC_AVX512 && defined NNB_SINGLE
  if (half) return _mm512_zextps256_ps512(_mm512_castps512_ps256(a) / _mm512_castps512_ps256(b));
#elif defined VEC_AVX512
  if (half) return _mm512_zextpd256_pd512(_mm512_castpd512_pd256(a) / _mm512_castpd512_pd256(b));
#endif
  (void)half;
  return a / b;
}

/* sigmoid_any by a shorter chain: with e^-|x| = s(1 + q), s a power of two, numerator and denominator are one step from
 * q.  Below REAL_MIN it stays there. */
INLINE vec sigmoid_soon(vec x, bool half) {
  const real lowest = (real)-0.693147180559945309417 * (BIAS - 2);
  reduced t = reduce(at_least(minus_magnitude(x), lowest));
  vec r = t.r - t.low, r2 = r * r, q = r + r2 * exp_pairs(r, r2), s = pow2(t.n);
  return divide(pick(less(x, ZERO), s + s * q, fill(1)), (s + (real)1) + s * q, half);
}

/* A call costs less than a copy of the code at each place. */
#define NOINLINE static __attribute__((noinline))

/* f(z); softmax has its own way. */
NOINLINE vec value_of(nnb_activation act, vec z) {
  switch (act) {
    case NNB_STEP:
      return step(z);
    case NNB_SIGMOID:
      return sigmoid_soon(z, false);
    case NNB_TANH:
      return tanh_any(z);
    case NNB_RELU:
      return relu(z);
    case NNB_LEAKY_RELU:
      return leaky(z);
    case NNB_ELU:
      return elu(z);
    case NNB_SELU:
      return selu(z);
    case NNB_GELU:
      return gelu(z);
    case NNB_SILU:
      return silu(z);
    case NNB_SOFTPLUS:
      return softplus_any(z);
    default:
      return z;
  }
}

/* d·f'(z) */
NOINLINE vec pulled(nnb_activation act, vec z, vec a, vec d) {
  switch (act) {
    case NNB_STEP:
      return ZERO;
    case NNB_SIGMOID:
      return pull_sigmoid(a, d);
    case NNB_TANH:
      return pull_tanh(a, d);
    case NNB_RELU:
      return pull_relu(a, d);
    case NNB_LEAKY_RELU:
      return pull_leaky(a, d);
    case NNB_ELU:
      return pull_elu(a, d);
    case NNB_SELU:
      return pull_selu(a, d);
    case NNB_GELU:
      return pull_gelu(z, d);
    case NNB_SILU:
      return pull_silu(z, d);
    case NNB_SOFTPLUS:
      return pull_softplus(a, d);
    default:
      return d;
  }
}

INLINE term term_of(nnb_loss loss, vec a, vec t) {
  switch (loss) {
    case NNB_HALF_SSE:
      return half_square(a, t);
    case NNB_SSE:
    case NNB_MSE:
      return square(a, t);
    case NNB_MAE:
      return absolute(a, t);
    case NNB_HUBER:
      return huber(a, t);
    case NNB_BINARY_CROSS_ENTROPY:
      return binary_cross(a, t);
    default:
      return cross(a, t);
  }
}

/* Lanes that the row does not have are 0. */
INLINE vec cut(vec v, int rest) { return rest < LANES ? pick(first(rest), v, ZERO) : v; }

/* ---- passes over weights ---------------------------------------------------------------------------------------- */

/* Vecs of columns taken at a time: as the registers allow. */
#ifdef VEC_AVX512
enum { MOST = 8 };
#else
enum { MOST = 4 };
#endif

/* The rows of M that list names: M_i ← beta·M_i + u_i·vᵀ where v is given, and y ← start + Σ w_i·M_i.  M has cols
 * columns; where they are not whole vecs and v is not NULL, zeros follow.  start NULL: 0. */
typedef struct pass {
  real *m;
  size_t ld;
  int cols, n;
  const int32_t *list;
  const real *u, *v, *w, *start;
  real beta, *y;
} pass;

/* What is constant where `columns` is used: vecs of columns, the last of them whole or not; rows side by side, as one
 * sum would wait for itself; whether M learns. */
typedef struct shape {
  int k, ways;
  bool whole, learns;
} shape;

INLINE vec piece(const real *p, int j, int part, const shape s) {
  return s.whole || j < s.k - 1 ? load(p + j * LANES) : load_part(p + j * LANES, part);
}
INLINE void one_row(const pass *p, int r, int part, const vec *v, vec *sum, const shape s) {
  const int i = p->list[r];
  const real w = p->w[i], u = s.learns ? p->u[i] : 0;
  real *m = p->m + (size_t)i * p->ld;
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) {
    vec row = piece(m, j, part, s);
    if (s.learns) row = p->beta * row + u * v[j], store(m + j * LANES, row);
    sum[j] += w * row;
  }
}
/* The first k vecs of columns; the last of them has `part` lanes. */
INLINE void columns(const pass *from, int part, const shape s) {
  const pass p = *from; /* which stores to M cannot change */
  vec v[MOST], sum[4][MOST];
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) {
    v[j] = s.learns ? load(p.v + j * LANES) : ZERO;
    sum[0][j] = p.start ? piece(p.start, j, part, s) : ZERO;
    sum[1][j] = sum[2][j] = sum[3][j] = ZERO;
  }
  int r = 0;
  for (; r + s.ways <= p.n; r += s.ways)
#pragma GCC unroll 8
    for (int h = 0; h < s.ways; h++) one_row(&p, r + h, part, v, sum[h], s);
  for (; r < p.n; r++) one_row(&p, r, part, v, sum[0], s);
#pragma GCC unroll 8
  for (int j = 0; j < s.k; j++) store(p.y + j * LANES, (sum[0][j] + sum[1][j]) + (sum[2][j] + sum[3][j]));
}

/* One function for each number of vecs: rows side by side where they are few. */
INLINE void columns_by_count(const pass *p, int k, int part, const bool whole, const bool learns) {
#define CASE(count, ways)                                  \
  case count:                                              \
    columns(p, part, (shape){count, ways, whole, learns}); \
    break
  switch (k) {
    CASE(1, 4);
    CASE(2, 4 * MOST / 8);
    CASE(3, 2 * MOST / 8);
    CASE(4, 2 * MOST / 8);
#ifdef VEC_AVX512
    CASE(5, 1);
    CASE(6, 1);
    CASE(7, 1);
    CASE(8, 1);
#endif
  }
#undef CASE
}
static void read_columns(const pass *p, int k) { columns_by_count(p, k, LANES, true, false); }
static void read_part(const pass *p, int k, int part) { columns_by_count(p, k, part, false, false); }
static void learn_columns(const pass *p, int k) { columns_by_count(p, k, LANES, true, true); }

/* All columns, in whole vecs. */
static void go_over(pass p) {
  for (int left = (p.cols + LANES - 1) / LANES; left > 0; left -= MOST) {
    int k = left < MOST ? left : MOST;
    if (p.v)
      learn_columns(&p, k), p.v += k * LANES;
    else
      read_columns(&p, k);
    if (p.start) p.start += k * LANES;
    p.m += k * LANES, p.y += k * LANES;
  }
}

/* ---- which inputs are not 0 ------------------------------------------------------------------------------------- */

#ifdef VEC_AVX512
#ifdef NNB_SINGLE
INLINE mask nonzero(vec x) { return _mm512_cmp_ps_mask(x, ZERO, _CMP_NEQ_UQ); }
INLINE void put_numbers(int32_t *list, int from, mask m) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  _mm512_storeu_si512(list, _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lanes, _mm512_set1_epi32(from))));
}
#else
INLINE mask nonzero(vec x) { return _mm512_cmp_pd_mask(x, ZERO, _CMP_NEQ_UQ); }
INLINE void put_numbers(int32_t *list, int from, mask m) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i numbers = _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lanes, _mm512_set1_epi32(from)));
  _mm256_storeu_si256((__m256i_u *)list, _mm512_castsi512_si256(numbers));
}
#endif
INLINE int append(int32_t *list, int n, int from, mask m) {
  put_numbers(list + n, from, m);
  return n + __builtin_popcount(m);
}
#else
INLINE mask nonzero(vec x) { return (mask)(x != ZERO); }
INLINE int append(int32_t *list, int n, int from, mask m) {
  for (int k = 0; k < LANES; k++) list[n] = from + k, n += (int)(m[k] & 1);
  return n;
}
#endif

INLINE vec at(const real *x, int j, int n) { return n - j < LANES ? load_part(x + j, n - j) : load(x + j); }

/* list ← the numbers of those that are not 0; how many.  Up to LANES are written beyond. */
static int list_nonzero(int n, const real *x, int32_t *list) {
  int listed = 0;
  for (int j = 0; j < n; j += LANES) listed = append(list, listed, j, nonzero(at(x, j, n)));
  return listed;
}
/* The same of those that are 0 in `before`. */
static int list_fresh(int n, const real *before, const real *x, int32_t *list) {
  int listed = 0;
  for (int j = 0; j < n; j += LANES)
    listed = append(list, listed, j, nonzero(at(x, j, n)) & ~nonzero(at(before, j, n)));
  return listed;
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

/* What a row's passes need to know: the last update (its beta; its rows are the others of a and v) and this one. */
typedef struct step_state {
  int now;          /* a[now], v[now] are this row's */
  real alpha, beta; /* of this update */
  real held;        /* beta of the last, which is made in this row's passes */
  const real *x[3]; /* the row before, this one, the next */
} step_state;

/* b ← b + v of the last update */
static void settle_bias(nnb__online_link *l, const real *v) {
  if (!l->learns_b) return;
  for (int j = 0; j < l->shape.n_out; j += LANES) store(l->b + j, load(l->b + j) + load(v + j));
}

/* a ← f(z) */
static void activate(nnb__online_link *l, real *a) {
  const int n = l->shape.n_out;
  if (l->shape.act == NNB_SOFTMAX) {
    row_softmax(n, l->z, a, 1);
    return;
  }
  for (int j = 0; j < n; j += LANES) store(a + j, cut(value_of(l->shape.act, load(l->z + j)), n - j));
}

static pass weights_pass(const nnb__online_link *l, const step_state *s, const real *u, const real *w) {
  return (pass){.m = l->w,
                .ld = l->ldw,
                .cols = l->shape.n_out,
                .u = u,
                .v = l->learns_w ? l->v[!s->now] : NULL,
                .w = w,
                .start = l->b,
                .beta = s->held,
                .y = l->z};
}

static real dot(int n, const real *x, const real *y) {
  vec sum = {0};
  for (int j = 0; j < n; j += LANES) sum += at(x, j, n) * at(y, j, n);
  return sum_lanes(sum)[0];
}

/* The first link of few inputs: z = beta·(W·x, from before the last update) + b + (x_before·x [+ 1])·v: the last Δ is
 * waited for by one product alone.  Then the last update, and W·x of the next row. */
static void enter_few(nnb__online *run, nnb__online_link *l, const step_state *s) {
  const real *v = l->v[!s->now];
  const int n_in = l->shape.n_in;
  const real by = (l->learns_w ? dot(n_in, s->x[0], s->x[1]) : 0) + (real)l->learns_b;
  const real beta = l->learns_w ? s->held : 1;
  for (int j = 0; j < l->shape.n_out; j += LANES)
    store(l->z + j, (beta * load(run->ahead + j) + load(l->b + j)) + by * load(v + j));
  settle_bias(l, v);
  pass p = weights_pass(l, s, s->x[0], s->x[2]);
  p.n = n_in, p.list = run->all, p.start = NULL, p.y = run->ahead;
  go_over(p);
}

/* The first link of many inputs: rows of W whose input was 0 need no update (unless they decay), those whose input is 0
 * are not read. */
static void enter_many(nnb__online *run, nnb__online_link *l, const step_state *s) {
  const int n_in = l->shape.n_in;
  const bool some = !l->learns_w || s->held == 1;
  const real *before = l->learns_w ? s->x[0] : run->zeros;
  settle_bias(l, l->v[!s->now]);
  pass p = weights_pass(l, s, before, s->x[1]);
  p.list = some ? run->update : run->all;
  p.n = some ? list_nonzero(n_in, before, run->update) : n_in;
  go_over(p);
  if (!some) return;
  p.list = run->fresh, p.n = list_fresh(n_in, before, s->x[1], run->fresh);
  p.v = NULL, p.start = l->z;
  go_over(p);
}

static void forward(nnb__online *run, const step_state *s) {
  nnb__online_link *first = run->link;
  if (first->shape.n_in <= NNB__ONLINE_FEW)
    enter_few(run, first, s);
  else
    enter_many(run, first, s);
  for (int i = 1; i < run->n; i++) {
    nnb__online_link *l = &run->link[i], *before = l - 1;
    activate(before, before->a[s->now]);
    settle_bias(l, l->v[!s->now]);
    pass p = weights_pass(l, s, before->a[!s->now], before->a[s->now]);
    p.list = run->all, p.n = l->shape.n_in;
    go_over(p);
  }
}

/* ---- the loss --------------------------------------------------------------------------------------------------- */

/* v ← alpha·d */
static void scale_delta(nnb__online_link *l, const step_state *s) {
  for (int j = 0; j < l->shape.n_out; j += LANES) store(l->v[s->now] + j, s->alpha * load(l->d + j));
}

/* Softmax with cross-entropy: T·log s - Σ t(z-m) */
static double class_loss(nnb__online_link *l, target t, real c) {
  const int n = l->shape.n_out;
  row_parts r = t.t ? soft_row(n, l->z, t.t, c, l->d) : class_row(n, l->z, t.label, c, l->d);
  return (double)(r.total * log_normal(fill(r.s))[0] - r.linear);
}

/* d ← a·(d - Σ a·d) */
static void pull_softmax(nnb__online_link *l, const real *a) {
  const int n = l->shape.n_out;
  const real sum = dot(n, a, l->d);
  for (int j = 0; j < n; j += LANES) store(l->d + j, load(a + j) * (load(l->d + j) - sum));
}

INLINE double sum_terms(nnb__online_link *l, const step_state *s, nnb_loss loss, target t, real c) {
  const nnb_activation act = l->shape.act;
  const int n = l->shape.n_out;
  real *a = l->a[s->now];
  dvec sum = {0};
  if (act == NNB_SOFTMAX) row_softmax(n, l->z, a, 1);
  for (int j = 0; j < n; j += LANES) {
    const int rest = n - j < LANES ? n - j : LANES;
    const vec z = load(l->z + j), want = target_at(t, (size_t)j, rest);
    term x;
    if (loss == NNB_BINARY_CROSS_ENTROPY && act == NNB_SIGMOID) {
      x = binary_cross_logit(z, want);
      x.slope *= c;
    } else {
      vec y = act == NNB_SOFTMAX ? load(a + j) : value_of(act, z);
      x = term_of(loss, y, want);
      x.slope = pulled(act, z, y, c * x.slope);
    }
    vec d = cut(x.slope, rest);
    store(l->d + j, d), store(l->v[s->now] + j, s->alpha * d);
    sum += widen(cut(x.loss, rest));
  }
  if (act == NNB_SOFTMAX) pull_softmax(l, a), scale_delta(l, s);
  return sum_wide(sum);
}

/* The loss of a row of weight 1, and Δ of the last link, times c. */
static double output_loss(nnb__online *run, const step_state *s, target t, real c) {
  nnb__online_link *l = &run->link[run->n - 1];
  if (run->loss == NNB_CROSS_ENTROPY && l->shape.act == NNB_SOFTMAX) {
    double loss = class_loss(l, t, c);
    scale_delta(l, s);
    return loss;
  }
  return sum_terms(l, s, run->loss, t, c);
}

static void clear_delta(nnb__online_link *l, const step_state *s) {
  memset(l->d, 0, nnb__padded(l->shape.n_out) * sizeof(real));
  memset(l->v[s->now], 0, nnb__padded(l->shape.n_out) * sizeof(real));
}

/* The targets of a row, scaled; single: where one of its own may stand. */
INLINE target target_of(nnb__online *run, int row, real *single) {
  const nnb_batch *b = run->batch;
  const int n = run->link[run->n - 1].shape.n_out;
  if (b->label && n > 1) return (target){.label = b->label[row]};
  if (b->label) return *single = (real)b->label[row], (target){.t = single};
  const real *t = nnb__crow(b->t, row);
  if (!run->t_shift) return (target){.t = t};
  for (int j = 0; j < n; j++) run->t[j] = (t[j] - run->t_shift[j]) * run->t_factor[j];
  return (target){.t = run->t};
}

/* How the loss of a row counts. */
typedef struct share {
  bool mean;    /* it is divided by the weights of its update, which is one row */
  double scale; /* ∂E/∂ℓ of a row of weight 1 */
} share;

static share share_of(const nnb__online *run) {
  const unsigned traits = NNB__LOSSES[run->loss].traits;
  const int n = run->link[run->n - 1].shape.n_out;
  return (share){.mean = traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL),
                 .scale = traits & NNB_LOSS_MEAN_ALL ? run->factor / n : run->factor};
}

INLINE double weight_of(const nnb__online *run, int row) {
  return run->batch->weight ? (double)run->batch->weight[row] : 1;
}

/* raw: ℓ of the row */
INLINE void count_loss(nnb__online *run, share by, double weight, double raw) {
  const double loss = by.scale * raw;
  run->value = by.mean ? loss : weight * loss;
  if (by.mean)
    run->mean += weight * loss;
  else
    run->sum += weight * loss;
}

/* The loss of a row, and Δ of the last link. */
static void lose(nnb__online *run, const step_state *s, share by, int row) {
  const double weight = weight_of(run, row);
  real single;
  run->weight += weight;
  run->value = 0;
  if (weight == 0) {
    clear_delta(&run->link[run->n - 1], s);
    return;
  }
  target t = target_of(run, row, &single);
  count_loss(run, by, weight, output_loss(run, s, t, (real)(by.mean ? by.scale : by.scale * weight)));
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

static void back_to(nnb__online *run, const step_state *s, int i) {
  const nnb__online_link *after = &run->link[i + 1];
  nnb__online_link *l = &run->link[i];
  const int n = l->shape.n_out;
  go_over((pass){.m = after->t,
                 .ld = after->ldt,
                 .cols = n,
                 .n = after->shape.n_out,
                 .list = run->all,
                 .u = after->v[!s->now],
                 .v = after->learns_w ? l->a[!s->now] : NULL,
                 .w = after->d,
                 .beta = s->held,
                 .y = l->d});
  const real *a = l->a[s->now];
  if (l->shape.act == NNB_SOFTMAX) {
    pull_softmax(l, a), scale_delta(l, s);
    return;
  }
  for (int j = 0; j < n; j += LANES) {
    vec d = cut(pulled(l->shape.act, load(l->z + j), load(a + j), load(l->d + j)), n - j);
    store(l->d + j, d), store(l->v[s->now] + j, s->alpha * d);
  }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static int row_of(const nnb__online *run, int i) { return run->order ? run->order[i] : i; }

/* Row i of the run; none behind the last. */
static const real *input(nnb__online *run, int i) {
  if (i >= run->n_rows) return run->zeros;
  const real *x = nnb__crow(run->batch->x, row_of(run, i));
  if (!run->x_shift) return x;
  real *scaled = run->x[i % 3];
  for (int j = 0; j < run->link->shape.n_in; j++) scaled[j] = (x[j] - run->x_shift[j]) * run->x_factor[j];
  return scaled;
}

/* ---- chains whose rows are one vec ------------------------------------------------------------------------------- */

/* z and Δ stay in registers but for what is broadcast from them, which is read from memory. */

/* start + Σ w_i·M_i over rows of one vec, M_i ← beta·M_i + u_i·v before where learns. */
INLINE vec slim_pass(real *m, size_t ld, int n, real beta, const real *u, vec v, const real *w, vec start,
                     bool learns) {
  vec sum[4] = {start, ZERO, ZERO, ZERO};
  for (int r = 0; r < n; r += 4)
    for (int h = 0; h < 4; h++) {
      if (h && r + h >= n) break;
      real *row = m + (size_t)(r + h) * ld;
      vec x = load(row);
      if (learns) x = beta * x + u[r + h] * v, store(row, x);
      sum[h] += w[r + h] * x;
    }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

INLINE vec slim_value(nnb_activation act, vec z, int n) {
  return cut(act == NNB_SIGMOID ? sigmoid_soon(z, n <= LANES / 2) : value_of(act, z), n);
}
INLINE vec slim_slope(nnb_activation act, vec z, vec a) {
  return act == NNB_SIGMOID ? a * ((real)1 - a) : pulled(act, z, a, fill(1));
}

/* b ← b + v of the last update */
INLINE vec slim_bias(nnb__online_link *l, vec v) {
  vec b = load(l->b);
  if (l->learns_b) store(l->b, b += v);
  return b;
}

/* As enter_few; v: of the last update. */
INLINE vec slim_enter(nnb__online *run, nnb__online_link *l, const step_state *s, vec v) {
  const int n = l->shape.n_in;
  const real by = (l->learns_w ? dot(n, s->x[0], s->x[1]) : 0) + (real)l->learns_b;
  const vec z = ((l->learns_w ? s->held : 1) * load(run->ahead) + load(l->b)) + by * v;
  slim_bias(l, v);
  store(run->ahead, slim_pass(l->w, l->ldw, n, s->held, s->x[0], v, s->x[2], ZERO, l->learns_w));
  return z;
}

/* The loss and Δ of the last link, from z, also into its d and v. */
INLINE void slim_lose(nnb__online *run, const step_state *s, share by, int row, vec z) {
  nnb__online_link *l = &run->link[run->n - 1];
  const nnb_activation act = l->shape.act;
  const int n = l->shape.n_out;
  const double weight = weight_of(run, row);
  const real c = (real)(by.mean ? by.scale : by.scale * weight);
  real single;
  run->weight += weight, run->value = 0;
  if (weight == 0) {
    clear_delta(l, s);
    return;
  }
  const target t = target_of(run, row, &single);
  if (run->loss == NNB_CROSS_ENTROPY && act == NNB_SOFTMAX) {
    store(l->z, z);
    count_loss(run, by, weight, class_loss(l, t, c));
    scale_delta(l, s);
    return;
  }
  const vec want = target_at(t, 0, n);
  term x;
  if (run->loss == NNB_BINARY_CROSS_ENTROPY && act == NNB_SIGMOID) {
    x = binary_cross_logit(z, want), x.slope *= c;
  } else {
    const vec a = slim_value(act, z, n);
    x = term_of(run->loss, a, want), x.slope *= c * slim_slope(act, z, a);
  }
  const vec d = cut(x.slope, n);
  store(l->d, d), store(l->v[s->now], s->alpha * d);
  count_loss(run, by, weight, sum_wide(widen(cut(x.loss, n))));
}

/* One row; v: alpha·Δ of the first link, of the last update and then of this one. */
INLINE vec slim_step(nnb__online *run, const step_state *s, share by, int row, vec v) {
  const int now = s->now, last = run->n - 1;
  nnb__online_link *link = run->link;
  vec z = slim_enter(run, link, s, v);
  for (int i = 1; i <= last; i++) {
    nnb__online_link *l = &link[i], *before = l - 1;
    const vec a = slim_value(before->shape.act, z, before->shape.n_out), held = load(l->v[!now]);
    store(before->a[now], a);
    store(before->z, slim_slope(before->shape.act, z, a)); /* all that is wanted of z */
    z = slim_pass(l->w, l->ldw, l->shape.n_in, s->held, before->a[!now], held, before->a[now], slim_bias(l, held),
                  l->learns_w);
  }
  slim_lose(run, s, by, row, z);
  if (last == 0) return load(link->v[now]);
  for (int i = last - 1;; i--) {
    nnb__online_link *l = &link[i], *after = l + 1;
    const vec da = slim_pass(after->t, after->ldt, after->shape.n_out, s->held, after->v[!now], load(l->a[!now]),
                             after->d, ZERO, after->learns_w);
    const vec slope = load(l->z);
    v = da * (s->alpha * slope);
    if (i == 0) return v;
    store(l->d, da * slope), store(l->v[now], v);
  }
}

static bool is_slim(const nnb__online *run) {
  for (int i = 0; i < run->n; i++) {
    const nnb__link *l = &run->link[i].shape;
    const bool softmax = l->act == NNB_SOFTMAX && !(i == run->n - 1 && run->loss == NNB_CROSS_ENTROPY);
    if (l->n_out > LANES || softmax) return false;
  }
  return run->link->shape.n_in <= NNB__ONLINE_FEW;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* The last update has been made on no weights yet. */
static void settle(nnb__online *run, const step_state *s) {
  for (int i = 0; i < run->n; i++) {
    nnb__online_link *l = &run->link[i];
    const real *u = i ? l[-1].a[!s->now] : s->x[0];
    settle_bias(l, l->v[!s->now]);
    pass p = weights_pass(l, s, u, run->zeros);
    const bool few = i == 0 && l->shape.n_in > NNB__ONLINE_FEW && s->held == 1;
    p.n = few ? list_nonzero(l->shape.n_in, u, run->update) : l->shape.n_in;
    p.list = few ? run->update : run->all;
    if (p.v) go_over(p);
  }
}

/* A row of the run has gone through. */
INLINE void turn(nnb__online *run, step_state *s) {
  run->updates++;
  s->now = !s->now, s->held = s->beta;
  s->x[0] = s->x[1], s->x[1] = s->x[2], s->x[2] = input(run, run->updates + 1);
}
INLINE bool next_update(nnb__online *run, step_state *s) {
  nnb__target into = {0};
  if (run->updates == run->n_rows || !isfinite(run->value)) return false;
  run->begin(run->context, &into);
  s->alpha = into.alpha, s->beta = into.beta;
  return true;
}

static void run_slim(nnb__online *run, step_state *s, share by) {
  vec v = ZERO;
  for (; next_update(run, s); turn(run, s)) v = slim_step(run, s, by, row_of(run, run->updates), v);
  store(run->link->v[!s->now], v);
}
static void run_wide(nnb__online *run, step_state *s, share by) {
  for (; next_update(run, s); turn(run, s)) {
    forward(run, s);
    lose(run, s, by, row_of(run, run->updates));
    for (int i = run->n - 2; i >= 0; i--) back_to(run, s, i);
  }
}

void NNB__ONLINE(nnb__online *run) {
  step_state s = {.held = 1, .x = {run->zeros, input(run, 0), input(run, 1)}};
  nnb__online_link *first = run->link;
  if (first->shape.n_in <= NNB__ONLINE_FEW) { /* what the row before the first would have left */
    pass p = weights_pass(first, &s, s.x[0], s.x[1]);
    p.n = first->shape.n_in, p.list = run->all, p.v = p.start = NULL, p.y = run->ahead;
    go_over(p);
  }
  run->updates = 0, run->mean = run->sum = run->weight = run->value = 0;
  if (is_slim(run))
    run_slim(run, &s, share_of(run));
  else
    run_wide(run, &s, share_of(run));
  settle(run, &s);
}

/* ---- predictions ------------------------------------------------------------------------------------------------ */

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

INLINE vec value_soon(nnb_activation act, vec z) { return act == NNB_RELU ? relu(z) : value_of(act, z); }

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
  for (; r + WAYS <= n; r += WAYS, w += WAYS * ld) {
    UNROLL for (int h = 0; h < WAYS; h++) {
      UNROLL for (int j = 0; j < k; j++) sum[h][j] += x[r + h] * PIECE(w + (size_t)h * ld, j);
    }
  }
  for (; r < n; r++, w += ld) {
    UNROLL for (int j = 0; j < k; j++) sum[1][j] += x[r] * PIECE(w, j);
  }
#undef PIECE
  UNROLL for (int j = 0; j < k; j++) {
    vec z = sum[0][j] + sum[1][j];
    if (WAYS == 4) z += sum[2][j] + sum[3][j];
    v[j] = value_soon(l->act, z);
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
  if (act == NNB_SOFTMAX) row_softmax(1, &z, &z, 1);
  return act == NNB_SOFTMAX ? z : value_of(act, fill(z))[0];
}
/* a ← f(z), in place */
static void activate_row(const nnb__link *l, real *z) {
  const int n = l->n_out;
  if (l->act == NNB_SOFTMAX)
    row_softmax(n, z, z, 1);
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
      const nnb__link *one = has_one_output(chain, i + 1) && l->act != NNB_SOFTMAX ? l + 1 : NULL;
      narrow_by_count(l, one, params, x, z);
      if (l->act == NNB_SOFTMAX) row_softmax(l->n_out, z, z, 1);
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
