/* An own layer that couples rows, learns running statistics and reads images: batch normalisation (Ioffe and
 * Szegedy 2015), written against the public headers alone. */
#include <stdatomic.h>

#include "toys.h"

/* A batch of the wide net is enough work for several threads, which test_threads asserts. */
enum { ROWS = 400, BATCH = 150, COLS = 12, WIDE = 100, CHANNELS = 3, MANY = 1500 };
#define IMAGE \
  (nnb_shape) { CHANNELS, 2, 2 }

/* ---- the layers -------------------------------------------------------------------------------------------------- */

static atomic_int least_rows, most_rows; /* passed to norm in runs that train */
static atomic_bool was_split;            /* pass saw a part that began after the first row */

/* Z = γ·(A - μ)/√(v + ε) + β for each channel, or for each column without a shape; buffers: means, then variances. */
typedef struct norm {
  int channels, pixels; /* by shape */
} norm;

static const real eps = (real)1e-3;

static nnb_status norm_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  norm *n = self;
  if (n_from != 1) return nnb_layer_fail(NNB_E_SHAPE, "norm reads one node, not %d", n_from);
  n->channels = needs->from[0].channels > 0 ? needs->from[0].channels : cols[0];
  n->pixels = cols[0] / n->channels;
  needs->cols = cols[0], needs->shape = needs->from[0];
  needs->w_rows = 1, needs->w_cols = n->channels, needs->bias = true, needs->no_decay = true;
  needs->couples_rows = true;
  needs->buffers = 2 * (size_t)n->channels;
  return NNB_OK;
}

static real at(nnb_cmat m, const norm *n, int c, int k) {
  return m.p[k / n->pixels * m.ld + c * n->pixels + k % n->pixels];
}

/* Mean and variance of channel c over rows and pixels, or what the net has learned of them. */
static void moments(const norm *n, const nnb_layer_io *io, int c, double *mean, double *variance) {
  const int count = io->a[0].rows * n->pixels;
  *mean = (double)io->buffers[c], *variance = (double)io->buffers[n->channels + c];
  if (!io->run->training) return;
  *mean = *variance = 0;
  for (int k = 0; k < count; k++) *mean += (double)at(io->a[0], n, c, k) / count;
  for (int k = 0; k < count; k++) {
    const double d = (double)at(io->a[0], n, c, k) - *mean;
    *variance += d * d / count;
  }
}

static void note_rows(int rows) {
  if (rows < atomic_load(&least_rows)) atomic_store(&least_rows, rows);
  if (rows > atomic_load(&most_rows)) atomic_store(&most_rows, rows);
}

static void norm_forward(const void *self, const nnb_layer_io *io) {
  const norm *n = self;
  if (io->run->training) note_rows(io->z.rows);
  for (int c = 0; c < n->channels; c++) {
    double mean, variance;
    moments(n, io, c, &mean, &variance);
    for (int k = 0; k < io->z.rows * n->pixels; k++)
      io->z.p[k / n->pixels * io->z.ld + c * n->pixels + k % n->pixels] =
          (real)(((double)at(io->a[0], n, c, k) - mean) / sqrt(variance + (double)eps)) * io->w[c] +
          io->w[n->channels + c];
    if (!io->new_buffers) continue;
    io->new_buffers[c] += (real)0.1 * ((real)mean - io->new_buffers[c]);
    io->new_buffers[n->channels + c] += (real)0.1 * ((real)variance - io->new_buffers[n->channels + c]);
  }
}

/* Means of δ and of δ·x̂, which are ∂E/∂β and ∂E/∂γ but for the count; x̂ is the normalised input. */
static void slopes(const norm *n, const nnb_layer_io *io, int c, double *d_bias, double *d_gain) {
  double mean, variance;
  moments(n, io, c, &mean, &variance);
  *d_bias = *d_gain = 0;
  for (int k = 0; k < io->delta.rows * n->pixels; k++) {
    const double d = (double)at(io->delta, n, c, k);
    *d_bias += d, *d_gain += d * ((double)at(io->a[0], n, c, k) - mean) / sqrt(variance + (double)eps);
  }
}

static void norm_backward_data(const void *self, const nnb_layer_io *io, int from) {
  const norm *n = self;
  nnb_mat da = io->da[from];
  const int count = da.rows * n->pixels;
  for (int c = 0; c < n->channels; c++) {
    double mean, variance, d_bias, d_gain;
    moments(n, io, c, &mean, &variance);
    slopes(n, io, c, &d_bias, &d_gain);
    if (!io->run->training) d_bias = d_gain = 0;
    for (int k = 0; k < count; k++) {
      const double x = ((double)at(io->a[0], n, c, k) - mean) / sqrt(variance + (double)eps);
      const double d = (double)at(io->delta, n, c, k) - d_bias / count - x * d_gain / count;
      real *to = &da.p[k / n->pixels * da.ld + c * n->pixels + k % n->pixels];
      *to = (io->da_beta == 0 ? 0 : *to) + (real)((double)io->w[c] * d / sqrt(variance + (double)eps));
    }
  }
}

static void norm_backward_params(const void *self, const nnb_layer_io *io, const nnb_sink *sink) {
  const norm *n = self;
  if (io->part != io->parts - 1) return; /* the one row of W and b belong to the last part */
  for (int c = 0; c < n->channels; c++) {
    double d_bias, d_gain;
    slopes(n, io, c, &d_bias, &d_gain);
    if (sink->w) sink->w[c] = (sink->beta == 0 ? 0 : sink->beta * sink->w[c]) + sink->alpha * (real)d_gain;
    if (sink->b) sink->b[c] = (sink->beta_bias == 0 ? 0 : sink->beta_bias * sink->b[c]) + sink->alpha * (real)d_bias;
  }
}

static void norm_init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  (void)scratch;
  for (int c = 0; c < ((const norm *)self)->channels; c++) w[c] = (real)(0.5 + nnb_rng_uniform(rng));
}

static void norm_init_buffers(const void *self, real *buffers) {
  const norm *n = self;
  for (int c = 0; c < n->channels; c++) buffers[n->channels + c] = 1; /* the means are 0 */
}

static const nnb_layer_ops norm_ops = {.name = "norm",
                                       .size = sizeof(norm),
                                       .shape = norm_shape,
                                       .forward = norm_forward,
                                       .backward_data = norm_backward_data,
                                       .backward_params = norm_backward_params,
                                       .init = norm_init,
                                       .init_buffers = norm_init_buffers};

/* Z = A, elementwise: hands its shape on. */
static nnb_status pass_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self, (void)n_from;
  needs->cols = cols[0], needs->shape = needs->from[0];
  return NNB_OK;
}
static void pass_forward(const void *self, const nnb_layer_io *io) {
  (void)self;
  if (io->run->training && io->run->row0 > 0) atomic_store(&was_split, true);
  for (int i = 0; i < io->z.rows; i++)
    memcpy(io->z.p + i * io->z.ld, io->a[0].p + i * io->a[0].ld, (size_t)io->z.cols * sizeof(real));
}
static void pass_backward(const void *self, const nnb_layer_io *io, int k) {
  (void)self;
  for (int i = 0; i < io->delta.rows; i++)
    for (int j = 0; j < io->delta.cols; j++) {
      real *to = &io->da[k].p[i * io->da[k].ld + j];
      *to = (io->da_beta == 0 ? 0 : *to) + io->delta.p[i * io->delta.ld + j];
    }
}
static const nnb_layer_ops pass_ops = {
    .name = "pass", .shape = pass_shape, .forward = pass_forward, .backward_data = pass_backward};

/* ---- nets -------------------------------------------------------------------------------------------------------- */

static int add_layer(nnb_net *net, const nnb_layer_ops *ops, const char *name) {
  return nnb_net_own_layer(net, ops, &(norm){0}, NULL, 0, NNB_LINEAR, name);
}

/* 12 or 3·2·2 - pass - norm - dense tanh - norm - dense tanh - dense; norm is "first" and "second". */
static nnb_net *make_net(int width, bool image) {
  nnb_net *net = nnb_net_create(COLS);
  ck_assert(net);
  if (image) ck_ok(nnb_net_shape(net, 0, CHANNELS, 2, 2));
  ck_assert_int_gt(add_layer(net, &pass_ops, NULL), 0);
  ck_assert_int_gt(add_layer(net, &norm_ops, "first"), 0);
  nnb_net_dense(net, width, NNB_TANH);
  ck_assert_int_gt(add_layer(net, &norm_ops, "second"), 0);
  nnb_net_dense(net, width, NNB_TANH);
  nnb_net_dense(net, 1, NNB_LINEAR);
  nnb_net_seed(net, 5);
  return net;
}

static uint64_t bits(nnb_net *net) {
  uint64_t h = toy_hash_net(1, net);
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_cmat b;
    if (!nnb_net_buffers(net, k, &b)) h = toy_hash(h, b.p, (size_t)b.cols * sizeof(real));
  }
  return h;
}

static nnb_cmat buffers_of(nnb_net *net, const char *name) {
  nnb_cmat b;
  ck_ok(nnb_net_buffers(net, nnb_net_find(net, name), &b));
  return b;
}

static void forget(void) {
  atomic_store(&least_rows, INT32_MAX), atomic_store(&most_rows, 0), atomic_store(&was_split, false);
}

static void assert_near(const real *a, const real *b, size_t n, double tol) {
  for (size_t i = 0; i < n; i++) ck_assert_double_eq_tol((double)a[i], (double)b[i], tol);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

START_TEST(test_gradient) {
  nnb_data *data = toy_regression(9, COLS, 1);
  nnb_batch batch;
  ck_ok(nnb_data_batch(data, 0, 9, &batch));
  for (int image = 0; image < 2; image++) {
    nnb_net *net = make_net(4, image);
    double worst;
    const uint64_t before = bits(net);
    ck_assert_uint_eq(nnb_net_n_buffers(net), 2 * (image ? CHANNELS : COLS) + 2 * 4);
    ck_ok(nnb_check_gradient(net, &batch, &worst));
    ck_assert_double_le(worst, TOL(1e-6, 1e-2));
    ck_assert_uint_eq(bits(net), before);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* All threads work, and the layer still sees each batch as a whole, once. */
START_TEST(test_threads) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net[2];
  for (int i = 0; i < 2; i++) {
    nnb_fit_opts opts = {.algo = NNB_ADAM, .batch = BATCH, .max_epochs = 3, .threads = i ? 3 : 1};
    forget();
    net[i] = make_net(WIDE, true);
    ck_ok(nnb_fit(net[i], data, NULL, &opts, NULL));
    ck_assert_int_eq(atomic_load(&most_rows), BATCH);
    ck_assert_int_eq(atomic_load(&least_rows), ROWS - 2 * BATCH);
    ck_assert_int_eq(atomic_load(&was_split), i);
  }
  nnb_cmat one = buffers_of(net[0], "first"), three = buffers_of(net[1], "first");
  ck_assert_double_gt(fabs((double)one.p[0]), 1e-3);
  assert_near(one.p, three.p, (size_t)one.cols, TOL(1e-12, 1e-5));
  one = buffers_of(net[0], "second"), three = buffers_of(net[1], "second");
  assert_near(one.p, three.p, (size_t)one.cols, TOL(1e-9, 1e-2));
  assert_near(nnb_net_params_read(net[0]), nnb_net_params_read(net[1]), nnb_net_n_params(net[0]), TOL(1e-8, 1e-2));
  nnb_net_destroy(net[0]), nnb_net_destroy(net[1]), nnb_data_destroy(data);
}
END_TEST

/* Running means of a net that does not learn are those of the data, in either way of training. */
START_TEST(test_running_means) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_batch all;
  ck_ok(nnb_data_batch(data, 0, ROWS, &all));
  for (int full = 0; full < 2; full++) {
    nnb_net *net = make_net(4, false);
    double mean = 0;
    for (int i = 0; i < ROWS; i++) mean += (double)all.x.p[i * all.x.ld] / ROWS;
    nnb_fit_opts opts = {.algo = full ? NNB_LBFGS : NNB_SGD, .batch = NNB_FULL_BATCH, .max_epochs = 100, .lr = 1e-9};
    if (full) opts.lr = 0;
    ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
    ck_assert_double_eq_tol((double)buffers_of(net, "first").p[0], mean, 1e-4 + fabs(mean) * 1e-3);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* Predictions, losses and their derivatives by the inputs leave buffers alone, and their rows are independent. */
START_TEST(test_not_training) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(WIDE, true);
  nnb_fit_opts opts = {.algo = NNB_ADAM, .batch = BATCH, .max_epochs = 2};
  ck_ok(nnb_fit(net, data, data, &opts, NULL));
  const uint64_t before = bits(net);
  nnb_batch all;
  nnb_plan *plan;
  nnb_metrics metrics;
  double loss;
  real y[ROWS], one[1], dx[ROWS * COLS], v[ROWS];
  ck_ok(nnb_data_batch(data, 0, ROWS, &all));
  for (int i = 0; i < ROWS; i++) v[i] = 1;
  ck_ok(nnb_evaluate(net, data, &metrics));
  ck_ok(nnb_net_predict(net, all.x, nnb_view(y, ROWS, 1)));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_DX, .threads = 3}, &plan));
  ck_ok(nnb_plan_loss(plan, &all, &loss));
  ck_ok(nnb_plan_vjp(plan, all.x, nnb_cview(v, ROWS, 1), nnb_view(dx, ROWS, COLS)));
  ck_assert_uint_eq(bits(net), before);
  ck_assert_double_eq_tol(metrics.loss, loss, TOL(1e-12, 1e-5));
  ck_ok(nnb_plan_predict(plan, nnb_cview(all.x.p, 1, COLS), nnb_view(one, 1, 1)));
  ck_assert_double_eq_tol((double)one[0], (double)y[0], TOL(1e-12, 1e-5));
  nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Another name of equal length, where it stands first. */
static void rename_in(char *file, size_t bytes, const char *name, const char *other) {
  size_t n = strlen(name), i = 0;
  while (i + n < bytes && memcmp(file + i, name, n) != 0) i++;
  ck_assert_uint_lt(i + n, bytes);
  memcpy(file + i, other, n);
}

/* A copy and a file hold the same bits; a file without the buffers that the layer asks for is malformed. */
START_TEST(test_copy_and_file) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(4, true), *copy, *loaded;
  const nnb_layer_ops *layers[] = {&norm_ops, &pass_ops};
  nnb_load_opts load = {.layers = layers, .n_layers = 2};
  nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 2};
  void *file;
  size_t bytes;
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, &load, &loaded));
  ck_assert_uint_eq(bits(copy), bits(net));
  ck_assert_uint_eq(bits(loaded), bits(net));
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_shape s = nnb_net_node_shape(net, k), t = nnb_net_node_shape(loaded, k), u = nnb_net_node_shape(copy, k);
    ck_assert_mem_eq(&s, &t, sizeof s);
    ck_assert_mem_eq(&s, &u, sizeof s);
  }
  ck_assert_int_eq(nnb_net_node_shape(loaded, nnb_net_find(loaded, "first")).channels, CHANNELS);
  nnb_net_destroy(loaded);
  rename_in(file, bytes, "first.buffers", "first.buffery");
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, &load, &loaded), NNB_E_PARSE);
  ck_assert(strstr(nnb_errmsg(), "first.buffers"));
  ck_ok(nnb_net_init(net, 3));
  ck_assert(buffers_of(net, "first").p[0] == 0 && buffers_of(net, "first").p[CHANNELS] == 1);
  real values[2 * CHANNELS] = {1, 2, 3, 4, 5, 6};
  ck_ok(nnb_net_set_buffers(net, nnb_net_find(net, "first"), nnb_cview(values, 1, 2 * CHANNELS)));
  ck_assert_mem_eq(buffers_of(net, "first").p, values, sizeof values);
  ck_assert_int_eq(nnb_net_set_buffers(net, nnb_net_find(net, "first"), nnb_cview(values, 1, 1)), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_net_set_buffers(net, 1, nnb_cview(values, 1, 1)), NNB_E_ARG);
  nnb_free(file), nnb_net_destroy(net), nnb_net_destroy(copy), nnb_data_destroy(data);
}
END_TEST

/* The best epoch is the start: the buffers of the start come back, too. */
START_TEST(test_best_epoch) {
  nnb_data *data = toy_regression(ROWS, COLS, 1), *val;
  nnb_batch all;
  nnb_report report;
  real y[ROWS];
  nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 3};
  for (int full = 0; full < 2; full++) {
    nnb_net *net = make_net(4, false);
    if (full) opts.algo = NNB_LBFGS;
    ck_ok(nnb_data_batch(data, 0, ROWS, &all));
    ck_ok(nnb_net_predict(net, all.x, nnb_view(y, ROWS, 1)));
    all.t = nnb_cview(y, ROWS, 1);
    ck_ok(nnb_data_wrap(&all, 0, &val));
    const uint64_t before = bits(net);
    ck_ok(nnb_fit(net, data, val, &opts, &report));
    ck_assert_int_eq(report.best_epoch, 0);
    ck_assert_uint_eq(bits(net), before);
    nnb_net_destroy(net), nnb_data_destroy(val);
  }
  nnb_data_destroy(data);
}
END_TEST

/* A checkpoint has the buffers too, also those of a full-batch method, whose last evaluation was of another point. */
START_TEST(test_checkpoint) {
  static const nnb_algo algos[] = {NNB_ADAM, NNB_LBFGS, NNB_SCG, NNB_RPROP};
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  char path[TOY_PATH];
  toy_path(path, "coupled");
  for (size_t k = 0; k < sizeof algos / sizeof *algos; k++) {
    nnb_net *whole = make_net(4, false), *parts = make_net(4, false), *rest = make_net(4, false);
    nnb_fit_opts opts = {.algo = algos[k], .max_epochs = 12, .threads = 1};
    ck_ok(nnb_fit(whole, data, data, &opts, NULL));
    opts.checkpoint = path, opts.resume = true, opts.max_epochs = 5;
    ck_ok(nnb_fit(parts, data, data, &opts, NULL));
    opts.max_epochs = 12;
    ck_ok(nnb_fit(rest, data, data, &opts, NULL));
    ck_assert_msg(bits(rest) == bits(whole), "%s", nnb_algo_name(algos[k]));
    nnb_net_destroy(whole), nnb_net_destroy(parts), nnb_net_destroy(rest);
    remove(path);
  }
  nnb_data_destroy(data);
}
END_TEST

static void refuse(nnb_net *net, nnb_status wanted, nnb_status status, const char *layer, uint64_t before) {
  ck_assert_msg(status == wanted, "wanted %s, %s came: %s", nnb_strstatus(wanted), nnb_strstatus(status), nnb_errmsg());
  ck_assert_msg(strstr(nnb_errmsg(), layer) != NULL, "the message does not name %s: %s", layer, nnb_errmsg());
  ck_assert_uint_eq(bits(net), before);
}

/* What needs independent rows, or would cut an update in pieces, names the layer and changes nothing. */
START_TEST(test_refusals) {
  static const char *const options[] = {"algo=lm", "algo=varpro", "algo=kfac", "algo=lm bayes"};
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(4, true);
  nnb_batch all;
  nnb_plan *plan;
  nnb_optim *optim;
  nnb_error_bars *bars;
  ck_ok(nnb_data_batch(data, 0, ROWS, &all));
  const uint64_t before = bits(net);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    nnb_fit_opts opts = {0};
    ck_ok(nnb_fit_opts_parse(options[i], &opts));
    refuse(net, NNB_E_UNSUPPORTED, nnb_fit(net, data, NULL, &opts, NULL), "first", before);
  }
  refuse(net, NNB_E_UNSUPPORTED, nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_ROWS}, &plan), "first", before);
  refuse(net, NNB_E_UNSUPPORTED, nnb_error_bars_create(net, data, NULL, &bars), "first", before);
  refuse(net, NNB_E_UNSUPPORTED, nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_KFAC}, &optim), "first", before);
  ck_assert(!optim && !plan && !bars);
  ck_ok(nnb_optim_create(net, NULL, &optim));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 50, .want = NNB_GRAD}, &plan));
  refuse(net, NNB_E_UNSUPPORTED, nnb_train_rows(net, plan, &all, NULL, 0, 51, optim, NULL), "first", before);
  ck_ok(nnb_train_rows(net, plan, &all, NULL, 0, 50, optim, NULL));
  ck_assert_uint_ne(bits(net), before);
  nnb_report report;
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 1}, &report)); /* auto takes another way */
  ck_assert(report.algo != NNB_LM && report.algo != NNB_VARPRO);
  nnb_plan_destroy(plan), nnb_optim_destroy(optim), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A full batch goes through in one piece, however large it is. */
START_TEST(test_full_batch) {
  nnb_data *data = toy_regression(MANY, COLS, 1);
  static const char *const options[] = {"algo=lbfgs max_epochs=2", "algo=adam batch=full max_epochs=2"};
  for (int i = 0; i < 2; i++) {
    nnb_net *net = make_net(4, true);
    nnb_fit_opts opts = {0};
    ck_ok(nnb_fit_opts_parse(options[i], &opts));
    forget();
    ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
    ck_assert_int_eq(atomic_load(&least_rows), MANY);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* A gradient changes buffers: not while a fit runs. */
static nnb_status in_fit;
static int take_gradient(void *plan, const nnb_record *record) {
  static real g[1000];
  static real x[COLS], t[1];
  (void)record;
  nnb_batch one = {.x = nnb_cview(x, 1, COLS), .t = nnb_cview(t, 1, 1)};
  in_fit = nnb_plan_gradient(plan, &one, 0, NULL, g);
  return 0;
}
START_TEST(test_held) {
  nnb_data *data = toy_regression(ROWS, COLS, 1);
  nnb_net *net = make_net(4, true);
  nnb_plan *plan;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_GRAD}, &plan));
  ck_assert_uint_lt(nnb_net_n_params(net), 1000);
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 1, .on_epoch = take_gradient, .user = plan}, NULL));
  ck_assert_int_eq(in_fit, NNB_E_STATE);
  const uint64_t before = bits(net);
  take_gradient(plan, NULL);
  ck_assert_int_eq(in_fit, NNB_OK);
  ck_assert_uint_ne(bits(net), before);
  nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

static void assert_shape(const nnb_net *net, int node, nnb_shape wanted) {
  nnb_shape s = nnb_net_node_shape(net, node);
  ck_assert_msg(!memcmp(&s, &wanted, sizeof s), "node %d is %d×%d×%d; wanted %d×%d×%d", node, s.channels, s.height,
                s.width, wanted.channels, wanted.height, wanted.width);
}

START_TEST(test_shapes) {
  nnb_net *net = nnb_net_create(COLS), *loaded;
  char text[4000] = "";
  void *file;
  size_t bytes;
  ck_ok(nnb_net_shape(net, 0, 3, 2, 2));
  int act = nnb_net_activation(net, 0, NNB_RELU), sum = nnb_net_add(net, (int[]){1, act}, 2, NNB_TANH);
  int both = nnb_net_concat(net, (int[]){act, sum}, 2), dense = nnb_net_dense(net, 6, NNB_LINEAR);
  assert_shape(net, act, IMAGE);
  assert_shape(net, sum, IMAGE);
  assert_shape(net, both, (nnb_shape){6, 2, 2});
  assert_shape(net, dense, (nnb_shape){0});
  ck_ok(nnb_net_shape(net, dense, 1, 2, 3));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) assert_shape(loaded, k, nnb_net_node_shape(net, k));
  FILE *stream = tmpfile();
  ck_assert(stream);
  ck_ok(nnb_net_summary(loaded, stream));
  rewind(stream);
  ck_assert_uint_gt(fread(text, 1, sizeof text - 1, stream), 0);
  ck_assert_msg(strstr(text, "B×6×2×2") && !strstr(text, "buffers"), "%s", text);
  fclose(stream), nnb_free(file), nnb_net_destroy(net), nnb_net_destroy(loaded);
}
END_TEST

static nnb_status wrong_shape(void *self, const int *cols, int n_from, nnb_needs *needs) {
  (void)self, (void)n_from;
  needs->cols = cols[0], needs->shape = (nnb_shape){2, 2, 2};
  return NNB_OK;
}

START_TEST(test_wrong_shapes) {
  static const nnb_shape wrong[] = {{5, 2, 2}, {0, 2, 2}, {-3, -2, 2}, {3, 2, 0}, {1 << 30, 1 << 30, 12}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    nnb_net *net = nnb_net_create(COLS);
    ck_assert_int_eq(nnb_net_shape(net, 1, wrong[i].channels, wrong[i].height, wrong[i].width), NNB_E_SHAPE);
    nnb_net_destroy(net);
  }
  nnb_net *net = nnb_net_create(COLS);
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_assert_int_eq(nnb_net_shape(net, 1, 3, 2, 2), NNB_E_STATE);
  nnb_net_destroy(net);
  nnb_layer_ops ops = pass_ops;
  ops.shape = wrong_shape;
  net = nnb_net_create(COLS);
  ck_assert_int_eq(nnb_net_own_layer(net, &ops, NULL, NULL, 0, NNB_LINEAR, NULL), NNB_E_SHAPE);
  ck_assert(strstr(nnb_errmsg(), "2×2"));
  nnb_net_destroy(net);
}
END_TEST

/* An init that asks for the net, whose parameters do not exist yet, is refused instead of waiting forever. */
static nnb_net *curious, *known;
static nnb_status answer;
static void curious_init(const void *self, real *w, nnb_rng *rng, real *scratch) {
  nnb_cmat out;
  norm_init(self, w, rng, scratch);
  answer = nnb_net_weights(curious, 2, &out);
  nnb_net *other = nnb_net_create(COLS), *copy = NULL; /* other nets may be initialised and copied, without waiting */
  nnb_net_dense(other, 1, NNB_TANH);
  ck_ok(nnb_net_init(known, 1));
  ck_ok(nnb_net_copy(other, &copy));
  nnb_net_destroy(other), nnb_net_destroy(copy);
  ck_ok(nnb_net_copy(known, &copy));
  ck_assert(toy_hash_net(1, copy) == toy_hash_net(1, known));
  nnb_net_destroy(copy);
}
static void curious_buffers(const void *self, real *buffers) {
  norm_init_buffers(self, buffers);
  if (nnb_net_n_params(curious) > 0) answer = NNB_OK;
}
START_TEST(test_curious_init) {
  nnb_layer_ops ops = norm_ops;
  ops.init = curious_init, ops.init_buffers = curious_buffers;
  ck_ok(nnb_net_parse("3-4:tanh-1", &known));
  ck_ok(nnb_net_init(known, 7));
  curious = nnb_net_create(COLS);
  nnb_net_dense(curious, 4, NNB_TANH);
  ck_assert_int_gt(add_layer(curious, &ops, NULL), 0);
  ck_assert_uint_eq(nnb_net_n_params(curious), (COLS + 1) * 4 + 2 * 4);
  ck_assert_int_eq(answer, NNB_E_STATE);
  ck_assert(strstr(nnb_errmsg(), "init"));
  ck_ok(nnb_net_init(curious, 1)); /* a sealed net may be read */
  ck_assert_int_eq(answer, NNB_OK);
  nnb_net_destroy(curious), nnb_net_destroy(known);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coupled, " PRECISION);
  TCase *tcase = tcase_create("coupled");
  tcase_add_test(tcase, test_gradient);
  tcase_add_test(tcase, test_threads);
  tcase_add_test(tcase, test_running_means);
  tcase_add_test(tcase, test_not_training);
  tcase_add_test(tcase, test_copy_and_file);
  tcase_add_test(tcase, test_best_epoch);
  tcase_add_test(tcase, test_checkpoint);
  tcase_add_test(tcase, test_refusals);
  tcase_add_test(tcase, test_full_batch);
  tcase_add_test(tcase, test_held);
  tcase_add_test(tcase, test_shapes);
  tcase_add_test(tcase, test_wrong_shapes);
  tcase_add_test(tcase, test_curious_init);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
