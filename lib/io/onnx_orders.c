/* io/onnx_orders.c: the orders of the dimensions of tensors, and views (onnx_graph.h). */
#include <string.h>

#include "onnx_graph.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;
typedef char order_t[NNB__ONNX_ORDER];

bool nnb__onnx_is_numbers(const nnb__onnx_value *v) {
  if (v->kind == NNB__ONNX_CONST || v->kind == NNB__ONNX_LABEL || v->kind == NNB__ONNX_ABOVE ||
      v->kind == NNB__ONNX_PAIR || v->kind == NNB__ONNX_SIZES || v->kind == NNB__ONNX_VIEW ||
      v->kind == NNB__ONNX_WHOLE || v->turned)
    return false;
  if (*v->order && strcmp(v->order, "NC") != 0 && strcmp(v->order, "NCL") != 0) return false;
  return v->rank == 2 || v->shape.channels > 0;
}

const char *nnb__onnx_order_words(const char *order, char out[64]) {
  const char *before = "";
  *out = '\0';
  for (; *order; order++, before = "×") {
    const char *word = *order == 'N' ? "samples" : *order == 'C' ? "channels" : *order == 'L' ? "steps" : "1";
    strcat(strcat(out, before), word);
  }
  return out;
}

int nnb__onnx_base(const nnb__onnx_graph *g, int k) {
  return nnb__onnx_at(g, k)->kind == NNB__ONNX_VIEW ? nnb__onnx_at(g, k)->from : k;
}

/* Whether an input that was taken for channels×steps turned out to be steps×channels; its views have the old letters.
 */
static bool is_turned(const nnb__onnx_value *v) { return v->kind == NNB__ONNX_INPUT && strcmp(v->order, "NLC") == 0; }

static void swap_letters(order_t order) {
  for (char *at = order; *at; at++) *at = *at == 'C' ? 'L' : *at == 'L' ? 'C' : *at;
}

void nnb__onnx_order_of(const graph *g, int k, order_t out) {
  const nnb__onnx_value *v = nnb__onnx_at(g, k);
  const char *own = !nnb__onnx_is_numbers(v) ? "" : v->rank == 2 ? "NC" : v->rank == 3 ? "NCL" : "";
  memcpy(out, *v->order ? v->order : own, strlen(*v->order ? v->order : own) + 1);
  if (v->kind == NNB__ONNX_VIEW && is_turned(nnb__onnx_at(g, v->from))) swap_letters(out);
}

/* An input that was taken for channels×steps is steps×channels. */
static void turn(nnb__onnx_value *input) {
  input->settled = true;
  input->shape = (nnb_shape){input->shape.width, 1, input->shape.channels};
  memcpy(input->order, "NLC", 4);
}

int nnb__onnx_as(const graph *g, int k, const char *order) {
  order_t own;
  const int base = nnb__onnx_base(g, k);
  nnb__onnx_value *v = nnb__onnx_at(g, base);
  nnb__onnx_order_of(g, k, own);
  if (strcmp(own, order) == 0) return base;
  swap_letters(own);
  if (v->settled || strcmp(v->order, "NCL") != 0 || strcmp(own, order) != 0) return 0;
  return turn(v), base;
}

nnb_status nnb__onnx_make_view(graph *g, const node_t *node, size_t i, int base, const char *order) {
  order_t own;
  nnb__onnx_value *v = nnb__onnx_at(g, base), view = {.kind = NNB__ONNX_VIEW, .from = base, .cols = v->cols};
  const char *name = i < node->n_output && node->output[i] ? node->output[i] : "";
  int k = base;
  if (!*name) return NNB_OK;
  nnb__onnx_order_of(g, base, own);
  if (strcmp(order, own) == 0) {
    if (v->kind == NNB__ONNX_EMBEDDING || v->kind == NNB__ONNX_GRU) v->name = name;
    return nnb__onnx_name(g, name, base);
  }
  memcpy(view.order, order, strlen(order) + 1);
  if (is_turned(v)) swap_letters(view.order);
  view.rank = (int)strlen(order);
  nnb_status status = nnb__onnx_add(g, node, view, &k);
  return status ? status : nnb__onnx_name(g, name, k);
}
