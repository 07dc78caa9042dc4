/* tests/fuzz/fuzz_file.h: an input as a file, for readers of files.  Included first. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#define _GNU_SOURCE /* memfd_create */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* A file in memory with these bytes and its path.  Close the descriptor, which is returned, after its use. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[40]) {
  const int fd = memfd_create("f", 0);
  must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
  snprintf(path, 40, "/proc/self/fd/%d", fd);
  return fd;
}

#endif
