/* The library's files as they are without protobuf-c and without zlib: they compile in each build, and their calls say
 * what is missing.  They are linked before the library, whose own are then not taken. */
#include "bad.h"

START_TEST(without_protobuf_c) {
  nnb_net *back = net;
  void *saved = net;
  size_t n = 1;
  bad(NNB_E_UNSUPPORTED, "without protobuf-c", nnb_net_save_onnx(net, "unused.onnx", NULL));
  bad(NNB_E_UNSUPPORTED, "without protobuf-c", nnb_net_save_onnx_mem(net, NULL, &saved, &n));
  ck_assert(!saved && n == 0);
  bad(NNB_E_UNSUPPORTED, "without protobuf-c", nnb_net_load_onnx("unused.onnx", NULL, &back));
  ck_assert_ptr_null(back);
  back = net;
  bad(NNB_E_UNSUPPORTED, "without protobuf-c", nnb_net_load_onnx_mem("x", 1, NULL, &back));
  ck_assert_ptr_null(back);
}
END_TEST

START_TEST(nulls_are_refused_first) {
  nnb_net *back;
  void *saved;
  size_t n;
  bad(NNB_E_ARG, "net is NULL", nnb_net_save_onnx(NULL, "unused.onnx", NULL));
  bad(NNB_E_ARG, "path is NULL", nnb_net_save_onnx(net, NULL, NULL));
  bad(NNB_E_ARG, "net is NULL", nnb_net_save_onnx_mem(NULL, NULL, &saved, &n));
  bad(NNB_E_ARG, "is NULL", nnb_net_save_onnx_mem(net, NULL, NULL, &n));
  bad(NNB_E_ARG, "out is NULL", nnb_net_load_onnx("unused.onnx", NULL, NULL));
  bad(NNB_E_ARG, "path is NULL", nnb_net_load_onnx(NULL, NULL, &back));
  bad(NNB_E_ARG, "out is NULL", nnb_net_load_onnx_mem("x", 1, NULL, NULL));
  bad(NNB_E_ARG, "file is NULL", nnb_net_load_onnx_mem(NULL, 0, NULL, &back));
}
END_TEST

START_TEST(without_zlib) {
  nnb_array array;
  nnb_data *read;
  bad(NNB_E_UNSUPPORTED, "without zlib", nnb_array_read_npz(NUMPY_DATA "/packed.npz", "b", &array));
  ck_ok(nnb_array_read_npz(NUMPY_DATA "/stored.npz", "b", &array));
  nnb_array_clear(&array);
  FILE *stream = fopen("test_without.gz", "wb");
  ck_assert(stream && fwrite("\x1F\x8B\x08", 1, 3, stream) == 3 && fclose(stream) == 0);
  bad(NNB_E_UNSUPPORTED, "without zlib", nnb_data_read_csv("test_without.gz", NULL, &read));
  ck_assert_int_eq(remove("test_without.gz"), 0);
  ck_ok(nnb_data_read_csv(EXAMPLE_DATA "/iris.csv", NULL, &read));
  nnb_data_destroy(read);
}
END_TEST

int main(void) {
  Suite *s = suite_create("without");
  TCase *t = tcase_create("without");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, without_protobuf_c);
  tcase_add_test(t, nulls_are_refused_first);
  tcase_add_test(t, without_zlib);
  suite_add_tcase(s, t);
  return run_suite(s);
}
