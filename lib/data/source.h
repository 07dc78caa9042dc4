/* data/source.h: windows: rows of data as batches, whether they are in memory or read from a source. */
#ifndef NNB__SOURCE_H
#define NNB__SOURCE_H

#include "ahead.h"
#include "data.h"

/* Memory for rows of a source. */
typedef struct nnb__places {
  real *x, *t; /* rows×n_in, rows×n_t */
  int32_t *label;
  real *weight;
} nnb__places;

/* Rows of data as batches; no memory for data in memory, which is looked at in place. */
typedef struct nnb__window {
  const nnb_data *data;
  int rows; /* places */
  nnb__places now, next;
  nnb__ahead *ahead;  /* reads into next; NULL: nothing is read ahead */
  int at, row0, n;    /* what it reads; n 0: nothing */
} nnb__window;

/* NNB_E_NOMEM, NNB_E_OVERFLOW: nothing is left to close.  The window stays where it is until it is closed: a thread may
 * read into it. */
nnb_status nnb__window_open(nnb__window *w, const nnb_data *data, int rows);
void nnb__window_close(nnb__window *w);

/* Rows row0 … row0 + n - 1 as a batch, n at most the places: a view into the data, or into the window until its next
 * call.  Passes over the data go from the first row to the last, so the rows that follow are read ahead.  Allocates
 * nothing.  Errors of the source, and of what it wrote: NNB_E_ARG. */
nnb_status nnb__window_rows(nnb__window *w, int row0, int n, nnb_batch *out);

/* For windows of a source: rows row0 … into the places from `at` on; those before `at` stay; that the next call of
 * it will be for these rows, which may be read from now on; one row to another place; places as a batch. */
nnb_status nnb__window_read(nnb__window *w, int at, int row0, int n);
void nnb__window_expect(nnb__window *w, int at, int row0, int n);
void nnb__window_copy(nnb__window *w, int from, int to);
nnb_batch nnb__window_batch(const nnb__window *w, int at, int n);

#endif
