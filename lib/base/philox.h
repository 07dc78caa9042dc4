/* base/philox.h: Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011). */
#ifndef NNB__PHILOX_H
#define NNB__PHILOX_H

#include <stdint.h>

#define NNB__PHILOX_M0 0xD2511F53u
#define NNB__PHILOX_M1 0xCD9E8D57u
#define NNB__PHILOX_W0 0x9E3779B9u /* Weyl sequence: golden ratio */
#define NNB__PHILOX_W1 0xBB67AE85u /* √3 - 1 */
enum { NNB__PHILOX_ROUNDS = 10 };

/* Encrypts n blocks of four words by the key; word i of block k is c[i·n + k].  n is a constant of the caller, whose
 * loop over the blocks the compiler makes vector instructions of. */
static inline void nnb__philox(int n, uint64_t key, uint32_t *c) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < NNB__PHILOX_ROUNDS; round++) {
    for (int k = 0; k < n; k++) {
      const uint64_t p0 = (uint64_t)NNB__PHILOX_M0 * c[k], p1 = (uint64_t)NNB__PHILOX_M1 * c[2 * n + k];
      c[k] = (uint32_t)(p1 >> 32) ^ c[n + k] ^ k0;
      c[2 * n + k] = (uint32_t)(p0 >> 32) ^ c[3 * n + k] ^ k1;
      c[n + k] = (uint32_t)p1, c[3 * n + k] = (uint32_t)p0;
    }
    k0 += NNB__PHILOX_W0, k1 += NNB__PHILOX_W1;
  }
}

#endif
