/* train/classes.h: the class that a row of outputs names. */
#ifndef NNB__CLASSES_H
#define NNB__CLASSES_H

#include <string.h>

#include "real.h"
#include "status.h"

/* The largest of n outputs, the first of equals; a single output: 1 above ½, else 0. */
static inline int nnb__class_of(int n, const real *y) {
  int best = 0;
  if (n == 1) return y[0] > (real)0.5;
  for (int j = 1; j < n; j++)
    if (y[j] > y[best]) best = j;
  return best;
}

/* NNB_E_SHAPE where the net and the data both name a class and the names differ: the numbers would mean other classes.
 */
static inline nnb_status nnb__check_class_names(const nnb_net *net, const nnb_data *data) {
  for (int k = 0; k < nnb_data_n_classes(data); k++) {
    const char *ours = nnb_net_class_name(net, k), *theirs = nnb_data_class_name(data, k);
    if (ours && theirs && strcmp(ours, theirs) != 0)
      return nnb__fail(NNB_E_SHAPE,
                       "class %d is \"%.60s\" in the net and \"%.60s\" in the data: read it with .class_names", k, ours,
                       theirs);
  }
  return NNB_OK;
}

#endif
