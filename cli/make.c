/* cli/make.c: see make.h. */
#include "make.h"

#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "watch.h"

static const char default_layers[] = "20:tanh";

static const struct argp_option options[] = {
    {0, 0, 0, 0, "The net:", 3},
    {"layers", 'l', "LAYERS", 0,
     "hidden layers joined by '-', each a size and an activation: 64:relu-32:relu; none: no hidden layer (20:tanh)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  make_flags *m = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      m->layers = default_layers;
      state->child_inputs[0] = &m->table;
      state->child_inputs[1] = &m->table;
      state->child_inputs[2] = &m->fit;
      return 0;
    case 'l':
      m->layers = arg;
      return 0;
    case ARGP_KEY_ARG:
      if (m->path) argp_error(state, "one table at a time: %s and %s", m->path, arg);
      m->path = arg;
      return 0;
    case ARGP_KEY_NO_ARGS:
      argp_error(state, "which table? A CSV file, or - for standard input");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *make_flags_argp(void) {
  static struct argp_child children[] = {
      {&table_flags_argp, 0, 0, 2}, {&column_flags_argp, 0, 0, 2}, {0, 0, "Training:", 4}, {0}};
  static const struct argp argp = {.options = options, .parser = parse, .children = children};
  children[2].argp = fit_flags_argp();
  return &argp;
}

/* The text of the whole chain: "4-20:tanh-3:softmax". */
static int build(const nnb_data *data, const char *layers, nnb_net **net) {
  char text[1024];
  bool none = strcmp(layers, "none") == 0;
  int n = snprintf(text, sizeof text, "%d-%s%s%d:%s", nnb_data_n_in(data), none ? "" : layers, none ? "" : "-",
                   nnb_data_n_out(data), nnb_data_n_classes(data) ? "softmax" : "linear");
  if (n >= (int)sizeof text) return refuse(EX_USAGE, "--layers is too long");
  nnb_status status = nnb_net_parse(text, net);
  return status ? fail(status) : EX_OK;
}

static int scale(const nnb_data *data, nnb_net *net, uint64_t seed) {
  int status = nnb_net_standardize(net, data);
  if (!status && !nnb_data_n_classes(data)) status = nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  if (!status) status = nnb_net_seed(net, seed);
  return status ? fail((nnb_status)status) : EX_OK;
}

int draft_net(const nnb_data *data, const make_flags *flags, nnb_net **net) {
  int code = build(data, flags->layers, net);
  return code ? code : scale(data, *net, flags->fit.opts.seed);
}

int make_net(const nnb_data *data, const make_flags *flags, const char *what, nnb_net **net, nnb_report *report) {
  int code = draft_net(data, flags, net);
  if (code) return code;
  nnb_fit_opts opts = flags->fit.opts;
  watch_begin(&opts, what);
  nnb_status status = nnb_fit(*net, data, NULL, &opts, report);
  watch_end();
  return status ? fail(status) : EX_OK;
}
