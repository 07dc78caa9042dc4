/* data/source.c: data whose rows a function of the caller's reads, and windows: rows of any data as a batch. */
#include "source.h"

#include <string.h>

#include "alloc.h"
#include "exact.h"
#include "status.h"
#include "view.h"

/* ---- windows ---------------------------------------------------------------------------------------------------- */

static void places_clear(nnb__places *p) {
  nnb__release(p->x);
  nnb__release(p->t);
  nnb__release(p->label);
  nnb__release(p->weight);
  *p = (nnb__places){0};
}

static nnb_status places_make(nnb__places *p, const nnb_data *data, int rows) {
  size_t n_x, n_t, n = (size_t)rows;
  const bool weighted = data->source.weighted;
  if (!nnb__mul(n, (size_t)data->x.cols, &n_x) || !nnb__mul(n, (size_t)data->t.cols, &n_t))
    return nnb__fail(NNB_E_OVERFLOW, "%d rows of the source are too large for the address space", rows);
  p->x = nnb__alloc(n_x, sizeof *p->x);
  p->t = nnb__alloc(n_t, sizeof *p->t);
  p->label = nnb__alloc(data->n_classes ? n : 0, sizeof *p->label);
  p->weight = nnb__alloc(weighted ? n : 0, sizeof *p->weight);
  if (p->x && p->t && p->label && p->weight) return NNB_OK;
  places_clear(p);
  return nnb__fail_nomem("rows of a source");
}

nnb_status nnb__window_open(nnb__window *w, const nnb_data *data, int rows) {
  *w = (nnb__window){.data = data, .rows = rows};
  if (!nnb__data_is_read(data)) return NNB_OK;
  nnb_status status = places_make(&w->now, data, rows);
  if (status || !data->source.ahead || rows >= data->x.rows) return status;
  status = places_make(&w->next, data, rows);
  if (!status) status = nnb__ahead_create(&w->ahead);
  if (status) nnb__window_close(w);
  return status;
}

void nnb__window_close(nnb__window *w) {
  nnb__ahead_destroy(w->ahead);
  places_clear(&w->now);
  places_clear(&w->next);
  *w = (nnb__window){0};
}

static nnb_batch places_batch(const nnb_data *d, const nnb__places *p, int at, int n) {
  const size_t first = (size_t)at;
  return (nnb_batch){.x = nnb_cview(p->x + first * (size_t)d->x.cols, n, d->x.cols),
                     .t = d->t.cols ? nnb_cview(p->t + first * (size_t)d->t.cols, n, d->t.cols) : (nnb_cmat){0},
                     .label = d->n_classes ? p->label + first : NULL,
                     .weight = d->source.weighted ? p->weight + first : NULL};
}

nnb_batch nnb__window_batch(const nnb__window *w, int at, int n) { return places_batch(w->data, &w->now, at, n); }

/* Rows row0 … into p, from place `at` on; weight: where the source leaves weights, or NULL. */
static nnb_status read_rows(const nnb_data *d, nnb__places *p, int at, int row0, int n, real *weight) {
  const size_t first = (size_t)at;
  const nnb_rows to = {.x = nnb_view(p->x + first * (size_t)d->x.cols, n, d->x.cols),
                       .t = d->t.cols ? nnb_view(p->t + first * (size_t)d->t.cols, n, d->t.cols) : (nnb_mat){0},
                       .label = d->n_classes ? p->label + first : NULL,
                       .weight = weight};
  const unsigned messages = nnb__fail_count();
  const bool exact = nnb__exact_set(false); /* what the program computes there has nothing to do with this net */
  nnb_status status = d->source.read(d->source.user, row0, n, &to);
  nnb__exact_set(exact);
  if (status) {
    status = nnb__fail_callback(status, "read", messages);
    return nnb__fail(status, "rows %d to %d of the source (counted from 0): %s", row0, row0 + n - 1, nnb_errmsg());
  }
  nnb__data_fill_rows(d->columns, to.x);
  nnb_batch came = places_batch(d, p, at, n);
  came.weight = weight;
  return nnb__data_check_rows(&came, row0, d->n_classes);
}

static nnb_status read_with_weights(const nnb_data *d, nnb__places *p, int at, int row0, int n) {
  if (d->weight) memcpy(p->weight + at, d->weight + row0, (size_t)n * sizeof *d->weight);
  return read_rows(d, p, at, row0, n, NULL);
}

static void copy_place(const nnb_data *d, const nnb__places *from, int i, nnb__places *to, int j) {
  const size_t x = (size_t)d->x.cols, t = (size_t)d->t.cols, a = (size_t)i, b = (size_t)j;
  memcpy(to->x + b * x, from->x + a * x, x * sizeof *to->x);
  memcpy(to->t + b * t, from->t + a * t, t * sizeof *to->t);
  if (d->n_classes) to->label[j] = from->label[i];
  if (d->source.weighted) to->weight[j] = from->weight[i];
}

void nnb__window_copy(nnb__window *w, int from, int to) { copy_place(w->data, &w->now, from, &w->now, to); }

/* ---- reading ahead ----------------------------------------------------------------------------------------------- */

static nnb_status read_next(void *context) {
  nnb__window *w = context;
  return read_with_weights(w->data, &w->next, w->at, w->row0, w->n);
}

void nnb__window_expect(nnb__window *w, int at, int row0, int n) {
  if (!w->ahead || n < 1) return;
  w->at = at, w->row0 = row0, w->n = n;
  nnb__ahead_start(w->ahead, read_next, w);
}

/* The places that were read ahead become those of now. */
static void take_next(nnb__window *w) {
  const nnb__places before = w->now;
  w->now = w->next, w->next = before;
  for (int i = 0; i < w->at; i++) copy_place(w->data, &before, i, &w->now, i);
}

nnb_status nnb__window_read(nnb__window *w, int at, int row0, int n) {
  if (w->n > 0) {
    const bool expected = w->at == at && w->row0 == row0 && w->n == n;
    const nnb_status status = nnb__ahead_wait(w->ahead);
    w->n = 0;
    if (expected) take_next(w);
    if (expected) return status;
  }
  return read_with_weights(w->data, &w->now, at, row0, n);
}

nnb_status nnb__window_rows(nnb__window *w, int row0, int n, nnb_batch *out) {
  if (!nnb__data_is_read(w->data)) return nnb_data_batch(w->data, row0, n, out);
  const int next = row0 + n, left = w->data->x.rows - next;
  nnb_status status = nnb__window_read(w, 0, row0, n);
  if (!status) nnb__window_expect(w, 0, next, left < w->rows ? left : w->rows);
  *out = nnb__window_batch(w, 0, n);
  return status;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static nnb_status check(const nnb_source *s) {
  if (!s || !s->read) return nnb__fail(NNB_E_ARG, "%s is NULL", s ? "read" : "source");
  if (s->rows < 1 || s->n_in < 1 || s->n_out < 0 || s->n_classes < 0)
    return nnb__fail(
        NNB_E_ARG,
        "the source has %lld row(s), %d input(s), %d target(s) and %d class(es); wanted at least one row and input, "
        "and no negative number",
        (long long)s->rows, s->n_in, s->n_out, s->n_classes);
  if (s->rows > INT32_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "the source has %lld row(s); at most %d are possible", (long long)s->rows,
                     INT32_MAX);
  if (s->n_out > 0 && s->n_classes > 0)
    return nnb__fail(NNB_E_ARG, "the source has %d target(s) and %d class(es); wanted one of them to be 0", s->n_out,
                     s->n_classes);
  static void *const empty[sizeof s->reserved / sizeof *s->reserved];
  if (memcmp(s->reserved, empty, sizeof empty) != 0)
    return nnb__fail(NNB_E_ARG, "the reserve of the source is not 0: initialise it with {0}");
  return NNB_OK;
}

/* The weights of all rows, which every mean divides by, are read once. */
static nnb_status read_weights(nnb_data *data) {
  const int N = data->x.rows;
  const int most = N < NNB__PASS ? N : NNB__PASS;
  nnb__places p;
  real *weight = nnb__alloc((size_t)N, sizeof *weight);
  nnb_status status = weight ? places_make(&p, data, most) : nnb__fail_nomem("the weights");
  if (status) {
    nnb__release(weight);
    return status;
  }
  for (int r = 0; r < N && !status; r += most)
    status = read_rows(data, &p, 0, r, N - r < most ? N - r : most, weight + r);
  places_clear(&p);
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
