/* Tables with missing values and columns of texts: what they become, in data, in nets and in files. */
#include "precision.h"
/* the precision first */
#include <math.h>
#include <string.h>

#include "support.h"
/* needs Check */
#include "alloc_count.h"
#include "toys.h"

static const char mixed[] =
    "sex,age,port,fare,survived\n"
    "male,22,S,7.5,no\n"
    "female,38,C,71,yes\n"
    "female,NA,S,8,yes\n"
    "male,30,,8.5,no\n"
    "male,?,Q,9,no\n"
    "female,30,\"Le Havre\",50,yes\n";
static const nnb_csv_opts mean = {.missing = NNB_MISSING_MEAN, .categories = 32};

static nnb_status parse(const char *text, const nnb_csv_opts *opts, nnb_data **out) {
  return nnb_data_parse_csv(text, strlen(text), "f.csv", opts, out);
}

static nnb_data *read_good(const char *text, nnb_csv_opts opts) {
  nnb_data *data = NULL;
  nnb_status status = parse(text, &opts, &data);
  ck_assert_msg(status == NNB_OK, "%s\n%s", nnb_errmsg(), text);
  return data;
}

/* "name|name: row; row" of the inputs. */
static void print_inputs(const nnb_data *data, char *p) {
  nnb_batch b;
  ck_assert_int_eq(nnb_data_batch(data, 0, nnb_data_rows(data), &b), NNB_OK);
  for (int j = 0; j < b.x.cols; j++) {
    const char *name = nnb_data_column_name(data, j);
    p += sprintf(p, "%s%s", j ? "|" : "", name ? name : "_");
  }
  for (int i = 0; i < b.x.rows; i++) {
    p += sprintf(p, i ? ";" : ":");
    for (int j = 0; j < b.x.cols; j++) p += sprintf(p, " %g", (double)b.x.p[i * b.x.ld + j]);
  }
}

static void check_data(const nnb_data *data, const char *wanted) {
  char got[1000];
  print_inputs(data, got);
  ck_assert_str_eq(got, wanted);
}

static void check_read(const char *text, nnb_csv_opts opts, const char *wanted) {
  nnb_data *data = read_good(text, opts);
  check_data(data, wanted);
  nnb_data_destroy(data);
}

static void check_refused(const char *text, nnb_csv_opts opts, nnb_status wanted, const char *sentence) {
  nnb_data *data = (nnb_data *)&mean;
  nnb_status status = parse(text, &opts, &data);
  ck_assert_msg(status == wanted && strstr(nnb_errmsg(), sentence), "\"%s\": wanted %s: %s\ngot %s: %s", text,
                nnb_strstatus(wanted), sentence, nnb_strstatus(status), nnb_errmsg());
  ck_assert_ptr_null(data);
}

static nnb_csv_opts as(const nnb_columns *columns) { return (nnb_csv_opts){.columns = columns, .n_targets = NNB_NONE}; }

/* ---- reading ----------------------------------------------------------------------------------------------------- */

START_TEST(a_mixed_table) {
  nnb_data *data = read_good(mixed, mean);
  check_data(data,
             "sex=female|sex=male|age|age missing|port=C|port=Le Havre|port=Q|port=S|port missing|fare:"
             " 0 1 22 0 0 0 0 1 0 7.5; 1 0 38 0 1 0 0 0 0 71; 1 0 30 1 0 0 0 1 0 8;"
             " 0 1 30 0 0 0 0 0 1 8.5; 0 1 30 1 0 0 1 0 0 9; 1 0 30 0 0 1 0 0 0 50");
  ck_assert_str_eq(nnb_data_column_name(data, 10), "survived");
  ck_assert_int_eq(nnb_data_n_classes(data), 2);
  const nnb_columns *columns = nnb_data_columns(data);
  const nnb_column *sex = nnb_columns_at(columns, 0), *age = nnb_columns_at(columns, 1);
  ck_assert_str_eq(sex->name, "sex");
  ck_assert(sex->n_levels == 2 && sex->first == 0 && sex->n == 2 && !sex->missing);
  ck_assert_str_eq(sex->levels[1], "male");
  ck_assert(!age->levels && age->first == 2 && age->n == 2 && age->missing && age->mean == 30);
  ck_assert_ptr_null(nnb_columns_at(columns, 4));
  ck_assert_ptr_null(nnb_columns_at(columns, -1));
  ck_assert_ptr_null(nnb_columns_at(NULL, 0));
  nnb_data_destroy(data);
}
END_TEST

START_TEST(values) {
  const nnb_csv_opts in = {.missing = NNB_MISSING_MEAN, .categories = 3, .n_targets = NNB_NONE};
  static const char *const a[] = {"a"}, *const one[] = {"1"};
  nnb_csv_opts given = in, first = in;
  given.category = a, given.n_category = 1, first.category = one, first.n_category = 1;
  check_read("a\n1\nNA\nn/a\nNaN\nnull\nNULL\n?\n\" \"\n4\n", in,
             "a|a missing: 1 0; 2.5 1; 2.5 1; 2.5 1; 2.5 1; 2.5 1; 2.5 1; 2.5 1; 4 0");
  check_read("a,b\n1,x\n2,x\n", in, "a|b=x: 1 1; 2 1"); /* one level */
  check_read("a,b\n1,\"x \"\n2,x\n3, x \n", in, "a|b=x|b=x : 1 0 1; 2 1 0; 3 1 0");
  check_read("größe,b\nßu,1\nöl,2\n", in, "größe=ßu|größe=öl|b: 1 0 1; 0 1 2");
  check_read("a,b\n3,1\n1.0,2\n1,3\n", given, "a=1|a=1.0|a=3|b: 0 0 1 1; 0 1 0 2; 1 0 0 3");
  check_read("a,b\nx,1\n2,2\n", given, "a=2|a=x|b: 0 1 1; 1 0 2"); /* a level named like a number */
  check_read("x,1\ny,NA\n", in, "1=x|1=y|2|2 missing: 1 0 1 0; 0 1 1 1");
  check_read("2,1\n1,7\n", first, "1=1|1=2|2: 0 1 1; 1 0 7");
}
END_TEST

/* Sums of large numbers do not overflow, and means of whole numbers are exact. */
START_TEST(means) {
  char text[200];
  const double large = TOL(1.7e308, 3.4e38);
  sprintf(text, "a,b\n%g,1\n%g,1\n%g,1\nNA,1\n", large, large, large);
  nnb_data *data = read_good(text, mean);
  ck_assert_double_eq_tol(nnb_columns_at(nnb_data_columns(data), 0)->mean / large, 1, 1e-6);
  nnb_data_destroy(data);
  data = read_good("a,b\n1,1\n2,1\n6,1\nNA,1\n", mean);
  ck_assert(nnb_columns_at(nnb_data_columns(data), 0)->mean == 3);
  nnb_data_destroy(data);
}
END_TEST

START_TEST(refusals) {
  static const char *const c[] = {"c"}, *const b[] = {"b"}, *const z[] = {"z"};
  const nnb_csv_opts none = {0}, texts = {.categories = 2}, filled = {.missing = NNB_MISSING_MEAN};
  check_refused("a,b\n1,2\nNA,3\n", none, NNB_E_PARSE,
                "f.csv:3:1: the value of \"a\" is missing (.missing = NNB_MISSING_MEAN accepts it, .leave ignores the");
  check_refused("a,b\nu,2\n,3\n", texts, NNB_E_PARSE, "f.csv:3:1: the value of \"a\" is missing (.missing");
  check_refused("a,b\nu,2\nv,3\n", filled, NNB_E_PARSE,
                "f.csv:2:1: \"u\" is not a number (.categories reads a column of texts, .leave ignores it)");
  check_refused("a,b\n1,2\n2,\n", mean, NNB_E_PARSE, "f.csv:3:3: the target is missing; drop the row");
  check_refused("a,b\n1,u\n2,NA\n", mean, NNB_E_PARSE, "f.csv:3:3: the class is missing; drop the row");
  check_refused("a,b\n,2\nNA,3\n", mean, NNB_E_PARSE,
                "f.csv: \"a\" has no value in any row (.leave ignores the column)");
  check_refused("a,b\n1,2\nx,3\n", mean, NNB_E_PARSE,
                "f.csv:3:1: \"x\" is not a number as the first of this column is (.category allows both)");
  check_refused("a,b\nx,2\n1,3\n", (nnb_csv_opts){.categories = 5, .header = 1}, NNB_E_PARSE,
                "f.csv:3:1: \"1\" is a number but the first value of \"a\" is a text (.category allows both)");
  check_refused(
      "a,b\nu,2\nv,3\nw,3\n", texts, NNB_E_PARSE,
      "f.csv:4:1: \"a\" has more than 2 different texts (.leave ignores the column, .categories is the limit)");
  check_refused("a,b\nu,2\n\xE9,3\n", texts, NNB_E_PARSE, "f.csv:3:1: the text is not UTF-8");
  check_refused("a=u,a,b\n1,u,2\n2,v,3\n", texts, NNB_E_ARG, "f.csv: two inputs would have the name \"a=u\"");
  check_refused("a,a,b\nu,u,2\nv,v,3\n", texts, NNB_E_ARG, "f.csv: two inputs would have the name \"a=u\"");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.missing = (nnb_missing)7}, NNB_E_ARG, "missing is 7");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.categories = -1}, NNB_E_ARG, "categories is -1");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.category = c, .n_category = 1}, NNB_E_ARG, "category needs categories");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.categories = 2, .n_category = 1}, NNB_E_ARG, "category and n_category");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.categories = 2, .category = z, .n_category = 1}, NNB_E_ARG,
                "f.csv: no column is named \"z\" (category)");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.categories = 2, .category = b, .n_category = 1}, NNB_E_ARG,
                "f.csv: column \"b\" of category is not an input");
  check_refused("a,b\n1,2\n", (nnb_csv_opts){.unseen_levels = true}, NNB_E_ARG, "unseen_levels needs columns");
}
END_TEST

/* The length of a name is limited, because every level repeats it. */
START_TEST(columns_of_no_use) {
  static const char text[] = "id,sex,empty,code,y\na,m,,k,1\nb,f,,1,2\nc,m,NA,k,3\n";
  const nnb_csv_opts strict = {.missing = NNB_MISSING_MEAN, .categories = 2};
  nnb_csv_opts loose = strict;
  loose.leave_unusable = true;
  check_refused("id,y\na,1\nb,2\nc,3\n", strict, NNB_E_PARSE, "\"id\" has more than 2 different texts");
  check_read(text, loose, "sex=f|sex=m|code=1|code=k: 0 1 0 1; 1 0 1 0; 0 1 0 1");
  check_refused("id,y\na,1\nb,2\nc,3\n", loose, NNB_E_PARSE, "no input column can be used");
}
END_TEST

START_TEST(a_long_name) {
  char *text = malloc(4000);
  ck_assert_ptr_nonnull(text);
  memset(text, 'n', 1001);
  strcpy(text + 1001, ",b\nu,2\nv,3\n");
  check_refused(text, (nnb_csv_opts){.categories = 2, .header = 1}, NNB_E_ARG, "has more than 1000 bytes");
  check_refused(text + 1, (nnb_csv_opts){.categories = 1, .header = 1}, NNB_E_PARSE, "more than 1 different");
  nnb_data *data = read_good(text + 1, (nnb_csv_opts){.categories = 2, .header = 1});
  ck_assert_uint_eq(strlen(nnb_data_column_name(data, 0)), 1002);
  nnb_data_destroy(data);
  free(text);
}
END_TEST

START_TEST(what_was_inferred) {
  char got[600] = "";
  nnb_data *data = read_good(mixed, mean), *part = NULL;
  FILE *f = fmemopen(got, sizeof got, "w");
  ck_assert_int_eq(nnb_data_summary(data, f), NNB_OK);
  const int32_t rows[] = {0, 2};
  ck_assert_int_eq(nnb_data_take_rows(data, rows, 2, &part), NNB_OK);
  ck_assert_int_eq(nnb_data_summary(part, f), NNB_OK);
  fclose(f);
  ck_assert_str_eq(got,
                   "f.csv: 6 rows of 5 columns separated by ',', names in the first row\n"
                   "target: survived (last column, 2 classes); 2 numeric, 2 categorical; 2 missing in \"age\", 1 in "
                   "\"port\"\n"
                   "2 rows\ntarget: survived (2 classes); 2 numeric, 2 categorical\n");
  ck_assert_ptr_null(nnb_data_left_out(data, 0, NULL));
  nnb_data_destroy(data), nnb_data_destroy(part);
}
END_TEST

START_TEST(columns_left_out_have_reasons) {
  static const char text[] = "a;b,name,none,y\n1,u,?,2\n2,v,,3\n3,w,NA,4\n";
  static const nnb_csv_opts opts = {
      .missing = NNB_MISSING_MEAN, .categories = 2, .leave_unusable = true, .separator = ','};
  const char *why;
  nnb_data *data = read_good(text, opts), *part = NULL;
  ck_assert_str_eq(nnb_data_left_out(data, 0, &why), "name");
  ck_assert_str_eq(why, "it has more than 2 different texts");
  ck_assert_str_eq(nnb_data_left_out(data, 1, &why), "none");
  ck_assert_str_eq(why, "it has no value in any row");
  ck_assert(nnb_data_left_out(data, 2, &why) == NULL && why == NULL);
  ck_assert(nnb_data_left_out(data, -1, NULL) == NULL && nnb_data_left_out(NULL, 0, NULL) == NULL);
  ck_assert_int_eq(nnb_data_shuffle(data, 1, &part), NNB_OK);
  ck_assert_ptr_null(nnb_data_left_out(part, 0, NULL));
  nnb_data_destroy(data), nnb_data_destroy(part);
  data = read_good("1,u,2\n2,v,3\n3,w,4\n", opts);
  ck_assert_str_eq(nnb_data_left_out(data, 0, NULL), "2");
  nnb_data_destroy(data);
}
END_TEST

/* ---- means of the rows trained on -------------------------------------------------------------------------------- */

enum { ROWS = 24 };

/* Rows "age,size,kind" of three kinds; every fourth age and size is missing, and those of the rows that are marked are
 * far from the others. */
static nnb_data *people(const bool far[ROWS]) {
  static const char *const kinds[] = {"u", "v", "odd"};
  char text[2000] = "age,size,kind\n", *p = text + strlen(text);
  for (int i = 0; i < ROWS; i++) {
    const int shift = far[i] ? 1000000 : 0;
    p += i % 4 == 1 ? sprintf(p, ",") : sprintf(p, "%d,", 20 + i * 7 % 31 + shift);
    p += i % 4 == 2 ? sprintf(p, "NA,") : sprintf(p, "%d.5,", i * 5 % 13 - shift);
    p += sprintf(p, "%s\n", kinds[i % 3]);
  }
  return read_good(text, mean);
}

/* That missing numbers of both parts are the means of the numbers in train. */
static void check_means(const nnb_data *train, const nnb_data *test) {
  nnb_batch a, b;
  ck_assert_int_eq(nnb_data_batch(train, 0, nnb_data_rows(train), &a), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(test, 0, nnb_data_rows(test), &b), NNB_OK);
  for (int c = 0; c < 2; c++) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < a.x.rows; i++) {
      const real *x = a.x.p + i * a.x.ld + 2 * c;
      if (x[1] == 0) sum += (double)x[0], n++;
    }
    const double wanted = nnb_columns_at(nnb_data_columns(train), c)->mean;
    ck_assert_double_eq_tol(wanted, sum / n, 1e-12);
    ck_assert_double_eq(nnb_columns_at(nnb_data_columns(test), c)->mean, wanted);
    for (int i = 0; i < a.x.rows + b.x.rows; i++) {
      const real *x = (i < a.x.rows ? a.x.p + i * a.x.ld : b.x.p + (i - a.x.rows) * b.x.ld) + 2 * c;
      ck_assert(x[1] == 0 || x[0] == (real)wanted);
    }
  }
}

static void check_same(const nnb_data *a, const nnb_data *b) {
  char one[4000], other[4000];
  print_inputs(a, one), print_inputs(b, other);
  ck_assert_str_eq(one, other);
}

/* Divides the table, marks the rows held out, and divides it again. */
START_TEST(rows_held_out_tell_nothing) {
  const int fold = _i - 1; /* -1: nnb_data_split */
  bool far[ROWS] = {false};
  nnb_data *data = people(far), *train, *test, *far_train, *far_test;
  ck_assert_int_eq(
      fold < 0 ? nnb_data_split(data, 0.25, 5, &train, &test) : nnb_data_fold(data, 4, fold, 5, &train, &test), NNB_OK);
  check_means(train, test);
  nnb_batch all, held;
  ck_assert_int_eq(nnb_data_batch(data, 0, ROWS, &all), NNB_OK);
  ck_assert_int_eq(nnb_data_batch(test, 0, nnb_data_rows(test), &held), NNB_OK);
  for (int i = 0, next = 0; i < ROWS && next < held.x.rows; i++) { /* rows keep their order */
    const real *x = all.x.p + i * all.x.ld, *y = held.x.p + next * held.x.ld;
    const bool same = x[1] == y[1] && x[3] == y[3] && (x[1] == 1 || x[0] == y[0]) && (x[3] == 1 || x[2] == y[2]);
    if (same && all.label[i] == held.label[next]) far[i] = true, next++;
  }
  nnb_data_destroy(data);
  data = people(far);
  ck_assert_double_gt(fabs(nnb_columns_at(nnb_data_columns(data), 0)->mean), 1000); /* of all rows */
  ck_assert_int_eq(fold < 0 ? nnb_data_split(data, 0.25, 5, &far_train, &far_test)
                            : nnb_data_fold(data, 4, fold, 5, &far_train, &far_test),
                   NNB_OK);
  check_same(train, far_train);
  check_means(far_train, far_test);
  nnb_data_destroy(train), nnb_data_destroy(test), nnb_data_destroy(far_train), nnb_data_destroy(far_test);
  nnb_data_destroy(data);
}
END_TEST

/* Rows held out whose weight is 0 change no measure of their part, whatever they hold; also with own parts,
 * and for a net that has seen the whole table. */
START_TEST(cross_validation_computes_the_means) {
  static const real weight[] = {1, 1, 0};
  int32_t part[ROWS];
  bool far[ROWS];
  double loss[2];
  for (int i = 0; i < ROWS; i++) part[i] = i % 3 == 2 || i % 5 == 0; /* with all of kind "odd" */
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < ROWS; i++) far[i] = k == 1 && i % 3 == 2;
    nnb_data *data = people(far);
    nnb_net *net = NULL;
    nnb_cv_report report;
    const nnb_fit_opts fit = {.algo = NNB_SCG, .max_epochs = 5};
    const nnb_cv_opts opts = {.folds = 2, .part = part};
    ck_assert_int_eq(nnb_data_weigh_classes(data, weight), NNB_OK);
    ck_assert_int_eq(nnb_net_for_data(data, "3:tanh", &net), NNB_OK);
    if (_i) ck_assert_int_eq(nnb_fit(net, data, NULL, &fit, NULL), NNB_OK);
    nnb_status status = nnb_cross_validate(net, data, &fit, &opts, &report);
    ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
    loss[k] = report.run[1].metrics.loss; /* part 1 is held out */
    nnb_cv_report_clear(&report);
    nnb_net_destroy(net), nnb_data_destroy(data);
  }
  ck_assert_double_eq(loss[0], loss[1]);
}
END_TEST

/* Rows that a fit holds out by itself keep the mean, as they keep the scalers: the net suits the data it was given. */
START_TEST(a_fit_that_chooses_suits_its_data) {
  bool far[ROWS] = {false};
  nnb_data *data = people(far);
  nnb_net *net = NULL;
  nnb_metrics m;
  ck_assert_int_eq(nnb_net_for_data(data, "3:tanh", &net), NNB_OK);
  for (int i = 0; i < 2; i++) {
    nnb_status status = nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 5}, NULL);
    ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
    ck_assert_int_eq(nnb_evaluate(net, data, &m), NNB_OK);
  }
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A column without any value in the rows trained on becomes 0. */
START_TEST(no_value_to_train_on) {
  nnb_data *data = read_good("a,b\n,1\n,2\n5,3\n", mean), *train, *test;
  bool found = false;
  for (int i = 0; i < 3; i++) {
    nnb_batch rows;
    ck_assert_int_eq(nnb_data_fold(data, 3, i, 1, &train, &test), NNB_OK);
    ck_assert_int_eq(nnb_data_batch(test, 0, 1, &rows), NNB_OK);
    if (rows.x.p[1] == 0) {
      found = true;
      check_data(train, "a|a missing: 0 1; 0 1");
      check_data(test, "a|a missing: 5 0");
    } else {
      check_data(test, "a|a missing: 5 1");
    }
    nnb_data_destroy(train), nnb_data_destroy(test);
  }
  ck_assert(found);
  nnb_data_destroy(data);
}
END_TEST

/* ---- reading other tables in the same way ------------------------------------------------------------------------ */

START_TEST(other_tables) {
  nnb_data *data = read_good(mixed, mean);
  const nnb_columns *columns = nnb_data_columns(data);
  nnb_csv_opts other = as(columns), scored = {.columns = columns, .target = "survived"};
  const char names[] = "sex=female|sex=male|age|age missing|port=C|port=Le Havre|port=Q|port=S|port missing|fare:";
  char wanted[300];
  sprintf(wanted, "%s 0 1 30 1 1 0 0 0 0 2", names);
  check_read("fare,garden,port,sex,age\n2,north,C,male,\n", other, wanted);
  check_read("fare;survived;port;sex;age\n2;yes;C;male;\n", scored, wanted);
  sprintf(wanted, "%s 1 0 4 0 0 0 0 0 1 1", names);
  check_read("survived,age,sex,port,fare\nno,4,female,NaN,1\n", other, wanted);
  other.unseen_levels = true;
  sprintf(wanted, "%s 0 0 4 0 0 0 0 0 0 1", names);
  check_read("age,sex,port,fare\n4,unknown,Cork,1\n", other, wanted);
  other.unseen_levels = false;
  check_refused(
      "sex,age,port,fare\nmale,1,S,1\nmail,1,S,1\n", other, NNB_E_PARSE,
      "f.csv:3:1: \"mail\" is not a level of \"sex\"; the nearest is \"male\"; there are \"female\", \"male\" (or "
      "set .unseen_levels)");
  check_refused("sex,age,port,fare\n,1,S,1\n", other, NNB_E_PARSE,
                "f.csv:2:1: the value of \"sex\" is missing (the training data had one in every row)");
  check_refused("sex,age,port,fare\nmale,1,S,NA\n", other, NNB_E_PARSE,
                "f.csv:2:10: the value of \"fare\" is missing (the training data had one in every row)");
  check_refused("sex,age,port,fare\nmale,old,S,1\n", other, NNB_E_PARSE,
                "f.csv:2:6: \"old\" is not a number as all of this column are in the training data");
  check_refused("sex,age,port\nmale,1,S\n", other, NNB_E_ARG,
                "f.csv: no column is named \"fare\" (an input of the training data)");
  check_refused("sex,age,port,fare,fare\nmale,1,S,1,1\n", other, NNB_E_SHAPE,
                "2 columns are named \"fare\"; the inputs of the training data had fewer");
  check_refused("sex,age,port,fare\nmale,1,S,1\n", (nnb_csv_opts){.columns = columns}, NNB_E_SHAPE,
                "all columns are inputs of the training data; there is no target");
  other.categories = 3;
  check_refused("sex\nmale\n", other, NNB_E_ARG, "columns says how inputs are read; take, leave,");
  other = as(columns), other.header = NNB_NONE;
  check_refused("male,1,S,1\n", other, NNB_E_ARG, "columns has names; this needs a header");
  nnb_data_destroy(data);
}
END_TEST

/* What a table is trained from, it is predicted from: columns of one name are told apart by their order. */
START_TEST(names_that_come_twice) {
  nnb_data *data = read_good("a,b,a,y\n1,2,3,0\n4,5,6,1\n", (nnb_csv_opts){0});
  nnb_csv_opts other = as(nnb_data_columns(data)), scored = {.columns = other.columns, .target = "y"};
  check_read("a,b,a,y\n1,2,3,0\n", scored, "a|b|a: 1 2 3");
  check_read("b,y,a,a\n2,0,1,3\n", other, "a|b|a: 1 2 3");
  check_refused("a,b,y\n1,2,0\n", other, NNB_E_SHAPE,
                "f.csv: 1 column is named \"a\"; the inputs of the training data had more");
  check_refused("a,a,b,a\n1,2,0,1\n", other, NNB_E_SHAPE,
                "f.csv: 3 columns are named \"a\"; the inputs of the training data had fewer");
  nnb_data_destroy(data);
}
END_TEST

START_TEST(tables_without_names) {
  nnb_data *data = read_good("x,1,no\ny,NA,yes\n", mean);
  nnb_csv_opts other = as(nnb_data_columns(data)), scored = {.columns = other.columns, .target = "1"};
  check_data(data, "1=x|1=y|2|2 missing: 1 0 1 0; 0 1 1 1");
  ck_assert_ptr_null(nnb_columns_at(other.columns, 0)->name);
  check_read("y,?\n", other, "1=x|1=y|2|2 missing: 0 1 1 1");
  check_read("no,y,?\n", scored, "1=x|1=y|2|2 missing: 0 1 1 1");
  check_refused("y\n", other, NNB_E_SHAPE, "f.csv has 1 input column; the training data had 2");
  nnb_data_destroy(data);
  data = read_good("a,,c\n1,2,3\n", (nnb_csv_opts){0}); /* one column has a name */
  check_read("a,,\n4,5,6\n", (nnb_csv_opts){.columns = nnb_data_columns(data)}, "a|_: 4 5");
  check_refused("c,,\n4,5,6\n", (nnb_csv_opts){.columns = nnb_data_columns(data)}, NNB_E_SHAPE,
                "input column 1 is \"c\"; in the training data it was \"a\"");
  static const char *const target[] = {"c"};
  other = as(nnb_data_columns(data)), other.leave = target, other.n_leave = 1;
  check_read("a,,c\n4,5,6\n", other, "a|_: 4 5");
  nnb_data_destroy(data);
}
END_TEST

/* ---- copies of data ---------------------------------------------------------------------------------------------- */

START_TEST(copies_keep_the_columns) {
  static const int32_t whole[] = {9, 0, 1}, part[] = {0, 9}, turned[] = {1, 0}, twice[] = {0, 1, 0, 1}, cut[] = {9, 0};
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
  nnb_data *data = read_good(mixed, mean), *a = NULL, *b = NULL, *both = NULL, *other = NULL;
  ck_assert_int_eq(nnb_data_split(data, 0.5, 1, &a, &b), NNB_OK);
  ck_assert_int_eq(nnb_data_merge(a, b, &both), NNB_OK);
  ck_assert_double_eq(nnb_columns_at(nnb_data_columns(both), 1)->mean, nnb_columns_at(nnb_data_columns(a), 1)->mean);
  ck_assert_str_eq(nnb_columns_at(nnb_data_columns(both), 2)->levels[3], "S");
  ck_assert_ptr_ne(nnb_data_columns(both), nnb_data_columns(data));
  nnb_data_destroy(a), nnb_data_destroy(b), nnb_data_destroy(both);

  other = read_good(
      "sex,age,port,fare,survived\nmale,22,S,7.5,no\nfemale,NA,C,7,yes\nmale,1,Q,7.5,no\n"
      "male,1,Le Havre,7.5,no\nmale,1,NA,7.5,no\n",
      mean);
  ck_assert_int_eq(nnb_data_merge(data, other, &both), NNB_E_SHAPE);
  ck_assert_str_eq(nnb_errmsg(),
                   "column \"age\" does not have the same mean as in the other data; read one of them with .columns "
                   "of the other");
  nnb_data_destroy(other);

  ck_assert_int_eq(nnb_data_take_columns(data, whole, 3, &a), NNB_OK);
  check_read("sex,fare\nmale,3\n", as(nnb_data_columns(a)), "fare|sex=female|sex=male: 3 0 1");
  nnb_data_destroy(a);
  const struct {
    const int32_t *column;
    int n;
  } parts[] = {{part, 2}, {turned, 2}, {twice, 4}, {cut, 2}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    ck_assert_int_eq(nnb_data_take_columns(data, parts[i].column, parts[i].n, &a), NNB_OK);
    ck_assert_ptr_null(nnb_data_columns(a));
    nnb_data_destroy(a);
  }
  ck_assert_int_eq(nnb_data_set_column_names(data, names, 11), NNB_OK);
  ck_assert_ptr_null(nnb_data_columns(data));
  nnb_data_destroy(data);
}
END_TEST

/* ---- nets and files ---------------------------------------------------------------------------------------------- */

static nnb_net *fitted(const nnb_data *data) {
  char text[40];
  nnb_net *net = NULL;
  sprintf(text, "%d-3:tanh-2:softmax", nnb_data_n_in(data));
  ck_assert_int_eq(nnb_net_parse(text, &net), NNB_OK);
  ck_assert_int_eq(nnb_net_standardize(net, data), NNB_OK);
  nnb_status status = nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_RPROP, .max_epochs = 5}, NULL);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  return net;
}

/* Reads a table of other rows for the net and predicts them. */
static void predict(nnb_net *net, const char *text, real *y) {
  nnb_data *data = read_good(text, as(nnb_net_columns(net)));
  nnb_batch b;
  ck_assert_int_eq(nnb_data_batch(data, 0, nnb_data_rows(data), &b), NNB_OK);
  ck_assert_int_eq(nnb_net_predict(net, b.x, nnb_view(y, b.x.rows, 2)), NNB_OK);
  nnb_data_destroy(data);
}

START_TEST(a_model_reads_tables) {
  nnb_data *data = read_good(mixed, mean);
  nnb_net *net = fitted(data), *loaded = NULL, *copy = NULL;
  void *file = NULL, *again = NULL;
  size_t bytes = 0, n_again = 0;
  real y[3][2];
  nnb_data_destroy(data);
  ck_assert_str_eq(nnb_net_column_name(net, 3), "age missing");
  ck_assert_int_eq(nnb_net_save_mem(net, &file, &bytes), NNB_OK);
  nnb_status status = nnb_net_load_mem(file, bytes, NULL, &loaded);
  ck_assert_msg(status == NNB_OK, "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_net_copy(loaded, &copy), NNB_OK);
  predict(net, "sex,age,port,fare\nmale,NA,S,3\n", y[0]);
  predict(loaded, "fare,port,age,sex\n3,S,?,male\n", y[1]);
  predict(copy, "x,fare,port,age,sex\n,3,S,,male\n", y[2]);
  ck_assert(memcmp(y[0], y[1], sizeof y[0]) == 0 && memcmp(y[0], y[2], sizeof y[0]) == 0);
  ck_assert_int_eq(nnb_net_save_mem(loaded, &again, &n_again), NNB_OK);
  ck_assert(bytes == n_again && memcmp(file, again, bytes) == 0);
  nnb_free(file), nnb_free(again);
  nnb_net_destroy(net), nnb_net_destroy(loaded), nnb_net_destroy(copy);
}
END_TEST

/* C source names the inputs, with no character that ends the comment. */
START_TEST(c_source_has_the_names) {
  nnb_data *data = read_good("a*/b,c,kind\nu,1,x\nv@,NA,y?\n", mean);
  nnb_net *net = fitted(data);
  char *text = NULL;
  size_t bytes = 0;
  ck_assert_int_eq(nnb_net_write_c_mem(net, NULL, &text, &bytes), NNB_OK);
  ck_assert_ptr_nonnull(strstr(text,
                               "/* The columns of the data:\n * x[0]: a__b=u\n * x[1]: a__b=v_\n * x[2]: c\n"
                               " * x[3]: c missing\n * y[0]: x\n * y[1]: y_\n */\n"));
  nnb_free(text);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

/* A net of a table of numbers has its columns too, also from a file. */
START_TEST(a_model_of_numbers) {
  nnb_data *data = read_good("a,b,kind\n1,2,u\n3,4,v\n", (nnb_csv_opts){0});
  nnb_net *net = fitted(data), *loaded = NULL;
  void *file = NULL;
  size_t bytes = 0;
  real y[2][2];
  ck_assert_int_eq(nnb_net_save_mem(net, &file, &bytes), NNB_OK);
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, NULL, &loaded), NNB_OK);
  predict(net, "b,a\n5,6\n", y[0]);
  predict(loaded, "a,z,b\n6,z,5\n", y[1]);
  ck_assert(memcmp(y[0], y[1], sizeof y[0]) == 0);
  ck_assert_ptr_null(nnb_columns_at(nnb_net_columns(loaded), 2));
  nnb_free(file);
  nnb_net_destroy(net), nnb_net_destroy(loaded), nnb_data_destroy(data);
}
END_TEST

/* A model keeps as many names as there are columns, though only some have one. */
static void check_few_names(int n_in, int named, const char *which) {
  const char *names[60] = {0};
  real x[6 * 59];
  int32_t label[6] = {0, 1, 1, 0, 1, 0};
  nnb_data *data;
  void *file = NULL;
  size_t bytes = 0;
  nnb_net *loaded = NULL;
  toy_fill(x, (size_t)(6 * n_in), 1);
  nnb_batch rows = {.x = nnb_cview(x, 6, n_in), .label = label};
  ck_ok(nnb_data_copy(&rows, 2, &data));
  names[named] = "only";
  ck_ok(nnb_data_set_column_names(data, names, n_in + 1));
  nnb_net *net = fitted(data);
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &loaded));
  for (int i = 0; i <= n_in; i++) {
    const char *name = nnb_net_column_name(loaded, i);
    ck_assert_msg(i == named ? name && !strcmp(name, "only") : !name, "%s: column %d", which, i);
  }
  nnb_free(file);
  nnb_net_destroy(net), nnb_net_destroy(loaded), nnb_data_destroy(data);
}

START_TEST(few_columns_have_names) {
  check_few_names(59, 0, "the first");
  check_few_names(59, 31, "one in the middle");
  check_few_names(59, 59, "the target");
}
END_TEST

/* Data that was encoded otherwise does not fit, and a refused fit leaves no columns behind. */
START_TEST(a_fit_checks_the_columns) {
  nnb_data *data = read_good(mixed, mean), *other = NULL;
  nnb_net *net = NULL;
  other = read_good(
      "sex,age,port,fare,survived\nmale,22,S,7.5,no\nfemale,NA,C,7,yes\nmale,1,X,7.5,no\n"
      "male,1,Le Havre,7.5,no\nmale,1,NA,7.5,no\n",
      mean);
  ck_assert_int_eq(nnb_net_parse("10-2:softmax", &net), NNB_OK);
  ck_assert_int_eq(nnb_fit(net, data, other, NULL, NULL), NNB_E_SHAPE);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "input column 7 is \"port=S\" in the data but \"port=Q\" in the net"));
  ck_assert_ptr_null(nnb_net_columns(net));
  ck_assert_int_eq(nnb_fit(net, data, NULL, &(nnb_fit_opts){.algo = NNB_RPROP, .max_epochs = 2}, NULL), NNB_OK);
  ck_assert_ptr_nonnull(nnb_net_columns(net));
  nnb_data_destroy(other);
  other = read_good(
      "sex,age,port,fare,survived\nmale,22,S,7.5,no\nfemale,NA,C,7,yes\nmale,1,Q,7.5,no\n"
      "male,1,Le Havre,7.5,no\nmale,1,NA,7.5,no\n",
      mean);
  nnb_metrics m;
  ck_assert_int_eq(nnb_evaluate(net, other, &m), NNB_E_SHAPE); /* its ages have another mean */
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "column \"age\" does not have the same mean"));
  nnb_net_destroy(net), nnb_data_destroy(data), nnb_data_destroy(other);
}
END_TEST

/* Replaces a part of the file's header by one of the same length. */
static void check_hostile(const char *from, const char *to, const char *sentence) {
  nnb_data *data = read_good(mixed, mean);
  nnb_net *net = fitted(data), *loaded = NULL;
  void *file = NULL;
  size_t bytes = 0, n = strlen(from);
  ck_assert_int_eq(nnb_net_save_mem(net, &file, &bytes), NNB_OK);
  char *at = NULL;
  for (size_t i = 0; i + n <= bytes && !at; i++)
    if (memcmp((char *)file + i, from, n) == 0) at = (char *)file + i;
  ck_assert_msg(at && strlen(to) == n, "%s is not in the file", from);
  memcpy(at, to, n);
  nnb_status status = nnb_net_load_mem(file, bytes, NULL, &loaded);
  ck_assert_msg(status == NNB_E_PARSE && strstr(nnb_errmsg(), sentence), "%s: %s: %s", to, nnb_strstatus(status),
                nnb_errmsg());
  nnb_free(file);
  nnb_net_destroy(net), nnb_data_destroy(data);
}

START_TEST(hostile_files) {
  check_hostile("\"table.0.level.1\"", "\"table.0.level.x\"", "\"table.0.level.1\" is missing or not in order");
  check_hostile("\"female\"", "\"memale\"", "\"table.0.level.1\" is missing or not in order");
  check_hostile("\"table.0.levels\":\"2\"", "\"table.0.levels\":\"3\"", "\"table.0.level.2\" is missing");
  check_hostile("\"table.0.levels\":\"2\"", "\"table.0.levels\":\"1\"", "become 9 inputs; the net has 10");
  check_hostile("\"table.0.levels\":\"2\"", "\"table.0.levels\":\"0\"", "is not a whole number from 1");
  check_hostile("\"columns\":\"11\"", "\"columns\":\"13\"",
                "\"columns\" is missing or not a whole number from 0 to 12");
  check_hostile("\"table\":\"4\"", "\"table\":\"5\"", "become 11 inputs; the net has 10");
  check_hostile("\"table\":\"4\"", "\"table\":\"x\"", "\"table\" is not a whole number");
  check_hostile("\"table.1.missing\":\"30\"", "\"table.1.missing\":\"ex\"",
                "\"table.1.missing\" is not a finite number");
  check_hostile("\"table.3.name\":\"fare\"", "\"table.2.name\":\"fare\"", "");
}
END_TEST

/* ---- allocations ------------------------------------------------------------------------------------------------- */

static nnb_status use(const nnb_data *data) {
  static const int32_t columns[] = {9, 0, 1};
  nnb_data *copy = NULL, *part = NULL;
  nnb_status status = nnb_data_merge(data, data, &copy);
  if (!status) status = nnb_data_take_columns(copy, columns, 3, &part);
  nnb_data_destroy(copy), nnb_data_destroy(part);
  return status;
}

static nnb_status read_twice(void *context) {
  nnb_data *data = NULL, *again = NULL, *none = NULL;
  (void)context;
  nnb_status status = parse(mixed, &mean, &data);
  nnb_csv_opts opts = data ? as(nnb_data_columns(data)) : mean;
  if (!status) status = parse("sex,age,port,fare\nmale,NA,S,3\n", &opts, &again);
  if (!status) status = use(data);
  if (!status && parse("sex,age,port,fare\nmile,NA,S,3\n", &opts, &none) == NNB_E_NOMEM) status = NNB_E_NOMEM;
  nnb_data_destroy(data), nnb_data_destroy(again);
  return status;
}

static nnb_status save_and_load(void *net) {
  nnb_net *copy = NULL, *loaded = NULL;
  void *file = NULL;
  size_t bytes = 0;
  nnb_status status = nnb_net_copy(net, &copy);
  if (!status) status = nnb_net_save_mem(copy, &file, &bytes);
  if (!status) status = nnb_net_load_mem(file, bytes, NULL, &loaded);
  nnb_free(file);
  nnb_net_destroy(copy), nnb_net_destroy(loaded);
  return status;
}

START_TEST(every_allocation_fails) {
  check_every_allocation(read_twice, NULL);
  nnb_data *data = read_good(mixed, mean);
  nnb_net *net = fitted(data);
  check_every_allocation(save_and_load, net);
  nnb_net_destroy(net), nnb_data_destroy(data);
}
END_TEST

int main(void) {
  Suite *s = suite_create("columns " PRECISION);
  TCase *t = tcase_create("columns");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, a_mixed_table);
  tcase_add_test(t, values);
  tcase_add_test(t, means);
  tcase_add_test(t, refusals);
  tcase_add_test(t, columns_of_no_use);
  tcase_add_test(t, a_long_name);
  tcase_add_test(t, what_was_inferred);
  tcase_add_test(t, columns_left_out_have_reasons);
  tcase_add_loop_test(t, rows_held_out_tell_nothing, 0, 5);
  tcase_add_loop_test(t, cross_validation_computes_the_means, 0, 2);
  tcase_add_test(t, a_fit_that_chooses_suits_its_data);
  tcase_add_test(t, no_value_to_train_on);
  tcase_add_test(t, other_tables);
  tcase_add_test(t, names_that_come_twice);
  tcase_add_test(t, tables_without_names);
  tcase_add_test(t, copies_keep_the_columns);
  tcase_add_test(t, a_model_reads_tables);
  tcase_add_test(t, c_source_has_the_names);
  tcase_add_test(t, a_model_of_numbers);
  tcase_add_test(t, few_columns_have_names);
  tcase_add_test(t, a_fit_checks_the_columns);
  tcase_add_test(t, hostile_files);
  tcase_add_test(t, every_allocation_fails);
  suite_add_tcase(s, t);
  return run_suite(s);
}
