/* io/onnx_put.c: parts of a graph of ONNX. */
#include "onnx_put.h"

#include <string.h>

const char *nnb__onnx_part(const nnb__node *node, const char *part, char out[NNB__ONNX_NAME]) {
  snprintf(out, NNB__ONNX_NAME, "%s%s%s", node->name, *part ? "." : "", part);
  return out;
}

/* Whether the net reads or makes scaled numbers there: an input or an output with a scaler. */
static bool is_scaled(const nnb_net *net, const nnb__node *node) {
  return nnb__node_is_input(node) ? nnb__onnx_scales(net, node) : node->out_col >= 0 && net->out.shift != NULL;
}

bool nnb__onnx_scales(const nnb_net *net, const nnb__node *input) {
  return net->in.shift && !(net->looking > 0 && nnb__net_looks_at(net, input->x_col, NULL));
}

const char *nnb__onnx_values(const nnb__onnx_writer *w, const nnb__node *node, char out[NNB__ONNX_NAME]) {
  return nnb__onnx_part(node, is_scaled(w->net, node) ? "scaled" : "", out);
}

void nnb__onnx_put_numbers(nnb__onnx_writer *w, const char *name, int n_dims, const size_t *dim, const real *numbers) {
  size_t n = 1;
  for (int i = 0; i < n_dims; i++) n *= dim[i];
  void *data = nnb__onnx_tensor(&w->file, name, NNB__REAL_DTYPE, n_dims, dim);
  if (data && n > 0) memcpy(data, numbers, n * sizeof *numbers);
}

Nnb__Onnx__Node *nnb__onnx_put_op(nnb__onnx_writer *w, const char *op, const char *x, const char *y, const char *out) {
  Nnb__Onnx__Node *node = nnb__onnx_node(&w->file, op, out);
  nnb__onnx_input(&w->file, node, x);
  if (y) nnb__onnx_input(&w->file, node, y);
  return node;
}

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

bool nnb__onnx_is_image(const nnb_shape *shape) { return shape->channels > 0; }

bool nnb__onnx_same_shape(const nnb_shape *a, const nnb_shape *b) {
  return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

int nnb__onnx_dims(const nnb__onnx_writer *w, const nnb_shape *shape, int cols, size_t dim[3]) {
  int n = 0;
  if (!nnb__onnx_is_image(shape)) return dim[0] = (size_t)cols, 1;
  dim[n++] = (size_t)shape->channels;
  if (!w->signals) dim[n++] = (size_t)shape->height;
  dim[n++] = (size_t)shape->width;
  return n;
}

void nnb__onnx_put_reshape(nnb__onnx_writer *w, const size_t *dim, int n_dims, const char *x, const char *out) {
  char name[NNB__ONNX_NAME + 8];
  const size_t n = 1 + (size_t)n_dims;
  int64_t sizes[4] = {-1};
  for (size_t i = 1; i < n; i++) sizes[i] = (int64_t)dim[i - 1];
  snprintf(name, sizeof name, "%s.shape", out);
  void *data = nnb__onnx_tensor(&w->file, name, NNB__I64, 1, &n);
  if (data) memcpy(data, sizes, n * sizeof *sizes);
  nnb__onnx_put_op(w, "Reshape", x, name, out);
}

void nnb__onnx_put_shape(nnb__onnx_writer *w, const nnb_shape *shape, const char *x, const char *out) {
  if (!nnb__onnx_is_image(shape)) {
    Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "Flatten", x, NULL, out);
    nnb__onnx_attribute(&w->file, made, "axis", 1);
    return;
  }
  size_t dim[3];
  const int n = nnb__onnx_dims(w, shape, 0, dim);
  nnb__onnx_put_reshape(w, dim, n, x, out);
}

const char *nnb__onnx_put_input(nnb__onnx_writer *w, const nnb__node *node, int i, const nnb_shape *shape,
                                char out[NNB__ONNX_NAME]) {
  const nnb__node *from = &w->net->nodes[node->from[i] - 1];
  char x[NNB__ONNX_NAME], part[20];
  nnb__onnx_values(w, from, x);
  if (nnb__onnx_same_shape(&from->needs.shape, shape)) return memcpy(out, x, sizeof x), out;
  snprintf(part, sizeof part, "from%d", i + 1);
  nnb__onnx_put_shape(w, shape, x, nnb__onnx_part(node, part, out));
  return out;
}
