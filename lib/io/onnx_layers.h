/* io/onnx_layers.h: the layers as operators of ONNX. */
#ifndef NNB__ONNX_LAYERS_H
#define NNB__ONNX_LAYERS_H

#include "onnx_put.h"

/* Whether the layer can be written. */
bool nnb__onnx_has_layer(const nnb_layer_ops *ops);
/* The shape in which the layer's operators make Z. */
nnb_shape nnb__onnx_layer_shape(const nnb_net *net, const nnb__node *node);
/* out ← Z, of that shape.  Not for inputs, activations and flatten, which compute nothing. */
void nnb__onnx_put_layer(nnb__onnx_writer *w, const nnb__node *node, const char *out);

#endif
