/* io/csv_rows.c: see csv_rows.h. */
#include "real.h"
/* the precision first */
#include "csv_rows.h"

#include <string.h>

#include "alloc.h"
#include "data.h"
#include "status.h"
#include "table_text.h"
#include "text.h"

int nnb__csv_n_in(const nnb__csv_layout *l) { return l->encoding->n_in; }

int nnb__csv_n_targets(const nnb__csv_layout *l) { return l->classes ? 0 : l->n_targets; }

nnb_status nnb__csv_open_text(nnb__csv *csv, const nnb_csv_opts *opts) {
  csv->separator = opts->separator, csv->comment = opts->comment, csv->point = opts->decimal_comma ? ',' : '.';
  nnb_status status = nnb__csv_begin(csv, opts->skip_lines);
  return status || opts->separator ? status : nnb__csv_find_separator(csv);
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

static bool read_real(const nnb__csv_field *field, char point, real *out) {
  return nnb__table_text_read(field->text, field->n, point, out);
}

static nnb_status read_targets(const nnb__csv_layout *l, const nnb__csv_row *row, real *to) {
  for (int i = 0; i < l->n_targets; i++)
    if (!read_real(&row->field[l->target[i]], l->csv->point, &to[i]))
      return nnb__csv_fail_number(l, &row->field[l->target[i]], l->target[i]);
  return NNB_OK;
}

/* A field of column i into its inputs, c->n places of 0.  A missing number becomes the mean, as far as it is known. */
static nnb_status read_input(const nnb__csv_layout *l, const nnb__csv_field *field, int i, real *to) {
  const nnb_column *c = &l->encoding->column[i];
  int level;
  if (!c->levels && read_real(field, l->csv->point, to)) return NNB_OK;
  if (nnb__csv_is_missing(field)) {
    if (!c->missing) return nnb__csv_fail_missing(l, field, i);
    if (!c->levels) to[0] = (real)c->mean;
    to[c->n - 1] = 1;
    return NNB_OK;
  }
  if (!c->levels) return nnb__csv_fail_number(l, field, l->input[i].column);
  nnb_status status = nnb__csv_level(l, field, i, &level);
  if (!status && level >= 0) to[level] = 1;
  return status;
}

static nnb_status read_inputs(const nnb__csv_layout *l, const nnb__csv_row *row, real *to) {
  const int n_in = nnb__csv_n_in(l);
  nnb_status status = NNB_OK;
  if (n_in != l->n_in) memset(to, 0, (size_t)n_in * sizeof *to);
  for (int i = 0; i < l->n_in && !status; i++)
    status = read_input(l, &row->field[l->input[i].column], i, to + l->encoding->column[i].first);
  return status;
}

static void see(nnb__csv_values *values, real value) {
  int k = 0;
  while (k < values->n && values->value[k] != value) k++;
  if (k < values->n || values->n < 0) return;
  const bool few = k < NNB__FEW && value == (real)floor((double)value);
  if (few) values->value[k] = value;
  values->n = few ? k + 1 : -1;
}

nnb_status nnb__csv_read_row(nnb__csv_layout *l, const nnb__csv_row *row, nnb__csv_tally *tally, real *x, real *t,
                             int32_t *label) {
  nnb_status status = read_inputs(l, row, x);
  if (!status && l->classes) status = nnb__csv_class(l, &row->field[l->target[0]], label);
  if (!status && !l->classes) status = read_targets(l, row, t);
  if (status || !tally) return status;
  see(&tally->first, x[0]);
  if (nnb__csv_n_targets(l) == 1) see(&tally->target, t[0]);
  return NNB_OK;
}

/* ---- all rows ---------------------------------------------------------------------------------------------------- */

/* The names of the inputs, then of the targets; an empty one is none. */
static bool take_names(const nnb__csv_layout *l, nnb__csv_found *found) {
  const nnb_columns *e = l->encoding;
  const int n_in = nnb__csv_n_in(l);
  if (l->first != NNB__CSV_NAMES && nnb__columns_plain(e)) return true;
  found->n_names = n_in + l->n_targets;
  found->column_names = nnb__zalloc((size_t)found->n_names, sizeof *found->column_names);
  bool done = found->column_names != NULL;
  for (int i = 0; i < e->n; i++)
    for (int k = 0; done && k < e->column[i].n; k++)
      done = nnb__columns_input_name(e, i, k, &found->column_names[e->column[i].first + k]);
  for (int k = 0; done && k < l->n_targets && l->first == NNB__CSV_NAMES; k++) {
    const char *name = l->head[l->target[k]];
    done = !*name || (found->column_names[n_in + k] = nnb__strdup(name));
  }
  return done;
}

static int few(const nnb__csv_values *values) { return values->n > 0 ? values->n : 0; }

nnb_status nnb__csv_find(nnb__csv_layout *l, const nnb__csv_tally *tally, nnb__csv_found *found) {
  *found = (nnb__csv_found){.n_left_out = l->n_unusable};
  nnb_status status = take_names(l, found) ? NNB_OK : nnb__fail_nomem("the names of the columns");
  if (!status && l->classes) status = nnb__csv_class_names(l, &found->class_names, &found->n_classes);
  if (!status && !nnb__csv_left_out(l, &found->left_out)) status = nnb__fail_nomem("the columns left out");
  const int few_first = l->encoding->column[0].n == 1 ? few(&tally->first) : 0;
  if (!status &&
      !(found->about = nnb__csv_about(l, found->class_names, found->n_classes, few(&tally->target), few_first)))
    status = nnb__fail_nomem("the summary");
  if (status) nnb__csv_found_clear(found);
  return status;
}

void nnb__csv_found_clear(nnb__csv_found *found) {
  nnb__names_release(found->column_names, found->n_names);
  nnb__names_release(found->class_names, found->n_classes);
  nnb__names_release(found->left_out, 2 * found->n_left_out);
  nnb__release(found->about);
  *found = (nnb__csv_found){0};
}

void nnb__csv_describe(nnb_data *data, nnb__csv_found *found) {
  data->about = found->about, found->about = NULL;
  data->left_out = found->left_out, data->n_left_out = found->n_left_out, found->left_out = NULL;
}

nnb_status nnb__csv_fill_missing(const nnb__csv_layout *l, nnb_data *data) {
  nnb_status status = l->opts->columns ? NNB_OK : nnb__data_find_means(data);
  if (!status) status = nnb__data_fill_missing(data);
  return status == NNB_E_NUMERIC ? nnb__fail(status, "%s: %s", l->csv->name, nnb_errmsg()) : status;
}
