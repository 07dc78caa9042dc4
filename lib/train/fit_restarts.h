/* train/fit_restarts.h: nnb_fit from several starts. */
#ifndef NNB__FIT_RESTARTS_H
#define NNB__FIT_RESTARTS_H

#include "fit_choices.h"
#include "net.h"
#include "ranks.h"

/* A fit of a net that the caller holds: from the options' number of starts, of which the best one trains the net.
 * Always fills *report.  After a failure the parameters are those from before. */
nnb_status nnb__fit_restarts(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *given,
                             double began, nnb_report *report);

/* The fit that a checkpoint is of, with the rows that it held out.  ranks: NULL, or all of them call it. */
nnb_status nnb__fit_resume(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                           nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report);

#endif
