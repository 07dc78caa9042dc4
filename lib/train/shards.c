/* train/shards.c: see shards.h. */
#include "shards.h"

#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "status.h"

nnb_status nnb__shards_open(nnb__shards *s, nnb__comm *comm, int n, size_t n_params) {
  size_t numbers;
  *s = (nnb__shards){.tree = nnb__tree_of(comm, n), .n_params = n_params};
  if (!nnb__mul((size_t)s->tree.levels, n_params, &numbers))
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

static void run(void *context, int i, void *g) {
  task *t = context;
  const int S = t->s->tree.n, row0 = nnb__share(t->n_rows, i, S), n = nnb__share(t->n_rows, i + 1, S) - row0;
  nnb__loss_sum loss = {0};
  if (g && (n == 0 || t->status)) memset(g, 0, t->s->n_params * sizeof(real));
  if (n > 0 && !t->status) loss = t->shard(t->context, row0, n, g);
  if (!t->status) t->status = loss.status;
  t->s->loss[2 * i] = loss.mean, t->s->loss[2 * i + 1] = loss.sum;
  t->mine->mean += loss.mean, t->mine->sum += loss.sum;
}

static void add(void *context, void *to, void *upper) {
  const task *t = context;
  real *g = to;
  const real *more = upper;
  for (size_t i = 0; i < t->s->n_params; i++) g[i] += more[i];
}

nnb__loss_sum nnb__shards_sum(nnb__shards *s, int n_rows, nnb__shard_fn *shard, void *context, real *g,
                              nnb__loss_sum *mine) {
  const size_t n_losses = 2 * (size_t)s->tree.n;
  task t = {.s = s, .n_rows = n_rows, .shard = shard, .context = context, .mine = mine};
  const nnb__tree_sum sum = {s->n_params * sizeof *g, s->spare, &t, run, add};
  memset(s->loss, 0, n_losses * sizeof *s->loss);
  *mine = (nnb__loss_sum){0};
  nnb_status status = nnb__tree_add(&s->tree, &sum, g);
  if (!status) status = nnb__comm_add(s->tree.comm, t.status, n_losses, s->loss);
  nnb__tree_add_pairs(&s->tree, s->loss);
  return (nnb__loss_sum){.mean = s->loss[0], .sum = s->loss[1], .status = status};
}
