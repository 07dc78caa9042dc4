/* io/file.c: see file.h. */
#include "file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "bytes.h"
#include "status.h"

static nnb_status look(const nnb__file *file, struct stat *st) {
  return fstat(file->fd, st) == 0 ? NNB_OK : nnb__fail_errno(file->path, "looking at it", errno);
}

static nnb_status refuse_gzip(const nnb__file *file) {
  uint8_t magic[2];
  nnb_status status = file->size >= 2 ? nnb__file_read(file, magic, 2, 0) : NNB_OK;
  if (status || file->size < 2 || magic[0] != 0x1F || magic[1] != 0x8B) return status;
  return nnb__fail(NNB_E_UNSUPPORTED, "%s is gzip-compressed: its parts cannot be read one by one; unpack it",
                   file->path);
}

nnb_status nnb__file_open(nnb__file *file, const char *path) {
  nnb__source source;
  struct stat st = {0};
  *file = (nnb__file){.fd = -1};
  nnb_status status = nnb__source_open(&source, path, false);
  if (status) return status;
  *file = (nnb__file){.fd = source.fd, .path = nnb__strdup(path)};
  status = file->path ? look(file, &st) : nnb__fail_nomem(path);
  file->size = (uint64_t)st.st_size, file->written = st.st_mtim;
  if (!status) status = refuse_gzip(file);
  if (status) nnb__file_close(file);
  return status;
}

void nnb__file_close(nnb__file *file) {
  if (file->fd >= 0) close(file->fd);
  nnb__release(file->path);
  *file = (nnb__file){.fd = -1};
}

nnb_status nnb__file_read(const nnb__file *file, void *to, size_t n, uint64_t at) {
  for (size_t done = 0; done < n;) {
    const ssize_t got = pread(file->fd, (char *)to + done, n - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return nnb__fail_errno(file->path, "reading", errno);
    if (got == 0) return nnb__fail(NNB_E_IO, "%s: reading failed: the file has become shorter", file->path);
    done += (size_t)got;
  }
  return NNB_OK;
}

nnb_status nnb__file_confirm(const nnb__file *file, nnb_status status) {
  struct stat st;
  if (status == NNB_E_IO) return status;
  const nnb_status looked = look(file, &st);
  if (looked) return looked;
  if ((uint64_t)st.st_size == file->size && st.st_mtim.tv_sec == file->written.tv_sec &&
      st.st_mtim.tv_nsec == file->written.tv_nsec)
    return status;
  return nnb__fail(NNB_E_IO, "%s: reading failed: the file has changed since it was opened", file->path);
}
