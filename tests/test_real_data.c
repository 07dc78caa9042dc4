/* The data of the examples; and MNIST and the UCI sets, if NNBLAS_DATA is a folder that has them. */
#include "precision.h"
/* the precision first */
#include <stdio.h>
#include <string.h>

#include "support.h"

enum { SKIPPED = 77 }; /* meson's status for a skipped test */

static const char *data_folder = "";

START_TEST(examples) {
  nnb_data *data = NULL;
  nnb_batch b;
  ck_assert_int_eq(nnb_data_read_csv(EXAMPLE_DATA "/iris.csv", NULL, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(data), 150);
  ck_assert_int_eq(nnb_data_n_in(data), 4);
  ck_assert_int_eq(nnb_data_n_classes(data), 3);
  ck_assert_str_eq(nnb_data_class_name(data, 2), "virginica");
  ck_assert_str_eq(nnb_data_column_name(data, 0), "sepal_length");
  nnb_data_destroy(data);
  ck_assert_int_eq(nnb_data_read_csv(EXAMPLE_DATA "/digits.csv", &(nnb_csv_opts){.classify = true}, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(data), 1797);
  ck_assert_int_eq(nnb_data_n_in(data), 64);
  ck_assert_int_eq(nnb_data_n_classes(data), 10);
  ck_assert_str_eq(nnb_data_class_name(data, 9), "9");
  ck_assert_int_eq(nnb_data_batch(data, 0, 1, &b), NNB_OK);
  ck_assert_int_eq(b.label[0], 0);
  ck_assert(b.x.p[2] == 5);
  nnb_data_destroy(data);
}
END_TEST

static void check_images(const char *set, const char *part, int n) {
  char images[600], labels[600];
  int count[10] = {0};
  nnb_data *data = NULL;
  nnb_batch b;
  snprintf(images, sizeof images, "%s/%s/%s-images-idx3-ubyte.gz", data_folder, set, part);
  snprintf(labels, sizeof labels, "%s/%s/%s-labels-idx1-ubyte.gz", data_folder, set, part);
  nnb_status status = nnb_data_read_idx(images, labels, &data);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_data_rows(data), n);
  ck_assert_int_eq(nnb_data_n_in(data), 784);
  ck_assert_int_eq(nnb_data_n_classes(data), 10);
  ck_assert_int_eq(nnb_data_batch(data, 0, n, &b), NNB_OK);
  for (int i = 0; i < n; i++) count[b.label[i]]++;
  for (int k = 0; k < 10; k++) ck_assert_int_gt(count[k], n / 12);
  nnb_data_destroy(data);
}

START_TEST(mnist) {
  check_images("mnist", "t10k", 10000);
  check_images("mnist", "train", 60000);
  check_images("fashion-mnist", "t10k", 10000);
}
END_TEST

START_TEST(uci) {
  static const struct {
    const char *set;
    int rows, n_in;
  } table[] = {{"yacht", 308, 6}, {"housing", 506, 13}, {"concrete", 1030, 8}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char path[600];
    nnb_data *data = NULL;
    snprintf(path, sizeof path, "%s/uci-regression/%s/data.csv.gz", data_folder, table[i].set);
    nnb_status status = nnb_data_read_csv(path, NULL, &data);
    ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
    ck_assert_msg(nnb_data_rows(data) == table[i].rows && nnb_data_n_in(data) == table[i].n_in, "%s: %d × %d", path,
                  nnb_data_rows(data), nnb_data_n_in(data));
    ck_assert_int_eq(nnb_data_n_out(data), 1);
    nnb_data_destroy(data);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("real data " PRECISION);
  TCase *t = tcase_create("real data");
#ifdef NNB_HAVE_ZLIB
  if (getenv("NNBLAS_DATA")) data_folder = getenv("NNBLAS_DATA");
#endif
  bool skipped = !*data_folder; /* also without zlib, because all files are compressed */
  tcase_add_test(t, examples);
  if (!skipped) {
    tcase_add_test(t, mnist);
    tcase_add_test(t, uci);
  }
  suite_add_tcase(s, t);
  int failed = run_suite(s);
  if (skipped) printf("NNBLAS_DATA is not set, or zlib is missing: MNIST and the UCI sets were skipped\n");
  return skipped && !failed ? SKIPPED : failed;
}
