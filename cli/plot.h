/* cli/plot.h: pictures by gnuplot.  The ending of the path says what is drawn: .png or .svg; "-" draws with characters
 * on standard output.  Beside FILE.png stands FILE.png.gp, gnuplot's script with the data in it. */
#ifndef PLOT_H
#define PLOT_H

#include <nnblas.h>

#include "scores.h"

/* Whether path ends in a way that can be drawn; "-" does. */
bool plot_is_drawable(const char *path);

/* The losses of a fit by epoch.  Returns the exit code. */
int plot_curve(const char *path, const nnb_report *report);

/* How well net predicts data: predicted against true values, or the confusion matrix.  Returns the exit code. */
int plot_scores(const char *path, nnb_net *net, const nnb_data *data, const scores *s);

#endif
