/* nn/net.c: the struct of a net: errors, nodes, memory, scalers, names, history. */
#include "net.h"

#include <stdio.h>
#include <string.h>

#include "act.h"
#include "alloc.h"
#include "loss.h"
#include "status.h"
#include "training.h"

/* ---- errors ------------------------------------------------------------------------------------------------------ */

nnb_status nnb__net_check(const nnb_net *net) {
  if (!net) return nnb__fail(NNB_E_ARG, "the net is NULL");
  return net->status ? nnb__fail(net->status, "%s", net->message) : NNB_OK;
}

nnb_status nnb__net_idle(const nnb_net *net) {
  if (!atomic_load_explicit(&net->held, memory_order_acquire)) return NNB_OK;
  return nnb__fail(NNB_E_STATE,
                   "a call that trains or changes the net is running; until it returns the net can only be "
                   "read, saved and copied");
}

nnb_status nnb__net_open(nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (status) return status;
  if (atomic_load(&net->sealed))
    return nnb__fail(NNB_E_STATE, "the net is sealed: nothing can be added after its parameters were allocated");
  return NNB_OK;
}

nnb_status nnb__net_stick(nnb_net *net, nnb_status status) {
  if (!net) return status;
  nnb_status before = nnb__net_open(net); /* writes no message if it succeeds */
  if (before) return before;
  net->status = status;
  snprintf(net->message, sizeof net->message, "%s", nnb_errmsg());
  return status;
}

nnb_status nnb_net_status(const nnb_net *net) { return nnb__net_check(net); }

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

nnb__node *nnb__net_node(const nnb_net *net, int node) {
  if (node >= 1 && node <= net->n_nodes) return &net->nodes[node - 1];
  nnb__fail(NNB_E_ARG, "there is no node %d; the net has nodes 1 to %d", node, net->n_nodes);
  return NULL;
}

nnb__kind nnb__net_kind(const nnb_net *net, const nnb_layer_ops *ops) {
  for (size_t i = 0; i < net->n_kinds; i++)
    if (net->kinds[i].ops == ops) return net->kinds[i];
  return (nnb__kind){.ops = ops};
}

/* Writes an entry back; the list has space for one more. */
static void put_kind(nnb_net *net, nnb__kind kind) {
  size_t i = 0;
  while (i < net->n_kinds && net->kinds[i].ops != kind.ops) i++;
  net->kinds[i] = kind;
  if (i == net->n_kinds) net->n_kinds++;
}

nnb_status nnb__net_add(nnb_net *net, const nnb__node *node, const char *name, int numbered) {
  size_t n = (size_t)net->n_nodes;
  if (n >= INT32_MAX) return nnb__fail(NNB_E_OVERFLOW, "too many nodes");
  if (!nnb__grow(&net->nodes, &net->cap_nodes, n + 1, sizeof *net->nodes) ||
      !nnb__grow(&net->kinds, &net->cap_kinds, net->n_kinds + 1, sizeof *net->kinds) ||
      nnb__table_add(&net->node_names, name, strlen(name)) < 0)
    return nnb__fail_nomem("a node");
  nnb__kind kind = nnb__net_kind(net, node->ops);
  kind.count++;
  if (numbered > kind.numbered) kind.numbered = numbered;
  put_kind(net, kind);
  net->nodes[n] = *node;
  net->nodes[n].name = net->node_names.text[n];
  net->n_nodes++;
  return NNB_OK;
}

bool nnb__node_is_input(const nnb__node *node) { return node->ops == &nnb__layer_input; }

bool nnb__node_wants_whole(const nnb__node *node) { return node->needs.couples_rows || node->needs.buffers > 0; }

static bool looks_at(const nnb_net *net, const nnb__node *node, int c) {
  for (int i = 0; node->needs.levels > 0 && i < node->n_from; i++) {
    const nnb__node *input = &net->nodes[node->from[i] - 1];
    if (input->x_col <= c && c < input->x_col + input->needs.cols) return true;
  }
  return false;
}

const nnb__node *nnb__net_looks_at(const nnb_net *net, int c, const nnb__node *after) {
  for (const nnb__node *node = after ? after + 1 : net->nodes; node < net->nodes + net->n_nodes; node++)
    if (looks_at(net, node, c)) return node;
  return NULL;
}

/* The columns of an input keep their units. */
static void spare(nnb__scaler *s, const nnb__node *input) {
  for (int j = 0, c = input->x_col; j < input->needs.cols && c < s->n; j++, c++) s->shift[c] = 0, s->factor[c] = 1;
}

void nnb__net_spare_whole(nnb_net *net) {
  for (const nnb__node *node = net->nodes; net->in.shift && node < net->nodes + net->n_nodes; node++)
    for (int i = 0; node->needs.levels > 0 && i < node->n_from; i++) spare(&net->in, &net->nodes[node->from[i] - 1]);
}

nnb_status nnb__net_check_uncoupled(const nnb_net *net, const char *what) {
  if (net->coupling == 0) return NNB_OK;
  const nnb__node *node = &net->nodes[net->coupling - 1];
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "%s needs rows that do not depend on each other, and the layer %s (%s) couples them; take adam, "
                   "lbfgs or another method of gradients",
                   what, node->name, node->ops->name);
}

nnb_status nnb__net_check_fixed(const nnb_net *net, const char *what) {
  if (net->drawing == 0) return NNB_OK;
  const nnb__node *node = &net->nodes[net->drawing - 1];
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "%s minimises one function, and the layer %s (%s) makes another one of the net in each update; take "
                   "adam, sgd or another method of updates",
                   what, node->name, node->ops->name);
}

int nnb_net_n_nodes(const nnb_net *net) { return net ? net->n_nodes : 0; }

int nnb_net_n_in(const nnb_net *net) { return net && !net->status ? net->n_x : 0; }

int nnb_net_n_out(const nnb_net *net) {
  if (!net || net->status) return 0;
  if (net->n_y > 0) return net->n_y;
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  return nnb__node_is_input(last) ? 0 : last->needs.cols;
}

int nnb_net_find(const nnb_net *net, const char *name) {
  return net && name ? (int)nnb__table_find(&net->node_names, name, strlen(name)) + 1 : 0;
}

const char *nnb_net_node_name(const nnb_net *net, int node) {
  return net && node >= 1 && node <= net->n_nodes ? net->nodes[node - 1].name : NULL;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

nnb_net *nnb__net_new(void) {
  nnb_net *net = nnb__zalloc(1, sizeof *net);
  if (!net) {
    nnb__fail_nomem("a net");
    return NULL;
  }
  atomic_init(&net->sealed, false);
  atomic_init(&net->held, false);
  atomic_init(&net->shown, false);
  return net;
}

void nnb__net_release_names(nnb__names *names) {
  for (int i = 0; i < names->n; i++) nnb__release(names->name[i]);
  nnb__release(names->name);
  *names = (nnb__names){0};
}

static void release_scaler(nnb__scaler *s) {
  nnb__release(s->shift);
  nnb__release(s->factor);
  *s = (nnb__scaler){0};
}

static void release_node(nnb__node *node) {
  nnb__release(node->self);
  nnb__release(node->from);
}

void nnb__net_release_params(nnb_net *net) {
  nnb__release(net->blocks);
  nnb__release(net->block_node);
  nnb__release(net->params_memory);
  net->blocks = NULL, net->block_node = NULL, net->params = net->params_memory = NULL;
}

void nnb_net_destroy(nnb_net *net) {
  if (!net || nnb__net_idle(net)) return;
  for (int i = 0; i < net->n_nodes; i++) release_node(&net->nodes[i]);
  nnb__release(net->nodes);
  nnb__release(net->kinds);
  nnb__table_clear(&net->node_names);
  release_scaler(&net->in);
  release_scaler(&net->out);
  nnb__net_release_columns(net);
  nnb__net_release_names(&net->classes);
  nnb__release(net->own_acts);
  nnb__release(net->own_losses);
  nnb__release(net->history);
  nnb__net_release_params(net);
  nnb__release(net);
}

/* ---- scalers, names, history, activations and losses ------------------------------------------------------------ */

nnb_status nnb__net_set_scaler(nnb_net *net, bool targets, nnb_scaling scaling, int n, const real *shift,
                               const real *factor) {
  nnb__scaler fresh = {.n = n, .scaling = scaling}, *place = targets ? &net->out : &net->in;
  fresh.shift = nnb__memdup(shift, (size_t)n, sizeof *shift);
  fresh.factor = nnb__memdup(factor, (size_t)n, sizeof *factor);
  if (!fresh.shift || !fresh.factor) {
    release_scaler(&fresh);
    return nnb__fail_nomem("a scaler");
  }
  release_scaler(place);
  *place = fresh;
  nnb__net_spare_whole(net);
  return NNB_OK;
}

void nnb_net_input_scaler(const nnb_net *net, const real **shift, const real **factor) {
  if (shift) *shift = net ? net->in.shift : NULL;
  if (factor) *factor = net ? net->in.factor : NULL;
}

void nnb_net_target_scaler(const nnb_net *net, const real **shift, const real **factor) {
  if (shift) *shift = net ? net->out.shift : NULL;
  if (factor) *factor = net ? net->out.factor : NULL;
}

nnb_status nnb__net_set_names(nnb__names *names, int n, const char *(*get)(const void *context, int i),
                              const void *context) {
  nnb__names fresh = {.name = nnb__zalloc((size_t)n, sizeof *fresh.name), .n = n};
  if (!fresh.name) return nnb__fail_nomem("names");
  for (int i = 0; i < n; i++) {
    const char *text = get(context, i);
    if (text && !(fresh.name[i] = nnb__strdup(text))) {
      nnb__net_release_names(&fresh);
      return nnb__fail_nomem("names");
    }
  }
  nnb__net_release_names(names);
  *names = fresh;
  return NNB_OK;
}

static const char *name_at(const nnb__names *names, int i) { return i >= 0 && i < names->n ? names->name[i] : NULL; }

const char *nnb_net_column_name(const nnb_net *net, int column) { return net ? name_at(&net->columns, column) : NULL; }

static const char *get_column(const void *net, int i) { return nnb_net_column_name(net, i); }

nnb_status nnb__net_set_table(nnb_net *net, const nnb_columns *table) {
  nnb_columns *copy = table ? nnb__columns_copy(table) : nnb__columns_create(net->n_x, get_column, net);
  if (!copy) return nnb__fail_nomem("the columns of the inputs");
  nnb__columns_destroy(net->table);
  net->table = copy;
  return NNB_OK;
}

void nnb__net_release_columns(nnb_net *net) {
  nnb__net_release_names(&net->columns);
  nnb__columns_destroy(net->table);
  net->table = NULL;
}

const nnb_columns *nnb_net_columns(const nnb_net *net) { return net ? net->table : NULL; }

const char *nnb_net_class_name(const nnb_net *net, int k) { return net ? name_at(&net->classes, k) : NULL; }

bool nnb_net_training(const nnb_net *net, nnb_training *out) {
  if (!net || !out || !*net->training.version) return false;
  *out = net->training;
  return true;
}

nnb_status nnb_net_set_training(nnb_net *net, const nnb_training *training) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (!status && training) status = nnb__training_check(training);
  if (status) return status;
  net->training = training ? *training : (nnb_training){0};
  if (!training) return NNB_OK;
  if (!*net->training.version) snprintf(net->training.version, sizeof net->training.version, "%s", nnb_version());
  if (!training->metric) net->training.score = (double)NAN, net->training.score_rows = 0;
  return NNB_OK;
}

void nnb__net_keep_history(nnb_net *net, nnb_record *history) {
  nnb__release(net->history);
  net->history = history;
}

const nnb_act_ops *nnb__net_act(const nnb_net *net, int activation) {
  if (activation >= NNB_OWN_ACTIVATION) return net->own_acts[activation - NNB_OWN_ACTIVATION];
  return nnb__act((nnb_activation)activation);
}

/* The default loss of an output, by its activation. */
static nnb_loss loss_of_activation(int activation) {
  static const nnb_loss losses[NNB_N_ACTIVATIONS] = {
#define ACTIVATION(NAME, name, KIND, init, loss) [NAME] = loss,
#include "activations.def"
  };
  return activation < NNB_N_ACTIVATIONS ? losses[activation] : NNB_MSE; /* own ones */
}

const nnb_loss_ops *nnb__net_plain_loss(const nnb_net *net, const nnb__node *output) {
  int loss = output->loss ? output->loss : net->loss;
  if (loss >= NNB_OWN_LOSS) return net->own_losses[loss - NNB_OWN_LOSS];
  return nnb__loss(loss ? (nnb_loss)loss : loss_of_activation(output->activation));
}

const nnb_loss_ops *nnb__net_loss_ops(const nnb_net *net, const nnb__node *output) {
  return output->tuned.base ? &output->tuned.ops : nnb__net_plain_loss(net, output);
}
