/* base/tree.c: see tree.h. */
#include "tree.h"

nnb__tree nnb__tree_of(nnb__comm *comm, int n) {
  nnb__tree t = {.comm = comm, .n = n};
  while (1 << t.levels < n) t.levels++;
  return t;
}

/* The rank that has a range. */
static int owner(const nnb__tree *t, int i) { return nnb__part_with(t->n, i, nnb__comm_size(t->comm)); }

/* to, on the rank that has range `first` ← the sum of 2^level ranges. */
static nnb_status reduce(const nnb__tree *t, const nnb__tree_sum *sum, int first, int level, void *to) {
  const int half = 1 << level >> 1, rank = nnb__comm_rank(t->comm);
  const int lower = owner(t, first), upper = owner(t, first + half);
  if (owner(t, first) > rank || owner(t, first + (1 << level) - 1) < rank) return NNB_OK; /* none of them is here */
  if (level == 0) return sum->range(sum->context, first, to), NNB_OK;
  char *spare = to ? (char *)sum->spare + (size_t)(level - 1) * sum->bytes : NULL;
  nnb_status status = reduce(t, sum, first, level - 1, to);
  if (!status) status = reduce(t, sum, first + half, level - 1, spare);
  if (!to || status || (rank != lower && rank != upper)) return status;
  if (lower != upper) status = nnb__comm_transfer(t->comm, upper, lower, sum->bytes, spare);
  if (rank == lower && !status) sum->add(sum->context, to, spare);
  return status;
}

nnb_status nnb__tree_add(const nnb__tree *t, const nnb__tree_sum *sum, void *out) {
  const nnb_status status = reduce(t, sum, 0, t->levels, out);
  return status || !out ? status : nnb__comm_broadcast(t->comm, 0, sum->bytes, out);
}

static void reduce_pairs(double *pairs, int level) {
  double *upper = pairs + 2 * (1 << level >> 1);
  if (level == 0) return;
  reduce_pairs(pairs, level - 1);
  reduce_pairs(upper, level - 1);
  pairs[0] += upper[0], pairs[1] += upper[1];
}

void nnb__tree_add_pairs(const nnb__tree *t, double *pairs) { reduce_pairs(pairs, t->levels); }
