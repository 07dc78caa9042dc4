/* data/data.c: rows with targets or classes, checked when the data is made. */
#include "data.h"

#include <string.h>

#include "alloc.h"
#include "status.h"
#include "view.h"

/* ---- checking --------------------------------------------------------------------------------------------------- */

static nnb_status check_finite(nnb_cmat m, int row0, const char *name) {
  for (int i = 0; i < m.rows; i++) {
    const real *row = nnb__crow(m, i);
    int j = 0;
    while (j < m.cols && isfinite(row[j])) j++;
    if (j < m.cols)
      return nnb__fail(NNB_E_ARG, "%s has %s in row %d, column %d (counted from 1); wanted finite numbers", name,
                       isnan(row[j]) ? "NaN" : "infinity", row0 + i + 1, j + 1);
  }
  return NNB_OK;
}

static nnb_status check_view(nnb_cmat m, const char *name) {
  if (m.rows < 1 || m.cols < 1)
    return nnb__fail(NNB_E_ARG, "%s has %d row(s) and %d column(s); wanted at least one of each", name, m.rows, m.cols);
  if (m.ld < m.cols) return nnb__fail(NNB_E_ARG, "%s has ld %d; wanted at least %d, its columns", name, m.ld, m.cols);
  return check_finite(m, 0, name);
}

/* Computes *n_classes if it is 0. */
static nnb_status check_labels(const int32_t *label, int n, int row0, int *n_classes) {
  int32_t largest = 0;
  int limit = *n_classes ? *n_classes : INT32_MAX; /* the largest label + 1 must fit */
  for (int i = 0; i < n; i++) {
    if (label[i] < 0 || label[i] >= limit)
      return nnb__fail(NNB_E_ARG, "label %d in row %d (counted from 1) is outside 0 … %d", (int)label[i], row0 + i + 1,
                       limit - 1);
    if (label[i] > largest) largest = label[i];
  }
  if (*n_classes == 0) *n_classes = largest + 1;
  return NNB_OK;
}

static nnb_status check_weights(const real *weight, int n, int row0) {
  for (int i = 0; i < n; i++)
    if (!(weight[i] >= 0 && weight[i] <= REAL_MAX))
      return nnb__fail(NNB_E_ARG,
                       "the weight %g of row %d (counted from 1) is invalid; wanted a finite number, 0 or more",
                       (double)weight[i], row0 + i + 1);
  return NNB_OK;
}

nnb_status nnb__data_check_rows(const nnb_batch *rows, int row0, int n_classes) {
  nnb_status status = check_finite(rows->x, row0, "x");
  if (!status && rows->t.p) status = check_finite(rows->t, row0, "t");
  if (!status && rows->label) status = check_labels(rows->label, rows->x.rows, row0, &n_classes);
  if (!status && rows->weight) status = check_weights(rows->weight, rows->x.rows, row0);
  return status;
}

/* Targets of derivatives: one for each target and input. */
static nnb_status check_derivatives(const nnb_batch *rows) {
  if (!rows->dt.p) return NNB_OK;
  if (!rows->t.p) return nnb__fail(NNB_E_ARG, "dt has targets of derivatives, but there is no t");
  if (rows->dt.rows != rows->x.rows || rows->dt.cols / rows->x.cols != rows->t.cols || rows->dt.cols % rows->x.cols)
    return nnb__fail(NNB_E_SHAPE, "dt is %d×%d; wanted %d×(%d·%d): a derivative of each target by each input",
                     rows->dt.rows, rows->dt.cols, rows->x.rows, rows->t.cols, rows->x.cols);
  return check_view(rows->dt, "dt");
}

static nnb_status check_batch(const nnb_batch *rows, int *n_classes) {
  if (!rows || !rows->x.p) return nnb__fail(NNB_E_ARG, "rows or rows->x is NULL");
  if (rows->t.p && rows->label) return nnb__fail(NNB_E_ARG, "rows has both t and label; wanted one of them");
  if (*n_classes < 0) return nnb__fail(NNB_E_ARG, "n_classes is %d; wanted 0 or more", *n_classes);
  if (*n_classes > 0 && !rows->label)
    return nnb__fail(NNB_E_ARG, "n_classes is %d but there are no labels", *n_classes);
  nnb_status status = check_view(rows->x, "x");
  if (!status && rows->t.p && rows->t.rows != rows->x.rows)
    status = nnb__fail(NNB_E_SHAPE, "t has %d row(s); x has %d", rows->t.rows, rows->x.rows);
  if (!status && rows->t.p) status = check_view(rows->t, "t");
  if (!status) status = check_derivatives(rows);
  if (!status && rows->label) status = check_labels(rows->label, rows->x.rows, 0, n_classes);
  if (!status && rows->weight) status = check_weights(rows->weight, rows->x.rows, 0);
  return status;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

void nnb__names_release(char **names, int n) {
  for (int i = 0; names && i < n; i++) nnb__release(names[i]);
  nnb__release(names);
}

/* A column of classes has one name, as a target column has. */
int nnb__data_n_columns(const nnb_data *data) {
  return data->x.cols + (data->t.cols ? data->t.cols : data->n_classes > 0);
}

void nnb_data_destroy(nnb_data *data) {
  if (!data) return;
  if (data->close) data->close(data->source.user);
  for (int i = 0; i < NNB__N_OWN; i++) nnb__release(data->owned[i]);
  nnb__names_release(data->column_names, nnb__data_n_columns(data));
  nnb__names_release(data->class_names, data->n_classes);
  nnb__columns_destroy(data->columns);
  nnb__names_release(data->left_out, 2 * data->n_left_out);
  nnb__release(data->about);
  nnb__release(data);
}

nnb_status nnb_data_wrap(const nnb_batch *rows, int n_classes, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = check_batch(rows, &n_classes);
  if (status) return status;
  nnb_data *data = nnb__alloc(1, sizeof *data);
  if (!data) return nnb__fail_nomem("data");
  *data = (nnb_data){.x = rows->x, .label = rows->label, .weight = rows->weight, .n_classes = n_classes};
  if (rows->t.p) data->t = rows->t;
  if (rows->dt.p) data->dt = rows->dt;
  *out = data;
  return NNB_OK;
}

/* Row i of to ← row order[i] of from (order NULL: row i). */
static void copy_rows(nnb_cmat from, const int32_t *order, nnb_mat to) {
  for (int i = 0; i < to.rows; i++)
    memcpy(nnb__row(to, i), nnb__crow(from, order ? order[i] : i), (size_t)to.cols * sizeof(real));
}

static bool take_matrix(nnb_cmat *m, const int32_t *order, int n, void **owned) {
  size_t count;
  if (!m->p) return true;
  real *p = nnb__mul((size_t)n, (size_t)m->cols, &count) ? nnb__alloc(count, sizeof *p) : NULL;
  if (!p) return false;
  copy_rows(*m, order, nnb_view(p, n, m->cols));
  *owned = p;
  *m = nnb_cview(p, n, m->cols);
  return true;
}

static bool take_labels(const int32_t **label, const int32_t *order, int n, void **owned) {
  if (!*label) return true;
  int32_t *p = nnb__alloc((size_t)n, sizeof *p);
  for (int i = 0; p && i < n; i++) p[i] = (*label)[order ? order[i] : i];
  *owned = p;
  *label = p;
  return p != NULL;
}

static bool take_names(char *const *names, int n, char ***out) {
  if (!names) return true;
  char **copy = *out = nnb__zalloc((size_t)n, sizeof *copy);
  for (int i = 0; copy && i < n; i++)
    if (names[i] && !(copy[i] = nnb__strdup(names[i]))) return false;
  return copy != NULL;
}

/* A copy of n rows of checked data, in the given order (NULL: the first n).  Of a source: all but its rows. */
static nnb_status take(const nnb_data *from, const int32_t *order, int n, nnb_data **out) {
  nnb_data *data = nnb__alloc(1, sizeof *data);
  if (!data) return nnb__fail_nomem("data");
  *data = (nnb_data){.x = from->x, .t = from->t, .dt = from->dt, .label = from->label, .n_classes = from->n_classes};
  nnb_cmat weight = nnb_cview(from->weight, from->x.rows, 1);
  bool done = take_matrix(&data->x, order, n, &data->owned[NNB__OWN_X]) &&
              take_matrix(&data->t, order, n, &data->owned[NNB__OWN_T]) &&
              take_matrix(&data->dt, order, n, &data->owned[NNB__OWN_DT]) &&
              take_labels(&data->label, order, n, &data->owned[NNB__OWN_LABEL]) &&
              take_matrix(&weight, order, n, &data->owned[NNB__OWN_WEIGHT]) &&
              take_names(from->column_names, nnb__data_n_columns(from), &data->column_names) &&
              take_names(from->class_names, from->n_classes, &data->class_names) &&
              (!from->columns || (data->columns = nnb__columns_copy(from->columns)));
  data->weight = weight.p;
  nnb_status status = done ? NNB_OK : nnb__fail_nomem("a copy of the data");
  data->x.rows = n;
  if (data->t.cols) data->t.rows = n;
  if (status)
    nnb_data_destroy(data);
  else
    *out = data;
  return status;
}

nnb_status nnb__data_take(const nnb_data *data, const int32_t *row, int n, nnb_data **out) {
  return take(data, row, n, out);
}

nnb_status nnb_data_copy(const nnb_batch *rows, int n_classes, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = check_batch(rows, &n_classes);
  if (status) return status;
  nnb_data view = {.x = rows->x, .label = rows->label, .weight = rows->weight, .n_classes = n_classes};
  if (rows->t.p) view.t = rows->t;
  if (rows->dt.p) view.dt = rows->dt;
  return take(&view, NULL, rows->x.rows, out);
}

nnb_status nnb__data_adopt(real *x, int rows, int n_in, real *t, int n_t, int32_t *label, int n_classes,
                           char **column_names, char **class_names, nnb_data **out) {
  nnb_batch batch = {.x = nnb_cview(x, rows, n_in), .t = nnb_cview(t, t ? rows : 0, t ? n_t : 0), .label = label};
  int n_names = n_in + (t ? n_t : label != NULL), n_class_names = n_classes;
  nnb_data *data = NULL;
  nnb_status status = nnb_data_wrap(&batch, n_classes, &data);
  if (!status) {
    data->owned[NNB__OWN_X] = x, data->owned[NNB__OWN_T] = t, data->owned[NNB__OWN_LABEL] = label;
    data->column_names = column_names, data->class_names = class_names;
    *out = data;
    return NNB_OK;
  }
  nnb__release(x);
  nnb__release(t);
  nnb__release(label);
  nnb__names_release(column_names, n_names);
  nnb__names_release(class_names, n_class_names);
  return status;
}

void nnb__data_set_inputs(nnb_data *data, real *x, int n, char **column_names, nnb_columns *columns) {
  nnb__names_release(data->column_names, nnb__data_n_columns(data));
  nnb__columns_destroy(data->columns);
  nnb__release(data->owned[NNB__OWN_X]);
  data->columns = columns;
  data->owned[NNB__OWN_X] = x, data->x = nnb_cview(x, data->x.rows, n), data->column_names = column_names;
}

void nnb__data_own(nnb_data *data, real *x, real *t, int32_t *label, real *weight) {
  data->owned[NNB__OWN_X] = x, data->owned[NNB__OWN_T] = t, data->owned[NNB__OWN_LABEL] = label,
  data->owned[NNB__OWN_WEIGHT] = weight;
}

/* ---- access ------------------------------------------------------------------------------------------------------ */

int nnb_data_rows(const nnb_data *data) { return data ? data->x.rows : 0; }

int nnb_data_n_in(const nnb_data *data) { return data ? data->x.cols : 0; }

int nnb_data_n_out(const nnb_data *data) { return !data ? 0 : data->t.cols ? data->t.cols : data->n_classes; }

int nnb_data_n_classes(const nnb_data *data) { return data ? data->n_classes : 0; }

const char *nnb_data_column_name(const nnb_data *data, int column) {
  if (!data || !data->column_names || column < 0 || column >= nnb__data_n_columns(data)) return NULL;
  return data->column_names[column];
}

const char *nnb_data_class_name(const nnb_data *data, int k) {
  if (!data || !data->class_names || k < 0 || k >= data->n_classes) return NULL;
  return data->class_names[k];
}

const char *nnb_data_left_out(const nnb_data *data, int i, const char **why) {
  const bool there = data && i >= 0 && i < data->n_left_out;
  if (why) *why = there ? data->left_out[2 * i + 1] : NULL;
  return there ? data->left_out[2 * i] : NULL;
}

const nnb_columns *nnb_data_columns(const nnb_data *data) { return data ? data->columns : NULL; }

bool nnb__data_is_read(const nnb_data *data) { return data->source.read != NULL; }

nnb_status nnb__data_in_memory(const nnb_data *data, const char *what) {
  if (!nnb__data_is_read(data)) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED,
                   "%s needs all rows in memory, and this data is read from a source; read them into arrays and hand "
                   "these to nnb_data_wrap",
                   what);
}

nnb_status nnb__data_without_dt(const nnb_data *data, const char *what) {
  if (!data->dt.p) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s does not take targets of derivatives (dt); wanted data without them", what);
}

nnb_batch nnb__data_outline(const nnb_data *data) {
  nnb_batch all = {.x = data->x, .weight = data->weight};
  if (!nnb__data_is_read(data)) all.t = data->t, all.dt = data->dt, all.label = data->label;
  return all;
}

void nnb__data_own_weights(nnb_data *data, real *weight) {
  nnb__release(data->owned[NNB__OWN_WEIGHT]);
  data->owned[NNB__OWN_WEIGHT] = weight, data->weight = weight;
}

nnb_status nnb_data_batch(const nnb_data *data, int row0, int rows, nnb_batch *out) {
  if (!data || !out) return nnb__fail(NNB_E_ARG, "%s is NULL", data ? "out" : "data");
  nnb_status status = nnb__data_in_memory(data, "this call");
  if (status) return status;
  int n = data->x.rows;
  if (row0 < 0 || rows < 0 || row0 > n || rows > n - row0)
    return nnb__fail(NNB_E_ARG, "the range of %d row(s) from row %d is not within 0 … %d", rows, row0, n - 1);
  *out = (nnb_batch){
      .x = nnb__crows(data->x, row0, rows),
      .t = data->t.p ? nnb__crows(data->t, row0, rows) : (nnb_cmat){0},
      .label = data->label ? data->label + row0 : NULL,
      .weight = data->weight ? data->weight + row0 : NULL,
      .dt = data->dt.p ? nnb__crows(data->dt, row0, rows) : (nnb_cmat){0},
  };
  return NNB_OK;
}
