/* The IDX reader, as images and as labels. */
#include "fuzz.h"
#include "idx.h"

static void check(const uint8_t *data, size_t size, int n_dims) {
  nnb__idx idx;
  volatile uint8_t sum = 0;
  if (nnb__idx_parse(data, size, "f", n_dims, &idx)) return;
  must(idx.count > 0 && idx.each > 0, "no data");
  for (size_t i = 0; i < (size_t)idx.count * (size_t)idx.each; i++) sum = (uint8_t)(sum + idx.data[i]);
}

static void fuzz(const uint8_t *data, size_t size) {
  check(data, size, NNB__IDX_IMAGES);
  check(data, size, NNB__IDX_LABELS);
}
