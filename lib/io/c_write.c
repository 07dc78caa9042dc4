/* io/c_write.c: a net as C99 source: declarations, tables, helpers, functions. */
#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "c_layers.h"
#include "fold.h"
#include "save.h"
#include "seal.h"
#include "status.h"
#include "text.h"

/* ---- what can be written ----------------------------------------------------------------------------------------- */

static nnb_status check_node(const nnb__c_writer *w, int k) {
  const nnb__node *node = &w->net->nodes[k - 1];
  const nnb_layer_ops *ops = node->ops;
  const bool simple = nnb__node_is_input(node) || ops == &nnb__layer_dense || ops == &nnb__layer_activation ||
                      ops == &nnb__layer_add || ops == &nnb__layer_concat || ops == &nnb__layer_flatten;
  if (w->opts->step && (ops == &nnb__layer_batchnorm || ops == &nnb__layer_dropout))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): .step cannot train the layer \"%.60s\"", k, node->name,
                     ops->name);
  if (!simple && !nnb__c_layer_find(ops))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the layer \"%.60s\" has no C source", k, node->name, ops->name);
  if (!nnb__c_act_find(node->activation))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the activation \"%.60s\" has no C source", k, node->name,
                     nnb__net_act(w->net, node->activation)->name);
  if (w->opts->step && node->out_col >= 0 && !nnb__c_loss_find(nnb__c_loss_of(w->net, node)))
    return nnb__fail(NNB_E_UNSUPPORTED, "node %d (%s): the loss \"%.60s\" has no C source, which .step needs", k,
                     node->name, nnb__net_loss_ops(w->net, node)->name);
  return NNB_OK;
}

static nnb_status check_opts(const nnb_c_opts *opts) {
  for (size_t i = 0; i < sizeof opts->reserved / sizeof *opts->reserved; i++)
    if (opts->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_c_opts: a reserved word is not 0; initialise the struct with {0}");
  if ((int)opts->numbers < 0 || opts->numbers > NNB_C_I8)
    return nnb__fail(NNB_E_ARG, "numbers is %d; wanted an nnb_c_numbers", (int)opts->numbers);
  if (opts->step && opts->numbers >= NNB_C_I16) return nnb__fail(NNB_E_ARG, "step needs weights that are not integers");
  return NNB_OK;
}

static nnb_status start(nnb__c_writer *w) {
  static const char *const weights[] = {
      [NNB_C_F64] = "double", [NNB_C_F32] = "float", [NNB_C_I16] = "short", [NNB_C_I8] = "signed char"};
  const nnb_c_numbers own = sizeof(real) == sizeof(double) ? NNB_C_F64 : NNB_C_F32;
  const nnb_c_numbers numbers = w->opts->numbers ? w->opts->numbers : own;
  const char *name = w->opts->name ? w->opts->name : "net";
  w->integers = numbers >= NNB_C_I16;
  nnb_status status = nnb__c_text_init(&w->head, name, numbers != NNB_C_F64, weights[numbers]);
  if (!status) status = nnb__c_text_init(&w->body, name, numbers != NNB_C_F64, weights[numbers]);
  for (int k = 1; k <= w->net->n_nodes && !status; k++) status = check_node(w, k);
  return status ? status : nnb__c_layout_init(w->net, w->net->in.shift, w->opts->step, &w->layout);
}

/* ---- declarations ------------------------------------------------------------------------------------------------ */

static void put_macro(nnb__c_writer *w, const char *name, int64_t value, const char *comment) {
  nnb__c_put(&w->head, "#define @@_%s %lld /* %s */\n", name, (long long)(value > 0 ? value : 1), comment);
}

static void put_macros(nnb__c_writer *w) {
  const nnb__c_layout *at = &w->layout;
  nnb__c_paste(&w->head, "#ifndef @@_H\n#define @@_H\n\n");
  put_macro(w, "N_IN", w->net->n_x, "numbers of x");
  put_macro(w, "N_OUT", w->net->n_y, "numbers of y");
  put_macro(w, "SCRATCH", at->n_slots, "numbers that a prediction has on the stack");
  put_macro(w, "VALUES", at->n_keep, "a Jacobian or a step has these and ...");
  put_macro(w, "DERIVATIVES", at->n_d, "... these");
  if (!w->integers) {
    put_macro(w, "N_PARAMS", (int64_t)w->net->n_params, "layer by layer, weights (n_in rows of n_out), then bias");
    return;
  }
  put_macro(w, "N_WEIGHTS", at->n_weights, "layer by layer, n_in rows of n_out");
  put_macro(w, "N_FACTORS", at->n_factors, "one for each column of weights");
  put_macro(w, "N_BIASES", at->n_biases, "layer by layer");
}

/* A name for a comment; characters that end it or stand for something in the text become "_". */
static const char *show_name(const char *name, char shown[NNB__SHOWN_TEXT]) {
  nnb__show(name, strlen(name), shown);
  for (char *c = shown; *c; c++)
    if (strchr("*/\\?@$^`~", *c)) *c = '_';
  return shown;
}

/* One line of a comment */
static void put_name(nnb__c_text *out, const char *vector, int i, const char *name) {
  char shown[NNB__SHOWN_TEXT];
  if (name) nnb__c_put(out, " * %s[%d]: %s\n", vector, i, show_name(name, shown));
}

/* The one output for two classes is the probability of the second. */
static void put_two_classes(nnb__c_text *out, const nnb_net *net) {
  const char *first = nnb_net_class_name(net, 0), *second = nnb_net_class_name(net, 1);
  char shown[2][NNB__SHOWN_TEXT];
  if (!first || !second) return;
  nnb__c_put(out, " * y[0]: %s, above 1/2; else %s\n", show_name(second, shown[1]), show_name(first, shown[0]));
}

/* What x and y are, where the columns of the data have names. */
static void put_names(nnb__c_writer *w) {
  const nnb_net *net = w->net;
  if (net->columns.n == 0) return;
  nnb__c_paste(&w->head, "/* The columns of the data:\n");
  for (int i = 0; i < net->n_x; i++) put_name(&w->head, "x", i, nnb_net_column_name(net, i));
  const bool two = net->n_y == 1 && net->classes.n == 2;
  if (two) put_two_classes(&w->head, net);
  for (int i = 0; i < net->n_y && !two; i++)
    put_name(&w->head, "y", i, net->classes.n ? nnb_net_class_name(net, i) : nnb_net_column_name(net, net->n_x + i));
  nnb__c_paste(&w->head, " */\n");
}

/* Which inputs are whole numbers, and how others are read. */
static void put_levels(nnb__c_writer *w) {
  for (int k = 0; k < w->net->n_nodes; k++) {
    const nnb__node *node = &w->net->nodes[k];
    if (node->ops != &nnb__layer_embedding) continue;
    const nnb__node *from = &w->net->nodes[node->from[0] - 1];
    nnb__c_put(&w->head,
               "/* x[%d] to x[%d] are whole numbers from 0 to %d.  A number outside is read as the nearest of them, a\n"
               " * fraction as the whole number below it, NaN as 0. */\n",
               from->x_col, from->x_col + from->needs.cols - 1, ((const nnb__embedding *)node->self)->levels - 1);
  }
}

static void put_declarations(nnb__c_writer *w) {
  nnb__c_put(
      &w->head,
      "/* A neural network as C99, written by libnnblas %d.%d.%d.  It needs nothing but math.h, allocates nothing\n"
      " * and has no state: any number of threads may call it.  x: @@_N_IN numbers, y: @@_N_OUT numbers, both in\n"
      " * the units of the data; they must not overlap.  Another source gets the declarations alone by\n"
      " *   #define @@_DECLARATIONS\n"
      " *   #include \"this file\" */\n"
      "#ifndef @@_DECLARATIONS\n#include <math.h>\n#endif\n\n",
      NNB_VERSION_MAJOR, NNB_VERSION_MINOR, NNB_VERSION_PATCH);
  put_macros(w);
  put_names(w);
  put_levels(w);
  nnb__c_paste(&w->head, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  if (w->integers)
    nnb__c_paste(&w->head,
                 "/* Weight (i, j) of a layer is w * factor of column j. */\ntypedef struct @_parameters {\n"
                 "  ^ w[@@_N_WEIGHTS];\n  $ factor[@@_N_FACTORS];\n  $ bias[@@_N_BIASES];\n} @_parameters;\n"
                 "extern const @_parameters @_table;\n\n");
  else
    nnb__c_paste(&w->head, "extern const $ @_table[@@_N_PARAMS];\n\n");
  const char *type = w->integers ? "@_parameters" : "$";
  nnb__c_paste(&w->head,
               "/* y = net(x) */\nvoid @_predict(const $ *x, $ *y);\n"
               "/* The same, and J[o * @@_N_IN + i] = dy_o / dx_i */\n"
               "void @_jacobian(const $ *x, $ *y, $ *J);\n"
               "/* The same with other parameters than those of @_table */\nvoid @_predict_with(const ");
  nnb__c_paste(&w->head, type);
  nnb__c_paste(&w->head, " *p, const $ *x, $ *y);\nvoid @_jacobian_with(const ");
  nnb__c_paste(&w->head, type);
  nnb__c_paste(&w->head, " *p, const $ *x, $ *y, $ *J);\n");
  if (w->opts->step)
    nnb__c_paste(&w->head,
                 "/* One step of gradient descent for the target t: p = p - lr * gradient of the loss */\n"
                 "void @_step($ *p, const $ *x, const $ *t, $ lr);\n");
  nnb__c_paste(&w->head, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void put_helpers(nnb__c_writer *w) {
  for (int i = 0; i < NNB__C_N_HELPERS; i++)
    if (w->helper[i]) nnb__c_put_helper(&w->head, (nnb__c_helper)i);
  for (int i = 0; i < NNB_N_ACTIVATIONS; i++) {
    if (w->value[i]) nnb__c_put_value(&w->head, nnb__c_act_find(i));
    if (w->pull[i]) nnb__c_put_pull(&w->head, nnb__c_act_find(i));
  }
  for (int i = 0; i < NNB_N_LOSSES; i++) {
    if (w->slope[i]) nnb__c_put_slope(&w->head, nnb__c_loss_find((nnb_loss)i), false);
    if (w->logit_slope[i]) nnb__c_put_slope(&w->head, nnb__c_loss_find((nnb_loss)i), true);
  }
}

/* The windows of convolutions and pools */
static void put_windows(nnb__c_writer *w) {
  for (int k = 1; k <= w->net->n_nodes; k++) {
    const nnb__patches *p = nnb__c_window(&w->net->nodes[k - 1]);
    if (!p) continue;
    nnb__c_put(&w->head, "\nstatic const @_window @_window_%d = {%d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d};\n", k,
               p->in.channels, p->in.height, p->in.width, p->height, p->width, p->stride_y, p->stride_x, p->pad_y,
               p->pad_x, p->out_height, p->out_width);
  }
}

static nnb_status write_all(nnb__c_writer *w) {
  nnb__c_put_predict(w);
  nnb__c_put_backward(w);
  nnb__c_put_jacobian(w);
  if (w->opts->step) nnb__c_put_step(w);
  put_declarations(w);
  nnb__c_paste(&w->head, "\n#ifndef @@_DECLARATIONS\n");
  nnb_status status = nnb__c_put_tables(w);
  put_helpers(w);
  put_windows(w);
  nnb__c_paste(&w->body, "#endif\n");
  return status ? status : w->head.status ? w->head.status : w->body.status;
}

static nnb_status write_c(const nnb_net *net, const nnb_c_opts *opts, nnb__c_writer *w) {
  static const nnb_c_opts defaults = {0};
  *w = (nnb__c_writer){.net = net, .opts = opts ? opts : &defaults};
  nnb_status status = check_opts(w->opts);
  if (!status) status = nnb__net_seal(net);
  if (!status && !w->opts->step && nnb__net_folds(net)) {
    status = nnb_net_fold(net, &w->folded);
    w->net = w->folded;
  }
  if (!status) status = start(w);
  return status ? status : write_all(w);
}

static void clear(nnb__c_writer *w) {
  nnb__c_text_clear(&w->head);
  nnb__c_text_clear(&w->body);
  nnb__c_layout_clear(&w->layout);
  nnb_net_destroy(w->folded);
}

nnb_status nnb_net_write_c(const nnb_net *net, const char *path, const nnb_c_opts *opts) {
  if (!net || !path) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "path" : "net");
  if (!*path) return nnb__fail(NNB_E_ARG, "path is empty");
  nnb__c_writer w;
  nnb_status status = write_c(net, opts, &w);
  nnb__piece pieces[] = {{w.head.p, w.head.n}, {w.body.p, w.body.n}};
  if (!status) status = nnb__save(path, pieces, 2);
  clear(&w);
  return status;
}

nnb_status nnb_net_write_c_mem(const nnb_net *net, const nnb_c_opts *opts, char **out, size_t *bytes) {
  if (!net || !out || !bytes) return nnb__fail(NNB_E_ARG, "%s is NULL", net ? "out or bytes" : "net");
  *out = NULL, *bytes = 0;
  nnb__c_writer w;
  nnb_status status = write_c(net, opts, &w);
  if (!status) nnb__c_text_join(&w.head, &w.body);
  if (!status) status = w.head.status;
  if (!status) {
    *out = w.head.p, *bytes = w.head.n;
    w.head.p = NULL;
  }
  clear(&w);
  return status;
}
