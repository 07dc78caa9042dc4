/* io/csv_scan.h: the fields and rows of comma-separated text, in order, and the position of a field in the text. */
#ifndef NNB__CSV_SCAN_H
#define NNB__CSV_SCAN_H

#include "nnblas/core.h"

typedef struct nnb__csv {
  const char *text;
  size_t bytes;
  const char *name; /* for messages */
  char separator;
} nnb__csv;

typedef struct nnb__csv_field {
  const char *text; /* n bytes, followed by NUL; valid until the callback returns */
  size_t n;
  int row, column; /* from 0 */
} nnb__csv_field;

/* Called in order.  A status other than NNB_OK ends the scan with that status. */
typedef struct nnb__csv_calls {
  nnb_status (*field)(void *context, const nnb__csv_field *field);
  nnb_status (*row)(void *context, int row, int columns); /* or NULL: after the last field of a row */
  void *context;
} nnb__csv_calls;

/* NNB_E_PARSE for wrong quoting or a NUL byte, NNB_E_OVERFLOW for more than INT_MAX rows or columns. */
nnb_status nnb__csv_scan(const nnb__csv *csv, const nnb__csv_calls *calls);

/* NNB_E_PARSE with "name:line:column: " before the message, or "name:line: " for the whole row (column < 0). */
nnb_status nnb__csv_fail(const nnb__csv *csv, int row, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
