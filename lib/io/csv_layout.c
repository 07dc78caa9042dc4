/* io/csv_layout.c: the first of two passes: the number of rows, the header, input and target columns, classes or
 * numbers.  The rules are those of nnb_csv_opts in core.h.  They are simple, so that a damaged field is an error and
 * does not change the meaning of other fields. */
#include "csv_layout.h"

#include <ctype.h>
#include <string.h>

#include "alloc.h"
#include "decimal.h"
#include "status.h"
#include "text.h"

/* ---- all rows ---------------------------------------------------------------------------------------------------- */

nnb_status nnb__csv_check_row(const nnb__csv_layout *l, const nnb__csv_row *row) {
  if (row->n == l->columns) return NNB_OK;
  return nnb__csv_fail_line(l->csv, row->at, "the row has %d field%s; the %s row has %d", row->n,
                            row->n == 1 ? "" : "s", l->first == NNB__CSV_SUMMARY ? "second" : "first", l->columns);
}

/* Counts the rows; *target: the kind of the first target that shows one. */
static nnb_status survey(nnb__csv_layout *l, nnb__csv_kind *target) {
  nnb__csv_row row = {.csv = l->csv, .next = l->csv->start};
  const int skip = l->first != NNB__CSV_DATA;
  bool more;
  nnb_status status;
  *target = NNB__CSV_EMPTY;
  while (!(status = nnb__csv_next(&row, &more)) && more) {
    if (row.number <= skip) continue;
    status = nnb__csv_check_row(l, &row);
    if (!status) status = nnb__csv_survey_inputs(l, &row);
    if (status) break;
    if (l->n_targets > 0 && !nnb__csv_shows_kind(*target)) *target = nnb__csv_kind_of(l->csv, &row.field[l->target[0]]);
  }
  l->rows = row.number - skip;
  nnb__csv_row_clear(&row);
  return status;
}

/* Whether every class given is a number: then classes are compared as numbers. */
static bool numbers_given(const nnb_csv_opts *o) {
  double value;
  for (int k = 0; k < o->n_class_names; k++) {
    const char *name = o->class_names[k];
    if (name && nnb__decimal(name, strlen(name), '.', &value) != NNB__DECIMAL) return false;
  }
  return true;
}

/* The classes of a summary are the numbers 0 … in the last column. */
static bool has_summary_classes(const nnb__csv_layout *l) {
  return l->first == NNB__CSV_SUMMARY && l->n_targets == 1 && l->target[0] == l->columns - 1 && !l->opts->class_names;
}

static nnb_status decide_classes(nnb__csv_layout *l, nnb__csv_kind target) {
  const nnb_csv_opts *o = l->opts;
  if (l->first == NNB__CSV_SUMMARY && !nnb__csv_is_count(l, 0, l->rows))
    return nnb__csv_fail(l->csv, l->csv->start, "the first row announces %s rows; %d came", l->head[0], l->rows);
  l->classes =
      l->n_targets == 1 && (target == NNB__CSV_TEXT || o->classify || o->class_names || has_summary_classes(l));
  l->numeric = o->class_names ? numbers_given(o) : target != NNB__CSV_TEXT;
  l->class_names = o->class_names, l->n_class_names = o->n_class_names;
  if (has_summary_classes(l)) l->class_names = (const char *const *)l->head + 2, l->n_class_names = l->n_head - 2;
  return NNB_OK;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static nnb_status check_list(const char *what, const char *const *list, int n) {
  if (n >= 0 && (n > 0) == (list != NULL)) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "%s and n_%s (%d) do not match", what, what, n);
}

static nnb_status check_characters(const nnb_csv_opts *o) {
  const char c = o->separator;
  if (c && (strchr("\"\r\n+-.", c) || (c >= '0' && c <= '9') || c == 'e' || c == 'E'))
    return nnb__fail(NNB_E_ARG, "the separator must not be part of a number, a quotation mark or a line end");
  if (c == ',' && o->decimal_comma)
    return nnb__fail(NNB_E_ARG, "the separator is ',', which .decimal_comma has as a part of numbers");
  if (o->comment && (strchr("\"\r\n \t", o->comment) || o->comment == c))
    return nnb__fail(NNB_E_ARG,
                     "the comment character must not be a quotation mark, a blank, a line end or the separator");
  return NNB_OK;
}

/* Options that say how inputs are read. */
static nnb_status check_inputs(const nnb_csv_opts *o) {
  if (o->missing != NNB_MISSING_ERROR && o->missing != NNB_MISSING_MEAN)
    return nnb__fail(NNB_E_ARG, "missing is %d; wanted a value of nnb_missing", (int)o->missing);
  if (o->categories < 0) return nnb__fail(NNB_E_ARG, "categories is %d; wanted at least 0", o->categories);
  if (o->category && o->categories == 0)
    return nnb__fail(NNB_E_ARG, "category needs categories, the most levels of a column");
  const bool leaves = o->leave && o->columns && nnb__columns_named(o->columns);
  if (o->columns && (o->take || leaves || o->missing || o->categories))
    return nnb__fail(NNB_E_ARG,
                     "columns says how inputs are read; take, leave, missing and categories must not be set");
  if (o->unseen_levels && !o->columns) return nnb__fail(NNB_E_ARG, "unseen_levels needs columns");
  if (o->columns && o->header == NNB_NONE && nnb__columns_named(o->columns))
    return nnb__fail(NNB_E_ARG, "columns has names; this needs a header");
  return NNB_OK;
}

static nnb_status check_opts(const nnb_csv_opts *o, int n_targets) {
  if (o->header != 0 && o->header != 1 && o->header != NNB_NONE)
    return nnb__fail(NNB_E_ARG, "header is %d; wanted 0, 1 or NNB_NONE", o->header);
  if (o->n_targets < 0 && o->n_targets != NNB_NONE)
    return nnb__fail(NNB_E_ARG, "n_targets is %d; wanted a positive number or NNB_NONE", o->n_targets);
  if (o->target && n_targets != 1)
    return nnb__fail(NNB_E_ARG, "target is set; this needs n_targets 1, not %d", n_targets);
  if ((o->classify || o->class_names) && n_targets != 1)
    return nnb__fail(NNB_E_ARG, "there are %d target column(s); classes need exactly one", n_targets);
  if (o->skip_lines < 0) return nnb__fail(NNB_E_ARG, "skip_lines is %d; wanted at least 0", o->skip_lines);
  nnb_status status = check_list("class_names", o->class_names, o->n_class_names);
  if (!status) status = check_list("take", o->take, o->n_take);
  if (!status) status = check_list("leave", o->leave, o->n_leave);
  if (!status) status = check_list("category", o->category, o->n_category);
  if (!status) status = check_inputs(o);
  if (!status && o->take && o->leave) status = nnb__fail(NNB_E_ARG, "take and leave do not go together");
  if (!status && o->header == NNB_NONE && nnb__csv_by_name(o))
    status = nnb__fail(NNB_E_ARG, "a column by name needs a header");
  return status ? status : check_characters(o);
}

/* ---- the layout -------------------------------------------------------------------------------------------------- */

static nnb_status find_layout(nnb__csv_layout *l) {
  nnb__csv_kind target;
  nnb_status status = nnb__csv_decide_first(l);
  if (!status) status = nnb__csv_choose_columns(l);
  if (!status) status = survey(l, &target);
  if (!status) status = nnb__csv_encode(l);
  return status ? status : decide_classes(l, target);
}

nnb_status nnb__csv_layout_init(nnb__csv_layout *layout, nnb__csv *csv, const nnb_csv_opts *opts) {
  *layout = (nnb__csv_layout){.csv = csv, .opts = opts};
  layout->n_targets = opts->n_targets == NNB_NONE ? 0 : opts->n_targets == 0 ? 1 : opts->n_targets;
  nnb_status status = check_opts(opts, layout->n_targets);
  if (!status) status = find_layout(layout);
  if (status) nnb__csv_layout_clear(layout);
  return status;
}

void nnb__csv_layout_clear(nnb__csv_layout *layout) {
  for (int c = 0; c < layout->n_head; c++) nnb__release(layout->head[c]);
  nnb__release(layout->head);
  for (int i = 0; layout->input && i < layout->n_in + layout->n_unusable; i++)
    nnb__table_clear(&layout->input[i].levels);
  nnb__release(layout->input);
  nnb__columns_destroy(layout->encoding);
  nnb__release(layout->target);
  nnb__table_clear(&layout->known);
  nnb__release(layout->class_of);
  *layout = (nnb__csv_layout){0};
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool is_target(const nnb__csv_layout *l, int column) {
  for (int k = 0; k < l->n_targets; k++)
    if (l->target[k] == column) return true;
  return false;
}

/* What may have been meant by a text where a number is wanted. */
static const char *advice(const nnb__csv_layout *l, const nnb__csv_field *field, int column) {
  double value;
  const char *comma = l->csv->point == '.' ? memchr(field->text, ',', field->n) : NULL;
  if (comma && nnb__decimal(field->text, field->n, ',', &value) == NNB__DECIMAL)
    return " (where numbers have a decimal comma, set .decimal_comma = true)";
  if (field->at < l->first_end && l->opts->header == 0) return " (where the first row holds names, set .header = 1)";
  if (l->n_targets == 1 && column == l->target[0] && !l->opts->class_names)
    return " as the first target is (.class_names allows classes of both kinds)";
  if (l->opts->columns) return " as all of this column are in the training data";
  if (l->opts->categories > 0) return " as the first of this column is (.category allows both)";
  if (isalpha((unsigned char)*field->text)) return " (.categories reads a column of texts, .leave ignores it)";
  return "";
}

static nnb_status fail_missing(const nnb__csv_layout *l, const nnb__csv_field *field, int column) {
  for (int i = 0; i < l->n_in && !is_target(l, column); i++)
    if (l->input[i].column == column) return nnb__csv_fail_missing(l, field, i);
  return nnb__csv_fail(l->csv, field->at, "the target is missing; drop the row");
}

nnb_status nnb__csv_fail_number(const nnb__csv_layout *l, const nnb__csv_field *field, int column) {
  char shown[NNB__SHOWN_TEXT];
  double value;
  if (nnb__csv_is_missing(field)) return fail_missing(l, field, column);
  nnb__number kind = nnb__decimal(field->text, field->n, l->csv->point, &value);
  nnb__show(field->text, field->n, shown);
  if (kind == NNB__NOT_DECIMAL)
    return nnb__csv_fail(l->csv, field->at, "\"%s\" is not a number%s", shown, advice(l, field, column));
  return nnb__csv_fail(l->csv, field->at, "\"%s\" is not a finite number%s", shown,
                       kind == NNB__DECIMAL ? " in single precision" : "");
}
