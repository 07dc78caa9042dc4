/* io/npy.c: see npy.h. */
#include "npy.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "half.h"
#include "status.h"
#include "text.h"

enum { MAGIC = 6, LONGEST_HEADER = 1 << 16 };

/* ---- the header -------------------------------------------------------------------------------------------------- */

typedef struct scanner {
  const char *p, *end, *name;
  nnb__npy *out;
  bool has_descr, has_order, has_shape;
} scanner;

static nnb_status fail(const scanner *s, const char *wanted) {
  char shown[NNB__SHOWN_TEXT];
  return nnb__fail(NNB_E_PARSE, "%s: the header is damaged at \"%s\"; wanted %s", s->name,
                   nnb__show(s->p, (size_t)(s->end - s->p), shown), wanted);
}

static void skip(scanner *s) {
  while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')) s->p++;
}

static bool take(scanner *s, char c) {
  skip(s);
  if (s->p == s->end || *s->p != c) return false;
  s->p++;
  return true;
}

static bool take_word(scanner *s, const char *word) {
  const size_t n = strlen(word);
  skip(s);
  if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return false;
  s->p += n;
  return true;
}

/* 'text' or "text" */
static bool take_string(scanner *s, const char **text, size_t *n) {
  skip(s);
  if (s->p == s->end || (*s->p != '\'' && *s->p != '"')) return false;
  const char *from = s->p + 1, *to = memchr(from, *s->p, (size_t)(s->end - from));
  if (!to) return false;
  *text = from, *n = (size_t)(to - from);
  s->p = to + 1;
  return true;
}

static bool is_type(char kind, char size) {
  return (kind == 'f' && (size == '2' || size == '4' || size == '8')) || (kind == 'b' && size == '1') ||
         ((kind == 'i' || kind == 'u') && (size == '1' || size == '2' || size == '4' || size == '8'));
}

/* "<f8": byte order, kind, bytes */
static nnb_status take_descr(scanner *s) {
  const char *text;
  char shown[NNB__SHOWN_TEXT];
  size_t n;
  skip(s);
  if (s->p < s->end && *s->p == '[')
    return nnb__fail(NNB_E_UNSUPPORTED, "%s has records; wanted an array of numbers", s->name);
  if (!take_string(s, &text, &n)) return fail(s, "a type such as '<f8'");
  if (n != 3 || !strchr("<>|=", text[0]) || !is_type(text[1], text[2]))
    return nnb__fail(NNB_E_UNSUPPORTED, "%s has the type \"%s\"; wanted floats, integers or bool", s->name,
                     nnb__show(text, n, shown));
  s->out->kind = text[1], s->out->size = text[2] - '0', s->out->big_endian = text[0] == '>';
  s->has_descr = true;
  return NNB_OK;
}

static nnb_status take_order(scanner *s) {
  s->out->fortran = take_word(s, "True");
  if (!s->out->fortran && !take_word(s, "False")) return fail(s, "True or False");
  s->has_order = true;
  return NNB_OK;
}

static nnb_status fail_shape(const char *name) { return nnb__fail(NNB_E_OVERFLOW, "%s: its shape is too large", name); }

static nnb_status take_size(scanner *s, size_t *out) {
  skip(s);
  if (s->p == s->end || *s->p < '0' || *s->p > '9') return fail(s, "a size");
  for (*out = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
    if (!nnb__mul(*out, 10, out) || __builtin_add_overflow(*out, (size_t)(*s->p - '0'), out))
      return fail_shape(s->name);
  if (s->p < s->end && *s->p == 'L') s->p++; /* written by Python 2 */
  return NNB_OK;
}

/* (3, 4), (3,) or () */
static nnb_status take_shape(scanner *s) {
  nnb__npy *out = s->out;
  if (!take(s, '(')) return fail(s, "a shape such as (3, 4)");
  for (out->n_dims = 0; !take(s, ')');) {
    size_t dim;
    nnb_status status = take_size(s, &dim);
    if (status) return status;
    if (out->n_dims == NNB_ARRAY_DIMS)
      return nnb__fail(NNB_E_UNSUPPORTED, "%s has more than %d dimensions", s->name, NNB_ARRAY_DIMS);
    out->dim[out->n_dims++] = dim;
    if (take(s, ',')) continue;
    if (!take(s, ')')) return fail(s, "a comma or a parenthesis");
    break;
  }
  s->has_shape = true;
  return NNB_OK;
}

static nnb_status take_entry(scanner *s) {
  const char *key;
  size_t n;
  if (!take_string(s, &key, &n) || !take(s, ':')) return fail(s, "a key and a colon");
  if (n == 5 && !s->has_descr && memcmp(key, "descr", n) == 0) return take_descr(s);
  if (n == 13 && !s->has_order && memcmp(key, "fortran_order", n) == 0) return take_order(s);
  if (n == 5 && !s->has_shape && memcmp(key, "shape", n) == 0) return take_shape(s);
  return fail(s, "descr, fortran_order and shape, each once");
}

static nnb_status take_header(scanner *s) {
  if (!take(s, '{')) return fail(s, "a dictionary");
  while (!take(s, '}')) {
    nnb_status status = take_entry(s);
    if (status) return status;
    if (take(s, ',')) continue;
    if (!take(s, '}')) return fail(s, "a comma or a brace");
    break;
  }
  skip(s);
  if (s->p < s->end) return fail(s, "nothing after the dictionary");
  return s->has_descr && s->has_order && s->has_shape ? NNB_OK : fail(s, "descr, fortran_order and shape");
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* *from, *n ← where the header lies */
static nnb_status find_header(const uint8_t *file, size_t bytes, const char *name, size_t *from, size_t *n) {
  if (bytes < MAGIC + 4 || memcmp(file, "\x93NUMPY", MAGIC) != 0)
    return nnb__fail(NNB_E_PARSE, "%s is not an NPY file: it does not begin with \\x93NUMPY", name);
  if (file[6] < 1 || file[6] > 3)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s: NPY version %d; wanted 1, 2 or 3", name, file[6]);
  *from = file[6] == 1 ? 10 : 12;
  *n = (size_t)file[8] | (size_t)file[9] << 8;
  if (file[6] > 1 && bytes >= 12) *n |= (size_t)file[10] << 16 | (size_t)file[11] << 24;
  if (bytes < *from || bytes - *from < *n) return nnb__fail(NNB_E_PARSE, "%s is cut off within its header", name);
  if (*n > LONGEST_HEADER) return nnb__fail(NNB_E_UNSUPPORTED, "%s: a header of %zu bytes is too large", name, *n);
  return NNB_OK;
}

static bool count_numbers(nnb__npy *out, size_t *bytes) {
  bool fits = true, empty = false;
  out->count = 1;
  for (int i = 0; i < out->n_dims; i++) empty |= out->dim[i] == 0;
  for (int i = 0; i < out->n_dims && !empty; i++) fits = fits && nnb__mul(out->count, out->dim[i], &out->count);
  if (empty) out->count = 0;
  return fits && nnb__mul(out->count, (size_t)out->size, bytes);
}

nnb_status nnb__npy_parse_start(const void *file, size_t bytes, uint64_t file_bytes, const char *name, nnb__npy *out) {
  size_t from = 0, n = 0, wanted = 0;
  *out = (nnb__npy){0};
  nnb_status status = find_header(file, bytes, name, &from, &n);
  if (status) return status;
  const char *text = (const char *)file + from;
  scanner s = {.p = text, .end = text + n, .name = name, .out = out};
  status = take_header(&s);
  if (status) return status;
  if (!count_numbers(out, &wanted)) return fail_shape(name);
  if (file_bytes - from - n != wanted)
    return nnb__fail(NNB_E_PARSE, "%s: by its header it has %zu byte(s) of numbers, but the file has %llu", name,
                     wanted, (unsigned long long)(file_bytes - from - n));
  out->data = (const uint8_t *)text + n;
  return NNB_OK;
}

nnb_status nnb__npy_parse(const void *file, size_t bytes, const char *name, nnb__npy *out) {
  return nnb__npy_parse_start(file, bytes, bytes, name, out);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static double from_float(uint64_t bits, int size) {
  const uint32_t low = (uint32_t)bits;
  double d;
  float f;
  if (size == 2) return (double)nnb__half_to_float((uint16_t)bits);
  memcpy(&f, &low, sizeof f);
  memcpy(&d, &bits, sizeof d);
  return size == 4 ? (double)f : d;
}

/* two's complement */
static double from_int(uint64_t bits, int size) {
  const uint64_t sign = (uint64_t)1 << (8 * size - 1);
  const uint64_t magnitude = bits & sign ? (sign << 1) - bits : bits; /* for 8 bytes sign << 1 is 0, which is right */
  return bits & sign ? -(double)magnitude : (double)magnitude;
}

double nnb__npy_number(const nnb__npy *npy, size_t i) {
  const uint8_t *p = npy->data + i * (size_t)npy->size;
  uint64_t bits = 0;
  for (int k = 0; k < npy->size; k++) bits |= (uint64_t)p[npy->big_endian ? npy->size - 1 - k : k] << 8 * k;
  switch (npy->kind) {
    case 'f':
      return from_float(bits, npy->size);
    case 'i':
      return from_int(bits, npy->size);
    case 'b':
      return bits != 0;
    default:
      return (double)bits;
  }
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

size_t nnb__npy_header(char out[NNB__NPY_HEADER], const char *descr, int n_dims, const size_t *dim) {
  char *p = out + 10;
  size_t room = NNB__NPY_HEADER - 10, n;
  n = (size_t)snprintf(p, room, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int i = 0; i < n_dims; i++)
    n += (size_t)snprintf(p + n, room - n, "%zu%s", dim[i], n_dims == 1 ? "," : i + 1 < n_dims ? ", " : "");
  n += (size_t)snprintf(p + n, room - n, "), }");
  const size_t whole = (10 + n + 1 + 63) / 64 * 64;
  memset(p + n, ' ', whole - 10 - n);
  out[whole - 1] = '\n';
  memcpy(out, "\x93NUMPY\x01\x00", 8);
  out[8] = (char)((whole - 10) & 255), out[9] = (char)((whole - 10) >> 8);
  return whole;
}
