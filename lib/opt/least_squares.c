/* opt/least_squares.c: nnb_least_squares: checks, the algorithm, the report. */
#include "optim.h"
#include "status.h"
#include "stop.h"

static nnb_status check_problem(const nnb_lsq *p, const real *x) {
  if (!p || !p->rows || p->m == 0 || p->n == 0 || !x)
    return nnb__fail(NNB_E_ARG, "wanted at least one residual of at least one variable, and x");
  if (p->group < 0 || (p->group > 0 && p->m % (size_t)p->group))
    return nnb__fail(NNB_E_ARG, "group is %d; it must divide the %zu residuals", p->group, p->m);
  for (size_t i = 0; p->ridge && i < p->n; i++)
    if (!(p->ridge[i] >= 0) || isinf(p->ridge[i]))
      return nnb__fail(NNB_E_ARG, "ridge[%zu] is %g; it must not be negative", i, p->ridge[i]);
  return NNB_OK;
}

static nnb_status find(const nnb_min_opts *opts, nnb_algo *algo, const nnb__optim_ops **ops) {
  *algo = opts && opts->algo != NNB_AUTO ? opts->algo : NNB_LM;
  *ops = nnb__optim_find(*algo);
  if (!*ops) return NNB_E_ARG;
  if (!(*ops)->least_squares)
    return nnb__fail(NNB_E_ARG, "%s is no algorithm for nnb_least_squares; lm is", (*ops)->name);
  if (opts && (opts->lower || opts->upper) && !(*ops)->takes_bounds)
    return nnb__fail(NNB_E_ARG, "%s takes no bounds; nnb_minimize with lbfgs does", (*ops)->name);
  return NNB_OK;
}

nnb_status nnb_least_squares(const nnb_lsq *problem, real *x, const nnb_min_opts *opts, nnb_min_report *report) {
  nnb__stop stop = {0};
  const nnb__optim_ops *ops = NULL;
  nnb_algo algo = NNB_LM;
  if (report) *report = nnb__stop_no_report();
  nnb_status status = check_problem(problem, x);
  if (!status) status = find(opts, &algo, &ops);
  if (report) report->algo = algo;
  if (!status) status = nnb__stop_begin(&stop, opts, algo, (double)REAL_EPS);
  if (status) return status;
  status = ops->least_squares(problem, x, &stop);
  if (status) nnb__stop_failed(&stop);
  if (report) *report = stop.report;
  return status;
}
