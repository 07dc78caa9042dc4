/* opt/lm.c: Levenberg–Marquardt: the step v with (JᵀJ + λD²)·v = -g, corrected by the geodesic acceleration.  For few
 * variables without bounds, λ comes from a trust region (trust_region.c, with the curvature of curvature.c); otherwise
 * the gain of each step raises or lowers it.
 *
 * Levenberg 1944 and Marquardt 1963; scaling after Moré 1978, "The Levenberg–Marquardt algorithm: implementation and
 * theory"; damping after Nielsen 1999, "Damping parameter in Marquardt's method" (IMM-REP-1999-05); acceleration after
 * Transtrum and Sethna 2012, "Improvements to the Levenberg–Marquardt algorithm for nonlinear least-squares
 * minimization" (arXiv:1201.5885). */
#include "lm.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "blas_threads.h"
#include "bounds.h"
#include "comm.h"
#include "status.h"

/* The first λ, relative to the largest entry of the scaled JᵀJ, which is 1; the second for many variables, as in nets:
 * with a small λ the first long steps often end where units are saturated (docs/performance.md). */
static const double first_lambda = 1e-3, careful_lambda = 1;
enum { MANY = 10 };
/* From this number of variables on, as within bounds and with .bayes, λ is adapted by growth and steps are accelerated;
 * below it, Moré's trust region with the structured secant is used (docs/optimisers.md). */
enum { LARGE = 20 };
static const int valley = 20;          /* steps in a row at the edge of the region: a curved valley */
static const double least_gain = 1e-4; /* least gain ratio of an accepted step, in the trust region; MINPACK's */
static const double much = 0.5;        /* a step that leaves less than this of f is followed by one without
                                          acceleration */
static const double bend_step = 0.1;   /* h of the second directional derivative; Transtrum and Sethna's */
static const double most_bend = 0.75;  /* their bound of |a|/|v| */
static const double rounding = 16;     /* times ε·f: the change of f by rounding alone */
/* In the trust region also this part of √ε, because residuals are differences of larger numbers, as model - data. */
static const double resolution = 3e-4;
static const double negligible = 1e-13; /* a damping that only changes digits that rounding changes too */

/* ---- the point -------------------------------------------------------------------------------------------------- */

double nnb__lm_gradient_norm(const nnb__lm *lm) {
  const nnb__system *s = &lm->system;
  double most = 0;
  for (int i = 0; i < s->n; i++) {
    bool held = lm->box.lower && nnb__held(s->g[i], s->x[i], lm->box.lower[i], lm->box.upper[i]);
    if (!held) most = fmax(most, fabs(s->g[i]));
  }
  return most;
}

/* The largest cosine between r and a column of J, including the ridge, as a measure without units (Moré 1978; MINPACK's
 * gtol).  With .bayes, f changes in each iteration, and the predicted gain decides instead. */
static nnb__slope slope_of(const nnb__lm *lm) {
  const nnb__system *s = &lm->system;
  nnb__slope most = {fmax(nnb__lm_gradient_norm(lm), s->penalty_slope.norm), s->penalty_slope.relative};
  for (int i = 0; i < s->n; i++) {
    const double g = fabs(s->g[i]), size = sqrt(nnb__system_column_square(s, i)) * sqrt(2 * s->f);
    const bool held = lm->box.lower && nnb__held(s->g[i], s->x[i], lm->box.lower[i], lm->box.upper[i]);
    if (g > 0 && !held) most.relative = fmax(most.relative, size > 0 ? g / size : HUGE_VAL);
  }
  if (s->stop->opts.bayes && most.norm > 0) most.relative = HUGE_VAL;
  return most;
}

/* x_i + by, limited by its bounds. */
static real moved_within(const nnb__lm *lm, int i, double by) {
  const nnb__system *s = &lm->system;
  const double x = (double)s->x[i];
  if (lm->box.lower && by <= (double)lm->box.lower[i] - x) return lm->box.lower[i];
  if (lm->box.upper && by >= (double)lm->box.upper[i] - x) return lm->box.upper[i];
  return (real)(x + by);
}

/* x_new ← x + factor·v; false if rounding leaves x unchanged. */
static bool move(nnb__lm *lm, double factor, const double *v) {
  nnb__system *s = &lm->system;
  bool moved = false;
  for (int i = 0; i < s->n; i++) {
    s->x_new[i] = moved_within(lm, i, factor * v[i]);
    moved |= s->x_new[i] != s->x[i];
  }
  return moved;
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

/* The decrease of f by v that the linear model predicts: -gᵀv - ½vᵀ(JᵀJ)v = ½(λ‖Dv‖² - gᵀv - slopeᵀv); slope is the
 * gradient of the damped model at v, which is 0 without bounds. */
static double predicted(const nnb__lm *lm) {
  const nnb__system *s = &lm->system;
  double norm = nnb__system_norm(s, lm->v), slope = nnb__dot_double(s->n, s->g, lm->v);
  if (lm->box.slope) slope += nnb__dot_double(s->n, lm->box.slope, lm->v);
  return (s->lambda * norm * norm - slope) / 2;
}

/* v ← the step without acceleration. */
static nnb_status find_velocity(nnb__lm *lm, bool *usable) {
  nnb__system *s = &lm->system;
  if (lm->box.lower) return nnb__box_step(&lm->box, lm->v, usable);
  if (lm->region.z) {
    nnb_status status = lm->curvature.S ? nnb__curvature_choose(&lm->curvature, s) : NNB_OK;
    return status ? status : nnb__region_step(&lm->region, s, lm->v, usable);
  }
  nnb_status status = nnb__system_factorise(s, usable);
  if (status || !*usable) return status;
  memcpy(lm->v, s->g, (size_t)s->n * sizeof *lm->v);
  if (lm->secants.count)
    nnb__secants_solve(&lm->secants, s, lm->v);
  else
    nnb__system_solve(s, lm->v);
  return NNB_OK;
}

/* a ← the acceleration along v: (JᵀJ + λD²)·a = -Jᵀ·r_vv, with r_vv ≈ (2/h)·((r(x + hv) - r(x))/h - J·v), equation 23.
 * Jᵀ·J·v is known without J: it is -g - λD²v, except for variables at a bound, whose a is 0.  *bend ← |a|/|v|, INFINITY
 * if r is not defined at x + hv. */
static nnb_status accelerate(nnb__lm *lm, double *bend) {
  nnb__system *s = &lm->system;
  const double h = bend_step;
  double f;
  *bend = HUGE_VAL;
  move(lm, h, lm->v);
  nnb_status status = nnb__system_residuals(s, s->x_new, s->r_new, &f);
  if (status || !isfinite(f)) return status;
  for (size_t i = 0; i < s->m; i++) s->r_new[i] -= s->r[i];
  status = nnb__system_pull(s, s->r_new, lm->a);
  if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
  for (int i = 0; i < s->n; i++) {
    double d = nnb__system_scale(s, i), Av = -s->g[i] - s->lambda * d * d * lm->v[i];
    Av -= nnb__system_ridge(s, i) * lm->v[i]; /* the ridge is linear and not part of r_vv */
    lm->a[i] = 2 / h * (lm->a[i] / h - Av);
  }
  nnb__system_solve(s, lm->a);
  *bend = nnb__system_norm(s, lm->a) / nnb__system_norm(s, lm->v);
  return NNB_OK;
}

/* The change of f that rounding alone may cause. */
static double noise_of(const nnb__lm *lm) {
  const double eps = lm->system.stop->eps, part = lm->region.z ? resolution * sqrt(eps) : 0;
  return fmax(rounding * eps, part) * lm->system.f;
}

/* The least predicted decrease for which an acceleration is computed.  In a flat curved valley f hardly changes, but
 * the bend is large. */
static double least_worth(const nnb__lm *lm) {
  return lm->region.z ? noise_of(lm) : sqrt(lm->system.stop->eps) * lm->system.f;
}

/* Whether an acceleration is not worth its evaluation. */
static bool is_easy(const nnb__lm *lm) {
  return lm->region.z ? lm->limited < valley || lm->system.second : lm->decreased_much;
}

/* Computes v, and p ← v + ½a if the acceleration pays.  It does not pay if f hardly changes, because a is then lost in
 * rounding, nor in the first decrease, where it often shortens the steps.  *usable: the system has a solution, and
 * |a|/|v| is not too large. */
static nnb_status find_step(nnb__lm *lm, bool *usable) {
  nnb__system *s = &lm->system;
  double bend = 0;
  nnb_status status = find_velocity(lm, usable);
  if (status || !*usable) return status;
  memcpy(lm->p, lm->v, (size_t)s->n * sizeof *lm->p);
  if (!isfinite(nnb__dot_double(s->n, lm->v, lm->v))) return *usable = false, NNB_OK;
  if (!lm->accelerates || is_easy(lm) || lm->secants.count || predicted(lm) < least_worth(lm)) return NNB_OK;
  status = accelerate(lm, &bend);
  *usable = bend <= most_bend;
  for (int i = 0; *usable && i < s->n; i++) lm->p[i] += lm->a[i] / 2;
  return status;
}

/* ---- the damping ------------------------------------------------------------------------------------------------ */

static void raise_damping(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  s->lambda *= lm->growth;
  lm->growth *= 2;
}

/* gain: the gain ratio, the decrease of f relative to the predicted one.  At rounding level f says nothing, and the
 * undamped step gives the last digits. */
static void lower_damping(nnb__lm *lm, double gain, bool at_rounding) {
  nnb__system *s = &lm->system;
  double cube = (2 * gain - 1) * (2 * gain - 1) * (2 * gain - 1);
  s->lambda = fmax(s->lambda * (at_rounding ? 1e-3 : fmax(1.0 / 3, 1 - cube)), DBL_MIN);
  lm->growth = 2;
}

/* ---- an iteration ----------------------------------------------------------------------------------------------- */

/* Ends an iteration; with .bayes, f changes afterwards. */
static nnb_status conclude(nnb__lm *lm, double step) {
  nnb__system *s = &lm->system;
  nnb__slope slope = slope_of(lm);
  nnb_status status = s->stop->evidence ? nnb__evidence_measure(&lm->bayes, s, &slope.norm) : NNB_OK;
  if (status) return status;
  nnb__stop_iteration(s->stop, s->f - s->penalty, slope, step, lm->point);
  lm->evidence_due = s->stop->evidence != NULL;
  return NNB_OK;
}

/* Goes back to x, with this ridge, which counts as an iteration. */
static nnb_status go_to(nnb__lm *lm, const real *x, double ridge) {
  nnb__system *s = &lm->system;
  memcpy(s->x, x, (size_t)s->n * sizeof *x);
  s->current = false, s->ridge = ridge;
  nnb_status status = nnb__lm_begin(lm);
  if (status) return status;
  nnb__evidence_suit(&lm->bayes, s);
  nnb__stop_rebase(s->stop, s->f);
  return conclude(lm, 0);
}

/* .bayes: the next phase.  Without one the search ends. */
static nnb_status next_phase(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  const real *x;
  double ridge;
  if (!nnb__evidence_next(&lm->bayes, s, &x, &ridge)) {
    if (!lm->stalled) nnb__stop_because(s->stop, NNB_STOP_CHANGE);
    return NNB_OK;
  }
  lm->stalled = false;
  nnb__secants_forget(&lm->secants);
  if (x) return go_to(lm, x, ridge);
  nnb_status status = nnb__evidence_keep(&lm->bayes, s, ridge);
  nnb__stop_rebase(s->stop, s->f);
  return status;
}

/* After an iteration with .bayes, before the next: the next α and β, unless they have converged or are kept. */
static nnb_status update_evidence(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  lm->evidence_due = false;
  if (nnb__evidence_ended(&lm->bayes, s)) return next_phase(lm);
  if (nnb__evidence_keeps(&lm->bayes)) return NNB_OK;
  if (nnb__evidence_near(&lm->bayes))
    nnb__secants_after_step(&lm->secants, s, s->x_new);
  else
    nnb__secants_forget(&lm->secants);
  nnb_status status = nnb__evidence_update(&lm->bayes, s);
  nnb__stop_rebase(s->stop, s->f);
  return status;
}

/* Moves to x_new, and back if the Jacobian is not finite there. */
static nnb_status advance(nnb__lm *lm, bool *moved) {
  nnb__system *s = &lm->system;
  size_t bytes = (size_t)s->n * sizeof(real);
  double before = s->f;
  real *old = s->x_new, step = 0;
  for (int i = 0; i < s->n; i++) {
    real x = s->x[i];
    s->x[i] = s->x_new[i], old[i] = x;
    step = R(fmax)(step, R(fabs)(s->x[i] - x));
  }
  s->current = false;
  if (s->stop->evidence) nnb__secants_before_step(&lm->secants, s);
  nnb_status status = lm->curvature.S ? nnb__curvature_before_step(&lm->curvature, s) : NNB_OK;
  if (status) return status;
  status = s->model->linearise(s);
  if (status || !isfinite(s->f)) {
    memcpy(s->x, old, bytes);
    s->current = false;
    if (!status) status = s->model->linearise(s);
    if (!status && !isfinite(s->f))
      status = nnb__fail(NNB_E_NUMERIC,
                         "a second call of the function at the same point gave residuals that are not finite");
    if (status) s->f = before;
    return status;
  }
  lm->decreased_much = s->n >= MANY && s->f < much * before;
  if (lm->curvature.S) nnb__curvature_after_step(&lm->curvature, s, old);
  nnb__system_rescale(s);
  *moved = true;
  return conclude(lm, fmax((double)step, lm->other_step));
}

/* After a trial with the result f_new and the predicted decrease: updates the radius, and which model is better. */
static void learn_from_trial(nnb__lm *lm, double predicted, double f_new, bool at_rounding) {
  nnb__system *s = &lm->system;
  if (lm->curvature.S) nnb__curvature_compare(&lm->curvature, s, lm->v, predicted, s->f - f_new);
  if (!at_rounding) nnb__region_update(&lm->region, s, lm->v, predicted, f_new);
}

/* Tries one step.  *moved: it was accepted. */
static nnb_status try_step(nnb__lm *lm, bool *moved) {
  nnb__system *s = &lm->system;
  bool usable;
  double f;
  *moved = false;
  nnb_status status = find_step(lm, &usable);
  if (status) return status;
  if (!usable && lm->region.z) nnb__region_shrink(&lm->region, s);
  if (!usable) return NNB_OK;
  double expected = predicted(lm), noise = noise_of(lm);
  bool at_rounding =
      expected <= noise; /* f says nothing now, but the predicted decrease still measures the distance to the minimum */
  bool done = at_rounding && expected > (lm->region.z ? 0.99 : 0.5) * lm->last_predicted && s->lambda < negligible &&
              !s->stop->evidence;
  if (!move(lm, 1, lm->p) || done) {
    lm->stalled = true;
    return NNB_OK;
  }
  status = s->model->value(s, &f);
  double gain = (s->f - f) / expected;
  if (status) return status;
  const bool equal = at_rounding && f <= s->f + noise;
  if (lm->region.z) learn_from_trial(lm, expected, f, equal);
  if (!equal && !(f < s->f && (!lm->region.z || gain >= least_gain)))
    return s->ill && !s->by_qr ? nnb__system_turn_to_qr(s) : NNB_OK;
  lm->last_predicted = expected;
  status = advance(lm, moved);
  lm->limited = s->lambda > 0 ? lm->limited + 1 : 0;
  if (!status && *moved && !lm->region.z) lower_damping(lm, gain, at_rounding);
  return status;
}

/* Every slow_over iterations: whether they hardly changed f. */
static bool is_slow(nnb__lm *lm) {
  const nnb__system *s = &lm->system;
  if (lm->slow_over == 0 || ++lm->accepted % lm->slow_over) return false;
  bool slow = s->f > lm->slow * lm->mark;
  lm->mark = s->f;
  return slow;
}

static nnb_status iterate(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  bool moved;
  nnb_status status = lm->evidence_due ? update_evidence(lm) : NNB_OK;
  if (status || lm->evidence_due || s->stop->report.stop != NNB_STOP_NONE) return status;
  if ((status = try_step(lm, &moved))) return status;
  if (moved) {
    lm->stalled |= is_slow(lm);
  } else if (!lm->stalled) {
    if (!lm->region.z) raise_damping(lm);
    nnb__stop_early(s->stop);
    lm->stalled = !isfinite(s->lambda);
  }
  return lm->stalled && s->stop->evidence ? next_phase(lm) : NNB_OK;
}

nnb_status nnb__lm_search(nnb__lm *lm) {
  nnb_status status = NNB_OK;
  while (!status && nnb__keep_goes_on(lm->system.stop, lm->stalled)) status = iterate(lm);
  return status;
}

void nnb__lm_visit(nnb__lm *lm, nnb__visitor *s) {
  nnb__system_visit(&lm->system, s);
  nnb__state_number(s, "growth", 0, HUGE_VAL, &lm->growth);
  nnb__state_number(s, "last_predicted", -HUGE_VAL, HUGE_VAL, &lm->last_predicted);
  nnb__state_number(s, "mark", -HUGE_VAL, HUGE_VAL, &lm->mark);
  nnb__state_int(s, "accepted", 0, INT_MAX - 1, &lm->accepted);
  nnb__state_int(s, "limited", 0, INT_MAX - 1, &lm->limited);
  nnb__state_flag(s, "decreased_much", &lm->decreased_much);
  nnb__state_flag(s, "stalled", &lm->stalled);
  nnb__state_flag(s, "evidence_due", &lm->evidence_due);
  if (lm->region.z) nnb__region_visit(&lm->region, s);
  if (lm->curvature.S) nnb__curvature_visit(&lm->curvature, lm->system.n, s);
  if (lm->system.stop->opts.bayes)
    nnb__secants_visit(&lm->secants, s), nnb__evidence_visit(&lm->bayes, lm->system.n, s);
}

/* Computes the first α and β, and the next ones. */
static nnb_status start_evidence(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  double norm;
  nnb__evidence_begin(&lm->bayes, s);
  s->stop->evidence = &lm->bayes.now;
  nnb_status status = nnb__evidence_update(&lm->bayes, s);
  if (!status) status = nnb__evidence_measure(&lm->bayes, s, &norm);
  return status;
}

nnb_status nnb__lm_begin(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  s->lambda = s->n < MANY ? first_lambda : careful_lambda, lm->growth = 2, lm->decreased_much = s->n >= MANY;
  nnb_status status = s->model->linearise(s);
  if (!status && !isfinite(s->f))
    status = nnb__fail(NNB_E_NUMERIC, "a residual or a derivative is not finite at the start");
  if (!status) nnb__system_rescale(s);
  lm->last_predicted = HUGE_VAL, lm->mark = s->f, lm->accepted = 0;
  if (lm->region.z) nnb__region_begin(&lm->region, s), s->lambda = 0;
  if (lm->curvature.S) nnb__curvature_begin(&lm->curvature, s->n);
  return status;
}

void nnb__lm_end(const nnb__lm *lm, double gradient_norm) {
  const nnb__system *s = &lm->system;
  if (lm->stalled) nnb__stop_because(s->stop, NNB_STOP_STALLED);
  nnb__stop_end(s->stop, s->f, gradient_norm);
}

static void visit(void *self, nnb__visitor *s) { nnb__lm_visit(self, s); }

static nnb_status begin(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  bool resumed;
  nnb_status status = nnb__keep_begin(s->stop, visit, lm, &resumed);
  if (status) return status;
  if (resumed) {
    if (s->stop->opts.bayes) s->stop->evidence = &lm->bayes.now;
    return nnb__system_restore(s);
  }
  status = nnb__lm_begin(lm);
  if (!status && s->stop->opts.bayes) status = start_evidence(lm);
  if (!status) nnb__stop_at_start(s->stop, s->f, slope_of(lm));
  return status;
}

static nnb_status run(nnb__lm *lm) {
  nnb__system *s = &lm->system;
  nnb_status status = begin(lm);
  if (status) return status;
  status = nnb__lm_search(lm);
  double norm = nnb__lm_gradient_norm(lm);
  if (!status && s->stop->evidence) status = nnb__evidence_measure(&lm->bayes, s, &norm);
  nnb__lm_end(lm, norm);
  s->stop->report.evidence = lm->bayes.now;
  return status;
}

/* ---- the algorithm ---------------------------------------------------------------------------------------------- */

void nnb__lm_take(nnb__lm *lm, nnb__arena *arena) {
  const size_t n = (size_t)lm->system.n;
  nnb__system_take(&lm->system, arena);
  lm->v = nnb__arena_take(arena, n, sizeof *lm->v);
  lm->a = nnb__arena_take(arena, n, sizeof *lm->a);
  lm->p = nnb__arena_take(arena, n, sizeof *lm->p);
}

/* Infinite bounds do not count. */
static bool any_bound(const nnb_min_opts *o, int n) {
  for (int i = 0; i < n; i++)
    if ((o->lower && !isinf(o->lower[i])) || (o->upper && !isinf(o->upper[i]))) return true;
  return false;
}

static void take(nnb__lm *lm, nnb__arena *arena) {
  nnb__system *s = &lm->system;
  s->r = nnb__arena_take(arena, s->m, sizeof *s->r);
  s->r_new = nnb__arena_take(arena, s->m, sizeof *s->r_new);
  s->J = nnb__arena_take(arena, s->whole ? s->m : (size_t)s->rows, (size_t)s->ld * sizeof *s->J);
  nnb__lm_take(lm, arena);
  if (s->stop->opts.bayes) {
    nnb__secants_take(&lm->secants, s->n, arena);
    nnb__evidence_take(&lm->bayes, s->n, arena);
  }
  if (any_bound(&s->stop->opts, s->n))
    nnb__box_take(&lm->box, s->n, arena);
  else if (!s->stop->opts.bayes && s->n < LARGE && !lm->no_region) {
    nnb__region_take(&lm->region, s->n, arena);
    if (s->whole) nnb__curvature_take(&lm->curvature, s->n, arena);
  }
}

nnb_status nnb__lm_measure(nnb__lm *lm, size_t *bytes) {
  nnb__arena arena = {0};
  nnb_status status = nnb__system_sizes(&lm->system);
  if (status) return status;
  take(lm, &arena);
  *bytes = arena.used;
  return nnb__system_check_bytes(&lm->system, &arena);
}

void nnb__lm_lay_out(nnb__lm *lm, void *memory) {
  take(lm, &(nnb__arena){.base = memory});
  memset(lm->system.d, 0, (size_t)lm->system.n * sizeof *lm->system.d);
  if (lm->box.lower) nnb__box_enter(&lm->box, &lm->system);
}

static nnb_status least_squares(const nnb_lsq *problem, real *x, nnb__stop *stop) {
  nnb__lm lm = {.system = {.model = &nnb__full_model, .problem = problem, .stop = stop, .x = x}, .point = x};
  size_t bytes;
  lm.accelerates = stop->opts.acceleration != NNB_NONE;
  nnb_status status = nnb__lm_measure(&lm, &bytes);
  char *memory = status ? NULL : nnb__keep_memory(stop, bytes + NNB__ALIGN);
  if (!status && !memory) status = nnb__fail_nomem("the normal equations of lm");
  const nnb_status entered = status ? status : nnb__blas_enter();
  if (!(status = nnb__comm_agree(stop->comm, entered))) {
    nnb__lm_lay_out(&lm, nnb__align(memory));
    status = run(&lm);
  }
  if (!entered) nnb__blas_leave();
  nnb__release(memory);
  return status;
}

const nnb__optim_ops nnb__algo_lm = {
    .name = "lm", .traits = NNB__TRAIT_BAYES | NNB__TRAIT_BOUNDS, .descent = 400, .least_squares = least_squares};
