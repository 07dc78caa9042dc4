/* opt/keep.c: see keep.h. */
#include "keep.h"

#include "alloc.h"

/* A limit or the caller may allow more next time; the other reasons are those of the function. */
static bool is_final(nnb_stop why) {
  return why == NNB_STOP_GRADIENT || why == NNB_STOP_CHANGE || why == NNB_STOP_STALLED;
}

/* Without what only the report of a minimiser says, which a fit does not read, and the value that change_tol needs,
 * which a fit does not have. */
static void visit_stop(nnb__stop *stop, nnb__visitor *s) {
  nnb_min_report *r = &stop->report;
  int why = (int)(is_final(r->stop) ? r->stop : is_final(stop->own) ? stop->own : NNB_STOP_NONE);
  nnb__state_whole(s, "stop.iterations", 0, INT64_MAX - 1, &r->iterations);
  nnb__state_whole(s, "stop.evaluations", 0, INT64_MAX - 1, &r->evaluations);
  nnb__state_number(s, "stop.best", -HUGE_VAL, HUGE_VAL, &stop->best);
  nnb__state_number(s, "stop.best_gradient", 0, HUGE_VAL, &stop->best_norm);
  nnb__state_whole(s, "stop.moved_iteration", 0, INT64_MAX - 1, &stop->moved_iteration);
  nnb__state_int(s, "stop.why", 0, NNB_N_STOPS - 1, &why);
  if (s->way == NNB__STATE_LOAD) r->value = HUGE_VAL, r->stop = is_final((nnb_stop)why) ? (nnb_stop)why : NNB_STOP_NONE;
}

void nnb__keep_visit(nnb__keep *k, nnb__visitor *s) {
  visit_stop(k->stop, s);
  k->visit(k->self, s);
}

bool nnb__keep_resumes(const nnb__stop *stop) { return stop->keep && stop->keep->from; }

nnb_status nnb__keep_begin(nnb__stop *stop, nnb__visit *visit, void *self, bool *resumed) {
  nnb__keep *k = stop->keep;
  *resumed = false;
  if (!k) return NNB_OK;
  k->stop = stop, k->visit = visit, k->self = self, k->iterations = 0;
  if (!k->from) return NNB_OK;
  nnb__visitor check = {.way = NNB__STATE_CHECK, .in = k->from}, load = {.way = NNB__STATE_LOAD, .in = k->from};
  nnb__keep_visit(k, &check);
  if (check.status) return check.status;
  nnb__keep_visit(k, &load);
  *resumed = true;
  k->from = NULL, k->iterations = stop->report.iterations;
  if (k->finished) nnb__stop_because(stop, NNB_STOP_USER);
  return NNB_OK;
}

void *nnb__keep_memory(const nnb__stop *stop, size_t bytes) {
  return stop->keep ? nnb__zalloc(bytes, 1) : nnb__alloc(bytes, 1);
}

bool nnb__keep_goes_on(nnb__stop *stop, bool ended) {
  nnb__keep *k = stop->keep;
  ended |= stop->report.stop != NNB_STOP_NONE;
  if (k && stop->report.iterations > k->iterations) k->write(k->user, ended);
  return !ended;
}
