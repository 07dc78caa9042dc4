/* nnb_net_write_c: refusals, the file, the same text every time.  csource/ compiles and runs what is written. */
#include "bad.h"

static nnb_status write_mem(nnb_net *what, const nnb_c_opts *opts, char **text) {
  size_t n = 1;
  nnb_status status = nnb_net_write_c_mem(what, opts, text, &n);
  ck_assert_uint_eq(n, status ? 0 : strlen(*text));
  ck_assert(!status == !!*text);
  return status;
}

static void refuse(nnb_net *what, nnb_status wanted, const char *words, const nnb_c_opts *opts) {
  char *text;
  check_bad(write_mem(what, opts, &text), wanted, words, "nnb_net_write_c_mem");
}

START_TEST(options_are_checked) {
  refuse(net, NNB_E_ARG, "wanted a letter followed by", &(nnb_c_opts){.name = ""});
  refuse(net, NNB_E_ARG, "name is \"2x\"", &(nnb_c_opts){.name = "2x"});
  refuse(net, NNB_E_ARG, "name is \"_x\"", &(nnb_c_opts){.name = "_x"});
  refuse(net, NNB_E_ARG, "name is \"a-b\"", &(nnb_c_opts){.name = "a-b"});
  refuse(net, NNB_E_ARG, "at most 40", &(nnb_c_opts){.name = "a2345678901234567890123456789012345678901"});
  refuse(net, NNB_E_ARG, "numbers is 9", &(nnb_c_opts){.numbers = (nnb_c_numbers)9});
  refuse(net, NNB_E_ARG, "step needs weights that are not integers", &(nnb_c_opts){.step = true, .numbers = NNB_C_I8});
  refuse(net, NNB_E_ARG, "reserved", &(nnb_c_opts){.reserved = {&rows}});
}
END_TEST

START_TEST(nets_are_checked) {
  nnb_net *own = nnb_net_create(2);
  int act = nnb_net_own_activation(own, &toy_bump);
  nnb_net_dense(own, 2, (nnb_activation)act);
  refuse(own, NNB_E_UNSUPPORTED, "the activation \"bump\" has no C source", NULL);
  nnb_net_destroy(own);
  own = nnb_net_create(2);
  nnb_net_dense(own, 2, NNB_LINEAR);
  nnb_net_loss(own, (nnb_loss)nnb_net_own_loss(own, &toy_quartic));
  refuse(own, NNB_E_UNSUPPORTED, "the loss \"quartic\" has no C source", &(nnb_c_opts){.step = true});
  char *text;
  ck_ok(write_mem(own, NULL, &text)); /* predictions need no loss */
  nnb_free(text);
  nnb_net_destroy(own);
  own = nnb_net_create(2);
  nnb_net_dense(own, 0, NNB_LINEAR);
  refuse(own, NNB_E_ARG, "0 units", NULL);
  nnb_net_destroy(own);
}
END_TEST

static void ck_has(nnb_net *what, const nnb_c_opts *opts, const char *line) {
  char *text;
  ck_ok(write_mem(what, opts, &text));
  ck_assert_msg(strstr(text, line), "no \"%s\" in %.900s", line, text);
  nnb_free(text);
}

/* A prediction has one record of a gru, 5×4 numbers, for all steps; a Jacobian has one for each; a step also the δ. */
START_TEST(memory_of_a_signal) {
  nnb_net *own;
  ck_ok(nnb_net_parse("2x50-gru4-1", &own));
  ck_has(own, NULL, "#define NET_SCRATCH 25 ");
  ck_has(own, NULL, "#define NET_VALUES 1109 ");
  ck_has(own, NULL, "#define NET_DERIVATIVES 125 ");
  ck_has(own, &(nnb_c_opts){.step = true}, "#define NET_DERIVATIVES 909 ");
  ck_has(own, &(nnb_c_opts){.numbers = NNB_C_I8}, "#define NET_N_WEIGHTS 88 ");
  nnb_net_destroy(own);
}
END_TEST

/* The file says which columns are whole numbers. */
START_TEST(whole_numbers_are_named) {
  nnb_net *own = nnb_net_create(3);
  const int machines = nnb_net_input(own, 2, NULL);
  const int rows_of_table = nnb_net_embedding(own, machines, 7, 2);
  nnb_net_concat(own, (int[]){1, rows_of_table}, 2);
  ck_has(own, NULL, "/* x[3] to x[4] are whole numbers from 0 to 6.  A number outside is read as the nearest of them");
  nnb_net_destroy(own);
}
END_TEST

/* One output for two classes is the probability of the second. */
START_TEST(classes_are_named) {
  static const char *const two[] = {"no", "yes"}, *const three[] = {"a", "b", "c*/"},
                           *const columns[] = {"p", "q", "r", "kind"};
  nnb_data *d = toy_classes(12, 3, 2), *more = toy_classes(12, 3, 3);
  nnb_net *one, *several;
  char *text;
  ck_ok(nnb_data_set_class_names(d, two, 2));
  ck_ok(nnb_data_set_column_names(d, columns, 4));
  ck_ok(nnb_data_set_column_names(more, columns, 4));
  ck_ok(nnb_data_set_class_names(more, three, 3));
  ck_ok(nnb_net_parse("3-2:tanh-1:sigmoid", &one));
  ck_ok(nnb_net_parse("3-2:tanh-3:softmax", &several));
  ck_ok(nnb_fit(one, d, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  ck_ok(nnb_fit(several, more, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  ck_has(one, NULL, " * y[0]: yes, above 1/2; else no\n");
  ck_has(several, NULL, " * y[0]: a\n * y[1]: b\n * y[2]: c__\n");
  ck_ok(write_mem(one, NULL, &text));
  ck_assert_ptr_null(strstr(text, "y[0]: no"));
  nnb_free(text);
  nnb_net_destroy(one), nnb_net_destroy(several);
  nnb_data_destroy(d), nnb_data_destroy(more);
}
END_TEST

/* A step for one row trains neither dropout nor batch normalisation. */
START_TEST(steps_that_cannot_be_written) {
  static const struct {
    const char *net, *words;
  } cases[] = {{"4-3:linear-batchnorm-2", "node 3 (batchnorm1): .step cannot train the layer \"batchnorm\""},
               {"4-3:tanh-dropout0.5-2", "node 3 (dropout1): .step cannot train the layer \"dropout\""}};
  for (int i = 0; i < 2; i++) {
    nnb_net *own;
    char *text;
    ck_ok(nnb_net_parse(cases[i].net, &own));
    refuse(own, NNB_E_UNSUPPORTED, cases[i].words, &(nnb_c_opts){.step = true});
    ck_ok(write_mem(own, NULL, &text));
    nnb_free(text);
    nnb_net_destroy(own);
  }
}
END_TEST

START_TEST(numbers_are_checked) {
  nnb_net *copy;
  ck_ok(nnb_net_copy(net, &copy));
  nnb_net_params(copy)[3] = (real)NAN;
  refuse(copy, NNB_E_NUMERIC, "parameter 4 of the net is", NULL);
#ifndef NNB_SINGLE
  nnb_net_params(copy)[3] = 1e300;
  refuse(copy, NNB_E_NUMERIC, "too large for float", &(nnb_c_opts){.numbers = NNB_C_F32});
  char *text;
  ck_ok(write_mem(copy, NULL, &text));
  nnb_free(text);
#endif
  nnb_net_destroy(copy);
}
END_TEST

START_TEST(an_old_file_stays_if_the_new_one_fails) {
  char path[TOY_PATH], missing[TOY_PATH], line[20];
  toy_path(path, "old.c");
  FILE *f = fopen(path, "w");
  ck_assert(f && fputs("old", f) >= 0 && fclose(f) == 0);
  bad(NNB_E_ARG, "name", nnb_net_write_c(net, path, &(nnb_c_opts){.name = "?"}));
  f = fopen(path, "r");
  ck_assert(f && fgets(line, sizeof line, f) && strcmp(line, "old") == 0);
  fclose(f);
  bad(NNB_E_IO, "missing", nnb_net_write_c(net, toy_path(missing, "missing/x.c"), NULL));
  bad(NNB_E_ARG, "path is empty", nnb_net_write_c(net, "", NULL));
  remove(path);
}
END_TEST

/* The file and the memory have the same text. */
START_TEST(text_is_always_the_same) {
  char *first, *second, *third, path[TOY_PATH];
  ck_ok(write_mem(net, NULL, &first));
  ck_ok(write_mem(net, NULL, &second));
  ck_assert_str_eq(first, second);
  ck_ok(nnb_net_write_c(net, toy_path(path, "same.c"), NULL));
  FILE *f = fopen(path, "rb");
  third = calloc(1, strlen(first) + 2);
  ck_assert(f && third);
  ck_assert_uint_eq(fread(third, 1, strlen(first) + 1, f), strlen(first));
  ck_assert_str_eq(first, third);
  fclose(f);
  ck_assert_ptr_nonnull(strstr(first, "void net_predict(const "));
  free(third), remove(path);
  nnb_free(first), nnb_free(second);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("csource " PRECISION);
  TCase *t = tcase_create("csource");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, options_are_checked);
  tcase_add_test(t, nets_are_checked);
  tcase_add_test(t, memory_of_a_signal);
  tcase_add_test(t, whole_numbers_are_named);
  tcase_add_test(t, classes_are_named);
  tcase_add_test(t, steps_that_cannot_be_written);
  tcase_add_test(t, numbers_are_checked);
  tcase_add_test(t, an_old_file_stays_if_the_new_one_fails);
  tcase_add_test(t, text_is_always_the_same);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
