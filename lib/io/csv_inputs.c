/* io/csv_inputs.c: what the input columns hold: numbers or levels, and where values are missing. */
#include <string.h>

#include "alloc.h"
#include "csv_layout.h"
#include "decimal.h"
#include "nearest.h"
#include "status.h"
#include "text.h"

/* ---- missing values ---------------------------------------------------------------------------------------------- */

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Whether n bytes are this word in small or capital letters. */
static bool is_word(const char *text, size_t n, const char *word) {
  if (n != strlen(word)) return false;
  for (size_t i = 0; i < n; i++)
    if (small(text[i]) != word[i]) return false;
  return true;
}

bool nnb__csv_is_missing(const nnb__csv_field *field) {
  static const char *const words[] = {"?", "na", "n/a", "nan", "null"};
  const char *text = field->text;
  size_t n = field->n;
  for (; n > 0 && (*text == ' ' || *text == '\t'); n--) text++;
  while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t')) n--;
  if (n == 0) return true;
  for (size_t i = 0; n <= 4 && i < sizeof words / sizeof *words; i++)
    if (is_word(text, n, words[i])) return true;
  return false;
}

/* The name of input i in quotes, or its number. */
static const char *show_column(const nnb__csv_layout *l, int i, char shown[NNB__SHOWN_TEXT + 8]) {
  char name[NNB__SHOWN_TEXT];
  const int c = l->input[i].column;
  if (l->first == NNB__CSV_NAMES && *l->head[c])
    snprintf(shown, NNB__SHOWN_TEXT + 8, "\"%s\"", nnb__show(l->head[c], strlen(l->head[c]), name));
  else
    snprintf(shown, NNB__SHOWN_TEXT + 8, "column %d", c + 1);
  return shown;
}

nnb_status nnb__csv_fail_missing(const nnb__csv_layout *l, const nnb__csv_field *field, int i) {
  char shown[NNB__SHOWN_TEXT + 8];
  const char *advice = l->opts->columns ? "the training data had one in every row"
                                        : ".missing = NNB_MISSING_MEAN accepts it, .leave ignores the column";
  return nnb__csv_fail(l->csv, field->at, "the value of %s is missing (%s)", show_column(l, i, shown), advice);
}

/* ---- the first reading ------------------------------------------------------------------------------------------- */

static nnb_status add_level(nnb__csv_layout *l, int i, const nnb__csv_field *field) {
  nnb__csv_input *in = &l->input[i];
  char shown[NNB__SHOWN_TEXT], column[NNB__SHOWN_TEXT + 8];
  double value;
  if (nnb__table_find(&in->levels, field->text, field->n) >= 0) return NNB_OK;
  if (!in->given && !l->opts->leave_unusable &&
      nnb__decimal(field->text, field->n, l->csv->point, &value) == NNB__DECIMAL)
    return nnb__csv_fail(l->csv, field->at,
                         "\"%s\" is a number but the first value of %s is a text (.category allows both)",
                         nnb__show(field->text, field->n, shown), show_column(l, i, column));
  if (!nnb__is_utf8(field->text, field->n)) return nnb__csv_fail(l->csv, field->at, "the text is not UTF-8");
  const bool full = in->levels.n == (size_t)l->opts->categories;
  if (full && l->opts->leave_unusable) return in->unusable = true, NNB_OK;
  if (full)
    return nnb__csv_fail(l->csv, field->at,
                         "%s has more than %d different texts (.leave ignores the column, .categories is the limit)",
                         show_column(l, i, column), l->opts->categories);
  return nnb__table_add(&in->levels, field->text, field->n) < 0 ? nnb__fail_nomem("the levels of a column") : NNB_OK;
}

static nnb_status survey(nnb__csv_layout *l, int i, const nnb__csv_field *field) {
  nnb__csv_input *in = &l->input[i];
  double value;
  if (nnb__csv_is_missing(field)) return in->n_missing++, NNB_OK;
  if (!in->decided && l->opts->categories > 0)
    in->texts = in->given || nnb__decimal(field->text, field->n, l->csv->point, &value) == NNB__NOT_DECIMAL;
  in->decided = true;
  return in->texts && !in->unusable ? add_level(l, i, field) : NNB_OK;
}

nnb_status nnb__csv_survey_inputs(nnb__csv_layout *l, const nnb__csv_row *row) {
  const nnb_csv_opts *o = l->opts;
  nnb_status status = NNB_OK;
  const bool needed = o->columns || o->categories > 0 || o->missing != NNB_MISSING_ERROR;
  for (int i = 0; needed && i < l->n_in && !status; i++) status = survey(l, i, &row->field[l->input[i].column]);
  return status;
}

/* ---- what the columns become ------------------------------------------------------------------------------------- */

static const char *get_name(const void *layout, int i) {
  const nnb__csv_layout *l = layout;
  const char *name = l->first == NNB__CSV_NAMES ? l->head[l->input[i].column] : "";
  return *name ? name : NULL;
}

static nnb_status encode(nnb__csv_layout *l, int i) {
  const nnb__csv_input *in = &l->input[i];
  nnb_column *c = &l->encoding->column[i];
  char shown[NNB__SHOWN_TEXT + 8];
  c->missing = in->n_missing > 0 && l->opts->missing == NNB_MISSING_MEAN;
  if (c->missing && !in->decided)
    return nnb__fail(NNB_E_PARSE, "%s: %s has no value in any row (.leave ignores the column)", l->csv->name,
                     show_column(l, i, shown));
  if (in->texts && !nnb__column_set_levels(c, in->levels.text, (int)in->levels.n))
    return nnb__fail_nomem("the levels of a column");
  return NNB_OK;
}

/* Moves the inputs that cannot be used behind the others. */
static nnb_status set_aside(nnb__csv_layout *l) {
  nnb__csv_input *unusable = nnb__alloc((size_t)l->n_in, sizeof *unusable);
  int kept = 0, n = 0;
  if (!unusable) return nnb__fail_nomem("the columns");
  for (int i = 0; i < l->n_in; i++) {
    nnb__csv_input *in = &l->input[i];
    if (!in->decided && in->n_missing > 0) in->unusable = true;
    if (in->unusable)
      unusable[n++] = *in;
    else
      l->input[kept++] = *in;
  }
  memcpy(l->input + kept, unusable, (size_t)n * sizeof *unusable);
  l->n_in = kept, l->n_unusable = n;
  nnb__release(unusable);
  if (kept > 0) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "%s: no input column can be used: each has more than %d different texts, or no value",
                   l->csv->name, l->opts->categories);
}

nnb_status nnb__csv_encode(nnb__csv_layout *l) {
  const nnb_columns *as = l->opts->columns;
  nnb_status status = !as && l->opts->leave_unusable && l->opts->categories > 0 ? set_aside(l) : NNB_OK;
  if (status) return status;
  l->encoding = as ? nnb__columns_copy(as) : nnb__columns_create(l->n_in, get_name, l);
  if (!l->encoding) return nnb__fail_nomem("the columns");
  for (int i = 0; !as && i < l->n_in && !status; i++) status = encode(l, i);
  if (status || as) return status;
  status = nnb__columns_arrange(l->encoding);
  return status ? nnb__fail(status, "%s: %s", l->csv->name, nnb_errmsg()) : NNB_OK;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

/* The first of the levels, in quotes. */
static void list_levels(const nnb_column *c, char *out, size_t bytes) {
  enum { SHOWN = 4 };
  char level[NNB__SHOWN_TEXT];
  size_t used = 0;
  for (int j = 0; j < c->n_levels && j < SHOWN; j++)
    used += (size_t)snprintf(out + used, bytes - used, "%s\"%s\"", j ? ", " : "",
                             nnb__show(c->levels[j], strlen(c->levels[j]), level));
  if (c->n_levels > SHOWN) snprintf(out + used, bytes - used, ", … (%d)", c->n_levels);
}

static nnb_status fail_level(const nnb__csv_layout *l, const nnb__csv_field *field, int i) {
  const nnb_column *c = &l->encoding->column[i];
  char text[NNB__SHOWN_TEXT], column[NNB__SHOWN_TEXT + 8], levels[5 * NNB__SHOWN_TEXT], near[NNB__SHOWN_TEXT];
  nnb__nearest nearest = {0};
  for (int j = 0; j < c->n_levels; j++) nnb__nearest_try(&nearest, field->text, field->n, c->levels[j]);
  list_levels(c, levels, sizeof levels);
  return nnb__csv_fail(
      l->csv, field->at, "\"%s\" is not a level of %s%s%s%s; there are %s (or set .unseen_levels)",
      nnb__show(field->text, field->n, text), show_column(l, i, column), nearest.name ? "; the nearest is \"" : "",
      nearest.name ? nnb__show(nearest.name, strlen(nearest.name), near) : "", nearest.name ? "\"" : "", levels);
}

nnb_status nnb__csv_level(const nnb__csv_layout *l, const nnb__csv_field *field, int i, int *level) {
  *level = nnb__column_level(&l->encoding->column[i], field->text, field->n);
  return *level < 0 && !l->opts->unseen_levels ? fail_level(l, field, i) : NNB_OK;
}
