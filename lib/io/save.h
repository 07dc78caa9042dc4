/* io/save.h: files that are either the old ones or wholly the new ones. */
#ifndef NNB__SAVE_H
#define NNB__SAVE_H

#include "nnblas/core.h"

/* A piece of what is to be written. */
typedef struct nnb__piece {
  const void *p;
  size_t bytes;
} nnb__piece;

/* Writes the pieces to a temporary file in the same folder, syncs it, renames it to path and syncs the folder.  A file
 * that is there keeps its permissions; through a symbolic link its target is replaced, or made.  On failure the old
 * file is whole, the temporary one is gone, and the message has the system's reason (NNB_E_IO). */
nnb_status nnb__save(const char *path, const nnb__piece *pieces, size_t n);

#endif
