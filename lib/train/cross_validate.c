/* train/cross_validate.c: nnb_cross_validate. */
#include "alloc.h"
#include "clock.h"
#include "cv_report.h"
#include "cv_runs.h"
#include "status.h"

static nnb_status run(nnb__cv *cv, nnb_cv_report *report) {
  nnb__cv_case *c = cv->cases;
  nnb_status status = nnb__cv_case_open(cv, c);
  if (!status) status = nnb__cv_run_all(cv);
  if (!status && c->status)
    status = nnb__fail(c->status, "repeat %d, fold %d: %s", c->failed / cv->opts.folds + 1,
                       c->failed % cv->opts.folds + 1, c->message ? c->message : nnb_strstatus(c->status));
  if (!status) {
    nnb__cv_summarise(c->result, cv->n_runs, cv->metrics, report);
    c->result = (nnb__cv_result){0};
  }
  nnb__cv_case_close(c);
  return status;
}

nnb_status nnb_cross_validate(const nnb_net *net, const nnb_data *data, const nnb_fit_opts *fit,
                              const nnb_cv_opts *opts, nnb_cv_report *report) {
  const double began = nnb__now();
  if (!report) return nnb__fail(NNB_E_ARG, "report is NULL");
  *report = (nnb_cv_report){0};
  nnb__cv_case one = {.net = net};
  nnb__cv cv = {.cases = &one, .n_cases = 1};
  nnb_status status = nnb__net_check(net);
  if (!status) status = nnb__cv_begin(&cv, data, fit, opts);
  if (status) return status;
  one.fit = *cv.given, cv.all = cv.n_runs;
  status = run(&cv, report);
  if (status) return status;
  report->stopped = cv.stopped, report->seconds = nnb__now() - began;
  return NNB_OK;
}
