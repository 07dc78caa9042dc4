/* io/c_table.c: the tables of emitted C source: parameters and scalers. */
#include "alloc.h"
#include "c_writer.h"
#include "status.h"

/* Element i of a list: a comma before it, eight in a line. */
static void put_separator(nnb__c_text *out, int64_t i) {
  nnb__c_paste(out, i == 0 ? "  " : i % 8 == 0 ? ",\n  " : ", ");
}

static void put_numbers(nnb__c_text *out, int64_t at, const real *v, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    put_separator(out, at + i);
    nnb__c_put_number(out, (double)v[i]);
  }
}

/* Every number must be finite in the type of the file. */
static nnb_status check(const nnb__c_text *out, const char *what, const real *v, size_t n) {
  for (size_t i = 0; v && i < n; i++) {
    const double value = out->single ? (double)(float)v[i] : (double)v[i];
    if (isfinite(value)) continue;
    return nnb__fail(NNB_E_NUMERIC, "%s %zu of the net is %g%s", what, i + 1, (double)v[i],
                     isfinite(v[i]) ? ", which is too large for float" : "; wanted a finite number");
  }
  return NNB_OK;
}

static void put_scaler(nnb__c_writer *w, const char *name, const real *v, int n) {
  if (!v) return;
  nnb__c_put(&w->head, "\nstatic const $ @_%s[%d] = {\n", name, n);
  put_numbers(&w->head, 0, v, n);
  nnb__c_paste(&w->head, "\n};\n");
}

/* ---- weights as integers: w_ij is about q_ij·factor_j --------------------------------------------------------------
 */

static int most_of(const nnb__c_writer *w) { return w->opts->numbers == NNB_C_I8 ? 127 : 32767; }

/* factor_j ← the largest |w_ij| of the column, divided by the largest integer; rounded to float as it will be used */
static void find_factors(const nnb__c_writer *w, const nnb__node *node, double *factor) {
  const int rows = node->needs.w_rows, cols = node->needs.w_cols;
  const real *weight = w->net->params + node->off;
  for (int j = 0; j < cols; j++) factor[j] = 0;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) factor[j] = fmax(factor[j], fabs((double)*weight++));
  for (int j = 0; j < cols; j++) factor[j] = (double)(float)(factor[j] / most_of(w));
}

/* Norms have no integers: γ stands among the factors. */
static void put_gain(const nnb__c_writer *w, const nnb__node *node, double *factor) {
  for (int j = 0; j < node->needs.w_cols; j++) factor[j] = (double)w->net->params[node->off + (size_t)j];
}

static void put_integers(nnb__c_writer *w, int k, const double *factor) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const int rows = node->needs.w_rows, cols = node->needs.w_cols, most = most_of(w);
  const real *weight = w->net->params + node->off;
  int64_t at = w->layout.place[k - 1].w;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      const double q = factor[j] > 0 ? nearbyint((double)*weight++ / factor[j]) : (weight++, 0);
      put_separator(&w->head, at++);
      nnb__c_put(&w->head, "%d", q > most ? most : q < -most ? -most : (int)q);
    }
}

/* An array must have an element in C. */
static void put_empty(nnb__c_text *out, int64_t n) { nnb__c_paste(out, n == 0 ? "  0" : ""); }

static nnb_status put_integer_table(nnb__c_writer *w) {
  const nnb__c_layout *at = &w->layout;
  double *factor = nnb__zalloc((size_t)at->n_factors, sizeof *factor);
  if (!factor) return nnb__fail_nomem("the factors of the weights");
  nnb__c_paste(&w->head, "\nconst @_parameters @_table = {\n  {\n");
  for (int k = 1; k <= w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k - 1];
    double *own = factor + at->place[k - 1].factor;
    if (node->ops == &nnb__layer_layernorm || node->ops == &nnb__layer_batchnorm)
      put_gain(w, node, own);
    else
      find_factors(w, node, own), put_integers(w, k, own);
  }
  put_empty(&w->head, at->n_weights);
  nnb__c_paste(&w->head, "\n  },\n  {\n");
  for (int64_t i = 0; i < at->n_factors; i++) {
    put_separator(&w->head, i);
    nnb__c_put_number(&w->head, factor[i]);
  }
  put_empty(&w->head, at->n_factors);
  nnb__c_paste(&w->head, "\n  },\n  {\n");
  for (int k = 0; k < w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k];
    const real *bias = w->net->params + node->off + (size_t)node->needs.w_rows * (size_t)node->needs.w_cols;
    put_numbers(&w->head, at->place[k].bias, bias, node->needs.bias ? node->needs.w_cols : 0);
  }
  put_empty(&w->head, at->n_biases);
  nnb__c_paste(&w->head, "\n  }\n};\n");
  nnb__release(factor);
  return NNB_OK;
}

static void put_table(nnb__c_writer *w) {
  nnb__c_paste(&w->head, "\nconst $ @_table[@@_N_PARAMS] = {\n");
  put_numbers(&w->head, 0, w->net->params, (int64_t)w->net->n_params);
  put_empty(&w->head, (int64_t)w->net->n_params);
  nnb__c_paste(&w->head, "\n};\n");
}

/* The running μ and 1/√(σ² + ε) of batch normalisation */
static nnb_status put_running(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  if (node->ops != &nnb__layer_batchnorm) return NNB_OK;
  const nnb__norm *d = node->self;
  const size_t n = (size_t)d->channels;
  const real *mean = w->net->params + node->buffers_off;
  real *root = nnb__alloc(n, sizeof *root);
  char name[40];
  if (!root) return nnb__fail_nomem("the running variances");
  for (size_t j = 0; j < n; j++) root[j] = (real)(1 / sqrt((double)mean[n + j] + d->epsilon));
  nnb_status status = check(&w->head, "running mean", mean, n);
  if (!status) status = check(&w->head, "running deviation", root, n);
  snprintf(name, sizeof name, "mean_%d", k);
  if (!status) put_scaler(w, name, mean, d->channels);
  snprintf(name, sizeof name, "root_%d", k);
  if (!status) put_scaler(w, name, root, d->channels);
  nnb__release(root);
  return status;
}

nnb_status nnb__c_put_tables(nnb__c_writer *w) {
  const nnb_net *net = w->net;
  nnb_status status = check(&w->head, "parameter", net->params, net->n_params);
  if (!status) status = check(&w->head, "shift of input", net->in.shift, (size_t)net->n_x);
  if (!status) status = check(&w->head, "factor of input", net->in.factor, (size_t)net->n_x);
  if (!status) status = check(&w->head, "shift of output", net->out.shift, (size_t)net->n_y);
  if (!status) status = check(&w->head, "factor of output", net->out.factor, (size_t)net->n_y);
  if (status) return status;
  if (w->integers)
    status = put_integer_table(w);
  else
    put_table(w);
  put_scaler(w, "x_shift", net->in.shift, net->n_x);
  put_scaler(w, "x_factor", net->in.factor, net->n_x);
  put_scaler(w, "y_shift", net->out.shift, net->n_y);
  put_scaler(w, "y_factor", net->out.factor, net->n_y);
  for (int k = 1; k <= net->n_nodes && !status; k++) status = put_running(w, k);
  return status;
}
