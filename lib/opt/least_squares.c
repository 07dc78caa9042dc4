/* opt/least_squares.c: nnb_least_squares: checks, the choice of the method, the report. */
#include <string.h>

#include "alloc.h"
#include "bounds.h"
#include "minimize_kept.h"
#include "optim.h"
#include "status.h"
#include "stop.h"

static nnb_status check_problem(const nnb_lsq *p, const real *x, bool alone) {
  if (!p || !p->rows || (p->m == 0 && alone) || p->n == 0 || !x)
    return nnb__fail(NNB_E_ARG, "problem, rows or x is NULL, or there are no residuals or no variables");
  if (p->group < 0 || (p->group > 0 && p->m % (size_t)p->group))
    return nnb__fail(NNB_E_ARG, "group is %d; wanted a divisor of %zu, the number of residuals", p->group, p->m);
  for (size_t i = 0; p->ridge && i < p->n; i++)
    if (!(p->ridge[i] >= 0) || isinf(p->ridge[i]))
      return nnb__fail(NNB_E_ARG, "ridge[%zu] is %g; wanted a finite number, 0 or more", i, p->ridge[i]);
  if (!(p->linear_ridge >= 0) || isinf(p->linear_ridge))
    return nnb__fail(NNB_E_ARG, "linear_ridge is %g; wanted a finite number, 0 or more", p->linear_ridge);
  return NNB_OK;
}

static size_t count_linear(const nnb_lsq *p) {
  size_t n = 0;
  for (size_t i = 0; p->linear && i < p->n; i++) n += p->linear[i];
  return n;
}
static bool any_linear(const nnb_lsq *p) { return count_linear(p) > 0; }

static nnb_status find(const nnb_lsq *p, const nnb_min_opts *opts, nnb_algo *algo, const nnb__optim_ops **ops) {
  const bool project = any_linear(p) && !(opts && (opts->bayes || nnb__bounded(opts)));
  char names[NNB__ALGO_NAMES];
  *algo = nnb__optim_algo(opts ? opts->algo : NNB_AUTO, NNB__TRAIT_SQUARES | (project ? NNB__TRAIT_LINEAR : 0));
  *ops = nnb__optim_find(*algo);
  if (!*ops) return NNB_E_ARG;
  if (!nnb__optim_has(*ops, NNB__TRAIT_SQUARES))
    return nnb__fail(NNB_E_ARG, "%s is not a method of nnb_least_squares; its methods are %s", (*ops)->name,
                     nnb__optim_names(NNB__TRAIT_SQUARES, names));
  if (nnb__optim_has(*ops, NNB__TRAIT_LINEAR) && !any_linear(p))
    return nnb__fail(NNB_E_ARG, "%s needs the linear variables; %s works without", (*ops)->name,
                     nnb_algo_name(nnb__optim_algo(NNB_AUTO, NNB__TRAIT_SQUARES)));
  return NNB_OK;
}

static nnb_status check_bayes(const nnb_lsq *p, const nnb_min_opts *o) {
  if (p->m_known > p->m)
    return nnb__fail(NNB_E_ARG, "m_known is %zu; wanted at most %zu, the number of residuals", p->m_known, p->m);
  if (o && o->bayes && p->ridge)
    return nnb__fail(NNB_E_ARG, "ridge is set; wanted NULL, because .bayes estimates the decay");
  if (o && o->bayes && nnb__bounded(o))
    return nnb__fail(NNB_E_ARG, "lower or upper is set; wanted NULL, because .bayes takes no bounds");
  return NNB_OK;
}

/* ---- the better of two methods ---------------------------------------------------------------------------------- */

/* Whether the first method ended at a minimum by itself, not by a limit, the target or the caller.  Another method may
 * find a lower one. */
static bool ended_by_itself(const nnb__stop *stop) {
  const nnb_stop why = stop->report.stop;
  return why == NNB_STOP_GRADIENT || why == NNB_STOP_CHANGE || why == NNB_STOP_PATIENCE || why == NNB_STOP_STALLED;
}

/* The stopping rule for another method from the start: counts and limits continue, values start again. */
static nnb__stop next_stop(const nnb__stop *stop, nnb_algo algo) {
  nnb__stop next = *stop;
  next.report.stop = NNB_STOP_NONE, next.report.algo = algo;
  next.best_iteration = next.moved_iteration = next.report.iterations;
  return next;
}

/* Runs lm from start after the projection has ended at x.  x, stop ← the lower end, with the counts of both; the first
 * one if they agree to half of the digits.  If derivatives by the linear variables are not defined at that start, lm
 * fails, and x stays. */
static nnb_status try_lm(const nnb_lsq *problem, real *x, real *start, nnb__stop *stop) {
  nnb__stop by_lm = next_stop(stop, NNB_LM);
  nnb_status status = nnb__algo_lm.least_squares(problem, start, &by_lm);
  if (status == NNB_E_NUMERIC) status = NNB_OK, by_lm.report.value = HUGE_VAL;
  nnb_min_report *r = &stop->report;
  const bool limited = !status && !ended_by_itself(&by_lm) && by_lm.report.stop != NNB_STOP_NONE;
  by_lm.report.start_value = r->start_value;
  if (!status && by_lm.report.value < (1 - sqrt(stop->eps)) * r->value) {
    memcpy(x, start, problem->n * sizeof *x);
    *r = by_lm.report;
    return NNB_OK;
  }
  r->iterations = by_lm.report.iterations, r->evaluations = by_lm.report.evaluations;
  r->seconds = by_lm.report.seconds;
  if (limited) r->stop = by_lm.report.stop;
  return status;
}

/* NNB_AUTO for problems with linear variables.  Each of the two methods finds minima that the other misses. */
static nnb_status projection_or_lm(const nnb_lsq *problem, real *x, nnb__stop *stop) {
  real *start = nnb__alloc(problem->n, sizeof *start);
  if (!start) return nnb__fail_nomem("the start of a least-squares problem");
  memcpy(start, x, problem->n * sizeof *start);
  nnb_status status = nnb__algo_varpro.least_squares(problem, x, stop);
  if (!status && ended_by_itself(stop) && stop->report.value > 0 && count_linear(problem) < problem->n)
    status = try_lm(problem, x, start, stop);
  nnb__release(start);
  return status;
}

nnb_status nnb__least_squares(const nnb_lsq *problem, real *x, const nnb_min_opts *opts, nnb__keep *keep,
                              nnb__comm *comm, const nnb__tree *tree, int n_groups, nnb_min_report *report) {
  nnb__stop stop = {0};
  const nnb__optim_ops *ops = NULL;
  nnb_algo algo = NNB_LM;
  if (report) *report = nnb__stop_no_report();
  nnb_status status = check_problem(problem, x, !comm);
  if (!status) status = check_bayes(problem, opts);
  if (!status) status = find(problem, opts, &algo, &ops);
  if (report) report->algo = algo;
  if (!status) status = nnb__stop_begin(&stop, opts, algo, nnb__optim_traits(ops), (double)REAL_EPS);
  if (!status) status = nnb__bounds_check(&stop.opts, problem->n);
  if (status) return status;
  const bool automatic = stop.opts.algo == NNB_AUTO && nnb__optim_has(ops, NNB__TRAIT_LINEAR);
  stop.keep = automatic ? NULL : keep; /* a state has one method */
  stop.comm = comm, stop.tree = tree, stop.n_groups = n_groups;
  status = automatic ? projection_or_lm(problem, x, &stop) : ops->least_squares(problem, x, &stop);
  if (status) nnb__stop_failed(&stop);
  if (report) *report = stop.report;
  return status;
}

nnb_status nnb_least_squares(const nnb_lsq *problem, real *x, const nnb_min_opts *opts, nnb_min_report *report) {
  return nnb__least_squares(problem, x, opts, NULL, NULL, NULL, 0, report);
}
