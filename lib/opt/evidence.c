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

/* The first ridge, as a part of the one that follows from the start.  A large one takes the parameters of an untrained
 * net to 0, where they stay.  With this and most_growth, no net of 24 for a sine of 20 to 60 noisy points ended so;
 * with 1e-2 and no bound, 6 did.  A model near its minimum, as a linear one after a step or two, needs no bound. */
static const double first_ridge = 1e-4, most_growth = 2;
/* Converged: this is the most that log p(x | data) and the evidence can gain, for CONVERGED_TIMES iterations in a
 * row. */
static const double gain_tol = 1e-6, gain_tol_eps = 100; /* the latter times ε and β·f ≈ m/2, for single precision */
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
}

void nnb__evidence_visit(nnb__bayes *b, nnb__visitor *s) {
  enum { NUMBERS = sizeof b->now / sizeof(double) };
  nnb__state_doubles(s, "evidence.now", NUMBERS, (double *)&b->now);
  nnb__state_doubles(s, "evidence.next", NUMBERS, (double *)&b->next);
  nnb__state_number(s, "evidence.gain_left", -HUGE_VAL, HUGE_VAL, &b->gain_left);
  nnb__state_number(s, "evidence.least_squares", 0, DBL_MAX, &b->least_squares);
  nnb__state_int(s, "evidence.times", 0, INT_MAX - 1, &b->times);
}

/* next ← α and β, with the ridge within its bounds.  growth: its largest growth. */
static void choose(nnb__bayes *b, const nnb__system *s, double alpha, double beta, double growth) {
  double most = 0;
  for (int i = 0; i < s->n; i++) most = fmax(most, s->d[i] * s->d[i]);
  double ridge = clamp(alpha / beta, least_ridge * most, most_ridge * most);
  if (s->ridge > 0) ridge = fmin(ridge, growth * s->ridge);
  b->next = (nnb_evidence){.alpha = ridge * beta, .beta = beta};
}

void nnb__evidence_begin(nnb__bayes *b, const nnb__system *s) {
  double squares = nnb__sum_squares(s->m, s->r) / 2;
  b->least_squares = fmax(squares * s->stop->eps * s->stop->eps, DBL_MIN);
  choose(b, s, first_ridge * s->n / (2 * fmax(half_squares_of_x(s), DBL_MIN)), count(s) / (2 * half_squares_of_r(b, s)),
         1);
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

nnb_status nnb__evidence_measure(nnb__bayes *b, nnb__system *s, double *gradient_norm) {
  const double m = count(s), n = s->n;
  nnb_status status = factorise(s);
  if (status) return status;
  double log_det = 2 * nnb__log_det_factor(s->n, s->factor);
  double trace = nnb__inverse_squares(s->n, s->factor); /* NaN or infinite: L has a 0, so γ is n */
  nnb_evidence *e = &b->now;
  e->gamma = isfinite(trace) ? clamp(n - s->ridge * trace, 0, fmin(n, m)) : fmin(n, m);
  e->log_evidence = log_evidence(b, s, log_det);
  const bool near = decrement(b, s, 0, gradient_norm) < near_gain;
  choose(b, s, e->gamma / (2 * fmax(half_squares_of_x(s), DBL_MIN)),
         fmax(m - e->gamma, DBL_EPSILON * m) / (2 * half_squares_of_r(b, s)), near ? HUGE_VAL : most_growth);
  b->gain_left = decrement(b, s, next_ridge(b) - s->ridge, gradient_norm) + gain_by_ridge(b, s);
  return NNB_OK;
}

bool nnb__evidence_near(const nnb__bayes *b) { return b->gain_left < near_gain; }

bool nnb__evidence_converged(nnb__bayes *b, const nnb__system *s) {
  const double tol = fmax(gain_tol, gain_tol_eps * s->stop->eps * b->now.beta * s->f);
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
