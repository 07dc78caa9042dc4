/* train/ranks.h: the ranks of a fit (.comm): who has which rows of an update, and sums over the ranks.
 *
 * Either all ranks have the same rows, and divide each update among themselves.  Or each has rows of its own
 * (.own_rows): then an epoch has as many updates as one rank with all rows would make, and each rank divides its rows
 * among them, so that all ranks make the same number of updates, whatever they have. */
#ifndef NNB__RANKS_H
#define NNB__RANKS_H

#include "comm.h"
#include "data.h"
#include "rows.h"
#include "shards.h"
#include "update.h"

typedef struct nnb__ranks {
  nnb__comm comm;
  bool own_rows;
  int n_rows, n_val;     /* of the training data and of the validation set, on all ranks together */
  double norm, val_norm; /* own_rows: Σ weight of the training data and of the validation set */
  double *rows;          /* own_rows: of each rank, and a number more */
  int updates;           /* own_rows: of an epoch */
  nnb_status late;       /* of what fetches this rank's rows of an update */
  nnb__shards shards;    /* .tree.n 0: none */
  double *weights;       /* own_rows: Σ weight of each update of this epoch, and a number more */
  size_t n_numbers;      /* of a gradient and what else is summed with it */
  real *numbers;         /* K-FAC: these: the gradient, and the means of the factors */
  double *packed;        /* few numbers: the same, losses and a status, for one sum of all */
} nnb__ranks;

/* A rank's part of some rows of all ranks. */
typedef struct nnb__slice {
  int row0, n; /* of this rank's rows, or of their order */
  int before;  /* rows on the ranks before */
  int all;     /* rows on all ranks */
} nnb__slice;

/* Counts the rows of all ranks, and their weights.  val may be NULL.  The same result on all ranks. */
nnb_status nnb__ranks_count(nnb__ranks *r, const nnb_data *train, const nnb_data *val);
/* Memory for updates: of a net of n_params parameters, by a method with n_means numbers in K-FAC's factors. */
nnb_status nnb__ranks_batches(nnb__ranks *r, int batch, int shards, size_t n_params, size_t n_means);
void nnb__ranks_close(nnb__ranks *r);

/* r NULL in the following: one rank. */

/* This rank's part of n rows that it has: all of its own, else its share, of whole shards if there are any. */
nnb__slice nnb__ranks_slice(const nnb__ranks *r, int n);
/* The most rows that it has in an update, or in a shard. */
int nnb__ranks_most(const nnb__ranks *r, int batch, int shards);
/* loss ← its sum over the ranks, and g ← that of the gradients (NULL: none), unless a rank has failed; see
 * nnb__comm_agree. */
nnb_status nnb__ranks_add(nnb__ranks *r, nnb_status status, double *loss, size_t n, real *g);

/* own_rows from a source: brings n rows of the rank's order from row0 on; u's rows, order and row0 ← where they are. */
typedef nnb_status nnb__fetch_fn(void *context, int row0, int n, nnb__update *u);
/* nnb__train_more by all ranks: an epoch over the n rows in this order (NULL: their own), or, with the same rows on all
 * ranks, a part of one.  fetch: NULL, or rows has the weights alone.  *total ← the same on all of them. */
nnb_status nnb__ranks_train(nnb__ranks *r, nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order,
                            int n, int batch, nnb_optim *optim, nnb__total *total, nnb__fetch_fn *fetch, void *context);

/* At the end of an epoch: agrees, and *seconds ← those of rank 0.  NNB_E_STATE unless all ranks have the same n
 * values. */
nnb_status nnb__ranks_end_epoch(nnb__ranks *r, nnb_status status, size_t n, const real *values, double *seconds);
/* *so ← whether it is so on any rank. */
nnb_status nnb__ranks_any(nnb__ranks *r, bool *so);

#endif
