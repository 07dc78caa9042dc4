/* write_cases FOLDER [all]: nets of every activation, end, structure and layer as ONNX files, with rows and predictions
 * (NPY).  Without all, each of them once with the others at one value. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../precision.h"

enum { ROWS = 5, MOST = 80 };

static const char *const shapes[] = {"chain", "inputs", "sum", "concat"};
typedef struct ending {
  const char *name;
  nnb_activation activation;
  bool scaled;
} ending;
static const ending endings[] = {{"linear", NNB_LINEAR, false},
                                 {"scaled", NNB_LINEAR, true},
                                 {"sigmoid", NNB_SIGMOID, false},
                                 {"softmax", NNB_SOFTMAX, false}};

static void must(bool right, const char *what) {
  if (right) return;
  fprintf(stderr, "%s: %s\n", what, nnb_errmsg());
  exit(1);
}

static nnb_net *make(int shape, nnb_activation act, const ending *end) {
  nnb_net *net = nnb_net_create(3);
  const int second = shape == 1 ? nnb_net_input(net, 2, "other") : 0;
  const int from[] = {1, second};
  if (shape == 1) nnb_net_concat(net, from, 2);
  const int a = nnb_net_dense(net, 6, act);
  if (shape == 2 || shape == 3) {
    const int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 6, .from = 1, .no_bias = true});
    const int both[] = {a, b, a};
    if (shape == 2) nnb_net_add(net, both, 3, act);
    if (shape == 3) nnb_net_concat(net, both, 2), nnb_net_activation(net, 0, act);
  }
  nnb_net_dense(net, 4, end->activation);
  return net;
}

/* The first `whole` columns of the rows ← whole numbers, for embeddings */
static void make_whole(real *x, int n_in, int whole) {
  for (int i = 0; i < ROWS * n_in; i++)
    if (i % n_in < whole) x[i] = (real)(i * 7 % 3);
}

/* Rows far from the origin, and scalers fitted to them. */
static void scale(nnb_net *net, int n_in, int whole) {
  real x[ROWS * MOST], t[ROWS * MOST];
  const int n_out = nnb_net_n_out(net) > 0 ? nnb_net_n_out(net) : 4;
  nnb_data *data = NULL;
  for (int i = 0; i < ROWS * n_in; i++) x[i] = (real)(sin(3.7 * i) * 4 + 2);
  make_whole(x, n_in, whole);
  for (int i = 0; i < ROWS * n_out; i++) t[i] = (real)(cos(2.3 * i) * 50 + 100);
  must(!nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, ROWS, n_in), .t = nnb_cview(t, ROWS, n_out)}, 0, &data), "data");
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  nnb_data_destroy(data);
}

static void write_array(const char *folder, const char *name, const char *what, real *p, int cols) {
  char path[600];
  const nnb_array array = {.p = p, .n_dims = 2, .dim = {ROWS, (size_t)cols}};
  snprintf(path, sizeof path, "%s/%s.%s.npy", folder, name, what);
  must(!nnb_array_write_npy(path, &array, sizeof(real) == 8 ? NNB_ARRAY_F64 : NNB_ARRAY_F32), path);
}

/* Moves the parameters and the running means away from where they begin. */
static void stir(nnb_net *net) {
  for (size_t i = 0, n = nnb_net_n_params(net); i < n; i++)
    nnb_net_params(net)[i] += (real)(0.3 * sin(1.3 * (double)i));
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_cmat old;
    real fresh[2 * MOST];
    if (nnb_net_buffers(net, k, &old)) continue;
    for (int i = 0; i < old.cols; i++) fresh[i] = (real)((i < old.cols / 2 ? 0.5 : 1) + 0.4 * cos(2.1 * i));
    must(!nnb_net_set_buffers(net, k, nnb_cview(fresh, 1, old.cols)), "buffers");
  }
}

static void write_net(const char *folder, const char *name, nnb_net *net, bool scaled, int whole, int opset) {
  char path[600];
  real x[ROWS * MOST], y[ROWS * MOST];
  const int n_in = nnb_net_n_in(net);
  if (scaled) scale(net, n_in, whole);
  stir(net);
  const int n_out = nnb_net_n_out(net);
  for (int i = 0; i < ROWS * n_in; i++) x[i] = (real)(sin(5.1 * i) * 3);
  make_whole(x, n_in, whole);
  must(!nnb_net_predict(net, nnb_cview(x, ROWS, n_in), nnb_view(y, ROWS, n_out)), name);
  snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
  must(!nnb_net_save_onnx(net, path, &(nnb_onnx_opts){.opset = opset}), path);
  write_array(folder, name, "x", x, n_in);
  write_array(folder, name, "y", y, n_out);
  nnb_net_destroy(net);
}

static void write_case(const char *folder, int shape, nnb_activation act, const ending *end, int opset) {
  char name[200];
  snprintf(name, sizeof name, "%s_%s_%s_%d_%s", shapes[shape], nnb_activation_name(act), end->name, opset, PRECISION);
  write_net(folder, name, make(shape, act, end), end->scaled, 0, opset);
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *name, *net;
} layers[] = {
    {"lenet", "1x8x8-conv3@3:tanh-maxpool2-conv4@2:tanh-maxpool2-6:tanh-4:softmax"},
    {"stride", "2x7x5-conv3@3x2:relu:stride=2:pad=1:bias=0-conv2@2-3"},
    {"average", "2x6x4-avgpool3x2:stride=1-maxpool2-2"},
    {"signal", "3x9-conv4@3:relu:stride=2:pad=1-avgpool2-2"},
    {"batchnorm", "2x4x4-conv2@2:tanh-batchnorm:relu-conv2@2-2"},
    {"batchnorm_rows", "4-5:tanh-batchnorm:relu-batchnorm-3"},
    {"layernorm", "4-5:relu-layernorm:tanh-6-layernorm-3"},
    {"layernorm_images", "2x4x3-layernorm:relu-conv2@2-layernorm"},
    {"softmax_images", "1x4x4-conv2@2:softmax-conv1@2:tanh"},
    {"embedding", "6-embed5x3-conv2@2:tanh-2"},
    {"embedding_of_one", "1-embed3x4-2"},
    {"embedding_of_images", "2x2x3-embed4x2-conv2@2:tanh-2"},
    {"gru", "3x5-gru4-2"},
    {"gru_sequence", "3x5-gru4:tanh:sequence=1-conv2@2-gru3:sequence=1"},
    {"gru_of_embedding", "6-embed7x3-gru4-2"},
};

static nnb_net *make_gated(void) {
  nnb_net *net = nnb_net_create(18);
  nnb_net_shape(net, 1, 2, 3, 3);
  const int a = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 2, .width = 2, .activation = NNB_SIGMOID});
  const int b = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 2, .width = 2, .from = 1});
  const int wide = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 8, .from = 1, .activation = NNB_TANH});
  nnb_net_shape(net, wide, 2, 2, 2);
  const int product = nnb_net_product(net, (int[]){a, b, wide}, 3, NNB_LINEAR);
  nnb_net_concat(net, (int[]){product, a}, 2);
  nnb_net_conv(net, 3, 2, NNB_TANH);
  nnb_net_dense(net, 2, NNB_LINEAR);
  return net;
}

/* Whole numbers beside images, so that signals have a height in the file. */
static nnb_net *make_sequence(void) {
  nnb_net *net = nnb_net_create(5);
  const int image = nnb_net_input(net, 8, "image");
  nnb_net_shape(net, image, 2, 2, 2);
  const int all = nnb_net_gru(net, nnb_net_embedding(net, 1, 3, 4), 3, true);
  nnb_net_concat(net, (int[]){nnb_net_gru(net, all, 2, false), all, image}, 3);
  nnb_net_dense(net, 2, NNB_LINEAR);
  return net;
}

static void write_layers(const char *folder, int opset) {
  char name[200];
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int scaled = 0; scaled < 2; scaled++) {
      nnb_net *net;
      const bool looks_up = strstr(layers[i].net, "embed") != NULL;
      if (scaled && (looks_up || strstr(layers[i].net, "4:softmax"))) continue;
      must(!nnb_net_parse(layers[i].net, &net), layers[i].net);
      snprintf(name, sizeof name, "layer_%s_%d_%d_%s", layers[i].name, scaled, opset, PRECISION);
      write_net(folder, name, net, scaled, looks_up ? MOST : 0, opset);
    }
  snprintf(name, sizeof name, "layer_gated_%d_%s", opset, PRECISION);
  write_net(folder, name, make_gated(), true, 0, opset);
  snprintf(name, sizeof name, "layer_sequence_%d_%s", opset, PRECISION);
  write_net(folder, name, make_sequence(), true, 5, opset);
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: write_cases FOLDER [all]\n"), 2;
  const bool all = argc > 2;
  for (int act = 0; act <= NNB_SOFTMAX; act++) {
    for (int shape = 0; shape < 4; shape++)
      for (size_t e = 0; e < sizeof endings / sizeof *endings; e++)
        if (all || act == NNB_TANH || (shape == 2 && e == 1))
          write_case(argv[1], shape, (nnb_activation)act, &endings[e], 13);
    for (int opset = 9; opset <= 17; opset++)
      if (opset != 13 && (all || act == NNB_GELU)) write_case(argv[1], 3, (nnb_activation)act, &endings[1], opset);
  }
  for (int opset = 9; opset <= 17; opset++)
    if (all || opset == 9 || opset == 13 || opset == 17) write_layers(argv[1], opset);
  return 0;
}
