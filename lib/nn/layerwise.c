/* nn/layerwise.c: the executor that takes every net, layer by layer.
 *
 * A run has two parallel phases.  In the first, every part takes its rows through the whole net: forward, loss, and
 * backward to every Δ.  Rows do not depend on each other, so nothing waits.  In the second, the parts form the
 * parameter products, each for its share of the rows of every W.  There is no reduction, and because all Δ exist by
 * then, the products may go into the weights themselves.  Wide layers have their own first phase (layerwise_wide.c). */
#include "blas_threads.h"
#include "derivatives.h"
#include "exec.h"
#include "jacobian.h"
#include "layerwise_groups.h"
#include "layerwise_wide.h"
#include "pass.h"
#include "second.h"
#include "squares.h"
#include "team.h"
#include "thresholds.h"

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

static void phase_rows(void *context, int part) {
  const nnb__pass *p = context;
  const int r0 = nnb__pass_first_row(p, part), n = nnb__pass_n_rows(p, part);
  nnb__pass_load(p, r0, r0 + n);
  nnb__pass_forward(p, part, r0, n);
  if (NNB__HAS_SLOPES(p->job))
    nnb__pass_slopes(p, part, r0, n);
  else if (p->job->what & NNB__BACK)
    nnb__pass_back(p, part, r0, n, -1);
  if (p->job->what & NNB__RESIDUALS) nnb__pass_rows(p, part, r0, n);
  if (p->job->what & NNB__RESIDUALS && NNB__HAS_SLOPES(p->job)) nnb__pass_slope_rows(p, part, r0, n);
  if (p->job->what & NNB__TANGENTS) nnb__pass_derivatives(p, part, r0, n);
  if (p->job->what & NNB__SECOND) nnb__pass_second(p, part, r0, n);
}

/* ---- the parameters ---------------------------------------------------------------------------------------------- */

static nnb_sink make_sink(const nnb__node *node, const nnb__target *t) {
  real *w = t->dst + node->off;
  unsigned skip = t->skip_frozen ? node->frozen : 0;
  const real beta = node->needs.no_decay ? t->beta_bias : t->beta;
  nnb_sink sink = {.alpha = t->alpha, .beta = beta, .beta_bias = t->beta_bias};
  if (!(skip & NNB_WEIGHTS)) sink.w = w;
  if (node->needs.bias && !(skip & NNB_BIAS)) sink.b = w + (size_t)node->needs.w_rows * (size_t)node->needs.w_cols;
  return sink;
}

static void phase_params(void *context, int part) {
  const nnb__pass *p = context;
  const nnb_net *net = p->plan->net;
  for (int b = net->n_blocks - 1; b >= 0; b--) {
    int k = net->block_node[b] - 1;
    const nnb__node *node = &net->nodes[k];
    if (!node->ops->backward_params) continue;
    nnb_layer_io io = nnb__pass_io(p->plan, k, 0, p->job->rows, part);
    io.part = part, io.parts = p->param_parts;
    nnb_sink sink = make_sink(node, p->job->target);
    if (!sink.w && !sink.b) continue;
    if (p->plan->group > 1)
      nnb__layerwise_groups(p->plan, k, &io, sink);
    else if (nnb__layerwise_wide_owns(p, k))
      nnb__layerwise_wide_params(p, k, &sink, part);
    else
      node->ops->backward_params(node->self, &io, &sink);
    if (NNB__HAS_SLOPES(p->job)) nnb__pass_slope_params(p, k, &io, sink, part);
  }
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static int smaller_count(double worth, int threads) { return worth < threads ? (int)worth : threads; }

/* The number of threads.  A small net with a small batch gets few threads with their own rows, or, if that allows more,
 * threads with their own columns (num/blas/thresholds.h); p->owned says which. */
static int most_threads(nnb__pass *p) {
  const nnb_plan *plan = p->plan;
  const nnb__job *job = p->job;
  if (!job->target || NNB__HAS_SLOPES(job) || (double)plan->net->n_params * sizeof(real) > nnb__threshold.private_bytes)
    return plan->threads;
  const int rows = smaller_count(job->rows / nnb__threshold.private_rows, plan->threads);
  const double owned =
      nnb__threshold.owned_flops * (sizeof(real) < sizeof(double) ? 2 : 1); /* floats take half the time */
  const int columns = smaller_count(plan->flops * job->rows / owned, plan->threads);
  p->owned = columns > rows && columns > 1 && columns <= job->rows;
  p->owned = p->owned && nnb__layerwise_wide_divides(p);
  return p->owned ? columns : rows;
}

/* Adds the parts' losses in a fixed order, so the bits do not depend on the threads. */
static nnb__loss_sum add_losses(const nnb__pass *p) {
  nnb__loss_sum sum = {0};
  for (int o = 0; o < p->plan->n_outputs; o++) {
    const nnb__node *node = &p->plan->net->nodes[p->plan->outputs[o]];
    const nnb__state *s = &p->plan->state[p->plan->outputs[o]];
    double raw = 0;
    for (int part = 0; part < p->row_parts; part++) raw += *nnb__pass_partial_loss(p->plan, part, p->plan->outputs[o]);
    if (s->loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL))
      sum.mean += raw * nnb__pass_scale(node, s, 1);
    else
      sum.sum += raw * nnb__pass_scale(node, s, 1);
  }
  return sum;
}

static nnb__loss_sum run(nnb_plan *plan, const nnb__job *job) {
  nnb__pass p = {.plan = plan, .job = job};
  const int threads = most_threads(&p);
  double flops = plan->flops * job->rows;
  if (job->J || job->what & NNB__TANGENTS) flops *= 1 + plan->net->n_y;
  if (job->what & NNB__SECOND) flops *= 4;
  if (NNB__HAS_SLOPES(job)) flops *= 1 + plan->net->n_x;
  p.row_parts = nnb__pass_parts(job->what & NNB__BACK ? 2 * flops : flops, threads, job->rows);
  p.param_parts = nnb__pass_parts(flops, threads, threads);
  if (p.owned) p.row_parts = p.param_parts = threads;
  nnb_status status = nnb__blas_enter();
  if (status) return (nnb__loss_sum){.status = status};
  nnb__pass_begin(&p);
  if (nnb__layerwise_wide_suits(&p)) {
    nnb__layerwise_wide_run(&p);
  } else {
    if (job->run.training && plan->net->whole_rows) p.row_parts = 1; /* for layers that want all rows */
    nnb__team_run(p.row_parts, phase_rows, &p);
  }
  if (job->target) {
    nnb__team_run(p.param_parts, phase_params, &p);
    plan->formed = job->target->dst == plan->g;
  }
  nnb__blas_leave();
  if (!(job->what & NNB__LOSS)) return job->before_loss;
  return plan->exact ? nnb__add_row_losses(plan, job) : add_losses(&p);
}

/* Its memory is part of every plan, because nnb_plan_view shows it. */
static bool lay_out(nnb_plan *plan, nnb__arena *arena) { return plan && arena; }
static bool takes(const nnb_plan *plan, const nnb__job *job) { return plan && job; }

const nnb__exec nnb__exec_layerwise = {.name = "layerwise", .lay_out = lay_out, .takes = takes, .run = run};
