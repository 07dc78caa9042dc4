/* io/onnx_chain.c: runs of elementwise arithmetic, and parameters of layers. */
#include "onnx_net.h"

#include <string.h>

#include "status.h"
#include "tensor.h"

nnb_status nnb__onnx_real(const nnb__onnx_graph *g, const nnb__onnx_const *c, size_t i, real *out) {
  if (nnb__tensor_real(&c->t, i, out)) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "%s: a constant has a number too large for single precision", g->file);
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static nnb_status make(nnb__onnx_builder *b, int cols, nnb__onnx_chain **out) {
  nnb__onnx_chain *chain = *out = nnb__onnx_take(b->g->pool, 1, sizeof *chain);
  double *numbers = chain ? nnb__onnx_take(b->g->pool, 4 * (size_t)cols, sizeof *numbers) : NULL;
  if (!numbers) return nnb__onnx_pool_fail(b->g->pool, b->g->file);
  *chain = (nnb__onnx_chain){numbers, numbers + cols, numbers + 2 * (size_t)cols, numbers + 3 * (size_t)cols};
  for (int j = 0; j < cols; j++) chain->m[j] = chain->d[j] = 1;
  return NNB_OK;
}

/* One more step on column j.  Sub and Mul, and Div and Add, stay what they are: scalers keep their bits. */
static void step(const nnb__onnx_value *v, double c, int j, nnb__onnx_chain *to) {
  const bool scaled = to->m[j] != 1 || to->d[j] != 1 || to->q[j] != 0;
  if (v->arith == NNB__ONNX_ADD || v->arith == NNB__ONNX_SUB) {
    const double plus = v->arith == NNB__ONNX_ADD ? c : -c;
    if (scaled)
      to->q[j] += plus;
    else
      to->p[j] -= plus;
  } else if (v->arith == NNB__ONNX_MUL) {
    to->m[j] *= c, to->q[j] *= c;
  } else if (v->arith == NNB__ONNX_SUB_FROM) {
    to->m[j] *= -1, to->q[j] = c - to->q[j];
  } else {
    const double by = v->arith == NNB__ONNX_DIV ? c : sqrt(c + v->alpha);
    to->d[j] *= by, to->q[j] /= by;
  }
}

static nnb_status add_step(const nnb__onnx_builder *b, const nnb__onnx_value *v, nnb__onnx_chain *to) {
  const size_t count = v->c ? nnb__onnx_count(v->c) : 1; /* of columns or channels, or 1 */
  const bool single = count == 1;
  real c = (real)v->number;
  nnb_status status = NNB_OK;
  if (!nnb__onnx_spend(b->g->pool, (size_t)v->cols)) return nnb__onnx_pool_fail(b->g->pool, b->g->file);
  for (int j = 0; j < v->cols && !status; j++) {
    if (v->c && (j == 0 || !single)) status = nnb__onnx_real(b->g, v->c, (size_t)j * count / (size_t)v->cols, &c);
    if (!status) step(v, v->c ? (double)c : v->number, j, to);
  }
  return status;
}

nnb_status nnb__onnx_chain_of(nnb__onnx_builder *b, int k, const nnb__onnx_chain **out) {
  const nnb__onnx_graph *g = b->g;
  nnb__onnx_chain *chain = b->chain[k];
  int n = 0;
  if ((*out = chain)) return NNB_OK;
  nnb_status status = make(b, nnb__onnx_at(g, k)->cols, &chain);
  for (int v = k; v != b->stop[k]; v = nnb__onnx_at(g, v)->from) n++;
  int *steps = status ? NULL : nnb__onnx_take(g->pool, (size_t)n, sizeof *steps);
  if (!status && !steps) status = nnb__onnx_pool_fail(g->pool, g->file);
  for (int v = k, i = n; !status && v != b->stop[k]; v = nnb__onnx_at(g, v)->from) steps[--i] = v;
  for (int i = 0; i < n && !status; i++) status = add_step(b, nnb__onnx_at(g, steps[i]), chain);
  *out = b->chain[k] = status ? NULL : chain;
  return status;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

/* The row of a matrix of the file for column i of what the layer reads, which the file may have as steps×channels */
static size_t row_for(const nnb__onnx_graph *g, const nnb__onnx_value *v, int i) {
  const nnb__onnx_value *rows = nnb__onnx_at(g, v->from);
  if (!rows->turned) return (size_t)i;
  const nnb_shape *shape = &nnb__onnx_at(g, rows->from)->shape;
  return (size_t)(i % shape->width) * (size_t)shape->channels + (size_t)(i / shape->width);
}

/* w ← alpha·W, bias ← beta·b */
static nnb_status read_layer(const nnb__onnx_graph *g, const nnb__onnx_value *v, int rows, int cols, real *w,
                             real *bias) {
  nnb_status status = NNB_OK;
  for (int i = 0; i < rows && !status; i++) {
    const size_t row = row_for(g, v, i);
    for (int j = 0; j < cols && !status; j++) {
      const size_t at = v->c->transposed ? (size_t)j * (size_t)rows + row : row * (size_t)cols + (size_t)j;
      real *to = &w[(size_t)i * (size_t)cols + (size_t)j];
      status = nnb__onnx_real(g, v->c, at, to);
      if (v->alpha != 1) *to = (real)(v->alpha * (double)*to);
    }
  }
  for (int j = 0; bias && j < cols && !status; j++) {
    bias[j] = 0;
    if (v->bias) status = nnb__onnx_real(g, v->bias, nnb__onnx_count(v->bias) == 1 ? 0 : (size_t)j, &bias[j]);
    if (v->beta != 1) bias[j] = (real)(v->beta * (double)bias[j]);
  }
  return status;
}

/* b_j + Σ_i (q_i - p_i·m_i/d_i)·W_ij; W_ij·m_i/d_i */
static void fold_before(const nnb__onnx_chain *x, int rows, int cols, real *w, real *bias) {
  for (int j = 0; bias && j < cols; j++) {
    double sum = 0;
    for (int i = 0; i < rows; i++)
      sum += (x->q[i] - x->p[i] * x->m[i] / x->d[i]) * (double)w[(size_t)i * (size_t)cols + (size_t)j];
    bias[j] = (real)((double)bias[j] + sum);
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      real *to = &w[(size_t)i * (size_t)cols + (size_t)j];
      *to = (real)((double)*to * x->m[i] / x->d[i]);
    }
}

/* W_ij·m_j/d_j; ((b_j - p_j)·m_j)/d_j + q_j */
static void fold_after(const nnb__onnx_chain *y, int rows, int cols, real *w, real *bias) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      real *to = &w[(size_t)i * (size_t)cols + (size_t)j];
      *to = (real)((double)*to * y->m[j] / y->d[j]);
    }
  for (int j = 0; bias && j < cols; j++) bias[j] = (real)(((double)bias[j] - y->p[j]) * y->m[j] / y->d[j] + y->q[j]);
}

/* to ← n numbers; c NULL: all of them `otherwise` */
static nnb_status read_vector(const nnb__onnx_graph *g, const nnb__onnx_const *c, int n, real otherwise, real *to) {
  nnb_status status = NNB_OK;
  for (int i = 0; i < n && !status; i++) {
    to[i] = otherwise;
    if (c) status = nnb__onnx_real(g, c, (size_t)i, &to[i]);
  }
  return status;
}

static nnb_status fill_norm(nnb__onnx_builder *b, const nnb__node *node, const nnb__onnx_value *v) {
  const int n = node->needs.w_cols;
  const bool rows = v->kind == NNB__ONNX_LAYERNORM;
  real *gain = b->net->params + node->off, *buffers = b->net->params + node->buffers_off;
  nnb_status status = read_vector(b->g, rows ? v->c : v->more->part[0], n, 1, gain);
  if (!status) status = read_vector(b->g, rows ? v->bias : v->more->part[1], n, 0, gain + n);
  if (!status && !rows) status = read_vector(b->g, v->more->part[2], n, 0, buffers);
  if (!status && !rows) status = read_vector(b->g, v->more->part[3], n, 1, buffers + n);
  return status;
}

/* A row of the block, r z n, ← numbers of c, z r n, from `at` on, `step` apart; c NULL: zeros */
static nnb_status read_gates(const nnb__onnx_graph *g, const nnb__onnx_const *c, int units, size_t at, size_t step,
                             real *row) {
  nnb_status status = NNB_OK;
  for (int k = 0; k < 3 * units && !status; k++) {
    real *to = &row[nnb__onnx_gate(k / units) * units + k % units];
    *to = 0;
    if (c) status = nnb__onnx_real(g, c, at + (size_t)k * step, to);
  }
  return status;
}

/* [W; U; c; b], of W 1×3H×C, U 1×3H×H and [b c], which may be missing */
static nnb_status fill_gru(nnb__onnx_builder *b, const nnb__node *node, const nnb__onnx_value *v) {
  const nnb__gru *d = node->self;
  const size_t units = (size_t)d->units, channels = (size_t)d->channels;
  const nnb__onnx_const *const *part = v->more->part;
  real *w = b->net->params + node->off;
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < channels && !status; i++, w += 3 * units)
    status = read_gates(b->g, part[0], d->units, i, channels, w);
  for (size_t i = 0; i < units && !status; i++, w += 3 * units)
    status = read_gates(b->g, part[1], d->units, i, units, w);
  if (!status) status = read_gates(b->g, part[2], d->units, 3 * units, 1, w);
  return status ? status : read_gates(b->g, part[2], d->units, 0, 1, w + 3 * units);
}

nnb_status nnb__onnx_fill(nnb__onnx_builder *b, const nnb__onnx_layer *layer) {
  const nnb__node *node = &b->net->nodes[layer->node - 1];
  const nnb__onnx_value *v = nnb__onnx_at(b->g, layer->value);
  const int rows = node->needs.w_rows, cols = node->needs.w_cols;
  real *w = b->net->params + node->off, *bias = node->needs.bias ? w + (size_t)rows * (size_t)cols : NULL;
  const nnb__onnx_chain *chain;
  if (v->kind == NNB__ONNX_GRU) return fill_gru(b, node, v);
  if (v->kind == NNB__ONNX_BATCHNORM || v->kind == NNB__ONNX_LAYERNORM || v->kind == NNB__ONNX_ARITH)
    return fill_norm(b, node, v);
  nnb_status status = read_layer(b->g, v, rows, cols, w, bias);
  if (!status && layer->before) {
    status = nnb__onnx_chain_of(b, layer->before, &chain);
    if (!status) fold_before(chain, rows, cols, w, bias);
  }
  if (!status && layer->after != layer->value) {
    status = nnb__onnx_chain_of(b, layer->after, &chain);
    if (!status) fold_after(chain, rows, cols, w, bias);
  }
  return status;
}
