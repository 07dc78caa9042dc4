/* train/scores.c: metrics from sums.  Compiled once. */
#include "scores.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "status.h"

static const unsigned answers = NNB_METRIC_ACCURACY | NNB_METRIC_BALANCED_ACCURACY | NNB_METRIC_PRECISION |
                                NNB_METRIC_RECALL | NNB_METRIC_F1 | NNB_METRIC_AUC | NNB_METRIC_LOG_LOSS;
static const unsigned values = NNB_METRIC_MSE | NNB_METRIC_RMSE | NNB_METRIC_MAE | NNB_METRIC_R2;

/* ---- memory ------------------------------------------------------------------------------------------------------ */

nnb_status nnb__scores_new(int n_parts, int n_questions, nnb_scores **out) {
  nnb_scores *s = nnb__zalloc(1, sizeof *s);
  if (s) s->part = nnb__zalloc((size_t)n_parts, sizeof *s->part);
  if (s) s->question = nnb__zalloc((size_t)n_questions, sizeof *s->question);
  *out = s;
  if (s && s->part && s->question) {
    s->n_parts = n_parts, s->n_questions = n_questions;
    return NNB_OK;
  }
  nnb_scores_destroy(s);
  *out = NULL;
  return nnb__fail_nomem("scores");
}

void nnb_scores_destroy(nnb_scores *s) {
  if (!s) return;
  for (int k = 0; k < s->n_parts; k++) nnb__release(s->part[k].name);
  for (int q = 0; q < s->n_questions; q++) nnb__release(s->question[q].confusion);
  nnb__release(s->part);
  nnb__release(s->question);
  nnb__release(s);
}

void nnb__scores_clear(nnb_scores *s) {
  for (int k = 0; k < s->n_parts; k++) {
    nnb__part *p = &s->part[k];
    *p = (nnb__part){.question = p->question, .name = p->name, .area = (double)NAN};
  }
  for (int i = 0; i < s->n_questions; i++) {
    nnb__question *q = &s->question[i];
    q->right = 0, q->log_loss = 0;
    if (q->confusion) memset(q->confusion, 0, (size_t)q->n_parts * (size_t)q->n_parts * sizeof *q->confusion);
  }
  s->weight = 0;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/* Mean of what is right among the rows that are it and those that are not, where there are any. */
static double balanced(const nnb__part *p, double weight) {
  const double others = weight - p->truth, right_others = others - p->predicted + p->right;
  if (p->truth > 0 && others > 0) return (p->right / p->truth + right_others / others) / 2;
  return p->truth > 0 ? p->right / p->truth : ratio(right_others, others);
}

static double of_answers(const nnb_scores *s, nnb_metric metric, const nnb__part *p) {
  if (p->question < 0 || !(s->weight > 0)) return (double)NAN;
  const nnb__question *q = &s->question[p->question];
  const bool absent = p->truth == 0 && p->predicted == 0;
  switch (metric) {
    case NNB_METRIC_ACCURACY:
      return q->label ? q->right / s->weight : (s->weight - p->truth - p->predicted + 2 * p->right) / s->weight;
    case NNB_METRIC_BALANCED_ACCURACY:
      return balanced(p, s->weight);
    case NNB_METRIC_PRECISION:
      return absent ? (double)NAN : ratio(p->right, p->predicted);
    case NNB_METRIC_RECALL:
      return absent ? (double)NAN : ratio(p->right, p->truth);
    case NNB_METRIC_F1:
      return absent ? (double)NAN : ratio(2 * p->right, p->truth + p->predicted);
    case NNB_METRIC_AUC:
      return p->area;
    case NNB_METRIC_LOG_LOSS:
      return q->label ? q->log_loss / s->weight : (double)NAN;
    default:
      return (double)NAN;
  }
}

static double of_values(const nnb_scores *s, nnb_metric metric, const nnb__part *p) {
  if (!s->has_t || !(s->weight > 0)) return (double)NAN;
  const double spread = p->t_squares - p->t_sum * p->t_sum / s->weight;
  switch (metric) {
    case NNB_METRIC_MSE:
      return p->squares / s->weight;
    case NNB_METRIC_RMSE:
      return sqrt(p->squares / s->weight);
    case NNB_METRIC_MAE:
      return p->absolute / s->weight;
    case NNB_METRIC_R2:
      return spread > 0 ? 1 - p->squares / spread : (double)NAN;
    default:
      return (double)NAN;
  }
}

double nnb_scores_part(const nnb_scores *s, nnb_metric metric, int k) {
  if (!s || k < 0 || k >= s->n_parts) return (double)NAN;
  return (unsigned)metric & answers ? of_answers(s, metric, &s->part[k]) : of_values(s, metric, &s->part[k]);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* The mean over the parts where it is a number. */
static double mean_of_parts(const nnb_scores *s, nnb_metric metric) {
  double sum = 0;
  int n = 0;
  for (int k = 0; k < s->n_parts; k++) {
    const double x = nnb_scores_part(s, metric, k);
    if (!isnan(x)) sum += x, n++;
  }
  return n > 0 ? sum / n : (double)NAN;
}

static double balanced_question(const nnb_scores *s, const nnb__question *q) {
  const nnb__part *p = &s->part[q->part];
  double sum = 0;
  int n = 0;
  if (q->label) return balanced(p, s->weight);
  for (int k = 0; k < q->n_parts; k++)
    if (p[k].truth > 0) sum += p[k].right / p[k].truth, n++;
  return n > 0 ? sum / n : (double)NAN;
}

static double mean_of_questions(const nnb_scores *s, nnb_metric metric) {
  double sum = 0;
  if (s->n_questions == 0 || !(s->weight > 0)) return (double)NAN;
  for (int i = 0; i < s->n_questions; i++) {
    const nnb__question *q = &s->question[i];
    sum += metric == NNB_METRIC_BALANCED_ACCURACY ? balanced_question(s, q)
           : metric == NNB_METRIC_LOG_LOSS        ? q->log_loss / s->weight
                                                  : q->right / s->weight;
  }
  return sum / s->n_questions;
}

double nnb_scores_get(const nnb_scores *s, nnb_metric metric) {
  const unsigned by_question = NNB_METRIC_ACCURACY | NNB_METRIC_BALANCED_ACCURACY | NNB_METRIC_LOG_LOSS;
  if (!s) return (double)NAN;
  if (metric == NNB_METRIC_RMSE) return sqrt(mean_of_parts(s, NNB_METRIC_MSE));
  return (unsigned)metric & by_question ? mean_of_questions(s, metric) : mean_of_parts(s, metric);
}

nnb_status nnb__scores_check(const nnb_scores *s, unsigned metrics) {
  const unsigned known = (s->n_questions > 0 ? answers : 0) | (s->has_t ? values : 0);
  const unsigned unknown = metrics & ~known, first = unknown & (~unknown + 1);
  if (!unknown) return NNB_OK;
  return nnb__fail(NNB_E_ARG, "the metric %s is for %s; this data and net have %s", nnb_metric_name((nnb_metric)first),
                   s->n_questions > 0 ? "targets t" : "classes and labels",
                   s->n_questions > 0 ? "classes" : "no classes and no labels");
}

int nnb__count_metrics(unsigned metrics) {
  int n = 0;
  for (; metrics; metrics &= metrics - 1) n++;
  return n;
}

double *nnb__scores_put(const nnb_scores *s, unsigned metrics, double *value) {
#define PUT(metric, flag, text) \
  if (metrics & flag) *value++ = nnb_scores_get(s, metric);
  NNB_METRIC_LIST(PUT)
#undef PUT
  return value;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

int nnb_scores_n_parts(const nnb_scores *s) { return s ? s->n_parts : 0; }

const char *nnb_scores_name(const nnb_scores *s, int k) {
  return s && k >= 0 && k < s->n_parts ? s->part[k].name : NULL;
}

double nnb_scores_support(const nnb_scores *s, int k) {
  if (!s || k < 0 || k >= s->n_parts) return 0;
  return s->part[k].question < 0 ? s->weight : s->part[k].truth;
}

double nnb_scores_confusion(const nnb_scores *s, int truth, int predicted) {
  if (!s || truth < 0 || predicted < 0 || truth >= s->n_parts || predicted >= s->n_parts) return 0;
  const int question = s->part[truth].question;
  if (question < 0 || s->part[predicted].question != question) return 0;
  const nnb__question *q = &s->question[question];
  return q->confusion ? q->confusion[(size_t)(truth - q->part) * (size_t)q->n_parts + (size_t)(predicted - q->part)]
                      : 0;
}
