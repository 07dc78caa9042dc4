/* nn/kron.h: scores and Kronecker factors of a run, for K-FAC. */
#ifndef NNB__KRON_H
#define NNB__KRON_H

#include "pass.h"

/* After a run with NNB__LOSS | NNB__OUTPUT | NNB__BACK: replaces Δ of the first n rows by that of scores.  Each row is
 * multiplied by the root of the factor of its term in the loss.  Then Σ g_i·g_iᵀ, g_i: the gradient of row i, is an
 * estimate of the Fisher matrix, which is the Gauss–Newton matrix of the loss.  The targets are drawn from the
 * distribution that belongs to the loss; those of row i of the job are a function of seed, update and row0 + i.  With
 * `data`, or if a loss has no `sample`, they are the targets of the data.  NNB_DELTA cannot be viewed afterwards. */
typedef struct nnb__draw {
  uint64_t seed;
  int64_t update;
  bool data;
} nnb__draw;
void nnb__plan_scores(nnb_plan *plan, const nnb__job *job, int n, const nnb__draw *draw);
/* Passes rows [r0, r0 + n) of those scores to visit, block by block.  gradient: memory for the largest block without
 * pairs. */
void nnb__plan_pairs(nnb_plan *plan, const nnb__job *job, int r0, int n, real *gradient, nnb__pairs_fn *visit,
                     void *context);

#endif
