/* train/fit.h: the state of a fit, shared by mini-batch and full-batch training. */
#ifndef NNB__FIT_H
#define NNB__FIT_H

#include "fit_choices.h"
#include "keep.h"
#include "log.h"
#include "net.h"
#include "optim.h"
#include "ranks.h"
#include "rows.h"
#include "source.h"
#include "tally.h"

/* Where a full-batch fit with two descents is: it runs a minimiser several times (fit_full.c). */
enum { NNB__STAGES = 4, NNB__FIT_RUNS = NNB__STAGES + 3 };
typedef struct nnb__descents {
  int run;                         /* the first descent is 0 */
  double unit, to_beat;            /* loss of the best constant prediction; lowest loss of the first descent */
  int64_t iterations, evaluations; /* of the runs before */
} nnb__descents;

typedef struct nnb__fit {
  nnb_net *net;
  const nnb_data *train, *val;
  nnb_fit_opts given;    /* the caller's, with the method that was chosen */
  nnb_fit_opts opts;     /* completed with the defaults */
  nnb__ranks *ranks;     /* NULL: one rank */
  nnb__choices *choices; /* what was chosen before; NULL: a trial, which has no checkpoint */
  const nnb__optim_ops *ops;
  nnb_batch rows;        /* all of train; of a source the outline */
  int n_rows;            /* on all ranks */
  double norm, val_norm; /* Σ weight of all rows, and of the validation set's */
  nnb__window window, val_window;
  int32_t *local;    /* training from a source by batches: the places of the next rows in the window (fit_source.c) */
  int spare;         /* … of which so many keep rows until the next block */
  int have, used;    /* … by ranks with rows of their own: rows that local names, and that were trained */
  nnb_batch fetched; /* … the places */
  nnb_status broken; /* what ended a fit that had begun: an error of a source */
  nnb_plan *plan, *val_plan;
  nnb_optim *optim;  /* NULL: a full-batch method */
  int32_t *order;    /* NULL: in order */
  real *best;        /* the parameters of the best loss, then its buffers */
  real *epoch_start; /* the same at the start of the epoch, from the second epoch on: for the first they are in best.
                        NULL if an epoch is judged at its end (keep_best) */
  real *x;           /* full batch: the minimiser's point, P numbers; then last and buffers */
  real *last;        /* the parameters and buffers of the last epoch */
  real *buffers;     /* a checkpoint's buffers as the net had them, which are those of the last evaluation */
  bool *linear;      /* least squares: for each parameter that is not frozen, whether the residuals are linear in it; or
                        NULL */
  double *ridge;     /* least squares with decay: the l2 of each parameter that is not frozen */
  real *first;       /* full batch: the parameters at the start, then its buffers; NULL: no second descent */
  real *before;      /* the net's parameters and buffers before the call, which a refusal puts back */
  nnb__descents descents;
  nnb_record *history;    /* cap_history records, then values */
  double *values;         /* (cap_history + 1)×nnb__fit_n_values: the metrics of the records, and of the last epoch */
  nnb_record last_record; /* of the last epoch */
  int n_history, cap_history, stride;
  nnb__tally tally, train_tally; /* .metrics on the validation set, or without one on train; on train beside one */
  nnb__log log;
  nnb_progress bar;   /* .progress */
  double waited_loss; /* patience: the last loss that fell by more than min_delta, and its epoch */
  int waited_epoch;
  double start;
  uint64_t train_print, val_print; /* .checkpoint: fingerprints of the data */
  int checkpoint_epoch;            /* epoch of the last checkpoint */
  double checkpoint_time;          /* when it was written, or when the fit began */
  nnb__keep keep;                  /* full batch: the state of the minimiser */
  nnb_evidence best_evidence;      /* .bayes: of the best epoch; the report has that of the last */
  nnb_report report;
} nnb__fit;

/* fit.c: a fit of a net that the caller holds (nnb__net_begin), by opts->algo; NNB_AUTO is lm with .bayes, else adam.
 * ranks: counted (nnb__ranks_count), or NULL.  choices: what was chosen before, which is reported, too; NULL: nothing.
 * began: when the call that it is a part of began.  Always fills *report. */
nnb_status nnb__fit_run(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                        nnb__ranks *ranks, nnb__choices *choices, double began, nnb_report *report);
/* fit_sum.c: its ranks, or NULL. */
nnb__comm *nnb__fit_comm(const nnb__fit *f);
/* Adds the ranks' losses, and gradients of n numbers (NULL: none).  An error of one rank, also an earlier one of a
 * source, is one of all; other errors than NNB_E_NUMERIC end the fit (broken). */
nnb_status nnb__fit_add(nnb__fit *f, nnb_status status, double *loss, size_t n, real *g);
/* *loss ← the sum over n rows, and g (NULL: none) the gradient, from what rows gives for this rank's. */
typedef nnb_status nnb__rows_fn(nnb__fit *f, int row0, int n, double *loss, real *g);
nnb_status nnb__fit_sum(nnb__fit *f, int n, nnb__rows_fn *rows, double *loss, real *g);
/* Whether the options are in range and the data suit the sealed net. */
nnb_status nnb__fit_check(const nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts);
/* The report of a fit that has not begun. */
nnb_report nnb__fit_no_report(nnb_algo algo);

/* fit.c: for a fit of a copy that nobody is to hear of: no callbacks, lines, files or metrics. */
void nnb__fit_quiet(nnb_fit_opts *opts);

/* fit_ranks.c: nnb_fit with .comm, by all ranks.  status: how the call fared before. */
nnb_status nnb__fit_ranks(nnb_net *net, const nnb_data *train, const nnb_data *val, const nnb_fit_opts *opts,
                          nnb_status status, double began, nnb_report *report);

/* epoch.c: with a validation set, the parameters at the start are epoch 0, the first candidate for the best, unless
 * their loss is not finite. */
void nnb__fit_judge_start(nnb__fit *f);
/* Ends an epoch.  The net has the parameters of its end; rec has its number, updates, samples, loss and seconds.
 * Validates, keeps the best parameters and the history, calls on_epoch, and sets report.stop. */
nnb_status nnb__fit_end_epoch(nnb__fit *f, nnb_record *rec);
/* Calls on_epoch and all callbacks, whatever the others return; true: one of them stops the training. */
bool nnb__fit_call_back(const nnb_fit_opts *opts, const nnb_record *rec);
/* The limit of the options that an epoch with this record has reached; NNB_STOP_NONE: none. */
nnb_stop nnb__fit_at_limit(const nnb__fit *f, const nnb_record *rec);
/* Record i of the history ← rec, with its metrics. */
void nnb__fit_put_record(nnb__fit *f, int i, const nnb_record *rec);
/* What the net is trained by so far. */
nnb_training nnb__fit_training(const nnb__fit *f);
/* Makes the last record of the history that of the last epoch. */
void nnb__fit_keep_last_record(nnb__fit *f);

/* fit_metrics.c: numbers in a record for .metrics. */
int nnb__fit_n_values(const nnb_fit_opts *opts);
/* NNB_E_ARG for a metric that has no meaning for the data. */
nnb_status nnb__fit_metrics_check(const nnb_net *net, const nnb_data *data, const nnb_fit_opts *opts);
/* The same, and allocates what measuring needs. */
nnb_status nnb__fit_metrics_open(nnb__fit *f);
/* Measures the net and puts the metrics into rec.  An error is one of a source (broken). */
nnb_status nnb__fit_metrics(nnb__fit *f, nnb_record *rec);
void nnb__fit_metrics_close(nnb__fit *f);

/* fit_batches.c: the epochs of a method that steps from batch to batch. */
nnb_status nnb__fit_batches(nnb__fit *f);

/* fit_checkpoint.c: for a fit that is set up: checks the options, takes the fingerprints of the data, and tries whether
 * the file can be written.  Does nothing without .checkpoint. */
nnb_status nnb__fit_checkpoint_open(nnb__fit *f);
/* .own_rows: the fingerprints of the rows of all ranks. */
nnb_status nnb__fit_checkpoint_join(nnb__fit *f);
/* Continues from the checkpoint of the choices, if there is one, and report.resumed is its epoch.  NNB_E_ARG for
 * another net or other data; NNB_E_PARSE for a malformed file.  After a failure the net is unchanged. */
nnb_status nnb__fit_checkpoint_resume(nnb__fit *f);
/* At the end of an epoch: writes the file if it is due; last: in any case.  A failure is reported and ends nothing. */
void nnb__fit_checkpoint_write(nnb__fit *f, bool last);
/* For the trials before a fit. */
void nnb__fit_without_checkpoint(nnb_fit_opts *opts);

/* fit_source.c: the window that mini-batch training from a source needs, and an epoch of it, whose updates are added to
 * the total. */
nnb_status nnb__fit_open_source(nnb__fit *f);
nnb_status nnb__fit_source_epoch(nnb__fit *f, nnb__total *total);

/* fit_full.c: the epochs of a full-batch method, which are its iterations. */
nnb_status nnb__fit_full(nnb__fit *f);
/* Checks the net and the options for the full-batch method of the fit. */
nnb_status nnb__fit_full_check(const nnb__fit *f);
/* Whether the options and the limit of epochs allow a second descent. */
bool nnb__fit_full_may_repeat(const nnb__fit *f);

#endif
