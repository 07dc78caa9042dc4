/* io/save.h: atomic replacement of files: the result is the old file or the whole new one. */
#ifndef NNB__SAVE_H
#define NNB__SAVE_H

#include "nnblas/core.h"

/* A piece of the contents. */
typedef struct nnb__piece {
  const void *p;
  size_t bytes;
} nnb__piece;

/* Writes the pieces to a temporary file in the same folder, syncs it, renames it to path and syncs the folder.  An
 * existing file keeps its permissions.  For a symbolic link, its target is replaced or created.  If it fails, the
 * message has the system's reason (NNB_E_IO).  Then the old file is whole and the temporary file is deleted, unless
 * only the sync of the folder failed: the new file is in place, but after a crash the old one may be there again. */
nnb_status nnb__save(const char *path, const nnb__piece *pieces, size_t n);

/* Whether a temporary file can be made beside path, as nnb__save does; leaves nothing behind. */
nnb_status nnb__save_try(const char *path);

#endif
