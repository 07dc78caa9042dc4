/* io/csv_scan.c: separated text with the quoting of RFC 4180.  A field without doubled quotation marks is a view of the
 * text. */
#include "csv_scan.h"

#include <stdarg.h>
#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

/* ---- places ------------------------------------------------------------------------------------------------------ */

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

static nnb_status fail_at(const nnb__csv *csv, size_t at, bool with_column, const char *format, va_list args) {
  char sentence[400], place[64];
  nnb__vformat(sentence, sizeof sentence, format, args);
  print_place(csv, at, with_column, place, sizeof place);
  return nnb__fail(NNB_E_PARSE, "%s%s%s", csv->name, place, sentence);
}

nnb_status nnb__csv_fail(const nnb__csv *csv, size_t at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  nnb_status status = fail_at(csv, at, true, format, args);
  va_end(args);
  return status;
}

nnb_status nnb__csv_fail_line(const nnb__csv *csv, size_t at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  nnb_status status = fail_at(csv, at, false, format, args);
  va_end(args);
  return status;
}

nnb_status nnb__csv_check_text(const nnb__csv *csv) {
  const char *nul = csv->bytes ? memchr(csv->text, '\0', csv->bytes) : NULL;
  return nul ? nnb__csv_fail(csv, (size_t)(nul - csv->text), "a NUL byte; this is not text in UTF-8 or ASCII") : NNB_OK;
}

/* ---- characters -------------------------------------------------------------------------------------------------- */

static bool is_line_end(char c) { return c == '\n' || c == '\r'; }

static bool is_blank(const nnb__csv *csv, char c) { return c == ' ' || (c == '\t' && csv->separator != '\t'); }

static size_t skip_blanks(const nnb__csv *csv, size_t i) {
  while (i < csv->bytes && is_blank(csv, csv->text[i])) i++;
  return i;
}

static size_t find_line_end(const nnb__csv *csv, size_t i) {
  while (i < csv->bytes && !is_line_end(csv->text[i])) i++;
  return i;
}

size_t nnb__csv_skip_lines(const nnb__csv *csv, int n) {
  size_t i = csv->start;
  for (; n > 0 && i < csv->bytes; n--) {
    i = find_line_end(csv, i);
    if (i + 1 < csv->bytes && csv->text[i] == '\r' && csv->text[i + 1] == '\n') i++;
    if (i < csv->bytes) i++;
  }
  return i;
}

/* Past empty lines and comments.  The '\n' of "\r\n" counts as an empty line here. */
static size_t skip_empty_lines(const nnb__csv *csv, size_t i) {
  for (;; i++) {
    i = skip_blanks(csv, i);
    if (i < csv->bytes && csv->comment && csv->text[i] == csv->comment) i = find_line_end(csv, i);
    if (i >= csv->bytes || !is_line_end(csv->text[i])) return i;
  }
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The quoted field that begins at i; *end: the character behind it and behind blanks. */
static nnb_status read_quoted(const nnb__csv *csv, size_t i, nnb__csv_field *field, size_t *end) {
  bool doubled = false;
  size_t k = i + 1;
  for (;; k += 2, doubled = true) {
    const char *mark = memchr(csv->text + k, '"', csv->bytes - k);
    if (!mark) return nnb__csv_fail(csv, i, "this quotation mark is never closed");
    k = (size_t)(mark - csv->text);
    if (k + 1 >= csv->bytes || csv->text[k + 1] != '"') break;
  }
  *field = (nnb__csv_field){doubled ? NULL : csv->text + i + 1, k - i - 1, i};
  *end = skip_blanks(csv, k + 1);
  const bool ends = *end == csv->bytes || is_line_end(csv->text[*end]) || csv->text[*end] == csv->separator;
  if (ends || (csv->separator == ' ' && *end > k + 1)) return NNB_OK;
  return nnb__csv_fail(csv, *end, "a quotation mark inside a field, or text after a quoted field");
}

static nnb_status read_plain(const nnb__csv *csv, size_t i, nnb__csv_field *field, size_t *end) {
  const char *text = csv->text, separator = csv->separator, second = separator == ' ' ? '\t' : separator;
  size_t k = i;
  while (k < csv->bytes && text[k] != separator && text[k] != second && text[k] != '"' && !is_line_end(text[k])) k++;
  if (k < csv->bytes && text[k] == '"')
    return nnb__csv_fail(csv, k, "a quotation mark inside a field, or text after a quoted field");
  *end = k;
  while (k > i && is_blank(csv, text[k - 1])) k--;
  *field = (nnb__csv_field){text + i, k - i, i};
  return NNB_OK;
}

/* Reads a field at *i; then *i is where the next one begins, or *last. */
static nnb_status read_field(const nnb__csv *csv, size_t *i, nnb__csv_field *field, bool *last) {
  const bool quoted = *i < csv->bytes && csv->text[*i] == '"';
  nnb_status status = quoted ? read_quoted(csv, *i, field, i) : read_plain(csv, *i, field, i);
  if (status) return status;
  const bool separated = *i < csv->bytes && csv->text[*i] == csv->separator && csv->separator != ' ';
  *i = skip_blanks(csv, *i + separated);
  *last = !separated && (*i >= csv->bytes || is_line_end(csv->text[*i]));
  return NNB_OK;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The fields with doubled quotation marks, with single ones. */
static nnb_status copy_doubled(nnb__csv_row *row) {
  size_t n = 0;
  for (int c = 0; c < row->n; c++) n += row->field[c].text ? 0 : row->field[c].n;
  if (n == 0) return NNB_OK;
  if (!nnb__grow(&row->copy, &row->cap_copy, n, 1)) return nnb__fail_nomem(row->csv->name);
  char *to = row->copy;
  for (int c = 0; c < row->n; c++) {
    nnb__csv_field *field = &row->field[c];
    if (field->text) continue;
    const char *from = row->csv->text + field->at + 1, *end = from + field->n;
    field->text = to;
    for (; from < end; from++) {
      *to++ = *from;
      if (*from == '"') from++;
    }
    field->n = (size_t)(to - field->text);
  }
  return NNB_OK;
}

nnb_status nnb__csv_next(nnb__csv_row *row, bool *more) {
  const nnb__csv *csv = row->csv;
  size_t i = skip_empty_lines(csv, row->next);
  bool doubled = false, last = false;
  row->n = 0, row->at = row->next = i;
  *more = i < csv->bytes;
  if (!*more) return NNB_OK;
  if (row->number == INT32_MAX) return nnb__fail(NNB_E_OVERFLOW, "%s has more than %d rows", csv->name, INT32_MAX);
  row->number++;
  while (!last) {
    if (row->n == INT32_MAX)
      return nnb__fail(NNB_E_OVERFLOW, "%s: a row has more than %d fields", csv->name, INT32_MAX);
    const size_t n = (size_t)row->n;
    if (n == row->cap && !nnb__grow(&row->field, &row->cap, n + 1, sizeof *row->field))
      return nnb__fail_nomem(csv->name);
    nnb_status status = read_field(csv, &i, &row->field[n], &last);
    if (status) return status;
    doubled |= !row->field[n].text;
    row->n++;
  }
  row->next = i;
  return doubled ? copy_doubled(row) : NNB_OK;
}

void nnb__csv_row_clear(nnb__csv_row *row) {
  nnb__release(row->field);
  nnb__release(row->copy);
  *row = (nnb__csv_row){0};
}
