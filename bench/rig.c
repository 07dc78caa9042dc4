/* bench/rig.c: the library's step and, beside it, the step's products through cblas on the same numbers.
 *
 * What of the ceiling's operands is live: X are the very rows the library reads; W is a copy of the net's parameters in
 * the same layout, taken anew before each round; A and Δ of the layers are what a second plan (NNB_KEEP) holds after
 * one pass of the net over a batch, also taken anew before each round.  Within a round the ceiling's A and Δ stay as
 * they are and only its W moves. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ceiling.h"

/* Small enough that nothing diverges in however many steps the clock asks for. */
#define LEARNING_RATE 1e-3
enum { ROWS = 4096 }; /* the data are so many rows, or one batch if that is more */

struct rig {
  const bench_case *job;
  nnb_net *net;
  nnb_plan *plan, *keep; /* the measured one; the one whose A and Δ are looked at */
  nnb_optim *optim;
  int n_batches, next; /* next: the batch whose turn it is */
  real *x, *t, *y;     /* rows; t only where there is one output */
  int32_t *label, *order;
  real *grad, *weights; /* weights: the ceiling's copy of the parameters */
  ceiling_layer layer[MAX_LAYERS];
  ceiling ceiling;
};

static int complain(const char *what) {
  fprintf(stderr, "nnblas-bench: %s: %s\n", what, nnb_errmsg());
  return -1;
}

static void *take(size_t n, size_t size) {
  if (size && n > (SIZE_MAX - 64) / size) return NULL;
  return aligned_alloc(64, (n * size + 64) / 64 * 64);
}

/* The rows of batch b, b+1, …: m batches. */
static nnb_batch batches(const rig *r, int b, int m) {
  const bench_shape *s = r->job->shape;
  size_t row = (size_t)b * (size_t)s->batch;
  int n_in = s->width[0], rows = m * s->batch;
  nnb_batch out = {.x = nnb_cview(r->x + row * (size_t)n_in, rows, n_in)};
  if (r->t)
    out.t = nnb_cview(r->t + row, rows, 1);
  else
    out.label = r->label + row;
  return out;
}

static int step_train(rig *r) {
  double loss;
  nnb_batch batch = batches(r, r->next, 1);
  if (nnb_train_step(r->net, r->plan, &batch, r->optim, &loss)) return complain("nnb_train_step");
  r->next = (r->next + 1) % r->n_batches;
  return 1;
}

static int step_infer(rig *r) {
  nnb_batch batch = batches(r, r->next, 1);
  nnb_mat y = nnb_view(r->y, batch.x.rows, nnb_net_n_out(r->net));
  if (nnb_plan_predict(r->plan, batch.x, y)) return complain("nnb_plan_predict");
  r->next = (r->next + 1) % r->n_batches;
  return 1;
}

/* Up to `limit` updates in one call, in shuffled order, as nnb_fit makes them. */
static int step_fit(rig *r, long limit) {
  const bench_shape *s = r->job->shape;
  int left = r->n_batches - r->next, m = limit < left ? (int)limit : left;
  nnb_batch rows = batches(r, 0, r->n_batches);
  const int32_t *order = r->order + (size_t)r->next * (size_t)s->batch;
  nnb_sums sums;
  if (nnb_train_rows(r->net, r->plan, &rows, order, m * s->batch, s->batch, r->optim, &sums))
    return complain("nnb_train_rows");
  r->next = (r->next + m) % r->n_batches;
  return m;
}

static int ours(rig *r, long steps) {
  while (steps > 0) {
    int done = r->job->mode == MODE_TRAIN   ? step_train(r)
               : r->job->mode == MODE_INFER ? step_infer(r)
                                            : step_fit(r, steps);
    if (done < 0) return -1;
    steps -= done;
  }
  return 0;
}

static void ceiling_steps(rig *r, long steps) {
  for (long i = 0; i < steps; i++) {
    nnb_batch batch = batches(r, r->next, 1);
    if (r->job->mode == MODE_INFER)
      ceiling_infer(&r->ceiling, batch.x);
    else
      ceiling_train(&r->ceiling, batch.x);
    r->next = (r->next + 1) % r->n_batches;
  }
}

/* Layer l of the ceiling is node l + 2 of the net: node 1 is the input. */
static int look(rig *r) {
  bool training = r->job->mode != MODE_INFER;
  for (int l = 0; l < r->job->shape->n_layers; l++) {
    ceiling_layer *layer = &r->layer[l];
    if (l && nnb_plan_view(r->keep, l + 1, NNB_A, &layer->a)) return complain("nnb_plan_view of A");
    if (training && nnb_plan_view(r->keep, l + 2, NNB_DELTA, &layer->delta)) return complain("nnb_plan_view of delta");
  }
  return 0;
}

static int refresh(rig *r) {
  nnb_batch batch = batches(r, r->next, 1);
  memcpy(r->weights, nnb_net_params_read(r->net), nnb_net_n_params(r->net) * sizeof(real));
  if (r->job->mode == MODE_INFER) {
    nnb_mat y = nnb_view(r->y, batch.x.rows, nnb_net_n_out(r->net));
    if (nnb_plan_predict(r->keep, batch.x, y)) return complain("nnb_plan_predict");
  } else if (nnb_plan_gradient(r->keep, &batch, 0, NULL, r->grad)) {
    return complain("nnb_plan_gradient");
  }
  return look(r);
}

static void destroy(rig *r) {
  if (!r) return;
  nnb_optim_destroy(r->optim);
  nnb_plan_destroy(r->keep);
  nnb_plan_destroy(r->plan);
  nnb_net_destroy(r->net);
  void *own[] = {r->x, r->t, r->y, r->label, r->order, r->grad, r->weights, r->ceiling.out};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) free(own[i]);
  free(r);
}

/* Hidden layers relu, then softmax with cross-entropy; a single output is linear with mse. */
static int make_net(rig *r) {
  const bench_shape *s = r->job->shape;
  int n_out = s->width[s->n_layers];
  r->net = nnb_net_create(s->width[0]);
  for (int l = 1; l < s->n_layers; l++) nnb_net_dense(r->net, s->width[l], NNB_RELU);
  nnb_net_dense(r->net, n_out, n_out > 1 ? NNB_SOFTMAX : NNB_LINEAR);

  bool training = r->job->mode != MODE_INFER;
  nnb_plan_opts opts = {.max_rows = s->batch, .threads = r->job->threads, .want = training ? NNB_GRAD : 0};
  if (nnb_plan_create(r->net, &opts, &r->plan)) return complain("nnb_plan_create");
  opts.want |= NNB_KEEP;
  if (nnb_plan_create(r->net, &opts, &r->keep)) return complain("nnb_plan_create with NNB_KEEP");
  nnb_optim_opts sgd = {.algo = NNB_SGD, .lr = LEARNING_RATE};
  if (training && nnb_optim_create(r->net, &sgd, &r->optim)) return complain("nnb_optim_create");
  return 0;
}

/* Standard normal inputs; classes, or targets of one column, at random. */
static int make_data(rig *r) {
  const bench_shape *s = r->job->shape;
  int n_out = s->width[s->n_layers];
  r->n_batches = s->batch < ROWS ? ROWS / s->batch : 1;
  size_t rows = (size_t)r->n_batches * (size_t)s->batch, n_in = (size_t)s->width[0];
  r->x = take(rows, n_in * sizeof(real));
  r->y = take((size_t)s->batch, (size_t)n_out * sizeof(real));
  r->label = take(rows, sizeof *r->label);
  r->order = take(rows, sizeof *r->order);
  if (n_out == 1) r->t = take(rows, sizeof(real));
  if (!r->x || !r->y || !r->label || !r->order || (n_out == 1 && !r->t)) return -1;

  nnb_rng rng;
  nnb_rng_init(&rng, 1, 0);
  for (size_t i = 0; i < rows * n_in; i++) r->x[i] = (real)nnb_rng_normal(&rng);
  for (size_t i = 0; i < rows; i++) r->label[i] = (int32_t)nnb_rng_below(&rng, (uint32_t)n_out);
  for (size_t i = 0; r->t && i < rows; i++) r->t[i] = (real)nnb_rng_normal(&rng);
  for (size_t i = 0; i < rows; i++) r->order[i] = (int32_t)i;
  nnb_rng_shuffle(&rng, r->order, (int32_t)rows);
  return 0;
}

static int make_ceiling(rig *r) {
  const bench_shape *s = r->job->shape;
  size_t n_params = nnb_net_n_params(r->net), widest = 0, offset = 0;
  r->weights = take(n_params, sizeof(real));
  r->grad = take(n_params, sizeof(real));
  for (int l = 0; l <= s->n_layers; l++) widest = (size_t)s->width[l] > widest ? (size_t)s->width[l] : widest;
  real *out = take((size_t)s->batch, widest * sizeof(real));
  r->ceiling = (ceiling){.layer = r->layer, .n_layers = s->n_layers, .out = out, .lr = (real)LEARNING_RATE};
  if (!r->weights || !r->grad || !out) return -1;
  for (int l = 0; l < s->n_layers; l++) { /* a block is [W; b], (I+1)×O */
    r->layer[l].w = r->weights + offset;
    r->layer[l].inputs = s->width[l], r->layer[l].units = s->width[l + 1];
    offset += (size_t)(s->width[l] + 1) * (size_t)s->width[l + 1];
  }
  return 0;
}

static rig *create(const bench_case *job) {
  rig *r = calloc(1, sizeof *r);
  if (!r) return fprintf(stderr, "nnblas-bench: out of memory\n"), NULL;
  r->job = job;
  if (make_net(r)) goto fail;
  if (make_data(r) || make_ceiling(r)) {
    fprintf(stderr, "nnblas-bench: out of memory for %s at batch %d\n", job->shape->text, job->shape->batch);
    goto fail;
  }
  return r;
fail:
  destroy(r);
  return NULL;
}

const rig_ops TWIN(rig) = {PRECISION, create, destroy, ours, refresh, ceiling_steps, ceiling_threads};
