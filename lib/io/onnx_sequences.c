/* io/onnx_sequences.c: embeddings, and gated recurrent units with what PyTorch writes around them. */
#include <limits.h>
#include <string.h>

#include "onnx_layer_ops.h"
#include "onnx_operands.h"

typedef Nnb__Onnx__Node node_t;
typedef nnb__onnx_graph graph;
typedef char order_t[NNB__ONNX_ORDER];

#define FAIL NNB__ONNX_REFUSE

/* ---- embeddings -------------------------------------------------------------------------------------------------- */

static bool is_identity(const nnb__onnx_value *v) {
  return v->kind == NNB__ONNX_ARITH && v->arith == NNB__ONNX_MUL && !v->c && v->number == 1;
}

/* The input whose integers k are, also as rows (*flat); 0: there is none. */
static int whole_input(const graph *g, int k, bool *flat) {
  bool whole = false;
  for (*flat = false; k; k = nnb__onnx_at(g, k)->from) {
    const nnb__onnx_value *v = nnb__onnx_at(g, k);
    whole |= v->kind == NNB__ONNX_WHOLE || v->whole;
    *flat |= is_identity(v);
    if (v->kind == NNB__ONNX_INPUT) return whole ? k : 0;
    if (v->kind != NNB__ONNX_WHOLE && !is_identity(v)) return 0;
  }
  return 0;
}

nnb_status nnb__onnx_whole(graph *g, const node_t *node, int k) {
  bool flat;
  int whole;
  if (nnb__onnx_at(g, k)->kind == NNB__ONNX_WHOLE) return nnb__onnx_define(g, node, k);
  nnb_status status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_WHOLE, .from = k}, &whole);
  if (status) return status;
  if (!whole_input(g, whole, &flat)) return FAIL("it makes integers of numbers that are computed; wanted an input");
  return nnb__onnx_define(g, node, whole);
}

/* v ← the table; its columns are those of the embedding for one number */
static nnb_status read_table(const graph *g, const node_t *node, nnb__onnx_value *v) {
  nnb_status status = nnb__onnx_constant(g, node, 0, &v->c);
  if (status) return status;
  if (!v->c || !nnb__onnx_is_real(v->c) || v->c->t.n_dims != 2 || v->c->transposed)
    return FAIL("it does not look up rows of a constant matrix of numbers");
  if (nnb__onnx_int_of(node, "axis", 0) != 0) return FAIL("axis is not 0");
  const size_t levels = v->c->t.dim[0], units = v->c->t.dim[1];
  if (levels < 1 || levels > INT_MAX || units < 1 || units > INT_MAX)
    return FAIL("its matrix is %zu×%zu", levels, units);
  v->cols = (int)units;
  return NNB_OK;
}

/* A number of each sample becomes a row of the table; several become a signal, and have one in the order of theirs.  An
 * input of one column is no signal, unless it has further dimensions. */
static nnb_status look_up(graph *g, const node_t *node, int input, bool flat) {
  const nnb__onnx_value *x = nnb__onnx_at(g, input);
  const bool one = x->cols == 1 && x->rank <= 2;
  nnb__onnx_value v = {.kind = NNB__ONNX_EMBEDDING, .from = input, .alpha = 1, .rank = one ? 2 : 3};
  order_t order = "NLC";
  int k;
  nnb_status status = read_table(g, node, &v);
  if (status) return status;
  if (!flat && x->rank > 2) return FAIL("it reads integers of %d dimension(s); wanted rows of them", x->rank);
  if (!flat && strcmp(x->order, "CN") == 0) memcpy(order, "LNC", 4);
  if (one) *strchr(order, 'L') = '1';
  if (x->rank == 1) memcpy(order, "NC", 3);
  if (!one) v.shape = (nnb_shape){v.cols, 1, x->cols};
  if (__builtin_mul_overflow(v.cols, x->cols, &v.cols)) return FAIL("its result has more numbers than an int can hold");
  status = nnb__onnx_add(g, node, v, &k);
  return status ? status : nnb__onnx_make_view(g, node, 0, k, order);
}

/* Gather: dimensions of a tensor, rows of a table, or a part of a signal */
nnb_status nnb__onnx_gather(graph *g, const node_t *node, int unused) {
  int x, index;
  bool flat;
  nnb_status status = nnb__onnx_operand(g, node, 0, &x);
  if (!status) status = nnb__onnx_operand(g, node, 1, &index);
  if (status) return status;
  if (!x || !index) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has fewer than two inputs");
  if (nnb__onnx_is_sizes(g, node)) return nnb__onnx_pick_sizes(g, node, unused);
  if (nnb__onnx_at(g, x)->kind != NNB__ONNX_CONST) return nnb__onnx_pick(g, node);
  const int input = whole_input(g, index, &flat);
  return input ? look_up(g, node, input, flat) : FAIL("it looks up numbers that are not an input of integers");
}

/* ---- gated recurrent units --------------------------------------------------------------------------------------- */

/* Whether input i is left out or zeros, of any shape */
static nnb_status check_zeros(const graph *g, const node_t *node, size_t i) {
  const nnb__onnx_const *c;
  int k;
  nnb_status status = nnb__onnx_operand(g, node, i, &k);
  if (status || !k || nnb__onnx_at(g, k)->kind == NNB__ONNX_ZEROS) return status;
  status = nnb__onnx_constant(g, node, i, &c);
  if (status) return status;
  if (!nnb__onnx_is_real(c)) return FAIL("its input %zu has no numbers", i + 1);
  if (!nnb__onnx_spend(g->pool, nnb__onnx_count(c))) return nnb__onnx_pool_fail(g->pool, g->file);
  return nnb__onnx_all_zero(c) ? NNB_OK : FAIL("its input %zu is not 0", i + 1);
}

/* Expand of zeros, or ConstantOfShape */
nnb_status nnb__onnx_zeros(graph *g, const node_t *node, int expands) {
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, "value");
  nnb__onnx_const *c = NULL;
  double value = 0;
  int k;
  if (node->n_input < 1) return nnb__onnx_fail(g, node, NNB_E_PARSE, "it has no input");
  nnb_status status = expands ? check_zeros(g, node, 0) : NNB_OK;
  if (!status && !expands && a && a->n_t == 1) status = nnb__onnx_const_of(g, a->t[0], &c);
  if (status) return status;
  if (c && (!nnb__onnx_number(c, &value) || value != 0)) return FAIL("its value is not the number 0");
  status = nnb__onnx_add(g, node, (nnb__onnx_value){.kind = NNB__ONNX_ZEROS}, &k);
  return status ? status : nnb__onnx_define(g, node, k);
}

/* Whether an attribute is there and has other texts than sigmoid and tanh. */
static bool has_other_activations(const node_t *node) {
  static const char *const ours[] = {"Sigmoid", "Tanh"};
  const Nnb__Onnx__Attribute *a = nnb__onnx_attribute_of(node, "activations");
  bool other = a && a->n_strings > 0 && a->n_strings != 2;
  for (size_t i = 0; a && a->n_strings == 2 && i < 2; i++)
    other |= a->strings[i].len != strlen(ours[i]) || memcmp(a->strings[i].data, ours[i], strlen(ours[i])) != 0;
  return other;
}

static nnb_status check_form(const graph *g, const node_t *node) {
  if (nnb__onnx_differs(node, "direction", "forward")) return FAIL("its direction is not forward");
  if (nnb__onnx_int_of(node, "linear_before_reset", 0) != 1)
    return FAIL("linear_before_reset is not 1: the library has n = tanh(x·W + b + r ⊙ (h·U + c))");
  if (has_other_activations(node)) return FAIL("its activations are not Sigmoid and Tanh");
  if (nnb__onnx_attribute_of(node, "clip")) return FAIL("clip is set");
  if (nnb__onnx_int_of(node, "layout", 0) != 0) return FAIL("layout is not 0");
  return NNB_OK;
}

/* No lengths, and a first state of zeros. */
static nnb_status check_start(const graph *g, const node_t *node) {
  int lengths;
  nnb_status status = nnb__onnx_operand(g, node, 4, &lengths);
  if (!status && lengths) return FAIL("its sequences have lengths of their own");
  return status ? status : check_zeros(g, node, 5);
}

/* more ← W, 1×3H×C, U, 1×3H×H, and the biases, 1×6H, or NULL */
static nnb_status read_blocks(const graph *g, const node_t *node, int channels, nnb__onnx_more *more, int *units) {
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < 3 && !status; i++) {
    status = nnb__onnx_constant(g, node, i + 1, &more->part[i]);
    const nnb__onnx_const *c = more->part[i];
    if (!status && (i < 2 || c) && (!c || !nnb__onnx_is_real(c) || c->transposed || c->t.n_dims != (i < 2 ? 3 : 2)))
      return FAIL("its input %zu is not a constant of %d dimension(s)", i + 2, i < 2 ? 3 : 2);
  }
  if (status) return status;
  const size_t *w = more->part[0]->t.dim, *u = more->part[1]->t.dim, h = u[2];
  const size_t *b = more->part[2] ? more->part[2]->t.dim : (const size_t[]){1, 6 * h};
  if (h < 1 || h > INT_MAX / 6) return FAIL("its input 3 is for %zu unit(s)", h);
  if (w[0] != 1 || w[1] != 3 * h || w[2] != (size_t)channels || u[0] != 1 || u[1] != 3 * h || b[0] != 1 ||
      b[1] != 6 * h)
    return FAIL("its weights are %zu×%zu×%zu and %zu×%zu×%zu; wanted 1×%zu×%d and 1×%zu×%zu, and biases 1×%zu", w[0],
                w[1], w[2], u[0], u[1], u[2], 3 * h, channels, 3 * h, h, 6 * h);
  if (nnb__onnx_int_of(node, "hidden_size", (int64_t)h) != (int64_t)h) return FAIL("hidden_size is not %zu", h);
  *units = (int)h;
  return NNB_OK;
}

/* The last state, and all of them: each is a layer of the net if something reads it. */
nnb_status nnb__onnx_gru(graph *g, const node_t *node, int unused) {
  nnb__onnx_value last = {.kind = NNB__ONNX_GRU, .rank = 2}, all = {.kind = NNB__ONNX_GRU, .rank = 3};
  nnb__onnx_more *more = nnb__onnx_take(g->pool, 1, sizeof *more);
  int k;
  (void)unused;
  if (!more) return nnb__onnx_pool_fail(g->pool, g->file);
  nnb_status status = nnb__onnx_in_order(g, node, 0, "LNC", &last.from);
  if (!status) status = check_form(g, node);
  if (!status) status = check_start(g, node);
  if (status) return status;
  const nnb_shape x = nnb__onnx_at(g, last.from)->shape;
  status = read_blocks(g, node, x.channels, more, &last.cols);
  if (status) return status;
  last.more = all.more = more, all.from = last.from, all.shape = (nnb_shape){last.cols, 1, x.width};
  if (__builtin_mul_overflow(last.cols, x.width, &all.cols))
    return FAIL("its result has more numbers than an int can hold");
  status = nnb__onnx_add(g, node, last, &more->source);
  if (!status) status = nnb__onnx_add(g, node, all, &k);
  if (!status) status = nnb__onnx_make_view(g, node, 0, k, "L1NC");
  return status ? status : nnb__onnx_make_view(g, node, 1, more->source, "1NC");
}
