/* Training files of FANN: read, written, refused with the line; the file of libfann itself, and libfann reading ours.
 */
#include "precision.h"
/* the precision first */
#ifdef NNB_HAVE_FANN
#include <doublefann.h>
#endif

#include "alloc_count.h"
#include "toys.h"

static nnb_status parse(const char *text, nnb_data **out) {
  return nnb_data_parse_fann(text, strlen(text), "f.data", out);
}

/* Lines do not matter. */
START_TEST(good_texts) {
  static const char *const table[] = {"2 2 1\n1 2\n3\n4 -5\n0.5\n", "2 2 1 1 2 3 4 -5 .5",
                                      "\t2\r\n2\r\n1\r\n1\r\n2 3\r\n\r\n4  -5e0\t+0.5 \n\n"};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb_data *data;
    nnb_batch b;
    ck_ok(parse(table[i], &data));
    ck_ok(nnb_data_batch(data, 0, 2, &b));
    ck_assert(nnb_data_rows(data) == 2 && b.x.cols == 2 && b.t.cols == 1);
    ck_assert(b.x.p[0] == 1 && b.x.p[1] == 2 && b.t.p[0] == 3 && b.x.p[3] == -5 && b.t.p[1] == (real)0.5);
    nnb_data_destroy(data);
  }
}
END_TEST

START_TEST(bad_texts) {
  static const struct {
    const char *text, *words;
  } table[] = {
      {"", "f.data:1: the number of pairs is \"\""},
      {"x 1 1\n", "f.data:1: the number of pairs is \"x\"; wanted 1"},
      {"0 1 1\n", "f.data:1: the number of pairs is \"0\""},
      {"1 -1 1\n", "f.data:1: the number of inputs is \"-1\""},
      {"1 1\n\n", "f.data:3: the number of outputs is \"\""},
      {"1 1 0\n1\n", "f.data:1: the number of outputs is \"0\""},
      {"1 4294967297 1\n1\n", "f.data:1: the number of inputs is \"4294967297\""},
      {"99999999999999999999999999 1 1\n1\n", "f.data:1: the number of pairs"},
      {"2147483647 2147483647 2147483647\n1 2\n", "f.data:1: the first line announces more numbers"},
      {"3 1 1\n1\n2\n3\n", "f.data:1: the first line announces more numbers"},
      {"2 1 1\n1\n2\n33333333333333\n", "f.data:5: the file ends within pair 2"},
      {"1 2 1\n1 one\n2\n", "f.data:2: \"one\" is not a finite number"},
      {"1 2 1\n1 2\nnan\n", "f.data:3: \"nan\" is not a finite number"},
      {"1 2 1\n1 2\n1e999\n", "f.data:3: \"1e999\" is not a finite number"},
      {"1 2 1\n1,5 2\n3\n", "f.data:2: \"1,5\" is not"},
      {"1 2 1\n1 2\n3\n4\n", "f.data:4: there is more"},
  };
  nnb_data *data;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    bad(NNB_E_PARSE, table[i].words, parse(table[i].text, &data));
    ck_assert_ptr_null(data);
  }
#ifdef NNB_SINGLE
  bad(NNB_E_PARSE, "single precision", parse("1 1 1\n1e50\n1\n", &data));
#endif
  bad(NNB_E_ARG, "out", nnb_data_parse_fann("", 0, "f", NULL));
  bad(NNB_E_ARG, "text", nnb_data_parse_fann(NULL, 1, "f", &data));
  bad(NNB_E_ARG, "path", nnb_data_read_fann(NULL, &data));
  bad(NNB_E_IO, "No such file", nnb_data_read_fann("/nowhere.data", &data));
}
END_TEST

static void same(const nnb_data *a, const nnb_data *b) {
  nnb_batch p, q;
  const int n = nnb_data_rows(a);
  ck_assert(nnb_data_rows(b) == n && nnb_data_n_in(a) == nnb_data_n_in(b) && nnb_data_n_out(a) == nnb_data_n_out(b));
  ck_ok(nnb_data_batch(a, 0, n, &p));
  ck_ok(nnb_data_batch(b, 0, n, &q));
  ck_assert_mem_eq(p.x.p, q.x.p, (size_t)(n * p.x.cols) * sizeof(real));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < q.t.cols; j++)
      ck_assert(q.t.p[i * q.t.cols + j] == (p.label ? (real)(p.label[i] == j) : p.t.p[i * p.t.cols + j]));
}

START_TEST(round_trips) {
  char path[TOY_PATH];
  nnb_data *table[] = {toy_regression(20, 3, 2), toy_classes(12, 4, 3)}, *back;
  toy_path(path, "round.data");
  for (int k = 0; k < 2; k++) {
    ck_ok(nnb_data_write_fann(table[k], path));
    ck_ok(nnb_data_read_fann(path, &back));
    same(table[k], back);
    nnb_data_destroy(back), nnb_data_destroy(table[k]);
  }
  const real x = 1, w = 2;
  ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(&x, 1, 1)}, 0, &back));
  bad(NNB_E_ARG, "no targets", nnb_data_write_fann(back, path));
  bad(NNB_E_ARG, "data", nnb_data_write_fann(NULL, path));
  bad(NNB_E_ARG, "path", nnb_data_write_fann(back, NULL));
  bad(NNB_E_ARG, "empty", nnb_data_write_fann(back, ""));
  nnb_data_destroy(back);
  const nnb_batch weighted = {.x = nnb_cview(&x, 1, 1), .t = nnb_cview(&x, 1, 1), .weight = &w};
  ck_ok(nnb_data_wrap(&weighted, 0, &back));
  bad(NNB_E_UNSUPPORTED, "weights", nnb_data_write_fann(back, path));
  nnb_data_destroy(back);
  unlink(path);
}
END_TEST

/* Rows of a source are not in memory: writers refuse them. */
static nnb_status read_ones(void *user, int64_t row0, int n, const nnb_rows *rows) {
  (void)user, (void)row0;
  for (int i = 0; i < n; i++) rows->x.p[i * rows->x.ld] = rows->t.p[i * rows->t.ld] = 1;
  return NNB_OK;
}

START_TEST(source) {
  const nnb_source ones = {.rows = 3, .n_in = 1, .n_out = 1, .read = read_ones};
  char path[TOY_PATH];
  nnb_data *data;
  toy_path(path, "source.data");
  ck_ok(nnb_data_from_source(&ones, &data));
  bad(NNB_E_UNSUPPORTED, "in memory", nnb_data_write_fann(data, path));
  bad(NNB_E_UNSUPPORTED, "in memory", nnb_data_write_csv(data, path));
  bad(NNB_E_UNSUPPORTED, "in memory", nnb_data_write_idx(data, path, NULL, 1));
  nnb_data_destroy(data);
}
END_TEST

static nnb_status write_and_read(void *path) {
  const real x[] = {1, 2}, t[] = {3, 4};
  nnb_data *data = NULL, *back = NULL;
  nnb_status status = nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 2, 1), .t = nnb_cview(t, 2, 1)}, 0, &data);
  if (!status) status = nnb_data_write_fann(data, path);
  if (!status) status = nnb_data_read_fann(path, &back);
  nnb_data_destroy(data), nnb_data_destroy(back);
  return status;
}

START_TEST(memory) {
  char path[TOY_PATH];
  check_every_allocation(write_and_read, (void *)(uintptr_t)toy_path(path, "memory.data"));
  unlink(path);
}
END_TEST

/* saved.data is what fann_save_train of libfann 2.2 made of these numbers: it writes six decimals. */
static double input(int i, int j) { return (i + 1) / 3.0 - j; }
static double output(int i, int j) { return (i - 2) * (j + 1) / 7.0; }
enum { PAIRS = 5, INS = 3, OUTS = 2 };
static bool near(real got, double wanted) { return fabs((double)got - wanted) < 6e-7; }

START_TEST(golden) {
  nnb_data *data;
  nnb_batch b;
  ck_ok(nnb_data_read_fann(FANN_DATA "/saved.data", &data));
  ck_assert(nnb_data_rows(data) == PAIRS && nnb_data_n_in(data) == INS && nnb_data_n_out(data) == OUTS);
  ck_ok(nnb_data_batch(data, 0, PAIRS, &b));
  for (int i = 0; i < PAIRS; i++) {
    for (int j = 0; j < INS; j++) ck_assert(near(b.x.p[i * INS + j], input(i, j)));
    for (int j = 0; j < OUTS; j++) ck_assert(near(b.t.p[i * OUTS + j], output(i, j)));
  }
  nnb_data_destroy(data);
}
END_TEST

#ifdef NNB_HAVE_FANN
/* libfann writes and we read; we write and libfann reads. */
START_TEST(libfann) {
  char path[TOY_PATH], ours[TOY_PATH];
  nnb_data *data;
  nnb_batch b;
  toy_path(path, "fann.data"), toy_path(ours, "ours.data");
  struct fann_train_data *pairs = fann_create_train(PAIRS, INS, OUTS);
  for (int i = 0; i < PAIRS; i++) {
    for (int j = 0; j < INS; j++) pairs->input[i][j] = input(i, j);
    for (int j = 0; j < OUTS; j++) pairs->output[i][j] = output(i, j);
  }
  ck_assert_int_eq(fann_save_train(pairs, path), 0);
  fann_destroy_train(pairs);
  ck_ok(nnb_data_read_fann(path, &data));
  ck_ok(nnb_data_write_fann(data, ours));
  ck_ok(nnb_data_batch(data, 0, PAIRS, &b));
  pairs = fann_read_train_from_file(ours);
  ck_assert(pairs && fann_length_train_data(pairs) == PAIRS);
  for (int i = 0; i < PAIRS; i++) {
    for (int j = 0; j < INS; j++) {
      ck_assert(near(b.x.p[i * INS + j], input(i, j)));
      ck_assert((real)pairs->input[i][j] == b.x.p[i * INS + j]);
    }
    for (int j = 0; j < OUTS; j++) ck_assert((real)pairs->output[i][j] == b.t.p[i * OUTS + j]);
  }
  fann_destroy_train(pairs);
  nnb_data_destroy(data);
  unlink(path), unlink(ours);
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("fann, " PRECISION);
  TCase *tcase = tcase_create("fann");
  tcase_add_test(tcase, good_texts);
  tcase_add_test(tcase, bad_texts);
  tcase_add_test(tcase, round_trips);
  tcase_add_test(tcase, source);
  tcase_add_test(tcase, memory);
  tcase_add_test(tcase, golden);
#ifdef NNB_HAVE_FANN
  tcase_add_test(tcase, libfann);
#endif
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
