/* tests/rank_threads.h: ranks that are threads of the test: nnb_comm by barriers.  Sums are in the order of the ranks,
 * so that all get the same bits. */
#ifndef TEST_RANK_THREADS_H
#define TEST_RANK_THREADS_H

#include <pthread.h>

#include "toys.h"

enum { MOST_RANKS = 4, RANK_NUMBERS = 4096 };

typedef struct crew {
  int size;
  pthread_barrier_t together;
  void *place[MOST_RANKS]; /* the numbers of each rank */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  void *sent[MOST_RANKS][MOST_RANKS]; /* by a rank to another, or NULL */
} crew;

/* A rank, and what it does. */
typedef struct rank_thread {
  crew *crew;
  nnb_comm comm;
  pthread_t thread;
  double sum[RANK_NUMBERS];
  long calls, fail_at; /* call fail_at, from 1, fails on all ranks; 0: none does */
  void (*work)(struct rank_thread *r);
  void *context;
  /* for work to fill in */
  nnb_status status;
  char message[512];
  nnb_report report;
  uint64_t digest;
  real *params;
  size_t n_params;
} rank_thread;

static inline bool rank_fails(rank_thread *r) { return ++r->calls == r->fail_at; }

/* Part by part, in memory of the rank: adds a number of each place, of a size that `get` knows. */
#define RANK_SUM(type)                                                             \
  rank_thread *r = user;                                                           \
  crew *c = r->crew;                                                               \
  if (rank_fails(r)) return NNB_E_IO;                                              \
  c->place[r->comm.rank] = a;                                                      \
  pthread_barrier_wait(&c->together);                                              \
  for (size_t i = 0, k; i < n; i += k) {                                           \
    k = n - i < RANK_NUMBERS ? n - i : RANK_NUMBERS;                               \
    for (size_t j = 0; j < k; j++) {                                               \
      type sum = 0;                                                                \
      for (int q = 0; q < c->size; q++) sum += ((const type *)c->place[q])[i + j]; \
      r->sum[j] = (double)sum;                                                     \
    }                                                                              \
    pthread_barrier_wait(&c->together); /* all have read */                        \
    for (size_t j = 0; j < k; j++) a[i + j] = (type)r->sum[j];                     \
  }                                                                                \
  pthread_barrier_wait(&c->together);                                              \
  return NNB_OK

static inline nnb_status rank_sum(void *user, size_t n, double *a) { RANK_SUM(double); }
static inline nnb_status rank_sum_float(void *user, size_t n, float *a) { RANK_SUM(float); }

static inline nnb_status rank_broadcast(void *user, int root, size_t bytes, void *p) {
  rank_thread *r = user;
  crew *c = r->crew;
  if (rank_fails(r)) return NNB_E_IO;
  c->place[r->comm.rank] = p;
  pthread_barrier_wait(&c->together);
  if (r->comm.rank != root) memcpy(p, c->place[root], bytes);
  pthread_barrier_wait(&c->together);
  return NNB_OK;
}

/* There is a place for each pair of ranks; the sender waits until its numbers are taken. */
static inline nnb_status rank_transfer(void *user, int from, int to, size_t bytes, void *p) {
  rank_thread *r = user;
  crew *c = r->crew;
  void **sent = &c->sent[from][to];
  if (rank_fails(r)) return NNB_E_IO;
  pthread_mutex_lock(&c->lock);
  if (r->comm.rank == from) {
    *sent = p;
    pthread_cond_broadcast(&c->changed);
    while (*sent) pthread_cond_wait(&c->changed, &c->lock);
  } else {
    while (!*sent) pthread_cond_wait(&c->changed, &c->lock);
    memcpy(p, *sent, bytes);
    *sent = NULL;
    pthread_cond_broadcast(&c->changed);
  }
  pthread_mutex_unlock(&c->lock);
  return NNB_OK;
}

static inline void *rank_start(void *arg) {
  rank_thread *r = arg;
  r->work(r);
  snprintf(r->message, sizeof r->message, "%s", nnb_errmsg());
  return NULL;
}

/* Runs work on `size` ranks; ranks: that many. */
static inline void run_ranks(int size, rank_thread *ranks, void (*work)(rank_thread *), void *context) {
  crew c = {.size = size, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  ck_assert_int_eq(pthread_barrier_init(&c.together, NULL, (unsigned)size), 0);
  for (int q = 0; q < size; q++) {
    rank_thread *r = &ranks[q];
    r->crew = &c, r->work = work, r->context = context, r->calls = 0;
    r->comm = (nnb_comm){.rank = q,
                         .size = size,
                         .user = r,
                         .sum = rank_sum,
                         .sum_float = rank_sum_float,
                         .broadcast = rank_broadcast,
                         .transfer = rank_transfer};
  }
  for (int q = 0; q < size; q++) ck_assert_int_eq(pthread_create(&ranks[q].thread, NULL, rank_start, &ranks[q]), 0);
  for (int q = 0; q < size; q++) pthread_join(ranks[q].thread, NULL);
  pthread_barrier_destroy(&c.together);
}

/* After work: the parameters of a net, for the comparison, and a fingerprint of them. */
static inline void rank_keep(rank_thread *r, nnb_net *net) {
  r->n_params = nnb_net_n_params(net);
  r->params = malloc(r->n_params * sizeof *r->params);
  if (!r->params) abort();
  memcpy(r->params, nnb_net_params_read(net), r->n_params * sizeof *r->params);
  r->digest = toy_hash(1, r->params, r->n_params * sizeof *r->params);
}
static inline void release_ranks(int size, rank_thread *ranks) {
  for (int q = 0; q < size; q++) free(ranks[q].params), ranks[q].params = NULL;
}

#endif
