/* Options of losses (nnb_loss_opts): label smoothing is the loss of smoothed targets, by every executor; huber's δ
 * against its formula; gradients, files, copies, refusals. */
#include "toys.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { ROWS = 37, N_IN = 3, MOST = 40 };

static real x[ROWS * N_IN], t[ROWS * MOST], smooth[ROWS * MOST], weight[ROWS];
static int32_t label[ROWS];

static void near(double got, double want, double scale, const char *what) {
  const double tol = TOL(1e-12, 2e-5) * fmax(1, scale);
  ck_assert_msg(fabs(got - want) <= tol, PRECISION ": %s is %.17g, expected %.17g", what, got, want);
}

/* Loss and gradient of the net for the batch. */
static double look(nnb_net *net, const nnb_batch *batch, real *grad) {
  nnb_plan *plan;
  double loss, again;
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
  ck_ok(nnb_plan_gradient(plan, batch, 0, &loss, grad));
  ck_ok(nnb_plan_loss(plan, batch, &again));
  near(again, loss, fabs(loss), "the loss alone");
  nnb_plan_destroy(plan);
  return loss;
}

/* ---- label smoothing --------------------------------------------------------------------------------------------- */

/* Narrow and wide chains, classes and labels, and an activation of one output that another layer reads. */
static const struct trial {
  const char *net;
  bool binary;
} trials[] = {{"3-5:tanh-4:softmax", false},
              {"3-5:tanh-4:sigmoid", true},
              {"3-1:sigmoid", true},
              {"3-70:tanh-33:softmax", false},
              {"3-5:tanh-40:sigmoid", true}};

static nnb_net *make(const struct trial *trial, double smoothing) {
  nnb_net *net;
  ck_ok(nnb_net_parse(trial->net, &net));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.label_smoothing = smoothing}));
  return net;
}

static void draw(int n_out, bool soft) {
  toy_fill(x, LENGTH(x), 1), toy_fill(t, LENGTH(t), 2), toy_fill(weight, ROWS, 3);
  for (int i = 0; i < ROWS; i++) {
    label[i] = n_out == 1 ? i % 2 : i * 5 % n_out;
    weight[i] = i == 4 ? 0 : weight[i] + (real)1.5;
    for (int j = 0; j < n_out; j++) {
      real *v = &t[i * n_out + j];
      *v = soft ? (*v + 1) / 2 : (real)(n_out == 1 ? label[i] : label[i] == j);
    }
  }
}

/* (1-s)·t + s·Σt/n, or (1-s)·t + s/2 */
static void smooth_targets(int n_out, double s, bool binary) {
  for (int i = 0; i < ROWS; i++) {
    double sum = 0;
    for (int j = 0; j < n_out; j++) sum += (double)t[i * n_out + j];
    for (int j = 0; j < n_out; j++)
      smooth[i * n_out + j] = (real)((1 - s) * (double)t[i * n_out + j] + s * (binary ? 0.5 : sum / n_out));
  }
}

START_TEST(smoothing_is_that_of_the_targets) {
  const struct trial *trial = &trials[_i];
  static real got[8000], want[8000];
  for (int kind = 0; kind < 6; kind++) {
    const bool by_label = kind % 3 == 0, soft = kind % 3 == 2, weighted = kind >= 3;
    const double s = 0.2;
    nnb_net *plain = make(trial, 0), *net = make(trial, s);
    const int n_out = nnb_net_n_out(net), n_params = (int)nnb_net_n_params(net);
    ck_assert_int_le(n_params, LENGTH(got));
    draw(n_out, soft), smooth_targets(n_out, s, trial->binary);
    nnb_batch batch = {.x = nnb_cview(x, ROWS, N_IN), .weight = weighted ? weight : NULL}, other = batch;
    if (by_label)
      batch.label = label;
    else
      batch.t = nnb_cview(t, ROWS, n_out);
    other.t = nnb_cview(smooth, ROWS, n_out);
    const double loss = look(plain, &other, want);
    near(look(net, &batch, got), loss, fabs(loss), "the loss");
    for (int k = 0; k < n_params; k++) near((double)got[k], (double)want[k], fabs((double)want[k]), "a slope");
    nnb_net_destroy(plain), nnb_net_destroy(net);
  }
}
END_TEST

START_TEST(gradients_are_right) {
  double worst;
  nnb_net *net = nnb_net_create(N_IN);
  nnb_net_dense(net, 5, NNB_TANH);
  const int classes = nnb_net_output(net, nnb_net_dense(net, 3, NNB_SOFTMAX)); /* the layer below reads it */
  const int labels = nnb_net_output(net, nnb_net_dense(net, 2, NNB_SIGMOID));
  const int values = nnb_net_output(net, nnb_net_dense(net, 2, NNB_LINEAR));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.label_smoothing = 0.3}));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.output = labels, .label_smoothing = 0.1, .factor = 2}));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = NNB_HUBER, .output = values, .delta = 0.3}));
  draw(7, true);
  nnb_batch batch = {.x = nnb_cview(x, 9, N_IN), .t = nnb_cview(t, 9, 7), .weight = weight};
  ck_ok(nnb_check_gradient(net, &batch, &worst));
  ck_assert_msg(worst < TOL(1e-6, 2e-2), "worst error %g", worst);
  ck_assert_int_gt(classes, 0);
  nnb_net_destroy(net);
}
END_TEST

/* Options of one output hold for the loss that it has by default, too. */
START_TEST(options_of_an_output_without_a_loss) {
  double value[3];
  draw(3, true);
  for (int k = 0; k < 3; k++) {
    const nnb_loss_opts opts = {.loss = k == 1 ? NNB_CROSS_ENTROPY : NNB_LOSS_AUTO, .label_smoothing = k ? 0.3 : 0};
    nnb_loss_opts one = opts;
    nnb_net *net = nnb_net_create(N_IN);
    nnb_plan *plan;
    one.output = nnb_net_output(net, nnb_net_dense(net, 3, NNB_SOFTMAX));
    ck_ok(nnb_net_loss_opts(net, &one));
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = 9}, &plan));
    const nnb_batch batch = {.x = nnb_cview(x, 9, N_IN), .t = nnb_cview(t, 9, 3), .weight = weight};
    ck_ok(nnb_plan_loss(plan, &batch, &value[k]));
    nnb_plan_destroy(plan), nnb_net_destroy(net);
  }
  ck_assert_double_eq(value[2], value[1]);
  ck_assert_msg(fabs(value[2] - value[0]) > 1e-3, "smoothed %g, without %g", value[2], value[0]);
}
END_TEST

/* Confident right answers cost something, so a fit stays away from them. */
START_TEST(smoothing_keeps_probabilities_moderate) {
  nnb_data *data = toy_classes(120, 4, 3);
  double log_loss[2], accuracy[2];
  for (int k = 0; k < 2; k++) {
    nnb_net *net;
    nnb_scores *s;
    nnb_metrics m;
    ck_ok(nnb_net_parse("4-16:tanh-3:softmax", &net));
    ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.label_smoothing = k ? 0.3 : 0}));
    const nnb_algo algo = _i == 0 ? NNB_LBFGS : _i == 1 ? NNB_ADAM : NNB_KFAC;
    nnb_fit_opts opts = {.algo = algo, .max_epochs = 200, .threads = 1};
    if (algo == NNB_ADAM) opts.lr = 0.02;
    if (algo == NNB_KFAC) opts.batch = NNB_FULL_BATCH;
    ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
    ck_ok(nnb_net_score(net, data, NULL, &s));
    ck_ok(nnb_evaluate(net, data, &m));
    log_loss[k] = nnb_scores_get(s, NNB_METRIC_LOG_LOSS), accuracy[k] = nnb_scores_get(s, NNB_METRIC_ACCURACY);
    if (k == 1) ck_assert(m.loss > log_loss[k] + 0.05); /* the loss has the smoothing, the metric has not */
    nnb_scores_destroy(s);
    nnb_net_destroy(net);
  }
  ck_assert_msg(log_loss[1] > 0.15 && log_loss[1] < 0.6 && log_loss[0] < log_loss[1] / 2 && accuracy[1] > 0.9,
                "log loss %g without, %g with; accuracy %g", log_loss[0], log_loss[1], accuracy[1]);
  nnb_data_destroy(data);
}
END_TEST

/* ---- huber ------------------------------------------------------------------------------------------------------- */

START_TEST(huber_against_its_formula) {
  static const double deltas[] = {0, 0.25, 1, 3};
  for (int k = 0; k < LENGTH(deltas); k++) {
    nnb_net *net;
    nnb_plan *plan;
    const double delta = deltas[k] > 0 ? deltas[k] : 1;
    real w[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    double loss, want = 0, norm = 0;
    real gradient[12];
    ck_ok(nnb_net_parse("3-3", &net));
    ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = NNB_HUBER, .delta = deltas[k]}));
    ck_ok(nnb_net_set_weights(net, 2, nnb_cview(w, 3, 3)));
    draw(3, true);
    double slope[3] = {0};
    for (int i = 0; i < ROWS * 3; i++) {
      t[i] = 4 * t[i];
      const double r = (double)x[i] - (double)t[i], size = fabs(r), v = (double)weight[i / 3];
      want += v * (size <= delta ? r * r / 2 : delta * (size - delta / 2)), norm += v;
      slope[i % 3] += v * fmax(-delta, fmin(delta, r));
    }
    nnb_batch batch = {.x = nnb_cview(x, ROWS, 3), .t = nnb_cview(t, ROWS, 3), .weight = weight};
    ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = ROWS, .want = NNB_GRAD}, &plan));
    ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, gradient));
    near(loss, want / norm, fabs(want / norm), "the loss");
    for (int j = 0; j < 3; j++) near((double)gradient[9 + j], slope[j] / norm, 1, "the slope by a bias");
    nnb_plan_destroy(plan);
    nnb_net_destroy(net);
  }
}
END_TEST

/* ---- files, copies, refusals ------------------------------------------------------------------------------------- */

START_TEST(files_and_copies_keep_the_options) {
  nnb_net *net = nnb_net_create(N_IN), *copy, *loaded;
  void *file;
  size_t bytes;
  static real a[200], b[200];
  nnb_net_dense(net, 4, NNB_TANH);
  nnb_net_output(net, nnb_net_dense(net, 3, NNB_SOFTMAX));
  const int values = nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .from = 2}));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.label_smoothing = 0.15}));
  ck_ok(nnb_net_loss_opts(net, &(nnb_loss_opts){.loss = NNB_HUBER, .output = values, .delta = 0.125}));
  ck_ok(nnb_net_copy(net, &copy)); /* before it is sealed */
  draw(5, true);
  nnb_batch batch = {.x = nnb_cview(x, ROWS, N_IN), .t = nnb_cview(t, ROWS, 5)};
  const double loss = look(net, &batch, a);
  ck_assert_double_eq(look(copy, &batch, b), loss);
  ck_assert_mem_eq(a, b, nnb_net_n_params(net) * sizeof *a);
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  ck_assert_double_eq(look(loaded, &batch, b), loss);
  ck_assert_mem_eq(a, b, nnb_net_n_params(net) * sizeof *a);
  static const char key[] = "\"loss.label_smoothing\":\"0.15\"";
  char *at = file, *end = at + bytes - strlen(key);
  while (at < end && memcmp(at, key, strlen(key)) != 0) at++;
  ck_assert(at < end);
  at[strlen(key) - 5] = '2';
  nnb_net *bad = NULL;
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, NULL, &bad), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), "loss.label_smoothing"), "%s", nnb_errmsg());
  nnb_free(file);
  nnb_net_destroy(net), nnb_net_destroy(copy), nnb_net_destroy(loaded);
}
END_TEST

static const struct refusal {
  nnb_loss_opts opts;
  const char *words;
  bool later; /* when the net is sealed */
} refusals[] = {
    {{.label_smoothing = 1}, "label_smoothing is 1", false},
    {{.label_smoothing = -0.1}, "label_smoothing is -0.1", false},
    {{.delta = -1}, "delta is -1", false},
    {{.loss = (nnb_loss)99}, "no loss 99", false},
    {{.factor = 2}, "factor is 2", false},
    {{.output = 2, .factor = -2}, "factor of a loss is -2", false},
    {{.output = 1}, "not an output", false},
    {{.output = 9}, "9", false},
    {{.reserved = {(void *)refusals}}, "reserved", false},
    {{.label_smoothing = 0.1}, "label_smoothing is 0.1; mse does not take it", true},
    {{.output = 2, .loss = NNB_HUBER, .label_smoothing = 0.1}, "huber does not take it", true},
    {{.output = 2, .loss = NNB_MAE, .delta = 2}, "delta is 2; mae does not take it", true},
};

START_TEST(refused) {
  const struct refusal *r = &refusals[_i];
  nnb_net *net = nnb_net_create(2);
  nnb_plan *plan = NULL;
  nnb_net_output(net, nnb_net_dense(net, 2, NNB_LINEAR));
  int status = nnb_net_loss_opts(net, &r->opts);
  if (r->later) {
    ck_ok(status);
    status = nnb_plan_create(net, NULL, &plan);
  }
  ck_assert_int_eq(status, NNB_E_ARG);
  ck_assert_msg(strstr(nnb_errmsg(), r->words), "\"%s\" has no \"%s\"", nnb_errmsg(), r->words);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("options of losses " PRECISION);
  TCase *tc = tcase_create("options of losses");
  tcase_add_loop_test(tc, smoothing_is_that_of_the_targets, 0, LENGTH(trials));
  tcase_add_test(tc, gradients_are_right);
  tcase_add_test(tc, options_of_an_output_without_a_loss);
  tcase_add_loop_test(tc, smoothing_keeps_probabilities_moderate, 0, 3);
  tcase_add_test(tc, huber_against_its_formula);
  tcase_add_test(tc, files_and_copies_keep_the_options);
  tcase_add_loop_test(tc, refused, 0, LENGTH(refusals));
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
