/* cli/train.c: `nnblas train`: from a table to a report and a model file. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "curves.h"
#include "files.h"
#include "gnuplot.h"
#include "make.h"
#include "scores.h"
#include "watch.h"

typedef struct settings {
  make_flags make;
  const char *model, *plot;
  double hold_out; /* share of the rows; < 0: not given */
  bool json;
} settings;

enum { FEWEST_TO_HOLD_OUT = 20 };

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { HOLD_OUT = 0x900, CHECKPOINT, LOG, STREAM };

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Results:", 1},
    {"output", 'o', "FILE", 0, "save the net here, as a safetensors file", 0},
    {"hold-out", HOLD_OUT, "SHARE", 0,
     "share of the rows that is not trained on, to measure how well the net predicts; 0: none (0.2; 0 below 20 rows)",
     0},
    {"checkpoint", CHECKPOINT, "FILE", 0,
     "keep the state of the training in this file, so that --resume can go on from it", 0},
    {"log", LOG, "FILE", 0, "write a row for each epoch to this CSV file: losses, seconds, --metrics", 0},
    {0, 0, 0, 0, "Large tables:", 5},
    {"stream", STREAM, 0, 0,
     "leave the rows in the file and read them as they are needed, for tables larger than memory; without --algo, "
     "--block rows are in memory at a time (4096)",
     0},
    {0},
};

static double share_of(const char *text, struct argp_state *state) {
  char *end;
  double x = strtod(text, &end);
  if (end == text || *end || !(x >= 0 && x < 1))
    argp_failure(state, EX_USAGE, 0, "--hold-out wants a number of 0 or more, below 1, not \"%s\"", text);
  return x;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  switch (key) {
    case ARGP_KEY_INIT:
      state->child_inputs[0] = &s->plot;
      state->child_inputs[1] = &s->json;
      state->child_inputs[2] = &s->make;
      return 0;
    case 'o':
      s->model = arg;
      return 0;
    case CHECKPOINT:
      s->make.fit.opts.checkpoint = arg;
      return 0;
    case LOG:
      s->make.fit.opts.log = arg;
      return 0;
    case STREAM:
      s->make.stream = true;
      return 0;
    case HOLD_OUT:
      s->hold_out = share_of(arg, state);
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

const struct argp *train_argp(void) {
  static struct argp_child children[] = {{&plot_flag_argp, 0, 0, 1}, {&json_flag_argp, 0, 0, 1}, {0, 0, 0, 0}, {0}};
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "TABLE",
      .children = children,
      .doc =
          "Trains a net on TABLE, a CSV file (- is standard input), and reports how well it predicts rows that it was "
          "not trained on.  A target of texts is a classification, of numbers a regression.\v"
          "Ctrl-C ends the training after the present epoch; the net is then measured and saved as usual.  With "
          "--checkpoint, the "
          "command that goes on with the training is printed."};
  children[2].argp = make_flags_argp(false);
  return &argp;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

typedef struct result {
  nnb_data *all, *train, *test; /* train is all where nothing is held out; test is then NULL */
  nnb_net *net;
  nnb_report report;
  scores on_train, on_test;
  bool saved;
} result;

static int split(const settings *s, result *r) {
  int rows = nnb_data_rows(r->all);
  double share = s->hold_out >= 0 ? s->hold_out : rows < FEWEST_TO_HOLD_OUT ? 0 : 0.2;
  if (share == 0) return EX_OK;
  nnb_status status = nnb_data_split(r->all, share, s->make.fit.opts.seed, &r->train, &r->test);
  return status ? fail(status) : EX_OK;
}

static const nnb_data *trained_on(const result *r) { return r->train ? r->train : r->all; }

/* What would only be found out at the end, or too late. */
static int check(const settings *s) {
  const nnb_fit_opts *fit = &s->make.fit.opts;
  if (s->plot && fit->history == NNB_NONE)
    return refuse(EX_USAGE, "--plot needs the history of the fit: leave out --history=none");
  if (fit->resume && !fit->checkpoint)
    return refuse(EX_USAGE, "--resume needs --checkpoint FILE, the file that the first run kept its training in");
  int code = check_drawing("--plot", s->plot, s->json);
  char *script = !code && drawn_in_file(s->plot) ? picture_script(s->plot) : NULL;
  const char *const flags[] = {"--output", "--checkpoint", "--log", "--plot", "the script of --plot"};
  const char *const paths[] = {s->model, fit->checkpoint, fit->log, script ? s->plot : NULL, script};
  for (int i = 0; i < 5 && !code; i++) {
    code = spare(s->make.path, flags[i], paths[i]);
    if (!code && i < 3) code = check_output(flags[i], paths[i], i < 2);
    for (int j = 0; j < i && !code; j++) code = apart(flags[j], paths[j], flags[i], paths[i]);
  }
  free(script);
  return code;
}

/* The net's file says how well it predicts rows that it was not trained on. */
static nnb_status note_score(const result *r) {
  nnb_training training;
  if (!r->test || !nnb_net_training(r->net, &training)) return NNB_OK;
  const nnb_metric metric = scores_main(r->test);
  training.metric = metric, training.score = nnb_scores_get(r->on_test.of, metric);
  training.score_rows = nnb_data_rows(r->test);
  return nnb_net_set_training(r->net, &training);
}

static int run(const settings *s, result *r) {
  int code = check(s);
  if (!code) code = read_training_table(&s->make, &r->all);
  if (!code && !s->json) code = print_summary(r->all);
  if (!code) code = split(s, r);
  if (!code) code = make_net(trained_on(r), &s->make, "training", &r->net, &r->report);
  if (!code) code = scores_of(r->net, trained_on(r), &r->on_train);
  if (!code && r->test) code = scores_of(r->net, r->test, &r->on_test);
  return code;
}

/* What cannot be written is said beside the results, which are not lost with it.  An exit code: of the first. */
static int write_files(const settings *s, result *r) {
  nnb_status status = s->model ? note_score(r) : NNB_OK;
  int code = status ? fail(status) : EX_OK;
  if (!code && s->model) status = nnb_net_save(r->net, s->model);
  if (!code && status) code = fail_output(status);
  r->saved = s->model && !code;
  const int drawn = drawn_in_file(s->plot) ? plot_history(s->plot, &r->report) : EX_OK;
  return code ? code : drawn;
}

/* What the fit could not write, which ends no fit. */
static int check_written(const settings *s, const result *r) {
  const nnb_fit_opts *fit = &s->make.fit.opts;
  int code = EX_OK;
  if (r->report.log_status)
    code = refuse(EX_IOERR, "--log %s: not all of it is written: %s", fit->log, nnb_strstatus(r->report.log_status));
  if (r->report.checkpoint_status)
    code = refuse(EX_IOERR, "--checkpoint %s: it is not that of the end: %s", fit->checkpoint,
                  nnb_strstatus(r->report.checkpoint_status));
  return code;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* Whether the training can go on from its checkpoint, by the same command with --resume. */
static bool can_resume(const settings *s, const result *r) {
  return watch_interrupted() && s->make.fit.opts.checkpoint && !r->report.checkpoint_status;
}

/* A word as a shell reads it. */
static void print_word(const char *word) {
  if (*word &&
      strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=./,:+@%") == strlen(word)) {
    printf("%s", word);
    return;
  }
  putchar('\'');
  for (; *word; word++) *word == '\'' ? printf("'\\''") : printf("%c", *word);
  putchar('\'');
}

/* argv[0] is "nnblas train". */
static void print_resuming(const settings *s, char **argv) {
  printf("to go on: %s%s", argv[0], s->make.fit.opts.resume ? "" : " --resume");
  for (char **word = argv + 1; *word; word++) putchar(' '), print_word(*word);
  putchar('\n');
}

static json_t *resuming_words(const settings *s, char **argv) {
  json_t *words = json_pack("[s, s]", "nnblas", "train");
  if (words && !s->make.fit.opts.resume) json_array_append_new(words, json_string("--resume"));
  for (char **word = argv + 1; words && *word; word++) json_array_append_new(words, text_json(*word));
  return words;
}

static void print(const settings *s, const result *r, char **argv) {
  printf("net: %d-%s-%d: %zu parameter%s\n", nnb_data_n_in(r->all), layers_of(&s->make), nnb_data_n_out(r->all),
         nnb_net_n_params(r->net), plural((long long)nnb_net_n_params(r->net)));
  const int rows = nnb_data_rows(trained_on(r));
  printf("trained on %d row%s%s\n", rows, plural(rows), watch_interrupted() ? ", stopped by a signal" : "");
  nnb_report_print(&r->report, stdout);
  printf("rows trained on: ");
  scores_print_line(stdout, &r->on_train);
  if (r->test)
    printf("held out: "), scores_print_line(stdout, &r->on_test);
  else
    puts("held out: nothing, so nothing here says how well the net predicts other rows");
  if (scores_print_tables(stdout, r->test ? &r->on_test : &r->on_train)) putchar('\n');
  if (r->saved)
    printf("saved: %s\n", s->model);
  else if (s->model)
    puts("saved: nothing");
  else
    puts("saved: nothing; -o FILE saves the net");
  if (can_resume(s, r)) print_resuming(s, argv);
}

/* The columns that could not be inputs, and why. */
static json_t *left_out_json(const nnb_data *data) {
  json_t *list = json_array();
  const char *name, *why;
  for (int i = 0; (name = nnb_data_left_out(data, i, &why)); i++)
    json_array_append_new(list, json_pack("{s:o, s:o}", "column", text_json(name), "why", text_json(why)));
  return list;
}

static json_t *to_json(const settings *s, const result *r, char **argv) {
  json_t *o =
      json_pack("{s:o, s:i, s:i, s:o, s:s, s:I, s:s, s:i, s:f, s:s, s:o}", "table", text_json(s->make.path), "rows",
                nnb_data_rows(r->all), "inputs", nnb_data_n_in(r->all), "left_out", left_out_json(r->all), "layers",
                layers_of(&s->make), "parameters", (json_int_t)nnb_net_n_params(r->net), "algorithm",
                nnb_algo_name(r->report.algo), "epochs", r->report.epochs, "seconds", r->report.seconds, "stop",
                nnb_stop_text(r->report.stop), "trained_on", scores_json(&r->on_train));
  if (o && r->test) json_object_set_new(o, "held_out", scores_json(&r->on_test));
  if (o && r->saved) json_object_set_new(o, "model", text_json(s->model));
  if (o && can_resume(s, r)) json_object_set_new(o, "resume", resuming_words(s, argv));
  return o;
}

int train_command(int argc, char **argv) {
  settings s = {.hold_out = -1};
  argp_parse(train_argp(), argc, argv, 0, NULL, &s);
  result r = {0};
  int code = run(&s, &r);
  const int written = code ? EX_OK : write_files(&s, &r);
  if (!code && s.json)
    code = print_json(to_json(&s, &r, argv));
  else if (!code)
    print(&s, &r, argv);
  if (!code && s.plot && !drawn_in_file(s.plot)) code = plot_history(s.plot, &r.report);
  if (!code) code = close_stdout();
  if (!code) code = written;
  const int lost = r.net ? check_written(&s, &r) : EX_OK;
  if (!code) code = lost;
  scores_free(&r.on_train), scores_free(&r.on_test);
  nnb_net_destroy(r.net);
  nnb_data_destroy(r.train), nnb_data_destroy(r.test), nnb_data_destroy(r.all);
  return code;
}
