/* io/csv_layout.h: the layout of a CSV file: header, inputs, targets, classes. */
#ifndef NNB__CSV_LAYOUT_H
#define NNB__CSV_LAYOUT_H

#include "csv_scan.h"
#include "table.h"

typedef struct nnb__csv_layout {
  const nnb__csv *csv;
  const nnb_csv_opts *opts;
  int rows;              /* of data                                                         */
  int columns;           /* of the file                                                     */
  int header;            /* 1: the first row has names, 0: it is data                       */
  int target, n_targets; /* columns target … target + n_targets - 1 are targets             */
  bool classes;          /* the one target is a class                                       */
  bool numeric;          /* the classes are numbers; otherwise texts                        */
  nnb__table known;      /* the classes so far, in the form in which they are compared (csv_classes.c) */
  char **first;          /* the fields of the first row                                     */
} nnb__csv_layout;

/* Reads the text once.  Call it inside the C locale. */
nnb_status nnb__csv_layout_init(nnb__csv_layout *layout, const nnb__csv *csv, const nnb_csv_opts *opts);
void nnb__csv_layout_clear(nnb__csv_layout *layout);

/* *number ← the value of a field, which must be a finite number with |number| ≤ limit. */
nnb_status nnb__csv_number(const nnb__csv_layout *l, const nnb__csv_field *field, double limit, double *number);

/* *label ← the class of a field. */
nnb_status nnb__csv_class(nnb__csv_layout *layout, const nnb__csv_field *field, int32_t *label);
/* After the last row: returns the names of the classes in their order (nnb__alloc), and renumbers label accordingly. */
nnb_status nnb__csv_class_names(const nnb__csv_layout *layout, int32_t *label, char ***names, int *n);

#endif
