/* io/csv_rows.h: rows of CSV text as numbers, and what the rows together show: for reading them into memory and for
 * leaving them in their file. */
#ifndef NNB__CSV_ROWS_H
#define NNB__CSV_ROWS_H

#include "csv_about.h"
#include "real.h"

/* The different values of a column while all are whole and there are at most NNB__FEW. */
typedef struct nnb__csv_values {
  real value[NNB__FEW];
  int n; /* -1: others */
} nnb__csv_values;

/* What the rows show as they pass for the first time. */
typedef struct nnb__csv_tally {
  nnb__csv_values target, first;
} nnb__csv_tally;

/* And in the end: from nnb__alloc. */
typedef struct nnb__csv_found {
  char **column_names, **class_names; /* NULL, or as nnb__data_adopt takes them */
  int n_names, n_classes;
  char **left_out; /* 2·n_left_out: as nnb_data has them */
  int n_left_out;
  char *about; /* the lines of nnb_data_summary */
} nnb__csv_found;

/* Inputs, and targets (0 if they are classes). */
int nnb__csv_n_in(const nnb__csv_layout *layout);
int nnb__csv_n_targets(const nnb__csv_layout *layout);

/* A row: n_in numbers to x; n_targets to t, or a class to label.  tally, {0} at first: the row passes for the first
 * time; NULL: not.  NNB_E_PARSE with the place. */
nnb_status nnb__csv_read_row(nnb__csv_layout *layout, const nnb__csv_row *row, nnb__csv_tally *tally, real *x, real *t,
                             int32_t *label);

/* After all rows: names and words.  {0} after an error. */
nnb_status nnb__csv_find(nnb__csv_layout *layout, const nnb__csv_tally *tally, nnb__csv_found *found);
void nnb__csv_found_clear(nnb__csv_found *found);
/* Moves the summary and the columns that were left out to the data. */
void nnb__csv_describe(nnb_data *data, nnb__csv_found *found);
/* Missing numbers of data become the means of their columns: of these rows, or of those that .columns comes from. */
nnb_status nnb__csv_fill_missing(const nnb__csv_layout *layout, nnb_data *data);

/* Separator and start of a text. */
nnb_status nnb__csv_open_text(nnb__csv *csv, const nnb_csv_opts *opts);

#endif
