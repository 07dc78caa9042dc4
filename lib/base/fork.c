/* base/fork.c: what the library does when the process forks. */
#include "fork.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { N_SLOTS = 64, MAX_FORK_CALLS = 8 };

static pthread_mutex_t mutexes[NNB__N_LOCKS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                                PTHREAD_MUTEX_INITIALIZER};
static _Thread_local unsigned held;    /* bit i: this thread holds lock i                          */
static _Thread_local unsigned by_fork; /* the locks among them that were taken for a fork          */

/* The number of threads that hold off forks, spread over a few cache lines so that threads do not slow each other
 * down. */
static struct slot { alignas(64) atomic_int n; } slots[N_SLOTS];
static atomic_uint n_given; /* slots */
static _Thread_local struct slot *slot;
static _Thread_local int holding; /* this thread's contribution to slot->n */
static atomic_bool all_held;

static void (*in_child[MAX_FORK_CALLS])(void);
static int n_in_child;

void nnb__lock_take(nnb__lock lock) {
  assert(held >> lock == 0 && !holding);
  pthread_mutex_lock(&mutexes[lock]);
  held |= 1u << lock;
}

void nnb__lock_give(nnb__lock lock) {
  held &= ~(1u << lock);
  pthread_mutex_unlock(&mutexes[lock]);
}

/* Either the forking thread sees the count, or this thread sees that all are held: both accesses are sequentially
 * consistent. */
void nnb__hold_forks(void) {
  assert(!holding);
  if (!slot) slot = &slots[atomic_fetch_add(&n_given, 1) % N_SLOTS];
  for (;;) {
    atomic_fetch_add(&slot->n, 1);
    if (!atomic_load(&all_held)) break;
    atomic_fetch_sub(&slot->n, 1);
    nnb__lock_take(NNB__LOCK_HOLDS); /* until nnb__allow_all */
    nnb__lock_give(NNB__LOCK_HOLDS);
  }
  holding = 1;
}

void nnb__allow_forks(void) {
  holding = 0;
  atomic_fetch_sub_explicit(&slot->n, 1, memory_order_release);
}

/* The caller has NNB__LOCK_HOLDS. */
static void close_slots(void) {
  atomic_store(&all_held, true);
  for (int i = 0; i < N_SLOTS; i++)
    while (atomic_load(&slots[i].n) > (slot == &slots[i] ? holding : 0)) sched_yield();
}

void nnb__hold_all(void) {
  nnb__lock_take(NNB__LOCK_HOLDS);
  close_slots();
}

void nnb__allow_all(void) {
  atomic_store(&all_held, false);
  nnb__lock_give(NNB__LOCK_HOLDS);
}

void nnb__in_child(void (*fn)(void)) {
  assert(n_in_child < MAX_FORK_CALLS);
  in_child[n_in_child++] = fn;
}

/* ---- the handlers ------------------------------------------------------------------------------------------------ */

/* A thread that forks in a callback may hold a lock itself; the child's thread then holds it too. */
static void before_fork(void) {
  for (int i = 0; i < NNB__N_LOCKS; i++) {
    if (held >> i & 1u) continue;
    pthread_mutex_lock(&mutexes[i]);
    by_fork |= 1u << i;
  }
  close_slots();
}

static void after_fork(void) {
  atomic_store(&all_held, false);
  for (int i = NNB__N_LOCKS - 1; i >= 0; i--)
    if (by_fork >> i & 1u) pthread_mutex_unlock(&mutexes[i]);
  by_fork = 0;
}

static void after_fork_in_child(void) {
  after_fork();
  for (int i = 0; i < n_in_child; i++) in_child[i]();
}

__attribute__((constructor)) static void at_load(void) { pthread_atfork(before_fork, after_fork, after_fork_in_child); }
