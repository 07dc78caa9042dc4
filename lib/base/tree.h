/* base/tree.h: sums over equal ranges of rows in one order, whatever the number of ranks (.shards): a binary tree, the
 * lower range first.  Not typed: compiled once. */
#ifndef NNB__TREE_H
#define NNB__TREE_H

#include "comm.h"
#include "ints.h"

/* The S = 2^levels ranges, of which a rank has its share. */
typedef struct nnb__tree {
  nnb__comm *comm;
  int n, levels; /* S; 0: no ranges */
} nnb__tree;

nnb__tree nnb__tree_of(nnb__comm *comm, int n);

/* The first range of this rank; and where its ranges end. */
static inline int nnb__tree_first(const nnb__tree *t) {
  return nnb__share(t->n, nnb__comm_rank(t->comm), nnb__comm_size(t->comm));
}
static inline int nnb__tree_end(const nnb__tree *t) {
  return nnb__share(t->n, nnb__comm_rank(t->comm) + 1, nnb__comm_size(t->comm));
}

/* What is added up. */
typedef struct nnb__tree_sum {
  size_t bytes;
  void *spare; /* levels·bytes */
  void *context;
  void (*range)(void *context, int i, void *out);    /* out ← what range i has; a failure is the context's affair */
  void (*add)(void *context, void *to, void *upper); /* to ← to + upper, which is free then */
} nnb__tree_sum;

/* out ← the sum, on all ranks.  out NULL: range is called for each range of this rank, with NULL, and that is all. */
nnb_status nnb__tree_add(const nnb__tree *t, const nnb__tree_sum *sum, void *out);
/* The sum of S pairs that this rank has all of, in the same order; they are used up. */
void nnb__tree_add_pairs(const nnb__tree *t, double *pairs);

#endif
