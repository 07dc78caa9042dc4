/* io/csv_separator.c: the separator that divides the first rows evenly. */
#include "csv_layout.h"

enum { ROWS = 10 };

typedef struct division {
  int n;       /* fields of the first row */
  bool evenly; /* and of the other rows; no wrong quoting */
} division;

static nnb_status divide(nnb__csv *csv, char separator, division *out) {
  nnb__csv_row row = {.csv = csv, .next = csv->start};
  bool more = true;
  nnb_status status = NNB_OK;
  csv->separator = separator;
  *out = (division){.evenly = true};
  while (more && out->evenly && row.number < ROWS) {
    status = nnb__csv_next(&row, &more);
    if (row.number == 1 && more) out->n = row.n;
    out->evenly = !status && (!more || row.n == out->n);
  }
  nnb__csv_row_clear(&row);
  return status == NNB_E_PARSE && !csv->has_nul ? NNB_OK : status;
}

nnb_status nnb__csv_find_separator(nnb__csv *csv) {
  const char *candidates = csv->point == ',' ? "\t;" : "\t;,";
  bool divided = false;
  division d;
  for (const char *c = candidates; *c; c++) {
    nnb_status status = divide(csv, *c, &d);
    if (status || (d.evenly && d.n > 1)) return status;
    divided |= d.n > 1 && *c != '\t';
  }
  nnb_status status = divided ? NNB_OK : divide(csv, ' ', &d);
  if (!status && (divided || !d.evenly || d.n < 2)) csv->separator = csv->point == ',' ? ';' : ',';
  return status;
}
