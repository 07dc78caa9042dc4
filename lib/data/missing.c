/* data/missing.c: missing numbers become the mean of their column. */
#include "columns.h"
#include "data.h"
#include "status.h"
#include "view.h"

void nnb__data_fill_rows(const nnb_columns *columns, nnb_mat x) {
  for (int k = 0; columns && k < columns->n; k++) {
    const nnb_column *c = &columns->column[k];
    for (int i = 0; nnb__column_has_mean(c) && i < x.rows; i++) {
      real *p = nnb__row(x, i) + c->first;
      if (p[1] == 1) p[0] = (real)c->mean;
    }
  }
}

nnb_status nnb__data_fill_missing(nnb_data *data) {
  for (int k = 0; data->columns && k < data->columns->n; k++) {
    const nnb_column *c = &data->columns->column[k];
    if (nnb__column_has_mean(c) && !isfinite((real)c->mean))
      return nnb__fail(NNB_E_NUMERIC, "the mean of input column %d, %g, is infinite in this precision", c->first + 1,
                       c->mean);
  }
  if (!nnb__data_is_read(data))
    nnb__data_fill_rows(data->columns, nnb_view(data->owned[NNB__OWN_X], data->x.rows, data->x.cols));
  return NNB_OK;
}
