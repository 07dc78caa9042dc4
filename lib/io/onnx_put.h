/* io/onnx_put.h: what the files that write ONNX share: names of tensors, constants, operators, shapes.
 *
 * The values of a node have its name; parts have a name with a point, which nodes cannot have: NAME.weight, NAME.bias,
 * NAME.z (before the activation), NAME.scaled (inputs after their scaler, outputs before theirs), NAME.1, … (steps of a
 * formula).  Nodes with a shape are images, batch×channels×height×width; without a height if all images of the net have
 * the height 1, for then they are signals.  Other nodes are rows. */
#ifndef NNB__ONNX_PUT_H
#define NNB__ONNX_PUT_H

#include "real.h"
/* the precision first */
#include "net.h"
#include "onnx_model.h"

enum { NNB__ONNX_NAME = 80 };

typedef struct nnb__onnx_writer {
  const nnb_net *net;
  int opset;
  bool signals; /* images have no height in the file */
  nnb__onnx_model file;
} nnb__onnx_writer;

/* out ← NODE.part, or the node's name if part is "". */
const char *nnb__onnx_part(const nnb__node *node, const char *part, char out[NNB__ONNX_NAME]);
/* out ← the tensor of the node's values, scaled ones of an input or an output. */
const char *nnb__onnx_values(const nnb__onnx_writer *w, const nnb__node *node, char out[NNB__ONNX_NAME]);

void nnb__onnx_put_numbers(nnb__onnx_writer *w, const char *name, int n_dims, const size_t *dim, const real *numbers);
/* y NULL: an operator of one input. */
Nnb__Onnx__Node *nnb__onnx_put_op(nnb__onnx_writer *w, const char *op, const char *x, const char *y, const char *out);

/* Dimensions of one sample, images or `cols` columns.  Returns their number. */
int nnb__onnx_dims(const nnb__onnx_writer *w, const nnb_shape *shape, int cols, size_t dim[3]);
bool nnb__onnx_is_image(const nnb_shape *shape);
bool nnb__onnx_same_shape(const nnb_shape *a, const nnb_shape *b);
/* Whether the columns of an input are scaled: not those of an embedding, whose scaler changes nothing. */
bool nnb__onnx_scales(const nnb_net *net, const nnb__node *input);
/* out ← x with samples and these dimensions, at most 3. */
void nnb__onnx_put_reshape(nnb__onnx_writer *w, const size_t *dim, int n_dims, const char *x, const char *out);
/* out ← x as images of that shape, or as rows. */
void nnb__onnx_put_shape(nnb__onnx_writer *w, const nnb_shape *shape, const char *x, const char *out);
/* What the node reads as its input i, with that shape; out holds the name. */
const char *nnb__onnx_put_input(nnb__onnx_writer *w, const nnb__node *node, int i, const nnb_shape *shape,
                                char out[NNB__ONNX_NAME]);

#endif
