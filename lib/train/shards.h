/* train/shards.h: losses and gradients of equal ranges of rows (.shards), added in one order (base/tree.h). */
#ifndef NNB__SHARDS_H
#define NNB__SHARDS_H

#include "job.h"
#include "tree.h"

typedef struct nnb__shards {
  nnb__tree tree; /* .n 0: no shards */
  size_t n_params;
  real *spare;  /* levels×n_params: gradients of upper ranges */
  double *loss; /* S×2 and a number more: mean and sum of each range */
} nnb__shards;

/* The loss of n rows from row0 on, and their gradient in g, unless that is NULL. */
typedef nnb__loss_sum nnb__shard_fn(void *context, int row0, int n, real *g);

/* NNB_E_NOMEM, NNB_E_OVERFLOW. */
nnb_status nnb__shards_open(nnb__shards *s, nnb__comm *comm, int n, size_t n_params);
void nnb__shards_close(nnb__shards *s);

/* The loss of n_rows rows by all ranks, and their gradient in g (NULL: none), from what shard gives for the ranges of
 * this rank.  *mine ← the loss of these.  An error of one rank is one of all. */
nnb__loss_sum nnb__shards_sum(nnb__shards *s, int n_rows, nnb__shard_fn *shard, void *context, real *g,
                              nnb__loss_sum *mine);

#endif
