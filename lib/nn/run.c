/* nn/run.c: selects the executor for a job. */
#include "run.h"

#include "exact.h"

static const nnb__exec *const execs[] = {&nnb__exec_chain_rows, &nnb__exec_chain_blocks, &nnb__exec_layerwise};
enum { N_EXECS = sizeof execs / sizeof *execs };

void nnb__plan_lay_out_execs(nnb_plan *plan, nnb__arena *arena) {
  plan->execs = 0;
  for (int i = 0; i < N_EXECS; i++)
    if (execs[i]->lay_out(plan, arena)) plan->execs |= 1u << i;
}

nnb__loss_sum nnb__plan_run(nnb_plan *plan, const nnb__job *job) {
  int i = 0;
  while (i < N_EXECS - 1 && !((plan->execs >> i & 1) && execs[i]->takes(plan, job))) i++;
  plan->rows = job->rows, plan->what = job->what, plan->run = job->run;
  const bool exact = nnb__exact_set(plan->exact);
  nnb__loss_sum sum = execs[i]->run(plan, job);
  nnb__exact_set(exact);
  if (!plan->exact) sum.mean += job->before_loss.mean, sum.sum += job->before_loss.sum;
  return sum;
}

bool nnb__plan_row(nnb_plan *plan, const real *x, real *y) {
  for (int i = 0; i < N_EXECS; i++)
    if ((plan->execs >> i & 1) && execs[i]->row) {
      plan->rows = 1, plan->what = NNB__OUTPUT;
      execs[i]->row(plan, x, y);
      return true;
    }
  return false;
}

bool nnb__plan_updates(nnb_plan *plan, nnb__updates *updates) {
  if (updates->batch->dt.p) return false;
  plan->rows = 0, plan->what = 0;
  for (int i = 0; i < N_EXECS; i++)
    if ((plan->execs >> i & 1) && execs[i]->updates && execs[i]->updates(plan, updates)) return true;
  return false;
}

bool nnb__plan_force(nnb_plan *plan, const nnb__exec *exec) {
  for (int i = 0; i < N_EXECS; i++)
    if (execs[i] == exec && (plan->execs >> i & 1)) {
      plan->execs = 1u << i | 1u << (N_EXECS - 1), plan->forced = true;
      return true;
    }
  return false;
}
