/* io/onnx_tensor.c: tensors of ONNX files: raw or typed fields, or bytes of another file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "onnx_graph.h"
#include "safetensors.h"
#include "status.h"
#include "tensor.h"
#include "text.h"

/* ---- types and shapes -------------------------------------------------------------------------------------------- */

static bool type_of(int32_t number, nnb__dtype *out) {
  static const struct {
    int number;
    nnb__dtype type;
  } types[] = {{NNB__ONNX_FLOAT, NNB__F32},   {NNB__ONNX_DOUBLE, NNB__F64}, {NNB__ONNX_HALF, NNB__F16},
               {NNB__ONNX_BFLOAT, NNB__BF16}, {NNB__ONNX_INT64, NNB__I64},  {NNB__ONNX_INT32, NNB__I32},
               {NNB__ONNX_BOOL, NNB__U8}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].number == number) return *out = types[i].type, true;
  return false;
}

static nnb_status fail(const nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb_status status, const char *sentence) {
  char shown[NNB__SHOWN_TEXT];
  const char *name = t->name ? t->name : "";
  return nnb__fail(status, "%s: tensor \"%s\": %s", g->file, nnb__show(name, strlen(name), shown), sentence);
}

/* *bytes ← the size of the data */
static nnb_status read_shape(const nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb__tensor *out, size_t *bytes) {
  *bytes = nnb__dtype_size(out->dtype);
  out->n_dims = (int)t->n_dims;
  for (size_t i = 0; i < t->n_dims; i++) {
    if (t->dims[i] < 0) return fail(g, t, NNB_E_PARSE, "its shape has a negative size");
    out->dim[i] = (size_t)t->dims[i];
    if (!nnb__mul(*bytes, out->dim[i], bytes)) return fail(g, t, NNB_E_PARSE, "its shape is too large");
  }
  return NNB_OK;
}

/* ---- bytes of another file --------------------------------------------------------------------------------------- */

typedef struct place {
  const char *file;
  int64_t offset, length; /* length -1: to the end */
} place;

static bool read_size(const char *text, int64_t *out) {
  char *end;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  *out = value;
  return end != text && !*end && !errno && value >= 0;
}

static nnb_status read_place(const nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, place *out) {
  *out = (place){.length = -1};
  bool good = true;
  for (size_t i = 0; i < t->n_external_data; i++) {
    const char *key = t->external_data[i]->key, *value = t->external_data[i]->value;
    if (!key || !value) continue;
    if (strcmp(key, "location") == 0) out->file = value;
    if (strcmp(key, "offset") == 0) good &= read_size(value, &out->offset);
    if (strcmp(key, "length") == 0) good &= read_size(value, &out->length);
  }
  if (!good) return fail(g, t, NNB_E_PARSE, "the offset or length in another file is not a size");
  const bool named = out->file && *out->file && strcmp(out->file, ".") != 0 && strcmp(out->file, "..") != 0;
  if (named && !strchr(out->file, '/')) return NNB_OK;
  return fail(g, t, named ? NNB_E_UNSUPPORTED : NNB_E_PARSE,
              "its numbers are in another file whose name is not the name of a file in the model's folder");
}

/* An open file beside the model; no symbolic link, no device. */
static nnb_status open_beside(const nnb__onnx_graph *g, const char *name, int *fd, size_t *bytes) {
  const char *slash = strrchr(g->path, '/');
  const size_t folder = slash ? (size_t)(slash - g->path) + 1 : 0, n = folder + strlen(name) + 1;
  char *path = nnb__onnx_take(g->pool, n, 1);
  struct stat st;
  if (!path) return nnb__onnx_pool_fail(g->pool, g->file);
  memcpy(path, g->path, folder);
  memcpy(path + folder, name, n - folder);
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (*fd < 0 && errno == ELOOP)
    return nnb__fail(NNB_E_IO,
                     "%s: opening failed: it is a symbolic link; only regular files in the model's folder "
                     "are read",
                     path);
  if (*fd < 0) return nnb__fail_errno(path, "opening", errno);
  if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    close(*fd);
    return nnb__fail(NNB_E_IO, "%s: reading failed: it is not a regular file", path);
  }
  *bytes = (size_t)st.st_size;
  return NNB_OK;
}

static nnb_status read_at(const nnb__onnx_graph *g, int fd, int64_t offset, size_t n, char *out) {
  while (n > 0) {
    const ssize_t got = pread(fd, out, n < 1u << 30 ? n : 1u << 30, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return nnb__fail_errno(g->file, "reading the file beside it", errno);
    if (got == 0) return nnb__fail(NNB_E_IO, "%s: the file beside it became shorter", g->file);
    out += got, offset += got, n -= (size_t)got;
  }
  return NNB_OK;
}

/* Another file counts as a part of the model: the limit of memory grows by its size, once. */
static nnb_status count_file(nnb__onnx_graph *g, const char *name, size_t bytes) {
  if (nnb__table_find(&g->others, name, strlen(name)) >= 0) return NNB_OK;
  if (nnb__table_add(&g->others, name, strlen(name)) < 0) return nnb__fail_nomem(g->file);
  g->file_bytes += bytes < SIZE_MAX - g->file_bytes ? bytes : SIZE_MAX - g->file_bytes;
  g->pool->left += bytes < SIZE_MAX - g->pool->left ? bytes : SIZE_MAX - g->pool->left;
  return NNB_OK;
}

static nnb_status read_external(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, size_t bytes, const void **out) {
  place at;
  int fd = -1;
  size_t n = 0;
  char *data = NULL;
  nnb_status status = read_place(g, t, &at);
  if (!status && (!g->external || !g->path))
    return nnb__fail(NNB_E_UNSUPPORTED, "%s: numbers are in another file (%s)", g->file,
                     g->path ? "external_data of the options accepts it" : "a model in memory has none");
  if (!status) status = open_beside(g, at.file, &fd, &n);
  if (status) return status;
  if ((uint64_t)at.offset > n || bytes > n - (size_t)at.offset || (at.length >= 0 && (uint64_t)at.length != bytes) ||
      (at.length < 0 && bytes != n - (size_t)at.offset))
    status = fail(g, t, NNB_E_PARSE, "the length in another file is not that of its numbers");
  if (!status) status = count_file(g, at.file, n);
  if (!status) {
    data = nnb__onnx_take(g->pool, bytes, 1);
    status = data ? read_at(g, fd, at.offset, bytes, data) : nnb__onnx_pool_fail(g->pool, g->file);
  }
  close(fd);
  *out = data;
  return status;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* 16-bit types and bool stand in 32 bits each. */
static const void *narrow(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, size_t size) {
  char *out = nnb__onnx_take(g->pool, t->n_int32_data, size);
  for (size_t i = 0; out && i < t->n_int32_data; i++) {
    const uint16_t wide = (uint16_t)t->int32_data[i];
    const uint8_t byte = (uint8_t)t->int32_data[i];
    memcpy(out + i * size, size == 2 ? (const void *)&wide : &byte, size);
  }
  return out;
}

/* *n ← the numbers in the field for the type */
static const void *typed_field(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb__dtype type, size_t *n) {
  *n = type == NNB__F32   ? t->n_float_data
       : type == NNB__F64 ? t->n_double_data
       : type == NNB__I64 ? t->n_int64_data
                          : t->n_int32_data;
  if (type == NNB__F32) return t->float_data;
  if (type == NNB__F64) return t->double_data;
  if (type == NNB__I64) return t->int64_data;
  return type == NNB__I32 ? t->int32_data : narrow(g, t, nnb__dtype_size(type));
}

static nnb_status read_data(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb__tensor *out, size_t bytes) {
  static const char none[1];
  size_t n = 0;
  if (t->has_data_location && t->data_location == 1) return read_external(g, t, bytes, &out->data);
  if (t->has_raw_data && t->raw_data.len > 0 &&
      t->n_float_data + t->n_double_data + t->n_int32_data + t->n_int64_data + t->n_string_data > 0)
    return fail(g, t, NNB_E_PARSE, "it has its numbers twice");
  if (t->has_raw_data && (t->raw_data.len > 0 || bytes == 0)) {
    out->data = t->raw_data.data ? t->raw_data.data : (const void *)none, n = t->raw_data.len;
  } else {
    out->data = typed_field(g, t, out->dtype, &n);
    if (!out->data && n > 0) return nnb__onnx_pool_fail(g->pool, g->file);
    if (!out->data) out->data = none;
    n *= nnb__dtype_size(out->dtype);
  }
  return n == bytes ? NNB_OK : fail(g, t, NNB_E_PARSE, "the number of its elements is not that of its shape");
}

nnb_status nnb__onnx_const_of(nnb__onnx_graph *g, const Nnb__Onnx__Tensor *t, nnb__onnx_const **out) {
  nnb__onnx_const *c = *out = nnb__onnx_take(g->pool, 1, sizeof *c);
  size_t bytes = 0;
  if (!c) return nnb__onnx_pool_fail(g->pool, g->file);
  c->source = t;
  if (!type_of(t->data_type, &c->t.dtype) || t->n_dims > NNB__MAX_DIMS) return NNB_OK; /* an error where it is used */
  nnb_status status = read_shape(g, t, &c->t, &bytes);
  return status ? status : read_data(g, t, &c->t, bytes);
}

size_t nnb__onnx_count(const nnb__onnx_const *c) { return nnb__tensor_count(&c->t); }

bool nnb__onnx_int(const nnb__onnx_const *c, size_t i, int64_t *out) {
  int32_t narrow_one;
  if (!c->t.data || i >= nnb__onnx_count(c)) return false;
  if (c->t.dtype == NNB__I64) return memcpy(out, (const char *)c->t.data + 8 * i, 8), true;
  if (c->t.dtype != NNB__I32) return false;
  memcpy(&narrow_one, (const char *)c->t.data + 4 * i, 4);
  return *out = narrow_one, true;
}

bool nnb__onnx_is_real(const nnb__onnx_const *c) { return c->t.data && nnb__tensor_is_real(&c->t); }

bool nnb__onnx_all_zero(const nnb__onnx_const *c) {
  double one = 0;
  bool all = true;
  for (size_t i = 0, n = nnb__onnx_count(c); i < n; i++) all &= nnb__tensor_real(&c->t, i, &one) && one == 0;
  return all;
}

bool nnb__onnx_number(const nnb__onnx_const *c, double *out) {
  return nnb__onnx_is_real(c) && nnb__onnx_count(c) == 1 && nnb__tensor_real(&c->t, 0, out);
}
