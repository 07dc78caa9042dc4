/* train/cv_report.c: the figures of a cross-validation.  Compiled once. */
#include "cv_report.h"

#include <math.h>
#include <string.h>

#include "alloc.h"

int nnb__cv_pack(nnb_cv_run *run, int n) {
  int ended = 0;
  for (int i = 0; i < n; i++)
    if (run[i].train_rows > 0) run[ended++] = run[i];
  return ended;
}

static double value(const nnb_cv_run *run, size_t offset) {
  double x;
  memcpy(&x, (const char *)&run->metrics + offset, sizeof x);
  return x;
}

nnb_cv_score nnb__cv_score(const nnb_cv_run *run, int n, size_t offset) {
  nnb_cv_score s = {.min = HUGE_VAL, .max = -HUGE_VAL};
  double squares = 0, ratio = 0;
  for (int i = 0; i < n; i++) {
    const double x = value(&run[i], offset);
    s.mean += x / n, ratio += (double)run[i].test_rows / run[i].train_rows / n;
    s.min = x < s.min ? x : s.min, s.max = x > s.max ? x : s.max;
  }
  for (int i = 0; i < n; i++) squares += pow(value(&run[i], offset) - s.mean, 2);
  s.deviation = n > 1 ? sqrt(squares / (n - 1)) : (double)NAN;
  s.plain_error = s.deviation / sqrt(n);
  s.error = s.deviation * sqrt(1.0 / n + ratio);
  if (isfinite(s.mean)) return s;
  return (nnb_cv_score){s.mean, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, {0}};
}

void nnb__cv_summarise(nnb_cv_run *run, int n, nnb_cv_report *out) {
  n = nnb__cv_pack(run, n);
  out->run = run, out->n_runs = n;
  out->loss = nnb__cv_score(run, n, offsetof(nnb_metrics, loss));
  out->accuracy = nnb__cv_score(run, n, offsetof(nnb_metrics, accuracy));
  out->rmse = nnb__cv_score(run, n, offsetof(nnb_metrics, rmse));
  out->r2 = nnb__cv_score(run, n, offsetof(nnb_metrics, r2));
}

void nnb_cv_report_clear(nnb_cv_report *report) {
  if (!report) return;
  nnb__release((void *)(uintptr_t)report->run);
  *report = (nnb_cv_report){0};
}
