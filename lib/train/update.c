/* train/update.c: takes the rows of an update through the net in chunks, whose losses and gradients add up. */
#include "update.h"

#include "ints.h"
#include "status.h"

int nnb__update_chunks(const nnb__update *u) { return (u->n - 1) / u->plan->max_rows + 1; }

nnb_status nnb__check_chunks(const nnb_net *net, int n, int chunk) {
  if (net->coupling == 0 || n <= chunk) return NNB_OK;
  return nnb__fail(
      NNB_E_UNSUPPORTED,
      "the layer %s couples the rows of an update, and %d row(s) would go through in chunks of %d; wanted a "
      "batch of at most %d, or a chunk (max_rows of a plan) of %d",
      net->nodes[net->coupling - 1].name, n, chunk, chunk, n);
}

/* The first row of a chunk; chunks are whole groups of the plan. */
static int start_of(const nnb__update *u, int c) {
  const int group = u->plan->group;
  const int64_t row = (int64_t)group * nnb__share((u->n - 1) / group + 1, c, nnb__update_chunks(u));
  return row < u->n ? (int)row : u->n;
}

nnb__job nnb__update_job(const nnb__update *u, int c, unsigned what, const nnb__target *target) {
  const int first = start_of(u, c), end = start_of(u, c + 1);
  return (nnb__job){
      .batch = u->rows,
      .order = u->order,
      .row0 = u->row0 + first,
      .before = u->before,
      .rows = end - first,
      .norm = u->norm,
      .what = what,
      .target = target,
      .run = {.training = true, .seed = u->optim->seed, .update = u->optim->updates, .row0 = u->first + first}};
}

nnb__loss_sum nnb__update_run(const nnb__update *u, unsigned what, nnb__target *target, nnb__chunk_fn *visit,
                              void *context) {
  nnb__loss_sum sum = {0};
  for (int c = 0; c < nnb__update_chunks(u); c++) {
    nnb__job job = nnb__update_job(u, c, what, target);
    job.before_loss = sum;
    sum = nnb__plan_run(u->plan, &job);
    if (target) target->beta = target->beta_bias = 1; /* the next chunk adds */
    if (visit) visit(u, &job, context);
  }
  return sum;
}
