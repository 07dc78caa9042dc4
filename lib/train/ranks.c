/* train/ranks.c: see ranks.h. */
#include "ranks.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "blas_threads.h"
#include "curved.h"
#include "ints.h"
#include "kfac.h"
#include "status.h"

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* own_rows: rows[q] ← the rows of rank q. */
static nnb_status count_each(nnb__ranks *r, int mine) {
  const int size = r->comm.calls.size;
  double all = 0;
  r->rows = nnb__zalloc((size_t)size + 1, sizeof *r->rows);
  nnb_status status = nnb__comm_agree(&r->comm, r->rows ? NNB_OK : nnb__fail_nomem("the ranks of a fit"));
  if (status) return status;
  r->rows[r->comm.calls.rank] = mine;
  if ((status = nnb__comm_sum(&r->comm, (size_t)size, r->rows))) return status;
  for (int q = 0; q < size; q++) all += r->rows[q];
  if (all < 1) return nnb__fail(NNB_E_ARG, "no rank has rows to train on");
  if (all > INT_MAX)
    return nnb__fail(NNB_E_OVERFLOW, "the ranks have %.0f rows together; wanted at most %d", all, INT_MAX);
  r->n_rows = (int)all;
  return NNB_OK;
}

static double weight_of(const nnb_data *data) {
  if (!data) return 0;
  const nnb_batch all = nnb__data_outline(data);
  return nnb__sum_weights(&all, NULL, 0, all.x.rows);
}

static nnb_status check_weights(double sum, const char *what) {
  const nnb_status status = nnb__check_weight_sum(sum);
  return status ? nnb__fail(status, "the %s data of all ranks: %s", what, nnb_errmsg()) : NNB_OK;
}

nnb_status nnb__ranks_count(nnb__ranks *r, const nnb_data *train, const nnb_data *val) {
  double sum[3] = {weight_of(train), weight_of(val), nnb_data_rows(val)};
  r->n_rows = nnb_data_rows(train), r->n_val = nnb_data_rows(val);
  if (!r->own_rows) return NNB_OK;
  nnb_status status = count_each(r, nnb_data_rows(train));
  if (!status) status = nnb__comm_sum(&r->comm, 3, sum);
  r->norm = sum[0], r->val_norm = sum[1], r->n_val = sum[2] < INT_MAX ? (int)sum[2] : INT_MAX;
  if (!status) status = check_weights(r->norm, "training");
  return status || !val ? status : check_weights(r->val_norm, "validation");
}

nnb_status nnb__ranks_batches(nnb__ranks *r, int batch, int shards, size_t n_params, size_t n_means) {
  enum { FEW = 512 }; /* 4 KiB, up to which MPI sends at once */
  r->updates = (r->n_rows - 1) / batch + 1;
  r->n_numbers = n_params + n_means;
  if (n_means > 0) r->numbers = nnb__alloc(r->n_numbers, sizeof *r->numbers);
  if (n_means > 0 && !r->numbers) return nnb__fail_nomem("the factors of a fit by ranks");
  if (shards > 0) return nnb__shards_open(&r->shards, &r->comm, shards, r->n_numbers);
  if (r->n_numbers <= FEW) r->packed = nnb__alloc(r->n_numbers + 3, sizeof *r->packed);
  if (r->own_rows) r->weights = nnb__zalloc((size_t)r->updates + 1, sizeof *r->weights);
  const bool enough = (r->packed || r->n_numbers > FEW) && (r->weights || !r->own_rows);
  return enough ? NNB_OK : nnb__fail_nomem("the ranks of a fit");
}

void nnb__ranks_close(nnb__ranks *r) {
  nnb__release(r->rows);
  nnb__release(r->weights);
  nnb__release(r->numbers);
  nnb__release(r->packed);
  nnb__shards_close(&r->shards);
}

nnb__slice nnb__ranks_slice(const nnb__ranks *r, int n) {
  nnb__slice s = {.n = n, .all = n};
  if (!r) return s;
  const nnb__tree *t = &r->shards.tree;
  const int rank = r->comm.calls.rank, size = r->comm.calls.size;
  if (r->own_rows) return s;
  const bool in_shards = t->n > 0;
  const int parts = in_shards ? t->n : size;
  s.row0 = s.before = nnb__share(n, in_shards ? nnb__tree_first(t) : rank, parts);
  s.n = nnb__share(n, in_shards ? nnb__tree_end(t) : rank + 1, parts) - s.row0;
  return s;
}

/* own_rows: the rows of rank q in update k. */
static int rows_in(const nnb__ranks *r, int q, int k) {
  const int n = (int)r->rows[q];
  return nnb__share(n, k + 1, r->updates) - nnb__share(n, k, r->updates);
}

static nnb__slice own_part(const nnb__ranks *r, int k) {
  const int rank = r->comm.calls.rank;
  nnb__slice s = {.row0 = nnb__share((int)r->rows[rank], k, r->updates), .n = rows_in(r, rank, k)};
  for (int q = 0; q < r->comm.calls.size; q++) {
    if (q < rank) s.before += rows_in(r, q, k);
    s.all += rows_in(r, q, k);
  }
  return s;
}

/* *s ← this rank's part of update k of n rows in batches; false: there is no such update. */
static bool part_of(const nnb__ranks *r, int n, int batch, int k, nnb__slice *s) {
  if (r->own_rows) {
    if (k >= r->updates) return false;
    *s = own_part(r, k);
    return true;
  }
  if (k > (n - 1) / batch) return false;
  const int row0 = k * batch;
  *s = nnb__ranks_slice(r, nnb__chunk(n, row0, batch));
  s->row0 += row0;
  return true;
}

int nnb__ranks_most(const nnb__ranks *r, int batch, int shards) {
  if (!r) return batch;
  if (shards > 0) return (batch - 1) / shards + 1; /* whatever the number of ranks is */
  const int n = r->own_rows ? (int)r->rows[r->comm.calls.rank] : batch;
  const int parts = r->own_rows ? (r->n_rows - 1) / batch + 1 : r->comm.calls.size;
  return n > 0 ? (n - 1) / parts + 1 : 1;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static nnb_status sum_reals(nnb__comm *c, size_t n, real *a) {
#ifdef NNB_SINGLE
  return nnb__comm_sum_float(c, n, a);
#else
  return nnb__comm_sum(c, n, a);
#endif
}

/* A status, n sums of losses and a gradient of n_g numbers in one call, as doubles: few numbers take the time of a
 * message and hardly more. */
static nnb_status add_packed(nnb__ranks *r, nnb_status status, size_t n, double *loss, size_t n_g, real *g) {
  double *all = r->packed;
  memcpy(all, loss, n * sizeof *all);
  for (size_t i = 0; i < n_g; i++) all[n + i] = (double)g[i];
  status = nnb__comm_add(&r->comm, status, n + n_g, all);
  memcpy(loss, all, n * sizeof *all);
  for (size_t i = 0; i < n_g && !status; i++) g[i] = (real)all[n + i];
  return status;
}

/* loss has room for one number more. */
static nnb_status add(nnb__ranks *r, nnb_status status, size_t n, double *loss, size_t n_g, real *g) {
  if (g && r->packed) return add_packed(r, status, n, loss, n_g, g);
  status = nnb__comm_add(&r->comm, status, n, loss);
  return status || !g ? status : sum_reals(&r->comm, n_g, g);
}

nnb_status nnb__ranks_add(nnb__ranks *r, nnb_status status, double *loss, size_t n, real *g) {
  double sum[2] = {*loss};
  if (!r) return status;
  status = add(r, status, 1, sum, n, g);
  *loss = sum[0];
  return status;
}

/* FNV-1a of Fowler, Noll and Vo, by words. */
static uint64_t hash_of(size_t n, const real *values) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < n; i++) {
    uint64_t word = 0;
    memcpy(&word, values + i, sizeof *values);
    hash = (hash ^ word ^ word >> 32) * 0x100000001B3u;
  }
  return hash;
}

/* If all have the same number, it is the mean. */
nnb_status nnb__ranks_end_epoch(nnb__ranks *r, nnb_status status, size_t n, const real *values, double *seconds) {
  if (!r) return status;
  const uint64_t hash = hash_of(n, values);
  const double half[2] = {(double)(hash >> 32), (double)(hash & 0xFFFFFFFFu)}, size = r->comm.calls.size;
  double sum[4] = {half[0], half[1], r->comm.calls.rank == 0 ? *seconds : 0};
  if ((status = nnb__comm_add(&r->comm, status, 3, sum))) return status;
  *seconds = sum[2];
  if (sum[0] == size * half[0] && sum[1] == size * half[1]) return NNB_OK;
  return nnb__fail(NNB_E_STATE, "the ranks have different parameters; wanted the same computation on all of them");
}

nnb_status nnb__ranks_any(nnb__ranks *r, bool *so) {
  double sum = *so;
  if (!r) return NNB_OK;
  const nnb_status status = nnb__comm_sum(&r->comm, 1, &sum);
  *so = sum > 0;
  return status;
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

/* The loss of some rows of an update, and in g their gradient, with what else belongs to it; g NULL: the loss alone. */
typedef nnb__loss_sum part_fn(const nnb__update *u, real *g);

static nnb__loss_sum run_part(const nnb__update *u, real *g) {
  nnb__target target = {.dst = g, .alpha = 1};
  return nnb__update_run(u, g ? NNB__LOSS | NNB__BACK : NNB__LOSS, g ? &target : NULL, NULL, NULL);
}

static nnb__loss_sum run_curved(const nnb__update *u, real *g) {
  return g ? nnb__curved_gather(u, g) : run_part(u, NULL);
}

/* Those of all ranks, n numbers.  *mine ← the loss of this rank's. */
static nnb__loss_sum sum_parts(nnb__ranks *r, const nnb__update *u, part_fn *part, size_t n, real *g,
                               nnb__loss_sum *mine) {
  *mine = (nnb__loss_sum){.status = r->late};
  if (u->n > 0 && !r->late)
    *mine = part(u, g);
  else if (g)
    memset(g, 0, n * sizeof *g);
  double loss[3] = {mine->mean, mine->sum};
  const nnb_status status = add(r, mine->status, 2, loss, n, g);
  return (nnb__loss_sum){.mean = loss[0], .sum = loss[1], .status = status};
}

typedef struct whole_update {
  const nnb__update *u; /* from its first row on */
  part_fn *part;
} whole_update;

/* The same for a range of the update's rows. */
static nnb__loss_sum run_shard(void *context, int row0, int n, real *g) {
  const whole_update *whole = context;
  nnb__update u = *whole->u;
  u.row0 += row0, u.first = row0, u.n = n;
  return whole->part(&u, g);
}

static nnb__loss_sum sum_all(nnb__ranks *r, const nnb__update *u, int all, part_fn *part, size_t n, real *g,
                             nnb__loss_sum *mine) {
  if (r->shards.tree.n == 0) return sum_parts(r, u, part, n, g, mine);
  nnb__update whole = *u;
  whole.row0 -= u->first;
  return nnb__shards_sum(&r->shards, all, run_shard, &(whole_update){&whole, part}, g, mine);
}

/* The rows whose scores the plan has: with shards those of the last one, which are the same for any number of ranks. */
static nnb__update looked_at(const nnb__ranks *r, const nnb__update *u, int all) {
  nnb__update last = *u;
  if (r->shards.tree.n == 0) return last;
  last.first = nnb__share(all, r->shards.tree.n - 1, r->shards.tree.n), last.n = all - last.first;
  last.row0 = u->row0 - u->first + last.first;
  if (r->comm.calls.rank < r->comm.calls.size - 1) last.n = 0;
  return last;
}

static nnb_status sum_curvature(nnb__ranks *r, const nnb__update *u, int all) {
  const nnb__update last = looked_at(r, u, all);
  double *c = u->optim->kfac->curvature, sum[4] = {0};
  if (last.n > 0) sum[3] = nnb__curved_look(&last, 1);
  for (int i = 0; i < 3; i++) sum[i] = c[i] * sum[3];
  const nnb_status status = nnb__comm_sum(&r->comm, 4, sum);
  for (int i = 0; i < 3; i++) c[i] = sum[3] > 0 ? sum[i] * u->norm / sum[3] : 0;
  return status;
}

static nnb__loss_sum update_curved(nnb__ranks *r, const nnb__update *u, int all, nnb__loss_sum *mine) {
  nnb__kfac_begin(u->optim);
  nnb__loss_sum before = sum_all(r, u, all, run_curved, r->n_numbers, r->numbers, mine), after;
  if (before.status) return before;
  nnb__curved_propose(u, all, r->numbers);
  if ((before.status = sum_curvature(r, u, all))) return before;
  const double value = nnb__loss_value(before, u->norm);
  if (!nnb__curved_step(u)) return nnb__curved_finish(u, NULL, value), before;
  after = sum_all(r, u, all, run_curved, 0, NULL, &(nnb__loss_sum){0});
  if ((before.status = after.status)) return before;
  nnb__curved_finish(u, &(double){nnb__loss_value(after, u->norm)}, value);
  return before;
}

static nnb__loss_sum update_plain(nnb__ranks *r, const nnb__update *u, int all, nnb__loss_sum *mine) {
  const nnb_net *net = u->net;
  nnb_optim *optim = u->optim;
  const nnb__loss_sum sum = sum_all(r, u, all, run_part, net->n_params, optim->g, mine);
  if (!sum.status) nnb__optim_step(optim, net->blocks, net->n_blocks, net->params, optim->g);
  return sum;
}

/* One update of `all` rows by the gradient of all ranks; returns the loss before it.  *mine ← that of this rank's
 * rows. */
static nnb__loss_sum update(nnb__ranks *r, const nnb__update *u, int all, double *mine) {
  nnb__loss_sum part;
  u->optim->threads = u->plan->threads;
  nnb__optim_begin(u->optim);
  const nnb__loss_sum sum = (u->optim->kfac ? update_curved : update_plain)(r, u, all, &part);
  *mine = nnb__loss_value(part, u->norm);
  return sum;
}

/* The loss is not finite: the first rank whose own part of it is not says so, or else all of them. */
static nnb_status explain_loss(nnb__ranks *r, double mine, double value, const nnb_batch *rows) {
  const nnb_status status = nnb__comm_agree(&r->comm, isfinite(mine) ? NNB_OK : nnb__fail_loss(mine, rows));
  return status ? status : nnb__fail_loss(value, rows);
}

/* own_rows: the weights of the updates of an epoch. */
static nnb_status weigh(nnb__ranks *r, nnb_status status, const nnb_batch *rows, const int32_t *order) {
  if (!r->own_rows) return nnb__comm_agree(&r->comm, status);
  for (int k = 0; k < r->updates; k++) {
    const nnb__slice s = own_part(r, k);
    r->weights[k] = nnb__sum_weights(rows, order, s.row0, s.n);
  }
  return nnb__comm_add(&r->comm, status, (size_t)r->updates, r->weights);
}

static nnb_status make_updates(nnb__ranks *r, nnb__update *u, int n, int batch, nnb__total *total, nnb__fetch_fn *fetch,
                               void *context) {
  nnb__slice s;
  double mine = 0;
  const int before = u->before;
  for (int k = 0; isfinite(total->value) && part_of(r, n, batch, k, &s); k++) {
    u->row0 = s.row0, u->n = s.n, u->first = s.before;
    u->norm = r->own_rows ? r->weights[k] : nnb__sum_weights(u->rows, u->order, s.row0 - s.before, s.all);
    if (fetch) r->late = fetch(context, s.row0, s.n, u);
    u->before = before + s.row0 - u->row0;
    const nnb__loss_sum loss = update(r, u, s.all, &mine);
    if (loss.status) return loss.status;
    total->value = nnb__loss_value(loss, u->norm);
    total->sum.mean += loss.mean, total->sum.sum += loss.sum;
    total->weight += u->norm, total->rows += s.all, total->updates++;
  }
  return isfinite(total->value) ? NNB_OK : explain_loss(r, mine, total->value, u->rows);
}

nnb_status nnb__ranks_train(nnb__ranks *r, nnb_net *net, nnb_plan *plan, const nnb_batch *rows, const int32_t *order,
                            int n, int batch, nnb_optim *optim, nnb__total *total, nnb__fetch_fn *fetch,
                            void *context) {
  nnb__update u = {.net = net, .plan = plan, .rows = rows, .order = order, .optim = optim, .before = (int)total->rows};
  for (int q = 0; r->own_rows && q < r->comm.calls.rank; q++) u.before += (int)r->rows[q];
  const nnb_status entered = nnb__blas_enter();
  nnb_status status = weigh(r, entered, rows, order);
  if (!status) status = make_updates(r, &u, n, batch, total, fetch, context);
  if (!entered) nnb__blas_leave();
  return status;
}
