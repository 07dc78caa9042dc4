/* opt/least_squares.c: nnb_least_squares: checks, the algorithm, the report. */
#include "bounds.h"
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
  if (!(p->linear_ridge >= 0) || isinf(p->linear_ridge))
    return nnb__fail(NNB_E_ARG, "linear_ridge is %g; it must not be negative", p->linear_ridge);
  return NNB_OK;
}

static bool any_linear(const nnb_lsq *p) {
  for (size_t i = 0; p->linear && i < p->n; i++)
    if (p->linear[i]) return true;
  return false;
}

static nnb_status find(const nnb_lsq *p, const nnb_min_opts *opts, nnb_algo *algo, const nnb__optim_ops **ops) {
  const bool project = any_linear(p) && !(opts && (opts->bayes || nnb__bounded(opts)));
  char names[NNB__ALGO_NAMES];
  *algo = nnb__optim_algo(opts ? opts->algo : NNB_AUTO, NNB__TRAIT_SQUARES | (project ? NNB__TRAIT_LINEAR : 0));
  *ops = nnb__optim_find(*algo);
  if (!*ops) return NNB_E_ARG;
  if (!nnb__optim_has(*ops, NNB__TRAIT_SQUARES))
    return nnb__fail(NNB_E_ARG, "%s is no algorithm for nnb_least_squares; %s are", (*ops)->name,
                     nnb__optim_names(NNB__TRAIT_SQUARES, names));
  if (nnb__optim_has(*ops, NNB__TRAIT_LINEAR) && !any_linear(p))
    return nnb__fail(NNB_E_ARG, "%s wants to know which variables are linear; %s does not", (*ops)->name,
                     nnb_algo_name(nnb__optim_algo(NNB_AUTO, NNB__TRAIT_SQUARES)));
  return NNB_OK;
}

static nnb_status check_bayes(const nnb_lsq *p, const nnb_min_opts *o) {
  if (p->m_known > p->m) return nnb__fail(NNB_E_ARG, "m_known is %zu of %zu residuals", p->m_known, p->m);
  if (o && o->bayes && p->ridge) return nnb__fail(NNB_E_ARG, ".bayes chooses the decay: there must be no ridge");
  if (o && o->bayes && nnb__bounded(o))
    return nnb__fail(NNB_E_ARG, ".bayes gives all variables a normal distribution: there must be no bounds");
  return NNB_OK;
}

nnb_status nnb_least_squares(const nnb_lsq *problem, real *x, const nnb_min_opts *opts, nnb_min_report *report) {
  nnb__stop stop = {0};
  const nnb__optim_ops *ops = NULL;
  nnb_algo algo = NNB_LM;
  if (report) *report = nnb__stop_no_report();
  nnb_status status = check_problem(problem, x);
  if (!status) status = check_bayes(problem, opts);
  if (!status) status = find(problem, opts, &algo, &ops);
  if (report) report->algo = algo;
  if (!status) status = nnb__stop_begin(&stop, opts, algo, nnb__optim_traits(ops), (double)REAL_EPS);
  if (!status) status = nnb__bounds_check(&stop.opts, problem->n);
  if (status) return status;
  status = ops->least_squares(problem, x, &stop);
  if (status) nnb__stop_failed(&stop);
  if (report) *report = stop.report;
  return status;
}
