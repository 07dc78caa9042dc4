/* nn/chain_rows.c: the executor that takes one row at a time through a chain of dense layers, with the kernels of
 * num/kernels/chain_rows_kernel.h. */
#include <string.h>

#include "alloc.h"
#include "exec.h"

/* Training uses layerwise if the copies need more bytes than this: Wᵀ doubles the writes of an update, which pays only
 * while everything stays in the second-level cache. */
static const size_t most_bytes = (size_t)1 << 20;

struct nnb__chain_rows_plan {
  const nnb__kernels *kernel;
  nnb__chain chain;
  nnb__link *link;
  real *a[2]; /* for predictions: two rows, each as long as the widest */
  int32_t *all, *list;
  bool trains; /* true: the members below are set */
  nnb__chain_rows run;
  bool *copied; /* for each link: the run has its own copy of W, with padded rows */
  real *rows;   /* n_zero contiguous numbers that must be 0 when a run begins */
  size_t n_zero;
};

/* ---- laying out ------------------------------------------------------------------------------------------------- */

static bool is_padded(int n) { return n % NNB__PAD == 0; }

static void *take_reals(nnb__arena *arena, size_t n) { return nnb__arena_take(arena, n, sizeof(real)); }
/* rows × cols numbers, the rows padded */
static real *take_rows(nnb__arena *arena, int rows, int cols) {
  size_t n;
  if (!nnb__mul((size_t)rows, nnb__padded(cols), &n)) arena->overflow = true;
  return take_reals(arena, n);
}

/* Whether the copies are small enough for training */
static bool suits(const nnb_net *net, int n) {
  double numbers = 0;
  for (int i = 0; i < n; i++) {
    nnb__link l = nnb__net_link(net, i);
    double w = (double)l.n_in * l.n_out;
    numbers += (i ? w : 0) + (is_padded(l.n_out) ? 0 : w);
  }
  return numbers * (double)sizeof(real) <= (double)most_bytes;
}

static void lay_out_link(nnb__chain_rows_plan *o, nnb__arena *arena, const nnb__link *shape, int i) {
  nnb__chain_rows_link l = {.shape = *shape, .ldw = nnb__padded(shape->n_out), .ldt = nnb__padded(shape->n_in)};
  if (!is_padded(shape->n_out)) l.w = take_rows(arena, shape->n_in, shape->n_out);
  if (i) l.t = take_rows(arena, shape->n_out, shape->n_in);
  if (!arena->base) return;
  o->run.link[i] = l, o->copied[i] = l.w != NULL;
}

/* Places the rows of a link from p on, unless l is NULL; returns the number of their numbers. */
static size_t lay_out_rows(nnb__chain_rows_link *l, int n_out, real *p) {
  const size_t n = nnb__padded(n_out);
  if (l) l->b = p, l->z = p + n, l->d = p + 2 * n, l->a[0] = p + 3 * n, l->a[1] = p + 4 * n;
  if (l) l->v[0] = p + 5 * n, l->v[1] = p + 6 * n;
  return 7 * n;
}

static void lay_out_training(nnb__chain_rows_plan *o, nnb__arena *arena, const nnb_net *net) {
  const size_t widest = nnb__padded(o->chain.widest), n_x = nnb__padded(net->n_x), n = (size_t)o->chain.n;
  nnb__chain_rows *run = &o->run;
  *run = (nnb__chain_rows){.n = o->chain.n, .loss = o->chain.loss, .factor = o->chain.factor, .all = o->all};
  run->link = nnb__arena_take(arena, n, sizeof *run->link);
  o->copied = nnb__arena_take(arena, n, sizeof *o->copied);
  run->update = o->list;
  run->fresh = nnb__arena_take(arena, n_x + (size_t)NNB__PAD, sizeof *run->fresh);
  for (int i = 0; i < 3; i++) run->x[i] = take_reals(arena, n_x);
  run->t = take_reals(arena, nnb__padded(net->n_y));
  o->n_zero = 2 * widest;
  for (int i = 0; i < run->n; i++) {
    nnb__link shape = nnb__net_link(net, i);
    lay_out_link(o, arena, &shape, i);
    o->n_zero += lay_out_rows(NULL, shape.n_out, NULL);
  }
  real *p = o->rows = take_reals(arena, o->n_zero);
  if (!arena->base) return;
  run->zeros = p, run->ahead = p + widest, p += 2 * widest;
  for (int i = 0; i < run->n; i++) p += lay_out_rows(&run->link[i], run->link[i].shape.n_out, p);
}

static bool lay_out(nnb_plan *plan, nnb__arena *arena) {
  const int n = nnb__net_links(plan->net);
  if (n == 0 || (plan->want & NNB_KEEP)) return false;
  nnb__chain_rows_plan measured = {0}, *o = nnb__arena_take(arena, 1, sizeof *o);
  nnb__link *link = nnb__arena_take(arena, (size_t)n, sizeof *link);
  if (!arena->base) o = &measured;
  *o = (nnb__chain_rows_plan){.kernel = nnb__kernel(), .chain = nnb__net_chain(plan->net, link), .link = link};
  const size_t widest = nnb__padded(o->chain.widest);
  for (int i = 0; i < 2; i++) o->a[i] = take_reals(arena, widest);
  o->all = nnb__arena_take(arena, widest, sizeof *o->all);
  o->list = nnb__arena_take(arena, widest + (size_t)NNB__PAD, sizeof *o->list);
  for (size_t i = 0; arena->base && i < widest; i++) o->all[i] = (int32_t)i;
  o->trains = (plan->want & NNB_GRAD) && suits(plan->net, n);
  if (o->trains) lay_out_training(o, arena, plan->net);
  if (arena->base) plan->chain_rows = o;
  return true;
}

/* ---- predictions ------------------------------------------------------------------------------------------------ */

static bool takes(const nnb_plan *plan, const nnb__job *job) {
  return job->rows == 1 && job->what == NNB__OUTPUT && !job->order && plan->chain_rows;
}

/* y ← the outputs for x, in the net's units */
static void predict(nnb_plan *plan, const real *x, real *y) {
  const nnb__chain_rows_plan *o = plan->chain_rows;
  const nnb_net *net = plan->net;
  const real *shift = net->in.shift;
  if (shift) {
    real *scaled = plan->x.p;
    for (int j = 0; j < net->n_x; j++) scaled[j] = (x[j] - shift[j]) * net->in.factor[j];
    x = scaled;
  }
  o->kernel->predict(&o->chain, net->params, x, o->a, o->list, o->all, y);
}

static nnb__loss_sum run(nnb_plan *plan, const nnb__job *job) {
  predict(plan, nnb__crow(job->batch->x, job->row0), plan->state[plan->net->n_nodes - 1].a.p);
  return (nnb__loss_sum){0};
}

static void row(nnb_plan *plan, const real *x, real *y) {
  const nnb__scaler *out = &plan->net->out;
  predict(plan, x, y);
  if (out->shift) nnb_unscale(nnb_view(y, 1, plan->net->n_y), out->shift, out->factor);
}

/* ---- updates ---------------------------------------------------------------------------------------------------- */

/* Copies the parameters into the run. */
static void bring_in(const nnb_net *net, const nnb__chain_rows_plan *o) {
  memset(o->rows, 0, o->n_zero * sizeof(real));
  for (int k = 0; k < o->run.n; k++) {
    nnb__chain_rows_link *l = &o->run.link[k];
    const nnb__node *node = &net->nodes[k + 1];
    const int n_in = l->shape.n_in, n_out = l->shape.n_out;
    const size_t n = (size_t)n_out;
    real *w = net->params + l->shape.off;
    l->learns_w = !(node->frozen & NNB_WEIGHTS), l->learns_b = l->shape.bias && !(node->frozen & NNB_BIAS);
    if (l->shape.bias) memcpy(l->b, w + (size_t)n_in * n, n * sizeof *w);
    if (!o->copied[k]) l->w = w;
    for (int i = 0; o->copied[k] && i < n_in; i++) {
      memset(l->w + (size_t)(i + 1) * l->ldw - NNB__PAD, 0, NNB__PAD * sizeof *w);
      memcpy(l->w + (size_t)i * l->ldw, w + (size_t)i * n, n * sizeof *w);
    }
    for (int j = 0; l->t && j < n_out; j++) {
      memset(l->t + (size_t)(j + 1) * l->ldt - NNB__PAD, 0, NNB__PAD * sizeof *w);
      for (int i = 0; i < n_in; i++) l->t[(size_t)j * l->ldt + (size_t)i] = w[(size_t)i * n + (size_t)j];
    }
  }
}

static void bring_back(const nnb_net *net, const nnb__chain_rows_plan *o) {
  for (int k = 0; k < o->run.n; k++) {
    const nnb__chain_rows_link *l = &o->run.link[k];
    const size_t n = (size_t)l->shape.n_out, n_in = (size_t)l->shape.n_in;
    real *w = net->params + l->shape.off;
    if (l->learns_b) memcpy(w + n_in * n, l->b, n * sizeof *w);
    for (size_t i = 0; o->copied[k] && l->learns_w && i < n_in; i++)
      memcpy(w + i * n, l->w + i * l->ldw, n * sizeof *w);
  }
}

static bool updates(nnb_plan *plan, nnb__updates *u) {
  const nnb_net *net = plan->net;
  nnb__chain_rows_plan *o = plan->chain_rows;
  if (!o->trains) return false;
  nnb__chain_rows *r = &o->run;
  r->batch = u->batch, r->order = u->order, r->n_rows = u->rows;
  r->x_shift = net->in.shift, r->x_factor = net->in.factor, r->t_shift = net->out.shift, r->t_factor = net->out.factor;
  r->begin = u->begin, r->context = u->context;
  r->mean = u->sum.mean, r->sum = u->sum.sum, r->weight = u->weight;
  bring_in(net, o);
  o->kernel->chain_rows(r);
  bring_back(net, o);
  u->made = r->updates, u->value = r->value, u->weight = r->weight;
  u->sum = (nnb__loss_sum){.mean = r->mean, .sum = r->sum};
  return true;
}

void nnb__chain_rows_use(nnb_plan *plan, const nnb__kernels *kernels) { plan->chain_rows->kernel = kernels; }

const nnb__exec nnb__exec_chain_rows = {
    .name = "chain_rows", .lay_out = lay_out, .takes = takes, .run = run, .row = row, .updates = updates};
