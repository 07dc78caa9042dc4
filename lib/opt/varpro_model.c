/* opt/varpro_model.c: the problem in a.  Kaufman's Jacobian is P·J_a.  Only (P J_a)ᵀ(P J_a) and similar products are
 * needed; they remain of the system of all variables when those of c are eliminated:
 *
 *    JᵀJ = [A_cc A_ca; A_ac A_aa]:  A_aa - A_ac·A_cc⁻¹·A_ca,   or of [J_c J_a r] = Q·R:  R_aaᵀR_aa, R_aaᵀR_ar.
 *
 * The first is fast; the second takes over if A_cc is too ill-conditioned.  Both process one block of rows of J at a
 * time. */
#include <string.h>

#include "blas.h"
#include "lapack.h"
#include "normal.h"
#include "varpro.h"

enum {
  QR_ROWS = 128,       /* rows of J in a QR update */
  KEPT_BYTES = 1 << 26 /* up to this size [J_c r] is kept, so that r for another c need not be evaluated */
};
/* ρ of the penalty starts as linear_ridge.  When the penalty is more than most_penalty of f, ρ is lowered until it is
 * aim_penalty of f; with a larger aim the limit would soon be exceeded again. */
static const double most_penalty = 0.1, aim_penalty = 0.02;
/* ρ is lowered until ‖D·c‖, D: the norms of c's columns, is this times ‖r‖ at c = 0; c then loses that many digits of
 * f. */
static const double most_c = 500;
/* r is updated for a new c, instead of evaluated, if it exceeds its rounding errors by this factor. */
static const double least_margin = 1e6;

/* ---- memory ----------------------------------------------------------------------------------------------------- */

void nnb__varpro_count(nnb__varpro *v) {
  v->n = v->lm.system.n, v->n_c = 0;
  for (int i = 0; i < v->n; i++) v->n_c += v->lm.system.problem->linear[i];
  v->n_a = v->n - v->n_c;
  v->lm.system.n = v->n_a;
}

void nnb__varpro_take(nnb__varpro *v, nnb__arena *arena) {
  const size_t n = (size_t)v->n, n_c = (size_t)v->n_c, n_a = (size_t)v->n_a, ld = (size_t)v->lm.system.ld;
  v->which = nnb__arena_take(arena, n, sizeof *v->which);
  v->trial = nnb__arena_take(arena, n, sizeof *v->trial);
  v->lm.system.x = nnb__arena_take(arena, n_a, sizeof(real));
  v->r = nnb__arena_take(arena, v->lm.system.m, sizeof *v->r);
  v->J = nnb__arena_take(arena, (size_t)v->lm.system.rows, ld * sizeof *v->J);
  v->A = nnb__arena_take(arena, n + 1, (n + 1) * sizeof *v->A);
  v->g = v->A ? v->A + n * n : NULL;
  v->C = nnb__arena_take(arena, n_c + 1, (n_c + 1) * sizeof *v->C);
  v->y = nnb__arena_take(arena, n_c, sizeof *v->y);
  v->W = nnb__arena_take(arena, n_a + 1, n_c * sizeof *v->W);
  v->block = nnb__arena_take(arena, ld,
                             (size_t)(v->lm.system.rows > QR_ROWS ? v->lm.system.rows : QR_ROWS) * sizeof *v->block);
  v->keeps = v->lm.system.m <= KEPT_BYTES / ((n_c + 1) * sizeof *v->kept);
  v->kept = nnb__arena_take(arena, v->keeps ? v->lm.system.m : (size_t)v->lm.system.rows, (n_c + 1) * sizeof *v->kept);
  v->scale = nnb__arena_take(arena, n_c, sizeof *v->scale);
  v->ridge = nnb__arena_take(arena, n, sizeof *v->ridge);
  v->penalty.columns = nnb__arena_take(arena, n_c, sizeof *v->penalty.columns);
  v->solve_work = nnb__arena_take(arena, nnb__solve_rank_work(v->n_c, 1), sizeof *v->solve_work);
  v->pivots = nnb__arena_take(arena, 2 * n_c, sizeof *v->pivots);
  nnb__lm_take(&v->lm, arena);
}

void nnb__varpro_order(nnb__varpro *v) {
  const bool *linear = v->lm.system.problem->linear;
  for (int i = 0, c = 0, a = v->n_c; i < v->n; i++) v->which[linear[i] ? c++ : a++] = i;
}

void nnb__varpro_gather(nnb__varpro *v) {
  for (int i = 0; i < v->n_a; i++) v->lm.system.x[i] = v->all[v->which[v->n_c + i]];
}

static void scatter(nnb__varpro *v, const real *a, real *to) {
  for (int i = 0; i < v->n_a; i++) to[v->which[v->n_c + i]] = a[i];
}

/* ---- blocks of rows --------------------------------------------------------------------------------------------- */

typedef void fold_fn(nnb__varpro *v, const real *J, const real *r, int k);

/* Calls fold for one block at a time, with residuals at the trial and their derivatives; by_qr: for few rows at a time;
 * linear_only: the columns of c suffice.  *defined: whether they are defined there. */
static nnb_status each_block(nnb__varpro *v, fold_fn *fold, bool by_qr, bool linear_only, bool *defined) {
  const bool whole = !by_qr && sizeof(real) == sizeof(double);
  *defined = false;
  nnb__stop_count(v->lm.system.stop);
  for (size_t row0 = 0; row0 < v->lm.system.m; row0 += (size_t)v->lm.system.rows) {
    int k = nnb__system_block(&v->lm.system, row0);
    nnb_status status = nnb__system_rows(&v->lm.system, v->trial, row0, v->r + row0, v->J, linear_only);
    if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
    for (int i = 0, now; i < k; i += now) {
      now = whole || k - i < QR_ROWS ? k - i : QR_ROWS;
      fold(v, v->J + (size_t)i * (size_t)v->lm.system.ld, v->r + row0 + (size_t)i, now);
    }
  }
  *defined = true;
  return NNB_OK;
}

/* kept ← c's columns of k rows of J, and r; returns their place. */
static double *load_rows(nnb__varpro *v, const real *J, const real *r, int k) {
  double *rows = v->kept + (v->keeps ? (size_t)(r - v->r) * (size_t)(v->n_c + 1) : 0), *to = rows;
  for (int i = 0; i < k; i++, J += v->lm.system.ld) {
    for (int j = 0; j < v->n_c; j++) *to++ = (double)J[v->which[j]];
    *to++ = (double)r[i];
  }
  return rows;
}

/* block ← the first `columns` variables, in the order of which, of k rows of J, and r; by columns. */
static void load_columns(nnb__varpro *v, const real *J, const real *r, int columns, int k) {
  for (int j = 0; j < columns; j++)
    for (int i = 0; i < k; i++)
      v->block[j * k + i] = (double)J[(size_t)i * (size_t)v->lm.system.ld + (size_t)v->which[j]];
  for (int i = 0; i < k; i++) v->block[columns * k + i] = (double)r[i];
}

/* A += J_cᵀJ_c, followed by J_cᵀr */
static void add_linear(nnb__varpro *v, const real *J, const real *r, int k) {
  const double *rows = load_rows(v, J, r, k);
  nnb__add_normal(v->n_c, k, rows, v->n_c + 1, true, v->A);
}

/* Updates L of [J_c r] with k rows of kept */
static void qr_kept(nnb__varpro *v, const double *rows, int k) {
  for (int i = 0; i < k; i++)
    for (int j = 0; j <= v->n_c; j++) v->block[j * k + i] = *rows++;
  nnb__qr_add(v->n_c + 1, k, v->A, v->n_c + 1, v->block);
}

static void qr_linear(nnb__varpro *v, const real *J, const real *r, int k) { qr_kept(v, load_rows(v, J, r, k), k); }

/* A += JᵀJ, g += Jᵀr */
static void add_all(nnb__varpro *v, const real *J, const real *r, int k) {
  (void)r; /* it is a column of J too */
#ifdef NNB_SINGLE
  double *rows = v->block;
  for (int i = 0; i < v->lm.system.ld * k; i++) rows[i] = (double)J[i];
#else
  const double *rows = J;
#endif
  nnb__add_normal(v->n, k, rows, v->lm.system.ld, true, v->A);
}

static void qr_all(nnb__varpro *v, const real *J, const real *r, int k) {
  load_columns(v, J, r, v->n, k);
  nnb__qr_add(v->n + 1, k, v->A, v->n + 1, v->block);
}

/* Adds the ridge as rows √ridge_j of the first `columns` variables, with √ridge_j·x_j on the right-hand side. */
static void qr_ridge(nnb__varpro *v, const real *x, int columns, double *L) {
  const double *ridge = v->ridge;
  const int n = v->lm.system.problem->ridge ? columns : v->penalty.rho > 0 ? v->n_c : 0; /* later ones have none */
  for (int j = 0, k; j < n; j += k) {
    k = n - j < QR_ROWS ? n - j : QR_ROWS;
    memset(v->block, 0, (size_t)(columns + 1) * (size_t)k * sizeof *v->block);
    for (int i = 0; i < k; i++) {
      int at = v->which[j + i];
      v->block[(j + i) * k + i] = sqrt(ridge[at]), v->block[columns * k + i] = sqrt(ridge[at]) * (double)x[at];
    }
    nnb__qr_add(columns + 1, k, L, columns + 1, v->block);
  }
}

/* ---- the penalty of c ------------------------------------------------------------------------------------------- */

static void set_rho(nnb__varpro *v, double rho) {
  const double *given = v->lm.system.problem->ridge;
  v->penalty.rho = rho;
  for (int i = 0; i < v->n_c; i++) {
    int at = v->which[i];
    v->ridge[at] = (given ? given[at] : 0) + rho * v->penalty.columns[i];
  }
}

/* columns += ‖column of J_c‖², norm2_at_0 += ‖r - J_c·c‖² over k rows */
static void measure_linear(nnb__varpro *v, const real *J, const real *r, int k) {
  for (int i = 0; i < k; i++, J += v->lm.system.ld) {
    double at_0 = (double)r[i];
    for (int j = 0; j < v->n_c; j++) {
      double d = (double)J[v->which[j]];
      v->penalty.columns[j] += d * d;
      at_0 -= d * (double)v->all[v->which[j]];
    }
    v->penalty.norm2_at_0 += at_0 * at_0;
  }
}

static void first_linear(nnb__varpro *v, const real *J, const real *r, int k) {
  measure_linear(v, J, r, k);
  add_linear(v, J, r, k);
}

/* Lowers ρ if the penalty is too large relative to f; false if it stays. */
static bool lower_rho(nnb__varpro *v, double f, double value) {
  const double least = (double)REAL_EPS * (double)REAL_EPS, most = most_c * most_c * v->penalty.norm2_at_0;
  if (v->penalty.rho <= least || value <= most_penalty * f || 2 * value > v->penalty.rho * most) return false;
  set_rho(v, fmax(aim_penalty * f / value * v->penalty.rho, least));
  return true;
}

/* The largest derivative of the penalty by a c, which at the minimum over c is also that of the problem's f.  relative:
 * the cosine of r and that column. */
static nnb__slope penalty_slope(const nnb__varpro *v, double f) {
  nnb__slope most = {0, 0};
  for (int i = 0; i < v->n_c; i++) {
    const double size = v->penalty.columns[i], slope = v->penalty.rho * size * fabs((double)v->trial[v->which[i]]);
    const double cosine = f > 0 && size > 0 ? slope / sqrt(2 * f * size) : 0;
    if (slope > most.norm) most.norm = slope; /* gcc 12 for arm64 fails with an internal error at fmax here */
    if (cosine > most.relative) most.relative = cosine;
  }
  return most;
}

double nnb__varpro_penalty(const nnb__varpro *v, const real *x) {
  const double *given = v->lm.system.problem->ridge;
  double sum = 0;
  for (int i = 0; i < v->n; i++) sum += (v->ridge[i] - (given ? given[i] : 0)) * (double)x[i] * (double)x[i];
  return sum / 2;
}

/* ---- c for a given a -------------------------------------------------------------------------------------------- */

/* C ← L of the scaled C; false if rounding leaves too little of it. */
static bool factor_linear(nnb__varpro *v, double *C) {
  const int n = v->n_c;
  double least = HUGE_VAL;
  for (int i = 0; i < n; i++) {
    double d = C[i * (n + 1)];
    if (!(d > 0)) return false;
    v->scale[i] = 1 / sqrt(d);
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) C[i * n + j] *= v->scale[i] * v->scale[j];
  if (!nnb__cholesky(n, C)) return false;
  for (int i = 0; i < n; i++) least = fmin(least, C[i * (n + 1)] * C[i * (n + 1)]);
  return least > 1e6 * DBL_EPSILON * n;
}

/* The penalty of the c that y gives. */
static double penalty_of_y(const nnb__varpro *v) {
  double sum = 0;
  for (int i = 0; i < v->n_c; i++) {
    double c = (double)v->trial[v->which[i]] - v->y[i];
    sum += v->penalty.columns[i] * c * c;
  }
  return v->penalty.rho * sum / 2;
}

/* y ← -(the change of c), *f ← the minimum of ½‖r‖² + ridge, from A = J_cᵀJ_c and J_cᵀr at ½‖r‖² = f0; false if QR must
 * do it. */
static bool solve_normal(nnb__varpro *v, double f0, double *f) {
  const int n = v->n_c;
  const double *g = v->A + n * n;
  memcpy(v->C, v->A, (size_t)n * (size_t)n * sizeof *v->C);
  *f = f0;
  for (int i = 0; i < n; i++) {
    double c = (double)v->trial[v->which[i]], ridge = v->ridge[v->which[i]];
    v->C[i * (n + 1)] += ridge;
    v->W[i] = g[i] + ridge * c;
    *f += ridge * c * c / 2;
  }
  if (!factor_linear(v, v->C)) return false;
  for (int i = 0; i < n; i++) v->y[i] = v->W[i] * v->scale[i];
  nnb__solve_factored(n, v->C, v->y);
  for (int i = 0; i < n; i++) v->y[i] *= v->scale[i], *f -= v->W[i] * v->y[i] / 2;
  return true;
}

/* The same from L of [J_c r] in A. */
static bool solve_qr(nnb__varpro *v, double *f) {
  const int n = v->n_c;
  const size_t bytes = (size_t)n * sizeof *v->y, last = (size_t)n * (size_t)(n + 1);
  memcpy(v->C, v->A, (size_t)(n + 1) * (size_t)(n + 1) * sizeof *v->C);
  qr_ridge(v, v->trial, n, v->C);
  *f = v->C[last + (size_t)n] * v->C[last + (size_t)n] / 2;
  memcpy(v->y, v->C + last, bytes); /* r's column of R */
  return nnb__solve_rank(n, v->C, n + 1, 1, v->y, n, (double)REAL_EPS * n, v->solve_work, v->pivots);
}

/* Finds out whether QR must do it, which is then used from the next point on. */
static nnb_status by_normal(nnb__varpro *v, bool *defined) {
  bool *ill = &v->lm.system.ill;
  const size_t n = (size_t)v->n_c;
  const bool first = v->penalty.rho == 0 && v->lm.system.problem->linear_ridge > 0;
  double f;
  memset(v->A, 0, n * (n + 1) * sizeof *v->A);
  nnb_status status = each_block(v, first ? first_linear : add_linear, false, true, defined);
  if (status || !*defined) return status;
  if (first) set_rho(v, v->lm.system.problem->linear_ridge);
  const double f0 = nnb__sum_squares(v->lm.system.m, v->r) / 2;
  do *ill = !solve_normal(v, f0, &f);
  while (first && !*ill && lower_rho(v, f - penalty_of_y(v), penalty_of_y(v)));
  v->penalty.choosing_first = first && *ill;
  return NNB_OK;
}

static void qr_all_kept(nnb__varpro *v) {
  for (size_t i = 0, k; i < v->lm.system.m; i += k) {
    k = v->lm.system.m - i < QR_ROWS ? v->lm.system.m - i : QR_ROWS;
    qr_kept(v, v->kept + i * (size_t)(v->n_c + 1), (int)k);
  }
}

/* loaded: kept has the rows already. */
static nnb_status by_qr(nnb__varpro *v, bool loaded, bool *defined) {
  const size_t n = (size_t)v->n_c;
  double f;
  memset(v->A, 0, (n + 1) * (n + 1) * sizeof *v->A);
  if (loaded) qr_all_kept(v);
  nnb_status status = loaded ? NNB_OK : each_block(v, qr_linear, true, true, defined);
  if (status || !*defined) return status;
  do *defined = solve_qr(v, &f);
  while (v->penalty.choosing_first && *defined && lower_rho(v, f - penalty_of_y(v), penalty_of_y(v)));
  v->penalty.choosing_first = false;
  return NNB_OK;
}

/* r ← r - J_c·y, from kept, and its *f; false if rounding leaves too little of it. */
static bool update_residuals(nnb__varpro *v, double *f) {
  const double *row = v->kept, part = least_margin * (double)REAL_EPS;
  double squares = 0, terms = 0;
  for (size_t i = 0; i < v->lm.system.m; i++, row += v->n_c + 1) {
    double r = row[v->n_c];
    terms += r * r;
    for (int j = 0; j < v->n_c; j++) {
      const double term = row[j] * v->y[j];
      r -= term, terms += term * term;
    }
    v->r[i] = (real)r;
    squares += r * r;
  }
  *f = squares / 2 + nnb__system_ridge_value(&v->lm.system, v->trial);
  return part * part * terms < squares && isfinite(*f);
}

/* trial ← a and the c that minimises f there, *f ← that minimum.  The model stays. */
nnb_status nnb__varpro_solve(nnb__varpro *v, const real *a, double *f) {
  bool defined;
  *f = HUGE_VAL;
  memcpy(v->trial, v->all, (size_t)v->n * sizeof *v->trial);
  scatter(v, a, v->trial);
  const bool tried = !v->lm.system.by_qr;
  nnb_status status = tried ? by_normal(v, &defined) : NNB_OK;
  if (!status && (!tried || v->lm.system.ill)) status = by_qr(v, tried && v->keeps, &defined);
  if (status || !defined) return status;
  for (int i = 0; i < v->n_c; i++) v->trial[v->which[i]] -= (real)v->y[i];
  if (!v->keeps || !update_residuals(v, f)) status = nnb__system_residuals(&v->lm.system, v->trial, v->r, f);
  *f += nnb__varpro_penalty(v, v->trial);
  return status;
}

/* ---- the model of a --------------------------------------------------------------------------------------------- */

/* normal, g ← A and g with c eliminated. */
static bool eliminate(nnb__varpro *v) {
  nnb__system *s = &v->lm.system;
  const int n_c = v->n_c, n_a = v->n_a;
  const int *c = v->which, *a = v->which + n_c;
#define AT(i, j) v->A[(size_t)((i) > (j) ? (i) : (j)) * (size_t)v->n + (size_t)((i) > (j) ? (j) : (i))]
  for (int i = 0; i < n_c; i++)
    for (int j = 0; j <= i; j++) v->C[i * n_c + j] = AT(c[i], c[j]);
  if (!factor_linear(v, v->C)) return false;
  for (int i = 0; i < n_a; i++)
    for (int j = 0; j < n_c; j++) v->W[i * n_c + j] = AT(a[i], c[j]) * v->scale[j];
  for (int j = 0; j < n_c; j++) v->W[n_a * n_c + j] = v->g[c[j]] * v->scale[j];
  nnb__solve_lower(n_c, v->C, n_a + 1, v->W);
  for (int i = 0; i < n_a; i++)
    for (int j = 0; j <= i; j++) s->normal[(size_t)i * (size_t)n_a + (size_t)j] = AT(a[i], a[j]);
#undef AT
  nnb__subtract_square(n_a, n_c, v->W, s->normal);
  const double *last = v->W + (size_t)n_a * (size_t)n_c;
  for (int i = 0; i < n_a; i++) {
    s->g[i] = v->g[a[i]];
    for (int j = 0; j < n_c; j++) s->g[i] -= v->W[i * n_c + j] * last[j];
  }
  return true;
}

static nnb_status project_by_normal(nnb__varpro *v, bool *defined) {
  const double *ridge = v->ridge;
  const size_t n = (size_t)v->n;
  memset(v->A, 0, n * (n + 1) * sizeof *v->A);
  nnb_status status = each_block(v, add_all, false, false, defined);
  if (status || !*defined) return status;
  for (size_t i = 0; i < n; i++) {
    v->A[i * (n + 1)] += ridge[i];
    v->g[i] += ridge[i] * (double)v->trial[i];
  }
  v->lm.system.by_qr = !eliminate(v);
  return NNB_OK;
}

/* R_aa and R_aaᵀ·R_ar, from L = Rᵀ. */
static nnb_status project_by_qr(nnb__varpro *v, bool *defined) {
  const size_t ld = (size_t)v->n + 1, n_c = (size_t)v->n_c, n_a = (size_t)v->n_a;
  memset(v->A, 0, ld * ld * sizeof *v->A);
  nnb_status status = each_block(v, qr_all, true, false, defined);
  if (status || !*defined) return status;
  qr_ridge(v, v->trial, v->n, v->A);
  const double *r = v->A + (ld - 1) * ld + n_c;
  for (size_t i = 0; i < n_a; i++) {
    const double *row = v->A + (n_c + i) * ld + n_c;
    double sum = 0;
    for (size_t j = 0; j <= i; j++) v->lm.system.normal[i * n_a + j] = row[j], sum += row[j] * r[j];
    v->lm.system.g[i] = sum;
  }
  return NNB_OK;
}

static nnb_status value(nnb__system *s, double *f) {
  nnb__varpro *v = (nnb__varpro *)s;
  nnb_status status = nnb__varpro_solve(v, s->x_new, f);
  v->solved = !status && isfinite(*f);
  return status;
}

/* Whether c is solved for at x; after a step that was rejected it is not. */
static bool is_solved(const nnb__varpro *v) {
  bool same = v->solved;
  for (int i = 0; same && i < v->n_a; i++) same = v->trial[v->which[v->n_c + i]] == v->lm.system.x[i];
  return same;
}

/* all ← trial */
void nnb__varpro_accept(nnb__varpro *v) {
  real step = 0;
  for (int i = 0; i < v->n_c; i++) {
    int at = v->which[i];
    step = R(fmax)(step, R(fabs)(v->trial[at] - v->all[at]));
  }
  v->lm.other_step = (double)step;
  memcpy(v->all, v->trial, (size_t)v->n * sizeof *v->all);
}

static nnb_status linearise(nnb__system *s) {
  nnb__varpro *v = (nnb__varpro *)s;
  bool defined = true, solved = is_solved(v);
  double f = 0;
  v->solved = false, s->f = HUGE_VAL;
  nnb_status status = solved ? NNB_OK : nnb__varpro_solve(v, s->x, &f);
  if (status || !isfinite(f)) return status;
  lower_rho(v, nnb__sum_squares(s->m, v->r) / 2 + nnb__system_ridge_value(s, v->trial),
            nnb__varpro_penalty(v, v->trial));
  s->by_qr |= s->ill;
  if (!s->by_qr) status = project_by_normal(v, &defined);
  if (!status && s->by_qr) status = project_by_qr(v, &defined);
  if (status || !defined) return status;
  f = nnb__sum_squares(s->m, v->r) / 2 + nnb__system_ridge_value(s, v->trial);
  s->penalty = nnb__varpro_penalty(v, v->trial), s->penalty_slope = penalty_slope(v, f);
  f += s->penalty;
  if (!isfinite(f) || !nnb__system_finite(s)) return NNB_OK;
  s->f = f;
  nnb__varpro_accept(v);
  return NNB_OK;
}

const nnb__lsq_model nnb__varpro_model = {.value = value, .linearise = linearise};

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

void nnb__varpro_visit(nnb__varpro *v, nnb__visitor *s) {
  nnb__state_reals(s, "all", (size_t)v->n, v->all);
  nnb__state_reals(s, "trial", (size_t)v->n, v->trial);
  nnb__state_reals(s, "residuals", v->lm.system.m, v->r);
  nnb__state_doubles(s, "ridges", (size_t)v->n, v->ridge);
  nnb__state_number(s, "rho", 0, DBL_MAX, &v->penalty.rho);
  nnb__state_number(s, "norm2_at_0", 0, HUGE_VAL, &v->penalty.norm2_at_0);
  nnb__state_doubles(s, "columns", (size_t)v->n_c, v->penalty.columns);
  nnb__lm_visit(&v->lm, s);
}
