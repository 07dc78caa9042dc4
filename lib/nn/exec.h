/* nn/exec.h: the ways in which a plan can take rows through its net.
 *
 * Each is a file with a table.  A run goes to the first of them that has not declined: at the plan's creation for the
 * net and the purpose (lay_out), or before each run for the job (takes).  The last, layerwise, takes everything, and
 * the others are tested against it. */
#ifndef NNB__EXEC_H
#define NNB__EXEC_H

#include "chain.h"
#include "kernels.h"
#include "plan.h"

struct nnb__exec {
  const char *name;
  /* Takes from the arena what it needs; called once to measure and once to hand out, with the same answer.  False:
   * never for this plan. */
  bool (*lay_out)(nnb_plan *plan, nnb__arena *arena);
  bool (*takes)(const nnb_plan *plan, const nnb__job *job);
  nnb__loss_sum (*run)(nnb_plan *plan, const nnb__job *job);
  /* OPTIONAL.  y ← the outputs for one row, in the data's units: a run with NNB__OUTPUT alone and no more than it
   * takes. */
  void (*row)(nnb_plan *plan, const real *x, real *y);
  /* OPTIONAL.  Many updates of one row each.  False: none has been made, and none will be that way. */
  bool (*updates)(nnb_plan *plan, nnb__updates *updates);
};

extern const nnb__exec nnb__exec_online, nnb__exec_soa, nnb__exec_layerwise;

/* How many links the sealed net has if it is a chain: dense layers with biases and activations of the library's own,
 * one input, and one output, the last, with a loss of the library's own.  0: it is none.  Link i is the net's block i.
 */
int nnb__net_links(const nnb_net *net);
nnb__link nnb__net_link(const nnb_net *net, int i);
/* The chain, with its links in link[0 … nnb__net_links(net) - 1]; NULL: nowhere. */
nnb__chain nnb__net_chain(const nnb_net *net, nnb__link *link);

/* For tests: from now on the plan runs by this executor and, where that declines, by the last.  False: it declined. */
bool nnb__plan_force(nnb_plan *plan, const nnb__exec *exec);
/* For tests: online goes on with these kernels. */
void nnb__online_use(nnb_plan *plan, const nnb__kernels *kernels);

#endif
