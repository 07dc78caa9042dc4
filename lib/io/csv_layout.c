/* io/csv_layout.c: the first of two passes: the number of rows, the header, the target column, classes or numbers.  The
 * rules are those of nnb_csv_opts in core.h.  They are simple, so that a damaged field is an error and does not change
 * the meaning of other fields. */
#include "csv_layout.h"

#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

typedef enum field_kind { EMPTY, NUMBER, ODD, TEXT } field_kind; /* ODD: nan, inf, out of range */

typedef struct survey {
  nnb__csv_layout *layout;
  field_kind *kinds[2]; /* of the fields of the first and second row */
  size_t cap_first, cap_kinds;
  int rows;
  field_kind target[2]; /* the first number or text in the target column: in the first row; in the later ones */
} survey;

static field_kind kind_of(const nnb__csv_field *field) {
  double value;
  if (field->n == 0) return EMPTY;
  switch (nnb__text_number(field->text, field->n, &value)) {
    case NNB__DECIMAL:
      return NUMBER;
    case NNB__NOT_FINITE:
      return ODD;
    case NNB__NOT_DECIMAL:
      break;
  }
  return TEXT;
}

/* Whether a field shows the kind of its column. */
static bool shows_kind(field_kind kind) { return kind == NUMBER || kind == TEXT; }

static nnb_status keep_first(survey *s, const nnb__csv_field *field) {
  nnb__csv_layout *l = s->layout;
  size_t n = (size_t)field->column + 1;
  if (!nnb__grow(&l->first, &s->cap_first, n, sizeof *l->first)) return nnb__fail_nomem("the first row");
  if (!nnb__grow(&s->kinds[0], &s->cap_kinds, n, sizeof *s->kinds[0])) return nnb__fail_nomem("the first row");
  l->first[field->column] = nnb__strdup(field->text);
  if (!l->first[field->column]) return nnb__fail_nomem("the first row");
  l->columns = field->column + 1;
  s->kinds[0][field->column] = kind_of(field);
  return NNB_OK;
}

static nnb_status on_field(void *context, const nnb__csv_field *field) {
  survey *s = context;
  if (field->row == 0) return keep_first(s, field);
  if (field->row == 1 && field->column < s->layout->columns) s->kinds[1][field->column] = kind_of(field);
  if (field->column == s->layout->target && !shows_kind(s->target[1])) s->target[1] = kind_of(field);
  return NNB_OK;
}

/* The column that opts->target names. */
static nnb_status find_target(nnb__csv_layout *l) {
  int found = -1;
  for (int c = 0; c < l->columns; c++) {
    if (strcmp(l->first[c], l->opts->target) != 0) continue;
    if (found >= 0) return nnb__fail(NNB_E_ARG, "%s: two columns are named \"%s\"", l->csv->name, l->opts->target);
    found = c;
  }
  if (found < 0) return nnb__fail(NNB_E_ARG, "%s: no column is named \"%s\"", l->csv->name, l->opts->target);
  l->target = found;
  return NNB_OK;
}

static nnb_status after_first_row(survey *s) {
  nnb__csv_layout *l = s->layout;
  if (l->n_targets >= l->columns)
    return nnb__fail(NNB_E_SHAPE, "%s: rows have %d field%s; with %d of them as targets there is no input",
                     l->csv->name, l->columns, l->columns == 1 ? "" : "s", l->n_targets);
  l->target = l->columns - l->n_targets;
  nnb_status status = l->opts->target ? find_target(l) : NNB_OK;
  s->kinds[1] = nnb__zalloc((size_t)l->columns, sizeof *s->kinds[1]);
  if (!status && !s->kinds[1]) status = nnb__fail_nomem("the second row");
  if (!status && l->n_targets > 0) s->target[0] = s->kinds[0][l->target];
  return status;
}

static nnb_status on_row(void *context, int row, int columns) {
  survey *s = context;
  s->rows++;
  if (row == 0) return after_first_row(s);
  if (columns == s->layout->columns) return NNB_OK;
  return nnb__csv_fail(s->layout->csv, row, -1, "the row has %d field%s; the first row has %d", columns,
                       columns == 1 ? "" : "s", s->layout->columns);
}

/* Whether there is no number in the first row, and a text above a number. */
static bool looks_like_header(const survey *s) {
  const nnb__csv_layout *l = s->layout;
  bool above = false;
  for (int c = 0; c < l->columns; c++) {
    field_kind kind = s->kinds[0][c];
    if (kind == NUMBER || kind == ODD) return false;
    above |= kind == TEXT && s->kinds[1][c] == NUMBER;
  }
  return above;
}

/* Whether all given classes are numbers: then classes are compared as numbers. */
static bool numbers_given(const nnb_csv_opts *o) {
  double value;
  for (int k = 0; k < o->n_class_names; k++) {
    const char *name = o->class_names[k];
    if (name && nnb__text_number(name, strlen(name), &value) != NNB__DECIMAL) return false;
  }
  return true;
}

static nnb_status check_header(const nnb__csv_layout *l) {
  for (int c = 0; c < l->columns; c++)
    if (!nnb__is_utf8(l->first[c], strlen(l->first[c]))) return nnb__csv_fail(l->csv, 0, c, "the name is not UTF-8");
  return NNB_OK;
}

static nnb_status decide(survey *s) {
  nnb__csv_layout *l = s->layout;
  const nnb_csv_opts *o = l->opts;
  if (s->rows > 0) l->header = o->header == 1 || o->target || (o->header == 0 && looks_like_header(s));
  l->rows = s->rows - l->header;
  if (l->rows < 1) return nnb__fail(NNB_E_PARSE, "%s: no rows of data", l->csv->name);
  field_kind first = l->header || !shows_kind(s->target[0]) ? s->target[1] : s->target[0];
  l->classes = l->n_targets == 1 && (first == TEXT || o->classify || o->class_names);
  l->numeric = o->class_names ? numbers_given(o) : first != TEXT;
  return l->header ? check_header(l) : NNB_OK;
}

static nnb_status check_opts(const nnb__csv_layout *l) {
  const nnb_csv_opts *o = l->opts;
  char c = l->csv->separator;
  if (strchr("\"\r\n+-.", c) || (c >= '0' && c <= '9') || c == 'e' || c == 'E')
    return nnb__fail(NNB_E_ARG, "the separator must not be part of a number, a quotation mark or a line end");
  if (o->header != 0 && o->header != 1 && o->header != NNB_NONE)
    return nnb__fail(NNB_E_ARG, "header is %d; wanted 0, 1 or NNB_NONE", o->header);
  if (o->n_targets < 0 && o->n_targets != NNB_NONE)
    return nnb__fail(NNB_E_ARG, "n_targets is %d; wanted a positive number or NNB_NONE", o->n_targets);
  if (o->target && (o->header == NNB_NONE || l->n_targets != 1))
    return nnb__fail(NNB_E_ARG, "target is set; this needs a header and n_targets 1");
  if ((o->classify || o->class_names) && l->n_targets != 1)
    return nnb__fail(NNB_E_ARG, "there are %d target columns; classes need exactly one", l->n_targets);
  if (o->n_class_names < 0 || (o->n_class_names > 0) != (o->class_names != NULL))
    return nnb__fail(NNB_E_ARG, "class_names and n_class_names (%d) do not match", o->n_class_names);
  return NNB_OK;
}

nnb_status nnb__csv_layout_init(nnb__csv_layout *layout, const nnb__csv *csv, const nnb_csv_opts *opts) {
  *layout = (nnb__csv_layout){.csv = csv, .opts = opts, .target = -1};
  layout->n_targets = opts->n_targets == NNB_NONE ? 0 : opts->n_targets == 0 ? 1 : opts->n_targets;
  survey s = {.layout = layout};
  nnb_status status = check_opts(layout);
  if (!status) status = nnb__csv_scan(csv, &(nnb__csv_calls){on_field, on_row, &s});
  if (!status) status = decide(&s);
  nnb__release(s.kinds[0]);
  nnb__release(s.kinds[1]);
  if (status) nnb__csv_layout_clear(layout);
  return status;
}

void nnb__csv_layout_clear(nnb__csv_layout *layout) {
  for (int c = 0; c < layout->columns; c++) nnb__release(layout->first[c]);
  nnb__release(layout->first);
  nnb__table_clear(&layout->known);
  *layout = (nnb__csv_layout){0};
}

/* Advice for a text in place of a number. */
static const char *advice(const nnb__csv_layout *l, const nnb__csv_field *field) {
  if (field->row == 0 && l->opts->header == 0) return " (where the first row holds names, set .header = 1)";
  if (field->column == l->target && l->n_targets == 1 && !l->opts->class_names)
    return " as the first target is (.class_names allows classes of both kinds)";
  return "";
}

nnb_status nnb__csv_number(const nnb__csv_layout *l, const nnb__csv_field *field, double limit, double *number) {
  const nnb__csv *csv = l->csv;
  char shown[NNB__SHOWN_TEXT];
  nnb__number kind = nnb__text_number(field->text, field->n, number);
  if (kind == NNB__DECIMAL && *number <= limit && *number >= -limit) return NNB_OK;
  if (field->n == 0) return nnb__csv_fail(csv, field->row, field->column, "the field is empty; wanted a number");
  nnb__show(field->text, field->n, shown);
  if (kind == NNB__NOT_DECIMAL)
    return nnb__csv_fail(csv, field->row, field->column, "\"%s\" is not a number%s", shown, advice(l, field));
  return nnb__csv_fail(csv, field->row, field->column, "\"%s\" is not a finite number%s", shown,
                       kind == NNB__DECIMAL ? " in single precision" : "");
}
