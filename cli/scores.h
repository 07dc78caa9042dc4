/* cli/scores.h: how well a net predicts a table: what is printed, and what --json gives. */
#ifndef SCORES_H
#define SCORES_H

#include <jansson.h>
#include <nnblas.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct scores {
  nnb_scores *of;
  int rows, n_classes; /* n_classes 0: a regression */
  double baseline;     /* the same rows by a constant: RMSE of the mean, accuracy of the largest class; of data's own */
} scores;

/* Measures net on data with targets.  Returns the exit code; release with scores_free. */
int scores_of(nnb_net *net, const nnb_data *data, scores *out);
void scores_free(scores *s);

/* The metric that rows are judged by if none is asked for: accuracy, or RMSE. */
nnb_metric scores_main(const nnb_data *data);

/* What a constant prediction reaches on data: the shares of the classes, or the means of the targets.  NaN if it has no
 * such metric. */
double scores_baseline(const nnb_data *data, nnb_metric metric);

/* JSON has no NaN. */
json_t *real_or_null(double x);

/* One line with the main figures. */
void scores_print_line(FILE *stream, const scores *s);

/* After an empty line: a table by class or target, and the confusion matrix.  False, and nothing, for a single target.
 */
bool scores_print_tables(FILE *stream, const scores *s);

json_t *scores_json(const scores *s);

#endif
