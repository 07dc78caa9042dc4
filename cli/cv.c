/* cli/cv.c: `nnblas cv`: cross-validation of the net that `nnblas train` would make. */
#include <math.h>
#include <stdlib.h>
#include <sysexits.h>

#include "command.h"
#include "make.h"
#include "scores.h"
#include "watch.h"

enum { MOST_FOLDS = 1000 };

typedef struct settings {
  make_flags make;
  int folds;
  bool json;
} settings;

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Cross-validation:", 1},
    {"folds", 'k', "NUMBER", 0, "parts of the table, each of them once held out (5)", 0},
    {0},
};

static int folds_of(const char *text, struct argp_state *state) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end || n < 2 || n > MOST_FOLDS)
    argp_failure(state, EX_USAGE, 0, "--folds wants a number from 2 to %d, not \"%s\"", MOST_FOLDS, text);
  return (int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->json;
      state->child_inputs[1] = &s->make;
      return 0;
    case 'k':
      s->folds = folds_of(arg, state);
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* Trains on all parts but part i and measures that one. */
static int run_fold(const settings *s, const nnb_data *all, int i, scores *out) {
  nnb_data *train = NULL, *test = NULL;
  nnb_net *net = NULL;
  nnb_report report;
  char what[32];
  snprintf(what, sizeof what, "fold %d of %d", i + 1, s->folds);
  nnb_status status = nnb_data_fold(all, s->folds, i, s->make.fit.opts.seed, &train, &test);
  int code = status ? fail(status) : make_net(train, &s->make, what, &net, &report);
  if (!code && watch_interrupted()) code = refuse(EX_TEMPFAIL, "stopped by a signal in fold %d", i + 1);
  if (!code) code = scores_of(net, test, out);
  nnb_net_destroy(net);
  nnb_data_destroy(train), nnb_data_destroy(test);
  return code;
}

/* Mean and its standard error over the folds, which is too small in truth: the folds share training rows. */
static void mean_of(const double *x, int n, double *mean, double *error) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  *mean = sum / n;
  for (int i = 0; i < n; i++) squares += (x[i] - *mean) * (x[i] - *mean);
  *error = sqrt(squares / (n - 1) / n);
}

static void print(const settings *s, const nnb_data *all, const scores *folds) {
  double values[MOST_FOLDS], mean, error, baseline = 0;
  nnb_data_summary(all, stdout);
  for (int i = 0; i < s->folds; i++) {
    values[i] = scores_main(&folds[i]), baseline += folds[i].baseline / s->folds;
    printf("fold %d: %s %.4g on %d rows\n", i + 1, scores_main_name(&folds[i]), values[i], folds[i].rows);
  }
  mean_of(values, s->folds, &mean, &error);
  printf("mean: %s %.4g ± %.2g (standard error); always %s: %.4g\n", scores_main_name(folds), mean, error,
         folds->n_classes ? "the largest class" : "the mean", baseline);
}

static json_t *to_json(const settings *s, const scores *folds) {
  double values[MOST_FOLDS], mean, error;
  json_t *list = json_array();
  for (int i = 0; i < s->folds; i++) {
    values[i] = scores_main(&folds[i]);
    json_array_append_new(list, json_real(values[i]));
  }
  mean_of(values, s->folds, &mean, &error);
  return json_pack("{s:s, s:s, s:o, s:f, s:f}", "table", s->make.path, "score", scores_main_name(folds), "folds", list,
                   "mean", mean, "standard_error", error);
}

const struct argp *cv_argp(void) {
  static struct argp_child children[] = {{&json_flag_argp, 0, 0, 1}, {0, 0, 0, 0}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "TABLE",
      .children = children,
      .doc =
          "Estimates how well the net that `nnblas train` makes with the same options predicts new rows: each part of "
          "TABLE is predicted by a net trained on the others."};
  children[1].argp = make_flags_argp();
  return &argp;
}

int cv_command(int argc, char **argv) {
  settings s = {.folds = 5};
  argp_parse(cv_argp(), argc, argv, 0, NULL, &s);
  nnb_data *all = NULL;
  scores *folds = calloc((size_t)s.folds, sizeof *folds);
  int code = folds ? read_table(s.make.path, &s.make.table.csv, &all) : refuse(EX_OSERR, "out of memory");
  if (!code && nnb_data_n_out(all) == 0) code = refuse(EX_DATAERR, "%s has no target", s.make.path);
  for (int i = 0; i < s.folds && !code; i++) code = run_fold(&s, all, i, &folds[i]);
  if (!code && s.json)
    code = print_json(to_json(&s, folds));
  else if (!code)
    print(&s, all, folds);
  if (!code) code = close_result(NULL, stdout);
  for (int i = 0; i < s.folds && folds; i++) scores_free(&folds[i]);
  free(folds);
  nnb_data_destroy(all);
  return code;
}
