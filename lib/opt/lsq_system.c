/* opt/lsq_system.c: the linear model of the residuals, summed from blocks of rows.
 *
 * JᵀJ summed by dsyrk and factored by Cholesky is faster, but squares the condition of J.  When a pivot of the scaled
 * matrix falls to the size of its rounding errors (lsq_damped.c), R of J = Q·R takes over, updated with each block of
 * rows. */
#include "lsq_system.h"

#include <string.h>

#include "blas.h"
#include "comm.h"
#include "ints.h"
#include "normal.h"
#include "status.h"
#include "tree.h"

enum {
  BLOCK_BYTES = 1 << 18, /* of a block of J: it is read again, for JᵀJ, while it is in the second-level cache */
  LEAST_ROWS = 64,       /* minimum of rows, so that dsyrk gets enough of them even if they are long */
  CHUNK_ROWS = 64,
  VECTOR = 64 / sizeof(real),
  WHOLE_BYTES = 1 << 26 /* up to this size all of J is kept, so that accelerations need not form it again */
};
static const double default_limit = 4.0 * (1 << 30);

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static size_t group_of(const nnb__system *s) { return s->problem->group > 0 ? (size_t)s->problem->group : 1; }

/* The first group of this rank. */
static int first_group(const nnb__system *s) {
  return nnb__share(s->stop->n_groups, nnb__tree_first(s->stop->tree), s->stop->tree->n);
}

/* Where range i begins among the residuals of this rank. */
static size_t range_begin(const nnb__system *s, int i) {
  return (size_t)(nnb__share(s->stop->n_groups, i, s->stop->tree->n) - first_group(s)) * group_of(s);
}

/* Where the range with residual row0 ends. */
static size_t range_end(const nnb__system *s, size_t row0) {
  if (!s->stop->tree) return s->m;
  const int group = first_group(s) + (int)(row0 / group_of(s));
  return range_begin(s, nnb__part_with(s->stop->n_groups, group, s->stop->tree->n) + 1);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* What blocks are and whether J is kept is the same for any number of ranks if there are ranges. */
static void choose_rows(nnb__system *s) {
  const size_t row = (size_t)s->ld * sizeof(real), group = group_of(s);
  const size_t all = s->stop->tree ? (size_t)s->stop->n_groups * group : s->m;
  size_t rows = BLOCK_BYTES / row > LEAST_ROWS ? BLOCK_BYTES / row : LEAST_ROWS;
  rows = (rows + group - 1) / group * group;
  s->rows = (int)(rows < all ? rows : all);
  s->whole = all <= WHOLE_BYTES / row;
}

static void take_for_ranges(nnb__system *s, nnb__arena *arena) {
  const nnb__tree *t = s->stop->tree;
  const size_t n = (size_t)s->n;
  s->upper = nnb__arena_take(arena, (size_t)t->levels * (n + 1), n * sizeof(double)); /* checks the product */
  s->halves = nnb__arena_take(arena, 2 * (size_t)t->n + 1, sizeof(double));
}

void nnb__system_take(nnb__system *s, nnb__arena *arena) {
  size_t n = (size_t)s->n, chunk = CHUNK_ROWS;
  s->x_new = nnb__arena_take(arena, n, sizeof(real));
  s->normal = nnb__arena_take(arena, n + 1, n * sizeof(double));
  s->factor = nnb__arena_take(arena, n * n, sizeof(double));
  s->g = s->normal ? s->normal + n * n : NULL;
  s->d = nnb__arena_take(arena, n, sizeof(double));
  s->inverse_scale = nnb__arena_take(arena, n, sizeof(double));
  s->chunk = nnb__arena_take(arena, chunk, ((size_t)s->ld + 1) * sizeof(double));
  if (s->stop->tree)
    take_for_ranges(s, arena);
  else if (s->stop->comm)
    s->joined = nnb__arena_take(arena, n, n * sizeof(double));
}

/* The steps depend on it (curvature.h), so it is the same on all ranks. */
static nnb_status agree_on_whole(nnb__system *s) {
  double parts = s->whole ? 0 : 1;
  const nnb_status status = nnb__comm_sum(s->stop->comm, 1, &parts);
  s->whole = parts == 0;
  return status;
}

nnb_status nnb__system_sizes(nnb__system *s) {
  enum { MOST = 46339 }; /* (n + 1)² fits into LAPACK's int */
  const nnb_lsq *p = s->problem;
  if (p->n > MOST)
    return nnb__fail(NNB_E_OVERFLOW, "%s takes at most %d variables; there are %zu; lbfgs takes more",
                     nnb_algo_name(s->stop->report.algo), (int)MOST, p->n);
  s->m = p->m, s->n = (int)p->n, s->ld = (s->n + VECTOR) / VECTOR * VECTOR;
  choose_rows(s);
  return agree_on_whole(s);
}

nnb_status nnb__system_check_bytes(const nnb__system *s, const nnb__arena *arena) {
  const nnb_min_opts *o = &s->stop->opts;
  double limit = o->max_bytes > 0 ? (double)o->max_bytes : default_limit;
  if (!arena->overflow && (double)arena->used <= limit) return NNB_OK;
  return nnb__fail(
      NNB_E_OVERFLOW,
      "%s needs %.0f MiB for %zu residual(s) and %zu variable(s); max_bytes allows %.0f MiB; lbfgs needs less",
      nnb_algo_name(s->stop->report.algo), ceil((double)arena->used / (1 << 20)), s->problem->m, s->problem->n,
      floor(limit / (1 << 20)));
}

/* ---- residuals -------------------------------------------------------------------------------------------------- */

int nnb__system_block(const nnb__system *s, size_t row0) {
  const size_t left = range_end(s, row0) - row0;
  return left < (size_t)s->rows ? (int)left : s->rows;
}

double nnb__system_ridge_value(const nnb__system *s, const real *x) {
  double sum = 0;
  for (int i = 0; (size_t)i < s->problem->n; i++) sum += nnb__system_ridge(s, i) * (double)x[i] * (double)x[i];
  return sum / 2;
}

/* Computes r, and the zeros after each of k rows. */
static void append(const nnb__system *s, const real *r, real *J, int k) {
  const int n = (int)s->problem->n;
  for (int i = 0; i < k; i++, J += s->ld) {
    J[n] = r[i];
    for (int j = n + 1; j < s->ld; j++) J[j] = 0;
  }
}

nnb_status nnb__system_rows(const nnb__system *s, const real *x, size_t row0, real *r, real *J, bool linear_only) {
  unsigned messages = nnb__fail_count();
  const int k = nnb__system_block(s, row0);
  linear_only &= s->problem->linear_rows != NULL;
  nnb_status status =
      (linear_only ? s->problem->linear_rows : s->problem->rows)(s->problem->user, x, row0, k, r, J, s->ld);
  if (J && !status) append(s, r, J, k);
  return status && status != NNB_E_NUMERIC ? nnb__fail_callback(status, linear_only ? "linear_rows" : "rows", messages)
                                           : status;
}

static nnb_status half_squares_by_ranges(const nnb__system *s, nnb_status status, const real *r, double *value) {
  const nnb__tree *t = s->stop->tree;
  const size_t n = 2 * (size_t)t->n;
  memset(s->halves, 0, n * sizeof *s->halves);
  for (int i = nnb__tree_first(t); i < nnb__tree_end(t) && !status; i++) {
    const size_t begin = range_begin(s, i);
    s->halves[2 * i] = nnb__sum_squares(range_begin(s, i + 1) - begin, r + begin) / 2;
  }
  status = nnb__comm_add(s->stop->comm, status, n, s->halves);
  nnb__tree_add_pairs(t, s->halves);
  *value = s->halves[0];
  return status;
}

/* *value ← ½‖r‖² over all ranks, unless one of them has failed. */
static nnb_status half_squares(const nnb__system *s, nnb_status status, const real *r, double *value) {
  if (s->stop->tree) return half_squares_by_ranges(s, status, r, value);
  double sum[2] = {status ? 0 : nnb__sum_squares(s->m, r) / 2};
  status = nnb__comm_add(s->stop->comm, status, 1, sum);
  *value = sum[0];
  return status;
}

nnb_status nnb__system_residuals(nnb__system *s, const real *x, real *r, double *f) {
  nnb_status status = NNB_OK;
  double value;
  *f = HUGE_VAL;
  nnb__stop_count(s->stop);
  for (size_t row0 = 0; row0 < s->m && !status; row0 += (size_t)nnb__system_block(s, row0))
    status = nnb__system_rows(s, x, row0, r + row0, NULL, false);
  if ((status = half_squares(s, status, r, &value))) return status == NNB_E_NUMERIC ? NNB_OK : status;
  value += nnb__system_ridge_value(s, x);
  if (isfinite(value)) *f = value;
  return NNB_OK;
}

/* ---- the linear model ------------------------------------------------------------------------------------------- */

/* Rows of J in double; in double precision, in place. */
static const double *in_double(nnb__system *s, const real *J, int k) {
#ifdef NNB_SINGLE
  for (size_t i = 0; i < (size_t)k * (size_t)s->ld; i++) s->chunk[i] = (double)J[i];
  return s->chunk;
#else
  (void)s, (void)k;
  return J;
#endif
}

static const double *residuals_in_double(nnb__system *s, const real *r, int k) {
#ifdef NNB_SINGLE
  double *out = s->chunk + (size_t)CHUNK_ROWS * (size_t)s->ld;
  for (int i = 0; i < k; i++) out[i] = (double)r[i];
  return out;
#else
  (void)s, (void)k;
  return r;
#endif
}

/* Whether rows go through chunk, a few at a time. */
static int chunk_rows(const nnb__system *s, int k) {
  return s->by_qr || sizeof(real) != sizeof(double) ? nnb__smaller(k, CHUNK_ROWS) : k;
}

/* L·Lᵀ ← L·Lᵀ + JᵀJ for k ≤ CHUNK_ROWS rows */
static void add_by_qr(nnb__system *s, const real *J, int k) {
  for (int i = 0; i < k; i++)
    for (int j = 0; j < s->n; j++) s->chunk[j * k + i] = (double)J[(size_t)i * (size_t)s->ld + (size_t)j];
  nnb__qr_add(s->n, k, s->normal, s->n, s->chunk);
}

/* normal += JᵀJ, g += Jᵀr over k rows */
static void add_rows(nnb__system *s, const real *J, int k) {
  for (int i = 0, now; i < k; i += now) {
    now = nnb__smaller(chunk_rows(s, k), k - i);
    const real *rows = J + (size_t)i * (size_t)s->ld;
    const double *wide = in_double(s, rows, now);
    if (!s->by_qr) {
      nnb__add_normal(s->n, now, wide, s->ld, true, s->normal);
      continue;
    }
    nnb__add_transpose_times(s->n, now, wide, s->ld, wide + s->n, s->ld, s->g);
    add_by_qr(s, rows, now);
  }
}

/* Rows that begin with zeros do not change the first columns. */
void nnb__system_add_diagonal(nnb__system *s, double *l, double (*value)(const nnb__system *s, int i)) {
  for (int i = 0, k; i < s->n; i += k) {
    int left = s->n - i;
    k = nnb__smaller(CHUNK_ROWS, left);
    memset(s->chunk, 0, (size_t)k * (size_t)left * sizeof *s->chunk);
    for (int j = 0; j < k; j++) s->chunk[j * k + j] = value(s, i + j);
    nnb__qr_add(left, k, l + (size_t)i * (size_t)(s->n + 1), s->n, s->chunk);
  }
}

static double root_ridge(const nnb__system *s, int i) { return sqrt(nnb__system_ridge(s, i)); }

static void add_ridge(nnb__system *s) {
  if (!s->problem->ridge && s->ridge == 0) return;
  for (int i = 0; i < s->n; i++) {
    double c = nnb__system_ridge(s, i);
    s->g[i] += c * (double)s->x[i];
    if (!s->by_qr) s->normal[(size_t)i * (size_t)(s->n + 1)] += c;
  }
  if (s->by_qr) nnb__system_add_diagonal(s, s->normal, root_ridge);
}

double nnb__system_column_square(const nnb__system *s, int i) {
  const double *row = s->normal + (size_t)i * (size_t)s->n;
  double sum = 0;
  if (!s->by_qr) return row[i];
  for (int j = 0; j <= i; j++) sum += row[j] * row[j];
  return sum;
}

bool nnb__system_finite(const nnb__system *s) {
  double zero = 0; /* stays 0, or becomes NaN */
  for (int i = 0; i < s->n; i++) zero += (s->g[i] + nnb__system_column_square(s, i)) * 0;
  return zero == 0;
}

/* normal, g ← those of this rank's rows from row0 to end; kept: J and r belong to x. */
static nnb_status add_blocks(nnb__system *s, size_t row0, size_t end, bool kept) {
  const size_t n = (size_t)s->n;
  nnb_status status = NNB_OK;
  memset(s->normal, 0, n * n * sizeof *s->normal);
  memset(s->g, 0, n * sizeof *s->g);
  for (int k; row0 < end && !status; row0 += (size_t)k) {
    k = nnb__system_block(s, row0);
    real *J = s->whole ? s->J + row0 * (size_t)s->ld : s->J;
    if (!kept) status = nnb__system_rows(s, s->x, row0, s->r + row0, J, false);
    if (!status) add_rows(s, J, k);
  }
  return status;
}

/* L·Lᵀ ← L·Lᵀ + F·Fᵀ: the rows of Fᵀ begin with zeros. */
static void add_factor(nnb__system *s, double *l, const double *f) {
  const size_t n = (size_t)s->n;
  for (int i = 0, k; i < s->n; i += k) {
    const int left = s->n - i;
    k = nnb__smaller(CHUNK_ROWS, left);
    for (int j = 0; j < left; j++)
      for (int r = 0; r < k; r++) s->chunk[j * k + r] = j >= r ? f[(size_t)(i + j) * n + (size_t)(i + r)] : 0;
    nnb__qr_add(left, k, l + (size_t)i * (n + 1), s->n, s->chunk);
  }
}

/* normal ← L of all ranks, from the factor of each, in their order.  factor is free: it belongs to another point. */
static nnb_status join_factors(nnb__system *s) {
  const size_t bytes = (size_t)s->n * (size_t)s->n * sizeof *s->normal;
  memset(s->joined, 0, bytes);
  for (int q = 0; q < nnb__comm_size(s->stop->comm); q++) {
    if (q == nnb__comm_rank(s->stop->comm)) memcpy(s->factor, s->normal, bytes);
    const nnb_status status = nnb__comm_broadcast(s->stop->comm, q, bytes, s->factor);
    if (status) return status;
    add_factor(s, s->joined, s->factor);
  }
  memcpy(s->normal, s->joined, bytes);
  return NNB_OK;
}

/* JᵀJ of all ranks: the rows of the lower triangle move together for the sum, then back. */
static nnb_status sum_triangles(nnb__system *s) {
  const size_t n = (size_t)s->n;
  double *to = s->normal;
  for (size_t i = 0; i < n; to += ++i) memmove(to, s->normal + i * n, (i + 1) * sizeof *to);
  const nnb_status status = nnb__comm_sum(s->stop->comm, (size_t)(to - s->normal), s->normal);
  for (size_t i = n; i-- > 0;) memmove(s->normal + i * n, to -= i + 1, (i + 1) * sizeof *to);
  return status;
}

static nnb_status sum_models(nnb__system *s) {
  if (!s->stop->comm) return NNB_OK;
  const nnb_status status = s->by_qr ? join_factors(s) : sum_triangles(s);
  return status ? status : nnb__comm_sum(s->stop->comm, (size_t)s->n, s->g);
}

typedef struct by_ranges {
  nnb__system *s;
  bool kept;
  const real *u;     /* of a pull */
  nnb_status status; /* the first error of this rank: nothing is computed after it, but it still takes part */
} by_ranges;

/* out: as normal and g. */
static void model_of_range(void *context, int i, void *out) {
  by_ranges *t = context;
  nnb__system *s = t->s;
  const size_t n = (size_t)s->n, end = range_begin(s, i + 1);
  double *normal = s->normal, *g = s->g;
  s->normal = out, s->g = s->normal + n * n;
  const nnb_status status = add_blocks(s, t->status ? end : range_begin(s, i), end, t->kept);
  if (!t->status) t->status = status;
  s->normal = normal, s->g = g;
}

static void add_model(void *context, void *to, void *upper) {
  const by_ranges *t = context;
  const size_t n = (size_t)t->s->n, from = t->s->by_qr ? n * n : 0;
  double *sum = to;
  const double *more = upper;
  if (t->s->by_qr) add_factor(t->s, sum, more);
  for (size_t i = from; i < n * (n + 1); i++) sum[i] += more[i];
}

/* normal, g ← those of all ranks. */
static nnb_status add_all(nnb__system *s, bool kept, double *value) {
  const size_t n = (size_t)s->n;
  if (!s->stop->tree) {
    const nnb_status status = half_squares(s, add_blocks(s, 0, s->m, kept), s->r, value);
    return status ? status : sum_models(s);
  }
  by_ranges t = {.s = s, .kept = kept};
  const nnb__tree_sum sum = {n * (n + 1) * sizeof(double), s->upper, &t, model_of_range, add_model};
  const nnb_status status = nnb__tree_add(s->stop->tree, &sum, s->normal);
  return status ? status : half_squares(s, t.status, s->r, value);
}

static nnb_status linearise(nnb__system *s) {
  const bool kept = s->current && s->whole;
  double value;
  s->f = HUGE_VAL;
  if (!kept) nnb__stop_count(s->stop);
  s->current = false;
  const nnb_status status = add_all(s, kept, &value);
  if (status) return status == NNB_E_NUMERIC ? NNB_OK : status;
  add_ridge(s);
  value += nnb__system_ridge_value(s, s->x);
  if (isfinite(value) && nnb__system_finite(s)) s->f = value, s->current = true;
  return NNB_OK;
}

nnb_status nnb__system_restore(nnb__system *s) {
  nnb_status status = NNB_OK;
  for (size_t row0 = 0; row0 < s->m && !status; row0 += (size_t)nnb__system_block(s, row0))
    status = nnb__system_rows(s, s->x, row0, s->r + row0, s->whole ? s->J + row0 * (size_t)s->ld : s->J, false);
  s->current = !status;
  return nnb__comm_agree(s->stop->comm, status);
}

void nnb__system_visit(nnb__system *s, nnb__visitor *v) {
  const size_t n = (size_t)s->n;
  nnb__state_reals(v, "x", n, s->x);
  nnb__state_reals(v, "x_new", n, s->x_new);
  nnb__state_doubles(v, "normal", n * n, s->normal);
  nnb__state_doubles(v, "gradient", n, s->g);
  nnb__state_doubles(v, "scales", n, s->d);
  nnb__state_number(v, "f", 0, HUGE_VAL, &s->f);
  nnb__state_number(v, "ridge", 0, DBL_MAX, &s->ridge);
  nnb__state_number(v, "lambda", 0, HUGE_VAL, &s->lambda);
  nnb__state_number(v, "floor", 0, DBL_MAX, &s->floor);
  nnb__state_number(v, "floor_part", 0, 1, &s->floor_part);
  nnb__state_flag(v, "by_qr", &s->by_qr);
}

static nnb_status value(nnb__system *s, double *f) { return nnb__system_residuals(s, s->x_new, s->r_new, f); }

const nnb__lsq_model nnb__full_model = {.value = value, .linearise = linearise};

/* out += Jᵀu over k rows */
static void pull_rows(nnb__system *s, const real *J, int k, const real *u, double *out) {
  for (int i = 0, now; i < k; i += now) {
    now = sizeof(real) == sizeof(double) ? k : nnb__smaller(CHUNK_ROWS, k - i);
    const double *wide = in_double(s, J + (size_t)i * (size_t)s->ld, now);
    nnb__add_transpose_times(s->n, now, wide, s->ld, residuals_in_double(s, u + i, now), 1, out);
  }
}

/* out ← Jᵀu over this rank's rows from row0 to end */
static nnb_status pull_blocks(nnb__system *s, size_t row0, size_t end, const real *u, double *out) {
  nnb_status status = NNB_OK;
  memset(out, 0, (size_t)s->n * sizeof *out);
  for (int k; row0 < end && !status; row0 += (size_t)k) {
    real *J = s->whole ? s->J + row0 * (size_t)s->ld : s->J;
    k = nnb__system_block(s, row0);
    if (!s->whole) status = nnb__system_rows(s, s->x, row0, s->r + row0, J, false);
    if (!status) pull_rows(s, J, k, u + row0, out);
  }
  return status;
}

static void pull_range(void *context, int i, void *out) {
  by_ranges *t = context;
  const size_t end = range_begin(t->s, i + 1);
  const nnb_status status = pull_blocks(t->s, t->status ? end : range_begin(t->s, i), end, t->u, out);
  if (!t->status) t->status = status;
}

static void add_pull(void *context, void *to, void *upper) {
  const by_ranges *t = context;
  double *sum = to;
  const double *more = upper;
  for (int i = 0; i < t->s->n; i++) sum[i] += more[i];
}

nnb_status nnb__system_pull(nnb__system *s, const real *u, double *out) {
  by_ranges t = {.s = s, .u = u};
  const nnb__tree_sum sum = {(size_t)s->n * sizeof *out, s->upper, &t, pull_range, add_pull};
  if (!s->whole) nnb__stop_count(s->stop);
  nnb_status status = NNB_OK;
  if (s->stop->tree)
    status = nnb__tree_add(s->stop->tree, &sum, out);
  else
    t.status = pull_blocks(s, 0, s->m, u, out);
  if (!status && !s->whole) status = nnb__comm_agree(s->stop->comm, t.status);
  return status || s->stop->tree ? status : nnb__comm_sum(s->stop->comm, (size_t)s->n, out);
}

/* out ← L·(Lᵀ·v) */
static void times_factor(const nnb__system *s, const double *v, double *out) {
  const size_t n = (size_t)s->n;
  for (size_t i = 0; i < n; i++) {
    const double *row = s->normal + i * n;
    out[i] = 0;
    for (size_t j = 0; j <= i; j++) out[j] += row[j] * v[i];
  }
  for (size_t i = n; i-- > 0;) { /* the elements above i still hold Lᵀ·v */
    const double *row = s->normal + i * n;
    double sum = 0;
    for (size_t j = 0; j <= i; j++) sum += row[j] * out[j];
    out[i] = sum;
  }
}

void nnb__system_times(const nnb__system *s, const double *v, double *out) {
  const size_t n = (size_t)s->n;
  if (s->by_qr) {
    times_factor(s, v, out);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const double *row = s->normal + i * n;
    double sum = row[i] * v[i];
    for (size_t j = 0; j < i; j++) {
      sum += row[j] * v[j];
      out[j] += row[j] * v[i];
    }
    out[i] = sum;
  }
}
