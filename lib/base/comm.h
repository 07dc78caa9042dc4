/* base/comm.h: the ranks that train together (nnb_comm): sums over them, agreement on errors.
 *
 * All ranks make the same calls in the same order.  NULL in place of an nnb__comm stands for one rank, where there is
 * nothing to do. */
#ifndef NNB__COMM_H
#define NNB__COMM_H

#include "nnblas/core.h"

typedef struct nnb__comm {
  nnb_comm calls;
  nnb_status broken; /* the error of a call, after which no more are made */
} nnb__comm;

/* NNB_E_ARG for a table that is not complete. */
nnb_status nnb__comm_open(nnb__comm *c, const nnb_comm *calls);

static inline int nnb__comm_rank(const nnb__comm *c) { return c ? c->calls.rank : 0; }
static inline int nnb__comm_size(const nnb__comm *c) { return c ? c->calls.size : 1; }

/* a ← Σ a over the ranks, n numbers */
nnb_status nnb__comm_sum(nnb__comm *c, size_t n, double *a);
nnb_status nnb__comm_sum_float(nnb__comm *c, size_t n, float *a);
/* The bytes at p ← those of the rank root. */
nnb_status nnb__comm_broadcast(nnb__comm *c, int root, size_t bytes, void *p);

/* Called by two ranks alone: the bytes at p on `to` ← those on `from`. */
nnb_status nnb__comm_transfer(nnb__comm *c, int from, int to, size_t bytes, void *p);

/* Each rank passes its own status.  NNB_OK if all of them did well.  Else, on all of them, the status of the first rank
 * that did not, and its message, with its number if there are several. */
nnb_status nnb__comm_agree(nnb__comm *c, nnb_status status);
/* The same together with a ← Σ a over n numbers.  a has room for one number more. */
nnb_status nnb__comm_add(nnb__comm *c, nnb_status status, size_t n, double *a);

/* Compares a text with that of rank 0, and agrees: NNB_E_ARG with both texts and `what` they are. */
nnb_status nnb__comm_same(nnb__comm *c, const char *what, const char *text);

#endif
