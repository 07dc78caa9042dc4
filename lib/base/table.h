/* base/table.h: numbered texts, in the order of insertion: a hash table with a random key for each process, so that
 * nobody can choose texts that collide. */
#ifndef NNB__TABLE_H
#define NNB__TABLE_H

#include "nnblas/core.h"

typedef struct nnb__table {
  char **text; /* n strings, from nnb__alloc; a string does not move until the table is cleared */
  size_t n, cap;
  uint32_t *slot; /* n_slots entries, a power of two or 0: the number of a text + 1, or 0 */
  size_t n_slots;
} nnb__table;

/* The number of a text (n bytes without NUL), or -1. */
int64_t nnb__table_find(const nnb__table *table, const char *text, size_t n);
/* Adds a copy of a text; its number is table->n before the call.  -1 if out of memory, if the text exists already, or
 * beyond INT32_MAX texts; nothing has changed then. */
int64_t nnb__table_add(nnb__table *table, const char *text, size_t n);
void nnb__table_clear(nnb__table *table);

/* SipHash-2-4 of n bytes under a key of 128 bits. */
uint64_t nnb__siphash(const void *p, size_t n, const uint64_t key[2]);

#endif
