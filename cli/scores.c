/* cli/scores.c: see scores.h. */
#include "scores.h"

#include <math.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

void scores_free(scores *s) { nnb_scores_destroy(s->of); }

nnb_metric scores_main(const nnb_data *data) {
  return nnb_data_n_classes(data) ? NNB_METRIC_ACCURACY : NNB_METRIC_RMSE;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

/* The logarithm of the share of each class, of at least e^-700. */
static void put_shares(const nnb_batch *rows, int k, double *bias) {
  for (int i = 0; i < rows->x.rows; i++) bias[rows->label[i]] += 1.0 / rows->x.rows;
  for (int c = 0; c < k; c++) bias[c] = bias[c] > 0 ? log(bias[c]) : -700;
}

/* A net without hidden layers whose weights are 0: it gives the shares of the classes, or the mean of the targets. */
static nnb_status constant_net(const nnb_data *data, nnb_net **net) {
  const int n = nnb_data_rows(data), k = nnb_data_n_classes(data);
  nnb_batch rows;
  nnb_status status = nnb_data_batch(data, 0, n, &rows);
  if (!status) status = nnb_net_for_data(data, "none", net);
  if (status) return status;
  const size_t n_params = nnb_net_n_params(*net);
  double *params = nnb_net_params(*net);
  if (!params) return NNB_E_NOMEM;
  memset(params, 0, n_params * sizeof *params);
  if (k) put_shares(&rows, k, params + n_params - k);
  return NNB_OK;
}

double scores_baseline(const nnb_data *data, nnb_metric metric) {
  const nnb_score_opts opts = {.no_auc = metric != NNB_METRIC_AUC, .no_confusion = true};
  nnb_net *net = NULL;
  nnb_scores *of = NULL;
  nnb_status status = constant_net(data, &net);
  if (!status) status = nnb_net_score(net, data, &opts, &of);
  const double value = status ? (double)NAN : nnb_scores_get(of, metric);
  nnb_scores_destroy(of);
  nnb_net_destroy(net);
  return value;
}

/* The same from the scores, for rows that are not in memory. */
static double baseline_of(const scores *s) {
  double most = 0, sum = 0;
  const int n = nnb_scores_n_parts(s->of);
  for (int k = 0; k < n; k++) {
    if (nnb_scores_support(s->of, k) > most) most = nnb_scores_support(s->of, k);
    sum += nnb_scores_part(s->of, NNB_METRIC_MSE, k) / (1 - nnb_scores_part(s->of, NNB_METRIC_R2, k));
  }
  return s->n_classes ? most / s->rows : sqrt(sum / n);
}

int scores_of(nnb_net *net, const nnb_data *data, scores *out) {
  *out = (scores){.rows = nnb_data_rows(data),
                  .n_classes = nnb_data_n_classes(data),
                  .baseline = scores_baseline(data, scores_main(data))};
  nnb_status status = nnb_net_score(net, data, NULL, &out->of);
  if (!status && isnan(out->baseline)) out->baseline = baseline_of(out);
  return status ? fail(status) : EX_OK;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 12 }; /* a wider confusion matrix does not fit into a terminal */

static double get(const scores *s, nnb_metric metric) { return nnb_scores_get(s->of, metric); }

void scores_print_line(FILE *stream, const scores *s) {
  if (s->n_classes)
    fprintf(stream, "accuracy %.4g on %d row%s (always the largest class: %.4g), log loss %.4g\n",
            get(s, NNB_METRIC_ACCURACY), s->rows, plural(s->rows), s->baseline, get(s, NNB_METRIC_LOG_LOSS));
  else
    fprintf(stream, "RMSE %.4g on %d row%s (always their mean: %.4g), MAE %.4g, R² %.4g\n", get(s, NNB_METRIC_RMSE),
            s->rows, plural(s->rows), s->baseline, get(s, NNB_METRIC_MAE), get(s, NNB_METRIC_R2));
}

bool scores_print_tables(FILE *stream, const scores *s) {
  if (!s->n_classes && nnb_scores_n_parts(s->of) == 1) return false;
  fputc('\n', stream), nnb_scores_print(s->of, stream);
  if (s->n_classes && s->n_classes <= MOST_COLUMNS) fputc('\n', stream), nnb_scores_print_confusion(s->of, stream);
  return true;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

json_t *real_or_null(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static const nnb_metric of_classes[] = {
    NNB_METRIC_ACCURACY, NNB_METRIC_BALANCED_ACCURACY, NNB_METRIC_PRECISION, NNB_METRIC_RECALL, NNB_METRIC_F1,
    NNB_METRIC_AUC,      NNB_METRIC_LOG_LOSS};
static const nnb_metric of_values[] = {NNB_METRIC_MSE, NNB_METRIC_RMSE, NNB_METRIC_MAE, NNB_METRIC_R2};
enum { N_OF_CLASSES = sizeof of_classes / sizeof *of_classes, N_OF_VALUES = sizeof of_values / sizeof *of_values };

static json_t *part_json(const scores *s, int k) {
  const char *name = nnb_scores_name(s->of, k);
  char number[16];
  snprintf(number, sizeof number, "%d", s->n_classes ? k : k + 1);
  json_t *o = json_pack("{s:o}", s->n_classes ? "class" : "target", text_json(name ? name : number));
  for (int i = 0; i < (s->n_classes ? N_OF_CLASSES - 1 : N_OF_VALUES); i++) { /* a class has no log loss of its own */
    const nnb_metric metric = s->n_classes ? of_classes[i] : of_values[i];
    json_object_set_new(o, nnb_metric_name(metric), real_or_null(nnb_scores_part(s->of, metric, k)));
  }
  if (!s->n_classes) return o;
  json_t *predicted = json_array();
  for (int j = 0; j < s->n_classes; j++)
    json_array_append_new(predicted, json_integer((json_int_t)nnb_scores_confusion(s->of, k, j)));
  json_object_set_new(o, "rows", json_integer((json_int_t)nnb_scores_support(s->of, k)));
  json_object_set_new(o, "predicted", predicted);
  return o;
}

json_t *scores_json(const scores *s) {
  json_t *o = json_pack("{s:i}", "rows", s->rows), *parts = json_array();
  for (int i = 0; i < (s->n_classes ? N_OF_CLASSES : N_OF_VALUES); i++) {
    const nnb_metric metric = s->n_classes ? of_classes[i] : of_values[i];
    json_object_set_new(o, nnb_metric_name(metric), real_or_null(get(s, metric)));
  }
  json_object_set_new(o, s->n_classes ? "accuracy_of_largest_class" : "rmse_of_mean", real_or_null(s->baseline));
  for (int k = 0; k < nnb_scores_n_parts(s->of); k++) json_array_append_new(parts, part_json(s, k));
  json_object_set_new(o, s->n_classes ? "classes" : "targets", parts);
  return o;
}
