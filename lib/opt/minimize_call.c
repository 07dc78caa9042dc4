/* opt/minimize_call.c: nnb_minimize: checks, memory, the first evaluation, the method, the report. */
#include <string.h>

#include "alloc.h"
#include "bounds.h"
#include "minimize.h"
#include "minimize_kept.h"
#include "status.h"
#include "view.h"

/* All memory of a run: one block of reals, one of doubles. */
static nnb_status allocate(nnb__min *m, const nnb__optim_ops *ops, real **reals) {
  nnb__min_needs needs = ops->needs ? ops->needs(m->n, &m->stop->opts) : (nnb__min_needs){0};
  bool bounded = nnb__bounded(&m->stop->opts);
  size_t fixed = bounded ? 3 : 1, total;
  if (needs.vectors > SIZE_MAX - fixed || !nnb__mul(needs.vectors + fixed, m->n, &total))
    return nnb__fail(NNB_E_OVERFLOW, "%s needs %zu vectors of %zu numbers, which is too much", ops->name, needs.vectors,
                     m->n);
  size_t bytes;
  *reals = nnb__mul(total, sizeof **reals, &bytes) ? nnb__keep_memory(m->stop, bytes) : NULL;
  m->doubles = nnb__zalloc(needs.doubles, sizeof *m->doubles);
  if (!*reals || !m->doubles) return nnb__fail_nomem("a minimisation");
  m->g = *reals;
  m->vectors = *reals + fixed * m->n;
  if (bounded) m->lower = *reals + m->n, m->upper = *reals + 2 * m->n;
  return NNB_OK;
}

/* The default tolerance has the units of f and x; in these the whole gradient may be small. */
static void fit_tolerance(nnb__min *m, const nnb_min_opts *asked) {
  if (!asked || asked->gradient_tol == 0) m->stop->opts.gradient_tol *= fmin(1, nnb__min_norm(m));
}

/* The first evaluation; *ended: the start is a minimum. */
static nnb_status begin(nnb__min *m, const nnb_min_opts *asked, bool *ended) {
  nnb_status status = nnb__min_eval(m, m->x, &m->value, m->g);
  if (status) return status;
  if (!isfinite(m->value)) return nnb__fail(NNB_E_NUMERIC, "the function or its gradient is not finite at the start");
  fit_tolerance(m, asked);
  *ended = nnb__stop_at_start(m->stop, m->value, nnb__min_slope(m));
  return NNB_OK;
}

static nnb_status run(nnb__min *m, const nnb__optim_ops *ops, const nnb_min_opts *asked) {
  bool ended = false;
  nnb_status status = nnb__keep_resumes(m->stop) ? NNB_OK : begin(m, asked, &ended);
  if (status) return status;
  if (!ended) status = ops->minimize(m);
  nnb__stop_end(m->stop, m->value, nnb__min_norm(m));
  return status;
}

static nnb_status find(const nnb_min_opts *opts, size_t n, nnb_algo *algo, const nnb__optim_ops **ops) {
  char names[NNB__ALGO_NAMES];
  *algo = nnb__optim_algo(opts ? opts->algo : NNB_AUTO, NNB__TRAIT_MINIMIZES);
  *ops = nnb__optim_find(*algo);
  if (!*ops) return NNB_E_ARG;
  if (!nnb__optim_has(*ops, NNB__TRAIT_MINIMIZES))
    return nnb__fail(NNB_E_ARG, "%s is not a method of nnb_minimize; its methods are %s", (*ops)->name,
                     nnb__optim_names(NNB__TRAIT_MINIMIZES, names));
  if ((*ops)->most && n > (*ops)->most)
    return nnb__fail(NNB_E_ARG,
                     "%s takes at most %zu variables, because it needs n×n numbers; there are %zu; use lbfgs",
                     (*ops)->name, (*ops)->most, n);
  return NNB_OK;
}

nnb_status nnb__minimize(const nnb_fdf *f, real *x, const nnb_min_opts *opts, nnb__keep *keep, nnb__comm *comm,
                         nnb_min_report *report) {
  nnb__stop stop = {0};
  nnb__min m = {.f = f, .x = x, .stop = &stop};
  real *reals = NULL;
  const nnb__optim_ops *ops = NULL;
  nnb_algo algo = NNB_LBFGS;
  if (report) *report = nnb__stop_no_report();
  if (!f || !f->eval || f->n == 0 || !x)
    return nnb__fail(NNB_E_ARG, "f, f->eval or x is NULL, or there are no variables");
  m.n = f->n;
  nnb_status status = find(opts, m.n, &algo, &ops);
  if (report) report->algo = algo;
  if (!status) status = nnb__stop_begin(&stop, opts, algo, nnb__optim_traits(ops), (double)REAL_EPS);
  stop.keep = keep, stop.comm = comm;
  if (!status) status = nnb__bounds_check(&stop.opts, m.n);
  if (!status) status = allocate(&m, ops, &reals);
  if (!status && m.lower) nnb__bounds_enter(&stop.opts, m.n, x, reals + m.n, reals + 2 * m.n);
  if (!(status = nnb__comm_agree(comm, status))) status = run(&m, ops, opts);
  if (status) nnb__stop_failed(&stop);
  if (report) *report = stop.report;
  nnb__release(reals);
  nnb__release(m.doubles);
  return status;
}

nnb_status nnb_minimize(const nnb_fdf *f, real *x, const nnb_min_opts *opts, nnb_min_report *report) {
  return nnb__minimize(f, x, opts, NULL, NULL, report);
}
