/* train/cv_report.h: the figures of a cross-validation. */
#ifndef NNB__CV_REPORT_H
#define NNB__CV_REPORT_H

#include "nnblas/core.h"

/* Moves the runs that have ended (train_rows > 0) to the front; returns how many. */
int nnb__cv_pack(nnb_cv_run *run, int n);
/* A figure over n runs; offset: that of a double in nnb_metrics.  No runs: NaN. */
nnb_cv_score nnb__cv_score(const nnb_cv_run *run, int n, size_t offset);
/* Packs n runs, and puts them and their figures into out, which owns them from then on. */
void nnb__cv_summarise(nnb_cv_run *run, int n, nnb_cv_report *out);

#endif
