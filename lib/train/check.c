/* train/check.c: nnb_check_gradient: compares the gradient with central differences. */
#include <string.h>

#include "alloc.h"
#include "plan.h"
#include "status.h"

typedef struct checker {
  nnb_plan *plan;
  nnb_batch batch; /* x is a copy that may be changed */
  double norm;     /* divisor of the loss */
  real *x;         /* rows×n_x */
  real *kept;      /* the original parameters and buffers */
  real *grad[2];   /* P: at the parameters, and with their last digits changed */
  real *dx[2];     /* rows×n_x: the same two */
} checker;

/* n numbers to change one by one, with their analytic gradient. */
typedef struct subject {
  real *value;
  const real *analytic;
  size_t n;
  const nnb__scaler *scaler; /* NULL: none; column i % scaler->n */
  double rounding;           /* error of the analytic slopes */
  const nnb_net *net;        /* NULL for parameters */
} subject;

/* A whole number that a layer looks up (nnb_needs.levels) cannot be moved by a step; the slope there is 0. */
static bool is_whole(const subject *s, size_t i) {
  return s->net && nnb__net_looks_at(s->net, (int)(i % (size_t)s->net->n_x), NULL);
}

/* A step suits numbers of about 1, which the net computes with: x in scaled units. */
static real step_at(const subject *s, size_t i, real size) {
  const bool scaled = s->scaler && s->scaler->shift;
  const real at = s->value[i], shift = scaled ? s->scaler->shift[i % (size_t)s->scaler->n] : 0,
             factor = scaled ? s->scaler->factor[i % (size_t)s->scaler->n] : 1;
  const real step = size * R(fmax)(1, R(fabs)((at - shift) * factor)) / R(fabs)(factor);
  /* The step that is really added: volatile keeps the sum from being carried with more digits. */
  volatile real moved = at + R(fmax)(step, 100 * REAL_EPS * R(fabs)(at));
  return moved - at;
}

static double loss_at(const checker *c, real *value, real at) {
  nnb__loss_sum sum = {0};
  const real before = *value;
  *value = at;
  nnb__plan_loss(c->plan, &c->batch, &(nnb_run){.training = true}, &sum); /* failure: a value that is not finite */
  *value = before;
  return nnb__loss_value(sum, c->norm);
}

/* ∂E/∂value by the five-point rule: (8(E(h) - E(-h)) - (E(2h) - E(-2h))) / 12h, error h⁴ */
static double slope_at(const checker *c, const subject *s, size_t i, real size) {
  if (is_whole(s, i)) return 0;
  const real at = s->value[i], h = step_at(s, i, size);
  double near = loss_at(c, s->value + i, at + h) - loss_at(c, s->value + i, at - h);
  double far = loss_at(c, s->value + i, at + 2 * h) - loss_at(c, s->value + i, at - 2 * h);
  return (8 * near - far) / (12 * (double)h);
}

/* The rounding error of the loss 2h away: without it, the middle one of three neighbours, a few units in the last place
 * apart, would be the mean of the others.  (After Moré and Wild 2011, "Estimating computational noise".) */
static double noise_at(const checker *c, const subject *s, size_t i, real size) {
  if (is_whole(s, i)) return 0;
  const real h = step_at(s, i, size);
  double worst = 0;
  for (int side = -1; side <= 1; side += 2) {
    real at = s->value[i] + (real)(2 * side) * h, off = 4 * REAL_EPS * R(fabs)(at);
    double middle = loss_at(c, s->value + i, at);
    double bend = loss_at(c, s->value + i, at + off) - 2 * middle + loss_at(c, s->value + i, at - off);
    worst = fmax(worst, fmax(fabs(bend), (double)REAL_EPS * fabs(middle)));
  }
  return worst;
}

/* The largest error at some of the numbers: a few samples of a random quantity can be small by chance. */
static double loss_noise(const checker *c, const subject *s, real size) {
  const size_t samples = 16, every = s->n / samples + 1;
  double worst = 0;
  for (size_t i = 0; i < s->n; i += every) worst = fmax(worst, noise_at(c, s, i, size));
  return worst;
}

/* The part of |a - b| that exceeds the error of b, relative to max(|a|, |b|, least). */
static double deviation(double a, double b, double least, double error) {
  double size = fmax(fmax(fabs(a), fabs(b)), least), excess = fabs(a - b) - error;
  return size > 0 && excess > 0 ? excess / size : 0;
}

/* The largest relative deviation between analytic and numeric slopes.  Each analytic slope is compared with the better
 * of two steps: ε^(1/5), which balances truncation, h⁴, against rounding, ε/h; and an eighth of it, which avoids kinks
 * and has 8⁴ times less truncation error, so the difference of the two shows that error.  At a minimum only rounding
 * errors remain. */
static double worst_of(const checker *c, const subject *s) {
  const real size = R(pow)(REAL_EPS, (real)0.2);
  const double pool = loss_noise(c, s, size);
  const double largest = nnb__max_abs(s->n, s->analytic);
  double worst = 0;
  for (size_t i = 0; i < s->n; i++) {
    double a = (double)s->analytic[i], b = slope_at(c, s, i, size), finer = slope_at(c, s, i, size / 8);
    if (isnan(a) || isnan(b) || isnan(finer)) return (double)NAN;
    double noise = s->rounding + fmax(pool, noise_at(c, s, i, size)) / (double)step_at(s, i, size);
    double coarse = deviation(a, b, 1e-2 * largest, noise),
           fine = deviation(a, finer, 1e-2 * largest, 8 * noise + fabs(b - finer) / 1000);
    worst = fmax(worst, fmin(coarse, fine));
  }
  return worst;
}

/* Computes the gradients at the present parameters. */
static nnb_status gradients(checker *c, nnb_net *net, real *grad, real *dx) {
  nnb__loss_sum sum = {0};
  nnb_status status = nnb__plan_gradient(c->plan, &c->batch, &(nnb_run){.training = true}, 0, &sum, grad);
  memcpy(net->params + net->n_params, c->kept + net->n_params, net->n_buffers * sizeof(real));
  if (!status) nnb__plan_input_gradient(c->plan, nnb_view(dx, c->batch.x.rows, net->n_x));
  return status;
}

/* Changes the last digits of the parameters: a gradient is not more exact than its change by that. */
static nnb_status shaken_gradients(checker *c, nnb_net *net) {
  nnb_rng rng;
  nnb_rng_init(&rng, 0, 0);
  for (size_t i = 0; i < net->n_params; i++) net->params[i] *= 1 + REAL_EPS * (real)(8 * nnb_rng_uniform(&rng) - 4);
  nnb_status status = gradients(c, net, c->grad[1], c->dx[1]);
  memcpy(net->params, c->kept, net->n_params * sizeof(real));
  return status;
}

static nnb_status compare(checker *c, nnb_net *net, double *worst) {
  size_t n_x = (size_t)c->batch.x.rows * (size_t)net->n_x;
  nnb_status status = gradients(c, net, c->grad[0], c->dx[0]);
  if (!status) status = shaken_gradients(c, net);
  if (status) return status;
  subject params = {net->params, c->grad[0], net->n_params, NULL, 0, NULL},
          inputs = {c->x, c->dx[0], n_x, &net->in, 0, net};
  params.rounding = nnb__max_difference(params.n, c->grad[0], c->grad[1]);
  inputs.rounding = nnb__max_difference(inputs.n, c->dx[0], c->dx[1]);
  *worst = worst_of(c, &params);
  double in_x = worst_of(c, &inputs);
  if (isnan(in_x) || in_x > *worst) *worst = in_x; /* a NaN is kept */
  return NNB_OK;
}

/* Allocates three times the parameters, buffers and inputs. */
static nnb_status allocate(checker *c, const nnb_net *net, size_t n_x) {
  const size_t n_values = net->n_values;
  size_t n = n_values <= SIZE_MAX - n_x ? n_values + n_x : SIZE_MAX;
  if (!nnb__mul(n, 3, &n))
    return nnb__fail(NNB_E_OVERFLOW, "%zu parameters are too many for a gradient check", net->n_params);
  real *memory = c->kept = nnb__alloc(n, sizeof *memory);
  if (!memory) return nnb__fail_nomem("a gradient check");
  memcpy(c->kept, net->params, n_values * sizeof *memory);
  c->grad[0] = memory + n_values, c->grad[1] = memory + 2 * n_values;
  c->x = memory + 3 * n_values, c->dx[0] = c->x + n_x, c->dx[1] = c->x + 2 * n_x;
  return NNB_OK;
}

/* The net is held. */
static nnb_status check_gradient(nnb_net *net, const nnb_batch *batch, double *worst) {
  checker c = {0};
  size_t n_x;
  nnb_status status = nnb__check_rows(net, batch);
  if (status) return status;
  const int rows = batch->x.rows, cols = net->n_x;
  if (!nnb__mul((size_t)rows, (size_t)cols, &n_x)) return nnb__fail(NNB_E_OVERFLOW, "x is too large");
  c.batch = *batch;
  c.norm = batch->norm > 0 ? batch->norm : nnb__sum_weights(batch, NULL, 0, rows);
  status = allocate(&c, net, n_x);
  if (!status)
    status = nnb__plan_make(
        net, &(nnb_plan_opts){.max_rows = rows, .want = NNB_GRAD | NNB_DX | (batch->dt.p ? NNB_DT : 0)}, &c.plan);
  if (!status) {
    for (int i = 0; i < rows; i++)
      memcpy(c.x + (size_t)i * (size_t)cols, nnb__crow(batch->x, i), (size_t)cols * sizeof(real));
    c.batch.x = nnb_cview(c.x, rows, cols);
    status = compare(&c, net, worst);
  }
  nnb_plan_destroy(c.plan);
  nnb__release(c.kept);
  return status;
}

nnb_status nnb_check_gradient(nnb_net *net, const nnb_batch *batch, double *worst) {
  nnb__change change;
  if (!worst) return nnb__fail(NNB_E_ARG, "worst is NULL");
  *worst = (double)NAN;
  nnb_status status = nnb__net_begin(net, &change);
  if (status) return status;
  status = check_gradient(net, batch, worst);
  nnb__net_end(&change, status != NNB_OK);
  return status;
}
