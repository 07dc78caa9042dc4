/* nn/net_from_bag.c: makes a net from a bag (net_keys.h) of a file that is not trusted. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "alloc.h"
#include "attr.h"
#include "build.h"
#include "loss.h"
#include "names.h"
#include "net_bag.h"
#include "net_keys.h"
#include "net_memory.h"
#include "seal.h"
#include "status.h"
#include "tensor.h"
#include "training.h"

enum { MOST_NODES = 1000000 };

typedef struct reader {
  const nnb__bag *bag;
  const nnb_load_opts *opts; /* or NULL */
  nnb_net *net;
  size_t file_bytes;
} reader;

static nnb_status get_int(const reader *r, const char *key, int lo, int hi, int *out) {
  double value;
  if (!nnb__bag_find_number(r->bag, key, &value) || !(value >= lo && value <= hi) || value != floor(value))
    return nnb__fail(NNB_E_PARSE, "the model's \"%s\" is missing or not a whole number from %d to %d", key, lo, hi);
  *out = (int)value;
  return NNB_OK;
}

static nnb_status get_text(const reader *r, const char *key, const char **out) {
  *out = nnb__bag_find_string(r->bag, key);
  return *out ? NNB_OK : nnb__fail(NNB_E_PARSE, "the model has no \"%s\"", key);
}

/* The caller's list of own parts may have gaps. */
static bool is_called(const char *own, const char *name) { return own && strcmp(own, name) == 0; }

/* Finds an activation by name: built in, already registered from opts, or to be registered now. */
static nnb_status get_activation(reader *r, const char *name, int *out) {
  if ((*out = nnb__activation_place(name)) >= 0) return NNB_OK;
  for (int i = 0; i < r->net->n_own_acts; i++)
    if (strcmp(r->net->own_acts[i]->name, name) == 0) return *out = NNB_OWN_ACTIVATION + i, NNB_OK;
  for (int i = 0; r->opts && r->opts->activations && i < r->opts->n_activations; i++)
    if (is_called(r->opts->activations[i] ? r->opts->activations[i]->name : NULL, name)) {
      *out = nnb_net_own_activation(r->net, r->opts->activations[i]);
      return *out < 0 ? (nnb_status)*out : NNB_OK;
    }
  return nnb__fail(NNB_E_UNSUPPORTED, "the model uses the activation \"%.60s\", which is not in the load options",
                   name);
}

static nnb_status get_loss(reader *r, const char *key, int *out) {
  const char *name;
  nnb_status status = get_text(r, key, &name);
  if (status) return status;
  if ((*out = nnb__loss_place(name)) >= 0) return NNB_OK;
  for (int i = 0; i < r->net->n_own_losses; i++)
    if (strcmp(r->net->own_losses[i]->name, name) == 0) return *out = NNB_OWN_LOSS + i, NNB_OK;
  for (int i = 0; r->opts && r->opts->losses && i < r->opts->n_losses; i++)
    if (is_called(r->opts->losses[i] ? r->opts->losses[i]->name : NULL, name)) {
      *out = nnb_net_own_loss(r->net, r->opts->losses[i]);
      return *out < 0 ? (nnb_status)*out : NNB_OK;
    }
  return nnb__fail(NNB_E_UNSUPPORTED, "the model uses the loss \"%.60s\", which is not in the load options", name);
}

/* *out ← the option of a loss, 0 where it is not set; below: its bound. */
static nnb_status get_loss_opt(const reader *r, const char *key, double below, double *out) {
  *out = 0;
  if (!nnb__bag_find_string(r->bag, key)) return NNB_OK;
  if (nnb__bag_find_number(r->bag, key, out) && *out >= 0 && *out < below) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "the model's \"%s\" must be a number of 0 or more, below %g", key, below);
}

static nnb_status get_layer(const reader *r, const char *name, const nnb_layer_ops **out) {
  if ((*out = nnb__layer_find(name))) return NNB_OK;
  for (int i = 0; r->opts && r->opts->layers && i < r->opts->n_layers; i++)
    if (nnb__layer_complete(r->opts->layers[i]) && strcmp(r->opts->layers[i]->name, name) == 0)
      return nnb__check_own_layer(r->net, *out = r->opts->layers[i]);
  return nnb__fail(NNB_E_UNSUPPORTED, "the model uses the layer \"%.60s\", which is not in the load options", name);
}

/* One attribute of node k into the layer's struct. */
static nnb_status get_attr(const reader *r, int k, const nnb_attr *at, void *self) {
  char key[NNB__KEY];
  const char *text;
  nnb_status status = get_text(r, nnb__node_key(key, k, at->name), &text);
  if (status || nnb__attr_set(at, self, text)) return status;
  return nnb__fail(NNB_E_PARSE, "the model's \"%s\" has the invalid value \"%.40s\"", key, text);
}

/* Reads "1,2" into *from, which the caller releases. */
static nnb_status get_from(const reader *r, int k, int **from, int *n) {
  char key[NNB__KEY];
  const char *text;
  nnb_status status = get_text(r, nnb__node_key(key, k, "from"), &text);
  if (status) return status;
  size_t commas = 0;
  for (const char *c = text; *c; c++) commas += *c == ',';
  *from = nnb__alloc(commas + 1, sizeof **from);
  if (!*from) return nnb__fail_nomem("a list of nodes");
  for (*n = 0; *text; text += *text == ',') {
    char *end;
    long node = strtol(text, &end, 10);
    if (end == text || (*end && (*end != ',' || !end[1])) || node < 1 || node >= k)
      return nnb__fail(NNB_E_PARSE, "the model's \"%s\" must list nodes from 1 to %d", key, k - 1);
    (*from)[(*n)++] = (int)node;
    text = end;
  }
  return NNB_OK;
}

/* Adds the node with these checked fields; inputs have their own call. */
static nnb_status append_node(reader *r, int k, const nnb_layer_ops *ops, const void *self, int activation,
                              unsigned frozen, const char *name) {
  int *from = NULL, n = 0, node;
  nnb_status status = get_from(r, k, &from, &n);
  if (!status && ops == &nnb__layer_input) {
    node = nnb_net_input(r->net, ((const nnb__input *)self)->units, name);
    status = node < 0 ? (nnb_status)node : NNB_OK;
  } else if (!status && n == 0) {
    status = nnb__fail(NNB_E_PARSE, "node %d of the model (%s) has no input node", k, name);
  } else if (!status) {
    node = nnb__net_append(r->net, ops, self, from, n, activation, frozen, name, name);
    status = node < 0 ? (nnb_status)node : NNB_OK;
  }
  nnb__release(from);
  return status;
}

static nnb_status get_output(reader *r, int k) {
  char key[NNB__KEY];
  int column = 0, loss = NNB_LOSS_AUTO;
  double factor;
  if (!nnb__bag_find_string(r->bag, nnb__node_key(key, k, "output"))) return NNB_OK;
  nnb_status status = get_int(r, key, 0, INT_MAX, &column);
  if (!status) status = get_loss(r, nnb__node_key(key, k, "loss"), &loss);
  if (status) return status;
  if (!nnb__bag_find_number(r->bag, nnb__node_key(key, k, "factor"), &factor) || !(factor > 0) || isinf(factor))
    return nnb__fail(NNB_E_PARSE, "the model's \"%s\" must be a positive number", key);
  nnb__node *node = &r->net->nodes[k - 1];
  if (nnb__node_is_input(node)) return nnb__fail(NNB_E_PARSE, "node %d of the model is both an input and an output", k);
  node->out_col = column, node->loss = loss, node->factor = factor;
  status = get_loss_opt(r, nnb__node_key(key, k, "delta"), HUGE_VAL, &node->delta);
  return status ? status : get_loss_opt(r, nnb__node_key(key, k, "label_smoothing"), 1, &node->smoothing);
}

static nnb_status get_shape(reader *r, int k) {
  char key[NNB__KEY];
  long n[3] = {0};
  const char *text = nnb__bag_find_string(r->bag, nnb__node_key(key, k, "shape")), *at = text;
  if (!text) return NNB_OK;
  for (int i = 0; i < 3; i++) {
    char *end;
    n[i] = strtol(at, &end, 10);
    if (end == at || *end != (i < 2 ? ',' : '\0') || n[i] < 1 || n[i] > INT_MAX)
      return nnb__fail(NNB_E_PARSE, "the model's \"%s\" is \"%.40s\"; wanted three whole numbers above 0", key, text);
    at = end + (i < 2);
  }
  return (nnb_status)nnb_net_shape(r->net, k, (int)n[0], (int)n[1], (int)n[2]);
}

static nnb_status get_node(reader *r, int k) {
  char key[NNB__KEY];
  const char *layer, *name, *act;
  const nnb_layer_ops *ops = NULL;
  int activation = NNB_LINEAR, frozen = 0;
  nnb_status status = get_text(r, nnb__node_key(key, k, "layer"), &layer);
  if (!status) status = get_text(r, nnb__node_key(key, k, "name"), &name);
  if (!status) status = get_text(r, nnb__node_key(key, k, "act"), &act);
  if (!status) status = get_int(r, nnb__node_key(key, k, "frozen"), 0, NNB_WEIGHTS | NNB_BIAS, &frozen);
  if (!status) status = get_layer(r, layer, &ops);
  if (!status) status = get_activation(r, act, &activation);
  if (status) return status;
  void *self = nnb__zalloc(1, ops->size);
  if (!self) return nnb__fail_nomem("a node");
  for (const nnb_attr *at = ops->attrs; at && at->name && !status; at++) status = get_attr(r, k, at, self);
  if (!status) status = append_node(r, k, ops, self, activation, (unsigned)frozen, name);
  nnb__release(self);
  if (!status) status = get_shape(r, k);
  return status ? status : get_output(r, k);
}

static int by_column(const void *a, const void *b) {
  const nnb__node *s = *(const nnb__node *const *)a, *t = *(const nnb__node *const *)b;
  return (s->out_col > t->out_col) - (s->out_col < t->out_col);
}

/* The outputs, ordered by their first columns, must cover columns 0 … n_y-1, each once. */
static nnb_status arrange_outputs(nnb_net *net) {
  size_t n = 0;
  nnb_status status = NNB_OK;
  const nnb__node **outputs = nnb__alloc((size_t)net->n_nodes, sizeof *outputs);
  if (!outputs) return nnb__fail_nomem("the outputs");
  for (int i = 0; i < net->n_nodes; i++)
    if (net->nodes[i].out_col >= 0) outputs[n++] = &net->nodes[i];
  qsort(outputs, n, sizeof *outputs, by_column);
  for (size_t i = 0; i < n && !status; i++) {
    if (outputs[i]->out_col != net->n_y)
      status = nnb__fail(NNB_E_PARSE, "the columns of the model's outputs overlap or leave a gap");
    else if (outputs[i]->needs.cols > INT_MAX - net->n_y)
      status = nnb__fail(NNB_E_OVERFLOW, "the model has too many outputs");
    else
      net->n_y += outputs[i]->needs.cols;
  }
  nnb__release(outputs);
  return status;
}

/* The tensor with that name must have these dimensions (cols 0: one dimension). */
static nnb_status get_tensor(const reader *r, const char *name, int rows, int cols, real *out) {
  const nnb__tensor *t = nnb__bag_find_tensor(r->bag, name);
  int n_dims = cols ? 2 : 1;
  if (!t) return nnb__fail(NNB_E_PARSE, "the model has no tensor \"%s\"", name);
  if (!nnb__tensor_is_real(t))
    return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" has no floating-point numbers", name);
  if (t->n_dims != n_dims || t->dim[0] != (size_t)rows || (cols && t->dim[1] != (size_t)cols))
    return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" does not have the shape of its layer", name);
  return nnb__tensor_reals(t, 0, (size_t)rows * (size_t)(cols ? cols : 1), out);
}

/* The parameters and buffers of a node, into values, which is laid out as net->params. */
static nnb_status get_params(const reader *r, const nnb__node *node, real *values) {
  char key[NNB__KEY];
  int rows = node->needs.w_rows, cols = node->needs.w_cols;
  real *w = values + node->off;
  nnb_status status = NNB_OK;
  if (rows && cols) status = get_tensor(r, nnb__part_key(key, node->name, "weight"), rows, cols, w);
  if (!status && node->needs.bias)
    status = get_tensor(r, nnb__part_key(key, node->name, "bias"), cols, 0, w + (size_t)rows * (size_t)cols);
  if (!status && node->needs.buffers)
    status = get_tensor(r, nnb__part_key(key, node->name, "buffers"), (int)node->needs.buffers, 0,
                        values + node->buffers_off);
  return status;
}

/* Checks that the tensors of the net are in the file before memory is allocated for them. */
static nnb_status check_sizes(const reader *r) {
  char key[NNB__KEY];
  for (int i = 0; i < r->net->n_nodes; i++) {
    const nnb__node *node = &r->net->nodes[i];
    const nnb__tensor *buffers = nnb__bag_find_tensor(r->bag, nnb__part_key(key, node->name, "buffers"));
    if (node->needs.buffers && !buffers) return nnb__fail(NNB_E_PARSE, "the model has no tensor \"%s\"", key);
    if (node->needs.buffers && (buffers->n_dims != 1 || buffers->dim[0] != node->needs.buffers))
      return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" has another shape than its layer", key);
    bool weight = node->needs.w_rows && node->needs.w_cols;
    const nnb__tensor *t = nnb__bag_find_tensor(r->bag, nnb__part_key(key, node->name, weight ? "weight" : "bias"));
    if (!weight && !node->needs.bias) continue;
    if (!t) return nnb__fail(NNB_E_PARSE, "the model has no tensor \"%s\"", key);
    if (weight &&
        (t->n_dims != 2 || t->dim[0] != (size_t)node->needs.w_rows || t->dim[1] != (size_t)node->needs.w_cols))
      return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" does not have the shape of its layer", key);
    if (!weight && (t->n_dims != 1 || t->dim[0] != (size_t)node->needs.w_cols))
      return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" does not have the shape of its layer", key);
  }
  return NNB_OK;
}

/* Without a text the scaler standardises. */
static nnb_status get_scaling(const reader *r, const char *name, nnb_scaling *out) {
  char key[NNB__KEY];
  const char *text = nnb__bag_find_string(r->bag, nnb__part_key(key, name, "scaling"));
  *out = text ? NNB_MINMAX : NNB_STANDARDIZE;
  if (!text || strcmp(text, NNB__MINMAX_TEXT) == 0) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "the model's \"%s\" is not %s", key, NNB__MINMAX_TEXT);
}

static nnb_status get_scaler(const reader *r, bool targets) {
  const char *name = targets ? "scaler.target" : "scaler.input";
  int n = targets ? nnb_net_n_out(r->net) : r->net->n_x;
  char shift_key[NNB__KEY], factor_key[NNB__KEY];
  nnb_scaling scaling = NNB_STANDARDIZE;
  nnb__part_key(shift_key, name, "shift"), nnb__part_key(factor_key, name, "factor");
  const nnb__tensor *t = nnb__bag_find_tensor(r->bag, shift_key);
  if (!t) return NNB_OK;
  if (t->n_dims != 1 || t->dim[0] != (size_t)n)
    return nnb__fail(NNB_E_PARSE, "the model's tensor \"%s\" must have %d number(s)", shift_key, n);
  real *values = nnb__alloc(2 * (size_t)n, sizeof *values);
  if (!values) return nnb__fail_nomem("a scaler");
  nnb_status status = get_tensor(r, shift_key, n, 0, values);
  if (!status) status = get_tensor(r, factor_key, n, 0, values + n);
  for (int i = 0; i < n && !status; i++)
    if (!isfinite(values[i]) || !isfinite(values[n + i]) || values[n + i] == 0)
      status = nnb__fail(NNB_E_PARSE, "the model's %s is 0 or not finite in column %d", name, i + 1);
  if (!status) status = get_scaling(r, name, &scaling);
  if (!status) status = nnb__net_set_scaler(r->net, targets, scaling, n, values, values + n);
  nnb__release(values);
  return status;
}

typedef struct item {
  const nnb__bag *bag;
  const char *name;
} item;

static const char *find_item(const void *context, int i) {
  const item *it = context;
  char key[NNB__KEY], number[20];
  snprintf(number, sizeof number, "%d", i);
  return nnb__bag_find_string(it->bag, nnb__part_key(key, it->name, number));
}

/* At most `most` names; some of them may be missing, so the entries of the file are no limit. */
static nnb_status get_names(const reader *r, const char *list, const char *name, int most, nnb__names *out) {
  int n = 0;
  item it = {r->bag, name};
  if (!nnb__bag_find_string(r->bag, list)) return NNB_OK;
  nnb_status status = get_int(r, list, 0, most, &n);
  return status ? status : nnb__net_set_names(out, n, find_item, &it);
}

/* The columns of the inputs: those of the file, or the named inputs themselves. */
static nnb_status get_table(const reader *r) {
  nnb_net *net = r->net;
  nnb_columns *table = NULL;
  nnb_status status = nnb__columns_from_bag(r->bag, net->n_x, &table);
  if (!status && table && table->n_in != net->n_x)
    status =
        nnb__fail(NNB_E_PARSE, "the columns of the model become %d input(s); the net has %d", table->n_in, net->n_x);
  if (!status && (table || net->columns.n > 0)) status = nnb__net_set_table(net, table);
  nnb__columns_destroy(table);
  return status;
}

/* Of inputs and targets, and of classes: an output with two classes is one target. */
static nnb_status get_all_names(const reader *r) {
  nnb_net *net = r->net;
  const int n_y = net->n_y, room = INT_MAX - net->n_x;
  nnb_status status = get_names(r, "columns", "column", net->n_x + (n_y < room ? n_y : room), &net->columns);
  if (!status) status = get_table(r);
  return status ? status : get_names(r, "classes", "class", n_y > 1 ? n_y : 2, &net->classes);
}

static nnb_status read_net(reader *r) {
  int format, n_nodes = 0;
  const char *seed;
  if (!nnb__bag_find_string(r->bag, "nnblas")) return nnb__fail(NNB_E_PARSE, "the file is not a libnnblas model");
  nnb_status status = get_int(r, "nnblas", NNB__NET_FORMAT, NNB__NET_FORMAT, &format);
  if (!status) status = get_int(r, "nodes", 2, MOST_NODES, &n_nodes);
  if (!status) status = get_text(r, "seed", &seed);
  if (!status) status = get_loss(r, "loss", &r->net->loss);
  if (!status) status = get_loss_opt(r, "loss.delta", HUGE_VAL, &r->net->delta);
  if (!status) status = get_loss_opt(r, "loss.label_smoothing", 1, &r->net->smoothing);
  if (!status) status = get_loss_opt(r, "loss.derivatives", HUGE_VAL, &r->net->derivatives);
  if (status) return status;
  r->net->seed = strtoull(seed, NULL, 10);
  for (int k = 1; k <= n_nodes && !status; k++) status = get_node(r, k);
  if (!status) status = arrange_outputs(r->net);
  if (!status) status = get_scaler(r, false);
  if (!status) status = get_scaler(r, true);
  if (!status) status = nnb__training_from_bag(r->bag, &r->net->training);
  if (!status) status = check_sizes(r);
  if (!status) status = nnb__net_check_memory(r->net, r->file_bytes, r->opts ? r->opts->max_bytes : 0);
  if (!status) status = nnb__net_seal_undrawn(r->net);
  if (!status) status = get_all_names(r);
  for (int i = 0; i < r->net->n_nodes && !status; i++) status = get_params(r, &r->net->nodes[i], r->net->params);
  return status;
}

/* An argument that a building call rejects is here a malformed file. */
static nnb_status refuse(nnb_status status) {
  if (status == NNB_E_NOMEM || status == NNB_E_UNSUPPORTED || status == NNB_E_PARSE) return status;
  return nnb__fail(NNB_E_PARSE, "the model: %s", nnb_errmsg());
}

nnb_status nnb__net_from_bag(const nnb__bag *bag, size_t file_bytes, const nnb_load_opts *opts, nnb_net **out) {
  *out = NULL;
  reader r = {.bag = bag, .file_bytes = file_bytes, .opts = opts, .net = nnb__net_new()};
  if (!r.net) return NNB_E_NOMEM;
  nnb_status status = read_net(&r);
  if (status) {
    nnb_net_destroy(r.net);
    return refuse(status);
  }
  *out = r.net;
  return NNB_OK;
}

nnb_status nnb__net_values_from_bag(nnb_net *net, const nnb__bag *bag, real *values) {
  const reader r = {.bag = bag, .net = net};
  nnb_status status = NNB_OK;
  for (int i = 0; i < net->n_nodes && !status; i++) status = get_params(&r, &net->nodes[i], values);
  return status;
}
