/* num/kernels/chain.h: a net that is a chain of layers, in the form for kernels that take rows through all of it. */
#ifndef NNB__CHAIN_H
#define NNB__CHAIN_H

#include "patch.h"
#include "view.h"

typedef enum nnb__link_kind {
  NNB__LINK_DENSE, /* A = f([A_before 1]·[W; b]); chains without images have no others */
  NNB__LINK_CONV,  /* a convolution without pad */
  NNB__LINK_MAXPOOL,
  NNB__LINK_AVGPOOL,
  NNB__LINK_PAD /* images with zeros around them, as many as the window of patches has pads; none: a copy */
} nnb__link_kind;

typedef struct nnb__link {
  nnb__link_kind kind;
  int n_in, n_out;
  int rows, cols; /* of W; n_in×n_out in a dense link */
  bool bias;
  nnb_activation act;
  size_t off; /* of [W; b] in the parameters */
  int node;   /* of the net, from 0 */
  nnb__patches patches;
} nnb__link;

typedef struct nnb__chain {
  const nnb__link *link;
  int n, widest; /* links; the largest n_in or n_out */
  nnb_loss loss; /* of the last link's output, never NNB_LOSS_AUTO … */
  double factor; /* … times this */
} nnb__chain;

#endif
