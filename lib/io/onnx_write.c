/* io/onnx_write.c: a net as a graph of ONNX. */
#include "onnx_layers.h"

#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "onnx_acts.h"
#include "onnx_names.h"
#include "safetensors.h"
#include "save.h"
#include "seal.h"
#include "status.h"
#include "text.h"

enum { NAME = NNB__ONNX_NAME, LEAST_OPSET = 9, MOST_OPSET = 17, DEFAULT_OPSET = 13 };
typedef nnb__onnx_writer writer;

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
  if (!nnb__node_is_input(node) && !nnb__onnx_has_layer(ops))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the layer \"%.60s\" cannot be written as ONNX", k, node->name,
                     ops->name);
  if (!nnb__onnx_act_find(node->activation, sizeof(real) == sizeof(float)))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the activation \"%.60s\" cannot be written as ONNX", k,
                     node->name, nnb__net_act(net, node->activation)->name);
  if (!nnb__is_utf8(node->name, strlen(node->name))) return nnb__fail(NNB_E_ARG, "node %d: its name is not UTF-8", k);
  return NNB_OK;
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

/* out ← the name of an operand of step i: z, a result of a step before it, or the constant, which is added. */
static const char *operand(writer *w, const nnb__node *node, const nnb__onnx_step *step, int i, char letter,
                           const char *z, char out[NAME]) {
  char part[20];
  if (letter == 'z') return z;
  const real c = (real)step->c;
  snprintf(part, sizeof part, letter == '#' ? "c%d" : "%d", letter == '#' ? i + 1 : letter - 'a' + 1);
  nnb__onnx_part(node, part, out);
  if (letter == '#') nnb__onnx_put_numbers(w, out, 0, NULL, &c);
  return out;
}

static void put_step(writer *w, const nnb__node *node, const nnb__onnx_step *step, int i, const char *z,
                     const char *result) {
  char x[NAME], y[NAME];
  const char *first = operand(w, node, step, i, step->in[0], z, x),
             *second = step->in[1] ? operand(w, node, step, i, step->in[1], z, y) : NULL;
  Nnb__Onnx__Node *made = nnb__onnx_put_op(w, step->op, first, second, result);
  const int64_t own = sizeof(real) == sizeof(double) ? NNB__ONNX_DOUBLE : NNB__ONNX_FLOAT;
  if (step->attribute) nnb__onnx_attribute(&w->file, made, step->attribute, step->c < 0 ? own : (int64_t)step->c);
}

/* result ← f(z) */
static void put_activation(writer *w, const nnb__node *node, const char *z, const char *result) {
  const nnb__onnx_act *act = nnb__onnx_act_find(node->activation, sizeof(real) == sizeof(float));
  char part[20], name[NAME];
  for (int i = 0; act->step[i].op; i++) {
    snprintf(part, sizeof part, "%d", i + 1);
    put_step(w, node, &act->step[i], i, z, act->step[i + 1].op ? nnb__onnx_part(node, part, name) : result);
  }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* y ← (x - shift)·factor, or the inverse, for the columns of one input or output */
static void put_scaler(writer *w, const nnb__node *node, const nnb__scaler *scaler, int column, bool inverse) {
  char x[NAME], y[NAME], between[NAME], shift[NAME], factor[NAME];
  size_t dim[3];
  const int n = nnb__onnx_dims(w, &node->needs.shape, node->needs.cols, dim);
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "shift", shift), n, dim, scaler->shift + column);
  nnb__onnx_put_numbers(w, nnb__onnx_part(node, "factor", factor), n, dim, scaler->factor + column);
  nnb__onnx_part(node, inverse ? "scaled" : "", x), nnb__onnx_part(node, inverse ? "" : "scaled", y);
  nnb__onnx_put_op(w, inverse ? "Div" : "Sub", x, inverse ? factor : shift,
                   nnb__onnx_part(node, inverse ? "divided" : "shifted", between));
  nnb__onnx_put_op(w, inverse ? "Add" : "Mul", between, inverse ? shift : factor, y);
}

static void put_end(writer *w, bool output, const nnb__node *node) {
  size_t dim[3];
  const int n = nnb__onnx_dims(w, &node->needs.shape, node->needs.cols, dim);
  nnb__onnx_end_of_graph(&w->file, output, node->name, NNB__REAL_DTYPE, n, dim);
}

/* The steps from what a node reads to its values; the last one writes these. */
typedef struct steps {
  const nnb__node *node;
  const char *result;
  int left;
  char at[NAME]; /* what the step before has written */
} steps;

/* The tensor that the next step writes, NODE.part or the result. */
static const char *next(steps *s, const char *part, char out[NAME]) {
  if (--s->left > 0) return nnb__onnx_part(s->node, part, out);
  snprintf(out, NAME, "%s", s->result);
  return out;
}

static void reshape(writer *w, steps *s, const nnb_shape *shape, const char *part) {
  char out[NAME];
  nnb__onnx_put_shape(w, shape, s->at, next(s, part, out));
  memcpy(s->at, out, sizeof out);
}

/* Z by the layer, f(Z), and the shape of the node.  Softmax is that of a row, not of the channels of a pixel. */
static void put_values(writer *w, const nnb__node *node, const char *result) {
  const nnb_shape rows = {0}, *shape = &node->needs.shape;
  nnb_shape made = nnb__onnx_layer_shape(w->net, node);
  const bool computes = node->ops != &nnb__layer_activation && node->ops != &nnb__layer_flatten,
             acts = node->activation != NNB_LINEAR,
             flattens = node->activation == NNB_SOFTMAX && nnb__onnx_is_image(&made),
             reshapes = !nnb__onnx_same_shape(flattens ? &rows : &made, shape);
  steps s = {.node = node, .result = result, .left = computes + flattens + acts + reshapes};
  char out[NAME];
  if (computes)
    nnb__onnx_put_layer(w, node, next(&s, "z", s.at));
  else
    nnb__onnx_put_input(w, node, 0, &made, s.at);
  if (flattens) reshape(w, &s, &rows, "flat");
  if (acts || (!computes && !reshapes)) {
    if (!acts) s.left = 1; /* Identity */
    put_activation(w, node, s.at, next(&s, "a", out));
    memcpy(s.at, out, sizeof out);
  }
  if (reshapes) reshape(w, &s, shape, "");
}

static void put_node(writer *w, const nnb__node *node) {
  char values[NAME];
  if (nnb__node_is_input(node)) {
    put_end(w, false, node);
    if (nnb__onnx_scales(w->net, node)) put_scaler(w, node, &w->net->in, node->x_col, false);
  } else {
    put_values(w, node, nnb__onnx_values(w, node, values));
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
  for (int c = 0; at && c < net->n_y; c += at[c]->needs.cols) put_end(w, true, at[c]);
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

/* Whether there are images, and all of them have height 1. */
static bool has_signals(const nnb_net *net) {
  bool any = false;
  for (int i = 0; i < net->n_nodes; i++) {
    const nnb_shape *shape = &net->nodes[i].needs.shape;
    if (shape->height > 1) return false;
    any |= nnb__onnx_is_image(shape);
  }
  return any;
}

static nnb_status write_net(const nnb_net *net, int opset, nnb__bytes *out) {
  writer w = {.net = net, .opset = opset, .signals = has_signals(net)};
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
