#include "rank_fit.h"

#include <stdio.h>
#include <stdlib.h>

#include "../data.h"
#include "../measure.h"
#include "../precision.h"

/* Small enough that nothing diverges in any number of steps. */
#define LEARNING_RATE 1e-3

struct rank_fit {
  const workload *w;
  int threads;
  nnb_net *net;
  nnb_plan *plan;
  nnb_batch rows;
  real *x, *t, *grad;
  int32_t *label;
};

static int complain(const char *what) {
  fprintf(stderr, "nnblas-bench-mpi: %s: %s\n", what, nnb_errmsg());
  return -1;
}

/* ---- a fit ------------------------------------------------------------------------------------------------------- */

typedef struct watch {
  const timed_comm *comm;
  double began, began_in_comm;
  fit_time time;
} watch;

static int look(void *user, const nnb_record *record) {
  watch *w = user;
  const double now = clock_seconds(), in_comm = w->comm ? w->comm->seconds : 0;
  if (record->epoch == 1) w->began = now, w->began_in_comm = in_comm;
  w->time = (fit_time){now - w->began, in_comm - w->began_in_comm, record->epoch - 1};
  return 0;
}

static nnb_batch first_rows(const rank_fit *r, int n) {
  nnb_batch b = r->rows;
  b.x.rows = n;
  if (b.t.p) b.t.rows = n;
  return b;
}

static int fit(rank_fit *r, timed_comm *comm, int rows, int batch, int epochs, fit_time *out) {
  watch w = {.comm = comm};
  nnb_data *data;
  const nnb_batch part = first_rows(r, rows);
  const nnb_fit_opts opts = {.algo = r->w->algo,
                             .lr = LEARNING_RATE,
                             .batch = batch,
                             .max_epochs = epochs,
                             .in_order = true,
                             .threads = r->threads,
                             .comm = comm ? &comm->calls : NULL,
                             .own_rows = comm != NULL,
                             .on_epoch = look,
                             .user = &w};
  if (nnb_data_wrap(&part, r->label ? nnb_net_n_out(r->net) : 0, &data)) return complain("nnb_data_wrap");
  const nnb_status status = nnb_fit(r->net, data, NULL, &opts, NULL);
  nnb_data_destroy(data);
  *out = w.time;
  return status ? complain("nnb_fit") : 0;
}

static int gradient(rank_fit *r, int rows) {
  const nnb_batch part = first_rows(r, rows);
  return nnb_plan_gradient(r->plan, &part, 0, NULL, r->grad) ? complain("nnb_plan_gradient") : 0;
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

static real *to_real(const float *from, size_t n) {
  real *to = from ? take(n, sizeof *to) : NULL;
  for (size_t i = 0; to && i < n; i++) to[i] = (real)from[i];
  return to;
}

static int make_rows(rank_fit *r, int rows) {
  workload w = *r->w;
  bench_data d;
  w.rows = rows, w.batch = 1;
  if (make_data(&w, 0, &d)) return -1;
  r->x = to_real(d.x, (size_t)d.rows * (size_t)d.n_in);
  r->t = to_real(d.t, (size_t)d.rows * (size_t)d.n_out);
  r->rows.x = nnb_cview(r->x, d.rows, d.n_in);
  if (r->t) r->rows.t = nnb_cview(r->t, d.rows, d.n_out);
  r->rows.label = r->label = d.label;
  d.label = NULL;
  free_data(&d);
  return r->x && (r->t || r->label) ? 0 : -1;
}

static void destroy(rank_fit *r) {
  if (!r) return;
  nnb_plan_destroy(r->plan);
  nnb_net_destroy(r->net);
  free(r->x), free(r->t), free(r->label), free(r->grad);
  free(r);
}

static rank_fit *create(const workload *w, int rows, int threads) {
  rank_fit *r = calloc(1, sizeof *r);
  if (!r) return fprintf(stderr, "nnblas-bench-mpi: out of memory\n"), NULL;
  const nnb_plan_opts opts = {
      .max_rows = rows < RANK_FIT_ROWS ? rows : RANK_FIT_ROWS, .want = NNB_GRAD, .threads = threads};
  r->w = w, r->threads = threads;
  if (nnb_net_parse(w->net, &r->net) || nnb_net_loss(r->net, w->loss) || nnb_plan_create(r->net, &opts, &r->plan))
    complain(w->net);
  else if (!make_rows(r, rows) && (r->grad = take(nnb_net_n_params(r->net), sizeof(real))))
    return r;
  else
    fprintf(stderr, "nnblas-bench-mpi: out of memory\n");
  destroy(r);
  return NULL;
}

static size_t n_params(const rank_fit *r) { return nnb_net_n_params(r->net); }

const rank_fit_ops TWIN(rank_fit) = {PRECISION, sizeof(real), create, destroy, n_params, fit, gradient};
