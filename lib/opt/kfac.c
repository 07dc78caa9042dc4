/* opt/kfac.c: K-FAC (Martens and Grosse 2015, "Optimizing neural networks with Kronecker-factored approximate
 * curvature", arXiv 1503.05671).  In each layer the Fisher matrix is approximated by F̆ = A⊗G with A = E ā·āᵀ, G = E
 * δ·δᵀ (the block-diagonal form), so F̆⁻¹ of a gradient is A⁻¹·∇W·G⁻¹.  The change is α·Δ + μ·δ with Δ = -F̆⁻¹g and the
 * last change δ.  α and μ minimise the quadratic model with the exact F + λI, whose products vᵀ·F·v are the mean of
 * (gᵢᵀ·v)² over the scores gᵢ.  λ follows Levenberg and Marquardt.  There are three differences from the paper.  α and
 * μ have bounds.  γ is always √λ: section 6.6 takes the γ whose model predicts most, but it predicts for the rows that
 * made Δ; on a deep autoencoder with batches of some thousand rows γ fell and fell, and the loss fell more slowly.  L2
 * decay is separate from the gradient, as everywhere here. */
#include "kfac.h"

#include <string.h>

#include "blas.h"
#include "elementary.h"
#include "view.h"

/* ---- Δ ← -F̆⁻¹g, in s -------------------------------------------------------------------------------------------- */

/* Zeros the frozen parameters. */
static void clear_frozen(const nnb__block *b, real *p) {
  const size_t n_weights = (size_t)b->rows * (size_t)b->cols;
  if (b->frozen & NNB_WEIGHTS) memset(p, 0, n_weights * sizeof *p);
  if (b->bias && b->frozen & NNB_BIAS) memset(p + n_weights, 0, (size_t)b->cols * sizeof *p);
}

static void propose_block(nnb_optim *o, const nnb__kfac_block *k, const nnb__block *b, const real *g) {
  const int rows = b->rows + b->bias, cols = b->cols, threads = o->threads;
  const size_t n = (size_t)rows * (size_t)cols;
  real *s = o->s + b->off;
  memcpy(s, g + b->off, n * sizeof *s);
  clear_frozen(b, s);
  if (k->in.n) {
    nnb_mat product = nnb_view(o->kfac->product, rows, cols), delta = nnb_view(s, rows, cols);
    nnb_cmat in = nnb_cview(k->in.inverse, rows, rows), out = nnb_cview(k->out.inverse, cols, cols);
    nnb__gemm_shared(threads, 'N', 'N', 1, in, nnb__read(delta), 0, product);
    nnb__gemm_shared(threads, 'N', 'N', -1, nnb__read(product), out, 0, delta); /* Δ = -A⁻¹·∇W·G⁻¹ */
  } else {
    const double lambda = o->kfac->lambda > 0 ? o->kfac->lambda : 1;
    for (size_t i = 0; i < n; i++) s[i] = (real)(-(double)s[i] / ((double)k->diagonal[i] + lambda));
  }
  clear_frozen(b, s);
}

void nnb__kfac_propose(nnb_optim *o, const nnb__block *blocks, const real *g) {
  struct nnb__kfac *k = o->kfac;
  if (o->updates <= 3 || o->updates % k->invert_every == 0 || k->stale) nnb__kfac_invert(o, blocks);
  k->stale = false;
  for (int b = 0; b < k->n_blocks; b++) propose_block(o, &k->block[b], &blocks[b], g);
  memset(k->curvature, 0, sizeof k->curvature);
}

/* ---- the quadratic model ---------------------------------------------------------------------------------------- */

void nnb__kfac_along_begin(nnb_optim *o) {
  memset(o->kfac->u, 0, sizeof o->kfac->u);
  memset(o->kfac->v, 0, sizeof o->kfac->v);
}

/* u_i ← u_i + gᵢᵀ·x for one block of x: āᵢᵀ·X·δᵢ */
static void add_along(const nnb_optim *o, const nnb__pairs *p, const real *x, double *u) {
  const struct nnb__kfac *k = o->kfac;
  const int rows = p->a.cols, cols = p->delta.cols;
  if (!p->a.p) {
    u[p->row] += nnb__dot((size_t)cols, p->delta.p, x);
    return;
  }
  const bool bias = k->block[p->block].in.n > rows;
  nnb_mat panel = nnb_view(k->panel, p->rows, cols);
  for (int i = 0; bias && i < p->rows; i++)
    memcpy(nnb__row(panel, i), x + (size_t)rows * (size_t)cols, (size_t)cols * sizeof *x);
  nnb__gemm_shared(o->threads, 'N', 'N', 1, p->a, nnb_cview(x, rows, cols), bias ? 1 : 0, panel);
  for (int i = 0; i < p->rows; i++) u[p->row + i] += nnb__dot((size_t)cols, nnb__row(panel, i), nnb__crow(p->delta, i));
}

void nnb__kfac_along(void *optim, const nnb__pairs *p) {
  nnb_optim *o = optim;
  const size_t off = o->kfac->block[p->block].off;
  add_along(o, p, o->s + off, o->kfac->u);
  if (o->kfac->momentum && o->updates > 1) add_along(o, p, o->m + off, o->kfac->v);
}

void nnb__kfac_along_end(nnb_optim *o, int rows, double scale) {
  struct nnb__kfac *k = o->kfac;
  for (int i = 0; i < rows; i++) {
    k->curvature[0] += scale * k->u[i] * k->u[i];
    k->curvature[1] += scale * k->u[i] * k->v[i];
    k->curvature[2] += scale * k->v[i] * k->v[i];
  }
}

/* Bounds of the step, found on small problems with batches of 50 to 300 rows.  α: relative to its mean in earlier
 * updates. */
static const double most_alpha = 1.5, least_mu = -0.5, most_mu = 1, stiffness_decay = 0.9;

/* The largest α.  The rows of one batch may by chance show almost no curvature along Δ, because of the drawn targets or
 * of rows with certain predictions.  Without a bound, α then leads so far away that training does not recover. */
static double bound_alpha(struct nnb__kfac *k, double a, double g_new) {
  const double now = -a / g_new, before = k->stiffness;
  if (!(now > 0) || isinf(now)) return HUGE_VAL;
  k->stiffness = before > 0 ? stiffness_decay * before + (1 - stiffness_decay) * now : now;
  return before > 0 ? most_alpha / before : HUGE_VAL;
}

/* Whether ‖change‖² is unusual, which is when a step most often fails: if rows are predicted ever better, their scores
 * vanish and with them λ and the curvature, and one step may lead away from all that was learned. */
static const double unusual = 4, length_decay = 0.9;

static void measure_change(struct nnb__kfac *k, double length) {
  const double before = k->length;
  k->far = before > 0 && !(length <= unusual * before);
  length = k->far ? unusual * before : length;
  k->length = before > 0 ? length_decay * before + (1 - length_decay) * length : length;
}

/* Minimises gᵀx + ½·xᵀ(F + λI)x over x = αΔ + μδ within the bounds; the prediction is that of the model for ηx.  gᵀδ is
 * usually small, because the last step went where it becomes 0; the rest is the noise of the batch, which is why μ has
 * bounds. */
void nnb__kfac_solve(nnb_optim *o, const real *g) {
  struct nnb__kfac *k = o->kfac;
  const size_t n = o->n_params;
  const double ss = nnb__dot(n, o->s, o->s), sm = nnb__dot(n, o->s, o->m), mm = nnb__dot(n, o->m, o->m);
  const double a = k->curvature[0] + k->lambda * ss;
  const double b = k->curvature[1] + k->lambda * sm;
  const double c = k->curvature[2] + k->lambda * mm;
  const double g_new = nnb__dot(n, g, o->s), g_old = nnb__dot(n, g, o->m), det = a * c - b * b;
  const double most = bound_alpha(k, a, g_new);
  k->alpha = fmin(a > 0 ? -g_new / a : g_new < 0 ? 1 : 0, most), k->mu = 0;
  if (k->momentum && det > 1e-9 * a * c) {
    k->alpha = fmin((b * g_old - c * g_new) / det, most);
    k->mu = fmin(fmax(-(g_old + k->alpha * b) / c, least_mu), most_mu);
    k->alpha = fmin(-(g_new + k->mu * b) / a, most);
  }
  const double slope = k->alpha * g_new + k->mu * g_old;
  const double curvature = k->alpha * k->alpha * a + 2 * k->alpha * k->mu * b + k->mu * k->mu * c;
  k->predicted = o->lr * slope + 0.5 * o->lr * o->lr * curvature;
  measure_change(k, o->lr * o->lr * (k->alpha * k->alpha * ss + 2 * k->alpha * k->mu * sm + k->mu * k->mu * mm));
}

/* m ← η(αΔ + μm), w ← w + m; s, which held Δ, gets the old w. */
static void kfac_finish(nnb_optim *o, const nnb__segment *s, real *w) {
  const real alpha = (real)(o->lr * o->kfac->alpha), mu = (real)(o->lr * o->kfac->mu);
  for (size_t i = s->off; i < s->off + s->n; i++) {
    o->m[i] = alpha * o->s[i] + mu * o->m[i];
    o->s[i] = w[i];
    w[i] += o->m[i];
  }
}

/* ---- λ ---------------------------------------------------------------------------------------------------------- */

bool nnb__kfac_asks(const nnb_optim *o) {
  const bool due = o->updates <= NNB__KFAC_EARLY || o->updates % NNB__KFAC_JUDGE == 0 || o->kfac->far;
  return due && o->kfac->predicted < 0;
}

/* Restores w to the bit, and forgets the last change. */
static void undo_update(nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w) {
  nnb__segment seg[2];
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      memcpy(w + seg[s].off, o->s + seg[s].off, seg[s].n * sizeof *w);
  memset(o->m, 0, o->n_params * sizeof *o->m);
}

/* Section 6.5: λ falls if the model predicted the loss well, and rises if it did badly.  The paper makes every step;
 * here an update that raised the loss is undone, because the first ones, with factors from few rows, may lead so far
 * away that training does not recover. */
bool nnb__kfac_judge(nnb_optim *o, const nnb__block *blocks, double before, double after, real *w) {
  struct nnb__kfac *k = o->kfac;
  const double omega = nnb__pow(0.95, NNB__KFAC_JUDGE), ratio = (after - before) / k->predicted;
  if (ratio > 0.75)
    k->lambda *= omega;
  else if (!(ratio >= 0.25))
    k->lambda /= omega;
  const bool worse = !(ratio >= 0) && isfinite(before);
  if (worse) {
    undo_update(o, blocks, k->n_blocks, w);
    k->lambda *= 4, k->stale = true;
  }
  k->lambda = fmin(fmax(k->lambda, k->least), 1e9 * k->first); /* it must neither vanish nor overflow */
  return !worse;
}

/* w ← w - ηλ₂·w_before */
void nnb__kfac_decay(const nnb_optim *o, const nnb__block *blocks, int n_blocks, real *w) {
  const real by = (real)(o->lr * o->l2);
  nnb__segment seg[2];
  if (by == 0) return;
  for (int b = 0; b < n_blocks; b++)
    for (int s = 0, n = nnb__block_segments(&blocks[b], seg); s < n; s++)
      if (seg[s].decays) nnb__axpy(seg[s].n, -by, o->s + seg[s].off, w + seg[s].off);
}

const nnb__optim_ops nnb__algo_kfac = {.name = "kfac",
                                       .traits = NNB__TRAIT_PAIRS,
                                       .lr = 1,
                                       .beta2 = 0.95,
                                       .keeps = NNB__KEEP_M | NNB__KEEP_S,
                                       .open = nnb__kfac_open,
                                       .close = nnb__kfac_close,
                                       .finish = kfac_finish};
