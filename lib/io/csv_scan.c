/* io/csv_scan.c: separated text with the quoting of RFC 4180.  A field without doubled quotation marks is a view of the
 * text. */
#include "csv_scan.h"

#include <stdarg.h>
#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Lines and columns so far; columns count characters of UTF-8. */
typedef struct counter {
  size_t line, column;
  char last;
} counter;

static void count(counter *c, const char *text, size_t n) {
  for (size_t i = 0; i < n; c->last = text[i++]) {
    const bool second = text[i] == '\n' && c->last == '\r'; /* the '\r' ended the line */
    if ((text[i] == '\n' || text[i] == '\r') && !second)
      c->line++, c->column = 1;
    else if (!second && ((unsigned char)text[i] & 0xC0) != 0x80)
      c->column++;
  }
}

/* A byte-order mark is no character of the first line.  A file is read once more for it, up to the place. */
static counter count_to(const nnb__csv *csv, size_t at) {
  char piece[1 << 14];
  counter c = {1, 1, '\0'};
  if (!csv->file && at > csv->mark) count(&c, csv->text + csv->mark, at - csv->mark);
  for (size_t done = csv->mark, n; csv->file && done < at; done += n) {
    n = at - done < sizeof piece ? at - done : sizeof piece;
    if (nnb__file_read(csv->file, piece, n, done)) break;
    count(&c, piece, n);
  }
  return c;
}

/* ":line:column: " of the place. */
static void print_place(const nnb__csv *csv, size_t at, bool with_column, char *out, size_t size) {
  const counter c = count_to(csv, at);
  if (with_column)
    snprintf(out, size, ":%zu:%zu: ", c.line, c.column);
  else
    snprintf(out, size, ":%zu: ", c.line);
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

static nnb_status check_text(nnb__csv *csv) {
  if (csv->from == 0 && csv->bytes >= 3 && memcmp(csv->text, "\xEF\xBB\xBF", 3) == 0) csv->mark = 3;
  const char *nul = csv->bytes ? memchr(csv->text, '\0', csv->bytes) : NULL;
  csv->has_nul = nul != NULL;
  if (!nul) return NNB_OK;
  return nnb__csv_fail(csv, csv->from + (size_t)(nul - csv->text), "a NUL byte; this is not text in UTF-8 or ASCII");
}

/* ---- the window of a file ---------------------------------------------------------------------------------------- */

size_t nnb__csv_window = 1 << 18, nnb__csv_marks = 1 << 16;

/* Whether the text goes to the end. */
static bool is_last(const nnb__csv *csv) { return !csv->file || csv->from + csv->bytes == csv->file->size; }

/* Moves the window; if it begins at this place already, it becomes longer. */
static nnb_status load(nnb__csv *csv, size_t at) {
  const bool longer = csv->bytes > 0 && csv->from == at;
  if (longer && csv->window > NNB__CSV_LONGEST / 2)
    return nnb__csv_fail_line(csv, at, "a row has more than %d MiB; a quotation mark may be missing",
                              NNB__CSV_LONGEST >> 20);
  if (longer) csv->window *= 2;
  const uint64_t left = csv->file->size - at;
  const size_t n = left < csv->window ? (size_t)left : csv->window;
  csv->bytes = 0;
  if (!nnb__grow(&csv->buffer, &csv->cap, n, 1)) return nnb__fail_nomem(csv->name);
  nnb_status status = nnb__file_read(csv->file, csv->buffer, n, at);
  if (status) return status;
  csv->text = csv->buffer, csv->bytes = n, csv->from = at;
  return check_text(csv);
}

void nnb__csv_end(nnb__csv *csv) {
  nnb__release(csv->buffer);
  csv->buffer = NULL, csv->cap = 0;
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

/* The start moves behind n lines. */
static nnb_status skip_lines(nnb__csv *csv, int n) {
  nnb_status status = NNB_OK;
  while (n > 0 && !status) {
    const size_t i = find_line_end(csv, csv->start - csv->from);
    csv->start = csv->from + i;
    if (i + 1 < csv->bytes || is_last(csv)) {
      const bool two = i + 1 < csv->bytes && csv->text[i] == '\r' && csv->text[i + 1] == '\n';
      csv->start += i < csv->bytes ? 1 + (size_t)two : 0;
      n--;
    } else {
      status = load(csv, csv->start);
    }
  }
  return status;
}

nnb_status nnb__csv_begin(nnb__csv *csv, int n) {
  csv->window = nnb__csv_window < 3 ? 3 : nnb__csv_window;
  nnb_status status = csv->file ? load(csv, 0) : check_text(csv);
  if (status) return status;
  csv->start = csv->mark;
  return skip_lines(csv, n);
}

/* Past empty lines and comments; row->next: the end of the last of these lines.  The '\n' of "\r\n" counts as an empty
 * line. */
static size_t skip_empty_lines(nnb__csv_row *row) {
  const nnb__csv *csv = row->csv;
  for (size_t i = row->next - csv->from;; i++) {
    i = skip_blanks(csv, i);
    if (i < csv->bytes && csv->comment && csv->text[i] == csv->comment) i = find_line_end(csv, i);
    if (i >= csv->bytes || !is_line_end(csv->text[i])) return i;
    row->next = csv->from + i;
  }
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The quoted field that begins at i; *end: the character behind it and behind blanks. */
static nnb_status read_quoted(const nnb__csv *csv, size_t i, nnb__csv_field *field, size_t *end) {
  bool doubled = false;
  size_t k = i + 1;
  for (;; k += 2, doubled = true) {
    const char *mark = memchr(csv->text + k, '"', csv->bytes - k);
    if (!mark && !is_last(csv)) return *end = csv->bytes, NNB_OK; /* the row is read again */
    if (!mark) return nnb__csv_fail(csv, csv->from + i, "this quotation mark is never closed");
    k = (size_t)(mark - csv->text);
    if (k + 1 >= csv->bytes || csv->text[k + 1] != '"') break;
  }
  *field = (nnb__csv_field){doubled ? NULL : csv->text + i + 1, k - i - 1, csv->from + i};
  *end = skip_blanks(csv, k + 1);
  const bool ends = *end == csv->bytes || is_line_end(csv->text[*end]) || csv->text[*end] == csv->separator;
  if (ends || (csv->separator == ' ' && *end > k + 1)) return NNB_OK;
  return nnb__csv_fail(csv, csv->from + *end, "a quotation mark inside a field, or text after a quoted field");
}

static nnb_status read_plain(const nnb__csv *csv, size_t i, nnb__csv_field *field, size_t *end) {
  const char *text = csv->text, separator = csv->separator, second = separator == ' ' ? '\t' : separator;
  size_t k = i;
  while (k < csv->bytes && text[k] != separator && text[k] != second && text[k] != '"' && !is_line_end(text[k])) k++;
  if (k < csv->bytes && text[k] == '"')
    return nnb__csv_fail(csv, csv->from + k, "a quotation mark inside a field, or text after a quoted field");
  *end = k;
  while (k > i && is_blank(csv, text[k - 1])) k--;
  *field = (nnb__csv_field){text + i, k - i, csv->from + i};
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
    const char *from = row->csv->text + (field->at - row->csv->from) + 1, *end = from + field->n;
    field->text = to;
    for (; from < end; from++) {
      *to++ = *from;
      if (*from == '"') from++;
    }
    field->n = (size_t)(to - field->text);
  }
  return NNB_OK;
}

/* Reads the row behind row->next, as far as the text goes; *cut: it may go on behind the text. */
static nnb_status read_row(nnb__csv_row *row, bool *more, bool *cut) {
  const nnb__csv *csv = row->csv;
  size_t i = skip_empty_lines(row);
  bool doubled = false, last = i >= csv->bytes;
  row->n = 0, row->at = csv->from + i;
  *more = !last;
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
  *cut = i >= csv->bytes && !is_last(csv);
  if (*cut) return NNB_OK;
  row->next = csv->from + i;
  return doubled ? copy_doubled(row) : NNB_OK;
}

nnb_status nnb__csv_next(nnb__csv_row *row, bool *more) {
  nnb__csv *csv = row->csv;
  nnb_status status = NNB_OK;
  bool cut = row->next < csv->from || row->next - csv->from > csv->bytes;
  do {
    if (cut) status = load(csv, row->next);
    if (!status) status = read_row(row, more, &cut);
  } while (!status && cut);
  if (status || !*more) return status;
  if (row->number == INT32_MAX) return nnb__fail(NNB_E_OVERFLOW, "%s has more than %d rows", csv->name, INT32_MAX);
  row->number++;
  return NNB_OK;
}

void nnb__csv_row_clear(nnb__csv_row *row) {
  nnb__release(row->field);
  nnb__release(row->copy);
  *row = (nnb__csv_row){0};
}
