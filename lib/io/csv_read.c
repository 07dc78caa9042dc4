/* io/csv_read.c: numbers and classes out of CSV text: the second reading. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "csv_about.h"
#include "csv_layout.h"
#include "data.h"
#include "decimal.h"
#include "status.h"
#include "text.h"

/* The arrays as they fill. */
typedef struct table {
  nnb__csv_layout layout;
  int n_x, n_t, n_names; /* n_x: inputs */
  real *x, *t;
  int32_t *label;
  char **column_names, **class_names;
  int n_classes;
  char **left_out; /* 2·layout.n_unusable */
  char *about;
} table;

/* False where the field is not a finite number of this precision. */
static bool read_real(const nnb__csv_field *field, char point, real *out) {
#ifdef NNB_SINGLE
  return nnb__decimal_single(field->text, field->n, point, out) == NNB__DECIMAL && isfinite(*out);
#else
  return nnb__decimal(field->text, field->n, point, out) == NNB__DECIMAL;
#endif
}

static nnb_status read_targets(const nnb__csv_layout *l, const nnb__csv_row *row, real *to) {
  for (int i = 0; i < l->n_targets; i++)
    if (!read_real(&row->field[l->target[i]], l->csv->point, &to[i]))
      return nnb__csv_fail_number(l, &row->field[l->target[i]], l->target[i]);
  return NNB_OK;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* A field of column i into its inputs, c->n places of 0. */
static nnb_status read_input(table *tab, const nnb__csv_field *field, int i, real *to) {
  const nnb__csv_layout *l = &tab->layout;
  const nnb_column *c = &l->encoding->column[i];
  int level;
  if (!c->levels && read_real(field, l->csv->point, to)) return NNB_OK;
  if (nnb__csv_is_missing(field)) {
    if (!c->missing) return nnb__csv_fail_missing(l, field, i);
    if (!c->levels) to[0] = 0; /* the mean is known later */
    to[c->n - 1] = 1;
    return NNB_OK;
  }
  if (!c->levels) return nnb__csv_fail_number(l, field, l->input[i].column);
  nnb_status status = nnb__csv_level(l, field, i, &level);
  if (!status && level >= 0) to[level] = 1;
  return status;
}

static nnb_status read_inputs(table *tab, const nnb__csv_row *row, real *to) {
  const nnb__csv_layout *l = &tab->layout;
  nnb_status status = NNB_OK;
  if (tab->n_x != l->n_in) memset(to, 0, (size_t)tab->n_x * sizeof *to);
  for (int i = 0; i < l->n_in && !status; i++)
    status = read_input(tab, &row->field[l->input[i].column], i, to + l->encoding->column[i].first);
  return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Row i of the data. */
static nnb_status read_row(table *tab, const nnb__csv_row *row, int i) {
  nnb__csv_layout *l = &tab->layout;
  nnb_status status = read_inputs(tab, row, tab->x + (size_t)i * (size_t)tab->n_x);
  if (status) return status;
  if (l->classes) return nnb__csv_class(l, &row->field[l->target[0]], &tab->label[i]);
  if (tab->n_t == 0) return NNB_OK;
  return read_targets(l, row, tab->t + (size_t)i * (size_t)tab->n_t);
}

static nnb_status read_rows(table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  nnb__csv_row row = {.csv = l->csv, .next = l->csv->start};
  const int skip = l->first != NNB__CSV_DATA;
  bool more;
  nnb_status status;
  while (!(status = nnb__csv_next(&row, &more)) && more)
    if (row.number > skip && (status = read_row(tab, &row, row.number - skip - 1)) != NNB_OK) break;
  nnb__csv_row_clear(&row);
  return status;
}

static bool make_arrays(table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  size_t rows = (size_t)l->rows, n;
  tab->n_t = l->classes ? 0 : l->n_targets;
  tab->n_x = l->encoding->n_in;
  if (!nnb__mul(rows, (size_t)tab->n_x, &n) || !(tab->x = nnb__alloc(n, sizeof *tab->x))) return false;
  if (tab->n_t && (!nnb__mul(rows, (size_t)tab->n_t, &n) || !(tab->t = nnb__alloc(n, sizeof *tab->t)))) return false;
  return !l->classes || (tab->label = nnb__alloc(rows, sizeof *tab->label));
}

/* The names of the inputs, then of the targets; an empty one is none. */
static bool take_names(table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  const nnb_columns *e = l->encoding;
  if (l->first != NNB__CSV_NAMES && nnb__columns_plain(e)) return true;
  tab->n_names = tab->n_x + l->n_targets;
  tab->column_names = nnb__zalloc((size_t)tab->n_names, sizeof *tab->column_names);
  bool done = tab->column_names != NULL;
  for (int i = 0; i < e->n; i++)
    for (int k = 0; done && k < e->column[i].n; k++)
      done = nnb__columns_input_name(e, i, k, &tab->column_names[e->column[i].first + k]);
  for (int k = 0; done && k < l->n_targets && l->first == NNB__CSV_NAMES; k++) {
    const char *name = l->head[l->target[k]];
    done = !*name || (tab->column_names[tab->n_x + k] = nnb__strdup(name));
  }
  return done;
}

/* The number of different values of a column if all are whole and there are at most NNB__FEW, else 0. */
static int count_few(const real *p, int rows, int ld) {
  real seen[NNB__FEW];
  int n = 0, k;
  for (int i = 0; i < rows; i++) {
    const real value = p[(size_t)i * (size_t)ld];
    for (k = 0; k < n && seen[k] != value; k++) continue;
    if (k == n && (n == NNB__FEW || value != (real)floor((double)value))) return 0;
    if (k == n) seen[n++] = value;
  }
  return n;
}

static char *describe(const table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  const int few_targets = tab->n_t == 1 ? count_few(tab->t, l->rows, 1) : 0;
  const int few_first = l->encoding->column[0].n == 1 ? count_few(tab->x, l->rows, tab->n_x) : 0;
  return nnb__csv_about(l, tab->n_classes, few_targets, few_first);
}

static nnb_status fill(table *tab) {
  if (!make_arrays(tab) || !take_names(tab)) return nnb__fail_nomem(tab->layout.csv->name);
  nnb_status status = read_rows(tab);
  if (!status && tab->layout.classes)
    status = nnb__csv_class_names(&tab->layout, tab->label, &tab->class_names, &tab->n_classes);
  if (!status && !nnb__csv_left_out(&tab->layout, &tab->left_out)) status = nnb__fail_nomem("the columns left out");
  if (!status && !(tab->about = describe(tab))) status = nnb__fail_nomem("the summary");
  return status;
}

static void table_clear(table *tab) {
  nnb__release(tab->x);
  nnb__release(tab->t);
  nnb__release(tab->label);
  nnb__release(tab->about);
  nnb__names_release(tab->left_out, 2 * tab->layout.n_unusable);
  nnb__names_release(tab->column_names, tab->n_names);
  nnb__names_release(tab->class_names, tab->n_classes);
  nnb__csv_layout_clear(&tab->layout);
}

/* Missing numbers become the mean of their column: of these rows, or of those that .columns comes from. */
static nnb_status fill_missing(nnb_data *data, const nnb__csv *csv, const nnb_csv_opts *opts) {
  if (!opts->columns) nnb__data_find_means(data);
  nnb_status status = nnb__data_fill_missing(data);
  return status ? nnb__fail(status, "%s: %s", csv->name, nnb_errmsg()) : NNB_OK;
}

static nnb_status read_table(const nnb__csv *csv, const nnb_csv_opts *opts, nnb_data **out) {
  table tab = {0};
  nnb_status status = nnb__csv_layout_init(&tab.layout, csv, opts);
  if (status) return status;
  status = fill(&tab);
  if (!status) {
    status = nnb__data_adopt(tab.x, tab.layout.rows, tab.n_x, tab.t, tab.n_t, tab.label, tab.n_classes,
                             tab.column_names, tab.class_names, out);
    tab.x = tab.t = NULL, tab.label = NULL, tab.column_names = tab.class_names = NULL; /* adopted */
    if (!status) {
      (*out)->about = tab.about, tab.about = NULL;
      (*out)->left_out = tab.left_out, (*out)->n_left_out = tab.layout.n_unusable, tab.left_out = NULL;
      (*out)->columns = tab.layout.encoding, tab.layout.encoding = NULL;
      status = fill_missing(*out, csv, opts);
    }
    if (status && *out) nnb_data_destroy(*out), *out = NULL;
  }
  table_clear(&tab);
  return status;
}

/* Separator and start of the text. */
static nnb_status open_text(const nnb_csv_opts *opts, nnb__csv *csv) {
  csv->separator = opts->separator, csv->comment = opts->comment, csv->point = opts->decimal_comma ? ',' : '.';
  if (csv->bytes >= 3 && memcmp(csv->text, "\xEF\xBB\xBF", 3) == 0) csv->start = 3; /* byte-order mark */
  csv->start = nnb__csv_skip_lines(csv, opts->skip_lines);
  nnb_status status = nnb__csv_check_text(csv);
  if (status || opts->separator) return status;
  return nnb__csv_find_separator(csv, &csv->separator);
}

nnb_status nnb_data_parse_csv(const char *text, size_t bytes, const char *name, const nnb_csv_opts *opts,
                              nnb_data **out) {
  static const nnb_csv_opts defaults = {0};
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!text && bytes) return nnb__fail(NNB_E_ARG, "text is NULL");
  if (!opts) opts = &defaults;
  nnb__csv csv = {.text = text, .bytes = bytes, .name = name ? name : "text"};
  nnb_status status = open_text(opts, &csv);
  return status ? status : read_table(&csv, opts, out);
}

nnb_status nnb_data_read_csv(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = nnb__bytes_read(path, true, &file);
  if (!status) status = nnb_data_parse_csv((const char *)file.p, file.n, path, opts, out);
  nnb__bytes_clear(&file);
  return status;
}
