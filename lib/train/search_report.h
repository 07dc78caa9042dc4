/* train/search_report.h: the order of the candidates of a search. */
#ifndef NNB__SEARCH_REPORT_H
#define NNB__SEARCH_REPORT_H

#include "nnblas/core.h"

/* Whether a comes before b: measured ones first, those of later stages before those of earlier ones, better scores
 * first and NaN last, then lower losses.  metric: that of the scores.  For qsort's sign. */
int nnb__candidate_order(const nnb_candidate *a, const nnb_candidate *b, nnb_metric metric);
/* .behind of each candidate, the first of them being the best. */
void nnb__candidates_behind(nnb_candidate *candidate, int n, nnb_metric metric);
void nnb__candidate_clear(nnb_candidate *candidate);

#endif
