#include "heap.h"

#include <nnblas.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { HEAD = 16 }; /* before each block: its size */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  long allocs, live, fail_at, seen;
  bool fail_all, failed;
  size_t bytes, peak;
} heap;

static bool must_fail(void) {
  heap.seen++;
  bool fail = heap.fail_at > 0 && (heap.seen == heap.fail_at || (heap.fail_all && heap.seen > heap.fail_at));
  heap.failed |= fail;
  return fail;
}

static void *take(void *user, size_t bytes) {
  (void)user;
  char *p = NULL;
  pthread_mutex_lock(&lock);
  if (!must_fail() && bytes <= SIZE_MAX - HEAD) p = malloc(bytes + HEAD);
  if (p) {
    heap.allocs++, heap.live++, heap.bytes += bytes;
    if (heap.bytes > heap.peak) heap.peak = heap.bytes;
  }
  pthread_mutex_unlock(&lock);
  if (!p) return NULL;
  *(size_t *)(void *)p = bytes;
  return p + HEAD;
}

static void give(void *user, void *p) {
  (void)user;
  if (!p) return;
  char *block = (char *)p - HEAD;
  pthread_mutex_lock(&lock);
  heap.live--, heap.bytes -= *(size_t *)(void *)block;
  pthread_mutex_unlock(&lock);
  free(block);
}

void heap_install(void) {
  heap.allocs = heap.live = heap.fail_at = heap.seen = 0;
  heap.bytes = heap.peak = 0, heap.fail_all = heap.failed = false;
  nnb_set_allocator(&(nnb_allocator){take, give, NULL});
}

void heap_remove(void) { nnb_set_allocator(NULL); }

void heap_fail_at(long k, bool all) { heap.fail_at = k, heap.fail_all = all, heap.seen = 0, heap.failed = false; }

bool heap_has_failed(void) { return heap.failed; }

long heap_allocs(void) { return heap.allocs; }

long heap_live(void) { return heap.live; }

size_t heap_peak(void) { return heap.peak; }

void heap_reset_peak(void) { heap.peak = heap.bytes; }
