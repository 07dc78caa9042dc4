/* cli/make.c: see make.h. */
#include "make.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "as_flags.h"
#include "command.h"
#include "watch.h"

static const char default_layers[] = "20:tanh";
enum { STREAM_BLOCK = 4096 }; /* rows that are read from the file together */

enum { LOSS = 0xE00, FANN, DELTA, SMOOTHING, WEIGHT };

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Tables of FANN:", 4},
    {"fann", FANN, 0, 0, "TABLE is a training file of FANN, which says itself what its targets are", 0},
    {0, 0, 0, 0, "The net:", 6},
    {"layers", 'l', "LAYERS", 0,
     "hidden layers joined by '-', each a size and an activation: 64:relu-32:relu; none: no hidden layer (20:tanh)", 0},
    {"loss", LOSS, "NAME", 0, "what training minimises (cross_entropy for classes, else mse)", 0},
    {"delta", DELTA, "NUMBER", 0,
     "of --loss=huber: errors beyond it count linearly, in units of the standard deviation of the target (1)", 0},
    {"label-smoothing", SMOOTHING, "NUMBER", 0,
     "of classes: the share of each target that is spread over all classes, 0 or more, below 1 (0)", 0},
    {"class-weight", WEIGHT, "WEIGHT", 0,
     "weight of the rows of a class in training, CLASS=NUMBER, which may be given several times; balanced: all classes "
     "count the same",
     0},
    {0},
};

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static nnb_loss loss_of(const char *text, struct argp_state *state) {
  nnb_loss loss = NNB_LOSS_AUTO;
  if (!nnb_loss_find(text, &loss)) argp_failure(state, EX_USAGE, 0, "--loss: %s", nnb_errmsg());
  return loss;
}

static bool is_number(const char *text, double *out) {
  char *end;
  *out = strtod(text, &end);
  return end != text && !*end && isfinite(*out);
}

static double delta_of(const char *text, struct argp_state *state) {
  double x;
  if (!is_number(text, &x) || x <= 0)
    argp_failure(state, EX_USAGE, 0, "--delta wants a number above 0, not \"%s\"", text);
  return x;
}

static double smoothing_of(const char *text, struct argp_state *state) {
  double x;
  if (!is_number(text, &x) || x < 0 || x >= 1)
    argp_failure(state, EX_USAGE, 0, "--label-smoothing wants a number of 0 or more, below 1, not \"%s\"", text);
  return x;
}

static void add_weight(make_flags *m, const char *text, struct argp_state *state) {
  const char *equals = strrchr(text, '=');
  double x;
  if (strcmp(text, "balanced") == 0)
    m->balanced = true;
  else if (!equals || !is_number(equals + 1, &x) || x < 0)
    argp_failure(state, EX_USAGE, 0,
                 "--class-weight wants balanced, or CLASS=NUMBER with a number of 0 or more, not \"%s\"", text);
  else if (m->n_weights == MOST_WEIGHTS)
    argp_failure(state, EX_USAGE, 0, "--class-weight: at most %d classes", MOST_WEIGHTS);
  else
    m->weight[m->n_weights++] = text;
  if (m->balanced && m->n_weights > 0)
    argp_failure(state, EX_USAGE, 0, "--class-weight: either balanced, or weights of single classes");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  make_flags *m = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &m->table;
      state->child_inputs[1] = &m->table;
      state->child_inputs[2] = &m->fit;
      return 0;
    case FANN:
      m->fann = true;
      return 0;
    case 'l':
      m->layers = arg;
      return 0;
    case LOSS:
      m->loss.loss = loss_of(arg, state);
      return 0;
    case DELTA:
      m->loss.delta = delta_of(arg, state);
      return 0;
    case SMOOTHING:
      m->loss.label_smoothing = smoothing_of(arg, state);
      return 0;
    case WEIGHT:
      add_weight(m, arg, state);
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

const struct argp *make_flags_argp(bool of_copies) {
  static struct argp_child children[] = {{&table_flags_argp, 0, "How the table is read:", 2},
                                         {&column_flags_argp, 0, "Texts and missing values:", 3},
                                         {0, 0, "Training:", 7},
                                         {0}};
  static const struct argp argp = {.options = options, .parser = parse, .children = children};
  children[2].argp = fit_flags_argp(of_copies);
  return &argp;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int read_rows(const make_flags *flags, nnb_data **data) {
  if (flags->fann && (flags->stream || table_flags_given(&flags->table) || column_flags_given(&flags->table)))
    return refuse(EX_USAGE, "--fann says all of the table; %s for CSV files",
                  flags->stream ? "--stream is" : "flags of separators and columns are");
  if (flags->fann && strcmp(flags->path, "-") == 0)
    return refuse(EX_USAGE, "--fann reads a file; standard input cannot be that");
  if (flags->stream) return open_table(flags->path, &flags->table.csv, data);
  if (!flags->fann) return read_table(flags->path, &flags->table.csv, data);
  nnb_status status = nnb_data_read_fann(flags->path, data);
  return status ? fail_input(status) : EX_OK;
}

/* What the target must be for the flags. */
static int check_target(const make_flags *flags, bool classes) {
  const char *of_classes = flags->loss.label_smoothing > 0           ? "--label-smoothing"
                           : flags->balanced || flags->n_weights > 0 ? "--class-weight"
                                                                     : NULL;
  if (of_classes && !classes)
    return refuse(EX_USAGE, "%s is for classes, and the target has numbers; --classes makes them classes", of_classes);
  if (flags->stream && (flags->balanced || flags->n_weights > 0))
    return refuse(EX_USAGE, "--class-weight needs all rows in memory; leave out --stream");
  if (flags->loss.delta > 0 && flags->loss.loss != NNB_HUBER) return refuse(EX_USAGE, "--delta is for --loss=huber");
  return EX_OK;
}

int read_training_table(const make_flags *flags, nnb_data **data) {
  int code = read_rows(flags, data);
  if (!code && nnb_data_n_out(*data) == 0) code = refuse(EX_DATAERR, "%s has no target", flags->path);
  if (!code && nnb_data_n_classes(*data) == 1)
    code = refuse(EX_DATAERR, "%s: all rows have the class \"%s\"; there is nothing to learn", flags->path,
                  or_dash(nnb_data_class_name(*data, 0)));
  return code ? code : check_target(flags, nnb_data_n_classes(*data) > 0);
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* The number of the class whose name is n bytes long, or -1. */
static int find_class(const nnb_data *data, const char *name, size_t n) {
  for (int k = 0; k < nnb_data_n_classes(data); k++) {
    const char *class = nnb_data_class_name(data, k);
    if (class && strlen(class) == n && memcmp(class, name, n) == 0) return k;
  }
  return -1;
}

static int no_class(const nnb_data *data, const char *text, size_t length) {
  const int n = nnb_data_n_classes(data);
  const char **names = malloc((size_t)n * sizeof *names), *name = strndup(text, length);
  if (names && name) {
    for (int k = 0; k < n; k++) names[k] = nnb_data_class_name(data, k);
    refuse(EX_USAGE, "--class-weight=%s: there is no such class; the first of %d is \"%s\"%s", text, n,
           or_dash(names[0]), did_you_mean(name, names, n));
  }
  free(names), free((char *)name);
  return EX_USAGE;
}

int class_weights(const nnb_data *data, const make_flags *flags, bool *weighed, double **weight) {
  const int n = nnb_data_n_classes(data);
  *weighed = flags->balanced || flags->n_weights > 0, *weight = NULL;
  if (flags->n_weights == 0) return EX_OK;
  double *w = calloc((size_t)n, sizeof *w);
  if (!w) return refuse(EX_OSERR, "out of memory");
  for (int k = 0; k < n; k++) w[k] = 1;
  for (int i = 0; i < flags->n_weights; i++) {
    const char *text = flags->weight[i], *equals = strrchr(text, '=');
    const int k = find_class(data, text, (size_t)(equals - text));
    if (k < 0) {
      free(w);
      return no_class(data, text, (size_t)(equals - text));
    }
    w[k] = strtod(equals + 1, NULL);
  }
  *weight = w;
  return EX_OK;
}

/* A copy of the rows with these weights. */
static int weigh(const nnb_data *data, const double *weight, nnb_data **out) {
  const int n = nnb_data_rows(data);
  int32_t *row = malloc((size_t)n * sizeof *row);
  if (!row) return refuse(EX_OSERR, "out of memory");
  for (int i = 0; i < n; i++) row[i] = i;
  nnb_status status = nnb_data_take_rows(data, row, n, out);
  if (!status) status = nnb_data_weigh_classes(*out, weight);
  free(row);
  return status ? fail(status) : EX_OK;
}

/* ---- the net ----------------------------------------------------------------------------------------------------- */

/* Whether a net can have this loss; not said before its parameters are made. */
static int check_loss(const nnb_net *net) {
  nnb_net *copy = NULL;
  nnb_status status = nnb_net_copy(net, &copy);
  if (!status) status = nnb_net_init(copy, 0);
  nnb_net_destroy(copy);
  if (!status) return EX_OK;
  fputs("nnblas: --loss: ", stderr), print_as_flags(stderr, nnb_errmsg()), fputc('\n', stderr);
  return EX_USAGE;
}

const char *layers_of(const make_flags *flags) { return flags->layers ? flags->layers : default_layers; }

int draft_net(const nnb_data *data, const make_flags *flags, nnb_net **net) {
  nnb_status status = nnb_net_for_data(data, layers_of(flags), net);
  if (status == NNB_E_PARSE) return refuse(EX_USAGE, "--layers: %s", nnb_errmsg());
  if (!status) status = (nnb_status)nnb_net_loss_opts(*net, &flags->loss);
  if (!status) status = (nnb_status)nnb_net_seed(*net, flags->fit.opts.seed);
  if (status) return fail(status);
  return flags->loss.loss ? check_loss(*net) : EX_OK;
}

static int train(const nnb_data *data, const make_flags *flags, const char *what, nnb_net *net, nnb_report *report) {
  nnb_fit_opts opts = flags->fit.opts;
  if (flags->stream && opts.algo == NNB_AUTO && opts.block == 0 && !opts.bayes) opts.block = STREAM_BLOCK;
  watch_begin(&opts, what);
  nnb_status status = nnb_fit(net, data, NULL, &opts, report);
  watch_end();
  if (!status) return EX_OK;
  const int code = fail(status);
  if (status == NNB_E_ARG && opts.resume)
    refuse(code, "--resume goes on with the same table and options; without it the training begins again");
  return code;
}

int make_net(const nnb_data *data, const make_flags *flags, const char *what, nnb_net **net, nnb_report *report) {
  nnb_data *copy = NULL;
  double *weight = NULL;
  bool weighed;
  int code = class_weights(data, flags, &weighed, &weight);
  if (!code && weighed) code = weigh(data, weight, &copy);
  if (!code) code = draft_net(data, flags, net);
  if (!code) code = train(copy ? copy : data, flags, what, *net, report);
  free(weight);
  nnb_data_destroy(copy);
  return code;
}
