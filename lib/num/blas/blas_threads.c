/* num/blas/blas_threads.c: limits the BLAS to one thread while the library computes, and makes sure that there is a
 * work buffer for each calling thread. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "blas_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "clock.h"
#include "fork.h"
#include "openblas.h"
#include "status.h"
#include "team.h"

/* inside changes between 0 and 1 only under the lock, together with the BLAS's count; other values change without the
 * lock.  A thread that reads a positive value (acquire) finds the BLAS's count at 1. */
static atomic_int inside;
static _Thread_local int depth; /* nested calls of this thread, which count once in inside */
static int outer;               /* the count to restore; under the lock */

/* The thread that requests a work buffer of OpenBLAS, see below. */
static atomic_int request;
enum { NO_REQUEST, OPEN, ANSWERED, ABANDONED };

/* OpenMP's count belongs to the whole program, so the library does not change it. */
static bool ours_to_set(void) {
  return openblas_get_parallel && openblas_get_num_threads && openblas_set_num_threads && openblas_get_parallel() == 1;
}

/* After a fork OpenBLAS has no threads until it needs some.  openblas_set_num_threads would start them at once, and end
 * the process if it cannot.  So the variable with the same number is set instead. */
static void set_count(int n) {
  if (&blas_cpu_number)
    blas_cpu_number = n;
  else
    openblas_set_num_threads(n);
}

/* inside ← inside + step without the lock.  False if inside is at_lock, a value that changes only under the lock. */
static bool moved(int step, int at_lock) {
  int n = atomic_load_explicit(&inside, memory_order_acquire);
  while (n > at_lock)
    if (atomic_compare_exchange_weak_explicit(&inside, &n, n + step, memory_order_acq_rel, memory_order_acquire))
      return true;
  return false;
}

static void count_in(void) {
  if (moved(1, 0)) return;
  nnb__lock_take(NNB__LOCK_BLAS);
  if (atomic_load_explicit(&inside, memory_order_relaxed) == 0 && ours_to_set()) {
    outer = openblas_get_num_threads();
    if (outer > 1) set_count(1);
  }
  atomic_fetch_add_explicit(&inside, 1, memory_order_acq_rel);
  nnb__lock_give(NNB__LOCK_BLAS);
}

static void restore(void) {
  if (outer > 1) set_count(outer);
}

static void count_out(void) {
  if (moved(-1, 1)) return;
  nnb__lock_take(NNB__LOCK_BLAS);
  if (atomic_fetch_sub_explicit(&inside, 1, memory_order_acq_rel) == 1) restore();
  nnb__lock_give(NNB__LOCK_BLAS);
}

/* A child has only the thread that forked, of all that were inside. */
static void leave_behind(void) {
  int before = atomic_exchange(&inside, depth > 0);
  atomic_store(&request, NO_REQUEST);
  if (before > 0 && depth == 0) restore();
}

__attribute__((constructor)) static void at_load(void) { nnb__in_child(leave_behind); }

int nnb__blas_outer_threads(void) {
  if (!openblas_get_num_threads) return 1;
  nnb__lock_take(NNB__LOCK_BLAS);
  int n = ours_to_set() && atomic_load_explicit(&inside, memory_order_acquire) ? outer : openblas_get_num_threads();
  nnb__lock_give(NNB__LOCK_BLAS);
  return n;
}

/* ---- work buffers ------------------------------------------------------------------------------------------------ */

/* OpenBLAS computes a product in a work buffer from its own list.  When more threads than ever before are in a product,
 * it extends the list by mmap.  If the address space is exhausted, it retries forever.  So the list is extended here
 * first, where a failure can be reported.  Another thread may take the space between the check and OpenBLAS's request;
 * therefore a thread of its own makes the request, and the caller waits for it a limited time only. */
enum {
  MOST_BUFFERS = 48, /* OpenBLAS's list has at least 50 places; more threads than this are not covered */
  BUFFER_MIB = 128,  /* 32 << 22 bytes, its largest; older versions and some processors have less */
  SPARE_MIB = 72,    /* for what other threads map in the meantime: one of malloc's arenas has 64 */
  PATIENCE_S = 2     /* a request takes microseconds */
};
static atomic_int n_buffers; /* lower bound of the list's length; grows only under the lock */
static void *granted;        /* the answer to a request */

static bool fits_one_more(void) {
  const size_t bytes = (size_t)(BUFFER_MIB + SPARE_MIB) << 20;
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p != MAP_FAILED && munmap(p, bytes) == 0;
}

static void *answer(void *unused) {
  int expected = OPEN;
  void *buffer = granted = blas_memory_alloc(0);
  if (!atomic_compare_exchange_strong(&request, &expected, ANSWERED)) { /* it is abandoned */
    blas_memory_free(buffer);
    atomic_store(&request, NO_REQUEST);
  }
  return unused;
}

/* A buffer by a new thread; NULL if it has none in time.  The thread of an abandoned request goes on until the process
 * has the space again. */
static void *request_buffer(void) {
  pthread_t thread;
  int expected = OPEN;
  if (atomic_load(&request) != NO_REQUEST || !fits_one_more()) return NULL;
  atomic_store(&request, OPEN);
  if (!nnb__start_thread(&thread, answer, NULL)) {
    atomic_store(&request, NO_REQUEST);
    return blas_memory_alloc(0);
  }
  for (double end = nnb__now() + PATIENCE_S; atomic_load(&request) == OPEN && nnb__now() < end;)
    nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
  if (atomic_compare_exchange_strong(&request, &expected, ABANDONED)) {
    pthread_detach(thread);
    return NULL;
  }
  pthread_join(thread, NULL);
  atomic_store(&request, NO_REQUEST);
  return granted;
}

/* Takes n buffers at once, so the list has that many, and gives them back.  False if n were not available. */
static bool lengthen(int n) {
  void *taken[MOST_BUFFERS];
  int k = 0, present = atomic_load(&n_buffers);
  nnb__hold_all(); /* a buffer in use cannot be taken, and another would be mapped */
  while (k < n && (taken[k] = k < present ? blas_memory_alloc(0) : request_buffer())) k++;
  for (int i = 0; i < k; i++) blas_memory_free(taken[i]);
  nnb__allow_all();
  return k == n;
}

static nnb_status provide_buffers(int n) {
  if (!blas_memory_alloc || !blas_memory_free) return NNB_OK;
  if (n > MOST_BUFFERS) n = MOST_BUFFERS;
  if (n <= atomic_load_explicit(&n_buffers, memory_order_acquire)) return NNB_OK;
  nnb__lock_take(NNB__LOCK_BLAS);
  bool enough = n <= atomic_load(&n_buffers) || lengthen(n);
  if (enough && n > atomic_load(&n_buffers)) atomic_store_explicit(&n_buffers, n, memory_order_release);
  nnb__lock_give(NNB__LOCK_BLAS);
  if (enough) return NNB_OK;
  return nnb__fail(NNB_E_NOMEM,
                   "out of memory: OpenBLAS needs %d MiB of address space for each of %d running thread(s)",
                   (int)BUFFER_MIB, n);
}

nnb_status nnb__blas_enter(void) {
  if (depth == 0) {
    count_in();
    nnb_status status = provide_buffers(atomic_load_explicit(&inside, memory_order_relaxed) + nnb__team_size());
    if (status) return count_out(), status;
  }
  depth++;
  return NNB_OK;
}

void nnb__blas_leave(void) {
  if (--depth == 0) count_out();
}
