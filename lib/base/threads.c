/* base/threads.c: the number of threads: the one that was set, or the processors that the process may use. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "cgroup.h"
#include "status.h"

enum { MAX_THREADS = 1024 };

static atomic_int wanted; /* 0: all processors that the process may use */

/* The processors that this process may use. */
static int n_processors(void) {
  static atomic_int quota; /* read once; 0: not read yet */
  long n = 0;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n < 1) n = sysconf(_SC_NPROCESSORS_ONLN);
  int most = atomic_load_explicit(&quota, memory_order_relaxed);
  if (!most) atomic_store_explicit(&quota, most = nnb__cgroup_processors("", MAX_THREADS), memory_order_relaxed);
  return n < 1 ? 1 : n > most ? most : (int)n;
}

nnb_status nnb_set_threads(int n) {
  if (n < 0 || n > MAX_THREADS) return nnb__fail(NNB_E_ARG, "n is %d; wanted 0 to %d threads", n, (int)MAX_THREADS);
  atomic_store_explicit(&wanted, n, memory_order_relaxed);
  return NNB_OK;
}

int nnb_get_threads(void) {
  int n = atomic_load_explicit(&wanted, memory_order_relaxed);
  return n > 0 ? n : n_processors();
}
