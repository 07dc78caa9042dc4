/* train/shards.c: see shards.h. */
#include "shards.h"

#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "ints.h"
#include "status.h"
#include "view.h"

nnb_status nnb__shards_open(nnb__shards *s, nnb__comm *comm, int n, size_t n_params) {
  size_t numbers;
  *s = (nnb__shards){.comm = comm, .n = n, .n_params = n_params};
  while (1 << s->levels < n) s->levels++;
  if (!nnb__mul((size_t)s->levels, n_params, &numbers))
    return nnb__fail(NNB_E_OVERFLOW, "%d shards of %zu parameters are too many", n, n_params);
  s->spare = nnb__alloc(numbers, sizeof *s->spare);
  s->loss = nnb__alloc(2 * (size_t)n + 1, sizeof *s->loss);
  return s->spare && s->loss ? NNB_OK : nnb__fail_nomem("the shards of a fit");
}

void nnb__shards_close(nnb__shards *s) {
  nnb__release(s->spare);
  nnb__release(s->loss);
}

typedef struct task {
  nnb__shards *s;
  int n_rows;
  nnb__shard_fn *shard;
  void *context;
  nnb_status status; /* the first error of this rank: nothing is computed after it, but it still takes part */
  nnb__loss_sum *mine;
} task;

/* The rank that has a range: the last q with share(q) ≤ i. */
static int owner(const nnb__shards *s, int i) { return (int)((((int64_t)i + 1) * nnb__comm_size(s->comm) - 1) / s->n); }

static bool owns(const nnb__shards *s, int i) { return owner(s, i) == nnb__comm_rank(s->comm); }

/* Whether this rank has any of these ranges. */
static bool takes_part(const nnb__shards *s, int first, int n) {
  const int rank = nnb__comm_rank(s->comm);
  return owner(s, first) <= rank && rank <= owner(s, first + n - 1);
}

static void run(task *t, int i, real *g) {
  const int row0 = nnb__share(t->n_rows, i, t->s->n), n = nnb__share(t->n_rows, i + 1, t->s->n) - row0;
  nnb__loss_sum loss = {0};
  if (g && (n == 0 || t->status)) memset(g, 0, t->s->n_params * sizeof *g);
  if (n > 0 && !t->status) loss = t->shard(t->context, row0, n, g);
  if (!t->status) t->status = loss.status;
  t->s->loss[2 * i] = loss.mean, t->s->loss[2 * i + 1] = loss.sum;
  t->mine->mean += loss.mean, t->mine->sum += loss.sum;
}

/* g, on the rank that has range `first` ← the gradient of 2^level ranges. */
static nnb_status reduce(task *t, int first, int level, real *g) {
  nnb__shards *s = t->s;
  const int half = 1 << level >> 1, rank = nnb__comm_rank(s->comm);
  if (level == 0) {
    if (owns(s, first)) run(t, first, g);
    return NNB_OK;
  }
  if (!takes_part(s, first, 2 * half)) return NNB_OK;
  real *upper = g ? s->spare + (size_t)(level - 1) * s->n_params : NULL;
  nnb_status status = reduce(t, first, level - 1, g);
  if (!status) status = reduce(t, first + half, level - 1, upper);
  const int to = owner(s, first), from = owner(s, first + half);
  if (!g || status || (rank != to && rank != from)) return status;
  if (to != from) status = nnb__comm_transfer(s->comm, from, to, s->n_params * sizeof *g, upper);
  for (size_t i = 0; rank == to && !status && i < s->n_params; i++) g[i] += upper[i];
  return status;
}

/* loss[0], loss[1] ← the sums of 2^level pairs, in the same order. */
static void reduce_losses(double *loss, int level) {
  if (level == 0) return;
  double *upper = loss + 2 * (1 << level >> 1);
  reduce_losses(loss, level - 1);
  reduce_losses(upper, level - 1);
  loss[0] += upper[0], loss[1] += upper[1];
}

nnb__loss_sum nnb__shards_sum(nnb__shards *s, int n_rows, nnb__shard_fn *shard, void *context, real *g,
                              nnb__loss_sum *mine) {
  task t = {.s = s, .n_rows = n_rows, .shard = shard, .context = context, .mine = mine};
  memset(s->loss, 0, 2 * (size_t)s->n * sizeof *s->loss);
  *mine = (nnb__loss_sum){0};
  nnb_status status = reduce(&t, 0, s->levels, g);
  if (!status) status = nnb__comm_add(s->comm, t.status, 2 * (size_t)s->n, s->loss);
  if (!status && g) status = nnb__comm_broadcast(s->comm, 0, s->n_params * sizeof *g, g);
  reduce_losses(s->loss, s->levels);
  return (nnb__loss_sum){.mean = s->loss[0], .sum = s->loss[1], .status = status};
}
