/* base/table.c: open addressing over SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#include "table.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"

/* ---- the hash ---------------------------------------------------------------------------------------------------- */

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void sip_round(uint64_t v[4]) {
  v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
  v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static void take_word(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  sip_round(v), sip_round(v);
  v[0] ^= word;
}

/* Up to eight bytes as a little-endian number. */
static uint64_t load(const uint8_t *p, size_t n) {
  uint64_t word = 0;
  for (size_t i = 0; i < n; i++) word |= (uint64_t)p[i] << 8 * i;
  return word;
}

uint64_t nnb__siphash(const void *p, size_t n, const uint64_t key[2]) {
  const uint8_t *at = p;
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                   key[1] ^ 0x7465646279746573u};
  const size_t whole = n / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) take_word(v, load(at + i, 8));
  take_word(v, load(at + whole, n - whole) | (uint64_t)n << 56);
  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

enum { KEY_WORDS = 4 };

/* A random key from the system, or, if that fails, from the clock and addresses. */
static void draw_key(unsigned word[KEY_WORDS]) {
  struct timespec now;
  const size_t bytes = KEY_WORDS * sizeof *word;
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, word, bytes);
  if (fd >= 0) close(fd);
  if (got == (ssize_t)bytes) return;
  clock_gettime(CLOCK_REALTIME, &now);
  word[0] = (unsigned)now.tv_sec, word[1] = (unsigned)now.tv_nsec;
  word[2] = (unsigned)((uintptr_t)&now >> 4), word[3] = (unsigned)getpid() ^ (unsigned)((uintptr_t)&draw_key >> 4) << 8;
}

/* The key, drawn in the first call.  If several threads draw a word, the first one's is used; 0 means not drawn yet.
 * Nothing waits here, so a fork is possible at any time. */
static void get_key(uint64_t key[2]) {
  static atomic_uint kept[KEY_WORDS];
  unsigned word[KEY_WORDS];
  if (atomic_load(&kept[KEY_WORDS - 1]) == 0) {
    draw_key(word);
    for (int i = 0; i < KEY_WORDS; i++) atomic_compare_exchange_strong(&kept[i], &(unsigned){0}, word[i] | 1);
  }
  for (int i = 0; i < KEY_WORDS; i++) word[i] = atomic_load(&kept[i]);
  for (int i = 0; i < 2; i++) key[i] = (uint64_t)word[2 * i] << 32 | word[2 * i + 1];
}

static uint64_t hash(const char *text, size_t n) {
  uint64_t key[2];
  get_key(key);
  return nnb__siphash(text, n, key);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* The slot of the text, or the free slot where it belongs; there always is a free slot. */
static uint32_t *slot_of(const nnb__table *table, const char *text, size_t n) {
  for (size_t i = (size_t)hash(text, n);; i++) {
    uint32_t *slot = &table->slot[i & (table->n_slots - 1)];
    if (*slot == 0) return slot;
    const char *other = table->text[*slot - 1];
    if (strncmp(other, text, n) == 0 && other[n] == '\0') return slot;
  }
}

int64_t nnb__table_find(const nnb__table *table, const char *text, size_t n) {
  return table->n_slots ? (int64_t)*slot_of(table, text, n) - 1 : -1;
}

/* Keeps at least half of the slots free. */
static bool grow_slots(nnb__table *table) {
  if (table->n < table->n_slots / 2) return true;
  nnb__table grown = *table;
  grown.n_slots = table->n_slots ? 2 * table->n_slots : 16;
  grown.slot = nnb__zalloc(grown.n_slots, sizeof *grown.slot);
  if (!grown.slot) return false;
  for (size_t i = 0; i < table->n; i++) *slot_of(&grown, table->text[i], strlen(table->text[i])) = (uint32_t)(i + 1);
  nnb__release(table->slot);
  *table = grown;
  return true;
}

int64_t nnb__table_add(nnb__table *table, const char *text, size_t n) {
  if (table->n >= INT32_MAX || !grow_slots(table)) return -1;
  if (!nnb__grow(&table->text, &table->cap, table->n + 1, sizeof *table->text)) return -1;
  uint32_t *slot = slot_of(table, text, n);
  char *copy = *slot ? NULL : nnb__alloc(n + 1, 1);
  if (!copy) return -1;
  memcpy(copy, text, n);
  copy[n] = '\0';
  table->text[table->n++] = copy;
  *slot = (uint32_t)table->n;
  return (int64_t)table->n - 1;
}

void nnb__table_clear(nnb__table *table) {
  for (size_t i = 0; i < table->n; i++) nnb__release(table->text[i]);
  nnb__release(table->text);
  nnb__release(table->slot);
  *table = (nnb__table){0};
}
