/* nn/chain_blocks.c: the executor for chains of narrow layers, and of convolutions of small images, in blocks of rows
 * that stay in the cache from x to the gradient (num/kernels/chain_blocks_kernel.h).  Rows are divided over the
 * threads; each thread has its own gradient, and these are added in the order of the threads. */
#include <string.h>

#include "chain_blocks_kernel.h"

#include "act.h"
#include "exec.h"
#include "ints.h"
#include "kernels.h"
#include "squares.h"
#include "team.h"

struct nnb__chain_blocks_plan {
  nnb__chain_blocks layout;
  int least_rows;             /* minimum of rows in a job; 0: this executor is never faster */
  size_t n_workspace, n_grad; /* sizes for each part, in numbers */
  int n_grads;                /* gradients in grad: one for each part or, in the defined arithmetic, group of rows */
  real *workspace, *grad;
};

/* When this executor is used.  layerwise processes rows of W in vectors; lanes after the end of a row are wasted, and
 * `padding` is the factor by which this enlarges the products.  Here no lane is wasted, but sums across lanes cost
 * time. Speed of gradients here relative to layerwise, one thread, AVX-512, 128 rows, f32 / f64: 10-20-20-1 (padding
 * 2.1 / 1.4) 2.1 / 1.7, 4-32-16-4 (1.3 / 1.1) 1.5 / 1.2, 20-64-64-3 (1.15 / 1.06) 1.0 / 0.8, 32-32-32-32 (1) 0.9 /
 * 0.9.  8-8-8-8 gains from two rows on, wider nets from a vector of rows on (docs/performance.md). */
static const struct {
  double padding;     /* minimum; below it layerwise is used, unless the net is tiny */
  int tiny;           /* maximal width of a tiny net's layers */
  size_t block_bytes; /* of a block; more than the first-level cache, because only a part is in use at a time */
  double least_flops; /* for each thread: about 20 µs */
  /* Chains with images have blocks of one vector of the widest level.  Their limits, of the size of second-level
   * caches: bytes of such a block, and of the parameters; both are read and written once for each block.  Larger nets
   * go layer by layer, with tiles of patches (conv.c). */
  size_t image_bytes, image_params;
} limits = {.padding = 1.08,
            .tiny = 8,
            .block_bytes = 96 << 10,
            .least_flops = 1.5e6,
            .image_bytes = 3 << 19,
            .image_params = 1 << 19};

/* ---- laying out ------------------------------------------------------------------------------------------------- */

static bool goes_back(const nnb_plan *plan) { return plan->want & NNB_GRAD; }
static bool keeps_z(const nnb__link *link) { return nnb__act(link->act)->traits & NNB_ACT_NEEDS_Z; }

/* Places the rows of a block, one for each feature: x, every A, each Z that is needed later, targets, weights.  Returns
 * their number; behind them is the space for ∂E/∂A.  a and z may be NULL. */
static size_t place_rows(const nnb_plan *plan, nnb__chain_blocks *layout, int *a, int *z) {
  const nnb_net *net = plan->net;
  size_t next = (size_t)net->n_x, l = 0;
  layout->x = 0, layout->first = -1;
  for (nnb__link link = {0}; nnb__net_next_link(net, &link); l++) {
    const size_t n_out = (size_t)link.n_out;
    const bool apart = goes_back(plan) && keeps_z(&link);
    if (a) a[l] = (int)next, z[l] = (int)(apart ? next + n_out : next);
    next += apart ? 2 * n_out : n_out;
    if (layout->first < 0 && link.rows + link.bias > 0) layout->first = (int)l;
  }
  layout->t = (int)next, layout->weight = (int)next + net->n_y, layout->back = layout->weight + 1;
  return next + (size_t)net->n_y + 1;
}

/* Features of the widest input of a link after the first one: the space for ∂E/∂A */
static size_t widest_input(const nnb_plan *plan) {
  size_t widest = 0;
  for (nnb__link link = {0}; goes_back(plan) && nnb__net_next_link(plan->net, &link);)
    if (link.node > 1 && (size_t)link.n_in > widest) widest = (size_t)link.n_in;
  return widest;
}

static int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

/* A multiple of three vectors, the width of the product's tiles */
static int block_rows(size_t features, int max_rows) {
  const int unit = 3 * NNB__CHAIN_BLOCKS_LANES;
  int rows = (int)(limits.block_bytes / sizeof(real) / features) / unit * unit;
  if (rows < unit) rows = unit;
  return rows < max_rows ? rows : round_up(max_rows, NNB__CHAIN_BLOCKS_LANES);
}

/* Whether a net is a chain with convolutions that suits blocks: few columns, of which a block stays in the cache. */
static bool has_small_images(const nnb_net *net) {
  size_t features = 0;
  bool conv = false;
  if (nnb__net_image_links(net) == 0) return false;
  for (nnb__link link = {0}; nnb__net_next_link(net, &link);) {
    features += (size_t)link.n_in;
    if (link.kind != NNB__LINK_CONV) continue;
    conv = true;
    if (link.rows > NNB__MOST_OFFSETS) return false;
  }
  return conv && features <= limits.image_bytes / (NNB__CHAIN_BLOCKS_LANES * sizeof(real)) &&
         net->n_params <= limits.image_params / sizeof(real);
}

/* Σ n_in·n_out over the links with n_out rounded up to whole vectors, divided by the same sum without rounding */
static double padding(const nnb_net *net) {
  double bare = 0, padded = 0;
  for (int k = 1; k < net->n_nodes; k++) {
    const nnb_needs *needs = &net->nodes[k].needs;
    bare += (double)needs->w_rows * needs->w_cols;
    padded += (double)needs->w_rows * round_up(needs->w_cols, NNB__CHAIN_BLOCKS_LANES);
  }
  return padded / bare;
}

/* Half a vector of samples: with fewer, most lanes would be idle. */
static int least_image_rows(void) { return NNB__CHAIN_BLOCKS_LANES / 2; }

static int least_rows(const nnb_net *net) {
  int widest = net->n_x;
  for (int k = 1; k < net->n_nodes; k++)
    if (net->nodes[k].needs.cols > widest) widest = net->nodes[k].needs.cols;
  if (widest <= limits.tiny) return 2;
  return padding(net) < limits.padding ? 0 : NNB__CHAIN_BLOCKS_LANES;
}

/* The number of widest vectors for this number of rows */
static int vectors(int rows) { return (rows - 1) / NNB__CHAIN_BLOCKS_LANES + 1; }

/* The number of groups of the defined arithmetic, and how many of them are computed before their gradients are added */
static int groups(int rows) { return (rows - 1) / NNB__GROUP + 1; }
enum { MOST_GROUPS = 32 };

/* The number of threads that share the rows */
static int choose_parts(const nnb_plan *plan, int rows, bool back) {
  const double flops = plan->flops * rows * (back ? 3 : 1);
  const int units = back && plan->exact ? groups(rows) : vectors(rows);
  int parts = flops / limits.least_flops < plan->threads ? (int)(flops / limits.least_flops) : plan->threads;
  if (parts > units) parts = units;
  return parts > 1 ? parts : 1;
}

/* In the defined arithmetic each of so many groups has its gradient. */
static int choose_grads(const nnb_plan *plan, int parts) {
  if (!plan->exact) return parts;
  return parts == 1 ? 1 : nnb__smaller(groups(plan->max_rows), MOST_GROUPS);
}

static bool lay_out(nnb_plan *plan, nnb__arena *arena) {
  const nnb_net *net = plan->net;
  const bool narrow = nnb__net_is_narrow(net);
  if (plan->want & NNB_KEEP || (!narrow && (plan->exact || !has_small_images(net)))) return false;
  const size_t n_links = (size_t)(narrow ? nnb__net_links(net) : nnb__net_image_links(net));
  nnb__chain_blocks layout = {.n_params = net->n_params};
  nnb__chain_blocks_plan *state = nnb__arena_take(arena, 1, sizeof *state);
  nnb__link *link = nnb__arena_take(arena, n_links, sizeof *link);
  int *a = nnb__arena_take(arena, n_links, sizeof *a), *z = nnb__arena_take(arena, n_links, sizeof *z);
  const size_t features = place_rows(plan, &layout, a, z);
  layout.rows = narrow ? block_rows(features, plan->max_rows) : NNB__CHAIN_BLOCKS_LANES;
  if (plan->exact && goes_back(plan)) layout.rows = NNB__GROUP;
  /* predictions of the defined arithmetic are shared out by vectors, gradients by groups */
  const int back = choose_parts(plan, plan->max_rows, true), ahead = choose_parts(plan, plan->max_rows, false);
  const size_t parts = (size_t)(back > ahead ? back : ahead);
  nnb__chain_blocks_plan made = {.least_rows = narrow ? least_rows(net) : least_image_rows(),
                                 .n_grads = choose_grads(plan, back),
                                 .n_workspace = (features + widest_input(plan)) * (size_t)layout.rows,
                                 .n_grad = goes_back(plan) ? (net->n_params + NNB__CHAIN_BLOCKS_LANES - 1) /
                                                                 NNB__CHAIN_BLOCKS_LANES * NNB__CHAIN_BLOCKS_LANES
                                                           : 0};
  made.workspace = nnb__arena_take(arena, parts * made.n_workspace, sizeof *made.workspace);
  made.grad = nnb__arena_take(arena, (size_t)made.n_grads * made.n_grad, sizeof *made.grad);
  if (!arena->base) return true;
  layout.chain = nnb__net_chain(net, link), layout.a = a, layout.z = z;
  made.layout = layout;
  *state = made;
  plan->chain_blocks = state;
  return true;
}

/* Takes predictions, losses and gradients of losses, but not gradients of plans with NNB_DX, which may need ∂E/∂x. */
static bool takes(const nnb_plan *plan, const nnb__job *job) {
  /* layerwise forms the groups of the defined arithmetic with more work */
  const int least = plan->exact && job->target ? 1 : plan->chain_blocks->least_rows;
  if (NNB__HAS_SLOPES(job)) return false;
  if (!plan->forced && (least == 0 || job->rows < least)) return false;
  if (!(job->what & NNB__BACK)) return !(job->what & ~(unsigned)(NNB__LOSS | NNB__OUTPUT));
  return job->what == (NNB__LOSS | NNB__BACK) && job->target && !(plan->want & NNB_DX);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

typedef struct block_run {
  nnb_plan *plan;
  nnb__chain_blocks_job job;
  int rows, parts;
  bool back;
  real *grad;       /* the memory to go on in, in the defined arithmetic; NULL: that of each part */
  int group, until; /* groups whose gradients are computed now */
} block_run;

static int first_row(const block_run *p, int part) {
  return nnb__smaller(nnb__share(vectors(p->rows), part, p->parts) * NNB__CHAIN_BLOCKS_LANES, p->rows);
}

static void run_part(void *context, int part) {
  const block_run *p = context;
  const nnb__chain_blocks_plan *r = p->plan->chain_blocks;
  const int r0 = first_row(p, part), r1 = first_row(p, part + 1);
  real *grad = !p->back ? NULL : p->grad ? p->grad : r->grad + (size_t)part * r->n_grad;
  p->plan->partial[part] =
      nnb__kernel()->chain_blocks(&r->layout, &p->job, r0, r1 - r0, r->workspace + (size_t)part * r->n_workspace, grad);
}

/* Computes the gradient of each group of a part's share. */
static void run_groups(void *context, int part) {
  const block_run *p = context;
  const nnb__chain_blocks_plan *r = p->plan->chain_blocks;
  const int n = p->until - p->group, end = p->group + nnb__share(n, part + 1, p->parts);
  for (int g = p->group + nnb__share(n, part, p->parts); g < end; g++) {
    const int r0 = g * NNB__GROUP;
    real *grad = r->grad + (size_t)(g - p->group) * r->n_grad;
    memset(grad, 0, r->n_grad * sizeof *grad);
    nnb__kernel()->chain_blocks(&r->layout, &p->job, r0, nnb__chunk(p->rows, r0, NNB__GROUP),
                                r->workspace + (size_t)part * r->n_workspace, grad);
  }
}

/* The same by several threads: the gradients of groups are added in their order. */
static void run_by_groups(block_run *p) {
  const nnb__chain_blocks_plan *r = p->plan->chain_blocks;
  for (; p->group < groups(p->rows); p->group = p->until) {
    p->until = nnb__smaller(p->group + r->n_grads, groups(p->rows));
    nnb__team_run(p->parts, run_groups, p);
    for (int g = 0; g < p->until - p->group; g++)
      for (size_t i = 0; i < p->plan->net->n_params; i++) p->grad[i] += r->grad[(size_t)g * r->n_grad + i];
  }
}

/* dst ← beta·dst + alpha·g, n numbers */
static void axpby(size_t n, real alpha, real beta, const real *g, real *dst) {
  if (beta == 0)
    for (size_t i = 0; i < n; i++) dst[i] = alpha * g[i];
  else
    for (size_t i = 0; i < n; i++) dst[i] = beta * dst[i] + alpha * g[i];
}

static void add_gradients(const block_run *p, const nnb__target *t) {
  const nnb__chain_blocks_plan *r = p->plan->chain_blocks;
  const nnb_net *net = p->plan->net;
  for (int part = 1; part < p->parts; part++)
    for (size_t i = 0; i < r->n_grad; i++) r->grad[i] += r->grad[(size_t)part * r->n_grad + i];
  for (int k = 0; k < r->layout.chain.n; k++) {
    const nnb__link *link = &r->layout.chain.link[k];
    const unsigned skip = t->skip_frozen ? net->nodes[link->node].frozen : 0;
    const size_t n = (size_t)link->rows * (size_t)link->cols, off = link->off, bias = off + n;
    if (!(skip & NNB_WEIGHTS)) axpby(n, t->alpha, t->beta, r->grad + off, t->dst + off);
    if (link->bias && !(skip & NNB_BIAS))
      axpby((size_t)link->cols, t->alpha, t->beta_bias, r->grad + bias, t->dst + bias);
  }
}

/* In the defined arithmetic the gradient is formed where it is wanted, from 0 or from beta times what is there.  NULL:
 * in the memory of the part; so is that of one group, from 0, if alpha is not 1. */
static real *go_on(const nnb_plan *plan, const nnb__target *t) {
  const size_t n = plan->net->n_params;
  if (!plan->exact || !t) return NULL;
  if (t->alpha != 1) {
    memset(plan->chain_blocks->grad, 0, n * sizeof *t->dst);
    return NULL;
  }
  if (t->beta == 0) memset(t->dst, 0, n * sizeof *t->dst);
  for (size_t i = 0; t->beta != 0 && t->beta != 1 && i < n; i++) t->dst[i] *= t->beta;
  return t->dst;
}

static nnb__loss_sum run(nnb_plan *plan, const nnb__job *job) {
  const nnb_net *net = plan->net;
  const nnb__node *node = &net->nodes[net->n_nodes - 1];
  const nnb__state *out = &plan->state[net->n_nodes - 1];
  const bool loss = job->what & NNB__LOSS;
  block_run p = {.plan = plan, .rows = job->rows, .back = job->what & NNB__BACK};
  p.parts = choose_parts(plan, job->rows, p.back);
  p.job = (nnb__chain_blocks_job){.params = net->params,
                                  .batch = job->batch,
                                  .order = job->order,
                                  .row0 = job->row0,
                                  .x_shift = net->in.shift,
                                  .x_factor = net->in.factor,
                                  .t_shift = net->out.shift,
                                  .t_factor = net->out.factor,
                                  .loss = loss,
                                  .scale = loss ? (real)nnb__pass_scale(node, out, job->norm) : 0,
                                  .y = job->what & NNB__OUTPUT ? out->a : (nnb_mat){0},
                                  .rows_loss = plan->rows_loss};
  p.grad = go_on(plan, job->target);
  if (p.grad && p.parts > 1)
    run_by_groups(&p);
  else
    nnb__team_run(p.parts, run_part, &p);
  if (job->target && !p.grad) add_gradients(&p, job->target);
  plan->formed = false;
  if (!loss) return job->before_loss;
  if (plan->exact) return nnb__add_row_losses(plan, job);
  double raw = 0;
  for (int part = 0; part < p.parts; part++) raw += plan->partial[part];
  raw *= nnb__pass_scale(node, out, 1);
  return out->loss->traits & (NNB_LOSS_MEAN_ROWS | NNB_LOSS_MEAN_ALL) ? (nnb__loss_sum){.mean = raw}
                                                                      : (nnb__loss_sum){.sum = raw};
}

const nnb__exec nnb__exec_chain_blocks = {.name = "chain_blocks", .lay_out = lay_out, .takes = takes, .run = run};
