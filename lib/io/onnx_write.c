/* io/onnx_write.c: a net as a graph of ONNX.  The values of a node have its name; parts have a name with a point, which
 * nodes cannot have: NAME.weight, NAME.bias, NAME.z (before the activation), NAME.scaled (inputs after their scaler,
 * outputs before theirs), NAME.1, … (steps of a formula). */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "onnx_acts.h"
#include "onnx_model.h"
#include "onnx_names.h"
#include "safetensors.h"
#include "save.h"
#include "seal.h"
#include "status.h"
#include "text.h"

enum { NAME = 80, LEAST_OPSET = 9, MOST_OPSET = 17, DEFAULT_OPSET = 13 };

typedef struct writer {
  const nnb_net *net;
  int opset;
  nnb__onnx_model file;
} writer;

/* ---- what can be written ----------------------------------------------------------------------------------------- */

static nnb_status check_opts(const nnb_onnx_opts *opts) {
  for (size_t i = 0; i < sizeof opts->reserved / sizeof *opts->reserved; i++)
    if (opts->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_onnx_opts: a reserved word is not 0; initialise the struct with {0}");
  if (opts->opset && (opts->opset < LEAST_OPSET || opts->opset > MOST_OPSET))
    return nnb__fail(NNB_E_ARG, "opset is %d; wanted %d to %d, or 0 for %d", opts->opset, LEAST_OPSET, MOST_OPSET,
                     DEFAULT_OPSET);
  if (!nnb__little_endian)
    return nnb__fail(NNB_E_UNSUPPORTED, "ONNX files are little-endian, and this computer is not");
  return NNB_OK;
}

static nnb_status check_node(const nnb_net *net, int k) {
  const nnb__node *node = &net->nodes[k - 1];
  const nnb_layer_ops *ops = node->ops;
  if (!nnb__node_is_input(node) && ops != &nnb__layer_dense && ops != &nnb__layer_activation &&
      ops != &nnb__layer_add && ops != &nnb__layer_concat)
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the layer \"%.60s\" cannot be written as ONNX", k, node->name,
                     ops->name);
  if (!nnb__onnx_act_find(node->activation, sizeof(real) == sizeof(float)))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the activation \"%.60s\" cannot be written as ONNX", k,
                     node->name, nnb__net_act(net, node->activation)->name);
  if (!nnb__is_utf8(node->name, strlen(node->name))) return nnb__fail(NNB_E_ARG, "node %d: its name is not UTF-8", k);
  return NNB_OK;
}

/* ---- names, constants, operators --------------------------------------------------------------------------------- */

static const char *name_of(const nnb__node *node, const char *part, char out[NAME]) {
  snprintf(out, NAME, "%s%s%s", node->name, *part ? "." : "", part);
  return out;
}

/* Whether the net reads or makes scaled numbers there: an input or an output with a scaler. */
static bool is_scaled(const nnb_net *net, const nnb__node *node) {
  return nnb__node_is_input(node) ? net->in.shift != NULL : node->out_col >= 0 && net->out.shift != NULL;
}

static const char *values_of(const nnb_net *net, const nnb__node *node, char out[NAME]) {
  return name_of(node, is_scaled(net, node) ? "scaled" : "", out);
}

static void put_numbers(writer *w, const char *name, int n_dims, const size_t *dim, const real *numbers, size_t n) {
  void *data = nnb__onnx_tensor(&w->file, name, NNB__REAL_DTYPE, n_dims, dim);
  if (data && n > 0) memcpy(data, numbers, n * sizeof *numbers);
}

static Nnb__Onnx__Node *put_op(writer *w, const char *op, const char *x, const char *y, const char *out) {
  Nnb__Onnx__Node *node = nnb__onnx_node(&w->file, op, out);
  nnb__onnx_input(&w->file, node, x);
  if (y) nnb__onnx_input(&w->file, node, y);
  return node;
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

/* out ← the name of an operand of step i: z, a result of a step before it, or the constant, which is added. */
static const char *operand(writer *w, const nnb__node *node, const nnb__onnx_step *step, int i, char letter,
                           const char *z, char out[NAME]) {
  char part[20];
  if (letter == 'z') return z;
  const real c = (real)step->c;
  snprintf(part, sizeof part, letter == '#' ? "c%d" : "%d", letter == '#' ? i + 1 : letter - 'a' + 1);
  name_of(node, part, out);
  if (letter == '#') put_numbers(w, out, 0, NULL, &c, 1);
  return out;
}

static void put_step(writer *w, const nnb__node *node, const nnb__onnx_step *step, int i, const char *z,
                     const char *result) {
  char x[NAME], y[NAME];
  const char *first = operand(w, node, step, i, step->in[0], z, x),
             *second = step->in[1] ? operand(w, node, step, i, step->in[1], z, y) : NULL;
  Nnb__Onnx__Node *made = put_op(w, step->op, first, second, result);
  const int64_t own = sizeof(real) == sizeof(double) ? NNB__ONNX_DOUBLE : NNB__ONNX_FLOAT;
  if (step->attribute) nnb__onnx_attribute(&w->file, made, step->attribute, step->c < 0 ? own : (int64_t)step->c);
}

/* result ← f(z) */
static void put_activation(writer *w, const nnb__node *node, const char *z, const char *result) {
  const nnb__onnx_act *act = nnb__onnx_act_find(node->activation, sizeof(real) == sizeof(float));
  char part[20], name[NAME];
  for (int i = 0; act->step[i].op; i++) {
    snprintf(part, sizeof part, "%d", i + 1);
    put_step(w, node, &act->step[i], i, z, act->step[i + 1].op ? name_of(node, part, name) : result);
  }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* Z = A·W + b, with Wᵀ in the file as PyTorch writes it; without bias the product, with W. */
static void put_dense(writer *w, const nnb__node *node, const char *x, const char *out) {
  char weight[NAME], bias[NAME];
  const size_t rows = (size_t)node->needs.w_rows, cols = (size_t)node->needs.w_cols;
  const real *params = w->net->params + node->off;
  name_of(node, "weight", weight), name_of(node, "bias", bias);
  if (!node->needs.bias) {
    put_numbers(w, weight, 2, (const size_t[]){rows, cols}, params, rows * cols);
    put_op(w, "MatMul", x, weight, out);
    return;
  }
  char *data = nnb__onnx_tensor(&w->file, weight, NNB__REAL_DTYPE, 2, (const size_t[]){cols, rows});
  for (size_t j = 0; data && j < cols; j++)
    for (size_t i = 0; i < rows; i++) memcpy(data + (j * rows + i) * sizeof(real), &params[i * cols + j], sizeof(real));
  put_numbers(w, bias, 1, &cols, params + rows * cols, cols);
  Nnb__Onnx__Node *made = put_op(w, "Gemm", x, weight, out);
  nnb__onnx_input(&w->file, made, bias);
  nnb__onnx_attribute_real(&w->file, made, "alpha", 1);
  nnb__onnx_attribute_real(&w->file, made, "beta", 1);
  nnb__onnx_attribute(&w->file, made, "transB", 1);
}

/* Sums are added one after the other: OpenCV and others know Add of two. */
static void put_sum(writer *w, const nnb__node *node, const char *out) {
  char x[NAME], sum[NAME] = "", next[NAME], part[20];
  values_of(w->net, &w->net->nodes[node->from[0] - 1], sum);
  for (int i = 1; i < node->n_from; i++) {
    snprintf(part, sizeof part, "sum%d", i);
    name_of(node, part, next);
    put_op(w, "Add", sum, values_of(w->net, &w->net->nodes[node->from[i] - 1], x), i + 1 < node->n_from ? next : out);
    memcpy(sum, next, sizeof sum);
  }
  if (node->n_from == 1) put_op(w, "Identity", sum, NULL, out);
}

static void put_concat(writer *w, const nnb__node *node, const char *out) {
  char x[NAME];
  Nnb__Onnx__Node *made = nnb__onnx_node(&w->file, "Concat", out);
  for (int i = 0; i < node->n_from; i++)
    nnb__onnx_input(&w->file, made, values_of(w->net, &w->net->nodes[node->from[i] - 1], x));
  nnb__onnx_attribute(&w->file, made, "axis", 1);
}

static void put_layer(writer *w, const nnb__node *node, const char *out) {
  char x[NAME];
  if (node->ops == &nnb__layer_dense)
    put_dense(w, node, values_of(w->net, &w->net->nodes[node->from[0] - 1], x), out);
  else if (node->ops == &nnb__layer_concat)
    put_concat(w, node, out);
  else
    put_sum(w, node, out);
}

/* y ← (x - shift)·factor, or the inverse, for the columns of one input or output */
static void put_scaler(writer *w, const nnb__node *node, const nnb__scaler *scaler, int column, bool inverse) {
  char x[NAME], y[NAME], between[NAME], shift[NAME], factor[NAME];
  const size_t n = (size_t)node->needs.cols;
  put_numbers(w, name_of(node, "shift", shift), 1, &n, scaler->shift + column, n);
  put_numbers(w, name_of(node, "factor", factor), 1, &n, scaler->factor + column, n);
  name_of(node, inverse ? "scaled" : "", x), name_of(node, inverse ? "" : "scaled", y);
  put_op(w, inverse ? "Div" : "Sub", x, inverse ? factor : shift,
         name_of(node, inverse ? "divided" : "shifted", between));
  put_op(w, inverse ? "Add" : "Mul", between, inverse ? shift : factor, y);
}

static void put_node(writer *w, const nnb__node *node) {
  char z[NAME], a[NAME];
  values_of(w->net, node, a);
  if (nnb__node_is_input(node)) {
    nnb__onnx_end_of_graph(&w->file, false, node->name, NNB__REAL_DTYPE, node->needs.cols);
    if (w->net->in.shift) put_scaler(w, node, &w->net->in, node->x_col, false);
  } else if (node->ops == &nnb__layer_activation) {
    char x[NAME];
    put_activation(w, node, values_of(w->net, &w->net->nodes[node->from[0] - 1], x), a);
  } else if (node->activation == NNB_LINEAR) {
    put_layer(w, node, a);
  } else {
    put_layer(w, node, name_of(node, "z", z));
    put_activation(w, node, z, a);
  }
  if (node->out_col >= 0 && w->net->out.shift) put_scaler(w, node, &w->net->out, node->out_col, true);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* The outputs in the order of their columns. */
static void put_outputs(writer *w) {
  const nnb_net *net = w->net;
  const nnb__node **at = nnb__zalloc((size_t)net->n_y, sizeof *at); /* the one that begins with a column */
  if (!at && !w->file.status) w->file.status = nnb__fail_nomem("the outputs");
  for (int i = 0; at && i < net->n_nodes; i++)
    if (net->nodes[i].out_col >= 0) at[net->nodes[i].out_col] = &net->nodes[i];
  for (int c = 0; at && c < net->n_y; c += at[c]->needs.cols)
    nnb__onnx_end_of_graph(&w->file, true, at[c]->name, NNB__REAL_DTYPE, at[c]->needs.cols);
  nnb__release(at);
}

static void put_names(writer *w, const char *prefix, const nnb__names *names) {
  char key[NAME];
  for (int i = 0; i < names->n; i++) {
    if (!names->name[i]) continue;
    if (!w->file.status && !nnb__is_utf8(names->name[i], strlen(names->name[i])))
      w->file.status = nnb__fail(NNB_E_ARG, "the name of %s %d is not UTF-8", prefix, i);
    snprintf(key, sizeof key, NNB__ONNX_NAMES "%s.%d", prefix, i);
    nnb__onnx_metadata(&w->file, key, names->name[i]);
  }
}

static nnb_status write_net(const nnb_net *net, int opset, nnb__bytes *out) {
  writer w = {.net = net, .opset = opset};
  nnb_status status = NNB_OK;
  for (int k = 1; !status && k <= net->n_nodes; k++) status = check_node(net, k);
  if (status) return status;
  nnb__onnx_begin(&w.file, w.opset);
  for (int i = 0; i < net->n_nodes; i++) put_node(&w, &net->nodes[i]);
  put_outputs(&w);
  put_names(&w, "column", &net->columns);
  put_names(&w, "class", &net->classes);
  status = nnb__onnx_pack(&w.file, out);
  nnb__onnx_clear(&w.file);
  return status;
}

static nnb_status to_bytes(const nnb_net *net, const nnb_onnx_opts *opts, nnb__bytes *out) {
  static const nnb_onnx_opts defaults = {0};
  if (!opts) opts = &defaults;
  nnb_net *folded = NULL;
  nnb_status status = check_opts(opts);
  if (!status) status = nnb__net_seal(net);
  if (!status && nnb__net_folds(net)) status = nnb_net_fold(net, &folded);
  if (!status) status = write_net(folded ? folded : net, opts->opset ? opts->opset : DEFAULT_OPSET, out);
  nnb_net_destroy(folded);
  return status;
}

nnb_status nnb_net_save_onnx(const nnb_net *net, const char *path, const nnb_onnx_opts *opts) {
  if (!net || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb__bytes file = {0};
  nnb_status status = to_bytes(net, opts, &file);
  const nnb__piece piece = {file.p, file.n};
  if (!status) status = nnb__save(path, &piece, 1);
  nnb__bytes_clear(&file);
  return status;
}

nnb_status nnb_net_save_onnx_mem(const nnb_net *net, const nnb_onnx_opts *opts, void **out, size_t *bytes) {
  if (!net || !out || !bytes) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "out or bytes" : "net");
  *out = NULL, *bytes = 0;
  nnb__bytes file = {0};
  nnb_status status = to_bytes(net, opts, &file);
  *out = file.p, *bytes = file.n;
  return status;
}
