/* io/names.c: a hash table with open addressing. */
#include "names.h"

#include <string.h>

#include "alloc.h"

/* FNV-1a (Fowler, Noll, Vo) */
static uint64_t hash(const char *text, size_t n) {
  uint64_t h = 0xCBF29CE484222325u;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001B3u;
  return h ^ h >> 32;
}

/* The slot where the text is or would go; there is a free one. */
static uint32_t *slot_of(const nnb__names *names, const char *text, size_t n) {
  size_t i = (size_t)hash(text, n);
  for (;; i++) {
    uint32_t *slot = &names->slot[i & (names->n_slots - 1)];
    if (*slot == 0) return slot;
    const char *name = names->name[*slot - 1];
    if (strncmp(name, text, n) == 0 && name[n] == '\0') return slot;
  }
}

int64_t nnb__names_find(const nnb__names *names, const char *text, size_t n) {
  return names->n_slots ? (int64_t)*slot_of(names, text, n) - 1 : -1;
}

/* At most half of the slots are taken. */
static bool grow_slots(nnb__names *names) {
  if (names->n < names->n_slots / 2) return true;
  size_t n_slots = names->n_slots ? 2 * names->n_slots : 64;
  uint32_t *slot = nnb__zalloc(n_slots, sizeof *slot);
  if (!slot) return false;
  nnb__release(names->slot);
  names->slot = slot, names->n_slots = n_slots;
  for (size_t i = 0; i < names->n; i++) *slot_of(names, names->name[i], strlen(names->name[i])) = (uint32_t)(i + 1);
  return true;
}

int64_t nnb__names_add(nnb__names *names, const char *text, size_t n) {
  int64_t found = nnb__names_find(names, text, n);
  if (found >= 0) return found;
  if (names->n >= INT32_MAX || !grow_slots(names)) return -1;
  if (!nnb__grow(&names->name, &names->cap, names->n + 1, sizeof *names->name)) return -1;
  char *copy = nnb__alloc(n + 1, 1);
  if (!copy) return -1;
  memcpy(copy, text, n);
  copy[n] = '\0';
  names->name[names->n] = copy;
  *slot_of(names, text, n) = (uint32_t)(names->n + 1);
  return (int64_t)names->n++;
}

void nnb__names_clear(nnb__names *names) {
  for (size_t i = 0; i < names->n; i++) nnb__release(names->name[i]);
  nnb__release(names->name);
  nnb__release(names->slot);
  *names = (nnb__names){0};
}
