/* nn/soa.c: chains of narrow layers, in blocks of rows that stay in the first-level cache from x to the gradient
 * (num/soa.h).  Rows are divided among the threads; each has a gradient of its own, and the sum is taken in order. */
#include "soa.h"

#include "act.h"
#include "exec.h"
#include "ints.h"
#include "kernels.h"
#include "squares.h"
#include "team.h"

struct nnb__soa_room {
  nnb__soa soa;
  int least_rows;        /* of a job that is worth it; 0: none is */
  size_t n_room, n_grad; /* numbers for each part */
  real *room, *grad;
};

/* What decides.  Layer by layer, rows of each matrix are vectors, and what a row of W lacks to whole vectors is wasted:
 * padding is by how much that enlarges the products.  Here nothing is wasted, but sums across lanes cost.  Times of
 * gradients layer by layer to those here, one thread, AVX-512, 128 rows, f32 / f64: 10-20-20-1 (padding 2.1 / 1.4)
 * 2.1 / 1.7, 4-32-16-4 (1.3 / 1.1) 1.5 / 1.2, 20-64-64-3 (1.15 / 1.06) 1.0 / 0.8, 32-32-32-32 (1) 0.9 / 0.9.  8-8-8-8
 * gains from two rows on, wider nets from a vector of rows on (docs/performance.md). */
static const struct {
  double padding;     /* less is for gemm, too, … */
  int tiny;           /* … unless no layer is wider than this */
  size_t block_bytes; /* for a block: all of it is seldom in use at once, and the second-level cache is near */
  double least_flops; /* for a thread of its own: some 20 µs */
} limits = {.padding = 1.08, .tiny = 8, .block_bytes = 96 << 10, .least_flops = 1.5e6};

/* ---- laying out ------------------------------------------------------------------------------------------------- */

static bool goes_back(const nnb_plan *plan) { return plan->want & NNB_GRAD; }
static bool keeps_z(const nnb__node *node) {
  return nnb__act((nnb_activation)node->activation)->traits & NNB_ACT_NEEDS_Z;
}

/* The rows of a block, one a feature: x, every A and such Z as are wanted later; where the other arrays begin.  a and z
 * may be NULL. */
static int place(const nnb_plan *plan, nnb__soa *soa, int *a, int *z) {
  const nnb_net *net = plan->net;
  int next = net->n_x;
  soa->x = 0;
  for (int k = 1; k < net->n_nodes; k++) {
    const int n_out = net->nodes[k].needs.cols;
    const bool apart = goes_back(plan) && keeps_z(&net->nodes[k]);
    if (a) a[k - 1] = next, z[k - 1] = apart ? next + n_out : next;
    next += apart ? 2 * n_out : n_out;
  }
  soa->t = next, soa->weight = next + net->n_y;
  return soa->weight + 1;
}

static int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

/* A multiple of three vectors, which is what the product's tiles take. */
static int block_rows(int features, int max_rows) {
  const int unit = 3 * NNB__SOA_LANES;
  int rows = (int)(limits.block_bytes / sizeof(real)) / features / unit * unit;
  if (rows < unit) rows = unit;
  return rows < max_rows ? rows : round_up(max_rows, NNB__SOA_LANES);
}

static bool is_narrow(const nnb_net *net) {
  if (nnb__net_links(net) == 0 || net->n_x > NNB__SOA_WIDEST) return false;
  for (int k = 0; k < net->n_nodes; k++)
    if (net->nodes[k].needs.cols > NNB__SOA_WIDEST) return false;
  return true;
}

/* Σ n_in·n_out over the links, with n_out filled up to whole vectors, to the same without. */
static double padding(const nnb_net *net) {
  double bare = 0, padded = 0;
  for (int k = 1; k < net->n_nodes; k++) {
    const nnb_needs *needs = &net->nodes[k].needs;
    bare += (double)needs->w_rows * needs->w_cols;
    padded += (double)needs->w_rows * round_up(needs->w_cols, NNB__SOA_LANES);
  }
  return padded / bare;
}

static int least_rows(const nnb_net *net) {
  int widest = net->n_x;
  for (int k = 1; k < net->n_nodes; k++)
    if (net->nodes[k].needs.cols > widest) widest = net->nodes[k].needs.cols;
  if (widest <= limits.tiny) return 2;
  return padding(net) < limits.padding ? 0 : NNB__SOA_LANES;
}

/* The widest vectors that so many rows fill. */
static int vectors(int rows) { return (rows - 1) / NNB__SOA_LANES + 1; }

/* Among how many threads rows are shared. */
static int choose_parts(const nnb_plan *plan, int rows, bool back) {
  const double flops = plan->flops * rows * (back ? 3 : 1);
  int parts = flops / limits.least_flops < plan->threads ? (int)(flops / limits.least_flops) : plan->threads;
  if (parts > vectors(rows)) parts = vectors(rows);
  return parts > 1 ? parts : 1;
}

static bool lay_out(nnb_plan *plan, nnb__arena *arena) {
  const nnb_net *net = plan->net;
  if (!is_narrow(net) || plan->want & NNB_KEEP) return false;
  const size_t n_links = (size_t)net->n_nodes - 1;
  nnb__soa soa = {.n_params = net->n_params};
  nnb__soa_room *room = nnb__arena_take(arena, 1, sizeof *room);
  nnb__link *link = nnb__arena_take(arena, n_links, sizeof *link);
  int *a = nnb__arena_take(arena, n_links, sizeof *a), *z = nnb__arena_take(arena, n_links, sizeof *z);
  const int features = place(plan, &soa, a, z);
  soa.rows = block_rows(features, plan->max_rows);
  const size_t parts = (size_t)choose_parts(plan, plan->max_rows, true);
  nnb__soa_room made = {
      .least_rows = least_rows(net),
      .n_room = (size_t)features * (size_t)soa.rows,
      .n_grad = goes_back(plan) ? (net->n_params + NNB__SOA_LANES - 1) / NNB__SOA_LANES * NNB__SOA_LANES : 0};
  made.room = nnb__arena_take(arena, parts * made.n_room, sizeof *made.room);
  made.grad = nnb__arena_take(arena, parts * made.n_grad, sizeof *made.grad);
  if (!arena->base) return true;
  soa.chain = nnb__net_chain(net, link), soa.a = a, soa.z = z;
  made.soa = soa;
  *room = made;
  plan->soa = room;
  return true;
}

/* Predictions, losses and their gradients.  After a run back of a plan with NNB_DX one may ask for ∂E/∂x. */
static bool takes(const nnb_plan *plan, const nnb__job *job) {
  const int least = plan->soa->least_rows;
  if (!plan->forced && (least == 0 || job->rows < least)) return false;
  if (!(job->what & NNB__BACK)) return !(job->what & NNB__RESIDUALS);
  return job->what == (NNB__LOSS | NNB__BACK) && job->target && !(plan->want & NNB_DX);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

typedef struct pass {
  nnb_plan *plan;
  nnb__soa_job job;
  int rows, parts;
  bool back;
} pass;

static int first_row(const pass *p, int part) {
  return nnb__smaller(nnb__share(vectors(p->rows), part, p->parts) * NNB__SOA_LANES, p->rows);
}

static void run_part(void *context, int part) {
  const pass *p = context;
  const nnb__soa_room *r = p->plan->soa;
  const int r0 = first_row(p, part), r1 = first_row(p, part + 1);
  real *grad = p->back ? r->grad + (size_t)part * r->n_grad : NULL;
  p->plan->partial[part] = nnb__kernel()->soa(&r->soa, &p->job, r0, r1 - r0, r->room + (size_t)part * r->n_room, grad);
}

/* dst ← beta·dst + alpha·g, n numbers */
static void put(size_t n, real alpha, real beta, const real *g, real *dst) {
  if (beta == 0)
    for (size_t i = 0; i < n; i++) dst[i] = alpha * g[i];
  else
    for (size_t i = 0; i < n; i++) dst[i] = beta * dst[i] + alpha * g[i];
}

static void deliver(const pass *p, const nnb__target *t) {
  const nnb__soa_room *r = p->plan->soa;
  const nnb_net *net = p->plan->net;
  for (int part = 1; part < p->parts; part++)
    for (size_t i = 0; i < r->n_grad; i++) r->grad[i] += r->grad[(size_t)part * r->n_grad + i];
  for (int k = 0; k < r->soa.chain.n; k++) {
    const nnb__link *link = &r->soa.chain.link[k];
    const unsigned skip = t->skip_frozen ? net->nodes[k + 1].frozen : 0;
    const size_t n = (size_t)link->n_in * (size_t)link->n_out, off = link->off, bias = off + n;
    if (!(skip & NNB_WEIGHTS)) put(n, t->alpha, t->beta, r->grad + off, t->dst + off);
    if (link->bias && !(skip & NNB_BIAS))
      put((size_t)link->n_out, t->alpha, t->beta_bias, r->grad + bias, t->dst + bias);
  }
}

static nnb__loss_sum run(nnb_plan *plan, const nnb__job *job) {
  const nnb_net *net = plan->net;
  const nnb__node *node = &net->nodes[net->n_nodes - 1];
  const nnb__state *out = &plan->state[net->n_nodes - 1];
  const bool loss = job->what & NNB__LOSS;
  pass p = {.plan = plan, .rows = job->rows, .back = job->what & NNB__BACK};
  p.parts = choose_parts(plan, job->rows, p.back);
  p.job = (nnb__soa_job){.params = net->params,
                         .batch = job->batch,
                         .order = job->order,
                         .row0 = job->row0,
                         .x_shift = net->in.shift,
                         .x_factor = net->in.factor,
                         .t_shift = net->out.shift,
                         .t_factor = net->out.factor,
                         .loss = loss,
                         .scale = loss ? (real)nnb__pass_scale(node, out, job->norm) : 0,
                         .y = job->what & NNB__OUTPUT ? out->a : (nnb_mat){0}};
  nnb__team_run(p.parts, run_part, &p);
  if (job->target) deliver(&p, job->target);
  plan->formed = false;
  if (!loss) return (nnb__loss_sum){0};
  double raw = 0;
  for (int part = 0; part < p.parts; part++) raw += plan->partial[part];
  raw *= nnb__pass_scale(node, out, 1);
  return out->loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL) ? (nnb__loss_sum){.mean = raw}
                                                                      : (nnb__loss_sum){.sum = raw};
}

const nnb__exec nnb__exec_soa = {.name = "soa", .lay_out = lay_out, .takes = takes, .run = run};
