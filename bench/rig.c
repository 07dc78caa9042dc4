/* bench/rig.c: the library's step and the step's products in cblas on the same numbers.
 *
 * The ceiling's operands: X are the rows that the library reads; W is a copy of the net's parameters in the same
 * layout; A and Δ of the layers are those of a second plan (NNB_KEEP) after one pass of the net over a batch.  The
 * copies are made again before each round.  Within a round the ceiling's A and Δ stay the same, and only its W
 * changes.  A batch with more rows than a chunk is processed in chunks on both sides. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ceiling.h"

/* Small enough that nothing diverges in any number of steps. */
#define LEARNING_RATE 1e-3
enum { CHUNK = 1024 };   /* rows of a larger batch that are processed at a time: nnb_fit's default */
enum { FIT_EPOCHS = 4 }; /* at least: a fit of one epoch with few updates would mostly measure its allocations */

struct rig {
  const bench_job *job;
  nnb_net *net;
  nnb_plan *plan[MAX_COUNTS], *keep; /* the measured plans; the one whose A and Δ are copied */
  nnb_optim *optim;
  nnb_data *data;
  nnb_batch rows;
  real *own_x, *own_t;             /* the memory of rows, unless it is another rig's */
  int batch, chunk, n_steps, next; /* n_steps: in one pass over the rows; next: number of the next one */
  real *y, *grad, *weights;        /* weights: the ceiling's copy of the parameters */
  real *patches[MAX_LAYERS];       /* a convolution's input in the ceiling */
  net_layout layout;
  ceiling_layer layer[MAX_LAYERS];
  ceiling ceiling;
};

static int complain(const char *what) {
  fprintf(stderr, "nnblas-bench: %s: %s\n", what, nnb_errmsg());
  return -1;
}

static bool trains(const rig *r) { return r->job->w->manner != PREDICT; }

/* ---- the library ------------------------------------------------------------------------------------------------ */

/* n rows from row on. */
static nnb_batch part(const rig *r, int row, int n) {
  nnb_batch out = r->rows;
  out.x.p += (size_t)row * (size_t)out.x.cols, out.x.rows = n;
  if (out.t.p) out.t.p += (size_t)row * (size_t)out.t.cols, out.t.rows = n;
  if (out.label) out.label += row;
  return out;
}

static int step_train(rig *r, int c) {
  double loss;
  nnb_batch batch = part(r, r->next * r->batch, r->batch);
  return nnb_train_step(r->net, r->plan[c], &batch, r->optim, &loss) ? complain("nnb_train_step") : 1;
}

static int step_infer(rig *r, int c) {
  nnb_batch batch = part(r, r->next * r->batch, r->batch);
  nnb_mat y = nnb_view(r->y, batch.x.rows, nnb_net_n_out(r->net));
  return nnb_plan_predict(r->plan[c], batch.x, y) ? complain("nnb_plan_predict") : 1;
}

/* Up to `limit` updates in one call. */
static int step_rows(rig *r, int c, long limit) {
  int left = r->n_steps - r->next, m = limit < left ? (int)limit : left;
  nnb_batch rows = part(r, r->next * r->batch, m * r->batch);
  nnb_sums sums;
  if (nnb_train_rows(r->net, r->plan[c], &rows, NULL, 0, r->batch, r->optim, &sums)) return complain("nnb_train_rows");
  return m;
}

static int ours(rig *r, int c, long steps) {
  while (steps > 0) {
    manner how = r->job->w->manner;
    int done = how == BY_STEP ? step_train(r, c) : how == PREDICT ? step_infer(r, c) : step_rows(r, c, steps);
    if (done < 0) return -1;
    r->next = (r->next + done) % r->n_steps;
    steps -= done;
  }
  return 0;
}

static long fit(rig *r, int c, long steps) {
  int epochs = (int)((steps + r->n_steps - 1) / r->n_steps);
  if (epochs < FIT_EPOCHS) epochs = FIT_EPOCHS;
  nnb_fit_opts opts = {.algo = r->job->w->algo, .lr = LEARNING_RATE, .batch = r->batch, .max_epochs = epochs};
  opts.threads = r->job->count[c];
  if (nnb_fit(r->net, r->data, NULL, &opts, NULL)) return complain("nnb_fit");
  return (long)epochs * r->n_steps;
}

/* ---- the ceiling ------------------------------------------------------------------------------------------------ */

static void ceiling_steps(rig *r, long steps) {
  for (long i = 0; i < steps; i++, r->next = (r->next + 1) % r->n_steps)
    for (int row = 0; row < r->batch; row += r->chunk) {
      int left = r->batch - row;
      nnb_cmat x = part(r, r->next * r->batch + row, left < r->chunk ? left : r->chunk).x;
      (trains(r) ? ceiling_train : ceiling_infer)(&r->ceiling, x);
    }
}

/* Node 1 of the net, a chain, is the input.  Δ of a convolution has a row of channels for each place in the ceiling. */
static int look(rig *r) {
  for (int l = 0; l < r->layout.n_layers; l++) {
    ceiling_layer *layer = &r->layer[l];
    const int node = r->layout.layer[l].node;
    if (!r->patches[l] && node > 2 && nnb_plan_view(r->keep, node - 1, NNB_A, &layer->a))
      return complain("nnb_plan_view of A");
    if (trains(r) && nnb_plan_view(r->keep, node, NNB_DELTA, &layer->delta)) return complain("nnb_plan_view of delta");
    if (layer->places > 1) layer->delta.cols = layer->delta.ld = layer->units;
  }
  return 0;
}

static int refresh(rig *r) {
  nnb_batch batch = part(r, r->next * r->batch, r->chunk);
  memcpy(r->weights, nnb_net_params_read(r->net), nnb_net_n_params(r->net) * sizeof(real));
  if (trains(r)) {
    if (nnb_plan_gradient(r->keep, &batch, 0, NULL, r->grad)) return complain("nnb_plan_gradient");
  } else if (nnb_plan_predict(r->keep, batch.x, nnb_view(r->y, r->chunk, nnb_net_n_out(r->net)))) {
    return complain("nnb_plan_predict");
  }
  return look(r);
}

/* ---- making it -------------------------------------------------------------------------------------------------- */

static void destroy(rig *r) {
  if (!r) return;
  nnb_optim_destroy(r->optim);
  nnb_plan_destroy(r->keep);
  for (int c = 0; c < MAX_COUNTS; c++) nnb_plan_destroy(r->plan[c]);
  nnb_net_destroy(r->net);
  nnb_data_destroy(r->data);
  void *own[] = {r->own_x, r->own_t, r->y, r->grad, r->weights, r->ceiling.out};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) free(own[i]);
  for (int l = 0; l < MAX_LAYERS; l++) free(r->patches[l]);
  free(r);
}

static int make_net(rig *r, bool exact) {
  const workload *w = r->job->w;
  if (nnb_net_parse(w->net, &r->net) || nnb_net_loss(r->net, w->loss)) return complain(w->net);
  if (nnb_net_exact(r->net, exact)) return complain("nnb_net_exact");
  r->batch = w->batch;
  r->chunk = w->manner == BY_ROWS && w->batch > CHUNK ? CHUNK : w->batch;
  nnb_plan_opts opts = {.max_rows = r->chunk, .want = trains(r) ? NNB_GRAD : 0};
  for (int c = 0; c < r->job->n_counts; c++) {
    opts.threads = r->job->count[c];
    if (nnb_plan_create(r->net, &opts, &r->plan[c])) return complain("nnb_plan_create");
  }
  opts.threads = 1, opts.want |= NNB_KEEP;
  if (nnb_plan_create(r->net, &opts, &r->keep)) return complain("nnb_plan_create with NNB_KEEP");
  nnb_optim_opts optim = {.algo = w->algo, .lr = LEARNING_RATE};
  if (trains(r) && nnb_optim_create(r->net, &optim, &r->optim)) return complain("nnb_optim_create");
  return 0;
}

static int out_of_memory(void) { return fprintf(stderr, "nnblas-bench: out of memory\n"), -1; }

static real *to_real(const float *from, size_t n) {
  real *to = take(n, sizeof *to);
  for (size_t i = 0; to && i < n; i++) to[i] = (real)from[i];
  return to;
}

static int make_rows(rig *r, const bench_data *d) {
  r->own_x = to_real(d->x, (size_t)d->rows * (size_t)d->n_in);
  if (d->t) r->own_t = to_real(d->t, (size_t)d->rows * (size_t)d->n_out);
  if (!r->own_x || (d->t && !r->own_t)) return out_of_memory();
  r->rows.x = nnb_cview(r->own_x, d->rows, d->n_in);
  if (d->t)
    r->rows.t = nnb_cview(r->own_t, d->rows, d->n_out);
  else
    r->rows.label = d->label;
  return 0;
}

/* The patches of a convolution: any numbers of the size of its inputs, here pixels in a row. */
static int make_patches(rig *r, int l) {
  const net_layer *at = &r->layout.layer[l];
  const size_t n = (size_t)r->chunk * (size_t)at->places * (size_t)at->inputs;
  const size_t n_x = (size_t)r->rows.x.rows * (size_t)r->rows.x.cols;
  real *p = r->patches[l] = take(n, sizeof *p);
  if (!p) return out_of_memory();
  for (size_t i = 0; i < n; i++) p[i] = r->rows.x.p[i % n_x];
  r->layer[l].a = nnb_cview(p, r->chunk * at->places, at->inputs);
  return 0;
}

static int make_ceiling(rig *r) {
  size_t n_params = nnb_net_n_params(r->net), widest = 0, offset = 0;
  r->layout = layout_of(r->job->w->net);
  r->weights = take(n_params, sizeof(real));
  r->grad = take(n_params, sizeof(real));
  r->y = take((size_t)r->batch, (size_t)r->layout.n_out * sizeof(real));
  for (int l = 0; l < r->layout.n_layers; l++) {
    const net_layer *at = &r->layout.layer[l];
    const size_t width = (size_t)(at->inputs > at->units ? at->inputs : at->units) * (size_t)at->places;
    widest = width > widest ? width : widest;
  }
  real *out = take((size_t)r->chunk, widest * sizeof(real));
  r->ceiling = (ceiling){.layer = r->layer, .n_layers = r->layout.n_layers, .out = out, .lr = (real)LEARNING_RATE};
  if (!r->weights || !r->grad || !r->y || !out) return out_of_memory();
  for (int l = 0; l < r->layout.n_layers; l++) { /* a block is [W; b], (I+1)×O */
    const net_layer *at = &r->layout.layer[l];
    r->layer[l].w = r->weights + offset;
    r->layer[l].inputs = at->inputs, r->layer[l].units = at->units, r->layer[l].places = at->places;
    offset += (size_t)(at->inputs + 1) * (size_t)at->units;
    if (at->places > 1 && make_patches(r, l)) return -1;
  }
  return 0;
}

static rig *make(const bench_job *job, const nnb_batch *borrowed, bool exact) {
  rig *r = calloc(1, sizeof *r);
  if (!r) return out_of_memory(), NULL;
  r->job = job;
  if (make_net(r, exact)) goto fail;
  if (borrowed)
    r->rows = *borrowed;
  else if (make_rows(r, job->data))
    goto fail;
  r->n_steps = r->rows.x.rows / r->batch;
  if (make_ceiling(r)) goto fail;
  if (trains(r) && nnb_data_wrap(&r->rows, 0, &r->data)) {
    complain("nnb_data_wrap");
    goto fail;
  }
  return r;
fail:
  destroy(r);
  return NULL;
}

static rig *create(const bench_job *job) { return make(job, NULL, false); }
static rig *twin(const rig *first) { return make(first->job, &first->rows, false); }
static rig *exact(const rig *first) { return make(first->job, &first->rows, true); }

static bool has_exact(void) {
  nnb_net *net = NULL;
  const bool has = !nnb_net_parse("1-1", &net) && !nnb_net_exact(net, true);
  nnb_net_destroy(net);
  return has;
}

const rig_ops TWIN(rig) = {PRECISION, create, twin,    exact,         has_exact,      destroy,
                           ours,      fit,    refresh, ceiling_steps, ceiling_threads};
