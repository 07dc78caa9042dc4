/* tests/fuzz/drawn_net.h: a net of any layers, drawn from the bytes of an input, and after their end from a generator
 * that they seed.  Included once. */
#ifndef DRAWN_NET_H
#define DRAWN_NET_H

#include <nnblas.h>

#include "fuzz.h"

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

static const uint8_t *drawn_next, *drawn_end;
static uint32_t drawn_state; /* xorshift32 (Marsaglia 2003) */

/* The seed is FNV-1a of the bytes. */
static void draw_from(const uint8_t *data, size_t size) {
  drawn_next = data, drawn_end = data + size;
  drawn_state = 2166136261u;
  for (size_t i = 0; i < size; i++) drawn_state = (drawn_state ^ data[i]) * 16777619u;
  drawn_state |= 1;
}

static uint32_t draw_bits(void) {
  drawn_state ^= drawn_state << 13, drawn_state ^= drawn_state >> 17, drawn_state ^= drawn_state << 5;
  return drawn_state;
}

static int draw(int below) {
  const uint32_t bits = drawn_next < drawn_end ? *drawn_next++ : draw_bits() >> 3;
  return (int)(bits % (uint32_t)below);
}

static bool one_in(int n) { return draw(n) == n - 1; }

/* Numbers come from the generator alone. */
static double draw_real(double from, double to) { return from + (to - from) * (draw_bits() / 4294967296.0); }

/* ---- layers: each returns its node, or an error ------------------------------------------------------------------ */

enum { MOST_NODES = 16 };

typedef struct drawn_net {
  nnb_net *net;
  int nodes[MOST_NODES], n_nodes;
  int levels;   /* of the embedding of the first input; 0: there is none */
  bool steps;   /* an activation is NNB_STEP */
  bool differs; /* dropout or batch normalisation: training computes otherwise than evaluations */
} drawn_net;

static nnb_activation draw_activation(drawn_net *d) {
  const nnb_activation a = one_in(3) ? NNB_LINEAR : (nnb_activation)draw(NNB_N_ACTIVATIONS);
  if (a == NNB_STEP && !one_in(4)) return NNB_TANH; /* few, since a step has no slope */
  d->steps |= a == NNB_STEP;
  return a;
}

static void keep(drawn_net *d, int node) { d->nodes[d->n_nodes++] = node; }

/* The node added last, or another one. */
static int draw_node(const drawn_net *d) { return one_in(8) ? d->nodes[draw(d->n_nodes)] : 0; }

static int add_dense(drawn_net *d) {
  nnb_dense_opts opts = {.from = draw_node(d)};
  opts.units = 1 + draw(12), opts.activation = draw_activation(d), opts.no_bias = one_in(5);
  opts.frozen = one_in(6) ? 1 + (unsigned)draw(3) : 0;
  opts.init = (nnb_init)draw(NNB_N_INITS);
  return nnb_net_dense_opts(d->net, &opts);
}

static int add_conv(drawn_net *d) {
  nnb_conv_opts opts = {.from = draw_node(d)};
  opts.channels = 1 + draw(4), opts.width = 1 + draw(3), opts.height = draw(3);
  opts.stride = draw(3), opts.pad = draw(3), opts.activation = draw_activation(d), opts.no_bias = one_in(5);
  return nnb_net_conv_opts(d->net, &opts);
}

static int add_pool(drawn_net *d) {
  nnb_pool_opts opts = {.from = draw_node(d)};
  opts.kind = (nnb_pooling)draw(2), opts.width = 1 + draw(3), opts.height = draw(3), opts.stride = draw(3);
  return nnb_net_pool_opts(d->net, &opts);
}

static int add_flatten(drawn_net *d) { return nnb_net_flatten(d->net); }

static int add_norm(drawn_net *d) {
  const int from = draw_node(d);
  const nnb_activation a = draw_activation(d);
  if (one_in(2)) return nnb_net_layer_norm(d->net, from, a);
  d->differs = true;
  return nnb_net_batch_norm(d->net, from, a);
}

static int add_gru(drawn_net *d) {
  const int from = draw_node(d), units = 1 + draw(4);
  return nnb_net_gru(d->net, from, units, one_in(2));
}

static int add_activation(drawn_net *d) {
  const int from = draw_node(d);
  return nnb_net_activation(d->net, from, draw_activation(d));
}

static int add_dropout(drawn_net *d) {
  d->differs = true;
  return nnb_net_dropout(d->net, draw_node(d), 0.25);
}

static int add_input(drawn_net *d) { return nnb_net_input(d->net, 1 + draw(4), NULL); }

/* One to three nodes, the one added last among them. */
static int add_joined(drawn_net *d) {
  int from[3];
  const int kind = draw(3), n = 1 + draw(3);
  for (int i = 0; i < n; i++) from[i] = d->nodes[i ? draw(d->n_nodes) : d->n_nodes - 1];
  if (kind == 0) return nnb_net_concat(d->net, from, n);
  return (kind == 1 ? nnb_net_add : nnb_net_product)(d->net, from, n, draw_activation(d));
}

static int add_layer(drawn_net *d) {
  static int (*const kinds[])(drawn_net * d) = {add_dense, add_dense,   add_dense,  add_conv,  add_conv,
                                                add_pool,  add_flatten, add_norm,   add_gru,   add_activation,
                                                add_input, add_dropout, add_joined, add_joined};
  return kinds[draw(sizeof kinds / sizeof *kinds)](d);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Columns, images, a signal, or columns that are embedded. */
static void draw_input(drawn_net *d) {
  const int kind = draw(4), channels = 1 + draw(3), height = kind == 1 ? 1 + draw(6) : 1, width = 1 + draw(8);
  d->net = nnb_net_create(kind == 0 ? width : channels * height * width);
  must(d->net != NULL, "no memory");
  if (kind > 0) nnb_net_shape(d->net, 1, channels, height, width);
  keep(d, 1);
  if (kind < 3 || !one_in(2)) return;
  d->levels = 2 + draw(5);
  keep(d, nnb_net_embedding(d->net, 1, d->levels, 1 + draw(4)));
}

static void draw_outputs(drawn_net *d) {
  nnb_loss_opts loss = {0};
  for (int n = one_in(3) ? 1 + draw(3) : 0; n > 0; n--) nnb_net_output(d->net, d->nodes[draw(d->n_nodes)]);
  loss.loss = (nnb_loss)draw(NNB_N_LOSSES);
  if (one_in(6)) loss.label_smoothing = 0.1;
  if (one_in(6)) loss.delta = 0.5;
  if (one_in(2)) nnb_net_loss_opts(d->net, &loss);
}

/* Scalers from seven rows. */
static void draw_scalers(nnb_net *net) {
  enum { ROWS = 7, MOST = 400 };
  static double x[ROWS * MOST], t[ROWS * MOST];
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  nnb_data *data = NULL;
  if (n_in < 1 || n_out < 1 || n_in > MOST || n_out > MOST) return;
  for (int i = 0; i < ROWS * n_in; i++) x[i] = draw_real(1, 4);
  for (int i = 0; i < ROWS * n_out; i++) t[i] = draw_real(-1, 4);
  const nnb_batch rows = {.x = nnb_cview(x, ROWS, n_in), .t = nnb_cview(t, ROWS, n_out)};
  must(nnb_data_wrap(&rows, 0, &data) == NNB_OK, "no data");
  if (one_in(2)) nnb_net_standardize(net, data);
  if (one_in(2)) nnb_net_scale_targets(net, data, one_in(2) ? NNB_STANDARDIZE : NNB_MINMAX);
  nnb_data_destroy(data);
}

/* d->net is NULL if what was drawn cannot be built. */
static void draw_net(const uint8_t *data, size_t size, drawn_net *d) {
  *d = (drawn_net){0};
  draw_from(data, size);
  draw_input(d);
  for (int n = 1 + draw(8); n > 0 && nnb_net_status(d->net) == NNB_OK; n--) keep(d, add_layer(d));
  if (nnb_net_status(d->net) == NNB_OK) draw_outputs(d);
  if (d->levels == 0 && one_in(3)) draw_scalers(d->net);
  nnb_net_seed(d->net, (uint64_t)draw(256));
  if (nnb_net_status(d->net) == NNB_OK) return;
  must(*nnb_errmsg() != '\0', "a failure without a sentence");
  nnb_net_destroy(d->net);
  d->net = NULL;
}

#endif
