/* io/zip.h: ZIP archives, as NumPy writes them for NPZ: stored or deflated entries, up to 4 GB. */
#ifndef NNB__ZIP_H
#define NNB__ZIP_H

#include "bytes.h"

typedef struct nnb__zip_entry {
  const char *name; /* name_bytes, without NUL */
  size_t name_bytes;
  int method; /* 0: stored, 8: deflated */
  uint32_t crc;
  const uint8_t *data;  /* packed bytes, within the file */
  size_t packed, bytes; /* in the file, unpacked */
} nnb__zip_entry;

/* Calls see for each entry until it returns something else than NNB_OK, and returns that.  name is for messages.
 * NNB_E_PARSE; NNB_E_UNSUPPORTED for archives beyond 4 GB and encrypted entries. */
typedef nnb_status nnb__zip_see(void *context, const nnb__zip_entry *entry);
nnb_status nnb__zip_list(const uint8_t *file, size_t bytes, const char *name, nnb__zip_see *see, void *context);

/* *out ← the entry's bytes, checked by their CRC-32.  Memory is bounded by what deflate can hold, 1032 times the packed
 * bytes.  NNB_E_PARSE; NNB_E_UNSUPPORTED for another method, or a deflated entry without zlib. */
nnb_status nnb__zip_unpack(const nnb__zip_entry *entry, const char *name, nnb__bytes *out);

/* CRC-32 of ISO 3309 over further bytes; crc is 0 at the start. */
uint32_t nnb__crc32(uint32_t crc, const void *p, size_t bytes);

/* Parts of an archive with stored entries: before an entry's bytes, the entry's record at the end, and the very end.
 * name: UTF-8, at most 65535 bytes. */
enum { NNB__ZIP_LOCAL = 30, NNB__ZIP_CENTRAL = 46, NNB__ZIP_END = 22 };
void nnb__zip_local(uint8_t out[NNB__ZIP_LOCAL], uint32_t crc, uint32_t bytes, const char *name);
void nnb__zip_central(uint8_t out[NNB__ZIP_CENTRAL], uint32_t crc, uint32_t bytes, const char *name, uint32_t at);
void nnb__zip_end(uint8_t out[NNB__ZIP_END], uint16_t n, uint32_t bytes, uint32_t at);

#endif
