/* Every call rejects sample weights that cannot be a divisor, with a message about the weights. */
#include <float.h>

#include "bad.h"

static real w[N];
static nnb_data *weighted;
static nnb_batch batch;

/* Data like those of bad.h; every row has the weight `each` except row `other`. */
static void weigh(real each, int other, real its) {
  for (int i = 0; i < N; i++) w[i] = i == other ? its : each;
  ck_ok(nnb_data_batch(data, 0, N, &batch));
  batch.weight = w;
  ck_ok(nnb_data_wrap(&batch, 0, &weighted));
}

static const struct {
  double each[2]; /* of all rows, in double and single precision */
  const char *words;
} useless[] = {
    {{0, 0}, "all sample weights are 0"},
    {{1e308, 1e38}, "sample weights is"},
    {{1e-320, 1e-42}, "too small"},
    {{DBL_MAX / 100, (double)FLT_MAX / 100}, "too large"},
};
enum { N_USELESS = sizeof useless / sizeof *useless };

static real useless_weight(int i) { return (real)useless[i].each[sizeof(real) == sizeof(float)]; }

/* For each method, before anything has changed. */
START_TEST(fits_refuse) {
  nnb_report r;
  weigh(useless_weight(_i % N_USELESS), -1, 0);
  const char *cause = useless[_i % N_USELESS].words;
  nnb_fit_opts opts = {.algo = (nnb_algo)(_i / N_USELESS), .max_epochs = 3};
  bad(NNB_E_ARG, cause, nnb_fit(net, weighted, NULL, &opts, &r));
  ck_assert_int_eq(r.stop, NNB_STOP_ERROR);
  bad(NNB_E_ARG, "the validation data: ", nnb_fit(net, data, weighted, &opts, &r));
  ck_assert_msg(!strstr(nnb_errmsg(), "learning rate") && strstr(nnb_errmsg(), cause), "%s", nnb_errmsg());
  opts.bayes = true;
  if (opts.algo == NNB_LM) bad(NNB_E_ARG, cause, nnb_fit(net, weighted, NULL, &opts, &r));
  nnb_data_destroy(weighted);
}
END_TEST

START_TEST(other_calls_refuse) {
  const char *cause = useless[_i].words;
  nnb_metrics m;
  nnb_error_bars *bars;
  nnb_plan *p;
  static real grad[100];
  double worst;
  weigh(useless_weight(_i), -1, 0);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = N, .want = NNB_GRAD}, &p));
  bad(NNB_E_ARG, cause, nnb_evaluate(net, weighted, &m));
  bad(NNB_E_ARG, cause, nnb_solve_output(net, weighted, 0));
  bad(NNB_E_ARG, cause, nnb_solve_output(net, weighted, 1));
  bad(NNB_E_ARG, cause, nnb_error_bars_create(net, weighted, NULL, &bars));
  if (useless_weight(_i) > 1) {
    bad(NNB_E_ARG, cause, nnb_plan_loss(p, &batch, &loss));
    bad(NNB_E_ARG, cause, nnb_plan_gradient(p, &batch, 0, &loss, grad));
    bad(NNB_E_ARG, cause, nnb_train_step(net, p, &batch, optim, &loss));
  } else { /* one batch of many may have weight 0 */
    ck_ok(nnb_plan_gradient(p, &batch, 0, &loss, grad));
    ck_assert(isfinite(loss) && isfinite(grad[0]) && (useless_weight(_i) > 0 || (loss == 0 && grad[0] == 0)));
  }
  bad(NNB_E_ARG, cause, nnb_train_rows(net, p, &batch, NULL, 0, 4, optim, NULL));
  bad(NNB_E_ARG, cause, nnb_train_rows(net, p, &batch, (int32_t[]){1, 2}, 2, 1, optim, NULL));
  bad(NNB_E_ARG, cause, nnb_check_gradient(net, &batch, &worst));
  nnb_plan_destroy(p), nnb_data_destroy(weighted);
}
END_TEST

/* A part of an update may have weight 0: the sum is that of the update. */
START_TEST(rows_that_do_not_count_are_no_error) {
  static real a[100], b[100];
  nnb_metrics m;
  weigh(0, 5, 2);
  ck_ok(nnb_evaluate(net, weighted, &m));
  ck_ok(nnb_data_batch(weighted, 0, 4, &batch)); /* weights 0 only, as a part of a larger update */
  batch.norm = 2;
  ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, a));
  ck_assert_double_eq(loss, 0);
  ck_assert_int_eq(memcmp(a, b, 26 * sizeof *a), 0);
  batch.norm = 0; /* and as a complete update */
  ck_ok(nnb_plan_gradient(plan, &batch, 0, &loss, a));
  ck_assert(loss == 0 && memcmp(a, b, 26 * sizeof *a) == 0);
  ck_ok(nnb_data_batch(weighted, 0, N, &batch));
  bad(NNB_E_ARG, "all sample weights are 0",
      nnb_train_rows(net, plan, &batch, (int32_t[]){1, 2}, 2, 1, optim, NULL)); /* even if other rows count */
  batch.norm = TOL(1e-320, 1e-42);
  bad(NNB_E_ARG, "norm: ", nnb_plan_loss(plan, &(nnb_batch){.x = rows.x, .t = rows.t, .norm = batch.norm}, &loss));
  nnb_data_destroy(weighted);
}
END_TEST

/* One row of a tiny weight among others: updates of one row divide by it alone and stay finite. */
START_TEST(a_tiny_weight_beside_others_is_no_error) {
  static const nnb_algo algos[] = {NNB_SGD, NNB_ADAM, NNB_KFAC};
  nnb_net *copy;
  weigh(1, 5, (real)TOL(1e-320, 1e-42));
  for (int i = 0; i < 3; i++)
    for (int size = 1; size < 8; size += 3) {
      ck_ok(nnb_net_copy(net, &copy));
      ck_ok(nnb_fit(copy, weighted, NULL, &(nnb_fit_opts){.algo = algos[i], .batch = size, .max_epochs = 3}, NULL));
      nnb_net_destroy(copy);
    }
  nnb_data_destroy(weighted);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("weights, " PRECISION);
  TCase *tc = tcase_create("weights");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_loop_test(tc, fits_refuse, 0, N_USELESS * NNB_N_ALGOS);
  tcase_add_loop_test(tc, other_calls_refuse, 0, N_USELESS);
  tcase_add_test(tc, rows_that_do_not_count_are_no_error);
  tcase_add_test(tc, a_tiny_weight_beside_others_is_no_error);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
