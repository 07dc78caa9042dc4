/* train/match.c: whether data fits the data that the net was trained on: names of classes and columns, targets that are
 * probabilities. */
#include "match.h"

#include <string.h>

#include "batch_check.h"
#include "net.h"
#include "status.h"
#include "view.h"

/* If both name a class and the names differ, the class numbers would mean other classes. */
static nnb_status check_class_names(const nnb_net *net, const nnb_data *data) {
  for (int k = 0; k < nnb_data_n_classes(data); k++) {
    const char *in_net = nnb_net_class_name(net, k), *in_data = nnb_data_class_name(data, k);
    if (in_net && in_data && strcmp(in_net, in_data) != 0)
      return nnb__fail(NNB_E_SHAPE,
                       "class %d is \"%.60s\" in the net but \"%.60s\" in the data; read the data with .class_names", k,
                       in_net, in_data);
  }
  return NNB_OK;
}

/* Other columns, or columns in another order, would not be noticed otherwise. */
static nnb_status check_column_names(const nnb_net *net, const nnb_data *data) {
  const bool labels = nnb_data_n_classes(data) > 0;
  const int n_in = nnb_data_n_in(data), n = n_in + (labels ? 1 : nnb_data_n_out(data));
  const int most = net->columns.n == n ? n : n_in; /* labels and unit vectors have different columns after the inputs */
  for (int c = 0; c < most; c++) {
    const char *in_net = nnb_net_column_name(net, c), *in_data = nnb_data_column_name(data, c);
    if (in_net && in_data && strcmp(in_net, in_data) != 0)
      return nnb__fail(
          NNB_E_SHAPE,
          "%s column %d is \"%.60s\" in the data but \"%.60s\" in the net; wanted the columns of the training data, in "
          "the same order",
          c < n_in ? "input" : "target", (c < n_in ? c : c - n_in) + 1, in_data, in_net);
  }
  const nnb_columns *in_data = nnb_data_columns(data);
  return net->table && in_data ? nnb__columns_same(net->table, in_data) : NNB_OK;
}

/* Checks the targets of one output whose loss takes probabilities. */
static nnb_status check_probabilities(const nnb_net *net, const nnb__node *output, nnb_cmat t, int row0) {
  const int c = output->out_col;
  for (int i = 0; i < t.rows; i++)
    for (int j = c; j < c + output->needs.cols; j++) {
      real value = nnb__crow(t, i)[j];
      if (!(value >= 0 && value <= 1))
        return nnb__fail(NNB_E_ARG, "t is %g in row %d, column %d (counted from 1); %s needs targets from 0 to 1",
                         (double)value, row0 + i + 1, j + 1, nnb__net_loss_ops(net, output)->name);
    }
  return NNB_OK;
}

static nnb_status check_targets(const nnb_net *net, nnb_cmat t, int row0) {
  nnb_status status = NNB_OK;
  for (int k = 0; k < net->n_nodes && !status && t.p; k++) {
    const nnb__node *node = &net->nodes[k];
    bool probabilities = node->out_col >= 0 && nnb__net_loss_ops(net, node)->traits & NNB_LOSS_PROBABILITIES;
    if (probabilities) status = check_probabilities(net, node, t, row0);
  }
  return status;
}

nnb_status nnb__check_fetched(const nnb_net *net, const nnb_batch *rows, int row0) {
  nnb_status status = check_targets(net, rows->t, row0);
  if (!status) status = nnb__check_whole(net, rows->x, row0);
  return status ? status : nnb__check_batch(net, rows, 0);
}

nnb_status nnb__fetch(const nnb_net *net, nnb__window *window, int row0, int n, nnb_batch *out) {
  nnb_status status = nnb__window_rows(window, row0, n, out);
  return status || !nnb__data_is_read(window->data) ? status : nnb__check_fetched(net, out, row0);
}

nnb_status nnb__check_match(const nnb_net *net, const nnb_data *data) {
  nnb_status status = check_class_names(net, data);
  if (!status) status = check_column_names(net, data);
  if (!status) status = check_targets(net, nnb__data_outline(data).t, 0);
  return status || nnb__data_is_read(data) ? status : nnb__check_whole(net, nnb__data_outline(data).x, 0);
}
