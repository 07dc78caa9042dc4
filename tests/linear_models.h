/* tests/linear_models.h: Bayesian regularisation of linear models in closed form, for comparison, and nets that are
 * such models. */
#ifndef TEST_LINEAR_MODELS_H
#define TEST_LINEAR_MODELS_H

#include <math.h>

#include "toys.h"

enum { ROWS = 30, I = 3, MOST_O = 2, MOST_M = ROWS * MOST_O, MOST_P = (I + 1) * MOST_O };

/* One row for each target value, scaled and multiplied by the root of its weight: t ≈ A·w. */
typedef struct linear {
  int m, p;
  double A[MOST_M][MOST_P], t[MOST_M], log_weights;
  double alpha, beta, gamma, log_evidence, w[MOST_P], inverse[MOST_P][MOST_P]; /* (βAᵀA + αI)⁻¹ */
} linear;

/* a: n×n, symmetric and positive definite, ← its inverse (Gauss and Jordan); the result is log det a. */
static double invert(int n, double *a, int ld) {
  double log_det = 0;
  for (int k = 0; k < n; k++) {
    double pivot = a[k * ld + k];
    log_det += log(pivot);
    a[k * ld + k] = 1;
    for (int j = 0; j < n; j++) a[k * ld + j] /= pivot;
    for (int i = 0; i < n; i++) {
      double f = a[i * ld + k];
      if (i == k) continue;
      a[i * ld + k] = 0;
      for (int j = 0; j < n; j++) a[i * ld + j] -= f * a[k * ld + j];
    }
  }
  return log_det;
}

/* w, inverse and γ for the present α and β. */
static void posterior(linear *l) {
  double trace = 0;
  for (int i = 0; i < l->p; i++)
    for (int j = 0; j < l->p; j++) {
      l->inverse[i][j] = i == j ? l->alpha : 0;
      for (int k = 0; k < l->m; k++) l->inverse[i][j] += l->beta * l->A[k][i] * l->A[k][j];
    }
  invert(l->p, l->inverse[0], MOST_P);
  for (int i = 0; i < l->p; i++) {
    l->w[i] = 0, trace += l->inverse[i][i];
    for (int j = 0; j < l->p; j++)
      for (int k = 0; k < l->m; k++) l->w[i] += l->beta * l->inverse[i][j] * l->A[k][j] * l->t[k];
  }
  l->gamma = l->p - l->alpha * trace;
}

static double squares(const linear *l, double *of_w) {
  double sum = 0;
  *of_w = 0;
  for (int j = 0; j < l->p; j++) *of_w += l->w[j] * l->w[j];
  for (int k = 0; k < l->m; k++) {
    double r = -l->t[k];
    for (int j = 0; j < l->p; j++) r += l->A[k][j] * l->w[j];
    sum += r * r;
  }
  return sum;
}

/* tᵀC⁻¹t and log det C for C = I/β + AAᵀ/α */
static double quadratic_form(const linear *l, double *log_det) {
  static double C[MOST_M][MOST_M];
  double quadratic = 0;
  for (int i = 0; i < l->m; i++)
    for (int j = 0; j < l->m; j++) {
      C[i][j] = i == j ? 1 / l->beta : 0;
      for (int k = 0; k < l->p; k++) C[i][j] += l->A[i][k] * l->A[j][k] / l->alpha;
    }
  *log_det = invert(l->m, C[0], MOST_M);
  for (int i = 0; i < l->m; i++)
    for (int j = 0; j < l->m; j++) quadratic += l->t[i] * C[i][j] * l->t[j];
  return quadratic;
}

/* t is normal with mean 0 and covariance C: the evidence, computed in another way than in the library. */
static double marginal(const linear *l) {
  double log_det, quadratic = quadratic_form(l, &log_det);
  return -(quadratic + log_det + l->m * log(2 * acos(-1))) / 2 + l->log_weights;
}

/* The evidence for α/β, with the best β for it: the one for which tᵀC⁻¹t is m. */
static double profile(linear *l, double ridge) {
  double log_det;
  l->alpha = ridge, l->beta = 1;
  l->beta = l->m / quadratic_form(l, &log_det);
  l->alpha = ridge * l->beta;
  return marginal(l);
}

/* Golden-section search for log α/β: needs no γ, no Hessian, no weights. */
static void search_evidence(linear *l) {
  const double golden = (sqrt(5) - 1) / 2;
  double low = -12, high = 6;
  for (int k = 0; k < 60; k++) {
    double a = high - golden * (high - low), b = low + golden * (high - low);
    if (profile(l, exp(a)) > profile(l, exp(b)))
      high = b;
    else
      low = a;
  }
  l->log_evidence = profile(l, exp((low + high) / 2));
}

static void maximise_evidence(linear *l) {
  l->alpha = 1, l->beta = 1;
  for (int k = 0; k < 2000; k++) {
    double of_w, of_r;
    posterior(l);
    of_r = squares(l, &of_w);
    l->alpha = l->gamma / of_w, l->beta = (l->m - l->gamma) / of_r;
  }
  posterior(l);
  l->log_evidence = marginal(l);
}

/* The cases; each adds something to the first. */
enum { PLAIN, MEANS, SCALED, WEIGHTED, TWO_OUTPUTS, FROZEN_BIAS, CASES };

typedef struct setting {
  int o;
  real x[ROWS * I], t[ROWS * MOST_O], weight[ROWS];
  double bias, shift[MOST_O], factor[MOST_O];
  nnb_data *data;
  nnb_net *net;
  linear ref;
} setting;

static void make_data(setting *s, int which) {
  nnb_rng rng;
  nnb_rng_init(&rng, 3, (uint64_t)which);
  s->o = which == TWO_OUTPUTS ? 2 : 1;
  for (int i = 0; i < ROWS; i++) {
    s->weight[i] = (real)(which != WEIGHTED ? 1 : i % 5 == 0 ? 0 : 0.25 * (1 + i % 4));
    for (int k = 0; k < I; k++) s->x[i * I + k] = (real)nnb_rng_normal(&rng);
    for (int j = 0; j < s->o; j++) {
      const real *x = s->x + i * I;
      double noise = s->weight[i] > 0 ? 0.3 * nnb_rng_normal(&rng) / sqrt((double)s->weight[i]) : 50;
      s->t[i * s->o + j] = (real)((double)x[0] - 0.4 * (double)x[1] * (1 + j) + 0.05 * (double)x[2] + 0.5 + noise);
    }
  }
  nnb_batch rows = {
      .x = nnb_cview(s->x, ROWS, I), .t = nnb_cview(s->t, ROWS, s->o), .weight = which == WEIGHTED ? s->weight : NULL};
  ck_ok(nnb_data_wrap(&rows, 0, &s->data));
}

static void make_net(setting *s, int which) {
  const real *shift, *factor;
  s->net = nnb_net_create(I);
  if (which == SCALED) nnb_net_scale_targets(s->net, s->data, NNB_STANDARDIZE);
  nnb_net_dense(s->net, s->o, NNB_LINEAR);
  nnb_net_loss(s->net, which == PLAIN ? NNB_HALF_SSE : which == FROZEN_BIAS ? NNB_SSE : NNB_MSE);
  ck_ok(nnb_net_init(s->net, 4));
  s->bias = which == FROZEN_BIAS ? 0.25 : 0;
  nnb_net_params(s->net)[I * s->o] = (real)s->bias;
  if (which == FROZEN_BIAS) ck_ok(nnb_net_freeze(s->net, 2, NNB_BIAS));
  nnb_net_target_scaler(s->net, &shift, &factor);
  for (int j = 0; j < s->o; j++)
    s->shift[j] = shift ? (double)shift[j] : 0, s->factor[j] = factor ? (double)factor[j] : 1;
}

static void make_reference(setting *s, int which) {
  linear *l = &s->ref;
  *l = (linear){.p = (which == FROZEN_BIAS ? I : I + 1) * s->o};
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < s->o && s->weight[i] > 0; j++, l->m++) {
      double root = sqrt((double)s->weight[i]);
      for (int k = 0; k < I; k++) l->A[l->m][k * s->o + j] = root * (double)s->x[i * I + k];
      if (which != FROZEN_BIAS) l->A[l->m][I * s->o + j] = root;
      l->t[l->m] = root * (((double)s->t[i * s->o + j] - s->shift[j]) * s->factor[j] - s->bias);
      l->log_weights += log(root);
    }
}

static void setting_make(setting *s, int which) {
  make_data(s, which);
  make_net(s, which);
  make_reference(s, which);
}

static void setting_end(setting *s) {
  nnb_net_destroy(s->net);
  nnb_data_destroy(s->data);
}

#endif
