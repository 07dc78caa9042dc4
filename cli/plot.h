/* cli/plot.h: pictures by gnuplot.  The ending of the path says what is drawn: .png or .svg; "-" draws with characters
 * on standard output.  Beside FILE.png stands FILE.png.gp, gnuplot's script with the data in it. */
#ifndef PLOT_H
#define PLOT_H

#include <argp.h>
#include <nnblas.h>

#include "scores.h"

/* The flag --plot, as a child of a command's argp; its input is a const char *: the path, checked. */
extern const struct argp plot_flag_argp;

/* The losses of a fit by epoch.  Returns the exit code. */
int plot_curve(const char *path, const nnb_report *report);

/* How well net predicts data: predicted against true values, or the confusion matrix.  Returns the exit code. */
int plot_scores(const char *path, nnb_net *net, const nnb_data *data, const scores *s);

#endif
