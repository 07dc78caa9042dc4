/* nn/plan.c: creating and destroying plans, and the public calls on them. */
#include "plan.h"

#include "alloc.h"
#include "blas.h"
#include "exact.h"
#include "ints.h"
#include "net_chain.h"
#include "plan_layout.h"
#include "seal.h"
#include "status.h"
#include "team.h"

/* ---- create and destroy ------------------------------------------------------------------------------------------ */

static nnb_status check_exact(unsigned want) {
  nnb_status status = nnb__check_exact();
  if (!status && want & (NNB_SECOND | NNB_DT))
    status = nnb__fail(NNB_E_UNSUPPORTED, "the net is exact, and the plan wants %s, which are not defined to the bit",
                       want & NNB_DT ? "targets of derivatives (NNB_DT)" : "second derivatives (NNB_SECOND)");
  return status;
}

/* Checks and completes the options, in a plan that has no memory yet. */
static nnb_status make_draft(nnb_net *net, const nnb_plan_opts *opts, nnb_plan *draft) {
  static const nnb_plan_opts defaults = {0};
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  if (!opts) opts = &defaults;
  if (opts->max_rows < 0 || opts->threads < 0 || opts->threads > 1024)
    return nnb__fail(NNB_E_ARG, "max_rows is %d and threads is %d; wanted 0 or more, and at most 1024 threads",
                     opts->max_rows, opts->threads);
  if (opts->want & ~(unsigned)(NNB_GRAD | NNB_DX | NNB_KEEP | NNB_ROWS | NNB_SECOND | NNB_DT))
    return nnb__fail(NNB_E_ARG,
                     "want is %u; wanted 0 or flags of NNB_GRAD, NNB_DX, NNB_KEEP, NNB_ROWS, NNB_SECOND and NNB_DT",
                     opts->want);
  if (opts->want & NNB_ROWS && (status = nnb__check_squares(net))) return status;
  if (opts->want & NNB_ROWS && (status = nnb__net_check_uncoupled(net, "the derivative of each residual")))
    return status;
  if (opts->want & NNB_SECOND && (status = nnb__check_second(net, 1))) return status;
  if (opts->want & NNB_DT && (status = nnb__check_slopes(net))) return status;
  *draft = (nnb_plan){.net = net, .want = opts->want | (opts->want & NNB_SECOND ? NNB_DX : 0)};
  draft->max_rows = opts->max_rows ? opts->max_rows : 1;
  draft->threads = opts->threads ? opts->threads : nnb_get_threads();
  draft->exact = net->exact || nnb__exact();
  if (draft->exact && (status = check_exact(opts->want))) return status;
  draft->group = draft->exact ? nnb__net_group(net) : 1;
  if (opts->want & NNB_GRAD) draft->max_rows = nnb__in_groups(draft->max_rows, draft->group);
  nnb__plan_count_outputs(draft);
  return NNB_OK;
}

static nnb_status measure(const nnb_plan *draft, size_t *out) {
  nnb__arena arena = {0};
  nnb_plan plan = *draft;
  nnb__arena_take(&arena, 1, sizeof plan);
  nnb__plan_lay_out(&plan, &arena);
  if (arena.overflow || arena.used > (size_t)PTRDIFF_MAX - NNB__ALIGN)
    return nnb__fail(NNB_E_OVERFLOW, "a plan for %d rows is too large for the address space", draft->max_rows);
  *out = arena.used;
  return NNB_OK;
}

nnb_status nnb_plan_bytes(nnb_net *net, const nnb_plan_opts *opts, size_t *out) {
  nnb_plan draft;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  nnb_status status = make_draft(net, opts, &draft);
  return status ? status : measure(&draft, out);
}

/* *base ← the caller's memory, or memory of the library, which is then also in *owned. */
static nnb_status find_memory(const nnb_plan_opts *opts, size_t bytes, char **base, void **owned) {
  *owned = NULL;
  if (opts && opts->mem) {
    if ((uintptr_t)opts->mem % NNB__ALIGN || opts->mem_bytes < bytes)
      return nnb__fail(NNB_E_ARG, "mem has %zu byte(s); wanted %zu byte(s), aligned to %d", opts->mem_bytes, bytes,
                       (int)NNB__ALIGN);
    *base = opts->mem;
    return NNB_OK;
  }
  *owned = nnb__alloc(bytes + NNB__ALIGN, 1);
  if (!*owned) return nnb__fail(NNB_E_NOMEM, "out of memory: a plan of %zu byte(s)", bytes);
  *base = nnb__align(*owned);
  return NNB_OK;
}

nnb_status nnb__plan_make(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out) {
  nnb_plan draft;
  nnb__arena arena = {0};
  size_t bytes = 0;
  void *owned = NULL;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = make_draft(net, opts, &draft);
  if (!status) status = measure(&draft, &bytes);
  if (!status) status = find_memory(opts, bytes, &arena.base, &owned);
  if (status) return status;
  nnb_plan *plan = nnb__arena_take(&arena, 1, sizeof *plan);
  *plan = draft;
  plan->memory = owned;
  const bool exact = nnb__exact_set(plan->exact); /* for its tables of functions */
  nnb__plan_lay_out(plan, &arena);
  nnb__exact_set(exact);
  *out = plan;
  nnb__team_prepare(draft.threads);
  return NNB_OK;
}

nnb_status nnb_plan_create(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out) {
  const nnb_status status = nnb__plan_make(net, opts, out);
  if (!status) nnb__net_show(net);
  return status;
}

void nnb_plan_destroy(nnb_plan *plan) {
  if (plan) nnb__release(plan->memory);
}

/* ---- the public calls -------------------------------------------------------------------------------------------- */

/* A prediction of one row takes tens of nanoseconds, so its checks are here and not calls. */
static bool is_one_row(const nnb_net *net, const nnb_cmat *x, const nnb_mat *y) {
  return x->p && x->rows == 1 && x->cols == net->n_x && x->ld >= x->cols && y->p && y->rows == 1 &&
         y->cols == net->n_y && y->ld >= y->cols;
}

static nnb_status predict_rows(nnb_plan *plan, nnb_cmat x, nnb_mat y) {
  nnb_status status = nnb__check_x(plan->net, x, plan->max_rows);
  if (!status) status = nnb__check_y(plan->net, x.rows, nnb__read(y), "y");
  if (status) return status;
  nnb_batch batch = {.x = x};
  status = nnb__plan_run(plan, &(nnb__job){.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT}).status;
  if (!status) nnb__plan_outputs(plan, y);
  return status;
}

nnb_status nnb_plan_predict(nnb_plan *plan, nnb_cmat x, nnb_mat y) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  if (is_one_row(plan->net, &x, &y) && nnb__plan_row(plan, x.p, y.p)) return NNB_OK;
  return predict_rows(plan, x, y);
}

static double norm_of(const nnb_batch *batch) {
  return batch->norm > 0 ? batch->norm : nnb__sum_weights(batch, NULL, 0, batch->x.rows);
}

static nnb_status check_loss(nnb__loss_sum sum, double norm, const nnb_batch *batch) {
  if (sum.status) return sum.status;
  double value = nnb__loss_value(sum, norm);
  return isfinite(value) ? NNB_OK : nnb__fail_loss(value, batch);
}

nnb_status nnb__check_plan_batch(const nnb_plan *plan, const nnb_batch *batch, int most) {
  nnb_status status = nnb__check_batch(plan->net, batch, most);
  if (status || !batch->dt.p || plan->want & NNB_DT) return status;
  return nnb__fail(NNB_E_STATE, "the batch has targets of derivatives (dt), and the plan was made without NNB_DT");
}

nnb_status nnb__plan_loss(nnb_plan *plan, const nnb_batch *batch, const nnb_run *run, nnb__loss_sum *sum) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  nnb_status status = nnb__check_plan_batch(plan, batch, plan->max_rows);
  if (status) return status;
  double norm = norm_of(batch);
  nnb__job job = {
      .batch = batch, .rows = batch->x.rows, .norm = norm, .what = NNB__LOSS, .run = *run, .before_loss = *sum};
  *sum = nnb__plan_run(plan, &job);
  return check_loss(*sum, norm, batch);
}

nnb_status nnb_plan_loss(nnb_plan *plan, const nnb_batch *batch, double *loss) {
  nnb__loss_sum sum = {0};
  if (!loss) return nnb__fail(NNB_E_ARG, "loss is NULL");
  const nnb_status status = nnb__plan_loss(plan, batch, &(nnb_run){0}, &sum);
  if (!status || status == NNB_E_NUMERIC) *loss = nnb__loss_value(sum, norm_of(batch));
  return status;
}

/* grad ← keep·grad + g */
static void add_kept(size_t n, double keep, const real *g, real *grad) {
  for (size_t i = 0; i < n; i++) grad[i] = (keep != 0 ? (real)keep * grad[i] : 0) + g[i];
}

nnb_status nnb__plan_gradient(nnb_plan *plan, const nnb_batch *batch, const nnb_run *run, double keep,
                              nnb__loss_sum *sum, real *grad) {
  if (!plan || !grad) return nnb__fail(NNB_E_ARG, "plan or grad is NULL");
  if (!(plan->want & NNB_GRAD)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_GRAD");
  nnb_status status = nnb__check_plan_batch(plan, batch, plan->max_rows);
  if (status) return status;
  double norm = norm_of(batch);
  real beta = plan->g ? 0 : (real)keep;
  nnb__target target = {.dst = plan->g ? plan->g : grad, .alpha = 1, .beta = beta, .beta_bias = beta};
  nnb__job job = {.batch = batch,
                  .rows = batch->x.rows,
                  .norm = norm,
                  .what = NNB__LOSS | NNB__BACK,
                  .target = &target,
                  .run = *run,
                  .before_loss = *sum};
  *sum = nnb__plan_run(plan, &job);
  if (sum->status) return sum->status;
  if (plan->g) add_kept(plan->net->n_params, keep, plan->g, grad);
  return check_loss(*sum, norm, batch);
}

nnb_status nnb_plan_gradient(nnb_plan *plan, const nnb_batch *batch, double keep, double *loss, real *grad) {
  nnb_status status = plan && plan->net->n_buffers ? nnb__net_idle(plan->net) : NNB_OK; /* which it changes */
  nnb__loss_sum sum = {0};
  if (status) return status;
  status = nnb__plan_gradient(plan, batch, &(nnb_run){.training = true}, keep, &sum, grad);
  if (loss && (!status || status == NNB_E_NUMERIC)) *loss = nnb__loss_value(sum, norm_of(batch));
  return status;
}

nnb_status nnb__plan_rows(nnb_plan *plan, const nnb_batch *batch, int row0, int rows, double norm, real *r, real *J,
                          size_t ldj, nnb__columns columns) {
  nnb__job job = {.batch = batch,
                  .row0 = row0,
                  .rows = rows,
                  .norm = norm,
                  .what = NNB__OUTPUT | NNB__RESIDUALS,
                  .r = r,
                  .J = J,
                  .ldj = ldj,
                  .columns = columns};
  nnb_status status = nnb__plan_run(plan, &job).status;
  if (status) return status;
  double loss = nnb__sum_squares((size_t)rows * nnb__n_residuals(plan->net, batch), r) / 2;
  return isfinite(loss) ? NNB_OK : nnb__fail_loss(loss, batch);
}

nnb_status nnb_plan_rows(nnb_plan *plan, const nnb_batch *batch, real *r, real *J, int ldj) {
  if (!plan || !r) return nnb__fail(NNB_E_ARG, "plan or r is NULL");
  if (!(plan->want & NNB_ROWS)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_ROWS");
  nnb_status status = nnb__check_plan_batch(plan, batch, plan->max_rows);
  if (status) return status;
  if (J && (ldj < 0 || (size_t)ldj < plan->net->n_params))
    return nnb__fail(NNB_E_SHAPE, "ldj is %d; wanted at least %zu, the length of a row of J", ldj, plan->net->n_params);
  return nnb__plan_rows(plan, batch, 0, batch->x.rows, norm_of(batch), r, J, (size_t)ldj, NNB__EVERY);
}

/* m has the shape of x. */
static nnb_status check_as_x(nnb_cmat x, nnb_cmat m, const char *name) {
  if (!m.p) return nnb__fail(NNB_E_ARG, "%s is NULL", name);
  if (m.rows == x.rows && m.cols == x.cols && m.ld >= m.cols) return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "%s is %d×%d; wanted %d×%d, as x", name, m.rows, m.cols, x.rows, x.cols);
}

/* Whether the plan was made for derivatives of x. */
static nnb_status check_dx(const nnb_plan *plan, nnb_cmat x) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  if (!(plan->want & NNB_DX)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_DX");
  return nnb__check_x(plan->net, x, plan->max_rows);
}

nnb_status nnb_plan_vjp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_mat dx) {
  nnb_status status = check_dx(plan, x);
  if (!status) status = nnb__check_y(plan->net, x.rows, v, "v");
  if (!status) status = check_as_x(x, nnb__read(dx), "dx");
  if (status) return status;
  nnb_batch batch = {.x = x};
  status = nnb__plan_run(plan, &(nnb__job){.batch = &batch, .rows = x.rows, .what = NNB__BACK, .v = v}).status;
  if (!status) nnb__plan_input_gradient(plan, dx);
  return status;
}

nnb_status nnb_plan_jvp(nnb_plan *plan, nnb_cmat x, nnb_cmat u, nnb_mat dy) {
  nnb_status status = check_dx(plan, x);
  if (!status) status = check_as_x(x, u, "u");
  if (!status) status = nnb__check_y(plan->net, x.rows, nnb__read(dy), "dy");
  if (!status) status = nnb__check_tangents(plan->net);
  if (status) return status;
  nnb_batch batch = {.x = x};
  nnb__job job = {.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT | NNB__TANGENTS, .v = u, .dy = dy};
  return nnb__plan_run(plan, &job).status;
}

nnb_status nnb_plan_jacobian(nnb_plan *plan, nnb_cmat x, nnb_mat y, nnb_mat J) {
  nnb_status status = check_dx(plan, x);
  if (!status && y.p) status = nnb__check_y(plan->net, x.rows, nnb__read(y), "y");
  if (!status) status = nnb__check_jacobian(plan->net, x.rows, J);
  if (status) return status;
  nnb_batch batch = {.x = x};
  nnb__job job = {.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT | NNB__TANGENTS, .dy = J};
  status = nnb__plan_run(plan, &job).status;
  if (!status && y.p) nnb__plan_outputs(plan, y);
  return status;
}

static nnb_status check_second(const nnb_plan *plan, nnb_cmat x, nnb_cmat u) {
  if (plan && !(plan->want & NNB_SECOND)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_SECOND");
  nnb_status status = check_dx(plan, x);
  return status ? status : check_as_x(x, u, "u");
}

nnb_status nnb_plan_hvp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_cmat u, nnb_mat h) {
  nnb_status status = check_second(plan, x, u);
  if (!status) status = nnb__check_y(plan->net, x.rows, v, "v");
  if (!status) status = check_as_x(x, nnb__read(h), "h");
  if (status) return status;
  nnb_batch batch = {.x = x};
  nnb__job job = {.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT | NNB__SECOND, .v = u, .of = v, .degree = 1};
  status = nnb__plan_run(plan, &job).status;
  if (!status) nnb__plan_input_gradient(plan, h);
  return status;
}

nnb_status nnb_plan_taylor(nnb_plan *plan, nnb_cmat x, nnb_cmat u, int order, nnb_mat y, real *J, int ldj) {
  nnb_status status = check_second(plan, x, u);
  if (!status && order != 1 && order != 2) status = nnb__fail(NNB_E_ARG, "order is %d; wanted 1 or 2", order);
  if (!status) status = nnb__check_taylor(plan->net, x.rows, order, y);
  if (!status) status = nnb__check_second(plan->net, order);
  if (!status && J && (ldj < 0 || (size_t)ldj < plan->net->n_params))
    status =
        nnb__fail(NNB_E_SHAPE, "ldj is %d; wanted at least %zu, the length of a row of J", ldj, plan->net->n_params);
  if (status) return status;
  nnb_batch batch = {.x = x};
  nnb__job job = {.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT | NNB__SECOND, .v = u, .degree = order, .dy = y};
  job.J = J, job.ldj = (size_t)ldj;
  return nnb__plan_run(plan, &job).status;
}
