/* io/csv_layout.h: what is where in a CSV file: header, inputs, targets, classes. */
#ifndef NNB__CSV_LAYOUT_H
#define NNB__CSV_LAYOUT_H

#include <string.h>

#include "columns.h"
#include "csv_scan.h"
#include "table.h"

/* What the first row is. */
typedef enum nnb__csv_first {
  NNB__CSV_DATA,
  NNB__CSV_NAMES,
  NNB__CSV_SUMMARY /* "150,4,setosa,versicolor,virginica": rows, inputs and class names, as in scikit-learn's files */
} nnb__csv_first;

/* An input column and what its rows showed. */
typedef struct nnb__csv_input {
  int column;          /* of the file                                                    */
  bool given;          /* .category has it                                               */
  bool decided, texts; /* it had a value; it has levels                                  */
  int n_missing;       /* rows without a value                                           */
  bool unusable;       /* too many levels, or no value at all, and .leave_unusable        */
  nnb__table levels;   /* the texts so far                                               */
} nnb__csv_input;

typedef struct nnb__csv_layout {
  nnb__csv *csv;
  const nnb_csv_opts *opts;
  int rows;    /* of data                                                         */
  int columns; /* of the file                                                     */
  nnb__csv_first first;
  size_t first_end; /* the place behind the first row                             */
  int n_in, n_targets;
  int n_unusable;                 /* behind the n_in inputs: columns left out by .leave_unusable        */
  nnb__csv_input *input;          /* n_in + n_unusable                                               */
  int *target;                    /* their columns in the file                                       */
  nnb_columns *encoding;          /* what the input columns become; the mean of a column is filled in by the reader */
  bool classes;                   /* the one target is a class                                       */
  bool numeric;                   /* and the classes are numbers; otherwise texts                    */
  const char *const *class_names; /* of opts or of the summary; n_class_names, or NULL and 0 */
  int n_class_names;
  nnb__table known;  /* the classes so far, as they are compared (see csv_classes.c)    */
  int32_t *class_of; /* the number of each, once all rows were read; else NULL        */
  char **head;       /* the n_head fields of the first row                              */
  int n_head;
} nnb__csv_layout;

/* What a field shows. */
typedef enum nnb__csv_kind {
  NNB__CSV_EMPTY,
  NNB__CSV_NUMBER,
  NNB__CSV_ODD, /* a sign of a missing value, infinite, out of range */
  NNB__CSV_TEXT
} nnb__csv_kind;
nnb__csv_kind nnb__csv_kind_of(const nnb__csv *csv, const nnb__csv_field *field);
/* Whether a field of that kind is a number, also one that is out of range: a row with one does not hold names. */
static inline bool nnb__csv_is_number(nnb__csv_kind kind, const char *text) {
  return kind == NNB__CSV_NUMBER || (kind == NNB__CSV_ODD && strpbrk(text, "0123456789"));
}
/* Whether it is the kind of its column: a number or a text. */
bool nnb__csv_shows_kind(nnb__csv_kind kind);

/* first, first_end, head and columns of a layout whose csv and opts are known. */
nnb_status nnb__csv_decide_first(nnb__csv_layout *layout);
/* Whether a field of the first row is this whole number. */
bool nnb__csv_is_count(const nnb__csv_layout *layout, int column, int wanted);

/* Reads the text once. */
nnb_status nnb__csv_layout_init(nnb__csv_layout *layout, nnb__csv *csv, const nnb_csv_opts *opts);
void nnb__csv_layout_clear(nnb__csv_layout *layout);

/* NNB_E_PARSE for another number of fields than the first row has. */
nnb_status nnb__csv_check_row(const nnb__csv_layout *layout, const nnb__csv_row *row);

/* Whether target, .take or .leave give a column by a name that is no number. */
bool nnb__csv_by_name(const nnb_csv_opts *opts);
/* input, target, n_in and n_targets from the options; columns, head and first are known. */
nnb_status nnb__csv_choose_columns(nnb__csv_layout *layout);

/* Whether a field shows no value: the rule of nnb_missing. */
bool nnb__csv_is_missing(const nnb__csv_field *field);
/* A row of the first reading: which input columns have texts, their levels, where values are missing. */
nnb_status nnb__csv_survey_inputs(nnb__csv_layout *layout, const nnb__csv_row *row);
/* After the last row: encoding. */
nnb_status nnb__csv_encode(nnb__csv_layout *layout);
/* *level ← the level of a field of input i, -1: none of them. */
nnb_status nnb__csv_level(const nnb__csv_layout *layout, const nnb__csv_field *field, int i, int *level);
/* NNB_E_PARSE for a missing value of input i. */
nnb_status nnb__csv_fail_missing(const nnb__csv_layout *layout, const nnb__csv_field *field, int i);

/* NNB_E_PARSE for a field that is not a finite number of the precision. */
nnb_status nnb__csv_fail_number(const nnb__csv_layout *l, const nnb__csv_field *field, int column);

/* *label ← the class of a field: its place in `known` while the classes are found, then its number. */
nnb_status nnb__csv_class(nnb__csv_layout *layout, const nnb__csv_field *field, int32_t *label);
/* After the last row: class_of, and the names of the classes in their order (nnb__alloc). */
nnb_status nnb__csv_class_names(nnb__csv_layout *layout, char ***names, int *n);

/* The separator of a text whose options leave it open: see nnb_csv_opts. */
nnb_status nnb__csv_find_separator(nnb__csv *csv);

#endif
