/* opt/muon.c: Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): momentum whose
 * singular values are brought near 1 by five steps of a Newton-Schulz iteration, which needs only matrix products.  For
 * matrices with one row or column, and for biases, it is Adam with a smaller rate. */
#include <string.h>

#include "alloc.h"
#include "blas.h"
#include "elementary.h"
#include "kernels.h"
#include "optim.h"
#include "view.h"

enum { ITERATIONS = 5 };
static const double adam_share = 0.05; /* of η: 0.001, Adam's default, for Muon's default 0.02 */

static bool is_matrix(const nnb__segment *s) { return s->weights && s->rows > 1 && s->cols > 1; }

/* Two k×k matrices and one of the weights' shape, k: the shorter side. */
static bool muon_scratch(const nnb__segment *s, size_t *out) {
  size_t k = (size_t)(s->rows < s->cols ? s->rows : s->cols), square;
  if (!is_matrix(s)) return true;
  if (!nnb__mul(k, 2 * k, &square) || square > SIZE_MAX - s->n) return false;
  *out = square + s->n;
  return true;
}

static void muon_begin(nnb_optim *o) {
  const double t = (double)o->updates;
  o->rates.lr_m = (real)(adam_share * o->lr / (1 - nnb__pow(o->beta1, t)));
  o->rates.root = (real)(1 / sqrt(1 - nnb__pow(o->beta2, t)));
}

/* v ← μv + g, x ← g + μv */
static void gather(size_t n, real mu, const real *g, real *v, real *x) {
  for (size_t i = 0; i < n; i++) {
    v[i] = mu * v[i] + g[i];
    x[i] = g[i] + mu * v[i];
  }
}

/* X ← aX + (bA + cA²)X with A = XXᵀ, or from the right with A = XᵀX if that is smaller.  A singular value s of X
 * becomes as + bs³ + cs⁵; this takes all 0 < s ≤ 1 to between about 0.7 and 1.2. */
static void newton_schulz(int threads, nnb_mat x, real *scratch) {
  static const real a = (real)3.4445, b = (real)-4.7750, c = (real)2.0315;
  const bool wide = x.rows <= x.cols;
  const int k = wide ? x.rows : x.cols;
  const size_t square = (size_t)k * (size_t)k, n = (size_t)x.rows * (size_t)x.cols;
  nnb_mat gram = nnb_view(scratch, k, k), poly = nnb_view(scratch + square, k, k);
  nnb_mat old = nnb_view(scratch + 2 * square, x.rows, x.cols);
  for (int i = 0; i < ITERATIONS; i++) {
    nnb_cmat from = nnb__read(x);
    nnb__gemm_shared(threads, wide ? 'N' : 'T', wide ? 'T' : 'N', 1, from, from, 0, gram); /* A */
    memcpy(poly.p, gram.p, square * sizeof(real));
    nnb__gemm_shared(threads, 'N', 'N', c, nnb__read(gram), nnb__read(gram), b, poly); /* bA + cA² */
    memcpy(old.p, x.p, n * sizeof(real));
    if (wide)
      nnb__gemm_shared(threads, 'N', 'N', 1, nnb__read(poly), nnb__read(old), a, x);
    else
      nnb__gemm_shared(threads, 'N', 'N', 1, nnb__read(old), nnb__read(poly), a, x);
  }
}

static void muon_step(nnb_optim *o, const nnb__segment *s, real *w, const real *g) {
  if (!is_matrix(s)) {
    nnb__optim_run(o, nnb__kernel()->steps->adam, s, w, g);
    return;
  }
  real *x = o->s + s->off; /* Adam's average of squares, which a matrix does not need */
  gather(s->n, (real)o->momentum, g + s->off, o->m + s->off, x);
  const real norm = (real)sqrt(nnb__sum_squares(s->n, x)) + (real)1e-7; /* ‖X‖_F bounds the largest singular value */
  for (size_t i = 0; i < s->n; i++) x[i] /= norm;
  newton_schulz(o->threads, nnb_view(x, s->rows, s->cols), o->scratch);
  const double scale = sqrt(fmax(1, (double)s->cols / s->rows)); /* √max(1, O/I): W is I×O */
  const real lr = (real)(scale * o->lr), keep = (real)(1 - o->lr * o->l2);
  nnb__kernel()->steps->sgd(s->n, &(nnb__rates){.lr = lr, .keep = keep}, (nnb__run){.g = x, .w = w + s->off});
}

const nnb__optim_ops nnb__algo_muon = {.name = "muon",
                                       .lr = 0.02,
                                       .momentum = 0.95,
                                       .beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .epsilon = 1e-8,
                                       .keeps = NNB__KEEP_M | NNB__KEEP_S,
                                       .step = muon_step,
                                       .begin = muon_begin,
                                       .scratch = muon_scratch};
