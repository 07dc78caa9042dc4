#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W1_NET  "1024-2048-2048-1000:softmax"
#define W2_NET  "784-128-64-10:softmax"
#define W3I_NET "4-8:sigmoid-3:sigmoid"
#define W3X_NET "2-3:sigmoid-3:sigmoid"
#define W4_NET  "784-128:sigmoid-10:sigmoid"
#define W5S_NET "10-20-20-1"
#define W7_NET  "4-32:tanh-16:tanh-4"
#define W9_NET  "1x28x28-conv6@5:tanh-maxpool2-conv16@5:tanh-maxpool2-120:tanh-84:tanh-10:softmax"
#define W10_NET "28-300:tanh-300:tanh-300:tanh-300:tanh-300:tanh-1:sigmoid"
#define CE      NNB_CROSS_ENTROPY
#define BCE     NNB_BINARY_CROSS_ENTROPY
#define HALF    NNB_HALF_SSE
#define SGD     NNB_SGD
#define SPEED   "samples/s"
#define NANO    "ns/sample"

/* clang-format off */
const workload workloads[] = {
  {"W1",        W1_NET,  LAW_NORMAL,  "W1",  "W1",  BY_STEP, CE,   SGD, 0.01, 1024, 256, 256, 4, SPEED},
  {"W2b32",     W2_NET,  LAW_SPARSE,  "W2",  "W2",  BY_STEP, CE,   SGD, 0.1, 60000, 32, 32, 20, "s/epoch"},
  {"W2b128",    W2_NET,  LAW_SPARSE,  "W2",  "W2",  BY_STEP, CE,   SGD, 0.1, 60000, 128, 128, 20, "s/epoch"},
  {"W2full",    W2_NET,  LAW_SPARSE,  "W2",  "W2",  BY_ROWS, CE,   SGD, 0.1, 60000, 60000, 60000, 2, "s/epoch"},
  {"W3i",       W3I_NET, LAW_UNIFORM, "W3i", "W3i", BY_ROWS, HALF, SGD, 0.1, 150, 1, 150, 0, SPEED},
  {"W3x",       W3X_NET, LAW_UNIFORM, "W3x", "W3x", BY_ROWS, HALF, SGD, 0.1, 150, 1, 150, 0, SPEED},
  {"W3ifull",   W3I_NET, LAW_UNIFORM, "W3i", "W3i", BY_STEP, HALF, SGD, 0.1 / 150, 150, 150, 150, 0, SPEED},
  {"W3xfull",   W3X_NET, LAW_UNIFORM, "W3x", "W3x", BY_STEP, HALF, SGD, 0.1 / 150, 150, 150, 150, 0, SPEED},
  {"W4",        W4_NET,  LAW_SPARSE,  "W2",  "W4",  BY_ROWS, HALF, SGD, 0.1, 6000, 1, 500, 0, SPEED},
  {"W5m",       W2_NET,  LAW_SPARSE,  "W2",  "W2",  PREDICT, CE,   SGD, 0, 1024, 1, 1, 0, NANO},
  {"W5md",      W2_NET,  LAW_NORMAL,  "W1",  "W2",  PREDICT, CE,   SGD, 0, 1024, 1, 1, 0, NANO},
  {"W5s",       W5S_NET, LAW_SPARSE,  "W2",  "W5s", PREDICT, HALF, SGD, 0, 1024, 1, 1, 0, NANO},
  {"W5sd",      W5S_NET, LAW_NORMAL,  "W1",  "W5s", PREDICT, HALF, SGD, 0, 1024, 1, 1, 0, NANO},
  {"W5mb1024",  W2_NET,  LAW_SPARSE,  "W2",  "W2",  PREDICT, CE,   SGD, 0, 1024, 1024, 1024, 0, NANO},
  {"W5mdb1024", W2_NET,  LAW_NORMAL,  "W1",  "W2",  PREDICT, CE,   SGD, 0, 1024, 1024, 1024, 0, NANO},
  {"W5sb1024",  W5S_NET, LAW_SPARSE,  "W2",  "W5s", PREDICT, HALF, SGD, 0, 1024, 1024, 1024, 0, NANO},
  {"W5sdb1024", W5S_NET, LAW_NORMAL,  "W1",  "W5s", PREDICT, HALF, SGD, 0, 1024, 1024, 1024, 0, NANO},
  {"W7",        W7_NET,  LAW_MATRIX,  "W7",  "W7",  BY_ROWS, NNB_MSE, NNB_ADAM,
   0.001, 10000, 10000, 10000, 100, "ms/epoch"},
  {"W9b32",     W9_NET,  LAW_SPARSE,  "W2",  "W9",  BY_STEP, CE,   SGD, 0.1, 60000, 32, 32, 20, SPEED},
  {"W9b128",    W9_NET,  LAW_SPARSE,  "W2",  "W9",  BY_STEP, CE,   SGD, 0.1, 60000, 128, 128, 20, SPEED},
  {"W9b512",    W9_NET,  LAW_SPARSE,  "W2",  "W9",  BY_STEP, CE,   SGD, 0.1, 60000, 512, 512, 20, SPEED},
  {"W10",       W10_NET, LAW_PRODUCT, "W10", "W10", BY_STEP, BCE,  SGD, 0.05, 20000, 100, 100, 20, SPEED},
};
/* clang-format on */
const int n_workloads = sizeof workloads / sizeof *workloads;

const workload *find_workload(const char *name) {
  for (int i = 0; i < n_workloads; i++)
    if (!strcmp(workloads[i].name, name)) return &workloads[i];
  return NULL;
}

static const char *law_words(data_law law) {
  switch (law) {
    case LAW_NORMAL:
      return "normal numbers";
    case LAW_SPARSE:
      return "numbers of which 80 % are 0, as pixels";
    case LAW_UNIFORM:
      return "uniform numbers";
    case LAW_MATRIX:
      return "2x2 matrices and their exponentials";
    case LAW_PRODUCT:
      return "normal numbers, the sign of a product";
  }
  return "";
}

const char *workload_words(const workload *w, char text[256]) {
  char rows[64];
  snprintf(rows, sizeof rows, w->batch == 1 ? "one row" : w->batch == w->rows ? "all %d rows" : "%d rows", w->batch);
  if (w->manner == PREDICT)
    snprintf(text, 256, "prediction by %s, %s a call; %s", w->net, rows, law_words(w->law));
  else
    snprintf(text, 256, "training of %s by %s, %s, %s an update; %s", w->net, nnb_algo_name(w->algo),
             nnb_loss_name(w->loss), rows, law_words(w->law));
  return text;
}

net_layout layout_of(const char *text) {
  net_layout out = {0};
  nnb_net *net;
  nnb_cmat w;
  if (nnb_net_parse(text, &net)) fprintf(stderr, "nnblas-bench: %s\n", nnb_errmsg()), exit(1);
  out.n_in = nnb_net_n_in(net), out.n_out = nnb_net_n_out(net);
  for (int k = 1; k <= nnb_net_n_nodes(net) && out.n_layers < MAX_LAYERS; k++) {
    const nnb_shape s = nnb_net_node_shape(net, k);
    if (nnb_net_weights(net, k, &w)) continue; /* a layer without weights */
    out.layer[out.n_layers++] = (net_layer){k, w.rows, w.cols, s.channels ? s.height * s.width : 1};
  }
  nnb_net_destroy(net);
  return out;
}

double workload_flops(const workload *w) {
  const net_layout net = layout_of(w->net);
  double products = 0;
  for (int l = 0; l < net.n_layers; l++) {
    const net_layer *at = &net.layer[l];
    products += (double)at->inputs * at->units * at->places * (w->manner == PREDICT ? 1 : l ? 3 : 2);
  }
  return 2 * w->batch * products;
}
