/* train/solve_output.c: nnb_solve_output: exact solution for linear output layers with sums of squares.
 *
 * With all other parameters fixed, the residuals of an output layer are root_i·([A 1]·[W; b] - T), one least-squares
 * problem with a right-hand side for each of its columns.  Blocks of rows are added to R of [A 1] = Q·R and to Z = QᵀT,
 * in double (Golub 1965, "Numerical methods for solving linear least squares problems"), so memory does not grow with
 * N.  The remaining triangle gives the solution for any rank. */
#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "blas_threads.h"
#include "ints.h"
#include "lapack.h"
#include "match.h"
#include "normal.h"
#include "plan.h"
#include "status.h"

enum { ROWS = 256 }; /* of a block */

typedef struct solve {
  nnb_net *net;
  nnb_plan *plan;
  nnb_batch rows; /* all data */
  double norm, ridge;
  int k;              /* the output's node */
  bool weights, bias; /* whether they are solved for */
  int n, n_out;       /* rows of [W; b] that are solved for, columns */
  double *L, *Z;      /* n×n, row by row: Rᵀ; n_out columns of n */
  double *b, *c;      /* a block's columns of [A 1] and T */
  double *solve_work;
  int *pivots;
  real *r; /* of a block, all outputs */
} solve;

/* ---- checks ----------------------------------------------------------------------------------------------------- */

static bool all_frozen(const nnb__node *node) {
  return (node->frozen & NNB_WEIGHTS) && (!node->needs.bias || (node->frozen & NNB_BIAS));
}

static nnb_status check_outputs(const nnb_net *net) {
  bool any = false;
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col < 0) continue;
    if (!nnb__is_linear_output(net, k))
      return nnb__fail(NNB_E_UNSUPPORTED,
                       "the output %s cannot be solved for: wanted a dense layer without activation that no other node "
                       "reads",
                       node->name);
    any |= !all_frozen(node);
  }
  return any ? NNB_OK : nnb__fail(NNB_E_ARG, "all parameters of the output layers are frozen");
}

/* ---- one output ------------------------------------------------------------------------------------------------- */

static void take(solve *s, nnb__arena *arena) {
  size_t n = (size_t)s->n, n_out = (size_t)s->n_out;
  s->L = nnb__arena_take(arena, n, n * sizeof(double));
  s->Z = nnb__arena_take(arena, n, n_out * sizeof(double));
  s->b = nnb__arena_take(arena, n, ROWS * sizeof(double));
  s->c = nnb__arena_take(arena, n_out, ROWS * sizeof(double));
  s->solve_work = nnb__arena_take(arena, nnb__solve_rank_work(s->n, s->n_out), sizeof(double));
  s->pivots = nnb__arena_take(arena, 2 * n, sizeof(int));
  s->r = nnb__arena_take(arena, (size_t)s->net->n_y, ROWS * sizeof(real));
}

/* Sets the parameters that are solved for to 0; the residuals are then -T plus the frozen part. */
static void clear_params(const solve *s) {
  const nnb__node *node = &s->net->nodes[s->k];
  size_t n_w = (size_t)node->needs.w_rows * (size_t)s->n_out;
  real *w = s->net->params + node->off;
  if (s->weights) memset(w, 0, n_w * sizeof *w);
  if (s->bias) memset(w + n_w, 0, (size_t)s->n_out * sizeof *w);
}

/* The columns of a block: b ← root·[A 1], c ← -r. */
static void load_block(const solve *s, int row0, int n) {
  const nnb__node *node = &s->net->nodes[s->k];
  const nnb_cmat a = s->plan->state[node->from[0] - 1].out;
  const double base = nnb__net_root(s->net, node->out_col, s->norm);
  const int n_a = s->weights ? a.cols : 0;
  for (int i = 0; i < n; i++) {
    double root = s->rows.weight ? base * sqrt((double)s->rows.weight[row0 + i]) : base;
    const real *row = nnb__crow(a, i), *r = s->r + (size_t)i * (size_t)s->net->n_y + (size_t)node->out_col;
    for (int j = 0; j < n_a; j++) s->b[(size_t)j * (size_t)n + (size_t)i] = root == 0 ? 0 : root * (double)row[j];
    if (s->bias) s->b[(size_t)n_a * (size_t)n + (size_t)i] = root;
    for (int j = 0; j < s->n_out; j++) s->c[(size_t)j * (size_t)n + (size_t)i] = -(double)r[j];
  }
}

static void fold(const solve *s, int n) { nnb__qr_add_with(s->n, n, s->L, s->n, s->b, s->n_out, s->Z, s->n, s->c); }

/* Adds rows √ridge of the weights, with zeros on the right-hand side. */
static void fold_ridge(const solve *s) {
  const int n_w = s->weights ? s->n - s->bias : 0;
  for (int j = 0, now; s->ridge > 0 && (now = nnb__chunk(n_w, j, ROWS)) > 0; j += now) {
    memset(s->b, 0, (size_t)s->n * (size_t)now * sizeof *s->b);
    memset(s->c, 0, (size_t)s->n_out * (size_t)now * sizeof *s->c);
    for (int i = 0; i < now; i++) s->b[(size_t)(j + i) * (size_t)now + (size_t)i] = sqrt(s->ridge);
    fold(s, now);
  }
}

/* Copies the solution, the columns of Z, to the parameters. */
static nnb_status store_params(const solve *s) {
  const nnb__node *node = &s->net->nodes[s->k];
  real *w = s->net->params + node->off;
  if (!s->weights) w += (size_t)node->needs.w_rows * (size_t)s->n_out;
  for (int i = 0; i < s->n; i++)
    for (int j = 0; j < s->n_out; j++) {
      real x = (real)s->Z[(size_t)j * (size_t)s->n + (size_t)i];
      if (!isfinite(x)) return nnb__fail(NNB_E_NUMERIC, "the solution for %s is not finite", node->name);
      *w++ = x;
    }
  return NNB_OK;
}

static nnb_status fold_rows(solve *s) {
  nnb_status status = NNB_OK;
  const int N = s->rows.x.rows;
  for (int r = 0, n; !status && (n = nnb__chunk(N, r, ROWS)) > 0; r += n) {
    status = nnb__plan_rows(s->plan, &s->rows, r, n, s->norm, s->r, NULL, 0, NNB__EVERY);
    if (status) break;
    load_block(s, r, n);
    fold(s, n);
  }
  return status;
}

static nnb_status solve_in(solve *s, void *memory) {
  take(s, &(nnb__arena){.base = memory});
  memset(s->L, 0, (size_t)s->n * (size_t)s->n * sizeof *s->L);
  memset(s->Z, 0, (size_t)s->n * (size_t)s->n_out * sizeof *s->Z);
  clear_params(s);
  nnb_status status = fold_rows(s);
  if (status) return status;
  const double tol = (double)REAL_EPS * s->n;
  fold_ridge(s);
  if (!nnb__solve_rank(s->n, s->L, s->n, s->n_out, s->Z, s->n, tol, s->solve_work, s->pivots))
    return nnb__fail(NNB_E_NUMERIC, "an input of %s is not finite", s->net->nodes[s->k].name);
  return store_params(s);
}

static nnb_status solve_output(solve *s, int k) {
  enum { MOST = 46340 }; /* n² fits into LAPACK's int */
  const nnb__node *node = &s->net->nodes[k];
  nnb__arena arena = {0};
  s->k = k, s->n_out = node->needs.cols;
  s->weights = !(node->frozen & NNB_WEIGHTS);
  s->bias = node->needs.bias && !(node->frozen & NNB_BIAS);
  s->n = (s->weights ? node->needs.w_rows : 0) + s->bias;
  if (s->n > MOST || s->n_out > MOST)
    return nnb__fail(NNB_E_OVERFLOW, "%s has %d input(s) and %d unit(s); wanted at most %d of each", node->name, s->n,
                     s->n_out, (int)MOST);
  take(s, &arena);
  char *memory = arena.overflow ? NULL : nnb__alloc(arena.used + NNB__ALIGN, 1);
  if (!memory) return nnb__fail_nomem("the triangle of an output layer");
  nnb_status status = solve_in(s, nnb__align(memory));
  nnb__release(memory);
  return status;
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

/* Solves for all outputs; if one fails, restores all parameters. */
static nnb_status solve_all(solve *s) {
  const size_t n = s->net->n_params;
  nnb_status status = NNB_OK;
  real *before = nnb__alloc(n, sizeof *before);
  if (!before) return nnb__fail_nomem("the parameters before a solve");
  memcpy(before, s->net->params, n * sizeof *before);
  for (int k = 0; k < s->net->n_nodes && !status; k++)
    if (s->net->nodes[k].out_col >= 0 && !all_frozen(&s->net->nodes[k])) status = solve_output(s, k);
  if (status) memcpy(s->net->params, before, n * sizeof *before);
  nnb__release(before);
  return status;
}

/* The net is held. */
static nnb_status solve_net(nnb_net *net, const nnb_data *data, double ridge) {
  solve s = {.net = net, .ridge = ridge};
  nnb_status status = NNB_OK;
  if (!data) status = nnb__fail(NNB_E_ARG, "data is NULL");
  if (!status && (!(ridge >= 0) || isinf(ridge)))
    status = nnb__fail(NNB_E_ARG, "ridge is %g; wanted a finite number, 0 or more", ridge);
  if (!status) status = nnb__check_squares(net);
  if (!status) status = check_outputs(net);
  if (!status) status = nnb_data_batch(data, 0, nnb_data_rows(data), &s.rows);
  if (!status) status = nnb__data_without_dt(data, "nnb_solve_output");
  if (!status) status = nnb__check_rows(net, &s.rows);
  if (!status) status = nnb__check_match(net, data);
  if (status) return status;
  s.norm = nnb__sum_weights(&s.rows, NULL, 0, s.rows.x.rows);
  const int rows = nnb__smaller(s.rows.x.rows, ROWS);
  status = nnb__plan_make(net, &(nnb_plan_opts){.max_rows = rows, .want = NNB_ROWS}, &s.plan);
  if (!status) status = nnb__blas_enter();
  if (!status) {
    status = solve_all(&s);
    nnb__blas_leave();
  }
  nnb_plan_destroy(s.plan);
  return status;
}

nnb_status nnb_solve_output(nnb_net *net, const nnb_data *data, double ridge) {
  nnb__change change;
  nnb_status status = nnb__net_begin(net, &change);
  if (status) return status;
  status = solve_net(net, data, ridge);
  nnb__net_end(&change, status != NNB_OK);
  return status;
}
