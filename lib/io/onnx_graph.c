/* io/onnx_graph.c: values and the names of tensors. */
#include "onnx_graph.h"

#include <stdarg.h>
#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static const char *first_text(char *const *texts, size_t n) { return n > 0 && texts[0] ? texts[0] : ""; }

nnb_status nnb__onnx_fail(const nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb_status status, const char *format,
                          ...) {
  char sentence[NNB__MESSAGE], name[NNB__SHOWN_TEXT], op[NNB__SHOWN_TEXT];
  va_list args;
  va_start(args, format);
  nnb__vformat(sentence, sizeof sentence, format, args);
  va_end(args);
  if (!node) return nnb__fail(status, "%s: %s", g->file, sentence);
  const char *label = node->name && *node->name ? node->name : first_text(node->output, node->n_output);
  const char *type = node->op_type ? node->op_type : "";
  return nnb__fail(status, "%s: node \"%s\" (%s): %s", g->file, nnb__show(label, strlen(label), name),
                   nnb__show(type, strlen(type), op), sentence);
}

/* ---- values and names -------------------------------------------------------------------------------------------- */

nnb__onnx_value *nnb__onnx_at(const nnb__onnx_graph *g, int value) { return &g->value[value - 1]; }

nnb_status nnb__onnx_add(nnb__onnx_graph *g, const Nnb__Onnx__Node *node, nnb__onnx_value v, int *out) {
  if (g->n == g->cap) {
    const size_t more = g->cap ? 2 * g->cap : 16;
    nnb__onnx_value *fresh = nnb__onnx_take(g->pool, more, sizeof *fresh);
    if (!fresh) return nnb__onnx_pool_fail(g->pool, g->file);
    if (g->n > 0) memcpy(fresh, g->value, g->n * sizeof *fresh);
    g->value = fresh, g->cap = more;
  }
  v.node = node;
  if (v.from && v.kind != NNB__ONNX_VIEW) nnb__onnx_at(g, v.from)->settled = true;
  for (int i = 0; i < v.n_list; i++) nnb__onnx_at(g, v.list[i])->settled = true;
  if (node) v.name = first_text(node->output, node->n_output);
  g->value[g->n++] = v;
  *out = (int)g->n; /* a node takes at least two bytes of a file, and files have at most 2 GB */
  return NNB_OK;
}

nnb_status nnb__onnx_name(nnb__onnx_graph *g, const char *name, int value) {
  char shown[NNB__SHOWN_TEXT];
  const size_t n = strlen(name);
  if (nnb__table_find(&g->names, name, n) >= 0)
    return nnb__fail(NNB_E_PARSE, "%s: the tensor \"%s\" is defined twice", g->file, nnb__show(name, n, shown));
  if (g->names.n == g->cap_names) {
    const size_t more = g->cap_names ? 2 * g->cap_names : 16;
    int *fresh = nnb__onnx_take(g->pool, more, sizeof *fresh);
    if (!fresh) return nnb__onnx_pool_fail(g->pool, g->file);
    if (g->cap_names > 0) memcpy(fresh, g->value_of, g->cap_names * sizeof *fresh);
    g->value_of = fresh, g->cap_names = more;
  }
  const int64_t k = nnb__table_add(&g->names, name, n);
  if (k < 0) return nnb__fail_nomem(g->file);
  g->value_of[k] = value;
  return NNB_OK;
}

int nnb__onnx_find(const nnb__onnx_graph *g, const char *name) {
  const int64_t k = nnb__table_find(&g->names, name, strlen(name));
  return k < 0 ? 0 : g->value_of[k];
}
