/* train/tally.h: a net's predictions of data, added to the sums of its scores. */
#ifndef NNB__TALLY_H
#define NNB__TALLY_H

#include "net.h"
#include "scores.h"
#include "source.h"

enum { NNB__WANT_AREAS = 1, NNB__WANT_CONFUSION = 2 };

/* Made once; measures the net on the data as often as wanted, without an allocation. */
typedef struct nnb__tally {
  nnb_net *net;
  const nnb_data *data;
  nnb_plan *plan;
  nnb__window window;
  real *outputs;     /* of a chunk, or with kept of all rows: rows×n_y */
  unsigned char *is; /* with kept: N×n_parts, whether a row is of a class or a label true */
  real *weight;      /* with kept: N */
  void *ranked;      /* with kept: 2·N, for a class at a time */
  bool kept;
  nnb_scores *scores;
} nnb__tally;

/* NNB_E_ARG for flags of metrics that have no meaning for this data and net. */
nnb_status nnb__tally_check(const nnb_net *net, const nnb_data *data, unsigned metrics);
/* Checks the data and allocates.  want: NNB__WANT_….  After a failure nothing is left to close. */
nnb_status nnb__tally_open(nnb__tally *t, nnb_net *net, const nnb_data *data, unsigned want, int threads);
/* Fills t->scores; *loss ← the net's loss, unless loss is NULL.  NNB_E_NUMERIC if that is not finite. */
nnb_status nnb__tally_run(nnb__tally *t, double *loss);
void nnb__tally_close(nnb__tally *t);

#endif
