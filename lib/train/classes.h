/* train/classes.h: the class that a row of outputs names. */
#ifndef NNB__CLASSES_H
#define NNB__CLASSES_H

#include "real.h"

/* The largest of n outputs, the first of equals; a single output: 1 above ½, else 0. */
static inline int nnb__class_of(int n, const real *y) {
  int best = 0;
  if (n == 1) return y[0] > (real)0.5;
  for (int j = 1; j < n; j++)
    if (y[j] > y[best]) best = j;
  return best;
}

#endif
