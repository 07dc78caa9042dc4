/* Lesson 11: an own activation, loss and layer, each a table of functions, each compared with central differences by
 * nnb_check_gradient, then used together.
 *     activation  softsign(z) = z/(1 + |z|)
 *     loss        log-cosh, Σ log cosh(a - t): quadratic near 0, linear far from it
 *     layer       a convolution of the row with a small kernel, z_j = Σ_k w_k·x_(j+k) + b: few weights, used everywhere
 */
#include <math.h>

#include "show.h"

static nnb_real *at(nnb_mat m, int i, int j) { return m.p + (size_t)i * (size_t)m.ld + (size_t)j; }
static nnb_real from(nnb_cmat m, int i, int j) { return m.p[(size_t)i * (size_t)m.ld + (size_t)j]; }

/* ---- the activation -------------------------------------------------------------------------------------------- */

static void softsign_value(const nnb_act_ops *self, nnb_cmat z, nnb_mat a) {
  (void)self;
  for (int i = 0; i < z.rows; i++)
    for (int j = 0; j < z.cols; j++) *at(a, i, j) = from(z, i, j) / (1 + fabs(from(z, i, j)));
}

/* f'(z) = 1/(1 + |z|)² = (1 - |a|)²: computed from the activation alone. */
static void softsign_pull(const nnb_act_ops *self, nnb_cmat z, nnb_cmat a, nnb_mat d) {
  (void)self, (void)z;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      nnb_real rest = 1 - fabs(from(a, i, j));
      *at(d, i, j) *= rest * rest;
    }
}

static const nnb_act_ops softsign = {.name = "softsign", .value = softsign_value, .pull = softsign_pull};

/* ---- the loss -------------------------------------------------------------------------------------------------- */

static double log_cosh_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, nnb_real scale, nnb_mat da) {
  (void)self;
  double sum = 0;
  for (int i = 0; i < a.rows; i++) {
    nnb_real weight = batch->weight ? batch->weight[i] : 1;
    for (int j = 0; j < a.cols; j++) {
      nnb_real t = batch->label ? (batch->label[i] == j) : from(batch->t, i, j), r = from(a, i, j) - t;
      sum += weight * (fabs(r) + log1p(exp(-2 * fabs(r))) - log(2)); /* log cosh r, without overflow */
      if (da.p) *at(da, i, j) = scale * weight * tanh(r);
    }
  }
  return sum;
}

static const nnb_loss_ops log_cosh = {.name = "log_cosh", .traits = NNB_LOSS_MEAN_ROWS, .value = log_cosh_value};

/* ---- the layer ------------------------------------------------------------------------------------------------- */

typedef struct convolution {
  int kernel, width;
} convolution; /* width: columns of the input, set by shape */

static nnb_status convolution_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  convolution *c = self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "a convolution reads one node, not %d", n_from);
  if (c->kernel < 1 || c->kernel > cols[0])
    return nnb_layer_fail(NNB_E_SHAPE, "a kernel of %d does not fit into %d columns", c->kernel, cols[0]);
  c->width = cols[0];
  needs->cols = c->width - c->kernel + 1;
  needs->w_rows = c->kernel, needs->w_cols = 1, needs->bias = true;
  return NNB_OK;
}

static void convolution_forward(const void *self, const nnb_layer_io *io) {
  const convolution *c = self;
  for (int i = 0; i < io->z.rows; i++)
    for (int j = 0; j < io->z.cols; j++) {
      nnb_real z = io->w[c->kernel]; /* the bias follows the weights */
      for (int k = 0; k < c->kernel; k++) z += io->w[k] * from(io->a[0], i, j + k);
      *at(io->z, i, j) = z;
    }
}

/* ∂E/∂x_m = Σ_k δ_(m-k)·w_k */
static void convolution_backward_data(const void *self, const nnb_layer_io *io, int input) {
  const convolution *c = self;
  nnb_mat dx = io->da[input];
  for (int i = 0; i < dx.rows; i++)
    for (int m = 0; m < dx.cols; m++) {
      nnb_real sum = 0;
      for (int k = 0; k < c->kernel; k++)
        if (m - k >= 0 && m - k < io->delta.cols) sum += from(io->delta, i, m - k) * io->w[k];
      *at(dx, i, m) = io->da_beta == 0 ? sum : *at(dx, i, m) + sum;
    }
}

/* dst ← beta·dst + alpha·g; a beta of 0 overwrites any old value. */
static void blend(nnb_real *dst, nnb_real beta, nnb_real alpha, nnb_real g) {
  *dst = beta == 0 ? alpha * g : beta * *dst + alpha * g;
}

/* ∂E/∂w_k = Σ_ij δ_ij·x_(i,j+k),  ∂E/∂b = Σ_ij δ_ij */
static void convolution_backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const convolution *c = self;
  int first = c->kernel * io->part / io->parts, end = c->kernel * (io->part + 1) / io->parts;
  for (int k = first; sink->w && k < end; k++) {
    nnb_real g = 0;
    for (int i = 0; i < io->delta.rows; i++)
      for (int j = 0; j < io->delta.cols; j++) g += from(io->delta, i, j) * from(io->a[0], i, j + k);
    blend(&sink->w[k], sink->beta, sink->alpha, g);
  }
  if (!sink->b || io->part != io->parts - 1) return;
  nnb_real g = 0;
  for (int i = 0; i < io->delta.rows; i++)
    for (int j = 0; j < io->delta.cols; j++) g += from(io->delta, i, j);
  blend(sink->b, sink->beta_bias, sink->alpha, g);
}

static void convolution_init(const void *self, nnb_real *w, nnb_rng *rng, nnb_real *scratch) {
  (void)scratch; /* shape has requested none */
  const convolution *c = self;
  for (int k = 0; k < c->kernel; k++) w[k] = nnb_rng_normal(rng) / sqrt(c->kernel);
  w[c->kernel] = 0;
}

static const nnb_attr convolution_attrs[] = {{"kernel", NNB_ATTR_INT, offsetof(convolution, kernel)}, {NULL, 0, 0}};

static const nnb_layer_ops convolution_ops = {.name = "convolution",
                                              .size = sizeof(convolution),
                                              .attrs = convolution_attrs,
                                              .shape = convolution_shape,
                                              .forward = convolution_forward,
                                              .backward_data = convolution_backward_data,
                                              .backward_params = convolution_backward_params,
                                              .init = convolution_init};

/* ---- checking and using ---------------------------------------------------------------------------------------- */

enum { WIDTH = 12, ROWS = 300 };

/* Rows of noise; half of them have a bump somewhere: class 1. */
static void make_rows(nnb_real *x, nnb_real *t) {
  nnb_rng rng;
  nnb_rng_init(&rng, 3, 0);
  for (int i = 0; i < ROWS; i++) {
    t[i] = i % 2;
    for (int j = 0; j < WIDTH; j++) x[i * WIDTH + j] = 0.3 * nnb_rng_normal(&rng);
    int place = i * WIDTH + (int)nnb_rng_below(&rng, WIDTH - 2);
    if (i % 2) x[place] += 1, x[place + 1] += 2, x[place + 2] += 1;
  }
}

static void check(const char *name, nnb_net *net, const nnb_batch *rows, const char *note) {
  nnb_batch few = *rows;
  double worst;
  few.x.rows = few.t.rows = 5;
  must(nnb_check_gradient(net, &few, &worst));
  show_number(name, worst, note);
}

int main(int argc, char **argv) {
  static nnb_real x[ROWS * WIDTH], t[ROWS];
  show_start(argc, argv, "11. Your own parts", 6);
  make_rows(x, t);
  nnb_batch rows = {.x = nnb_cview(x, ROWS, WIDTH), .t = nnb_cview(t, ROWS, 1)};

  puts("Largest relative difference between gradient and central differences:\n");
  nnb_net *net = must_have(nnb_net_create(WIDTH), "net");
  must(nnb_net_dense(net, 4, (nnb_activation)must(nnb_net_own_activation(net, &softsign))));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  check("own_activation", net, &rows, "softsign");
  nnb_net_destroy(net);

  net = must_have(nnb_net_create(WIDTH), "net");
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_loss(net, (nnb_loss)must(nnb_net_own_loss(net, &log_cosh))));
  check("own_loss", net, &rows, "log-cosh");
  nnb_net_destroy(net);

  net = must_have(nnb_net_create(WIDTH), "net");
  must(nnb_net_dense(net, WIDTH, NNB_TANH)); /* so that the own layer has to compute derivatives of its inputs */
  must(nnb_net_own_layer(net, &convolution_ops, &(convolution){.kernel = 3}, NULL, 0, NNB_TANH, NULL));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  check("own_layer", net, &rows, "convolution with a kernel of 3");
  nnb_net_destroy(net);

  puts("\nAll three in one net, which learns whether a row has a bump in it:\n");
  net = must_have(nnb_net_create(WIDTH), "net");
  must(nnb_net_own_layer(net, &convolution_ops, &(convolution){.kernel = 3}, NULL, 0, NNB_LINEAR, "bump"));
  must(nnb_net_dense(net, 6, (nnb_activation)must(nnb_net_own_activation(net, &softsign))));
  must(nnb_net_dense(net, 1, NNB_LINEAR));
  must(nnb_net_loss(net, (nnb_loss)must(nnb_net_own_loss(net, &log_cosh))));
  check("all_three", net, &rows, "");
  nnb_data *data = NULL;
  nnb_report report;
  must(nnb_data_wrap(&rows, 0, &data));
  must(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_MOMENTUM, .batch = 10, .max_epochs = 200}, &report));
  show_number("loss_first_epoch", report.history[0].loss, "");
  show_number("loss_last_epoch", report.loss, "");
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
