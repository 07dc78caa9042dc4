/* cli/score.c: `nnblas score`: a saved net on a table with targets. */
#include <sysexits.h>

#include "command.h"
#include "files.h"
#include "gnuplot.h"
#include "model.h"
#include "pictures.h"
#include "scores.h"

typedef struct settings {
  model_flags model;
  const char *plot;
  bool json;
} settings;

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  (void)arg;
  if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
  state->child_inputs[0] = &s->plot;
  state->child_inputs[1] = &s->json;
  state->child_inputs[2] = &s->model;
  return 0;
}

const struct argp *score_argp(void) {
  static const struct argp_child children[] = {
      {&plot_flag_argp, 0, 0, 1}, {&json_flag_argp, 0, 0, 1}, {&model_flags_argp, 0, 0, 2}, {0}};
  static const struct argp argp = {
      .parser = parse,
      .args_doc = "MODEL TABLE",
      .children = children,
      .doc =
          "Measures how well a saved net, or one of an ONNX file (.onnx), predicts TABLE, a CSV file with targets (- "
          "is standard input)."};
  return &argp;
}

int score_command(int argc, char **argv) {
  settings s = {0};
  argp_parse(score_argp(), argc, argv, 0, NULL, &s);
  nnb_net *net = NULL;
  nnb_data *data = NULL;
  scores of = {0};
  int code = check_drawing("--plot", s.plot, s.json);
  if (!code) code = spare_drawing(s.model.model, "--plot", s.plot);
  if (!code) code = spare_drawing(s.model.path, "--plot", s.plot);
  if (!code) code = load_model(&s.model, &net);
  if (!code) code = read_table_for_model(&s.model, net, true, &data);
  if (!code) code = scores_of(net, data, &of);
  const int drawn = !code && drawn_in_file(s.plot) ? plot_scores(s.plot, net, data) : EX_OK;
  if (!code && s.json)
    code = print_json(scores_json(&of));
  else if (!code)
    scores_print_line(stdout, &of), scores_print_tables(stdout, &of);
  if (!code && s.plot && !drawn_in_file(s.plot)) code = plot_scores(s.plot, net, data);
  if (!code) code = close_stdout();
  if (!code) code = drawn;
  scores_free(&of);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
  return code;
}
