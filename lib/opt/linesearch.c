/* opt/linesearch.c: the search of Moré and Thuente (ACM TOMS 20, 1994) for a step that satisfies the strong Wolfe
 * conditions, and backtracking along a projected path.  Letters as in linesearch.h; ψ(a) = φ(a) - φ(0) - ftol·a·φ'(0).
 */
#include "linesearch.h"

#include <string.h>

#include "blas.h"

enum { MOST_TRIALS = 20 };

/* A trial: a, φ(a), φ'(a). */
typedef struct point {
  double a, f, d;
} point;

/* The interval of a minimiser: low has the lowest value of all points with sufficient decrease, and its slope points
 * into the interval; high is the other end, once there is one. */
typedef struct bracket {
  point low, high;
  bool closed; /* high exists */
  double width, width_before;
} bracket;

/* x ← x + a·d between the bounds, f and g there. */
static nnb_status evaluate(nnb__min *m, nnb__line *line, double a) {
  const real step = (real)a;
  line->a = a;
  for (size_t i = 0; i < m->n; i++) line->x[i] = m->x[i] + step * line->d[i];
  if (m->lower)
    for (size_t i = 0; i < m->n; i++) line->x[i] = R(fmin)(R(fmax)(line->x[i], m->lower[i]), m->upper[i]);
  return nnb__min_eval(m, line->x, &line->f, line->g);
}

/* ---- the next trial: section 4 of the paper --------------------------------------------------------------------- */

/* The minimiser of the cubic through p and q with their slopes; if it has none, that of its slope.  away: NULL, or
 * whether there is a minimiser and p lies between it and q. */
static double cubic(point p, point q, bool *away) {
  double theta = 3 * (p.f - q.f) / (q.a - p.a) + p.d + q.d;
  double s = fmax(fabs(theta), fmax(fabs(p.d), fabs(q.d)));
  double root = s > 0 ? (theta / s) * (theta / s) - (p.d / s) * (q.d / s) : 0;
  double gamma = s * sqrt(fmax(0, root));
  if (q.a < p.a) gamma = -gamma;
  double over = (gamma - p.d) + theta, under = ((gamma - p.d) + gamma) + q.d;
  double r = under != 0 ? over / under : 0;
  if (away) *away = root > 0 && r < 0;
  return p.a + r * (q.a - p.a);
}

/* The minimiser of the parabola with p's value and slope and q's value. */
static double parabola(point p, point q) { return p.a + p.d / ((p.f - q.f) / (q.a - p.a) + p.d) / 2 * (q.a - p.a); }

/* The zero of the slope, linear between p and q. */
static double secant(point p, point q) { return q.a + q.d / (q.d - p.d) * (p.a - q.a); }

static double closer(double to, double u, double v) { return fabs(u - to) < fabs(v - to) ? u : v; }
static double farther(double to, double u, double v) { return fabs(u - to) < fabs(v - to) ? v : u; }

/* Computes the trial after t, and updates the interval with t.  Values may be those of ψ. */
static double next_trial(bracket *b, point t, double least, double most) {
  const bool opposite = t.d * copysign(1, b->low.d) < 0;
  double next;
  if (t.f > b->low.f) { /* case 1: a higher value: the minimiser lies between */
    double c = cubic(b->low, t, NULL), q = parabola(b->low, t);
    next = fabs(c - b->low.a) < fabs(q - b->low.a) ? c : c + (q - c) / 2;
    b->closed = true;
  } else if (opposite) { /* case 2: lower, and the slope has turned */
    next = farther(t.a, cubic(t, b->low, NULL), secant(b->low, t));
    b->closed = true;
  } else if (fabs(t.d) <= fabs(b->low.d)) { /* case 3: lower, and flatter */
    bool beyond;
    double c = cubic(t, b->low, &beyond), s = secant(b->low, t);
    if (!beyond) c = t.a > b->low.a ? most : least;
    if (b->closed) {
      next = closer(t.a, c, s);
      double limit = t.a + 0.66 * (b->high.a - t.a);
      next = t.a > b->low.a ? fmin(limit, next) : fmax(limit, next);
    } else {
      next = fmax(least, fmin(most, farther(t.a, c, s)));
    }
  } else { /* case 4: lower, and steeper */
    next = b->closed ? cubic(t, b->high, NULL) : t.a > b->low.a ? most : least;
  }
  if (t.f > b->low.f) {
    b->high = t;
  } else {
    if (opposite) b->high = b->low;
    b->low = t;
  }
  return next;
}

/* The same with ψ in place of φ: while no point has ψ ≤ 0 and φ' ≥ 0, a lower φ may not suffice (section 2). */
static double next_trial_psi(bracket *b, point t, double tilt, double least, double most) {
  bracket psi = *b;
  psi.low.f -= psi.low.a * tilt, psi.low.d -= tilt;
  psi.high.f -= psi.high.a * tilt, psi.high.d -= tilt;
  double next = next_trial(&psi, (point){t.a, t.f - t.a * tilt, t.d - tilt}, least, most);
  psi.low.f += psi.low.a * tilt, psi.low.d += tilt;
  psi.high.f += psi.high.a * tilt, psi.high.d += tilt;
  *b = psi;
  return next;
}

/* The interval must shrink to two thirds in two trials; otherwise it is bisected. */
static double enforce_shrinking(bracket *b, double next) {
  double width = fabs(b->high.a - b->low.a);
  if (width >= 0.66 * b->width_before) next = b->low.a + (b->high.a - b->low.a) / 2;
  b->width_before = b->width, b->width = width;
  return next;
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

/* If values differ by no more than their rounding errors, the difference is computed from the slopes, by the
 * trapezoidal rule.  Sufficient decrease is then φ'(a) ≤ (2·ftol - 1)·φ'(0): the approximate Wolfe condition of Hager
 * and Zhang 2005. */
static double value_beyond_rounding(const nnb__min *m, const nnb__line *line, double slope) {
  const double noise = 10 * (double)REAL_EPS * fabs(m->value);
  if (!(fabs(line->f - m->value) <= noise)) return line->f;
  return m->value + line->a * (line->slope + slope) / 2;
}

/* Ends with the lowest point seen, which is evaluated again unless it was the last. */
static nnb__line_end end_at_lowest(nnb__min *m, nnb__line *line, double a, nnb_status *status) {
  if (a == 0) return NNB__LINE_FAILED;
  if (line->a != a) *status = evaluate(m, line, a);
  if (*status) return NNB__LINE_ERROR;
  return line->f < m->value ? NNB__LINE_LOWER : NNB__LINE_FAILED;
}

/* After a trial where f is not defined: longer steps are excluded. */
static double retreat(const bracket *b, double a) { return b->low.a + (a - b->low.a) / 4; }

nnb__line_end nnb__line_wolfe(nnb__min *m, nnb__line *line, nnb_status *status) {
  const double tilt = line->ftol * line->slope;
  double most = line->most, a = fmin(line->a, most), wall = HUGE_VAL;
  bracket b = {
      .low = {0, m->value, line->slope}, .high = {0, m->value, line->slope}, .width = most, .width_before = 2 * most};
  bool first_stage = true;
  for (int trial = 0; trial < MOST_TRIALS; trial++) {
    if ((*status = evaluate(m, line, a))) return NNB__LINE_ERROR;
    if (!isfinite(line->f)) {
      wall = a;
      a = retreat(&b, a);
    } else {
      point t = {a, 0, nnb__dot(m->n, line->g, line->d)};
      t.f = value_beyond_rounding(m, line, t.d);
      bool enough = t.f <= m->value + a * tilt;
      if (enough && fabs(t.d) <= -line->gtol * line->slope) return NNB__LINE_WOLFE;
      if (enough && a == most && t.d < 0) return NNB__LINE_LOWER;
      if (first_stage && enough && t.d >= 0) first_stage = false;
      double least = b.closed ? fmin(b.low.a, b.high.a) : trial == 0 ? 0 : a + 1.1 * (a - b.low.a);
      double last = b.closed ? fmax(b.low.a, b.high.a) : a + 4 * (a - b.low.a);
      a = first_stage && t.f <= b.low.f && !enough ? next_trial_psi(&b, t, tilt, least, last)
                                                   : next_trial(&b, t, least, last);
      if (b.closed) a = enforce_shrinking(&b, a);
      a = fmax(0, fmin(a, most));
      if (a >= wall) a = b.low.a + (wall - b.low.a) / 2;
    }
    bool same = a == line->a || (b.closed && fabs(b.high.a - b.low.a) <= 2 * (double)REAL_EPS * fabs(a));
    if (same || nnb__stop_early(m->stop)) break;
  }
  return end_at_lowest(m, line, b.low.a, status);
}

nnb__line_end nnb__line_project(nnb__min *m, nnb__line *line, nnb_status *status) {
  double a = fmin(line->a, line->most);
  for (int trial = 0; trial < MOST_TRIALS; trial++, a /= 2) {
    if ((*status = evaluate(m, line, a))) return NNB__LINE_ERROR;
    double along = 0; /* gᵀ(x(a) - x) */
    for (size_t i = 0; i < m->n; i++) along += (double)m->g[i] * (double)(line->x[i] - m->x[i]);
    if (line->f < m->value && line->f <= m->value + line->ftol * along) return NNB__LINE_LOWER;
    if (nnb__stop_early(m->stop)) break;
  }
  return NNB__LINE_FAILED;
}
