/* num/blas_threads.c: one thread for the BLAS while the library computes. */
#include "blas_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "openblas.h"

/* inside goes from 0 to 1 and from 1 to 0 under the lock only, together with the BLAS's count; between other values it
 * moves without the lock.  Whoever reads a positive value (acquire) finds the BLAS's count at 1. */
static atomic_int inside;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int outer; /* the count to restore; under the lock */

static void take(void) { pthread_mutex_lock(&lock); }
static void give(void) { pthread_mutex_unlock(&lock); }

/* A child must not inherit the lock held by a thread that it does not have.  Threads of the parent that were
 * inside stay counted in the child: its BLAS then keeps to one thread, which is harmless. */
__attribute__((constructor)) static void prepare_for_fork(void) { pthread_atfork(take, give, give); }

/* OpenMP's count belongs to the whole program, so it is not ours to set. */
static bool ours_to_set(void) {
  return openblas_get_parallel && openblas_get_num_threads && openblas_set_num_threads && openblas_get_parallel() == 1;
}

/* inside ← inside + step, unless inside is at the value that is left under the lock only. */
static bool moved(int step, int at_lock) {
  int n = atomic_load_explicit(&inside, memory_order_acquire);
  while (n > at_lock)
    if (atomic_compare_exchange_weak_explicit(&inside, &n, n + step, memory_order_acq_rel, memory_order_acquire))
      return true;
  return false;
}

void nnb__blas_enter(void) {
  if (!ours_to_set() || moved(1, 0)) return;
  take();
  if (atomic_load_explicit(&inside, memory_order_relaxed) == 0) {
    outer = openblas_get_num_threads();
    if (outer > 1) openblas_set_num_threads(1);
  }
  atomic_fetch_add_explicit(&inside, 1, memory_order_acq_rel);
  give();
}

void nnb__blas_leave(void) {
  if (!ours_to_set() || moved(-1, 1)) return;
  take();
  if (atomic_fetch_sub_explicit(&inside, 1, memory_order_acq_rel) == 1 && outer > 1) openblas_set_num_threads(outer);
  give();
}

int nnb__blas_outer_threads(void) {
  if (!openblas_get_num_threads) return 1;
  take();
  int n = atomic_load_explicit(&inside, memory_order_acquire) ? outer : openblas_get_num_threads();
  give();
  return n;
}
