/* io/onnx_layer_ops.h: operators that files of their own translate, for the table in onnx_ops.c. */
#ifndef NNB__ONNX_LAYER_OPS_H
#define NNB__ONNX_LAYER_OPS_H

#include "onnx_graph.h"

#define NNB__ONNX_OP(name) nnb_status name(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int argument)

/* Windows over images (onnx_images.c); argument: whether a pool takes the mean. */
NNB__ONNX_OP(nnb__onnx_conv);
NNB__ONNX_OP(nnb__onnx_pool_op);
NNB__ONNX_OP(nnb__onnx_pool_all);
/* The mean of each channel; rows: without the sides of 1. */
nnb_status nnb__onnx_pool_mean(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, bool rows);
NNB__ONNX_OP(nnb__onnx_pad);

/* Orders of dimensions (onnx_views.c), and what picks the last state. */
NNB__ONNX_OP(nnb__onnx_slice);
/* Squeeze and Transpose of what is not constant; Gather of it; an activation of a view. */
nnb_status nnb__onnx_squeeze_view(nnb__onnx_graph *g, const Nnb__Onnx__Node *node);
nnb_status nnb__onnx_turn(nnb__onnx_graph *g, const Nnb__Onnx__Node *node);
nnb_status nnb__onnx_pick(nnb__onnx_graph *g, const Nnb__Onnx__Node *node);
nnb_status nnb__onnx_act_on_view(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int k, int act);
/* The rows of a tensor in any order in which the samples are first; whole: after sides of 1. */
nnb_status nnb__onnx_flatten_view(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int k, bool whole);

/* Embeddings and gated recurrent units (onnx_sequences.c). */
NNB__ONNX_OP(nnb__onnx_gather);
NNB__ONNX_OP(nnb__onnx_gru);
NNB__ONNX_OP(nnb__onnx_zeros);
/* Cast of value k to integers. */
nnb_status nnb__onnx_whole(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int k);

/* Shapes (onnx_shapes.c), and dimensions as numbers, of which Concat and Unsqueeze make longer lists. */
NNB__ONNX_OP(nnb__onnx_flatten);
NNB__ONNX_OP(nnb__onnx_reshape);
NNB__ONNX_OP(nnb__onnx_unsqueeze);
NNB__ONNX_OP(nnb__onnx_squeeze);
NNB__ONNX_OP(nnb__onnx_sizes_of);
NNB__ONNX_OP(nnb__onnx_pick_sizes);
NNB__ONNX_OP(nnb__onnx_join_sizes);
/* Whether the node reads dimensions. */
bool nnb__onnx_is_sizes(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node);

/* Norms, and the parts of layer normalisation (onnx_norms.c). */
NNB__ONNX_OP(nnb__onnx_batch_norm);
NNB__ONNX_OP(nnb__onnx_layer_norm);
NNB__ONNX_OP(nnb__onnx_mean);
NNB__ONNX_OP(nnb__onnx_power);
NNB__ONNX_OP(nnb__onnx_root);
/* Version 6 of the operators trains unless it is told not to. */
bool nnb__onnx_for_predictions(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node);

#undef NNB__ONNX_OP

#endif
