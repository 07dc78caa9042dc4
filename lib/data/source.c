/* data/source.c: data whose rows a function of the caller's reads, and windows: rows of any data as a batch. */
#include "source.h"

#include <string.h>

#include "alloc.h"
#include "status.h"
#include "view.h"

enum { PASS = 1024 }; /* rows at a time of a pass over a source */

/* ---- windows ---------------------------------------------------------------------------------------------------- */

nnb_status nnb__window_open(nnb__window *w, const nnb_data *data, int rows) {
  *w = (nnb__window){.data = data, .rows = rows};
  if (!nnb__data_is_read(data)) return NNB_OK;
  size_t n_x, n_t, n = (size_t)rows;
  const bool weighted = data->source.weighted;
  if (!nnb__mul(n, (size_t)data->x.cols, &n_x) || !nnb__mul(n, (size_t)data->t.cols, &n_t))
    return nnb__fail(NNB_E_OVERFLOW, "%d rows of the source are too large for the address space", rows);
  w->x = nnb__alloc(n_x, sizeof *w->x);
  w->t = nnb__alloc(n_t, sizeof *w->t);
  w->label = nnb__alloc(data->n_classes ? n : 0, sizeof *w->label);
  w->weight = nnb__alloc(weighted ? n : 0, sizeof *w->weight);
  if (w->x && w->t && w->label && w->weight) return NNB_OK;
  nnb__window_close(w);
  return nnb__fail_nomem("rows of a source");
}

void nnb__window_close(nnb__window *w) {
  nnb__release(w->x);
  nnb__release(w->t);
  nnb__release(w->label);
  nnb__release(w->weight);
  *w = (nnb__window){0};
}

nnb_batch nnb__window_batch(const nnb__window *w, int at, int n) {
  const nnb_data *d = w->data;
  const size_t first = (size_t)at;
  return (nnb_batch){.x = nnb_cview(w->x + first * (size_t)d->x.cols, n, d->x.cols),
                     .t = d->t.cols ? nnb_cview(w->t + first * (size_t)d->t.cols, n, d->t.cols) : (nnb_cmat){0},
                     .label = d->n_classes ? w->label + first : NULL,
                     .weight = d->source.weighted ? w->weight + first : NULL};
}

/* Rows row0 … into the window, from place `at` on; weight: where the source leaves weights, or NULL. */
static nnb_status read_rows(nnb__window *w, int at, int row0, int n, real *weight) {
  const nnb_data *d = w->data;
  const size_t first = (size_t)at;
  const nnb_rows to = {.x = nnb_view(w->x + first * (size_t)d->x.cols, n, d->x.cols),
                       .t = d->t.cols ? nnb_view(w->t + first * (size_t)d->t.cols, n, d->t.cols) : (nnb_mat){0},
                       .label = d->n_classes ? w->label + first : NULL,
                       .weight = weight};
  const unsigned messages = nnb__fail_count();
  nnb_status status = d->source.read(d->source.user, row0, n, &to);
  if (status) {
    status = nnb__fail_callback(status, "read", messages);
    return nnb__fail(status, "rows %d to %d of the source (counted from 0): %s", row0, row0 + n - 1, nnb_errmsg());
  }
  nnb_batch came = nnb__window_batch(w, at, n);
  came.weight = weight;
  return nnb__data_check_rows(&came, row0, d->n_classes);
}

nnb_status nnb__window_read(nnb__window *w, int at, int row0, int n) {
  const real *weight = w->data->weight;
  if (weight) memcpy(w->weight + at, weight + row0, (size_t)n * sizeof *weight);
  return read_rows(w, at, row0, n, NULL);
}

void nnb__window_copy(nnb__window *w, int from, int to) {
  const size_t x = (size_t)w->data->x.cols, t = (size_t)w->data->t.cols, i = (size_t)from, j = (size_t)to;
  memcpy(w->x + j * x, w->x + i * x, x * sizeof *w->x);
  memcpy(w->t + j * t, w->t + i * t, t * sizeof *w->t);
  if (w->data->n_classes) w->label[j] = w->label[i];
  if (w->data->source.weighted) w->weight[j] = w->weight[i];
}

nnb_status nnb__window_rows(nnb__window *w, int row0, int n, nnb_batch *out) {
  if (!nnb__data_is_read(w->data)) return nnb_data_batch(w->data, row0, n, out);
  nnb_status status = nnb__window_read(w, 0, row0, n);
  *out = nnb__window_batch(w, 0, n);
  return status;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static nnb_status check(const nnb_source *s) {
  if (!s || !s->read) return nnb__fail(NNB_E_ARG, "%s is NULL", s ? "read" : "source");
  if (s->rows < 1 || s->n_in < 1 || s->n_out < 0 || s->n_classes < 0)
    return nnb__fail(
        NNB_E_ARG,
        "the source has %lld rows, %d inputs, %d targets and %d classes; wanted at least one row and input, "
        "and no negative number",
        (long long)s->rows, s->n_in, s->n_out, s->n_classes);
  if (s->rows > INT32_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "the source has %lld rows; at most %d are possible", (long long)s->rows,
                     INT32_MAX);
  if (s->n_out > 0 && s->n_classes > 0)
    return nnb__fail(NNB_E_ARG, "the source has %d targets and %d classes; wanted one of them to be 0", s->n_out,
                     s->n_classes);
  static void *const empty[sizeof s->reserved / sizeof *s->reserved];
  if (memcmp(s->reserved, empty, sizeof empty) != 0)
    return nnb__fail(NNB_E_ARG, "the reserve of the source is not 0: initialise it with {0}");
  return NNB_OK;
}

/* The weights of all rows, which every mean divides by, are read once. */
static nnb_status read_weights(nnb_data *data) {
  const int N = data->x.rows;
  nnb__window w;
  real *weight = nnb__alloc((size_t)N, sizeof *weight);
  nnb_status status = weight ? nnb__window_open(&w, data, N < PASS ? N : PASS) : nnb__fail_nomem("the weights");
  if (status) {
    nnb__release(weight);
    return status;
  }
  for (int r = 0; r < N && !status; r += w.rows)
    status = read_rows(&w, 0, r, N - r < w.rows ? N - r : w.rows, weight + r);
  nnb__window_close(&w);
  nnb__data_own_weights(data, weight);
  return status;
}

nnb_status nnb_data_from_source(const nnb_source *source, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  nnb_status status = check(source);
  if (status) return status;
  nnb_data *data = nnb__alloc(1, sizeof *data);
  if (!data) return nnb__fail_nomem("data");
  const int rows = (int)source->rows;
  *data = (nnb_data){.x = nnb_cview(NULL, rows, source->n_in), .n_classes = source->n_classes, .source = *source};
  if (source->n_out > 0) data->t = nnb_cview(NULL, rows, source->n_out);
  if (source->weighted) status = read_weights(data);
  if (status)
    nnb_data_destroy(data);
  else
    *out = data;
  return status;
}
