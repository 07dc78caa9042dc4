/* nn/summary.c: the table of a net. */
#include <string.h>

#include "net.h"
#include "status.h"

static size_t count_params(const nnb__node *node) {
  return ((size_t)node->needs.w_rows + node->needs.bias) * (size_t)node->needs.w_cols;
}

/* "dense, tanh"; "dropout0.2" */
static void describe(const nnb_net *net, const nnb__node *node, char *out, size_t bytes) {
  const char *act = nnb__net_act(net, node->activation)->name;
  char p[20] = "";
  if (node->ops == &nnb__layer_dropout) snprintf(p, sizeof p, "%.4g", ((const nnb__dropout *)node->self)->p);
  if (node->activation == NNB_LINEAR)
    snprintf(out, bytes, "%s%s", node->ops->name, p);
  else
    snprintf(out, bytes, "%s%s, %s", node->ops->name, p, act);
}

static const char *frozen_text(unsigned frozen) {
  static const char *const text[] = {"", "weights", "bias", "all"};
  return text[frozen & 3];
}

/* "B×192", or with a shape "B×3×8×8" */
static void describe_output(const nnb_needs *needs, char *out, size_t bytes) {
  const nnb_shape *s = &needs->shape;
  if (s->channels > 0)
    snprintf(out, bytes, "B×%d×%d×%d", s->channels, s->height, s->width);
  else
    snprintf(out, bytes, "B×%d", needs->cols);
}

static int print_node(const nnb_net *net, int k, FILE *stream) {
  const nnb__node *node = &net->nodes[k - 1];
  char kind[100], from[60] = "", output[50];
  describe(net, node, kind, sizeof kind);
  describe_output(&node->needs, output, sizeof output);
  for (int i = 0; i < node->n_from; i++) {
    size_t used = strlen(from);
    snprintf(from + used, sizeof from - used, "%s%d", i ? ", " : "", node->from[i]);
  }
  size_t n = count_params(node);
  int width = 12; /* of "B×192", where × takes as many bytes as it takes */
  for (const char *c = output; *c; c++) width += ((unsigned char)*c & 0xC0) == 0x80;
  return fprintf(stream, "%5d  %-14s %-22s %-10s %-*s %12zu %14zu  %s\n", k, node->name, kind, from, width, output, n,
                 n * sizeof(real), frozen_text(node->frozen));
}

/* A line of totals. */
static int print_total(const char *name, size_t n, FILE *stream) {
  return fprintf(stream, "%5s  %-14s %-22s %-10s %-12s %12zu %14zu\n", "", name, "", "", "", n, n * sizeof(real));
}

nnb_status nnb_net_summary(const nnb_net *net, FILE *stream) {
  nnb_status status = nnb__net_check(net);
  if (status) return status;
  if (!stream) return nnb__fail(NNB_E_ARG, "stream is NULL");
  size_t total = 0, buffers = 0;
  int written = fprintf(stream, "%5s  %-14s %-22s %-10s %-12s %12s %14s  %s\n", "node", "layer", "kind", "reads",
                        "output", "parameters", "bytes", "frozen");
  for (int k = 1; k <= net->n_nodes && written >= 0; k++) {
    total += count_params(&net->nodes[k - 1]), buffers += net->nodes[k - 1].needs.buffers;
    written = print_node(net, k, stream);
  }
  if (written >= 0) written = print_total("total", total, stream);
  if (written >= 0 && buffers > 0) written = print_total("buffers", buffers, stream);
  return written < 0 ? nnb__fail(NNB_E_IO, "writing the summary failed") : NNB_OK;
}
