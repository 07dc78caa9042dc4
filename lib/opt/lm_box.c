/* opt/lm_box.c: the step of Levenberg–Marquardt within bounds: the v in the box lower - x ≤ v ≤ upper - x that
 * minimises the damped model
 *
 *     q(v) = gᵀv + ½ vᵀ(JᵀJ + λD²)v
 *
 * This is the constrained method of Kanzow, Yamashita and Fukushima 2004, "Levenberg–Marquardt methods with strong
 * local convergence properties for solving nonlinear equations with convex constraints".  Unless x is stationary, the
 * model predicts a decrease for such a step, and as λ grows the step becomes one of gradient projection in the scaled
 * variables, because D is diagonal.  For a step that is only clipped to the box there is no such guarantee.
 *
 * An active-set method finds it (Nocedal and Wright 2006, section 16.5).  It minimises q over the variables that are
 * not held, and holds those that reach a bound.  If none does, it releases the held variables along which q decreases.
 * To hold many at once, the path is projected into the box if q decreases on it (Moré and Toraldo 1991, "On the
 * solution of large quadratic programming problems with bound constraints").  If x is already at the final set of
 * bounds, this takes one solution of the system, as without bounds; the problems of Moré, Garbow and Hillstrom in boxes
 * that cut off their minima took 1.05 per step. */
#include "lm_box.h"

#include <string.h>

#include "bounds.h"

enum { MOST_PASSES = 100 };           /* far more than were ever needed; more damping needs fewer */
static const double rounding = 1e-12; /* a release that gains no more than this part of the total is due to rounding */

void nnb__box_take(nnb__box *b, int n, nnb__arena *arena) {
  b->lower = nnb__arena_take(arena, (size_t)n, sizeof(real));
  b->upper = nnb__arena_take(arena, (size_t)n, sizeof(real));
  b->held = nnb__arena_take(arena, (size_t)n, sizeof *b->held);
  b->slope = nnb__arena_take(arena, (size_t)n, sizeof *b->slope);
  b->slope_new = nnb__arena_take(arena, (size_t)n, sizeof *b->slope_new);
  b->direction = nnb__arena_take(arena, (size_t)n, sizeof *b->direction);
  b->trial = nnb__arena_take(arena, (size_t)n, sizeof *b->trial);
}

void nnb__box_enter(nnb__box *b, nnb__system *s) {
  b->system = s, s->held = b->held;
  memset(b->held, 0, (size_t)s->n * sizeof *b->held);
  nnb__bounds_enter(&s->stop->opts, (size_t)s->n, s->x, b->lower, b->upper);
}

/* The bounds of v_i. */
static double lowest(const nnb__box *b, int i) { return (double)b->lower[i] - (double)b->system->x[i]; }
static double highest(const nnb__box *b, int i) { return (double)b->upper[i] - (double)b->system->x[i]; }

/* ---- the model -------------------------------------------------------------------------------------------------- */

/* out ← ∇q(v) = g + (JᵀJ + λD²)·v */
static void slope_at(const nnb__box *b, const double *v, double *out) {
  const nnb__system *s = b->system;
  nnb__system_times(s, v, out);
  for (int i = 0; i < s->n; i++)
    out[i] += s->g[i] + s->lambda * nnb__system_scale(s, i) * nnb__system_scale(s, i) * v[i];
}

/* ---- the active set --------------------------------------------------------------------------------------------- */

static bool at_lower(const nnb__box *b, int i) { return b->v[i] <= lowest(b, i); }
static bool at_upper(const nnb__box *b, int i) { return b->v[i] >= highest(b, i); }

/* Holds the variables at a bound from which q does not decrease inwards; true if this releases any variable. */
static bool update_held(nnb__box *b) {
  bool released = false;
  for (int i = 0; i < b->system->n; i++) {
    const bool before = b->held[i];
    b->held[i] = (at_lower(b, i) && b->slope[i] >= 0) || (at_upper(b, i) && b->slope[i] <= 0);
    released |= before && !b->held[i];
  }
  return released;
}

/* Also holds the variables that direction pushes against a bound. */
static void hold_blocked(nnb__box *b) {
  for (int i = 0; i < b->system->n; i++)
    b->held[i] |= (at_lower(b, i) && b->direction[i] < 0) || (at_upper(b, i) && b->direction[i] > 0);
}

/* ---- a pass ----------------------------------------------------------------------------------------------------- */

/* The multiple of direction that takes variable i to a bound. */
static double steps_to_bound(const nnb__box *b, int i) {
  if (b->direction[i] == 0) return HUGE_VAL;
  return ((b->direction[i] < 0 ? lowest(b, i) : highest(b, i)) - b->v[i]) / b->direction[i];
}

/* trial ← v + part·direction, clipped to the box; true if no bound is met. */
static bool clip(nnb__box *b, double part) {
  bool all_inside = true;
  for (int i = 0; i < b->system->n; i++) {
    const bool inside = steps_to_bound(b, i) > part;
    b->trial[i] = inside ? b->v[i] + part * b->direction[i] : b->direction[i] < 0 ? lowest(b, i) : highest(b, i);
    all_inside &= inside;
  }
  return all_inside;
}

static double steps_to_first_bound(const nnb__box *b) {
  double least = HUGE_VAL;
  for (int i = 0; i < b->system->n; i++) least = fmin(least, steps_to_bound(b, i));
  return least;
}

/* slope_new ← ∇q(trial); returns q(v) - q(trial) = -½(∇q(v) + ∇q(trial))ᵀ(trial - v), because q is quadratic. */
static double decrease(nnb__box *b) {
  double sum = 0;
  slope_at(b, b->trial, b->slope_new);
  for (int i = 0; i < b->system->n; i++) sum -= (b->slope[i] + b->slope_new[i]) * (b->trial[i] - b->v[i]);
  return sum / 2;
}

/* v ← v + direction, clipped to the box; if q does not decrease then, only up to the first bound.  Returns the decrease
 * of q. */
static double follow(nnb__box *b, bool *inside) {
  const size_t bytes = (size_t)b->system->n * sizeof *b->v;
  *inside = clip(b, 1);
  double gain = decrease(b);
  if (!*inside && !(gain > 0)) {
    clip(b, steps_to_first_bound(b));
    gain = decrease(b);
  }
  memcpy(b->v, b->trial, bytes);
  memcpy(b->slope, b->slope_new, bytes);
  if (!*inside) hold_blocked(b);
  return gain;
}

static bool all_finite(const nnb__box *b, const double *v) {
  double zero = 0; /* stays 0, or becomes NaN */
  for (int i = 0; i < b->system->n; i++) zero += v[i] * 0;
  return zero == 0;
}

/* direction ← from v to the minimum of q over the variables that are not held. */
static nnb_status find_direction(nnb__box *b, bool *found) {
  const bool by_qr = b->system->by_qr;
  nnb_status status = nnb__system_factorise(b->system, found);
  if (status || !*found) return status;
  if (b->system->by_qr != by_qr) slope_at(b, b->v, b->slope); /* g and JᵀJ have changed by rounding */
  memcpy(b->direction, b->slope, (size_t)b->system->n * sizeof *b->direction);
  nnb__system_solve(b->system, b->direction);
  *found = all_finite(b, b->direction);
  return NNB_OK;
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

nnb_status nnb__box_step(nnb__box *b, double *v, bool *done) {
  const size_t bytes = (size_t)b->system->n * sizeof *v;
  double gained = 0, before = 0;
  b->v = v;
  memset(v, 0, bytes);
  memcpy(b->slope, b->system->g, bytes);
  update_held(b);
  for (int pass = 0; pass < MOST_PASSES; pass++) {
    bool inside;
    nnb_status status = find_direction(b, done);
    if (status || !*done) return status;
    gained += follow(b, &inside);
    if (!inside) continue;
    if (!(gained > before) || !update_held(b)) return NNB_OK;
    before = (1 + rounding) * gained;
  }
  return *done = false, NNB_OK;
}
