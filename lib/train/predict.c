/* train/predict.c: predictions of any number of rows, with a plan for the call. */
#include "alloc.h"
#include "plan.h"
#include "status.h"

enum { CHUNK = 1024 };

static int at_most(int n, int limit) { return n < limit ? n : limit; }

nnb_status nnb_net_predict(nnb_net *net, nnb_cmat x, nnb_mat y) {
  nnb_plan *plan = NULL;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status && y.rows != x.rows) status = nnb__fail(NNB_E_SHAPE, "y has %d rows, x has %d", y.rows, x.rows);
  if (!status) status = nnb_plan_create(net, &(nnb_plan_opts){.max_rows = at_most(x.rows, CHUNK)}, &plan);
  for (int r = 0; r < x.rows && !status; r += CHUNK) {
    int n = at_most(x.rows - r, CHUNK);
    status = nnb_plan_predict(plan, nnb__crows(x, r, n), nnb__rows(y, r, n));
  }
  nnb_plan_destroy(plan);
  return status;
}

static int32_t class_of(int n, const real *y) {
  int best = 0;
  if (n == 1) return y[0] > (real)0.5;
  for (int j = 1; j < n; j++)
    if (y[j] > y[best]) best = j;
  return best;
}

nnb_status nnb_net_classify(nnb_net *net, nnb_cmat x, int32_t *label) {
  if (!label) return nnb__fail(NNB_E_ARG, "label is NULL");
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (status) return status;
  int rows = at_most(x.rows, CHUNK);
  nnb_mat y = {nnb__alloc((size_t)rows * (size_t)net->n_y, sizeof(real)), rows, net->n_y, net->n_y};
  if (!y.p) return nnb__fail_nomem("the outputs of a classification");
  for (int r = 0; r < x.rows && !status; r += CHUNK) {
    int n = at_most(x.rows - r, CHUNK);
    status = nnb_net_predict(net, nnb__crows(x, r, n), nnb__rows(y, 0, n));
    for (int i = 0; i < n && !status; i++) label[r + i] = class_of(net->n_y, nnb__row(y, i));
  }
  nnb__release(y.p);
  return status;
}
