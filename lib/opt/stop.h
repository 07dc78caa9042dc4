/* opt/stop.h: when a minimiser stops, and what it says of it.  Not typed: compiled once. */
#ifndef NNB__STOP_H
#define NNB__STOP_H

#include "nnblas/core.h"

typedef struct nnb__stop {
  nnb_min_opts opts; /* completed */
  nnb_min_report report;
  double eps;                   /* rounding unit of the precision */
  int64_t idle;                 /* iterations without progress after which none is expected; may be changed */
  const nnb_evidence *evidence; /* for records, or NULL */
  double start;                 /* seconds */
  double best, best_norm;       /* lowest value and gradient norm so far … */
  int64_t best_iteration;       /* … where the value was lowered last … */
  int64_t moved_iteration;      /* … and where either of them was, by more than rounding */
} nnb__stop;

/* Checks and completes what all algorithms share, and starts the clock.  opts NULL: defaults.  algo: never NNB_AUTO.
 * NNB_E_ARG with a sentence. */
nnb_status nnb__stop_begin(nnb__stop *s, const nnb_min_opts *opts, nnb_algo algo, double eps);

/* All of the following return true when it is time to end; report.stop then says why.  Once true, they stay true. */

/* The start has been evaluated. */
bool nnb__stop_at_start(nnb__stop *s, double value, double gradient_norm);
/* An iteration has ended at x.  step: largest change of a variable. */
bool nnb__stop_iteration(nnb__stop *s, double value, double gradient_norm, double step, const void *x);
/* Between evaluations: limits of evaluations and time. */
bool nnb__stop_early(nnb__stop *s);
/* The algorithm itself knows a reason, such as NNB_STOP_STALLED.  An earlier one stands. */
bool nnb__stop_because(nnb__stop *s, nnb_stop why);

/* The function has changed: at the same point its value is this one, and earlier values tell nothing. */
void nnb__stop_rebase(nnb__stop *s, double value);
/* Counts an evaluation. */
void nnb__stop_count(nnb__stop *s);
/* For a run that failed: the reason, and the time it took. */
void nnb__stop_failed(nnb__stop *s);
/* What a report says before anything is known: failed, and no numbers. */
nnb_min_report nnb__stop_no_report(void);
/* The last thing: the value and gradient norm at the point that is handed back, and the seconds. */
void nnb__stop_end(nnb__stop *s, double value, double gradient_norm);

#endif
