/* io/c_forward.c: @_predict, and the forward pass of all functions of emitted C source. */
#include "c_layers.h"

static void put_dense(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const int rows = node->needs.w_rows, cols = node->needs.w_cols;
  char x[NNB__C_PLACE], y[NNB__C_PLACE], p[NNB__C_PLACE];
  nnb__c_values(w, node->from[0], x), nnb__c_values(w, k, y);
  if (node->needs.bias && !w->integers)
    nnb__c_call(w, NNB__C_COPY, cols, nnb__c_params(w, k, NNB__C_BIAS, p), y);
  else
    nnb__c_call(w, NNB__C_ZERO, cols, NULL, y);
  w->helper[NNB__C_MULTIPLY] = true;
  nnb__c_put(&w->body, "  @_multiply(%d, %d, %s, %s, %s);\n", rows, cols, nnb__c_params(w, k, NNB__C_WEIGHTS, p), x, y);
  if (w->integers) nnb__c_call(w, NNB__C_TIMES, cols, nnb__c_params(w, k, NNB__C_FACTOR, p), y);
  if (w->integers && node->needs.bias) nnb__c_call(w, NNB__C_ADD, cols, nnb__c_params(w, k, NNB__C_BIAS, p), y);
}

static void put_merge(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const nnb__c_place *p = &w->layout.place[k - 1];
  const bool concat = node->ops == &nnb__layer_concat;
  char x[NNB__C_PLACE], y[NNB__C_PLACE];
  int64_t at = w->kept ? p->keep : p->slot;
  for (int i = 0; i < node->n_from; i++) {
    const int n = w->net->nodes[node->from[i] - 1].needs.cols;
    nnb__c_call(w, concat || i == 0 ? NNB__C_COPY : NNB__C_ADD, n, nnb__c_values(w, node->from[i], x),
                nnb__c_place_in(y, 's', at));
    if (concat) at += n;
  }
}

static void put_activation(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const nnb__c_act *act = nnb__c_act_find(node->activation);
  const int64_t z = w->layout.place[k - 1].z;
  char a[NNB__C_PLACE], kept[NNB__C_PLACE];
  nnb__c_values(w, k, a);
  if (w->kept && z != NNB__C_NOWHERE) nnb__c_call(w, NNB__C_COPY, node->needs.cols, a, nnb__c_place_in(kept, 's', z));
  if (!act->value && !act->value_rows) return;
  w->value[act->activation] = true;
  nnb__c_put(&w->body, "  @_act_%s(%d, %s);\n", nnb_activation_name(act->activation), node->needs.cols, a);
}

static void put_input(nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  char x[NNB__C_PLACE], y[NNB__C_PLACE];
  const int n = node->needs.cols, c = node->x_col;
  nnb__c_place_in(x, 'x', c), nnb__c_values(w, k, y);
  if (w->net->in.shift) {
    w->helper[NNB__C_SCALE] = true;
    nnb__c_put(&w->body, "  @_scale(%d, &@_x_shift[%d], &@_x_factor[%d], %s, %s);\n", n, c, c, x, y);
  } else if (w->kept) {
    nnb__c_call(w, NNB__C_COPY, n, x, y);
  }
}

void nnb__c_put_outputs(nnb__c_writer *w) {
  char a[NNB__C_PLACE], y[NNB__C_PLACE];
  for (int k = 1; k <= w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k - 1];
    if (node->out_col >= 0)
      nnb__c_call(w, NNB__C_COPY, node->needs.cols, nnb__c_values(w, k, a), nnb__c_place_in(y, 'y', node->out_col));
  }
  if (!w->net->out.shift) return;
  w->helper[NNB__C_UNSCALE] = true;
  nnb__c_put(&w->body, "  @_unscale(%d, @_y_shift, @_y_factor, y);\n", w->net->n_y);
}

/* s ← the values of all nodes for x */
void nnb__c_put_forward(nnb__c_writer *w) {
  for (int k = 1; k <= w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k - 1];
    if (nnb__node_is_input(node)) {
      put_input(w, k);
      continue;
    }
    const nnb__c_layer *layer = nnb__c_layer_find(node->ops);
    if (layer)
      layer->forward(w, k);
    else if (node->ops == &nnb__layer_dense)
      put_dense(w, k);
    else
      put_merge(w, k);
    put_activation(w, k);
  }
}

void nnb__c_put_type(nnb__c_writer *w) { nnb__c_paste(&w->body, w->integers ? "@_parameters" : "$"); }

/* A function's first line and its scratch. */
void nnb__c_put_predict(nnb__c_writer *w) {
  w->kept = false;
  nnb__c_paste(&w->body, "\nvoid @_predict_with(const ");
  nnb__c_put_type(w);
  nnb__c_paste(&w->body, " *p, const $ *x, $ *y)\n{\n  $ s[@@_SCRATCH];\n");
  if (w->net->n_params == 0) nnb__c_paste(&w->body, "  (void)p;\n");
  nnb__c_put_forward(w);
  nnb__c_put_outputs(w);
  nnb__c_paste(&w->body, "}\n\nvoid @_predict(const $ *x, $ *y)\n{\n");
  nnb__c_paste(&w->body,
               w->integers ? "  @_predict_with(&@_table, x, y);\n}\n" : "  @_predict_with(@_table, x, y);\n}\n");
}
