/* opt/lm.c: Levenberg–Marquardt: the step v with (JᵀJ + λD²)·v = -g, bent by the geodesic acceleration.
 *
 * Levenberg 1944 and Marquardt 1963; scaling after Moré 1978, "The Levenberg–Marquardt algorithm: implementation and
 * theory"; damping after Nielsen 1999, "Damping parameter in Marquardt's method" (IMM-REP-1999-05); acceleration after
 * Transtrum and Sethna 2012, "Improvements to the Levenberg–Marquardt algorithm for nonlinear least-squares
 * minimization" (arXiv:1201.5885). */
#include "lm.h"

#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "blas_threads.h"
#include "bounds.h"
#include "status.h"

/* λ to begin with, of the largest entry of the scaled JᵀJ, which is 1; and where variables are many, as in nets: with a
 * small one the first long steps often end where units are saturated (docs/performance.md). */
static const double first_lambda = 1e-3, careful_lambda = 1;
enum { MANY = 10 };
static const double fast = 0.5;         /* a step that leaves less than this of f is followed by one without a bend */
static const double bend_step = 0.1;    /* h of the second directional derivative; Transtrum and Sethna's */
static const double most_bend = 0.75;   /* their bound of |a|/|v| */
static const double rounding = 16;      /* times ε·f: what f may change by for rounding alone */
static const double negligible = 1e-13; /* a damping that only changes the digits that rounding changes */

typedef enum verdict { REFUSED, ACCEPTED, ENDED } verdict;

/* ---- small things ----------------------------------------------------------------------------------------------- */

static double scaled_norm(const nnb__lm *lm, const double *v) {
  double sum = 0;
  for (int i = 0; i < lm->n; i++) sum += v[i] * v[i] * nnb__lm_scale(lm, i) * nnb__lm_scale(lm, i);
  return sqrt(sum);
}

double nnb__lm_gradient_norm(const nnb__lm *lm) {
  double most = 0;
  for (int i = 0; i < lm->n; i++) {
    bool held = lm->lower && nnb__held(lm->g[i], lm->x[i], lm->lower[i], lm->upper[i]);
    if (!held) most = fmax(most, fabs(lm->g[i]));
  }
  return most;
}

/* x_i + by, or the bound that lies there or before it. */
static real moved_within(const nnb__lm *lm, int i, double by) {
  const double x = (double)lm->x[i];
  if (lm->lower && by <= (double)lm->lower[i] - x) return lm->lower[i];
  if (lm->upper && by >= (double)lm->upper[i] - x) return lm->upper[i];
  return (real)(x + by);
}

/* x_new ← x + factor·v; false where rounding leaves x as it is. */
static bool move(nnb__lm *lm, double factor, const double *v) {
  bool moved = false;
  for (int i = 0; i < lm->n; i++) {
    lm->x_new[i] = moved_within(lm, i, factor * v[i]);
    moved |= lm->x_new[i] != lm->x[i];
  }
  return moved;
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

/* How much the linear model would lower f by v: -gᵀv - ½vᵀ(JᵀJ)v = ½(λ‖Dv‖² - gᵀv - slopeᵀv), where slope, that of the
 * damped model at v, is what bounds leave of it. */
static double predicted(const nnb__lm *lm) {
  double norm = scaled_norm(lm, lm->v), slope = nnb__lm_dot(lm, lm->g, lm->v);
  if (lm->slope) slope += nnb__lm_dot(lm, lm->slope, lm->v);
  return (lm->lambda * norm * norm - slope) / 2;
}

/* v ← the step without a bend. */
static nnb_status find_velocity(nnb__lm *lm, bool *usable) {
  if (lm->lower) return nnb__lm_step_in_box(lm, usable);
  nnb_status status = nnb__lm_factorise(lm, usable);
  if (status || !*usable) return status;
  memcpy(lm->v, lm->g, (size_t)lm->n * sizeof *lm->v);
  if (lm->n_pairs)
    nnb__secants_solve(lm, lm->v);
  else
    nnb__lm_solve(lm, lm->v);
  return NNB_OK;
}

/* a ← the acceleration along v: (JᵀJ + λD²)·a = -Jᵀ·r_vv, where r_vv ≈ (2/h)·((r(x + hv) - r(x))/h - J·v), equation 23;
 * and Jᵀ·J·v is known without J: -g - λD²v, except where bounds hold a variable, whose a is 0.  *bend ←
 * |a|/|v|, INFINITY where r is not defined at x + hv. */
static nnb_status accelerate(nnb__lm *lm, double *bend) {
  const double h = bend_step;
  double f;
  *bend = HUGE_VAL;
  move(lm, h, lm->v);
  nnb_status status = nnb__lm_residuals(lm, lm->x_new, lm->r_new, &f);
  if (status || !isfinite(f)) return status;
  for (size_t i = 0; i < lm->m; i++) lm->r_new[i] -= lm->r[i];
  status = nnb__lm_pull(lm, lm->r_new, lm->a);
  if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
  for (int i = 0; i < lm->n; i++) {
    double d = nnb__lm_scale(lm, i), Av = -lm->g[i] - lm->lambda * d * d * lm->v[i];
    Av -= nnb__lm_ridge(lm, i) * lm->v[i]; /* the ridge is linear: no part of r_vv */
    lm->a[i] = 2 / h * (lm->a[i] / h - Av);
  }
  nnb__lm_solve(lm, lm->a);
  *bend = scaled_norm(lm, lm->a) / scaled_norm(lm, lm->v);
  return NNB_OK;
}

/* v, and p ← v + ½a where the acceleration pays: not where f hardly changes, and a is lost in rounding, and not on the
 * first way down, where bends are many and steps that follow them shorter.  *usable: the system has a solution and p
 * does not bend too much. */
static nnb_status find_step(nnb__lm *lm, bool *usable) {
  double bend = 0;
  nnb_status status = find_velocity(lm, usable);
  if (status || !*usable) return status;
  memcpy(lm->p, lm->v, (size_t)lm->n * sizeof *lm->p);
  if (!isfinite(nnb__lm_dot(lm, lm->v, lm->v))) return *usable = false, NNB_OK;
  if (!lm->accelerates || lm->fast || lm->n_pairs || predicted(lm) < sqrt(lm->stop->eps) * lm->f) return NNB_OK;
  status = accelerate(lm, &bend);
  *usable = bend <= most_bend;
  for (int i = 0; *usable && i < lm->n; i++) lm->p[i] += lm->a[i] / 2;
  return status;
}

/* ---- the damping ------------------------------------------------------------------------------------------------ */

static void raise_damping(nnb__lm *lm) {
  lm->lambda *= lm->growth;
  lm->growth *= 2;
}

/* gain: what f was lowered by, as a part of what the linear model promised.  At rounding f does not tell, and the last
 * digits are those of the undamped step. */
static void lower_damping(nnb__lm *lm, double gain, bool at_rounding) {
  double cube = (2 * gain - 1) * (2 * gain - 1) * (2 * gain - 1);
  lm->lambda = fmax(lm->lambda * (at_rounding ? 1e-3 : fmax(1.0 / 3, 1 - cube)), DBL_MIN);
  lm->growth = 2;
}

/* ---- an iteration ----------------------------------------------------------------------------------------------- */

/* An iteration has ended; with .bayes it is followed by another f. */
static nnb_status conclude(nnb__lm *lm, double step, verdict *out) {
  double norm = fmax(nnb__lm_gradient_norm(lm), lm->aside_norm);
  nnb_status status = lm->stop->evidence ? nnb__evidence_measure(lm, &norm) : NNB_OK;
  if (status) return status;
  *out = nnb__stop_iteration(lm->stop, lm->f - lm->aside, norm, step, lm->point) ? ENDED : ACCEPTED;
  if (!lm->stop->evidence || *out == ENDED) return NNB_OK;
  if (nnb__evidence_settled(lm)) {
    nnb__stop_because(lm->stop, NNB_STOP_CHANGE);
    return *out = ENDED, NNB_OK;
  }
  if (nnb__evidence_near(lm))
    nnb__secants_note(lm, lm->x_new, lm->a);
  else
    nnb__secants_forget(lm);
  status = nnb__evidence_update(lm);
  nnb__stop_rebase(lm->stop, lm->f);
  return status;
}

/* Goes on to x_new.  Where the Jacobian is not finite there, back again. */
static nnb_status advance(nnb__lm *lm, verdict *out) {
  size_t bytes = (size_t)lm->n * sizeof(real);
  double before = lm->f, step = 0;
  real *old = lm->x_new;
  for (int i = 0; i < lm->n; i++) {
    real x = lm->x[i];
    lm->x[i] = lm->x_new[i], old[i] = x;
    step = fmax(step, fabs((double)(lm->x[i] - x)));
  }
  if (lm->stop->evidence) memcpy(lm->a, lm->g, (size_t)lm->n * sizeof *lm->a); /* for secants; accelerate is done */
  nnb_status status = lm->model->linearise(lm);
  if (status || !isfinite(lm->f)) {
    memcpy(lm->x, old, bytes);
    *out = REFUSED;
    if (!status) status = lm->model->linearise(lm);
    if (!status && !isfinite(lm->f))
      status = nnb__fail(NNB_E_NUMERIC, "residuals that were finite are not when asked for at the same point again");
    if (status) lm->f = before;
    return status;
  }
  lm->fast = lm->n >= MANY && lm->f < fast * before;
  nnb__lm_rescale(lm);
  return conclude(lm, fmax(step, lm->moved), out);
}

/* Tries one step.  last: the decrease predicted for the one before. */
static nnb_status try_step(nnb__lm *lm, double *last, verdict *out) {
  bool usable;
  double f;
  *out = REFUSED;
  nnb_status status = find_step(lm, &usable);
  if (status || !usable) return status;
  double promise = predicted(lm), noise = rounding * lm->stop->eps * lm->f;
  bool at_rounding =
      promise <= noise; /* f can tell no more; the distance to the minimum, which promise measures, can */
  bool done = at_rounding && promise > 0.5 * *last && lm->lambda < negligible && !lm->stop->evidence;
  if (!move(lm, 1, lm->p) || done) {
    lm->stalled = true;
    return *out = ENDED, NNB_OK;
  }
  status = lm->model->value(lm, &f);
  double gain = (lm->f - f) / promise;
  if (status || !(f < lm->f || (at_rounding && f <= lm->f + noise))) return status;
  *last = promise;
  status = advance(lm, out);
  if (!status && *out != REFUSED) lower_damping(lm, gain, at_rounding);
  return status;
}

/* Every so many iterations: whether they left f nearly as it was. */
static bool is_slow(const nnb__lm *lm, int accepted, double *mark) {
  if (lm->slow_over == 0 || accepted % lm->slow_over) return false;
  bool slow = lm->f > lm->slow * *mark;
  *mark = lm->f;
  return slow;
}

nnb_status nnb__lm_search(nnb__lm *lm) {
  double last = HUGE_VAL, mark = lm->f;
  verdict v = REFUSED;
  nnb_status status = NNB_OK;
  for (int accepted = 0; !status && v != ENDED;) {
    status = try_step(lm, &last, &v);
    if (v == ACCEPTED && is_slow(lm, ++accepted, &mark)) lm->stalled = true, v = ENDED;
    if (v == REFUSED) {
      raise_damping(lm);
      if (nnb__stop_early(lm->stop)) v = ENDED;
      if (!isfinite(lm->lambda)) lm->stalled = true, v = ENDED;
    }
  }
  return status;
}

/* The first α and β, and those that follow from them. */
static nnb_status start_evidence(nnb__lm *lm) {
  double norm;
  nnb__evidence_begin(lm);
  lm->stop->evidence = &lm->evidence;
  nnb_status status = nnb__evidence_update(lm);
  if (!status) status = nnb__evidence_measure(lm, &norm);
  return status;
}

nnb_status nnb__lm_begin(nnb__lm *lm) {
  lm->lambda = lm->n < MANY ? first_lambda : careful_lambda, lm->growth = 2, lm->fast = lm->n >= MANY;
  nnb_status status = lm->model->linearise(lm);
  if (!status && !isfinite(lm->f))
    status = nnb__fail(NNB_E_NUMERIC, "a residual or a derivative of one is not finite at the start");
  if (!status) nnb__lm_rescale(lm);
  return status;
}

void nnb__lm_end(const nnb__lm *lm, double gradient_norm) {
  if (lm->stalled) nnb__stop_because(lm->stop, NNB_STOP_STALLED);
  nnb__stop_end(lm->stop, lm->f, gradient_norm);
}

static nnb_status run(nnb__lm *lm) {
  nnb_status status = nnb__lm_begin(lm);
  if (!status && lm->stop->opts.bayes) status = start_evidence(lm);
  if (status) return status;
  if (!nnb__stop_at_start(lm->stop, lm->f, nnb__lm_gradient_norm(lm))) status = nnb__lm_search(lm);
  double norm = nnb__lm_gradient_norm(lm);
  if (!status && lm->stop->evidence) status = nnb__evidence_measure(lm, &norm);
  nnb__lm_end(lm, norm);
  lm->stop->report.evidence = lm->evidence;
  return status;
}

/* ---- the algorithm ---------------------------------------------------------------------------------------------- */

static nnb_status least_squares(const nnb_lsq *problem, real *x, nnb__stop *stop) {
  nnb__lm lm = {.model = &nnb__lm_full, .problem = problem, .stop = stop, .x = x, .point = x};
  size_t bytes;
  lm.accelerates = stop->opts.acceleration != NNB_NONE;
  nnb_status status = nnb__lm_measure(&lm, &bytes);
  if (status) return status;
  char *memory = nnb__alloc(bytes + NNB__ALIGN, 1);
  if (!memory) return nnb__fail_nomem("the normal equations of lm");
  nnb__lm_lay_out(&lm, memory + (NNB__ALIGN - (uintptr_t)memory % NNB__ALIGN) % NNB__ALIGN);
  nnb__blas_enter();
  status = run(&lm);
  nnb__blas_leave();
  nnb__release(memory);
  return status;
}

const nnb__optim_ops nnb__algo_lm = {.name = "lm", .takes_bounds = true, .least_squares = least_squares};
