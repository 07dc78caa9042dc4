/* cli/make.h: a net for a table, and its training, for `train`, `cv` and `search`. */
#ifndef MAKE_H
#define MAKE_H

#include <argp.h>
#include <nnblas.h>
#include <stdbool.h>

#include "fit_flags.h"
#include "table.h"

enum { MOST_WEIGHTS = 256 };

typedef struct make_flags {
  const char *path; /* the table */
  table_flags table;
  fit_flags fit;
  bool stream;        /* rows stay in the table's file */
  bool fann;          /* the table is a training file of FANN */
  const char *layers; /* hidden layers as nnb_net_parse reads them, "64:relu-32:relu"; "none": none; NULL: not given */
  nnb_loss_opts loss;
  bool balanced;                    /* classes */
  const char *weight[MOST_WEIGHTS]; /* "CLASS=NUMBER" … */
  int n_weights;                    /* … so many */
} make_flags;

/* The argument and the flags: the table, how it is read, the layers, how it is trained, of_copies as in fit_flags.h.
 * For argp's children; input: a make_flags. */
const struct argp *make_flags_argp(bool of_copies);

/* Reads the table, which must have something to learn.  Returns the exit code. */
int read_training_table(const make_flags *flags, nnb_data **data);

/* The hidden layers, also where no flag gives them. */
const char *layers_of(const make_flags *flags);

/* A net for the table, with scaled inputs and targets, not trained.  Returns the exit code, also for a loss that does
 * not suit the targets. */
int draft_net(const nnb_data *data, const make_flags *flags, nnb_net **net);

/* Whether classes have weights; *weight ← one for each class, to be released with free, or NULL if they are balanced.
 * Returns the exit code. */
int class_weights(const nnb_data *data, const make_flags *flags, bool *weighed, double **weight);

/* The same, trained on the table.  Returns the exit code.  After Ctrl-C the net is
 * that of the epochs so far (watch_interrupted). */
int make_net(const nnb_data *data, const make_flags *flags, const char *what, nnb_net **net, nnb_report *report);

#endif
