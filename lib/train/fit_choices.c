/* train/fit_choices.c: see fit_choices.h. */
#include "fit_choices.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "options.h"
#include "safetensors.h"
#include "schedule.h"
#include "state.h"
#include "status.h"

static const char asked_key[] = "nnblas.state.fit.asked", opts_key[] = "nnblas.state.fit";

static void visit(nnb__choices *c, nnb__visitor *s) {
  nnb__state_int(s, "fit.choice", 0, INT_MAX, &c->choice);
  nnb__state_int(s, "fit.trials", 0, INT_MAX, &c->trials);
  nnb__state_int(s, "fit.held_rows", 0, INT_MAX, &c->held_rows);
  nnb__state_number(s, "fit.held_loss", -HUGE_VAL, HUGE_VAL, &c->held_loss);
  nnb__state_number(s, "fit.held_share", 0, 0.5, &c->held_share);
  nnb__state_int(s, "fit.starts", 0, INT_MAX, &c->starts);
  nnb__state_int(s, "fit.start", 0, INT_MAX, &c->start);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static nnb_status put_opts(const nnb_fit_opts *opts, const char *key, nnb__bag *bag) {
  char *text;
  nnb_status status = nnb__opts_print(NNB__FIT_OPTS, opts, &text);
  if (status) return status;
  nnb__bag_string(bag, key, text);
  nnb__release(text);
  return bag->status;
}

nnb_status nnb__choices_put(const nnb__choices *c, const nnb_fit_opts *opts, nnb__bag *bag) {
  nnb__visitor state = {.way = NNB__STATE_SAVE, .out = bag};
  nnb__choices copy = *c;
  visit(&copy, &state);
  nnb_status status = state.status;
  if (!status) status = put_opts(c->asked, asked_key, bag);
  return status ? status : put_opts(opts, opts_key, bag);
}

void nnb__choices_report(const nnb__choices *c, nnb_report *r) {
  r->choice = (nnb_choice)c->choice, r->trials = c->trials, r->held_rows = c->held_rows, r->held_loss = c->held_loss;
  r->starts = c->starts, r->start = c->start;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Options that may differ from those in the file: they decide when the training ends, or how the same numbers are
 * computed. */
static const char *const *free_options(nnb_schedule schedule) {
#define FREE_OPTIONS                                                                               \
  "max_seconds", "target_loss", "patience", "min_delta", "threads", "chunk", "checkpoint_seconds", \
      "checkpoint_epochs", "resume"
  static const char *const few[] = {FREE_OPTIONS, NULL}, *const all[] = {FREE_OPTIONS, "max_epochs", NULL};
  return nnb__schedule_needs_epochs(schedule) ? few : all;
}

static nnb_status take(nnb__choices *c, nnb_fit_opts *opts) {
  const char *asked = nnb__bag_find_string(&c->bag, asked_key), *text = nnb__bag_find_string(&c->bag, opts_key);
  nnb__visitor check = {.way = NNB__STATE_CHECK, .in = &c->bag}, load = {.way = NNB__STATE_LOAD, .in = &c->bag};
  nnb_fit_opts before = {0};
  if (!asked || !text) return nnb__fail(NNB_E_ARG, "the file has a net but is not a checkpoint of a fit");
  visit(c, &check);
  if (check.status) return check.status;
  *opts = before;
  if (nnb__opts_parse(NNB__FIT_OPTS, asked, &before) || nnb__opts_parse(NNB__FIT_OPTS, text, opts))
    return nnb__fail(NNB_E_PARSE, "its options are malformed");
  nnb_status status =
      nnb__opts_match(NNB__FIT_OPTS, c->asked, "the training in the file", asked, free_options(opts->schedule));
  if (status) return status;
  nnb__opts_overlay(NNB__FIT_OPTS, &before, c->asked, opts);
  visit(c, &load);
  c->resumes = true;
  return NNB_OK;
}

/* Whether there is a file to resume from. */
static bool has_file(const nnb_fit_opts *asked) {
  const char *path = asked->checkpoint;
  return path && *path && asked->resume && (access(path, F_OK) == 0 || errno != ENOENT);
}

/* The file of rank 0 on all ranks; *there: it has one. */
static nnb_status read_file(nnb__choices *c, nnb__comm *comm, bool *there) {
  const bool reads = nnb__comm_rank(comm) == 0 && has_file(c->asked);
  nnb_status status = reads ? nnb__bytes_read(c->asked->checkpoint, false, &c->file) : NNB_OK;
  int64_t n = reads && !status ? (int64_t)c->file.n : -1;
  if (!(status = nnb__comm_agree(comm, status))) status = nnb__comm_broadcast(comm, 0, sizeof n, &n);
  *there = n >= 0;
  if (status || !comm || !*there) return status;
  if (!c->file.p) c->file.p = nnb__alloc((size_t)n, 1), c->file.n = c->file.cap = (size_t)n;
  status = nnb__comm_agree(comm, c->file.p ? NNB_OK : nnb__fail_nomem("a checkpoint"));
  return status ? status : nnb__comm_broadcast(comm, 0, (size_t)n, c->file.p);
}

static nnb_status parse_file(nnb__choices *c, nnb_fit_opts *opts) {
  const char *path = c->asked->checkpoint;
  nnb_status status = nnb__safetensors_parse(c->file.p, c->file.n, path, &c->bag);
  if (status) return status;
  status = take(c, opts);
  return status ? nnb__choices_explain(path, status) : NNB_OK;
}

nnb_status nnb__choices_open(nnb__choices *c, nnb__comm *comm, nnb_fit_opts *opts) {
  bool there;
  const nnb_status status = read_file(c, comm, &there);
  return status || !there ? status : nnb__comm_agree(comm, parse_file(c, opts));
}

void nnb__choices_close(nnb__choices *c) {
  nnb__bag_clear(&c->bag);
  nnb__bytes_clear(&c->file);
}

nnb_status nnb__choices_explain(const char *path, nnb_status status) {
  char why[NNB__MESSAGE * 3 / 4];
  if (status == NNB_E_NOMEM) return status;
  snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, nnb_errmsg());
  return nnb__fail(status, "resuming from %s: %s", path, why);
}
