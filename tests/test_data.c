/* Data, splits, folds and scalers. */
#include "real.h"
/* the precision first */
#include <string.h>

#include "alloc.h"
#include "alloc_count.h"
#include "data.h"
#include "support.h"

enum { N = 30 };
static real x[N][3], t[N][2], weight[N];
static int32_t label[N];

static void fill(void) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < 3; j++) x[i][j] = (real)(10 * i + j);
    for (int j = 0; j < 2; j++) t[i][j] = (real)(-i - j);
    label[i] = i < 15 ? 0 : i < 25 ? 1 : 2; /* 15, 10, 5 */
    weight[i] = (real)i / 4;
  }
}

static nnb_batch labelled(void) { return (nnb_batch){.x = {&x[0][0], N, 3, 3}, .label = label, .weight = weight}; }

START_TEST(wrapping_and_copying) {
  nnb_batch rows = {.x = {&x[0][0], N, 2, 3}, .t = {&t[0][0], N, 2, 2}, .weight = weight}, got;
  nnb_data *view, *copy;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &view), NNB_OK);
  ck_assert_int_eq(nnb_data_copy(&rows, 0, &copy), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(copy), N);
  ck_assert_int_eq(nnb_data_n_in(copy), 2);
  ck_assert_int_eq(nnb_data_n_out(copy), 2);
  ck_assert_int_eq(nnb_data_n_classes(copy), 0);
  ck_assert_ptr_null(nnb_data_column_name(copy, 0));
  ck_assert_ptr_null(nnb_data_class_name(copy, 0));
  ck_assert_int_eq(nnb_data_batch(view, 4, 5, &got), NNB_OK);
  ck_assert_ptr_eq(got.x.p, x[4]);
  ck_assert_ptr_eq(got.weight, weight + 4);
  ck_assert_ptr_null(got.label);
  ck_assert_int_eq(nnb_data_batch(copy, 4, 5, &got), NNB_OK);
  ck_assert_int_eq(got.x.ld, 2);
  for (int i = 0; i < 5; i++) {
    ck_assert(got.x.p[2 * i + 1] == x[4 + i][1]);
    ck_assert(got.t.p[2 * i + 1] == t[4 + i][1] && got.weight[i] == weight[4 + i]);
  }
  ck_assert_int_eq(nnb_data_batch(copy, 0, N, &got), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(copy, 1, N, &got), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_batch(copy, -1, 1, &got), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_batch(copy, 0, -1, &got), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_batch(copy, 0, 1, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_batch(NULL, 0, 1, &got), NNB_E_ARG);
  nnb_data_destroy(view);
  nnb_data_destroy(copy);
  nnb_data_destroy(NULL);
}
END_TEST

static nnb_batch bad_batch;
static int bad_classes;

static void expect(nnb_status wanted, const char *sentence) {
  nnb_data *data = (nnb_data *)&bad_batch;
  nnb_status status = nnb_data_wrap(&bad_batch, bad_classes, &data);
  ck_assert_msg(status == wanted && strstr(nnb_errmsg(), sentence), "wanted %s, \"%s\"; got %s: %s",
                nnb_strstatus(wanted), sentence, nnb_strstatus(status), nnb_errmsg());
  ck_assert_ptr_null(data);
  ck_assert_int_eq(nnb_data_copy(&bad_batch, bad_classes, &data), wanted);
  bad_batch = labelled();
  bad_batch.label = NULL;
  bad_classes = 0;
}

START_TEST(what_is_refused) {
  nnb_data *data;
  bad_batch = (nnb_batch){0};
  expect(NNB_E_ARG, "rows->x is NULL");
  bad_batch.x.rows = 0;
  expect(NNB_E_ARG, "x has 0 rows and 3 columns");
  bad_batch.x.cols = 0;
  expect(NNB_E_ARG, "x has 30 rows and 0 columns");
  bad_batch.x.ld = 2;
  expect(NNB_E_ARG, "x has ld 2; wanted at least 3, its columns");
  bad_batch.t = nnb_cview(&t[0][0], N - 1, 2);
  expect(NNB_E_SHAPE, "t has 29 rows; x has 30");
  bad_batch.t = nnb_cview(&t[0][0], N, 2);
  bad_batch.label = label;
  expect(NNB_E_ARG, "both t and label");
  bad_batch.label = label, bad_classes = 2;
  expect(NNB_E_ARG, "label 2 in row 26 (counted from 1) is outside 0 … 1");
  label[3] = -1;
  bad_batch.label = label;
  expect(NNB_E_ARG, "label -1 in row 4");
  label[3] = INT32_MAX;
  bad_batch.label = label;
  expect(NNB_E_ARG, "label 2147483647 in row 4");
  bad_classes = 3;
  expect(NNB_E_ARG, "n_classes is 3 but there are no labels");
  bad_classes = -1;
  expect(NNB_E_ARG, "n_classes is -1");
  weight[2] = -1;
  expect(NNB_E_ARG, "the weight -1 of row 3");
  weight[2] = (real)NAN;
  expect(NNB_E_ARG, "of row 3");
  weight[2] = (real)INFINITY;
  expect(NNB_E_ARG, "the weight inf of row 3");
  weight[2] = 0;
  x[7][1] = (real)NAN;
  expect(NNB_E_ARG, "x has NaN in row 8, column 2");
  x[7][1] = -(real)INFINITY;
  expect(NNB_E_ARG, "x has infinity in row 8, column 2");
  x[7][1] = 0;
  t[29][0] = (real)NAN;
  bad_batch.t = nnb_cview(&t[0][0], N, 2);
  expect(NNB_E_ARG, "t has NaN in row 30, column 1");
  ck_assert_int_eq(nnb_data_wrap(NULL, 0, &data), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_wrap(&bad_batch, 0, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_copy(&bad_batch, 0, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_rows(NULL) + nnb_data_n_in(NULL) + nnb_data_n_out(NULL) + nnb_data_n_classes(NULL), 0);
}
END_TEST

/* Counts each row of x (identified by its first number) in data, and the classes. */
static void count_rows(const nnb_data *data, int *seen, int *per_class) {
  nnb_batch b;
  ck_assert_int_eq(nnb_data_batch(data, 0, nnb_data_rows(data), &b), NNB_OK);
  for (int i = 0, last = -1; i < b.x.rows; i++) {
    int row = (int)b.x.p[i * b.x.ld] / 10;
    ck_assert_msg(row > last, "row %d after row %d: order is not kept", row, last);
    last = row;
    seen[row]++;
    if (b.label) {
      ck_assert_int_eq(b.label[i], label[row]);
      ck_assert(b.weight[i] == weight[row]);
      per_class[b.label[i]]++;
    }
  }
}

START_TEST(splitting) {
  nnb_batch rows = labelled();
  nnb_data *data, *a, *b, *c, *d;
  ck_assert_int_eq(nnb_data_wrap(&rows, 5, &data), NNB_OK);
  for (uint64_t seed = 0; seed < 20; seed++) {
    int seen[N] = {0}, first[5] = {0}, second[5] = {0};
    ck_assert_int_eq(nnb_data_split(data, 0.2, seed, &a, &b), NNB_OK);
    ck_assert_int_eq(nnb_data_rows(b), 6);
    ck_assert_int_eq(nnb_data_n_classes(a), 5);
    count_rows(a, seen, first);
    count_rows(b, seen, second);
    for (int i = 0; i < N; i++) ck_assert_int_eq(seen[i], 1);
    ck_assert_int_eq(second[0], 3);
    ck_assert_int_eq(second[1], 2);
    ck_assert_int_eq(second[2], 1);
    ck_assert_int_eq(nnb_data_split(data, 0.2, seed, &c, &d), NNB_OK); /* again, with the same result */
    nnb_batch p, q;
    nnb_data_batch(b, 0, 6, &p);
    nnb_data_batch(d, 0, 6, &q);
    ck_assert_int_eq(memcmp(p.x.p, q.x.p, sizeof(real) * 18), 0);
    nnb_data_destroy(a), nnb_data_destroy(b), nnb_data_destroy(c), nnb_data_destroy(d);
  }
  ck_assert_int_eq(nnb_data_split(data, 0.001, 1, &a, &b), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(b), 1);
  nnb_data_destroy(a), nnb_data_destroy(b);
  static const double bad[] = {0, 1, -0.5, 2, 0.99, (double)NAN};
  for (int i = 0; i < 6; i++) ck_assert_int_eq(nnb_data_split(data, bad[i], 1, &a, &b), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_split(NULL, .5, 1, &a, &b), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_split(data, .5, 1, NULL, &b), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_split(data, .5, 1, &a, NULL), NNB_E_ARG);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(folding) {
  nnb_batch rows = labelled();
  nnb_data *data, *train, *test;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  static const int ks[] = {2, 4, 7, N};
  for (int j = 0; j < 4; j++) {
    int k = ks[j], in_test[N] = {0}, low[3] = {N, N, N}, high[3] = {0};
    for (int i = 0; i < k; i++) {
      int seen[N] = {0}, test_classes[3] = {0}, train_classes[3] = {0};
      ck_assert_int_eq(nnb_data_fold(data, k, i, 42, &train, &test), NNB_OK);
      ck_assert_int_eq(nnb_data_rows(train) + nnb_data_rows(test), N);
      ck_assert(nnb_data_rows(test) == N / k || nnb_data_rows(test) == N / k + 1);
      count_rows(test, in_test, test_classes);
      count_rows(train, seen, train_classes);
      for (int c = 0; c < 3; c++) {
        if (test_classes[c] < low[c]) low[c] = test_classes[c];
        if (test_classes[c] > high[c]) high[c] = test_classes[c];
      }
      nnb_data_destroy(train), nnb_data_destroy(test);
    }
    for (int r = 0; r < N; r++) ck_assert_msg(in_test[r] == 1, "k %d: row %d is in %d parts", k, r, in_test[r]);
    for (int c = 0; c < 3; c++) ck_assert_msg(high[c] - low[c] <= 1, "k %d: class %d: %d … %d", k, c, low[c], high[c]);
  }
  ck_assert_int_eq(nnb_data_fold(data, 1, 0, 1, &train, &test), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_fold(data, N + 1, 0, 1, &train, &test), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_fold(data, 3, 3, 1, &train, &test), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_fold(data, 3, -1, 1, &train, &test), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_fold(data, 3, 0, 1, NULL, &test), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_fold(NULL, 3, 0, 1, &train, &test), NNB_E_ARG);
  nnb_data_destroy(data);
}
END_TEST

static void close_to(real got, double wanted, const char *what) {
  double error = fabs((double)got - wanted);
  ck_assert_msg(error <= 4 * (double)REAL_EPS * fabs(wanted), "%s: got %.17g, wanted %.17g", what, (double)got, wanted);
}

START_TEST(scaling) {
  real m[4][4] = {{1, 7, 1000001, -1}, {2, 7, 1000002, 1}, {3, 7, 1000003, -1}, {6, 7, 1000006, 1}};
  real shift[4], factor[4];
  nnb_batch rows = {.x = {&m[0][0], 4, 4, 4}, .t = {&m[0][2], 4, 2, 4}};
  nnb_data *data;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  ck_assert_int_eq(nnb__data_scaler(data, false, NNB_STANDARDIZE, shift, factor), NNB_OK);
  close_to(shift[0], 3, "mean");
  close_to(factor[0], 1 / sqrt(3.5), "factor");
  ck_assert(shift[1] == 7 && factor[1] == 1);
  close_to(shift[2], 1000003, "mean");
  close_to(factor[2], 1 / sqrt(3.5), "factor");
  ck_assert(shift[3] == 0 && factor[3] == 1);
  ck_assert_int_eq(nnb__data_scaler(data, true, NNB_MINMAX, shift, factor), NNB_OK);
  close_to(shift[0], 1000001, "min");
  close_to(factor[0], 0.2, "factor");
  ck_assert(shift[1] == -1 && factor[1] == (real)0.5);
  ck_assert_int_eq(nnb__data_scaler(data, true, (nnb_scaling)7, shift, factor), NNB_E_ARG);
  nnb_data_destroy(data);
  rows = labelled();
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  ck_assert_int_eq(nnb__data_scaler(data, true, NNB_MINMAX, shift, factor), NNB_E_ARG);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(scaling_extremes) {
  real m[2][3] = {{REAL_MAX, (real)0.1, REAL_MIN}, {-REAL_MAX, (real)0.1, 0}}, shift[3], factor[3];
  nnb_batch rows = {.x = {&m[0][0], 2, 3, 3}};
  nnb_data *data;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  for (int way = NNB_STANDARDIZE; way <= NNB_MINMAX; way++) {
    m[0][0] = REAL_MAX, m[1][0] = -REAL_MAX; /* no factor can scale this */
    ck_assert_int_eq(nnb__data_scaler(data, false, (nnb_scaling)way, shift, factor), NNB_E_NUMERIC);
    m[0][0] = 1, m[1][0] = -1;
    ck_assert_int_eq(nnb__data_scaler(data, false, (nnb_scaling)way, shift, factor), NNB_OK);
    for (int j = 0; j < 3; j++) ck_assert(isfinite(shift[j]) && isfinite(factor[j]) && factor[j] > 0);
    ck_assert(shift[1] == (real)0.1 && factor[1] == 1);
  }
  nnb_data_destroy(data);
}
END_TEST

static char *names_of(const char *text) {
  char *copy = nnb__alloc(strlen(text) + 1, 1);
  if (copy) strcpy(copy, text);
  return copy;
}

/* Takes over x with names (copying them may fail too), and splits, folds and scales the data. */
static nnb_status everything(void *context) {
  (void)context;
  nnb_data *data = NULL, *copy = NULL, *a = NULL, *b = NULL;
  nnb_batch rows = labelled();
  real shift[3], factor[3];
  nnb_status status = nnb_data_copy(&rows, 3, &copy);
  real *own = status ? NULL : nnb__alloc(12, sizeof *own);
  int32_t *labels = own ? nnb__zalloc(4, sizeof *labels) : NULL;
  char **columns = labels ? nnb__zalloc(4, sizeof *columns) : NULL;
  char **classes = columns ? nnb__zalloc(2, sizeof *classes) : NULL;
  if (!classes) {
    nnb__release(own), nnb__release(labels), nnb__release(columns);
    nnb_data_destroy(copy);
    return NNB_E_NOMEM;
  }
  for (int i = 0; i < 12; i++) own[i] = (real)i;
  columns[1] = names_of("height");
  classes[0] = names_of("oak");
  status = nnb__data_adopt(own, 4, 3, NULL, 0, labels, 2, columns, classes, &data);
  if (!status) status = nnb_data_split(data, .5, 3, &a, &b);
  if (!status && columns[1]) ck_assert_str_eq(nnb_data_column_name(b, 1), "height");
  if (!status && classes[0]) ck_assert_str_eq(nnb_data_class_name(a, 0), "oak");
  if (!status) ck_assert_ptr_null(nnb_data_column_name(b, 0));
  nnb_data_destroy(a), nnb_data_destroy(b);
  if (!status) status = nnb_data_fold(data, 2, 1, 3, &a, &b);
  if (!status) nnb_data_destroy(a), nnb_data_destroy(b);
  if (!status) status = nnb__data_scaler(data, false, NNB_MINMAX, shift, factor);
  nnb_data_destroy(data), nnb_data_destroy(copy);
  return status;
}

/* Names, rows, columns, shuffling and merging. */
static nnb_status every_edit(void *context) {
  static const char *const columns[] = {"a", "b", "c", "kind"}, *const classes[] = {"u", "v", "w"};
  static const int32_t some[] = {2, 0};
  nnb_data *data = NULL, *made = NULL;
  nnb_batch rows = labelled();
  (void)context;
  nnb_status status = nnb_data_wrap(&rows, 0, &data);
  if (!status) status = nnb_data_set_column_names(data, columns, 4);
  if (!status) status = nnb_data_set_class_names(data, classes, 3);
  for (int k = 0; k < 4 && !status; k++) {
    status = k == 0   ? nnb_data_take_rows(data, some, 2, &made)
             : k == 1 ? nnb_data_take_columns(data, some, 2, &made)
             : k == 2 ? nnb_data_shuffle(data, 1, &made)
                      : nnb_data_merge(data, data, &made);
    ck_assert(!status == !!made);
    nnb_data_destroy(made);
  }
  nnb_data_destroy(data);
  return status;
}

START_TEST(every_allocation_fails) {
  check_every_allocation(everything, NULL);
  check_every_allocation(every_edit, NULL);
}
END_TEST

static nnb_status adopt_bad(void *context) {
  (void)context;
  real *own = nnb__alloc(2, sizeof *own);
  if (!own) return NNB_E_NOMEM;
  own[0] = 1, own[1] = (real)NAN;
  nnb_data *data = NULL;
  nnb_status status = nnb__data_adopt(own, 2, 1, NULL, 0, NULL, 0, NULL, NULL, &data);
  ck_assert_ptr_null(data);
  return status == NNB_E_ARG ? NNB_OK : status;
}

START_TEST(refused_arrays_are_released) { check_every_allocation(adopt_bad, NULL); }
END_TEST

START_TEST(names_and_summary) {
  static const char *const columns[] = {"a", NULL, "c", "kind"}, *const classes[] = {"u", "v", "w"};
  char text[200] = "";
  nnb_batch rows = labelled();
  nnb_data *data;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_set_column_names(data, columns, 3), NNB_E_SHAPE);
  ck_assert_ptr_null(nnb_data_column_name(data, 0));
  ck_assert_int_eq(nnb_data_set_column_names(data, columns, 4), NNB_OK);
  ck_assert_int_eq(nnb_data_set_class_names(data, classes, 3), NNB_OK);
  ck_assert_str_eq(nnb_data_column_name(data, 0), "a");
  ck_assert_ptr_null(nnb_data_column_name(data, 1));
  ck_assert_str_eq(nnb_data_column_name(data, 3), "kind");
  ck_assert_str_eq(nnb_data_class_name(data, 2), "w");
  ck_assert_int_eq(nnb_data_set_class_names(data, classes, 2), NNB_E_SHAPE);
  ck_assert_str_eq(nnb_data_class_name(data, 2), "w");
  FILE *f = fmemopen(text, sizeof text, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq(nnb_data_summary(data, f), NNB_OK);
  fclose(f);
  ck_assert_str_eq(text, "30 rows\ntarget: kind (3 classes); 3 numeric\n");
  nnb_data_destroy(data);
  rows.label = NULL;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_set_class_names(data, classes, 0), NNB_E_ARG);
  nnb_data_destroy(data);
}
END_TEST

static nnb_data *named(void) {
  static const char *const columns[] = {"a", "b", "c", "kind"}, *const classes[] = {"u", "v", "w"};
  nnb_batch rows = labelled();
  nnb_data *data;
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_set_column_names(data, columns, 4), NNB_OK);
  ck_assert_int_eq(nnb_data_set_class_names(data, classes, 3), NNB_OK);
  return data;
}

START_TEST(rows_and_columns) {
  static const int32_t order[] = {7, 7, 29, 0}, columns[] = {2, 0}, beyond[] = {30}, negative[] = {-1};
  nnb_data *all = named(), *some, *mixed, *again;
  nnb_batch b, c;
  ck_assert_int_eq(nnb_data_take_rows(all, order, 4, &some), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(some, 0, 4, &b), NNB_OK);
  for (int i = 0; i < 4; i++) {
    ck_assert(b.x.p[3 * i + 1] == x[order[i]][1] && b.weight[i] == weight[order[i]]);
    ck_assert_int_eq(b.label[i], label[order[i]]);
  }
  nnb_data_destroy(some);
  ck_assert_int_eq(nnb_data_take_columns(all, columns, 2, &some), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(some, 0, N, &b), NNB_OK);
  for (int i = 0; i < N; i++)
    ck_assert(b.x.p[2 * i] == x[i][2] && b.x.p[2 * i + 1] == x[i][0] && b.label[i] == label[i]);
  ck_assert_str_eq(nnb_data_column_name(some, 0), "c");
  ck_assert_str_eq(nnb_data_column_name(some, 1), "a");
  ck_assert_str_eq(nnb_data_column_name(some, 2), "kind");
  ck_assert_str_eq(nnb_data_class_name(some, 1), "v");
  nnb_data_destroy(some);
  ck_assert_int_eq(nnb_data_take_rows(all, beyond, 1, &some), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_take_rows(all, order, 0, &some), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_take_columns(all, negative, 1, &some), NNB_E_ARG);
  ck_assert_ptr_null(some);
  ck_assert_int_eq(nnb_data_shuffle(all, 5, &mixed), NNB_OK);
  ck_assert_int_eq(nnb_data_shuffle(all, 5, &again), NNB_OK);
  nnb_data_batch(mixed, 0, N, &b), nnb_data_batch(again, 0, N, &c);
  bool seen[N] = {false}, moved = false;
  for (int i = 0; i < N; i++) {
    const int from = (int)b.x.p[3 * i] / 10;
    ck_assert(!seen[from] && b.label[i] == label[from] && b.weight[i] == weight[from] && b.x.p[3 * i] == c.x.p[3 * i]);
    seen[from] = true, moved |= from != i;
  }
  ck_assert(moved);
  nnb_data_destroy(mixed), nnb_data_destroy(again), nnb_data_destroy(all);
}
END_TEST

START_TEST(merging) {
  static const int32_t first[] = {0, 1, 2}, second[] = {29, 28};
  static const char *const other_columns[] = {"a", "B", "c", "kind"}, *const other_classes[] = {"v", "u", "w"};
  nnb_data *all = named(), *a, *b, *both, *view;
  nnb_batch rows = labelled(), got;
  ck_assert_int_eq(nnb_data_take_rows(all, first, 3, &a), NNB_OK);
  ck_assert_int_eq(nnb_data_take_rows(all, second, 2, &b), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(a, b, &both), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(both, 0, 5, &got), NNB_OK);
  for (int i = 0; i < 5; i++) {
    const int from = i < 3 ? first[i] : second[i - 3];
    ck_assert(got.x.p[3 * i + 2] == x[from][2] && got.weight[i] == weight[from] && got.label[i] == label[from]);
  }
  ck_assert_str_eq(nnb_data_column_name(both, 3), "kind");
  ck_assert_str_eq(nnb_data_class_name(both, 2), "w");
  nnb_data_destroy(both);
  rows.weight = NULL; /* without weights and names beside one with them */
  ck_assert_int_eq(nnb_data_wrap(&rows, 0, &view), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(view, b, &both), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(both, 0, N + 2, &got), NNB_OK);
  ck_assert(got.weight[0] == 1 && got.weight[N] == weight[29]);
  ck_assert_str_eq(nnb_data_column_name(both, 0), "a");
  nnb_data_destroy(both), nnb_data_destroy(view);
  ck_assert_int_eq(nnb_data_set_column_names(b, other_columns, 4), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(a, b, &both), NNB_E_SHAPE);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "column 2 is \"b\" in the first data and \"B\" in the second"));
  nnb_data_destroy(b);
  ck_assert_int_eq(nnb_data_take_rows(all, second, 2, &b), NNB_OK);
  ck_assert_int_eq(nnb_data_set_class_names(b, other_classes, 3), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(a, b, &both), NNB_E_SHAPE);
  nnb_batch numbers = {.x = {&x[0][0], N, 3, 3}, .t = {&t[0][0], N, 2, 2}};
  ck_assert_int_eq(nnb_data_wrap(&numbers, 0, &view), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(a, view, &both), NNB_E_SHAPE);
  ck_assert_ptr_null(both);
  ck_assert_int_eq(nnb_data_merge(view, view, &both), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(both, N, N, &got), NNB_OK);
  ck_assert(got.t.p[5] == t[2][1] && !got.weight);
  nnb_data_destroy(both), nnb_data_destroy(view), nnb_data_destroy(a), nnb_data_destroy(b), nnb_data_destroy(all);
}
END_TEST

/* The classes have 15, 10 and 5 rows. */
START_TEST(class_weights) {
  nnb_batch rows = labelled(), got;
  nnb_data *data;
  rows.weight = NULL;
  ck_assert_int_eq(nnb_data_wrap(&rows, 3, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_weigh_classes(data, NULL), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(data, 0, N, &got), NNB_OK);
  for (int i = 0; i < N; i++) ck_assert(got.weight[i] == (real)(i < 15 ? 10.0 / 15 : i < 25 ? 1 : 2));
  const real twice[] = {2, 0, (real)0.5};
  ck_assert_int_eq(nnb_data_weigh_classes(data, twice), NNB_OK); /* on top of the weights that there are */
  ck_assert_int_eq(nnb_data_batch(data, 0, N, &got), NNB_OK);
  for (int i = 0; i < N; i++) ck_assert(got.weight[i] == (i < 15 ? 2 * (real)(10.0 / 15) : i < 25 ? 0 : 1));
  nnb_data_destroy(data);

  rows = labelled(); /* weights i/4; the caller's array stays */
  double sum[3] = {0}, before = 0;
  ck_assert_int_eq(nnb_data_wrap(&rows, 5, &data), NNB_OK); /* classes 3 and 4 have no rows */
  ck_assert_int_eq(nnb_data_weigh_classes(data, NULL), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(data, 0, N, &got), NNB_OK);
  for (int i = 0; i < N; i++) sum[label[i]] += (double)got.weight[i], before += (double)weight[i];
  for (int k = 0; k < 3; k++) ck_assert_double_eq_tol(sum[k], before / 3, 1e-5 * before);
  ck_assert(weight[8] == 2 && got.weight[8] != 2);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(class_weights_refused) {
  const real bad[] = {1, -1, 1}, huge[] = {REAL_MAX, 1, 1}, none[] = {(real)NAN, 1, 1};
  nnb_batch rows = labelled(), got, unlabelled = {.x = {&x[0][0], N, 2, 3}, .t = {&t[0][0], N, 2, 2}};
  nnb_data *data, *regression;
  ck_assert_int_eq(nnb_data_wrap(&rows, 3, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_wrap(&unlabelled, 0, &regression), NNB_OK);
  ck_assert_int_eq(nnb_data_weigh_classes(NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_weigh_classes(regression, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_weigh_classes(data, bad), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_weigh_classes(data, none), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_weigh_classes(data, huge), NNB_E_ARG); /* times 14/4 it overflows */
  ck_assert_int_eq(nnb_data_batch(data, 0, N, &got), NNB_OK);
  ck_assert_ptr_eq(got.weight, weight);
  nnb_data_destroy(data), nnb_data_destroy(regression);
}
END_TEST

int main(void) {
  Suite *s = suite_create("data");
  TCase *tc = tcase_create("data");
  tcase_add_checked_fixture(tc, fill, NULL);
  tcase_add_test(tc, wrapping_and_copying);
  tcase_add_test(tc, what_is_refused);
  tcase_add_test(tc, splitting);
  tcase_add_test(tc, folding);
  tcase_add_test(tc, scaling);
  tcase_add_test(tc, scaling_extremes);
  tcase_add_test(tc, names_and_summary);
  tcase_add_test(tc, rows_and_columns);
  tcase_add_test(tc, merging);
  tcase_add_test(tc, every_allocation_fails);
  tcase_add_test(tc, class_weights);
  tcase_add_test(tc, class_weights_refused);
  tcase_add_test(tc, refused_arrays_are_released);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
