/* train/error_bars.c: the uncertainty of predictions, for a net that is linear in its parameters around the present
 * ones (MacKay 1992, "A practical Bayesian framework for backpropagation networks", section 3.3).
 *
 *     H = β·Σ w_i·g_i·g_iᵀ + α·I = β·L·Lᵀ,   g = ∂y/∂w of a row and column of the outputs, without frozen parameters
 *     var y = gᵀ·H⁻¹·g = ‖L⁻¹g‖²/β
 *
 * L comes from a QR factorisation of the rows g: forming Σ g·gᵀ would square its condition. */
#include <string.h>

#include "alloc.h"
#include "blas.h"
#include "blas_threads.h"
#include "ints.h"
#include "lapack.h"
#include "match.h"
#include "normal.h"
#include "plan.h"
#include "status.h"

enum { BLOCK = 64 }; /* rows of J at a time, at least one row of data */

struct nnb_error_bars {
  nnb_net *net;
  nnb_plan *plan; /* for `block` rows */
  int threads;
  int n, block; /* parameters that are not frozen, rows of data */
  uint64_t frozen;
  double alpha, beta;
  double *scale;   /* n_y: factor from a row of J to ∂y/∂w, in the data's units */
  double *noise;   /* n_y: variance of a target of weight 1 */
  double *l;       /* n×n */
  double *g;       /* block·n_y × n, row by row; or columns for the QR */
  real *t, *r, *J; /* block × n_y, twice; block·n_y × n */
};

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static uint64_t frozen_parts(const nnb_net *net) {
  uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */
  for (int b = 0; b < net->n_blocks; b++) h = (h ^ net->blocks[b].frozen) * 0x100000001B3u;
  return h;
}

static nnb_status allocate(nnb_error_bars *e) {
  const size_t n = (size_t)e->n, n_y = (size_t)e->net->n_y, rows = (size_t)e->block * n_y;
  size_t n_g, n_l;
  if (!nnb__mul(rows, n, &n_g) || !nnb__mul(n, n, &n_l) || n_l > INT32_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "%d parameters are too many for error bars, which need a matrix of P×P numbers",
                     e->n);
  e->scale = nnb__alloc(n_y, sizeof *e->scale);
  e->noise = nnb__alloc(n_y, sizeof *e->noise);
  e->l = nnb__zalloc(n_l, sizeof *e->l);
  e->g = nnb__alloc(n_g, sizeof *e->g);
  e->t = nnb__zalloc(rows, sizeof *e->t);
  e->r = nnb__alloc(rows, sizeof *e->r);
  e->J = nnb__alloc(n_g, sizeof *e->J);
  if (!e->scale || !e->noise || !e->l || !e->g || !e->t || !e->r || !e->J) return nnb__fail_nomem("error bars");
  return nnb_plan_create(e->net, &(nnb_plan_opts){.max_rows = e->block, .threads = e->threads, .want = NNB_ROWS},
                         &e->plan); /* the program has it */
}

/* Makes the object, without its numbers. */
static nnb_status make(nnb_net *net, int threads, nnb_error_bars **out) {
  const size_t n = nnb__net_n_free(net);
  nnb_error_bars *e = nnb__zalloc(1, sizeof *e);
  if (!e) return nnb__fail_nomem("error bars");
  *e = (nnb_error_bars){.net = net, .threads = threads, .frozen = frozen_parts(net)};
  e->n = n < INT32_MAX ? (int)n : INT32_MAX;
  e->block = net->n_y < BLOCK ? BLOCK / net->n_y : 1;
  nnb_status status = allocate(e);
  if (status)
    nnb_error_bars_destroy(e);
  else
    *out = e;
  return status;
}

void nnb_error_bars_destroy(nnb_error_bars *bars) {
  if (!bars) return;
  nnb_plan_destroy(bars->plan);
  nnb__release(bars->scale);
  nnb__release(bars->noise);
  nnb__release(bars->l);
  nnb__release(bars->g);
  nnb__release(bars->t);
  nnb__release(bars->r);
  nnb__release(bars->J);
  nnb__release(bars);
}

/* ---- the Hessian ------------------------------------------------------------------------------------------------ */

/* L·Lᵀ ← L·Lᵀ + JᵀJ/c², c: ∂r/∂a of the first column; *squares ← *squares + ‖r‖²/c² */
static nnb_status add_data(nnb_error_bars *e, const nnb_batch *rows, double *squares) {
  const int n_y = e->net->n_y, n = e->n;
  const double c = nnb__net_root(e->net, 0, 1);
  for (int i = 0, now; (now = nnb__chunk(rows->x.rows, i, e->block)) > 0; i += now) {
    const int k = now * n_y;
    nnb_status status = nnb__plan_rows(e->plan, rows, i, now, 1, e->r, e->J, (size_t)n, NNB__FREE);
    if (status) return status;
    *squares += nnb__sum_squares((size_t)k, e->r) / (c * c);
    for (int row = 0; row < k; row++)
      for (int j = 0; j < n; j++)
        e->g[(size_t)j * (size_t)k + (size_t)row] = (double)e->J[(size_t)row * (size_t)n + (size_t)j] / c;
    nnb__qr_add(n, k, e->l, n, e->g);
  }
  return NNB_OK;
}

static bool determined(const nnb_error_bars *e) {
  double least = HUGE_VAL, most = 0;
  for (int i = 0; i < e->n; i++) {
    double d = fabs(e->l[(size_t)i * (size_t)(e->n + 1)]);
    least = fmin(least, d), most = fmax(most, d);
  }
  return e->n == 0 || least > DBL_EPSILON * e->n * most;
}

/* The number of target values; rows of weight 0 do not count. */
static double count(const nnb_error_bars *e, const nnb_batch *rows) {
  int n = 0;
  for (int i = 0; i < rows->x.rows; i++) n += !rows->weight || rows->weight[i] > 0;
  return (double)n * e->net->n_y;
}

/* Without a prior and with unknown noise, there must be more residuals than parameters. */
static nnb_status estimate_noise(nnb_error_bars *e, double count, double squares) {
  if (!(count > e->n && squares > 0))
    return nnb__fail(NNB_E_ARG,
                     "beta is 0 and cannot be estimated from %.0f target value(s) with a sum of squared errors of %g, "
                     "for %d parameter(s)",
                     count, squares, e->n);
  e->beta = (count - e->n) / squares;
  return NNB_OK;
}

static nnb_status factorise(nnb_error_bars *e, const nnb_batch *rows) {
  double squares = 0;
  for (int i = 0; i < e->n && e->alpha > 0; i++) e->l[(size_t)i * (size_t)(e->n + 1)] = sqrt(e->alpha / e->beta);
  nnb_status status = nnb__blas_enter();
  if (status) return status;
  status = add_data(e, rows, &squares);
  nnb__blas_leave();
  if (!status && !determined(e))
    status = nnb__fail(NNB_E_NUMERIC, "the data does not determine all %d parameter(s); use an alpha above 0", e->n);
  if (!status && e->beta == 0) status = estimate_noise(e, count(e, rows), squares);
  return status;
}

/* The noise variance of a column follows from its loss, relative to 1/β for the first column. */
static void find_scales(nnb_error_bars *e) {
  const real *factor = e->net->out.factor;
  const double first = nnb__net_root(e->net, 0, 1);
  for (int j = 0; j < e->net->n_y; j++) {
    double c = nnb__net_root(e->net, j, 1), f = factor ? (double)factor[j] : 1;
    e->scale[j] = 1 / (c * f);
    e->noise[j] = first * first / (c * c * f * f * e->beta);
  }
}

/* ---- creating --------------------------------------------------------------------------------------------------- */

static nnb_status check_arguments(nnb_net *net, const nnb_data *data, const nnb_error_bars_opts *o, nnb_batch *rows) {
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  const double alpha = o->evidence.alpha, beta = o->evidence.beta;
  if (!(alpha >= 0 && beta >= 0) || isinf(alpha) || isinf(beta) || (alpha > 0 && beta == 0))
    return nnb__fail(NNB_E_ARG, "alpha is %g and beta is %g; wanted both positive, or alpha 0", alpha, beta);
  if ((status = nnb_data_batch(data, 0, nnb_data_rows(data), rows))) return status;
  if (!rows->label && !rows->t.p) return nnb__fail(NNB_E_ARG, "the data has no targets");
  if ((status = nnb__data_without_dt(data, "nnb_error_bars_create"))) return status;
  if ((status = nnb__check_rows(net, rows))) return status;
  status = nnb__check_match(net, data);
  return status ? status : nnb__check_squares(net);
}

nnb_status nnb_error_bars_create(nnb_net *net, const nnb_data *data, const nnb_error_bars_opts *opts,
                                 nnb_error_bars **out) {
  static const nnb_error_bars_opts defaults = {0};
  nnb_batch rows;
  nnb_error_bars *e = NULL;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!opts) opts = &defaults;
  nnb_status status = check_arguments(net, data, opts, &rows);
  if (!status) status = make(net, opts->threads, &e);
  if (status) return status;
  e->alpha = opts->evidence.alpha, e->beta = opts->evidence.beta;
  status = factorise(e, &rows);
  if (status) {
    nnb_error_bars_destroy(e);
    return status;
  }
  find_scales(e);
  *out = e;
  return NNB_OK;
}

nnb_status nnb_error_bars_copy(const nnb_error_bars *bars, nnb_error_bars **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!bars) return nnb__fail(NNB_E_ARG, "bars is NULL");
  nnb_error_bars *e = NULL;
  nnb_status status = make(bars->net, bars->threads, &e);
  if (!status && (e->n != bars->n || e->frozen != bars->frozen)) {
    nnb_error_bars_destroy(e);
    status = nnb__fail(NNB_E_STATE, "the frozen parameters have changed since the error bars were made");
  }
  if (status) return status;
  const size_t n_y = (size_t)e->net->n_y;
  e->alpha = bars->alpha, e->beta = bars->beta;
  memcpy(e->scale, bars->scale, n_y * sizeof *e->scale);
  memcpy(e->noise, bars->noise, n_y * sizeof *e->noise);
  memcpy(e->l, bars->l, (size_t)e->n * (size_t)e->n * sizeof *e->l);
  *out = e;
  return NNB_OK;
}

/* ---- predicting ------------------------------------------------------------------------------------------------- */

static nnb_status check_mat(const nnb_net *net, int rows, nnb_mat m, const char *name) {
  if (m.rows == rows && m.cols == net->n_y && m.ld >= m.cols) return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "%s is %d×%d with leading dimension %d; wanted %d×%d", name, m.rows, m.cols, m.ld, rows,
                   net->n_y);
}

static nnb_status check_prediction(const nnb_error_bars *e, nnb_cmat x, nnb_mat y, nnb_mat sd, nnb_mat sd_new) {
  if (!e || !y.p) return nnb__fail(NNB_E_ARG, "bars or y is NULL");
  nnb_status status = nnb__check_x(e->net, x, 0);
  if (!status) status = check_mat(e->net, x.rows, y, "y");
  if (!status && sd.p) status = check_mat(e->net, x.rows, sd, "sd");
  if (!status && sd_new.p) status = check_mat(e->net, x.rows, sd_new, "sd_new");
  if (!status && frozen_parts(e->net) != e->frozen)
    status = nnb__fail(NNB_E_STATE, "the frozen parameters have changed since the error bars were made");
  return status;
}

/* sd and sd_new of row i from the rows v = L⁻¹·∂r/∂w of J. */
static void deviations(const nnb_error_bars *e, int i, const double *v, nnb_mat sd, nnb_mat sd_new) {
  for (int j = 0; j < e->net->n_y; j++, v += e->n) {
    double sum = 0;
    for (int p = 0; p < e->n; p++) sum += v[p] * v[p];
    double var = sum * e->scale[j] * e->scale[j] / e->beta;
    if (sd.p) nnb__row(sd, i)[j] = (real)sqrt(var);
    if (sd_new.p) nnb__row(sd_new, i)[j] = (real)sqrt(var + e->noise[j]);
  }
}

/* Rows i … i + k - 1. */
static nnb_status predict_block(nnb_error_bars *e, nnb_cmat x, int i, int k, nnb_mat y, nnb_mat sd, nnb_mat sd_new) {
  const int n_y = e->net->n_y;
  const size_t n_rows = (size_t)k * (size_t)n_y, n = (size_t)e->n;
  nnb_batch rows = {.x = nnb__crows(x, i, k), .t = nnb_cview(e->t, k, n_y)};
  nnb_status status = nnb__plan_rows(e->plan, &rows, 0, k, 1, e->r, e->J, n, NNB__FREE);
  if (status) return status;
  nnb__plan_outputs(e->plan, nnb__rows(y, i, k));
  for (size_t q = 0; q < n_rows * n; q++) e->g[q] = (double)e->J[q];
  if ((status = nnb__blas_enter())) return status;
  nnb__solve_lower(e->n, e->l, (int)n_rows, e->g);
  nnb__blas_leave();
  for (int row = 0; row < k; row++) deviations(e, i + row, e->g + (size_t)row * (size_t)n_y * n, sd, sd_new);
  return NNB_OK;
}

nnb_status nnb_error_bars_predict(nnb_error_bars *bars, nnb_cmat x, nnb_mat y, nnb_mat sd, nnb_mat sd_new) {
  nnb_status status = check_prediction(bars, x, y, sd, sd_new);
  for (int i = 0, now; !status && (now = nnb__chunk(x.rows, i, bars->block)) > 0; i += now)
    status = predict_block(bars, x, i, now, y, sd, sd_new);
  return status;
}
