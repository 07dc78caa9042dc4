/* opt/curvature.c: the structured secant of NL2SOL (Dennis, Gay and Welsch 1981, "An adaptive nonlinear least-squares
 * algorithm").  For the step d, y = Δg and y# = (J₊ - J)ᵀr₊ ≈ S·d, and the symmetric rank-two update of least change
 *
 *     S ← τS + (u·yᵀ + y·uᵀ)/yᵀd - (uᵀd)·y·yᵀ/(yᵀd)²,   u = y# - τS·d,   τ = min(1, |dᵀy#|/|dᵀS·d|)
 *
 * τ sizes S, so that S vanishes with the residuals.
 *
 * S is used if it would have predicted f at the last trial better than Gauss–Newton, and r is nearly orthogonal to the
 * columns of J, as near a minimum with residuals, or S was better in many trials in a row.  Without the second
 * condition S was also used on the way down the valleys of problems without residuals: Rosenbrock's function from ten
 * times its start took 88 evaluations of r and J, and 7 with it. */
#include "curvature.h"

#include <limits.h>
#include <string.h>

/* The second condition: Gauss–Newton would lower f by less than this part of it.  With 0.05, 0.1, 0.2 and 0.5 the
 * evaluations in 144 cases of bench/optimisers/minpack.c differed by 1 %; they were 4 % fewer than without S. */
static const double tangential = 0.2;
/* Good predictions in a row after which S is used without the second condition: on a long way down with large
 * residuals, as for Brown and Dennis's function (345 evaluations without, 67 with it).  With 3 the three-dimensional
 * function of Box from 100 times its start took 17 times MINPACK's evaluations; with 6 MGH17 ended elsewhere; with 10,
 * 20 and 30 the counts are nearly the same. */
enum { OFTEN = 20 };

void nnb__curvature_take(nnb__curvature *c, int n, nnb__arena *arena) {
  c->S = nnb__arena_take(arena, (size_t)n, (size_t)n * sizeof *c->S);
  c->pulled = nnb__arena_take(arena, (size_t)n, sizeof *c->pulled);
  c->g = nnb__arena_take(arena, (size_t)n, sizeof *c->g);
  c->product = nnb__arena_take(arena, (size_t)n, sizeof *c->product);
}

void nnb__curvature_visit(nnb__curvature *c, int n, nnb__visitor *s) {
  nnb__state_doubles(s, "second", (size_t)n * (size_t)n, c->S);
  nnb__state_int(s, "second.better", 0, INT_MAX - 1, &c->better);
}

void nnb__curvature_begin(nnb__curvature *c, int n) {
  memset(c->S, 0, (size_t)n * (size_t)n * sizeof *c->S);
  c->better = 0;
}

/* vᵀ·S·v */
static double along(const nnb__curvature *c, int n, const double *v) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += v[i] * nnb__dot_double(n, c->S + (size_t)i * (size_t)n, v);
  return sum;
}

/* Whether the Gauss–Newton step would lower f by less than `tangential` of it. */
static nnb_status is_nearly_stationary(nnb__curvature *c, nnb__system *s, bool *nearly) {
  const double lambda = s->lambda;
  double *v = c->product;
  s->lambda = 0;
  nnb_status status = nnb__system_factorise(s, nearly);
  s->lambda = lambda;
  if (status || !*nearly) return status;
  memcpy(v, s->g, (size_t)s->n * sizeof *v);
  nnb__system_solve(s, v);
  *nearly = -nnb__dot_double(s->n, v, s->g) / 2 < tangential * s->f;
  return NNB_OK;
}

nnb_status nnb__curvature_choose(nnb__curvature *c, nnb__system *s) {
  bool nearly = false;
  s->second = NULL;
  nnb_status status = c->better ? is_nearly_stationary(c, s, &nearly) : NNB_OK;
  if (nearly || c->better >= OFTEN) s->second = c->S;
  return status;
}

void nnb__curvature_compare(nnb__curvature *c, const nnb__system *s, const double *v, double predicted, double actual) {
  const double vSv = along(c, s->n, v) / 2;
  const double with = s->second ? predicted : predicted - vSv, without = s->second ? predicted + vSv : predicted;
  c->better = isfinite(actual) && fabs(actual - with) < fabs(actual - without) ? c->better + 1 : 0;
}

nnb_status nnb__curvature_before_step(nnb__curvature *c, nnb__system *s) {
  memcpy(c->g, s->g, (size_t)s->n * sizeof *c->g);
  return nnb__system_pull(s, s->r_new, c->pulled);
}

void nnb__curvature_after_step(nnb__curvature *c, const nnb__system *s, const real *x_before) {
  const int n = s->n;
  double *d = c->product, *y = c->g, *u = c->pulled;
  for (int i = 0; i < n; i++) {
    d[i] = (double)s->x[i] - (double)x_before[i];
    u[i] = s->g[i] - nnb__system_ridge(s, i) * (double)s->x[i] - u[i];
    y[i] = s->g[i] - y[i];
  }
  const double yd = nnb__dot_double(n, y, d), ud = nnb__dot_double(n, u, d), dSd = along(c, n, d);
  const double size = dSd != 0 ? fmin(1, fabs(ud / dSd)) : 1;
  if (!(fabs(yd) > DBL_MIN) || !isfinite(ud)) return;
  for (int i = 0; i < n; i++) u[i] -= size * nnb__dot_double(n, c->S + (size_t)i * (size_t)n, d);
  const double share = nnb__dot_double(n, u, d) / yd;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double *to = &c->S[(size_t)i * (size_t)n + (size_t)j];
      *to = size * *to + (u[i] * y[j] + y[i] * u[j] - share * y[i] * y[j]) / yd;
    }
}
