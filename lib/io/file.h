/* io/file.h: a file that stays open and is read in parts. */
#ifndef NNB__FILE_H
#define NNB__FILE_H

#include <time.h>

#include "nnblas/core.h"

typedef struct nnb__file {
  int fd;                  /* -1: none */
  char *path;              /* from nnb__alloc */
  uint64_t size;           /* when it was opened */
  struct timespec written; /* and when it had been written last */
} nnb__file;

/* {.fd = -1} after an error.  NNB_E_IO, also for what is not a regular file; NNB_E_UNSUPPORTED for a gzip file, whose
 * parts cannot be read one by one. */
nnb_status nnb__file_open(nnb__file *file, const char *path);
void nnb__file_close(nnb__file *file);

/* n bytes from `at` on.  Several threads may read at once.  NNB_E_IO, also where the file has become shorter. */
nnb_status nnb__file_read(const nnb__file *file, void *to, size_t n, uint64_t at);
/* What a call that read the file returns: `status`, or NNB_E_IO if the file has another size or time of its last change
 * than when it was opened, since what was read may then be wrong. */
nnb_status nnb__file_confirm(const nnb__file *file, nnb_status status);

#endif
