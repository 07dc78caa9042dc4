/* base/alloc.h: all memory of the library. */
#ifndef NNB__ALLOC_H
#define NNB__ALLOC_H

#include "nnblas/core.h"

/* NULL when out of memory or when n·size overflows.  n or size 0: a pointer that may be released.  Not zeroed. */
void *nnb__alloc(size_t n, size_t size);
/* The same, zeroed. */
void *nnb__zalloc(size_t n, size_t size);
/* Grows an array of *capacity elements to hold at least n, at least doubling; on failure (false) nothing changes. */
bool nnb__grow(void *array_address, size_t *capacity, size_t n, size_t size);
/* A copy of a string; NULL for NULL or out of memory. */
char *nnb__strdup(const char *text);
/* A copy of n elements of size bytes; NULL when out of memory. */
void *nnb__memdup(const void *p, size_t n, size_t size);
/* NULL is accepted. */
void nnb__release(void *p);

/* n·size into *out, or false. */
bool nnb__mul(size_t n, size_t size, size_t *out);

#endif
