/* train/search_report.c: the order of the candidates of a search.  Compiled once. */
#include "search_report.h"

#include <string.h>

#include "alloc.h"
#include "cv_report.h"

static int sign(double x) { return (x > 0) - (x < 0); }

int nnb__candidate_order(const nnb_candidate *a, const nnb_candidate *b, bool larger) {
  if (!a->status != !b->status) return a->status ? 1 : -1;
  if (!a->status) {
    const int better = larger ? sign(b->score.mean - a->score.mean) : sign(a->score.mean - b->score.mean);
    const int loss = sign(a->cv.loss.mean - b->cv.loss.mean);
    if (a->stage != b->stage) return b->stage - a->stage;
    if (better || loss) return better ? better : loss;
  }
  return a->number - b->number;
}

static double figure_of(const nnb_cv_run *run, size_t figure) {
  double x;
  memcpy(&x, (const char *)&run->metrics + figure, sizeof x);
  return x;
}

void nnb__candidates_behind(nnb_candidate *candidate, int n, size_t figure, bool larger, nnb_cv_run *run) {
  for (int i = 0; i < n && !candidate[i].status; i++) {
    const nnb_cv_report *best = &candidate[0].cv, *cv = &candidate[i].cv;
    for (int r = 0; r < cv->n_runs; r++) {
      const double more = figure_of(&best->run[r], figure) - figure_of(&cv->run[r], figure);
      run[r] = cv->run[r];
      run[r].metrics.loss = larger ? more : -more;
    }
    candidate[i].behind = nnb__cv_score(run, cv->n_runs, offsetof(nnb_metrics, loss));
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
