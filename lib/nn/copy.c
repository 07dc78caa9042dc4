/* nn/copy.c: a copy of a net. */
#include <string.h>

#include "alloc.h"
#include "build.h"
#include "copy.h"
#include "fork.h"
#include "seal.h"
#include "status.h"

nnb_status nnb__copy_node(nnb_net *to, const nnb__node *node, int numbered) {
  nnb__node copy = *node;
  copy.self = nnb__memdup(node->self, 1, node->ops->size);
  copy.from = nnb__memdup(node->from, (size_t)node->n_from, sizeof *node->from);
  nnb_status status =
      copy.self && copy.from ? nnb__net_add(to, &copy, node->name, numbered) : nnb__fail_nomem("a node");
  if (!status) return NNB_OK;
  nnb__release(copy.self);
  nnb__release(copy.from);
  return status;
}

static nnb_status copy_scaler(nnb_net *to, bool targets, const nnb__scaler *s) {
  return s->shift ? nnb__net_set_scaler(to, targets, s->scaling, s->n, s->shift, s->factor) : NNB_OK;
}

static const char *get_name(const void *context, int i) { return ((const nnb__names *)context)->name[i]; }

nnb_status nnb__copy_frame(nnb_net *to, const nnb_net *net) {
  to->delta = net->delta, to->smoothing = net->smoothing, to->derivatives = net->derivatives;
  to->training = net->training, to->exact = net->exact;
  to->loss = net->loss, to->seed = net->seed, to->n_x = net->n_x, to->n_y = net->n_y;
  nnb_status status = NNB_OK;
  for (int i = 0; i < net->n_own_acts && !status; i++)
    if (nnb_net_own_activation(to, net->own_acts[i]) < 0) status = to->status;
  for (int i = 0; i < net->n_own_losses && !status; i++)
    if (nnb_net_own_loss(to, net->own_losses[i]) < 0) status = to->status;
  if (!status) status = copy_scaler(to, false, &net->in);
  if (!status) status = copy_scaler(to, true, &net->out);
  if (!status) status = nnb__net_set_names(&to->columns, net->columns.n, get_name, &net->columns);
  if (!status && net->table) status = nnb__net_set_table(to, net->table);
  if (!status) status = nnb__net_set_names(&to->classes, net->classes.n, get_name, &net->classes);
  return status;
}

static nnb_status copy_unsealed(nnb_net *to, const nnb_net *net) {
  nnb_status status = NNB_OK;
  for (int i = 0; i < net->n_nodes && !status; i++) {
    const nnb__node *node = &net->nodes[i];
    status = nnb__copy_node(to, node, nnb__net_kind(net, node->ops).numbered);
  }
  return status ? status : nnb__copy_frame(to, net);
}

nnb_status nnb_net_copy(const nnb_net *net, nnb_net **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  nnb_net *copy = nnb__net_new();
  if (!copy) return NNB_E_NOMEM;
  const bool locks = !atomic_load(&net->sealed) && !nnb__net_sealing();
  if (locks) nnb__lock_take(NNB__LOCK_SEAL); /* another thread may seal it */
  status = copy_unsealed(copy, net);
  const bool sealed = atomic_load(&net->sealed);
  if (locks) nnb__lock_give(NNB__LOCK_SEAL);
  if (!status && sealed) {
    status = nnb__net_seal_undrawn(copy);
    if (!status) memcpy(copy->params, net->params, net->n_values * sizeof(real));
  }
  if (status) {
    nnb_net_destroy(copy);
    return status;
  }
  *out = copy;
  return NNB_OK;
}
