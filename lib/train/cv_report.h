/* train/cv_report.h: the figures of a cross-validation. */
#ifndef NNB__CV_REPORT_H
#define NNB__CV_REPORT_H

#include "nnblas/core.h"

/* A number of each run: that of run 0, and the bytes to the next one.  at NULL: zeros. */
typedef struct nnb__figure {
  const void *at;
  size_t step;
} nnb__figure;

/* Runs and metrics of one net, from nnb__alloc; `values` has n_values numbers for each run, NULL if there are none. */
typedef struct nnb__cv_result {
  nnb_cv_run *run;
  double *values;
} nnb__cv_result;

/* Moves the runs that have ended (train_rows > 0) to the front; returns how many. */
int nnb__cv_pack(nnb__cv_result result, int n, int n_values);
/* A metric of the runs of a report; NaN if it was not measured. */
nnb__figure nnb__cv_figure(const nnb_cv_report *report, nnb_metric metric);
/* The figure x - y over n runs.  No runs: NaN. */
nnb_cv_score nnb__cv_score(const nnb_cv_run *run, int n, nnb__figure x, nnb__figure y);
/* Packs n runs, and puts them and their figures into out, which owns them from then on. */
void nnb__cv_summarise(nnb__cv_result result, int n, unsigned metrics, nnb_cv_report *out);

#endif
