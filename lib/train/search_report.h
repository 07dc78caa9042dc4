/* train/search_report.h: the order of the candidates of a search. */
#ifndef NNB__SEARCH_REPORT_H
#define NNB__SEARCH_REPORT_H

#include "nnblas/core.h"

/* Whether a comes before b: measured ones first, those of later stages before those of earlier ones, better scores
 * first, then lower losses.  larger: a larger score is better.  For qsort's sign. */
int nnb__candidate_order(const nnb_candidate *a, const nnb_candidate *b, bool larger);
/* .behind of each candidate, the first of them being the best; run: as many runs as each has, as scratch.  figure: the
 * offset of the score in nnb_metrics. */
void nnb__candidates_behind(nnb_candidate *candidate, int n, size_t figure, bool larger, nnb_cv_run *run);
void nnb__candidate_clear(nnb_candidate *candidate);

#endif
