/* data/means.c: the means that missing numbers become, computed from the rows of the training. */
#include "alloc.h"
#include "source.h"
#include "status.h"
#include "view.h"

/* A sum of numbers times SCALE does not overflow. */
#define SCALE 0x1p-32

typedef struct sum {
  double of; /* times SCALE */
  int n;
} sum;

static void add_rows(const nnb_columns *columns, nnb_cmat x, sum *sums) {
  for (int k = 0; k < columns->n; k++) {
    const nnb_column *c = &columns->column[k];
    for (int i = 0; nnb__column_has_mean(c) && i < x.rows; i++) {
      const real *p = nnb__crow(x, i) + c->first;
      if (p[1] != 1) sums[k].of += (double)p[0] * SCALE, sums[k].n++;
    }
  }
}

static nnb_status add_all(const nnb_data *data, sum *sums) {
  const int N = data->x.rows, most = N < NNB__PASS ? N : NNB__PASS;
  nnb__window w;
  nnb_status status = nnb__window_open(&w, data, most);
  if (status) return status;
  for (int r = 0, n; r < N && !status; r += n) {
    nnb_batch rows;
    n = N - r < most ? N - r : most;
    status = nnb__window_rows(&w, r, n, &rows);
    if (!status) add_rows(data->columns, rows.x, sums);
  }
  nnb__window_close(&w);
  return status;
}

nnb_status nnb__data_find_means(nnb_data *data) {
  bool needed = false;
  const int n = data->columns ? data->columns->n : 0;
  for (int k = 0; k < n; k++) needed |= nnb__column_has_mean(&data->columns->column[k]);
  if (!needed) return NNB_OK;
  sum *sums = nnb__zalloc((size_t)n, sizeof *sums);
  nnb_status status = sums ? add_all(data, sums) : nnb__fail_nomem("the means");
  for (int k = 0; k < n && !status; k++) {
    nnb_column *c = &data->columns->column[k];
    if (nnb__column_has_mean(c)) c->mean = sums[k].n > 0 ? sums[k].of / sums[k].n / SCALE : 0;
  }
  nnb__release(sums);
  return status;
}

nnb_status nnb__data_impute(nnb_data *train, nnb_data *test) {
  nnb_status status = nnb__data_find_means(train);
  for (int k = 0; train->columns && k < train->columns->n; k++)
    test->columns->column[k].mean = train->columns->column[k].mean;
  if (!status) status = nnb__data_fill_missing(train);
  return status ? status : nnb__data_fill_missing(test);
}
