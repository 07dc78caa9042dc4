/* Convolutions and pools: against PyTorch (golden/conv.h), gradients, rows by themselves, threads, files, every method,
 * and what is refused. */
#include "toys.h"

#include "golden/conv.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { ROWS = 3, MOST = 2048, SAMPLES = 40 };

static void set_numbers(real *p, size_t n, double a, double b) {
  for (size_t i = 0; i < n; i++) p[i] = (real)(a * sin(1 + b * (double)i));
}

static nnb_net *parse(const char *text) {
  nnb_net *net;
  ck_assert_msg(nnb_net_parse(text, &net) == NNB_OK, "%s", nnb_errmsg());
  return net;
}

/* ---- against PyTorch --------------------------------------------------------------------------------------------- */

static void assert_near(const char *net, const char *what, size_t n, const real *a, const double *b) {
  double most = 0, size = 1;
  for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - b[i])), size = fmax(size, fabs(b[i]));
  ck_assert_msg(most <= TOL(1e-12, 1e-5) * size, "%s: %s differs by %g", net, what, most);
}

/* Targets as in make_conv.py: sines, or their softmax by rows. */
static void set_targets(const char *net, real *t, int n_out) {
  set_numbers(t, (size_t)(ROWS * n_out), 1, 2.3);
  for (int i = 0; i < ROWS && strstr(net, "softmax"); i++) {
    real sum = 0;
    for (int j = 0; j < n_out; j++) sum += t[i * n_out + j] = (real)exp((double)t[i * n_out + j]);
    for (int j = 0; j < n_out; j++) t[i * n_out + j] /= sum;
  }
}

START_TEST(test_golden) {
  const char *text = conv_cases[_i].net;
  nnb_net *net = parse(text);
  nnb_plan *plan;
  real x[MOST], t[MOST], y[MOST], g[MOST];
  double loss;
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  const size_t n = nnb_net_n_params(net);
  ck_assert_uint_eq(n, conv_cases[_i].n_params);
  set_numbers(nnb_net_params(net), n, 0.4, 1.7);
  set_numbers(x, (size_t)(ROWS * n_in), 1, 0.7);
  set_targets(text, t, n_out);
  nnb_batch batch = {.x = nnb_cview(x, ROWS, n_in), .t = nnb_cview(t, ROWS, n_out)};
  for (int threads = 1; threads <= 2; threads++)
    for (unsigned keep = 0; keep <= NNB_KEEP; keep += NNB_KEEP) {
      ck_ok(
          nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD | keep, .threads = threads}, &plan));
      ck_ok(nnb_plan_predict(plan, batch.x, nnb_view(y, ROWS, n_out)));
      assert_near(text, "the output", (size_t)(ROWS * n_out), y, conv_cases[_i].y);
      ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, g));
      assert_near(text, "the gradient", n, g, conv_cases[_i].grad);
      ck_assert_double_le(fabs(loss - conv_cases[_i].loss), TOL(1e-12, 1e-5));
      nnb_plan_destroy(plan);
    }
  nnb_net_destroy(net);
}
END_TEST

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* %s is an activation */
static const char *const graphs[] = {
    "2x4x5-conv2@3:%s-3",
    "1x6x5-conv2@2x3:%s:stride=2:pad=1-conv3@2:%s:bias=0-2",
    "2x5x4-conv2@3:%s:pad=2:stride=3-avgpool2-2",
    "2x6x6-avgpool2:%s-conv2@1:%s-maxpool3x2:stride=1-2",
    "3x9-conv2@4:%s:stride=2:pad=3-avgpool2:stride=1-flatten:%s-2",
};

START_TEST(test_gradient) {
  const nnb_activation act = (nnb_activation)_i;
  if (act == NNB_STEP) return;
  for (int k = 0; k < LENGTH(graphs); k++) {
    char text[200];
    const char *f = nnb_activation_name(act);
    real x[MOST], t[MOST];
    snprintf(text, sizeof text, graphs[k], f, f);
    nnb_net *net = parse(text);
    double worst = 1;
    for (uint64_t seed = 1; seed < 20 && !(worst < TOL(1e-6, 1e-2)); seed++) { /* other points than those near kinks */
      ck_ok(nnb_net_init(net, seed));
      toy_fill(x, (size_t)(ROWS * nnb_net_n_in(net)), seed),
          toy_fill(t, (size_t)(ROWS * nnb_net_n_out(net)), seed + 99);
      nnb_batch batch = {.x = nnb_cview(x, ROWS, nnb_net_n_in(net)), .t = nnb_cview(t, ROWS, nnb_net_n_out(net))};
      ck_ok(nnb_check_gradient(net, &batch, &worst));
    }
    ck_assert_msg(worst < TOL(1e-6, 1e-2), "%s: %g", text, worst);
    nnb_net_destroy(net);
  }
}
END_TEST

/* An image that several layers read: derivatives add up.  A sum and a concatenation keep the shape. */
START_TEST(test_branches) {
  real x[MOST], t[MOST];
  double worst = 1;
  nnb_net *net = nnb_net_create(2 * 5 * 5);
  ck_ok(nnb_net_shape(net, 1, 2, 5, 5));
  int a = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 3, .width = 3, .pad = 1, .activation = NNB_TANH});
  int b = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 3, .width = 1, .from = 1, .init = NNB_INIT_ORTHOGONAL});
  int sum = nnb_net_add(net, (int[]){a, b}, 2, NNB_TANH);
  int both = nnb_net_concat(net, (int[]){sum, 1}, 2);
  nnb_net_pool_opts(net, &(nnb_pool_opts){.kind = NNB_POOL_AVERAGE, .width = 2, .stride = 1, .from = both});
  nnb_net_conv(net, 1, 3, NNB_TANH);
  nnb_net_pool(net, NNB_POOL_MAX, 2);
  nnb_net_flatten(net);
  nnb_net_dense(net, 2, NNB_LINEAR);
  ck_ok(nnb_net_status(net));
  ck_assert_int_eq(nnb_net_node_shape(net, both).channels, 5);
  toy_fill(x, 2 * ROWS * 25, 1), toy_fill(t, ROWS * 2, 2);
  nnb_batch batch = {.x = nnb_cview(x, ROWS, 50), .t = nnb_cview(t, ROWS, 2)};
  ck_ok(nnb_check_gradient(net, &batch, &worst));
  ck_assert_double_lt(worst, TOL(1e-6, 1e-2));
  nnb_net_destroy(net);
}
END_TEST

/* ---- rows, threads, chunks --------------------------------------------------------------------------------------- */

static const char *const image_net = "1x8x8-conv3@3:tanh-maxpool2-conv4@2:relu-avgpool2-3:softmax";

static nnb_data *images(void) { return toy_classes(SAMPLES, 64, 3); }

static uint64_t fitted(const char *options) {
  nnb_data *data = images();
  nnb_net *net = parse(image_net);
  nnb_fit_opts opts = {0};
  ck_ok(nnb_fit_opts_parse(options, &opts));
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  uint64_t h = toy_hash_net(1, net);
  nnb_net_destroy(net), nnb_data_destroy(data);
  return h;
}

START_TEST(test_rows) {
  real x[SAMPLES * 64], y[SAMPLES * 3], one[3];
  nnb_net *net = parse(image_net);
  toy_fill(x, LENGTH(x), 3);
  ck_ok(nnb_net_predict(net, nnb_cview(x, SAMPLES, 64), nnb_view(y, SAMPLES, 3)));
  for (int i = 0; i < SAMPLES; i++) {
    ck_ok(nnb_net_predict(net, nnb_cview(x + 64 * i, 1, 64), nnb_view(one, 1, 3)));
    for (int j = 0; j < 3; j++) ck_assert_double_le(fabs((double)(one[j] - y[3 * i + j])), TOL(1e-14, 1e-6));
  }
  nnb_net_destroy(net);
  ck_assert_uint_eq(fitted("algo=adam max_epochs=3 threads=1"), fitted("algo=adam max_epochs=3 threads=1"));
}
END_TEST

/* ---- files, copies, the summary ---------------------------------------------------------------------------------- */

static void read_summary(const nnb_net *net, char *text, size_t bytes) {
  FILE *stream = tmpfile();
  ck_assert(stream);
  ck_ok(nnb_net_summary(net, stream));
  rewind(stream);
  text[fread(text, 1, bytes - 1, stream)] = '\0';
  fclose(stream);
}

START_TEST(test_copy_and_file) {
  char a[4000], b[4000];
  void *file;
  size_t bytes;
  nnb_net *net = parse(conv_cases[_i].net), *copy, *loaded;
  ck_ok(nnb_net_init(net, 5));
  ck_ok(nnb_net_copy(net, &copy));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  ck_assert_uint_eq(toy_hash_net(1, net), toy_hash_net(1, copy));
  ck_assert_uint_eq(toy_hash_net(1, net), toy_hash_net(1, loaded));
  read_summary(net, a, sizeof a), read_summary(loaded, b, sizeof b);
  ck_assert_str_eq(a, b);
  nnb_free(file), nnb_net_destroy(net), nnb_net_destroy(copy), nnb_net_destroy(loaded);
}
END_TEST

START_TEST(test_summary) {
  char text[6000];
  nnb_net *net = parse("1x28x28-conv6@5:tanh-maxpool2-conv16@5:tanh-maxpool2-120:tanh-84:tanh-10:softmax");
  static const char *const shown[] = {"B×1×28×28", "B×6×24×24", "B×6×12×12", "B×16×8×8", "B×16×4×4", "B×120", "44426"};
  read_summary(net, text, sizeof text);
  for (int i = 0; i < LENGTH(shown); i++) ck_assert_msg(strstr(text, shown[i]), "no %s in\n%s", shown[i], text);
  ck_assert_uint_eq(nnb_net_n_params(net), 44426);
  nnb_net_destroy(net);
}
END_TEST

/* Glorot's deviation from both fans: 2/(K + O·window). */
START_TEST(test_init) {
  nnb_cmat w;
  double squares = 0;
  nnb_net *net = parse("20x9x9-conv30@3:tanh:init=glorot_normal-1");
  ck_ok(nnb_net_weights(net, 2, &w));
  ck_assert(w.rows == 180 && w.cols == 30);
  for (int i = 0; i < w.rows * w.cols; i++) squares += (double)w.p[i] * (double)w.p[i] / (w.rows * w.cols);
  ck_assert_double_lt(fabs(squares * (180 + 270) / 2 - 1), 0.1);
  nnb_net_destroy(net);
}
END_TEST

/* ---- every method ------------------------------------------------------------------------------------------------ */

/* A method takes the net and makes its loss smaller, or says why not. */
START_TEST(test_methods) {
  nnb_data *data = toy_regression(SAMPLES, 16, 2);
  nnb_net *net = parse("1x4x4-conv2@2:tanh-avgpool2:stride=1-2");
  nnb_fit_opts opts = {.algo = (nnb_algo)_i, .max_epochs = 5};
  nnb_report report;
  nnb_batch all;
  nnb_plan *plan;
  double before, after;
  ck_ok(nnb_data_batch(data, 0, SAMPLES, &all));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = SAMPLES}, &plan));
  ck_ok(nnb_plan_loss(plan, &all, &before));
  ck_ok(nnb_fit(net, data, NULL, &opts, &report));
  ck_ok(nnb_plan_loss(plan, &all, &after));
  ck_assert_msg(after < before, "%s: %g, then %g", nnb_algo_name(opts.algo), before, after);
  nnb_plan_destroy(plan), nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* The derivatives of each residual, row by row, are the gradients of single rows. */
START_TEST(test_residuals) {
  enum { N = 2 };
  nnb_net *net = parse("1x4x4-conv2@2:tanh:stride=2-maxpool2-1");
  nnb_plan *plan;
  real x[N * 16], t[N] = {0}, r[N], jacobian[N * 32], g[32];
  double loss;
  const size_t n = nnb_net_n_params(net);
  ck_assert_uint_le(n, 32);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_GRAD | NNB_ROWS}, &plan));
  toy_fill(x, N * 16, 4);
  nnb_batch batch = {.x = nnb_cview(x, N, 16), .t = nnb_cview(t, N, 1)};
  ck_ok(nnb_plan_rows(plan, &batch, r, jacobian, (int)n));
  ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, g));
  for (size_t p = 0; p < n; p++) {
    double sum = 0; /* loss = ½ Σ r² */
    for (int i = 0; i < N; i++) sum += (double)r[i] * (double)jacobian[(size_t)i * n + p];
    ck_assert_double_le(fabs(sum - (double)g[p]), TOL(1e-13, 1e-5));
  }
  nnb_plan_destroy(plan), nnb_net_destroy(net);
}
END_TEST

/* The derivatives along each input, which go forward, are the columns of Jacobians, which go back. */
START_TEST(test_jacobians) {
  static real x[MOST], u[MOST], dy[MOST], jacobian[MOST];
  char text[200];
  snprintf(text, sizeof text, graphs[_i], "tanh", "tanh");
  nnb_net *net = parse(text);
  nnb_plan *plan;
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  toy_fill(x, (size_t)(ROWS * n_in), 8);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_DX}, &plan));
  ck_ok(nnb_plan_jacobian(plan, nnb_cview(x, ROWS, n_in), (nnb_mat){0}, nnb_view(jacobian, ROWS, n_out * n_in)));
  for (int i = 0; i < n_in; i++) {
    for (int k = 0; k < ROWS * n_in; k++) u[k] = k % n_in == i;
    ck_ok(nnb_plan_jvp(plan, nnb_cview(x, ROWS, n_in), nnb_cview(u, ROWS, n_in), nnb_view(dy, ROWS, n_out)));
    for (int k = 0; k < ROWS * n_out; k++)
      ck_assert_msg(fabs((double)(dy[k] - jacobian[k * n_in + i])) < TOL(1e-13, 1e-5), "%s: %g, %g", text,
                    (double)dy[k], (double)jacobian[k * n_in + i]);
  }
  nnb_plan_destroy(plan), nnb_net_destroy(net);
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static const struct {
  const char *text;
  const char *message;
} bad_texts[] = {
    {"28-conv6@5-1", "has no shape"},
    {"1x4x4-conv2@5-1", "a window of 5×5 does not fit into images of 4×4"},
    {"1x4x4-conv2@3x5-1", "3×5 does not fit"},
    {"1x4x4-maxpool5-1", "5×5 does not fit"},
    {"3x4-conv2@2x2-1", "2×2 does not fit into images of 1×4"},
    {"1x4x4-conv2-1", "'@'"},
    {"1x4x4-conv@3-1", "character 11"},
    {"1x4x4-conv2@-1", "character 13"},
    {"1x4x4-conv2@0-1", "character 13"},
    {"1x4x4-conv2@3x-1", "character 15"},
    {"1x4x4-conv2@3:stride=0-1", "stride"},
    {"1x4x4-conv2@3:pad=3-1", "pad"},
    {"1x4x4-conv2@3:height=3-1", "character 15"},
    {"1x4x4-conv2@3:stride=1:stride=1-1", "twice"},
    {"1x4x4-conv2@3:color=1-1", "stride=, pad=, bias=, init=, init_scale=, frozen="},
    {"1x4x4-maxpool2:pad=1-1", "character 16"},
    {"1x4x4-maxpool-1", "character 14"},
    {"1x4x4-flatten-conv2@2-1", "has no shape"},
    {"1x4x4-16-conv2@2-1", "has no shape"},
    {"1x4x4x4-1", "character 6"},
    {"65536x65536-1", "more inputs than an int"},
    {"1x40000x40000-conv9@1:pad=0-1", "more than an int"},
    {"9x2x2-conv2@50000:pad=49999-1", "an int"},
    {"1x4x-1", "character 5"},
};

START_TEST(test_bad_text) {
  nnb_net *net;
  ck_assert_int_eq(nnb_net_parse(bad_texts[_i].text, &net), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), bad_texts[_i].message), "%s: %s", bad_texts[_i].text, nnb_errmsg());
}
END_TEST

static void refuse(int node, nnb_status wanted, const char *message) {
  ck_assert_msg(node == (int)wanted && strstr(nnb_errmsg(), message), "%d: %s", node, nnb_errmsg());
}

START_TEST(test_bad_calls) {
  static const struct {
    nnb_conv_opts opts;
    nnb_status status;
    const char *message;
  } bad[] = {
      {{.channels = 0, .width = 3}, NNB_E_ARG, "0 channels"},
      {{.channels = 2, .width = 0}, NNB_E_ARG, "0×0"},
      {{.channels = 2, .width = 3, .height = -1}, NNB_E_ARG, "-1×3"},
      {{.channels = 2, .width = 3, .stride = -1}, NNB_E_ARG, "stride"},
      {{.channels = 2, .width = 3, .pad = -1}, NNB_E_ARG, "pad"},
      {{.channels = 2, .width = 7}, NNB_E_SHAPE, "does not fit"},
      {{.channels = 2147483647, .width = 3}, NNB_E_OVERFLOW, "int"},
      {{.channels = 2, .width = 3, .init = (nnb_init)99}, NNB_E_ARG, "initialiser"},
      {{.channels = 2, .width = 3, .init_scale = -1}, NNB_E_ARG, "init_scale"},
      {{.channels = 2, .width = 3, .frozen = 4}, NNB_E_ARG, "frozen"},
  };
  for (int i = 0; i < LENGTH(bad); i++) {
    nnb_net *net = nnb_net_create(36);
    ck_ok(nnb_net_shape(net, 1, 1, 6, 6));
    refuse(nnb_net_conv_opts(net, &bad[i].opts), bad[i].status, bad[i].message);
    nnb_net_destroy(net);
  }
  nnb_net *net = nnb_net_create(36);
  refuse(nnb_net_pool(net, NNB_POOL_MAX, 2), NNB_E_SHAPE, "no shape");
  nnb_net_destroy(net);
  net = nnb_net_create(36);
  ck_ok(nnb_net_shape(net, 1, 1, 6, 6));
  refuse(nnb_net_pool(net, (nnb_pooling)7, 2), NNB_E_ARG, "pooling 7");
  nnb_net_destroy(net);
  net = nnb_net_create(36);
  ck_ok(nnb_net_shape(net, 1, 1, 6, 6));
  refuse(nnb_net_pool_opts(net, &(nnb_pool_opts){.width = 2, .stride = -2}), NNB_E_ARG, "stride");
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("conv, " PRECISION);
  TCase *c = tcase_create("conv");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, test_golden, 0, LENGTH(conv_cases));
  tcase_add_loop_test(c, test_gradient, 0, NNB_N_ACTIVATIONS);
  tcase_add_test(c, test_branches);
  tcase_add_test(c, test_rows);
  tcase_add_loop_test(c, test_copy_and_file, 0, LENGTH(conv_cases));
  tcase_add_test(c, test_summary);
  tcase_add_test(c, test_init);
  tcase_add_loop_test(c, test_methods, NNB_AUTO, NNB_N_ALGOS);
  tcase_add_test(c, test_residuals);
  tcase_add_loop_test(c, test_jacobians, 0, LENGTH(graphs));
  tcase_add_loop_test(c, test_bad_text, 0, LENGTH(bad_texts));
  tcase_add_test(c, test_bad_calls);
  suite_add_tcase(suite, c);
  return run_suite(suite);
}
