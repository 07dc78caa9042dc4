/* io/idx.h: the IDX format of MNIST, for arrays of bytes: two zero bytes, 8 (unsigned byte), the number of dimensions,
 * the dimensions as big-endian 32-bit numbers, the bytes. */
#ifndef NNB__IDX_H
#define NNB__IDX_H

#include "bytes.h"

enum { NNB__IDX_IMAGES = 3, NNB__IDX_LABELS = 1 }; /* dimensions: magic 0x803 and 0x801 */

typedef struct nnb__idx {
  const uint8_t *data; /* count × each bytes, within the file */
  int count, each;     /* each: product of the other dimensions, 1 for labels */
} nnb__idx;

/* Checks a whole file in memory; n_dims is the required number of dimensions.  name is for messages. */
nnb_status nnb__idx_parse(const uint8_t *file, size_t bytes, const char *name, int n_dims, nnb__idx *out);

/* The same from the first bytes of a file; NNB__IDX_START are enough. */
enum { NNB__IDX_START = 4 + 4 * NNB__IDX_IMAGES };
nnb_status nnb__idx_parse_start(const uint8_t *file, size_t bytes, uint64_t file_bytes, const char *name, int n_dims,
                                nnb__idx *out);

/* Reads a file, plain or compressed, but not more than its header says.  out->data points into *file. */
nnb_status nnb__idx_load(const char *path, int n_dims, nnb__bytes *file, nnb__idx *out);

#endif
