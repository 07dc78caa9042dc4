/* data/data_scale.c: shift and factor that bring columns to mean 0 and deviation 1, or to [0, 1]. */
#include "alloc.h"
#include "data.h"
#include "status.h"
#include "view.h"

/* The statistics of one column.  The mean is summed as Σ x/N, so that large numbers do not overflow. */
typedef struct column {
  double min, max, mean, error, square; /* error: Σ (x - mean), a rounding error; square: Σ (x - mean)² */
} column;

static void extremes_and_means(nnb_cmat m, column *c) {
  const real *row = m.p;
  for (int j = 0; j < m.cols; j++) c[j] = (column){.min = (double)row[j], .max = (double)row[j]};
  for (int i = 0; i < m.rows; i++) {
    row = nnb__crow(m, i);
    for (int j = 0; j < m.cols; j++) {
      double x = (double)row[j];
      c[j].min = x < c[j].min ? x : c[j].min;
      c[j].max = x > c[j].max ? x : c[j].max;
      c[j].mean += x / m.rows;
    }
  }
}

static void squares(nnb_cmat m, column *c) {
  for (int i = 0; i < m.rows; i++) {
    const real *row = nnb__crow(m, i);
    for (int j = 0; j < m.cols; j++) {
      double d = (double)row[j] - c[j].mean;
      c[j].error += d;
      c[j].square += d * d;
    }
  }
}

/* Corrected two-pass variance (Chan, Golub and LeVeque 1983): (Σd² - (Σd)²/N) / N */
static double deviation(const column *c, int n) {
  double sum = c->square - c->error * c->error / n;
  return sqrt((sum > 0 ? sum : 0) / n);
}

/* False if the range, or x - shift, exceeds the precision. */
static bool finish(const column *c, int n, nnb_scaling scaling, real *shift, real *factor) {
  bool minmax = scaling == NNB_MINMAX;
  double spread = minmax ? c->max - c->min : deviation(c, n);
  *shift = (real)(minmax || c->min == c->max ? c->min : c->mean + c->error / n);
  *factor = (real)(1 / spread);
  if (c->min == c->max || !(*factor > 0 && *factor <= REAL_MAX)) *factor = 1;
  return spread <= (double)REAL_MAX && c->max - c->min <= (double)REAL_MAX;
}

nnb_status nnb__data_scaler(const nnb_data *data, bool targets, nnb_scaling scaling, real *shift, real *factor) {
  nnb_status status = nnb__data_in_memory(data, "scaling");
  if (status) return status;
  nnb_cmat m = targets ? data->t : data->x;
  if (!m.p) return nnb__fail(NNB_E_ARG, "the data has no numeric targets");
  if (scaling != NNB_STANDARDIZE && scaling != NNB_MINMAX)
    return nnb__fail(NNB_E_ARG, "scaling is %d; wanted a value of nnb_scaling", (int)scaling);
  column *c = nnb__alloc((size_t)m.cols, sizeof *c);
  if (!c) return nnb__fail_nomem("the columns' statistics");
  extremes_and_means(m, c);
  if (scaling == NNB_STANDARDIZE) squares(m, c);
  for (int j = 0; j < m.cols && !status; j++)
    if (!finish(&c[j], m.rows, scaling, &shift[j], &factor[j]))
      status = nnb__fail(NNB_E_NUMERIC, "column %d has values from %g to %g; this range is too large to scale", j + 1,
                         c[j].min, c[j].max);
  nnb__release(c);
  return status;
}
