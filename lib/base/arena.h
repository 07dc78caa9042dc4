/* base/arena.h: many arrays in one block of memory.  The same code runs twice: with base NULL it measures, with memory
 * it hands out the arrays. */
#ifndef NNB__ARENA_H
#define NNB__ARENA_H

#include "nnblas/core.h"

enum { NNB__ALIGN = 64 }; /* a cache line, and the widest vector */

typedef struct nnb__arena {
  char *base;    /* NULL: measure; aligned to NNB__ALIGN */
  size_t used;   /* after the measuring pass: the bytes needed */
  bool overflow; /* a size did not fit into size_t */
} nnb__arena;

/* The first byte from p on that is aligned to NNB__ALIGN.  The memory needs NNB__ALIGN spare bytes. */
static inline void *nnb__align(void *p) { return (char *)p + (NNB__ALIGN - (uintptr_t)p % NNB__ALIGN) % NNB__ALIGN; }

/* n elements of size bytes, aligned to NNB__ALIGN; NULL while measuring. */
void *nnb__arena_take(nnb__arena *arena, size_t n, size_t size);

#endif
