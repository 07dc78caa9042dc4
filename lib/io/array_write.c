/* io/array_write.c: arrays as NPY and NPZ. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "npy.h"
#include "save.h"
#include "status.h"
#include "text.h"
#include "zip.h"

/* What an array is written as: integers are little-endian two's complement. */
static const struct kind {
  const char *descr, *words;
  int size;
  double least, most; /* of whole numbers; both 0: floats */
} kinds[] = {
    [NNB_ARRAY_F64] = {"<f8", "a number", 8, 0, 0},
    [NNB_ARRAY_F32] = {"<f4", "a number in the range of float", 4, 0, 0},
    [NNB_ARRAY_I64] = {"<i8", "a whole number of 64 bits", 8, -0x1p63, 0x1.fffffffffffffp62},
    [NNB_ARRAY_I32] = {"<i4", "a whole number of 32 bits", 4, -0x1p31, 0x1p31 - 1},
    [NNB_ARRAY_U8] = {"|u1", "a whole number from 0 to 255", 1, 0, 255},
    [NNB_ARRAY_BOOL] = {"|b1", "0 or 1", 1, 0, 1},
};

static nnb_status find_kind(nnb_array_type type, const struct kind **out) {
  if ((int)type < 0 || type > NNB_ARRAY_BOOL)
    return nnb__fail(NNB_E_ARG, "type is %d; wanted an nnb_array_type", (int)type);
  *out = &kinds[type ? type : sizeof(real) == sizeof(double) ? NNB_ARRAY_F64 : NNB_ARRAY_F32];
  return NNB_OK;
}

static nnb_status count_numbers(const nnb_array *array, size_t *count) {
  *count = 1;
  if (!array->p) return nnb__fail(NNB_E_ARG, "the array is empty: p is NULL");
  if (array->n_dims < 0 || array->n_dims > NNB_ARRAY_DIMS)
    return nnb__fail(NNB_E_ARG, "the array has %d dimension(s); wanted 0 to %d", array->n_dims, NNB_ARRAY_DIMS);
  for (size_t i = 0; i < sizeof array->reserved / sizeof *array->reserved; i++)
    if (array->reserved[i])
      return nnb__fail(NNB_E_ARG, "nnb_array: a reserved word is not 0; initialise the struct with {0}");
  for (int i = 0; i < array->n_dims; i++)
    if (!nnb__mul(*count, array->dim[i], count)) return nnb__fail(NNB_E_OVERFLOW, "the array's shape is too large");
  return NNB_OK;
}

/* The bytes of a number, least first; false if it does not fit. */
static bool put_number(uint8_t *to, const struct kind *kind, double value) {
  uint64_t bits = 0;
  if (kind->least < kind->most) {
    if (!(value >= kind->least && value <= kind->most) || value != floor(value)) return false;
    bits = value < 0 ? -(uint64_t)-value : (uint64_t)value;
  } else if (kind->size == 8) {
    memcpy(&bits, &value, sizeof value);
  } else {
    const float f = (float)value;
    uint32_t low;
    if (isinf(f) && !isinf(value)) return false;
    memcpy(&low, &f, sizeof f);
    bits = low;
  }
  for (int k = 0; k < kind->size; k++) to[k] = (uint8_t)(bits >> 8 * k);
  return true;
}

/* A whole NPY file in memory, *out from nnb__alloc. */
static nnb_status to_npy(const nnb_array *array, const struct kind *kind, nnb__piece *out) {
  char header[NNB__NPY_HEADER];
  size_t count, bytes;
  nnb_status status = count_numbers(array, &count);
  if (status) return status;
  const size_t n = nnb__npy_header(header, kind->descr, array->n_dims, array->dim);
  if (!nnb__mul(count, (size_t)kind->size, &bytes) || bytes > PTRDIFF_MAX - n)
    return nnb__fail(NNB_E_OVERFLOW, "the array's shape is too large");
  uint8_t *p = nnb__alloc(n + bytes, 1);
  if (!p) return nnb__fail_nomem("the array's file");
  memcpy(p, header, n);
  for (size_t i = 0; i < count && !status; i++)
    if (!put_number(p + n + i * (size_t)kind->size, kind, (double)array->p[i]))
      status =
          nnb__fail(NNB_E_ARG, "number %zu of the array is %g; wanted %s", i + 1, (double)array->p[i], kind->words);
  *out = (nnb__piece){p, n + bytes};
  if (status) nnb__release(p);
  return status;
}

nnb_status nnb_array_write_npy(const char *path, const nnb_array *array, nnb_array_type type) {
  const struct kind *kind = NULL;
  nnb__piece file;
  if (!path || !array) return nnb__fail(NNB_E_ARG, "%s is NULL", path ? "array" : "path");
  nnb_status status = find_kind(type, &kind);
  if (!status) status = to_npy(array, kind, &file);
  if (status) return status;
  status = nnb__save(path, &file, 1);
  nnb__release((void *)(uintptr_t)file.p);
  return status;
}

/* ---- NPZ: for each array a local record, its name, its file; then the central records with the names; the end
 * ----------
 */

typedef struct archive {
  int n;
  uint8_t (*local)[NNB__ZIP_LOCAL], (*central)[NNB__ZIP_CENTRAL], end[NNB__ZIP_END];
  char **names;       /* "KEY.npy" */
  nnb__piece *pieces; /* 3·n for the entries, 2·n for the list, 1 */
  size_t bytes;       /* so far */
} archive;

static nnb_status check_keys(const char *const *keys, int n) {
  char shown[NNB__SHOWN_TEXT];
  for (int i = 0; i < n; i++) {
    const size_t bytes = keys[i] ? strlen(keys[i]) : 0;
    if (!keys[i]) return nnb__fail(NNB_E_ARG, "keys[%d] is NULL", i);
    if (bytes == 0 || bytes > 1000 || !nnb__is_utf8(keys[i], bytes))
      return nnb__fail(NNB_E_ARG, "keys[%d] is \"%s\"; wanted 1 to 1000 bytes of UTF-8", i,
                       nnb__show(keys[i], bytes, shown));
    for (int j = 0; j < i; j++)
      if (strcmp(keys[i], keys[j]) == 0)
        return nnb__fail(NNB_E_ARG, "keys[%d] and keys[%d] are both \"%s\"", j, i, nnb__show(keys[i], bytes, shown));
  }
  return NNB_OK;
}

static void clear(archive *a) {
  for (int i = 0; i < a->n; i++) {
    if (a->pieces) nnb__release((void *)(uintptr_t)a->pieces[3 * i + 2].p);
    if (a->names) nnb__release(a->names[i]);
  }
  nnb__release(a->names);
  nnb__release(a->pieces);
  nnb__release(a->local);
  nnb__release(a->central);
}

static nnb_status add_array(archive *a, int i, const char *key, const nnb_array *array, const struct kind *kind) {
  nnb__piece *entry = &a->pieces[3 * i], *record = &a->pieces[3 * a->n + 2 * i];
  const size_t n = strlen(key) + 4, at = a->bytes;
  nnb__piece file;
  nnb_status status = to_npy(array, kind, &file);
  if (status) return status;
  entry[2] = file;
  a->names[i] = nnb__alloc(n + 1, 1);
  if (!a->names[i]) return nnb__fail_nomem("the name of an array");
  snprintf(a->names[i], n + 1, "%s.npy", key);
  a->bytes += NNB__ZIP_LOCAL + n + file.bytes;
  if (file.bytes >= UINT32_MAX || a->bytes >= UINT32_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "the arrays are larger than 4 GB, the most of an NPZ file here");
  const uint32_t crc = nnb__crc32(0, file.p, file.bytes);
  nnb__zip_local(a->local[i], crc, (uint32_t)file.bytes, a->names[i]);
  nnb__zip_central(a->central[i], crc, (uint32_t)file.bytes, a->names[i], (uint32_t)at);
  entry[0] = (nnb__piece){a->local[i], NNB__ZIP_LOCAL}, entry[1] = (nnb__piece){a->names[i], n};
  record[0] = (nnb__piece){a->central[i], NNB__ZIP_CENTRAL}, record[1] = entry[1];
  return NNB_OK;
}

static nnb_status make(archive *a, const char *const *keys, const nnb_array *arrays, const struct kind *kind) {
  const size_t n = (size_t)a->n;
  size_t list = 0;
  a->local = nnb__zalloc(n, sizeof *a->local), a->central = nnb__zalloc(n, sizeof *a->central);
  a->names = nnb__zalloc(n, sizeof *a->names), a->pieces = nnb__zalloc(5 * n + 1, sizeof *a->pieces);
  if (!a->local || !a->central || !a->names || !a->pieces) return nnb__fail_nomem("the archive");
  nnb_status status = NNB_OK;
  for (int i = 0; i < a->n && !status; i++) {
    status = add_array(a, i, keys[i], &arrays[i], kind);
    list += NNB__ZIP_CENTRAL + strlen(keys[i]) + 4;
  }
  nnb__zip_end(a->end, (uint16_t)n, (uint32_t)list, (uint32_t)a->bytes);
  a->pieces[5 * n] = (nnb__piece){a->end, NNB__ZIP_END};
  return status;
}

nnb_status nnb_array_write_npz(const char *path, const char *const *keys, const nnb_array *arrays, int n,
                               nnb_array_type type) {
  const struct kind *kind = NULL;
  if (!path || !keys || !arrays) return nnb__fail(NNB_E_ARG, "path, keys or arrays is NULL");
  if (n < 1 || n > UINT16_MAX - 1) return nnb__fail(NNB_E_ARG, "n is %d; wanted 1 to %d", n, UINT16_MAX - 1);
  nnb_status status = find_kind(type, &kind);
  if (!status) status = check_keys(keys, n);
  if (status) return status;
  archive a = {.n = n};
  status = make(&a, keys, arrays, kind);
  if (!status) status = nnb__save(path, a.pieces, 5 * (size_t)n + 1);
  clear(&a);
  return status;
}
