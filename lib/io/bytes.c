/* io/bytes.c: reading files into memory. */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef NNB_HAVE_ZLIB
#include <zlib.h>
#endif

#include "alloc.h"
#include "status.h"

enum { BLOCK = 1 << 16 };

void nnb__bytes_clear(nnb__bytes *bytes) {
  nnb__release(bytes->p);
  *bytes = (nnb__bytes){0};
}

#ifdef NNB_HAVE_ZLIB
static nnb_status start_gunzip(nnb__source *source) {
  source->gz = gzdopen(source->fd, "rb");
  return source->gz ? NNB_OK : nnb__fail_nomem("gzip's state");
}

/* zlib's messages begin with its own name of the file, "<fd:3>: ". */
static const char *reason_of(const char *text) {
  const char *colon = strncmp(text, "<fd:", 4) == 0 ? strstr(text, ">: ") : NULL;
  return colon ? colon + 3 : text;
}

/* The number of bytes read; 0 at the end; -1 and *status for an error. */
static ssize_t read_gz(nnb__source *source, uint8_t *to, size_t n, nnb_status *status) {
  int got = gzread(source->gz, to, (unsigned)n), code = Z_OK;
  const char *text = gzerror(source->gz, &code);
  if (got > 0 || (got == 0 && (code == Z_OK || code == Z_STREAM_END))) return got;
  if (code == Z_ERRNO)
    *status = nnb__fail_errno(source->path, "reading", errno);
  else if (code == Z_MEM_ERROR)
    *status = nnb__fail_nomem("gzip's state");
  else
    *status = nnb__fail(NNB_E_PARSE, "%s: the gzip data is damaged or cut off: %s", source->path, reason_of(text));
  return -1;
}

static void close_gz(void *gz) { gzclose(gz); }
#else
static nnb_status start_gunzip(nnb__source *source) {
  uint8_t magic[2];
  if (pread(source->fd, magic, 2, 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B)
    return nnb__fail(NNB_E_UNSUPPORTED, "%s is gzip-compressed, but this library was built without zlib", source->path);
  return NNB_OK;
}

static ssize_t read_gz(nnb__source *source, uint8_t *to, size_t n, nnb_status *status) {
  (void)source, (void)to, (void)n, (void)status;
  return 0;
}

static void close_gz(void *gz) { (void)gz; }
#endif

/* Devices and pipes are rejected, because they may have no end. */
static nnb_status check_regular(const nnb__source *source) {
  struct stat st;
  if (fstat(source->fd, &st) != 0) return nnb__fail_errno(source->path, "looking at it", errno);
  return S_ISREG(st.st_mode) ? NNB_OK
                             : nnb__fail(NNB_E_IO, "%s: reading failed: it is not a regular file", source->path);
}

nnb_status nnb__source_open(nnb__source *source, const char *path, bool gunzip) {
  *source = (nnb__source){.path = path};
  source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* otherwise a pipe without a writer would block */
  if (source->fd < 0) return nnb__fail_errno(path, "opening", errno);
  nnb_status status = check_regular(source);
  if (!status && gunzip) status = start_gunzip(source);
  if (status) nnb__source_close(source);
  return status;
}

void nnb__source_close(nnb__source *source) {
  if (source->gz)
    close_gz(source->gz); /* also closes fd */
  else if (source->fd >= 0)
    close(source->fd);
  *source = (nnb__source){.fd = -1};
}

static ssize_t read_plain(nnb__source *source, uint8_t *to, size_t n, nnb_status *status) {
  ssize_t got;
  do got = read(source->fd, to, n);
  while (got < 0 && errno == EINTR);
  if (got < 0) *status = nnb__fail_errno(source->path, "reading", errno);
  return got;
}

/* Memory for a whole plain file, and for one more byte, to detect the end. */
static bool reserve(const nnb__source *source, size_t n, nnb__bytes *into) {
  struct stat st;
  if (source->gz || into->n > 0 || fstat(source->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0) return true;
  uint64_t size = (uint64_t)st.st_size + 1;
  return nnb__grow(&into->p, &into->cap, size < n ? (size_t)size : n, 1);
}

nnb_status nnb__source_read(nnb__source *source, size_t n, nnb__bytes *into) {
  if (!reserve(source, n, into)) return nnb__fail_nomem(source->path);
  for (size_t block; n > 0;) {
    block = n < BLOCK ? n : BLOCK;
    if (into->cap - into->n < block) {
      if (into->cap == into->n && !nnb__grow(&into->p, &into->cap, into->n + block, 1))
        return nnb__fail_nomem(source->path);
      if (into->cap - into->n < block) block = into->cap - into->n;
    }
    nnb_status status = NNB_OK;
    ssize_t got = source->gz ? read_gz(source, into->p + into->n, block, &status)
                             : read_plain(source, into->p + into->n, block, &status);
    if (got <= 0) return status;
    into->n += (size_t)got;
    n -= (size_t)got;
  }
  return NNB_OK;
}

nnb_status nnb__bytes_read(const char *path, bool gunzip, nnb__bytes *out) {
  nnb__source source;
  nnb_status status = nnb__source_open(&source, path, gunzip);
  if (status) return status;
  status = nnb__source_read(&source, SIZE_MAX, out);
  nnb__source_close(&source);
  if (status) nnb__bytes_clear(out);
  return status;
}
