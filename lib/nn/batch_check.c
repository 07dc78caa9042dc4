/* nn/batch_check.c: checks of batches in public calls. */
#include "batch_check.h"

#include <limits.h>

#include "status.h"
#include "view.h"

static nnb_status check_column(const nnb_net *net, nnb_cmat x, int row0, int c) {
  for (const nnb__node *node = NULL; (node = nnb__net_looks_at(net, c, node));)
    for (int i = 0; i < x.rows; i++) {
      const real value = nnb__crow(x, i)[c];
      if (value >= 0 && value < (real)node->needs.levels && value == R(floor)(value)) continue;
      return nnb__fail(NNB_E_ARG, "x is %g in row %d, column %d (counted from 1); %s needs whole numbers from 0 to %d",
                       (double)value, row0 + i + 1, c + 1, node->name, node->needs.levels - 1);
    }
  return NNB_OK;
}

nnb_status nnb__check_whole(const nnb_net *net, nnb_cmat x, int row0) {
  nnb_status status = NNB_OK;
  for (int c = 0; net->looking > 0 && c < x.cols && !status; c++) status = check_column(net, x, row0, c);
  return status;
}

nnb_status nnb__check_x(const nnb_net *net, nnb_cmat x, int most) {
  if (!x.p) return nnb__fail(NNB_E_ARG, "x is NULL");
  if (x.rows < 1) return nnb__fail(NNB_E_SHAPE, "x has %d row(s); wanted at least 1", x.rows);
  if (x.cols != net->n_x)
    return nnb__fail(NNB_E_SHAPE, "x has %d column(s); the net has %d input(s)", x.cols, net->n_x);
  if (x.ld < x.cols)
    return nnb__fail(NNB_E_SHAPE, "x has a leading dimension of %d; wanted at least %d, its columns", x.ld, x.cols);
  if (most && x.rows > most)
    return nnb__fail(NNB_E_SHAPE, "x has %d row(s); the plan was made for at most %d", x.rows, most);
  return nnb__check_whole(net, x, 0);
}

nnb_status nnb__check_y(const nnb_net *net, int rows, nnb_cmat y, const char *name) {
  if (!y.p) return nnb__fail(NNB_E_ARG, "%s is NULL", name);
  if (y.rows != rows || y.cols != net->n_y || y.ld < y.cols)
    return nnb__fail(NNB_E_SHAPE, "%s is %d×%d with leading dimension %d; wanted %d×%d", name, y.rows, y.cols, y.ld,
                     rows, net->n_y);
  return NNB_OK;
}

nnb_status nnb__check_jacobian(const nnb_net *net, int rows, nnb_mat J) {
  if (net->n_x > 0 && net->n_y > INT_MAX / net->n_x)
    return nnb__fail(NNB_E_OVERFLOW, "a Jacobian of %d×%d numbers for each row is too large", net->n_y, net->n_x);
  const int size = net->n_y * net->n_x;
  if (!J.p) return nnb__fail(NNB_E_ARG, "J is NULL");
  if (J.rows != rows || J.cols != size || J.ld < J.cols)
    return nnb__fail(NNB_E_SHAPE, "J is %d×%d (ld %d); wanted %d×%d", J.rows, J.cols, J.ld, rows, size);
  return NNB_OK;
}

nnb_status nnb__check_taylor(const nnb_net *net, int rows, int order, nnb_mat y) {
  if (net->n_y > INT_MAX / (order + 1))
    return nnb__fail(NNB_E_OVERFLOW, "%d derivatives of %d outputs are too many", order + 1, net->n_y);
  const int cols = (order + 1) * net->n_y;
  if (!y.p) return nnb__fail(NNB_E_ARG, "y is NULL");
  if (y.rows == rows && y.cols == cols && y.ld >= cols) return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "y is %d×%d (ld %d); wanted %d×%d", y.rows, y.cols, y.ld, rows, cols);
}

nnb_status nnb__check_one_output(const nnb_net *net) {
  int n = 0;
  for (int i = 0; i < net->n_nodes; i++) n += net->nodes[i].out_col >= 0;
  return n == 1 ? NNB_OK : nnb__fail(NNB_E_SHAPE, "labels are for nets with one output; this one has %d", n);
}

static nnb_status check_labels(const nnb_net *net, const nnb_batch *batch) {
  int classes = net->n_y > 1 ? net->n_y : 2;
  nnb_status status = nnb__check_one_output(net);
  if (status) return status;
  for (int i = 0; i < batch->x.rows; i++)
    if (batch->label[i] < 0 || batch->label[i] >= classes)
      return nnb__fail(NNB_E_SHAPE, "the label of row %d is %d; the net has classes 0 to %d", i + 1,
                       (int)batch->label[i], classes - 1);
  return NNB_OK;
}

static nnb_status check_weights(const nnb_batch *batch) {
  for (int i = 0; batch->weight && i < batch->x.rows; i++)
    if (!(batch->weight[i] >= 0) || isinf(batch->weight[i]))
      return nnb__fail(NNB_E_ARG, "the weight of row %d is %g; wanted a finite number, 0 or more", i + 1,
                       (double)batch->weight[i]);
  return NNB_OK;
}

static nnb_status check_derivatives(const nnb_net *net, const nnb_batch *batch) {
  const nnb_cmat dt = batch->dt;
  if (!dt.p) return NNB_OK;
  if (batch->label) return nnb__fail(NNB_E_ARG, "rows have labels and targets of derivatives; wanted t with them");
  if (dt.rows == batch->x.rows && dt.cols % net->n_x == 0 && dt.cols / net->n_x == net->n_y && dt.ld >= dt.cols)
    return NNB_OK;
  return nnb__fail(NNB_E_SHAPE, "dt is %d×%d (ld %d); wanted %d×(%d·%d): a derivative of each output by each input",
                   dt.rows, dt.cols, dt.ld, batch->x.rows, net->n_y, net->n_x);
}

double nnb__sum_weights(const nnb_batch *batch, const int32_t *order, int row0, int n) {
  double sum = 0;
  if (!batch->weight) return n;
  for (int i = row0; i < row0 + n; i++) sum += (double)batch->weight[order ? order[i] : i];
  return sum > 0 ? fmax(sum, (double)REAL_MIN) : 0;
}

nnb_status nnb__check_weight_sum(double sum) {
  const double least = (double)REAL_MIN, most = 1 / (least * (1 << 20));
  if (sum == 0) return nnb__fail(NNB_E_ARG, "all sample weights are 0; wanted at least one positive weight");
  if (sum > least && sum <= most) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "the sum of the sample weights is %g, too %s to divide by; multiply them all by a number",
                   sum, sum > most ? "large" : "small");
}

nnb_status nnb__check_batch(const nnb_net *net, const nnb_batch *batch, int most) {
  if (!batch) return nnb__fail(NNB_E_ARG, "batch is NULL");
  nnb_status status = nnb__check_x(net, batch->x, most);
  if (status) return status;
  if (!(batch->norm >= 0) || isinf(batch->norm))
    return nnb__fail(NNB_E_ARG, "norm is %g; wanted a finite number, 0 or more", batch->norm);
  if ((status = check_weights(batch))) return status;
  if (batch->norm > 0 && (status = nnb__check_weight_sum(batch->norm)))
    return nnb__fail(status, "norm: %s", nnb_errmsg());
  const double sum = nnb__sum_weights(batch, NULL, 0, batch->x.rows);
  if (sum > (double)REAL_MIN && (status = nnb__check_weight_sum(sum))) return status;
  if ((status = check_derivatives(net, batch))) return status;
  if (batch->label) return check_labels(net, batch);
  return nnb__check_y(net, batch->x.rows, batch->t, "t");
}

nnb_status nnb__check_rows(const nnb_net *net, const nnb_batch *rows) {
  nnb_status status = nnb__check_batch(net, rows, 0);
  return status ? status : nnb__check_weight_sum(nnb__sum_weights(rows, NULL, 0, rows->x.rows));
}

/* *row, *col ← the position of the first number that is not finite, from 1; false if all are finite. */
static bool find_not_finite(nnb_cmat m, int *row, int *col) {
  for (int i = 0; m.p && i < m.rows; i++)
    for (int j = 0; j < m.cols; j++)
      if (!isfinite(nnb__crow(m, i)[j])) return *row = i + 1, *col = j + 1, true;
  return false;
}

bool nnb__batch_finite(const nnb_batch *batch) {
  int row, col;
  return !find_not_finite(batch->x, &row, &col) && (batch->label || !find_not_finite(batch->t, &row, &col)) &&
         !find_not_finite(batch->dt, &row, &col);
}

nnb_status nnb__fail_loss(double loss, const nnb_batch *batch) {
  int row, col;
  if (find_not_finite(batch->x, &row, &col))
    return nnb__fail(NNB_E_NUMERIC, "the loss is %g: x is not finite in row %d, column %d", loss, row, col);
  if (!batch->label && find_not_finite(batch->t, &row, &col))
    return nnb__fail(NNB_E_NUMERIC, "the loss is %g: t is not finite in row %d, column %d", loss, row, col);
  if (find_not_finite(batch->dt, &row, &col))
    return nnb__fail(NNB_E_NUMERIC, "the loss is %g: dt is not finite in row %d, column %d", loss, row, col);
  return nnb__fail(NNB_E_NUMERIC, "the loss is %g: the parameters or the net's outputs are too large", loss);
}
