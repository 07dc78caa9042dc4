/* opt/evidence.c: Bayesian regularisation of Levenberg–Marquardt: α and β by maximising the evidence.
 *
 * MacKay 1992, "Bayesian interpolation" and "A practical Bayesian framework for backpropagation networks"; combined
 * with the steps of Levenberg–Marquardt and their Hessian after Foresee and Hagan 1997, "Gauss–Newton approximation to
 * Bayesian learning".  With m residuals r ~ N(0, 1/β) and n variables x ~ N(0, 1/α):
 *
 *     -log p(x | data) = β·½‖r‖² + α·½‖x‖² + … = β·f,   f = ½‖r‖² + ½·ridge·‖x‖²,   ridge = α/β
 *     H = β·A,  A = JᵀJ + ridge·I = L·Lᵀ
 *     γ = n - α·tr H⁻¹ = n - ridge·‖L⁻¹‖²
 *     α ← γ/‖x‖²,  β ← (m - γ)/‖r‖² */
#include "evidence.h"

#include <limits.h>
#include <string.h>

#include "blas.h"
#include "lapack.h"
#include "normal.h"
#include "status.h"

/* Bounds of the ridge, relative to the largest diagonal entry of JᵀJ: below, vanishing residuals would make the system
 * singular; above, no variable would move. */
static const double least_ridge = 1e-20, most_ridge = 1e6;

/* α and β that are estimated at once from an untrained net follow its weights to an optimum of the evidence, often a
 * poor one, where large weights fit the noise.  So a path of ridges comes first: from the ridge that follows from the
 * start downwards, STAGE iterations each, every one from where the one before ended, until the evidence falls.  α and β
 * are then estimated from the best stage.  If the evidence falls clearly below that of the stage, the minimum there was
 * left for a sharper one; then x goes back to the stage, and its ridge is kept, unless that ends with less evidence
 * (docs/defaults.md). */
enum { STAGES = 6, STAGE = 8, IDLE_STAGES = 2, BELOW_TIMES = 15 };
static const double next_stage = 0.2;
static const double slack = 0.05; /* of the log evidence, for each residual: it is inexact away from a minimum of f */
static const double learnt =
    1.5; /* γ for each output: below, all weights are about 0, where the next stage would stay */

/* The largest growth of the ridge in an iteration.  A fast growth takes the parameters of an untrained net to 0.  A
 * model near its minimum, as a linear one after a step or two, needs no bound. */
static const double most_growth = 2;
/* Converged: this is the most that log p(x | data) and the evidence can gain, for CONVERGED_TIMES iterations in a row;
 * keep_tol with a ridge that is kept, which is not exact anyway. */
static const double gain_tol = 1e-6, keep_tol = 1e-2;
static const double gain_tol_eps = 100; /* times ε and β·f ≈ m/2, for single precision */
enum { CONVERGED_TIMES = 5 };
/* With less than this to gain, in the same units, secants of the last steps approximate the Hessian at the minimum.
 * Median iterations of 15 fits with 0.03, 0.3, 3: a sine 101, 119, 136; yacht 149, 150, 191; energy 112, 135, 171;
 * housing 148, 127, 108; concrete 135, 120, 90; airfoil 162, 124, 112 (docs/optimisers.md has the nets). */
static const double near_gain = 0.3;

static double clamp(double v, double least, double most) { return fmin(fmax(v, least), most); }

static double count(const nnb__system *s) { return (double)(s->problem->m_known ? s->problem->m_known : s->m); }

static double half_squares_of_x(const nnb__system *s) { return nnb__sum_squares((size_t)s->n, s->x) / 2; }

static double half_squares_of_r(const nnb__bayes *b, const nnb__system *s) {
  return fmax(nnb__sum_squares(s->m, s->r) / 2, b->least_squares);
}

static double next_ridge(const nnb__bayes *b) { return b->next.alpha / b->next.beta; }

void nnb__evidence_take(nnb__bayes *b, int n, nnb__arena *arena) {
  b->g = nnb__arena_take(arena, (size_t)n, sizeof *b->g);
  b->first = nnb__arena_take(arena, (size_t)n, sizeof *b->first);
  b->best = nnb__arena_take(arena, (size_t)n, sizeof *b->best);
}

void nnb__evidence_visit(nnb__bayes *b, int n, nnb__visitor *s) {
  enum { NUMBERS = sizeof b->now / sizeof(double) };
  nnb__state_doubles(s, "evidence.now", NUMBERS, (double *)&b->now);
  nnb__state_doubles(s, "evidence.next", NUMBERS, (double *)&b->next);
  nnb__state_number(s, "evidence.gain_left", -HUGE_VAL, HUGE_VAL, &b->gain_left);
  nnb__state_number(s, "evidence.least_squares", 0, DBL_MAX, &b->least_squares);
  nnb__state_int(s, "evidence.times", 0, INT_MAX - 1, &b->times);
  nnb__state_int(s, "evidence.phase", 0, NNB__EVIDENCE_PHASES - 1, &b->phase);
  nnb__state_int(s, "evidence.stage", 0, STAGES, &b->stage);
  nnb__state_int(s, "evidence.left", 0, STAGE, &b->left);
  nnb__state_int(s, "evidence.idle", 0, STAGES, &b->idle);
  nnb__state_int(s, "evidence.below", 0, INT_MAX - 1, &b->below);
  nnb__state_number(s, "evidence.ridge", 0, DBL_MAX, &b->ridge);
  nnb__state_number(s, "evidence.best_ridge", 0, DBL_MAX, &b->best_ridge);
  nnb__state_number(s, "evidence.fell_ridge", 0, DBL_MAX, &b->fell_ridge);
  nnb__state_number(s, "evidence.most", -HUGE_VAL, HUGE_VAL, &b->most);
  nnb__state_number(s, "evidence.fell_evidence", -HUGE_VAL, HUGE_VAL, &b->fell_evidence);
  nnb__state_reals(s, "evidence.best", (size_t)n, b->best);
  nnb__state_reals(s, "evidence.first", (size_t)n, b->first);
}

/* Of JᵀJ, so far. */
static double largest_diagonal(const nnb__system *s) {
  double most = 0;
  for (int i = 0; i < s->n; i++) most = fmax(most, s->d[i] * s->d[i]);
  return most;
}

/* next ← α and β, with the ridge within its bounds.  growth: its largest growth. */
static void choose(nnb__bayes *b, const nnb__system *s, double alpha, double beta, double growth) {
  const double most = largest_diagonal(s);
  double ridge = clamp(alpha / beta, least_ridge * most, most_ridge * most);
  if (s->ridge > 0) ridge = fmin(ridge, growth * s->ridge);
  b->next = (nnb_evidence){.alpha = ridge * beta, .beta = beta};
}

void nnb__evidence_begin(nnb__bayes *b, const nnb__system *s) {
  double squares = nnb__sum_squares(s->m, s->r) / 2;
  b->least_squares = fmax(squares * s->stop->eps * s->stop->eps, DBL_MIN);
  choose(b, s, s->n / (2 * fmax(half_squares_of_x(s), DBL_MIN)), count(s) / (2 * half_squares_of_r(b, s)), 1);
  b->phase = NNB__EVIDENCE_PATH, b->stage = b->idle = b->below = 0, b->left = STAGE, b->fell = false;
  b->ridge = b->best_ridge = fmin(next_ridge(b), largest_diagonal(s)), b->next.alpha = b->ridge * b->next.beta;
  b->most = -HUGE_VAL, b->fell_ridge = b->fell_evidence = 0;
  memcpy(b->first, s->x, (size_t)s->n * sizeof *b->first);
  memcpy(b->best, s->x, (size_t)s->n * sizeof *b->best);
}

/* factor ← L of A, for the present model. */
static nnb_status factorise(nnb__system *s) {
  const size_t bytes = (size_t)s->n * (size_t)s->n * sizeof *s->factor;
  memcpy(s->factor, s->normal, bytes);
  if (s->by_qr || nnb__cholesky(s->n, s->factor)) return NNB_OK;
  nnb_status status = nnb__system_turn_to_qr(s);
  memcpy(s->factor, s->normal, bytes);
  return status;
}

/* log p(D|α,β) = -β·f - ½·log det H + ½n·log α + ½m·log β - ½m·log 2π (MacKay 1992, equation 4.8) */
static double log_evidence(const nnb__bayes *b, const nnb__system *s, double log_det_A) {
  const double two_pi = 2 * acos(-1), m = count(s);
  return -b->now.beta * s->f - log_det_A / 2 + s->n * log(s->ridge) / 2 + m / 2 * log(b->now.beta / two_pi);
}

/* ½·gᵀH⁻¹g of β·f with the ridge increased by `more`, from L⁻¹: the decrease by a Newton step. */
static double decrement(nnb__bayes *b, const nnb__system *s, double more, double *gradient_norm) {
  double sum = 0, most = 0;
  for (int i = 0; i < s->n; i++) {
    const double *row = s->factor + (size_t)i * (size_t)s->n;
    double y = 0;
    b->g[i] = s->g[i] + more * (double)s->x[i];
    for (int j = 0; j <= i; j++) y += row[j] * b->g[j];
    sum += y * y, most = fmax(most, fabs(b->g[i]));
  }
  *gradient_norm = most;
  return b->now.beta * sum / 2;
}

/* -d²/d(log α)² of the log evidence is about γ/2 at its maximum (MacKay 1992, "Bayesian interpolation", section 4). */
static double gain_by_ridge(const nnb__bayes *b, const nnb__system *s) {
  const double change = log(next_ridge(b) / s->ridge);
  return b->now.gamma * change * change / 4;
}

bool nnb__evidence_keeps(const nnb__bayes *b) {
  return b->phase == NNB__EVIDENCE_PATH || b->phase == NNB__EVIDENCE_KEEP;
}

void nnb__evidence_suit(nnb__bayes *b, const nnb__system *s) {
  b->now.beta = count(s) / (2 * fmax(s->f, b->least_squares)), b->now.alpha = s->ridge * b->now.beta;
}

nnb_status nnb__evidence_measure(nnb__bayes *b, nnb__system *s, double *gradient_norm) {
  const double m = count(s), n = s->n;
  nnb_status status = factorise(s);
  if (status) return status;
  double log_det = 2 * nnb__log_det_factor(s->n, s->factor);
  double trace = nnb__inverse_squares(s->n, s->factor); /* NaN or infinite: L has a 0, so γ is n */
  nnb_evidence *e = &b->now;
  const bool keeps = nnb__evidence_keeps(b);
  if (keeps) nnb__evidence_suit(b, s);
  e->gamma = isfinite(trace) ? clamp(n - s->ridge * trace, 0, fmin(n, m)) : fmin(n, m);
  e->log_evidence = log_evidence(b, s, log_det);
  const bool near = decrement(b, s, 0, gradient_norm) < near_gain;
  choose(b, s, e->gamma / (2 * fmax(half_squares_of_x(s), DBL_MIN)),
         fmax(m - e->gamma, DBL_EPSILON * m) / (2 * half_squares_of_r(b, s)), near ? HUGE_VAL : most_growth);
  b->gain_left =
      decrement(b, s, keeps ? 0 : next_ridge(b) - s->ridge, gradient_norm) + (keeps ? 0 : gain_by_ridge(b, s));
  return NNB_OK;
}

bool nnb__evidence_near(const nnb__bayes *b) { return b->gain_left < near_gain; }

/* Whether there was almost no predicted gain for some iterations, including this one. */
static bool converged(nnb__bayes *b, const nnb__system *s) {
  const double tol =
      fmax(nnb__evidence_keeps(b) ? keep_tol : gain_tol, gain_tol_eps * s->stop->eps * b->now.beta * s->f);
  b->times = b->gain_left <= tol ? b->times + 1 : 0;
  return b->times >= CONVERGED_TIMES;
}

nnb_status nnb__evidence_update(nnb__bayes *b, nnb__system *s) {
  const double more = next_ridge(b) - s->ridge;
  b->now = b->next;
  s->ridge += more;
  if (s->by_qr) return s->model->linearise(s);
  s->f += more * half_squares_of_x(s);
  for (int i = 0; i < s->n; i++) {
    s->g[i] += more * (double)s->x[i];
    s->normal[(size_t)i * (size_t)(s->n + 1)] += more;
  }
  return NNB_OK;
}

nnb_status nnb__evidence_keep(nnb__bayes *b, nnb__system *s, double ridge) {
  b->next = (nnb_evidence){.alpha = ridge * b->now.beta, .beta = b->now.beta};
  return nnb__evidence_update(b, s);
}

/* ---- phases ----------------------------------------------------------------------------------------------------- */

bool nnb__evidence_ended(nnb__bayes *b, const nnb__system *s) {
  const bool ends = converged(b, s);
  if (b->phase == NNB__EVIDENCE_PATH) return --b->left <= 0 || b->times > 0;
  if (b->phase != NNB__EVIDENCE_ESTIMATE) return ends;
  b->below = b->now.log_evidence < b->most - slack * count(s) ? b->below + 1 : 0;
  b->fell = b->below >= BELOW_TIMES || (ends && b->below > 0);
  return ends || b->fell;
}

/* After a stage.  One that has taken all weights to about 0, or is about to, does not count; one that has found its
 * minimum is the last. */
static void note_stage(nnb__bayes *b, const nnb__system *s, bool *goes_on) {
  const nnb_evidence *e = &b->now;
  const bool first = b->most == -HUGE_VAL;
  *goes_on = e->gamma > learnt * fmax(s->problem->group, 1) && !(first && next_ridge(b) > s->ridge);
  if (!*goes_on && first) b->best_ridge = s->ridge;
  if (!*goes_on) return;
  b->idle = e->log_evidence > b->most ? 0 : b->idle + 1;
  if (b->times > 0) b->idle = IDLE_STAGES;
  if (!(e->log_evidence > b->most)) return;
  b->most = e->log_evidence, b->best_ridge = s->ridge;
  memcpy(b->best, s->x, (size_t)s->n * sizeof *b->best);
}

static void note_fall(nnb__bayes *b, const nnb__system *s) {
  b->fell_evidence = b->now.log_evidence, b->fell_ridge = s->ridge;
  memcpy(b->first, s->x, (size_t)s->n * sizeof *b->first);
}

bool nnb__evidence_next(nnb__bayes *b, const nnb__system *s, const real **x, double *ridge) {
  bool goes_on = true;
  if (b->phase == NNB__EVIDENCE_PATH) note_stage(b, s, &goes_on);
  b->times = 0;
  if (b->phase == NNB__EVIDENCE_PATH) {
    b->left = STAGE, b->ridge *= next_stage, *ridge = b->ridge, *x = goes_on ? NULL : b->first;
    if (++b->stage < STAGES && b->idle < IDLE_STAGES) return true;
    b->phase = NNB__EVIDENCE_ESTIMATE, *x = b->best, *ridge = b->best_ridge;
    return true;
  }
  if (b->phase == NNB__EVIDENCE_ESTIMATE && b->fell) {
    note_fall(b, s);
    b->phase = NNB__EVIDENCE_KEEP, *x = b->best, *ridge = b->best_ridge;
    return true;
  }
  if (b->phase != NNB__EVIDENCE_KEEP || b->now.log_evidence >= b->fell_evidence) return false;
  b->phase = NNB__EVIDENCE_AGAIN, *x = b->first, *ridge = b->fell_ridge;
  return true;
}
