/* cli/cv.c: `nnblas cv`: cross-validation of the net that `nnblas train` would make. */
#include <stdlib.h>
#include <sysexits.h>

#include "command.h"
#include "cv_flags.h"
#include "files.h"
#include "make.h"
#include "scores.h"
#include "watch.h"

typedef struct settings {
  make_flags make;
  nnb_cv_opts cv;
  bool json;
} settings;

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state) {
  settings *s = state->input;
  (void)arg;
  if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
  state->child_inputs[0] = &s->cv;
  state->child_inputs[1] = &s->json;
  state->child_inputs[2] = &s->make;
  return 0;
}

const struct argp *cv_argp(void) {
  static struct argp_child children[] = {
      {&cv_flags_argp, 0, "Cross-validation:", 1}, {&json_flag_argp, 0, 0, 1}, {0, 0, 0, 0}, {0}};
  static const struct argp argp = {
      .parser = parse,
      .args_doc = "TABLE",
      .children = children,
      .doc =
          "Estimates how well the net that `nnblas train` makes with the same options predicts new rows: each part of "
          "TABLE is predicted by a net trained on the others.  The parts are trained at the same time, one on each "
          "processor; --threads sets how many.  --metrics says which metrics are reported."};
  children[2].argp = make_flags_argp(true);
  return &argp;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static int validate(settings *s, const nnb_data *all, nnb_cv_report *report) {
  nnb_net *net = NULL;
  nnb_fit_opts opts = s->make.fit.opts;
  double *weight = NULL;
  int code = class_weights(all, &s->make, &s->cv.weigh_classes, &weight);
  if (!code) code = draft_net(all, &s->make, &net);
  s->cv.seed = opts.seed, s->cv.threads = opts.threads, s->cv.on_run = watch_run, s->cv.class_weight = weight;
  if (!code) {
    watch_begin_runs(&opts, "cross-validation");
    nnb_status status = nnb_cross_validate(net, all, &opts, &s->cv, report);
    watch_end();
    if (status) code = fail(status);
  }
  if (!code && report->stopped)
    code = refuse(EX_TEMPFAIL, "stopped by a signal after %d run%s", report->n_runs, plural(report->n_runs));
  free(weight);
  nnb_net_destroy(net);
  return code;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* The metrics to print: those of --metrics. */
static unsigned asked(const settings *s, const nnb_data *all) {
  return s->make.fit.opts.metrics ? s->make.fit.opts.metrics : (unsigned)scores_main(all);
}

static void print(const settings *s, const nnb_data *all, const nnb_cv_report *report) {
  const unsigned metrics = asked(s, all);
  for (int i = 0; i < report->n_runs; i++) {
    const nnb_cv_run *run = &report->run[i];
    if (s->cv.repeats > 1) printf("repeat %d, ", run->repeat + 1);
    printf("fold %d:", run->fold + 1);
    for (unsigned m = 1; m <= metrics; m <<= 1)
      if (m & metrics)
        printf(" %s %.4g,", nnb_metric_name((nnb_metric)m), nnb_cv_report_run_metric(report, i, (nnb_metric)m));
    printf(" %d row%s\n", run->test_rows, plural(run->test_rows));
  }
  for (unsigned m = 1; m <= metrics; m <<= 1) {
    const nnb_cv_score score = nnb_cv_report_metric(report, (nnb_metric)m);
    if (m & metrics)
      printf("mean: %s %.4g ± %.2g (standard error); a constant prediction: %.4g\n", nnb_metric_name((nnb_metric)m),
             score.mean, score.error, scores_baseline(all, (nnb_metric)m));
  }
}

static json_t *metric_json(const nnb_data *all, const nnb_cv_report *report, nnb_metric metric) {
  const nnb_cv_score score = nnb_cv_report_metric(report, metric);
  json_t *list = json_array();
  for (int i = 0; i < report->n_runs; i++)
    json_array_append_new(list, real_or_null(nnb_cv_report_run_metric(report, i, metric)));
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "folds", list, "mean", real_or_null(score.mean), "standard_error",
                   real_or_null(score.error), "plain_standard_error", real_or_null(score.plain_error), "baseline",
                   real_or_null(scores_baseline(all, metric)));
}

static json_t *to_json(const settings *s, const nnb_data *all, const nnb_cv_report *report) {
  const unsigned metrics = asked(s, all);
  json_t *list = json_object();
  for (unsigned m = 1; m <= metrics; m <<= 1)
    if (m & metrics) json_object_set_new(list, nnb_metric_name((nnb_metric)m), metric_json(all, report, (nnb_metric)m));
  return json_pack("{s:o, s:i, s:o}", "table", text_json(s->make.path), "repeats",
                   s->cv.repeats > 1 ? s->cv.repeats : 1, "metrics", list);
}

int cv_command(int argc, char **argv) {
  settings s = {0};
  argp_parse(cv_argp(), argc, argv, 0, NULL, &s);
  nnb_data *all = NULL;
  nnb_cv_report report = {0};
  int code = read_training_table(&s.make, &all);
  if (!code && !s.json) code = print_summary(all);
  if (!code) code = validate(&s, all, &report);
  if (!code && s.json)
    code = print_json(to_json(&s, all, &report));
  else if (!code)
    print(&s, all, &report);
  if (!code) code = close_stdout();
  nnb_cv_report_clear(&report);
  nnb_data_destroy(all);
  return code;
}
