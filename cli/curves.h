/* cli/curves.h: learning curves, of one training or of several over each other. */
#ifndef CURVES_H
#define CURVES_H

#include <nnblas.h>

/* The losses of a fit by epoch and by second.  Returns the exit code. */
int plot_history(const char *path, const nnb_report *report);

/* The same from files: CSV tables with a header that has epoch and loss, maybe also val_loss and total_seconds (or
 * seconds).  Returns the exit code. */
int plot_logs(const char *path, char *const *logs, int n);

#endif
