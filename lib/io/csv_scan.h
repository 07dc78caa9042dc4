/* io/csv_scan.h: rows and fields of separated text, in order. */
#ifndef NNB__CSV_SCAN_H
#define NNB__CSV_SCAN_H

#include "file.h"

/* Places in the text are counted from its beginning. */
typedef struct nnb__csv {
  const char *text; /* the bytes from place `from` on: all, or a window of the file */
  size_t bytes, from;
  size_t mark, start;    /* bytes of a byte-order mark; behind it and skipped lines */
  const char *name;      /* for messages */
  char separator;        /* ' ': runs of blanks */
  char comment;          /* lines that begin with it are skipped; 0: none */
  char point;            /* of decimal numbers: '.' or ','  */
  const nnb__file *file; /* NULL: the text is in memory */
  char *buffer;          /* memory of the window, from nnb__alloc */
  size_t cap, window;    /* bytes that it has; bytes that are read at a time */
  bool has_nul;          /* a NUL byte was met */
} nnb__csv;

typedef struct nnb__csv_field {
  const char *text; /* n bytes, valid until the next row; NULL while the row is read and quotation marks are doubled */
  size_t n, at;     /* at: the place where it begins */
} nnb__csv_field;

/* A row and where the next one begins.  {.csv = csv, .next = csv->start} stands before the first row. */
typedef struct nnb__csv_row {
  nnb__csv *csv;
  size_t next, at; /* at: the place where the row begins */
  nnb__csv_field *field;
  size_t cap;
  int n, number; /* of fields; of the row, from 1 */
  char *copy;    /* the fields with doubled quotation marks */
  size_t cap_copy;
} nnb__csv_row;

/* Bytes of the longest row of a file. */
enum { NNB__CSV_LONGEST = 64 << 20 };

/* Reads the next row that is neither empty nor a comment; *more false: there is none.  Of a file, the window moves to
 * the row, and grows to its length.  NNB_E_PARSE for wrong quoting, a NUL byte in a file, and a row of a file beyond
 * NNB__CSV_LONGEST; NNB_E_OVERFLOW for more than INT_MAX rows or columns; errors of the file. */
nnb_status nnb__csv_next(nnb__csv_row *row, bool *more);
void nnb__csv_row_clear(nnb__csv_row *row);

/* Bytes of a file that are read at a time; the most places of rows that are kept.  Only tests change them. */
extern size_t nnb__csv_window, nnb__csv_marks;

/* Finds the start: behind a byte-order mark and n lines.  text and bytes are set, or file.  NNB_E_PARSE for a NUL byte;
 * errors of the file. */
nnb_status nnb__csv_begin(nnb__csv *csv, int skip_lines);
/* Releases the window of a file. */
void nnb__csv_end(nnb__csv *csv);

/* NNB_E_PARSE with "name:line:column: " of the place `at` before the sentence. */
nnb_status nnb__csv_fail(const nnb__csv *csv, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with "name:line: ". */
nnb_status nnb__csv_fail_line(const nnb__csv *csv, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
