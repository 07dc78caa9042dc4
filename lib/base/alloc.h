/* base/alloc.h: all memory of the library. */
#ifndef NNB__ALLOC_H
#define NNB__ALLOC_H

#include "nnblas/core.h"

/* n elements of size bytes, not zeroed; NULL if out of memory or if n·size overflows.  With n or size 0: a pointer that
 * may be released. */
void *nnb__alloc(size_t n, size_t size);
/* The same, zeroed. */
void *nnb__zalloc(size_t n, size_t size);
/* Grows an array of *capacity elements to at least n, at least doubling it.  false: out of memory, nothing has
 * changed. */
bool nnb__grow(void *array_address, size_t *capacity, size_t n, size_t size);
/* A copy of a string; NULL for NULL or out of memory. */
char *nnb__strdup(const char *text);
/* A copy of n elements of size bytes; NULL if out of memory. */
void *nnb__memdup(const void *p, size_t n, size_t size);
/* NULL is accepted. */
void nnb__release(void *p);

/* *out ← n·size; false if it overflows. */
bool nnb__mul(size_t n, size_t size, size_t *out);

#endif
