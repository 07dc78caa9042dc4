/* io/onnx_net.h: what the files share that make a net of the values of an ONNX file. */
#ifndef NNB__ONNX_NET_H
#define NNB__ONNX_NET_H

#include "real.h"
/* the precision first */
#include "net.h"
#include "onnx_graph.h"

/* A run of elementwise arithmetic from one value to another, ((x - p)·m)/d + q for each column. */
typedef struct nnb__onnx_chain {
  double *p, *m, *d, *q;
} nnb__onnx_chain;

/* A layer of the net with parameters.  Arithmetic on the inputs and outputs of a dense layer is part of them. */
typedef struct nnb__onnx_layer {
  int node, value;
  int before; /* the arithmetic up to this value, on the inputs; 0: none */
  int after;  /* the arithmetic up to this value, on the outputs; the layer's own value: none */
} nnb__onnx_layer;

typedef struct nnb__onnx_builder {
  nnb__onnx_graph *g;
  nnb_net *net;
  int *node;               /* of value k: node[k]; 0: none */
  int *stop;               /* of value k, which ends a run of arithmetic: where the run begins */
  nnb__onnx_chain **chain; /* of value k: that run, once it was computed */
  nnb__onnx_layer *layer;
  int n_layers;
  real *shift, *factor; /* of all inputs, then of all outputs, during a call */
} nnb__onnx_builder;

/* The run of arithmetic that ends with value k (onnx_chain.c). */
nnb_status nnb__onnx_chain_of(nnb__onnx_builder *b, int k, const nnb__onnx_chain **out);
/* Element i of a constant.  NNB_E_PARSE if it is too large for the precision. */
nnb_status nnb__onnx_real(const nnb__onnx_graph *g, const nnb__onnx_const *c, size_t i, real *out);
/* The parameters of a layer into its block and its buffers (onnx_chain.c). */
nnb_status nnb__onnx_fill(nnb__onnx_builder *b, const nnb__onnx_layer *layer);

/* Nodes (onnx_node.c).  out ← a name for the node of value k, or NULL if it has none that nodes may have. */
const char *nnb__onnx_node_name(const nnb__onnx_builder *b, int k, char out[64]);
/* Appends the node of value k. */
nnb_status nnb__onnx_append(nnb__onnx_builder *b, int k, const nnb_layer_ops *ops, const void *self, const int *from,
                            int n, int act);
/* The same for the layer of value `layer`, with the activation; not for dense ones. */
nnb_status nnb__onnx_append_layer(nnb__onnx_builder *b, int k, int layer, int act);
/* Whether it takes value k and an activation, or is batch normalisation of rows, which has become no part of others. */
bool nnb__onnx_takes_activation(const nnb__onnx_builder *b, int k);
/* The node that has the value; arithmetic that has no place is an error, batch normalisation becomes a node. */
nnb_status nnb__onnx_node_of(nnb__onnx_builder *b, int k, int *out);
nnb_status nnb__onnx_misplaced(const nnb__onnx_builder *b, int k, const char *sentence);

/* The net of a graph. */
nnb_status nnb__onnx_build(nnb__onnx_graph *g, size_t max_bytes, nnb_net **out);

#endif
