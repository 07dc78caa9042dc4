/* nn/plan.c: laying out a plan, and the public calls on it. */
#include "plan.h"

#include <string.h>

#include "alloc.h"
#include "blas.h"
#include "status.h"
#include "team.h"

/* ---- laying out ------------------------------------------------------------------------------------------------ */

static nnb_mat take_mat(nnb__arena *arena, int rows, int cols) {
  size_t n;
  if (!nnb__mul((size_t)rows, (size_t)cols, &n)) arena->overflow = true;
  return (nnb_mat){nnb__arena_take(arena, n, sizeof(real)), rows, cols, cols};
}

/* Whether node k or one before it has parameters. */
static bool has_params_before(const nnb_net *net, const nnb__state *state, int k) {
  const nnb__node *node = &net->nodes[k];
  if (node->needs.w_cols > 0) return true;
  for (int i = 0; i < node->n_from; i++)
    if (state[node->from[i] - 1].needs_d) return true;
  return false;
}

static void lay_out_backward(nnb_plan *p, nnb__arena *arena, const nnb__node *node, nnb__state *s) {
  int rows = p->max_rows, cols = node->needs.cols;
  s->d = take_mat(arena, rows, cols);
  if (node->out_col >= 0 && node->n_consumers > 0) s->tap = take_mat(arena, rows, cols);
  if (p->want & NNB_KEEP) s->da = take_mat(arena, rows, cols);
}

/* Whether every node reads the one before it, and only the last is an output. */
static bool is_chain(const nnb_net *net) {
  for (int k = 1; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->n_from != 1 || node->from[0] != k || (node->out_col >= 0) != (k == net->n_nodes - 1)) return false;
  }
  return net->nodes[0].out_col < 0;
}

/* A chain that only predicts needs two layers at a time: the one read and the one written.  Layers of one matrix share
 * its leading dimension, so that threads stay within their rows.  The last has a matrix of its own, without gaps, as it
 * is copied. */
static void lay_out_pair(nnb_plan *p, nnb__arena *arena) {
  int widest[2] = {0};
  for (int k = 1; k < p->net->n_nodes - 1; k++) {
    int cols = p->net->nodes[k].needs.cols;
    if (cols > widest[k % 2]) widest[k % 2] = cols;
  }
  for (int i = 0; i < 2; i++) p->pair[i] = take_mat(arena, p->max_rows, widest[i]);
}

static void lay_out_node(nnb_plan *p, nnb__arena *arena, int k) {
  const nnb__node *node = &p->net->nodes[k];
  nnb__state s = {.first_node = -1};
  int rows = p->max_rows, cols = node->needs.cols;
  bool back = p->want & (NNB_GRAD | NNB_DX | NNB_ROWS), keep = p->want & NNB_KEEP;
  if (node->activation != NNB_LINEAR) s.act = nnb__net_act(p->net, node->activation);
  if (node->out_col >= 0) {
    s.loss = nnb__net_loss_ops(p->net, node);
    s.fused = s.loss->fused && (int)s.loss->fuses == node->activation;
  }
  if (!nnb__node_is_input(node)) {
    size_t n_scratch;
    bool apart = keep || (back && s.act && (s.act->traits & NNB_ACT_NEEDS_Z));
    const bool shared = p->want == 0 && node->out_col < 0 && is_chain(p->net);
    s.z = shared ? nnb__cols(p->pair[k % 2], 0, cols) : take_mat(arena, rows, cols);
    s.a = apart ? take_mat(arena, rows, cols) : s.z;
    s.out = nnb__read(s.a);
    if (!nnb__mul((size_t)rows, node->needs.scratch, &n_scratch)) arena->overflow = true;
    s.scratch = nnb__arena_take(arena, n_scratch, sizeof(real));
    if (keep) s.slope = take_mat(arena, rows, cols);
  }
  s.needs_d = back && ((p->want & NNB_DX) || (p->state && has_params_before(p->net, p->state, k)));
  if (back && (!nnb__node_is_input(node) || (p->want & NNB_DX))) lay_out_backward(p, arena, node, &s);
  if (p->state) p->state[k] = s;
}

static void lay_out_rows(nnb_plan *p, nnb__arena *arena) {
  const nnb_net *net = p->net;
  size_t rows = (size_t)p->max_rows;
  bool gathers = p->want & NNB_GRAD;
  if (gathers || net->in.shift) p->x = take_mat(arena, p->max_rows, net->n_x);
  if (gathers || net->out.shift) p->t = take_mat(arena, p->max_rows, net->n_y);
  if (!gathers) return;
  p->label = nnb__arena_take(arena, rows, sizeof *p->label);
  p->weight = nnb__arena_take(arena, rows, sizeof *p->weight);
}

/* The consumer that is last in order is the first to write d on the way back. */
static void find_first_writers(nnb_plan *p) {
  for (int i = 0; i < p->net->n_nodes; i++) {
    const nnb__node *node = &p->net->nodes[i];
    for (int k = node->n_from - 1; k >= 0; k--) {
      nnb__state *source = &p->state[node->from[k] - 1];
      source->first_node = i, source->first_k = k;
    }
  }
}

static void count_outputs(nnb_plan *p) {
  p->n_outputs = 0, p->longest = 1, p->flops = 0;
  for (int i = 0; i < p->net->n_nodes; i++) {
    const nnb__node *node = &p->net->nodes[i];
    if (node->out_col >= 0) p->n_outputs++;
    if (node->n_from > p->longest) p->longest = node->n_from;
    p->flops += 2.0 * node->needs.w_rows * node->needs.w_cols + 8.0 * node->needs.cols;
  }
}

/* Everything behind the plan itself; called once to measure and once to hand out. */
static void lay_out(nnb_plan *p, nnb__arena *arena) {
  size_t n_nodes = (size_t)p->net->n_nodes, threads = (size_t)p->threads, longest = (size_t)p->longest;
  p->state = nnb__arena_take(arena, n_nodes, sizeof *p->state);
  p->outputs = nnb__arena_take(arena, (size_t)p->n_outputs, sizeof *p->outputs);
  p->partial = nnb__arena_take(arena, threads * (size_t)p->n_outputs, sizeof *p->partial);
  p->from = nnb__arena_take(arena, threads * longest, sizeof *p->from);
  p->from_d = nnb__arena_take(arena, threads * longest, sizeof *p->from_d);
  if (p->want & NNB_KEEP) p->g = nnb__arena_take(arena, p->net->n_params, sizeof *p->g);
  lay_out_rows(p, arena);
  if (p->want == 0 && is_chain(p->net)) lay_out_pair(p, arena);
  for (int k = 0; k < p->net->n_nodes; k++) lay_out_node(p, arena, k);
  nnb__plan_lay_out_execs(p, arena);
  if (!arena->base) return;
  find_first_writers(p);
  for (int k = 0, o = 0; k < p->net->n_nodes; k++)
    if (p->net->nodes[k].out_col >= 0) p->outputs[o++] = k;
}

/* ---- create and destroy ---------------------------------------------------------------------------------------- */

/* The options checked and completed, in a plan that has no memory yet. */
static nnb_status make_draft(nnb_net *net, const nnb_plan_opts *opts, nnb_plan *draft) {
  static const nnb_plan_opts defaults = {0};
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  if (!opts) opts = &defaults;
  if (opts->max_rows < 0 || opts->threads < 0 || opts->threads > 1024)
    return nnb__fail(NNB_E_ARG, "max_rows is %d and threads is %d; wanted 0 or more, and at most 1024 threads",
                     opts->max_rows, opts->threads);
  if (opts->want & ~(unsigned)(NNB_GRAD | NNB_DX | NNB_KEEP | NNB_ROWS))
    return nnb__fail(NNB_E_ARG, "want is %u; wanted NNB_GRAD, NNB_DX, NNB_KEEP and NNB_ROWS, or'ed", opts->want);
  if (opts->want & NNB_ROWS && (status = nnb__check_squares(net))) return status;
  *draft = (nnb_plan){.net = net, .want = opts->want};
  draft->max_rows = opts->max_rows ? opts->max_rows : 1;
  draft->threads = opts->threads ? opts->threads : nnb_get_threads();
  count_outputs(draft);
  return NNB_OK;
}

static nnb_status measure(const nnb_plan *draft, size_t *out) {
  nnb__arena arena = {0};
  nnb_plan plan = *draft;
  nnb__arena_take(&arena, 1, sizeof plan);
  lay_out(&plan, &arena);
  if (arena.overflow || arena.used > (size_t)PTRDIFF_MAX - NNB__ALIGN)
    return nnb__fail(NNB_E_OVERFLOW, "a plan for %d rows is larger than memory can hold", draft->max_rows);
  *out = arena.used;
  return NNB_OK;
}

nnb_status nnb_plan_bytes(nnb_net *net, const nnb_plan_opts *opts, size_t *out) {
  nnb_plan draft;
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  nnb_status status = make_draft(net, opts, &draft);
  return status ? status : measure(&draft, out);
}

/* The caller's memory, or some of ours (*owned). */
static nnb_status find_memory(const nnb_plan_opts *opts, size_t bytes, char **base, void **owned) {
  *owned = NULL;
  if (opts && opts->mem) {
    if ((uintptr_t)opts->mem % NNB__ALIGN || opts->mem_bytes < bytes)
      return nnb__fail(NNB_E_ARG, "mem must hold %zu bytes aligned to %d; %zu came", bytes, (int)NNB__ALIGN,
                       opts->mem_bytes);
    *base = opts->mem;
    return NNB_OK;
  }
  *owned = nnb__alloc(bytes + NNB__ALIGN, 1);
  if (!*owned) return nnb__fail(NNB_E_NOMEM, "out of memory: a plan of %zu bytes", bytes);
  *base = (char *)*owned + (NNB__ALIGN - (uintptr_t)*owned % NNB__ALIGN) % NNB__ALIGN;
  return NNB_OK;
}

nnb_status nnb_plan_create(nnb_net *net, const nnb_plan_opts *opts, nnb_plan **out) {
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
  lay_out(plan, &arena);
  *out = plan;
  nnb__team_prepare(draft.threads);
  return NNB_OK;
}

void nnb_plan_destroy(nnb_plan *plan) {
  if (plan) nnb__release(plan->memory);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most) {
  if (!x.p) return nnb__fail(NNB_E_ARG, "x is NULL");
  if (x.rows < 1) return nnb__fail(NNB_E_SHAPE, "x has %d rows; at least 1 is wanted", x.rows);
  if (x.cols != net->n_x) return nnb__fail(NNB_E_SHAPE, "x has %d columns, the net wants %d", x.cols, net->n_x);
  if (x.ld < x.cols) return nnb__fail(NNB_E_SHAPE, "x has %d columns and a leading dimension of %d", x.cols, x.ld);
  if (most && x.rows > most)
    return nnb__fail(NNB_E_SHAPE, "x has %d rows, the plan was made for at most %d", x.rows, most);
  return NNB_OK;
}

static nnb_status check_y(const nnb_net *net, int rows, nnb_cmat y, const char *name) {
  if (!y.p) return nnb__fail(NNB_E_ARG, "%s is NULL", name);
  if (y.rows != rows || y.cols != net->n_y || y.ld < y.cols)
    return nnb__fail(NNB_E_SHAPE, "%s is %d×%d with leading dimension %d; wanted %d×%d", name, y.rows, y.cols, y.ld,
                     rows, net->n_y);
  return NNB_OK;
}

nnb_status nnb__check_one_output(const nnb_net *net) {
  int n = 0;
  for (int i = 0; i < net->n_nodes; i++) n += net->nodes[i].out_col >= 0;
  return n == 1 ? NNB_OK : nnb__fail(NNB_E_SHAPE, "labels are for nets with one output; this one has %d", n);
}

static nnb_status check_labels(const nnb_net *net, const nnb_batch *batch) {
  int classes = net->n_y > 1 ? net->n_y : 2;
  nnb_status status = nnb__check_one_output(net);
  if (status) return status;
  for (int i = 0; i < batch->x.rows; i++)
    if (batch->label[i] < 0 || batch->label[i] >= classes)
      return nnb__fail(NNB_E_SHAPE, "the label of row %d is %d; the net tells classes 0 to %d apart", i + 1,
                       (int)batch->label[i], classes - 1);
  return NNB_OK;
}

static nnb_status check_weights(const nnb_batch *batch) {
  for (int i = 0; batch->weight && i < batch->x.rows; i++)
    if (!(batch->weight[i] >= 0) || isinf(batch->weight[i]))
      return nnb__fail(NNB_E_ARG, "the weight of row %d is %g; it must be finite and not negative", i + 1,
                       (double)batch->weight[i]);
  return NNB_OK;
}

nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most) {
  if (!batch) return nnb__fail(NNB_E_ARG, "batch is NULL");
  nnb_status status = nnb__check_x(net, batch->x, most);
  if (status) return status;
  if (!(batch->norm >= 0) || isinf(batch->norm))
    return nnb__fail(NNB_E_ARG, "norm is %g; it must not be negative", batch->norm);
  if ((status = check_weights(batch))) return status;
  if (batch->label) return check_labels(net, batch);
  return check_y(net, batch->x.rows, batch->t, "t");
}

double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n) {
  double sum = 0;
  if (!batch->weight) return n;
  for (int i = row0; i < row0 + n; i++) sum += (double)batch->weight[order ? order[i] : i];
  return sum;
}

/* The first number that is not finite; false if there is none. */
static bool find_not_finite(nnb_cmat m, int *row, int *col) {
  for (int i = 0; m.p && i < m.rows; i++)
    for (int j = 0; j < m.cols; j++)
      if (!isfinite(nnb__crow(m, i)[j])) return *row = i + 1, *col = j + 1, true;
  return false;
}

bool nnb__batch_finite(const nnb_batch *batch) {
  int row, col;
  return !find_not_finite(batch->x, &row, &col) && (batch->label || !find_not_finite(batch->t, &row, &col));
}

nnb_status nnb__fail_loss(double loss, const nnb_batch *batch) {
  int row, col;
  if (find_not_finite(batch->x, &row, &col))
    return nnb__fail(NNB_E_NUMERIC, "the loss is %g: x is not finite in row %d, column %d", loss, row, col);
  if (!batch->label && find_not_finite(batch->t, &row, &col))
    return nnb__fail(NNB_E_NUMERIC, "the loss is %g: t is not finite in row %d, column %d", loss, row, col);
  return nnb__fail(NNB_E_NUMERIC, "the loss is %g: the parameters or the net's outputs are too large", loss);
}

/* ---- the public calls ------------------------------------------------------------------------------------------- */

nnb_status nnb_plan_predict(nnb_plan *plan, nnb_cmat x, nnb_mat y) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  nnb_status status = nnb__check_x(plan->net, x, plan->max_rows);
  if (!status) status = check_y(plan->net, x.rows, nnb__read(y), "y");
  if (status || (x.rows == 1 && nnb__plan_row(plan, x.p, y.p))) return status;
  nnb_batch batch = {.x = x};
  nnb__plan_run(plan, &(nnb__job){.batch = &batch, .rows = x.rows, .what = NNB__OUTPUT});
  nnb__plan_outputs(plan, y);
  return NNB_OK;
}

static double norm_of(const nnb_batch *batch) {
  return batch->norm > 0 ? batch->norm : nnb__sum_weights(batch, NULL, 0, batch->x.rows);
}

static nnb_status finish_loss(nnb__loss_sum sum, double norm, const nnb_batch *batch, double *loss) {
  double value = nnb__loss_value(sum, norm);
  if (loss) *loss = value;
  return isfinite(value) ? NNB_OK : nnb__fail_loss(value, batch);
}

nnb_status nnb_plan_loss(nnb_plan *plan, const nnb_batch *batch, double *loss) {
  if (!plan || !loss) return nnb__fail(NNB_E_ARG, "plan or loss is NULL");
  nnb_status status = nnb__check_batch(plan->net, batch, plan->max_rows);
  if (status) return status;
  double norm = norm_of(batch);
  nnb__job job = {.batch = batch, .rows = batch->x.rows, .norm = norm, .what = NNB__LOSS};
  return finish_loss(nnb__plan_run(plan, &job), norm, batch, loss);
}

/* grad ← keep·grad + g */
static void add_kept(size_t n, double keep, const real *g, real *grad) {
  for (size_t i = 0; i < n; i++) grad[i] = (keep != 0 ? (real)keep * grad[i] : 0) + g[i];
}

nnb_status nnb_plan_gradient(nnb_plan *plan, const nnb_batch *batch, double keep, double *loss, real *grad) {
  if (!plan || !grad) return nnb__fail(NNB_E_ARG, "plan or grad is NULL");
  if (!(plan->want & NNB_GRAD)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_GRAD");
  nnb_status status = nnb__check_batch(plan->net, batch, plan->max_rows);
  if (status) return status;
  double norm = norm_of(batch);
  real beta = plan->g ? 0 : (real)keep;
  nnb__target target = {.dst = plan->g ? plan->g : grad, .alpha = 1, .beta = beta, .beta_bias = beta};
  nnb__job job = {
      .batch = batch, .rows = batch->x.rows, .norm = norm, .what = NNB__LOSS | NNB__BACK, .target = &target};
  status = finish_loss(nnb__plan_run(plan, &job), norm, batch, loss);
  if (plan->g) add_kept(plan->net->n_params, keep, plan->g, grad);
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
  nnb__plan_run(plan, &job);
  double loss = nnb__sum_squares((size_t)rows * (size_t)plan->net->n_y, r) / 2;
  return isfinite(loss) ? NNB_OK : nnb__fail_loss(loss, batch);
}

nnb_status nnb_plan_rows(nnb_plan *plan, const nnb_batch *batch, real *r, real *J, int ldj) {
  if (!plan || !r) return nnb__fail(NNB_E_ARG, "plan or r is NULL");
  if (!(plan->want & NNB_ROWS)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_ROWS");
  nnb_status status = nnb__check_batch(plan->net, batch, plan->max_rows);
  if (status) return status;
  if (J && (ldj < 0 || (size_t)ldj < plan->net->n_params))
    return nnb__fail(NNB_E_SHAPE, "ldj is %d; a row of J has %zu numbers", ldj, plan->net->n_params);
  return nnb__plan_rows(plan, batch, 0, batch->x.rows, norm_of(batch), r, J, (size_t)ldj, NNB__EVERY);
}

nnb_status nnb_plan_vjp(nnb_plan *plan, nnb_cmat x, nnb_cmat v, nnb_mat dx) {
  if (!plan) return nnb__fail(NNB_E_ARG, "plan is NULL");
  if (!(plan->want & NNB_DX)) return nnb__fail(NNB_E_STATE, "the plan was made without NNB_DX");
  nnb_status status = nnb__check_x(plan->net, x, plan->max_rows);
  if (!status) status = check_y(plan->net, x.rows, v, "v");
  if (status) return status;
  if (!dx.p) return nnb__fail(NNB_E_ARG, "dx is NULL");
  if (dx.rows != x.rows || dx.cols != x.cols || dx.ld < dx.cols)
    return nnb__fail(NNB_E_SHAPE, "dx is %d×%d; wanted %d×%d", dx.rows, dx.cols, x.rows, x.cols);
  nnb_batch batch = {.x = x};
  nnb__plan_run(plan, &(nnb__job){.batch = &batch, .rows = x.rows, .what = NNB__BACK, .v = v});
  nnb__plan_input_gradient(plan, dx);
  return NNB_OK;
}
