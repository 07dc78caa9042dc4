/* opt/trust_region.c: Moré 1978, "The Levenberg–Marquardt algorithm: implementation and theory": finds the λ for which
 * ‖D·v(λ)‖ is the radius within a tenth, (H + λD²)·v = -g, by Newton's method on its secular equation (Hebden), and
 * adapts the radius to the accuracy of the model's prediction.  The constants are MINPACK's. */
#include "trust_region.h"

#include <string.h>

#include "lapack.h"

static const double first_radius = 100; /* times ‖D·x‖ at the start */
static const double slack = 0.1;        /* relative tolerance of the length of a step */
static const double shrink_most = 0.1;
enum { MOST_TRIALS = 20 }; /* MINPACK makes 10, without S */

void nnb__region_take(nnb__region *t, int n, nnb__arena *arena) {
  t->z = nnb__arena_take(arena, (size_t)n, sizeof *t->z);
}

void nnb__region_visit(nnb__region *t, nnb__visitor *s) {
  nnb__state_number(s, "radius", 0, HUGE_VAL, &t->radius);
  nnb__state_flag(s, "radius.started", &t->started);
}

void nnb__region_begin(nnb__region *t, const nnb__system *s) {
  double sum = 0;
  for (int i = 0; i < s->n; i++) {
    double z = nnb__system_scale(s, i) * (double)s->x[i];
    sum += z * z;
  }
  t->radius = first_radius * (sum > 0 ? sqrt(sum) : 1);
  t->started = false;
}

/* v ← v(λ), *norm ← ‖D·v‖ */
static nnb_status solve(nnb__system *s, double lambda, double *v, double *norm, bool *done) {
  s->lambda = lambda;
  nnb_status status = nnb__system_factorise(s, done);
  if (status || !*done) return status;
  memcpy(v, s->g, (size_t)s->n * sizeof *v);
  nnb__system_solve(s, v);
  *norm = nnb__system_norm(s, v);
  *done = isfinite(*norm);
  return NNB_OK;
}

/* The change of λ for the step v: (‖z‖ - radius)/radius · ‖z‖²/‖L⁻¹z‖², z = D·v. */
static double newton(nnb__region *t, const nnb__system *s, const double *v, double norm) {
  double square = 0;
  for (int i = 0; i < s->n; i++) t->z[i] = v[i] * nnb__system_scale(s, i) / norm;
  nnb__solve_lower(s->n, s->factor, 1, t->z);
  for (int i = 0; i < s->n; i++) square += t->z[i] * t->z[i];
  return (norm - t->radius) / t->radius / square;
}

static double scaled_gradient(const nnb__system *s) {
  double sum = 0;
  for (int i = 0; i < s->n; i++) sum += s->g[i] / nnb__system_scale(s, i) * (s->g[i] / nnb__system_scale(s, i));
  return sqrt(sum);
}

/* v ← v(λ) with ‖D·v‖ = radius, starting within low ≤ λ ≤ high. */
static nnb_status find_lambda(nnb__region *t, nnb__system *s, double *v, double low, double high, bool *done) {
  double lambda = s->lambda, excess = HUGE_VAL, norm;
  for (int trial = 0; trial < MOST_TRIALS; trial++) {
    if (lambda == 0) lambda = fmax(DBL_MIN, 1e-3 * high);
    nnb_status status = solve(s, lambda, v, &norm, done);
    if (status) return status;
    if (!*done) { /* not positive definite */
      low = lambda, lambda *= 10, high = fmax(high, lambda);
      continue;
    }
    const double before = excess;
    excess = norm - t->radius;
    if (fabs(excess) <= slack * t->radius || (low == 0 && excess <= before && before < 0)) break;
    const double change = newton(t, s, v, norm);
    if (excess > 0) low = fmax(low, lambda);
    if (excess < 0) high = fmin(high, lambda);
    lambda = fmax(low, lambda + change);
  }
  return NNB_OK;
}

nnb_status nnb__region_step(nnb__region *t, nnb__system *s, double *v, bool *done) {
  const double g = scaled_gradient(s), high = g / t->radius, lambda = s->lambda;
  double norm = 0, low = 0;
  nnb_status status = solve(s, 0, v, &norm, done);
  if (status) return status;
  if (*done && norm <= (1 + slack) * t->radius) return NNB_OK;
  if (*done) low = newton(t, s, v, norm);
  s->lambda = fmin(fmax(lambda, low), high);
  if (s->lambda == 0) s->lambda = *done ? g / norm : high;
  return find_lambda(t, s, v, low, high, done);
}

void nnb__region_shrink(nnb__region *t, nnb__system *s) {
  t->radius /= 4;
  if (t->radius < DBL_MIN) s->lambda = HUGE_VAL; /* no radius is small enough */
}

void nnb__region_update(nnb__region *t, nnb__system *s, const double *v, double predicted, double f_new) {
  const double actual = 0.01 * f_new < s->f ? s->f - f_new : -s->f, norm = nnb__system_norm(s, v);
  if (!t->started) t->radius = fmin(t->radius, norm);
  t->started = true;
  if (actual <= 0.25 * predicted) {
    const double slope = -nnb__dot_double(s->n, s->g, v);
    double part = actual >= 0 ? 0.5 : 0.5 * slope / (slope - actual);
    if (!(0.01 * f_new < s->f)) part = shrink_most;
    part = fmax(part, shrink_most);
    t->radius = part * fmin(t->radius, norm / 0.1);
    s->lambda /= part;
  } else if (s->lambda == 0 || actual >= 0.75 * predicted) {
    t->radius = 2 * norm;
    s->lambda /= 2;
  }
}
