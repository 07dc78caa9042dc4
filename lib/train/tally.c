/* train/tally.c: see tally.h. */
#include "tally.h"

#include "alloc.h"
#include "areas.h"
#include "classes.h"
#include "ints.h"
#include "match.h"
#include "plan.h"
#include "status.h"

enum { CHUNK = 1024 };

/* ---- questions and parts ----------------------------------------------------------------------------------------- */

/* What an output answers: labels, one class, or nothing.  One column of targets is a label. */
static bool gives_labels(const nnb_net *net, const nnb__node *node, bool labelled) {
  const unsigned traits = nnb__net_loss_ops(net, node)->traits;
  return !labelled && (traits & NNB_LOSS_LABELS || (traits & NNB_LOSS_CLASSES && node->needs.cols == 1));
}
static bool gives_classes(const nnb_net *net, const nnb__node *node, bool labelled) {
  return labelled || (nnb__net_loss_ops(net, node)->traits & (NNB_LOSS_CLASSES | NNB_LOSS_LABELS)) == NNB_LOSS_CLASSES;
}

/* The output whose first column this is. */
static const nnb__node *output_at(const nnb_net *net, int col) {
  const nnb__node *node = net->nodes;
  while (node->out_col != col || nnb__node_is_input(node)) node++;
  return node;
}

/* Parts and questions of one output, from part `first` on. */
static void add_output(nnb_scores *s, const nnb_net *net, const nnb__node *node, bool labelled, int first) {
  const int cols = node->needs.cols;
  if (gives_labels(net, node, labelled)) {
    for (int j = 0; j < cols; j++) {
      s->part[first + j].question = s->n_questions;
      s->question[s->n_questions++] =
          (nnb__question){.label = true, .col = node->out_col + j, .cols = 1, .part = first + j, .n_parts = 1};
    }
  } else if (gives_classes(net, node, labelled)) {
    const int n = cols > 1 ? cols : 2;
    for (int j = 0; j < n; j++) s->part[first + j].question = s->n_questions;
    s->question[s->n_questions++] = (nnb__question){.col = node->out_col, .cols = cols, .part = first, .n_parts = n};
  } else {
    for (int j = 0; j < cols; j++) s->part[first + j].question = -1;
  }
}

static const char *part_name(const nnb_net *net, const nnb_data *data, bool labelled, int k) {
  const char *name = labelled ? nnb_data_class_name(data, k) : nnb_data_column_name(data, net->n_x + k);
  if (name) return name;
  return labelled ? nnb_net_class_name(net, k) : nnb_net_column_name(net, net->n_x + k);
}

static nnb_status make_scores(const nnb_net *net, const nnb_data *data, unsigned want, nnb_scores **out) {
  const bool labelled = nnb_data_n_classes(data) > 0;
  const int n_parts = labelled && net->n_y == 1 ? 2 : net->n_y;
  nnb_scores *s;
  nnb_status status = nnb__scores_new(n_parts, n_parts, &s);
  if (status) return status;
  s->n_questions = 0, s->has_t = !labelled;
  for (int col = 0; col < net->n_y; col += output_at(net, col)->needs.cols)
    add_output(s, net, output_at(net, col), labelled, col);
  for (int k = 0; k < n_parts && !status; k++) {
    const char *name = part_name(net, data, labelled, k);
    s->part[k].name = nnb__strdup(name);
    if (name && !s->part[k].name) status = nnb__fail_nomem("names of scores");
  }
  for (int i = 0; i < s->n_questions && !status; i++) {
    nnb__question *q = &s->question[i];
    if (q->label || !(want & NNB__WANT_CONFUSION)) continue;
    q->confusion = nnb__zalloc((size_t)q->n_parts, (size_t)q->n_parts * sizeof *q->confusion);
    if (!q->confusion) status = nnb__fail_nomem("a confusion matrix");
  }
  if (status) nnb_scores_destroy(s), s = NULL;
  *out = s;
  return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static double weight_of(const nnb_batch *batch, int i) { return batch->weight ? (double)batch->weight[i] : 1; }

/* p as a part of sum, at least ε; NaN if an output is not within 0 … 1. */
static double log_of(double p, double sum) {
  return p >= 0 && p <= 1 && sum > 0 ? log(fmax(p / sum, (double)REAL_EPS)) : (double)NAN;
}

/* Σ -t log p of a row whose class is known or whose targets are t. */
static double class_loss(const nnb__question *q, const real *a, const real *t, int truth) {
  double sum = 0, loss = 0;
  if (q->cols == 1) return -log_of(truth == 1 ? (double)a[0] : 1 - (double)a[0], 1);
  for (int j = 0; j < q->cols; j++) sum += (double)a[j];
  if (!t) return -log_of((double)a[truth], sum);
  for (int j = 0; j < q->cols; j++)
    if (t[j] != 0) loss -= (double)t[j] * log_of((double)a[j], sum);
  return loss;
}

static void judge_class(nnb_scores *s, nnb__question *q, const real *a, const real *t, int truth, double w) {
  const int said = nnb__class_of(q->cols, a);
  nnb__part *part = &s->part[q->part];
  q->log_loss += w * class_loss(q, a, t, truth);
  part[truth].truth += w;
  if (said < 0) return; /* NaN */
  part[said].predicted += w;
  if (q->confusion) q->confusion[(size_t)truth * (size_t)q->n_parts + (size_t)said] += w;
  if (said == truth) part[truth].right += w, q->right += w;
}

static void judge_label(nnb_scores *s, nnb__question *q, real a, real t, double w) {
  nnb__part *part = &s->part[q->part];
  const bool truth = nnb__class_of(1, &t) == 1, said = nnb__class_of(1, &a) == 1;
  const double p = (double)a, yes = (double)t;
  if (yes != 0) q->log_loss -= w * yes * log_of(p, 1);
  if (yes != 1) q->log_loss -= w * (1 - yes) * log_of(1 - p, 1);
  part->truth += w * truth, part->predicted += w * said, part->right += w * (truth && said);
  q->right += w * (truth == said);
}

/* is ← whether the row is of the classes and labels */
static void add_answers(nnb_scores *s, const nnb_batch *batch, nnb_cmat y, int i, double w, unsigned char *is) {
  for (int k = 0; k < s->n_questions; k++) {
    nnb__question *q = &s->question[k];
    const real *a = nnb__crow(y, i) + q->col, *t = batch->label ? NULL : nnb__crow(batch->t, i) + q->col;
    const int truth = t ? nnb__class_of(q->cols, t) : batch->label[i];
    if (q->label) {
      judge_label(s, q, *a, *t, w);
    } else {
      judge_class(s, q, a, t, truth, w);
    }
    for (int j = 0; is && j < q->n_parts; j++) is[q->part + j] = q->label ? truth == 1 : truth == j;
  }
}

static void add_values(nnb_scores *s, const nnb_batch *batch, nnb_cmat y, int i, double w) {
  const real *t = nnb__crow(batch->t, i), *a = nnb__crow(y, i);
  for (int j = 0; j < y.cols; j++) {
    nnb__part *p = &s->part[j];
    if (s->weight == 0) p->center = (double)t[j];
    const double d = (double)t[j] - p->center, e = (double)t[j] - (double)a[j];
    p->t_sum += w * d, p->t_squares += w * d * d, p->squares += w * e * e, p->absolute += w * fabs(e);
  }
}

/* Rows of weight 0 do not count, whatever is in them. */
static void add_rows(nnb__tally *t, const nnb_batch *batch, nnb_cmat y, int row0) {
  nnb_scores *s = t->scores;
  for (int i = 0; i < y.rows; i++) {
    const size_t row = (size_t)(row0 + i);
    const double w = weight_of(batch, i);
    if (t->kept) t->weight[row] = (real)w;
    if (w == 0) continue;
    add_answers(s, batch, y, i, w, t->kept ? t->is + row * (size_t)s->n_parts : NULL);
    if (s->has_t) add_values(s, batch, y, i, w);
    s->weight += w;
  }
}

/* Each column has the area of its class or label; one column with two classes has that of both. */
static void find_areas(nnb__tally *t) {
  const nnb_scores *s = t->scores;
  const int N = nnb_data_rows(t->data);
  for (int k = 0; k < s->n_parts; k++) {
    if (s->part[k].question < 0) continue;
    const nnb__question *q = &s->question[s->part[k].question];
    const bool pair = q->n_parts > q->cols;
    const int part = pair ? q->part + 1 : k, col = pair ? q->col : q->col + k - q->part;
    s->part[k].area = nnb__area(N, t->outputs + col, t->net->n_y, t->is + part, s->n_parts, t->weight, t->ranked);
  }
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

/* All rows, or of a source what is known of them before they are read. */
static nnb_status check_all(const nnb_net *net, const nnb_data *data, const nnb_batch *all) {
  nnb_status status = NNB_OK;
  if (!nnb__data_is_read(data)) status = nnb__check_rows(net, all);
  if (!status && all->x.cols != net->n_x)
    status = nnb__fail(NNB_E_SHAPE, "x has %d column(s); the net has %d input(s)", all->x.cols, net->n_x);
  if (!status && nnb_data_n_out(data) == 0) status = nnb__fail(NNB_E_ARG, "the data has no targets");
  if (!status) status = nnb__check_weight_sum(nnb__sum_weights(all, NULL, 0, all->x.rows));
  return status ? status : nnb__check_match(net, data);
}

nnb_status nnb__tally_run(nnb__tally *t, double *loss) {
  const int N = nnb_data_rows(t->data), n_y = t->net->n_y;
  const nnb_batch all = nnb__data_outline(t->data);
  const double norm = nnb__sum_weights(&all, NULL, 0, N);
  nnb__loss_sum sum = {0};
  nnb_batch batch;
  nnb__scores_clear(t->scores);
  for (int r = 0, n; (n = nnb__chunk(N, r, CHUNK)) > 0; r += n) {
    const nnb_mat y = nnb_view(t->outputs + (t->kept ? (size_t)r * (size_t)n_y : 0), n, n_y);
    nnb_status status = nnb__fetch(t->net, &t->window, r, n, &batch);
    if (status) return status;
    batch.dt = (nnb_cmat){0}; /* predictions are measured, not derivatives */
    nnb__job job = {.batch = &batch, .rows = n, .norm = norm, .what = NNB__LOSS | NNB__OUTPUT, .before_loss = sum};
    sum = nnb__plan_run(t->plan, &job);
    if (sum.status) return sum.status;
    nnb__plan_outputs(t->plan, y);
    add_rows(t, &batch, nnb__read(y), r);
  }
  const double value = nnb__loss_value(sum, norm);
  if (loss) *loss = value;
  if (!isfinite(value)) return nnb__fail_loss(value, &all);
  if (t->kept) find_areas(t);
  return NNB_OK;
}

static nnb_status allocate(nnb__tally *t, int chunk) {
  const size_t rows = (size_t)(t->kept ? nnb_data_rows(t->data) : chunk), n_y = (size_t)t->net->n_y;
  t->outputs = n_y <= SIZE_MAX / sizeof *t->outputs ? nnb__alloc(rows, n_y * sizeof *t->outputs) : NULL;
  if (t->kept) {
    t->is = nnb__alloc(rows, (size_t)t->scores->n_parts);
    t->weight = nnb__alloc(rows, sizeof *t->weight);
    t->ranked = nnb__alloc(rows, 2 * nnb__ranked_size());
  }
  const bool whole = t->outputs && (!t->kept || (t->is && t->weight && t->ranked));
  return whole ? NNB_OK : nnb__fail_nomem("an evaluation");
}

nnb_status nnb__tally_check(const nnb_net *net, const nnb_data *data, unsigned metrics) {
  nnb_scores *scores = NULL;
  nnb_status status = make_scores(net, data, 0, &scores);
  if (!status) status = nnb__scores_check(scores, metrics);
  nnb_scores_destroy(scores);
  return status;
}

nnb_status nnb__tally_open(nnb__tally *t, nnb_net *net, const nnb_data *data, unsigned want, int threads) {
  const int chunk = nnb__smaller(nnb_data_rows(data), CHUNK);
  *t = (nnb__tally){.net = net, .data = data};
  nnb_status status = nnb__plan_make(net, &(nnb_plan_opts){.max_rows = chunk, .threads = threads}, &t->plan);
  if (status) return status;
  const nnb_batch all = nnb__data_outline(data);
  status = check_all(net, data, &all);
  if (!status) status = nnb__window_open(&t->window, data, chunk);
  if (!status) status = make_scores(net, data, want, &t->scores);
  t->kept = !status && (want & NNB__WANT_AREAS) && t->scores->n_questions > 0;
  if (!status) status = allocate(t, chunk);
  if (status) nnb__tally_close(t);
  return status;
}

void nnb__tally_close(nnb__tally *t) {
  nnb_plan_destroy(t->plan);
  nnb__window_close(&t->window);
  nnb_scores_destroy(t->scores);
  nnb__release(t->outputs);
  nnb__release(t->is);
  nnb__release(t->weight);
  nnb__release(t->ranked);
  *t = (nnb__tally){0};
}
