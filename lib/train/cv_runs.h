/* train/cv_runs.h: the runs of cross-validations, spread over threads. */
#ifndef NNB__CV_RUNS_H
#define NNB__CV_RUNS_H

#include <pthread.h>

#include "cv_report.h"
#include "net.h"

/* A net and the options that each run trains a copy of it with. */
typedef struct nnb__cv_case {
  const nnb_net *net;
  nnb_fit_opts fit;
  nnb__cv_result result; /* of n_runs, zeros; a run that has ended has train_rows */
  nnb_status status;     /* of the first run that failed, or NNB_OK … */
  int failed;            /* … its number … */
  char *message;         /* … and its message, from nnb__alloc */
} nnb__cv_case;

typedef struct nnb__cv {
  const nnb_data *data;
  nnb_cv_opts opts;          /* complete */
  const nnb_fit_opts *given; /* whose on_epoch and user are called */
  unsigned metrics;          /* of the rows held out, besides nnb_metrics */
  int n_runs;                /* of each case: folds·repeats */
  nnb__cv_case *cases;
  int n_cases;
  double deadline;       /* nnb__now() at which runs end; 0: none */
  int done, all;         /* runs, for on_run */
  bool stopped, late;    /* by a callback; by the deadline */
  pthread_mutex_t *lock; /* of done, stopped, late, the status of the cases, and the callbacks */
} nnb__cv;

/* Checks fit and opts, and fills data, opts, given, metrics, n_runs.  fit or given NULL: all defaults. */
nnb_status nnb__cv_begin(nnb__cv *cv, const nnb_data *data, const nnb_fit_opts *fit, const nnb_cv_opts *opts);

/* Weighs the classes of rows to be trained on, if the options say so. */
nnb_status nnb__cv_weigh(const nnb_cv_opts *opts, nnb_data *train);

/* Room for the results of a case. */
nnb_status nnb__cv_case_open(const nnb__cv *cv, nnb__cv_case *c);
/* {0} is accepted. */
void nnb__cv_case_close(nnb__cv_case *c);

/* Runs all cases.  A run that failed is in its case.  NNB_E_NOMEM if one was out of memory; NNB_E_OVERFLOW. */
nnb_status nnb__cv_run_all(nnb__cv *cv);

#endif
