/* train/fit.h: the inside of a fit: what batch by batch and full-batch training share. */
#ifndef NNB__FIT_H
#define NNB__FIT_H

#include "net.h"
#include "optim.h"

typedef struct nnb__fit {
  nnb_net *net;
  const nnb_data *train, *val;
  nnb_fit_opts opts; /* completed */
  const nnb__optim_ops *ops;
  nnb_batch rows; /* all of train */
  nnb_plan *plan, *val_plan;
  nnb_optim *optim; /* NULL: a full-batch method */
  int32_t *order;   /* NULL: in order */
  real *best;       /* the parameters that the best loss was measured with */
  real *began;      /* those the epoch began with; NULL where an epoch is judged by its end (keep_best) */
  real *x;          /* full batch: the minimiser's point and the last epoch's, P numbers each */
  bool *linear;  /* least squares: which of the parameters that are not frozen the residuals are linear in, or NULL */
  double *ridge; /* least squares with decay: the l2 of each parameter that is not frozen */
  nnb_record *history;
  nnb_record last; /* of the last epoch */
  int n_history, cap_history, stride;
  double start;
  nnb_evidence best_evidence; /* .bayes: of the best epoch; the report's is of the last */
  nnb_report report;
} nnb__fit;

/* epoch.c: with a validation set the parameters at the start are the first candidate for the best, those of epoch 0,
 * unless their loss is not finite. */
void nnb__fit_judge_start(nnb__fit *f);
/* Ends an epoch.  The net holds the parameters of its end; rec holds its number, updates, samples, loss and
 * seconds.  Validates, keeps the best parameters and the history, calls on_epoch, decides in report.stop. */
nnb_status nnb__fit_end_epoch(nnb__fit *f, nnb_record *rec);
/* The history's last record becomes that of the last epoch. */
void nnb__fit_keep_last_record(nnb__fit *f);

/* fit_batches.c: the epochs of an algorithm that steps from batch to batch. */
nnb_status nnb__fit_batches(nnb__fit *f);

/* fit_full.c: the epochs as iterations of a full-batch method. */
nnb_status nnb__fit_full(nnb__fit *f);
/* Whether the net and the values of the options suit the full-batch method of the fit. */
nnb_status nnb__fit_full_check(const nnb__fit *f);

#endif
