/* cli/score.c: `nnblas score`: a saved net on a table with targets. */
#include <sysexits.h>

#include "command.h"
#include "plot.h"
#include "scores.h"
#include "table.h"

typedef struct settings {
  table_flags table;
  const char *model, *path, *plot;
  bool json;
} settings;

enum { PLOT = 0x900 };

static const struct argp_option options[] = {
    {"plot", PLOT, "FILE", 0,
     "draw predicted against true values, or the confusion matrix, by gnuplot: FILE.png, FILE.svg, or - for the "
     "terminal",
     0},
    {"json", 'j', 0, 0, "print the results as one JSON object", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->table;
      return 0;
    case PLOT:
      if (!plot_is_drawable(arg))
        argp_failure(state, EX_USAGE, 0, "--plot wants a file .png or .svg, or -, not %s", arg);
      s->plot = arg;
      return 0;
    case 'j':
      s->json = true;
      return 0;
    case ARGP_KEY_ARG:
      if (s->path) argp_error(state, "what is %s? A model and a table are wanted", arg);
      *(s->model ? &s->path : &s->model) = arg;
      return 0;
    case ARGP_KEY_END:
      if (!s->path) argp_error(state, "a model and a table are wanted");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *score_argp(void) {
  static const struct argp_child children[] = {{&table_flags_argp, 0, 0, 1}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "MODEL TABLE",
      .children = children,
      .doc = "Measures how well a saved net predicts TABLE, a CSV file with targets (- is standard input)."};
  return &argp;
}

int score_command(int argc, char **argv) {
  settings s = {0};
  argp_parse(score_argp(), argc, argv, 0, NULL, &s);
  nnb_net *net = NULL;
  nnb_data *data = NULL;
  scores of = {0};
  nnb_status status = nnb_net_load(s.model, NULL, &net);
  int code = status ? fail(status) : read_table_for(net, s.path, &s.table.csv, true, &data);
  if (!code) code = scores_of(net, data, &of);
  if (!code && s.json)
    code = print_json(scores_json(&of, net));
  else if (!code)
    scores_print(stdout, &of, net);
  if (!code && s.plot) code = plot_scores(s.plot, net, data, &of);
  if (!code) code = close_result(NULL, stdout);
  scores_free(&of);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
  return code;
}
