/* io/csv_about.h: what was inferred from a CSV file, in words. */
#ifndef NNB__CSV_ABOUT_H
#define NNB__CSV_ABOUT_H

#include "csv_layout.h"

enum { NNB__FEW = 10 };

/* Lines for nnb_data_summary, from nnb__alloc; NULL if out of memory.  class_names: n_classes, or NULL.  few_targets
 * and few_first: the number of different values of the one numeric target and of the first input if all are whole and
 * there are at most NNB__FEW; else 0. */
char *nnb__csv_about(const nnb__csv_layout *layout, char *const *class_names, int n_classes, int few_targets,
                     int few_first);

/* *out ← name or number of each column that .leave_unusable left out, and the reason; 2·n_unusable strings, or NULL
 * without such columns.  False if out of memory; *out must be released even then. */
bool nnb__csv_left_out(const nnb__csv_layout *layout, char ***out);

#endif
