/* nnb_net_score: every metric against scikit-learn (golden/metrics.h), parts, confusion matrices, tables. */
#include "toys.h"
/* NAN first */
#include "golden/metrics.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
enum { ROWS = 60, COLS = 4 };

#define METRIC(name, value, text) name,
static const nnb_metric list[] = {NNB_METRIC_LIST(METRIC)};
#undef METRIC

/* ---- the data of golden/make_metrics.py -------------------------------------------------------------------------- */

static real x[ROWS * COLS], t[ROWS * COLS], weight[ROWS];
static int32_t label[ROWS];

static real logit(int i, int j) { return (real)((i * 37 + j * 53 + i * j * 11) % 43 - 21) / 8; }

/* A net that passes its inputs on to the activation. */
static nnb_net *identity(const char *text) {
  real w[COLS * COLS] = {0};
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  const int n = nnb_net_n_in(net);
  for (int j = 0; j < n; j++) w[j * n + j] = 1;
  ck_ok(nnb_net_set_weights(net, 2, nnb_cview(w, n, n)));
  return net;
}

static const struct trial {
  const char *net;
  int rows, classes, labels, values; /* number of classes that occur, of labels, of columns of values */
} trials[] = {{"4-4:softmax", 40, 4, 0, 0},
              {"4-4:softmax", 40, 3, 0, 0},
              {"1-1:sigmoid", 60, 2, 0, 0},
              {"3-3:sigmoid", 60, 0, 3, 0},
              {"3-3", 50, 0, 0, 3}};

static nnb_data *draw(const struct trial *trial, const nnb_net *net, bool weighted) {
  const int n = trial->rows, cols = nnb_net_n_in(net);
  nnb_data *data;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < cols; j++) {
      x[i * cols + j] = logit(i, j) + (trial->values ? 100 : 0);
      t[i * cols + j] = trial->labels ? logit(i, j + 1) > 0 : j == 2 ? 100 : 2 * logit(i, j + 1) + 100;
    }
    weight[i] = (real)(i * 5 % 4) / 2;
    if (trial->classes) label[i] = (i * 7 + i / 5) % trial->classes;
  }
  nnb_batch rows = {.x = nnb_cview(x, n, cols), .weight = weighted ? weight : NULL};
  if (trial->classes)
    rows.label = label;
  else
    rows.t = nnb_cview(t, n, cols);
  ck_ok(nnb_data_wrap(&rows, trial->classes ? (cols == 1 ? 2 : cols) : 0, &data));
  return data;
}

static void near(double got, double want, const char *what, int k) {
  const double tol = TOL(1e-12, 3e-5) * fmax(1, fabs(want));
  ck_assert_msg((isnan(got) && isnan(want)) || fabs(got - want) <= tol,
                PRECISION ": %s (part %d) is %.17g, scikit-learn has %.17g", what, k, got, want);
}

START_TEST(every_metric_is_that_of_scikit_learn) {
  const struct golden_metrics *want = &golden_metrics[_i];
  const struct trial *trial = &trials[_i % LENGTH(trials)];
  nnb_net *net = identity(trial->net);
  nnb_data *data = draw(trial, net, _i >= LENGTH(trials));
  nnb_scores *scores;
  nnb_metrics m;
  ck_assert_int_eq(LENGTH(golden_metrics), 2 * LENGTH(trials));
  ck_assert_int_eq(LENGTH(list), GOLDEN_METRICS);
  ck_ok(nnb_net_score(net, data, NULL, &scores));
  ck_assert_int_eq(nnb_scores_n_parts(scores), want->n_parts);
  for (int i = 0; i < GOLDEN_METRICS; i++) {
    near(nnb_scores_get(scores, list[i]), want->whole[i], nnb_metric_name(list[i]), -1);
    for (int k = 0; k < want->n_parts; k++)
      near(nnb_scores_part(scores, list[i], k), want->part[k][i], nnb_metric_name(list[i]), k);
  }
  ck_ok(nnb_evaluate(net, data, &m));
  near(m.accuracy, want->whole[0], "nnb_evaluate: accuracy", -1);
  near(m.rmse, want->whole[8], "nnb_evaluate: rmse", -1), near(m.r2, want->whole[10], "nnb_evaluate: r2", -1);
  nnb_scores_destroy(scores);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* Labels and the same classes as unit vectors give the same metrics of classes; targets have those of values as well.
 */
START_TEST(unit_vectors_are_classes) {
  nnb_net *net = identity("4-4:softmax");
  nnb_data *by_label = draw(&trials[1], net, true), *by_vector;
  nnb_scores *a, *b;
  for (int i = 0; i < trials[1].rows; i++)
    for (int j = 0; j < 4; j++) t[4 * i + j] = label[i] == j;
  nnb_batch rows = {.x = nnb_cview(x, trials[1].rows, 4), .t = nnb_cview(t, trials[1].rows, 4), .weight = weight};
  ck_ok(nnb_data_wrap(&rows, 0, &by_vector));
  ck_ok(nnb_net_score(net, by_label, NULL, &a));
  ck_ok(nnb_net_score(net, by_vector, NULL, &b));
  for (int i = 0; i < LENGTH(list); i++) {
    const bool of_classes = list[i] < NNB_METRIC_MSE;
    if (of_classes) near(nnb_scores_get(b, list[i]), nnb_scores_get(a, list[i]), nnb_metric_name(list[i]), -1);
    ck_assert(isnan(nnb_scores_get(a, list[i])) != of_classes);
    ck_assert(!isnan(nnb_scores_get(b, list[i])));
  }
  nnb_scores_destroy(a), nnb_scores_destroy(b);
  nnb_data_destroy(by_label), nnb_data_destroy(by_vector), nnb_net_destroy(net);
}
END_TEST

/* A class of three columns, two labels and a value: parts in that order, and tables of both kinds. */
START_TEST(several_outputs) {
  enum { N = 1100, OUT = 6 };
  static real in[N * 3], targets[N * OUT];
  nnb_net *net = nnb_net_create(3);
  nnb_data *data;
  nnb_scores *s;
  char text[4000] = "";
  const int hidden = nnb_net_dense(net, 5, NNB_TANH);
  nnb_net_output(net,
                 nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 3, .activation = NNB_SOFTMAX, .from = hidden}));
  nnb_net_output(net,
                 nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .activation = NNB_SIGMOID, .from = hidden}));
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = hidden}));
  toy_fill(in, LENGTH(in), 41), toy_fill(targets, LENGTH(targets), 42);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < 3; j++) targets[OUT * i + j] = i % 3 == j;
    for (int j = 3; j < 5; j++) targets[OUT * i + j] = targets[OUT * i + j] > 0;
  }
  nnb_batch rows = {.x = nnb_cview(in, N, 3), .t = nnb_cview(targets, N, OUT)};
  ck_ok(nnb_data_wrap(&rows, 0, &data));
  ck_ok(nnb_data_set_column_names(data,
                                  (const char *const[]){"a", "b", "c", "red", "grün", "blue", "wet", "cold", "mm"}, 9));
  ck_ok(nnb_net_score(net, data, NULL, &s));
  ck_assert_int_eq(nnb_scores_n_parts(s), OUT);
  double right = 0, all = 0;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      all += nnb_scores_confusion(s, i, j), right += i == j ? nnb_scores_confusion(s, i, j) : 0;
  ck_assert_double_eq(all, N);
  ck_assert_double_eq(nnb_scores_support(s, 0), 367);
  ck_assert_double_eq(nnb_scores_support(s, 5), N);
  ck_assert_double_eq(nnb_scores_confusion(s, 2, 3) + nnb_scores_confusion(s, -1, 0) + nnb_scores_confusion(s, 6, 6),
                      0);
  for (int k = 3; k < 5; k++) right += N * nnb_scores_part(s, NNB_METRIC_ACCURACY, k);
  near(nnb_scores_get(s, NNB_METRIC_ACCURACY), right / (3 * N), "accuracy", -1);
  ck_assert(isnan(nnb_scores_part(s, NNB_METRIC_F1, 5)) && isnan(nnb_scores_part(s, NNB_METRIC_F1, 6)));
  ck_assert(nnb_scores_part(s, NNB_METRIC_R2, 5) < 1 && nnb_scores_part(s, NNB_METRIC_RMSE, 0) > 0);
  ck_assert_str_eq(nnb_scores_name(s, 1), "grün");
  FILE *f = tmpfile();
  nnb_scores_print(s, f), nnb_scores_print_confusion(s, f);
  rewind(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  fclose(f);
  ck_assert_msg(strstr(text, "\ngrün    ") && strstr(text, "\nwet ") && strstr(text, "\nmm ") && strstr(text, "RMSE") &&
                    strstr(text, "\nmean ") && strstr(text, "\ntrue      predicted as\n"),
                "%s", text);
  nnb_scores_destroy(s);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* Data from a source gives the same numbers as the same rows in memory. */
static nnb_status read_rows(void *user, int64_t row0, int n, const nnb_rows *rows) {
  nnb_batch batch;
  ck_ok(nnb_data_batch(user, (int)row0, n, &batch));
  for (int i = 0; i < n; i++) {
    memcpy(rows->x.p + i * rows->x.ld, batch.x.p + i * batch.x.ld, (size_t)batch.x.cols * sizeof(real));
    rows->label[i] = batch.label[i];
  }
  return NNB_OK;
}

START_TEST(a_source_is_scored_the_same) {
  nnb_net *net;
  nnb_data *data = toy_classes(2500, 4, 3), *read;
  nnb_scores *a, *b;
  ck_ok(nnb_net_parse("4-6:tanh-3:softmax", &net));
  const nnb_source source = {.rows = 2500, .n_in = 4, .n_classes = 3, .user = data, .read = read_rows};
  ck_ok(nnb_data_from_source(&source, &read));
  ck_ok(nnb_net_score(net, data, &(nnb_score_opts){.threads = 1}, &a));
  ck_ok(nnb_net_score(net, read, &(nnb_score_opts){.threads = 1}, &b));
  for (int i = 0; i < LENGTH(list); i++) near(nnb_scores_get(b, list[i]), nnb_scores_get(a, list[i]), "source", i);
  nnb_scores_destroy(a), nnb_scores_destroy(b);
  ck_ok(nnb_net_score(net, data, &(nnb_score_opts){.no_auc = true, .no_confusion = true}, &a));
  ck_assert(isnan(nnb_scores_get(a, NNB_METRIC_AUC)) && nnb_scores_confusion(a, 0, 0) == 0);
  ck_assert(nnb_scores_get(a, NNB_METRIC_ACCURACY) > 0);
  nnb_scores_destroy(a);
  nnb_data_destroy(data), nnb_data_destroy(read), nnb_net_destroy(net);
}
END_TEST

/* Outputs that are not probabilities have no log loss; a perfect ranking has the area 1, also with one output. */
START_TEST(log_loss_and_area) {
  const real in[] = {(real)-0.5, (real)0.25, (real)1.5, (real)0.75};
  const int32_t truth[] = {0, 0, 1, 1};
  nnb_net *net = identity("1-1");
  nnb_data *data;
  nnb_scores *s;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(in, 4, 1), .label = truth}, 2, &data));
  ck_ok(nnb_net_score(net, data, NULL, &s));
  ck_assert(isnan(nnb_scores_get(s, NNB_METRIC_LOG_LOSS)));
  ck_assert_double_eq(nnb_scores_get(s, NNB_METRIC_AUC), 1);
  ck_assert_double_eq(nnb_scores_get(s, NNB_METRIC_ACCURACY), 1);
  nnb_scores_destroy(s);
  nnb_data_destroy(data), nnb_net_destroy(net);
}
END_TEST

/* ½·Σ w·max(0, 1 - (2t - 1)·a)² */
static double hinge_value(const nnb_loss_ops *self, nnb_cmat a, const nnb_batch *batch, real scale, nnb_mat da) {
  double sum = 0;
  (void)self;
  for (int i = 0; i < a.rows; i++)
    for (int j = 0; j < a.cols; j++) {
      const real w = batch->weight ? batch->weight[i] : 1, sign = 2 * batch->t.p[i * batch->t.ld + j] - 1;
      const real miss = 1 - sign * a.p[i * a.ld + j], r = miss > 0 ? miss : 0;
      sum += (double)(w * r * r) / 2;
      if (da.p) da.p[i * da.ld + j] = -scale * w * sign * r;
    }
  return sum;
}
static const nnb_loss_ops hinge = {
    .name = "hinge", .traits = NNB_LOSS_MEAN_ROWS | NNB_LOSS_CLASSES, .value = hinge_value};

/* One column of targets 0 and 1 of a loss for classes is one label, also beside another output. */
START_TEST(one_column_of_classes) {
  enum { N = 5 };
  const real in[] = {(real)-0.5, 2, (real)0.25, 2, (real)1.5, 2, (real)0.75, 2, (real)0.1, 2};
  const real truth[] = {0, 2, 0, 3, 1, 2, 1, 1, 1, 2};
  for (int outputs = 1; outputs <= 2; outputs++) {
    nnb_net *net = nnb_net_create(2);
    const real w[] = {1, 0}, v[] = {0, 1};
    const int yes = nnb_net_dense(net, 1, NNB_LINEAR);
    const int value =
        outputs > 1 ? nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = 1, .activation = NNB_LINEAR}) : 0;
    ck_assert_int_ge(nnb_net_output(net, yes), 0);
    if (value) ck_assert_int_ge(nnb_net_output(net, value), 0);
    nnb_net_output_loss(net, yes, (nnb_loss)nnb_net_own_loss(net, &hinge), 1);
    if (value) nnb_net_output_loss(net, value, NNB_MSE, 1);
    ck_ok(nnb_net_set_weights(net, yes, nnb_cview(w, 2, 1)));
    if (value) ck_ok(nnb_net_set_weights(net, value, nnb_cview(v, 2, 1)));
    const nnb_cmat targets = {truth, N, outputs, 2};
    nnb_data *data;
    nnb_scores *scores;
    nnb_metrics all;
    ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(in, N, 2), .t = targets}, 0, &data));
    ck_ok(nnb_net_score(net, data, NULL, &scores));
    ck_assert_int_eq(nnb_scores_n_parts(scores), outputs);
    ck_assert_double_eq_tol(nnb_scores_part(scores, NNB_METRIC_ACCURACY, 0), 0.8, 1e-12);
    ck_assert_double_eq_tol(nnb_scores_part(scores, NNB_METRIC_RECALL, 0), 2.0 / 3, 1e-12);
    ck_assert_double_eq_tol(nnb_scores_part(scores, NNB_METRIC_AUC, 0), 5.0 / 6, 1e-12);
    ck_assert_double_eq(nnb_scores_support(scores, 0), 3);
    if (value) ck_assert_double_eq_tol(nnb_scores_part(scores, NNB_METRIC_MSE, 1), 0.4, 1e-6);
    ck_ok(nnb_evaluate(net, data, &all));
    ck_assert_double_eq_tol(all.accuracy, 0.8, 1e-12);
    nnb_scores_destroy(scores);
    nnb_data_destroy(data), nnb_net_destroy(net);
  }
}
END_TEST

/* Whatever stands in rows of weight 0, also in the first, the scores are those without them. */
START_TEST(rows_of_weight_0_do_not_count) {
  enum { N = 9 };
  real in[N], target[N], w[N];
  for (int i = 0; i < N; i++) in[i] = (real)cos(i), target[i] = (real)(0.1 * sin(i)), w[i] = 1;
  target[0] = (real)-1e9, w[0] = 0, in[0] = 7;
  nnb_net *net = identity("1-1"), *classes = identity("1-1");
  nnb_data *masked, *without, *labels;
  nnb_scores *a, *b;
  const nnb_batch rows = {.x = nnb_cview(in, N, 1), .t = nnb_cview(target, N, 1), .weight = w};
  ck_ok(nnb_data_wrap(&rows, 0, &masked));
  ck_ok(
      nnb_data_wrap(&(nnb_batch){.x = nnb_cview(in + 1, N - 1, 1), .t = nnb_cview(target + 1, N - 1, 1)}, 0, &without));
  ck_ok(nnb_net_score(net, masked, NULL, &a));
  ck_ok(nnb_net_score(net, without, NULL, &b));
  for (int i = 0; i < LENGTH(list); i++) {
    const double x_a = nnb_scores_get(a, list[i]), x_b = nnb_scores_get(b, list[i]);
    ck_assert_msg((isnan(x_a) && isnan(x_b)) || fabs(x_a - x_b) <= 1e-12 * fabs(x_b),
                  "%s: %.17g, without the row %.17g", nnb_metric_name(list[i]), x_a, x_b);
  }
  nnb_scores_destroy(a), nnb_scores_destroy(b);
  for (int i = 0; i < N; i++) label[i] = i % 2, in[i] = (real)(i + 1) / (N + 1);
  in[0] = 7; /* no probability */
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(in, N, 1), .label = label, .weight = w}, 2, &labels));
  ck_ok(nnb_net_score(classes, labels, NULL, &a));
  ck_assert(isfinite(nnb_scores_get(a, NNB_METRIC_LOG_LOSS)));
  nnb_scores_destroy(a);
  nnb_data_destroy(masked), nnb_data_destroy(without), nnb_data_destroy(labels);
  nnb_net_destroy(net), nnb_net_destroy(classes);
}
END_TEST

START_TEST(names_of_metrics) {
  for (int i = 0; i < LENGTH(list); i++) {
    nnb_metric found = 0;
    ck_assert(nnb_metric_find(nnb_metric_name(list[i]), &found) && found == list[i]);
    ck_assert_int_eq(list[i], 1 << i);
    const bool error = strstr("log_loss mse rmse mae", nnb_metric_name(list[i])) != NULL;
    ck_assert_msg(nnb_metric_is_error(list[i]) == error, "%s", nnb_metric_name(list[i]));
  }
  nnb_metric same = NNB_METRIC_F1;
  ck_assert(!nnb_metric_find("F1", &same) && same == NNB_METRIC_F1);
  ck_assert_str_eq(nnb_metric_name((nnb_metric)(NNB_METRIC_F1 | NNB_METRIC_AUC)), "?");
}
END_TEST

START_TEST(refusals) {
  nnb_net *net;
  nnb_scores *s = (nnb_scores *)&net;
  nnb_data *data = toy_classes(20, 4, 3), *wide = toy_classes(20, 5, 3);
  ck_ok(nnb_net_parse("4-6:tanh-3:softmax", &net));
  ck_assert_int_eq(nnb_net_score(net, wide, NULL, &s), NNB_E_SHAPE);
  ck_assert_ptr_null(s);
  ck_assert_int_eq(nnb_net_score(net, data, &(nnb_score_opts){.threads = -1}, &s), NNB_E_ARG);
  nnb_score_opts spoilt = {0};
  spoilt.reserved[1] = net;
  ck_assert_int_eq(nnb_net_score(net, data, &spoilt, &s), NNB_E_ARG);
  nnb_net_params(net)[0] = (real)NAN;
  ck_assert_int_eq(nnb_net_score(net, data, NULL, &s), NNB_E_NUMERIC);
  ck_assert_ptr_null(s);
  nnb_data_destroy(data), nnb_data_destroy(wide), nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scores " PRECISION);
  TCase *tc = tcase_create("scores");
  tcase_add_loop_test(tc, every_metric_is_that_of_scikit_learn, 0, LENGTH(golden_metrics));
  tcase_add_test(tc, unit_vectors_are_classes);
  tcase_add_test(tc, several_outputs);
  tcase_add_test(tc, a_source_is_scored_the_same);
  tcase_add_test(tc, log_loss_and_area);
  tcase_add_test(tc, one_column_of_classes);
  tcase_add_test(tc, rows_of_weight_0_do_not_count);
  tcase_add_test(tc, names_of_metrics);
  tcase_add_test(tc, refusals);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
