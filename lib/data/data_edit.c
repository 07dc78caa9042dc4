/* data/data_edit.c: copies of data with other rows or columns. */
#include <string.h>

#include "alloc.h"
#include "data.h"
#include "status.h"
#include "view.h"

/* ---- rows and columns -------------------------------------------------------------------------------------------- */

nnb_status nnb_data_take_rows(const nnb_data *data, const int32_t *row, int n, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!data || !row) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "row" : "data");
  if (n < 1) return nnb__fail(NNB_E_ARG, "%d row(s); wanted at least 1", n);
  for (int i = 0; i < n; i++)
    if (row[i] < 0 || row[i] >= data->x.rows)
      return nnb__fail(NNB_E_ARG, "row[%d] is %d; wanted 0 to %d", i, (int)row[i], data->x.rows - 1);
  return nnb__data_part(data, row, n, out);
}

nnb_status nnb_data_shuffle(const nnb_data *data, uint64_t seed, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  const int n = data->x.rows;
  int32_t *order = nnb__alloc((size_t)n, sizeof *order);
  if (!order) return nnb__fail_nomem("the order of the rows");
  nnb_rng rng;
  for (int i = 0; i < n; i++) order[i] = i;
  nnb_rng_init(&rng, seed, NNB__STREAM_SHUFFLE);
  nnb_rng_shuffle(&rng, order, n);
  nnb_status status = nnb__data_part(data, order, n, out);
  nnb__release(order);
  return status;
}

/* The inputs of a copy become these columns of data, with their names. */
static bool replace_inputs(const nnb_data *data, const int32_t *column, int n, nnb_data *copy) {
  const int rows = data->x.rows, n_names = nnb__data_n_columns(data) - data->x.cols + n;
  size_t count;
  real *x = nnb__mul((size_t)rows, (size_t)n, &count) ? nnb__alloc(count, sizeof *x) : NULL;
  if (!x) return false;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) x[(size_t)i * (size_t)n + (size_t)j] = nnb__crow(data->x, i)[column[j]];
  char **names = data->column_names ? nnb__zalloc((size_t)n_names, sizeof *names) : NULL;
  nnb_columns *columns = NULL;
  bool done = !data->column_names || names;
  for (int j = 0; done && names && j < n_names; j++) {
    const char *name = data->column_names[j < n ? column[j] : data->x.cols + j - n];
    done = !name || (names[j] = nnb__strdup(name));
  }
  if (done && data->columns) done = nnb__columns_take(data->columns, column, n, &columns);
  if (!done) {
    nnb__release(x);
    nnb__names_release(names, n_names);
    return false;
  }
  nnb__data_set_inputs(copy, x, n, names, columns);
  return true;
}

nnb_status nnb_data_take_columns(const nnb_data *data, const int32_t *column, int n, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!data || !column) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "column" : "data");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_take_columns");
  if (!status) status = nnb__data_without_dt(data, "nnb_data_take_columns");
  if (status) return status;
  if (n < 1) return nnb__fail(NNB_E_ARG, "%d column(s); wanted at least 1", n);
  for (int j = 0; j < n; j++)
    if (column[j] < 0 || column[j] >= data->x.cols)
      return nnb__fail(NNB_E_ARG, "column[%d] is %d; wanted 0 to %d", j, (int)column[j], data->x.cols - 1);
  nnb_data *copy = NULL;
  status = nnb__data_take(data, NULL, data->x.rows, &copy);
  if (status) return status;
  if (replace_inputs(data, column, n, copy)) return *out = copy, NNB_OK;
  nnb_data_destroy(copy);
  return nnb__fail_nomem("a copy of the data");
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

static nnb_status check_columns(const nnb_data *a, const nnb_data *b) {
  nnb_status status = nnb__data_without_dt(a, "a merge");
  if (!status) status = nnb__data_without_dt(b, "a merge");
  if (status) return status;
  if (a->x.cols != b->x.cols || a->t.cols != b->t.cols || !a->label != !b->label)
    return nnb__fail(NNB_E_SHAPE, "the first data has %d input(s) and %d target column(s)%s, the second %d and %d%s",
                     a->x.cols, a->t.cols, a->label ? ", and classes" : "", b->x.cols, b->t.cols,
                     b->label ? ", and classes" : "");
  if (a->x.rows > INT32_MAX - b->x.rows)
    return nnb__fail(NNB_E_OVERFLOW, "%d and %d rows are too many", a->x.rows, b->x.rows);
  for (int c = 0; c < nnb__data_n_columns(a); c++) {
    const char *first = nnb_data_column_name(a, c), *second = nnb_data_column_name(b, c);
    if (first && second && strcmp(first, second) != 0)
      return nnb__fail(NNB_E_SHAPE, "column %d is \"%.60s\" in the first data and \"%.60s\" in the second", c + 1,
                       first, second);
  }
  return a->columns && b->columns ? nnb__columns_same(a->columns, b->columns) : NNB_OK;
}

/* Class k has the same name in both, as far as both have one. */
static nnb_status check_classes(const nnb_data *a, const nnb_data *b) {
  for (int k = 0; k < a->n_classes && k < b->n_classes; k++) {
    const char *first = nnb_data_class_name(a, k), *second = nnb_data_class_name(b, k);
    if (first && second && strcmp(first, second) != 0)
      return nnb__fail(NNB_E_SHAPE,
                       "class %d is \"%.60s\" in the first data and \"%.60s\" in the second: read both "
                       "with the same .class_names",
                       k, first, second);
  }
  return NNB_OK;
}

/* The rows of both, in one batch of own arrays; weights are 1 where only the other has some. */
typedef struct rows {
  real *x, *t, *weight;
  int32_t *label;
} rows;

static void rows_clear(rows *r) {
  nnb__release(r->x);
  nnb__release(r->t);
  nnb__release(r->weight);
  nnb__release(r->label);
}

static bool rows_make(rows *r, const nnb_data *a, const nnb_data *b) {
  const size_t n = (size_t)a->x.rows + (size_t)b->x.rows;
  size_t nx, nt;
  if (!nnb__mul(n, (size_t)a->x.cols, &nx) || !nnb__mul(n, (size_t)(a->t.p ? a->t.cols : 0), &nt)) return false;
  r->x = nnb__alloc(nx, sizeof *r->x);
  if (a->t.p) r->t = nnb__alloc(nt, sizeof *r->t);
  if (a->label) r->label = nnb__alloc(n, sizeof *r->label);
  if (a->weight || b->weight) r->weight = nnb__alloc(n, sizeof *r->weight);
  return r->x && (r->t || !a->t.p) && (r->label || !a->label) && (r->weight || !(a->weight || b->weight));
}

static void copy_below(nnb_cmat from, real *to, int row0) {
  for (int i = 0; from.p && i < from.rows; i++)
    memcpy(to + (size_t)(row0 + i) * (size_t)from.cols, nnb__crow(from, i), (size_t)from.cols * sizeof *to);
}

static void rows_fill(rows *r, const nnb_data *from, int row0) {
  copy_below(from->x, r->x, row0);
  copy_below(from->t, r->t, row0);
  for (int i = 0; i < from->x.rows; i++) {
    if (r->label) r->label[row0 + i] = from->label[i];
    if (r->weight) r->weight[row0 + i] = from->weight ? from->weight[i] : 1;
  }
}

static nnb_status wrap(const rows *r, const nnb_data *a, const nnb_data *b, nnb_data **out) {
  const int n = a->x.rows + b->x.rows, n_classes = a->n_classes > b->n_classes ? a->n_classes : b->n_classes;
  const nnb_batch batch = {.x = nnb_cview(r->x, n, a->x.cols),
                           .t = r->t ? nnb_cview(r->t, n, a->t.cols) : (nnb_cmat){0},
                           .label = r->label,
                           .weight = r->weight};
  const nnb_data *columns = a->column_names ? a : b, *classes = b->n_classes > a->n_classes ? b : a;
  nnb_status status = nnb_data_wrap(&batch, n_classes, out);
  if (!status && columns->column_names)
    status = nnb_data_set_column_names(*out, (const char *const *)columns->column_names, nnb__data_n_columns(columns));
  const nnb_columns *table = a->columns ? a->columns : b->columns;
  if (!status && table && !((*out)->columns = nnb__columns_copy(table))) status = nnb__fail_nomem("the columns");
  if (!status && classes->class_names)
    status = nnb_data_set_class_names(*out, (const char *const *)classes->class_names, classes->n_classes);
  if (!status) return NNB_OK;
  nnb_data_destroy(*out);
  *out = NULL;
  return status;
}

nnb_status nnb_data_merge(const nnb_data *first, const nnb_data *second, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!first || !second) return nnb__fail(NNB_E_ARG, "%s is NULL", first ? "second" : "first");
  rows r = {0};
  nnb_status status = nnb__data_in_memory(first, "nnb_data_merge");
  if (!status) status = nnb__data_in_memory(second, "nnb_data_merge");
  if (!status) status = check_columns(first, second);
  if (!status) status = check_classes(first, second);
  if (!status && !rows_make(&r, first, second)) status = nnb__fail_nomem("the rows of both");
  if (status) {
    rows_clear(&r);
    return status;
  }
  rows_fill(&r, first, 0), rows_fill(&r, second, first->x.rows);
  status = wrap(&r, first, second, out);
  if (status)
    rows_clear(&r);
  else
    nnb__data_own(*out, r.x, r.t, r.label, r.weight);
  return status;
}
