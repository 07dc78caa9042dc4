/* Reading CSV text: tables of texts that are accepted, and of texts that are rejected, with the messages. */
#include "precision.h"
/* the precision first */
#include <locale.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
/* needs Check */
#include "alloc_count.h"

static nnb_status parse(const char *text, const nnb_csv_opts *opts, nnb_data **out) {
  return nnb_data_parse_csv(text, strlen(text), "f.csv", opts, out);
}

static nnb_data *read_good(const char *text, const nnb_csv_opts *opts, nnb_batch *b) {
  nnb_data *data = NULL;
  nnb_status status = parse(text, opts, &data);
  ck_assert_msg(status == NNB_OK, "%s\n%s", nnb_errmsg(), text);
  ck_assert_int_eq(nnb_data_batch(data, 0, nnb_data_rows(data), b), NNB_OK);
  return data;
}

static const nnb_csv_opts plain = {0}, inputs_only = {.n_targets = NNB_NONE};

START_TEST(good_texts) { /* all are the rows 1 2 and 3.5 -4, without targets */
  static const char *const table[] = {
      "1,2\n3.5,-4\n",
      "1,2\n3.5,-4",
      "1,2\r\n3.5,-4\r\n",
      "1,2\r3.5,-4\r",
      "\n\n1,2\n\n   \n3.5,-4\n\n",
      "\xEF\xBB\xBF\x31,2\n3.5,-4\n",
      " 1 ,\t2\n3.5 , -4 \n",
      "\"1\",\"2\"\n\"3.5\",\"-4\"\n",
      "\" 1 \",2\n3.5, \"-4\" \n",
      "+1,2.\n35e-1,-.4E+1\n",
      "a,b\n1,2\n3.5,-4\n",
      "a,\n1,2\n3.5,-4\n",
      "\"a\"\"b\nc\",\"d,e\"\r\n1,2\n3.5,-4\n",
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb_batch b;
    nnb_data *data = read_good(table[i], &inputs_only, &b);
    ck_assert_msg(b.x.rows == 2 && b.x.cols == 2 && !b.t.p && !b.label, "%s", table[i]);
    ck_assert_msg(b.x.p[0] == 1 && b.x.p[1] == 2 && b.x.p[2] == (real)3.5 && b.x.p[3] == -4, "%s", table[i]);
    nnb_data_destroy(data);
  }
}
END_TEST

START_TEST(headers_and_targets) {
  nnb_batch b;
  nnb_data *data = read_good("a,b,c\n1,2,3\n4,5,6\n", NULL, &b);
  ck_assert_int_eq(nnb_data_n_in(data), 2);
  ck_assert_int_eq(nnb_data_n_out(data), 1);
  ck_assert_str_eq(nnb_data_column_name(data, 0), "a");
  ck_assert_str_eq(nnb_data_column_name(data, 2), "c");
  ck_assert(b.t.p[0] == 3 && b.t.p[1] == 6 && b.x.p[2] == 4);
  nnb_data_destroy(data);

  data = read_good("a,b,c\n1,2,3\n4,5,6\n", &(nnb_csv_opts){.target = "a"}, &b);
  ck_assert(b.t.p[1] == 4 && b.x.p[2] == 5 && b.x.p[3] == 6);
  ck_assert_str_eq(nnb_data_column_name(data, 0), "b");
  ck_assert_str_eq(nnb_data_column_name(data, 2), "a");
  nnb_data_destroy(data);

  data = read_good("1;2;3\n4;5;6\n", &(nnb_csv_opts){.n_targets = 2, .separator = ';'}, &b);
  ck_assert(b.x.cols == 1 && b.t.cols == 2 && b.t.p[2] == 5 && b.t.p[3] == 6);
  ck_assert_ptr_null(nnb_data_column_name(data, 0));
  nnb_data_destroy(data);

  data = read_good("1\t2\n3\t4\n", &(nnb_csv_opts){.separator = '\t'}, &b);
  ck_assert(b.x.p[1] == 3 && b.t.p[1] == 4);
  nnb_data_destroy(data);

  data = read_good("1,2\n3,4\n", &(nnb_csv_opts){.header = 1}, &b);
  ck_assert(b.x.rows == 1 && b.x.p[0] == 3);
  ck_assert_str_eq(nnb_data_column_name(data, 0), "1");
  nnb_data_destroy(data);

  data = read_good(",y\n1,2\n", NULL, &b); /* a column without a name */
  ck_assert_ptr_null(nnb_data_column_name(data, 0));
  ck_assert_str_eq(nnb_data_column_name(data, 1), "y");
  nnb_data_destroy(data);

  data = read_good("a,kind\n1,x\n2,y\n", NULL, &b); /* the column of classes also has a name */
  nnb_data *first, *second;
  ck_assert_int_eq(nnb_data_split(data, 0.5, 1, &first, &second), NNB_OK);
  ck_assert_str_eq(nnb_data_column_name(data, 1), "kind");
  ck_assert_str_eq(nnb_data_column_name(second, 1), "kind");
  ck_assert_ptr_null(nnb_data_column_name(data, 2));
  nnb_data_destroy(data), nnb_data_destroy(first), nnb_data_destroy(second);

  data = read_good("1,2,setosa\n", NULL, &b); /* one row of data, not a header */
  ck_assert_int_eq(nnb_data_n_classes(data), 1);
  nnb_data_destroy(data);
}
END_TEST

/* Names above texts alone: `repeats` rows of the same two after the first row. */
static void check_texts(const char *first, const char *second, const char *third, int repeats, bool names) {
  char text[4000], *p = text + sprintf(text, "%s\n", first);
  nnb_batch b;
  for (int i = 0; i < repeats; i++) p += sprintf(p, "%s\n%s\n", second, third);
  nnb_data *data = read_good(text, &(nnb_csv_opts){.categories = 32, .missing = NNB_MISSING_MEAN}, &b);
  ck_assert_msg(b.x.rows == 2 * repeats + !names, "%d rows of %s above %s", b.x.rows, first, second);
  ck_assert((nnb_data_column_name(data, nnb_data_n_in(data)) != NULL) == names);
  nnb_data_destroy(data);
}

START_TEST(names_above_texts) {
  check_texts("cap,odour,kind", "flat,none,good", "round,foul,bad", 4, true);
  check_texts("cap,odour,kind", "flat,none,good", "round,foul,bad", 3, false); /* too few rows to tell */
  check_texts("flat,odour,kind", "flat,none,good", "round,foul,bad", 40, false);
  check_texts("cap,odour,kind", "flat,1,good", "round,2,bad", 1, true);
  check_texts("cap,odour,kind", "flat,none,3", "round,foul,4", 1, true);
  check_texts("cap,size,kind", "flat,,good", "round,2,bad", 1, true); /* the first value of a column decides */
  check_texts("cap,?,kind", "flat,none,good", "round,foul,bad", 40, false);
  char text[4000] = "cap,kind\n", *p = text + strlen(text); /* no text comes twice but the classes */
  nnb_data *data;
  for (int i = 0; i < 99; i++) p += sprintf(p, "t%d,%s\n", i, i % 2 ? "good" : "bad");
  ck_assert_int_eq(parse(text, &(nnb_csv_opts){.categories = 200}, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(data), 99);
  nnb_data_destroy(data);
}
END_TEST

/* "names: row; row" of the inputs, " -> " and the same of the targets or classes. */
static void check_read(const char *text, nnb_csv_opts opts, const char *wanted) {
  nnb_batch b;
  char got[300] = "", *p = got;
  nnb_data *data = read_good(text, &opts, &b);
  const int n_in = nnb_data_n_in(data), n_t = b.t.p ? b.t.cols : 0;
  for (int c = 0; c < n_in + (b.label ? 1 : n_t); c++) {
    const char *name = nnb_data_column_name(data, c);
    p += sprintf(p, "%s%s ", c == n_in ? "-> " : "", name ? name : "_");
  }
  for (int i = 0; i < b.x.rows; i++) {
    p += sprintf(p, i ? "; " : ": ");
    for (int j = 0; j < n_in; j++) p += sprintf(p, "%g ", (double)b.x.p[i * b.x.ld + j]);
    for (int j = 0; j < n_t; j++) p += sprintf(p, "> %g", (double)b.t.p[i * b.t.ld + j]);
    if (b.label) p += sprintf(p, "> %s", nnb_data_class_name(data, b.label[i]));
  }
  ck_assert_str_eq(got, wanted);
  nnb_data_destroy(data);
}

START_TEST(chosen_columns) {
  static const char *const ca[] = {"c", "a"}, *const numbers[] = {"3", "1"}, *const b[] = {"b"}, *const two[] = {"2"};
  const char abc[] = "a,b,c\n1,2,3\n4,5,6\n", plain_numbers[] = "1,2,3\n4,5,6\n";
  check_read(abc, (nnb_csv_opts){.target = "a"}, "b c -> a : 2 3 > 1; 5 6 > 4");
  check_read(abc, (nnb_csv_opts){.target = "1"}, "b c -> a : 2 3 > 1; 5 6 > 4");
  check_read(abc, (nnb_csv_opts){.take = ca, .n_take = 2, .n_targets = NNB_NONE}, "c a : 3 1 ; 6 4 ");
  check_read(abc, (nnb_csv_opts){.take = ca, .n_take = 2, .target = "b"}, "c a -> b : 3 1 > 2; 6 4 > 5");
  check_read(abc, (nnb_csv_opts){.take = numbers, .n_take = 2, .target = "2"}, "c a -> b : 3 1 > 2; 6 4 > 5");
  check_read(abc, (nnb_csv_opts){.leave = b, .n_leave = 1}, "a -> c : 1 > 3; 4 > 6");
  check_read(abc, (nnb_csv_opts){.leave = two, .n_leave = 1}, "a -> c : 1 > 3; 4 > 6");
  check_read("a,b,c\n1,x,3\n4,y,6\n", (nnb_csv_opts){.leave = b, .n_leave = 1}, "a -> c : 1 > 3; 4 > 6");
  check_read(abc, (nnb_csv_opts){.leave = ca, .n_leave = 2, .n_targets = NNB_NONE}, "b : 2 ; 5 ");
  check_read(abc, (nnb_csv_opts){.leave = ca, .n_leave = 1}, "a -> b : 1 > 2; 4 > 5");
  check_read(plain_numbers, (nnb_csv_opts){.target = "1"}, "_ _ -> _ : 2 3 > 1; 5 6 > 4");
  check_read(plain_numbers, (nnb_csv_opts){.target = "2", .classify = true}, "_ _ -> _ : 1 3 > 2; 4 6 > 5");
  check_read("3,2,1\n4,5,6\n", (nnb_csv_opts){.target = "3", .header = 1}, "2 1 -> 3 : 5 6 > 4");
  check_read("k,x\nu,1\nv,2\n", (nnb_csv_opts){.target = "1"}, "x -> k : 1 > u; 2 > v");
}
END_TEST

/* Elements, and names that stand for missing values elsewhere */
START_TEST(names_that_are_missing_words) {
  static const char *const words[] = {"Na", "NA", "NaN", "null", "?", "Inf", "n/a", "-inf"};
  char text[100], wanted[100];
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    snprintf(text, sizeof text, "RI,%s,Mg,Type\n1.5,13,4,u\n1.6,14,3,v\n", words[i]);
    snprintf(wanted, sizeof wanted, "RI %s Mg -> Type : 1.5 13 4 > u; 1.6 14 3 > v", words[i]);
    check_read(text, plain, wanted);
  }
  check_read("Na,K,Mg\n1,2,3\n", plain, "Na K -> Mg : 1 2 > 3");
  const nnb_csv_opts fill = {.missing = NNB_MISSING_MEAN};
  check_read("1,NA,3\n4,5,6\n", fill, "1 2 2 missing -> _ : 1 5 1 > 3; 4 5 0 > 6");
  check_read("NA,2,u\n3,4,v\n", fill, "1 1 missing 2 -> _ : 3 1 2 > u; 3 0 4 > v");
  check_read("NA,u\n3,v\n", fill, "1 1 missing -> _ : 3 1 > u; 3 0 > v");
  check_texts("cap,NA,kind", "flat,none,good", "round,foul,bad", 40, false); /* texts alone */
}
END_TEST

START_TEST(separators_and_lines) {
  const char *const wanted = "_ -> _ : 1 > 2; 3 > 4";
  static const char *const texts[] = {"1\t2\n3\t4\n", "1;2\n3;4\n",         "1,2\n3,4\n",
                                      "1 2\n3 4\n",   "  1  \t 2\n3 4  \n", "\"1\" 2 \n3\t \"4\"\n",
                                      "1, 2\n3, 4\n", " 1 ;2 \n3; 4\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_read(texts[i], plain, wanted);
  check_read("1,0;2\n3,0;4,0\n", (nnb_csv_opts){.decimal_comma = true}, wanted);
  check_read("1,0 2\n3 4,0\n", (nnb_csv_opts){.decimal_comma = true}, wanted);
  check_read("1 2\n3 4\n", (nnb_csv_opts){.separator = ' '}, wanted);
  check_read("# made\n  # by\n1,2\n#,\n3,4\n#", (nnb_csv_opts){.comment = '#'}, wanted);
  check_read("made by\r\n\"\r\n1,2\r\n3,4\r\n", (nnb_csv_opts){.skip_lines = 2}, wanted);
  check_read("made by\r\"\r1,2\r3,4", (nnb_csv_opts){.skip_lines = 2}, wanted);
  check_read("\xEF\xBB\xBFx\n1,2\n3,4", (nnb_csv_opts){.skip_lines = 1}, wanted);
  check_read("a;\"b;c\"\n1;2\n", plain, "a -> b;c : 1 > 2");
  check_read("1.5e0,-2e-1\n", plain, "_ -> _ : 1.5 > -0.2");
  check_read("a,b\n1;5,2\n", (nnb_csv_opts){.take = (const char *const[]){"b"}, .n_take = 1, .n_targets = NNB_NONE},
             "b : 2 ");
}
END_TEST

START_TEST(summaries) { /* scikit-learn's files: rows, inputs, names of the classes */
  check_read("2,3,u,v\n1,2,3,1\n4,5,6,0\n", plain, "_ _ _ -> _ : 1 2 3 > v; 4 5 6 > u");
  check_read("2,1,u,v,w\n1,2.0\n4,0\n", plain, "_ -> _ : 1 > w; 4 > u");
  check_read("2,1,u,v\n1,0\n2,1\n", (nnb_csv_opts){.target = "1"}, "_ -> _ : 0 > 1; 1 > 2");
}
END_TEST

static void check_summary(const char *text, nnb_csv_opts opts, const char *wanted) {
  char got[600] = "";
  nnb_batch b;
  nnb_data *data = read_good(text, &opts, &b);
  FILE *f = fmemopen(got, sizeof got, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq(nnb_data_summary(data, f), NNB_OK);
  fclose(f);
  ck_assert_str_eq(got, wanted);
  nnb_data_destroy(data);
}

START_TEST(what_was_inferred) {
  static const char *const b[] = {"b"};
  char many[4000], *p = many;
  check_summary("a,b,species\n1,2,x\n3,4,y\n", plain,
                "f.csv: 2 rows of 3 columns separated by ',', names in the first row\n"
                "target: species (last column, 2 classes); 2 numeric\n");
  check_summary("a\tb\tc\n1\t2\t3\n", (nnb_csv_opts){.target = "1", .leave = b, .n_leave = 1},
                "f.csv: 1 row of 3 columns separated by tabs, names in the first row\n"
                "target: a (first column, numbers); 1 numeric; 1 left out\n");
  check_summary("1 2 3\n", (nnb_csv_opts){.n_targets = 2},
                "f.csv: 1 row of 3 columns separated by blanks, no header\n"
                "targets: columns 2 to 3 (numbers); 1 numeric\n");
  static const char *const third[] = {"3"}, *const fourth[] = {"4"};
  check_summary("1 2 3 4\n", (nnb_csv_opts){.n_targets = 2, .leave = third, .n_leave = 1},
                "f.csv: 1 row of 4 columns separated by blanks, no header\n"
                "targets: columns 2, 4 (numbers); 1 numeric; 1 left out\n");
  check_summary("1 2 3 4 5 6\n", (nnb_csv_opts){.n_targets = 4, .leave = fourth, .n_leave = 1},
                "f.csv: 1 row of 6 columns separated by blanks, no header\n"
                "targets: columns 2 to 3, 5 to 6 (numbers); 1 numeric; 1 left out\n");
  check_summary("2,1,u,v\n1,0\n2,1\n", plain,
                "f.csv: 2 rows of 2 columns separated by ',', rows, inputs and class names in the first row\n"
                "target: column 2 (last column, 2 classes); 1 numeric\n");
  check_summary("1;2\n", inputs_only, "f.csv: 1 row of 2 columns separated by ';', no header\nno target; 2 numeric\n");
  check_summary("a;b;c\nx;1,5;2,5\ny;2,0;4,5\n", (nnb_csv_opts){.header = 1, .categories = 9},
                "f.csv: 2 rows of 3 columns separated by ';', names in the first row\n"
                "target: c (last column, 2 classes); 0 numeric, 2 categorical\n"
                "note: the texts of \"b\" are numbers with a decimal comma; .decimal_comma = true reads them so\n"
                "note: the classes are numbers with a decimal comma; .decimal_comma = true reads them so\n");
  for (int i = 0; i < 60; i++) p += sprintf(p, "%d,%d.5,%d\n", 1 + i % 3, i, 100 + i); /* like wine.data */
  check_summary(many, plain,
                "f.csv: 60 rows of 3 columns separated by ',', no header\n"
                "target: column 3 (last column, numbers); 2 numeric\n"
                "note: the first column has only 3 different values, all whole, and may be the target: .target = \"1\" "
                "and .classify = true make it that\n");
  check_summary(many, (nnb_csv_opts){.target = "1"},
                "f.csv: 60 rows of 3 columns separated by ',', no header\n"
                "target: column 1 (first column, numbers); 2 numeric\n"
                "note: the target has only 3 different values, all whole; .classify = true makes them classes\n");
  check_summary(many, (nnb_csv_opts){.target = "1", .classify = true},
                "f.csv: 60 rows of 3 columns separated by ',', no header\n"
                "target: column 1 (first column, 3 classes); 2 numeric\n");
}
END_TEST

static void check_classes(const char *text, const nnb_csv_opts *opts, const char *names, const char *labels) {
  nnb_batch b;
  char got_names[100] = "", got_labels[100] = "";
  nnb_data *data = read_good(text, opts, &b);
  ck_assert_ptr_nonnull(b.label);
  ck_assert_ptr_null(b.t.p);
  for (int k = 0; k < nnb_data_n_classes(data); k++) strcat(strcat(got_names, nnb_data_class_name(data, k)), " ");
  for (int i = 0; i < b.x.rows; i++) sprintf(got_labels + strlen(got_labels), "%d ", (int)b.label[i]);
  ck_assert_str_eq(got_names, names);
  ck_assert_str_eq(got_labels, labels);
  ck_assert_int_eq(nnb_data_n_out(data), nnb_data_n_classes(data));
  nnb_data_destroy(data);
}

START_TEST(classes) {
  static const char *const given[] = {"c", "b", "a"}, *const numbers[] = {"2", "1.0"}, *const both[] = {"01", "b", "1"},
                           *const missing[] = {"b", "NA"};
  check_classes("1,b\n2,a\n3,b\n", NULL, "b a ", "0 1 0 ");
  check_classes("x,y\n1,b\n2,a\n", NULL, "b a ", "0 1 ");
  check_classes("1,1\n2,b\n3,1\n", &(nnb_csv_opts){.class_names = both, .n_class_names = 3}, "01 b 1 ", "2 1 2 ");
  check_classes("1,10\n2,9\n3,10.0\n4,-1\n", &(nnb_csv_opts){.classify = true}, "-1 9 10 ", "2 1 2 0 ");
  check_classes("1,0.1\n2,0\n3,-0\n", &(nnb_csv_opts){.classify = true}, "0 0.1 ", "1 0 0 ");
  check_classes("1,b\n2,a\n", &(nnb_csv_opts){.class_names = given, .n_class_names = 3}, "c b a ", "1 2 ");
  check_classes("1,1\n2,2.0\n", &(nnb_csv_opts){.class_names = numbers, .n_class_names = 2}, "2 1.0 ", "1 0 ");
  check_classes("k,x\nb,1\na,2\n", &(nnb_csv_opts){.target = "k"}, "b a ", "0 1 ");
  check_classes("1,\"Iris, dried\"\n2,-\n", NULL, "Iris, dried - ", "0 1 ");
  check_classes("1,NA\n2,b\n", &(nnb_csv_opts){.class_names = missing, .n_class_names = 2}, "b NA ", "1 0 ");
}
END_TEST

/* One damaged field does not change the meaning of the others. */
START_TEST(damaged_texts) {
  static const nnb_csv_opts classify = {.classify = true}, header = {.header = 1}, no_header = {.header = NNB_NONE};
  static const struct {
    const char *text;
    const nnb_csv_opts *opts;
    const char *sentence; /* NULL: a header and two rows of numbers */
  } table[] = {
      {"a,b\n1,2\n3,4\n", &plain, NULL},
      {"a,2000\n1,2\n3,4\n", &header, NULL},
      {"1,2\n1,2\n3,4\n", &header, NULL},
      {"a,\n1,2\n3,4\n", &plain, NULL},
      {"1.2x,2\n1,2\n3,4\n", &plain,
       "f.csv:1:1: \"1.2x\" is not a number (where the first row holds names, set .header"},
      {"1,2x\n1,2\n3,4\n", &plain,
       "f.csv:2:3: \"2\" is a number but the first target is a text (.class_names allows both; where the first row "
       "holds "
       "names, set .header = 1)"},
      {"1,2\n3,b\n1,2\n", &header,
       "f.csv:3:3: \"2\" is a number but the first target is a text (.class_names allows both)"},
      {"x,1e999\n1,2\n3,4\n", &plain, "f.csv:1:1: \"x\" is not a number"},
      {"1,2x\n1,2\n3,4\n", &inputs_only, "f.csv:1:3: \"2x\" is not a number"},
      {"a,2000\n1,2\n3,4\n", &plain, "f.csv:1:1: \"a\" is not a number (where the first row holds names"},
      {"x,nan\n1,2\n3,4\n", &inputs_only, "f.csv:1:1: \"x\" is not a number"},
      {"a,b\nx,y\n3,4\n", &inputs_only, "f.csv:1:1: \"a\" is not a number"},
      {"a,b\nx,2\n3,4\n", &plain, "f.csv:2:1: \"x\" is not a number"},
      {"a,b\n1,2\n3,4\n", &no_header, "f.csv:1:1: \"a\" is not a number"},
      {"a,b\n1,2\n3,4o\n5,6\n", &plain, "f.csv:3:3: \"4o\" is not a number as the first target is"},
      {"1,2\n3,x\n", &plain, "f.csv:2:3: \"x\" is not a number as the first target is (.class_names"},
      {"1,2\n3,x\n", &classify, "f.csv:2:3: \"x\" is not a number as the first target is"},
      {"1,x\n3,2\n", &plain, "f.csv:2:3: \"2\" is a number but the first target is a text (.class_names"},
      {"1,x\n3,2\n", &classify, "f.csv:2:3: \"2\" is a number"},
      {"1,nan\n3,2\n", &plain, "f.csv:1:3: the target is missing"},
      {"k,v\n1,nan\n3,x\n4,5\n", &plain, "f.csv:2:3: the class is missing; drop the row"},
      {"k,v\n1,u\n3,x\n4,5\n", &plain, "f.csv:4:3: \"5\" is a number"},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb_data *data;
    nnb_status status = parse(table[i].text, table[i].opts, &data);
    bool as_wanted = table[i].sentence ? status == NNB_E_PARSE && strstr(nnb_errmsg(), table[i].sentence)
                                       : status == NNB_OK && nnb_data_rows(data) == 2 && nnb_data_n_out(data) == 1;
    ck_assert_msg(as_wanted, "%zu \"%s\": wanted %s\ngot %s: %s", i, table[i].text,
                  table[i].sentence ? table[i].sentence : "two rows", nnb_strstatus(status), nnb_errmsg());
    nnb_data_destroy(data);
  }
}
END_TEST

START_TEST(bad_texts) {
  static const char *const given[] = {"a", "b"}, *const twice[] = {"a", "a"}, *const null[] = {"a", NULL};
  static const char *const three = "3", *const zero = "0", *const c = "c", *const first_two[] = {"1", "2"};
  const nnb_csv_opts classify = {.classify = true}, no_header = {.header = NNB_NONE, .n_targets = NNB_NONE},
                     target_z = {.target = "z"}, two_targets = {.n_targets = 2},
                     given_classes = {.class_names = given, .n_class_names = 2},
                     same_class = {.class_names = twice, .n_class_names = 2},
                     null_class = {.class_names = null, .n_class_names = 2}, no_count = {.class_names = given},
                     bad_header = {.header = 2}, bad_separator = {.separator = '"'}, bad_targets = {.n_targets = -5},
                     names = {.header = 1}, classify_two = {.classify = true, .n_targets = 2},
                     name_without_header = {.target = "a", .header = NNB_NONE},
                     target_null = {.take = null, .n_take = 2}, near = {.target = "speceis"},
                     column_3 = {.leave = &three, .n_leave = 1}, column_0 = {.leave = &zero, .n_leave = 1},
                     taken_twice = {.take = twice, .n_take = 2}, target_taken = {.take = &c, .n_take = 1},
                     target_left = {.leave = &c, .n_leave = 1, .target = "c"},
                     both_lists = {.take = &c, .n_take = 1, .leave = given, .n_leave = 1}, no_list = {.n_take = 1};
  const struct {
    const char *text;
    const nnb_csv_opts *opts;
    nnb_status status;
    const char *sentence;
  } table[] = {
      {"", &plain, NNB_E_PARSE, "f.csv: no rows of data"},
      {"\n \n\r\n", &plain, NNB_E_PARSE, "f.csv: no rows of data"},
      {"a,b,c\n", &plain, NNB_E_PARSE,
       "f.csv:1:1: \"a\" is not a number (where the first row holds names, set .header = 1)"},
      {"a,b,c\n", &names, NNB_E_PARSE, "f.csv: no rows of data"},
      {"a,b\n1,2\n3,abc\n", &inputs_only, NNB_E_PARSE, "f.csv:3:3: \"abc\" is not a number"},
      {"a,b\n1,2\n3,4,5\n", &plain, NNB_E_PARSE, "f.csv:3: the row has 3 fields; the first row has 2"},
      {"1,2,3\n\n\n4\n", &plain, NNB_E_PARSE, "f.csv:4: the row has 1 field; the first row has 3"},
      {"1,2\r\n\r\n3,x\r\n", &inputs_only, NNB_E_PARSE, "f.csv:3:3: \"x\" is not a number"},
      {"1,2\r\r3,x\r", &inputs_only, NNB_E_PARSE, "f.csv:3:3: \"x\" is not a number"},
      {"\"a\nb\n\",c\n1,2\n  x ,4\n", &inputs_only, NNB_E_PARSE, "f.csv:5:3: \"x\" is not a number"},
      {"é,ü\n1,2\n\"ö\",4\n", &inputs_only, NNB_E_PARSE, "f.csv:3:1: \"ö\" is not a number"},
      {"k,v\nééé,1,\n", &plain, NNB_E_PARSE, "f.csv:2: the row has 3 fields; the first row has 2"},
      {"ééé,oo\n1,2\n1,\"é\"\n", &inputs_only, NNB_E_PARSE, "f.csv:3:3: \"é\" is not a number"},
      {"1,2\n3,\n", &plain, NNB_E_PARSE, "f.csv:2:3: the target is missing; drop the row"},
      {"1,2\n3,  ", &plain, NNB_E_PARSE, "f.csv:2:5: the target is missing; drop the row"},
      {"1,2\n,4\n", &plain, NNB_E_PARSE,
       "f.csv:2:1: the value of column 1 is missing (.missing = NNB_MISSING_MEAN accepts it, .leave ignores"},
      {"1,nan\n3,4\n", &plain, NNB_E_PARSE, "f.csv:1:3: the target is missing"},
      {"1,2\n-INF,4\n", &plain, NNB_E_PARSE, "f.csv:2:1: \"-INF\" is not a finite number"},
      {"1,2\n1e999,4\n", &plain, NNB_E_PARSE, "f.csv:2:1: \"1e999\" is not a finite number"},
      {"1,2\n?,4\n", &plain, NNB_E_PARSE, "f.csv:2:1: the value of column 1 is missing"},
      {"1,2\nred,4\n", &plain, NNB_E_PARSE,
       "f.csv:2:1: \"red\" is not a number (.categories reads a column of texts, .leave ignores it)"},
      {"1,2\n0x10,4\n", &plain, NNB_E_PARSE, "f.csv:2:1: \"0x10\" is not a number"},
      {"1,2\n1 2,4\n", &plain, NNB_E_PARSE, "f.csv:2:1: \"1 2\" is not a number"},
      {"a,b\nc,d\n", &no_header, NNB_E_PARSE, "f.csv:1:1: \"a\" is not a number"},
      {"1;2\n3;4\n", &(nnb_csv_opts){.separator = ',', .n_targets = NNB_NONE}, NNB_E_PARSE, "\"1;2\" is not a number"},
      {"1,2\n3,\"4\n5,6\n", &plain, NNB_E_PARSE, "f.csv:2:3: this quotation mark is never closed"},
      {"\"", &plain, NNB_E_PARSE, "f.csv:1:1: this quotation mark is never closed"},
      {"1,2\n3,4\"5\n", &plain, NNB_E_PARSE, "f.csv:2:4: a quotation mark inside a field"},
      {"1,2\n\"3\"x,4\n", &plain, NNB_E_PARSE,
       "f.csv:2:4: a quotation mark inside a field, or text after a quoted field"},
      {"1,a\n2,\n", &plain, NNB_E_PARSE, "f.csv:2:3: the class is missing"},
      {"1,0\n2,\n", &classify, NNB_E_PARSE, "f.csv:2:3: the class is missing"},
      {"1,0\n2,nan\n", &classify, NNB_E_PARSE, "f.csv:2:3: the class is missing"},
      {"1,a\n2,c\n", &given_classes, NNB_E_PARSE, "f.csv:2:3: \"c\" is not in class_names"},
      {"1,\xE9\n", &plain, NNB_E_PARSE, "f.csv:1:3: the name of the class is not UTF-8"},
      {"\xE9,b\n1,2\n", &plain, NNB_E_PARSE, "f.csv:1:1: the name is not UTF-8"},
      {"1\n2\n", &plain, NNB_E_SHAPE, "f.csv: rows have 1 field; with 1 of them as targets there is no input"},
      {"1,2\n3,4\n", &two_targets, NNB_E_SHAPE, "f.csv: rows have 2 fields; with 2 of them as targets"},
      {"1,2,3\n3,4,x\n", &two_targets, NNB_E_PARSE, "f.csv:2:5: \"x\" is not a number"},
      {"a,b\n1,2\n", &target_z, NNB_E_ARG, "f.csv: no column is named \"z\""},
      {"z,z\n1,2\n", &target_z, NNB_E_ARG, "f.csv: 2 columns are named \"z\"; a number says which"},
      {"1,2\n", &same_class, NNB_E_ARG, "class_names has \"a\" twice"},
      {"1,2\n", &null_class, NNB_E_ARG, "class_names[1] is NULL"},
      {"1,2\n", &no_count, NNB_E_ARG, "class_names and n_class_names (0) do not match"},
      {"1,2\n", &bad_header, NNB_E_ARG, "header is 2"},
      {"1,2\n", &bad_separator, NNB_E_ARG, "the separator must not be"},
      {"1,2\n", &bad_targets, NNB_E_ARG, "n_targets is -5"},
      {"1,2,3\n", &classify_two, NNB_E_ARG, "there are 2 target columns; classes need exactly one"},
      {"a,b\n1,2\n", &name_without_header, NNB_E_ARG, "a column by name needs a header"},
      {"a,b\n1,2\n", &target_null, NNB_E_ARG, "take has a NULL"},
      {"species,b\n1,2\n", &near, NNB_E_ARG,
       "f.csv: no column is named \"speceis\" (target); the nearest name is \"species\""},
      {"1,2\n3,4\n", &column_3, NNB_E_ARG, "f.csv: leave \"3\": the columns have no names, but numbers from 1 to 2"},
      {"1,2\n3,4\n", &column_0, NNB_E_ARG, "f.csv: leave \"0\": the columns have no names"},
      {"a,b,c\n1,2,3\n", &taken_twice, NNB_E_ARG, "f.csv: column \"a\" of take is an input already"},
      {"a,b,c\n1,2,3\n", &target_taken, NNB_E_ARG, "f.csv: column \"c\" of take is the target already"},
      {"a,b,c\n1,2,3\n", &target_left, NNB_E_ARG, "f.csv: column \"c\" of target is left already"},
      {"a,b,c\n1,2,3\n", &both_lists, NNB_E_ARG, "take and leave do not go together"},
      {"a,b,c\n1,2,3\n", &no_list, NNB_E_ARG, "take and n_take (1) do not match"},
      {"a,b\n1,2\n", &(nnb_csv_opts){.leave = first_two, .n_leave = 2}, NNB_E_SHAPE,
       "f.csv: rows have 2 fields; with 2 of them left out and 1 as targets there is no input"},
      {"1,2,3\n4,5,6\n", &(nnb_csv_opts){.leave = first_two, .n_leave = 2}, NNB_E_SHAPE,
       "f.csv: rows have 3 fields; with 2 of them left out and 1 as targets there is no input"},
      {"\xEF\xBB\xBF\"1\"x,2\n", &plain, NNB_E_PARSE, "f.csv:1:4: a quotation mark inside"},
      {"\xEF\xBB\xBFx,y\n1,2\n3,4z\n", &plain, NNB_E_PARSE, "f.csv:3:3: \"4z\" is not a number"},
      {"\xEF\xBB\xBF"
       "1,z\n1,2\n3,4\n",
       &inputs_only, NNB_E_PARSE, "f.csv:1:3: \"z\" is not a number"},
      {"1,2\n", &(nnb_csv_opts){.skip_lines = -1}, NNB_E_ARG, "skip_lines is -1"},
      {"1,2\n", &(nnb_csv_opts){.skip_lines = 3}, NNB_E_PARSE, "no rows of data"},
      {"1,2\n", &(nnb_csv_opts){.comment = ' '}, NNB_E_ARG, "the comment character must not be"},
      {"1,2\n", &(nnb_csv_opts){.separator = ',', .decimal_comma = true}, NNB_E_ARG, "decimal_comma"},
      {"1,5;2\n3,5;x\n", &inputs_only, NNB_E_PARSE,
       "f.csv:1:1: \"1,5\" is not a number (where numbers have a decimal comma, set .decimal_comma = true)"},
      {"# x\n1,2\n# 3\n4,z\n", &(nnb_csv_opts){.comment = '#', .n_targets = NNB_NONE}, NNB_E_PARSE, "f.csv:4:3: "},
      {"x;y\nz\n1,2\n4,z\n", &(nnb_csv_opts){.skip_lines = 2, .n_targets = NNB_NONE}, NNB_E_PARSE, "f.csv:4:3: "},
      {"150,4,a,b\n1,2,3,4,0\n", &plain, NNB_E_PARSE, "f.csv:1:1: the first row announces 150 rows; 1 came"},
      {"2,1,a,b\n1,0\n2,2\n", &plain, NNB_E_PARSE, "f.csv:3:3: \"2\" is not in class_names"},
      {"2,1,a,b\n1,0\n2,1,3\n", &plain, NNB_E_PARSE, "f.csv:3: the row has 3 fields; the second row has 2"},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    nnb_data *data = (nnb_data *)&plain;
    nnb_status status = parse(table[i].text, table[i].opts, &data);
    ck_assert_msg(status == table[i].status && strstr(nnb_errmsg(), table[i].sentence),
                  "%zu \"%s\": wanted %s: %s\ngot %s: %s", i, table[i].text, nnb_strstatus(table[i].status),
                  table[i].sentence, nnb_strstatus(status), nnb_errmsg());
    ck_assert_ptr_null(data);
  }
}
END_TEST

START_TEST(odd_texts) {
  nnb_data *data;
  ck_assert_int_eq(nnb_data_parse_csv("1,2\n3,\0004\n", 9, "f.csv", NULL, &data), NNB_E_PARSE);
  ck_assert_str_eq(nnb_errmsg(), "f.csv:2:3: a NUL byte; this is not text in UTF-8 or ASCII");
  ck_assert_int_eq(nnb_data_parse_csv(NULL, 1, "f.csv", NULL, &data), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_parse_csv(NULL, 0, NULL, NULL, &data), NNB_E_PARSE);
  ck_assert_int_eq(nnb_data_parse_csv("1,2", 3, "f.csv", NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_read_csv(NULL, NULL, &data), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_read_csv("f.csv", NULL, NULL), NNB_E_ARG);
  ck_assert_int_eq(nnb_data_read_csv("no/such/file.csv", NULL, &data), NNB_E_IO);
  ck_assert_str_eq(nnb_errmsg(), "no/such/file.csv: opening failed: No such file or directory");
  ck_assert_int_eq(nnb_data_read_csv("/", NULL, &data), NNB_E_IO);
  ck_assert_ptr_nonnull(strstr(nnb_errmsg(), "/: reading failed: "));
}
END_TEST

START_TEST(large_numbers_and_this_precision) {
  nnb_data *data = NULL;
  nnb_status status = parse("1,1e300\n", &inputs_only, &data);
#ifdef NNB_SINGLE
  ck_assert_int_eq(status, NNB_E_PARSE);
  ck_assert_str_eq(nnb_errmsg(), "f.csv:1:3: \"1e300\" is not a finite number in single precision");
#else
  ck_assert_int_eq(status, NNB_OK);
#endif
  nnb_data_destroy(data);
}
END_TEST

START_TEST(a_huge_field) { /* takes linear time */
  size_t n = 20u << 20;
  char *text = malloc(n + 16);
  ck_assert_ptr_nonnull(text);
  memset(text, 'a', n);
  strcpy(text + n, ",b\n1,2\n");
  nnb_batch b;
  nnb_data *data = read_good(text, NULL, &b);
  ck_assert_uint_eq(strlen(nnb_data_column_name(data, 0)), n);
  nnb_data_destroy(data);
  memset(text, '1', n);
  strcpy(text + n, ",2\n1,2\n");
  ck_assert_int_eq(parse(text, &inputs_only, &data), NNB_E_PARSE); /* beyond the range of a double */
  ck_assert_uint_lt(strlen(nnb_errmsg()), 120);
  free(text);
}
END_TEST

START_TEST(many_rows) { /* across the blocks in which the text is passed on */
  enum { ROWS = 30000 };
  char *text = malloc(ROWS * 32), *p = text;
  ck_assert_ptr_nonnull(text);
  for (int i = 0; i < ROWS; i++) p += sprintf(p, "%d,%.1f,c%d\n", i, .5 - i, i % 700);
  nnb_batch b;
  nnb_data *data = read_good(text, NULL, &b);
  ck_assert_int_eq(nnb_data_rows(data), ROWS);
  ck_assert_int_eq(nnb_data_n_classes(data), 700);
  for (int i = 0; i < ROWS; i++) {
    ck_assert(b.x.p[2 * i] == (real)i && b.x.p[2 * i + 1] == (real)-i + (real).5);
    ck_assert_int_eq(b.label[i], i % 700);
  }
  nnb_data_destroy(data);
  free(text);
}
END_TEST

START_TEST(a_file) {
  char path[] = "/tmp/nnblas-csv-XXXXXX", sentence[100];
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, "1,2\n3,4x\n", 9), 9);
  nnb_data *data;
  ck_assert_int_eq(nnb_data_read_csv(path, &inputs_only, &data), NNB_E_PARSE);
  snprintf(sentence, sizeof sentence, "%s:2:3: \"4x\" is not a number", path);
  ck_assert_str_eq(nnb_errmsg(), sentence);
  ck_assert_int_eq(ftruncate(fd, 4), 0);
  ck_assert_int_eq(nnb_data_read_csv(path, NULL, &data), NNB_OK);
  ck_assert_int_eq(nnb_data_rows(data), 1);
  nnb_data_destroy(data);
  close(fd);
  unlink(path);
}
END_TEST

typedef struct reading {
  const char *text;
  nnb_csv_opts opts;
  nnb_status wanted;
} reading;

static nnb_status read_once(void *context) {
  const reading *r = context;
  nnb_data *data = NULL;
  nnb_status status = parse(r->text, &r->opts, &data);
  nnb_data_destroy(data);
  return status == r->wanted ? NNB_OK : status;
}

START_TEST(every_allocation_fails) {
  static const char *const given[] = {"a", "b"};
  reading table[] = {
      {"x,y,z\n1,2,3\n4,5,6\n", {0}, NNB_OK},
      {"x,y,z\n1,2,a\n4,5,b\n", {0}, NNB_OK},
      {"1,2,7\n4,5,6\n", {.classify = true}, NNB_OK},
      {"1,2,a\n4,5,b\n", {.class_names = given, .n_class_names = 2}, NNB_OK},
      {"x,y,z\n1,2,a\n4,c,b\n", {0}, NNB_E_PARSE},
      {"x,y,z\n1,2\n", {0}, NNB_E_PARSE},
      {"x,y,\"z\n1,2\n", {0}, NNB_E_PARSE},
      {"x,y\na,b\na,b\na,b\na,b\n", {.categories = 9}, NNB_OK},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) check_every_allocation(read_once, &table[i]);
}
END_TEST

START_TEST(a_locale_with_a_decimal_comma) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
  bool found = false;
  for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) found = setlocale(LC_ALL, names[i]) != NULL;
  if (!found) puts("skipped: no locale with a decimal comma is installed");
  nnb_batch b;
  nnb_data *data = read_good("1.5,2.5\n", NULL, &b);
  ck_assert(b.x.p[0] == (real)1.5 && b.t.p[0] == (real)2.5);
  nnb_data_destroy(data);
  setlocale(LC_ALL, "C");
}
END_TEST

int main(void) {
  Suite *s = suite_create("csv " PRECISION);
  TCase *t = tcase_create("csv");
  tcase_add_test(t, good_texts);
  tcase_add_test(t, headers_and_targets);
  tcase_add_test(t, names_above_texts);
  tcase_add_test(t, chosen_columns);
  tcase_add_test(t, names_that_are_missing_words);
  tcase_add_test(t, separators_and_lines);
  tcase_add_test(t, summaries);
  tcase_add_test(t, what_was_inferred);
  tcase_add_test(t, classes);
  tcase_add_test(t, damaged_texts);
  tcase_add_test(t, bad_texts);
  tcase_add_test(t, odd_texts);
  tcase_add_test(t, large_numbers_and_this_precision);
  tcase_add_test(t, a_huge_field);
  tcase_add_test(t, many_rows);
  tcase_add_test(t, a_file);
  tcase_add_test(t, every_allocation_fails);
  tcase_add_test(t, a_locale_with_a_decimal_comma);
  suite_add_tcase(s, t);
  return run_suite(s);
}
