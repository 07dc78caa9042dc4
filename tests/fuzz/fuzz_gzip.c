/* Files that may be compressed by gzip, read whole and as IDX files. */
#include "fuzz_file.h"
/* first */
#include <string.h>

#include "bytes.h"
#include "idx.h"

static char path[40];

static void check_status(nnb_status status, size_t n) {
  must(status <= 0, "a positive status");
  must(status == NNB_OK || n == 0, "bytes beside a failure");
  must(status == NNB_OK || strlen(nnb_errmsg()) > 0, "a failure without a sentence");
}

static void check_whole(const uint8_t *data, size_t size) {
  const int compressed = size >= 2 && data[0] == 0x1F && data[1] == 0x8B;
  nnb__bytes bytes = {0};
  nnb_status status = nnb__bytes_read(path, true, &bytes);
  check_status(status, bytes.n);
  if (!compressed) must(status == NNB_OK && bytes.n == size && memcmp(bytes.p, data, size) == 0, "other bytes");
  nnb__bytes_clear(&bytes);
}

static void check_idx(int n_dims) {
  nnb__bytes bytes = {0};
  nnb__idx idx;
  nnb_status status = nnb__idx_load(path, n_dims, &bytes, &idx);
  must(status <= 0, "a positive status");
  if (!status) must(idx.count > 0 && idx.each > 0 && idx.data > bytes.p, "no data");
  nnb__bytes_clear(&bytes);
}

static void fuzz(const uint8_t *data, size_t size) {
  if (size == 0) return;
  const int fd = fuzz_file(data, size, path);
  check_whole(data, size);
  check_idx(NNB__IDX_IMAGES);
  check_idx(NNB__IDX_LABELS);
  close(fd);
}
