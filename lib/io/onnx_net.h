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

/* A dense layer of the net with its parameters: arithmetic on its inputs and its outputs is part of them. */
typedef struct nnb__onnx_dense {
  int node, value;
  int before; /* the arithmetic up to this value, on the inputs; 0: none */
  int after;  /* the arithmetic up to this value, on the outputs; the layer's own value: none */
} nnb__onnx_dense;

typedef struct nnb__onnx_builder {
  nnb__onnx_graph *g;
  nnb_net *net;
  int *node;               /* of value k: node[k]; 0: none */
  int *stop;               /* of value k, which ends a run of arithmetic: where the run begins */
  nnb__onnx_chain **chain; /* of value k: that run, once it was computed */
  nnb__onnx_dense *dense;
  int n_dense;
  real *shift, *factor; /* of all inputs, then of all outputs, during a call */
} nnb__onnx_builder;

/* The run of arithmetic that ends with value k (onnx_chain.c). */
nnb_status nnb__onnx_chain_of(nnb__onnx_builder *b, int k, const nnb__onnx_chain **out);
/* Element i of a constant.  NNB_E_PARSE if it is too large for the precision. */
nnb_status nnb__onnx_real(const nnb__onnx_graph *g, const nnb__onnx_const *c, size_t i, real *out);
/* The parameters of a dense layer into its block (onnx_chain.c). */
nnb_status nnb__onnx_fill(nnb__onnx_builder *b, const nnb__onnx_dense *dense);
/* The net of a graph. */
nnb_status nnb__onnx_build(nnb__onnx_graph *g, size_t max_bytes, nnb_net **out);

#endif
