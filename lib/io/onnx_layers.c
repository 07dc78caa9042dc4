/* io/onnx_layers.c: one function for each layer. */
#include "onnx_layers.h"

#include <string.h>

#include "alloc.h"

enum { NAME = NNB__ONNX_NAME };
typedef nnb__onnx_writer writer;

/* ---- dense, sums, columns side by side --------------------------------------------------------------------------- */

/* name ← Wᵀ, of these dimensions */
static void put_transposed(writer *w, const nnb__node *node, const char *name, int n_dims, const size_t *dim) {
  const size_t rows = (size_t)node->needs.w_rows, cols = (size_t)node->needs.w_cols;
  const real *params = w->net->params + node->off;
  char *data = nnb__onnx_tensor(&w->file, name, NNB__REAL_DTYPE, n_dims, dim);
  for (size_t j = 0; data && j < cols; j++)
    for (size_t i = 0; i < rows; i++) memcpy(data + (j * rows + i) * sizeof(real), &params[i * cols + j], sizeof(real));
}

/* made: an operator that takes the bias as a further input, if there is one */
static void put_bias(writer *w, const nnb__node *node, Nnb__Onnx__Node *made) {
  char bias[NAME];
  const size_t rows = (size_t)node->needs.w_rows, cols = (size_t)node->needs.w_cols;
  if (!node->needs.bias) return;
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "bias", bias), 1, &cols, w->net->params + node->off + rows * cols);
  nnb__onnx_input(&w->file, made, bias);
}

/* Z = A·W + b, with Wᵀ in the file as PyTorch writes it; without bias the product, with W. */
static void put_dense(writer *w, const nnb__node *node, const char *out) {
  char x[NAME], weight[NAME];
  const size_t rows = (size_t)node->needs.w_rows, cols = (size_t)node->needs.w_cols;
  nnb__onnx_put_input(w, node, 0, &(nnb_shape){0}, x);
  nnb__onnx_part(node, "weight", weight);
  if (!node->needs.bias) {
    nnb__onnx_put_numbers(w, weight, 2, (const size_t[]){rows, cols}, w->net->params + node->off);
    nnb__onnx_put_op(w, "MatMul", x, weight, out);
    return;
  }
  put_transposed(w, node, weight, 2, (const size_t[]){cols, rows});
  Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "Gemm", x, weight, out);
  put_bias(w, node, made);
  nnb__onnx_attribute_real(&w->file, made, "alpha", 1);
  nnb__onnx_attribute_real(&w->file, made, "beta", 1);
  nnb__onnx_attribute(&w->file, made, "transB", 1);
}

/* One after the other: OpenCV and others know Add and Mul of two. */
static void put_pairs(writer *w, const nnb__node *node, const char *op, const char *part, const char *out) {
  char x[NAME], sum[NAME] = "", next[NAME], name[20];
  const nnb_shape shape = nnb__onnx_layer_shape(w->net, node);
  nnb__onnx_put_input(w, node, 0, &shape, sum);
  for (int i = 1; i < node->n_from; i++) {
    snprintf(name, sizeof name, "%s%d", part, i);
    nnb__onnx_part(node, name, next);
    nnb__onnx_put_op(w, op, sum, nnb__onnx_put_input(w, node, i, &shape, x), i + 1 < node->n_from ? next : out);
    memcpy(sum, next, sizeof sum);
  }
  if (node->n_from == 1) nnb__onnx_put_op(w, "Identity", sum, NULL, out);
}
static void put_sum(writer *w, const nnb__node *node, const char *out) { put_pairs(w, node, "Add", "sum", out); }
static void put_product(writer *w, const nnb__node *node, const char *out) {
  put_pairs(w, node, "Mul", "product", out);
}

/* Rows side by side; images of one size as further channels. */
static void put_concat(writer *w, const nnb__node *node, const char *out) {
  char x[NAME];
  nnb_shape shape = nnb__onnx_layer_shape(w->net, node);
  const bool images = nnb__onnx_is_image(&shape);
  char(*names)[NAME] = nnb__alloc((size_t)node->n_from, sizeof *names);
  if (!names) {
    if (!w->file.status) w->file.status = nnb__fail_nomem("the names of what is read");
    return;
  }
  for (int i = 0; i < node->n_from; i++) {
    if (images) shape.channels = w->net->nodes[node->from[i] - 1].needs.shape.channels;
    memcpy(names[i], nnb__onnx_put_input(w, node, i, &shape, x), sizeof x);
  }
  Nnb__Onnx__Node *made = nnb__onnx_node(&w->file, "Concat", out);
  for (int i = 0; i < node->n_from; i++) nnb__onnx_input(&w->file, made, names[i]);
  nnb__onnx_attribute(&w->file, made, "axis", 1);
  nnb__release(names);
}

/* ---- windows over images ----------------------------------------------------------------------------------------- */

/* kernel_shape, strides and, for a convolution, pads */
static void put_window(writer *w, Nnb__Onnx__Node *made, const nnb__patches *p, bool pads) {
  const int first = w->signals, n = 2 - first;
  const int64_t kernel[] = {p->height, p->width}, strides[] = {p->stride_y, p->stride_x},
                pad[] = {p->pad_y, p->pad_x, p->pad_y, p->pad_x}, pad_of_signal[] = {p->pad_x, p->pad_x};
  nnb__onnx_attribute_ints(&w->file, made, "kernel_shape", kernel + first, n);
  nnb__onnx_attribute_ints(&w->file, made, "strides", strides + first, n);
  if (pads) nnb__onnx_attribute_ints(&w->file, made, "pads", first ? pad_of_signal : pad, 2 * n);
}

/* W: O×channels×height×width, as PyTorch has it: K×O transposed */
static void put_conv(writer *w, const nnb__node *node, const char *out) {
  char x[NAME], weight[NAME];
  const nnb__conv *d = node->self;
  const nnb__patches *p = &d->patches;
  const size_t height = (size_t)p->height, width = (size_t)p->width;
  const size_t dim[] = {(size_t)d->channels, (size_t)p->in.channels, w->signals ? width : height, width};
  put_transposed(w, node, nnb__onnx_part(node, "weight", weight), w->signals ? 3 : 4, dim);
  Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "Conv", nnb__onnx_put_input(w, node, 0, &p->in, x), weight, out);
  put_bias(w, node, made);
  put_window(w, made, p, true);
}

static void put_pool(writer *w, const nnb__node *node, const char *out) {
  char x[NAME];
  const nnb__pool *d = node->self;
  const char *op = node->ops == &nnb__layer_maxpool ? "MaxPool" : "AveragePool";
  nnb__onnx_put_input(w, node, 0, &d->patches.in, x);
  put_window(w, nnb__onnx_put_op(w, op, x, NULL, out), &d->patches, false);
}

/* ---- norms ------------------------------------------------------------------------------------------------------- */

/* An attribute has single precision.  In double precision σ² takes up what ε loses, so that their sum stays. */
static void put_variance(writer *w, const char *name, const real *variance, size_t n, double epsilon) {
  char *data = nnb__onnx_tensor(&w->file, name, NNB__REAL_DTYPE, 1, &n);
  const real rest = sizeof(real) == sizeof(double) ? (real)(epsilon - (double)(float)epsilon) : 0;
  for (size_t i = 0; data && i < n; i++) {
    const real sum = variance[i] + rest;
    memcpy(data + i * sizeof sum, &sum, sizeof sum);
  }
}

/* In the form for predictions */
static void put_batchnorm(writer *w, const nnb__node *node, const char *out) {
  static const char *const parts[] = {"weight", "bias", "mean", "variance"};
  const nnb__norm *d = node->self;
  const size_t n = (size_t)d->channels;
  const real *gain = w->net->params + node->off, *mean = w->net->params + node->buffers_off;
  const real *numbers[] = {gain, gain + n, mean};
  const nnb_shape shape = nnb__onnx_layer_shape(w->net, node);
  char x[NAME], name[NAME];
  Nnb__Onnx__Node *made =
      nnb__onnx_put_op(w, "BatchNormalization", nnb__onnx_put_input(w, node, 0, &shape, x), NULL, out);
  for (int i = 0; i < 4; i++) {
    nnb__onnx_part(node, parts[i], name);
    if (i < 3)
      nnb__onnx_put_numbers(w, name, 1, &n, numbers[i]);
    else
      put_variance(w, name, mean + n, n, d->epsilon);
    nnb__onnx_input(&w->file, made, name);
  }
  nnb__onnx_attribute_real(&w->file, made, "epsilon", (float)d->epsilon);
}

/* The mean over all but the first dimension */
static void put_mean(writer *w, const char *x, int n_dims, const char *out) {
  static const int64_t axes[] = {1, 2, 3};
  Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "ReduceMean", x, NULL, out);
  nnb__onnx_attribute_ints(&w->file, made, "axes", axes, n_dims);
  nnb__onnx_attribute(&w->file, made, "keepdims", 1);
}

/* (A - μ)/√(σ² + ε), spelt out */
static void put_normed(writer *w, const nnb__node *node, const char *x, int n_dims, const char *out) {
  char mean[NAME], centred[NAME], square[NAME], variance[NAME], epsilon[NAME], sum[NAME], root[NAME];
  const real eps = (real)((const nnb__norm *)node->self)->epsilon;
  put_mean(w, x, n_dims, nnb__onnx_part(node, "mean", mean));
  nnb__onnx_put_op(w, "Sub", x, mean, nnb__onnx_part(node, "centred", centred));
  nnb__onnx_put_op(w, "Mul", centred, centred, nnb__onnx_part(node, "square", square));
  put_mean(w, square, n_dims, nnb__onnx_part(node, "variance", variance));
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "epsilon", epsilon), 0, NULL, &eps);
  nnb__onnx_put_op(w, "Add", variance, epsilon, nnb__onnx_part(node, "sum", sum));
  nnb__onnx_put_op(w, "Sqrt", sum, NULL, nnb__onnx_part(node, "root", root));
  nnb__onnx_put_op(w, "Div", centred, root, out);
}

/* One operator from version 17 on, but not in double precision: its ε has single precision. */
static void put_layernorm(writer *w, const nnb__node *node, const char *out) {
  char x[NAME], gain[NAME], bias[NAME], normed[NAME], product[NAME];
  const nnb__norm *d = node->self;
  const real *numbers = w->net->params + node->off;
  const nnb_shape shape = nnb__onnx_layer_shape(w->net, node);
  size_t dim[3];
  const int n_dims = nnb__onnx_dims(w, &shape, node->needs.cols, dim);
  nnb__onnx_put_input(w, node, 0, &shape, x);
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "weight", gain), n_dims, dim, numbers);
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "bias", bias), n_dims, dim, numbers + d->channels);
  if (w->opset >= 17 && sizeof(real) == sizeof(float)) {
    Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "LayerNormalization", x, gain, out);
    nnb__onnx_input(&w->file, made, bias);
    nnb__onnx_attribute(&w->file, made, "axis", 1);
    nnb__onnx_attribute_real(&w->file, made, "epsilon", (float)d->epsilon);
    return;
  }
  put_normed(w, node, x, n_dims, nnb__onnx_part(node, "normed", normed));
  nnb__onnx_put_op(w, "Mul", normed, gain, nnb__onnx_part(node, "product", product));
  nnb__onnx_put_op(w, "Add", product, bias, out);
}

/* ---- embeddings and gated recurrent units ------------------------------------------------------------------------ */

/* out ← x with its dimensions in this order */
static void put_turn(writer *w, const char *x, const int64_t *order, int n, const char *out) {
  nnb__onnx_attribute_ints(&w->file, nnb__onnx_put_op(w, "Transpose", x, NULL, out), "perm", order, n);
}

/* Rows of whole numbers, samples×n, look up samples×n×units.  Then the units come first, in the node's shape. */
static void put_embedding(writer *w, const nnb__node *node, const char *out) {
  static const int64_t units_first[] = {0, 2, 1};
  char x[NAME], whole[NAME], weight[NAME], rows[NAME], turned[NAME];
  const nnb_shape *shape = &node->needs.shape;
  const int n = node->needs.cols / node->needs.w_cols;
  const bool is_signal = w->signals && shape->channels == node->needs.w_cols && shape->width == n;
  nnb__onnx_put_input(w, node, 0, &(nnb_shape){0}, x);
  Nnb__Onnx__Node *cast = nnb__onnx_put_op(w, "Cast", x, NULL, nnb__onnx_part(node, "whole", whole));
  nnb__onnx_attribute(&w->file, cast, "to", NNB__ONNX_INT64);
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "weight", weight), 2,
                        (const size_t[]){(size_t)node->needs.w_rows, (size_t)node->needs.w_cols},
                        w->net->params + node->off);
  nnb__onnx_put_op(w, "Gather", weight, whole, nnb__onnx_part(node, "rows", rows));
  const bool one = !nnb__onnx_is_image(shape); /* n is 1 */
  if (!one) put_turn(w, rows, units_first, 3, is_signal ? out : nnb__onnx_part(node, "turned", turned));
  if (!is_signal) nnb__onnx_put_shape(w, shape, one ? rows : turned, out);
}

/* Rows [first, first + n) of the block as 1×3H×n; n 0: the biases, [b c]. */
static void put_gates(writer *w, const nnb__node *node, const char *part, int first, int n, Nnb__Onnx__Node *made) {
  const nnb__gru *d = node->self;
  const size_t h = (size_t)d->units, dim[] = {1, n ? 3 * h : 6 * h, (size_t)n};
  const real *block = w->net->params + node->off;
  char name[NAME];
  char *data = nnb__onnx_tensor(&w->file, nnb__onnx_part(node, part, name), NNB__REAL_DTYPE, n ? 3 : 2, dim);
  for (size_t k = 0; data && k < dim[1]; k++)
    for (int i = 0; i < (n ? n : 1); i++, data += sizeof(real)) {
      const int gate = nnb__onnx_gate((int)(k % (3 * h) / h)), row = n ? first + i : first + (k < 3 * h);
      memcpy(data, &block[(size_t)row * 3 * h + (size_t)gate * h + k % h], sizeof(real));
    }
  nnb__onnx_input(&w->file, made, name);
}

/* The GRU of x, steps×samples×channels, and its last state or all of them. */
static void put_states(writer *w, const nnb__node *node, const char *x, const char *states) {
  const nnb__gru *d = node->self;
  Nnb__Onnx__Node *made = nnb__onnx_put_op(w, "GRU", x, NULL, d->sequence ? states : "");
  if (!d->sequence) nnb__onnx_output(&w->file, made, states);
  put_gates(w, node, "weight", 0, d->channels, made);
  put_gates(w, node, "state_weight", d->channels, d->units, made);
  put_gates(w, node, "bias", d->channels + d->units, 0, made);
  nnb__onnx_attribute(&w->file, made, "hidden_size", d->units);
  nnb__onnx_attribute(&w->file, made, "linear_before_reset", 1);
}

/* out ← x without dimension `axis`, whose size is 1 */
static void put_without(writer *w, const nnb__node *node, const char *x, int axis, const char *out) {
  const int64_t first = 0;
  char index[NAME];
  void *data = nnb__onnx_tensor(&w->file, nnb__onnx_part(node, "first", index), NNB__I64, 0, NULL);
  if (data) memcpy(data, &first, sizeof first);
  nnb__onnx_attribute(&w->file, nnb__onnx_put_op(w, "Gather", x, index, out), "axis", axis);
}

/* The last state is 1×samples×units; all of them are steps×1×samples×units, and become samples×units×steps. */
static void put_gru(writer *w, const nnb__node *node, const char *out) {
  static const int64_t steps_first[] = {2, 0, 1}, steps_last[] = {1, 2, 0};
  const nnb__gru *d = node->self;
  const nnb_shape shape = {d->channels, 1, d->steps}, all = {d->units, 1, d->steps};
  const size_t dim[] = {(size_t)d->channels, (size_t)d->steps};
  char x[NAME], signal[NAME], turned[NAME], states[NAME], rows[NAME], last[NAME];
  nnb__onnx_put_input(w, node, 0, &shape, x);
  if (!w->signals) nnb__onnx_put_reshape(w, dim, 2, x, nnb__onnx_part(node, "signal", signal));
  put_turn(w, w->signals ? x : signal, steps_first, 3, nnb__onnx_part(node, "turned", turned));
  put_states(w, node, turned, nnb__onnx_part(node, "states", states));
  put_without(w, node, states, d->sequence, d->sequence ? nnb__onnx_part(node, "rows", rows) : out);
  if (!d->sequence) return;
  put_turn(w, rows, steps_last, 3, w->signals ? out : nnb__onnx_part(node, "last", last));
  if (!w->signals) nnb__onnx_put_shape(w, &all, last, out);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct layer {
  const nnb_layer_ops *ops;
  void (*put)(writer *w, const nnb__node *node, const char *out); /* NULL: Z is what it reads */
} layers[] = {
    {&nnb__layer_activation, NULL},
    {&nnb__layer_add, put_sum},
    {&nnb__layer_avgpool, put_pool},
    {&nnb__layer_batchnorm, put_batchnorm},
    {&nnb__layer_concat, put_concat},
    {&nnb__layer_conv, put_conv},
    {&nnb__layer_dense, put_dense},
    {&nnb__layer_embedding, put_embedding},
    {&nnb__layer_flatten, NULL},
    {&nnb__layer_gru, put_gru},
    {&nnb__layer_layernorm, put_layernorm},
    {&nnb__layer_maxpool, put_pool},
    {&nnb__layer_product, put_product},
};

static const struct layer *find(const nnb_layer_ops *ops) {
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    if (layers[i].ops == ops) return &layers[i];
  return NULL;
}

bool nnb__onnx_has_layer(const nnb_layer_ops *ops) { return find(ops) != NULL; }

/* The shape of all nodes that it reads; images of one size side by side are further channels. */
static nnb_shape read_shape(const nnb_net *net, const nnb__node *node) {
  nnb_shape all = net->nodes[node->from[0] - 1].needs.shape;
  for (int i = 1; i < node->n_from; i++) {
    nnb_shape one = net->nodes[node->from[i] - 1].needs.shape;
    const int channels = one.channels;
    if (node->ops == &nnb__layer_concat && channels > 0) one.channels = all.channels;
    if (!nnb__onnx_same_shape(&one, &all)) return (nnb_shape){0};
    if (node->ops == &nnb__layer_concat) all.channels += channels;
  }
  return all;
}

nnb_shape nnb__onnx_layer_shape(const nnb_net *net, const nnb__node *node) {
  if (node->ops == &nnb__layer_dense) return (nnb_shape){0};
  if (node->ops == &nnb__layer_embedding) return node->needs.shape;
  if (node->ops == &nnb__layer_gru) {
    const nnb__gru *d = node->self;
    return d->sequence ? (nnb_shape){d->units, 1, d->steps} : (nnb_shape){0};
  }
  if (node->ops == &nnb__layer_conv) {
    const nnb__conv *d = node->self;
    return (nnb_shape){d->channels, d->patches.out_height, d->patches.out_width};
  }
  if (node->ops == &nnb__layer_maxpool || node->ops == &nnb__layer_avgpool) {
    const nnb__patches *p = &((const nnb__pool *)node->self)->patches;
    return (nnb_shape){p->in.channels, p->out_height, p->out_width};
  }
  return read_shape(net, node);
}

void nnb__onnx_put_layer(nnb__onnx_writer *w, const nnb__node *node, const char *out) {
  find(node->ops)->put(w, node, out);
}
