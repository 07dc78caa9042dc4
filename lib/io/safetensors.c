/* io/safetensors.c */
#include "safetensors.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fork.h"
#include "save.h"
#include "status.h"
#include "text.h"

enum { SIZE_BYTES = 8, MAX_HEADER = 16 << 20 }; /* far above any net's; the reference implementation allows 100 MB */

static const char *const dtype_names[] = {
    [NNB__F64] = "F64", [NNB__F32] = "F32", [NNB__I64] = "I64",  [NNB__I32] = "I32",
    [NNB__U8] = "U8",   [NNB__F16] = "F16", [NNB__BF16] = "BF16"};
enum { N_DTYPES = sizeof dtype_names / sizeof *dtype_names };

/* What a bag cannot have; there may be more. */
static const struct {
  const char *name;
  size_t size;
} other_dtypes[] = {{"BOOL", 1}, {"I8", 1},      {"I16", 2},     {"U16", 2}, {"U32", 4},
                    {"U64", 8},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"C64", 8}, {"F8_E8M0", 1}};

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
bool nnb__little_endian = false;
#else
bool nnb__little_endian = true;
#endif

static nnb_status check_host(void) {
  if (nnb__little_endian) return NNB_OK;
  return nnb__fail(
      NNB_E_UNSUPPORTED,
      "model files (safetensors) are little-endian; this computer is big-endian and can neither write nor read them");
}

/* ---- writing --------------------------------------------------------------------------------------------------------
 */

/* The pieces of a file: size, header, and the tensors in their order. */
typedef struct layout {
  uint8_t size[SIZE_BYTES];
  char *header;                /* from nnb__alloc */
  const nnb__tensor **tensors; /* the bag's, in the order of the file */
  nnb__piece *pieces;          /* 2 + n_tensors */
  size_t n, bytes;             /* of the pieces; of the whole file */
} layout;

static void layout_release(layout *f) {
  nnb__release(f->header);
  nnb__release(f->tensors);
  nnb__release(f->pieces);
}

static size_t tensor_bytes(const nnb__tensor *t) { return nnb__tensor_count(t) * nnb__dtype_size(t->dtype); }

/* The order of the reference implementation: large elements first, so that each tensor is aligned; then by name. */
static int by_size_and_name(const void *a, const void *b) {
  const nnb__tensor *s = *(const nnb__tensor *const *)a, *t = *(const nnb__tensor *const *)b;
  size_t m = nnb__dtype_size(s->dtype), n = nnb__dtype_size(t->dtype);
  return m != n ? (m < n) - (m > n) : strcmp(s->name, t->name);
}

static nnb_status check_utf8(const char *text) {
  char shown[NNB__SHOWN_TEXT];
  if (nnb__is_utf8(text, strlen(text))) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "the text \"%s\" is not UTF-8 and cannot be saved", nnb__show(text, strlen(text), shown));
}

/* {"dtype":"F64","shape":[2,3],"data_offsets":[0,48]}, or NULL */
static json_t *describe(const nnb__tensor *t, size_t begin) {
  json_t *shape = json_array();
  int failed = !shape;
  for (int i = 0; shape && i < t->n_dims; i++)
    failed |= json_array_append_new(shape, json_integer((json_int_t)t->dim[i]));
  if (failed) {
    json_decref(shape);
    return NULL;
  }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[t->dtype], "shape", shape, "data_offsets",
                   (json_int_t)begin, (json_int_t)(begin + tensor_bytes(t)));
}

/* Adds the whole bag to the root object. */
static nnb_status fill_header(const nnb__bag *bag, const layout *f, json_t *root, json_t *metadata) {
  nnb_status status = NNB_OK;
  size_t at = 0;
  int failed = 0;
  for (size_t i = 0; !status && !failed && i < bag->n_entries; i++) {
    const nnb__entry *e = &bag->entries[i];
    status = check_utf8(e->name);
    if (!status) status = check_utf8(e->text);
    if (!status) failed = json_object_set_new(metadata, e->name, json_string(e->text));
  }
  for (size_t i = 0; !status && !failed && i < bag->n_tensors; i++) {
    const nnb__tensor *t = f->tensors[i];
    status = strcmp(t->name, "__metadata__") == 0
                 ? nnb__fail(NNB_E_ARG, "a tensor must not have the name \"%s\"", t->name)
                 : check_utf8(t->name);
    if (!status) failed = json_object_set_new(root, t->name, describe(t, at));
    at += tensor_bytes(t);
  }
  return status ? status : failed ? nnb__fail_nomem("the header") : NNB_OK;
}

/* Pads the header with spaces so that the data begins at a multiple of 8; writes the size before it. */
static nnb_status dump_header(layout *f, const json_t *root) {
  size_t n = json_dumpb(root, NULL, 0, JSON_COMPACT), padded = (n + 7) / 8 * 8;
  if (padded > MAX_HEADER) return nnb__fail(NNB_E_UNSUPPORTED, "a header of %zu bytes is too large", padded);
  f->header = nnb__alloc(padded, 1);
  if (n == 0 || !f->header || json_dumpb(root, f->header, n, JSON_COMPACT) != n) return nnb__fail_nomem("the header");
  memset(f->header + n, ' ', padded - n);
  for (int i = 0; i < SIZE_BYTES; i++) f->size[i] = (uint8_t)((uint64_t)padded >> 8 * i);
  f->pieces[0] = (nnb__piece){f->size, SIZE_BYTES};
  f->pieces[1] = (nnb__piece){f->header, padded};
  f->n = 2, f->bytes = SIZE_BYTES + padded;
  return NNB_OK;
}

/* jansson's first table in a process draws the seed of its hash, and a second thread would wait for that; after a fork,
 * the child would wait forever for a thread that does not exist. */
static void seed_json(void) {
  nnb__hold_forks();
  json_object_seed(0);
  nnb__allow_forks();
}

static nnb_status write_header(const nnb__bag *bag, layout *f) {
  seed_json();
  json_t *root = json_object(), *metadata = json_object();
  nnb_status status = root && metadata ? NNB_OK : nnb__fail_nomem("the header");
  if (!status && bag->n_entries > 0 && json_object_set(root, "__metadata__", metadata) != 0)
    status = nnb__fail_nomem("the header");
  if (!status) status = fill_header(bag, f, root, metadata);
  if (!status) status = dump_header(f, root);
  json_decref(metadata);
  json_decref(root);
  return status;
}

static nnb_status layout_init(const nnb__bag *bag, layout *f) {
  *f = (layout){0};
  nnb_status status = bag->status ? bag->status : check_host();
  if (status) return status;
  f->tensors = nnb__alloc(bag->n_tensors, sizeof *f->tensors);
  f->pieces = nnb__alloc(bag->n_tensors + 2, sizeof *f->pieces);
  if (!f->tensors || !f->pieces) {
    layout_release(f);
    return nnb__fail_nomem("the order of the tensors");
  }
  for (size_t i = 0; i < bag->n_tensors; i++) f->tensors[i] = &bag->tensors[i];
  qsort(f->tensors, bag->n_tensors, sizeof *f->tensors, by_size_and_name);
  status = write_header(bag, f);
  for (size_t i = 0; !status && i < bag->n_tensors; i++) {
    nnb__piece piece = {f->tensors[i]->data, tensor_bytes(f->tensors[i])};
    if (piece.bytes > PTRDIFF_MAX - f->bytes)
      status = nnb__fail(NNB_E_OVERFLOW, "the tensors are too large for a file");
    f->pieces[f->n++] = piece;
    f->bytes += piece.bytes;
  }
  if (status) layout_release(f);
  return status;
}

nnb_status nnb__safetensors_to_mem(const nnb__bag *bag, nnb__bytes *out) {
  layout f;
  nnb_status status = layout_init(bag, &f);
  if (status) return status;
  uint8_t *p = nnb__alloc(f.bytes, 1);
  if (p) *out = (nnb__bytes){.p = p, .n = f.bytes, .cap = f.bytes};
  for (size_t i = 0; p && i < f.n; i++) {
    if (f.pieces[i].bytes > 0) memcpy(p, f.pieces[i].p, f.pieces[i].bytes);
    p += f.pieces[i].bytes;
  }
  layout_release(&f);
  return p ? NNB_OK : nnb__fail_nomem("the file");
}

nnb_status nnb__safetensors_save(const nnb__bag *bag, const char *path) {
  layout f;
  nnb_status status = layout_init(bag, &f);
  if (status) return status;
  status = nnb__save(path, f.pieces, f.n);
  layout_release(&f);
  return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------
 */

typedef struct span {
  size_t begin, end;
} span;

typedef struct reader {
  const char *name;    /* of the file, for messages */
  const uint8_t *data; /* NULL: in the store */
  const nnb__store *store;
  uint64_t data_at; /* the place of the data in the store */
  size_t n_data;
  nnb__bag *bag, *others; /* others NULL: what a bag cannot have is refused */
  span *spans;            /* one for each tensor */
  size_t n_spans;
} reader;

static nnb_status fail_tensor(const reader *r, const char *tensor, const char *sentence) {
  char shown[NNB__SHOWN_TEXT];
  return nnb__fail(NNB_E_PARSE, "%s: tensor \"%s\": %s", r->name, nnb__show(tensor, strlen(tensor), shown), sentence);
}

static bool read_size(const json_t *json, size_t *out) {
  json_int_t value = json_integer_value(json);
  if (!json_is_integer(json) || value < 0 || (unsigned long long)value > SIZE_MAX) return false;
  *out = (size_t)value;
  return true;
}

/* A tensor of the header */
typedef struct described {
  nnb__tensor t;
  size_t size, bytes; /* of a number; of all of them, unless the size is not known: 0 */
  char odd[128];      /* why a bag cannot have it, or "" */
} described;

/* The reason, or a refusal */
static nnb_status keep_odd(const reader *r, const char *name, const described *d) {
  char shown[NNB__SHOWN_TEXT];
  if (r->others) return NNB_OK;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s: tensor \"%s\" %s", r->name, nnb__show(name, strlen(name), shown), d->odd);
}

static nnb_status read_dtype(const reader *r, const char *name, const json_t *json, described *d) {
  char shown[NNB__SHOWN_TEXT];
  const char *text = json_string_value(json);
  if (!text) return fail_tensor(r, name, "it has no dtype");
  for (int i = 0; i < N_DTYPES; i++)
    if (strcmp(text, dtype_names[i]) == 0) {
      d->t.dtype = (nnb__dtype)i, d->size = nnb__dtype_size(d->t.dtype);
      return NNB_OK;
    }
  for (size_t i = 0; i < sizeof other_dtypes / sizeof *other_dtypes; i++)
    if (strcmp(text, other_dtypes[i].name) == 0) d->size = other_dtypes[i].size;
  nnb__format(d->odd, sizeof d->odd, "has dtype \"%s\"; wanted F64, F32, F16, BF16, I64, I32 or U8",
              nnb__show(text, strlen(text), shown));
  return keep_odd(r, name, d);
}

static nnb_status read_shape(const reader *r, const char *name, const json_t *json, described *d) {
  const size_t n = json_array_size(json);
  if (!json_is_array(json)) return fail_tensor(r, name, "its shape is not a list");
  if (n > NNB__MAX_DIMS && !*d->odd) {
    nnb__format(d->odd, sizeof d->odd, "has %zu dimension(s); wanted at most %d", n, NNB__MAX_DIMS);
    nnb_status status = keep_odd(r, name, d);
    if (status) return status;
  }
  d->t.n_dims = n <= NNB__MAX_DIMS ? (int)n : 0;
  d->bytes = d->size;
  bool fits = true;
  for (size_t i = 0, side; i < n; i++) {
    const json_t *size = json_array_get(json, i);
    const bool known = read_size(size, &side);
    if (!known && json_integer_value(size) <= 0) return fail_tensor(r, name, "its shape has an invalid size");
    fits = fits && known && nnb__mul(d->bytes, side, &d->bytes);
    if (known && n <= NNB__MAX_DIMS) d->t.dim[i] = side;
  }
  return fits ? NNB_OK : fail_tensor(r, name, "its shape is too large");
}

static nnb_status read_span(const reader *r, const char *name, const json_t *json, const described *d, span *out) {
  if (json_array_size(json) != 2 || !read_size(json_array_get(json, 0), &out->begin) ||
      !read_size(json_array_get(json, 1), &out->end))
    return fail_tensor(r, name, "its data_offsets are not two sizes");
  if (out->begin > out->end || out->end > r->n_data) return fail_tensor(r, name, "its data is outside of the file");
  if (d->size > 0 && out->end - out->begin != d->bytes)
    return fail_tensor(r, name, "its shape and its data_offsets do not match");
  return NNB_OK;
}

static nnb_status read_tensor(reader *r, const char *name, const json_t *json) {
  described d = {.odd = ""};
  const nnb__tensor *t = &d.t;
  span *at = &r->spans[r->n_spans];
  if (!json_is_object(json)) return fail_tensor(r, name, "its description is not an object");
  nnb_status status = read_dtype(r, name, json_object_get(json, "dtype"), &d);
  if (!status) status = read_shape(r, name, json_object_get(json, "shape"), &d);
  if (!status) status = read_span(r, name, json_object_get(json, "data_offsets"), &d, at);
  if (status) return status;
  r->n_spans++;
  if (*d.odd) return nnb__bag_string(r->others, name, d.odd), r->others->status;
  if (r->store)
    nnb__bag_stored(r->bag, name, t->dtype, t->n_dims, t->dim, r->store, r->data_at + at->begin);
  else
    nnb__bag_tensor(r->bag, name, t->dtype, t->n_dims, t->dim, r->data + at->begin);
  return r->bag->status;
}

static nnb_status read_metadata(reader *r, json_t *json) {
  const char *name;
  json_t *value;
  char shown[NNB__SHOWN_TEXT];
  if (!json_is_object(json)) return nnb__fail(NNB_E_PARSE, "%s: \"__metadata__\" is not an object", r->name);
  json_object_foreach(json, name, value) {
    if (!json_is_string(value))
      return nnb__fail(NNB_E_PARSE, "%s: \"%s\" in \"__metadata__\" is not a string", r->name,
                       nnb__show(name, strlen(name), shown));
    nnb__bag_string(r->bag, name, json_string_value(value));
  }
  return r->bag->status;
}

static int by_begin(const void *a, const void *b) {
  const span *s = a, *t = b;
  if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
  return (s->end > t->end) - (s->end < t->end);
}

/* Checks that every byte of the data belongs to exactly one tensor. */
static nnb_status check_cover(const reader *r) {
  size_t at = 0;
  qsort(r->spans, r->n_spans, sizeof *r->spans, by_begin);
  for (size_t i = 0; i < r->n_spans; i++) {
    if (r->spans[i].begin != at)
      return nnb__fail(NNB_E_PARSE, "%s: the tensors %s at byte %zu of the data", r->name,
                       r->spans[i].begin < at ? "overlap" : "leave a gap",
                       at < r->spans[i].begin ? at : r->spans[i].begin);
    at = r->spans[i].end;
  }
  if (at == r->n_data) return NNB_OK;
  return nnb__fail(NNB_E_PARSE, "%s: the last tensor ends %zu byte(s) before the file", r->name, r->n_data - at);
}

static nnb_status read_root(reader *r, json_t *root) {
  const char *name;
  json_t *value;
  nnb_status status = NNB_OK;
  if (!json_is_object(root)) return nnb__fail(NNB_E_PARSE, "%s: the header is not an object", r->name);
  r->spans = nnb__alloc(json_object_size(root), sizeof *r->spans);
  if (!r->spans) return nnb__fail_nomem("the tensors");
  json_object_foreach(root, name, value) {
    status = strcmp(name, "__metadata__") == 0 ? read_metadata(r, value) : read_tensor(r, name, value);
    if (status) break;
  }
  if (!status) status = check_cover(r);
  nnb__release(r->spans);
  return status;
}

static nnb_status header_size(const uint8_t *file, size_t bytes, const char *name, size_t *out) {
  uint64_t n = 0;
  if (bytes < SIZE_BYTES) return nnb__fail(NNB_E_PARSE, "%s: %zu byte(s), too few for a safetensors file", name, bytes);
  for (int i = 0; i < SIZE_BYTES; i++) n |= (uint64_t)file[i] << 8 * i;
  if (n > bytes - SIZE_BYTES)
    return nnb__fail(NNB_E_PARSE,
                     "%s is cut off or not a safetensors file: the header has %llu byte(s), the file has %zu", name,
                     (unsigned long long)n, bytes - SIZE_BYTES);
  if (n > MAX_HEADER)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s: a header of %llu bytes is too large", name, (unsigned long long)n);
  *out = (size_t)n;
  return NNB_OK;
}

/* The n bytes of the header into the reader's bag. */
static nnb_status read_header(reader *r, const char *text, size_t n) {
  json_error_t error = {0}; /* jansson does not write it if its first allocation fails */
  seed_json();
  json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
  if (!root && (!*error.text || json_error_code(&error) == json_error_out_of_memory))
    return nnb__fail_nomem("the header");
  if (!root) return nnb__fail(NNB_E_PARSE, "%s: the header: %s", r->name, error.text);
  nnb_status status = read_root(r, root);
  json_decref(root);
  if (status) nnb__bag_clear(r->bag);
  if (status && r->others) nnb__bag_clear(r->others);
  return status;
}

nnb_status nnb__safetensors_parse_some(const void *file, size_t bytes, const char *name, nnb__bag *bag,
                                       nnb__bag *others) {
  size_t n = 0;
  nnb_status status = check_host();
  if (!status) status = header_size(file, bytes, name, &n);
  if (status) return status;
  const char *text = (const char *)file + SIZE_BYTES;
  reader r = {
      .name = name, .data = (const uint8_t *)text + n, .n_data = bytes - SIZE_BYTES - n, .bag = bag, .others = others};
  return read_header(&r, text, n);
}

nnb_status nnb__safetensors_parse(const void *file, size_t bytes, const char *name, nnb__bag *bag) {
  return nnb__safetensors_parse_some(file, bytes, name, bag, NULL);
}

static nnb_status read_stored(const void *file, void *to, size_t n, uint64_t at) {
  return nnb__file_read(file, to, n, at);
}

nnb_status nnb__safetensors_open_some(const nnb__file *file, nnb__store *store, nnb__bag *bag, nnb__bag *others) {
  uint8_t start[SIZE_BYTES] = {0};
  const size_t bytes = file->size < SIZE_MAX ? (size_t)file->size : SIZE_MAX;
  size_t n = 0;
  nnb_status status = check_host();
  if (!status) status = nnb__file_read(file, start, bytes < SIZE_BYTES ? bytes : SIZE_BYTES, 0);
  if (!status) status = header_size(start, bytes, file->path, &n);
  if (status) return status;
  char *text = nnb__alloc(n, 1);
  if (!text) return nnb__fail_nomem("the header");
  status = nnb__file_read(file, text, n, SIZE_BYTES);
  *store = (nnb__store){.read = read_stored, .user = file};
  reader r = {.name = file->path,
              .store = store,
              .data_at = SIZE_BYTES + n,
              .n_data = bytes - SIZE_BYTES - n,
              .bag = bag,
              .others = others};
  if (!status) status = read_header(&r, text, n);
  nnb__release(text);
  return status;
}

nnb_status nnb__safetensors_open(const nnb__file *file, nnb__store *store, nnb__bag *bag) {
  return nnb__safetensors_open_some(file, store, bag, NULL);
}
