/* Arrays of NumPy (NPY, NPZ), and data written as CSV and IDX.  tests/golden/make_numpy.py made the golden files. */
#include "bad.h"

static void ck_array(const nnb_array *a, const char *what, bool by_two) {
  ck_assert_msg(a->n_dims == 3 && a->dim[0] == 2 && a->dim[1] == 3 && a->dim[2] == 2, "%s: another shape", what);
  for (int i = 0; i < 12; i++)
    ck_assert_msg(a->p[i] == (real)(by_two ? i % 2 : i), "%s: number %d is %g", what, i, (double)a->p[i]);
}

START_TEST(golden_arrays) {
  static const char *const names[] = {"little_f2", "little_f4", "little_f8", "big_f2",    "big_f4",    "big_f8",
                                      "little_i2", "little_i4", "little_i8", "big_i2",    "big_i4",    "big_i8",
                                      "byte_i1",   "byte_u1",   "little_u2", "little_u4", "little_u8", "big_u8",
                                      "byte_b1",   "fortran",   "version_1", "version_2", "version_3"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[400];
    nnb_array a;
    snprintf(path, sizeof path, NUMPY_DATA "/%s.npy", names[i]);
    ck_ok(nnb_array_read_npy(path, &a));
    ck_array(&a, names[i], strstr(names[i], "b1") != NULL);
    nnb_array_clear(&a);
  }
}
END_TEST

START_TEST(golden_archives) {
  nnb_array a;
  ck_ok(nnb_array_read_npz(NUMPY_DATA "/stored.npz", "a", &a));
  ck_array(&a, "stored a", false), nnb_array_clear(&a);
  ck_ok(nnb_array_read_npz(NUMPY_DATA "/stored.npz", "b", &a));
  ck_array(&a, "stored b", false), nnb_array_clear(&a);
  ck_ok(nnb_array_read_npz(NUMPY_DATA "/single.npz", NULL, &a));
  ck_array(&a, "single", false), nnb_array_clear(&a);
  bad(NNB_E_ARG, "has 2 arrays; wanted a key", nnb_array_read_npz(NUMPY_DATA "/stored.npz", NULL, &a));
  bad(NNB_E_ARG, "has 0 arrays \"c\"", nnb_array_read_npz(NUMPY_DATA "/stored.npz", "c", &a));
  ck_assert_ptr_null(a.p);
#ifdef NNB_HAVE_ZLIB
  ck_ok(nnb_array_read_npz(NUMPY_DATA "/packed.npz", "b", &a));
  ck_array(&a, "packed b", false), nnb_array_clear(&a);
#else
  bad(NNB_E_UNSUPPORTED, "without zlib", nnb_array_read_npz(NUMPY_DATA "/packed.npz", "b", &a));
#endif
}
END_TEST

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static const nnb_array_type types[] = {NNB_ARRAY_SAME, NNB_ARRAY_F64, NNB_ARRAY_F32, NNB_ARRAY_I64,
                                       NNB_ARRAY_I32,  NNB_ARRAY_U8,  NNB_ARRAY_BOOL};

START_TEST(round_trips) {
  char path[TOY_PATH];
  real numbers[24];
  toy_path(path, "array.npy");
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (int n_dims = 0; n_dims <= NNB_ARRAY_DIMS; n_dims++) {
      nnb_array a = {.p = numbers, .n_dims = n_dims}, b;
      size_t count = 1;
      for (int i = 0; i < n_dims; i++) count *= a.dim[i] = i == 1 ? 3 : i == 4 || i == 6 ? 2 : 1;
      for (size_t i = 0; i < count; i++) numbers[i] = (real)(types[t] == NNB_ARRAY_BOOL ? i % 2 : i * 10);
      if (types[t] == NNB_ARRAY_SAME) numbers[0] = (real)0.1;
      if (types[t] == NNB_ARRAY_I32) numbers[0] = (real)-2147483648.0;
      ck_ok(nnb_array_write_npy(path, &a, types[t]));
      ck_ok(nnb_array_read_npy(path, &b));
      ck_assert_int_eq(b.n_dims, n_dims);
      ck_assert(memcmp(a.dim, b.dim, (size_t)n_dims * sizeof *a.dim) == 0);
      ck_assert(memcmp(numbers, b.p, count * sizeof(real)) == 0);
      nnb_array_clear(&b);
    }
  remove(path);
}
END_TEST

START_TEST(archives) {
  char path[TOY_PATH];
  real x[6], t[2] = {7, 8};
  const char *const keys[] = {"x", "target values"};
  toy_fill(x, 6, 1), toy_path(path, "arrays.npz");
  const nnb_array arrays[] = {{.p = x, .n_dims = 2, .dim = {2, 3}}, {.p = t, .n_dims = 1, .dim = {2}}};
  nnb_array back;
  nnb_mat view;
  ck_ok(nnb_array_write_npz(path, keys, arrays, 2, NNB_ARRAY_SAME));
  ck_ok(nnb_array_read_npz(path, "x", &back));
  ck_assert(memcmp(x, back.p, sizeof x) == 0);
  ck_ok(nnb_array_view(&back, &view));
  ck_assert(view.rows == 2 && view.cols == 3 && view.ld == 3 && view.p == back.p);
  nnb_array_clear(&back);
  ck_ok(nnb_array_read_npz(path, "target values", &back));
  ck_assert(memcmp(t, back.p, sizeof t) == 0);
  nnb_array_clear(&back);
  const char *const twice[] = {"x", "x"}, *const none[] = {"x", ""};
  bad(NNB_E_ARG, "both \"x\"", nnb_array_write_npz(path, twice, arrays, 2, NNB_ARRAY_SAME));
  bad(NNB_E_ARG, "keys[1] is \"\"", nnb_array_write_npz(path, none, arrays, 2, NNB_ARRAY_SAME));
  bad(NNB_E_ARG, "n is 0", nnb_array_write_npz(path, keys, arrays, 0, NNB_ARRAY_SAME));
  remove(path);
}
END_TEST

START_TEST(numbers_must_fit) {
  char path[TOY_PATH];
  real v = (real)0.5;
  nnb_array a = {.p = &v};
  toy_path(path, "fit.npy");
  bad(NNB_E_ARG, "number 1 of the array is 0.5; wanted a whole number of 64 bits",
      nnb_array_write_npy(path, &a, NNB_ARRAY_I64));
  v = (real)2147483648.0;
  bad(NNB_E_ARG, "32 bits", nnb_array_write_npy(path, &a, NNB_ARRAY_I32));
  v = 256;
  bad(NNB_E_ARG, "0 to 255", nnb_array_write_npy(path, &a, NNB_ARRAY_U8));
  v = 2;
  bad(NNB_E_ARG, "wanted 0 or 1", nnb_array_write_npy(path, &a, NNB_ARRAY_BOOL));
  v = (real)NAN;
  bad(NNB_E_ARG, "wanted 0 or 1", nnb_array_write_npy(path, &a, NNB_ARRAY_BOOL));
  bad(NNB_E_ARG, "type is 9", nnb_array_write_npy(path, &a, (nnb_array_type)9));
  a.n_dims = 9;
  bad(NNB_E_ARG, "9 dimensions", nnb_array_write_npy(path, &a, NNB_ARRAY_SAME));
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* ---- bad files --------------------------------------------------------------------------------------------------- */

static void refuse(nnb_status wanted, const char *words, const char *header, size_t n_numbers) {
  static const uint8_t zeros[64];
  uint8_t f[600] = "\x93NUMPY\x01";
  const size_t n = strlen(header);
  nnb_array a;
  f[7] = 0, f[8] = (uint8_t)n, f[9] = (uint8_t)(n >> 8);
  memcpy(f + 10, header, n);
  memcpy(f + 10 + n, zeros, n_numbers);
  check_bad(nnb_array_parse_npy(f, 10 + n + n_numbers, "f.npy", &a), wanted, words, header);
  ck_assert_ptr_null(a.p);
}

START_TEST(bad_headers) {
  nnb_array a;
  bad(NNB_E_PARSE, "not an NPY file", nnb_array_parse_npy("no such thing", 13, "f", &a));
  bad(NNB_E_UNSUPPORTED, "version 4", nnb_array_parse_npy("\x93NUMPY\x04\0\0\0\0\0", 12, "f", &a));
  bad(NNB_E_PARSE, "cut off", nnb_array_parse_npy("\x93NUMPY\x01\0\xff\0", 10, "f", &a));
  bad(NNB_E_PARSE, "not a ZIP", nnb_array_parse_npz("PK", 2, "f", NULL, &a));
  refuse(NNB_E_PARSE, "wanted a dictionary", "[]", 0);
  refuse(NNB_E_PARSE, "each once", "{'descr': '<f8', 'descr': '<f8'}", 0);
  refuse(NNB_E_PARSE, "each once", "{'other': 1}", 0);
  refuse(NNB_E_PARSE, "descr, fortran_order and shape", "{'descr': '<f8'}", 0);
  refuse(NNB_E_PARSE, "True or False", "{'descr': '<f8', 'fortran_order': 1, 'shape': ()}", 8);
  refuse(NNB_E_PARSE, "nothing after", "{'descr': '<f8', 'fortran_order': False, 'shape': ()} x", 8);
  refuse(NNB_E_UNSUPPORTED, "type \"<c8\"", "{'descr': '<c8', 'fortran_order': False, 'shape': ()}", 8);
  refuse(NNB_E_UNSUPPORTED, "records", "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}", 8);
  refuse(NNB_E_UNSUPPORTED, "more than 8", "{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 8);
  refuse(NNB_E_PARSE, "8 bytes of numbers, but the file has 7", "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
         7);
  refuse(NNB_E_PARSE, "8 bytes of numbers, but the file has 9", "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
         9);
  refuse(NNB_E_OVERFLOW, "too large", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0);
  refuse(NNB_E_OVERFLOW, "too large", "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", 0);
  refuse(NNB_E_PARSE, "a size", "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", 0);
}
END_TEST

static uint8_t *read_file(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  uint8_t *p = malloc(1 << 16);
  ck_assert(f && p);
  *n = fread(p, 1, 1 << 16, f);
  fclose(f);
  return p;
}

/* An archive may not claim to unpack to more than deflate can hold. */
START_TEST(memory_is_bounded) {
  size_t n;
  nnb_array a;
  uint8_t *whole = read_file(NUMPY_DATA "/packed.npz", &n);
  for (size_t i = 0; i + 46 < n; i++)
    if (memcmp(whole + i, "PK\1\2", 4) == 0) memcpy(whole + i + 24, "\xf0\xff\xff\xff", 4);
  bad(NNB_E_PARSE, "sizes of an entry do not match", nnb_array_parse_npz(whole, n, "f", "a", &a));
  free(whole);
}
END_TEST

/* ---- data -------------------------------------------------------------------------------------------------------- */

static void ck_same_data(const nnb_data *a, const nnb_data *b) {
  nnb_batch p, q;
  ck_assert_int_eq(nnb_data_rows(a), nnb_data_rows(b));
  ck_assert_int_eq(nnb_data_n_in(a), nnb_data_n_in(b));
  ck_assert_int_eq(nnb_data_n_out(a), nnb_data_n_out(b));
  ck_ok(nnb_data_batch(a, 0, nnb_data_rows(a), &p));
  ck_ok(nnb_data_batch(b, 0, nnb_data_rows(b), &q));
  for (int i = 0; i < p.x.rows; i++) {
    for (int j = 0; j < p.x.cols; j++) ck_assert(p.x.p[i * p.x.ld + j] == q.x.p[i * q.x.ld + j]);
    for (int j = 0; p.t.p && j < p.t.cols; j++) ck_assert(p.t.p[i * p.t.ld + j] == q.t.p[i * q.t.ld + j]);
    if (p.label) ck_assert_int_eq(p.label[i], q.label[i]);
  }
}

START_TEST(csv_round_trips) {
  char path[TOY_PATH];
  nnb_data *back, *named;
  toy_path(path, "written.csv");
  ck_ok(nnb_data_write_csv(data, path));
  ck_ok(nnb_data_read_csv(path, &(nnb_csv_opts){.header = 1, .n_targets = N_OUT}, &back));
  ck_same_data(data, back);
  ck_assert_str_eq(nnb_data_column_name(back, 1), "x2");
  ck_assert_str_eq(nnb_data_column_name(back, N_IN + 1), "t2");
  nnb_data_destroy(back);
  static const char text[] = "a,\"b,c\",kind\n1,0.1,red\n2,1e-300,\"say \"\"no\"\"\"\n3,-0,red\n";
  ck_ok(nnb_data_parse_csv(text, sizeof text - 1, "text", &(nnb_csv_opts){.header = 1}, &named));
  ck_ok(nnb_data_write_csv(named, path));
  ck_ok(nnb_data_read_csv(path, &(nnb_csv_opts){.header = 1}, &back));
  ck_same_data(named, back);
  ck_assert_str_eq(nnb_data_column_name(back, 1), "b,c");
  ck_assert_str_eq(nnb_data_class_name(back, 1), "say \"no\"");
  nnb_data_destroy(back), nnb_data_destroy(named);
  remove(path);
}
END_TEST

/* names: of three inputs or two and the column of classes */
static nnb_status write_named(const char *const *names, const char *const *kinds, const char *path) {
  static const real x[] = {1, 2, 3, 4, 5, 6};
  static const int32_t label[] = {0, 1};
  const nnb_batch batch = {.x = nnb_cview(x, 2, kinds ? 2 : 3), .label = kinds ? label : NULL};
  nnb_data *made;
  ck_ok(nnb_data_wrap(&batch, 0, &made));
  ck_ok(nnb_data_set_column_names(made, names, 3));
  if (kinds) ck_ok(nnb_data_set_class_names(made, kinds, 2));
  const nnb_status status = nnb_data_write_csv(made, path);
  nnb_data_destroy(made);
  return status;
}

/* Names that the reader would take for data are refused, and nothing is written.  Separators inside names are quoted.
 */
START_TEST(csv_names_that_are_not_read) {
  static const char *const kinds[] = {"u", "v"}, *const separators[] = {"a;b", "c\td", "ki;nd"},
                           *const parts[] = {"u;1", "v;2"}, *const words[] = {"NA", "null", "kind"},
                           *const few[] = {"NA", "b", "kind"}, *const one[] = {"1", "b", "kind"},
                           *const numbers[] = {"1", "2", "kind"}, *const all[] = {"2000", "2001", "2002"},
                           *const large[] = {"a", "b", "1e999"}, *const none[] = {"", "", "kind"},
                           *const summary[] = {"2", "2", "u"};
  static const struct {
    const char *const *names;
    const char *words;
  } cases[] = {{numbers, "the name of column 1 is \"1\"; wanted one that is not a number"},
               {one, "the name of column 1 is \"1\"; wanted one that is not a number"},
               {summary, "the name of column 1 is \"2\"; wanted one that is not a number"},
               {words, "the name of column 1 is \"NA\", which is read as a missing value; wanted more columns"},
               {none, "the name of column 1 is \"\", which is read as a missing value; wanted more columns"}};
  char path[TOY_PATH];
  nnb_data *back;
  toy_path(path, "named.csv"), remove(path);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    bad(NNB_E_ARG, cases[i].words, write_named(cases[i].names, kinds, path));
  bad(NNB_E_ARG, "the name of column 1 is \"2000\"", write_named(all, NULL, path));
  bad(NNB_E_ARG, "the name of column 3 is \"1e999\"", write_named(large, NULL, path));
  ck_assert_int_ne(access(path, F_OK), 0);
  ck_ok(write_named(separators, parts, path));
  ck_ok(nnb_data_read_csv(path, NULL, &back));
  ck_assert_int_eq(nnb_data_rows(back), 2);
  for (int i = 0; i < 3; i++) ck_assert_str_eq(nnb_data_column_name(back, i), separators[i]);
  for (int i = 0; i < 2; i++) ck_assert_str_eq(nnb_data_class_name(back, i), parts[i]);
  nnb_data_destroy(back);
  static const char *const marked[] = {"\xEF\xBB\xBFone", "two", "kind"};
  ck_ok(write_named(marked, parts, path));
  ck_ok(nnb_data_read_csv(path, NULL, &back));
  ck_assert_str_eq(nnb_data_column_name(back, 0), marked[0]);
  nnb_data_destroy(back);
  ck_ok(write_named(few, NULL, path)); /* one missing word among more names */
  ck_ok(nnb_data_read_csv(path, &(nnb_csv_opts){.n_targets = NNB_NONE}, &back));
  ck_assert_int_eq(nnb_data_rows(back), 2);
  ck_assert_str_eq(nnb_data_column_name(back, 0), "NA");
  nnb_data_destroy(back);
  remove(path);
}
END_TEST

/* The same of classes: missing ones, numbers that are not finite, or not in their shortest form. */
START_TEST(csv_classes_that_are_not_read) {
  static const char *const names[] = {"a", "b", "kind"}, *const odd[] = {"NA", "null", "?", "", " nan "};
  char path[TOY_PATH];
  nnb_data *back;
  toy_path(path, "classes.csv"), remove(path);
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    const char *const pair[] = {"u", odd[i]};
    char sentence[100];
    snprintf(sentence, sizeof sentence, "the class of row 2 is named \"%s\", which is read as a missing value", odd[i]);
    bad(NNB_E_ARG, sentence, write_named(names, pair, path));
  }
  static const char *const not_finite[] = {"inf", "Infinity", "1e999"}, *const long_ways[] = {"1.0", ".5", "1 ", "+1"};
  for (size_t i = 0; i < sizeof not_finite / sizeof *not_finite; i++) {
    const char *const pair[] = {"-inf", not_finite[i]};
    bad(NNB_E_ARG, "or as a number that is not finite", write_named(names, pair, path));
  }
  for (size_t i = 0; i < sizeof long_ways / sizeof *long_ways; i++) {
    const char *const pair[] = {"1", long_ways[i]};
    bad(NNB_E_ARG, "another way to write the same number", write_named(names, pair, path));
  }
  const char *const mixed[] = {"u", "1"};
  bad(NNB_E_ARG, "the class of row 2 is named \"1\"; wanted names that are all", write_named(names, mixed, path));
  ck_assert_int_ne(access(path, F_OK), 0);
  static const char *const beside_a_text[] = {"u", "inf"};
  ck_ok(write_named(names, beside_a_text, path));
  ck_ok(nnb_data_read_csv(path, NULL, &back));
  for (int i = 0; i < 2; i++) ck_assert_str_eq(nnb_data_class_name(back, i), beside_a_text[i]);
  nnb_data_destroy(back);
  remove(path);
}
END_TEST

/* Bit 11 of the flags says that a name is UTF-8; without it readers take it for code page 437. */
START_TEST(keys_beyond_ascii) {
  static const char *const keys[] = {"plain", "größe"};
  real one = 1;
  const nnb_array arrays[] = {{.p = &one, .n_dims = 1, .dim = {1}}, {.p = &one, .n_dims = 1, .dim = {1}}};
  char path[TOY_PATH];
  uint8_t text[2000];
  int n_local = 0, n_central = 0;
  nnb_array back = {0};
  ck_ok(nnb_array_write_npz(toy_path(path, "keys.npz"), keys, arrays, 2, NNB_ARRAY_F64));
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(text, 1, sizeof text, f);
  fclose(f);
  for (size_t i = 0; i + 46 < n; i++) {
    const bool local = memcmp(text + i, "PK\3\4", 4) == 0, central = memcmp(text + i, "PK\1\2", 4) == 0;
    const uint8_t *flags = text + i + (local ? 6 : 8), *name = text + i + (local ? 30 : 46);
    if (!local && !central) continue;
    ck_assert_int_eq(flags[0], 0);
    ck_assert_int_eq(flags[1], memcmp(name, "plain", 5) == 0 ? 0 : 0x08);
    n_local += local, n_central += central;
  }
  ck_assert(n_local == 2 && n_central == 2);
  ck_ok(nnb_array_read_npz(path, "größe", &back));
  nnb_array_clear(&back);
  remove(path);
}
END_TEST

START_TEST(idx_round_trips) {
  char images[TOY_PATH], labels[TOY_PATH];
  real x[4 * 6];
  const int32_t label[] = {3, 0, 9, 3};
  nnb_data *pixels, *back;
  for (int i = 0; i < 24; i++) x[i] = (real)(i * 11) / 255;
  nnb_batch batch = {.x = nnb_cview(x, 4, 6), .label = label};
  ck_ok(nnb_data_wrap(&batch, 0, &pixels));
  toy_path(images, "images"), toy_path(labels, "labels");
  ck_ok(nnb_data_write_idx(pixels, images, labels, 2));
  ck_ok(nnb_data_read_idx(images, labels, &back));
  ck_same_data(pixels, back);
  bad(NNB_E_ARG, "height is 4; wanted a divisor of the 6", nnb_data_write_idx(pixels, images, labels, 4));
  bad(NNB_E_ARG, "no labels", nnb_data_write_idx(data, images, labels, 1));
  x[7] = (real)1.5;
  bad(NNB_E_ARG, "row 2, column 2 is 1.5", nnb_data_write_idx(pixels, images, labels, 2));
  nnb_data_destroy(pixels), nnb_data_destroy(back);
  remove(images), remove(labels);
}
END_TEST

START_TEST(weights_have_no_column) {
  char path[TOY_PATH];
  const real x = 1, w = 2;
  nnb_batch batch = {.x = nnb_cview(&x, 1, 1), .weight = &w};
  nnb_data *weighted;
  ck_ok(nnb_data_wrap(&batch, 0, &weighted));
  bad(NNB_E_UNSUPPORTED, "sample weights", nnb_data_write_csv(weighted, toy_path(path, "w.csv")));
  nnb_data_destroy(weighted);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("array " PRECISION);
  TCase *t = tcase_create("array");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, golden_arrays);
  tcase_add_test(t, golden_archives);
  tcase_add_test(t, round_trips);
  tcase_add_test(t, archives);
  tcase_add_test(t, numbers_must_fit);
  tcase_add_test(t, bad_headers);
  tcase_add_test(t, memory_is_bounded);
  tcase_add_test(t, csv_round_trips);
  tcase_add_test(t, csv_names_that_are_not_read);
  tcase_add_test(t, csv_classes_that_are_not_read);
  tcase_add_test(t, keys_beyond_ascii);
  tcase_add_test(t, idx_round_trips);
  tcase_add_test(t, weights_have_no_column);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
