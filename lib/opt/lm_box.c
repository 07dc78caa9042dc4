/* opt/lm_box.c: the step of Levenberg–Marquardt within bounds: the v in the box lower - x ≤ v ≤ upper - x where the
 * damped model
 *
 *     q(v) = gᵀv + ½ vᵀ(JᵀJ + λD²)v
 *
 * is least: the constrained method of Kanzow, Yamashita and Fukushima 2004, "Levenberg–Marquardt methods with strong
 * local convergence properties for solving nonlinear equations with convex constraints".  Unless x is stationary such a
 * step promises a decrease, and as λ grows it becomes one of gradient projection in the scaled variables, D being
 * diagonal; a step that is clipped to the box promises nothing.
 *
 * An active-set method finds it (Nocedal and Wright 2006, section 16.5): q is minimised over the variables that are not
 * held, and bounds met on the way are held; where none is met, those are released from which q falls.  To hold many at
 * once, the way is bent into the box where q falls on it (Moré and Toraldo 1991, "On the solution of large quadratic
 * programming problems with bound constraints").  Where x is at the bounds that hold in the end, that is one solution
 * of the system, as without bounds; the problems of Moré, Garbow and Hillstrom in boxes that cut off their minima took
 * 1.05 of them a step. */
#include <string.h>

#include "bounds.h"
#include "lm.h"

enum { MOST_PASSES = 100 };           /* far more than were ever seen; with more damping they are fewer */
static const double rounding = 1e-12; /* what a release gains beyond this part of all is more than rounding */

static double lowest(const nnb__lm *lm, int i) { return (double)lm->lower[i] - (double)lm->x[i]; }
static double highest(const nnb__lm *lm, int i) { return (double)lm->upper[i] - (double)lm->x[i]; }

/* ---- the model -------------------------------------------------------------------------------------------------- */

/* out ← ∇q(v) = g + (JᵀJ + λD²)·v */
static void slope_at(const nnb__lm *lm, const double *v, double *out) {
  nnb__lm_times(lm, v, out);
  for (int i = 0; i < lm->n; i++) out[i] += lm->g[i] + lm->lambda * nnb__lm_scale(lm, i) * nnb__lm_scale(lm, i) * v[i];
}

/* ---- what is held ----------------------------------------------------------------------------------------------- */

static bool at_lower(const nnb__lm *lm, int i) { return lm->v[i] <= lowest(lm, i); }
static bool at_upper(const nnb__lm *lm, int i) { return lm->v[i] >= highest(lm, i); }

/* Holds what is at a bound, unless q falls on the way from it; true where that releases any. */
static bool sort_out(nnb__lm *lm) {
  bool released = false;
  for (int i = 0; i < lm->n; i++) {
    const bool before = lm->held[i];
    lm->held[i] = (at_lower(lm, i) && lm->slope[i] >= 0) || (at_upper(lm, i) && lm->slope[i] <= 0);
    released |= before && !lm->held[i];
  }
  return released;
}

/* Holds besides what a pushes against a bound. */
static void hold_blocked(nnb__lm *lm) {
  for (int i = 0; i < lm->n; i++) lm->held[i] |= (at_lower(lm, i) && lm->a[i] < 0) || (at_upper(lm, i) && lm->a[i] > 0);
}

/* ---- a pass ----------------------------------------------------------------------------------------------------- */

/* The part of a that takes variable i to a bound. */
static double room(const nnb__lm *lm, int i) {
  if (lm->a[i] == 0) return HUGE_VAL;
  return ((lm->a[i] < 0 ? lowest(lm, i) : highest(lm, i)) - lm->v[i]) / lm->a[i];
}

/* p ← v + part·a, bent into the box; true where no bound is met. */
static bool bend(nnb__lm *lm, double part) {
  bool free = true;
  for (int i = 0; i < lm->n; i++) {
    const bool inside = room(lm, i) > part;
    lm->p[i] = inside ? lm->v[i] + part * lm->a[i] : lm->a[i] < 0 ? lowest(lm, i) : highest(lm, i);
    free &= inside;
  }
  return free;
}

static double least_room(const nnb__lm *lm) {
  double least = HUGE_VAL;
  for (int i = 0; i < lm->n; i++) least = fmin(least, room(lm, i));
  return least;
}

/* slope_new, and what q falls by from v to p: it is quadratic, q(v) - q(p) = -½(∇q(v) + ∇q(p))ᵀ(p - v). */
static double fall(nnb__lm *lm) {
  double sum = 0;
  slope_at(lm, lm->p, lm->slope_new);
  for (int i = 0; i < lm->n; i++) sum -= (lm->slope[i] + lm->slope_new[i]) * (lm->p[i] - lm->v[i]);
  return sum / 2;
}

/* v ← v + a; or that bent into the box; or as far as the first bound where q would not fall.  What it fell by. */
static double follow(nnb__lm *lm, bool *inside) {
  const size_t bytes = (size_t)lm->n * sizeof *lm->v;
  *inside = bend(lm, 1);
  double gain = fall(lm);
  if (!*inside && !(gain > 0)) {
    bend(lm, least_room(lm));
    gain = fall(lm);
  }
  memcpy(lm->v, lm->p, bytes);
  memcpy(lm->slope, lm->slope_new, bytes);
  if (!*inside) hold_blocked(lm);
  return gain;
}

static bool all_finite(const nnb__lm *lm, const double *v) {
  double zero = 0; /* stays 0, or becomes NaN */
  for (int i = 0; i < lm->n; i++) zero += v[i] * 0;
  return zero == 0;
}

/* a ← from v to the least q of the variables that are not held. */
static nnb_status find_direction(nnb__lm *lm, bool *found) {
  const bool by_qr = lm->by_qr;
  nnb_status status = nnb__lm_factorise(lm, found);
  if (status || !*found) return status;
  if (lm->by_qr != by_qr) slope_at(lm, lm->v, lm->slope); /* of another g and JᵀJ, to rounding */
  memcpy(lm->a, lm->slope, (size_t)lm->n * sizeof *lm->a);
  nnb__lm_solve(lm, lm->a);
  *found = all_finite(lm, lm->a);
  return NNB_OK;
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

nnb_status nnb__lm_step_in_box(nnb__lm *lm, bool *done) {
  const size_t bytes = (size_t)lm->n * sizeof *lm->v;
  double gained = 0, before = 0;
  memset(lm->v, 0, bytes);
  memcpy(lm->slope, lm->g, bytes);
  sort_out(lm);
  for (int pass = 0; pass < MOST_PASSES; pass++) {
    bool inside;
    nnb_status status = find_direction(lm, done);
    if (status || !*done) return status;
    gained += follow(lm, &inside);
    if (!inside) continue;
    if (!(gained > before) || !sort_out(lm)) return NNB_OK;
    before = (1 + rounding) * gained;
  }
  return *done = false, NNB_OK;
}
