/* cli/predict.c: `nnblas predict`: the rows of a table through a saved net. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "model.h"

typedef struct settings {
  model_flags model;
  const char *output;
  bool probabilities;
} settings;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "write the predictions here, not to standard output", 0},
    {"probabilities", 'p', 0, 0, "of a classification: the probability of each class, after the class", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->model;
      return 0;
    case 'o':
      s->output = arg;
      return 0;
    case 'p':
      s->probabilities = true;
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static bool is_classifier(const nnb_net *net) { return nnb_net_class_name(net, 0) != NULL; }

/* A single output is the probability of the second of two classes. */
static int n_classes(int n_out) { return n_out > 1 ? n_out : 2; }
static double probability(const nnb_real *y, int n_out, int c) { return n_out > 1 ? y[c] : c ? y[0] : 1 - y[0]; }

static void print_header(FILE *f, const nnb_net *net, bool probabilities) {
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net), targets = is_classifier(net) ? 1 : n_out;
  for (int j = 0; j < targets; j++) {
    const char *name = nnb_net_column_name(net, n_in + j);
    if (j) fputc(',', f);
    print_field(f, name ? name : "prediction");
  }
  for (int c = 0; probabilities && c < n_classes(n_out); c++) fputc(',', f), print_field(f, nnb_net_class_name(net, c));
  fputc('\n', f);
}

static int largest(const nnb_real *y, int n) {
  int best = 0;
  for (int j = 1; j < n; j++)
    if (y[j] > y[best]) best = j;
  return best;
}

static void print_row(FILE *f, const nnb_net *net, const nnb_real *y, bool probabilities) {
  int n = nnb_net_n_out(net);
  bool classes = is_classifier(net);
  if (classes) print_field(f, nnb_net_class_name(net, n > 1 ? largest(y, n) : y[0] > 0.5));
  for (int c = 0; probabilities && c < n_classes(n); c++) fputc(',', f), print_number(f, probability(y, n, c));
  for (int j = 0; j < n && !classes; j++) {
    if (j) fputc(',', f);
    print_number(f, y[j]);
  }
  fputc('\n', f);
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static int write_predictions(const settings *s, nnb_net *net, const nnb_real *y, int rows) {
  text_file file;
  int code = open_text(s->output, &file);
  if (!code) print_header(file.stream, net, s->probabilities);
  for (int i = 0; i < rows && !code; i++)
    print_row(file.stream, net, y + (size_t)i * (size_t)nnb_net_n_out(net), s->probabilities);
  const int closed = close_text(&file);
  return code ? code : closed;
}

static int predict(const settings *s, nnb_net *net, const nnb_data *data) {
  int rows = nnb_data_rows(data), n = nnb_net_n_out(net);
  nnb_batch batch;
  nnb_real *y = malloc((size_t)rows * (size_t)n * sizeof *y);
  if (!y) return refuse(EX_OSERR, "out of memory");
  nnb_status status = nnb_data_batch(data, 0, rows, &batch);
  if (!status) status = nnb_net_predict(net, batch.x, nnb_view(y, rows, n));
  int code = status ? fail(status) : write_predictions(s, net, y, rows);
  free(y);
  return code;
}

const struct argp *predict_argp(void) {
  static const struct argp_child children[] = {{&model_flags_argp, 0, 0, 2}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "MODEL TABLE",
      .children = children,
      .doc =
          "Predicts the rows of TABLE, a CSV file (- is standard input), with a net that `nnblas train` saved or "
          "that an ONNX file (.onnx) has, and prints one line for each row.\vThe columns of the table are found by "
          "name, in any order; other columns are ignored.  Of a net whose columns have no names, or not all of them, "
          "the table has the inputs in their order; a target that has a name is left out."};
  return &argp;
}

static int check_flags_of_targets(const nnb_csv_opts *csv) {
  const char *flag = csv->target ? "--target" : csv->n_targets ? "--targets" : csv->classify ? "--classes" : NULL;
  return flag ? refuse(EX_USAGE, "%s: predict reads no targets; score does", flag) : EX_OK;
}

int predict_command(int argc, char **argv) {
  settings s = {0};
  argp_parse(predict_argp(), argc, argv, 0, NULL, &s);
  nnb_net *net = NULL;
  nnb_data *data = NULL;
  int code = check_flags_of_targets(&s.model.table.csv);
  if (!code) code = load_model(&s.model, &net);
  if (!code && s.probabilities && !is_classifier(net))
    code = refuse(EX_USAGE, "--probabilities: %s is not a classifier", s.model.model);
  if (!code && s.output && strcmp(s.output, "-") != 0) code = check_output("--output", s.output, false);
  if (!code) code = spare(s.model.model, "--output", s.output);
  if (!code) code = spare(s.model.path, "--output", s.output);
  if (!code) code = read_table_for_model(&s.model, net, false, &data);
  if (!code) code = predict(&s, net, data);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
  return code;
}
