/* nn/seal.c: seals a net: checks its inputs and outputs, lays out, allocates and draws its parameters and buffers. */
#include "seal.h"

#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "attr.h"
#include "blas_threads.h"
#include "fork.h"
#include "loss.h"
#include "names.h"
#include "status.h"

/* ---- inputs and outputs ------------------------------------------------------------------------------------------ */

/* Whether a loss for the activation `wanted` accepts this node's values.  Own parts are trusted. */
static bool outputs_suit(const nnb__node *node, int wanted) {
  if (node->activation == NNB_LINEAR && !nnb__layer_find(node->ops->name)) return true;
  return node->activation == wanted || node->activation >= NNB_OWN_ACTIVATION;
}

/* Cross-entropies need outputs and targets that are probabilities; otherwise they have no minimum.  They are computed
 * from Z, because the gradient would be lost when a probability rounds to 0 or 1. */
static nnb_status check_output_loss(const nnb_net *net, const nnb__node *output) {
  const nnb_loss_ops *loss = nnb__net_loss_ops(net, output);
  if (!(loss->traits & NNB_LOSS_PROBABILITIES)) return NNB_OK;
  if (net->out.shift)
    return nnb__fail(
        NNB_E_ARG,
        "the output %s has scaled targets, but %s needs targets that are not scaled; use another loss or do not scale",
        output->name, loss->name);
  if (nnb__loss_place(loss->name) < 0 || outputs_suit(output, (int)loss->fuses)) return NNB_OK;
  if (output->ops == &nnb__layer_concat)
    return nnb__fail(NNB_E_ARG,
                     "the output %s is a concatenation, which %s does not take; declare each of its nodes as an output "
                     "(nnb_net_output), or use another loss",
                     output->name, loss->name);
  return nnb__fail(
      NNB_E_ARG, "the output %s has the activation %s, but the loss %s needs %s; use that, or another loss",
      output->name, nnb__net_act(net, output->activation)->name, loss->name, nnb_activation_name(loss->fuses));
}

/* For one unit, e^z/e^z is always 1. */
static nnb_status check_softmax(const nnb__node *node) {
  if (node->activation != NNB_SOFTMAX || node->needs.cols > 1) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "%s is a softmax of one unit, which is always 1; use sigmoid, or one unit for each class",
                   node->name);
}

/* Options belong to the loss that they were set with: those of the output, or those of the net. */
static nnb_status tune(const nnb_net *net, nnb__node *output) {
  const bool own = output->loss != NNB_LOSS_AUTO || output->delta > 0 || output->smoothing > 0;
  const double delta = own ? output->delta : net->delta;
  const double smoothing = own ? output->smoothing : net->smoothing;
  return nnb__tune_loss(nnb__net_plain_loss(net, output), output->activation, delta, smoothing, &output->tuned);
}

static nnb_status check_ends(const nnb_net *net) {
  const nnb__node *last = &net->nodes[net->n_nodes - 1];
  if (net->n_y == 0 && nnb__node_is_input(last))
    return nnb__fail(NNB_E_STATE, "the last node is an input; add a layer after it");
  for (int i = 0; i < net->n_nodes; i++) {
    nnb__node *node = &net->nodes[i];
    if (node->n_consumers == 0 && node->out_col < 0 && (net->n_y > 0 || node != last))
      return nnb__fail(NNB_E_STATE, "node %d (%s) is not used by any output", i + 1, node->name);
    bool output = net->n_y > 0 ? node->out_col >= 0 : node == last;
    nnb_status status = check_softmax(node);
    if (!status && output) status = nnb__attr_check(node->ops, true);
    if (!status && output) status = tune(net, node);
    if (!status && output) status = check_output_loss(net, node);
    if (status) return status;
  }
  if (net->in.shift && net->in.n != net->n_x)
    return nnb__fail(NNB_E_SHAPE, "the scaler of the inputs has %d column(s); the net has %d", net->in.n, net->n_x);
  if (net->out.shift && net->out.n != nnb_net_n_out(net))
    return nnb__fail(NNB_E_SHAPE, "the scaler of the targets has %d column(s); the net's outputs have %d", net->out.n,
                     nnb_net_n_out(net));
  return NNB_OK;
}

/* Without a declared output, the last node is the output. */
static void choose_output(nnb_net *net) {
  if (net->n_y > 0) return;
  nnb__node *last = &net->nodes[net->n_nodes - 1];
  last->out_col = 0;
  net->n_y = last->needs.cols;
}

/* ---- the parameters ---------------------------------------------------------------------------------------------- */

/* *total ← *total + more numbers, which memory can hold. */
static bool add_up(size_t *total, size_t more) {
  if (more > PTRDIFF_MAX / sizeof(real) - *total) return false;
  *total += more;
  return true;
}

/* Computes the offsets of the blocks, and their list. */
static nnb_status lay_out_params(nnb_net *net) {
  size_t total = 0, n, rows;
  net->n_blocks = 0;
  for (int i = 0; i < net->n_nodes; i++) {
    nnb__node *node = &net->nodes[i];
    rows = (size_t)node->needs.w_rows + node->needs.bias;
    node->off = total;
    if (!nnb__mul(rows, (size_t)node->needs.w_cols, &n) || !add_up(&total, n))
      return nnb__fail(NNB_E_OVERFLOW, "%s: the net has too many parameters for the address space", node->name);
    if (n == 0) continue;
    net->blocks[net->n_blocks] = (nnb__block){.off = node->off,
                                              .rows = node->needs.w_rows,
                                              .cols = node->needs.w_cols,
                                              .bias = node->needs.bias,
                                              .frozen = node->frozen,
                                              .kron = node->ops->kron != NULL,
                                              .spared = node->needs.no_decay};
    net->block_node[net->n_blocks++] = i + 1;
  }
  net->n_params = total;
  return NNB_OK;
}

/* Offsets of the buffers behind the parameters, and which nodes want all rows at once. */
static nnb_status lay_out_buffers(nnb_net *net) {
  size_t total = net->n_params;
  net->coupling = net->drawing = net->looking = 0, net->whole_rows = false;
  for (int i = 0; i < net->n_nodes; i++) {
    nnb__node *node = &net->nodes[i];
    node->buffers_off = total;
    if (!add_up(&total, node->needs.buffers))
      return nnb__fail(NNB_E_OVERFLOW, "%s: the net has more buffers than memory can hold", node->name);
    if (node->needs.couples_rows && net->coupling == 0) net->coupling = i + 1;
    if (node->needs.random && net->drawing == 0) net->drawing = i + 1;
    if (node->needs.levels > 0 && net->looking == 0) net->looking = i + 1;
    if (nnb__node_wants_whole(node)) net->whole_rows = true;
  }
  net->n_values = total, net->n_buffers = total - net->n_params;
  return NNB_OK;
}

static nnb_status allocate_params(nnb_net *net) {
  net->params_memory = nnb__alloc(net->n_values * sizeof(real) + NNB__ALIGN, 1);
  if (!net->params_memory) return nnb__fail_nomem("the parameters");
  net->params = nnb__align(net->params_memory);
  return NNB_OK;
}

/* Whether this thread is in a layer's init: a function there that sealed a net would wait for the lock of this one. */
static _Thread_local bool drawing;
static _Thread_local bool sealing; /* it holds NNB__LOCK_SEAL */

static void draw_layers(nnb_net *net, uint64_t seed, real *scratch) {
  const bool within = drawing; /* an init that initialises another net */
  memset(net->params, 0, net->n_values * sizeof(real));
  drawing = true;
  for (int i = 0; i < net->n_blocks; i++) {
    const nnb__node *node = &net->nodes[net->block_node[i] - 1];
    nnb_rng rng;
    nnb_rng_init(&rng, seed, (uint64_t)net->block_node[i]);
    if (node->ops->init) node->ops->init(node->self, net->params + node->off, &rng, scratch);
  }
  for (int i = 0; i < net->n_nodes; i++) {
    const nnb__node *node = &net->nodes[i];
    if (node->needs.buffers && node->ops->init_buffers)
      node->ops->init_buffers(node->self, net->params + node->buffers_off);
  }
  drawing = within;
}

/* Draws all parameters from the seed: weights by the layer's init, each node from its own random stream; biases 0. Sets
 * the buffers to their initial values. */
static nnb_status draw_params(nnb_net *net, uint64_t seed) {
  size_t most = 0; /* above 0: an initialiser needs a factorisation, which uses the BLAS */
  for (int i = 0; i < net->n_nodes; i++)
    if (net->nodes[i].needs.init_scratch > most) most = net->nodes[i].needs.init_scratch;
  real *scratch = nnb__alloc(most, sizeof *scratch);
  if (!scratch) return nnb__fail_nomem("the initial parameters");
  nnb_status status = most > 0 ? nnb__blas_enter() : NNB_OK;
  if (!status) draw_layers(net, seed, scratch);
  if (!status && most > 0) nnb__blas_leave();
  nnb__release(scratch);
  return status;
}

/* ---- sealing ----------------------------------------------------------------------------------------------------- */

static nnb_status seal(nnb_net *net, bool draw) {
  nnb_status status = check_ends(net);
  if (status) return status;
  size_t n = (size_t)net->n_nodes;
  net->blocks = nnb__alloc(n, sizeof *net->blocks);
  net->block_node = nnb__alloc(n, sizeof *net->block_node);
  if (!net->blocks || !net->block_node) status = nnb__fail_nomem("the list of parameters");
  if (!status) status = lay_out_params(net);
  if (!status) status = lay_out_buffers(net);
  if (!status) status = allocate_params(net);
  if (!status && draw) status = draw_params(net, net->seed);
  if (status) {
    nnb__net_release_params(net); /* nodes may be added before the next attempt */
    return status;
  }
  choose_output(net);
  nnb__net_spare_whole(net);
  atomic_store(&net->sealed, true);
  return NNB_OK;
}

bool nnb__net_sealing(void) { return sealing; }

nnb_status nnb__net_seal(const nnb_net *read) {
  nnb_status status = nnb__net_check(read);
  if (status || atomic_load(&read->sealed)) return status;
  nnb_net *net = nnb__net_sealable(read);
  if (drawing)
    return nnb__fail(NNB_E_STATE,
                     "a layer's init or init_buffers is running and asks for a net whose parameters do "
                     "not exist yet; it can only write what it was handed");
  nnb__lock_take(NNB__LOCK_SEAL); /* one lock for all nets: sealing is rare and short */
  sealing = true;
  if (!atomic_load(&net->sealed)) status = seal(net, true);
  sealing = false;
  nnb__lock_give(NNB__LOCK_SEAL);
  return status;
}

nnb_status nnb__net_seal_undrawn(nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  return status ? status : seal(net, false);
}

void nnb__net_show(const nnb_net *net) {
  if (atomic_load(&net->held)) atomic_store(&nnb__net_sealable(net)->shown, true);
}

/* ---- changing calls ---------------------------------------------------------------------------------------------- */

static void unseal(nnb_net *net, int n_y) {
  atomic_store(&net->sealed, false);
  nnb__net_release_params(net);
  net->n_params = net->n_buffers = net->n_values = 0, net->n_blocks = 0;
  if (n_y == 0) net->nodes[net->n_nodes - 1].out_col = -1;
  net->n_y = n_y;
}

nnb_status nnb__net_begin(nnb_net *net, nnb__change *change) {
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  if (atomic_exchange(&net->held, true)) return nnb__net_idle(net);
  atomic_store(&net->shown, false);
  *change = (nnb__change){.net = net,
                          .sealed = atomic_load(&net->sealed),
                          .n_y = net->n_y,
                          .column_names = net->columns.n > 0,
                          .class_names = net->classes.n > 0};
  status = nnb__net_seal(net);
  if (status) atomic_store(&net->held, false);
  return status;
}

void nnb__net_end(const nnb__change *change, bool refused) {
  nnb_net *net = change->net; /* NOLINT: of a change that began */
  if (refused && !change->column_names) nnb__net_release_columns(net);
  if (refused && !change->class_names) nnb__net_release_names(&net->classes);
  if (refused && !change->sealed && !atomic_load(&net->shown)) unseal(net, change->n_y);
  atomic_store(&net->held, false);
}

nnb_status nnb_net_init(nnb_net *net, uint64_t seed) {
  nnb__change change;
  nnb_status status = nnb__net_begin(net, &change);
  if (status) return status;
  status = draw_params(net, seed);
  if (!status) net->training = (nnb_training){0};
  nnb__net_end(&change, status != NNB_OK);
  return status;
}
