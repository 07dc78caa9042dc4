/* io/stored.c: see stored.h. */
#include "stored.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "idx.h"
#include "status.h"

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The file and at most `want` bytes of its beginning. */
static nnb_status open_file(const char *path, size_t want, nnb__stored *out, nnb__bytes *start) {
  *out = (nnb__stored){.file.fd = -1};
  nnb_status status = nnb__file_open(&out->file, path);
  if (status) return status;
  const size_t n = out->file.size < want ? (size_t)out->file.size : want;
  if (!nnb__grow(&start->p, &start->cap, n, 1)) return nnb__fail_nomem(path);
  start->n = n;
  return nnb__file_read(&out->file, start->p, n, 0);
}

void nnb__stored_close(nnb__stored *s) {
  nnb__file_close(&s->file);
  *s = (nnb__stored){.file.fd = -1};
}

static nnb_status take_shape(const nnb__npy *npy, nnb__stored *s) {
  size_t cols = 1, long_dims = 0;
  for (int i = 1; i < npy->n_dims; i++)
    if (!nnb__mul(cols, npy->dim[i], &cols)) cols = SIZE_MAX;
  for (int i = 0; i < npy->n_dims; i++) long_dims += npy->dim[i] > 1;
  if (npy->n_dims == 0 || npy->count == 0)
    return nnb__fail(NNB_E_SHAPE, "%s has no rows or no columns; wanted an array of rows", s->file.path);
  if (npy->dim[0] > INT32_MAX || cols > INT32_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "%s has %zu row(s) and %zu column(s); at most %d are possible", s->file.path,
                     npy->dim[0], cols, INT32_MAX);
  if (npy->fortran && long_dims > 1)
    return nnb__fail(NNB_E_UNSUPPORTED,
                     "%s has its columns one after the other (Fortran order); wanted its rows: save "
                     "numpy.ascontiguousarray of it",
                     s->file.path);
  s->rows = (int)npy->dim[0], s->cols = (int)cols;
  return NNB_OK;
}

nnb_status nnb__stored_open_npy(const char *path, nnb__stored *out) {
  nnb__bytes start = {0};
  nnb_status status = open_file(path, NNB__NPY_START, out, &start);
  if (!status) status = nnb__npy_parse_start(start.p, start.n, out->file.size, path, &out->type);
  if (!status) status = take_shape(&out->type, out);
  if (!status) out->at = (uint64_t)(out->type.data - start.p);
  nnb__bytes_clear(&start);
  if (status) nnb__stored_close(out);
  return status;
}

nnb_status nnb__stored_open_idx(const char *path, int n_dims, nnb__stored *out) {
  nnb__bytes start = {0};
  nnb__idx idx;
  nnb_status status = open_file(path, NNB__IDX_START, out, &start);
  if (!status) status = nnb__idx_parse_start(start.p, start.n, out->file.size, path, n_dims, &idx);
  if (!status) {
    out->at = (uint64_t)(idx.data - start.p);
    out->rows = idx.count, out->cols = idx.each, out->of_255 = n_dims == NNB__IDX_IMAGES;
    out->type = (nnb__npy){.kind = 'u', .size = 1};
  }
  nnb__bytes_clear(&start);
  if (status) nnb__stored_close(out);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The numbers are what the program computes with. */
static bool is_native(const nnb__stored *s) {
  const union {
    uint16_t word;
    uint8_t byte;
  } one = {1};
  return s->type.kind == 'f' && s->type.size == (int)sizeof(real) && s->type.big_endian == (one.byte == 0);
}

static void convert(const nnb__stored *s, const uint8_t *raw, size_t n, real *to) {
  nnb__npy part = s->type;
  part.data = raw;
  if (is_native(s)) {
    memcpy(to, raw, n * sizeof *to);
    return;
  }
  for (size_t i = 0; i < n; i++) to[i] = (real)nnb__npy_number(&part, i);
  for (size_t i = 0; i < n && s->of_255; i++) to[i] /= 255;
}

static nnb_status convert_label(const nnb__stored *s, const uint8_t *raw, int64_t row, int32_t *to) {
  nnb__npy part = s->type;
  part.data = raw;
  const double value = nnb__npy_number(&part, 0);
  if (!(value >= 0 && value <= INT32_MAX) || value != floor(value))
    return nnb__fail(NNB_E_ARG, "%s: the label of row %lld (counted from 0) is %g; wanted a class, 0 or more",
                     s->file.path, (long long)row, value);
  *to = (int32_t)value;
  return NNB_OK;
}

enum { PIECE = 1 << 15 }; /* bytes at a time */

static nnb_status read_rows(const nnb__stored *s, int64_t row0, int n, nnb_mat x, nnb_mat t, int32_t *label) {
  const size_t size = (size_t)s->type.size, cols = (size_t)s->cols, n_x = (size_t)x.cols, count = (size_t)n * cols;
  const uint64_t at = s->at + (uint64_t)row0 * cols * size;
  uint8_t raw[PIECE];
  if (n_x == cols && is_native(s) && x.ld == x.cols) return nnb__file_read(&s->file, x.p, count * size, at);
  nnb_status status = NNB_OK;
  for (size_t k = 0, have = 0; k < count && !status; k += have) { /* number k is in row i, column j */
    have = count - k < PIECE / size ? count - k : PIECE / size;
    status = nnb__file_read(&s->file, raw, have * size, at + k * size);
    for (size_t m = 0, span; m < have && !status; m += span) {
      const size_t i = (k + m) / cols, j = (k + m) % cols, end = j < n_x ? n_x : cols;
      const uint8_t *from = raw + m * size;
      span = end - j < have - m ? end - j : have - m;
      if (j < n_x)
        convert(s, from, span, x.p + i * (size_t)x.ld + j);
      else if (label)
        status = convert_label(s, from, row0 + (int64_t)i, label + i);
      else
        convert(s, from, span, t.p + i * (size_t)t.ld + j - n_x);
    }
  }
  return status;
}

nnb_status nnb__stored_read(const nnb__stored *s, int64_t row0, int n, nnb_mat x, nnb_mat t, int32_t *label) {
  return nnb__file_confirm(&s->file, read_rows(s, row0, n, x, t, label));
}
