/* Nets of one precision in the other. */
#include <math.h>
#include <nnblas.h>
#include <string.h>

#include "support.h"

/* Whether the bytes of a file hold text. */
static bool holds(const void *file, size_t bytes, const char *text) {
  size_t n = strlen(text);
  for (size_t i = 0; i + n <= bytes; i++)
    if (memcmp((const char *)file + i, text, n) == 0) return true;
  return false;
}

static nnb_net *make(void) {
  static const double x[] = {0, 1, 2, 5, 3, -1, 4, 4}, t[] = {1, 2, 4, 3};
  nnb_batch rows = {.x = nnb_cview(x, 4, 2), .t = nnb_cview(t, 4, 1)};
  nnb_data *data;
  nnb_net *net = nnb_net_create(2);
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_MINMAX);
  nnb_net_dense(net, 5, NNB_TANH);
  nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .name = "out", .frozen = NNB_BIAS});
  nnb_data_destroy(data);
  return net;
}

/* double → float rounds each number once; float → double keeps them; so a second way round changes nothing. */
START_TEST(there_and_back) {
  nnb_net *net = make(), *back, *again;
  nnbf_net *single, *second;
  const double x[] = {0.25, -1.5};
  const float xf[] = {0.25f, -1.5f};
  double y;
  float yf;
  ck_assert_int_eq(nnb_net_to_single(net, &single), NNB_OK);
  const size_t n = nnb_net_n_params(net);
  ck_assert_uint_eq(nnbf_net_n_params(single), n);
  for (size_t i = 0; i < n; i++) ck_assert(nnbf_net_params_read(single)[i] == (float)nnb_net_params_read(net)[i]);
  ck_assert_int_eq(nnbf_net_find(single, "out"), nnb_net_find(net, "out"));
  ck_assert_int_eq(nnb_net_predict(net, nnb_cview(x, 1, 2), nnb_view(&y, 1, 1)), NNB_OK);
  ck_assert_int_eq(nnbf_net_predict(single, nnbf_cview(xf, 1, 2), nnbf_view(&yf, 1, 1)), NNB_OK);
  ck_assert(fabs(y - (double)yf) < 1e-5);
  ck_assert_int_eq(nnbf_net_to_double(single, &back), NNB_OK);
  for (size_t i = 0; i < n; i++) ck_assert(nnb_net_params_read(back)[i] == (double)nnbf_net_params_read(single)[i]);
  ck_assert_int_eq(nnb_net_to_single(back, &second), NNB_OK);
  ck_assert(memcmp(nnbf_net_params_read(single), nnbf_net_params_read(second), n * sizeof(float)) == 0);
  ck_assert_int_eq(nnbf_net_to_double(second, &again), NNB_OK);
  void *a, *b;
  size_t na, nb;
  ck_assert_int_eq(nnb_net_save_mem(back, &a, &na), NNB_OK);
  ck_assert_int_eq(nnb_net_save_mem(again, &b, &nb), NNB_OK);
  ck_assert(na == nb && memcmp(a, b, na) == 0); /* structure, scalers, names, frozen parts */
  ck_assert(holds(a, na, "frozen\":\"2\""));
  nnb_free(a), nnb_free(b);
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_net_destroy(again);
  nnbf_net_destroy(single), nnbf_net_destroy(second);
}
END_TEST

START_TEST(refusals) {
  nnb_net *net = make(), *none = net;
  nnbf_net *single;
  nnb_net_params(net)[0] = 1e300;
  ck_assert_int_eq(nnb_net_to_single(net, &single), NNB_E_PARSE);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "too large for single precision"));
  ck_assert_ptr_null(single);
  ck_assert_int_eq(nnb_net_to_single(NULL, &single), NNB_E_ARG);
  ck_assert_int_eq(nnb_net_to_single(net, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnbf_net_to_double(NULL, &none), NNB_E_ARG);
  ck_assert_ptr_null(none);
  nnb_net_destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("precision");
  TCase *t = tcase_create("precision");
  tcase_add_test(t, there_and_back);
  tcase_add_test(t, refusals);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
