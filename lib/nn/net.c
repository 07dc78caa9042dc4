/* nn/net.c: the life of a net: create, error, seal, copy, destroy. */
#include "net.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "alloc.h"
#include "arena.h"
#include "loss.h"
#include "status.h"

/* ---- errors ---------------------------------------------------------------------------------------------------- */

nnb_status nnb__net_check(const nnb_net *net) {
  if (!net) return nnb__fail(NNB_E_ARG, "the net is NULL");
  return net->status ? nnb__fail(net->status, "%s", net->message) : NNB_OK;
}

nnb_status nnb__net_open(nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  if (atomic_load(&net->sealed))
    return nnb__fail(NNB_E_STATE, "the net is in use: nothing can be added once its parameters exist");
  return NNB_OK;
}

nnb_status nnb__net_stick(nnb_net *net, nnb_status status) {
  if (!net) return status;
  nnb_status before = nnb__net_open(net); /* leaves the message alone where there is nothing to say */
  if (before) return before;
  net->status = status;
  snprintf(net->message, sizeof net->message, "%s", nnb_errmsg());
  return status;
}

nnb_status nnb_net_status(const nnb_net *net) { return nnb__net_check(net); }

nnb__node *nnb__net_node(const nnb_net *net, int node) {
  if (node >= 1 && node <= net->n_nodes) return &net->nodes[node - 1];
  nnb__fail(NNB_E_ARG, "there is no node %d; the net has nodes 1 to %d", node, net->n_nodes);
  return NULL;
}

/* ---- create and destroy ---------------------------------------------------------------------------------------- */

nnb_net *nnb_net_create(int n_in) {
  nnb_net *net = nnb__zalloc(1, sizeof *net);
  if (!net) {
    nnb__fail_nomem("a net");
    return NULL;
  }
  atomic_init(&net->sealed, false);
  nnb_net_input(net, n_in, "input");
  return net;
}

static void release_names(nnb__names *names) {
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
  nnb__release(node->name);
  nnb__release(node->from);
}

static void release_params(nnb_net *net) {
  nnb__release(net->blocks);
  nnb__release(net->block_node);
  nnb__release(net->params_memory);
  net->blocks = NULL, net->block_node = NULL, net->params = net->params_memory = NULL;
}

void nnb_net_destroy(nnb_net *net) {
  if (!net) return;
  for (int i = 0; i < net->n_nodes; i++) release_node(&net->nodes[i]);
  nnb__release(net->nodes);
  release_scaler(&net->in);
  release_scaler(&net->out);
  release_names(&net->columns);
  release_names(&net->classes);
  nnb__release(net->own_acts);
  nnb__release(net->own_losses);
  nnb__release(net->history);
  release_params(net);
  nnb__release(net);
}

/* ---- what belongs to a net -------------------------------------------------------------------------------------- */

static nnb_status copy_array(const void *src, size_t n, size_t size, void *out_address) {
  void *copy = nnb__alloc(n, size);
  if (!copy) return nnb__fail_nomem("part of a net");
  if (n) memcpy(copy, src, n * size);
  memcpy(out_address, &copy, sizeof copy);
  return NNB_OK;
}

nnb_status nnb__net_set_scaler(nnb_net *net, bool targets, int n, const real *shift, const real *factor) {
  nnb__scaler fresh = {.n = n}, *place = targets ? &net->out : &net->in;
  nnb_status status = copy_array(shift, (size_t)n, sizeof *shift, &fresh.shift);
  if (!status) status = copy_array(factor, (size_t)n, sizeof *factor, &fresh.factor);
  if (status) {
    release_scaler(&fresh);
    return status;
  }
  release_scaler(place);
  *place = fresh;
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
      release_names(&fresh);
      return nnb__fail_nomem("names");
    }
  }
  release_names(names);
  *names = fresh;
  return NNB_OK;
}

static const char *name_at(const nnb__names *names, int i) { return i >= 0 && i < names->n ? names->name[i] : NULL; }

const char *nnb_net_column_name(const nnb_net *net, int column) { return net ? name_at(&net->columns, column) : NULL; }

const char *nnb_net_class_name(const nnb_net *net, int k) { return net ? name_at(&net->classes, k) : NULL; }

void nnb__net_keep_history(nnb_net *net, nnb_record *history) {
  nnb__release(net->history);
  net->history = history;
}

const nnb_act_ops *nnb__net_act(const nnb_net *net, int activation) {
  if (activation >= NNB_OWN_ACTIVATION) return net->own_acts[activation - NNB_OWN_ACTIVATION];
  return nnb__act((nnb_activation)activation);
}

/* The loss an output starts with if nothing was said: what its activation means. */
static nnb_loss loss_of_activation(int activation) {
  if (activation == NNB_SOFTMAX) return NNB_CROSS_ENTROPY;
  return activation == NNB_SIGMOID ? NNB_BINARY_CROSS_ENTROPY : NNB_MSE;
}

const nnb_loss_ops *nnb__net_loss_ops(const nnb_net *net, const nnb__node *output) {
  int loss = output->loss ? output->loss : net->loss;
  if (loss >= NNB_OWN_LOSS) return net->own_losses[loss - NNB_OWN_LOSS];
  return nnb__loss(loss ? (nnb_loss)loss : loss_of_activation(output->activation));
}

/* ---- sealing --------------------------------------------------------------------------------------------------- */

/* Whether the node's values are what a loss that is made for the activation `wanted` takes.  Own parts are trusted. */
static bool gives(const nnb__node *node, int wanted) {
  if (node->activation == NNB_LINEAR && !nnb__layer_find(node->ops->name)) return true;
  return node->activation == wanted || node->activation == NNB_SOFTMAX || node->activation >= NNB_OWN_ACTIVATION;
}

/* Logarithms of what is no probability have no minimum, and neither has a cross-entropy of such targets. */
static nnb_status check_loss(const nnb_net *net, const nnb__node *output) {
  const nnb_loss_ops *loss = nnb__net_loss_ops(net, output);
  if (!(loss->traits & NNB_LOSS_PROBABILITIES)) return NNB_OK;
  if (net->out.shift)
    return nnb__fail(NNB_E_ARG,
                     "the output %s has scaled targets, which %s does not take; choose another loss, or do not scale",
                     output->name, loss->name);
  if (!nnb_loss_find(loss->name, &(nnb_loss){0}) || gives(output, (int)loss->fuses)) return NNB_OK;
  bool joined = output->ops == &nnb__layer_concat && output->activation == NNB_LINEAR;
  for (int k = 0; k < output->n_from && joined; k++) joined = gives(&net->nodes[output->from[k] - 1], (int)loss->fuses);
  return joined ? NNB_OK
                : nnb__fail(NNB_E_ARG, "the output %s is %s, for which %s is no loss: take %s, or another loss",
                            output->name, nnb__net_act(net, output->activation)->name, loss->name,
                            nnb_activation_name(loss->fuses));
}

static nnb_status check_ends(const nnb_net *net) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  if (net->n_y == 0 && nnb__node_is_input(last))
    return nnb__fail(NNB_E_STATE, "the net ends in an input: add a layer behind it");
  for (int i = 0; i < net->n_nodes; i++) {
    const nnb__node *node = &net->nodes[i];
    if (node->n_consumers == 0 && node->out_col < 0 && (net->n_y > 0 || node != last))
      return nnb__fail(NNB_E_STATE, "node %d (%s) leads to no output", i + 1, node->name);
    bool output = net->n_y > 0 ? node->out_col >= 0 : node == last;
    nnb_status status = output ? check_loss(net, node) : NNB_OK;
    if (status) return status;
  }
  if (net->in.shift && net->in.n != net->n_x)
    return nnb__fail(NNB_E_SHAPE, "the inputs' scaler has %d columns, the net %d", net->in.n, net->n_x);
  if (net->out.shift && net->out.n != nnb_net_n_out(net))
    return nnb__fail(NNB_E_SHAPE, "the targets' scaler has %d columns, the net's outputs %d", net->out.n,
                     nnb_net_n_out(net));
  return NNB_OK;
}

/* Without a declared output the node added last is the one output. */
static void choose_output(nnb_net *net) {
  if (net->n_y > 0) return;
  nnb__node *last = &net->nodes[net->n_nodes - 1];
  last->out_col = 0;
  net->n_y = last->needs.cols;
}

/* Offsets of the blocks, and their list. */
static nnb_status lay_out(nnb_net *net) {
  size_t total = 0, n, rows;
  net->n_blocks = 0;
  for (int i = 0; i < net->n_nodes; i++) {
    nnb__node *node = &net->nodes[i];
    rows = (size_t)node->needs.w_rows + node->needs.bias;
    node->off = total;
    if (!nnb__mul(rows, (size_t)node->needs.w_cols, &n) || n > PTRDIFF_MAX / sizeof(real) - total)
      return nnb__fail(NNB_E_OVERFLOW, "%s: the net has more parameters than memory can hold", node->name);
    total += n;
    if (n == 0) continue;
    net->blocks[net->n_blocks] = (nnb__block){.off = node->off,
                                              .rows = node->needs.w_rows,
                                              .cols = node->needs.w_cols,
                                              .bias = node->needs.bias,
                                              .frozen = node->frozen,
                                              .kron = node->ops->kron != NULL};
    net->block_node[net->n_blocks++] = i + 1;
  }
  net->n_params = total;
  return NNB_OK;
}

static nnb_status allocate_params(nnb_net *net) {
  net->params_memory = nnb__alloc(net->n_params * sizeof(real) + NNB__ALIGN, 1);
  if (!net->params_memory) return nnb__fail_nomem("the parameters");
  uintptr_t at = (uintptr_t)net->params_memory;
  net->params = net->params_memory + (NNB__ALIGN - at % NNB__ALIGN) % NNB__ALIGN / sizeof(real);
  return NNB_OK;
}

/* All parameters from the seed: weights by the layer's init from a stream of its own, biases 0. */
static nnb_status draw_params(nnb_net *net, uint64_t seed) {
  size_t most = 0;
  for (int i = 0; i < net->n_nodes; i++)
    if (net->nodes[i].needs.init_scratch > most) most = net->nodes[i].needs.init_scratch;
  real *scratch = nnb__alloc(most, sizeof *scratch);
  if (!scratch) return nnb__fail_nomem("the initial parameters");
  memset(net->params, 0, net->n_params * sizeof(real));
  for (int i = 0; i < net->n_blocks; i++) {
    const nnb__node *node = &net->nodes[net->block_node[i] - 1];
    nnb_rng rng;
    nnb_rng_init(&rng, seed, (uint64_t)net->block_node[i]);
    if (node->ops->init) node->ops->init(node->self, net->params + node->off, &rng, scratch);
  }
  nnb__release(scratch);
  return NNB_OK;
}

static nnb_status seal(nnb_net *net, bool draw) {
  nnb_status status = check_ends(net);
  if (status) return status;
  size_t n = (size_t)net->n_nodes;
  net->blocks = nnb__alloc(n, sizeof *net->blocks);
  net->block_node = nnb__alloc(n, sizeof *net->block_node);
  if (!net->blocks || !net->block_node) status = nnb__fail_nomem("the list of parameters");
  if (!status) status = lay_out(net);
  if (!status) status = allocate_params(net);
  if (!status && draw) status = draw_params(net, net->seed);
  if (status) {
    release_params(net); /* the net may grow before the next attempt */
    return status;
  }
  choose_output(net);
  atomic_store(&net->sealed, true);
  return NNB_OK;
}

static nnb_status seal_once(nnb_net *net, bool draw) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all nets: sealing is rare and short */
  nnb_status status = nnb__net_check(net);
  if (status || atomic_load(&net->sealed)) return status;
  pthread_mutex_lock(&lock);
  if (!atomic_load(&net->sealed)) status = seal(net, draw);
  pthread_mutex_unlock(&lock);
  return status;
}

nnb_status nnb__net_seal(nnb_net *net) { return seal_once(net, true); }

nnb_status nnb__net_seal_undrawn(nnb_net *net) { return seal_once(net, false); }

nnb_status nnb_net_init(nnb_net *net, uint64_t seed) {
  nnb_status status = nnb__net_seal(net);
  return status ? status : draw_params(net, seed);
}

/* ---- copying --------------------------------------------------------------------------------------------------- */

static nnb_status copy_node(nnb_net *to, const nnb__node *node) {
  if (!nnb__grow(&to->nodes, &to->cap_nodes, (size_t)to->n_nodes + 1, sizeof *to->nodes))
    return nnb__fail_nomem("a node");
  nnb__node *copy = &to->nodes[to->n_nodes++];
  *copy = *node;
  copy->self = NULL, copy->from = NULL, copy->name = nnb__strdup(node->name);
  nnb_status status = copy->name ? NNB_OK : nnb__fail_nomem("a name");
  if (!status) status = copy_array(node->self, node->ops->size, 1, &copy->self);
  if (!status) status = copy_array(node->from, (size_t)node->n_from, sizeof *node->from, &copy->from);
  return status;
}

static const char *get_name(const void *context, int i) { return ((const nnb__names *)context)->name[i]; }

static nnb_status copy_unsealed(nnb_net *to, const nnb_net *net) {
  to->loss = net->loss, to->seed = net->seed, to->n_x = net->n_x, to->n_y = net->n_y;
  nnb_status status = NNB_OK;
  for (int i = 0; i < net->n_nodes && !status; i++) status = copy_node(to, &net->nodes[i]);
  for (int i = 0; i < net->n_own_acts && !status; i++)
    if (nnb_net_own_activation(to, net->own_acts[i]) < 0) status = to->status;
  for (int i = 0; i < net->n_own_losses && !status; i++)
    if (nnb_net_own_loss(to, net->own_losses[i]) < 0) status = to->status;
  if (net->in.shift && !status) status = nnb__net_set_scaler(to, false, net->in.n, net->in.shift, net->in.factor);
  if (net->out.shift && !status) status = nnb__net_set_scaler(to, true, net->out.n, net->out.shift, net->out.factor);
  if (!status) status = nnb__net_set_names(&to->columns, net->columns.n, get_name, &net->columns);
  if (!status) status = nnb__net_set_names(&to->classes, net->classes.n, get_name, &net->classes);
  return status;
}

nnb_status nnb_net_copy(const nnb_net *net, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  nnb_net *copy = nnb__zalloc(1, sizeof *copy);
  if (!copy) return nnb__fail_nomem("a net");
  atomic_init(&copy->sealed, false);
  status = copy_unsealed(copy, net);
  if (!status && atomic_load(&net->sealed)) {
    status = nnb__net_seal_undrawn(copy);
    if (!status) memcpy(copy->params, net->params, net->n_params * sizeof(real));
  }
  if (status) {
    nnb_net_destroy(copy);
    return status;
  }
  *out = copy;
  return NNB_OK;
}
