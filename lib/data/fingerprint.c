/* data/fingerprint.c: a number that tells one set of rows from another. */
#include "ints.h"
#include "source.h"
#include "table.h"
#include "view.h"

enum { ENDS = 1024 }; /* rows of a source at each end */

static uint64_t chain(uint64_t h, const void *p, size_t bytes) {
  return nnb__siphash(p, bytes, (const uint64_t[2]){h, bytes});
}

static uint64_t add_rows(uint64_t h, const nnb_batch *rows) {
  for (int i = 0; i < rows->x.rows; i++) {
    h = chain(h, nnb__crow(rows->x, i), (size_t)rows->x.cols * sizeof(real));
    if (rows->t.p) h = chain(h, nnb__crow(rows->t, i), (size_t)rows->t.cols * sizeof(real));
    if (rows->dt.p) h = chain(h, nnb__crow(rows->dt, i), (size_t)rows->dt.cols * sizeof(real));
  }
  const size_t n = (size_t)rows->x.rows;
  if (rows->label) h = chain(h, rows->label, n * sizeof *rows->label);
  return rows->weight ? chain(h, rows->weight, n * sizeof *rows->weight) : h;
}

/* n rows from row0 on, into *h. */
static nnb_status add_part(nnb__window *w, int row0, int n, uint64_t *h) {
  nnb_batch rows;
  nnb_status status = nnb__window_rows(w, row0, n, &rows);
  if (!status) *h = add_rows(*h, &rows);
  return status;
}

/* Of n rows at each end. */
static nnb_status fingerprint(const nnb_data *data, int n, uint64_t *out) {
  const int N = nnb_data_rows(data);
  const int shape[] = {N, nnb_data_n_in(data), nnb_data_n_out(data), nnb_data_n_classes(data)};
  uint64_t h = chain(0, shape, sizeof shape);
  nnb__window w;
  nnb_status status = nnb__window_open(&w, data, n);
  if (status) return status;
  status = add_part(&w, 0, n, &h);
  if (!status && n < N) status = add_part(&w, N - n, n, &h);
  nnb__window_close(&w);
  *out = h;
  return status;
}

nnb_status nnb__data_fingerprint(const nnb_data *data, uint64_t *out) {
  if (nnb__data_is_read(data)) return nnb__data_fingerprint_ends(data, out);
  return fingerprint(data, nnb_data_rows(data), out);
}

nnb_status nnb__data_fingerprint_ends(const nnb_data *data, uint64_t *out) {
  return fingerprint(data, nnb__smaller(nnb_data_rows(data), ENDS), out);
}
