/* Worked examples of textbooks and tutorials, recomputed independently (golden/golden.json): every number after one
 * step or N updates, for every way of making an update. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "precision.h"

enum { MOST_X = 12, MOST_T = 6, MOST_PARAMS = 23 };

typedef struct problem { /* in-hidden-out, sigmoid in both layers, half_sse */
  const char *name;
  int sizes[3], rows, no_bias;
  double lr, x[MOST_X], t[MOST_T], params[MOST_PARAMS]; /* [W1; b1; W2; b2] */
} problem;

typedef struct point { /* after n passes over the rows; loss NAN: unknown */
  int n;
  double params[MOST_PARAMS];
  int n_outputs;
  double outputs[MOST_T], loss;
} point;

typedef struct trajectory {
  const char *name;
  int problem, batch;
  unsigned frozen;
  int n_points;
  const point *points;
} trajectory;

typedef struct step_value {
  int problem;
  nnb_loss loss;
  int node;
  nnb_what what;
  int n;
  double values[MOST_X];
} step_value;

typedef struct loss_value { /* after this number of updates from all rows */
  int problem, updates;
  nnb_loss loss;
  double factor, value;
} loss_value;

#include "golden/golden.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

static const double one_step = TOL(1e-14, 1e-6);

/* After n updates.  Single precision drifts away from the numbers of double precision: not compared beyond 1000. */
static double after(int n) { return n <= 1 ? one_step : n <= 100 ? TOL(1e-12, 2e-5) : TOL(1e-12, 5e-4); }
static bool compared(int n) { return n <= TOL(10000, 1000); }

static void near(double got, double want, double tol, const char *name, const char *what, int i) {
  ck_assert_msg(fabs(got - want) <= tol, PRECISION ", %s: %s[%d] is %.17g, expected %.17g", name, what, i, got, want);
}

static void ok(nnb_status status) { ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg()); }

static void to_real(const double *from, int n, real *to) {
  for (int i = 0; i < n; i++) to[i] = (real)from[i];
}

/* ---- a problem as a net and a batch ------------------------------------------------------------------------------ */

typedef struct rig {
  nnb_net *net;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_batch all;
  real x[MOST_X], t[MOST_T];
  int n_params;
  double lr;
} rig;

static void open_rig(rig *r, const problem *p, nnb_loss loss, double factor, unsigned frozen, nnb_plan_opts opts) {
  r->net = nnb_net_create(p->sizes[0]);
  for (int l = 1; l <= 2; l++)
    nnb_net_dense_opts(
        r->net, &(nnb_dense_opts){
                    .units = p->sizes[l], .activation = NNB_SIGMOID, .no_bias = p->no_bias != 0, .frozen = frozen});
  nnb_net_output(r->net, 3);
  nnb_net_output_loss(r->net, 3, loss, factor);
  ok(nnb_net_status(r->net));
  r->lr = p->lr;
  r->n_params = (int)nnb_net_n_params(r->net);
  ck_assert_int_le(r->n_params, MOST_PARAMS);
  to_real(p->params, r->n_params, nnb_net_params(r->net));
  to_real(p->x, p->rows * p->sizes[0], r->x);
  to_real(p->t, p->rows * p->sizes[2], r->t);
  r->all = (nnb_batch){.x = nnb_cview(r->x, p->rows, p->sizes[0]), .t = nnb_cview(r->t, p->rows, p->sizes[2])};
  if (opts.max_rows == 0) opts.max_rows = p->rows;
  ok(nnb_plan_create(r->net, &opts, &r->plan));
  ok(nnb_optim_create(r->net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = p->lr}, &r->optim));
}

static void close_rig(rig *r) {
  nnb_optim_destroy(r->optim);
  nnb_plan_destroy(r->plan);
  nnb_net_destroy(r->net);
}

/* ---- one step -----------------------------------------------------------------------------------------------------
 */

START_TEST(every_value_of_one_step) {
  static const char *const names[] = {"Z", "A", "slope", "dE/dA", "delta", "dE/dW", "dE/db"};
  const step_value *s = &step_values[_i];
  const problem *p = &problems[s->problem];
  rig r;
  real grad[MOST_PARAMS];
  nnb_cmat view;
  open_rig(&r, p, s->loss, 1, 0, (nnb_plan_opts){.want = NNB_GRAD | NNB_KEEP});
  ok(nnb_plan_gradient(r.plan, &r.all, 0, NULL, grad));
  ok(nnb_plan_view(r.plan, s->node, s->what, &view));
  ck_assert_int_eq(view.rows * view.cols, s->n);
  for (int i = 0; i < s->n; i++)
    near((double)view.p[i / view.cols * view.ld + i % view.cols], s->values[i], one_step, p->name, names[s->what], i);
  if (s->what == NNB_DW) { /* the same in the flat gradient */
    nnb_cmat w;
    ok(nnb_net_weights(r.net, s->node, &w));
    for (int i = 0; i < s->n; i++)
      near((double)grad[w.p - nnb_net_params_read(r.net) + i], s->values[i], one_step, p->name, "gradient", i);
  }
  close_rig(&r);
}
END_TEST

START_TEST(every_convention_of_the_loss) {
  const loss_value *l = &loss_values[_i];
  const problem *p = &problems[l->problem];
  rig teacher, r;
  double loss;
  open_rig(&teacher, p, NNB_HALF_SSE, 1, 0, (nnb_plan_opts){.want = NNB_GRAD});
  open_rig(&r, p, l->loss, l->factor, 0, (nnb_plan_opts){0});
  for (int i = 0; i < l->updates; i++) ok(nnb_train_step(teacher.net, teacher.plan, &teacher.all, teacher.optim, NULL));
  memcpy(nnb_net_params(r.net), nnb_net_params(teacher.net), (size_t)r.n_params * sizeof(real));
  ok(nnb_plan_loss(r.plan, &r.all, &loss));
  near(loss, l->value, one_step, p->name, nnb_loss_name(l->loss), l->updates);
  close_rig(&r);
  close_rig(&teacher);
}
END_TEST

/* ---- N passes, by every way of making them ------------------------------------------------------------------------
 */

static nnb_batch part(const nnb_batch *all, int row0, int batch) {
  int n = all->x.rows - row0 < batch ? all->x.rows - row0 : batch;
  return (nnb_batch){.x = nnb_cview(all->x.p + row0 * all->x.ld, n, all->x.cols),
                     .t = nnb_cview(all->t.p + row0 * all->t.ld, n, all->t.cols)};
}

static void by_gradient(rig *r, int batch, int passes) {
  real grad[MOST_PARAMS];
  for (int k = 0; k < passes; k++)
    for (int row0 = 0; row0 < r->all.x.rows; row0 += batch) {
      nnb_batch b = part(&r->all, row0, batch);
      ok(nnb_plan_gradient(r->plan, &b, 0, NULL, grad));
      ok(nnb_optim_step(r->optim, r->net, grad));
    }
}

static void by_step(rig *r, int batch, int passes) {
  for (int k = 0; k < passes; k++)
    for (int row0 = 0; row0 < r->all.x.rows; row0 += batch) {
      nnb_batch b = part(&r->all, row0, batch);
      ok(nnb_train_step(r->net, r->plan, &b, r->optim, NULL));
    }
}

static void by_rows(rig *r, int batch, int passes) {
  static const int32_t order[] = {0, 1, 2};
  nnb_sums sums;
  for (int k = 0; k < passes; k++) {
    ok(nnb_train_rows(r->net, r->plan, &r->all, k % 2 ? order : NULL, k % 2 ? r->all.x.rows : 0, batch, r->optim,
                      &sums));
    ck_assert_int_eq(sums.updates, (r->all.x.rows + batch - 1) / batch);
  }
}

static void by_fit(rig *r, int batch, int passes) {
  nnb_data *data;
  nnb_fit_opts opts = {.algo = NNB_SGD, .batch = batch, .max_epochs = passes, .in_order = true, .lr = r->lr};
  if (passes == 0) return;
  ok(nnb_data_wrap(&r->all, 0, &data));
  ok(nnb_fit(r->net, data, NULL, &opts, NULL));
  nnb_data_destroy(data);
}

static const struct way {
  const char *name;
  nnb_plan_opts plan;
  void (*run)(rig *r, int batch, int passes);
} ways[] = {
    {"gradient and step", {.want = NNB_GRAD}, by_gradient},
    {"gradient and step, keeping", {.want = NNB_GRAD | NNB_KEEP}, by_gradient},
    {"train_step", {.want = NNB_GRAD}, by_step},
    {"train_step, keeping", {.want = NNB_GRAD | NNB_KEEP}, by_step},
    {"train_rows", {.want = NNB_GRAD}, by_rows},
    {"train_rows in chunks of 2", {.max_rows = 2, .want = NNB_GRAD}, by_rows},
    {"train_rows in chunks of 1", {.max_rows = 1, .want = NNB_GRAD}, by_rows},
    {"fit", {.want = NNB_GRAD}, by_fit},
};

static void compare_point(rig *r, const problem *p, const point *want, const char *name) {
  real y[MOST_T];
  double tol = after(want->n), loss;
  const real *w = nnb_net_params_read(r->net);
  for (int i = 0; i < r->n_params; i++) near((double)w[i], want->params[i], tol, name, "parameter", i);
  ok(nnb_net_predict(r->net, r->all.x, nnb_view(y, p->rows, p->sizes[2])));
  for (int i = 0; i < want->n_outputs; i++) near((double)y[i], want->outputs[i], tol, name, "output", i);
  nnb_plan *plan;
  ok(nnb_plan_create(r->net, &(nnb_plan_opts){.max_rows = p->rows}, &plan));
  ok(nnb_plan_loss(plan, &r->all, &loss));
  nnb_plan_destroy(plan);
  if (!isnan(want->loss)) near(loss, want->loss, tol, name, "loss", want->n);
}

START_TEST(every_trajectory_every_way) {
  const trajectory *t = &trajectories[_i / LENGTH(ways)];
  const struct way *way = &ways[_i % LENGTH(ways)];
  const problem *p = &problems[t->problem];
  char name[120];
  rig r;
  open_rig(&r, p, NNB_HALF_SSE, 1, t->frozen, way->plan);
  for (int i = 0, done = 0; i < t->n_points && compared(t->points[i].n); done = t->points[i++].n) {
    snprintf(name, sizeof name, "%s, %s, after %d", t->name, way->name, t->points[i].n);
    way->run(&r, t->batch, t->points[i].n - done);
    compare_point(&r, p, &t->points[i], name);
  }
  close_rig(&r);
}
END_TEST

/* ---- classes, perceptron, activations, chains ---------------------------------------------------------------------
 */

START_TEST(predicted_classes) {
  rig r;
  int32_t label[3];
  open_rig(&r, &problems[P001], NNB_HALF_SSE, 1, 0, (nnb_plan_opts){0});
  ok(nnb_net_classify(r.net, r.all.x, label));
  ck_assert_int_eq(label[0], 1);
  close_rig(&r);
  open_rig(&r, &problems[P002B], NNB_HALF_SSE, 1, 0, (nnb_plan_opts){.want = NNB_GRAD});
  by_rows(&r, 3, 5000);
  ok(nnb_net_classify(r.net, r.all.x, label));
  for (int i = 0; i < 3; i++) ck_assert_int_eq(label[i], classes_of_002b[i]);
  close_rig(&r);
}
END_TEST

/* Σ > threshold is Σ + b > 0 with b = -threshold. */
START_TEST(perceptron) {
  real x[3], w[3], b, y;
  const double *row = perceptron_values[_i];
  nnb_plan *plan;
  nnb_cmat z;
  nnb_net *net = nnb_net_create(3);
  ck_assert_int_eq(nnb_net_dense(net, 1, NNB_STEP), 2);
  b = (real)-row[0];
  to_real(row + 1, 3, x);
  to_real(row + 4, 3, w);
  ok(nnb_net_set_weights(net, 2, nnb_cview(w, 3, 1)));
  ok(nnb_net_set_bias(net, 2, nnb_cview(&b, 1, 1)));
  ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_KEEP}, &plan));
  ok(nnb_plan_predict(plan, nnb_cview(x, 1, 3), nnb_view(&y, 1, 1)));
  ok(nnb_plan_view(plan, 2, NNB_Z, &z));
  near((double)z.p[0], row[7] - row[0], 0, "perceptron", "sum", _i);
  near((double)y, row[8], 0, "perceptron", "output", _i);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(table_of_activations) {
  static const nnb_activation activation[] = {NNB_SIGMOID, NNB_TANH, NNB_RELU, NNB_STEP};
  enum { N = LENGTH(activation_values) };
  const nnb_activation f = activation[_i];
  real x[N], y[N];
  nnb_plan *plan;
  nnb_cmat slope;
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < N; i++) x[i] = (real)activation_values[i][0];
  nnb_net_activation(net, 0, f);
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_KEEP}, &plan));
  ok(nnb_plan_predict(plan, nnb_cview(x, N, 1), nnb_view(y, N, 1)));
  ok(nnb_plan_view(plan, 2, NNB_SLOPE, &slope));
  for (int i = 0; i < N; i++) {
    near((double)y[i], activation_values[i][1 + 2 * _i], one_step, nnb_activation_name(f), "value", i);
    double want = f == NNB_STEP ? 0 : activation_values[i][2 + 2 * _i];
    near((double)slope.p[i * slope.ld], want, one_step, nnb_activation_name(f), "slope", i);
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

static double chain_slope(int layers, nnb_activation f) {
  real x = (real)0.5, one = 1, dx;
  nnb_plan *plan;
  nnb_net *net = nnb_net_create(1);
  for (int l = 0; l < layers; l++) nnb_net_dense(net, 1, f);
  for (int l = 0; l < layers; l++) ok(nnb_net_set_weights(net, l + 2, nnb_cview(&one, 1, 1)));
  ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX}, &plan));
  ok(nnb_plan_vjp(plan, nnb_cview(&x, 1, 1), nnb_cview(&one, 1, 1), nnb_view(&dx, 1, 1)));
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return (double)dx;
}

START_TEST(gradient_fades_along_a_chain) {
  int layers = (int)chain_values[_i][0];
  double want = chain_values[_i][1], got = chain_slope(layers, NNB_SIGMOID);
  near(got, want, TOL(1e-13, 2e-5) * want, "chain of sigmoids", "da/dx", layers);
  ck_assert_msg(got <= pow(0.25, layers), "%g is above 0.25^%d", got, layers);
  near(chain_slope(layers, NNB_RELU), chain_values[_i][2], 0, "chain of relus", "da/dx", layers);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden " PRECISION);
  TCase *tc = tcase_create("golden");
  tcase_add_loop_test(tc, every_value_of_one_step, 0, LENGTH(step_values));
  tcase_add_loop_test(tc, every_convention_of_the_loss, 0, LENGTH(loss_values));
  tcase_add_loop_test(tc, every_trajectory_every_way, 0, LENGTH(trajectories) * LENGTH(ways));
  tcase_add_test(tc, predicted_classes);
  tcase_add_loop_test(tc, perceptron, 0, LENGTH(perceptron_values));
  tcase_add_loop_test(tc, table_of_activations, 0, 4);
  tcase_add_loop_test(tc, gradient_fades_along_a_chain, 0, LENGTH(chain_values));
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
