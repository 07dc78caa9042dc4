/* io/bytes.h: reading files into memory. */
#ifndef NNB__BYTES_H
#define NNB__BYTES_H

#include "nnblas/core.h"

typedef struct nnb__bytes {
  uint8_t *p; /* from nnb__alloc */
  size_t n, cap;
} nnb__bytes;

void nnb__bytes_clear(nnb__bytes *bytes);

/* An open file.  If gunzip was requested, a compressed file reads as its uncompressed contents. */
typedef struct nnb__source {
  const char *path; /* the caller's */
  int fd;
  void *gz;
} nnb__source;

/* NNB_E_IO with the path and the system's reason.  NNB_E_UNSUPPORTED for a gzip file without zlib. */
nnb_status nnb__source_open(nnb__source *source, const char *path, bool gunzip);
/* Appends at most n more bytes, fewer at the end of the file.  Memory grows only with the bytes that exist. */
nnb_status nnb__source_read(nnb__source *source, size_t n, nnb__bytes *into);
void nnb__source_close(nnb__source *source);

/* Reads the whole file; *out must be {0}. */
nnb_status nnb__bytes_read(const char *path, bool gunzip, nnb__bytes *out);

#endif
