/* opt/stop.c: the stopping rule of all minimisers, so that a tolerance has the same meaning in each. */
#include "stop.h"

#include <math.h>
#include "clock.h"
#include "elementary.h"
#include "options.h"
#include "status.h"

enum { IDLE = 50 };

static void complete(nnb_min_opts *o, unsigned traits, double eps) {
  nnb__opts_complete(NNB__MIN_OPTS, o, traits);
  if (o->gradient_tol == 0) o->gradient_tol = traits & NNB__TRAIT_SQUARES ? eps : nnb__pow(eps, 2.0 / 3);
  if (o->gradient_tol == NNB_NONE) o->gradient_tol = 0;
}

nnb_status nnb__stop_begin(nnb__stop *s, const nnb_min_opts *opts, nnb_algo algo, unsigned traits, double eps) {
  *s = (nnb__stop){.eps = eps, .idle = IDLE, .start = nnb__now()};
  if (opts) s->opts = *opts;
  s->report = nnb__stop_no_report();
  s->report.stop = NNB_STOP_NONE, s->report.algo = algo;
  const nnb_min_opts *o = &s->opts;
  nnb_status status = nnb__opts_check(NNB__MIN_OPTS, o);
  if (!status) status = nnb__opts_check_taken(NNB__MIN_OPTS, o, traits, nnb_algo_name(algo));
  if (!status && o->target != 0 && !o->has_target)
    status = nnb__fail(NNB_E_ARG, "target is %g but has_target is false", o->target);
  if (!status) complete(&s->opts, traits, eps);
  return status;
}

bool nnb__stop_because(nnb__stop *s, nnb_stop why) {
  if (s->report.stop == NNB_STOP_NONE) s->report.stop = why;
  return s->report.stop != NNB_STOP_NONE;
}

void nnb__stop_count(nnb__stop *s) { s->report.evaluations++; }

/* A goal that was reached is reported before a limit. */
static nnb_stop reached(const nnb__stop *s, double value, nnb__slope slope) {
  if (s->opts.has_target && value <= s->opts.target) return NNB_STOP_TARGET;
  if (slope.relative <= s->opts.gradient_tol) return NNB_STOP_GRADIENT;
  return NNB_STOP_NONE;
}

bool nnb__stop_at_start(nnb__stop *s, double value, nnb__slope slope) {
  s->report.start_value = s->report.value = s->best = value;
  s->report.gradient_norm = s->best_norm = slope.norm;
  return nnb__stop_because(s, reached(s, value, slope));
}

static nnb_stop limit(const nnb__stop *s, double seconds) {
  const nnb_min_opts *o = &s->opts;
  if (o->max_evaluations > 0 && s->report.evaluations >= o->max_evaluations) return NNB_STOP_EVALUATIONS;
  if (o->max_seconds > 0 && seconds >= o->max_seconds) return NNB_STOP_SECONDS;
  return NNB_STOP_NONE;
}

bool nnb__stop_early(nnb__stop *s) { return nnb__stop_because(s, limit(s, nnb__now() - s->start)); }

/* Records the last iteration with progress. */
static void note_progress(nnb__stop *s, double value, double gradient_norm) {
  int64_t k = s->report.iterations;
  bool lower = value < s->best - s->eps * fabs(s->best), flatter = gradient_norm < 0.9 * s->best_norm;
  if (lower || flatter) s->moved_iteration = k;
  if (value < s->best) s->best = value, s->best_iteration = k;
  if (gradient_norm < s->best_norm) s->best_norm = gradient_norm;
}

static nnb_stop own_reason(const nnb__stop *s, double before, const nnb_min_record *rec, nnb__slope slope) {
  const nnb_min_opts *o = &s->opts;
  double gain = before - rec->value;
  nnb_stop stop = reached(s, rec->value, slope);
  if (stop) return stop;
  if (o->change_tol > 0 && gain >= 0 && gain <= o->change_tol * fabs(before)) return NNB_STOP_CHANGE;
  if (o->patience > 0 && rec->iteration - s->best_iteration >= o->patience) return NNB_STOP_PATIENCE;
  if (rec->iteration - s->moved_iteration >= s->idle) return NNB_STOP_STALLED;
  stop = limit(s, rec->seconds);
  if (stop) return stop;
  if (o->max_iterations != NNB_NONE && rec->iteration >= o->max_iterations) return NNB_STOP_ITERATIONS;
  return NNB_STOP_NONE;
}

bool nnb__stop_iteration(nnb__stop *s, double value, nnb__slope slope, double step, const void *x) {
  nnb_min_report *r = &s->report;
  double before = r->value;
  r->iterations++;
  r->value = value, r->gradient_norm = slope.norm;
  note_progress(s, value, slope.norm);
  nnb_min_record rec = {.iteration = r->iterations,
                        .evaluations = r->evaluations,
                        .value = value,
                        .gradient_norm = slope.norm,
                        .step = step,
                        .seconds = nnb__now() - s->start,
                        .x = x,
                        .evidence = s->evidence};
  s->own = own_reason(s, before, &rec, slope);
  const bool stopped = s->opts.on_iteration && s->opts.on_iteration(s->opts.user, &rec);
  return nnb__stop_because(s, stopped ? NNB_STOP_USER : s->own);
}

void nnb__stop_rebase(nnb__stop *s, double value) {
  s->report.value = s->best = value;
  s->best_iteration = s->report.iterations;
}

void nnb__stop_end(nnb__stop *s, double value, double gradient_norm) {
  s->report.value = value, s->report.gradient_norm = gradient_norm;
  s->report.seconds = nnb__now() - s->start;
}

void nnb__stop_failed(nnb__stop *s) {
  s->report.stop = NNB_STOP_ERROR;
  s->report.seconds = nnb__now() - s->start;
}

nnb_min_report nnb__stop_no_report(void) {
  const double none = (double)NAN;
  return (nnb_min_report){.stop = NNB_STOP_ERROR, .value = none, .start_value = none, .gradient_norm = none};
}
