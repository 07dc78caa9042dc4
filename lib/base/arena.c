/* base/arena.c */
#include "arena.h"

#include "alloc.h"

void *nnb__arena_take(nnb__arena *arena, size_t n, size_t size) {
  size_t bytes, at = arena->used;
  if (arena->overflow || !nnb__mul(n, size, &bytes) || bytes > (size_t)PTRDIFF_MAX - NNB__ALIGN - at) {
    arena->overflow = true;
    return NULL;
  }
  arena->used = at + (bytes + NNB__ALIGN - 1) / NNB__ALIGN * NNB__ALIGN;
  return arena->base ? arena->base + at : NULL;
}
