/* Thresholds as text; they do not change results. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <nnblas.h>
#include <string.h>

#include "support.h"
#include "thresholds.h"

enum { ROOM = 512 };

static void put_back(void) { nnb_set_thresholds(NULL); }

START_TEST(text_goes_round) {
  char before[ROOM], after[ROOM];
  ck_assert_int_eq(nnb_get_thresholds(before, ROOM), NNB_OK);
  ck_assert_int_eq(nnb_set_thresholds("thread_flops=2.5e5,row_until=7"), NNB_OK);
  ck_assert_double_eq(nnb__threshold.thread_flops, 2.5e5);
  ck_assert_double_eq(nnb__threshold.row_until, 7);
  ck_assert_int_eq(nnb_get_thresholds(after, ROOM), NNB_OK);
  ck_assert_msg(strstr(after, "thread_flops=250000") && strstr(after, "row_until=7"), "observed %s", after);
  ck_assert_int_eq(nnb_set_thresholds(before), NNB_OK);
  ck_assert_int_eq(nnb_get_thresholds(after, ROOM), NNB_OK);
  ck_assert_str_eq(after, before);
  ck_assert_int_eq(nnb_set_thresholds(""), NNB_OK);
}
END_TEST

START_TEST(what_is_refused_changes_nothing) {
  static const char *const bad[] = {
      "no_such=1",        "thread_flops",     "thread_flops=", "thread_flops=-1", "thread_flops=x",
      "thread_flops=nan", "thread_flops=inf", "row_until=1,,", "thread_flops =1", "=1",
      "row_until=1;b=2"};
  char before[ROOM], after[ROOM];
  nnb_get_thresholds(before, ROOM);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[64];
    snprintf(text, sizeof text, "row_until=9,%s", bad[i]);
    ck_assert_msg(nnb_set_thresholds(text) == NNB_E_PARSE, "%s: expected NNB_E_PARSE", text);
    ck_assert_msg(strstr(nnb_errmsg(), "thresholds"), "observed \"%s\"", nnb_errmsg());
    nnb_get_thresholds(after, ROOM);
    ck_assert_str_eq(after, before);
  }
  ck_assert_int_eq(nnb_set_thresholds("row_untli=9"), NNB_E_PARSE);
  ck_assert_msg(strstr(nnb_errmsg(), "named \"row_untli\"; did you mean row_until?"), "observed \"%s\"", nnb_errmsg());
  ck_assert_int_eq(nnb_get_thresholds(after, 20), NNB_E_ARG);
  ck_assert_int_eq(nnb_get_thresholds(NULL, ROOM), NNB_E_ARG);
}
END_TEST

enum { I = 60, H = 130, O = 5, B = 40 };

/* The parameters after some updates, and predictions with them. */
static void train(double *y, double *w, size_t *n) {
  static double x[B * I], t[B * O];
  nnb_rng rng;
  nnb_rng_init(&rng, 3, 0);
  for (int i = 0; i < B * I; i++) x[i] = nnb_rng_normal(&rng);
  for (int i = 0; i < B * O; i++) t[i] = nnb_rng_normal(&rng);
  nnb_batch batch = {.x = nnb_cview(x, B, I), .t = nnb_cview(t, B, O)};
  nnb_net *net = nnb_net_create(I);
  nnb_net_dense(net, H, NNB_TANH);
  nnb_net_dense(net, O, NNB_LINEAR);
  nnb_plan *plan = NULL;
  nnb_optim *optim = NULL;
  nnb_plan_opts opts = {.max_rows = B, .threads = 3, .want = NNB_GRAD};
  nnb_optim_opts sgd = {.algo = NNB_SGD, .lr = 0.01};
  ck_assert_int_eq(nnb_plan_create(net, &opts, &plan), NNB_OK);
  ck_assert_int_eq(nnb_optim_create(net, &sgd, &optim), NNB_OK);
  for (int i = 0; i < 5; i++) ck_assert_int_eq(nnb_train_step(net, plan, &batch, optim, NULL), NNB_OK);
  ck_assert_int_eq(nnb_plan_predict(plan, batch.x, nnb_view(y, B, O)), NNB_OK);
  *n = nnb_net_n_params(net);
  memcpy(w, nnb_net_params_read(net), *n * sizeof *w);
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
  nnb_net_destroy(net);
}

START_TEST(results_stay) {
  static double y[2][B * O], w[2][(I + 1) * H + (H + 1) * O];
  static const char unpacked[] =
      "unpacked_least=0,unpacked_bytes=1e12,unpacked_sum_bytes=1e12,transposed_rows=0,"
      "transposed_most=1e9";
  static const char *const ways[] = {unpacked,
                                     "unpacked_least=1e300,transposed_rows=1e9,transposed_numbers=0",
                                     "thread_flops=0,private_bytes=0",
                                     "thread_flops=1e300",
                                     "outer_from=0,row_until=1e9",
                                     "thread_flops=0,private_bytes=1e12,private_rows=0",
                                     "private_rows=1e9,owned_flops=0,owned_bytes=0",
                                     "private_rows=1e9,owned_flops=0,owned_bytes=1024"};
  size_t n;
  train(y[0], w[0], &n);
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
    ck_assert_int_eq(nnb_set_thresholds(ways[k]), NNB_OK);
    train(y[1], w[1], &n);
    for (size_t i = 0; i < n; i++)
      ck_assert_msg(fabs(w[1][i] - w[0][i]) < 1e-13, "%s: weight %zu: expected %.17g, observed %.17g", ways[k], i,
                    w[0][i], w[1][i]);
    for (int i = 0; i < B * O; i++)
      ck_assert_msg(fabs(y[1][i] - y[0][i]) < 1e-12, "%s: output %d: expected %.17g, observed %.17g", ways[k], i,
                    y[0][i], y[1][i]);
    nnb_set_thresholds(NULL);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("thresholds");
  TCase *tcase = tcase_create("thresholds");
  tcase_add_checked_fixture(tcase, put_back, put_back);
  tcase_add_test(tcase, text_goes_round);
  tcase_add_test(tcase, what_is_refused_changes_nothing);
  tcase_add_test(tcase, results_stay);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
