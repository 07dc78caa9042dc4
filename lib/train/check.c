/* train/check.c: the gradient against central differences. */
#include "alloc.h"
#include "plan.h"
#include "status.h"

typedef struct checker {
  nnb_plan *plan;
  nnb_batch batch; /* x is a copy that may be moved */
  real *x, *grad, *dx;
} checker;

/* The step as it is added in fact: volatile keeps the sum from being carried along with more digits. */
static real step_at(real value, real size) {
  volatile real moved = value + size * R(fmax)(1, R(fabs)(value));
  return moved - value;
}

/* ∂E/∂(*value) by the five-point rule: (8(E(h) - E(-h)) - (E(2h) - E(-2h))) / 12h, error h⁴ */
static double slope_at(const checker *c, real *value, real size) {
  const real at = *value, h = step_at(at, size);
  static const int steps[] = {1, -1, 2, -2};
  double e[4] = {0};
  for (int i = 0; i < 4; i++) {
    *value = at + (real)steps[i] * h;
    nnb_plan_loss(c->plan, &c->batch, &e[i]);
  }
  *value = at;
  return (8 * (e[0] - e[1]) - (e[2] - e[3])) / (12 * (double)h);
}

/* |a - b| / max(|a|, |b|, least) */
static double deviation(double a, double b, double least) {
  double size = fmax(fmax(fabs(a), fabs(b)), least);
  return size > 0 ? fabs(a - b) / size : 0;
}

/* The worst relative deviation of n analytic slopes from the numeric ones at where; each is held against the better of
 * two steps: ε^(1/5), which balances truncation, h⁴, against rounding, ε/h, and a smaller one that keeps clear of
 * kinks. */
static double worst_of(const checker *c, real *where, const real *analytic, size_t n) {
  const real size = R(pow)(REAL_EPS, (real)0.2);
  double largest = 0, worst = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)analytic[i]));
  for (size_t i = 0; i < n; i++) {
    double a = (double)analytic[i], b = slope_at(c, where + i, size), finer = slope_at(c, where + i, size / 8);
    if (isnan(a) || isnan(b) || isnan(finer)) return (double)NAN;
    worst = fmax(worst, fmin(deviation(a, b, 1e-2 * largest), deviation(a, finer, 1e-2 * largest)));
  }
  return worst;
}

static nnb_status compare(checker *c, nnb_net *net, double *worst) {
  size_t n_x = (size_t)c->batch.x.rows * (size_t)net->n_x;
  nnb_status status = nnb_plan_gradient(c->plan, &c->batch, 0, NULL, c->grad);
  if (status) return status;
  nnb__plan_input_gradient(c->plan, nnb_view(c->dx, c->batch.x.rows, net->n_x));
  *worst = worst_of(c, net->params, c->grad, net->n_params);
  double in_x = worst_of(c, c->x, c->dx, n_x);
  if (isnan(in_x) || in_x > *worst) *worst = in_x; /* and a NaN stays */
  return NNB_OK;
}

nnb_status nnb_check_gradient(nnb_net *net, const nnb_batch *batch, double *worst) {
  checker c = {0};
  if (!worst) return nnb__fail(NNB_E_ARG, "worst is NULL");
  *worst = (double)NAN;
  nnb_status status = nnb__net_seal(net);
  if (!status) status = nnb__check_batch(net, batch, 0);
  if (status) return status;
  int rows = batch->x.rows;
  size_t n_x = (size_t)rows * (size_t)net->n_x;
  c.batch = *batch;
  c.x = nnb__alloc(n_x, sizeof(real)), c.dx = nnb__alloc(n_x, sizeof(real));
  c.grad = nnb__alloc(net->n_params, sizeof(real));
  status = c.x && c.dx && c.grad ? NNB_OK : nnb__fail_nomem("a gradient check");
  if (!status) status = nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows, .want = NNB_GRAD | NNB_DX}, &c.plan);
  if (!status) {
    for (size_t i = 0; i < n_x; i++) c.x[i] = nnb__crow(batch->x, (int)(i / (size_t)net->n_x))[i % (size_t)net->n_x];
    c.batch.x = nnb_cview(c.x, rows, net->n_x);
    status = compare(&c, net, worst);
  }
  nnb_plan_destroy(c.plan);
  nnb__release(c.x);
  nnb__release(c.dx);
  nnb__release(c.grad);
  return status;
}
