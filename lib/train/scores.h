/* train/scores.h: the sums that all metrics are computed from.  Not typed: compiled once.  tally.h adds rows to them.
 */
#ifndef NNB__SCORES_H
#define NNB__SCORES_H

#include "nnblas/core.h"

/* A class, a label, or a column of targets.  Sums are over rows, times their weights. */
typedef struct nnb__part {
  int question;                   /* that it belongs to; -1: a column of values only */
  char *name;                     /* or NULL */
  double truth, predicted, right; /* rows that are it; that are predicted as it; both */
  double area;                    /* under the ROC curve; NaN: not computed, or there are not two kinds of rows */
  double center;                  /* the first target that counts, which avoids cancellation */
  double t_sum, t_squares;        /* Σ (t - center), Σ (t - center)² */
  double squares, absolute;       /* Σ (t - a)², Σ |t - a| */
} nnb__part;

/* What a row answers: one class of n, or whether one label is true. */
typedef struct nnb__question {
  bool label;
  int col, cols;     /* of the outputs and the targets */
  int part, n_parts; /* one column with two classes has two */
  double right;      /* rows with the right answer */
  double log_loss;   /* Σ -log p; NaN if an output is not within 0 … 1 */
  double *confusion; /* n_parts×n_parts: true classes × predicted ones; NULL: not wanted */
} nnb__question;

struct nnb_scores {
  int n_parts, n_questions;
  nnb__part *part;
  nnb__question *question;
  bool has_t;    /* the parts are columns of targets too */
  double weight; /* Σ weight */
};

/* Room for parts and questions, all zero; NNB_E_NOMEM. */
nnb_status nnb__scores_new(int n_parts, int n_questions, nnb_scores **out);
/* All sums ← 0. */
void nnb__scores_clear(nnb_scores *scores);
/* NNB_E_ARG for flags of metrics that have no meaning for these parts. */
nnb_status nnb__scores_check(const nnb_scores *scores, unsigned metrics);
/* The number of metrics in flags. */
int nnb__count_metrics(unsigned metrics);
/* value ← the metrics of these flags, in the order of NNB_METRIC_LIST; returns the place behind the last one. */
double *nnb__scores_put(const nnb_scores *scores, unsigned metrics, double *value);

#endif
