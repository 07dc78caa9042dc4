/* train/fit_choices.h: what was chosen before a fit by one method.  Checkpoints have it, so that a fit that is resumed
 * does not choose again. */
#ifndef NNB__FIT_CHOICES_H
#define NNB__FIT_CHOICES_H

#include "bag.h"
#include "bytes.h"
#include "comm.h"
#include "real.h"

typedef struct nnb__choices {
  const nnb_fit_opts *asked; /* the caller's options */
  int choice, trials;        /* by NNB_AUTO: nnb_choice; number of trials */
  int held_rows;             /* rows that it holds out */
  double held_loss;
  double held_share; /* of the rows, as for nnb_data_split; 0: none is held out */
  int starts, start; /* number of starts, and the best one */
  bool resumes;      /* bag has the checkpoint that the fit continues from */
  nnb__bag bag;      /* borrows file */
  nnb__bytes file;
} nnb__choices;

/* With .resume and a file: reads it, with the choices of that fit, and *opts ← its options, apart from those that the
 * caller has changed.  NNB_E_ARG for a change that is not allowed; NNB_E_PARSE for a malformed file.  comm, or NULL:
 * all ranks get the file of rank 0. */
nnb_status nnb__choices_open(nnb__choices *c, nnb__comm *comm, nnb_fit_opts *opts);
void nnb__choices_close(nnb__choices *c);

/* Into a checkpoint: the choices, and the options of the fit. */
nnb_status nnb__choices_put(const nnb__choices *c, const nnb_fit_opts *opts, nnb__bag *bag);
/* Into a report. */
void nnb__choices_report(const nnb__choices *c, nnb_report *report);

/* Adds to the message of a failure that it is this file that cannot be continued from. */
nnb_status nnb__choices_explain(const char *path, nnb_status status);

#endif
