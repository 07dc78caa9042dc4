/* opt/stop.h: the stopping rule of a minimiser, and its report.  Not typed: compiled once. */
#ifndef NNB__STOP_H
#define NNB__STOP_H

#include "nnblas/core.h"

/* A gradient: its largest component, and the relative measure that gradient_tol is compared with (core.h). */
typedef struct nnb__slope {
  double norm, relative;
} nnb__slope;

typedef struct nnb__stop {
  nnb_min_opts opts; /* completed */
  nnb_min_report report;
  double eps;                   /* rounding unit of the precision */
  int64_t idle;                 /* iterations without progress before NNB_STOP_STALLED; a method may change it */
  const nnb_evidence *evidence; /* for records, or NULL */
  nnb_stop own;                 /* the reason to end after the last iteration, apart from the caller's */
  struct nnb__keep *keep;       /* opt/keep.h, or NULL: no checkpoints */
  struct nnb__comm *comm;       /* base/comm.h, or NULL: one rank */
  const struct nnb__tree *tree; /* base/tree.h: ranges of residuals, or NULL: sums over ranks are in any order */
  int n_groups;                 /* with tree: nnb_lsq's groups of residuals on all ranks */
  double start;                 /* seconds */
  double best, best_norm;       /* lowest value and gradient norm so far */
  int64_t best_iteration;       /* the iteration of the lowest value */
  int64_t moved_iteration;      /* the last iteration that lowered value or gradient norm by more than rounding */
} nnb__stop;

/* Checks and completes the options, and starts the clock.  opts NULL: defaults.  algo: not NNB_AUTO, with its traits.
 * NNB_E_ARG with a message. */
nnb_status nnb__stop_begin(nnb__stop *s, const nnb_min_opts *opts, nnb_algo algo, unsigned traits, double eps);

/* The following return true when the search must end; report.stop has the reason.  Once true, they stay true. */

/* After the evaluation at the start. */
bool nnb__stop_at_start(nnb__stop *s, double value, nnb__slope slope);
/* After an iteration, which ended at x.  step: largest change of a variable. */
bool nnb__stop_iteration(nnb__stop *s, double value, nnb__slope slope, double step, const void *x);
/* Between evaluations: checks the limits of evaluations and time. */
bool nnb__stop_early(nnb__stop *s);
/* A reason of the method itself, such as NNB_STOP_STALLED.  An earlier reason is kept. */
bool nnb__stop_because(nnb__stop *s, nnb_stop why);

/* The function has changed: its value at the same point is now this one, and earlier values do not count. */
void nnb__stop_rebase(nnb__stop *s, double value);
/* Counts an evaluation. */
void nnb__stop_count(nnb__stop *s);
/* Ends a run that failed: sets the reason and the time. */
void nnb__stop_failed(nnb__stop *s);
/* A report without results: failed, all numbers NaN. */
nnb_min_report nnb__stop_no_report(void);
/* Ends a run: the value and gradient norm at the point that is returned, and the seconds. */
void nnb__stop_end(nnb__stop *s, double value, double gradient_norm);

#endif
