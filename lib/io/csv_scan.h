/* io/csv_scan.h: rows and fields of separated text, in order. */
#ifndef NNB__CSV_SCAN_H
#define NNB__CSV_SCAN_H

#include "nnblas/core.h"

typedef struct nnb__csv {
  const char *text;
  size_t bytes, start; /* start: behind a byte-order mark and skipped lines */
  const char *name;    /* for messages */
  char separator;      /* ' ': runs of blanks */
  char comment;        /* lines that begin with it are skipped; 0: none */
  char point;          /* of decimal numbers: '.' or ','  */
} nnb__csv;

typedef struct nnb__csv_field {
  const char *text; /* n bytes, valid until the next row; NULL while the row is read and quotation marks are doubled */
  size_t n, at;     /* at: where it begins in the text */
} nnb__csv_field;

/* A row and where the next one begins.  {.csv = csv, .next = csv->start} stands before the first row. */
typedef struct nnb__csv_row {
  const nnb__csv *csv;
  size_t next, at; /* at: where the row begins */
  nnb__csv_field *field;
  size_t cap;
  int n, number; /* of fields; of the row, from 1 */
  char *copy;    /* the fields with doubled quotation marks */
  size_t cap_copy;
} nnb__csv_row;

/* Reads the next row that is neither empty nor a comment; *more false: there is none.  NNB_E_PARSE for wrong quoting,
 * NNB_E_OVERFLOW for more than INT_MAX rows or columns. */
nnb_status nnb__csv_next(nnb__csv_row *row, bool *more);
void nnb__csv_row_clear(nnb__csv_row *row);

/* NNB_E_PARSE for a NUL byte. */
nnb_status nnb__csv_check_text(const nnb__csv *csv);

/* The start of the line behind n lines. */
size_t nnb__csv_skip_lines(const nnb__csv *csv, int n);

/* NNB_E_PARSE with "name:line:column: " of the byte `at` before the sentence. */
nnb_status nnb__csv_fail(const nnb__csv *csv, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with "name:line: ". */
nnb_status nnb__csv_fail_line(const nnb__csv *csv, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
