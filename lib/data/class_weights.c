/* data/class_weights.c: row weights by class, for classes of unequal size. */
#include <math.h>

#include "alloc.h"
#include "data.h"
#include "status.h"

static nnb_status check(const nnb_data *data, const real *weight) {
  if (!data) return nnb__fail(NNB_E_ARG, "data is NULL");
  nnb_status status = nnb__data_in_memory(data, "nnb_data_weigh_classes");
  if (status) return status;
  if (!data->label) return nnb__fail(NNB_E_ARG, "the data has no classes to weigh");
  for (int k = 0; weight && k < data->n_classes; k++)
    if (!(weight[k] >= 0 && weight[k] <= REAL_MAX))
      return nnb__fail(NNB_E_ARG, "weight[%d] is %g; wanted a finite number, 0 or more", k, (double)weight[k]);
  return NNB_OK;
}

static double weight_of(const nnb_data *data, int i) { return data->weight ? (double)data->weight[i] : 1; }

/* factor[k] ← Σ of all weights ÷ (K · Σ of those of class k), K: the classes that have rows of positive weight.  The
 * sum of all weights stays. */
static void balance(const nnb_data *data, double *factor) {
  double sum = 0;
  int present = 0;
  for (int k = 0; k < data->n_classes; k++) factor[k] = 0;
  for (int i = 0; i < data->x.rows; i++) factor[data->label[i]] += weight_of(data, i), sum += weight_of(data, i);
  for (int k = 0; k < data->n_classes; k++) present += factor[k] > 0;
  for (int k = 0; k < data->n_classes; k++)
    if (factor[k] > 0) factor[k] = sum / (present * factor[k]);
}

nnb_status nnb_data_weigh_classes(nnb_data *data, const real *weight) {
  nnb_status status = check(data, weight);
  if (status) return status;
  const int N = data->x.rows;
  double *factor = nnb__alloc((size_t)data->n_classes, sizeof *factor);
  real *product = nnb__alloc((size_t)N, sizeof *product);
  if (!factor || !product) {
    nnb__release(factor), nnb__release(product);
    return nnb__fail_nomem("the weights");
  }
  for (int k = 0; weight && k < data->n_classes; k++) factor[k] = (double)weight[k];
  if (!weight) balance(data, factor);
  for (int i = 0; i < N && !status; i++) {
    product[i] = (real)(weight_of(data, i) * factor[data->label[i]]);
    if (!isfinite(product[i]))
      status = nnb__fail(NNB_E_ARG, "the weight %g of row %d times %g, that of its class, is too large",
                         weight_of(data, i), i + 1, factor[data->label[i]]);
  }
  nnb__release(factor);
  if (status)
    nnb__release(product);
  else
    nnb__data_own_weights(data, product);
  return status;
}
