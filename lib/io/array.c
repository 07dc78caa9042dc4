/* io/array.c: arrays of NumPy into memory. */
#include "real.h"
/* the precision first */
#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "npy.h"
#include "status.h"
#include "text.h"
#include "zip.h"

void nnb_array_clear(nnb_array *array) {
  if (!array) return;
  nnb__release(array->p);
  *array = (nnb_array){0};
}

nnb_status nnb_array_view(const nnb_array *array, nnb_mat *out) {
  if (!array || !out) return nnb__fail(NNB_E_ARG, "%s is NULL", array ? "out" : "array");
  *out = (nnb_mat){0};
  const size_t rows = array->n_dims > 0 ? array->dim[0] : 1;
  size_t cols = 1;
  if (array->n_dims < 0 || array->n_dims > NNB_ARRAY_DIMS)
    return nnb__fail(NNB_E_ARG, "the array has %d dimension(s); wanted 0 to %d", array->n_dims, NNB_ARRAY_DIMS);
  for (int i = 1; i < array->n_dims; i++)
    if (!nnb__mul(cols, array->dim[i], &cols)) cols = SIZE_MAX;
  if (rows > INT_MAX || cols > INT_MAX)
    return nnb__fail(NNB_E_SHAPE, "the array has more than %d rows or columns", INT_MAX);
  *out = nnb_view(array->p, (int)rows, (int)cols);
  return NNB_OK;
}

/* ---- NPY --------------------------------------------------------------------------------------------------------- */

/* The step in the file from one index to the next, for each dimension. */
static void find_steps(const nnb__npy *npy, size_t step[NNB_ARRAY_DIMS]) {
  size_t n = 1;
  for (int k = 0; k < npy->n_dims; k++) {
    const int i = npy->fortran ? k : npy->n_dims - 1 - k;
    step[i] = n;
    n *= npy->dim[i];
  }
}

/* The next element in C order: its indices, and its place in the file. */
static void advance(const nnb__npy *npy, const size_t *step, size_t *index, size_t *at) {
  for (int k = npy->n_dims - 1; k >= 0; k--) {
    *at += step[k];
    if (++index[k] < npy->dim[k]) return;
    *at -= index[k] * step[k];
    index[k] = 0;
  }
}

static nnb_status to_reals(const nnb__npy *npy, const char *name, real *out) {
  size_t step[NNB_ARRAY_DIMS] = {0}, index[NNB_ARRAY_DIMS] = {0}, at = 0;
  find_steps(npy, step);
  for (size_t i = 0; i < npy->count; i++) {
    const double value = nnb__npy_number(npy, at);
    out[i] = (real)value;
    if (isinf(out[i]) && !isinf(value))
      return nnb__fail(NNB_E_PARSE, "%s: %g is too large for single precision", name, value);
    advance(npy, step, index, &at);
  }
  return NNB_OK;
}

nnb_status nnb_array_parse_npy(const void *file, size_t bytes, const char *name, nnb_array *out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = (nnb_array){0};
  if (!file || !name) return nnb__fail(NNB_E_ARG, "%s is NULL", file ? "name" : "file");
  nnb__npy npy;
  nnb_status status = nnb__npy_parse(file, bytes, name, &npy);
  if (status) return status;
  real *p = nnb__alloc(npy.count, sizeof *p);
  if (!p) return nnb__fail_nomem(name);
  status = to_reals(&npy, name, p);
  if (status) {
    nnb__release(p);
    return status;
  }
  out->p = p, out->n_dims = npy.n_dims;
  memcpy(out->dim, npy.dim, sizeof out->dim);
  return NNB_OK;
}

nnb_status nnb_array_read_npy(const char *path, nnb_array *out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = (nnb_array){0};
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = nnb__bytes_read(path, false, &file);
  if (!status) status = nnb_array_parse_npy(file.p, file.n, path, out);
  nnb__bytes_clear(&file);
  return status;
}

/* ---- NPZ --------------------------------------------------------------------------------------------------------- */

typedef struct search {
  const char *name, *key;
  int found;
  nnb__zip_entry entry;
} search;

/* Counts the entries "KEY.npy", and keeps the first. */
static nnb_status see_entry(void *context, const nnb__zip_entry *entry) {
  search *s = context;
  const size_t n = s->key ? strlen(s->key) : entry->name_bytes - 4;
  if (entry->name_bytes < 4 || memcmp(entry->name + entry->name_bytes - 4, ".npy", 4) != 0) return NNB_OK;
  if (entry->name_bytes - 4 != n || (s->key && memcmp(entry->name, s->key, n) != 0)) return NNB_OK;
  if (s->found++ == 0) s->entry = *entry;
  return NNB_OK;
}

static nnb_status find_array(const void *file, size_t bytes, search *s) {
  char shown[NNB__SHOWN_TEXT];
  nnb_status status = nnb__zip_list(file, bytes, s->name, see_entry, s);
  if (status || s->found == 1) return status;
  if (!s->key) return nnb__fail(NNB_E_ARG, "%s has %d array(s); wanted a key, or one array", s->name, s->found);
  return nnb__fail(NNB_E_ARG, "%s has %d array(s) \"%s\"; wanted 1", s->name, s->found,
                   nnb__show(s->key, strlen(s->key), shown));
}

nnb_status nnb_array_parse_npz(const void *file, size_t bytes, const char *name, const char *key, nnb_array *out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = (nnb_array){0};
  if (!file || !name) return nnb__fail(NNB_E_ARG, "%s is NULL", file ? "name" : "file");
  search s = {.name = name, .key = key};
  nnb__bytes array = {0};
  nnb_status status = find_array(file, bytes, &s);
  if (!status) status = nnb__zip_unpack(&s.entry, name, &array);
  if (!status) status = nnb_array_parse_npy(array.p, array.n, name, out);
  nnb__bytes_clear(&array);
  return status;
}

nnb_status nnb_array_read_npz(const char *path, const char *key, nnb_array *out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = (nnb_array){0};
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__bytes file = {0};
  nnb_status status = nnb__bytes_read(path, false, &file);
  if (!status) status = nnb_array_parse_npz(file.p, file.n, path, key, out);
  nnb__bytes_clear(&file);
  return status;
}
