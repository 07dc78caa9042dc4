/* tests/toys.h: small data, and own parts, for tests of the public API. */
#ifndef TEST_TOYS_H
#define TEST_TOYS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "precision.h"
#include "support.h"

#define ck_ok(call)                                                                                     \
  do {                                                                                                  \
    nnb_status toy_status = (nnb_status)(call);                                                         \
    ck_assert_msg(toy_status == NNB_OK, "%s: %s (%s)", #call, nnb_strstatus(toy_status), nnb_errmsg()); \
  } while (0)

/* The call gives this status, and a message with these words. */
#define bad(wanted, words, call) check_bad((nnb_status)(call), wanted, words, #call)

static inline void check_bad(nnb_status status, nnb_status wanted, const char *words, const char *call) {
  ck_assert_msg(status == wanted, "%s: %s (%s), not %s", call, nnb_strstatus(status), nnb_errmsg(),
                nnb_strstatus(wanted));
  ck_assert_msg(strstr(nnb_errmsg(), words), "%s: \"%s\" says nothing of \"%s\"", call, nnb_errmsg(), words);
}

/* A fingerprint of bytes (FNV-1a of Fowler, Noll and Vo). */
static inline uint64_t toy_hash(uint64_t h, const void *p, size_t bytes) {
  const unsigned char *c = p;
  for (size_t i = 0; i < bytes; i++) h = (h ^ c[i]) * 0x100000001B3u;
  return h;
}

static inline uint64_t toy_hash_net(uint64_t h, nnb_net *net) {
  return toy_hash(h, nnb_net_params_read(net), nnb_net_n_params(net) * sizeof(real));
}

static inline void toy_fill(real *p, size_t n, uint64_t stream) {
  nnb_rng rng;
  nnb_rng_init(&rng, 77, stream);
  for (size_t i = 0; i < n; i++) p[i] = (real)(2 * nnb_rng_uniform(&rng) - 1);
}

/* A smooth law of three inputs, for which long descents creep. */
static inline nnb_data *toy_law(int rows) {
  enum { MOST = 300 };
  real x[MOST * 3], t[MOST];
  nnb_rng rng;
  nnb_data *data = NULL;
  ck_assert_int_le(rows, MOST);
  nnb_rng_init(&rng, 7, 1);
  for (int i = 0; i < rows; i++) {
    double at[3];
    for (int j = 0; j < 3; j++) x[3 * i + j] = (real)(at[j] = 2 * nnb_rng_uniform(&rng) - 1);
    t[i] = (real)(sin(4 * at[0] * at[1]) + cos(3 * at[2]));
  }
  const nnb_batch all = {.x = nnb_cview(x, rows, 3), .t = nnb_cview(t, rows, 1)};
  ck_ok(nnb_data_copy(&all, 0, &data));
  return data;
}

static inline nnb_plan *toy_plan(nnb_net *net, int max_rows, int threads, unsigned want) {
  nnb_plan *plan = NULL;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = max_rows, .threads = threads, .want = want}, &plan));
  return plan;
}

/* A file of this process in the folder for temporary files. */
enum { TOY_PATH = 300 };
static inline const char *toy_path(char out[TOY_PATH], const char *name) {
  const char *folder = getenv("TMPDIR");
  snprintf(out, TOY_PATH, "%.200s/nnblas-%ld-" PRECISION "-%s", folder ? folder : "/tmp", (long)getpid(), name);
  return out;
}

/* All methods that step from batch to batch; returns their number. */
static inline int toy_steppers(nnb_algo out[NNB_N_ALGOS]) {
  int n = 0;
  nnb_net *net;
  nnb_optim *optim;
  if (nnb_net_parse("3-4:tanh-2", &net)) return 0;
  for (int k = NNB_AUTO + 1; k < NNB_N_ALGOS; k++) {
    if (nnb_optim_create(net, &(nnb_optim_opts){.algo = (nnb_algo)k}, &optim)) continue;
    out[n++] = (nnb_algo)k;
    nnb_optim_destroy(optim);
  }
  nnb_net_destroy(net);
  return n;
}

/* rows × n_in numbers in (-1, 1); the class is the largest of the first n_classes columns. */
static inline nnb_data *toy_classes(int rows, int n_in, int n_classes) {
  real *x = malloc((size_t)rows * (size_t)n_in * sizeof *x);
  int32_t *label = malloc((size_t)rows * sizeof *label);
  nnb_data *data = NULL;
  ck_assert(x && label);
  toy_fill(x, (size_t)rows * (size_t)n_in, 1);
  for (int i = 0; i < rows; i++) {
    label[i] = 0;
    for (int j = 1; j < n_classes; j++)
      if (x[i * n_in + j] > x[i * n_in + label[i]]) label[i] = j;
  }
  nnb_batch batch = {.x = nnb_cview(x, rows, n_in), .label = label};
  ck_ok(nnb_data_copy(&batch, n_classes, &data));
  free(x), free(label);
  return data;
}

/* Targets of n_out columns: smooth functions of the inputs. */
static inline nnb_data *toy_regression(int rows, int n_in, int n_out) {
  real *x = malloc((size_t)rows * (size_t)n_in * sizeof *x), *t = malloc((size_t)rows * (size_t)n_out * sizeof *t);
  nnb_data *data = NULL;
  ck_assert(x && t);
  toy_fill(x, (size_t)rows * (size_t)n_in, 2);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < n_out; j++) {
      const real *row = x + i * n_in;
      t[i * n_out + j] = (real)(sin(3 * (double)row[j % n_in]) + 0.5 * (double)row[(j + 1) % n_in] + j);
    }
  nnb_batch batch = {.x = nnb_cview(x, rows, n_in), .t = nnb_cview(t, rows, n_out)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  free(x), free(t);
  return data;
}

/* ---- own parts -------------------------------------------------------------------------------------------------- */

/* "bump": z/(1 + z²) */
static inline void bump_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) {
      real v = z.p[i * z.ld + j];
      a.p[i * a.ld + j] = v / (1 + v * v);
    }
}
static inline void bump_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)a;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) {
      real v = z.p[i * z.ld + j], s = 1 + v * v;
      d.p[i * d.ld + j] *= (1 - v * v) / (s * s);
    }
}
static const nnb_act_ops toy_bump = {.name = "bump", .traits = NNB_ACT_NEEDS_Z, .value = bump_value, .pull = bump_pull};

/* "quartic": (a - t)⁴ */
static inline double quartic_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale,
                                   nnb_mat da) {
  double sum = 0;
  (void)self;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      real w = batch->weight ? batch->weight[i] : 1, r = a.p[i * a.ld + j] - batch->t.p[i * batch->t.ld + j];
      sum += (double)(w * r * r * r * r);
      if (da.p) da.p[i * da.ld + j] = scale * w * 4 * r * r * r;
    }
  return sum;
}
static const nnb_loss_ops toy_quartic = {.name = "quartic", .traits = NNB_LOSS_MEAN_ROWS, .value = quartic_value};

/* "gain": Z_j = factor·w_j·A_j, times `power` which must be positive */
typedef struct toy_gain_fields {
  int power;
  double factor;
} toy_gain_fields;
static inline real gain_of(const void *self) {
  const toy_gain_fields *g = self;
  return (real)(g->factor * g->power);
}
static inline nnb_status gain_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  const toy_gain_fields *g = self;
  if (n_from != 1 || g->power < 1) return nnb_layer_fail(NNB_E_ARG, "a gain reads 1 node and has a positive power");
  needs->cols = needs->w_cols = cols[0];
  needs->w_rows = 1;
  return NNB_OK;
}
static inline void gain_forward(const void *self, const nnb_layer_io *io) {
  for (int i = 0; i < io->z.rows; i++)
    for (int j = 0; j < io->z.cols; j++)
      io->z.p[i * io->z.ld + j] = gain_of(self) * io->w[j] * io->a[0].p[i * io->a[0].ld + j];
}
static inline void gain_backward_data(const void *self, const nnb_layer_io *io, int k) {
  nnb_mat da = io->da[k];
  for (int i = 0; i < da.rows; i++)
    for (int j = 0; j < da.cols; j++) {
      real *d = &da.p[i * da.ld + j], old = io->da_beta == 0 ? 0 : *d;
      *d = old + gain_of(self) * io->w[j] * io->delta.p[i * io->delta.ld + j];
    }
}
static inline void gain_backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  if (!sink->w || io->part / io->parts == (io->part + 1) / io->parts)
    return; /* its only row belongs to the last part */
  for (int j = 0; j < io->delta.cols; j++) {
    real sum = 0;
    for (int i = 0; i < io->delta.rows; i++)
      sum += gain_of(self) * io->a[0].p[i * io->a[0].ld + j] * io->delta.p[i * io->delta.ld + j];
    sink->w[j] = (sink->beta == 0 ? 0 : sink->beta * sink->w[j]) + sink->alpha * sum;
  }
}
static inline void toy_gain_tangent(const void *self, const nnb_layer_io *io, const nnb_cmat *da, int n, nnb_mat dz) {
  (void)n;
  for (int i = 0; i < dz.rows; i++)
    for (int j = 0; j < dz.cols; j++) dz.p[i * dz.ld + j] = gain_of(self) * io->w[j] * da[0].p[i * da[0].ld + j];
}
static const nnb_attr toy_gain_attrs[] = {{"power", NNB_ATTR_INT, offsetof(toy_gain_fields, power)},
                                          {"gain", NNB_ATTR_REAL, offsetof(toy_gain_fields, factor)},
                                          {0}};
static inline void gain_init(const void *self, real *w, nnb_rng *rng, real *scratch);
static const nnb_layer_ops toy_gain = {.name = "gain",
                                       .size = sizeof(toy_gain_fields),
                                       .attrs = toy_gain_attrs,
                                       .shape = gain_shape,
                                       .forward = gain_forward,
                                       .backward_data = gain_backward_data,
                                       .backward_params = gain_backward_params,
                                       .init = gain_init};
/* The shape of a gain with a buffer, which gets all rows of a chunk in one call; and with a number of all rows, too. */
static inline nnb_status toy_whole_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  needs->buffers = 1, needs->affine = true;
  return gain_shape(self, cols, n_from, needs);
}
static inline nnb_status toy_working_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  needs->work = 1;
  return toy_whole_shape(self, cols, n_from, needs);
}
/* "spared": a gain that does not decay */
static inline nnb_status spared_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  needs->no_decay = true;
  return gain_shape(self, cols, n_from, needs);
}
static const nnb_layer_ops toy_spared = {.name = "spared",
                                         .size = sizeof(toy_gain_fields),
                                         .attrs = toy_gain_attrs,
                                         .shape = spared_shape,
                                         .forward = gain_forward,
                                         .backward_data = gain_backward_data,
                                         .backward_params = gain_backward_params,
                                         .init = gain_init};
/* init does not know the width: the block is all zeros at first, and the first number becomes 1. */
static inline void gain_init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  (void)self, (void)scratch;
  w[0] = (real)(1 + nnb_rng_uniform(rng));
}

/* Two inputs of 3 and 1 columns, a branch, both ways of joining, all three own parts, two outputs of 2 and 1 columns
 * with a loss each.  NULL if out of memory; the net may have an error. */
static inline nnb_net *toy_graph(void) {
  nnb_net *net = nnb_net_create(3);
  if (!net) return NULL;
  toy_gain_fields gain = {.power = 2, .factor = 0.25};
  int bump = nnb_net_own_activation(net, &toy_bump), quartic = nnb_net_own_loss(net, &toy_quartic);
  int second = nnb_net_input(net, 1, "second");
  int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 5, .from = 1, .activation = NNB_TANH, .name = "left"});
  int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 5,
                                                    .from = second,
                                                    .activation = (nnb_activation)bump,
                                                    .no_bias = true,
                                                    .init = NNB_INIT_ORTHOGONAL});
  int sum = nnb_net_add(net, (int[]){a, b}, 2, NNB_SIGMOID);
  int act = nnb_net_activation(net, a, NNB_SOFTPLUS);
  int wide = nnb_net_concat(net, (int[]){sum, act, second}, 3);
  int g = nnb_net_own_layer(net, &toy_gain, &gain, &wide, 1, NNB_LINEAR, "widened");
  int head = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .from = g, .frozen = NNB_BIAS, .name = "head"});
  int tail = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = sum, .activation = NNB_ELU});
  nnb_net_output(net, tail);
  nnb_net_output(net, head);
  nnb_net_output_loss(net, tail, (nnb_loss)quartic, 0.5);
  nnb_net_output_loss(net, head, NNB_HUBER, 2);
  nnb_net_seed(net, 11);
  return net;
}

#endif
