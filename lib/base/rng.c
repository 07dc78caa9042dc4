/* base/rng.c: random numbers by Philox: key = seed; counter words 0-1 = position, 2-3 = stream. */
#include <math.h>

#include "elementary.h"
#include "nnblas/core.h"
#include "philox.h"

void nnb_rng_init(nnb_rng *rng, uint64_t seed, uint64_t stream) {
  if (rng) *rng = (nnb_rng){.seed = seed, .stream = stream};
}

uint32_t nnb_rng_u32(nnb_rng *rng) {
  if (!rng) return 0;
  if (rng->left == 0) {
    rng->block[0] = (uint32_t)rng->counter, rng->block[1] = (uint32_t)(rng->counter >> 32);
    rng->block[2] = (uint32_t)rng->stream, rng->block[3] = (uint32_t)(rng->stream >> 32);
    nnb__philox(1, rng->seed, rng->block);
    rng->counter++, rng->left = 4;
  }
  return rng->block[4 - rng->left--];
}

double nnb_rng_uniform(nnb_rng *rng) {
  uint64_t hi = nnb_rng_u32(rng) >> 5, lo = nnb_rng_u32(rng) >> 6; /* 27 + 26 bits */
  return (double)(hi << 26 | lo) * 0x1p-53;
}

double nnb_rng_normal(nnb_rng *rng) {
  double u = 1 - nnb_rng_uniform(rng), v = nnb_rng_uniform(rng); /* u in (0, 1]: its logarithm is finite */
  return sqrt(-2 * nnb__log(u)) * nnb__cos(6.283185307179586477 * v);
}

uint32_t nnb_rng_below(nnb_rng *rng, uint32_t n) {
  if (!rng || n == 0) return 0;
  uint64_t m = (uint64_t)nnb_rng_u32(rng) * n;
  if ((uint32_t)m < n) { /* Lemire's rejection of the uneven rest */
    uint32_t rest = (0u - n) % n;
    while ((uint32_t)m < rest) m = (uint64_t)nnb_rng_u32(rng) * n;
  }
  return (uint32_t)(m >> 32);
}

void nnb_rng_shuffle(nnb_rng *rng, int32_t *order, int32_t n) {
  if (!rng || !order) return;
  for (int32_t i = 0; i < n; i++) order[i] = i;
  for (int32_t i = n - 1; i > 0; i--) {
    int32_t j = (int32_t)nnb_rng_below(rng, (uint32_t)i + 1), t = order[i];
    order[i] = order[j], order[j] = t;
  }
}

void nnb_epoch_order(uint64_t seed, int64_t epoch, int32_t rows, int32_t block, int32_t *order) {
  nnb_rng rng;
  if (!order || rows < 1) return;
  nnb_rng_init(&rng, seed, (uint64_t)epoch - 1);
  if (block < 1 || block > rows) block = rows;
  if (block == rows) {
    nnb_rng_shuffle(&rng, order, rows);
    return;
  }
  const int32_t n_blocks = (rows - 1) / block + 1;
  int32_t *number = order + (rows - n_blocks); /* number[i] is read before its place is written: no block is empty */
  nnb_rng_shuffle(&rng, number, n_blocks);
  for (int32_t i = 0, n; i < n_blocks; i++, order += n) {
    const int32_t first = number[i] * block;
    n = rows - first < block ? rows - first : block;
    nnb_rng_shuffle(&rng, order, n);
    for (int32_t k = 0; k < n; k++) order[k] += first;
  }
}
