/* cli/pictures.h: how well a net predicts a table, as pictures. */
#ifndef PICTURES_H
#define PICTURES_H

#include <nnblas.h>
#include <stdbool.h>

/* Each draws net on data with targets and returns the exit code; it refuses a net it is not for. */

/* Of classes: how many rows of each class were predicted as each. */
int plot_confusion(const char *path, nnb_net *net, const nnb_data *data);
/* Of numbers: predicted against true.  bars NULL: without error bars; else those of a new measurement. */
int plot_predicted(const char *path, nnb_net *net, const nnb_data *data, nnb_error_bars *bars);
/* Of numbers: true - predicted against predicted, and how often each occurs. */
int plot_residuals(const char *path, nnb_net *net, const nnb_data *data);
/* Of classes: what is predicted over two inputs, by name or number from 1; the others at their median.  x NULL: the two
 * inputs of a net that has just two. */
int plot_boundary(const char *path, nnb_net *net, const nnb_data *data, const char *x, const char *y);

/* The first of these that the net is for: confusion or predicted, without error bars. */
int plot_scores(const char *path, nnb_net *net, const nnb_data *data);

#endif
