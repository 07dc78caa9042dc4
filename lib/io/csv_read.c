/* io/csv_read.c: CSV text into memory. */
#include "real.h"
/* the precision first */
#include "alloc.h"
#include "bytes.h"
#include "csv_rows.h"
#include "data.h"
#include "status.h"

/* The arrays as they fill. */
typedef struct table {
  nnb__csv_layout layout;
  nnb__csv_tally tally;
  int n_x, n_t;
  real *x, *t;
  int32_t *label;
} table;

static bool make_arrays(table *tab) {
  const nnb__csv_layout *l = &tab->layout;
  size_t rows = (size_t)l->rows, n;
  tab->n_t = nnb__csv_n_targets(l), tab->n_x = nnb__csv_n_in(l);
  if (!nnb__mul(rows, (size_t)tab->n_x, &n) || !(tab->x = nnb__alloc(n, sizeof *tab->x))) return false;
  if (tab->n_t && (!nnb__mul(rows, (size_t)tab->n_t, &n) || !(tab->t = nnb__alloc(n, sizeof *tab->t)))) return false;
  return !l->classes || (tab->label = nnb__alloc(rows, sizeof *tab->label));
}

/* Row i of the data. */
static nnb_status read_row(table *tab, const nnb__csv_row *row, int i) {
  const size_t k = (size_t)i;
  return nnb__csv_read_row(&tab->layout, row, &tab->tally, tab->x + k * (size_t)tab->n_x,
                           tab->t ? tab->t + k * (size_t)tab->n_t : NULL, tab->label ? tab->label + k : NULL);
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

/* tab's arrays become data, also if it fails. */
static nnb_status make_data(table *tab, nnb__csv_found *found, nnb_data **out) {
  for (int k = 0; tab->label && k < tab->layout.rows; k++) tab->label[k] = tab->layout.class_of[tab->label[k]];
  nnb_status status = nnb__data_adopt(tab->x, tab->layout.rows, tab->n_x, tab->t, tab->n_t, tab->label,
                                      found->n_classes, found->column_names, found->class_names, out);
  tab->x = tab->t = NULL, tab->label = NULL;
  found->column_names = found->class_names = NULL;
  if (status) return status;
  (*out)->columns = tab->layout.encoding, tab->layout.encoding = NULL;
  nnb__csv_describe(*out, found);
  status = nnb__csv_fill_missing(&tab->layout, *out);
  if (status) nnb_data_destroy(*out), *out = NULL;
  return status;
}

static void table_clear(table *tab) {
  nnb__release(tab->x);
  nnb__release(tab->t);
  nnb__release(tab->label);
  nnb__csv_layout_clear(&tab->layout);
}

static nnb_status read_table(nnb__csv *csv, const nnb_csv_opts *opts, nnb_data **out) {
  table tab = {0};
  nnb__csv_found found = {0};
  nnb_status status = nnb__csv_layout_init(&tab.layout, csv, opts);
  if (status) return status;
  status = make_arrays(&tab) ? read_rows(&tab) : nnb__fail_nomem(csv->name);
  if (!status) status = nnb__csv_find(&tab.layout, &tab.tally, &found);
  if (!status) status = make_data(&tab, &found, out);
  nnb__csv_found_clear(&found);
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
  nnb__csv csv = {.text = text, .bytes = bytes, .name = name ? name : "text"};
  nnb_status status = nnb__csv_open_text(&csv, opts);
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
