/* io/c_backward.c: @_jacobian and @_step of emitted C source. */
#include "c_layers.h"
#include "jacobian.h"
#include "loss.h"
#include "names.h"

nnb_loss nnb__c_loss_of(const nnb_net *net, const nnb__node *output) {
  const nnb_loss_ops *ops = nnb__net_plain_loss(net, output);
  const int loss = nnb__loss_place(ops->name);
  return loss >= 0 && nnb__loss((nnb_loss)loss) == ops ? (nnb_loss)loss : NNB_LOSS_AUTO;
}

/* The loss whose slope is computed from before the activation, or NULL. */
static const nnb__c_loss *fused_loss(const nnb__c_writer *w, const nnb__node *node) {
  if (node->out_col < 0 || node->n_consumers > 0) return NULL;
  const nnb__c_loss *loss = nnb__c_loss_find(nnb__c_loss_of(w->net, node));
  return loss && loss->fused && (int)loss->fuses == node->activation ? loss : NULL;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

static void put_pull(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const nnb__c_act *act = nnb__c_act_find(node->activation);
  const nnb__c_place *p = &w->layout.place[k - 1];
  char v[NNB__C_PLACE], d[NNB__C_PLACE];
  const bool fused = w->opts->step && fused_loss(w, node);
  nnb__c_place_in(v, 's', act->from_z ? p->z : p->keep), nnb__c_derivatives(w, k, d);
  if (fused) nnb__c_paste(&w->body, "  if (to_inputs != 0) {\n  ");
  if (act->pull || act->pull_rows) {
    w->pull[act->activation] = true;
    nnb__c_put(&w->body, "  @_act_%s_pull(%d, %s, %s);\n", nnb_activation_name(act->activation), node->needs.cols, v,
               d);
  } else if (act->value) {
    nnb__c_call(w, NNB__C_ZERO, node->needs.cols, NULL, d);
  }
  if (fused) nnb__c_paste(&w->body, "  }\n");
}

static void put_back_dense(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const int rows = node->needs.w_rows, cols = node->needs.w_cols;
  const bool first = nnb__node_is_input(&w->net->nodes[node->from[0] - 1]);
  char d[NNB__C_PLACE], from[NNB__C_PLACE], p[NNB__C_PLACE];
  nnb__c_derivatives(w, k, d), nnb__c_derivatives(w, node->from[0], from);
  if (w->integers) nnb__c_call(w, NNB__C_TIMES, cols, nnb__c_params(w, k, NNB__C_FACTOR, p), d);
  if (first) nnb__c_paste(&w->body, "  if (to_inputs != 0) {\n  ");
  w->helper[NNB__C_BACK] = true;
  nnb__c_put(&w->body, "  @_back(%d, %d, %s, %s, %s);\n", rows, cols, nnb__c_params(w, k, NNB__C_WEIGHTS, p), d, from);
  if (first) nnb__c_paste(&w->body, "  }\n");
}

static void put_back_merge(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const bool concat = node->ops == &nnb__layer_concat;
  int64_t at = w->layout.place[k - 1].d;
  char d[NNB__C_PLACE], from[NNB__C_PLACE];
  for (int i = 0; i < node->n_from; i++) {
    const int n = w->net->nodes[node->from[i] - 1].needs.cols;
    nnb__c_call(w, NNB__C_ADD, n, nnb__c_place_in(d, 'd', at), nnb__c_derivatives(w, node->from[i], from));
    if (concat) at += n;
  }
}

void nnb__c_put_backward(nnb__c_writer *w) {
  w->kept = true;
  nnb__c_paste(&w->body,
               "\n/* d: from derivatives by the outputs to those by all nodes before their activations, and by\n"
               "   the inputs if to_inputs is not 0 */\nstatic void @_backward(const ");
  nnb__c_put_type(w);
  nnb__c_paste(&w->body,
               " *p, const $ *s, $ *d, int to_inputs)\n{\n  (void)p;\n  (void)s;\n  (void)d;\n"
               "  (void)to_inputs;\n");
  for (int k = w->net->n_nodes; k >= 1; k--) {
    const nnb__node *node = &w->net->nodes[k - 1];
    if (nnb__node_is_input(node)) continue;
    put_pull(w, k);
    const nnb__c_layer *layer = nnb__c_layer_find(node->ops);
    if (layer)
      layer->back(w, k);
    else if (node->ops == &nnb__layer_dense)
      put_back_dense(w, k);
    else
      put_back_merge(w, k);
  }
  nnb__c_paste(&w->body, "}\n");
}

/* "o" or "3 + o" */
static const char *output_index(char out[NNB__C_PLACE], int64_t first) {
  snprintf(out, NNB__C_PLACE, first > 0 ? "%lld + o" : "o", (long long)first);
  return out;
}

/* J_(o i) = d_i·factor_i/factor_o for the outputs of one node */
static void put_jacobian_rows(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  char index[NNB__C_PLACE];
  w->helper[NNB__C_ZERO] = true;
  nnb__c_put(&w->body, "  for (int o = 0; o < %d; ++o) {\n    @_zero(%lld, d);\n", node->needs.cols,
             (long long)w->layout.n_d);
  nnb__c_put(&w->body, "    d[%s] = 1.0~;\n    @_backward(p, s, d, 1);\n",
             output_index(index, w->layout.place[k - 1].d));
  nnb__c_put(&w->body, "    for (int i = 0; i < %d; ++i) {\n      row[i] = d[i];\n", w->net->n_x);
  if (w->net->in.shift) nnb__c_paste(&w->body, "      row[i] *= @_x_factor[i];\n");
  if (w->net->out.shift) nnb__c_put(&w->body, "      row[i] /= @_y_factor[%s];\n", output_index(index, node->out_col));
  nnb__c_put(&w->body, "    }\n    row = &row[%d];\n  }\n", w->net->n_x);
}

/* The output node whose first column of y this is, or 0. */
static int output_at(const nnb_net *net, int col) {
  for (int k = 1; k <= net->n_nodes; k++)
    if (net->nodes[k - 1].out_col == col) return k;
  return 0;
}

void nnb__c_put_jacobian(nnb__c_writer *w) {
  w->kept = true;
  nnb__c_paste(&w->body, "\nvoid @_jacobian_with(const ");
  nnb__c_put_type(w);
  nnb__c_paste(&w->body, " *p, const $ *x, $ *y, $ *J)\n{\n  $ *row = J;\n  $ d[@@_DERIVATIVES];\n  $ s[@@_VALUES];\n");
  nnb__c_put_forward(w);
  nnb__c_put_outputs(w);
  for (int c = 0, k; (k = output_at(w->net, c)) > 0; c += w->net->nodes[k - 1].needs.cols) put_jacobian_rows(w, k);
  nnb__c_paste(&w->body, "}\n\nvoid @_jacobian(const $ *x, $ *y, $ *J)\n{\n");
  nnb__c_paste(&w->body, w->integers ? "  @_jacobian_with(&@_table, x, y, J);\n}\n"
                                     : "  @_jacobian_with(@_table, x, y, J);\n}\n");
}

/* ---- a step of gradient descent --------------------------------------------------------------------------------- */

/* smooth ← (1-s)·t + s·m with m = Σt/n or ½, as in nn/tuned_loss.c */
static void put_smoothing(nnb__c_writer *w, const nnb__node *node, bool binary) {
  const double s = node->tuned.smoothing;
  const char *t = w->net->out.shift ? "scaled" : "t";
  const int first = node->out_col, end = first + node->needs.cols;
  nnb__c_paste(&w->body, "  {\n    $ m = ");
  nnb__c_put_number(&w->body, binary ? s / 2 : 0);
  nnb__c_paste(&w->body, ";\n");
  if (!binary) {
    nnb__c_put(&w->body, "    for (int j = %d; j < %d; ++j) {\n      m += %s[j] * ", first, end, t);
    nnb__c_put_number(&w->body, s / node->needs.cols);
    nnb__c_paste(&w->body, ";\n    }\n");
  }
  nnb__c_put(&w->body, "    for (int j = %d; j < %d; ++j) {\n      smooth[j] = m + (%s[j] * ", first, end, t);
  nnb__c_put_number(&w->body, 1 - s);
  nnb__c_paste(&w->body, ");\n    }\n  }\n");
}

/* Whether any output has smoothed targets. */
static bool smooths(const nnb_net *net) {
  bool found = false;
  for (int k = 0; k < net->n_nodes; k++)
    found = found || (net->nodes[k].out_col >= 0 && net->nodes[k].tuned.smoothing > 0);
  return found;
}

/* d ← the slope of the losses */
static void put_losses(nnb__c_writer *w) {
  char a[NNB__C_PLACE], d[NNB__C_PLACE];
  for (int k = 1; k <= w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k - 1];
    if (node->out_col < 0) continue;
    const nnb__c_loss *loss = nnb__c_loss_find(nnb__c_loss_of(w->net, node));
    const bool fused = fused_loss(w, node);
    const bool smooth = node->tuned.smoothing > 0;
    (fused ? w->logit_slope : w->slope)[loss->loss] = true;
    if (smooth) put_smoothing(w, node, loss->loss == NNB_BINARY_CROSS_ENTROPY);
    nnb__c_put(&w->body, "  @_%s_%sslope(%d, ", nnb_loss_name(loss->loss), fused ? "logit_" : "", node->needs.cols);
    nnb__c_put_number(&w->body, node->factor / (loss->mean ? node->needs.cols : 1));
    if (loss->limited)
      nnb__c_paste(&w->body, ", "), nnb__c_put_number(&w->body, node->tuned.base ? node->tuned.delta : 1);
    nnb__c_put(&w->body, ", %s, &%s[%d], %s);\n", nnb__c_values(w, k, a),
               smooth              ? "smooth"
               : w->net->out.shift ? "scaled"
                                   : "t",
               node->out_col, nnb__c_derivatives(w, k, d));
  }
}

static void put_descent(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const int rows = node->needs.w_rows, cols = node->needs.w_cols;
  const nnb__c_layer *layer = nnb__c_layer_find(node->ops);
  char p[NNB__C_PLACE], a[NNB__C_PLACE], d[NNB__C_PLACE];
  nnb__c_derivatives(w, k, d);
  if (layer && layer->descend) layer->descend(w, k);
  if (layer) return;
  if (node->ops == &nnb__layer_dense && !(node->frozen & NNB_WEIGHTS)) {
    w->helper[NNB__C_DESCEND] = true;
    nnb__c_put(&w->body, "  @_descend(%d, %d, lr, %s, %s, %s);\n", rows, cols, nnb__c_values(w, node->from[0], a), d,
               nnb__c_params(w, k, NNB__C_WEIGHTS, p));
  }
  if (node->needs.bias && !(node->frozen & NNB_BIAS)) {
    w->helper[NNB__C_DESCEND_BIAS] = true;
    nnb__c_put(&w->body, "  @_descend_bias(%d, lr, %s, %s);\n", cols, d, nnb__c_params(w, k, NNB__C_BIAS, p));
  }
}

void nnb__c_put_step(nnb__c_writer *w) {
  const int n_y = w->net->n_y;
  w->kept = true;
  nnb__c_paste(&w->body,
               "\nvoid @_step($ *p, const $ *x, const $ *t, $ lr)\n{\n  $ d[@@_DERIVATIVES];\n"
               "  $ s[@@_VALUES];\n");
  if (w->net->out.shift) {
    w->helper[NNB__C_SCALE] = true;
    nnb__c_put(&w->body, "  $ scaled[@@_N_OUT];\n  @_scale(%d, @_y_shift, @_y_factor, t, scaled);\n", n_y);
  }
  if (smooths(w->net)) nnb__c_paste(&w->body, "  $ smooth[@@_N_OUT];\n");
  if (nnb__net_n_free(w->net) == 0) nnb__c_paste(&w->body, "  (void)lr;\n");
  nnb__c_put_forward(w);
  w->helper[NNB__C_ZERO] = true;
  nnb__c_put(&w->body, "  @_zero(%lld, d);\n", (long long)w->layout.n_d);
  put_losses(w);
  nnb__c_paste(&w->body, "  @_backward(p, s, d, 0);\n");
  for (int k = 1; k <= w->net->n_nodes; k++) put_descent(w, k);
  nnb__c_paste(&w->body, "}\n");
}
