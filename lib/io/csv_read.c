/* io/csv_read.c: the second pass: numbers and classes from CSV text. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "csv_layout.h"
#include "data.h"
#include "status.h"
#include "text.h"

/* The arrays that are being filled. */
typedef struct table {
  nnb__csv_layout layout;
  int n_in, n_t, n_names;
  real *x, *t;
  int32_t *label;
  char **column_names, **class_names;
  int n_classes;
} table;

static nnb_status on_field(void *context, const nnb__csv_field *field) {
  table *tab = context;
  const nnb__csv_layout *l = &tab->layout;
  int row = field->row - l->header, c = field->column, target = c - l->target;
  if (row < 0) return NNB_OK; /* the header */
  bool is_target = target >= 0 && target < l->n_targets;
  if (is_target && l->classes) return nnb__csv_class(&tab->layout, field, &tab->label[row]);
  double value;
  nnb_status status = nnb__csv_number(l, field, (double)REAL_MAX, &value);
  if (status) return status;
  real *to = is_target ? tab->t + (size_t)row * (size_t)tab->n_t + target
                       : tab->x + (size_t)row * (size_t)tab->n_in + (target < 0 ? c : c - l->n_targets);
  *to = (real)value;
  return NNB_OK;
}

static bool make_arrays(table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  size_t rows = (size_t)l->rows, n;
  tab->n_in = l->columns - l->n_targets;
  tab->n_t = l->classes ? 0 : l->n_targets;
  if (!nnb__mul(rows, (size_t)tab->n_in, &n) || !(tab->x = nnb__alloc(n, sizeof *tab->x))) return false;
  if (tab->n_t && (!nnb__mul(rows, (size_t)tab->n_t, &n) || !(tab->t = nnb__alloc(n, sizeof *tab->t)))) return false;
  return !l->classes || (tab->label = nnb__alloc(rows, sizeof *tab->label));
}

/* The names of the inputs, then of the targets; an empty name becomes NULL. */
static bool take_names(table *tab) {
  nnb__csv_layout *l = &tab->layout;
  int at = 0;
  if (!l->header) return true;
  tab->n_names = l->columns;
  tab->column_names = nnb__zalloc((size_t)tab->n_names, sizeof *tab->column_names);
  if (!tab->column_names) return false;
  for (int pass = 0; pass < 2; pass++)
    for (int c = 0; c < l->columns; c++) {
      bool is_target = c >= l->target && c < l->target + l->n_targets;
      if (is_target != (pass == 1)) continue;
      if (*l->first[c] && !(tab->column_names[at] = nnb__strdup(l->first[c]))) return false;
      at++;
    }
  return true;
}

static nnb_status fill(table *tab) {
  if (!make_arrays(tab) || !take_names(tab)) return nnb__fail_nomem(tab->layout.csv->name);
  nnb_status status = nnb__csv_scan(tab->layout.csv, &(nnb__csv_calls){on_field, NULL, tab});
  if (status || !tab->layout.classes) return status;
  return nnb__csv_class_names(&tab->layout, tab->label, &tab->class_names, &tab->n_classes);
}

static void table_clear(table *tab) {
  nnb__release(tab->x);
  nnb__release(tab->t);
  nnb__release(tab->label);
  nnb__names_release(tab->column_names, tab->n_names);
  nnb__csv_layout_clear(&tab->layout);
}

/* Runs inside the C locale. */
static nnb_status read_table(const nnb__csv *csv, const nnb_csv_opts *opts, nnb_data **out) {
  table tab = {0};
  nnb_status status = nnb__csv_layout_init(&tab.layout, csv, opts);
  if (status) return status;
  status = fill(&tab);
  if (!status) {
    status = nnb__data_adopt(tab.x, tab.layout.rows, tab.n_in, tab.t, tab.n_t, tab.label, tab.n_classes,
                             tab.column_names, tab.class_names, out);
    tab.x = tab.t = NULL, tab.label = NULL, tab.column_names = NULL; /* owned by the data now */
  }
  table_clear(&tab);
  return status;
}

nnb_status nnb_data_parse_csv(const char *text, size_t bytes, const char *name, const nnb_csv_opts *opts,
                              nnb_data **out) {
  static const nnb_csv_opts defaults = {0};
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!text && bytes) return nnb__fail(NNB_E_ARG, "text is NULL");
  if (!opts) opts = &defaults;
  if (bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, bytes -= 3; /* byte-order mark */
  nnb__csv csv = {text, bytes, name ? name : "text", opts->separator ? opts->separator : ','};
  nnb__c_locale locale;
  if (!nnb__c_locale_enter(&locale)) return nnb__fail_nomem("the C locale");
  nnb_status status = read_table(&csv, opts, out);
  nnb__c_locale_leave(&locale);
  return status;
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
