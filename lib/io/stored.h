/* io/stored.h: a matrix that stays in its file: rows are read when they are wanted. */
#ifndef NNB__STORED_H
#define NNB__STORED_H

#include "file.h"
#include "npy.h"
#include "real.h"

typedef struct nnb__stored {
  nnb__file file;
  uint64_t at;   /* where row 0 begins */
  int rows, cols;
  nnb__npy type; /* kind, size and byte order of the numbers */
  bool of_255;   /* bytes that stand for 0 … 1 */
} nnb__stored;

/* NPY: an array in C order; dimensions after the first make one row.  IDX: see idx.h; not compressed.  file.fd is
 * -1 after an error. */
nnb_status nnb__stored_open_npy(const char *path, nnb__stored *out);
nnb_status nnb__stored_open_idx(const char *path, int n_dims, nnb__stored *out);
void nnb__stored_close(nnb__stored *stored);

/* Rows row0 … row0 + n - 1: the first x.cols columns to x, those after them to t; or the one after them to label.  Two
 * threads may read at once.  NNB_E_IO, also where the file has changed since it was opened; NNB_E_ARG for a label that
 * is no whole number. */
nnb_status nnb__stored_read(const nnb__stored *stored, int64_t row0, int n, nnb_mat x, nnb_mat t, int32_t *label);

#endif
