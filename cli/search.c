/* cli/search.c: `nnblas search`: which layers and options predict a table best. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "cv_flags.h"
#include "files.h"
#include "make.h"
#include "scores.h"
#include "watch.h"

typedef struct settings {
  make_flags make;
  nnb_search_opts search;
  char *space; /* all --space, joined by ';' */
  const char *model;
  int show;
  bool json, saved;
} settings;

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { SPACE = 0xC00, METHOD, CANDIDATES, FACTOR, SECONDS, SHOW };
enum { MOST_CANDIDATES = 10000, DEFAULT_SHOW = 20 };

static const char default_space[] = "layers=10:tanh,20:tanh,50:tanh,20:tanh-20:tanh,50:relu-50:relu; l2=1e-5..1 log";

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Search:", 1},
    {"space", SPACE, "SPACE", 0,
     "what varies: layers, activation or an option of the training, with a list of values, \"algo=adam,lbfgs\", or a "
     "range, \"l2=1e-5..1 log\"; several are joined by ';' or given by several --space (five kinds of layers and l2)",
     0},
    {"method", METHOD, "NAME", 0,
     "random draws candidates; grid takes all combinations; halving draws, and gives more epochs to the better ones "
     "(random)",
     0},
    {"candidates", CANDIDATES, "NUMBER", 0, "how many are drawn (20; halving 27)", 0},
    {"factor", FACTOR, "NUMBER", 0, "halving: each stage keeps one of so many (3)", 0},
    {"seconds", SECONDS, "NUMBER", 0, "seconds for the whole search; --max-seconds is for each training", 0},
    {"show", SHOW, "NUMBER", 0, "candidates to print (20)", 0},
    {"output", 'o', "FILE", 0, "train the best on all rows and save it here, as a safetensors file", 0},
    {0},
};

static int count_of(const char *flag, const char *text, int least, struct argp_state *state) {
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || *end || n < least || n > MOST_CANDIDATES)
    argp_failure(state, EX_USAGE, 0, "%s wants a number from %d to %d, not \"%s\"", flag, least, MOST_CANDIDATES, text);
  return (int)n;
}

static double seconds_of(const char *text, struct argp_state *state) {
  char *end;
  double x = strtod(text, &end);
  if (end == text || *end || !(x > 0) || isinf(x))
    argp_failure(state, EX_USAGE, 0, "--seconds wants a number above 0, not \"%s\"", text);
  return x;
}

static nnb_search_method method_of(const char *text, struct argp_state *state) {
  nnb_search_method method = NNB_SEARCH_RANDOM;
  if (!nnb_search_method_find(text, &method)) argp_failure(state, EX_USAGE, 0, "--method: %s", nnb_errmsg());
  return method;
}

static void add_space(settings *s, const char *text, struct argp_state *state) {
  const size_t before = s->space ? strlen(s->space) : 0;
  char *joined = realloc(s->space, before + strlen(text) + 2);
  if (!joined) argp_failure(state, EX_OSERR, 0, "out of memory");
  strcpy(joined + before, before ? ";" : "");
  strcat(joined + before, text);
  s->space = joined;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->search.cv;
      state->child_inputs[1] = &s->json;
      state->child_inputs[2] = &s->make;
      return 0;
    case SPACE:
      add_space(s, arg, state);
      return 0;
    case METHOD:
      s->search.method = method_of(arg, state);
      return 0;
    case CANDIDATES:
      s->search.candidates = count_of("--candidates", arg, 1, state);
      return 0;
    case FACTOR:
      s->search.factor = count_of("--factor", arg, 2, state);
      return 0;
    case SECONDS:
      s->search.max_seconds = seconds_of(arg, state);
      return 0;
    case SHOW:
      s->show = count_of("--show", arg, 1, state);
      return 0;
    case 'o':
      s->model = arg;
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *search_argp(void) {
  static struct argp_child children[] = {
      {&cv_flags_argp, 0, "How candidates are measured:", 1}, {&json_flag_argp, 0, 0, 1}, {0, 0, 0, 0}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "TABLE",
      .children = children,
      .doc =
          "Measures many nets and options by cross-validation, all on the same parts of TABLE, and prints them, the "
          "best first.  Candidates are measured at the same time, on all processors.  --metrics with one name says by "
          "which metric they are compared.\v"
          "The score of the best is better than it will be on new rows, because it is the best of many.  A column "
          "\"behind\" says by how much each is worse than the best, part by part, with the standard error of that; "
          "those within one error may be as good.  Ctrl-C ends the search without a result; --seconds ends it with "
          "what was measured by then."};
  children[2].argp = make_flags_argp(true);
  return &argp;
}

/* Whether the space names what varies. */
static bool varies(const settings *s, const char *name) {
  const size_t n = strlen(name);
  for (const char *at = s->space; at && *at; at += strcspn(at, ";"), at += *at == ';') {
    at += strspn(at, " \t\n");
    if (strncmp(at, name, n) == 0 && at[n + strspn(at + n, " \t")] == '=') return true;
  }
  return false;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* *metric ← the one of --metrics, which the training of the best needs not. */
static int score_of(nnb_fit_opts *opts, nnb_metric *metric) {
  if (opts->metrics & (opts->metrics - 1))
    return refuse(EX_USAGE, "--metrics: candidates are compared by one metric; `nnblas cv` reports several");
  *metric = (nnb_metric)opts->metrics;
  opts->metrics = 0;
  return EX_OK;
}

static int fail_search(const settings *s, nnb_status status) {
  if (strncmp(nnb_errmsg(), "max_seconds is", 14) == 0) /* of the search, not of a training */
    return refuse(EX_USAGE, "--seconds is %g: too short to measure one candidate", s->search.max_seconds);
  const int code = fail(status);
  return status == NNB_E_PARSE ? EX_USAGE : code;
}

static int search(settings *s, const nnb_data *all, nnb_net **best, nnb_search_report *report) {
  nnb_fit_opts opts = s->make.fit.opts;
  double *weight = NULL;
  nnb_net *draft = NULL;
  int code = score_of(&opts, &s->search.metric);
  if (!code) code = class_weights(all, &s->make, &s->search.cv.weigh_classes, &weight);
  if (!code) code = draft_net(all, &s->make, &draft); /* refuses what no candidate could have */
  nnb_net_destroy(draft);
  if (code) return free(weight), code;
  s->search.loss = &s->make.loss, s->search.cv.class_weight = weight;
  s->search.cv.seed = opts.seed, s->search.cv.threads = opts.threads, s->search.cv.on_run = watch_run;
  s->search.layers = !s->make.layers && varies(s, "activation") ? "20" : layers_of(&s->make);
  watch_begin_runs(&opts, "search");
  nnb_status status =
      nnb_search(all, s->space ? s->space : default_space, &opts, &s->search, s->model ? best : NULL, report);
  watch_end();
  free(weight);
  if (status) return fail_search(s, status);
  if (report->stopped)
    return refuse(EX_TEMPFAIL, "stopped by a signal after %d candidate%s", report->n, plural(report->n));
  return EX_OK;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* The flags that train the candidate, "--layers=20:tanh --l2=0.1". */
static void print_flags(const char *text) {
  for (const char *at = text; *at;) {
    const size_t n = strcspn(at, " "), name = strcspn(at, "=");
    fputs(at == text ? "--" : " --", stdout);
    for (size_t i = 0; i < n; i++) putchar(i < name && at[i] == '_' ? '-' : at[i]);
    at += n + (at[n] == ' ');
  }
}

static void print_candidate(const nnb_candidate *c, bool halving) {
  if (c->status) {
    printf("%9s  %8s  %8s  %8s  ", "failed", "", "", "");
  } else {
    printf("%9.4g  %8.2g  %8.2g  %8.2g  ", c->score.mean, c->score.error, c->behind.mean, c->behind.error);
  }
  if (halving) printf("%6d  ", c->epochs);
  puts(c->text);
  if (c->status) printf("%11s%s\n", "", c->message);
}

static double baseline(const nnb_data *all, const nnb_search_report *report) {
  nnb_metric metric;
  return nnb_metric_find(report->score, &metric) ? scores_baseline(all, metric) : (double)NAN;
}

static void print(const settings *s, const nnb_data *all, const nnb_search_report *report) {
  const bool halving = s->search.method == NNB_SEARCH_HALVING;
  const int shown = report->n < s->show ? report->n : s->show;
  int failed = 0;
  for (int i = 0; i < report->n; i++) failed += report->candidate[i].status != NNB_OK;
  printf("%d candidate%s, %d measured", report->n + report->left_out, plural(report->n + report->left_out),
         report->n - failed);
  if (failed) printf(", %d failed", failed);
  printf(", %.3g s\n\n", report->seconds);
  printf("%9s  %8s  %8s  %8s  ", report->score, "error", "behind", "error");
  puts(halving ? "epochs  candidate" : "candidate");
  for (int i = 0; i < shown; i++) print_candidate(&report->candidate[i], halving);
  if (shown < report->n) printf("and %d more; --show prints more of them\n", report->n - shown);
  printf("\na constant prediction: %.4g\n", baseline(all, report));
  printf("best: ");
  print_flags(report->candidate[0].text);
  printf("\nits score is better here than on new rows: it is the best of %d\n", report->n);
  if (s->saved)
    printf("trained on all %d row%s and saved: %s\n", nnb_data_rows(all), plural(nnb_data_rows(all)), s->model);
  else if (s->model)
    puts("saved: nothing");
  else
    puts("saved: nothing; -o FILE trains the best on all rows and saves it");
}

static json_t *candidate_json(const nnb_candidate *c) {
  json_t *o = json_pack("{s:o}", "candidate", text_json(c->text));
  if (c->status) {
    json_object_set_new(o, "failed", text_json(c->message));
    return o;
  }
  json_object_set_new(o, "mean", real_or_null(c->score.mean));
  json_object_set_new(o, "standard_error", real_or_null(c->score.error));
  json_object_set_new(o, "behind", real_or_null(c->behind.mean));
  json_object_set_new(o, "behind_error", real_or_null(c->behind.error));
  if (c->epochs) json_object_set_new(o, "epochs", json_integer(c->epochs));
  return o;
}

static json_t *to_json(const settings *s, const nnb_data *all, const nnb_search_report *report) {
  json_t *list = json_array();
  for (int i = 0; i < report->n; i++) json_array_append_new(list, candidate_json(&report->candidate[i]));
  json_t *o = json_pack("{s:o, s:s, s:i, s:o, s:f, s:o}", "table", text_json(s->make.path), "score", report->score,
                        "left_out", report->left_out, "baseline", real_or_null(baseline(all, report)), "seconds",
                        report->seconds, "candidates", list);
  if (o && s->saved) json_object_set_new(o, "model", text_json(s->model));
  return o;
}

int search_command(int argc, char **argv) {
  settings s = {.show = DEFAULT_SHOW};
  argp_parse(search_argp(), argc, argv, 0, NULL, &s);
  nnb_data *all = NULL;
  nnb_net *best = NULL;
  nnb_search_report report = {0};
  int code = spare(s.make.path, "--output", s.model);
  if (!code) code = check_output("--output", s.model, true);
  if (!code) code = read_training_table(&s.make, &all);
  if (!code && !s.json) code = print_summary(all);
  if (!code) code = search(&s, all, &best, &report);
  const nnb_status status = !code && s.model ? nnb_net_save(best, s.model) : NNB_OK;
  const int written = status ? fail_output(status) : EX_OK; /* the results are not lost with it */
  s.saved = !code && s.model && !status;
  if (!code && s.json)
    code = print_json(to_json(&s, all, &report));
  else if (!code)
    print(&s, all, &report);
  if (!code) code = close_stdout();
  if (!code) code = written;
  nnb_search_report_clear(&report);
  nnb_net_destroy(best);
  nnb_data_destroy(all);
  free(s.space);
  return code;
}
