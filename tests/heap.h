/* tests/heap.h: an allocator for nnb_set_allocator that counts, and fails on request. */
#ifndef TEST_HEAP_H
#define TEST_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Installs it with all counts at 0; restores malloc and free. */
void heap_install(void);
void heap_remove(void);

/* From now on allocation number k (1, 2, …) fails, and with `all` every later one too; 0: none. */
void heap_fail_at(long k, bool all);
bool heap_has_failed(void);

long heap_allocs(void); /* successful allocations */
long heap_live(void);   /* blocks not yet released */
/* The maximum of bytes in use at once since heap_install or heap_reset_peak. */
size_t heap_peak(void);
void heap_reset_peak(void);

#endif
