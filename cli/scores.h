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

/* What a constant reaches on data: the RMSE of the mean, the accuracy of the largest class. */
double scores_baseline(const nnb_data *data);

/* The name of the one figure that is compared. */
const char *scores_name(bool classes);

/* One line with the main figures. */
void scores_print_line(FILE *stream, const scores *s);

/* After an empty line: a table by class or target, and the confusion matrix.  False, and nothing, for a single target.
 */
bool scores_print_tables(FILE *stream, const scores *s);

json_t *scores_json(const scores *s);

#endif
