/* train/predict.c: predictions and their derivatives for any number of rows, with a plan for the call. */
#include "alloc.h"
#include "classes.h"
#include "ints.h"
#include "plan.h"
#include "status.h"

enum { CHUNK = 1024 };

nnb_status nnb_net_predict(const nnb_net *net, nnb_cmat x, nnb_mat y) {
  nnb_plan *plan = NULL;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status && y.rows != x.rows) status = nnb__fail(NNB_E_SHAPE, "y has %d row(s); x has %d", y.rows, x.rows);
  if (!status)
    status = nnb__plan_make(nnb__net_sealable(net), &(nnb_plan_opts){.max_rows = nnb__smaller(x.rows, CHUNK)}, &plan);
  for (int r = 0, n; !status && (n = nnb__chunk(x.rows, r, CHUNK)) > 0; r += n)
    status = nnb_plan_predict(plan, nnb__crows(x, r, n), nnb__rows(y, r, n));
  nnb_plan_destroy(plan);
  return status;
}

nnb_status nnb_net_jacobian(const nnb_net *net, nnb_cmat x, nnb_mat J) {
  nnb_plan *plan = NULL;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status) status = nnb__check_jacobian(net, x.rows, J);
  if (status) return status;
  const nnb_plan_opts opts = {.max_rows = nnb__smaller(x.rows, CHUNK), .want = NNB_DX};
  status = nnb__plan_make(nnb__net_sealable(net), &opts, &plan);
  for (int r = 0, n; !status && (n = nnb__chunk(x.rows, r, CHUNK)) > 0; r += n)
    status = nnb_plan_jacobian(plan, nnb__crows(x, r, n), (nnb_mat){0}, nnb__rows(J, r, n));
  nnb_plan_destroy(plan);
  return status;
}

static nnb_status check_rows(nnb_cmat x, nnb_cmat m, const char *name) {
  if (!m.p) return nnb__fail(NNB_E_ARG, "%s is NULL", name);
  return m.rows == x.rows ? NNB_OK : nnb__fail(NNB_E_SHAPE, "%s has %d row(s); x has %d", name, m.rows, x.rows);
}

/* A plan for some of the rows of x; checks x and u. */
static nnb_status start(const nnb_net *net, nnb_cmat x, nnb_cmat u, unsigned want, nnb_plan **plan) {
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status) status = check_rows(x, u, "u");
  if (status) return status;
  const nnb_plan_opts opts = {.max_rows = nnb__smaller(x.rows, CHUNK), .want = want};
  return nnb__plan_make(nnb__net_sealable(net), &opts, plan);
}

nnb_status nnb_net_jvp(const nnb_net *net, nnb_cmat x, nnb_cmat u, nnb_mat dy) {
  nnb_plan *plan = NULL;
  nnb_status status = start(net, x, u, NNB_DX, &plan);
  if (!status) status = check_rows(x, nnb__read(dy), "dy");
  for (int r = 0, n; !status && (n = nnb__chunk(x.rows, r, CHUNK)) > 0; r += n)
    status = nnb_plan_jvp(plan, nnb__crows(x, r, n), nnb__crows(u, r, n), nnb__rows(dy, r, n));
  nnb_plan_destroy(plan);
  return status;
}

nnb_status nnb_net_hvp(const nnb_net *net, nnb_cmat x, nnb_cmat v, nnb_cmat u, nnb_mat h) {
  nnb_plan *plan = NULL;
  nnb_status status = start(net, x, u, NNB_SECOND, &plan);
  if (!status) status = check_rows(x, v, "v");
  if (!status) status = check_rows(x, nnb__read(h), "h");
  for (int r = 0, n; !status && (n = nnb__chunk(x.rows, r, CHUNK)) > 0; r += n)
    status = nnb_plan_hvp(plan, nnb__crows(x, r, n), nnb__crows(v, r, n), nnb__crows(u, r, n), nnb__rows(h, r, n));
  nnb_plan_destroy(plan);
  return status;
}

/* The net must give one class per row: it has one output, and that is not several labels. */
static nnb_status check_classes(const nnb_net *net) {
  nnb_status status = nnb__check_one_output(net);
  for (int k = 0; k < net->n_nodes && !status; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col < 0 || node->needs.cols == 1 || !(nnb__net_loss_ops(net, node)->traits & NNB_LOSS_LABELS))
      continue;
    status = nnb__fail(
        NNB_E_UNSUPPORTED,
        "the output %s with the loss %s gives %d label(s) per row, not one class; use nnb_net_predict: a label "
        "is true if its output is above 0.5",
        node->name, nnb__net_loss_ops(net, node)->name, node->needs.cols);
  }
  return status;
}

/* Computes the classes of a chunk of rows from row0 on; y is memory for its outputs. */
static nnb_status classify(nnb_plan *plan, nnb_cmat x, int row0, nnb_mat y, int32_t *label) {
  nnb_status status = nnb_plan_predict(plan, nnb__crows(x, row0, y.rows), y);
  for (int i = 0; i < y.rows && !status; i++) {
    int k = nnb__class_of(y.cols, nnb__row(y, i));
    if (k < 0) return nnb__fail(NNB_E_NUMERIC, "an output of row %d (counted from 1) is NaN", row0 + i + 1);
    label[row0 + i] = k;
  }
  return status;
}

nnb_status nnb_net_classify(const nnb_net *net, nnb_cmat x, int32_t *label) {
  nnb_plan *plan = NULL;
  size_t size;
  if (!label) return nnb__fail(NNB_E_ARG, "label is NULL");
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_x(net, x, 0);
  if (!status) status = check_classes(net);
  if (status) return status;
  const int rows = nnb__smaller(x.rows, CHUNK);
  if (!nnb__mul((size_t)rows, (size_t)net->n_y, &size))
    return nnb__fail(NNB_E_OVERFLOW, "the net has too many outputs");
  real *outputs = nnb__alloc(size, sizeof *outputs);
  if (!outputs) return nnb__fail_nomem("the outputs of a classification");
  status = nnb__plan_make(nnb__net_sealable(net), &(nnb_plan_opts){.max_rows = rows}, &plan);
  for (int r = 0, n; !status && (n = nnb__chunk(x.rows, r, CHUNK)) > 0; r += n)
    status = classify(plan, x, r, nnb_view(outputs, n, net->n_y), label);
  nnb_plan_destroy(plan);
  nnb__release(outputs);
  return status;
}
