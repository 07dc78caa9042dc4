/* cli/model.c: see model.h. */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

enum { UNSEEN_LEVELS = 0xA00 };

static const struct argp_option options[] = {
    {"unseen-levels", UNSEEN_LEVELS, 0, 0,
     "a text that its column did not have in training is read as none of the known ones, not as an error", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  model_flags *m = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &m->table;
      return 0;
    case UNSEEN_LEVELS:
      m->table.csv.unseen_levels = true;
      return 0;
    case ARGP_KEY_ARG:
      if (m->path) argp_error(state, "what is %s? A model and a table are wanted", arg);
      *(m->model ? &m->path : &m->model) = arg;
      return 0;
    case ARGP_KEY_END:
      if (!m->path && !m->unused) argp_error(state, "a model and a table are wanted");
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&table_flags_argp, 0, "How the table is read:", 2}, {0}};
const struct argp model_flags_argp = {.options = options, .parser = parse, .children = children};

static bool ends_in(const char *path, const char *ending) {
  const size_t n = strlen(path), k = strlen(ending);
  return n > k && strcmp(path + n - k, ending) == 0;
}

int load_net(const char *path, nnb_net **net) {
  const bool onnx = ends_in(path, ".onnx");
  nnb_status status = onnx ? nnb_net_load_onnx(path, NULL, net) : nnb_net_load(path, NULL, net);
  if (!status) return EX_OK;
  const int code = fail_input(status);
  if (status != NNB_E_PARSE || onnx) return code;
  return refuse(code,
                "a model is what `nnblas train` saves, or an ONNX file whose name ends in .onnx; weights of PyTorch "
                "become one by `nnblas convert --from=torch --like MODEL`");
}

int load_model(const model_flags *flags, nnb_net **net) { return load_net(flags->model, net); }

static int names_of_classes(const nnb_net *net, int n, const char **names) {
  for (int i = 0; i < n; i++)
    if (!(names[i] = nnb_net_class_name(net, i))) return 0;
  return n;
}

/* A table that does not fit is wrong data, unless flags say how to read it. */
static int fail_data(const model_flags *flags, nnb_status status) {
  const nnb_csv_opts *o = &flags->table.csv;
  const int code = fail_table(flags->path, status);
  const bool chosen = o->target || o->n_targets || o->classify || o->n_leave || o->header;
  return status == NNB_E_ARG && !chosen ? EX_DATAERR : code;
}

static bool all_named(const nnb_columns *columns) {
  for (int i = 0; nnb_columns_at(columns, i); i++)
    if (!nnb_columns_at(columns, i)->name) return false;
  return columns != NULL;
}

static int n_targets(const nnb_net *net) { return nnb_net_class_name(net, 0) ? 1 : nnb_net_n_out(net); }

/* room: for the names of n_out classes */
static nnb_status read_with_targets(const model_flags *flags, const nnb_net *net, const char **room, nnb_data **data) {
  nnb_csv_opts opts = flags->table.csv;
  opts.columns = nnb_net_columns(net);
  if (all_named(opts.columns)) opts.leave = NULL, opts.n_leave = 0; /* which are not looked for */
  if (!opts.target && n_targets(net) == 1) opts.target = nnb_net_column_name(net, nnb_net_n_in(net));
  if (!opts.target) opts.n_targets = n_targets(net);
  opts.n_class_names = names_of_classes(net, nnb_net_n_out(net), room);
  opts.class_names = opts.n_class_names ? room : NULL;
  return parse_table(flags->path, &opts, data);
}

/* Without the first n columns in `leave`, which has room for MOST_LEFT more: those that the flags leave. */
static nnb_status read_inputs(const model_flags *flags, const nnb_net *net, const char **leave, int n,
                              nnb_data **data) {
  nnb_csv_opts opts = flags->table.csv;
  opts.columns = nnb_net_columns(net), opts.n_targets = NNB_NONE;
  if (all_named(opts.columns)) opts.n_leave = 0;
  for (int i = 0; i < opts.n_leave; i++) leave[n + i] = opts.leave[i];
  opts.n_leave += n, opts.leave = opts.n_leave > 0 ? leave : NULL;
  return parse_table(flags->path, &opts, data);
}

/* Where not all inputs have names they are taken in their order, so the targets are left out, if the table has them. */
static nnb_status read_without_targets(const model_flags *flags, const nnb_net *net, const char **room,
                                       nnb_data **data) {
  const int most = all_named(nnb_net_columns(net)) ? 0 : n_targets(net), n_in = nnb_net_n_in(net);
  int n = 0;
  while (n < most && (room[n] = nnb_net_column_name(net, n_in + n))) n++;
  nnb_status status = read_inputs(flags, net, room, n, data);
  if (status == NNB_E_ARG && n > 0) status = read_inputs(flags, net, room, 0, data); /* it has no such columns */
  return status;
}

int read_table_for_model(const model_flags *flags, const nnb_net *net, bool with_targets, nnb_data **data) {
  const char **room = malloc(((size_t)nnb_net_n_out(net) + MOST_LEFT) * sizeof *room);
  if (!room) return refuse(EX_OSERR, "out of memory");
  const nnb_status status = (with_targets ? read_with_targets : read_without_targets)(flags, net, room, data);
  free(room);
  return status ? fail_data(flags, status) : EX_OK;
}
