/* train/fit_auto.h: NNB_AUTO of nnb_fit. */
#ifndef NNB__FIT_AUTO_H
#define NNB__FIT_AUTO_H

#include "fit_choices.h"
#include "net.h"
#include "ranks.h"

/* A fit of a net that the caller holds: by the algorithm that is named, or with .bayes by lm.  With NNB_AUTO, what the
 * options leave open is chosen by trials on copies of the net, then the net is trained.  choices ← what was chosen.
 * ranks: NULL, or all of them call it, and rank 0 makes the trials.  *report is filled always.
 * After a failure the parameters are those from before. */
nnb_status nnb__fit_auto(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *given,
                         nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report);

#endif
