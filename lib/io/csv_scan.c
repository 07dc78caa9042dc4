/* io/csv_scan.c: libcsv does the parsing.  It does not report the position of a field: when a message needs that, the
 * text is parsed again, byte by byte, up to the field. */
#include "csv_scan.h"

#include <csv.h>
#include <stdarg.h>
#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

enum { BLOCK = 1 << 16 };

typedef struct scan {
  const nnb__csv *csv;
  const nnb__csv_calls *calls; /* NULL: only count */
  int row, column;             /* of the next field */
  nnb_status status;
} scan;

/* ---- libcsv's memory: it only knows realloc ------------------------------------------------------------------------
 */

typedef union block { /* precedes the memory for libcsv */
  size_t bytes;
  max_align_t align;
} block;

/* libcsv grows its memory by 128 bytes at a time; doubling it keeps a long field linear. */
static void *csv_realloc(void *p, size_t bytes) {
  block *old = p ? (block *)p - 1 : NULL;
  if (old && bytes <= old->bytes) return p;
  size_t capacity = old && old->bytes < SIZE_MAX / 4 && 2 * old->bytes > bytes ? 2 * old->bytes : bytes;
  if (capacity > SIZE_MAX - sizeof(block)) return NULL;
  block *fresh = nnb__alloc(sizeof(block) + capacity, 1);
  if (!fresh) return NULL;
  fresh->bytes = capacity;
  if (old) memcpy(fresh + 1, old + 1, old->bytes);
  nnb__release(old);
  return fresh + 1;
}

static void csv_release(void *p) {
  if (p) nnb__release((block *)p - 1);
}

static void start(struct csv_parser *parser, char separator) {
  csv_init(parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
  csv_set_realloc_func(parser, csv_realloc);
  csv_set_free_func(parser, csv_release);
  csv_set_delim(parser, (unsigned char)separator);
}

/* ---- callbacks -----------------------------------------------------------------------------------------------------
 */

static void on_field(void *text, size_t n, void *context) {
  scan *s = context;
  if (s->status) return;
  if (s->calls) {
    nnb__csv_field field = {text, n, s->row, s->column};
    s->status = s->calls->field(s->calls->context, &field);
  }
  if (!s->status && s->column == INT32_MAX)
    s->status = nnb__fail(NNB_E_OVERFLOW, "%s: a row has more than %d fields", s->csv->name, INT32_MAX);
  if (!s->status) s->column++;
}

static void on_row(int end, void *context) {
  (void)end;
  scan *s = context;
  if (s->status) return;
  if (s->calls && s->calls->row) s->status = s->calls->row(s->calls->context, s->row, s->column);
  if (!s->status && s->row == INT32_MAX)
    s->status = nnb__fail(NNB_E_OVERFLOW, "%s has more than %d rows", s->csv->name, INT32_MAX);
  if (!s->status) s->row++, s->column = 0;
}

/* ---- places --------------------------------------------------------------------------------------------------------
 */

/* ":line:column: " of the byte at `at`; columns count characters of UTF-8. */
static void print_place(const nnb__csv *csv, size_t at, bool with_column, char *out, size_t size) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < at; i++) {
    char c = csv->text[i];
    bool line_end = c == '\n' || (c == '\r' && !(i + 1 < csv->bytes && csv->text[i + 1] == '\n'));
    if (line_end)
      line++, column = 1;
    else if (((unsigned char)c & 0xC0) != 0x80)
      column++;
  }
  if (with_column)
    snprintf(out, size, ":%zu:%zu: ", line, column);
  else
    snprintf(out, size, ":%zu: ", line);
}

/* Whether the byte may stand before the first character of a field. */
static bool before_field(const nnb__csv *csv, char c, int column) {
  if (c == csv->separator) return false;
  return c == ' ' || c == '\t' || (column == 0 && (c == '\r' || c == '\n'));
}

/* The position where the field begins. */
static size_t find(const nnb__csv *csv, int row, int column) {
  struct csv_parser parser;
  scan s = {.csv = csv};
  start(&parser, csv->separator);
  size_t i = 0;
  for (; i < csv->bytes; i++) {
    bool there = s.row == row && s.column == column;
    if (there && !before_field(csv, csv->text[i], column)) break;
    if (csv_parse(&parser, csv->text + i, 1, on_field, on_row, &s) != 1) break;
  }
  csv_free(&parser);
  return i;
}

static nnb_status fail_at(const nnb__csv *csv, size_t at, bool with_column, const char *sentence) {
  char place[64];
  print_place(csv, at, with_column, place, sizeof place);
  return nnb__fail(NNB_E_PARSE, "%s%s%s", csv->name, place, sentence);
}

nnb_status nnb__csv_fail(const nnb__csv *csv, int row, int column, const char *format, ...) {
  char sentence[300];
  va_list args;
  va_start(args, format);
  nnb__vformat(sentence, sizeof sentence, format, args);
  va_end(args);
  return fail_at(csv, find(csv, row, column < 0 ? 0 : column), column >= 0, sentence);
}

/* ---- scanning ------------------------------------------------------------------------------------------------------
 */

static nnb_status fail_parser(const scan *s, int error, size_t at) {
  if (error == CSV_EPARSE)
    return fail_at(s->csv, at, true, "a quotation mark inside a field, or text after a quoted field");
  return nnb__fail_nomem(s->csv->name);
}

nnb_status nnb__csv_scan(const nnb__csv *csv, const nnb__csv_calls *calls) {
  const char *nul = csv->bytes ? memchr(csv->text, '\0', csv->bytes) : NULL;
  if (nul) return fail_at(csv, (size_t)(nul - csv->text), true, "a NUL byte; this is not text in UTF-8 or ASCII");
  struct csv_parser parser;
  scan s = {.csv = csv, .calls = calls};
  start(&parser, csv->separator);
  for (size_t at = 0; at < csv->bytes && !s.status; at += BLOCK) {
    size_t n = csv->bytes - at < BLOCK ? csv->bytes - at : BLOCK;
    size_t done = csv_parse(&parser, csv->text + at, n, on_field, on_row, &s);
    if (done != n && !s.status) s.status = fail_parser(&s, csv_error(&parser), at + done);
  }
  if (!s.status && csv_fini(&parser, on_field, on_row, &s) != 0)
    s.status = nnb__csv_fail(csv, s.row, s.column, "this quotation mark is never closed");
  csv_free(&parser);
  return s.status;
}
