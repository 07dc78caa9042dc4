/* train/classes.h: the class that a row of outputs predicts. */
#ifndef NNB__CLASSES_H
#define NNB__CLASSES_H

#include "real.h"

/* The index of the largest of n outputs, the first of equals; for a single output 1 above ½, else 0.  -1 if an output
 * is NaN. */
static inline int nnb__class_of(int n, const real *y) {
  int best = 0;
  for (int j = 0; j < n; j++) {
    if (isnan(y[j])) return -1;
    if (y[j] > y[best]) best = j;
  }
  return n > 1 ? best : y[0] > (real)0.5;
}

#endif
