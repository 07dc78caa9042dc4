/* base/rng.c: Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011).
 * key = seed; counter words 0-1 = position, 2-3 = stream. */
#include <math.h>

#include "nnblas/core.h"

static void round_once(uint32_t c[4], const uint32_t key[2]) {
  uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
  uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ key[0], (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c[3] ^ key[1],
                      (uint32_t)p0};
  for (int i = 0; i < 4; i++) c[i] = next[i];
}

static void philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  out[0] = (uint32_t)counter, out[1] = (uint32_t)(counter >> 32);
  out[2] = (uint32_t)stream, out[3] = (uint32_t)(stream >> 32);
  for (int i = 0; i < 10; i++) {
    round_once(out, key);
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u; /* Weyl sequence: golden ratio, √3 - 1 */
  }
}

void nnb_rng_init(nnb_rng *rng, uint64_t seed, uint64_t stream) {
  if (rng) *rng = (nnb_rng){.seed = seed, .stream = stream};
}

uint32_t nnb_rng_u32(nnb_rng *rng) {
  if (!rng) return 0;
  if (rng->left == 0) {
    philox(rng->seed, rng->stream, rng->counter++, rng->block);
    rng->left = 4;
  }
  return rng->block[4 - rng->left--];
}

double nnb_rng_uniform(nnb_rng *rng) {
  uint64_t hi = nnb_rng_u32(rng) >> 5, lo = nnb_rng_u32(rng) >> 6; /* 27 + 26 bits */
  return (double)(hi << 26 | lo) * 0x1p-53;
}

double nnb_rng_normal(nnb_rng *rng) {
  double u = 1 - nnb_rng_uniform(rng), v = nnb_rng_uniform(rng); /* u in (0, 1]: its logarithm is finite */
  return sqrt(-2 * log(u)) * cos(6.283185307179586477 * v);
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
