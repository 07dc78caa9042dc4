/* cli/make.c: see make.h. */
#include "make.h"

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

int read_training_table(const make_flags *flags, nnb_data **data) {
  int code = read_table(flags->path, &flags->table.csv, data);
  if (!code && nnb_data_n_out(*data) == 0) code = refuse(EX_DATAERR, "%s has no target", flags->path);
  if (!code && nnb_data_n_classes(*data) == 1)
    code = refuse(EX_DATAERR, "%s: all rows have the class \"%s\"; there is nothing to learn", flags->path,
                  or_dash(nnb_data_class_name(*data, 0)));
  return code;
}

int draft_net(const nnb_data *data, const make_flags *flags, nnb_net **net) {
  nnb_status status = nnb_net_for_data(data, flags->layers, net);
  if (status == NNB_E_PARSE) return refuse(EX_USAGE, "--layers: %s", nnb_errmsg());
  if (!status) status = (nnb_status)nnb_net_seed(*net, flags->fit.opts.seed);
  return status ? fail(status) : EX_OK;
}

int make_net(const nnb_data *data, const make_flags *flags, const char *what, nnb_net **net, nnb_report *report) {
  int code = draft_net(data, flags, net);
  if (code) return code;
  nnb_fit_opts opts = flags->fit.opts;
  watch_begin(&opts, what);
  nnb_status status = nnb_fit(*net, data, NULL, &opts, report);
  watch_end();
  if (!status) return EX_OK;
  code = fail(status);
  if (status == NNB_E_ARG && opts.resume)
    refuse(code, "--resume goes on with the same table and options; without it the training begins again");
  return code;
}
