/* data/data_scale.c: shift and factor that bring columns to mean 0 and deviation 1, or to [0, 1]. */
#include "alloc.h"
#include "data.h"
#include "source.h"
#include "status.h"
#include "view.h"

/* The statistics of one column.  The mean is summed as Σ x/N, so that large numbers do not overflow. */
typedef struct column {
  double min, max, mean, error, square; /* error: Σ (x - mean), a rounding error; square: Σ (x - mean)² */
} column;

/* Adds rows, of N in all. */
typedef void add_fn(nnb_cmat m, int N, column *c);

static void extremes_and_means(nnb_cmat m, int N, column *c) {
  for (int i = 0; i < m.rows; i++) {
    const real *row = nnb__crow(m, i);
    for (int j = 0; j < m.cols; j++) {
      double x = (double)row[j];
      c[j].min = x < c[j].min ? x : c[j].min;
      c[j].max = x > c[j].max ? x : c[j].max;
      c[j].mean += x / N;
    }
  }
}

static void squares(nnb_cmat m, int N, column *c) {
  (void)N;
  for (int i = 0; i < m.rows; i++) {
    const real *row = nnb__crow(m, i);
    for (int j = 0; j < m.cols; j++) {
      double d = (double)row[j] - c[j].mean;
      c[j].error += d;
      c[j].square += d * d;
    }
  }
}

/* A pass over all rows. */
static nnb_status pass(nnb__window *w, bool targets, add_fn *add, column *c) {
  const int N = w->data->x.rows;
  nnb_status status = NNB_OK;
  for (int r = 0, n; r < N && !status; r += n) {
    nnb_batch rows;
    n = N - r < w->rows ? N - r : w->rows;
    status = nnb__window_rows(w, r, n, &rows);
    if (!status) add(targets ? rows.t : rows.x, N, c);
  }
  return status;
}

static nnb_status survey(const nnb_data *data, bool targets, nnb_scaling scaling, int cols, column *c) {
  const int N = data->x.rows;
  nnb__window w;
  nnb_status status = nnb__window_open(&w, data, N < NNB__PASS ? N : NNB__PASS);
  if (status) return status;
  for (int j = 0; j < cols; j++) c[j] = (column){.min = HUGE_VAL, .max = -HUGE_VAL};
  status = pass(&w, targets, extremes_and_means, c);
  if (!status && scaling == NNB_STANDARDIZE) status = pass(&w, targets, squares, c);
  nnb__window_close(&w);
  return status;
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
  const int N = data->x.rows, cols = targets ? data->t.cols : data->x.cols;
  if (cols < 1) return nnb__fail(NNB_E_ARG, "the data has no numeric targets");
  if (scaling != NNB_STANDARDIZE && scaling != NNB_MINMAX)
    return nnb__fail(NNB_E_ARG, "scaling is %d; wanted a value of nnb_scaling", (int)scaling);
  column *c = nnb__alloc((size_t)cols, sizeof *c);
  nnb_status status = c ? survey(data, targets, scaling, cols, c) : nnb__fail_nomem("the columns' statistics");
  for (int j = 0; j < cols && !status; j++)
    if (!finish(&c[j], N, scaling, &shift[j], &factor[j]))
      status = nnb__fail(NNB_E_NUMERIC, "column %d has values from %g to %g; this range is too large to scale", j + 1,
                         c[j].min, c[j].max);
  nnb__release(c);
  return status;
}
