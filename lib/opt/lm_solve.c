/* opt/lm_solve.c: the linear model of the residuals, block by block of their rows, and systems with JᵀJ + λD².
 *
 * Two solvers.  JᵀJ summed by dsyrk and factored by Cholesky is the faster one, but squares the condition of J: when a
 * pivot of the scaled matrix falls to the size of its rounding errors, R of J = Q·R takes over, updated with each block
 * of rows, and the damped system adds the rows √λ·D to it. */
#include <string.h>

#include "arena.h"
#include "blas.h"
#include "bounds.h"
#include "ints.h"
#include "lapack.h"
#include "lm.h"
#include "normal.h"
#include "status.h"

enum {
  BLOCK_BYTES = 1 << 18, /* of a block of J: it is read again, for JᵀJ, while it is in the second-level cache */
  LEAST_ROWS = 64,       /* … unless rows are so long that dsyrk would get too few of them */
  CHUNK_ROWS = 64,
  VECTOR = 64 / sizeof(real),
  WHOLE_BYTES = 1 << 26 /* up to this J is kept as a whole, so that accelerations need not form it again */
};
static const double default_limit = 4.0 * (1 << 30);

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void choose_rows(nnb__lm *lm) {
  size_t row = (size_t)lm->ld * sizeof(real), group = lm->problem->group > 0 ? (size_t)lm->problem->group : 1;
  size_t rows = BLOCK_BYTES / row > LEAST_ROWS ? BLOCK_BYTES / row : LEAST_ROWS;
  rows = (rows + group - 1) / group * group;
  lm->rows = (int)(rows < lm->m ? rows : lm->m);
  lm->whole = lm->m <= WHOLE_BYTES / row;
}

void nnb__lm_take_system(nnb__lm *lm, nnb__arena *arena) {
  size_t n = (size_t)lm->n, chunk = CHUNK_ROWS;
  lm->x_new = nnb__arena_take(arena, n, sizeof(real));
  lm->normal = nnb__arena_take(arena, n + 1, n * sizeof(double));
  lm->factor = nnb__arena_take(arena, n * n, sizeof(double));
  lm->g = lm->normal ? lm->normal + n * n : NULL;
  lm->d = nnb__arena_take(arena, n, sizeof(double));
  lm->v = nnb__arena_take(arena, n, sizeof(double));
  lm->a = nnb__arena_take(arena, n, sizeof(double));
  lm->p = nnb__arena_take(arena, n, sizeof(double));
  lm->t = nnb__arena_take(arena, n, sizeof(double));
  lm->chunk = nnb__arena_take(arena, chunk, ((size_t)lm->ld + 1) * sizeof(double));
}

static void take(nnb__lm *lm, nnb__arena *arena) {
  lm->r = nnb__arena_take(arena, lm->m, sizeof(real));
  lm->r_new = nnb__arena_take(arena, lm->m, sizeof(real));
  lm->J = nnb__arena_take(arena, lm->whole ? lm->m : (size_t)lm->rows, (size_t)lm->ld * sizeof(real));
  if (lm->stop->opts.bayes) lm->pairs = nnb__arena_take(arena, 3 * NNB__PAIRS, (size_t)lm->n * sizeof(double));
  nnb__lm_take_system(lm, arena);
  if (!nnb__bounded(&lm->stop->opts)) return;
  lm->lower = nnb__arena_take(arena, (size_t)lm->n, sizeof(real));
  lm->upper = nnb__arena_take(arena, (size_t)lm->n, sizeof(real));
  lm->held = nnb__arena_take(arena, (size_t)lm->n, sizeof *lm->held);
  lm->slope = nnb__arena_take(arena, (size_t)lm->n, sizeof *lm->slope);
  lm->slope_new = nnb__arena_take(arena, (size_t)lm->n, sizeof *lm->slope_new);
}

nnb_status nnb__lm_sizes(nnb__lm *lm) {
  enum { MOST = 46339 }; /* (n + 1)² fits into LAPACK's int */
  const nnb_lsq *p = lm->problem;
  if (p->n > MOST)
    return nnb__fail(NNB_E_OVERFLOW, "%s takes at most %d variables, not %zu; lbfgs takes more",
                     nnb_algo_name(lm->stop->report.algo), (int)MOST, p->n);
  lm->m = p->m, lm->n = (int)p->n, lm->ld = (lm->n + VECTOR) / VECTOR * VECTOR;
  choose_rows(lm);
  return NNB_OK;
}

nnb_status nnb__lm_check_bytes(const nnb__lm *lm, const nnb__arena *arena) {
  const nnb_min_opts *o = &lm->stop->opts;
  double limit = o->max_bytes > 0 ? (double)o->max_bytes : default_limit;
  if (!arena->overflow && (double)arena->used <= limit) return NNB_OK;
  return nnb__fail(
      NNB_E_OVERFLOW,
      "%s would need %.0f MiB for %zu residuals in %zu variables; max_bytes allows %.0f MiB; lbfgs needs less",
      nnb_algo_name(lm->stop->report.algo), ceil((double)arena->used / (1 << 20)), lm->problem->m, lm->problem->n,
      floor(limit / (1 << 20)));
}

nnb_status nnb__lm_measure(nnb__lm *lm, size_t *bytes) {
  nnb__arena arena = {0};
  nnb_status status = nnb__lm_sizes(lm);
  if (status) return status;
  take(lm, &arena);
  *bytes = arena.used;
  return nnb__lm_check_bytes(lm, &arena);
}

void nnb__lm_lay_out(nnb__lm *lm, void *memory) {
  take(lm, &(nnb__arena){.base = memory});
  memset(lm->d, 0, (size_t)lm->n * sizeof *lm->d);
  if (!lm->held) return;
  memset(lm->held, 0, (size_t)lm->n * sizeof *lm->held);
  nnb__bounds_enter(&lm->stop->opts, (size_t)lm->n, lm->x, lm->lower, lm->upper);
}

/* ---- residuals -------------------------------------------------------------------------------------------------- */

int nnb__lm_block(const nnb__lm *lm, size_t row0) {
  return lm->m - row0 < (size_t)lm->rows ? (int)(lm->m - row0) : lm->rows;
}

double nnb__lm_ridge_value(const nnb__lm *lm, const real *x) {
  double sum = 0;
  for (int i = 0; (size_t)i < lm->problem->n; i++) sum += nnb__lm_ridge(lm, i) * (double)x[i] * (double)x[i];
  return sum / 2;
}

/* r and zeros behind each of k rows. */
static void append(const nnb__lm *lm, const real *r, real *J, int k) {
  const int n = (int)lm->problem->n;
  for (int i = 0; i < k; i++, J += lm->ld) {
    J[n] = r[i];
    for (int j = n + 1; j < lm->ld; j++) J[j] = 0;
  }
}

nnb_status nnb__lm_ask(const nnb__lm *lm, const real *x, size_t row0, real *r, real *J, bool linear_only) {
  unsigned messages = nnb__fail_count();
  const int k = nnb__lm_block(lm, row0);
  linear_only &= lm->problem->linear_rows != NULL;
  nnb_status status =
      (linear_only ? lm->problem->linear_rows : lm->problem->rows)(lm->problem->user, x, row0, k, r, J, lm->ld);
  if (J && !status) append(lm, r, J, k);
  return status && status != NNB_E_NUMERIC ? nnb__fail_callback(status, linear_only ? "linear_rows" : "rows", messages)
                                           : status;
}

nnb_status nnb__lm_residuals(nnb__lm *lm, const real *x, real *r, double *f) {
  *f = HUGE_VAL;
  nnb__stop_count(lm->stop);
  for (size_t row0 = 0; row0 < lm->m; row0 += (size_t)lm->rows) {
    nnb_status status = nnb__lm_ask(lm, x, row0, r + row0, NULL, false);
    if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
  }
  double value = nnb__sum_squares(lm->m, r) / 2 + nnb__lm_ridge_value(lm, x);
  if (isfinite(value)) *f = value;
  return NNB_OK;
}

/* ---- the linear model ------------------------------------------------------------------------------------------- */

/* Rows of J, in double: in double precision where they are. */
static const double *in_double(nnb__lm *lm, const real *J, int k) {
#ifdef NNB_SINGLE
  for (size_t i = 0; i < (size_t)k * (size_t)lm->ld; i++) lm->chunk[i] = (double)J[i];
  return lm->chunk;
#else
  (void)lm, (void)k;
  return J;
#endif
}

static const double *residuals_in_double(nnb__lm *lm, const real *r, int k) {
#ifdef NNB_SINGLE
  double *out = lm->chunk + (size_t)CHUNK_ROWS * (size_t)lm->ld;
  for (int i = 0; i < k; i++) out[i] = (double)r[i];
  return out;
#else
  (void)lm, (void)k;
  return r;
#endif
}

/* Whether rows go through chunk, a few at a time. */
static int chunk_rows(const nnb__lm *lm, int k) {
  return lm->by_qr || sizeof(real) != sizeof(double) ? nnb__smaller(k, CHUNK_ROWS) : k;
}

/* L·Lᵀ ← L·Lᵀ + JᵀJ for k ≤ CHUNK_ROWS rows */
static void add_by_qr(nnb__lm *lm, const real *J, int k) {
  for (int i = 0; i < k; i++)
    for (int j = 0; j < lm->n; j++) lm->chunk[j * k + i] = (double)J[(size_t)i * (size_t)lm->ld + (size_t)j];
  nnb__qr_add(lm->n, k, lm->normal, lm->n, lm->chunk);
}

/* normal += JᵀJ, g += Jᵀr over k rows */
static void add_rows(nnb__lm *lm, const real *J, int k) {
  for (int i = 0, now; i < k; i += now) {
    now = nnb__smaller(chunk_rows(lm, k), k - i);
    const real *rows = J + (size_t)i * (size_t)lm->ld;
    const double *wide = in_double(lm, rows, now);
    if (!lm->by_qr) {
      nnb__add_normal(lm->n, now, wide, lm->ld, true, lm->normal);
      continue;
    }
    nnb__add_transpose_times(lm->n, now, wide, lm->ld, wide + lm->n, lm->ld, lm->g);
    add_by_qr(lm, rows, now);
  }
}

/* L·Lᵀ ← L·Lᵀ + diag(value)², value(i) ≥ 0.  Rows that begin with zeros leave the first columns alone. */
static void add_diagonal(nnb__lm *lm, double *l, double (*value)(const nnb__lm *lm, int i)) {
  for (int i = 0, k; i < lm->n; i += k) {
    int left = lm->n - i;
    k = nnb__smaller(CHUNK_ROWS, left);
    memset(lm->chunk, 0, (size_t)k * (size_t)left * sizeof *lm->chunk);
    for (int j = 0; j < k; j++) lm->chunk[j * k + j] = value(lm, i + j);
    nnb__qr_add(left, k, l + (size_t)i * (size_t)(lm->n + 1), lm->n, lm->chunk);
  }
}

static double root_ridge(const nnb__lm *lm, int i) { return sqrt(nnb__lm_ridge(lm, i)); }

static bool is_held(const nnb__lm *lm, int i) { return lm->held && lm->held[i]; }

/* λ; 1 where a row and a column of 0 hold a variable: they become the identity's. */
static double damping(const nnb__lm *lm, int i) { return is_held(lm, i) ? 1 : lm->lambda; }
static double root_damping(const nnb__lm *lm, int i) { return sqrt(damping(lm, i)); }

static void add_ridge(nnb__lm *lm) {
  if (!lm->problem->ridge && lm->ridge == 0) return;
  for (int i = 0; i < lm->n; i++) {
    double c = nnb__lm_ridge(lm, i);
    lm->g[i] += c * (double)lm->x[i];
    if (!lm->by_qr) lm->normal[(size_t)i * (size_t)(lm->n + 1)] += c;
  }
  if (lm->by_qr) add_diagonal(lm, lm->normal, root_ridge);
}

/* (JᵀJ)_ii */
static double column_square(const nnb__lm *lm, int i) {
  const double *row = lm->normal + (size_t)i * (size_t)lm->n;
  double sum = 0;
  if (!lm->by_qr) return row[i];
  for (int j = 0; j <= i; j++) sum += row[j] * row[j];
  return sum;
}

bool nnb__lm_finite(const nnb__lm *lm) {
  double zero = 0; /* stays 0, or becomes NaN */
  for (int i = 0; i < lm->n; i++) zero += (lm->g[i] + column_square(lm, i)) * 0;
  return zero == 0;
}

static nnb_status linearise(nnb__lm *lm) {
  size_t n = (size_t)lm->n;
  lm->f = HUGE_VAL;
  memset(lm->normal, 0, n * n * sizeof *lm->normal);
  memset(lm->g, 0, n * sizeof *lm->g);
  nnb__stop_count(lm->stop);
  for (size_t row0 = 0; row0 < lm->m; row0 += (size_t)lm->rows) {
    int k = nnb__lm_block(lm, row0);
    real *J = lm->whole ? lm->J + row0 * (size_t)lm->ld : lm->J;
    nnb_status status = nnb__lm_ask(lm, lm->x, row0, lm->r + row0, J, false);
    if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
    add_rows(lm, J, k);
  }
  add_ridge(lm);
  double value = nnb__sum_squares(lm->m, lm->r) / 2 + nnb__lm_ridge_value(lm, lm->x);
  if (isfinite(value) && nnb__lm_finite(lm)) lm->f = value;
  return NNB_OK;
}

static nnb_status value(nnb__lm *lm, double *f) { return nnb__lm_residuals(lm, lm->x_new, lm->r_new, f); }

const nnb__lm_model nnb__lm_full = {.value = value, .linearise = linearise};

nnb_status nnb__lm_pull(nnb__lm *lm, const real *s, double *out) {
  const size_t ld = (size_t)lm->ld;
  memset(out, 0, (size_t)lm->n * sizeof *out);
  if (!lm->whole) nnb__stop_count(lm->stop);
  for (size_t row0 = 0; row0 < lm->m; row0 += (size_t)lm->rows) {
    int k = nnb__lm_block(lm, row0);
    real *J = lm->whole ? lm->J + row0 * ld : lm->J;
    nnb_status status = lm->whole ? NNB_OK : nnb__lm_ask(lm, lm->x, row0, lm->r + row0, J, false);
    if (status) return status;
    for (int i = 0, now; i < k; i += now) {
      now = sizeof(real) == sizeof(double) ? k : nnb__smaller(CHUNK_ROWS, k - i);
      const double *wide = in_double(lm, J + (size_t)i * ld, now);
      nnb__add_transpose_times(lm->n, now, wide, lm->ld, residuals_in_double(lm, s + row0 + (size_t)i, now), 1, out);
    }
  }
  return NNB_OK;
}

/* out ← L·(Lᵀ·v) */
static void times_factor(const nnb__lm *lm, const double *v, double *out) {
  const size_t n = (size_t)lm->n;
  for (size_t i = 0; i < n; i++) {
    const double *row = lm->normal + i * n;
    out[i] = 0;
    for (size_t j = 0; j <= i; j++) out[j] += row[j] * v[i];
  }
  for (size_t i = n; i-- > 0;) { /* above it Lᵀ·v is left, and no more of it is wanted */
    const double *row = lm->normal + i * n;
    double sum = 0;
    for (size_t j = 0; j <= i; j++) sum += row[j] * out[j];
    out[i] = sum;
  }
}

void nnb__lm_times(const nnb__lm *lm, const double *v, double *out) {
  const size_t n = (size_t)lm->n;
  if (lm->by_qr) {
    times_factor(lm, v, out);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const double *row = lm->normal + i * n;
    double sum = row[i] * v[i];
    for (size_t j = 0; j < i; j++) {
      sum += row[j] * v[j];
      out[j] += row[j] * v[i];
    }
    out[i] = sum;
  }
}

/* ---- the damped system ------------------------------------------------------------------------------------------ */

/* ‖J's column i‖² */
static double norm_square(const nnb__lm *lm, int i) { return fmax(column_square(lm, i) - lm->ridge, 0); }

/* D ← one number for all variables, the root mean square of the norms.  To a prior that is the same for all, no
 * variable is longer than another; a norm that was large once would hold its variable back for good. */
static void rescale_alike(nnb__lm *lm) {
  double sum = 0;
  for (int i = 0; i < lm->n; i++) sum += norm_square(lm, i);
  for (int i = 0; i < lm->n; i++) lm->d[i] = sqrt(sum / lm->n);
}

void nnb__lm_rescale(nnb__lm *lm) {
  if (lm->stop->opts.bayes)
    rescale_alike(lm);
  else
    for (int i = 0; i < lm->n; i++) lm->d[i] = fmax(lm->d[i], sqrt(norm_square(lm, i)));
  double most = 0;
  for (int i = 0; i < lm->n; i++) most = fmax(most, lm->d[i]);
  if (lm->part > 0) most = fmax(most, sqrt(2 * lm->f)); /* all of J may be small */
  lm->floor = lm->part * most;
  lm->part /= 2;
}

/* D⁻¹, or 0. */
static double inverse_scale(const nnb__lm *lm, int i) { return is_held(lm, i) ? 0 : 1 / nnb__lm_scale(lm, i); }

/* factor ← D⁻¹(JᵀJ)D⁻¹ + λI, or D⁻¹L: the condition of JᵀJ after scaling is near the best that a diagonal can do (van
 * der Sluis 1969). */
static void scale_model(nnb__lm *lm) {
  for (int i = 0; i < lm->n; i++) {
    const double *from = lm->normal + (size_t)i * (size_t)lm->n;
    double *to = lm->factor + (size_t)i * (size_t)lm->n, di = inverse_scale(lm, i);
    for (int j = 0; j <= i; j++) to[j] = from[j] * di * (lm->by_qr ? 1 : lm->t[j]);
    if (!lm->by_qr) to[i] += damping(lm, i);
  }
}

/* The smallest pivot of a Cholesky factor, which is no less than the smallest eigenvalue. */
static double smallest_pivot(const nnb__lm *lm) {
  double least = HUGE_VAL;
  for (int i = 0; i < lm->n; i++) {
    double l = lm->factor[(size_t)i * (size_t)(lm->n + 1)];
    least = fmin(least, l * l);
  }
  return least;
}

nnb_status nnb__lm_turn_to_qr(nnb__lm *lm) {
  lm->by_qr = true; /* for good: a Jacobian is as ill-conditioned at the next point */
  nnb_status status = lm->model->linearise(lm);
  if (status || isfinite(lm->f)) return status;
  return nnb__fail(NNB_E_NUMERIC, "residuals that were finite are not when asked for at the same point again");
}

nnb_status nnb__lm_factorise(nnb__lm *lm, bool *done) {
  if (!lm->by_qr) {
    for (int i = 0; i < lm->n; i++) lm->t[i] = inverse_scale(lm, i);
    scale_model(lm);
    *done = nnb__cholesky(lm->n, lm->factor) && smallest_pivot(lm) > 10 * DBL_EPSILON * lm->n;
    if (*done) return NNB_OK;
    nnb_status status = nnb__lm_turn_to_qr(lm);
    if (status) return status;
  }
  scale_model(lm);
  add_diagonal(lm, lm->factor, root_damping);
  double least = smallest_pivot(lm);
  *done = least > 0 && isfinite(least);
  return NNB_OK;
}

/* In the scaled variables, and back. */
void nnb__lm_solve(const nnb__lm *lm, double *x) {
  for (int i = 0; i < lm->n; i++) x[i] = is_held(lm, i) ? 0 : x[i] / -nnb__lm_scale(lm, i);
  nnb__solve_factored(lm->n, lm->factor, x);
  for (int i = 0; i < lm->n; i++) x[i] /= nnb__lm_scale(lm, i);
}
