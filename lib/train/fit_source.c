/* train/fit_source.c: an epoch of mini-batches whose rows come from a source.  Rows are read into a window, block by
 * block of the epoch's order; whole batches of them are trained, and the rest is kept for the next block.  The updates
 * are those of data in memory.  Ranks that have rows of their own make the same number of updates, each with rows of
 * its own source: there each update fetches its rows. */
#include "alloc.h"
#include "fit.h"
#include "ints.h"
#include "match.h"
#include "plan.h"
#include "status.h"
#include "update.h"

enum { FEW = 1024 }; /* rows at a time where neither batch nor block is larger */

static bool is_own(const nnb__fit *f) { return f->ranks && f->ranks->own_rows; }

/* The most rows of this rank in an update. */
static int batch_rows(const nnb__fit *f) {
  return is_own(f) ? nnb__ranks_most(f->ranks, f->opts.batch, 0) : f->opts.batch;
}

/* Rows that are read by one call: all, if they make one batch; those of a block; or 0: in no fixed unit. */
static int unit_rows(const nnb__fit *f) {
  const int N = f->rows.x.rows;
  if (batch_rows(f) >= N) return N;
  return f->order && f->opts.block < N ? f->opts.block : 0;
}

/* Without a unit a window is a number of whole batches. */
static int window_rows(const nnb__fit *f) {
  const int unit = unit_rows(f), batch = batch_rows(f);
  return unit > 0 ? unit : batch >= FEW ? batch : FEW / batch * batch;
}

nnb_status nnb__fit_open_source(nnb__fit *f) {
  const int unit = unit_rows(f), rows = window_rows(f);
  f->spare = (unit > 0 && unit < f->rows.x.rows) || (unit == 0 && is_own(f)) ? batch_rows(f) : 0;
  if (rows > INT32_MAX - f->spare)
    return nnb__fail(NNB_E_OVERFLOW, "a batch of %d and a block of %d rows are too many", f->spare, rows);
  nnb_status status = nnb__window_open(&f->window, f->train, f->spare + rows);
  if (status) return status;
  f->local = nnb__alloc((size_t)(f->spare + rows), sizeof *f->local);
  return f->local ? NNB_OK : nnb__fail_nomem("a fit");
}

static nnb_status read_checked(nnb__fit *f, int place, int row0, int n) {
  nnb_status status = nnb__window_read(&f->window, place, row0, n);
  const nnb_batch came = nnb__window_batch(&f->window, place, n);
  return status ? status : nnb__check_fetched(f->net, &came, row0);
}

/* Rows in any order: one call for neighbours that follow each other. */
static nnb_status read_singly(nnb__fit *f, int at, int n, int32_t *local) {
  nnb_status status = NNB_OK;
  for (int i = 0, k; i < n && !status; i += k) {
    const int row = f->order ? f->order[at + i] : at + i;
    for (k = 1; i + k < n && (!f->order || f->order[at + i + k] == row + k);) k++;
    for (int j = 0; j < k; j++) local[i + j] = f->spare + i + j;
    status = read_checked(f, f->spare + i, row, k);
  }
  return status;
}

/* Rows that make no whole batch yet go to the first places. */
static int keep_rest(nnb__fit *f, int used, int have) {
  for (int i = used; i < have; i++) {
    const int place = i - used;
    if (f->local[i] != place) nnb__window_copy(&f->window, f->local[i], place);
    f->local[place] = place;
  }
  return have - used;
}

/* A part of the epoch's order that is read together: n rows from `at` on; first: the smallest of them, if they are one
 * block. */
typedef struct part {
  int at, n, first;
} part;

static part part_at(const nnb__fit *f, int at) {
  const int N = f->rows.x.rows, unit = unit_rows(f);
  const int first = unit > 0 && f->order && at < N ? f->order[at] / unit * unit : at;
  return (part){at, nnb__smaller(window_rows(f), unit > 0 ? N - first : N - at), first};
}

/* One call reads the whole part. */
static bool is_together(const nnb__fit *f) { return unit_rows(f) > 0 || !f->order; }

static nnb_status read_block(nnb__fit *f, const part *p, int32_t *local) {
  for (int i = 0; i < p->n; i++) local[i] = f->spare + (f->order ? f->order[p->at + i] - p->first : i);
  return read_checked(f, f->spare, p->first, p->n);
}

/* The rows at the first `used` places. */
static nnb_status train_some(nnb__fit *f, const nnb_batch *rows, int used, nnb__total *total) {
  const int batch = f->opts.batch;
  if (!f->ranks) return nnb__train_more(f->net, f->plan, rows, f->local, used, batch, f->optim, total);
  return nnb__ranks_train(f->ranks, f->net, f->plan, rows, f->local, used, batch, f->optim, total, NULL, NULL);
}

static nnb_status read_part(nnb__fit *f, const part *p, int32_t *local) {
  return is_together(f) ? read_block(f, p, local) : read_singly(f, p->at, p->n, local);
}

static void expect_part(nnb__fit *f, const part *p) {
  if (is_together(f)) nnb__window_expect(&f->window, f->spare, p->first, p->n);
}

/* An nnb__fetch_fn.  local names `have` rows of the order, of which `used` were trained; row0 follows these. */
static nnb_status fetch(void *context, int row0, int n, nnb__update *u) {
  nnb__fit *f = context;
  nnb_status status = NNB_OK;
  if (row0 == 0) f->have = f->used = 0;
  while (f->have - f->used < n && !status) {
    f->have = keep_rest(f, f->used, f->have), f->used = 0;
    const part p = part_at(f, row0 + f->have), next = part_at(f, p.at + p.n);
    status = read_part(f, &p, f->local + f->have);
    if (!status) expect_part(f, &next);
    f->have += p.n;
  }
  f->fetched = nnb__window_batch(&f->window, 0, f->window.rows);
  u->rows = &f->fetched, u->order = f->local, u->row0 = f->used;
  f->used += n;
  return f->broken = status;
}

static nnb_status own_epoch(nnb__fit *f, nnb__total *total) {
  return nnb__ranks_train(f->ranks, f->net, f->plan, &f->rows, f->order, f->rows.x.rows, f->opts.batch, f->optim, total,
                          fetch, f);
}

nnb_status nnb__fit_source_epoch(nnb__fit *f, nnb__total *total) {
  if (is_own(f)) return own_epoch(f, total);
  const int N = f->rows.x.rows, batch = f->opts.batch;
  nnb_status status = NNB_OK;
  part p = part_at(f, 0);
  for (int left = 0; p.at < N && !status; p = part_at(f, p.at + p.n)) {
    int32_t *local = f->local + left;
    status = read_part(f, &p, local);
    if (f->ranks) status = nnb__comm_agree(&f->ranks->comm, status);
    if ((f->broken = status)) break;
    const part next = part_at(f, p.at + p.n);
    expect_part(f, &next);
    const int have = left + p.n, used = p.at + p.n == N ? have : have / batch * batch;
    const nnb_batch rows = nnb__window_batch(&f->window, 0, f->window.rows);
    if (used > 0) status = train_some(f, &rows, used, total);
    left = keep_rest(f, used, have);
  }
  return status;
}
