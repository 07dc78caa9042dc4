/* opt/schedule.h: the learning rate as a function of the update.  Not typed: compiled once. */
#ifndef NNB__SCHEDULE_H
#define NNB__SCHEDULE_H

#include "nnblas/core.h"

typedef struct nnb__schedule {
  nnb_schedule kind;
  double lr_min, factor;
  double epoch, warmup, step, total; /* in updates; total 0: not known */
  nnb_own_schedule own;              /* or a factor of NULL */
  /* NNB_PLATEAU */
  double scale, best; /* the present factor of η; lowest loss so far */
  double waited;      /* epochs since then */
} nnb__schedule;

/* Makes a schedule from options that were checked and completed by their list.  NNB_E_ARG with a message. */
nnb_status nnb__schedule_init(nnb__schedule *s, const nnb_optim_opts *opts);
/* Whether its formula needs the number of epochs. */
bool nnb__schedule_needs_epochs(nnb_schedule kind);
/* The learning rate of an update, counted from 0, for η = lr.  It stays constant after the last update. */
double nnb__schedule_lr(const nnb__schedule *s, double lr, int64_t update);
/* Ends an epoch with this loss. */
void nnb__schedule_epoch(nnb__schedule *s, double loss);

#endif
