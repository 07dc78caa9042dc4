/* nn/pass.c: takes the rows of a job through the layers of a net: into the plan, forward to the loss, back to every
 * Δ. */
#include "pass.h"

#include <string.h>

#include "ints.h"
#include "linear.h"
#include "squares.h"
#include "thresholds.h"

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

enum { CACHE_LINE = 64, AHEAD = 1 };

/* dst ← (src - shift)·factor, or a copy */
static void load_row(int n, const real *src, const nnb__scaler *s, real *dst) {
  if (!s->shift)
    memcpy(dst, src, (size_t)n * sizeof *dst);
  else
    for (int j = 0; j < n; j++) dst[j] = (src[j] - s->shift[j]) * s->factor[j];
}

/* Targets of derivatives of one row, in the net's units and input after input: ∂a/∂x' with y = a/factor + shift and x'
 * = (x - shift)·factor */
static void load_slopes(const nnb_net *net, const real *src, nnb_mat dst) {
  for (int j = 0; j < net->n_x; j++)
    for (int o = 0; o < net->n_y; o++) {
      const real up = net->out.factor ? net->out.factor[o] : 1, down = net->in.factor ? net->in.factor[j] : 1;
      nnb__row(dst, j)[o] = src[o * net->n_x + j] * up / down;
    }
}

/* Prefetches a row into the second-level cache while the previous row is copied: the hardware cannot predict the start
 * of rows in shuffled order. */
static void fetch_row(int n, const real *src) {
  const char *p = (const char *)src, *end = (const char *)(src + n);
  for (; p < end; p += CACHE_LINE) __builtin_prefetch(p, 0, 2);
}

/* Copies rows [r0, r1) into the plan, unless the pass reads the caller's rows in place. */
void nnb__pass_load(const nnb__pass *p, int r0, int r1) {
  const nnb_plan *plan = p->plan;
  const nnb__job *job = p->job;
  const nnb_batch *from = job->batch;
  for (int i = r0; i < r1; i++) {
    int row = job->order ? job->order[job->row0 + i] : job->row0 + i;
    if (job->order && i + AHEAD < r1) fetch_row(plan->net->n_x, nnb__crow(from->x, job->order[job->row0 + i + AHEAD]));
    if (p->batch.x.p == plan->x.p)
      load_row(plan->net->n_x, nnb__crow(from->x, row), &plan->net->in, nnb__row(plan->x, i));
    if (p->batch.t.p && p->batch.t.p == plan->t.p)
      load_row(plan->net->n_y, nnb__crow(from->t, row), &plan->net->out, nnb__row(plan->t, i));
    if (p->batch.label && p->batch.label == plan->label) plan->label[i] = from->label[row];
    if (p->batch.weight && p->batch.weight == plan->weight) plan->weight[i] = from->weight[row];
    if (p->batch.dt.p)
      load_slopes(plan->net, nnb__crow(from->dt, row), nnb__rows(plan->dt, i * plan->net->n_x, plan->net->n_x));
  }
}

const real *nnb__pass_weights(const nnb_plan *plan, const nnb__job *job) {
  if (!job->batch->weight) return NULL;
  return job->order ? plan->weight : job->batch->weight + job->row0;
}

/* Decides which arrays are read in place and which are copied. */
static void choose_rows(nnb__pass *p) {
  nnb_plan *plan = p->plan;
  const nnb__job *job = p->job;
  const nnb_batch *from = job->batch;
  int n = job->rows;
  bool copy = job->order != NULL, loss = job->what & (NNB__LOSS | NNB__RESIDUALS);
  p->batch = (nnb_batch){.norm = job->norm};
  const bool copy_x = copy || plan->net->in.shift || plan->want & NNB_KEEP; /* nnb_plan_view shows the plan's own x */
  p->batch.x = copy_x ? nnb__crows(nnb__read(plan->x), 0, n) : nnb__crows(from->x, job->row0, n);
  if (!loss) return;
  if (from->label)
    p->batch.label = copy ? plan->label : from->label + job->row0;
  else
    p->batch.t =
        copy || plan->net->out.shift ? nnb__crows(nnb__read(plan->t), 0, n) : nnb__crows(from->t, job->row0, n);
  p->batch.weight = nnb__pass_weights(plan, job);
  if (from->dt.p) p->batch.dt = nnb__read(plan->dt);
}

static void show_inputs(nnb_plan *plan, nnb_cmat x) {
  for (int k = 0; k < plan->net->n_nodes; k++) {
    const nnb__node *node = &plan->net->nodes[k];
    if (nnb__node_is_input(node)) plan->state[k].out = nnb__ccols(x, node->x_col, node->needs.cols);
  }
}

void nnb__pass_begin(nnb__pass *p) {
  choose_rows(p);
  show_inputs(p->plan, p->batch.x);
}

int nnb__pass_parts(double flops, int threads, int most) {
  double worth = flops / nnb__threshold.thread_flops;
  int parts = worth < threads ? (int)worth : threads;
  if (parts > most) parts = most;
  return parts > 1 ? parts : 1;
}

int nnb__pass_first_row(const nnb__pass *p, int part) { return nnb__share(p->job->rows, part, p->row_parts); }
int nnb__pass_n_rows(const nnb__pass *p, int part) {
  return nnb__pass_first_row(p, part + 1) - nnb__pass_first_row(p, part);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

nnb_layer_io nnb__pass_io(const nnb_plan *plan, int k, int r0, int n, int part) {
  const nnb__node *node = &plan->net->nodes[k];
  const nnb__state *s = &plan->state[k];
  nnb_cmat *a = plan->from + (size_t)part * (size_t)plan->longest;
  nnb_mat *da = plan->from_d + (size_t)part * (size_t)plan->longest;
  for (int i = 0; i < node->n_from; i++) {
    const nnb__state *source = &plan->state[node->from[i] - 1];
    a[i] = nnb__crows(source->out, r0, n);
    da[i] = nnb__rows(source->d, r0, n);
  }
  plan->runs[part] = plan->run;
  plan->runs[part].node = k + 1, plan->runs[part].row0 += r0;
  return (nnb_layer_io){.n_from = node->n_from,
                        .run = plan->runs + part,
                        .a = a,
                        .da = da,
                        .z = nnb__rows(s->z, r0, n),
                        .delta = nnb__crows(nnb__read(s->d), r0, n),
                        .w = plan->net->params + node->off,
                        .buffers = node->needs.buffers ? plan->net->params + node->buffers_off : NULL,
                        .scratch = s->scratch ? s->scratch + (size_t)r0 * node->needs.scratch : NULL,
                        .work = s->work,
                        .parts = 1};
}

/* Each update, and each gradient, changes the buffers once: where a loss alone is computed they stay. */
nnb_layer_io nnb__pass_io_forward(const nnb_plan *plan, int k, int r0, int n, int part) {
  nnb_layer_io io = nnb__pass_io(plan, k, r0, n, part);
  const bool changes = plan->run.training && (plan->what & NNB__BACK);
  if (io.buffers && changes) io.new_buffers = plan->net->params + plan->net->nodes[k].buffers_off;
  return io;
}

/* The undivided loss of output k over rows [r0, r0 + n); computes ∂E/∂A or ∂E/∂Z if the run goes back. */
static double output_loss(const nnb__pass *p, int k, int r0, int n) {
  const nnb__node *node = &p->plan->net->nodes[k];
  nnb__state *s = &p->plan->state[k];
  nnb_batch rows = {.t = nnb__crows(nnb__ccols(p->batch.t, node->out_col, node->needs.cols), r0, n),
                    .label = p->batch.label ? p->batch.label + r0 : NULL,
                    .weight = p->batch.weight ? p->batch.weight + r0 : NULL,
                    .norm = p->job->norm};
  nnb_mat d = {0};
  if (p->job->what & NNB__BACK) d = nnb__rows(node->n_consumers ? s->tap : s->d, r0, n);
  real scale = (real)nnb__pass_scale(node, s, p->job->norm);
  if (s->fused) return s->loss->fused(s->loss, nnb__crows(nnb__read(s->z), r0, n), &rows, scale, d);
  return s->loss->value(s->loss, nnb__crows(nnb__read(s->a), r0, n), &rows, scale, d);
}

/* In the defined arithmetic each row has its loss. */
static double output_losses(const nnb__pass *p, int k, int r0, int n) {
  const nnb_plan *plan = p->plan;
  if (!plan->exact) return output_loss(p, k, r0, n);
  for (int i = r0; i < r0 + n; i++)
    plan->rows_loss[(size_t)i * (size_t)plan->n_outputs + (size_t)plan->state[k].output] = output_loss(p, k, i, 1);
  return 0;
}

/* The place for a part's loss of output k. */
double *nnb__pass_partial_loss(const nnb_plan *plan, int part, int k) {
  return &plan->partial[(size_t)part * (size_t)plan->n_outputs + (size_t)plan->state[k].output];
}

static void activate(const nnb__pass *p, int k, int r0, int n) {
  const nnb__state *s = &p->plan->state[k];
  nnb_cmat z = nnb__crows(nnb__read(s->z), r0, n);
  nnb_mat a = nnb__rows(s->a, r0, n);
  if (s->act) s->act->value(s->act, z, a);
  if (!s->act && a.p != z.p)
    for (int i = 0; i < n; i++) memcpy(nnb__row(a, i), nnb__crow(z, i), (size_t)z.cols * sizeof(real));
  if (!s->slope.p) return;
  nnb_mat slope = nnb__rows(s->slope, r0, n);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < slope.cols; j++) nnb__row(slope, i)[j] = 1;
  if (s->act && !(s->act->traits & NNB_ACT_ROWWISE)) s->act->pull(s->act, z, nnb__read(a), slope);
}

void nnb__pass_activate_columns(const nnb__pass *p, int k, int c0, int n) {
  const nnb__state *s = &p->plan->state[k];
  const nnb_mat z = nnb__cols(nnb__rows(s->z, 0, p->job->rows), c0, n);
  const nnb_mat a = nnb__cols(nnb__rows(s->a, 0, p->job->rows), c0, n);
  if (s->act) s->act->value(s->act, nnb__read(z), a);
  for (int i = 0; !s->act && a.p != z.p && i < z.rows; i++)
    memcpy(nnb__row(a, i), nnb__row(z, i), (size_t)n * sizeof(real));
}

/* The work after the product: the activation, and an output's loss. */
void nnb__pass_finish(const nnb__pass *p, int part, int k, int r0, int n) {
  const nnb_plan *plan = p->plan;
  const nnb__node *node = &plan->net->nodes[k];
  bool loss = node->out_col >= 0 && (p->job->what & NNB__LOSS), fused = loss && plan->state[k].fused;
  double sum = fused ? output_losses(p, k, r0, n) : 0; /* from Z, which the activation may overwrite */
  if (!fused || node->n_consumers || plan->state[k].slope.p || (p->job->what & NNB__OUTPUT)) activate(p, k, r0, n);
  if (loss && !fused) sum = output_losses(p, k, r0, n);
  if (loss) *nnb__pass_partial_loss(plan, part, k) = sum;
}

void nnb__pass_forward(const nnb__pass *p, int part, int r0, int n) {
  for (int k = 0; k < p->plan->net->n_nodes; k++) {
    const nnb__node *node = &p->plan->net->nodes[k];
    if (nnb__node_is_input(node)) continue;
    nnb_layer_io io = nnb__pass_io_forward(p->plan, k, r0, n, part);
    node->ops->forward(node->self, &io);
    nnb__pass_finish(p, part, k, r0, n);
  }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

static void add_to(nnb_mat d, nnb_cmat tap) {
  for (int i = 0; i < d.rows; i++)
    for (int j = 0; j < d.cols; j++) nnb__row(d, i)[j] += nnb__crow(tap, i)[j];
}

/* d of output k ← the caller's v, in the net's units: y = a/factor + shift */
static void load_v(const nnb__pass *p, int k, int r0, int n) {
  const nnb__node *node = &p->plan->net->nodes[k];
  const real *factor = p->plan->net->out.factor;
  nnb_mat d = nnb__rows(node->n_consumers ? p->plan->state[k].tap : p->plan->state[k].d, r0, n);
  for (int i = 0; i < n; i++) {
    const real *v = nnb__crow(p->job->v, r0 + i) + node->out_col;
    for (int j = 0; j < d.cols; j++) nnb__row(d, i)[j] = factor ? v[j] / factor[node->out_col + j] : v[j];
  }
}

/* d of output k ← ∂r/∂a for the residuals r of one column of the outputs */
static void load_residual(const nnb__pass *p, int k, int r0, int n, int column) {
  const nnb__node *node = &p->plan->net->nodes[k];
  nnb_mat d = nnb__rows(node->n_consumers ? p->plan->state[k].tap : p->plan->state[k].d, r0, n);
  const int j = column - node->out_col;
  const real base = (real)nnb__output_root(p->plan->net, k, p->job->norm), *weight = p->batch.weight;
  for (int i = 0; i < n; i++) {
    memset(nnb__row(d, i), 0, (size_t)d.cols * sizeof(real));
    if (0 <= j && j < d.cols) nnb__row(d, i)[j] = weight ? base * R(sqrt)(weight[r0 + i]) : base;
  }
}

/* d: from ∂E/∂A, summed over the consumers, or from the loss, to ∂E/∂Z */
static void pull(const nnb__pass *p, int k, int r0, int n) {
  const nnb__state *s = &p->plan->state[k];
  bool fused = s->fused && (p->job->what & (NNB__LOSS | NNB__SCORES)), tapped = s->tap.p != NULL;
  nnb_mat d = nnb__rows(s->d, r0, n);
  nnb_cmat tap = nnb__crows(nnb__read(s->tap), r0, n);
  if (tapped && !fused) add_to(d, tap);
  if (s->da.p)
    for (int i = 0; i < n; i++) memcpy(nnb__row(s->da, r0 + i), nnb__row(d, i), (size_t)d.cols * sizeof(real));
  if (s->act && !(fused && !tapped))
    s->act->pull(s->act, nnb__crows(nnb__read(s->z), r0, n), nnb__crows(nnb__read(s->a), r0, n), d);
  if (tapped && fused) add_to(d, tap);
}

void nnb__pass_pull_columns(const nnb__pass *p, int k, int c0, int n) {
  const nnb__state *s = &p->plan->state[k];
  const nnb_mat d = nnb__cols(nnb__rows(s->d, 0, p->job->rows), c0, n);
  const nnb_mat kept = nnb__cols(nnb__rows(s->da, 0, p->job->rows), c0, n);
  for (int i = 0; kept.p && i < d.rows; i++) memcpy(nnb__row(kept, i), nnb__row(d, i), (size_t)n * sizeof(real));
  if (s->act)
    s->act->pull(s->act, nnb__ccols(nnb__crows(nnb__read(s->z), 0, d.rows), c0, n),
                 nnb__ccols(nnb__crows(nnb__read(s->a), 0, d.rows), c0, n), d);
}

/* Computes Δ of node k; column as in nnb__pass_back. */
void nnb__pass_delta(const nnb__pass *p, int k, int r0, int n, int column) {
  const nnb__node *node = &p->plan->net->nodes[k];
  if (node->out_col >= 0 && column >= 0)
    load_residual(p, k, r0, n, column);
  else if (node->out_col >= 0 && !(p->job->what & (NNB__LOSS | NNB__SCORES)))
    load_v(p, k, r0, n);
  pull(p, k, r0, n);
}

/* Computes ∂E/∂A of the inputs of node k from its Δ, and what its parameters need. */
void nnb__pass_hand_back(const nnb_plan *plan, int k, nnb_layer_io *io) {
  const nnb__node *node = &plan->net->nodes[k];
  if (node->ops->prepare_back) node->ops->prepare_back(node->self, io);
  for (int i = 0; i < node->n_from; i++) {
    const nnb__state *source = &plan->state[node->from[i] - 1];
    if (i) io->cols_before += io->a[i - 1].cols;
    io->da_beta = source->first_node == k && source->first_k == i ? 0 : 1;
    if (source->needs_d) node->ops->backward_data(node->self, io, i);
  }
}

bool nnb__pass_goes_back(const nnb_plan *plan, int k) {
  return !nnb__node_is_input(&plan->net->nodes[k]) && plan->state[k].needs_d;
}

void nnb__pass_back(const nnb__pass *p, int part, int r0, int n, int column) {
  for (int k = p->plan->net->n_nodes - 1; k >= 0; k--) {
    if (!nnb__pass_goes_back(p->plan, k)) continue;
    if (p->job->columns == NNB__LINEAR && !nnb__is_linear_output(p->plan->net, k)) continue;
    nnb__pass_delta(p, k, r0, n, column);
    if (p->job->columns == NNB__LINEAR) continue;
    nnb_layer_io io = nnb__pass_io(p->plan, k, r0, n, part);
    nnb__pass_hand_back(p->plan, k, &io);
  }
}

double nnb__loss_value(nnb__loss_sum sum, double norm) { return (norm > 0 ? sum.mean / norm : 0) + sum.sum; }
