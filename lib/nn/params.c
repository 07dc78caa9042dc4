/* nn/params.c: reading and changing the parameters and buffers of a net. */
#include <string.h>

#include "kernels.h"
#include "seal.h"
#include "status.h"
#include "view.h"

size_t nnb_net_n_params(const nnb_net *net) { return nnb__net_seal(net) ? 0 : net->n_params; }

const real *nnb_net_params_read(const nnb_net *net) {
  if (nnb__net_seal(net)) return NULL;
  nnb__net_show(net);
  return net->params;
}

real *nnb_net_params(nnb_net *net) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (!status) status = nnb__net_seal(net);
  return status ? NULL : net->params;
}

nnb_status nnb__check_exact(void) {
  if (nnb__kernel_has_exact()) return NNB_OK;
  return nnb__fail(
      NNB_E_UNSUPPORTED,
      "the defined arithmetic (exact) needs fused multiply-adds: the kernels of AVX2 or AVX-512, or arm64; "
      "here the kernels are %s",
      nnb__kernel()->level);
}

nnb_status nnb_net_exact(nnb_net *net, bool exact) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (!status && exact) status = nnb__check_exact();
  if (!status) net->exact = exact;
  return status;
}

size_t nnb_net_n_buffers(const nnb_net *net) { return nnb__net_seal(net) ? 0 : net->n_buffers; }

enum { BUFFERS = NNB_WEIGHTS | NNB_BIAS }; /* what else param_view shows */

/* The weights, bias or buffers of a node of a sealed net; *status is the error, if any. */
static nnb_mat param_view(nnb_net *net, int k, unsigned what, nnb_status *status) {
  nnb_mat none = {0};
  *status = NNB_OK;
  const nnb__node *node = nnb__net_node(net, k);
  if (!node) return *status = NNB_E_ARG, none;
  int rows = node->needs.w_rows, cols = node->needs.w_cols;
  if (what == NNB_WEIGHTS && rows > 0) return nnb_view(net->params + node->off, rows, cols);
  if (what == NNB_BIAS && node->needs.bias)
    return nnb_view(net->params + node->off + (size_t)rows * (size_t)cols, 1, cols);
  if (what == BUFFERS && node->needs.buffers > 0)
    return nnb_view(net->params + node->buffers_off, 1, (int)node->needs.buffers);
  *status = nnb__fail(NNB_E_ARG, "node %d (%s) has no %s", k, node->name,
                      what == BUFFERS    ? "buffers"
                      : what == NNB_BIAS ? "bias"
                                         : "weights");
  return none;
}

static nnb_status get(const nnb_net *net, int node, unsigned what, nnb_cmat *out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = (nnb_cmat){0};
  nnb_status status = nnb__net_seal(net);
  if (status) return status;
  nnb_mat m = param_view(nnb__net_sealable(net), node, what, &status);
  if (!status) nnb__net_show(net);
  *out = nnb__read(m);
  return status;
}

static nnb_status copy_into(nnb_net *net, int node, unsigned what, nnb_cmat values) {
  nnb_status status;
  nnb_mat m = param_view(net, node, what, &status);
  if (status) return status;
  if (!values.p || values.rows != m.rows || values.cols != m.cols || values.ld < values.cols)
    return nnb__fail(NNB_E_SHAPE, "node %d has %d×%d numbers; the matrix is %s%d×%d", node, m.rows, m.cols,
                     values.p ? "" : "NULL, ", values.rows, values.cols);
  for (int i = 0; i < m.rows; i++) memmove(nnb__row(m, i), nnb__crow(values, i), (size_t)m.cols * sizeof(real));
  return NNB_OK;
}

static nnb_status set(nnb_net *net, int node, unsigned what, nnb_cmat values) {
  nnb__change change;
  nnb_status status = nnb__net_begin(net, &change);
  if (status) return status;
  status = copy_into(net, node, what, values);
  nnb__net_end(&change, status != NNB_OK);
  return status;
}

nnb_status nnb_net_weights(const nnb_net *net, int node, nnb_cmat *out) { return get(net, node, NNB_WEIGHTS, out); }

nnb_status nnb_net_bias(const nnb_net *net, int node, nnb_cmat *out) { return get(net, node, NNB_BIAS, out); }

nnb_status nnb_net_buffers(const nnb_net *net, int node, nnb_cmat *out) { return get(net, node, BUFFERS, out); }

nnb_status nnb_net_set_weights(nnb_net *net, int node, nnb_cmat w) { return set(net, node, NNB_WEIGHTS, w); }

nnb_status nnb_net_set_bias(nnb_net *net, int node, nnb_cmat b) { return set(net, node, NNB_BIAS, b); }

nnb_status nnb_net_set_buffers(nnb_net *net, int node, nnb_cmat b) { return set(net, node, BUFFERS, b); }

nnb_status nnb_net_freeze(nnb_net *net, int k, unsigned parts) {
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__net_idle(net);
  if (status) return status;
  nnb__node *node = nnb__net_node(net, k);
  if (!node) return NNB_E_ARG;
  if (parts & ~(unsigned)(NNB_WEIGHTS | NNB_BIAS))
    return nnb__fail(NNB_E_ARG, "parts is %u; wanted NNB_WEIGHTS, NNB_BIAS, both or 0", parts);
  node->frozen = parts;
  if (atomic_load(&net->sealed))
    for (int i = 0; i < net->n_blocks; i++)
      if (net->block_node[i] == k) net->blocks[i].frozen = parts;
  return NNB_OK;
}
