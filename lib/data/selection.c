/* data/selection.c: some rows of a source, as a source of their own that reads them through it. */
#include <string.h>

#include "alloc.h"
#include "data.h"
#include "source.h"
#include "status.h"

typedef struct selection {
  nnb_source of;
  int n;
  int32_t *row; /* n rows of the source */
} selection;

static nnb_rows rows_from(const nnb_rows *rows, int i, int n) {
  nnb_rows part = {.x = nnb_view(rows->x.p + (size_t)i * (size_t)rows->x.ld, n, rows->x.cols),
                   .label = rows->label ? rows->label + i : NULL};
  part.x.ld = rows->x.ld;
  if (!rows->t.p) return part;
  part.t = nnb_view(rows->t.p + (size_t)i * (size_t)rows->t.ld, n, rows->t.cols);
  part.t.ld = rows->t.ld;
  return part;
}

/* One call for rows that follow each other. */
static nnb_status read_selected(void *user, int64_t row0, int n, const nnb_rows *rows) {
  const selection *s = user;
  const int32_t *row = s->row + row0;
  nnb_status status = NNB_OK;
  for (int i = 0, k; i < n && !status; i += k) {
    for (k = 1; i + k < n && row[i + k] == row[i] + k;) k++;
    const nnb_rows part = rows_from(rows, i, k);
    status = s->of.read(s->of.user, row[i], k, &part);
  }
  return status;
}

static void selection_close(void *user) {
  selection *s = user;
  nnb__release(s->row);
  nnb__release(s);
}

static selection *selection_make(const nnb_source *of, const int32_t *row, int n) {
  selection *s = nnb__alloc(1, sizeof *s);
  if (!s) return NULL;
  *s = (selection){.of = *of, .n = n, .row = nnb__alloc((size_t)n, sizeof *s->row)};
  if (s->row) {
    memcpy(s->row, row, (size_t)n * sizeof *row);
    return s;
  }
  nnb__release(s);
  return NULL;
}

static nnb_status select_rows(const nnb_data *data, const int32_t *row, int n, nnb_data *out) {
  selection *s = selection_make(&data->source, row, n);
  if (!s) return nnb__fail_nomem("the order of the rows");
  out->source = data->source;
  out->source.rows = n, out->source.user = s, out->source.read = read_selected;
  out->close = selection_close;
  return NNB_OK;
}

nnb_status nnb__data_part(const nnb_data *data, const int32_t *row, int n, nnb_data **out) {
  nnb_data *part = NULL;
  nnb_status status = nnb__data_take(data, row, n, &part);
  if (!status && nnb__data_is_read(data)) status = select_rows(data, row, n, part);
  if (status)
    nnb_data_destroy(part);
  else
    *out = part;
  return status;
}

nnb_status nnb__data_read_labels(const nnb_data *data, int32_t *label) {
  const int N = data->x.rows, most = N < NNB__PASS ? N : NNB__PASS;
  nnb__window w;
  nnb_status status = nnb__window_open(&w, data, most);
  if (status) return status;
  for (int r = 0, n; r < N && !status; r += n) {
    nnb_batch rows;
    n = N - r < most ? N - r : most;
    status = nnb__window_rows(&w, r, n, &rows);
    if (!status) memcpy(label + r, rows.label, (size_t)n * sizeof *label);
  }
  nnb__window_close(&w);
  return status;
}
