/* train/metrics.h: evaluation by a given number of threads. */
#ifndef NNB__METRICS_H
#define NNB__METRICS_H

#include "net.h"
#include "tally.h"

/* nnb_evaluate by a number of threads, 0: nnb_get_threads().  Jobs of the team use one thread, so that the bits do not
 * depend on the number of threads that others have. */
nnb_status nnb__evaluate(nnb_net *net, const nnb_data *data, int threads, nnb_metrics *out);
/* The same with a tally, which then has the scores. */
nnb_status nnb__measure(nnb__tally *tally, nnb_metrics *out);

#endif
