/* opt/scg.c: scaled conjugate gradients: Møller, Neural Networks 6, 1993, "A scaled conjugate gradient algorithm for
 * fast supervised learning".  It needs no line search: the curvature along p comes from a difference of gradients, and
 * λ, as in the Levenberg–Marquardt method, keeps it positive and the step where the parabola is accurate. */
#include <string.h>

#include "blas.h"
#include "minimize.h"

enum { MOST_REFUSALS = 60 };

typedef struct scg {
  size_t n;
  real *p;     /* n: direction */
  real *x, *g; /* n: a trial point, and its gradient */
  double lambda, lambda_bar;
  double delta; /* pᵀ(E''+ λI)p */
  double pp;    /* ‖p‖² */
  double mu;    /* -pᵀg */
  size_t since_restart;
} scg;

static void trial(const nnb__min *m, scg *c, double a) {
  for (size_t i = 0; i < m->n; i++) c->x[i] = m->x[i] + (real)a * c->p[i];
}

/* p ← -g */
static void restart(const nnb__min *m, scg *c) {
  for (size_t i = 0; i < m->n; i++) c->p[i] = -m->g[i];
  c->since_restart = 0;
}

/* Step 2: δ = pᵀ(E'(w + σp) - E'(w))/σ; 0, which λ corrects, if that cannot be computed. */
static nnb_status curvature(nnb__min *m, scg *c) {
  c->pp = nnb__sum_squares(m->n, c->p);
  c->mu = -nnb__dot(m->n, c->p, m->g);
  const double sigma = sqrt((double)REAL_EPS) * (1 + sqrt(nnb__sum_squares(m->n, m->x))) / sqrt(c->pp);
  double f;
  trial(m, c, sigma);
  nnb_status status = nnb__min_eval(m, c->x, &f, c->g);
  c->delta = !status && isfinite(f) ? (nnb__dot(m->n, c->p, c->g) + c->mu) / sigma : 0;
  return status;
}

/* Steps 3 and 4: δ ← δ + (λ - λ̄)‖p‖², made positive. */
static void scale(scg *c) {
  c->delta += (c->lambda - c->lambda_bar) * c->pp;
  if (c->delta > 0) return;
  c->lambda_bar = 2 * (c->lambda - c->delta / c->pp);
  c->delta = -c->delta + c->lambda * c->pp;
  c->lambda = c->lambda_bar;
}

/* Step 6: the decrease of f relative to that of the parabola, 2δ(E(w) - E(w + αp))/μ².  Decreases below rounding level
 * are computed from the slopes. */
static double compare(const nnb__min *m, const scg *c, double a, double f) {
  double fall = m->value - f;
  if (!isfinite(f)) return -3;
  if (fabs(fall) <= 10 * (double)REAL_EPS * fabs(m->value)) fall = a * (c->mu - nnb__dot(m->n, c->p, c->g)) / 2;
  return 2 * c->delta * fall / (c->mu * c->mu);
}

/* Step 7: p ← -g_new + β·p, β = (‖g_new‖² - g_newᵀg)/μ; restarted every n steps and if p does not descend. */
static void turn(const nnb__min *m, scg *c, double beta) {
  if (++c->since_restart >= m->n) {
    restart(m, c);
    return;
  }
  for (size_t i = 0; i < m->n; i++) c->p[i] = (real)beta * c->p[i] - m->g[i];
  if (!(nnb__dot(m->n, c->p, m->g) < 0)) restart(m, c);
}

/* Tries steps along p with growing λ until one is accepted: then true. */
static bool step(nnb__min *m, scg *c, double *f, nnb_status *status) {
  for (int refused = 0; refused < MOST_REFUSALS; refused++) {
    scale(c);
    const double a = c->mu / c->delta;
    trial(m, c, a);
    if (memcmp(c->x, m->x, m->n * sizeof *m->x) == 0 || (*status = nnb__min_eval(m, c->x, f, c->g))) return false;
    const double ratio = compare(m, c, a, *f);
    const bool accepted = ratio >= 0;
    c->lambda_bar = accepted ? 0 : c->lambda;
    if (ratio >= 0.75) c->lambda /= 4;
    if (!(ratio >= 0.25)) c->lambda += c->delta * (1 - fmax(ratio, -1e3)) / c->pp; /* step 8 */
    if (accepted || nnb__stop_early(m->stop)) return accepted;
  }
  return false;
}

static nnb__min_needs needs(size_t n, const nnb_min_opts *o) {
  (void)n, (void)o;
  return (nnb__min_needs){.vectors = 3};
}

static void visit(void *self, nnb__visitor *s) {
  scg *c = self;
  nnb__state_reals(s, "direction", c->n, c->p);
  nnb__state_number(s, "lambda", -HUGE_VAL, HUGE_VAL, &c->lambda);
  nnb__state_number(s, "lambda_bar", -HUGE_VAL, HUGE_VAL, &c->lambda_bar);
  nnb__state_size(s, "since_restart", c->n, &c->since_restart);
}

static nnb_status iterate(nnb__min *m, scg *c) {
  double f;
  nnb_status status = curvature(m, c);
  if (status) return status;
  if (step(m, c, &f, &status)) {
    double beta = (nnb__sum_squares(m->n, c->g) - nnb__dot(m->n, c->g, m->g)) / c->mu;
    nnb__min_move(m, c->x, f, c->g);
    turn(m, c, beta);
  } else if (!status) {
    if (c->since_restart == 0) nnb__stop_because(m->stop, NNB_STOP_STALLED);
    nnb__stop_early(m->stop);
    restart(m, c);
    c->lambda = 1e-6, c->lambda_bar = 0;
  }
  return status;
}

static nnb_status minimize(nnb__min *m) {
  scg c = {.n = m->n, .p = m->vectors, .x = m->vectors + m->n, .g = m->vectors + 2 * m->n, .lambda = 1e-6};
  bool resumed;
  nnb_status status = nnb__min_begin(m, visit, &c, &resumed);
  if (!resumed) restart(m, &c);
  while (!status && nnb__min_goes_on(m)) status = iterate(m, &c);
  return status;
}

const nnb__optim_ops nnb__algo_scg = {.name = "scg", .minimize = minimize, .needs = needs};
