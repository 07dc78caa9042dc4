/* base/threads.c: the one knob for the number of threads. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "status.h"

enum { MAX_THREADS = 1024 };

static atomic_int wanted; /* 0: as many as the process may run on */

/* Processors this process may run on. */
static int n_processors(void) {
  long n = 0;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n < 1) n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

nnb_status nnb_set_threads(int n) {
  if (n < 0 || n > MAX_THREADS)
    return nnb__fail(NNB_E_ARG, "the number of threads is 0 to %d, not %d", (int)MAX_THREADS, n);
  atomic_store_explicit(&wanted, n, memory_order_relaxed);
  return NNB_OK;
}

int nnb_get_threads(void) {
  int n = atomic_load_explicit(&wanted, memory_order_relaxed);
  return n > 0 ? n : n_processors();
}
