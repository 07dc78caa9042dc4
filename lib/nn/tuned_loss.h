/* nn/tuned_loss.h: a built-in loss with options (nnb_loss_opts): huber's δ, label smoothing. */
#ifndef NNB__TUNED_LOSS_H
#define NNB__TUNED_LOSS_H

#include "real.h"

/* The table of such a loss; its functions get the whole struct as self. */
typedef struct nnb__tuned {
  nnb_loss_ops ops;
  const nnb_loss_ops *base; /* the loss without options; NULL: there is no table, because no option is set */
  double delta, smoothing;
} nnb__tuned;

/* Fills *out for an output with this activation.  An option of 0 is not set.  NNB_E_ARG for an option that the loss
 * does not take. */
nnb_status nnb__tune_loss(const nnb_loss_ops *base, int activation, double delta, double smoothing, nnb__tuned *out);

#endif
