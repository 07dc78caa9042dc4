/* base/record.c: the metrics of a record. */
#include <math.h>

#include "nnblas/core.h"

static int count(unsigned flags) {
  int n = 0;
  for (; flags; flags &= flags - 1) n++;
  return n;
}

/* Values are in the order of their flags, those of .metrics first. */
static double value_of(const nnb_record *r, unsigned flags, unsigned metric, int before) {
  const bool one = metric && (metric & (metric - 1)) == 0;
  if (!r->values || !one || !(flags & metric)) return (double)NAN;
  return r->values[before + count(flags & (metric - 1))];
}

double nnb_record_metric(const nnb_record *r, nnb_metric metric) {
  return r ? value_of(r, r->metrics, (unsigned)metric, 0) : (double)NAN;
}

double nnb_record_train_metric(const nnb_record *r, nnb_metric metric) {
  return r ? value_of(r, r->train_metrics, (unsigned)metric, count(r->metrics)) : (double)NAN;
}
