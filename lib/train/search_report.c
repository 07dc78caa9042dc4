/* train/search_report.c: the order of the candidates of a search.  Compiled once. */
#include "search_report.h"

#include <math.h>

#include "alloc.h"
#include "cv_report.h"

static int sign(double x) { return (x > 0) - (x < 0); }

/* Larger for a better candidate. */
static double merit(const nnb_candidate *c, nnb_metric metric) {
  if (isnan(c->score.mean)) return -HUGE_VAL;
  return nnb_metric_is_error(metric) ? -c->score.mean : c->score.mean;
}

int nnb__candidate_order(const nnb_candidate *a, const nnb_candidate *b, nnb_metric metric) {
  if (!a->status != !b->status) return a->status ? 1 : -1;
  if (!a->status) {
    const int better = sign(merit(b, metric) - merit(a, metric));
    const int loss = sign(a->cv.loss.mean - b->cv.loss.mean);
    if (a->stage != b->stage) return b->stage - a->stage;
    if (better || loss) return better ? better : loss;
  }
  return a->number - b->number;
}

void nnb__candidates_behind(nnb_candidate *candidate, int n, nnb_metric metric) {
  for (int i = 0; i < n && !candidate[i].status; i++) {
    const nnb_cv_report *cv = &candidate[i].cv;
    const nnb__figure best = nnb__cv_figure(&candidate[0].cv, metric), own = nnb__cv_figure(cv, metric);
    candidate[i].behind = nnb_metric_is_error(metric) ? nnb__cv_score(cv->run, cv->n_runs, own, best)
                                                      : nnb__cv_score(cv->run, cv->n_runs, best, own);
  }
}

void nnb__candidate_clear(nnb_candidate *candidate) {
  nnb__release((void *)(uintptr_t)candidate->text);
  nnb__release((void *)(uintptr_t)candidate->message);
  nnb_cv_report_clear(&candidate->cv);
  *candidate = (nnb_candidate){0};
}

void nnb_search_report_clear(nnb_search_report *report) {
  if (!report) return;
  nnb_candidate *candidate = (nnb_candidate *)(uintptr_t)report->candidate;
  for (int i = 0; i < report->n; i++) nnb__candidate_clear(&candidate[i]);
  nnb__release(candidate);
  *report = (nnb_search_report){0};
}
