/* data/source.h: windows: rows of data as batches, whether they are in memory or read from a source. */
#ifndef NNB__SOURCE_H
#define NNB__SOURCE_H

#include "data.h"

/* Memory for rows of a source; nothing for data in memory, which is looked at in place. */
typedef struct nnb__window {
  const nnb_data *data;
  int rows;    /* places */
  real *x, *t; /* rows×n_in, rows×n_t */
  int32_t *label;
  real *weight;
} nnb__window;

/* NNB_E_NOMEM, NNB_E_OVERFLOW: nothing is left to close. */
nnb_status nnb__window_open(nnb__window *w, const nnb_data *data, int rows);
void nnb__window_close(nnb__window *w);

/* Rows row0 … row0 + n - 1 as a batch, n at most the places: a view into the data, or into the window until its next
 * call.  Allocates nothing.  Errors of the source, and of what it wrote: NNB_E_ARG. */
nnb_status nnb__window_rows(nnb__window *w, int row0, int n, nnb_batch *out);

/* For windows of a source: rows row0 … into the places from `at` on; one row to another place; places as a batch. */
nnb_status nnb__window_read(nnb__window *w, int at, int row0, int n);
void nnb__window_copy(nnb__window *w, int from, int to);
nnb_batch nnb__window_batch(const nnb__window *w, int at, int n);

#endif
