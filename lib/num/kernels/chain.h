/* num/kernels/chain.h: a net that is a chain of dense layers, in the form for kernels that take rows through all of
 * it. */
#ifndef NNB__CHAIN_H
#define NNB__CHAIN_H

#include "view.h"

/* A = f([A_before 1]·[W; b]) */
typedef struct nnb__link {
  int n_in, n_out;
  bool bias;
  nnb_activation act;
  size_t off; /* of [W; b] in the parameters */
} nnb__link;

typedef struct nnb__chain {
  const nnb__link *link;
  int n, widest; /* links; the largest n_in or n_out */
  nnb_loss loss; /* of the last link's output, never NNB_LOSS_AUTO … */
  double factor; /* … times this */
} nnb__chain;

#endif
