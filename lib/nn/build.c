/* nn/build.c: the building calls.  Each checks its arguments, computes the shape at once, and appends one node. */
#include "build.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "attr.h"
#include "names.h"
#include "status.h"

/* ---- appending a node -------------------------------------------------------------------------------------------- */

/* out ← name; or base with a number, the count of such nodes plus 1, or the next number that is free.  Returns the
 * number, or 0. */
static int choose_name(const nnb_net *net, const nnb_layer_ops *ops, const char *name, const char *base, char *out,
                       size_t bytes) {
  const nnb__kind kind = nnb__net_kind(net, ops);
  int number = kind.count > kind.numbered ? kind.count : kind.numbered;
  if (name) {
    snprintf(out, bytes, "%s", name);
    return 0;
  }
  do snprintf(out, bytes, "%s%d", base, ++number);
  while (nnb_net_find(net, out) > 0);
  return number;
}

static nnb_status check_name(const nnb_net *net, const char *name) {
  if (!*name || strlen(name) > 60) return nnb__fail(NNB_E_ARG, "\"%.60s\": a name has 1 to 60 characters", name);
  for (const char *c = name; *c; c++) /* names become parts of keys in files, and of strings for nnb_net_parse */
    if ((unsigned char)*c <= ' ' || strchr(":-=.\"\\", *c))
      return nnb__fail(NNB_E_ARG, "\"%s\": a name must not have a blank or one of : - = . \" \\", name);
  if (nnb_net_find(net, name) > 0) return nnb__fail(NNB_E_ARG, "another node already has the name \"%s\"", name);
  return NNB_OK;
}

/* Whether the number is a built-in activation or one of the net's own. */
static nnb_status check_activation(const nnb_net *net, int activation) {
  bool built_in = activation >= 0 && activation < NNB_N_ACTIVATIONS;
  bool own = activation >= NNB_OWN_ACTIVATION && activation - NNB_OWN_ACTIVATION < net->n_own_acts;
  return built_in || own ? NNB_OK : nnb__fail(NNB_E_ARG, "there is no activation %d", activation);
}

/* Copies of from (0: the node added last) and self into the node. */
static nnb_status fill_node(const nnb_net *net, nnb__node *node, const void *self, const int *from) {
  node->self = nnb__zalloc(1, node->ops->size);
  node->from = nnb__alloc((size_t)node->n_from, sizeof *node->from);
  if (!node->self || !node->from) return nnb__fail_nomem("a node");
  if (self && node->ops->size) memcpy(node->self, self, node->ops->size);
  for (int k = 0; k < node->n_from; k++) {
    node->from[k] = from && from[k] ? from[k] : net->n_nodes;
    if (!nnb__net_node(net, node->from[k])) return NNB_E_ARG;
  }
  return NNB_OK;
}

static bool has_shape(const nnb_shape *s) { return s->channels != 0 || s->height != 0 || s->width != 0; }

/* Whether the node has channels·height·width columns. */
static bool suits(const nnb_shape *s, int cols) {
  return s->channels > 0 && s->height > 0 && s->width > 0 && cols % s->channels == 0 &&
         cols / s->channels % s->height == 0 && cols / s->channels / s->height == s->width;
}

/* The layer's own shape function, between lists of what it reads. */
static nnb_status call_shape(const nnb_net *net, nnb__node *node) {
  nnb_status status = NNB_OK;
  int *cols = nnb__alloc((size_t)node->n_from, sizeof *cols);
  nnb_shape *from = nnb__alloc((size_t)node->n_from, sizeof *from);
  if (!cols || !from) status = nnb__fail_nomem("a node");
  for (int k = 0; k < node->n_from && !status; k++) {
    const nnb_needs *source = &net->nodes[node->from[k] - 1].needs;
    cols[k] = source->cols, from[k] = source->shape;
  }
  node->needs.from = from;
  const unsigned messages = nnb__fail_count();
  if (!status && (status = node->ops->shape(node->self, cols, node->n_from, &node->needs)))
    status = nnb__fail_callback(status, "shape", messages);
  node->needs.from = NULL;
  nnb__release(cols);
  nnb__release(from);
  return status;
}

/* A layer that looks up whole numbers cannot read what is computed. */
static nnb_status check_levels(const nnb_net *net, const nnb__node *node) {
  for (int i = 0; node->needs.levels > 0 && i < node->n_from; i++)
    if (!nnb__node_is_input(&net->nodes[node->from[i] - 1]))
      return nnb__fail(NNB_E_SHAPE, "layer %s: it reads %s; wanted an input, whose columns are whole numbers",
                       node->name, net->nodes[node->from[i] - 1].name);
  return NNB_OK;
}

/* What the layer needs, its message prefixed by its name. */
static nnb_status infer_shape(const nnb_net *net, nnb__node *node) {
  nnb_status status = call_shape(net, node);
  if (status) return nnb__fail(status, "layer %s: %s", node->name, nnb_errmsg());
  const nnb_needs *n = &node->needs;
  if (n->cols < 1 || n->w_rows < 0 || n->w_cols < 0)
    return nnb__fail(NNB_E_SHAPE, "layer %s: its shape function set %d column(s) and %d×%d weights", node->name,
                     n->cols, n->w_rows, n->w_cols);
  if (n->w_cols > 0 && !node->ops->backward_params)
    return nnb__fail(NNB_E_ARG, "layer %s has parameters but no backward_params", node->name);
  if (n->buffers > INT_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "layer %s: its shape asks for %zu buffer(s); at most %d are possible", node->name,
                     n->buffers, INT_MAX);
  if (has_shape(&n->shape) && !suits(&n->shape, n->cols))
    return nnb__fail(NNB_E_SHAPE, "layer %s: it has %d column(s), not %d channel(s) of %d×%d", node->name, n->cols,
                     n->shape.channels, n->shape.height, n->shape.width);
  return check_levels(net, node);
}

static nnb_status append(nnb_net *net, nnb__node *node, const void *self, const int *from, const char *name,
                         const char *base) {
  char text[80];
  nnb_status status = check_activation(net, node->activation);
  if (status) return status;
  int numbered = choose_name(net, node->ops, name, base, text, sizeof text);
  node->name = text; /* for messages, until the net owns the name */
  status = check_name(net, text);
  if (!status) status = fill_node(net, node, self, from);
  if (!status) status = infer_shape(net, node);
  if (!status) status = nnb__net_add(net, node, text, numbered);
  node->name = NULL;
  for (int k = 0; k < node->n_from && !status; k++) net->nodes[node->from[k] - 1].n_consumers++;
  return status;
}

int nnb__net_append(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n_from,
                    int activation, unsigned frozen, const char *name, const char *base) {
  nnb_status status = nnb__net_open(net);
  if (status) return nnb__net_stick(net, status);
  nnb__node node = {
      .ops = ops, .n_from = n_from, .activation = activation, .frozen = frozen, .out_col = -1, .factor = 1};
  status = append(net, &node, self, from, name, base);
  if (status) {
    nnb__release(node.self);
    nnb__release(node.from);
    return nnb__net_stick(net, status);
  }
  return net->n_nodes;
}

/* ---- the public builders ----------------------------------------------------------------------------------------- */

nnb_net *nnb_net_create(int n_in) {
  nnb_net *net = nnb__net_new();
  if (net) nnb_net_input(net, n_in, "input");
  return net;
}

int nnb_net_input(nnb_net *net, int n, const char *name) {
  nnb__input in = {n};
  if (net && n > 0 && n > INT_MAX - net->n_x)
    return nnb__net_stick(net, nnb__fail(NNB_E_OVERFLOW, "the inputs have more columns in all than an int can hold"));
  int node = nnb__net_append(net, &nnb__layer_input, &in, NULL, 0, NNB_LINEAR, 0, name, "input");
  if (node < 0) return node;
  net->nodes[node - 1].x_col = net->n_x;
  net->n_x += n;
  return node;
}

int nnb_net_shape(nnb_net *net, int k, int channels, int height, int width) {
  const nnb_shape shape = {channels, height, width};
  nnb_status status = nnb__net_open(net);
  if (status) return nnb__net_stick(net, status);
  nnb__node *node = nnb__net_node(net, k ? k : net->n_nodes);
  if (!node) return nnb__net_stick(net, NNB_E_ARG);
  if (node->n_consumers > 0)
    return nnb__net_stick(net, nnb__fail(NNB_E_STATE, "%s is read by another node; its shape comes first", node->name));
  if (!suits(&shape, node->needs.cols))
    return nnb__net_stick(net, nnb__fail(NNB_E_SHAPE, "%s has %d column(s), not %d channel(s) of %d×%d", node->name,
                                         node->needs.cols, channels, height, width));
  node->needs.shape = shape;
  return NNB_OK;
}

nnb_shape nnb_net_node_shape(const nnb_net *net, int node) {
  return net && node >= 1 && node <= net->n_nodes ? net->nodes[node - 1].needs.shape : (nnb_shape){0};
}

/* The initialiser and the frozen parts that a layer's options ask for. */
static nnb_status check_params(int init, unsigned frozen) {
  if (init < 0 || init >= NNB_N_INITS) return nnb__fail(NNB_E_ARG, "there is no initialiser %d", init);
  if (frozen & ~(unsigned)(NNB_WEIGHTS | NNB_BIAS))
    return nnb__fail(NNB_E_ARG, "frozen is %u; wanted NNB_WEIGHTS, NNB_BIAS, both or 0", frozen);
  return NNB_OK;
}
static int choose_init(nnb_init init, nnb_activation activation) {
  return init ? (int)init : (int)nnb__init_for((int)activation);
}

int nnb_net_dense_opts(nnb_net *net, const nnb_dense_opts *opts) {
  if (!opts) return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "opts is NULL"));
  nnb_status status = check_params((int)opts->init, opts->frozen);
  if (status) return nnb__net_stick(net, status);
  nnb__dense d = {.units = opts->units,
                  .bias = !opts->no_bias,
                  .init = choose_init(opts->init, opts->activation),
                  .init_scale = opts->init_scale == 0 ? 1 : opts->init_scale};
  return nnb__net_append(net, &nnb__layer_dense, &d, &opts->from, 1, (int)opts->activation, opts->frozen, opts->name,
                         "dense");
}

int nnb_net_dense(nnb_net *net, int n_out, nnb_activation activation) {
  nnb_dense_opts opts = {.units = n_out, .activation = activation};
  return nnb_net_dense_opts(net, &opts);
}

int nnb_net_conv_opts(nnb_net *net, const nnb_conv_opts *opts) {
  if (!opts) return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "opts is NULL"));
  nnb_status status = check_params((int)opts->init, opts->frozen);
  if (status) return nnb__net_stick(net, status);
  nnb__conv d = {.channels = opts->channels,
                 .height = opts->height,
                 .width = opts->width,
                 .stride = opts->stride ? opts->stride : 1,
                 .pad = opts->pad,
                 .bias = !opts->no_bias,
                 .init = choose_init(opts->init, opts->activation),
                 .init_scale = opts->init_scale == 0 ? 1 : opts->init_scale};
  return nnb__net_append(net, &nnb__layer_conv, &d, &opts->from, 1, (int)opts->activation, opts->frozen, opts->name,
                         "conv");
}

int nnb_net_conv(nnb_net *net, int channels, int size, nnb_activation activation) {
  nnb_conv_opts opts = {.channels = channels, .width = size, .activation = activation};
  return nnb_net_conv_opts(net, &opts);
}

int nnb_net_pool_opts(nnb_net *net, const nnb_pool_opts *opts) {
  if (!opts) return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "opts is NULL"));
  if (opts->kind != NNB_POOL_MAX && opts->kind != NNB_POOL_AVERAGE)
    return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "there is no pooling %d", (int)opts->kind));
  const nnb_layer_ops *ops = opts->kind == NNB_POOL_MAX ? &nnb__layer_maxpool : &nnb__layer_avgpool;
  nnb__pool d = {.height = opts->height, .width = opts->width, .stride = opts->stride};
  return nnb__net_append(net, ops, &d, &opts->from, 1, NNB_LINEAR, 0, opts->name, ops->name);
}

int nnb_net_pool(nnb_net *net, nnb_pooling kind, int size) {
  return nnb_net_pool_opts(net, &(nnb_pool_opts){.kind = kind, .width = size});
}

int nnb_net_flatten(nnb_net *net) {
  return nnb__net_append(net, &nnb__layer_flatten, NULL, &(int){0}, 1, NNB_LINEAR, 0, NULL, "flatten");
}

int nnb_net_activation(nnb_net *net, int from, nnb_activation activation) {
  return nnb__net_append(net, &nnb__layer_activation, NULL, &from, 1, (int)activation, 0, NULL, "activation");
}

/* add and concat have a list of at least one input node. */
static int append_list(nnb_net *net, const nnb_layer_ops *ops, const int *from, int n, int activation,
                       const char *base) {
  if (!from || n < 1) return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "%s needs a list of at least 1 node", base));
  return nnb__net_append(net, ops, NULL, from, n, activation, 0, NULL, base);
}

int nnb_net_add(nnb_net *net, const int *from, int n, nnb_activation activation) {
  return append_list(net, &nnb__layer_add, from, n, (int)activation, "add");
}

int nnb_net_concat(nnb_net *net, const int *from, int n) {
  return append_list(net, &nnb__layer_concat, from, n, NNB_LINEAR, "concat");
}

int nnb_net_product(nnb_net *net, const int *from, int n, nnb_activation activation) {
  return append_list(net, &nnb__layer_product, from, n, (int)activation, "product");
}

int nnb_net_dropout(nnb_net *net, int from, double p) {
  const nnb__dropout d = {.p = p};
  return nnb__net_append(net, &nnb__layer_dropout, &d, &from, 1, NNB_LINEAR, 0, NULL, "dropout");
}

int nnb_net_layer_norm(nnb_net *net, int from, nnb_activation activation) {
  return nnb__net_append(net, &nnb__layer_layernorm, &nnb__norm_defaults, &from, 1, (int)activation, 0, NULL,
                         "layernorm");
}

int nnb_net_batch_norm(nnb_net *net, int from, nnb_activation activation) {
  return nnb__net_append(net, &nnb__layer_batchnorm, &nnb__norm_defaults, &from, 1, (int)activation, 0, NULL,
                         "batchnorm");
}

int nnb_net_embedding(nnb_net *net, int from, int levels, int units) {
  nnb__embedding d = nnb__embedding_defaults;
  d.levels = levels, d.units = units;
  return nnb__net_append(net, &nnb__layer_embedding, &d, &from, 1, NNB_LINEAR, 0, NULL, "embedding");
}

int nnb_net_gru(nnb_net *net, int from, int units, bool sequence) {
  nnb__gru d = nnb__gru_defaults;
  d.units = units, d.sequence = sequence;
  return nnb__net_append(net, &nnb__layer_gru, &d, &from, 1, NNB_LINEAR, 0, NULL, "gru");
}

/* Files refer to parts by name, so an own part must not have the name of a built-in one. */
static nnb_status check_own(bool whole, bool built_in, const char *name) {
  if (!whole) return nnb__fail(NNB_E_ARG, "the name or a REQUIRED function is missing");
  return built_in ? nnb__fail(NNB_E_ARG, "\"%.60s\" is the name of a built-in one; wanted another name", name) : NNB_OK;
}

/* In a file, two parts with the same name could not be distinguished. */
static nnb_status fail_taken(const char *name) {
  return nnb__fail(NNB_E_ARG, "the net already has another one with the name \"%.60s\"", name);
}

bool nnb__layer_complete(const nnb_layer_ops *ops) {
  return ops && ops->name && ops->shape && ops->forward && ops->backward_data;
}

nnb_status nnb__check_own_layer(const nnb_net *net, const nnb_layer_ops *ops) {
  for (size_t k = 0; k < net->n_kinds; k++)
    if (net->kinds[k].ops != ops && strcmp(net->kinds[k].ops->name, ops->name) == 0) return fail_taken(ops->name);
  return nnb__attr_check(ops, false);
}

int nnb_net_own_layer(nnb_net *net, const nnb_layer_ops *ops, const void *self, const int *from, int n,
                      nnb_activation activation, const char *name) {
  if (!net) return nnb__net_check(net);
  bool whole = nnb__layer_complete(ops);
  nnb_status status = check_own(whole, whole && nnb__layer_find(ops->name), whole ? ops->name : "");
  if (!status) status = nnb__check_own_layer(net, ops);
  if (status) return nnb__net_stick(net, status);
  if ((ops->size > 0 && !self) || n < 0 || (n > 0 && !from))
    return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "layer %s: self or from is NULL", ops->name));
  return nnb__net_append(net, ops, self, n ? from : NULL, n ? n : 1, (int)activation, 0, name, ops->name);
}

/* Appends to one of the two lists of own parts.  Returns the index, or a negative status. */
static int append_own(nnb_net *net, void *list_address, size_t *capacity, int *n, const void *ops, nnb_status status) {
  if (!status) status = nnb__net_open(net);
  if (!status && !nnb__grow(list_address, capacity, (size_t)*n + 1, sizeof ops))
    status = nnb__fail_nomem("an own part");
  if (status) return nnb__net_stick(net, status);
  char *list;
  memcpy(&list, list_address, sizeof list);
  memcpy(list + (size_t)*n * sizeof ops, &ops, sizeof ops);
  return (*n)++;
}

int nnb_net_own_activation(nnb_net *net, const nnb_act_ops *ops) {
  if (!net) return nnb__net_check(net);
  bool whole = ops && ops->name && ops->value && ops->pull;
  nnb_status status = check_own(whole, whole && nnb__activation_place(ops->name) >= 0, whole ? ops->name : "");
  for (int k = 0; k < net->n_own_acts && !status; k++)
    if (net->own_acts[k] != ops && strcmp(net->own_acts[k]->name, ops->name) == 0) status = fail_taken(ops->name);
  int i = append_own(net, &net->own_acts, &net->cap_acts, &net->n_own_acts, ops, status);
  return i < 0 ? i : NNB_OWN_ACTIVATION + i;
}

int nnb_net_own_loss(nnb_net *net, const nnb_loss_ops *ops) {
  if (!net) return nnb__net_check(net);
  bool whole = ops && ops->name && ops->value;
  nnb_status status = check_own(whole, whole && nnb__loss_place(ops->name) >= 0, whole ? ops->name : "");
  for (int k = 0; k < net->n_own_losses && !status; k++)
    if (net->own_losses[k] != ops && strcmp(net->own_losses[k]->name, ops->name) == 0) status = fail_taken(ops->name);
  int i = append_own(net, &net->own_losses, &net->cap_losses, &net->n_own_losses, ops, status);
  return i < 0 ? i : NNB_OWN_LOSS + i;
}

/* ---- outputs and losses ------------------------------------------------------------------------------------------ */

int nnb_net_output(nnb_net *net, int k) {
  nnb_status status = nnb__net_open(net);
  if (status) return nnb__net_stick(net, status);
  nnb__node *node = nnb__net_node(net, k ? k : net->n_nodes);
  if (!node) return nnb__net_stick(net, NNB_E_ARG);
  if (nnb__node_is_input(node))
    return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "%s is an input and cannot be an output", node->name));
  if (node->out_col >= 0) return nnb__net_stick(net, nnb__fail(NNB_E_ARG, "%s is already an output", node->name));
  if (node->needs.cols > INT_MAX - net->n_y)
    return nnb__net_stick(net, nnb__fail(NNB_E_OVERFLOW, "the outputs have more columns in all than an int can hold"));
  node->out_col = net->n_y;
  net->n_y += node->needs.cols;
  return k ? k : net->n_nodes;
}

static nnb_status check_loss_number(const nnb_net *net, int loss) {
  bool built_in = loss >= 0 && loss < NNB_N_LOSSES,
       own = loss >= NNB_OWN_LOSS && loss - NNB_OWN_LOSS < net->n_own_losses;
  return built_in || own ? NNB_OK : nnb__fail(NNB_E_ARG, "there is no loss %d", loss);
}

static nnb_status check_loss_opts(const nnb_net *net, const nnb_loss_opts *o) {
  static const nnb_loss_opts none;
  nnb_status status = check_loss_number(net, (int)o->loss);
  if (!status && !(o->delta >= 0 && o->delta <= (double)REAL_MAX))
    status = nnb__fail(NNB_E_ARG, "delta is %g; wanted a finite number, 0 or more", o->delta);
  if (!status && !(o->label_smoothing >= 0 && o->label_smoothing < 1))
    status = nnb__fail(NNB_E_ARG, "label_smoothing is %g; wanted 0 or more, below 1", o->label_smoothing);
  if (!status && !(o->derivatives >= 0 && o->derivatives <= (double)REAL_MAX))
    status = nnb__fail(NNB_E_ARG, "derivatives is %g; wanted a finite number, 0 or more", o->derivatives);
  if (!status && memcmp(o->reserved, none.reserved, sizeof none.reserved) != 0)
    status = nnb__fail(NNB_E_ARG, "nnb_loss_opts: a reserved word is not 0; initialise the struct with {0}");
  return status;
}

static nnb_status set_output_loss(nnb_net *net, int k, const nnb_loss_opts *o) {
  nnb__node *node = nnb__net_node(net, k);
  if (!node) return NNB_E_ARG;
  if (node->out_col < 0)
    return nnb__fail(NNB_E_ARG, "%s is not an output; declare it with nnb_net_output first", node->name);
  if (!(o->factor > 0) || isinf(o->factor))
    return nnb__fail(NNB_E_ARG, "the factor of a loss is %g; wanted a positive number", o->factor);
  node->loss = (int)o->loss, node->factor = o->factor;
  node->delta = o->delta, node->smoothing = o->label_smoothing;
  return NNB_OK;
}

int nnb_net_output_loss(nnb_net *net, int k, nnb_loss loss, double factor) {
  const nnb_loss_opts opts = {.loss = loss, .factor = factor};
  nnb_status status = nnb__net_open(net);
  if (!status) status = check_loss_opts(net, &opts);
  if (!status) status = set_output_loss(net, k, &opts);
  return status ? nnb__net_stick(net, status) : NNB_OK;
}

int nnb_net_loss_opts(nnb_net *net, const nnb_loss_opts *opts) {
  nnb_status status = nnb__net_open(net);
  if (!status && !opts) status = nnb__fail(NNB_E_ARG, "opts is NULL");
  if (!status) status = check_loss_opts(net, opts);
  if (!status && opts->output == 0 && opts->factor != 0)
    status = nnb__fail(NNB_E_ARG, "factor is %g, but output names no output; the factor is that of one output",
                       opts->factor);
  if (!status && opts->output != 0 && opts->derivatives != 0)
    status = nnb__fail(NNB_E_ARG, "derivatives is %g for one output; it is for all: wanted it with output 0",
                       opts->derivatives);
  if (!status && opts->output == 0) {
    net->loss = (int)opts->loss, net->delta = opts->delta, net->smoothing = opts->label_smoothing;
    net->derivatives = opts->derivatives;
  } else if (!status) {
    nnb_loss_opts one = *opts;
    if (one.factor == 0) one.factor = 1;
    status = set_output_loss(net, one.output, &one);
  }
  return status ? nnb__net_stick(net, status) : NNB_OK;
}

int nnb_net_loss(nnb_net *net, nnb_loss loss) { return nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = loss}); }

int nnb_net_seed(nnb_net *net, uint64_t seed) {
  nnb_status status = nnb__net_open(net);
  if (status) return nnb__net_stick(net, status);
  net->seed = seed;
  return NNB_OK;
}
