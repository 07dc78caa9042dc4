/* nn/exec.h: executors: the ways to take rows through a net.
 *
 * Each is a file with a table.  A run uses the first one that has not declined: at the plan's creation, for the net and
 * the purpose (lay_out), or before each run, for the job (takes).  The last one, layerwise, takes everything; tests
 * compare the others with it. */
#ifndef NNB__EXEC_H
#define NNB__EXEC_H

#include "arena.h"
#include "kernels.h"
#include "net_chain.h"
#include "plan_state.h"

typedef struct nnb__exec {
  const char *name;
  /* Takes its memory from the arena; called once to measure and once to hand out, with the same result.  False:
   * declines this plan. */
  bool (*lay_out)(nnb_plan *plan, nnb__arena *arena);
  bool (*takes)(const nnb_plan *plan, const nnb__job *job);
  nnb__loss_sum (*run)(nnb_plan *plan, const nnb__job *job);
  /* OPTIONAL.  y ← the outputs for one row, in the data's units: a run with only NNB__OUTPUT, faster. */
  void (*row)(nnb_plan *plan, const real *x, real *y);
  /* OPTIONAL.  Many updates of one row each.  False: no update was made; the caller makes them another way. */
  bool (*updates)(nnb_plan *plan, nnb__updates *updates);
} nnb__exec;

extern const nnb__exec nnb__exec_chain_rows, nnb__exec_chain_blocks, nnb__exec_layerwise;

/* For tests: from now on chain_rows uses these kernels. */
void nnb__chain_rows_use(nnb_plan *plan, const nnb__kernels *kernels);

#endif
