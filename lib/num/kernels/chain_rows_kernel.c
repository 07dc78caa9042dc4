/* num/kernels/chain_rows_kernel.c: see chain_rows_kernel.h.  Built once per level (see kernels.h).
 *
 * The time of a small net depends on the longest chain of dependent instructions, not on their number.  So the lanes of
 * a vec are outputs (no sums across lanes), products use several independent sums, and everything that does not depend
 * on the last Δ is computed before it. */
#include "chain_rows_kernel.h"

#include <string.h>

#include "chain_rows_vec.h"
#include "loss.h"
#include "loss_vec.h"

/* ---- slopes and losses of a vec ---------------------------------------------------------------------------------- */

/* d·f'(z) of an element-wise activation */
NOINLINE vec pulled(nnb_activation act, vec z, vec a, vec d) {
  switch (act) {
#define FROM_A(NAME, name) \
  case NAME:               \
    return name##_pull(a, d);
#define FROM_Z(NAME, name) \
  case NAME:               \
    return name##_pull(z, d);
#include "activations.def"
    default: /* not reached; NaN would reveal it */
      return fill((real)NAN);
  }
}

/* d ← d·∂a/∂z of a row */
INLINE void row_pull(nnb_activation act, int n, const real *a, real *d) {
  switch (act) {
#define ROWWISE(NAME, name)   \
  case NAME:                  \
    name##_row_pull(n, a, d); \
    break;
#include "activations.def"
    default:
      break;
  }
}

INLINE term term_of(nnb_loss loss, vec a, vec t) {
  switch (loss) {
#define TERMS(NAME, name, f) \
  case NAME:                 \
    return f(a, t);
#include "losses.def"
    default: /* not reached; NaN would reveal it */
      return (term){fill((real)NAN), fill((real)NAN)};
  }
}

/* Whether the loss is computed from z together with the activation, by terms or by rows. */
INLINE bool fuses_terms(nnb_loss loss, nnb_activation act) {
  switch (loss) {
#define UNFUSED             false
#define FUSED_TERMS(ACT, f) act == ACT
#define FUSED_ROWS(ACT, f)  false
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  case NAME:                                                      \
    return FUSED;
#include "losses.def"
    default:
      return false;
  }
}
INLINE bool fuses_rows(nnb_loss loss, nnb_activation act) {
  switch (loss) {
#define UNFUSED             false
#define FUSED_TERMS(ACT, f) false
#define FUSED_ROWS(ACT, f)  act == ACT
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  case NAME:                                                      \
    return FUSED;
#include "losses.def"
    default:
      return false;
  }
}

/* The term from z of a loss with fuses_terms */
INLINE term fused_term_of(nnb_loss loss, vec z, vec t) {
  switch (loss) {
#define UNFUSED             break
#define FUSED_TERMS(ACT, f) return f(z, t)
#define FUSED_ROWS(ACT, f)  break
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  case NAME:                                                      \
    FUSED;
#include "losses.def"
    default:
      break;
  }
  return (term){fill((real)NAN), fill((real)NAN)};
}

/* v with 0 in the lanes from `rest` on */
INLINE vec zero_after(vec v, int rest) { return rest < LANES ? pick(first(rest), v, ZERO) : v; }

/* ---- update and product together --------------------------------------------------------------------------------- */

static void learn_columns(const ger_gemv *p, int k) { ger_gemv_by_count(p, k, LANES, true, true, false); }

/* All columns; rows are padded to whole vecs. */
static void run_ger_gemv(ger_gemv p) {
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

#ifdef NNB_EXACT
static void only_learn_columns(const ger_gemv *p, int k) { ger_gemv_by_count(p, k, LANES, true, true, true); }
/* M ← M - eta·(u·vᵀ) in the rows of the list */
static void run_ger(ger_gemv p) {
  for (int left = (p.cols + LANES - 1) / LANES, k; left > 0; left -= k, p.v += k * LANES, p.m += k * LANES) {
    k = left < MOST ? left : MOST;
    only_learn_columns(&p, k);
  }
}
#else
/* list ← the indices j with x_j not 0 and before_j 0; returns their number. */
static int list_new_nonzero(int n, const real *before, const real *x, int32_t *list) {
  int listed = 0;
  for (int j = 0; j < n; j += LANES)
    listed = append(list, listed, j, nonzero(vec_at(x, j, n)) & ~nonzero(vec_at(before, j, n)));
  return listed;
}
#endif

/* ---- forward ---------------------------------------------------------------------------------------------------- */

/* The update of this row, and the last update, which is applied while this row goes forward and back. */
typedef struct step_state {
  int now;            /* a[now], v[now] belong to this row, the others to the previous one */
  real alpha, beta;   /* of this update; in the defined arithmetic v is Δ itself, and alpha 1 */
  real last_beta;     /* beta of the last update */
  real eta, last_eta; /* in the defined arithmetic: -alpha of this update and the last one */
  const real *x[3];   /* the previous row, this one, the next */
} step_state;

/* b ← b + v of the last update */
static void update_bias(nnb__chain_rows_link *l, const step_state *s, const real *v) {
  if (!l->learns_b) return;
#ifdef NNB_EXACT
  for (int j = 0; j < l->shape.n_out; j += LANES) store(l->b + j, load(l->b + j) - s->last_eta * (load(v + j) + ZERO));
#else
  (void)s;
  for (int j = 0; j < l->shape.n_out; j += LANES) store(l->b + j, load(l->b + j) + load(v + j));
#endif
}

/* a ← f(z) */
static void activate(nnb__chain_rows_link *l, real *a) {
  const int n = l->shape.n_out;
  if (is_rowwise(l->shape.act)) {
    row_value(l->shape.act, n, l->z, a);
    return;
  }
  for (int j = 0; j < n; j += LANES) store(a + j, zero_after(value_of(l->shape.act, load(l->z + j)), n - j));
}

static ger_gemv link_ger_gemv(const nnb__chain_rows_link *l, const step_state *s, const real *u, const real *w) {
  return (ger_gemv){.m = l->w,
                    .ld = l->ldw,
                    .cols = l->shape.n_out,
                    .u = u,
                    .v = l->learns_w ? l->v[!s->now] : NULL,
                    .w = w,
                    .start = l->b,
                    .beta = s->last_beta,
                    .eta = s->last_eta,
                    .y = l->z};
}

#ifndef NNB_EXACT
/* First link, few inputs.  With W before the last update: z = beta·(W·x) + b + (x_before·x [+ 1])·v, so only the last
 * product depends on the last Δ.  Then the last update is applied, and W·x of the next row is computed. */
static void enter_dense(nnb__chain_rows *run, nnb__chain_rows_link *l, const step_state *s) {
  const real *v = l->v[!s->now];
  const int n_in = l->shape.n_in;
  const real by = (l->learns_w ? dot(n_in, s->x[0], s->x[1]) : 0) + (real)l->learns_b;
  const real beta = l->learns_w ? s->last_beta : 1;
  for (int j = 0; j < l->shape.n_out; j += LANES)
    store(l->z + j, (beta * load(run->ahead + j) + load(l->b + j)) + by * load(v + j));
  update_bias(l, s, v);
  ger_gemv p = link_ger_gemv(l, s, s->x[0], s->x[2]);
  p.n = n_in, p.list = run->all, p.start = NULL, p.y = run->ahead;
  run_ger_gemv(p);
}
#endif

/* First link, many inputs: rows of W with an input of 0 are not read, and rows whose last input was 0 are not updated,
 * unless the weights decay.  In the defined arithmetic, whose sums go over the inputs in ascending order, the rows are
 * updated before. */
static void enter_sparse(nnb__chain_rows *run, nnb__chain_rows_link *l, const step_state *s) {
  const int n_in = l->shape.n_in;
  const bool sparse = !l->learns_w || s->last_beta == 1;
  const real *before = l->learns_w ? s->x[0] : run->zeros;
  update_bias(l, s, l->v[!s->now]);
  ger_gemv p = link_ger_gemv(l, s, before, s->x[1]);
  p.list = sparse ? run->update : run->all;
  p.n = sparse ? list_nonzero(n_in, before, run->update) : n_in;
#ifdef NNB_EXACT
  if (sparse && p.v) run_ger(p);
  if (sparse) p.v = NULL, p.list = run->fresh, p.n = list_nonzero(n_in, s->x[1], run->fresh);
  p.apart = apart_of(n_in, p.list, p.n), p.by_sums = nnb__by_sums(n_in, l->shape.n_out);
  run_ger_gemv(p);
#else
  run_ger_gemv(p);
  if (!sparse) return;
  p.list = run->fresh, p.n = list_new_nonzero(n_in, before, s->x[1], run->fresh);
  p.v = NULL, p.start = l->z;
  run_ger_gemv(p);
#endif
}

static void forward(nnb__chain_rows *run, const step_state *s) {
  nnb__chain_rows_link *first = run->link;
#ifndef NNB_EXACT
  if (first->shape.n_in <= NNB__CHAIN_ROWS_FEW)
    enter_dense(run, first, s);
  else
#endif
    enter_sparse(run, first, s);
  for (int i = 1; i < run->n; i++) {
    nnb__chain_rows_link *l = &run->link[i], *before = l - 1;
    activate(before, before->a[s->now]);
    update_bias(l, s, l->v[!s->now]);
    ger_gemv p = link_ger_gemv(l, s, before->a[!s->now], before->a[s->now]);
    p.list = run->all, p.n = l->shape.n_in;
#ifdef NNB_EXACT
    p.apart = p.n - nnb__second_chain(p.n), p.by_sums = nnb__by_sums(p.n, l->shape.n_out);
#endif
    run_ger_gemv(p);
  }
}

/* ---- the loss --------------------------------------------------------------------------------------------------- */

/* v ← alpha·d */
static void scale_delta(nnb__chain_rows_link *l, const step_state *s) {
  for (int j = 0; j < l->shape.n_out; j += LANES) store(l->v[s->now] + j, s->alpha * load(l->d + j));
}

/* Softmax with cross-entropy: T·log s - Σ t(z-m), and d ← c times its slope */
static double cross_softmax_row(nnb__chain_rows_link *l, target t, real weight, real c) {
  const int n = l->shape.n_out;
  row_parts r = t.t ? soft_row(n, l->z, t.t, c, l->d) : class_row(n, l->z, t.label, c, l->d);
#ifdef NNB_EXACT
  return 0 - (double)weight * (double)r.linear + (double)((fill(weight * r.total) * log_normal(fill(r.s)))[0]);
#endif
  (void)weight;
  return (double)(r.total * log_normal(fill(r.s))[0] - r.linear);
}

/* The loss of a row from z, and d ← c times its slope, for a loss with fuses_rows. */
static double fused_row_loss(nnb__chain_rows_link *l, nnb_loss loss, target t, real weight, real c) {
  switch (loss) {
#define UNFUSED             break
#define FUSED_TERMS(ACT, f) break
#define FUSED_ROWS(ACT, f)  return f##_row(l, t, weight, c)
#define LOSS(NAME, name, KIND, f, traits, squares, sample, FUSED) \
  case NAME:                                                      \
    FUSED;
#include "losses.def"
    default:
      break;
  }
  return (double)NAN; /* not reached */
}

/* In the defined arithmetic: sum + the first n lanes, in double. */
INLINE double add_lanes(double sum, vec v, int n) {
  real lane[LANES];
  store(lane, v);
  for (int k = 0; k < n; k++) sum += (double)lane[k];
  return sum;
}

INLINE double sum_terms(nnb__chain_rows_link *l, const step_state *s, nnb_loss loss, target t, real c) {
  const nnb_activation act = l->shape.act;
  const int n = l->shape.n_out;
  real *a = l->a[s->now];
  dvec sum = {0};
  double ordered = 0;
  if (is_rowwise(act)) row_value(act, n, l->z, a);
  for (int j = 0; j < n; j += LANES) {
    const int rest = n - j < LANES ? n - j : LANES;
    const vec z = load(l->z + j), want = target_at(t, (size_t)j, rest);
    term x;
    if (fuses_terms(loss, act)) {
      x = fused_term_of(loss, z, want);
      x.slope *= c;
    } else {
      vec y = is_rowwise(act) ? load(a + j) : value_of(act, z);
      x = term_of(loss, y, want);
      x.slope = is_rowwise(act) ? c * x.slope : pulled(act, z, y, c * x.slope);
    }
    vec d = zero_after(x.slope, rest);
    store(l->d + j, d), store(l->v[s->now] + j, s->alpha * d);
#ifdef NNB_EXACT
    ordered = add_lanes(ordered, x.loss, rest);
#else
    sum += widen(zero_after(x.loss, rest));
#endif
  }
  if (is_rowwise(act)) row_pull(act, n, a, l->d), scale_delta(l, s);
  return ordered + sum_wide(sum);
}

/* Returns the loss of a row, of weight 1 or, in the defined arithmetic, with its weight; d of the last link ← c·Δ. */
static double output_loss(nnb__chain_rows *run, const step_state *s, target t, real weight, real c) {
  nnb__chain_rows_link *l = &run->link[run->n - 1];
  if (fuses_rows(run->loss, l->shape.act)) {
    double loss = fused_row_loss(l, run->loss, t, weight, c);
    scale_delta(l, s);
    return loss;
  }
#ifdef NNB_EXACT
  return (double)weight * sum_terms(l, s, run->loss, t, c);
#else
  return sum_terms(l, s, run->loss, t, c);
#endif
}

static void clear_delta(nnb__chain_rows_link *l, const step_state *s) {
  memset(l->d, 0, nnb__padded(l->shape.n_out) * sizeof(real));
  memset(l->v[s->now], 0, nnb__padded(l->shape.n_out) * sizeof(real));
}

/* The scaled targets of a row.  *single is memory for a target from a label. */
INLINE target target_of(nnb__chain_rows *run, int row, real *single) {
  const nnb_batch *b = run->batch;
  const int n = run->link[run->n - 1].shape.n_out;
  if (b->label && n > 1) return (target){.label = b->label[row]};
  if (b->label) return *single = (real)b->label[row], (target){.t = single};
  const real *t = nnb__crow(b->t, row);
  if (!run->t_shift) return (target){.t = t};
  for (int j = 0; j < n; j++) run->t[j] = (t[j] - run->t_shift[j]) * run->t_factor[j];
  return (target){.t = run->t};
}

/* The factor of the loss of a row. */
typedef struct loss_scale {
  bool mean;    /* a mean, divided by the weights of the update, which has one row */
  double scale; /* ∂E/∂ℓ of a row of weight 1 */
} loss_scale;

static loss_scale loss_scale_of(const nnb__chain_rows *run) {
  const unsigned traits = NNB__LOSSES[run->loss].traits;
  const int n = run->link[run->n - 1].shape.n_out;
  return (loss_scale){.mean = traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL),
                      .scale = traits & NNB_LOSS_MEAN_ALL ? run->factor / n : run->factor};
}

/* The factor of the slopes of a row of this weight; in the defined arithmetic that of nnb__pass_scale, times the weight
 */
static real slope_factor(const nnb__chain_rows *run, loss_scale by, double weight) {
#ifdef NNB_EXACT
  const int n = run->link[run->n - 1].shape.n_out;
  const double scale = by.mean ? run->factor / weight : run->factor;
  return (real)(NNB__LOSSES[run->loss].traits & NNB_LOSS_MEAN_ALL ? scale / n : scale) * (real)weight;
#else
  (void)run;
  return (real)(by.mean ? by.scale : by.scale * weight);
#endif
}

INLINE double weight_of(const nnb__chain_rows *run, int row) {
  return run->batch->weight ? (double)run->batch->weight[row] : 1;
}

/* raw: the loss of the row, without weight and factor */
INLINE void count_loss(nnb__chain_rows *run, loss_scale by, double weight, double raw) {
#ifdef NNB_EXACT /* which has its weight */
  run->value = by.scale * raw;
  *(by.mean ? &run->mean : &run->sum) += run->value;
  if (by.mean) run->value /= weight;
  return;
#endif
  const double loss = by.scale * raw;
  run->value = by.mean ? loss : weight * loss;
  if (by.mean)
    run->mean += weight * loss;
  else
    run->sum += weight * loss;
}

/* Returns the loss of a row and computes Δ of the last link. */
static void compute_loss(nnb__chain_rows *run, const step_state *s, loss_scale by, int row) {
  const double weight = weight_of(run, row);
  real single;
  run->weight += weight;
  run->value = 0;
  if (weight == 0) {
    clear_delta(&run->link[run->n - 1], s);
    return;
  }
  target t = target_of(run, row, &single);
  count_loss(run, by, weight, output_loss(run, s, t, (real)weight, slope_factor(run, by, weight)));
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

static void back_to(nnb__chain_rows *run, const step_state *s, int i) {
  const nnb__chain_rows_link *after = &run->link[i + 1];
  nnb__chain_rows_link *l = &run->link[i];
  const int n = l->shape.n_out;
  run_ger_gemv((ger_gemv){.m = after->t,
                          .ld = after->ldt,
                          .cols = n,
                          .n = after->shape.n_out,
                          .list = run->all,
                          .u = after->v[!s->now],
                          .v = after->learns_w ? l->a[!s->now] : NULL,
                          .w = after->d,
                          .beta = s->last_beta,
                          .eta = s->last_eta,
                          .y = l->d});
  const real *a = l->a[s->now];
  if (is_rowwise(l->shape.act)) {
    row_pull(l->shape.act, n, a, l->d), scale_delta(l, s);
    return;
  }
  for (int j = 0; j < n; j += LANES) {
    vec d = zero_after(pulled(l->shape.act, load(l->z + j), load(a + j), load(l->d + j)), n - j);
    store(l->d + j, d), store(l->v[s->now] + j, s->alpha * d);
  }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static int row_of(const nnb__chain_rows *run, int i) { return run->order ? run->order[i] : i; }

/* The scaled inputs of row i of the run; zeros after the last row. */
static const real *input(nnb__chain_rows *run, int i) {
  if (i >= run->n_rows) return run->zeros;
  const real *x = nnb__crow(run->batch->x, row_of(run, i));
  if (!run->x_shift) return x;
  real *scaled = run->x[i % 3];
  for (int j = 0; j < run->link->shape.n_in; j++) scaled[j] = (x[j] - run->x_shift[j]) * run->x_factor[j];
  return scaled;
}

/* ---- chains in which every row is one vec ------------------------------------------------------------------------ */

/* z and Δ stay in registers.  They are also stored, because their elements are broadcast from memory. */

/* start + Σ w_i·M_i over rows of one vec, after M_i ← beta·M_i + u_i·v if `learns`; with beta and eta of the last
 * update. */
#ifdef NNB_EXACT
INLINE vec one_vec_row(real *m, const step_state *s, real u, vec v, bool learns) {
  vec x = load(m);
  if (learns) x = descended(s->last_beta * x, s->last_eta, u, v), store(m, x);
  return x;
}
/* The rows from `second` on are a chain of their own.  A sum of -0 stays: nothing shows the sign of a 0 in z or ∂E/∂A.
 */
INLINE vec one_vec_ger_gemv(real *m, size_t ld, int n, int second, const step_state *s, const real *u, vec v,
                            const real *w, vec start, bool learns) {
  vec sum = start, apart = ZERO;
  const int pairs = n - second;
  real *other = m + (size_t)second * ld;
  int r = 0;
  for (; r < pairs; r++, m += ld, other += ld) {
    sum = mul_add(fill(w[r]), one_vec_row(m, s, u[r], v, learns), sum);
    apart = mul_add(fill(w[r + second]), one_vec_row(other, s, u[r + second], v, learns), apart);
  }
  for (; r < second; r++, m += ld) sum = mul_add(fill(w[r]), one_vec_row(m, s, u[r], v, learns), sum);
  return pairs ? sum + apart : sum;
}
#else
INLINE vec one_vec_ger_gemv(real *m, size_t ld, int n, int second, const step_state *s, const real *u, vec v,
                            const real *w, vec start, bool learns) {
  const real beta = s->last_beta;
  (void)second;
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
#endif

INLINE vec one_vec_value(nnb_activation act, vec z, int n) {
  return zero_after(act == NNB_SIGMOID ? sigmoid_part(z, n <= LANES / 2) : value_of(act, z), n);
}
INLINE vec one_vec_slope(nnb_activation act, vec z, vec a) {
  return act == NNB_SIGMOID ? a * ((real)1 - a) : pulled(act, z, a, fill(1));
}

/* b ← b + v of the last update */
INLINE vec one_vec_bias(nnb__chain_rows_link *l, const step_state *s, vec v) {
  vec b = load(l->b);
#ifdef NNB_EXACT
  if (l->learns_b) store(l->b, b -= s->last_eta * (v + ZERO));
#else
  (void)s;
  if (l->learns_b) store(l->b, b += v);
#endif
  return b;
}

#ifdef NNB_EXACT
/* one_vec_ger_gemv for a link whose only output is four sums */
NOINLINE vec one_vec_by_sums(const nnb__chain_rows_link *l, const step_state *s, const real *u, vec v, const real *w,
                             vec start) {
  vec sum[4] = {ZERO};
  for (int r = 0; r < l->shape.n_in; r += 4) UNROLL for (int h = 0; h < 4; h++) {
      if (r + h >= l->shape.n_in) break;
      const vec x = one_vec_row(l->w + (size_t)(r + h) * l->ldw, s, u[r + h], v, l->learns_w);
      sum[h] = mul_add(fill(w[r + h]), x, sum[h]);
    }
  return start + ((sum[0] + sum[2]) + (sum[1] + sum[3]));
}
#endif
/* z of a link from w, after the last update by u and v */
INLINE vec one_vec_forward(nnb__chain_rows_link *l, const step_state *s, const real *u, vec v, const real *w) {
  const int n = l->shape.n_in;
  const vec b = one_vec_bias(l, s, v);
#ifdef NNB_EXACT
  if (nnb__by_sums(n, l->shape.n_out)) return one_vec_by_sums(l, s, u, v, w, b);
#endif
  return one_vec_ger_gemv(l->w, l->ldw, n, nnb__second_chain(n), s, u, v, w, b, l->learns_w);
}

/* Like enter_dense, or enter_sparse in the defined arithmetic; v: -η·Δ of the last update. */
INLINE vec one_vec_enter(nnb__chain_rows *run, nnb__chain_rows_link *l, const step_state *s, vec v) {
#ifdef NNB_EXACT
  (void)run;
  return one_vec_forward(l, s, s->x[0], v, s->x[1]);
#else
  const int n = l->shape.n_in;
  const real by = (l->learns_w ? dot(n, s->x[0], s->x[1]) : 0) + (real)l->learns_b;
  const vec z = ((l->learns_w ? s->last_beta : 1) * load(run->ahead) + load(l->b)) + by * v;
  one_vec_bias(l, s, v);
  store(run->ahead, one_vec_ger_gemv(l->w, l->ldw, n, n, s, s->x[0], v, s->x[2], ZERO, l->learns_w));
  return z;
#endif
}

/* c·slope·by_z */
INLINE vec one_vec_pull(vec slope, real c, vec by_z) {
#ifdef NNB_EXACT
  return (c * slope) * by_z;
#else
  return slope * (c * by_z);
#endif
}
/* The sum of n lanes, in the defined arithmetic times the weight */
INLINE double one_vec_loss(vec loss, double weight, int n) {
#ifdef NNB_EXACT
  return (double)(real)weight * add_lanes(0, loss, n);
#else
  (void)weight;
  return sum_wide(widen(zero_after(loss, n)));
#endif
}

/* Returns the loss from z of the last link; Δ goes to d and v. */
INLINE void one_vec_lose(nnb__chain_rows *run, const step_state *s, loss_scale by, int row, vec z) {
  nnb__chain_rows_link *l = &run->link[run->n - 1];
  const nnb_activation act = l->shape.act;
  const int n = l->shape.n_out;
  const double weight = weight_of(run, row);
  real single;
  run->weight += weight, run->value = 0;
  if (weight == 0) {
    clear_delta(l, s);
    return;
  }
  const target t = target_of(run, row, &single);
  const real c = slope_factor(run, by, weight);
  if (fuses_rows(run->loss, act)) {
    store(l->z, z);
    count_loss(run, by, weight, fused_row_loss(l, run->loss, t, (real)weight, c));
    scale_delta(l, s);
    return;
  }
  const vec want = target_at(t, 0, n);
  term x;
  if (fuses_terms(run->loss, act)) {
    x = fused_term_of(run->loss, z, want), x.slope *= c;
  } else {
    const vec a = one_vec_value(act, z, n);
    x = term_of(run->loss, a, want);
    x.slope = one_vec_pull(x.slope, c, one_vec_slope(act, z, a));
  }
  const vec d = zero_after(x.slope, n);
  store(l->d, d), store(l->v[s->now], s->alpha * d);
  count_loss(run, by, weight, one_vec_loss(x.loss, weight, n));
}

/* Processes one row.  v: alpha·Δ of the first link in the last update; returns it for this update. */
INLINE vec one_vec_step(nnb__chain_rows *run, const step_state *s, loss_scale by, int row, vec v) {
  const int now = s->now, last = run->n - 1;
  nnb__chain_rows_link *link = run->link;
  vec z = one_vec_enter(run, link, s, v);
  for (int i = 1; i <= last; i++) {
    nnb__chain_rows_link *l = &link[i], *before = l - 1;
    const vec a = one_vec_value(before->shape.act, z, before->shape.n_out), last_v = load(l->v[!now]);
    store(before->a[now], a);
    store(before->z, one_vec_slope(before->shape.act, z, a)); /* overwrites z, which is not used again */
    z = one_vec_forward(l, s, before->a[!now], last_v, before->a[now]);
  }
  one_vec_lose(run, s, by, row, z);
  if (last == 0) return load(link->v[now]);
  for (int i = last - 1;; i--) {
    nnb__chain_rows_link *l = &link[i], *after = l + 1;
    const vec da = one_vec_ger_gemv(after->t, after->ldt, after->shape.n_out, after->shape.n_out, s, after->v[!now],
                                    load(l->a[!now]), after->d, ZERO, after->learns_w);
    const vec slope = load(l->z);
    v = da * (s->alpha * slope);
    if (i == 0) return v;
    store(l->d, da * slope), store(l->v[now], v);
  }
}

static bool is_one_vec(const nnb__chain_rows *run) {
  for (int i = 0; i < run->n; i++) {
    const nnb__link *l = &run->link[i].shape;
    const bool fused = i == run->n - 1 && fuses_rows(run->loss, l->act);
    if (l->n_out > LANES || (is_rowwise(l->act) && !fused)) return false;
  }
  return run->link->shape.n_in <= NNB__CHAIN_ROWS_FEW;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* Applies the last update, because there is no next row. */
static void apply_last_update(nnb__chain_rows *run, const step_state *s) {
  for (int i = 0; i < run->n; i++) {
    nnb__chain_rows_link *l = &run->link[i];
    const real *u = i ? l[-1].a[!s->now] : s->x[0];
    update_bias(l, s, l->v[!s->now]);
    ger_gemv p = link_ger_gemv(l, s, u, run->zeros);
    const bool sparse = i == 0 && l->shape.n_in > NNB__CHAIN_ROWS_FEW && s->last_beta == 1;
    p.n = sparse ? list_nonzero(l->shape.n_in, u, run->update) : l->shape.n_in;
    p.list = sparse ? run->update : run->all;
    if (p.v) run_ger_gemv(p);
  }
}

/* Goes to the next row. */
INLINE void next_row(nnb__chain_rows *run, step_state *s) {
  run->updates++;
  s->now = !s->now, s->last_beta = s->beta, s->last_eta = s->eta;
  s->x[0] = s->x[1], s->x[1] = s->x[2], s->x[2] = input(run, run->updates + 1);
}
INLINE bool next_update(nnb__chain_rows *run, step_state *s) {
  nnb__target into = {0};
  if (run->updates == run->n_rows || !isfinite(run->value)) return false;
  run->begin(run->context, &into);
  s->alpha = into.alpha, s->beta = into.beta;
#ifdef NNB_EXACT
  s->eta = -into.alpha, s->alpha = 1;
#endif
  return true;
}

static void run_one_vec(nnb__chain_rows *run, step_state *s, loss_scale by) {
  vec v = ZERO;
  for (; next_update(run, s); next_row(run, s)) v = one_vec_step(run, s, by, row_of(run, run->updates), v);
  store(run->link->v[!s->now], v);
}
static void run_wide(nnb__chain_rows *run, step_state *s, loss_scale by) {
  for (; next_update(run, s); next_row(run, s)) {
    forward(run, s);
    compute_loss(run, s, by, row_of(run, run->updates));
    for (int i = run->n - 2; i >= 0; i--) back_to(run, s, i);
  }
}

void NNB__CHAIN_ROWS(nnb__chain_rows *run) {
  step_state s = {.last_beta = 1, .x = {run->zeros, input(run, 0), input(run, 1)}};
#ifndef NNB_EXACT
  nnb__chain_rows_link *first = run->link;
  if (first->shape.n_in <= NNB__CHAIN_ROWS_FEW) { /* W·x of the first row */
    ger_gemv p = link_ger_gemv(first, &s, s.x[0], s.x[1]);
    p.n = first->shape.n_in, p.list = run->all, p.v = p.start = NULL, p.y = run->ahead;
    run_ger_gemv(p);
  }
#endif
  run->updates = 0, run->value = 0;
  if (is_one_vec(run))
    run_one_vec(run, &s, loss_scale_of(run));
  else
    run_wide(run, &s, loss_scale_of(run));
  apply_last_update(run, &s);
}
