/* opt/secant.c: near a minimum, what Gauss and Newton leave out of the Hessian, from the last steps.
 *
 * The Hessian of f is A + S, A = JᵀJ + ridge·I, S = Σ rᵢ∇²rᵢ.  Where residuals stay large, as with noise they do, steps
 * with A alone converge linearly; Dennis, Gay and Welsch 1981, "An adaptive nonlinear least-squares algorithm",
 * estimate S from what a step s has changed:
 *
 *     S·s ≈ w = Δg - A·s,  y = A·s + w
 *
 * w does not depend on the ridge, so pairs (s, w) outlive its changes.  They correct the inverse of A + λD², as those
 * of L-BFGS correct a multiple of I (Nocedal and Wright 2006, algorithm 7.4), which keeps it positive definite. */
#include <string.h>

#include "lm.h"

/* The least curvature along s that a pair may say, of that which A has. */
static const double least_curvature = 1e-2;

/* a ← a + c·b */
static void add(int n, double *a, double c, const double *b) {
  for (int i = 0; i < n; i++) a[i] += c * b[i];
}

/* The three vectors of pair k, the oldest of which is 0: s, w, and y of the damped system. */
static double *vector(const nnb__lm *lm, int k, int which) {
  int at = (lm->first_pair + k) % NNB__PAIRS;
  return lm->pairs + (size_t)(3 * at + which) * (size_t)lm->n;
}
static double *s_of(const nnb__lm *lm, int k) { return vector(lm, k, 0); }
static double *w_of(const nnb__lm *lm, int k) { return vector(lm, k, 1); }
static double *y_of(const nnb__lm *lm, int k) { return vector(lm, k, 2); }

void nnb__secants_forget(nnb__lm *lm) { lm->n_pairs = 0; }

void nnb__secants_note(nnb__lm *lm, const real *x_before, const double *g_before) {
  if (lm->n_pairs == NNB__PAIRS)
    lm->first_pair = (lm->first_pair + 1) % NNB__PAIRS;
  else
    lm->n_pairs++;
  double *s = s_of(lm, lm->n_pairs - 1), *w = w_of(lm, lm->n_pairs - 1);
  for (int i = 0; i < lm->n; i++) s[i] = (double)lm->x[i] - (double)x_before[i];
  nnb__lm_times(lm, s, w);
  for (int i = 0; i < lm->n; i++) w[i] = lm->g[i] - g_before[i] - w[i];
}

/* y ← (A + λD²)·s + w;  sᵀy, or 0 where the pair is of no use. */
static double complete(nnb__lm *lm, int k) {
  const double *s = s_of(lm, k), *w = w_of(lm, k);
  double *y = y_of(lm, k);
  nnb__lm_times(lm, s, y);
  if (nnb__lm_dot(lm, s, w) < (least_curvature - 1) * nnb__lm_dot(lm, s, y)) return 0;
  for (int i = 0; i < lm->n; i++) y[i] += w[i] + lm->lambda * nnb__lm_scale(lm, i) * nnb__lm_scale(lm, i) * s[i];
  return nnb__lm_dot(lm, s, y);
}

void nnb__secants_solve(nnb__lm *lm, double *v) {
  double sy[NNB__PAIRS], a[NNB__PAIRS];
  const int n = lm->n;
  for (int k = lm->n_pairs - 1; k >= 0; k--) {
    sy[k] = complete(lm, k);
    if (!(sy[k] > 0)) continue;
    a[k] = nnb__lm_dot(lm, s_of(lm, k), v) / sy[k];
    add(n, v, -a[k], y_of(lm, k));
  }
  nnb__lm_solve(lm, v);
  for (int k = 0; k < lm->n_pairs; k++)
    if (sy[k] > 0) add(n, v, -a[k] - nnb__lm_dot(lm, y_of(lm, k), v) / sy[k], s_of(lm, k));
}
