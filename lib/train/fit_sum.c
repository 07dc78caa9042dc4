/* train/fit_sum.c: the sums of a fit over its ranks. */
#include "fit.h"

typedef struct nnb__fit fit;

nnb__comm *nnb__fit_comm(const fit *f) { return f->ranks ? &f->ranks->comm : NULL; }

nnb_status nnb__fit_add(fit *f, nnb_status status, double *loss, size_t n, real *g) {
  if (!f->ranks) return status;
  status = nnb__ranks_add(f->ranks, f->broken ? f->broken : status, loss, n, g);
  f->broken = status == NNB_E_NUMERIC ? NNB_OK : status;
  return status;
}

typedef struct task {
  fit *f;
  nnb__rows_fn *rows;
} task;

static nnb__loss_sum run_shard(void *context, int row0, int n, real *g) {
  const task *t = context;
  nnb__loss_sum loss = {0};
  const nnb_status status = t->rows(t->f, row0, n, &loss.sum, g);
  loss.status = t->f->broken ? t->f->broken : status;
  return loss;
}

static nnb_status sum_shards(fit *f, int n, nnb__rows_fn *rows, double *loss, real *g) {
  nnb__loss_sum mine;
  const nnb__loss_sum sum = nnb__shards_sum(&f->ranks->shards, n, run_shard, &(task){f, rows}, g, &mine);
  f->broken = sum.status == NNB_E_NUMERIC ? NNB_OK : sum.status;
  *loss = sum.sum;
  return sum.status;
}

nnb_status nnb__fit_sum(fit *f, int n, nnb__rows_fn *rows, double *loss, real *g) {
  const nnb__slice s = nnb__ranks_slice(f->ranks, n);
  if (f->ranks && f->ranks->shards.tree.n > 0) return sum_shards(f, n, rows, loss, g);
  return nnb__fit_add(f, rows(f, s.row0, s.n, loss, g), loss, f->net->n_params, g);
}
