/* io/idx.c */
#include "idx.h"

#include "status.h"

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static size_t header_bytes(int n_dims) { return 4 + 4 * (size_t)n_dims; }

/* Reads count and size from a header; *total: the bytes of a whole file. */
static nnb_status parse_header(const uint8_t *file, size_t bytes, const char *name, int n_dims, nnb__idx *out,
                               size_t *total) {
  uint32_t magic = 0x800u + (uint32_t)n_dims;
  if (bytes < 4) return nnb__fail(NNB_E_PARSE, "%s: %zu byte(s), too few for an IDX file", name, bytes);
  if (big_endian(file) != magic)
    return nnb__fail(NNB_E_PARSE, "%s begins with 0x%08x; IDX %s begin with 0x%08x", name, (unsigned)big_endian(file),
                     n_dims == NNB__IDX_LABELS ? "labels" : "images", (unsigned)magic);
  if (bytes < header_bytes(n_dims)) return nnb__fail(NNB_E_PARSE, "%s ends within its header", name);
  uint32_t count = big_endian(file + 4);
  uint64_t each = 1;
  for (int i = 1; i < n_dims; i++) { /* at most two more dimensions: the product is below 2⁶⁴ */
    each *= big_endian(file + 4 + 4 * i);
  }
  if (count == 0 || each == 0) return nnb__fail(NNB_E_PARSE, "%s has no data: a dimension is 0", name);
  if (count > INT32_MAX || each > INT32_MAX || each > (SIZE_MAX - header_bytes(n_dims)) / count)
    return nnb__fail(NNB_E_OVERFLOW, "%s: %u × %llu bytes are too many", name, (unsigned)count,
                     (unsigned long long)each);
  *out = (nnb__idx){.data = file + header_bytes(n_dims), .count = (int)count, .each = (int)each};
  *total = header_bytes(n_dims) + count * (size_t)each;
  return NNB_OK;
}

nnb_status nnb__idx_parse_start(const uint8_t *file, size_t bytes, uint64_t file_bytes, const char *name, int n_dims,
                                nnb__idx *out) {
  size_t total = 0;
  nnb_status status = parse_header(file, bytes, name, n_dims, out, &total);
  if (!status && file_bytes != total)
    status = nnb__fail(NNB_E_PARSE, "%s: by its header it has %zu byte(s), but the file has %s", name, total,
                       file_bytes < total ? "fewer" : "more");
  return status;
}

nnb_status nnb__idx_parse(const uint8_t *file, size_t bytes, const char *name, int n_dims, nnb__idx *out) {
  return nnb__idx_parse_start(file, bytes, bytes, name, n_dims, out);
}

nnb_status nnb__idx_load(const char *path, int n_dims, nnb__bytes *file, nnb__idx *out) {
  nnb__source source;
  size_t total = 0;
  nnb_status status = nnb__source_open(&source, path, true);
  if (status) return status;
  status = nnb__source_read(&source, header_bytes(n_dims), file);
  if (!status) status = parse_header(file->p, file->n, path, n_dims, out, &total);
  if (!status) status = nnb__source_read(&source, total - file->n + 1, file); /* one more byte would be an error */
  nnb__source_close(&source);
  return status ? status : nnb__idx_parse(file->p, file->n, path, n_dims, out);
}
