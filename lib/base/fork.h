/* base/fork.h: the library's locks, and what else a fork of the process must not cut in two.  One handler of
 * pthread_atfork holds all of it while the process forks, so that the child finds every lock free. */
#ifndef NNB__FORK_H
#define NNB__FORK_H

/* All locks, in the order in which a thread that holds one may take others: only later ones (asserted).  The team's
 * threads sleep on mutexes of their own, which base/team.c makes anew in a child. */
typedef enum nnb__lock {
  NNB__LOCK_SEAL,  /* nets get their parameters                          */
  NNB__LOCK_BLAS,  /* the BLAS's thread count and its work buffers       */
  NNB__LOCK_HOLDS, /* nnb__hold_all: whoever waits until it is over      */
  NNB__N_LOCKS
} nnb__lock;

void nnb__lock_take(nnb__lock lock);
void nnb__lock_give(nnb__lock lock);

/* Between the two no other thread forks the process: its fork() waits.  For calls of other libraries that take locks of
 * their own: a product of matrices, a header of JSON.  They do not nest, and no lock is taken between them. */
void nnb__hold_forks(void);
void nnb__allow_forks(void);

/* Waits until no other thread is between nnb__hold_forks and nnb__allow_forks; until nnb__allow_all none gets in. */
void nnb__hold_all(void);
void nnb__allow_all(void);

/* fn runs in every child, on its only thread, when all locks are free.  For constructors; eight functions at most. */
void nnb__in_child(void (*fn)(void));

#endif
