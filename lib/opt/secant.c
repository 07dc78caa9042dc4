/* opt/secant.c: approximates the part of the Hessian that Gauss–Newton lacks, near a minimum, from the last steps.
 *
 * The Hessian of f is A + S, A = JᵀJ + ridge·I, S = Σ rᵢ∇²rᵢ.  If residuals stay large, as with noise, steps with A
 * alone converge linearly.  Dennis, Gay and Welsch 1981, "An adaptive nonlinear least-squares algorithm", estimate S
 * from the changes by a step s:
 *
 *     S·s ≈ w = Δg - A·s,  y = A·s + w
 *
 * w does not depend on the ridge, so pairs (s, w) stay valid when it changes.  They correct the inverse of A + λD² as
 * those of L-BFGS correct a multiple of I (Nocedal and Wright 2006, algorithm 7.4), which keeps it positive
 * definite. */
#include "secant.h"

#include <string.h>

/* A pair is used if its curvature along s is at least this part of that of A. */
static const double least_curvature = 1e-2;

/* a ← a + c·b */
static void add(int n, double *a, double c, const double *b) {
  for (int i = 0; i < n; i++) a[i] += c * b[i];
}

/* The three vectors of pair k, 0 is the oldest: s, w, and y of the damped system. */
static double *vector(const nnb__secants *q, int k, int which) {
  int at = (q->first + k) % NNB__PAIRS;
  return q->pairs + (size_t)(3 * at + which) * (size_t)q->n;
}
static double *s_of(const nnb__secants *q, int k) { return vector(q, k, 0); }
static double *w_of(const nnb__secants *q, int k) { return vector(q, k, 1); }
static double *y_of(const nnb__secants *q, int k) { return vector(q, k, 2); }

void nnb__secants_take(nnb__secants *q, int n, nnb__arena *arena) {
  q->n = n;
  q->pairs = nnb__arena_take(arena, 3 * NNB__PAIRS, (size_t)n * sizeof *q->pairs);
  q->g_before = nnb__arena_take(arena, (size_t)n, sizeof *q->g_before);
}

void nnb__secants_visit(nnb__secants *q, nnb__visitor *s) {
  nnb__state_doubles(s, "pairs", (size_t)(3 * NNB__PAIRS) * (size_t)q->n, q->pairs);
  nnb__state_doubles(s, "gradient_before", (size_t)q->n, q->g_before);
  nnb__state_int(s, "pairs.first", 0, NNB__PAIRS - 1, &q->first);
  nnb__state_int(s, "pairs.count", 0, NNB__PAIRS, &q->count);
}

void nnb__secants_forget(nnb__secants *q) { q->count = 0; }

void nnb__secants_before_step(nnb__secants *q, const nnb__system *s) {
  memcpy(q->g_before, s->g, (size_t)q->n * sizeof *q->g_before);
}

void nnb__secants_after_step(nnb__secants *q, const nnb__system *s, const real *x_before) {
  if (q->count == NNB__PAIRS)
    q->first = (q->first + 1) % NNB__PAIRS;
  else
    q->count++;
  double *step = s_of(q, q->count - 1), *w = w_of(q, q->count - 1);
  for (int i = 0; i < q->n; i++) step[i] = (double)s->x[i] - (double)x_before[i];
  nnb__system_times(s, step, w);
  for (int i = 0; i < q->n; i++) w[i] = s->g[i] - q->g_before[i] - w[i];
}

/* y ← (A + λD²)·s + w; returns sᵀy, or 0 if the pair cannot be used. */
static double complete(nnb__secants *q, const nnb__system *s, int k) {
  const double *step = s_of(q, k), *w = w_of(q, k);
  double *y = y_of(q, k);
  nnb__system_times(s, step, y);
  if (nnb__dot_double(q->n, step, w) < (least_curvature - 1) * nnb__dot_double(q->n, step, y)) return 0;
  for (int i = 0; i < q->n; i++) y[i] += w[i] + s->lambda * nnb__system_scale(s, i) * nnb__system_scale(s, i) * step[i];
  return nnb__dot_double(q->n, step, y);
}

void nnb__secants_solve(nnb__secants *q, const nnb__system *s, double *v) {
  double sy[NNB__PAIRS], a[NNB__PAIRS];
  const int n = q->n;
  for (int k = q->count - 1; k >= 0; k--) {
    sy[k] = complete(q, s, k);
    if (!(sy[k] > 0)) continue;
    a[k] = nnb__dot_double(n, s_of(q, k), v) / sy[k];
    add(n, v, -a[k], y_of(q, k));
  }
  nnb__system_solve(s, v);
  for (int k = 0; k < q->count; k++)
    if (sy[k] > 0) add(n, v, -a[k] - nnb__dot_double(n, y_of(q, k), v) / sy[k], s_of(q, k));
}
