/* io/c_layers.c: the layers of images, norms and products in emitted C source: forward, back, and a step of their
 * parameters. */
#include "c_layers.h"

enum { PLACE = NNB__C_PLACE };
typedef nnb__c_writer writer;

static const nnb__node *node_at(const writer *w, int k) { return &w->net->nodes[k - 1]; }

static int n_pixels(const nnb__node *node) {
  return node->ops == &nnb__layer_conv ? node->needs.cols / node->needs.w_cols
                                       : ((const nnb__norm *)node->self)->pixels;
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

const nnb__patches *nnb__c_window(const nnb__node *node) {
  if (node->ops == &nnb__layer_conv) return &((const nnb__conv *)node->self)->patches;
  if (node->ops == &nnb__layer_maxpool || node->ops == &nnb__layer_avgpool)
    return &((const nnb__pool *)node->self)->patches;
  return NULL;
}

/* @_helper(&@_window_k, a, b), a and b any texts */
static void call_window(writer *w, nnb__c_helper helper, const char *name, int k, const char *arguments) {
  w->helper[helper] = w->helper[NNB__C_WINDOW] = true;
  nnb__c_put(&w->body, "  @_%s(&@_window_%d, %s);\n", name, k, arguments);
}

static void call_convolution(writer *w, nnb__c_helper helper, const char *name, int k, const char *before,
                             const char *a, const char *b) {
  char p[PLACE], arguments[4 * PLACE];
  snprintf(arguments, sizeof arguments, "%d, %s%s, %s, %s", node_at(w, k)->needs.w_cols, before,
           nnb__c_params(w, k, NNB__C_WEIGHTS, p), a, b);
  w->helper[NNB__C_RANGE] = true;
  call_window(w, helper, name, k, arguments);
}

/* @_helper(channels, pixels, a, b) */
static void call_channels(writer *w, nnb__c_helper helper, const char *name, const nnb__node *node, const char *a,
                          const char *b) {
  w->helper[helper] = true;
  nnb__c_put(&w->body, "  @_%s(%d, %d, %s, %s);\n", name, node->needs.w_cols, n_pixels(node), a, b);
}

/* ---- convolution ------------------------------------------------------------------------------------------------- */

/* z = b, or 0; then z += Wᵀ·C.  Weights that are integers have a factor for each channel, before the bias. */
static void put_conv(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], z[PLACE], p[PLACE];
  nnb__c_values(w, node->from[0], x), nnb__c_values(w, k, z);
  if (node->needs.bias && !w->integers)
    call_channels(w, NNB__C_SPREAD, "spread", node, nnb__c_params(w, k, NNB__C_BIAS, p), z);
  else
    nnb__c_call(w, NNB__C_ZERO, node->needs.cols, NULL, z);
  call_convolution(w, NNB__C_CONVOLVE, "convolve", k, "", x, z);
  if (!w->integers) return;
  call_channels(w, NNB__C_TIMES_CHANNELS, "times_channels", node, nnb__c_params(w, k, NNB__C_FACTOR, p), z);
  if (node->needs.bias)
    call_channels(w, NNB__C_ADD_CHANNELS, "add_channels", node, nnb__c_params(w, k, NNB__C_BIAS, p), z);
}

static void back_conv(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const bool first = nnb__node_is_input(node_at(w, node->from[0]));
  char d[PLACE], from[PLACE], p[PLACE];
  nnb__c_derivatives(w, k, d), nnb__c_derivatives(w, node->from[0], from);
  if (w->integers)
    call_channels(w, NNB__C_TIMES_CHANNELS, "times_channels", node, nnb__c_params(w, k, NNB__C_FACTOR, p), d);
  if (first) nnb__c_paste(&w->body, "  if (to_inputs != 0) {\n  ");
  call_convolution(w, NNB__C_CONVOLVE_BACK, "convolve_back", k, "", d, from);
  if (first) nnb__c_paste(&w->body, "  }\n");
}

static void descend_conv(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], d[PLACE], p[PLACE];
  nnb__c_values(w, node->from[0], x), nnb__c_derivatives(w, k, d);
  if (!(node->frozen & NNB_WEIGHTS)) call_convolution(w, NNB__C_CONVOLVE_DESCEND, "convolve_descend", k, "lr, ", x, d);
  if (!node->needs.bias || (node->frozen & NNB_BIAS)) return;
  w->helper[NNB__C_DESCEND_CHANNELS] = true;
  nnb__c_put(&w->body, "  @_descend_channels(%d, %d, lr, %s, %s);\n", node->needs.w_cols, n_pixels(node), d,
             nnb__c_params(w, k, NNB__C_BIAS, p));
}

/* ---- pools ------------------------------------------------------------------------------------------------------- */

static void put_pool(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const bool most = node->ops == &nnb__layer_maxpool;
  char x[PLACE], z[PLACE], arguments[2 * PLACE + 2];
  snprintf(arguments, sizeof arguments, "%s, %s", nnb__c_values(w, node->from[0], x), nnb__c_values(w, k, z));
  call_window(w, most ? NNB__C_MOST : NNB__C_AVERAGE, most ? "most" : "average", k, arguments);
}

static void back_pool(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const bool most = node->ops == &nnb__layer_maxpool;
  char x[PLACE], d[PLACE], from[PLACE], arguments[3 * PLACE + 4];
  nnb__c_derivatives(w, k, d), nnb__c_derivatives(w, node->from[0], from);
  snprintf(arguments, sizeof arguments, "%s%s%s, %s", most ? nnb__c_values(w, node->from[0], x) : "", most ? ", " : "",
           d, from);
  call_window(w, most ? NNB__C_MOST_BACK : NNB__C_AVERAGE_BACK, most ? "most_back" : "average_back", k, arguments);
}

/* ---- norms ------------------------------------------------------------------------------------------------------- */

/* @_name(n, eps, …) up to the comma after eps */
static void begin_normalise(writer *w, nnb__c_helper helper, const char *name, const nnb__node *node) {
  w->helper[helper] = w->helper[NNB__C_MOMENTS] = true;
  nnb__c_put(&w->body, "  @_%s(%d, ", name, node->needs.cols);
  nnb__c_put_number(&w->body, ((const nnb__norm *)node->self)->epsilon);
  nnb__c_paste(&w->body, ", ");
}

static void put_layernorm(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], z[PLACE], p[PLACE];
  begin_normalise(w, NNB__C_NORMALISE, "normalise", node);
  nnb__c_put(&w->body, "%s, %s);\n", nnb__c_values(w, node->from[0], x), nnb__c_values(w, k, z));
  nnb__c_call(w, NNB__C_TIMES, node->needs.cols, nnb__c_params(w, k, NNB__C_WEIGHTS, p), z);
  nnb__c_call(w, NNB__C_ADD, node->needs.cols, nnb__c_params(w, k, NNB__C_BIAS, p), z);
}

static void back_layernorm(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], d[PLACE], from[PLACE], p[PLACE];
  begin_normalise(w, NNB__C_NORMALISE_BACK, "normalise_back", node);
  nnb__c_put(&w->body, "%s, %s, %s, %s);\n", nnb__c_params(w, k, NNB__C_WEIGHTS, p), nnb__c_values(w, node->from[0], x),
             nnb__c_derivatives(w, k, d), nnb__c_derivatives(w, node->from[0], from));
}

static void descend_layernorm(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], d[PLACE], p[PLACE];
  nnb__c_values(w, node->from[0], x), nnb__c_derivatives(w, k, d);
  if (!(node->frozen & NNB_WEIGHTS)) {
    begin_normalise(w, NNB__C_DESCEND_GAIN, "descend_gain", node);
    nnb__c_put(&w->body, "lr, %s, %s, %s);\n", x, d, nnb__c_params(w, k, NNB__C_WEIGHTS, p));
  }
  if (node->frozen & NNB_BIAS) return;
  w->helper[NNB__C_DESCEND_BIAS] = true;
  nnb__c_put(&w->body, "  @_descend_bias(%d, lr, %s, %s);\n", node->needs.cols, d, nnb__c_params(w, k, NNB__C_BIAS, p));
}

/* With the running μ and 1/√(σ² + ε), which are constants of the file */
static void put_batchnorm(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], z[PLACE], gain[PLACE], bias[PLACE];
  w->helper[NNB__C_NORM] = true;
  nnb__c_put(&w->body, "  @_norm(%d, %d, @_mean_%d, @_root_%d, %s, %s, %s, %s);\n", node->needs.w_cols, n_pixels(node),
             k, k, nnb__c_params(w, k, NNB__C_WEIGHTS, gain), nnb__c_params(w, k, NNB__C_BIAS, bias),
             nnb__c_values(w, node->from[0], x), nnb__c_values(w, k, z));
}

static void back_batchnorm(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char d[PLACE], from[PLACE], gain[PLACE];
  w->helper[NNB__C_NORM_BACK] = true;
  nnb__c_put(&w->body, "  @_norm_back(%d, %d, @_root_%d, %s, %s, %s);\n", node->needs.w_cols, n_pixels(node), k,
             nnb__c_params(w, k, NNB__C_WEIGHTS, gain), nnb__c_derivatives(w, k, d),
             nnb__c_derivatives(w, node->from[0], from));
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

static void put_product(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  char x[PLACE], z[PLACE];
  nnb__c_values(w, k, z);
  for (int i = 0; i < node->n_from; i++)
    nnb__c_call(w, i ? NNB__C_TIMES : NNB__C_COPY, node->needs.cols, nnb__c_values(w, node->from[i], x), z);
}

/* The derivative by one factor has all others. */
static void back_product(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const nnb__c_place *place = w->layout.place;
  for (int i = 0; i < node->n_from; i++) {
    nnb__c_put(&w->body, "  for (int j = 0; j < %d; ++j) {\n    d[%lld + j] += d[%lld + j]", node->needs.cols,
               (long long)place[node->from[i] - 1].d, (long long)place[k - 1].d);
    for (int l = 0; l < node->n_from; l++)
      if (l != i) nnb__c_put(&w->body, " * s[%lld + j]", (long long)place[node->from[l] - 1].keep);
    nnb__c_paste(&w->body, ";\n  }\n");
  }
}

/* ---- embeddings -------------------------------------------------------------------------------------------------- */

static int n_read(const writer *w, const nnb__node *node) { return node_at(w, node->from[0])->needs.cols; }

static void put_embedding(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const nnb__embedding *e = node->self;
  char x[PLACE], z[PLACE], p[PLACE];
  nnb__c_values(w, k, z);
  w->helper[NNB__C_LEVEL] = w->helper[NNB__C_LOOKUP] = true;
  nnb__c_put(&w->body, "  @_lookup(%d, %d, %d, %s, %s, %s);\n", n_read(w, node), e->levels, e->units,
             nnb__c_params(w, k, NNB__C_WEIGHTS, p), nnb__c_values(w, node->from[0], x), z);
  if (!w->integers) return;
  w->helper[NNB__C_TIMES_CHANNELS] = true;
  nnb__c_put(&w->body, "  @_times_channels(%d, %d, %s, %s);\n", e->units, n_read(w, node),
             nnb__c_params(w, k, NNB__C_FACTOR, p), z);
}

/* The derivatives by what it reads are 0. */
static void back_embedding(writer *w, int k) { (void)w, (void)k; }

static void descend_embedding(writer *w, int k) {
  const nnb__node *node = node_at(w, k);
  const nnb__embedding *e = node->self;
  char x[PLACE], d[PLACE], p[PLACE];
  if (node->frozen & NNB_WEIGHTS) return;
  w->helper[NNB__C_LEVEL] = w->helper[NNB__C_LOOKUP_DESCEND] = true;
  nnb__c_put(&w->body, "  @_lookup_descend(%d, %d, %d, lr, %s, %s, %s);\n", n_read(w, node), e->levels, e->units,
             nnb__c_params(w, k, NNB__C_WEIGHTS, p), nnb__c_values(w, node->from[0], x), nnb__c_derivatives(w, k, d));
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const nnb__c_layer layers[] = {
    {&nnb__layer_conv, put_conv, back_conv, descend_conv},
    {&nnb__layer_maxpool, put_pool, back_pool, NULL},
    {&nnb__layer_avgpool, put_pool, back_pool, NULL},
    {&nnb__layer_layernorm, put_layernorm, back_layernorm, descend_layernorm},
    {&nnb__layer_batchnorm, put_batchnorm, back_batchnorm, NULL},
    {&nnb__layer_product, put_product, back_product, NULL},
    {&nnb__layer_embedding, put_embedding, back_embedding, descend_embedding},
    {&nnb__layer_gru, nnb__c_put_gru, nnb__c_back_gru, nnb__c_descend_gru},
};

const nnb__c_layer *nnb__c_layer_find(const nnb_layer_ops *ops) {
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    if (layers[i].ops == ops) return &layers[i];
  return NULL;
}
