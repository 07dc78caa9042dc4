/* nn/summary.c: the table of a net. */
#include <string.h>

#include "net.h"
#include "status.h"

static size_t count_params(const nnb__node *node) {
  return ((size_t)node->needs.w_rows + node->needs.bias) * (size_t)node->needs.w_cols;
}

/* "dense, tanh" */
static void describe(const nnb_net *net, const nnb__node *node, char *out, size_t bytes) {
  const char *act = nnb__net_act(net, node->activation)->name;
  if (node->activation == NNB_LINEAR)
    snprintf(out, bytes, "%s", node->ops->name);
  else
    snprintf(out, bytes, "%s, %s", node->ops->name, act);
}

static const char *frozen_text(unsigned frozen) {
  static const char *const text[] = {"", "weights", "bias", "all"};
  return text[frozen & 3];
}

static int print_node(const nnb_net *net, int k, FILE *stream) {
  const nnb__node *node = &net->nodes[k - 1];
  char kind[100], from[60] = "";
  describe(net, node, kind, sizeof kind);
  for (int i = 0; i < node->n_from; i++) {
    size_t used = strlen(from);
    snprintf(from + used, sizeof from - used, "%s%d", i ? ", " : "", node->from[i]);
  }
  size_t n = count_params(node);
  return fprintf(stream, "%5d  %-14s %-22s %-10s B×%-10d %12zu %14zu  %s\n", k, node->name, kind, from,
                 node->needs.cols, n, n * sizeof(real), frozen_text(node->frozen));
}

nnb_status nnb_net_summary(const nnb_net *net, FILE *stream) {
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  if (!stream) return nnb__fail(NNB_E_ARG, "stream is NULL");
  size_t total = 0;
  int written = fprintf(stream, "%5s  %-14s %-22s %-10s %-12s %12s %14s  %s\n", "node", "layer", "kind", "reads",
                        "output", "parameters", "bytes", "frozen");
  for (int k = 1; k <= net->n_nodes && written >= 0; k++) {
    total += count_params(&net->nodes[k - 1]);
    written = print_node(net, k, stream);
  }
  if (written >= 0)
    written = fprintf(stream, "%5s  %-14s %-22s %-10s %-12s %12zu %14zu\n", "", "total", "", "", "", total,
                      total * sizeof(real));
  return written < 0 ? nnb__fail(NNB_E_IO, "writing the summary failed") : NNB_OK;
}
