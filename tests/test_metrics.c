/* nnb_evaluate and nnb_net_classify against plain loops, with more rows than one chunk. */
#include <stdio.h>

#include "toys.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { MOST_ROWS = 2500, MOST_COLS = 4 };

static void near(double got, double want, const char *what) {
  double tol = TOL(1e-12, 3e-6) * fmax(1, fabs(want));
  ck_assert_msg((isnan(got) && isnan(want)) || fabs(got - want) <= tol, PRECISION ": %s is %.17g, expected %.17g", what,
                got, want);
}

static real x[MOST_ROWS * 3], t[MOST_ROWS * MOST_COLS], y[MOST_ROWS * MOST_COLS], weight[MOST_ROWS];
static int32_t label[MOST_ROWS], class_of[MOST_ROWS];

static int largest(const real *v, int n) {
  int best = 0;
  for (int j = 1; j < n; j++)
    if (v[j] > v[best]) best = j;
  return n > 1 ? best : v[0] > (real)0.5;
}

static const struct trial {
  const char *net;
  int rows;
  bool weighted, labelled, classifies, scaled, one_constant;
} trials[] = {
    {.net = "3-5:tanh-2", .rows = 20},
    {.net = "3-5:tanh-2", .rows = 2500, .weighted = true},
    {.net = "3-5:tanh-2", .rows = 2500, .scaled = true, .weighted = true},
    {.net = "3-4", .rows = 1025, .one_constant = true},
    {.net = "3-1", .rows = 1, .weighted = true},
    {.net = "3-5:tanh-3:softmax", .rows = 2048, .classifies = true},
    {.net = "3-5:tanh-4:softmax", .rows = 2500, .classifies = true, .labelled = true, .weighted = true},
    {.net = "3-5:tanh-1:sigmoid", .rows = 1024, .classifies = true, .labelled = true},
    {.net = "3-1:sigmoid", .rows = 100, .classifies = true, .weighted = true},
    {.net = "3-3", .rows = 100, .labelled = true, .classifies = true}, /* mse against unit vectors */
};

static nnb_data *draw(const struct trial *trial, int n_out) {
  nnb_data *data;
  int classes = n_out > 1 ? n_out : 2;
  toy_fill(x, LENGTH(x), 21), toy_fill(t, LENGTH(t), 22), toy_fill(weight, MOST_ROWS, 23);
  for (int i = 0; i < trial->rows; i++) {
    weight[i] = i % 11 == 5 ? 0 : weight[i] + (real)1.5;
    label[i] = (int32_t)(i * 7 % 5 % classes);
    for (int j = 0; j < n_out; j++) {
      real *v = &t[i * n_out + j];
      if (trial->classifies && n_out > 1) *v = label[i] == j;
      if (trial->classifies && n_out == 1) *v = (real)label[i];
      if (trial->scaled) *v = *v * 7 + 100;
      if (trial->one_constant && j == 2) *v = (real)0.1;
    }
  }
  nnb_batch all = {.x = nnb_cview(x, trial->rows, 3)};
  if (trial->labelled)
    all.label = label;
  else
    all.t = nnb_cview(t, trial->rows, n_out);
  if (trial->weighted) all.weight = weight;
  ck_ok(nnb_data_wrap(&all, trial->labelled ? classes : 0, &data));
  return data;
}

static double r_squared(const struct trial *trial, int n_out) {
  double total = 0;
  int varying = 0;
  for (int j = 0; j < n_out; j++) {
    double mean = 0, norm = 0, errors = 0, spread = 0;
    bool varies = false;
    for (int i = 0; i < trial->rows; i++) {
      double w = trial->weighted ? (double)weight[i] : 1;
      mean += w * (double)t[i * n_out + j], norm += w;
      varies = varies || t[i * n_out + j] != t[j];
    }
    for (int i = 0; i < trial->rows; i++) {
      double w = trial->weighted ? (double)weight[i] : 1, d = (double)t[i * n_out + j];
      spread += w * pow(d - mean / norm, 2), errors += w * pow(d - (double)y[i * n_out + j], 2);
    }
    if (varies) total += 1 - errors / spread, varying++;
  }
  return varying ? total / varying : (double)NAN;
}

START_TEST(evaluate_against_plain_loops) {
  const struct trial *trial = &trials[_i];
  nnb_net *net;
  nnb_metrics m;
  nnb_batch all;
  nnb_plan *plan;
  ck_ok(nnb_net_parse(trial->net, &net));
  int n_out = nnb_net_n_out(net), rows = trial->rows;
  nnb_data *data = draw(trial, n_out);
  if (trial->scaled) nnb_net_standardize(net, data), nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  ck_ok(nnb_evaluate(net, data, &m));
  ck_ok(nnb_net_predict(net, nnb_cview(x, rows, 3), nnb_view(y, rows, n_out)));
  ck_ok(nnb_net_classify(net, nnb_cview(x, rows, 3), class_of));
  double right = 0, norm = 0, squares = 0, loss;
  for (int i = 0; i < rows; i++) {
    double w = trial->weighted ? (double)weight[i] : 1;
    ck_assert_int_eq(class_of[i], largest(y + i * n_out, n_out));
    right += w * (class_of[i] == label[i]), norm += w;
    for (int j = 0; j < n_out; j++) squares += w * pow((double)t[i * n_out + j] - (double)y[i * n_out + j], 2);
  }
  near(m.accuracy, trial->classifies ? right / norm : (double)NAN, "accuracy");
  near(m.rmse, trial->labelled ? (double)NAN : sqrt(squares / (norm * n_out)), "rmse");
  near(m.r2, trial->labelled ? (double)NAN : r_squared(trial, n_out), "r2");
  ck_assert_int_eq(m.rows, rows);
  ck_ok(nnb_data_batch(data, 0, rows, &all));
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = rows}, &plan));
  ck_ok(nnb_plan_loss(plan, &all, &loss));
  near(m.loss, loss, "loss");
  nnb_plan_destroy(plan);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
END_TEST

/* Labels and the same classes as unit vectors: the same loss and accuracy. */
START_TEST(labels_are_one_hot) {
  static const struct trial with = {.rows = 1500, .classifies = true, .labelled = true, .weighted = true};
  struct trial without = with;
  without.labelled = false;
  nnb_net *net;
  nnb_metrics a, b;
  int n_out = _i ? 1 : 4;
  ck_ok(nnb_net_parse(_i ? "3-6:tanh-1:sigmoid" : "3-6:tanh-4:softmax", &net));
  nnb_data *data = draw(&with, n_out);
  ck_ok(nnb_evaluate(net, data, &a));
  nnb_data_destroy(data);
  data = draw(&without, n_out);
  ck_ok(nnb_evaluate(net, data, &b));
  nnb_data_destroy(data);
  near(a.loss, b.loss, "loss"), near(a.accuracy, b.accuracy, "accuracy");
  ck_assert(a.accuracy > 0 && a.accuracy < 1);
  nnb_net_destroy(net);
}
END_TEST

/* ---- labels: several per row ------------------------------------------------------------------------------------- */

/* n columns of 0 and 1, with none to all of them 1 in a row. */
static nnb_data *draw_labels(int rows, int n) {
  nnb_data *data;
  toy_fill(x, LENGTH(x), 31), toy_fill(t, LENGTH(t), 32), toy_fill(weight, MOST_ROWS, 33);
  for (int i = 0; i < rows * n; i++) t[i] = t[i] > 0;
  for (int i = 0; i < rows; i++) weight[i] = i % 7 == 3 ? 0 : weight[i] + (real)1.5;
  nnb_batch all = {.x = nnb_cview(x, rows, 3), .t = nnb_cview(t, rows, n), .weight = weight};
  ck_ok(nnb_data_wrap(&all, 0, &data));
  return data;
}

START_TEST(labels_are_counted_one_by_one) {
  const int rows = _i ? 2500 : 40, n = 4;
  nnb_net *net;
  nnb_metrics m;
  double right = 0, all = 0;
  nnb_data *data = draw_labels(rows, n);
  ck_ok(nnb_net_parse("3-6:tanh-4:sigmoid", &net));
  ck_ok(nnb_evaluate(net, data, &m));
  ck_ok(nnb_net_predict(net, nnb_cview(x, rows, 3), nnb_view(y, rows, n)));
  for (int i = 0; i < rows * n; i++) {
    right += (double)weight[i / n] * ((y[i] > (real)0.5) == (t[i] > (real)0.5));
    all += (double)weight[i / n];
  }
  near(m.accuracy, right / all, "accuracy");
  ck_assert_int_eq(nnb_net_classify(net, nnb_cview(x, rows, 3), class_of), NNB_E_UNSUPPORTED);
  ck_assert_msg(strstr(nnb_errmsg(), "4 labels per row") && strstr(nnb_errmsg(), "nnb_net_predict"), "%s",
                nnb_errmsg());
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* A net that has learned every label is right everywhere, also in rows with none and with several. */
START_TEST(learnt_labels_are_all_right) {
  enum { ROWS = 20 };
  nnb_net *net;
  nnb_metrics m;
  nnb_data *data = draw_labels(ROWS, 3);
  for (int i = 0; i < ROWS; i++) weight[i] = 1;
  ck_ok(nnb_net_parse("3-64:tanh-3:sigmoid", &net));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_ADAM, .max_epochs = 3000, .lr = 0.01}, NULL));
  ck_ok(nnb_net_predict(net, nnb_cview(x, ROWS, 3), nnb_view(y, ROWS, 3)));
  for (int i = 0; i < ROWS * 3; i++) ck_assert((y[i] > (real)0.5) == (t[i] > (real)0.5));
  ck_ok(nnb_evaluate(net, data, &m));
  ck_assert_msg(m.accuracy == 1, "accuracy is %g though every label is right", m.accuracy);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* A class of three columns, then two labels: three answers per row.  A regression output has none. */
START_TEST(answers_of_several_outputs_count_together) {
  enum { ROWS = 1100, COLS = 6 };
  static real targets[ROWS * COLS], outputs[ROWS * COLS];
  nnb_net *net = nnb_net_create(3);
  nnb_data *data;
  nnb_metrics m;
  double right = 0;
  int hidden = nnb_net_dense(net, 5, NNB_TANH);
  nnb_net_output(net,
                 nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .activation = NNB_SOFTMAX, .from = hidden}));
  nnb_net_output(net,
                 nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .activation = NNB_SIGMOID, .from = hidden}));
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = hidden}));
  toy_fill(x, LENGTH(x), 41), toy_fill(targets, LENGTH(targets), 42);
  for (int i = 0; i < ROWS; i++) {
    real *v = targets + i * COLS;
    for (int j = 0; j < 3; j++) v[j] = i % 3 == j;
    v[3] = v[3] > 0, v[4] = v[4] > 0;
  }
  nnb_batch all = {.x = nnb_cview(x, ROWS, 3), .t = nnb_cview(targets, ROWS, COLS)};
  ck_ok(nnb_data_wrap(&all, 0, &data));
  ck_ok(nnb_evaluate(net, data, &m));
  ck_ok(nnb_net_predict(net, all.x, nnb_view(outputs, ROWS, COLS)));
  for (int i = 0; i < ROWS; i++) {
    const real *a = outputs + i * COLS, *v = targets + i * COLS;
    right += largest(a, 3) == i % 3;
    for (int j = 3; j < 5; j++) right += (a[j] > (real)0.5) == (v[j] > (real)0.5);
  }
  near(m.accuracy, right / (3 * ROWS), "accuracy");
  ck_assert_int_eq(nnb_net_classify(net, all.x, class_of), NNB_E_SHAPE);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

START_TEST(classes_of_nan_are_refused) {
  nnb_net *net;
  ck_ok(nnb_net_parse(_i % 2 ? "3-1:sigmoid" : "3-4:relu-3:softmax", &net));
  toy_fill(x, LENGTH(x), 51);
  const int row = _i < 2 ? 0 : 1500;
  x[3 * row + 1] = (real)NAN;
  ck_assert_int_eq(nnb_net_classify(net, nnb_cview(x, 2000, 3), class_of), NNB_E_NUMERIC);
  char words[40];
  snprintf(words, sizeof words, "row %d ", row + 1);
  ck_assert_msg(strstr(nnb_errmsg(), words), "%s", nnb_errmsg());
  for (int i = 0; i < 2000; i++) class_of[i] = 7;
  nnb_net_params(net)[0] = (real)NAN; /* in every row */
  ck_assert_int_eq(nnb_net_classify(net, nnb_cview(x, 1, 3), class_of), NNB_E_NUMERIC);
  ck_assert_int_eq(class_of[0], 7);
  nnb_net_destroy(net);
}
END_TEST

START_TEST(evaluate_refuses) {
  nnb_net *net;
  nnb_metrics m;
  nnb_data *data = draw(&trials[0], 2);
  ck_ok(nnb_net_parse("3-3", &net));
  ck_assert_int_eq(nnb_evaluate(net, data, &m), NNB_E_SHAPE); /* 2 targets, 3 outputs */
  ck_assert_int_eq(nnb_evaluate(net, NULL, &m), NNB_E_ARG);
  ck_assert_int_eq(nnb_evaluate(NULL, data, &m), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_classify(net, nnb_cview(x, 5, 4), class_of), NNB_E_SHAPE);
  ck_assert_int_eq(nnb_net_classify(net, nnb_cview(x, 5, 3), NULL), NNB_E_ARG);
  nnb_data_destroy(data);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metrics " PRECISION);
  TCase *tc = tcase_create("metrics");
  tcase_add_loop_test(tc, evaluate_against_plain_loops, 0, LENGTH(trials));
  tcase_add_loop_test(tc, labels_are_one_hot, 0, 2);
  tcase_add_loop_test(tc, labels_are_counted_one_by_one, 0, 2);
  tcase_add_test(tc, learnt_labels_are_all_right);
  tcase_add_test(tc, answers_of_several_outputs_count_together);
  tcase_add_loop_test(tc, classes_of_nan_are_refused, 0, 4);
  tcase_add_test(tc, evaluate_refuses);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
