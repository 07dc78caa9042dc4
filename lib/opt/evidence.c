/* opt/evidence.c: Bayesian regularisation of Levenberg–Marquardt: α and β by maximising the evidence.
 *
 * MacKay 1992, "Bayesian interpolation" and "A practical Bayesian framework for backpropagation networks"; between the
 * steps of Levenberg–Marquardt, with its Hessian, after Foresee and Hagan 1997, "Gauss–Newton approximation to Bayesian
 * learning".  With m residuals r ~ N(0, 1/β) and n variables x ~ N(0, 1/α):
 *
 *     -log p(x | data) = β·½‖r‖² + α·½‖x‖² + … = β·f,   f = ½‖r‖² + ½·ridge·‖x‖²,   ridge = α/β
 *     H = β·A,  A = JᵀJ + ridge·I = L·Lᵀ
 *     γ = n - α·tr H⁻¹ = n - ridge·‖L⁻¹‖²
 *     α ← γ/‖x‖²,  β ← (m - γ)/‖r‖² */
#include <string.h>

#include "blas.h"
#include "lapack.h"
#include "lm.h"
#include "normal.h"
#include "status.h"

/* The ridge, against the largest diagonal entry of JᵀJ: below, residuals that vanish would leave the system singular;
 * above, no variable would move. */
static const double least_ridge = 1e-20, most_ridge = 1e6;

/* The first ridge, against what the start says.  A large one kills what a net has not learned yet: all parameters are 0
 * then, and stay so.  With this and most_growth a sine of 20 to 60 noisy points lost no net of 24; with 1e-2 and no
 * bound 6.  What has learned already, as linear models have after a step or two, needs no bound. */
static const double first_ridge = 1e-4, most_growth = 2;
/* Settled: log p(x | data) and the evidence have no more than this to gain, so many times in a row. */
static const double little = 1e-6, little_in_eps = 100; /* times ε and β·f ≈ m/2: single precision shows no less */
enum { SETTLED_TIMES = 5 };
/* So near the minimum, in the same units, that secants of the last steps tell of the Hessian there.  Median iterations
 * of 15 fits with 0.03, 0.3, 3: a sine 101, 119, 136; yacht 149, 150, 191; energy 112, 135, 171; housing 148, 127, 108;
 * concrete 135, 120, 90; airfoil 162, 124, 112 (docs/optimisers.md has the nets). */
static const double near = 0.3;

static double clamp(double v, double least, double most) { return fmin(fmax(v, least), most); }

static double count(const nnb__lm *lm) { return (double)(lm->problem->m_known ? lm->problem->m_known : lm->m); }

static double half_squares_of_x(const nnb__lm *lm) { return nnb__sum_squares((size_t)lm->n, lm->x) / 2; }

static double half_squares_of_r(const nnb__lm *lm) {
  return fmax(nnb__sum_squares(lm->m, lm->r) / 2, lm->least_squares);
}

static double next_ridge(const nnb__lm *lm) { return lm->next.alpha / lm->next.beta; }

/* next ← α and β, the ridge within its bounds.  growth: the most it may grow by. */
static void choose(nnb__lm *lm, double alpha, double beta, double growth) {
  double most = 0;
  for (int i = 0; i < lm->n; i++) most = fmax(most, lm->d[i] * lm->d[i]);
  double ridge = clamp(alpha / beta, least_ridge * most, most_ridge * most);
  if (lm->ridge > 0) ridge = fmin(ridge, growth * lm->ridge);
  lm->next = (nnb_evidence){.alpha = ridge * beta, .beta = beta};
}

void nnb__evidence_begin(nnb__lm *lm) {
  double squares = nnb__sum_squares(lm->m, lm->r) / 2;
  lm->least_squares = fmax(squares * lm->stop->eps * lm->stop->eps, DBL_MIN);
  choose(lm, first_ridge * lm->n / (2 * fmax(half_squares_of_x(lm), DBL_MIN)), count(lm) / (2 * half_squares_of_r(lm)),
         1);
}

/* factor ← L of A, from the model as it is. */
static nnb_status factorise(nnb__lm *lm) {
  const size_t bytes = (size_t)lm->n * (size_t)lm->n * sizeof *lm->factor;
  memcpy(lm->factor, lm->normal, bytes);
  if (lm->by_qr || nnb__cholesky(lm->n, lm->factor)) return NNB_OK;
  nnb_status status = nnb__lm_turn_to_qr(lm);
  memcpy(lm->factor, lm->normal, bytes);
  return status;
}

/* log p(D|α,β) = -β·f - ½·log det H + ½n·log α + ½m·log β - ½m·log 2π (MacKay 1992, equation 4.8) */
static double log_evidence(const nnb__lm *lm, double log_det_A) {
  const double two_pi = 2 * acos(-1), m = count(lm);
  return -lm->evidence.beta * lm->f - log_det_A / 2 + lm->n * log(lm->ridge) / 2 +
         m / 2 * log(lm->evidence.beta / two_pi);
}

/* ½·gᵀH⁻¹g of β·f with so much more ridge, from L⁻¹: what a step of Newton's would lower it by. */
static double decrement(nnb__lm *lm, const double *inverse, double more, double *gradient_norm) {
  double *g = lm->v, sum = 0, most = 0;
  for (int i = 0; i < lm->n; i++) {
    const double *row = inverse + (size_t)i * (size_t)lm->n;
    double y = 0;
    g[i] = lm->g[i] + more * (double)lm->x[i];
    for (int j = 0; j <= i; j++) y += row[j] * g[j];
    sum += y * y, most = fmax(most, fabs(g[i]));
  }
  *gradient_norm = most;
  return lm->evidence.beta * sum / 2;
}

/* -d²/d(log α)² of the log evidence is about γ/2 at its maximum (MacKay 1992, "Bayesian interpolation", section 4). */
static double gain_by_ridge(const nnb__lm *lm) {
  const double change = log(next_ridge(lm) / lm->ridge);
  return lm->evidence.gamma * change * change / 4;
}

nnb_status nnb__evidence_measure(nnb__lm *lm, double *gradient_norm) {
  const double m = count(lm), n = lm->n;
  nnb_status status = factorise(lm);
  if (status) return status;
  double log_det = 2 * nnb__log_det_factor(lm->n, lm->factor);
  double trace = nnb__inverse_squares(lm->n, lm->factor); /* NaN or infinite: L has a 0, so γ is n */
  nnb_evidence *e = &lm->evidence;
  e->gamma = isfinite(trace) ? clamp(n - lm->ridge * trace, 0, fmin(n, m)) : fmin(n, m);
  e->log_evidence = log_evidence(lm, log_det);
  const bool learned = decrement(lm, lm->factor, 0, gradient_norm) < near;
  choose(lm, e->gamma / (2 * fmax(half_squares_of_x(lm), DBL_MIN)),
         fmax(m - e->gamma, DBL_EPSILON * m) / (2 * half_squares_of_r(lm)), learned ? HUGE_VAL : most_growth);
  lm->left = decrement(lm, lm->factor, next_ridge(lm) - lm->ridge, gradient_norm) + gain_by_ridge(lm);
  return NNB_OK;
}

bool nnb__evidence_near(const nnb__lm *lm) { return lm->left < near; }

bool nnb__evidence_settled(nnb__lm *lm) {
  const double small = fmax(little, little_in_eps * lm->stop->eps * lm->evidence.beta * lm->f);
  lm->calm = lm->left <= small ? lm->calm + 1 : 0;
  return lm->calm >= SETTLED_TIMES;
}

nnb_status nnb__evidence_update(nnb__lm *lm) {
  const double more = next_ridge(lm) - lm->ridge;
  lm->evidence = lm->next;
  lm->ridge += more;
  if (lm->by_qr) return lm->model->linearise(lm);
  lm->f += more * half_squares_of_x(lm);
  for (int i = 0; i < lm->n; i++) {
    lm->g[i] += more * (double)lm->x[i];
    lm->normal[(size_t)i * (size_t)(lm->n + 1)] += more;
  }
  return NNB_OK;
}
