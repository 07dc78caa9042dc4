/* Gradients against central differences: graph × activation × loss; own parts, and wrong ones that must be noticed; a
 * net with branches against plain loops in long double. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "precision.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { ROWS = 2, MOST = 64, MOST_PARAMS = 128, SEEDS = 100000 };

static const double good = TOL(1e-7, 1e-2), bad = 0.1;

static void ok(nnb_status status) { ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg()); }

/* ---- graphs: f in the middle, g at the outputs; the inputs are there -----------------------------------------------
 */

static int dense(nnb_net *net, int from, int units, nnb_activation f) {
  return nnb_net_dense_opts(net, &(nnb_dense_opts){.units = units, .activation = f, .from = from});
}

static void chain(nnb_net *net, nnb_activation f, nnb_activation g) {
  dense(net, 0, 4, f);
  dense(net, 0, 3, g);
}
static void one_output(nnb_net *net, nnb_activation f, nnb_activation g) {
  dense(net, 0, 4, f);
  dense(net, 0, 1, g);
}
static void no_bias(nnb_net *net, nnb_activation f, nnb_activation g) {
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .activation = f, .no_bias = true});
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .activation = g, .no_bias = true});
}
static void activations(nnb_net *net, nnb_activation f, nnb_activation g) {
  nnb_net_activation(net, 1, NNB_TANH);
  nnb_net_activation(net, dense(net, 0, 3, NNB_LINEAR), f);
  dense(net, 0, 3, NNB_LINEAR);
  nnb_net_activation(net, 0, g);
}
static void sum(nnb_net *net, nnb_activation f, nnb_activation g) {
  int from[] = {dense(net, 1, 3, f), dense(net, 1, 3, NNB_TANH), 1};
  nnb_net_add(net, from, 3, f);
  dense(net, 0, 3, NNB_LINEAR);
  int last[] = {0, 1};
  nnb_net_add(net, last, 2, g);
}
static void side_by_side(nnb_net *net, nnb_activation f, nnb_activation g) {
  int from[] = {dense(net, 1, 2, f), 1, dense(net, 1, 3, NNB_SIGMOID)};
  nnb_net_concat(net, from, 3);
  dense(net, 0, 3, g);
}
static void residual(nnb_net *net, nnb_activation f, nnb_activation g) {
  int h = dense(net, 0, 3, f), k = dense(net, h, 3, f), from[] = {k, h};
  int m = nnb_net_add(net, from, 2, NNB_LINEAR), both[] = {h, m, k};
  nnb_net_concat(net, both, 3);
  dense(net, 0, 3, g);
}
static void two_in_two_out(nnb_net *net, nnb_activation f, nnb_activation g) {
  int second = nnb_net_input(net, 2, NULL);
  int from[] = {dense(net, second, 2, f), dense(net, 1, 3, NNB_TANH)}, m = nnb_net_concat(net, from, 2);
  int out = nnb_net_output(net, dense(net, m, 2, g));
  nnb_net_output(net, dense(net, from[1], 3, g));
  nnb_net_output_loss(net, out, NNB_LOSS_AUTO, 0.5);
}
static void consumed_output(nnb_net *net, nnb_activation f, nnb_activation g) {
  int h = nnb_net_output(net, dense(net, dense(net, 0, 3, f), 3, g));
  int from[] = {h, dense(net, h, 3, NNB_TANH)};
  nnb_net_add(net, from, 2, NNB_LINEAR);
  nnb_net_output(net, dense(net, 0, 2, g));
}
static void read_twice(nnb_net *net, nnb_activation f, nnb_activation g) {
  int h = dense(net, 0, 3, f), hh[] = {h, h}, twice[] = {1, nnb_net_add(net, hh, 2, f), h, h};
  nnb_net_concat(net, twice, 4);
  dense(net, 0, 3, g);
}

static void gated(nnb_net *net, nnb_activation f, nnb_activation g) {
  int h = dense(net, 0, 3, f), from[] = {h, dense(net, 1, 3, NNB_SIGMOID), h};
  nnb_net_product(net, from, 3, f);
  dense(net, 0, 3, g);
}
static const struct graph {
  const char *name;
  void (*build)(nnb_net *net, nnb_activation f, nnb_activation g);
  int labelled; /* columns of its one output; 0: several outputs */
} graphs[] = {
    {"chain", chain, 3},
    {"one output", one_output, 1},
    {"no bias", no_bias, 3},
    {"activations", activations, 3},
    {"sum", sum, 3},
    {"side by side", side_by_side, 3},
    {"residual", residual, 3},
    {"two in, two out", two_in_two_out, 0},
    {"consumed output", consumed_output, 0},
    {"read twice", read_twice, 3},
    {"product", gated, 3},
};

/* ---- batches -------------------------------------------------------------------------------------------------------
 */

enum targets { VALUES, PROBABILITIES, LABELS };

typedef struct sample {
  real x[MOST], t[MOST], weight[ROWS];
  int32_t label[ROWS];
  nnb_batch batch;
} sample;

static void draw(sample *s, const nnb_net *net, enum targets targets, bool weighted, uint64_t seed) {
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 1);
  int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  for (int i = 0; i < ROWS * n_in; i++) s->x[i] = (real)(3 * nnb_rng_uniform(&rng) - 1.5);
  for (int i = 0; i < ROWS * n_out; i++)
    s->t[i] = (real)(targets == VALUES ? 2 * nnb_rng_normal(&rng) : 0.05 + 0.9 * nnb_rng_uniform(&rng));
  for (int i = 0; i < ROWS; i++) s->label[i] = (int32_t)nnb_rng_below(&rng, n_out > 1 ? (uint32_t)n_out : 2);
  for (int i = 0; i < ROWS; i++) s->weight[i] = (real)(i ? 0.5 : 2);
  s->batch = (nnb_batch){.x = nnb_cview(s->x, ROWS, n_in)};
  if (targets == LABELS)
    s->batch.label = s->label;
  else
    s->batch.t = nnb_cview(s->t, ROWS, n_out);
  if (weighted) s->batch.weight = s->weight, s->batch.norm = 5.5;
}

static bool kinked(nnb_activation f) { return f == NNB_RELU || f == NNB_LEAKY_RELU || f == NNB_ELU || f == NNB_SELU; }

/* Whether a point is fit for differences: no z near 0 if an activation has a kink there (0 itself is a sum of zeros
 * from relus, which no small step changes), no |a - t| near 0 or 1 if the loss has a kink there, no output near a pole
 * of a cross-entropy, and a gradient that is not lost in the rounding of the loss. */
static bool fit(nnb_net *net, nnb_plan *plan, const sample *s, bool activations_kinked, nnb_loss loss) {
  const double margin = TOL(0.01, 0.05);
  real y[MOST], g[MOST_PARAMS];
  double e, largest = 0;
  nnb_cmat z;
  int n_out = nnb_net_n_out(net);
  ok(nnb_plan_predict(plan, s->batch.x, nnb_view(y, ROWS, n_out)));
  for (int k = 1; k <= nnb_net_n_nodes(net) && activations_kinked; k++)
    if (!nnb_plan_view(plan, k, NNB_Z, &z)) /* inputs have none */
      for (int i = 0; i < z.rows * z.cols; i++)
        if (z.p[i] != 0 && fabs((double)z.p[i]) < margin) return false;
  for (int i = 0; i < ROWS * n_out; i++) {
    real t = s->batch.label ? (real)(n_out > 1 ? s->label[i / n_out] == i % n_out : s->label[i]) : s->t[i];
    double a = (double)y[i], r = fabs(a - (double)t);
    if (loss == NNB_MAE ? r < margin : loss == NNB_HUBER && fabs(r - 1) < margin) return false;
    if ((loss == NNB_CROSS_ENTROPY || loss == NNB_BINARY_CROSS_ENTROPY) && a < 0.1) return false;
    if (loss == NNB_BINARY_CROSS_ENTROPY && a > 0.9) return false;
  }
  ok(nnb_plan_gradient(plan, &s->batch, 0, &e, g));
  for (size_t i = 0; i < nnb_net_n_params(net); i++) largest = fmax(largest, fabs((double)g[i]));
  return largest > 0.15 * e;
}

/* Parameters of ordinary size, biases included. */
static void draw_params(nnb_net *net, uint64_t seed) {
  nnb_rng rng;
  nnb_rng_init(&rng, seed, 2);
  ok(nnb_net_init(net, seed));
  real *w = nnb_net_params(net);
  for (size_t i = 0; i < nnb_net_n_params(net); i++) w[i] += (real)(0.3 * nnb_rng_normal(&rng));
}

/* The largest deviation at the first point that is fit. */
static double check(const struct graph *graph, nnb_activation f, nnb_activation g, nnb_loss loss, enum targets targets,
                    bool weighted) {
  nnb_net *net = nnb_net_create(3);
  nnb_plan *plan;
  sample s;
  double worst = (double)NAN;
  nnb_net_loss(net, loss);
  graph->build(net, f, g);
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_KEEP | NNB_GRAD}, &plan));
  ck_assert_uint_le(nnb_net_n_params(net), MOST_PARAMS);
  for (uint64_t seed = 1; isnan(worst); seed++) {
    ck_assert_msg(seed < SEEDS, "%s, %s … %s, %s, targets %d: no fit point", graph->name, nnb_activation_name(f),
                  nnb_activation_name(g), nnb_loss_name(loss), (int)targets);
    draw(&s, net, targets, weighted, seed);
    draw_params(net, seed);
    if (fit(net, plan, &s, kinked(f) || kinked(g), loss)) ok(nnb_check_gradient(net, &s.batch, &worst));
  }
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
  return worst;
}

static void must_be_good(const struct graph *graph, nnb_activation f, nnb_activation g, nnb_loss loss,
                         enum targets targets, bool weighted) {
  if (targets == LABELS && !graph->labelled) return;
  if (graph->labelled == 1 && g == NNB_SOFTMAX) return; /* always 1 */
  double worst = check(graph, f, g, loss, targets, weighted);
  ck_assert_msg(worst <= good, PRECISION ", %s, %s … %s, %s, targets %d, weighted %d: worst %g, expected at most %g",
                graph->name, nnb_activation_name(f), nnb_activation_name(g), nnb_loss_name(loss), (int)targets,
                weighted, worst, good);
}

/* ---- the tables ----------------------------------------------------------------------------------------------------
 */

/* step's slope is defined as 0, which differences cannot confirm */
static nnb_activation activation_at(int i) { return (nnb_activation)(i < NNB_STEP ? i : i + 1); }
enum { N_SMOOTH = NNB_N_ACTIVATIONS - 1 };

START_TEST(distances) {
  const struct graph *graph = &graphs[_i / N_SMOOTH];
  nnb_activation f = activation_at(_i % N_SMOOTH);
  for (int l = NNB_LOSS_AUTO + 1; l < NNB_N_LOSSES; l++) {
    if (l == NNB_CROSS_ENTROPY || l == NNB_BINARY_CROSS_ENTROPY) continue; /* below */
    must_be_good(graph, f, f, (nnb_loss)l, VALUES, l % 2);
    must_be_good(graph, NNB_TANH, f, (nnb_loss)l, VALUES, !(l % 2));
    must_be_good(graph, f, NNB_LINEAR, (nnb_loss)l, LABELS, l % 2);
  }
}
END_TEST

START_TEST(cross_entropies) {
  const struct graph *graph = &graphs[_i / N_SMOOTH];
  nnb_activation f = activation_at(_i % N_SMOOTH);
  static const struct {
    nnb_loss loss;
    nnb_activation g;
  } pairs[] = {{NNB_CROSS_ENTROPY, NNB_SOFTMAX},
               {NNB_BINARY_CROSS_ENTROPY, NNB_SIGMOID},
               {NNB_LOSS_AUTO, NNB_SOFTMAX},
               {NNB_LOSS_AUTO, NNB_SIGMOID}};
  for (int p = 0; p < LENGTH(pairs); p++)
    for (int weighted = 0; weighted < 2; weighted++) {
      must_be_good(graph, f, pairs[p].g, pairs[p].loss, PROBABILITIES, weighted);
      must_be_good(graph, f, pairs[p].g, pairs[p].loss, LABELS, weighted);
    }
}
END_TEST

/* Labels are the unit vectors of the classes, bit for bit. */
START_TEST(labels_are_one_hot) {
  nnb_loss loss = (nnb_loss)(_i + 1);
  nnb_net *net = nnb_net_create(3);
  sample s;
  real one_hot[ROWS * 3] = {0}, g[2][MOST];
  double e[2];
  nnb_plan *plan;
  nnb_net_loss(net, loss);
  chain(net, NNB_TANH, loss == NNB_BINARY_CROSS_ENTROPY ? NNB_SIGMOID : NNB_SOFTMAX);
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  draw(&s, net, LABELS, true, 3);
  ok(nnb_plan_gradient(plan, &s.batch, 0, &e[0], g[0]));
  for (int i = 0; i < ROWS; i++) one_hot[i * 3 + s.label[i]] = 1;
  s.batch.label = NULL, s.batch.t = nnb_cview(one_hot, ROWS, 3);
  ok(nnb_plan_gradient(plan, &s.batch, 0, &e[1], g[1]));
  double tol = 8 * (double)REAL_EPS;
  ck_assert_msg(fabs(e[0] - e[1]) <= tol * fabs(e[0]), "%s: loss %.17g with labels, %.17g with targets",
                nnb_loss_name(loss), e[0], e[1]);
  for (size_t i = 0; i < nnb_net_n_params(net); i++)
    ck_assert_msg(fabs((double)(g[0][i] - g[1][i])) <= tol, "%s: gradient %d is %.9g with labels, %.9g with targets",
                  nnb_loss_name(loss), (int)i, (double)g[0][i], (double)g[1][i]);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- own parts, right and wrong ---------------------------------------------------------------------------------- */

static real *row(nnb_mat m, int i) { return m.p + i * m.ld; }
static const real *crow(nnb_cmat m, int i) { return m.p + i * m.ld; }

/* sin z, which needs z */
static void sine_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) row(a, i)[j] = (real)sin((double)crow(z, i)[j]);
}
static void sine_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)a;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) row(d, i)[j] *= (real)cos((double)crow(z, i)[j]);
}
static void sine_pull_wrong(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) row(d, i)[j] *= 1 - crow(a, i)[j] * crow(a, i)[j]; /* tanh's */
}
/* a_j = z_j - the mean of its row */
static void centre(nnb_mat m) {
  for (int i = 0; i < m.rows; i++) {
    real mean = 0;
    for (int j = 0; j < m.cols; j++) mean += row(m, i)[j] / (real)m.cols;
    for (int j = 0; j < m.cols; j++) row(m, i)[j] -= mean;
  }
}
static void centred_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows && a.p != z.p; i++) memcpy(row(a, i), crow(z, i), (size_t)z.cols * sizeof(real));
  centre(a);
}
static void centred_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, (void)a;
  centre(d);
}
static void nothing_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z, (void)a, (void)d;
}

static const nnb_act_ops own_acts[] = {
    {.name = "sine", .traits = NNB_ACT_NEEDS_Z, .value = sine_value, .pull = sine_pull},
    {.name = "centred", .traits = NNB_ACT_ROWWISE, .value = centred_value, .pull = centred_pull},
};
static const nnb_act_ops wrong_acts[] = {
    {.name = "sine", .traits = NNB_ACT_NEEDS_Z, .value = sine_value, .pull = sine_pull_wrong},
    {.name = "centred", .traits = NNB_ACT_ROWWISE, .value = centred_value, .pull = nothing_pull},
};

/* Σ w r⁴; the user's table is longer than the library's, and has the power and the factor of its slope */
typedef struct power_loss {
  nnb_loss_ops ops;
  double power, slope;
} power_loss;
static double power_at(const power_loss *l, double r, double *slope) {
  *slope = l->slope * (r < 0 ? -1 : 1) * pow(fabs(r), l->power - 1);
  return pow(fabs(r), l->power);
}
static double target_of(const nnb_batch *batch, int i, int j) {
  return batch->label ? batch->label[i] == j : (double)crow(batch->t, i)[j];
}
static double power_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  const power_loss *l = (const power_loss *)self;
  double total = 0, slope;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      double w = batch->weight ? (double)batch->weight[i] : 1;
      total += w * power_at(l, (double)crow(a, i)[j] - target_of(batch, i, j), &slope);
      if (da.p) row(da, i)[j] = (real)((double)scale * w * slope);
    }
  return total;
}
/* The same from z before a tanh. */
static double power_fused(const nnb_loss_ops *self, nnb_cmat z, const nnb_batch *batch, real scale, nnb_mat delta) {
  const power_loss *l = (const power_loss *)self;
  double total = 0, slope;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) {
      double w = batch->weight ? (double)batch->weight[i] : 1, a = tanh((double)crow(z, i)[j]);
      total += w * power_at(l, a - target_of(batch, i, j), &slope);
      if (delta.p) row(delta, i)[j] = (real)((double)scale * w * slope * (1 - a * a));
    }
  return total;
}

static const power_loss own_losses[] = {
    {{.name = "quartic", .value = power_value}, 4, 4},
    {{.name = "cubic", .traits = NNB_LOSS_MEAN_ROWS, .value = power_value}, 3, 3},
    {{.name = "fused", .traits = NNB_LOSS_MEAN_ALL, .value = power_value, .fuses = NNB_TANH, .fused = power_fused},
     4,
     4},
};
static const power_loss wrong_loss = {{.name = "quartic", .value = power_value}, 4, 3};

/* Z_kj = w_j·A_kj + b_j, with a factor on the derivatives by the data and by the parameters */
typedef struct gain {
  int cols;
  double data, params;
} gain;
static nnb_status gain_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  gain *g = self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "gain reads 1 node, not %d", n_from);
  g->cols = needs->cols = needs->w_cols = cols[0];
  needs->w_rows = 1, needs->bias = true, needs->scratch = (size_t)cols[0];
  return NNB_OK;
}
static void gain_init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  (void)scratch;
  for (int j = 0; j < ((const gain *)self)->cols; j++) w[j] = (real)(1 + nnb_rng_uniform(rng));
}
static void gain_forward(const void *self, const nnb_layer_io *io) {
  int n = ((const gain *)self)->cols;
  for (int i = 0; i < io->z.rows; i++)
    for (int j = 0; j < n; j++) {
      io->scratch[i * n + j] = crow(io->a[0], i)[j]; /* kept, so that a test can check it */
      row(io->z, i)[j] = io->w[j] * crow(io->a[0], i)[j] + io->w[n + j];
    }
}
static void gain_data(const void *self, const nnb_layer_io *io, int k) {
  const gain *g = self;
  for (int i = 0; i < io->delta.rows; i++)
    for (int j = 0; j < g->cols; j++) {
      real d = (real)g->data * io->w[j] * crow(io->delta, i)[j], *to = &row(io->da[k], i)[j];
      *to = io->da_beta == 0 ? d : *to + d;
    }
}
static void gain_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const gain *g = self;
  if (io->part != io->parts - 1) return; /* its only row of W belongs to the last part */
  for (int j = 0; j < g->cols; j++) {
    real dw = 0, db = 0;
    for (int i = 0; i < io->delta.rows; i++) {
      dw += io->scratch[i * g->cols + j] * crow(io->delta, i)[j];
      db += crow(io->delta, i)[j];
    }
    real keep_w = sink->w && sink->beta != 0 ? sink->beta * sink->w[j] : 0;
    real keep_b = sink->b && sink->beta_bias != 0 ? sink->beta_bias * sink->b[j] : 0;
    if (sink->w) sink->w[j] = keep_w + sink->alpha * (real)g->params * dw;
    if (sink->b) sink->b[j] = keep_b + sink->alpha * db;
  }
}
static const nnb_layer_ops gain_ops = {.name = "gain",
                                       .size = sizeof(gain),
                                       .shape = gain_shape,
                                       .forward = gain_forward,
                                       .backward_data = gain_data,
                                       .backward_params = gain_params,
                                       .init = gain_init};

/* A net with the given parts; any of them NULL. */
static double check_own(const nnb_act_ops *act, const power_loss *loss, const gain *layer) {
  nnb_net *net = nnb_net_create(3);
  sample s;
  double worst;
  nnb_activation f = act ? (nnb_activation)nnb_net_own_activation(net, act) : NNB_TANH;
  if (loss) ck_assert_int_eq(nnb_net_loss(net, (nnb_loss)nnb_net_own_loss(net, &loss->ops)), NNB_OK);
  int h = dense(net, 0, 3, f);
  if (layer) h = nnb_net_own_layer(net, &gain_ops, layer, &h, 1, f, NULL);
  int from[] = {h, dense(net, h, 3, f), h};
  nnb_net_add(net, from, 3, NNB_LINEAR);
  dense(net, 0, 2, NNB_TANH);
  ok(nnb_net_status(net));
  draw(&s, net, VALUES, true, 5);
  ok(nnb_check_gradient(net, &s.batch, &worst));
  nnb_net_destroy(net);
  return worst;
}

START_TEST(own_parts) {
  static const gain right = {.data = 1, .params = 1};
  for (int i = 0; i < LENGTH(own_acts); i++)
    for (int l = 0; l < LENGTH(own_losses); l++) {
      double worst = check_own(&own_acts[i], &own_losses[l], &right);
      ck_assert_msg(worst <= good, "%s, %s, gain: worst %g", own_acts[i].name, own_losses[l].ops.name, worst);
    }
}
END_TEST

/* A net of scaled inputs, such as 100 ± 1, at the end of a fit: the gradient is only a rounding error. */
START_TEST(scaled_inputs_and_a_minimum) {
  enum { N = 40 };
  real x[N * 3], t[N];
  nnb_rng rng;
  double worst = 0;
  nnb_data *data;
  nnb_batch rows;
  nnb_net *net;
  nnb_rng_init(&rng, 4, 4);
  for (int i = 0; i < N * 3; i++) x[i] = (real)((_i & 1 ? 100 : 0) + 2 * nnb_rng_uniform(&rng));
  for (int i = 0; i < N; i++) t[i] = (real)(5 + sin((double)x[3 * i]) + 0.2 * nnb_rng_normal(&rng));
  ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, N, 3), .t = nnb_cview(t, N, 1)}, 0, &data));
  ok(nnb_data_batch(data, 0, N, &rows));
  ok(nnb_net_parse("3-3:tanh-1", &net));
  if (_i & 1) ok(nnb_net_standardize(net, data));
  if (_i & 2) ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LM, .max_epochs = 200}, NULL));
  ok(nnb_check_gradient(net, &rows, &worst));
  ck_assert_msg(worst <= good, "worst %g, expected at most %g", worst, good);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

START_TEST(wrong_derivatives_are_noticed) {
  static const gain wrong[] = {
      {.data = 0.5, .params = 1}, {.data = 1, .params = 2}, {.data = 1, .params = (double)NAN}};
  double worst[] = {check_own(&wrong_acts[0], NULL, NULL), check_own(&wrong_acts[1], NULL, NULL),
                    check_own(NULL, &wrong_loss, NULL),    check_own(NULL, NULL, &wrong[0]),
                    check_own(NULL, NULL, &wrong[1]),      check_own(NULL, NULL, &wrong[2])};
  for (int i = 0; i < LENGTH(worst); i++)
    ck_assert_msg(!(worst[i] <= bad), "wrong part %d: worst %g only", i, worst[i]);
}
END_TEST

/* ---- a branchy net in plain loops -----------------------------------------------------------------------------------
 */

typedef long double wide;

/* x (3) → h = tanh(x·U + b);  u (2) → k = silu(u·V);  s = gelu(h + k);  c = [s h x];
 * p = softmax(c·P + b), cross-entropy × 0.7;  q = σ(c·Q + b), half_sse;  r = q·R + b, mse × 2 */
enum { NX = 3, NU = 2, NH = 4, NC = 2 * NH + NX, NP = 3, NQ = 2, NR = 2 };

static nnb_net *branchy(void) {
  nnb_net *net = nnb_net_create(NX);
  int u = nnb_net_input(net, NU, "u"), h = dense(net, 1, NH, NNB_TANH);
  int k = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = NH, .activation = NNB_SILU, .from = u, .no_bias = true});
  int hk[] = {h, k}, s = nnb_net_add(net, hk, 2, NNB_GELU), shx[] = {s, h, 1}, c = nnb_net_concat(net, shx, 3);
  int p = nnb_net_output(net, dense(net, c, NP, NNB_SOFTMAX)), q = nnb_net_output(net, dense(net, c, NQ, NNB_SIGMOID));
  int r = nnb_net_output(net, dense(net, q, NR, NNB_LINEAR));
  nnb_net_output_loss(net, p, NNB_CROSS_ENTROPY, 0.7);
  nnb_net_output_loss(net, q, NNB_HALF_SSE, 1);
  nnb_net_output_loss(net, r, NNB_MSE, 2);
  ok(nnb_net_status(net));
  return net;
}

/* z = a·W + b; b NULL: none */
static void affine(int n, int m, const wide *a, const wide *w, const wide *b, wide *z) {
  for (int j = 0; j < m; j++) {
    z[j] = b ? b[j] : 0;
    for (int i = 0; i < n; i++) z[j] += a[i] * w[i * m + j];
  }
}
/* dw += aᵀd, db += d, da += d·Wᵀ */
static void affine_back(int n, int m, const wide *a, const wide *w, const wide *d, wide *dw, wide *db, wide *da) {
  for (int j = 0; j < m; j++) {
    for (int i = 0; i < n; i++) dw[i * m + j] += a[i] * d[j], da[i] += d[j] * w[i * m + j];
    if (db) db[j] += d[j];
  }
}
static wide phi(wide z) { return expl(-z * z / 2) * 0.398942280401432677939946L; }
static wide big_phi(wide z) { return erfcl(-z * 0.707106781186547524400844L) / 2; }
static wide sigma(wide z) { return 1 / (1 + expl(-z)); }

/* The loss of one row, its part of the gradient added to g, dx of the inputs. */
static wide plain_row(const wide *w, const wide *x, const wide *t, wide weight, wide norm, wide *g, wide *dx, wide *y) {
  enum { U = 0, V = U + (NX + 1) * NH, P = V + NU * NH, Q = P + (NC + 1) * NP, R = Q + (NC + 1) * NQ };
  wide zh[NH], h[NH], zk[NH], zs[NH], c[NC], zp[NP], zq[NQ], *p = y, *q = y + NP, *r = y + NP + NQ, loss = 0, sum = 0;
  affine(NX, NH, x, w + U, w + U + NX * NH, zh);
  affine(NU, NH, x + NX, w + V, NULL, zk);
  for (int j = 0; j < NH; j++) {
    h[j] = tanhl(zh[j]);
    zs[j] = h[j] + zk[j] * sigma(zk[j]);
    c[j] = zs[j] * big_phi(zs[j]), c[NH + j] = h[j];
  }
  for (int j = 0; j < NX; j++) c[2 * NH + j] = x[j];
  affine(NC, NP, c, w + P, w + P + NC * NP, zp);
  affine(NC, NQ, c, w + Q, w + Q + NC * NQ, zq);
  for (int j = 0; j < NP; j++) sum += expl(zp[j]);
  for (int j = 0; j < NP; j++) p[j] = expl(zp[j]) / sum;
  for (int j = 0; j < NQ; j++) q[j] = sigma(zq[j]);
  affine(NQ, NR, q, w + R, w + R + NQ * NR, r);

  wide dp[NP], dq[NQ], dr[NR], dc[NC] = {0}, dh[NH], dk[NH], total = 0;
  for (int j = 0; j < NP; j++) total += t[j];
  for (int j = 0; j < NP; j++) {
    loss -= 0.7L * weight / norm * t[j] * logl(p[j]);
    dp[j] = 0.7L * weight / norm * (total * p[j] - t[j]);
  }
  for (int j = 0; j < NR; j++) {
    wide e = r[j] - t[NP + NQ + j];
    loss += 2 * weight / (norm * NR) * e * e;
    dr[j] = 2 * weight / (norm * NR) * 2 * e;
  }
  for (int j = 0; j < NQ; j++) {
    wide e = q[j] - t[NP + j];
    loss += weight * e * e / 2;
    dq[j] = weight * e;
  }
  affine_back(NQ, NR, q, w + R, dr, g + R, g + R + NQ * NR, dq);
  for (int j = 0; j < NQ; j++) dq[j] *= q[j] * (1 - q[j]);
  affine_back(NC, NP, c, w + P, dp, g + P, g + P + NC * NP, dc);
  affine_back(NC, NQ, c, w + Q, dq, g + Q, g + Q + NC * NQ, dc);
  for (int j = 0; j < NX + NU; j++) dx[j] = j < NX ? dc[2 * NH + j] : 0;
  for (int j = 0; j < NH; j++) {
    wide ds = dc[j] * (big_phi(zs[j]) + zs[j] * phi(zs[j])), sk = sigma(zk[j]);
    dh[j] = (dc[NH + j] + ds) * (1 - h[j] * h[j]);
    dk[j] = ds * (sk + zk[j] * sk * (1 - sk));
  }
  affine_back(NX, NH, x, w + U, dh, g + U, g + U + NX * NH, dx);
  affine_back(NU, NH, x + NX, w + V, dk, g + V, NULL, dx + NX);
  return loss;
}

static void same(double got, wide want, wide size, const char *what, int i) {
  double off = (double)(fabsl((wide)got - want) / fmaxl(fabsl(want), size));
  ck_assert_msg(off <= 100 * (double)REAL_EPS, PRECISION ": %s[%d] is %.17g, expected %.17Lg", what, i, got, want);
}

START_TEST(branchy_net_in_plain_loops) {
  enum { B = 7, N_IN = NX + NU, N_OUT = NP + NQ + NR, MOST_P = 100 };
  real x[B * N_IN], t[B * N_OUT], weight[B], y[B * N_OUT], grad[MOST_P];
  wide w[MOST_P], g[MOST_P] = {0}, dx[N_IN], wx[N_IN], wt[N_OUT], wy[N_OUT], norm = 0, want = 0;
  nnb_net *net = branchy();
  int n = (int)nnb_net_n_params(net);
  nnb_plan *plan;
  nnb_rng rng;
  double loss;
  ck_assert_int_eq(n, (NX + 1) * NH + NU * NH + (NC + 1) * (NP + NQ) + (NQ + 1) * NR);
  nnb_rng_init(&rng, 11, (uint64_t)_i);
  for (int i = 0; i < n; i++) w[i] = (wide)(nnb_net_params(net)[i] = (real)nnb_rng_normal(&rng));
  for (int i = 0; i < B * N_IN; i++) x[i] = (real)nnb_rng_normal(&rng);
  for (int i = 0; i < B * N_OUT; i++) t[i] = (real)nnb_rng_uniform(&rng);
  for (int i = 0; i < B; i++) norm += (wide)(weight[i] = (real)nnb_rng_uniform(&rng));
  nnb_batch batch = {.x = nnb_cview(x, B, N_IN), .t = nnb_cview(t, B, N_OUT), .weight = weight};
  unsigned more = _i % 2 ? NNB_KEEP | NNB_DX : 0;
  ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = B, .want = NNB_GRAD | more}, &plan));
  ok(nnb_net_predict(net, batch.x, nnb_view(y, B, N_OUT)));
  ok(nnb_plan_gradient(plan, &batch, 0, &loss, grad));
  for (int i = 0; i < B; i++) {
    for (int j = 0; j < N_IN; j++) wx[j] = (wide)x[i * N_IN + j];
    for (int j = 0; j < N_OUT; j++) wt[j] = (wide)t[i * N_OUT + j];
    want += plain_row(w, wx, wt, (wide)weight[i], norm, g, dx, wy);
    for (int j = 0; j < N_OUT; j++) same((double)y[i * N_OUT + j], wy[j], 1, "output", i * N_OUT + j);
  }
  same(loss, want, 0, "loss", 0);
  for (int i = 0; i < n; i++) same((double)grad[i], g[i], 1, "gradient", i);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}
END_TEST

/* ---- derivatives of the outputs by the inputs ---------------------------------------------------------------------
 */

/* J of a net with scalers against central differences of predictions, more rows than one chunk has, with ld above the
 * number of columns. */
START_TEST(jacobian) {
  enum { N = 1030, LD = 7 };
  static real x[N * 3], t[N * 2], J[N * LD];
  real y[2][2];
  const real h = (real)TOL(1e-6, 1e-2);
  nnb_net *net = nnb_net_create(3);
  nnb_data *data;
  nnb_rng rng;
  nnb_rng_init(&rng, 3, 0);
  for (int i = 0; i < N * 3; i++) x[i] = (real)(5 + 2 * nnb_rng_normal(&rng));
  for (int i = 0; i < N * 2; i++) t[i] = (real)(3 * nnb_rng_normal(&rng)), J[i] = (real)NAN;
  for (int i = 0; i < N; i++) J[i * LD + 6] = 42;
  nnb_batch rows = {.x = nnb_cview(x, N, 3), .t = nnb_cview(t, N, 2)};
  ok(nnb_data_wrap(&rows, 0, &data));
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_MINMAX);
  nnb_net_layer(net, 0, "8:tanh");
  nnb_net_layer(net, 0, "2");
  ok(nnb_net_jacobian(net, rows.x, (nnb_mat){J, N, 6, LD}));
  for (int b = 0; b < N; b += b < 3 ? 1 : 257) {
    for (int i = 0; i < 3; i++) {
      for (int side = 0; side < 2; side++) {
        real at[3] = {x[b * 3], x[b * 3 + 1], x[b * 3 + 2]};
        at[i] += side ? h : -h;
        ok(nnb_net_predict(net, nnb_cview(at, 1, 3), nnb_view(y[side], 1, 2)));
      }
      for (int o = 0; o < 2; o++) {
        const double want = (double)(y[1][o] - y[0][o]) / (2 * (double)h), got = (double)J[b * LD + o * 3 + i];
        ck_assert_msg(fabs(want - got) <= TOL(1e-7, 2e-3) * (1 + fabs(want)), "row %d, y%d by x%d: %g, expected %g", b,
                      o, i, got, want);
      }
    }
    ck_assert(J[b * LD + 6] == 42);
  }
  ck_assert_int_eq(nnb_net_jacobian(net, rows.x, nnb_view(J, N, 5)), NNB_E_SHAPE);
  ck_assert_msg(strstr(nnb_errmsg(), "wanted 1030×6"), "%s", nnb_errmsg());
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gradient " PRECISION);
  TCase *tc = tcase_create("gradient");
  tcase_add_loop_test(tc, distances, 0, LENGTH(graphs) * N_SMOOTH);
  tcase_add_loop_test(tc, cross_entropies, 0, LENGTH(graphs) * N_SMOOTH);
  tcase_add_loop_test(tc, labels_are_one_hot, 0, NNB_N_LOSSES - 1);
  tcase_add_test(tc, own_parts);
  tcase_add_loop_test(tc, scaled_inputs_and_a_minimum, 0, TOL(4, 2)); /* single: a minimum is lost in rounding */
  tcase_add_test(tc, wrong_derivatives_are_noticed);
  tcase_add_loop_test(tc, branchy_net_in_plain_loops, 0, 4);
  tcase_add_test(tc, jacobian);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
