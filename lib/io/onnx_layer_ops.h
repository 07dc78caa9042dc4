/* io/onnx_layer_ops.h: operators that files of their own translate, for the table in onnx_ops.c. */
#ifndef NNB__ONNX_LAYER_OPS_H
#define NNB__ONNX_LAYER_OPS_H

#include "onnx_graph.h"

#define NNB__ONNX_OP(name) nnb_status name(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, int argument)

/* Windows over images (onnx_images.c); argument: whether a pool takes the mean. */
NNB__ONNX_OP(nnb__onnx_conv);
NNB__ONNX_OP(nnb__onnx_pool_op);
NNB__ONNX_OP(nnb__onnx_pool_all);
NNB__ONNX_OP(nnb__onnx_pad);

/* Shapes (onnx_shapes.c), and dimensions as numbers, of which Concat and Unsqueeze make longer lists. */
NNB__ONNX_OP(nnb__onnx_flatten);
NNB__ONNX_OP(nnb__onnx_reshape);
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
