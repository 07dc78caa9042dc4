/* cli/scores.c: see scores.h. */
#include "scores.h"

#include <math.h>
#include <sysexits.h>

#include "command.h"

void scores_free(scores *s) { nnb_scores_destroy(s->of); }

const char *scores_name(bool classes) { return classes ? "accuracy" : "RMSE"; }

/* ---- measuring --------------------------------------------------------------------------------------------------- */

static double share_of_largest(const nnb_batch *rows, int n, int k) {
  int most = 0;
  for (int c = 0; c < k; c++) {
    int count = 0;
    for (int i = 0; i < n; i++) count += rows->label[i] == c;
    most = count > most ? count : most;
  }
  return (double)most / n;
}

static double target(const nnb_batch *rows, int i, int j) {
  return rows->t.p[(size_t)i * (size_t)rows->t.ld + (size_t)j];
}

/* RMSE of predicting each target by its mean. */
static double rmse_of_mean(const nnb_batch *rows) {
  double sum = 0;
  for (int j = 0; j < rows->t.cols; j++) {
    double mean = 0;
    for (int i = 0; i < rows->t.rows; i++) mean += target(rows, i, j) / rows->t.rows;
    for (int i = 0; i < rows->t.rows; i++) sum += (target(rows, i, j) - mean) * (target(rows, i, j) - mean);
  }
  return sqrt(sum / ((double)rows->t.rows * rows->t.cols));
}

double scores_baseline(const nnb_data *data) {
  const int n = nnb_data_rows(data), k = nnb_data_n_classes(data);
  nnb_batch rows;
  if (nnb_data_batch(data, 0, n, &rows)) return (double)NAN;
  return k ? share_of_largest(&rows, n, k) : rmse_of_mean(&rows);
}

int scores_of(nnb_net *net, const nnb_data *data, scores *out) {
  *out =
      (scores){.rows = nnb_data_rows(data), .n_classes = nnb_data_n_classes(data), .baseline = scores_baseline(data)};
  nnb_status status = nnb_net_score(net, data, NULL, &out->of);
  return status ? fail(status) : EX_OK;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 12 }; /* a wider confusion matrix does not fit into a terminal */

static double get(const scores *s, nnb_metric metric) { return nnb_scores_get(s->of, metric); }

void scores_print_line(FILE *stream, const scores *s) {
  if (s->n_classes)
    fprintf(stream, "accuracy %.4g on %d rows (always the largest class: %.4g), log loss %.4g\n",
            get(s, NNB_METRIC_ACCURACY), s->rows, s->baseline, get(s, NNB_METRIC_LOG_LOSS));
  else
    fprintf(stream, "RMSE %.4g on %d rows (always their mean: %.4g), MAE %.4g, R² %.4g\n", get(s, NNB_METRIC_RMSE),
            s->rows, s->baseline, get(s, NNB_METRIC_MAE), get(s, NNB_METRIC_R2));
}

bool scores_print_tables(FILE *stream, const scores *s) {
  if (!s->n_classes && nnb_scores_n_parts(s->of) == 1) return false;
  fputc('\n', stream), nnb_scores_print(s->of, stream);
  if (s->n_classes && s->n_classes <= MOST_COLUMNS) fputc('\n', stream), nnb_scores_print_confusion(s->of, stream);
  return true;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* JSON has no NaN. */
static json_t *real_or_null(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static const nnb_metric of_classes[] = {
    NNB_METRIC_ACCURACY, NNB_METRIC_BALANCED_ACCURACY, NNB_METRIC_PRECISION, NNB_METRIC_RECALL, NNB_METRIC_F1,
    NNB_METRIC_AUC,      NNB_METRIC_LOG_LOSS};
static const nnb_metric of_values[] = {NNB_METRIC_MSE, NNB_METRIC_RMSE, NNB_METRIC_MAE, NNB_METRIC_R2};
enum { N_OF_CLASSES = sizeof of_classes / sizeof *of_classes, N_OF_VALUES = sizeof of_values / sizeof *of_values };

static json_t *part_json(const scores *s, int k) {
  const char *name = nnb_scores_name(s->of, k);
  char number[16];
  snprintf(number, sizeof number, "%d", s->n_classes ? k : k + 1);
  json_t *o = json_pack("{s:s}", s->n_classes ? "class" : "target", name ? name : number);
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
  json_object_set_new(o, s->n_classes ? "accuracy_of_largest_class" : "rmse_of_mean", json_real(s->baseline));
  for (int k = 0; k < nnb_scores_n_parts(s->of); k++) json_array_append_new(parts, part_json(s, k));
  json_object_set_new(o, s->n_classes ? "classes" : "targets", parts);
  return o;
}
