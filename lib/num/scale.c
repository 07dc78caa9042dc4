/* num/scale.c: column scalers, x' = (x - shift)·factor. */
#include "view.h"

void nnb_scale(nnb_mat x, const real *shift, const real *factor) {
  if (!x.p || !shift || !factor) return;
  for (int i = 0; i < x.rows; i++) {
    real *row = nnb__row(x, i);
    for (int j = 0; j < x.cols; j++) row[j] = (row[j] - shift[j]) * factor[j];
  }
}

void nnb_unscale(nnb_mat x, const real *shift, const real *factor) {
  if (!x.p || !shift || !factor) return;
  for (int i = 0; i < x.rows; i++) {
    real *row = nnb__row(x, i);
    for (int j = 0; j < x.cols; j++) row[j] = row[j] / factor[j] + shift[j];
  }
}
