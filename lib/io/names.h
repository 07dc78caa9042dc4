/* io/names.h: texts and the order in which they first came. */
#ifndef NNB__NAMES_H
#define NNB__NAMES_H

#include "nnblas/core.h"

typedef struct nnb__names {
  char **name; /* n strings, from nnb__alloc */
  size_t n, cap;
  uint32_t *slot; /* n_slots, a power of two: the number of a name + 1, or 0 */
  size_t n_slots;
} nnb__names;

/* The number of a text (n bytes without a NUL), or -1. */
int64_t nnb__names_find(const nnb__names *names, const char *text, size_t n);
/* The same; it is added if it is new.  -1 when out of memory, or beyond INT32_MAX names. */
int64_t nnb__names_add(nnb__names *names, const char *text, size_t n);
void nnb__names_clear(nnb__names *names);

#endif
