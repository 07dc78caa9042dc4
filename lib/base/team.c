/* base/team.c: fork and join with threads that wait for work, first spinning, then asleep.
 *
 * Each thread has a seat.  Apart from the job, caller and thread share only the state of the seat:
 *
 *     IDLE ──caller──▶ OPEN ──thread──▶ RUNNING ──thread──▶ IDLE
 *                      OPEN ──caller, who runs the part itself──▶ IDLE
 *     IDLE ──thread, after spinning──▶ ASLEEP ──caller──▶ OPEN, and wakes it
 *     RUNNING ──caller, after spinning──▶ AWAITED ──thread──▶ IDLE, and wakes the caller
 *
 * Only the one that takes a seat out of OPEN reads the job, and the job changes only while no seat is OPEN or RUNNING.
 * The caller takes parts that no thread has started, so it never waits for a thread that has no processor to run on.
 *
 * A thread that finds itself on the caller's processor moves to another one.  The scheduler often wakes a thread there,
 * and leaves it: then the two take turns, and the thread spins while the caller is the one that has work. */
#define _GNU_SOURCE /* sched_getcpu */
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "exact.h"
#include "fork.h"

enum { MAX_SEATS = 1023 }; /* nnb_set_threads allows 1024 with the caller */
enum { IDLE, OPEN, RUNNING, ASLEEP, AWAITED, QUIT };

/* The time to spin.  The parts of one training step follow each other within some microseconds; waking a sleeping
 * thread costs 5 to 50. */
enum { SPIN_NS = 50000, PAUSES_PER_ROUND = 32 };

typedef struct seat {
  alignas(64) atomic_int state; /* on a cache line that no other thread writes */
  pthread_mutex_t lock;         /* only for sleeping */
  pthread_cond_t wake;
  pthread_t thread;
} seat;

static seat seats[MAX_SEATS]; /* seat i runs part i + 1 */
static atomic_bool busy;      /* a caller runs or changes the team */
static atomic_int n_seats;    /* seats with a thread; changed only under busy, as are all below */
static bool short_of_threads; /* the system gave fewer threads than requested: runs do not try again, prepare does */
static pid_t owner;           /* the process that the threads belong to */
static struct {
  nnb__part_fn fn;
  void *context;
  bool exact;
} job;

static atomic_int caller_processor = -1; /* where the last job was given out; -1: unknown */

_Thread_local bool nnb__exact_here;

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* ---- processors ------------------------------------------------------------------------------------------------- */

#ifdef __linux__
static int processor(void) { return sched_getcpu(); }

/* Moves the calling thread to another of the processors that it may run on, if there are others: by forbidding this
 * one and allowing it again. */
static void leave(int here) {
  cpu_set_t allowed, others;
  if (here >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  others = allowed;
  CPU_CLR((size_t)here, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
    sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
static int processor(void) { return -1; }
static void leave(int here) { (void)here; }
#endif

static void leave_the_caller(void) {
  int caller = atomic_load_explicit(&caller_processor, memory_order_relaxed);
  if (caller >= 0 && processor() == caller) leave(caller);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static long long now_ns(void) { return (long long)(1e9 * nnb__now()); }

/* Acquires also if the state is not `from`: the caller then continues with data that the other thread wrote before. */
static bool change(seat *s, int from, int to) {
  return atomic_compare_exchange_strong_explicit(&s->state, &from, to, memory_order_acq_rel, memory_order_acquire);
}

/* Waits for a state other than the given one: first spinning, then sleeping, with the seat in state `asleep`. */
static void wait_while(seat *s, int state, int asleep) {
  long long now = 0, end = 0; /* the clock is read only after the first round, which is often enough */
  do {
    for (int i = 0; i < PAUSES_PER_ROUND; i++) {
      if (atomic_load_explicit(&s->state, memory_order_acquire) != state) return;
      relax();
    }
    if (asleep == ASLEEP) leave_the_caller(); /* a thread of the team, not the caller */
    now = now_ns();
    if (!end) end = now + SPIN_NS;
  } while (now < end);
  if (!change(s, state, asleep)) return;
  pthread_mutex_lock(&s->lock);
  while (atomic_load_explicit(&s->state, memory_order_acquire) == asleep) pthread_cond_wait(&s->wake, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

/* Sets the state, and wakes the thread that sleeps in state `asleep`, if any. */
static void set_and_wake(seat *s, int to, int asleep) {
  if (atomic_exchange_explicit(&s->state, to, memory_order_acq_rel) != asleep) return;
  pthread_mutex_lock(&s->lock); /* the sleeper is now in cond_wait, or has not yet read the state */
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

static void *work(void *arg) {
  seat *s = arg;
  int part = (int)(s - seats) + 1;
  for (;;) {
    wait_while(s, IDLE, ASLEEP);
    if (change(s, OPEN, RUNNING)) {
      leave_the_caller();
      nnb__exact_set(job.exact);
      job.fn(job.context, part);
      set_and_wake(s, IDLE, AWAITED);
    } else if (atomic_load_explicit(&s->state, memory_order_acquire) == QUIT) {
      return NULL;
    }
  }
}

/* ---- starting and ending ---------------------------------------------------------------------------------------- */

/* A child has only the calling thread: forget the team. */
static void forget(void) {
  n_seats = 0;
  short_of_threads = false;
  atomic_store_explicit(&busy, false, memory_order_release);
}

__attribute__((constructor)) static void at_load(void) { nnb__in_child(forget); }

static bool take_team(void) { return !atomic_exchange_explicit(&busy, true, memory_order_acquire); }
static void give_team(void) { atomic_store_explicit(&busy, false, memory_order_release); }

bool nnb__start_thread(pthread_t *thread, void *(*fn)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
  bool started = pthread_create(thread, NULL, fn, argument) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

/* The seat may be in any state: in a child, as the parent's threads left it. */
static bool take_seat(seat *s) {
  atomic_store_explicit(&s->state, IDLE, memory_order_relaxed);
  if (pthread_mutex_init(&s->lock, NULL) != 0) return false;
  if (pthread_cond_init(&s->wake, NULL) != 0) return pthread_mutex_destroy(&s->lock), false;
  if (nnb__start_thread(&s->thread, work, s)) return true;
  pthread_cond_destroy(&s->wake);
  pthread_mutex_destroy(&s->lock);
  return false;
}

static void grow(int n) {
  if (n > MAX_SEATS) n = MAX_SEATS;
  if (n_seats >= n) return;
  owner = getpid();
  while (n_seats < n && take_seat(&seats[n_seats])) atomic_fetch_add(&n_seats, 1);
  short_of_threads = n_seats < n;
}

/* At exit, or when the library is unloaded.  If the team is busy, for another thread or for the one that exits, its
 * threads are not ended, because waiting for them could take forever.  The team stays taken, so later runs do not use
 * it. */
__attribute__((destructor)) static void dismiss(void) {
  if (!take_team() || owner != getpid()) return;
  for (int i = 0; i < n_seats; i++) set_and_wake(&seats[i], QUIT, ASLEEP);
  for (int i = 0; i < n_seats; i++) {
    pthread_join(seats[i].thread, NULL);
    pthread_cond_destroy(&seats[i].wake);
    pthread_mutex_destroy(&seats[i].lock);
  }
  n_seats = 0;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static void run_all(int from, int parts, nnb__part_fn fn, void *context) {
  for (int part = from; part < parts; part++) fn(context, part);
}

/* Runs the parts of the first n seats: opens all seats, runs the caller's part and those without a seat, then those
 * that no thread has started. */
static void run_shared(int n, int parts, nnb__part_fn fn, void *context) {
  job.fn = fn, job.context = context, job.exact = nnb__exact();
  atomic_store_explicit(&caller_processor, processor(), memory_order_relaxed);
  for (int i = 0; i < n; i++) set_and_wake(&seats[i], OPEN, ASLEEP);
  fn(context, 0);
  run_all(n + 1, parts, fn, context);
  for (int i = 0; i < n; i++)
    if (change(&seats[i], OPEN, IDLE)) fn(context, i + 1);
  for (int i = 0; i < n; i++)
    if (atomic_load_explicit(&seats[i].state, memory_order_acquire) == RUNNING) wait_while(&seats[i], RUNNING, AWAITED);
}

void nnb__team_run(int parts, nnb__part_fn fn, void *context) {
  if (parts < 2 || !take_team()) {
    run_all(0, parts, fn, context);
    return;
  }
  if (!short_of_threads) grow(parts - 1);
  run_shared(n_seats < parts - 1 ? n_seats : parts - 1, parts, fn, context);
  give_team();
}

typedef struct job_list {
  int jobs, threads;
  nnb__part_fn fn;
  void *context;
} job_list;

static void run_share_of_jobs(void *context, int part) {
  const job_list *list = context;
  for (int64_t i = part; i < list->jobs; i += list->threads) list->fn(list->context, (int)i);
}

void nnb__team_run_jobs(int jobs, int threads, nnb__part_fn fn, void *context) {
  job_list list = {.jobs = jobs, .threads = threads < jobs ? threads : jobs, .fn = fn, .context = context};
  nnb__team_run(list.threads, run_share_of_jobs, &list);
}

void nnb__team_prepare(int parts) {
  if (parts < 2 || !take_team()) return;
  grow(parts - 1);
  give_team();
}

int nnb__team_size(void) { return atomic_load_explicit(&n_seats, memory_order_relaxed); }
