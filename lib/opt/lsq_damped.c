/* opt/lsq_damped.c: the damped system (JᵀJ + λD²)·v = -g in the scaled variables D·v: its scale, factor and solution.
 *
 * The Cholesky factor of JᵀJ is used as long as rounding leaves its pivots correct; afterwards R of a QR factorisation,
 * to which the rows √λ·D are added. */
#include "lsq_system.h"

#include "blas.h"
#include "normal.h"
#include "status.h"

static bool is_held(const nnb__system *s, int i) { return s->held && s->held[i]; }

/* λ; 1 for a held variable, whose row and column are those of the identity. */
static double damping(const nnb__system *s, int i) { return is_held(s, i) ? 1 : s->lambda; }
static double root_damping(const nnb__system *s, int i) { return sqrt(damping(s, i)); }

/* ‖J's column i‖² */
static double norm_square(const nnb__system *s, int i) { return fmax(nnb__system_column_square(s, i) - s->ridge, 0); }

/* D ← one number for all variables, the root mean square of the norms.  The prior is the same for all variables, so
 * none must have a larger scale; and a norm that was large once would restrain its variable forever. */
static void rescale_alike(nnb__system *s) {
  double sum = 0;
  for (int i = 0; i < s->n; i++) sum += norm_square(s, i);
  for (int i = 0; i < s->n; i++) s->d[i] = sqrt(sum / s->n);
}

void nnb__system_rescale(nnb__system *s) {
  if (s->stop->opts.bayes)
    rescale_alike(s);
  else
    for (int i = 0; i < s->n; i++) s->d[i] = fmax(s->d[i], sqrt(norm_square(s, i)));
  double most = 0;
  for (int i = 0; i < s->n; i++) most = fmax(most, s->d[i]);
  if (s->floor_part > 0) most = fmax(most, sqrt(2 * s->f)); /* because all of J may be small */
  s->floor = s->floor_part * most;
  s->floor_part /= 2;
}

/* D⁻¹, or 0. */
static double inverse_scale(const nnb__system *s, int i) { return is_held(s, i) ? 0 : 1 / nnb__system_scale(s, i); }

/* factor ← D⁻¹(JᵀJ)D⁻¹ + λI, or D⁻¹L: after this scaling the condition of JᵀJ is nearly the best that a diagonal can
 * give (van der Sluis 1969). */
static void scale_model(nnb__system *s) {
  for (int i = 0; i < s->n; i++) {
    const double *from = s->normal + (size_t)i * (size_t)s->n;
    double *to = s->factor + (size_t)i * (size_t)s->n, di = inverse_scale(s, i);
    for (int j = 0; j <= i; j++) to[j] = from[j] * di * (s->by_qr ? 1 : s->inverse_scale[j]);
    if (!s->by_qr) to[i] += damping(s, i);
  }
}

/* The smallest pivot of a Cholesky factor, which is at least the smallest eigenvalue. */
static double smallest_pivot(const nnb__system *s) {
  double least = HUGE_VAL;
  for (int i = 0; i < s->n; i++) {
    double l = s->factor[(size_t)i * (size_t)(s->n + 1)];
    least = fmin(least, l * l);
  }
  return least;
}

nnb_status nnb__system_turn_to_qr(nnb__system *s) {
  s->by_qr = true; /* from now on: the next Jacobian is as ill-conditioned */
  nnb_status status = s->model->linearise(s);
  if (status || isfinite(s->f)) return status;
  return nnb__fail(NNB_E_NUMERIC, "a second call of the function at the same point gave residuals that are not finite");
}

/* factor ← D⁻¹(JᵀJ + S)D⁻¹ + λI */
static void scale_with_second(nnb__system *s) {
  const size_t n = (size_t)s->n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      const double *a = s->normal + i * n, *b = s->normal + j * n;
      double sum = s->by_qr ? nnb__dot_double((int)j + 1, a, b) : a[j];
      sum += s->second[i * n + j];
      s->factor[i * n + j] = sum * inverse_scale(s, (int)i) * inverse_scale(s, (int)j) + (i == j ? s->lambda : 0);
    }
}

nnb_status nnb__system_factorise(nnb__system *s, bool *done) {
  if (s->second) {
    scale_with_second(s);
    *done = nnb__cholesky(s->n, s->factor) && smallest_pivot(s) > 10 * DBL_EPSILON * s->n;
    return NNB_OK;
  }
  if (!s->by_qr) {
    for (int i = 0; i < s->n; i++) s->inverse_scale[i] = inverse_scale(s, i);
    scale_model(s);
    *done = nnb__cholesky(s->n, s->factor) && smallest_pivot(s) > 10 * DBL_EPSILON * s->n;
    if (*done) return NNB_OK;
    nnb_status status = nnb__system_turn_to_qr(s);
    if (status) return status;
  }
  scale_model(s);
  nnb__system_add_diagonal(s, s->factor, root_damping);
  double least = smallest_pivot(s);
  *done = least > 0 && isfinite(least);
  return NNB_OK;
}

/* Solves in the scaled variables, and scales back. */
void nnb__system_solve(const nnb__system *s, double *x) {
  for (int i = 0; i < s->n; i++) x[i] = is_held(s, i) ? 0 : x[i] / -nnb__system_scale(s, i);
  nnb__solve_factored(s->n, s->factor, x);
  for (int i = 0; i < s->n; i++) x[i] /= nnb__system_scale(s, i);
}

double nnb__system_norm(const nnb__system *s, const double *v) {
  double sum = 0;
  for (int i = 0; i < s->n; i++) sum += v[i] * v[i] * nnb__system_scale(s, i) * nnb__system_scale(s, i);
  return sqrt(sum);
}
