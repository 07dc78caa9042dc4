/* data/missing.c: what missing numbers become: the mean of their column, computed from the rows of the training. */
#include "alloc.h"
#include "data.h"
#include "status.h"

/* A sum of numbers times SCALE does not overflow. */
#define SCALE 0x1p-32

static bool has_mean(const nnb_column *c) { return c->missing && !c->levels; }

/* The number of row i in a column, followed by 1 if it is missing. */
static real *number_at(const nnb_data *data, const nnb_column *c, int i) {
  return (real *)data->owned[NNB__OWN_X] + (size_t)i * (size_t)data->x.cols + c->first;
}

/* 0 for a column without any value. */
static double mean_of(const nnb_data *data, const nnb_column *c) {
  double sum = 0;
  int n = 0;
  for (int i = 0; i < data->x.rows; i++) {
    const real *x = number_at(data, c, i);
    if (x[1] != 1) sum += (double)x[0] * SCALE, n++;
  }
  return n > 0 ? sum / n / SCALE : 0;
}

void nnb__data_find_means(nnb_data *data) {
  for (int k = 0; data->columns && k < data->columns->n; k++) {
    nnb_column *c = &data->columns->column[k];
    if (has_mean(c)) c->mean = mean_of(data, c);
  }
}

static nnb_status fill_column(nnb_data *data, const nnb_column *c) {
  const real mean = (real)c->mean;
  if (!isfinite(mean))
    return nnb__fail(NNB_E_NUMERIC, "the mean of input column %d, %g, is infinite in this precision", c->first + 1,
                     c->mean);
  for (int i = 0; i < data->x.rows; i++) {
    real *x = number_at(data, c, i);
    if (x[1] == 1) x[0] = mean;
  }
  return NNB_OK;
}

nnb_status nnb__data_fill_missing(nnb_data *data) {
  nnb_status status = NNB_OK;
  for (int k = 0; data->columns && k < data->columns->n && !status; k++)
    if (has_mean(&data->columns->column[k])) status = fill_column(data, &data->columns->column[k]);
  return status;
}

nnb_status nnb__data_impute(nnb_data *train, nnb_data *test) {
  nnb__data_find_means(train);
  for (int k = 0; train->columns && k < train->columns->n; k++)
    test->columns->column[k].mean = train->columns->column[k].mean;
  nnb_status status = nnb__data_fill_missing(train);
  return status ? status : nnb__data_fill_missing(test);
}
