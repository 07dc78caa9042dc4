/* train/cv_report.c: the figures of a cross-validation.  Compiled once. */
#include "cv_report.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "scores.h"

int nnb__cv_pack(nnb__cv_result result, int n, int n_values) {
  const size_t row = (size_t)n_values;
  int ended = 0;
  for (int i = 0; i < n; i++) {
    if (result.run[i].train_rows == 0) continue;
    if (row > 0) memmove(result.values + (size_t)ended * row, result.values + (size_t)i * row, row * sizeof(double));
    result.run[ended++] = result.run[i];
  }
  return ended;
}

nnb__figure nnb__cv_figure(const nnb_cv_report *report, nnb_metric metric) {
  static const double none = (double)NAN;
  const unsigned below = (unsigned)metric - 1;
  if (report->n_runs == 0 || ((unsigned)metric & below)) return (nnb__figure){&none, 0};
  const nnb_metrics *first = &report->run->metrics;
  if (report->metrics & (unsigned)metric)
    return (nnb__figure){report->values + nnb__count_metrics(report->metrics & below),
                         (size_t)nnb__count_metrics(report->metrics) * sizeof(double)};
  return metric == NNB_METRIC_ACCURACY ? (nnb__figure){&first->accuracy, sizeof *report->run}
         : metric == NNB_METRIC_RMSE   ? (nnb__figure){&first->rmse, sizeof *report->run}
         : metric == NNB_METRIC_R2     ? (nnb__figure){&first->r2, sizeof *report->run}
                                       : (nnb__figure){&none, 0};
}

static double number(nnb__figure f, int i) {
  double x = 0;
  if (f.at) memcpy(&x, (const char *)f.at + (size_t)i * f.step, sizeof x);
  return x;
}

nnb_cv_score nnb__cv_score(const nnb_cv_run *run, int n, nnb__figure plus, nnb__figure minus) {
  nnb_cv_score s = {.min = HUGE_VAL, .max = -HUGE_VAL};
  double squares = 0, ratio = 0;
  for (int i = 0; i < n; i++) {
    const double x = number(plus, i) - number(minus, i);
    s.mean += x / n, ratio += (double)run[i].test_rows / run[i].train_rows / n;
    s.min = x < s.min ? x : s.min, s.max = x > s.max ? x : s.max;
  }
  for (int i = 0; i < n; i++) squares += pow(number(plus, i) - number(minus, i) - s.mean, 2);
  s.deviation = n > 1 ? sqrt(squares / (n - 1)) : (double)NAN;
  s.plain_error = s.deviation / sqrt(n);
  s.error = s.deviation * sqrt(1.0 / n + ratio);
  if (n > 0 && isfinite(s.mean)) return s;
  if (n == 0) s.mean = (double)NAN;
  return (nnb_cv_score){s.mean, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, {0}};
}

nnb_cv_score nnb_cv_report_metric(const nnb_cv_report *report, nnb_metric metric) {
  static const nnb_cv_report none;
  if (!report) report = &none;
  return nnb__cv_score(report->run, report->n_runs, nnb__cv_figure(report, metric), (nnb__figure){0});
}

double nnb_cv_report_run_metric(const nnb_cv_report *report, int i, nnb_metric metric) {
  return report && i >= 0 && i < report->n_runs ? number(nnb__cv_figure(report, metric), i) : (double)NAN;
}

void nnb__cv_summarise(nnb__cv_result result, int n, unsigned metrics, nnb_cv_report *out) {
  out->run = result.run, out->values = result.values, out->metrics = metrics;
  out->n_runs = nnb__cv_pack(result, n, nnb__count_metrics(metrics));
  const nnb__figure loss = {&result.run->metrics.loss, sizeof *result.run};
  out->loss = nnb__cv_score(out->run, out->n_runs, loss, (nnb__figure){0});
  out->accuracy = nnb_cv_report_metric(out, NNB_METRIC_ACCURACY);
  out->rmse = nnb_cv_report_metric(out, NNB_METRIC_RMSE);
  out->r2 = nnb_cv_report_metric(out, NNB_METRIC_R2);
}

void nnb_cv_report_clear(nnb_cv_report *report) {
  if (!report) return;
  nnb__release((void *)(uintptr_t)report->run);
  nnb__release((void *)(uintptr_t)report->values);
  *report = (nnb_cv_report){0};
}
