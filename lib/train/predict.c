/* train/predict.c: predictions of any number of rows, with a plan for the call. */
#include "alloc.h"
#include "classes.h"
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

/* The rows of one chunk, by way of y, which has room for them. */
static nnb_status classify(nnb_plan *plan, nnb_cmat x, nnb_mat y, int32_t *label) {
  nnb_status status = nnb_plan_predict(plan, x, y);
  for (int i = 0; i < y.rows && !status; i++) label[i] = nnb__class_of(y.cols, nnb__row(y, i));
  return status;
}

nnb_status nnb_net_classify(nnb_net *net, nnb_cmat x, int32_t *label) {
  nnb_plan *plan = NULL;
  size_t size;
  if (!label) return nnb__fail(NNB_E_ARG, "label is NULL");
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status) status = nnb__check_one_output(net);
  if (status) return status;
  int rows = at_most(x.rows, CHUNK);
  if (!nnb__mul((size_t)rows, (size_t)net->n_y, &size))
    return nnb__fail(NNB_E_OVERFLOW, "the net has too many outputs");
  real *room = nnb__alloc(size, sizeof *room);
  if (!room) return nnb__fail_nomem("the outputs of a classification");
  status = nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows}, &plan);
  for (int r = 0; r < x.rows && !status; r += CHUNK) {
    int n = at_most(x.rows - r, CHUNK);
    status = classify(plan, nnb__crows(x, r, n), nnb_view(room, n, net->n_y), label + r);
  }
  nnb_plan_destroy(plan);
  nnb__release(room);
  return status;
}
