/* io/zip.c: after PKWARE's APPNOTE.TXT, 4.3. */
#include "zip.h"

#include <string.h>
#ifdef NNB_HAVE_ZLIB
#include <zlib.h>
#endif

#include "alloc.h"
#include "status.h"
#include "text.h"

static uint32_t get(const uint8_t *p, int n) {
  uint32_t v = 0;
  for (int i = 0; i < n; i++) v |= (uint32_t)p[i] << 8 * i;
  return v;
}

static void put(uint8_t *p, int n, uint32_t v) {
  for (int i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The record at the end of the archive, which a comment of up to 65535 bytes may follow, or NULL. */
static const uint8_t *find_end(const uint8_t *file, size_t bytes) {
  for (size_t comment = 0; comment <= 65535 && NNB__ZIP_END + comment <= bytes; comment++) {
    const uint8_t *p = file + bytes - NNB__ZIP_END - comment;
    if (memcmp(p, "PK\5\6", 4) == 0 && get(p + 20, 2) == comment) return p;
  }
  return NULL;
}

/* The entry of a record p with `left` bytes; *n: the length of the record. */
static nnb_status read_entry(const uint8_t *file, size_t bytes, const char *name, const uint8_t *p, size_t left,
                             nnb__zip_entry *out, size_t *n) {
  if (left < NNB__ZIP_CENTRAL || memcmp(p, "PK\1\2", 4) != 0)
    return nnb__fail(NNB_E_PARSE, "%s: the list of the archive's entries is damaged", name);
  *n = NNB__ZIP_CENTRAL + (size_t)get(p + 28, 2) + get(p + 30, 2) + get(p + 32, 2);
  if (*n > left) return nnb__fail(NNB_E_PARSE, "%s: the list of the archive's entries is cut off", name);
  *out = (nnb__zip_entry){.name = (const char *)p + NNB__ZIP_CENTRAL,
                          .name_bytes = get(p + 28, 2),
                          .method = (int)get(p + 10, 2),
                          .crc = get(p + 16, 4),
                          .packed = get(p + 20, 4),
                          .bytes = get(p + 24, 4)};
  const size_t at = get(p + 42, 4);
  if (get(p + 8, 2) & 1) return nnb__fail(NNB_E_UNSUPPORTED, "%s: an entry is encrypted", name);
  if (out->packed == UINT32_MAX || out->bytes == UINT32_MAX || at == UINT32_MAX)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s: archives beyond 4 GB are not supported", name);
  if (at > bytes || bytes - at < NNB__ZIP_LOCAL || memcmp(file + at, "PK\3\4", 4) != 0)
    return nnb__fail(NNB_E_PARSE, "%s: an entry is not where the archive's list says", name);
  const size_t skip = NNB__ZIP_LOCAL + (size_t)get(file + at + 26, 2) + get(file + at + 28, 2);
  if (bytes - at < skip || bytes - at - skip < out->packed)
    return nnb__fail(NNB_E_PARSE, "%s: an entry is cut off", name);
  out->data = file + at + skip;
  return NNB_OK;
}

nnb_status nnb__zip_list(const uint8_t *file, size_t bytes, const char *name, nnb__zip_see *see, void *context) {
  const uint8_t *end = find_end(file, bytes);
  if (!end) return nnb__fail(NNB_E_PARSE, "%s is cut off or not a ZIP archive", name);
  const size_t count = get(end + 10, 2), size = get(end + 12, 4), at = get(end + 16, 4);
  if (at == UINT32_MAX) return nnb__fail(NNB_E_UNSUPPORTED, "%s: archives beyond 4 GB are not supported", name);
  if (at > bytes || size > bytes - at || file + at + size > end)
    return nnb__fail(NNB_E_PARSE, "%s: the list of the archive's entries is cut off", name);
  size_t done = 0, n;
  nnb_status status = NNB_OK;
  for (size_t i = 0; i < count && !status; i++, done += n) {
    nnb__zip_entry entry;
    n = 0;
    status = read_entry(file, bytes, name, file + at + done, size - done, &entry, &n);
    if (!status) status = see(context, &entry);
  }
  return status;
}

uint32_t nnb__crc32(uint32_t crc, const void *p, size_t bytes) {
  static const uint32_t table[16] = {/* by four bits at a time */
                                     0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                     0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                     0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
  const uint8_t *c = p;
  crc = ~crc;
  for (size_t i = 0; i < bytes; i++) {
    crc ^= c[i];
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

#ifdef NNB_HAVE_ZLIB
static nnb_status inflate_entry(const nnb__zip_entry *entry, const char *name, uint8_t *out) {
  z_stream z = {.next_in = (Bytef *)(uintptr_t)entry->data,
                .avail_in = (uInt)entry->packed,
                .next_out = out,
                .avail_out = (uInt)entry->bytes};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return nnb__fail_nomem("the state of inflate");
  const int code = inflate(&z, Z_FINISH);
  const bool whole = code == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
  inflateEnd(&z);
  if (code == Z_MEM_ERROR) return nnb__fail_nomem("the state of inflate");
  return whole ? NNB_OK : nnb__fail(NNB_E_PARSE, "%s: the compressed data of an entry is damaged", name);
}
#else
static nnb_status inflate_entry(const nnb__zip_entry *entry, const char *name, uint8_t *out) {
  (void)entry, (void)out;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s has compressed entries, but this library was built without zlib", name);
}
#endif

nnb_status nnb__zip_unpack(const nnb__zip_entry *entry, const char *name, nnb__bytes *out) {
  if (entry->method != 0 && entry->method != 8)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s: an entry is packed by method %d; wanted 0 or 8", name, entry->method);
  if (entry->method == 0 ? entry->bytes != entry->packed : entry->bytes / 1032 > entry->packed + 1)
    return nnb__fail(NNB_E_PARSE, "%s: the sizes of an entry do not match", name);
  uint8_t *p = nnb__alloc(entry->bytes, 1);
  if (!p) return nnb__fail_nomem(name);
  *out = (nnb__bytes){.p = p, .n = entry->bytes, .cap = entry->bytes};
  nnb_status status = NNB_OK;
  if (entry->method == 8)
    status = inflate_entry(entry, name, p);
  else if (entry->bytes > 0)
    memcpy(p, entry->data, entry->bytes);
  if (!status && nnb__crc32(0, p, entry->bytes) != entry->crc)
    status = nnb__fail(NNB_E_PARSE, "%s: the check sum of an entry is wrong", name);
  if (status) nnb__bytes_clear(out);
  return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

enum { VERSION = 20, FIRST_OF_1980 = 0x21, UTF8 = 0x800 };

/* Without the flag a name is in code page 437. */
static bool is_ascii(const char *name) {
  for (; *name; name++)
    if ((unsigned char)*name >= 0x80) return false;
  return true;
}

/* What both records of an entry have: version, flags, method, time, date, CRC, sizes, length of the name */
static void put_common(uint8_t *p, uint32_t crc, uint32_t bytes, const char *name) {
  put(p, 2, VERSION), put(p + 2, 2, is_ascii(name) ? 0 : UTF8), put(p + 8, 2, FIRST_OF_1980);
  put(p + 10, 4, crc), put(p + 14, 4, bytes), put(p + 18, 4, bytes), put(p + 22, 2, (uint32_t)strlen(name));
}

void nnb__zip_local(uint8_t out[NNB__ZIP_LOCAL], uint32_t crc, uint32_t bytes, const char *name) {
  memset(out, 0, NNB__ZIP_LOCAL);
  memcpy(out, "PK\3\4", 4);
  put_common(out + 4, crc, bytes, name);
}

void nnb__zip_central(uint8_t out[NNB__ZIP_CENTRAL], uint32_t crc, uint32_t bytes, const char *name, uint32_t at) {
  memset(out, 0, NNB__ZIP_CENTRAL);
  memcpy(out, "PK\1\2", 4);
  put(out + 4, 2, VERSION);
  put_common(out + 6, crc, bytes, name);
  put(out + 42, 4, at);
}

void nnb__zip_end(uint8_t out[NNB__ZIP_END], uint16_t n, uint32_t bytes, uint32_t at) {
  memset(out, 0, NNB__ZIP_END);
  memcpy(out, "PK\5\6", 4);
  put(out + 8, 2, n), put(out + 10, 2, n), put(out + 12, 4, bytes), put(out + 16, 4, at);
}
