/* cli/plot.c: `nnblas plot`: pictures of trainings and of how a net predicts. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "curves.h"
#include "files.h"
#include "gnuplot.h"
#include "model.h"
#include "pictures.h"

enum { MOST_LOGS = 64 };

typedef struct settings {
  model_flags model;
  const char *kind, *output, *x, *y, *train; /* train: the table that the net was trained on */
  nnb_error_bars_opts bars;
  char *logs[MOST_LOGS];
  int n_logs;
} settings;

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { X = 0xB00, Y, ERROR_BARS, ALPHA, BETA };

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "draw FILE.png or FILE.svg; -: in the terminal (-)", 0},
    {"x", X, "COLUMN", 0, "boundary: the input along x, by name or number; the others are at their median", 0},
    {"y", Y, "COLUMN", 0, "boundary: the input along y", 0},
    {"error-bars", ERROR_BARS, "FILE", 0,
     "predicted: bars of one deviation of a new measurement; FILE is the table that the net was trained on", 0},
    {"alpha", ALPHA, "NUMBER", 0,
     "of a training with --bayes, which prints it and beta: the decay, for --error-bars (0)", 0},
    {"beta", BETA, "NUMBER", 0, "the same: the noise (estimated)", 0},
    {0},
};

static double number_of(const char *flag, const char *text, struct argp_state *state) {
  char *end;
  double x = strtod(text, &end);
  if (end == text || *end || !(x >= 0))
    argp_failure(state, EX_USAGE, 0, "%s wants a number of 0 or more, not \"%s\"", flag, text);
  return x;
}

static bool is(const settings *s, const char *kind) { return s->kind && strcmp(s->kind, kind) == 0; }

/* The kind, then files of logs; a model and a table are read by the child. */
static error_t parse_argument(settings *s, char *arg, struct argp_state *state) {
  if (!s->kind) {
    s->kind = arg;
    s->model.unused = is(s, "curve");
    if (!is(s, "curve") && !is(s, "confusion") && !is(s, "predicted") && !is(s, "residuals") && !is(s, "boundary"))
      argp_error(state, "wanted curve, confusion, predicted, residuals or boundary, not %s", arg);
    return 0;
  }
  if (!is(s, "curve")) return ARGP_ERR_UNKNOWN;
  if (s->n_logs == MOST_LOGS) argp_error(state, "at most %d files", MOST_LOGS);
  s->logs[s->n_logs++] = arg;
  return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->model;
      return 0;
    case 'o':
      check_picture("--output", arg, state);
      s->output = arg;
      return 0;
    case X:
      s->x = arg;
      return 0;
    case Y:
      s->y = arg;
      return 0;
    case ERROR_BARS:
      s->train = arg;
      return 0;
    case ALPHA:
      s->bars.evidence.alpha = number_of("--alpha", arg, state);
      return 0;
    case BETA:
      s->bars.evidence.beta = number_of("--beta", arg, state);
      return 0;
    case ARGP_KEY_ARG:
      return parse_argument(s, arg, state);
    case ARGP_KEY_NO_ARGS:
      argp_error(state, "what? curve, confusion, predicted, residuals or boundary");
      return 0;
    case ARGP_KEY_END:
      if (is(s, "curve") && !s->n_logs) argp_error(state, "which files? `nnblas train --log FILE` writes one");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *plot_argp(void) {
  static const struct argp_child children[] = {{&model_flags_argp, 0, 0, 2}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc =
          "curve LOG...\nconfusion MODEL TABLE\npredicted MODEL TABLE\nresiduals MODEL TABLE\nboundary MODEL TABLE",
      .children = children,
      .doc =
          "Draws a picture by gnuplot: learning curves, each LOG a file of `nnblas train --log`; or how a saved net, "
          "or one of an ONNX file (.onnx), predicts TABLE, a CSV file with targets (- is standard input).\v"
          "curve: the losses by epoch and by second.  confusion: how many rows of each class were predicted as each.  "
          "predicted: predicted against true numbers.  residuals: true - predicted.  boundary: the class that is "
          "predicted at each point of two inputs.  Beside FILE.png stands FILE.png.gp, gnuplot's script with the data "
          "in it."};
  return &argp;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static int make_bars(const settings *s, nnb_net *net, nnb_error_bars **bars) {
  model_flags from = s->model;
  nnb_data *train = NULL;
  from.path = s->train;
  int code = read_table_for_model(&from, net, true, &train);
  nnb_status status = code ? NNB_OK : nnb_error_bars_create(net, train, &s->bars, bars);
  nnb_data_destroy(train);
  return status ? fail(status) : code;
}

static int draw(const settings *s, nnb_net *net, const nnb_data *data) {
  if (is(s, "confusion")) return plot_confusion(s->output, net, data);
  if (is(s, "residuals")) return plot_residuals(s->output, net, data);
  if (is(s, "boundary")) return plot_boundary(s->output, net, data, s->x, s->y);
  nnb_error_bars *bars = NULL;
  int code = s->train ? make_bars(s, net, &bars) : EX_OK;
  if (!code) code = plot_predicted(s->output, net, data, bars);
  nnb_error_bars_destroy(bars);
  return code;
}

/* Flags that another kind takes. */
static int check_flags_of_kind(const settings *s) {
  const char *wanted = (s->x || s->y) && !is(s, "boundary") ? "--x and --y are for boundary"
                       : s->train && !is(s, "predicted")    ? "--error-bars is for predicted"
                       : (s->bars.evidence.alpha > 0 || s->bars.evidence.beta > 0) && !s->train
                           ? "--alpha and --beta are for --error-bars"
                           : NULL;
  return wanted ? refuse(EX_USAGE, "%s, not for %s", wanted, s->kind) : EX_OK;
}

int plot_command(int argc, char **argv) {
  settings s = {.output = "-"};
  argp_parse(plot_argp(), argc, argv, 0, NULL, &s);
  int code = check_flags_of_kind(&s);
  if (!code) code = check_drawing("--output", s.output, false);
  const char *const inputs[] = {s.model.model, s.model.path, s.train};
  for (int i = 0; i < 3 && !code; i++) code = spare_drawing(inputs[i], "--output", s.output);
  for (int i = 0; i < s.n_logs && !code; i++) code = spare_drawing(s.logs[i], "--output", s.output);
  if (!code && is(&s, "curve")) {
    code = plot_logs(s.output, s.logs, s.n_logs);
    return code ? code : close_stdout();
  }
  nnb_net *net = NULL;
  nnb_data *data = NULL;
  if (!code) code = load_model(&s.model, &net);
  if (!code) code = read_table_for_model(&s.model, net, true, &data);
  if (!code) code = draw(&s, net, data);
  if (!code) code = close_stdout();
  nnb_data_destroy(data);
  nnb_net_destroy(net);
  return code;
}
