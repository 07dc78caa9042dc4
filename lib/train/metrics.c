/* train/metrics.c: nnb_evaluate. */
#include "metrics.h"

#include "alloc.h"
#include "blas_threads.h"
#include "classes.h"
#include "ints.h"
#include "match.h"
#include "plan.h"
#include "status.h"

enum { CHUNK = 1024 };

typedef struct tally {
  nnb__loss_sum loss;
  double right, judged; /* weight of the correct classes and labels, and of all */
  double weight;
  double *t_sum, *t_squares, *errors; /* per output: Σ (t - c), Σ (t - c)², Σ (t - a)², c: its first target */
  double *center;
} tally;

static double weight_of(const nnb_batch *batch, int i) { return batch->weight ? (double)batch->weight[i] : 1; }

/* One class per row: the largest of the n outputs from column c on, compared with the label or the largest target. */
static void judge_classes(int c, int n, const nnb_batch *batch, nnb_cmat y, tally *sum) {
  for (int i = 0; i < y.rows; i++) {
    const double w = weight_of(batch, i);
    const int truth = batch->label ? batch->label[i] : nnb__class_of(n, nnb__crow(batch->t, i) + c);
    sum->right += w * (nnb__class_of(n, nnb__crow(y, i) + c) == truth);
    sum->judged += w;
  }
}

/* n separate labels per row: above ½ or not. */
static void judge_labels(int c, int n, const nnb_batch *batch, nnb_cmat y, tally *sum) {
  for (int i = 0; i < y.rows; i++) {
    const double w = weight_of(batch, i);
    const real *t = nnb__crow(batch->t, i) + c, *a = nnb__crow(y, i) + c;
    for (int j = 0; j < n; j++) sum->right += w * (nnb__class_of(1, a + j) == nnb__class_of(1, t + j));
    sum->judged += w * n;
  }
}

static void judge(const nnb_net *net, const nnb_batch *batch, nnb_cmat y, tally *sum) {
  for (int k = 0; k < net->n_nodes; k++) {
    const nnb__node *node = &net->nodes[k];
    if (node->out_col < 0) continue;
    const unsigned traits = nnb__net_loss_ops(net, node)->traits;
    if (!batch->label && (traits & NNB_LOSS_LABELS))
      judge_labels(node->out_col, node->needs.cols, batch, y, sum);
    else if (batch->label || (traits & NNB_LOSS_CLASSES))
      judge_classes(node->out_col, node->needs.cols, batch, y, sum);
  }
}

static void measure(const nnb_batch *batch, nnb_cmat y, bool first, tally *sum) {
  for (int i = 0; i < y.rows; i++) {
    const double w = weight_of(batch, i);
    const real *t = nnb__crow(batch->t, i), *a = nnb__crow(y, i);
    sum->weight += w;
    for (int j = 0; j < y.cols; j++) {
      if (first && i == 0) sum->center[j] = (double)t[j]; /* avoids cancellation in the sum of squares */
      double d = (double)t[j] - sum->center[j], e = (double)t[j] - (double)a[j];
      sum->t_sum[j] += w * d, sum->t_squares[j] += w * d * d, sum->errors[j] += w * e * e;
    }
  }
}

static double r_squared(const tally *sum, int n) {
  double total = 0;
  int varying = 0;
  for (int j = 0; j < n; j++) {
    double spread = sum->t_squares[j] - sum->t_sum[j] * sum->t_sum[j] / sum->weight;
    if (spread <= 0) continue;
    total += 1 - sum->errors[j] / spread;
    varying++;
  }
  return varying ? total / varying : (double)NAN;
}

static void finish(const tally *sum, int n_out, bool has_t, double norm, nnb_metrics *out) {
  double errors = 0;
  for (int j = 0; j < n_out; j++) errors += sum->errors[j];
  out->loss = nnb__loss_value(sum->loss, norm);
  out->accuracy = sum->judged > 0 ? sum->right / sum->judged : (double)NAN;
  out->rmse = has_t ? sqrt(errors / (sum->weight * n_out)) : (double)NAN;
  out->r2 = has_t ? r_squared(sum, n_out) : (double)NAN;
}

/* All rows at the door, or of a source what is known of them before they are read. */
static nnb_status check_all(const nnb_net *net, const nnb_data *data, const nnb_batch *all) {
  nnb_status status = NNB_OK;
  if (!nnb__data_is_read(data)) status = nnb__check_rows(net, all);
  if (!status && all->x.cols != net->n_x)
    status = nnb__fail(NNB_E_SHAPE, "x has %d columns; the net has %d inputs", all->x.cols, net->n_x);
  if (!status && nnb_data_n_out(data) == 0) status = nnb__fail(NNB_E_ARG, "the data has no targets");
  if (!status) status = nnb__check_weight_sum(nnb__sum_weights(all, NULL, 0, all->x.rows));
  return status ? status : nnb__check_match(net, data);
}

static nnb_status evaluate(nnb_plan *plan, nnb__window *window, real *outputs, tally *sum, nnb_metrics *out) {
  const nnb_net *net = plan->net;
  const nnb_data *data = window->data;
  nnb_batch all = nnb__data_outline(data), batch;
  int N = nnb_data_rows(data);
  nnb_status status = check_all(net, data, &all);
  if (status) return status;
  double norm = nnb__sum_weights(&all, NULL, 0, N);
  bool labelled = nnb_data_n_classes(data) > 0;
  for (int r = 0, n; (n = nnb__chunk(N, r, CHUNK)) > 0; r += n) {
    nnb_mat y = nnb_view(outputs, n, net->n_y);
    if ((status = nnb__fetch(net, window, r, n, &batch))) return status;
    nnb__job job = {.batch = &batch, .rows = n, .norm = norm, .what = NNB__LOSS | NNB__OUTPUT};
    nnb__loss_sum loss = nnb__plan_run(plan, &job);
    if (loss.status) return loss.status;
    sum->loss.mean += loss.mean, sum->loss.sum += loss.sum;
    nnb__plan_outputs(plan, y);
    judge(net, &batch, nnb__read(y), sum);
    if (!labelled) measure(&batch, nnb__read(y), r == 0, sum);
  }
  finish(sum, net->n_y, !labelled, norm, out);
  out->rows = N;
  return isfinite(out->loss) ? NNB_OK : nnb__fail_loss(out->loss, &all);
}

nnb_status nnb__evaluate(nnb_net *net, const nnb_data *data, int threads, nnb_metrics *out) {
  nnb_plan *plan = NULL;
  real *outputs = NULL;
  double *sums = NULL;
  if (!data || !out) return nnb__fail(NNB_E_ARG, "data or out is NULL");
  *out = (nnb_metrics){0};
  const int rows = nnb__smaller(nnb_data_rows(data), CHUNK);
  nnb_status status = nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows, .threads = threads}, &plan);
  if (status) return status;
  size_t n = (size_t)net->n_y;
  nnb__window window;
  if ((status = nnb__window_open(&window, data, rows))) {
    nnb_plan_destroy(plan);
    return status;
  }
  outputs = nnb__alloc((size_t)rows * n, sizeof *outputs);
  sums = nnb__zalloc(4 * n, sizeof *sums);
  if (outputs && sums) {
    tally sum = {.t_sum = sums, .t_squares = sums + n, .errors = sums + 2 * n, .center = sums + 3 * n};
    status = evaluate(plan, &window, outputs, &sum, out);
  } else {
    status = nnb__fail_nomem("an evaluation");
  }
  nnb__window_close(&window);
  nnb__release(outputs);
  nnb__release(sums);
  nnb_plan_destroy(plan);
  return status;
}

nnb_status nnb_evaluate(nnb_net *net, const nnb_data *data, nnb_metrics *out) {
  return nnb__evaluate(net, data, 0, out);
}
