/* cli/watch.h: a running fit: one line of progress on a terminal, and Ctrl-C that ends it in order. */
#ifndef WATCH_H
#define WATCH_H

#include <nnblas.h>
#include <stdbool.h>

/* Puts callbacks into opts; what names the fit in the line of progress.  From now on Ctrl-C (SIGINT, SIGTERM)
 * ends the fit after the present epoch; a second one ends the program. */
void watch_begin(nnb_fit_opts *opts, const char *what);

/* The same for a call of many runs: opts are those of the runs, and watch_run is to be its on_run. */
void watch_begin_runs(nnb_fit_opts *opts, const char *what);
int watch_run(void *user, int done, int runs);

/* Removes the line of progress and restores the signals. */
void watch_end(void);

/* Whether Ctrl-C came since the first watch_begin. */
bool watch_interrupted(void);

#endif
