/* cli/info.c: `nnblas info`: what a saved net is. */
#include <argp.h>
#include <math.h>
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "model.h"
#include "scores.h"

typedef struct settings {
  const char *model;
  bool json;
} settings;

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->json;
      return 0;
    case ARGP_KEY_ARG:
      if (s->model) argp_error(state, "one model at a time: %s and %s", s->model, arg);
      s->model = arg;
      return 0;
    case ARGP_KEY_NO_ARGS:
      argp_error(state, "which model? A file that `nnblas train` saved, or an ONNX file");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

typedef struct column {
  const char *name;     /* NULL: none */
  double shift, factor; /* scaled: (x - shift)·factor; 0 and 1 without a scaler */
} column;

static column column_of(const nnb_net *net, int i) {
  int n_in = nnb_net_n_in(net);
  const nnb_real *shift = NULL, *factor = NULL;
  if (i < n_in)
    nnb_net_input_scaler(net, &shift, &factor);
  else
    nnb_net_target_scaler(net, &shift, &factor);
  int k = i < n_in ? i : i - n_in;
  return (column){nnb_net_column_name(net, i), shift ? shift[k] : 0, shift ? factor[k] : 1};
}

static bool has_classes(const nnb_net *net) { return nnb_net_class_name(net, 0) != NULL; }
static int n_targets(const nnb_net *net) { return has_classes(net) ? 1 : nnb_net_n_out(net); }

/* Whether a column of the table is not just one input. */
static bool is_encoded(const nnb_column *c) { return c->levels || c->missing; }

static bool has_encoded(const nnb_net *net) {
  const nnb_column *c;
  for (int i = 0; (c = nnb_columns_at(nnb_net_columns(net), i)); i++)
    if (is_encoded(c)) return true;
  return false;
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static void print_column(const char *what, int i, column c) {
  printf("%-7s %3d  %-24s", what, i + 1, or_dash(c.name));
  if (c.factor != 1 || c.shift != 0) printf("  (x %c %.6g) · %.6g", c.shift < 0 ? '+' : '-', fabs(c.shift), c.factor);
  putchar('\n');
}

/* What the columns of a table become, if they are not the inputs themselves. */
static void print_table(const nnb_net *net) {
  const nnb_column *c;
  for (int i = 0; (c = nnb_columns_at(nnb_net_columns(net), i)) && has_encoded(net); i++) {
    printf("%-7s %3d  %-24s", "column", i + 1, or_dash(c->name));
    for (int j = 0; j < c->n_levels; j++) printf("%s%s", j ? ", " : "  ", c->levels[j]);
    if (!c->levels) printf("  a number");
    if (c->missing && c->levels)
      printf("; may be missing");
    else if (c->missing)
      printf("; a missing one is %.6g", c->mean);
    putchar('\n');
  }
}

static void print_training(const nnb_net *net) {
  nnb_training t;
  if (!nnb_net_training(net, &t)) return;
  printf("trained by %s on %d row%s", nnb_algo_name(t.algo), t.rows, plural(t.rows));
  if (t.val_rows > 0) printf(", validated on %d", t.val_rows);
  printf(": %d epoch%s, %lld update%s, seed %llu; libnnblas %s\n", t.epochs, plural(t.epochs), (long long)t.updates,
         plural(t.updates), (unsigned long long)t.seed, t.version);
  printf("loss %.6g after the last epoch", t.loss);
  if (!isnan(t.val_loss)) printf(", validation loss %.6g", t.val_loss);
  if (!isnan(t.best_loss))
    printf("; lowest %.6g, epoch %d%s", t.best_loss, t.best_epoch, t.restored ? ", which the parameters are of" : "");
  putchar('\n');
  if (t.metric)
    printf("%s %.4g on %d row%s that it was not trained on\n", nnb_metric_name((nnb_metric)t.metric), t.score,
           t.score_rows, plural(t.score_rows));
  putchar('\n');
}

static int print(nnb_net *net) {
  nnb_status status = nnb_net_summary(net, stdout);
  if (status) return fail(status);
  putchar('\n');
  print_training(net);
  print_table(net);
  for (int i = 0; i < nnb_net_n_in(net); i++) print_column("input", i, column_of(net, i));
  for (int i = 0; i < n_targets(net); i++) print_column("target", i, column_of(net, nnb_net_n_in(net) + i));
  for (int i = 0; i < nnb_net_n_out(net) && has_classes(net); i++)
    printf("%-7s %3d  %s\n", "class", i + 1, or_dash(nnb_net_class_name(net, i)));
  return EX_OK;
}

static json_t *column_json(column c) {
  return json_pack("{s:o, s:f, s:f}", "name", text_json(c.name), "shift", c.shift, "factor", c.factor);
}

/* The columns of a table: levels null for numbers, mean null where none may be missing. */
static json_t *table_json(const nnb_net *net) {
  json_t *table = json_array();
  const nnb_column *c;
  for (int i = 0; (c = nnb_columns_at(nnb_net_columns(net), i)); i++) {
    json_t *levels = c->levels ? json_array() : json_null();
    for (int j = 0; j < c->n_levels; j++) json_array_append_new(levels, text_json(c->levels[j]));
    json_t *mean = c->missing && !c->levels ? json_real(c->mean) : json_null();
    json_array_append_new(table, json_pack("{s:o, s:o, s:b, s:o}", "name", text_json(c->name), "levels", levels,
                                           "missing", (int)c->missing, "mean", mean));
  }
  return table;
}

/* A seed that JSON's readers may take for another number is a text. */
static json_t *seed_json(uint64_t seed) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
  return seed < UINT64_C(1) << 53 ? json_integer((json_int_t)seed) : json_string(text);
}

static json_t *training_json(const nnb_net *net) {
  nnb_training t;
  if (!nnb_net_training(net, &t)) return json_null();
  json_t *score = t.metric ? json_pack("{s:s, s:o, s:i}", "metric", nnb_metric_name((nnb_metric)t.metric), "value",
                                       real_or_null(t.score), "rows", t.score_rows)
                           : json_null();
  return json_pack("{s:s, s:i, s:I, s:i, s:i, s:o, s:i, s:b, s:o, s:o, s:o, s:o, s:s}", "algorithm",
                   nnb_algo_name(t.algo), "epochs", t.epochs, "updates", (json_int_t)t.updates, "rows", t.rows,
                   "validation_rows", t.val_rows, "seed", seed_json(t.seed), "best_epoch", t.best_epoch, "restored",
                   (int)t.restored, "loss", real_or_null(t.loss), "validation_loss", real_or_null(t.val_loss),
                   "best_loss", real_or_null(t.best_loss), "score", score, "version", t.version);
}

static json_t *to_json(nnb_net *net) {
  json_t *inputs = json_array(), *targets = json_array(), *classes = json_array(), *nodes = json_array();
  for (int i = 0; i < nnb_net_n_in(net); i++) json_array_append_new(inputs, column_json(column_of(net, i)));
  for (int i = 0; i < n_targets(net); i++)
    json_array_append_new(targets, column_json(column_of(net, nnb_net_n_in(net) + i)));
  for (int i = 0; i < nnb_net_n_out(net) && has_classes(net); i++)
    json_array_append_new(classes, text_json(or_dash(nnb_net_class_name(net, i))));
  for (int i = 1; i <= nnb_net_n_nodes(net); i++) json_array_append_new(nodes, text_json(nnb_net_node_name(net, i)));
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "parameters", (json_int_t)nnb_net_n_params(net), "nodes",
                   nodes, "training", training_json(net), "columns", table_json(net), "inputs", inputs, "targets",
                   targets, "classes", classes);
}

const struct argp *info_argp(void) {
  static const struct argp_child children[] = {{&json_flag_argp, 0, 0, 1}, {0}};
  static const struct argp argp = {
      .children = children,
      .parser = parse,
      .args_doc = "MODEL",
      .doc =
          "Shows the layers of a net that `nnblas train` or nnb_net_save saved, or of an ONNX file (.onnx), what it "
          "was trained by, its columns, scalers and classes.  A checkpoint is shown as it was when it was written."};
  return &argp;
}

int info_command(int argc, char **argv) {
  settings s = {0};
  argp_parse(info_argp(), argc, argv, 0, NULL, &s);
  nnb_net *net = NULL;
  int code = load_net(s.model, &net);
  if (!code) code = s.json ? print_json(to_json(net)) : print(net);
  if (!code) code = close_stdout();
  nnb_net_destroy(net);
  return code;
}
