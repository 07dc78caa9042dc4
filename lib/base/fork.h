/* base/fork.h: the library's locks, and other sections that a fork must not interrupt.  One handler of pthread_atfork
 * takes all locks while the process forks, so the child finds every lock free. */
#ifndef NNB__FORK_H
#define NNB__FORK_H

/* All locks, in their order: a thread that holds one may take only later ones (asserted).  The team's threads sleep on
 * mutexes of their own, which base/team.c initialises again in a child. */
typedef enum nnb__lock {
  NNB__LOCK_SEAL,  /* allocation of a net's parameters                   */
  NNB__LOCK_BLAS,  /* the BLAS's thread count and its work buffers       */
  NNB__LOCK_HOLDS, /* nnb__hold_all: threads wait for it to end          */
  NNB__N_LOCKS
} nnb__lock;

void nnb__lock_take(nnb__lock lock);
void nnb__lock_give(nnb__lock lock);

/* Between these two calls no other thread forks the process: its fork() waits.  Used around calls of other libraries
 * that take their own locks (matrix products, JSON).  The calls do not nest, and no lock is taken between them. */
void nnb__hold_forks(void);
void nnb__allow_forks(void);

/* Waits until no other thread is between nnb__hold_forks and nnb__allow_forks, and lets none enter until
 * nnb__allow_all. */
void nnb__hold_all(void);
void nnb__allow_all(void);

/* fn runs in every child, on its only thread, when all locks are free.  For constructors; at most eight functions. */
void nnb__in_child(void (*fn)(void));

#endif
