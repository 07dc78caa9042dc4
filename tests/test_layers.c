/* The built-in layers besides dense: dropout, norms, products, embeddings, gated recurrent units.  PyTorch's numbers
 * for them (golden/layers.h), the same bits for any number of threads and any chunk, files, text, and what is refused.
 */
#include <time.h>

#include "golden/layers.h"
#include "toys.h"

enum { MANY = 400, BATCH = 150, TABLE = 8000 };

/* The net of a golden example; those that a text cannot describe are built. */
static nnb_net *build(const struct golden *g) {
  nnb_net *net;
  if (*g->text) {
    ck_ok(nnb_net_parse(g->text, &net));
    return net;
  }
  net = nnb_net_create(IN);
  if (strcmp(g->name, "channels") == 0) {
    ck_ok(nnb_net_shape(net, 0, 2, 1, 2));
    ck_assert_int_eq(nnb_net_batch_norm(net, 0, NNB_TANH), 2);
    ck_assert_int_eq(nnb_net_node_shape(net, 2).channels, 2);
  } else {
    const int from[] = {nnb_net_layer(net, 1, "4:tanh"), nnb_net_layer(net, 1, "4:sigmoid")};
    ck_assert_int_eq(nnb_net_product(net, from, 2, NNB_LINEAR), 4);
  }
  nnb_net_dense(net, OUT, NNB_LINEAR);
  return net;
}

static void assert_near(const char *name, const char *what, const real *got, const double *wanted, int n) {
  for (int i = 0; i < n; i++)
    ck_assert_msg(fabs((double)got[i] - wanted[i]) <= TOL(1e-12, 2e-4) * (1 + fabs(wanted[i])),
                  "%s: %s %d is %.17g; wanted %.17g", name, what, i, (double)got[i], wanted[i]);
}

/* The buffers of all nodes, one after the other; returns their number. */
static int take_buffers(const nnb_net *net, real *out) {
  int n = 0;
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_cmat b;
    if (nnb_net_buffers(net, k, &b)) continue;
    memcpy(out + n, b.p, (size_t)b.cols * sizeof *out);
    n += b.cols;
  }
  return n;
}

static uint64_t bits(const nnb_net *net) {
  real buffers[1000] = {0};
  const int n = take_buffers(net, buffers);
  const uint64_t h = toy_hash(1, nnb_net_params_read(net), nnb_net_n_params(net) * sizeof(real));
  return toy_hash(h, buffers, (size_t)n * sizeof *buffers);
}

START_TEST(as_pytorch) {
  const struct golden *g = &goldens[_i];
  real x[ROWS * IN] = {0}, t[ROWS * OUT], y[ROWS * OUT], grad[1000], buffers[200];
  nnb_batch batch = {.x = nnb_cview(x, ROWS, IN), .t = nnb_cview(t, ROWS, OUT)};
  nnb_net *net = build(g), *copy;
  nnb_plan *plan;
  nnb_optim *optim;
  double loss;
  for (int i = 0; i < ROWS * IN; i++) x[i] = (real)g->x[i];
  for (int i = 0; i < ROWS * OUT; i++) t[i] = (real)g->t[i];
  ck_ok(nnb_net_loss(net, NNB_MSE));
  ck_assert_uint_eq(nnb_net_n_params(net), (size_t)g->n_params);
  ck_assert_uint_eq(nnb_net_n_buffers(net), (size_t)g->n_buffers);
  for (int i = 0; i < g->n_params; i++) nnb_net_params(net)[i] = (real)g->params[i];
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_plan_create(copy, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, grad));
  ck_assert_double_eq_tol(loss, g->loss, TOL(1e-12, 1e-4) * g->loss);
  assert_near(g->name, "gradient", grad, g->grad, g->n_params);
  nnb_plan_destroy(plan), nnb_net_destroy(copy);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = rate, .seed = SEED}, &optim));
  for (int k = 0; k < UPDATES; k++) ck_ok(nnb_train_step(net, plan, &batch, optim, NULL));
  assert_near(g->name, "parameter", nnb_net_params_read(net), g->after, g->n_params);
  ck_assert_int_eq(take_buffers(net, buffers), g->n_buffers);
  assert_near(g->name, "buffer", buffers, g->buffers, g->n_buffers);
  ck_ok(nnb_net_predict(net, batch.x, nnb_view(y, ROWS, OUT)));
  assert_near(g->name, "prediction", y, g->y, ROWS * OUT);
  nnb_plan_destroy(plan), nnb_optim_destroy(optim), nnb_net_destroy(net);
}
END_TEST

/* ε is large, so that the norms of a few numbers are not too curved for differences. */
START_TEST(gradients) {
  static const char *const activations[] = {"linear", "tanh", "sigmoid", "gelu", "silu", "softplus", "softmax"};
  nnb_data *data = toy_regression(9, 3, 2);
  nnb_batch batch;
  ck_ok(nnb_data_batch(data, 0, 9, &batch));
  for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
    char text[200];
    nnb_net *net;
    double worst;
    snprintf(text, sizeof text,
             "3-layernorm:epsilon=0.5:%s-4:linear-batchnorm:epsilon=0.5:%s-dropout0.25-4:tanh-batchnorm:epsilon=0.5-2",
             activations[i], activations[i]);
    ck_ok(nnb_net_parse(text, &net));
    ck_ok(nnb_check_gradient(net, &batch, &worst));
    ck_assert_msg(worst <= TOL(1e-6, 1e-2), "%s: worst %g", text, worst);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* Whole numbers below 5, in double use with a column of other numbers; and a recurrent unit before and behind others.
 */
static nnb_net *make_looking(void) {
  nnb_net *net = nnb_net_create(2);
  const int other = nnb_net_input(net, 1, "other"), table = nnb_net_embedding(net, 1, 5, 3);
  const int narrow = nnb_net_layer(net, 1, "embed7x2:tanh:name=narrow:init=uniform:init_scale=0.5");
  nnb_net_concat(net, (int[]){table, other, narrow, table}, 4);
  nnb_net_layer(net, 0, "4:tanh");
  nnb_net_layer(net, 0, "2:linear:name=end");
  return net;
}
static void fill_looking(real *x, int n) {
  for (int i = 0; i < n; i++) x[i] = i % 3 == 2 ? (real)0.1 * (real)(i % 17) : (real)(i * i % 5);
}

START_TEST(looking_gradients) {
  static const char *const texts[] = {"3x1-gru2-2", "1x3-gru4:sequence=1:tanh-gru2-2"};
  real x[27], t[18], dt[54];
  fill_looking(x, 27), toy_fill(t, 18, 1), toy_fill(dt, 54, 2);
  nnb_batch batch = {.x = nnb_cview(x, 9, 3), .t = nnb_cview(t, 9, 2)};
  for (int i = 0; i < 4; i++) {
    nnb_net *net = NULL;
    double worst;
    if (i < 2) ck_ok(nnb_net_parse(texts[i], &net));
    if (i >= 2) net = make_looking();
    if (i == 3) batch.dt = nnb_cview(dt, 9, 6); /* derivatives by what is looked up are 0 */
    ck_ok(nnb_check_gradient(net, &batch, &worst));
    ck_assert_msg(worst <= TOL(1e-6, 1e-2), "net %d: worst %g", i, worst);
    nnb_net_destroy(net);
  }
}
END_TEST

/* The columns that are looked up are not scaled, and derivatives by them are 0, forward and backward. */
START_TEST(looked_up_columns) {
  real x[27], t[18], J[9 * 2 * 3], u[27], dy[18];
  const real *shift, *factor;
  nnb_data *data;
  fill_looking(x, 27), toy_fill(t, 18, 1), toy_fill(u, 27, 2);
  const nnb_batch batch = {.x = nnb_cview(x, 9, 3), .t = nnb_cview(t, 9, 2)};
  ck_ok(nnb_data_copy(&batch, 0, &data));
  nnb_net *net = make_looking();
  nnb_plan *plan;
  ck_ok(nnb_net_standardize(net, data));
  nnb_net_input_scaler(net, &shift, &factor);
  for (int c = 0; c < 2; c++) ck_assert(shift[c] == 0 && factor[c] == 1);
  ck_assert(shift[2] != 0 && factor[2] != 1);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 9, .want = NNB_DX}, &plan));
  ck_ok(nnb_plan_jacobian(plan, batch.x, (nnb_mat){0}, nnb_view(J, 9, 6)));
  ck_ok(nnb_plan_jvp(plan, batch.x, nnb_cview(u, 9, 3), nnb_view(dy, 9, 2)));
  for (int i = 0; i < 18; i++) {
    ck_assert(J[3 * i] == 0 && J[3 * i + 1] == 0 && J[3 * i + 2] != 0);
    ck_assert_double_eq_tol((double)dy[i], (double)(J[3 * i + 2] * u[i / 2 * 3 + 2]), TOL(1e-13, 1e-5));
  }
  nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Numbers that are not whole or outside of the table are found before any step, with their place. */
START_TEST(bad_numbers) {
  static const real wrong[] = {-1, 5, (real)2.5, (real)1e30, (real)NAN, -(real)INFINITY};
  real x[27], t[18], y[18], grad[100];
  fill_looking(x, 27), toy_fill(t, 18, 1);
  const nnb_batch batch = {.x = nnb_cview(x, 9, 3), .t = nnb_cview(t, 9, 2)};
  nnb_net *net = make_looking();
  const uint64_t before = bits(net);
  nnb_plan *plan;
  nnb_optim *optim;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 9, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_optim_create(net, NULL, &optim));
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    nnb_data *data;
    nnb_metrics m;
    x[3 * 7 + 1] = wrong[k];
    ck_assert_int_eq(nnb_net_predict(net, batch.x, nnb_view(y, 9, 2)), NNB_E_ARG);
    if (!isfinite(wrong[k])) continue; /* which data cannot have */
    ck_ok(nnb_data_copy(&batch, 0, &data));
    const nnb_status got[] = {nnb_net_predict(net, batch.x, nnb_view(y, 9, 2)),
                              nnb_plan_gradient(plan, &batch, 0, NULL, grad),
                              nnb_train_step(net, plan, &batch, optim, NULL),
                              nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_LBFGS}, NULL),
                              nnb_fit(net, data, NULL, &(nnb_fit_opts){.batch = 2}, NULL),
                              nnb_evaluate(net, data, &m)};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++) ck_assert_msg(got[i] == NNB_E_ARG, "call %zu", i);
    ck_assert_msg(strstr(nnb_errmsg(), "row 8, column 2") && strstr(nnb_errmsg(), "embedding1 needs whole numbers"),
                  "%s", nnb_errmsg());
    ck_assert_uint_eq(bits(net), before);
    nnb_data_destroy(data);
  }
  nnb_plan_destroy(plan), nnb_optim_destroy(optim), nnb_net_destroy(net);
}
END_TEST

/* Every method fits a table that is there, with a linear layer behind it for varpro; a recurrent unit, what adds up. */
START_TEST(every_method_looks_up) {
  enum { N = 120 };
  static const nnb_algo algos[] = {NNB_ADAM, NNB_SGD, NNB_LBFGS, NNB_LM, NNB_VARPRO, NNB_KFAC, NNB_SCG, NNB_RPROP};
  static const char *const texts[] = {"3-embed6x2-8:tanh-1", "1x3-gru4-1"};
  real x[3 * N], t[N];
  nnb_data *data;
  for (int i = 0; i < N; i++) {
    for (int c = 0; c < 3; c++) x[3 * i + c] = (real)((i * (c + 7) + i / 5) % 6);
    t[i] = (real)0.3 * (x[3 * i] - 2) * (x[3 * i + 1] > 2 ? 1 : -1) + (real)0.1 * x[3 * i + 2];
  }
  ck_ok(nnb_data_copy(&(nnb_batch){.x = nnb_cview(x, N, 3), .t = nnb_cview(t, N, 1)}, 0, &data));
  for (size_t k = 0; k < sizeof algos / sizeof *algos; k++) {
    nnb_net *net;
    nnb_metrics before, after;
    ck_ok(nnb_net_parse(texts[_i], &net));
    ck_ok(nnb_evaluate(net, data, &before));
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algos[k], .max_epochs = 40}, NULL));
    ck_ok(nnb_evaluate(net, data, &after));
    ck_assert_msg(after.loss < (_i ? 0.9 : 0.5) * before.loss, "%s, %s: from %g to %g", texts[_i],
                  nnb_algo_name(algos[k]), before.loss, after.loss);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* ---- threads and chunks ------------------------------------------------------------------------------------------ */

static nnb_net *fit(const char *text, const nnb_data *data, nnb_fit_opts opts) {
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  return net;
}

/* Sums over rows round differently with other parts of the rows; masks and moments are the same bits.  So a net whose
 * only parameters are behind the layer, and whose rows are few for a product's parts, has the same bits throughout. */
START_TEST(threads_and_chunks) {
  static const char *const texts[] = {"12-dropout0.5-100:tanh-100:tanh-1",
                                      "12-100:linear-layernorm:tanh-dropout0.1-100:tanh-1",
                                      "12-100:linear-batchnorm:tanh-100:tanh-1"};
  static const struct { int threads, chunk; } ways[] = {{3, 0}, {1, 40}, {3, 100}};
  nnb_data *data = toy_regression(MANY, 12, 1);
  nnb_fit_opts opts = {.algo = NNB_SGD, .batch = BATCH, .max_epochs = 3, .lr = 0.05, .seed = 9, .threads = 1};
  nnb_net *one = fit(texts[_i], data, opts);
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
    opts.threads = ways[k].threads, opts.chunk = ways[k].chunk;
    nnb_net *other = fit(texts[_i], data, opts);
    const real *p = nnb_net_params_read(one), *q = nnb_net_params_read(other);
    for (size_t i = 0; i < nnb_net_n_params(one); i++)
      ck_assert_double_eq_tol((double)p[i], (double)q[i], TOL(1e-11, 1e-3));
    nnb_net_destroy(other);
  }
  nnb_net_destroy(one), nnb_data_destroy(data);
}
END_TEST

/* Running means are sums over all rows of a batch in their order, for rows and for images. */
START_TEST(same_running_means) {
  static const char *const texts[] = {"192-batchnorm:tanh-60:linear-batchnorm:tanh-1",
                                      "3x8x8-batchnorm:tanh-conv4@3:linear-batchnorm:tanh-1"};
  static const struct { int threads, chunk; } ways[] = {{1, 0}, {1, 40}, {2, 0}, {3, 70}, {4, 1}};
  nnb_data *data = toy_regression(MANY, 192, 1);
  real first[2 * 192 + 120];
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
    real now[2 * 192 + 120];
    nnb_net *net = fit(texts[_i], data,
                       (nnb_fit_opts){.algo = NNB_SGD,
                                      .batch = BATCH,
                                      .max_epochs = 3,
                                      .lr = 0.01,
                                      .seed = 9,
                                      .threads = ways[k].threads,
                                      .chunk = ways[k].chunk});
    take_buffers(net, k ? now : first);
    for (int i = 0; i < (_i ? 6 : 384); i++) /* of the layer that reads the data */
      ck_assert_msg(k == 0 || now[i] == first[i], "%d threads, chunk %d: buffer %d", ways[k].threads, ways[k].chunk, i);
    for (int i = 0; k && i < (_i ? 14 : 504); i++)
      ck_assert_double_eq_tol((double)now[i], (double)first[i], TOL(1e-11, 1e-3));
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* A training that is resumed goes on with the masks and the running means of the one that was not interrupted. */
START_TEST(resumed) {
  static const char text[] = "12-10:linear-batchnorm:tanh-dropout0.3-layernorm-1";
  nnb_data *data = toy_regression(MANY, 12, 1);
  char path[TOY_PATH];
  toy_path(path, "layers");
  nnb_fit_opts opts = {.algo = NNB_ADAM, .max_epochs = 6, .threads = 1};
  nnb_net *whole = fit(text, data, opts);
  opts.checkpoint = path, opts.resume = true, opts.max_epochs = 2;
  nnb_net_destroy(fit(text, data, opts));
  opts.max_epochs = 6;
  nnb_net *rest = fit(text, data, opts);
  ck_assert_uint_eq(bits(rest), bits(whole));
  remove(path);
  nnb_net_destroy(whole), nnb_net_destroy(rest), nnb_data_destroy(data);
}
END_TEST

/* ---- masks --------------------------------------------------------------------------------------------------------
 */

/* In predictions nothing is dropped; in a gradient the share of zeros is p, and the rest is 1/(1-p) as large. */
START_TEST(dropped_share) {
  enum { N = 1000, COLS = 70 };
  static const double p[] = {0, 0.25, 0.9};
  static real x[N * COLS], grad[COLS + 1], w[COLS];
  nnb_net *net = nnb_net_create(COLS);
  nnb_plan *plan;
  for (int i = 0; i < N * COLS; i++) x[i] = 1;
  for (int j = 0; j < COLS; j++) w[j] = 1;
  ck_assert_int_eq(nnb_net_dropout(net, 0, p[_i]), 2);
  nnb_net_dense(net, 1, NNB_LINEAR);
  ck_ok(nnb_net_set_weights(net, 3, nnb_cview(w, COLS, 1)));
  static real t[N], y[N];
  nnb_batch batch = {.x = nnb_cview(x, N, COLS), .t = nnb_cview(t, N, 1)};
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_GRAD | NNB_KEEP}, &plan));
  ck_ok(nnb_plan_predict(plan, batch.x, nnb_view(y, N, 1)));
  for (int i = 0; i < N; i++) ck_assert(y[i] == COLS);
  ck_ok(nnb_plan_gradient(plan, &batch, 0, NULL, grad));
  nnb_cmat z;
  int dropped = 0;
  ck_ok(nnb_plan_view(plan, 2, NNB_Z, &z));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < COLS; j++) {
      const real kept = z.p[i * z.ld + j];
      ck_assert(kept == 0 || kept == (real)(1 / (1 - p[_i])));
      dropped += kept == 0;
    }
  ck_assert_double_eq_tol(dropped / (double)(N * COLS), p[_i], 1e-12 + 4 * sqrt(p[_i] * (1 - p[_i]) / (N * COLS)));
  nnb_plan_destroy(plan), nnb_net_destroy(net);
}
END_TEST

/* The work of scaling does not grow with the product of columns and nodes, which is a second and more here. */
START_TEST(scaled_columns_of_many_nodes) {
  enum { N = 40000 };
  nnb_data *data = toy_regression(2, N, 1);
  nnb_net *net = nnb_net_create(N);
  for (int i = 0; i < N; i++) nnb_net_dense(net, 1, NNB_LINEAR);
  const clock_t before = clock();
  ck_ok(nnb_net_standardize(net, data));
  const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
  ck_assert_msg(seconds < 0.5, "it took %g s", seconds);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* The view of an input is the plan's copy: it stays when the caller's rows change. */
START_TEST(views_of_inputs) {
  nnb_net *net;
  nnb_plan *plan;
  nnb_cmat view;
  real x[] = {1, 2, 3, 4, 5, 6}, y[4];
  ck_ok(nnb_net_parse("3-2", &net));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 2, .want = NNB_KEEP | (_i ? NNB_GRAD : 0)}, &plan));
  ck_ok(nnb_plan_predict(plan, nnb_cview(x, 2, 3), nnb_view(y, 2, 2)));
  ck_ok(nnb_plan_view(plan, 1, NNB_A, &view));
  memset(x, 0, sizeof x);
  ck_assert_int_eq(view.rows, 2);
  ck_assert_int_eq(view.cols, 3);
  for (int i = 0; i < 6; i++) ck_assert(view.p[i / 3 * view.ld + i % 3] == (real)(i + 1));
  nnb_plan_destroy(plan), nnb_net_destroy(net);
}
END_TEST

/* ---- text, files, summaries ---------------------------------------------------------------------------------------
 */

/* Tables, whole numbers and recurrent units. */
static const char others[] = "6-embed9x3:name=table:init=uniform:init_scale=0.25-gru4:sequence=1:name=r-gru2:tanh-3";

static const char everything[] =
    "6-5:linear-batchnorm:tanh:epsilon=1e-3:momentum=0.25:name=bn-dropout0.25-layernorm:epsilon=2e-4-3:tanh-dropout1e-"
    "1";

static const char *table(const nnb_net *net, char out[TABLE]) {
  FILE *stream = tmpfile();
  ck_assert(stream);
  ck_ok(nnb_net_summary(net, stream));
  rewind(stream);
  out[fread(out, 1, TABLE - 1, stream)] = '\0';
  fclose(stream);
  return out;
}

START_TEST(text_and_files) {
  static const char *const shown[][3] = {{"batchnorm, tanh", "dropout0.25", "dropout0.1"},
                                         {"B×3×1×6", "gru, tanh", "B×4×1×6"}};
  char a[TABLE], b[TABLE];
  nnb_data *data = toy_regression(MANY, 6, 3);
  nnb_net *net = NULL, *loaded, *copy;
  void *file, *again;
  size_t bytes, more;
  if (_i == 0) net = fit(everything, data, (nnb_fit_opts){.max_epochs = 2, .threads = 1});
  if (_i == 1) ck_ok(nnb_net_parse(others, &net));
  table(net, a);
  for (int k = 0; k < 3; k++) ck_assert_msg(strstr(a, shown[_i][k]), "%s: %s", shown[_i][k], a);
  ck_assert_int_eq(nnb_net_find(net, _i ? "r" : "bn"), 3);
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  ck_ok(nnb_net_save_mem(loaded, &again, &more));
  ck_assert_uint_eq(bytes, more);
  ck_assert_mem_eq(file, again, bytes);
  ck_assert_str_eq(table(loaded, b), a);
  ck_assert_uint_eq(bits(loaded), bits(net));
  ck_assert_uint_eq(bits(copy), bits(net));
  nnb_free(file), nnb_free(again);
  nnb_net_destroy(copy), nnb_net_destroy(loaded), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* ---- derivatives by the inputs ------------------------------------------------------------------------------------
 */

/* A net with all the layers, after an update, so that the running means are not those of the start. */
static nnb_net *mixed(int n_out) {
  nnb_data *data = toy_regression(MANY, 3, n_out);
  nnb_net *net = nnb_net_create(3);
  const int from[] = {nnb_net_layer(net, 1, "70:tanh"), nnb_net_layer(net, 1, "70:linear")};
  const int gated = nnb_net_product(net, (int[]){from[0], from[1], from[0]}, 3, NNB_LINEAR);
  const int norm = nnb_net_layer_norm(net, nnb_net_dropout(net, gated, 0.5), NNB_SILU);
  nnb_net_batch_norm(net, nnb_net_layer(net, norm, "70"), NNB_TANH);
  nnb_net_dense(net, n_out, NNB_LINEAR);
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  nnb_data_destroy(data);
  return net;
}

/* Gated recurrent units that hand all and the last of their numbers on. */
static nnb_net *recurrent(int n_out) {
  char text[60];
  nnb_net *net;
  snprintf(text, sizeof text, "1x3-gru7:sequence=1:tanh-gru4-%d", n_out);
  ck_ok(nnb_net_parse(text, &net));
  return net;
}

/* Forward and backward, along directions, and by central differences of the predictions. */
START_TEST(derivatives) {
  enum { B = 3 };
  const int n_out = _i % 2 ? 5 : 2;
  nnb_net *net = _i < 2 ? mixed(n_out) : recurrent(n_out);
  nnb_plan *plan;
  real x[B * 3], u[B * 3], J[B * 15], dy[B * 5], y[2][B * 5];
  const real h = TOL((real)1e-5, (real)1e-2);
  toy_fill(x, B * 3, 4), toy_fill(u, B * 3, 5);
  const nnb_cmat at = nnb_cview(x, B, 3);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = B, .want = NNB_DX}, &plan));
  ck_ok(nnb_plan_jacobian(plan, at, (nnb_mat){0}, nnb_view(J, B, 3 * n_out)));
  ck_ok(nnb_plan_jvp(plan, at, nnb_cview(u, B, 3), nnb_view(dy, B, n_out)));
  for (int i = 0; i < B; i++)
    for (int o = 0; o < n_out; o++) {
      double sum = 0;
      for (int j = 0; j < 3; j++) sum += (double)J[(i * n_out + o) * 3 + j] * (double)u[3 * i + j];
      ck_assert_double_eq_tol((double)dy[i * n_out + o], sum, TOL(1e-12, 1e-4));
    }
  for (int j = 0; j < 3; j++) {
    for (int side = 0; side < 2; side++) {
      for (int i = 0; i < B; i++) x[3 * i + j] += side ? -2 * h : h;
      ck_ok(nnb_plan_predict(plan, at, nnb_view(y[side], B, n_out)));
    }
    for (int i = 0; i < B; i++) x[3 * i + j] += h;
    for (int i = 0; i < B * n_out; i++)
      ck_assert_double_eq_tol((double)J[3 * i + j], (double)(y[0][i] - y[1][i]) / (double)(2 * h), TOL(1e-6, 2e-2));
  }
  nnb_plan_destroy(plan), nnb_net_destroy(net);
}
END_TEST

/* ---- folding ------------------------------------------------------------------------------------------------------
 */

/* The net without dropout and without the norms behind dense layers and convolutions predicts the same. */
START_TEST(folded) {
  static const struct {
    const char *text;
    int nodes;
    size_t buffers;
  } nets[] = {{"6-5:linear:bias=0-batchnorm:tanh-dropout0.25-4:linear-dropout0.5-batchnorm:softplus:name=last-3", 4, 0},
              {"6-batchnorm-5:tanh-batchnorm-dropout0.2:tanh-layernorm-3:linear-batchnorm", 7, 2 * (6 + 5)},
              {"1x6-conv4@2:linear:bias=0-batchnorm:tanh-conv2@2:linear:pad=1-dropout0.2-batchnorm-3", 4, 0},
              {"1x6-conv4@2:linear-flatten-batchnorm:tanh-3", 5, 2 * 20},
              {"6-5:tanh-3-dropout0.5:tanh", 4, 0}};
  nnb_data *data = toy_regression(MANY, 6, 3);
  nnb_net *net = fit(nets[_i].text, data, (nnb_fit_opts){.max_epochs = 2, .threads = 1}), *fold;
  static real y[MANY * 3], z[MANY * 3];
  nnb_batch all;
  char *c, *d;
  size_t bytes, more;
  const uint64_t before = bits(net);
  ck_ok(nnb_data_batch(data, 0, MANY, &all));
  ck_ok(nnb_net_fold(net, &fold));
  ck_assert_int_eq(nnb_net_n_nodes(fold), nets[_i].nodes);
  ck_assert_uint_eq(nnb_net_n_buffers(fold), nets[_i].buffers);
  ck_ok(nnb_net_predict(net, all.x, nnb_view(y, MANY, 3)));
  ck_ok(nnb_net_predict(fold, all.x, nnb_view(z, MANY, 3)));
  for (int i = 0; i < MANY * 3; i++) ck_assert_double_eq_tol((double)y[i], (double)z[i], TOL(1e-12, 1e-4));
  ck_ok(nnb_net_write_c_mem(net, NULL, &c, &bytes));
  ck_ok(nnb_net_write_c_mem(fold, NULL, &d, &more));
  ck_assert(nets[_i].buffers > 0 || strcmp(c, d) == 0); /* what is folded is written folded */
  nnb_free(c), nnb_free(d);
  ck_assert_uint_eq(bits(net), before);
  nnb_net_destroy(fold), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* Second derivatives name what is in their way, and go through the folded net. */
START_TEST(folded_derivatives) {
  static const char *const texts[] = {"3-5:linear-batchnorm:tanh-2", "3-5:tanh-dropout0.5-2",
                                      "3-5:tanh-dropout0.2:tanh-2", "3-5:tanh-2-dropout0.2"};
  real x[] = {(real)0.5, (real)-0.2, 1}, v[] = {1, -1}, h[3];
  nnb_net *net, *fold;
  ck_ok(nnb_net_parse(texts[_i], &net));
  ck_ok(nnb_net_fold(net, &fold));
  const nnb_cmat row = nnb_cview(x, 1, 3);
  ck_assert_int_eq(nnb_net_hvp(net, row, nnb_cview(v, 1, 2), row, nnb_view(h, 1, 3)), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "nnb_net_fold makes a net without it"), "%s", nnb_errmsg());
  ck_ok(nnb_net_hvp(fold, row, nnb_cview(v, 1, 2), row, nnb_view(h, 1, 3)));
  nnb_net_destroy(net), nnb_net_destroy(fold);
}
END_TEST

/* A shape that was declared at a dropout stays; the file of the folded net can be loaded, and ONNX files, which are
 * folded, have it. */
START_TEST(folded_shapes) {
  nnb_net *net = nnb_net_create(5), *fold, *loaded;
  nnb_net_dense(net, 12, NNB_TANH);
  if (_i) nnb_net_shape(net, 0, 12, 1, 1);
  nnb_net_shape(net, nnb_net_dropout(net, 0, 0.5), 3, 2, 2);
  nnb_net_dropout(net, 0, 0.5);
  nnb_net_conv(net, 4, 2, NNB_TANH);
  nnb_net_dense(net, 2, NNB_LINEAR);
  ck_ok(nnb_net_init(net, 3));
  real x[] = {(real)0.1, (real)0.2, (real)-0.7, 1, (real)0.4}, y[2], z[2];
  void *file;
  size_t bytes;
  ck_ok(nnb_net_fold(net, &fold));
  ck_assert_int_eq(nnb_net_n_nodes(fold), 5);
  ck_ok(nnb_net_save_mem(fold, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, 5), nnb_view(y, 1, 2)));
  ck_ok(nnb_net_predict(loaded, nnb_cview(x, 1, 5), nnb_view(z, 1, 2)));
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol((double)y[i], (double)z[i], TOL(1e-14, 1e-6));
  nnb_free(file);
#ifdef NNB_HAVE_ONNX
  nnb_net_destroy(loaded);
  ck_ok(nnb_net_save_onnx_mem(net, NULL, &file, &bytes));
  ck_ok(nnb_net_load_onnx_mem(file, bytes, NULL, &loaded));
  ck_ok(nnb_net_predict(loaded, nnb_cview(x, 1, 5), nnb_view(z, 1, 2)));
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol((double)y[i], (double)z[i], TOL(1e-14, 1e-6));
  nnb_free(file);
#endif
  nnb_net_destroy(loaded), nnb_net_destroy(fold), nnb_net_destroy(net);
}
END_TEST

/* Outputs keep their columns, losses and names. */
START_TEST(folded_graph) {
  nnb_net *net = nnb_net_create(3), *fold, *none = net;
  const int a = nnb_net_layer(net, 1, "4:linear:name=a"), b = nnb_net_layer(net, 1, "4:tanh:name=b");
  const int bn = nnb_net_layer(net, a, "batchnorm:tanh"), drop = nnb_net_dropout(net, b, 0.5);
  const int product = nnb_net_product(net, (int[]){bn, drop}, 2, NNB_LINEAR);
  nnb_net_output(net, nnb_net_layer(net, product, "2:softmax:name=classes"));
  nnb_net_output(net, nnb_net_layer(net, drop, "1:name=value"));
  ck_ok(nnb_net_init(net, 3));
  ck_ok(nnb_net_fold(net, &fold));
  ck_assert_int_eq(nnb_net_n_nodes(fold), 6);
  ck_assert(nnb_net_find(fold, "a") == 2 && nnb_net_find(fold, "b") == 3 && nnb_net_find(fold, "value") == 6);
  real x[] = {(real)0.1, (real)0.2, (real)-0.7}, y[3], z[3];
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, 3), nnb_view(y, 1, 3)));
  ck_ok(nnb_net_predict(fold, nnb_cview(x, 1, 3), nnb_view(z, 1, 3)));
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol((double)y[i], (double)z[i], TOL(1e-14, 1e-6));
  ck_assert_int_eq(nnb_net_fold(NULL, &none), NNB_E_ARG);
  ck_assert_ptr_null(none);
  ck_assert_int_eq(nnb_net_fold(net, NULL), NNB_E_ARG);
  nnb_net_destroy(fold), nnb_net_destroy(net);
}
END_TEST

/* The names are those of torch.nn.Sequential(Linear, Tanh, Dropout, Linear). */
START_TEST(names_of_pytorch) {
  nnb_net *net;
  void *file;
  size_t bytes, i = 0;
  ck_ok(nnb_net_parse("3-4:tanh-dropout0.5-2", &net));
  ck_ok(nnb_net_save_torch_mem(net, NULL, &file, &bytes));
  while (i + 8 < bytes && memcmp((char *)file + i, "3.weight", 8) != 0) i++;
  ck_assert_uint_lt(i + 8, bytes);
  nnb_free(file), nnb_net_destroy(net);
}
END_TEST

/* ---- what is refused ----------------------------------------------------------------------------------------------
 */

START_TEST(bad_layers) {
  static const struct {
    const char *text, *says;
  } bad[] = {{"3-dropout", "character 10"},
             {"3-dropout1", "p is 1"},
             {"3-dropout-0.5", "character 10"},
             {"3-dropout0.5:p=0.2", "character 14"},
             {"3-dropoutx", "dropout0.2"},
             {"3-layernorm2", "character 12"},
             {"3-layernorm:epsilon=0", "epsilon"},
             {"3-layernorm:momentum=0.5", "character 13"},
             {"3-batchnorm:momentum=0", "momentum"},
             {"3-batchnorm:momentum=2", "momentum"},
             {"3-batchnorm:epsilon=-1", "character 13"},
             {"3-batchnorm:bias=0", "epsilon="},
             {"3-product", "character 3"},
             {"3-embed", "character 8"},
             {"3-embed10", "embed10x4"},
             {"3-embed10x", "character 11"},
             {"3-embed10x2:levels=3", "character 13"},
             {"3-embed10x2:init_scale=0", "init_scale is 0"},
             {"3-4:tanh-embed10x2", "wanted an input"},
             {"3-embed2000000000x2", "levels"},
             {"3-embed2x2000000000", "more than an int"},
             {"3-gru4", "signals"},
             {"1-embed5x2-gru3", "signals"}, /* a column, and no signal of one sample; see below */
             {"1x2x2-gru4", "signals"},
             {"1x4-gru4:sequence=2", "sequence is 2"},
             {"1x4-gru4:units=2", "character 10"},
             {"1x4-gru2000000000", "more than an int"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    nnb_net *net;
    ck_assert_msg(nnb_net_parse(bad[i].text, &net) == NNB_E_PARSE, "%s", bad[i].text);
    ck_assert_msg(strstr(nnb_errmsg(), bad[i].says), "%s: %s", bad[i].text, nnb_errmsg());
  }
  nnb_net *one;
  ck_assert_int_eq(nnb_net_parse("1x1-embed5x2-gru3", &one), NNB_OK);
  ck_assert_int_eq(nnb_net_n_out(one), 3);
  nnb_net_destroy(one);
  one = nnb_net_create(1);
  const int table = nnb_net_embedding(one, 0, 5, 2);
  ck_assert_int_eq(nnb_net_shape(one, table, 2, 1, 1), NNB_OK);
  ck_assert_int_eq(nnb_net_gru(one, 0, 3, false), table + 1);
  nnb_net_destroy(one);
  static const double p[] = {-0.1, 1, 2, (double)NAN, (double)INFINITY};
  for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
    nnb_net *net = nnb_net_create(3);
    ck_assert_int_eq(nnb_net_dropout(net, 0, p[i]), NNB_E_ARG);
    nnb_net_destroy(net);
  }
  nnb_net *net = nnb_net_create(3);
  const int from[] = {1, nnb_net_dense(net, 2, NNB_LINEAR)};
  ck_assert_int_eq(nnb_net_product(net, from, 2, NNB_LINEAR), NNB_E_SHAPE);
  nnb_net_destroy(net);
  net = nnb_net_create(3);
  ck_assert_int_eq(nnb_net_product(net, from, 0, NNB_LINEAR), NNB_E_ARG);
  nnb_net_destroy(net);
}
END_TEST

/* Methods that cannot take a layer name it, and change nothing. */
START_TEST(refused_methods) {
  static const struct {
    const char *net, *opts, *layer;
  } refused[] = {
      {"3-4:tanh-dropout0.5-1", "algo=lbfgs", "dropout1"},  {"3-4:tanh-dropout0.5-1", "algo=lm", "dropout1"},
      {"3-4:tanh-dropout0.5-1", "algo=varpro", "dropout1"}, {"3-4:tanh-dropout0.5-1", "bayes", "dropout1"},
      {"3-4:tanh-batchnorm-1", "algo=lm", "batchnorm1"},    {"3-4:tanh-batchnorm-1", "algo=kfac", "batchnorm1"}};
  nnb_data *data = toy_regression(MANY, 3, 1);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    nnb_fit_opts opts = {0};
    nnb_net *net;
    ck_ok(nnb_net_parse(refused[i].net, &net));
    ck_ok(nnb_fit_opts_parse(refused[i].opts, &opts));
    const uint64_t before = bits(net);
    ck_assert_msg(nnb_fit(net, data, NULL, &opts, NULL) == NNB_E_UNSUPPORTED, "%s", refused[i].opts);
    ck_assert_msg(strstr(nnb_errmsg(), refused[i].layer), "%s: %s", refused[i].opts, nnb_errmsg());
    ck_assert_uint_eq(bits(net), before);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

/* Every method that takes the layers lowers the loss; NNB_AUTO takes one of them. */
START_TEST(every_method) {
  nnb_algo algos[NNB_N_ALGOS];
  const int n = toy_steppers(algos);
  nnb_data *data = toy_regression(MANY, 3, 1);
  algos[n] = NNB_AUTO;
  for (int k = 0; k <= n; k++) {
    const char *text = algos[k] == NNB_KFAC ? "3-10:tanh-layernorm-dropout0.1-1"
                                            : "3-10:tanh-layernorm-dropout0.1-10:linear-batchnorm:tanh-1";
    nnb_net *net;
    nnb_metrics before, after;
    ck_ok(nnb_net_parse(text, &net));
    ck_ok(nnb_evaluate(net, data, &before));
    ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = algos[k], .max_epochs = 30}, NULL));
    ck_ok(nnb_evaluate(net, data, &after));
    ck_assert_msg(after.loss < 0.5 * before.loss, "%s: from %g to %g", nnb_algo_name(algos[k]), before.loss,
                  after.loss);
    nnb_net_destroy(net);
  }
  nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layers, " PRECISION);
  TCase *tcase = tcase_create("layers");
  tcase_add_loop_test(tcase, as_pytorch, 0, sizeof goldens / sizeof *goldens);
  tcase_add_test(tcase, gradients);
  tcase_add_test(tcase, looking_gradients);
  tcase_add_test(tcase, looked_up_columns);
  tcase_add_test(tcase, bad_numbers);
  tcase_add_loop_test(tcase, every_method_looks_up, 0, 2);
  tcase_add_loop_test(tcase, threads_and_chunks, 0, 3);
  tcase_add_loop_test(tcase, same_running_means, 0, 2);
  tcase_add_test(tcase, resumed);
  tcase_add_loop_test(tcase, dropped_share, 0, 3);
  tcase_add_test(tcase, scaled_columns_of_many_nodes);
  tcase_add_loop_test(tcase, views_of_inputs, 0, 2);
  tcase_add_loop_test(tcase, text_and_files, 0, 2);
  tcase_add_loop_test(tcase, derivatives, 0, 4);
  tcase_add_loop_test(tcase, folded, 0, 5);
  tcase_add_loop_test(tcase, folded_derivatives, 0, 4);
  tcase_add_loop_test(tcase, folded_shapes, 0, 2);
  tcase_add_test(tcase, folded_graph);
  tcase_add_test(tcase, names_of_pytorch);
  tcase_add_test(tcase, bad_layers);
  tcase_add_test(tcase, refused_methods);
  tcase_add_test(tcase, every_method);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
