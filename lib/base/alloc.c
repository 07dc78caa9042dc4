/* base/alloc.c: the replaceable allocator. */
#define _DEFAULT_SOURCE /* madvise */
#include "alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

/* Large blocks use huge pages if the system gives them on request: the first pass over them then has fewer page faults.
 * Only whole pages inside the block are requested, so no additional memory is used. */
static void *large_alloc(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, HUGE_PAGE, bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* optional: a failure is harmless */
#endif
  return p;
}

static void *system_alloc(void *user, size_t bytes) {
  (void)user;
  return bytes < LARGE ? malloc(bytes) : large_alloc(bytes);
}

static void system_release(void *user, void *p) {
  (void)user;
  free(p);
}

static const nnb_allocator system_allocator = {system_alloc, system_release, NULL};
static nnb_allocator current = {system_alloc, system_release, NULL};

void nnb_set_allocator(const nnb_allocator *allocator) {
  if (allocator && (!allocator->alloc || !allocator->release)) return;
  current = allocator ? *allocator : system_allocator;
}

bool nnb__mul(size_t n, size_t size, size_t *out) { return !__builtin_mul_overflow(n, size, out); }

void *nnb__alloc(size_t n, size_t size) {
  size_t bytes;
  if (!nnb__mul(n, size, &bytes) || bytes > PTRDIFF_MAX) return NULL;
  return current.alloc(current.user, bytes ? bytes : 1);
}

void *nnb__zalloc(size_t n, size_t size) {
  void *p = nnb__alloc(n, size);
  if (p) memset(p, 0, n * size);
  return p;
}

bool nnb__grow(void *array_address, size_t *capacity, size_t n, size_t size) {
  if (n <= *capacity) return true;
  size_t more = *capacity > SIZE_MAX / 2 ? n : 2 * *capacity;
  if (more < n) more = n;
  if (more < 8) more = 8;
  void *old, *fresh = nnb__alloc(more, size);
  if (!fresh) return false;
  memcpy(&old, array_address, sizeof old); /* the caller's pointer may have any type */
  if (*capacity) memcpy(fresh, old, *capacity * size);
  nnb__release(old);
  memcpy(array_address, &fresh, sizeof fresh);
  *capacity = more;
  return true;
}

void *nnb__memdup(const void *p, size_t n, size_t size) {
  void *copy = nnb__alloc(n, size);
  if (copy && n && size) memcpy(copy, p, n * size);
  return copy;
}

char *nnb__strdup(const char *text) {
  if (!text) return NULL;
  size_t bytes = strlen(text) + 1;
  char *copy = nnb__alloc(bytes, 1);
  if (copy) memcpy(copy, text, bytes);
  return copy;
}

void nnb__release(void *p) {
  if (p) current.release(current.user, p);
}

void nnb_free(void *p) { nnb__release(p); }
