/* cli/scores.c: see scores.h. */
#include "scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"

void scores_free(scores *s) { free(s->confusion); }

const char *scores_name(bool classes) { return classes ? "accuracy" : "RMSE"; }

/* ---- measuring --------------------------------------------------------------------------------------------------- */

static int count_classes(nnb_net *net, const nnb_batch *rows, scores *s) {
  int n = s->rows, k = s->n_classes;
  int32_t *label = malloc((size_t)n * sizeof *label);
  s->confusion = calloc((size_t)k * (size_t)k, sizeof *s->confusion);
  int code = label && s->confusion ? EX_OK : refuse(EX_OSERR, "out of memory");
  nnb_status status = code ? NNB_OK : nnb_net_classify(net, rows->x, label);
  if (status) code = fail(status);
  for (int i = 0; i < n && !code; i++)
    if (label[i] >= 0 && label[i] < k) s->confusion[rows->label[i] * k + label[i]]++;
  free(label);
  return code;
}

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

static int measure_errors(nnb_net *net, const nnb_batch *rows, scores *s) {
  int n = s->rows, cols = rows->t.cols;
  nnb_real *y = malloc((size_t)n * (size_t)cols * sizeof *y);
  if (!y) return refuse(EX_OSERR, "out of memory");
  nnb_status status = nnb_net_predict(net, rows->x, nnb_view(y, n, cols));
  int code = status ? fail(status) : EX_OK;
  double sum = 0;
  for (int i = 0; i < n && !code; i++)
    for (int j = 0; j < cols; j++) sum += fabs(y[(size_t)i * (size_t)cols + (size_t)j] - target(rows, i, j));
  s->mae = sum / ((double)n * cols);
  free(y);
  return code;
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
  nnb_batch rows;
  nnb_status status = nnb_data_batch(data, 0, out->rows, &rows);
  if (!status) status = nnb_evaluate(net, data, &out->metrics);
  if (status) return fail(status);
  return out->n_classes ? count_classes(net, &rows, out) : measure_errors(net, &rows, out);
}

/* ---- classes: precision, recall, F1 ------------------------------------------------------------------------------ */

typedef struct class_scores {
  double precision, recall, f1; /* 0 where nothing was predicted, or there is nothing to find */
  int64_t rows;
} class_scores;

static double ratio(int64_t a, int64_t b) { return b ? (double)a / (double)b : 0; }

static class_scores scores_of_class(const scores *s, int c) {
  int k = s->n_classes;
  int64_t predicted = 0, rows = 0, right = s->confusion[c * k + c];
  for (int i = 0; i < k; i++) predicted += s->confusion[i * k + c], rows += s->confusion[c * k + i];
  return (class_scores){.precision = ratio(right, predicted),
                        .recall = ratio(right, rows),
                        .f1 = ratio(2 * right, predicted + rows),
                        .rows = rows};
}

static const char *class_name(const nnb_net *net, int c, char buffer[16]) {
  const char *name = nnb_net_class_name(net, c);
  if (name) return name;
  snprintf(buffer, 16, "%d", c);
  return buffer;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 12 }; /* a wider confusion matrix does not fit into a terminal */

static int width_of_names(const scores *s, const nnb_net *net) {
  size_t width = 8;
  char buffer[16];
  for (int c = 0; c < s->n_classes; c++) {
    size_t n = strlen(class_name(net, c, buffer));
    if (n > width) width = n;
  }
  return width > 24 ? 24 : (int)width;
}

static void print_classes(FILE *stream, const scores *s, const nnb_net *net) {
  int width = width_of_names(s, net), k = s->n_classes;
  char buffer[16];
  fprintf(stream, "\n%-*s  precision  recall      F1   rows", width, "class");
  if (k <= MOST_COLUMNS) fputs("   predicted as, in the same order", stream);
  fputc('\n', stream);
  for (int c = 0; c < k; c++) {
    class_scores of = scores_of_class(s, c);
    fprintf(stream, "%-*.*s  %9.3f  %6.3f  %6.3f  %5lld", width, width, class_name(net, c, buffer), of.precision,
            of.recall, of.f1, (long long)of.rows);
    for (int j = 0; j < k && k <= MOST_COLUMNS; j++) fprintf(stream, " %6lld", (long long)s->confusion[c * k + j]);
    fputc('\n', stream);
  }
}

void scores_print(FILE *stream, const scores *s, const nnb_net *net) {
  if (s->n_classes) {
    fprintf(stream, "accuracy %.4g on %d rows (always the largest class: %.4g), log loss %.4g\n", s->metrics.accuracy,
            s->rows, s->baseline, s->metrics.loss);
    print_classes(stream, s, net);
  } else {
    fprintf(stream, "RMSE %.4g on %d rows (always their mean: %.4g), MAE %.4g, R² %.4g\n", s->metrics.rmse, s->rows,
            s->baseline, s->mae, s->metrics.r2);
  }
}

static json_t *classes_json(const scores *s, const nnb_net *net) {
  json_t *list = json_array();
  char buffer[16];
  for (int c = 0; c < s->n_classes; c++) {
    class_scores of = scores_of_class(s, c);
    json_t *predicted = json_array();
    for (int j = 0; j < s->n_classes; j++)
      json_array_append_new(predicted, json_integer(s->confusion[c * s->n_classes + j]));
    json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:f, s:I, s:o}", "class", class_name(net, c, buffer),
                                          "precision", of.precision, "recall", of.recall, "f1", of.f1, "rows",
                                          (json_int_t)of.rows, "predicted", predicted));
  }
  return list;
}

/* JSON has no NaN. */
static json_t *real_or_null(double x) { return isfinite(x) ? json_real(x) : json_null(); }

json_t *scores_json(const scores *s, const nnb_net *net) {
  json_t *o = json_pack("{s:i, s:o}", "rows", s->rows, "loss", real_or_null(s->metrics.loss));
  if (s->n_classes) {
    json_object_set_new(o, "accuracy", real_or_null(s->metrics.accuracy));
    json_object_set_new(o, "accuracy_of_largest_class", json_real(s->baseline));
    json_object_set_new(o, "classes", classes_json(s, net));
  } else {
    json_object_set_new(o, "rmse", real_or_null(s->metrics.rmse));
    json_object_set_new(o, "rmse_of_mean", json_real(s->baseline));
    json_object_set_new(o, "mae", json_real(s->mae));
    json_object_set_new(o, "r2", real_or_null(s->metrics.r2));
  }
  return o;
}
