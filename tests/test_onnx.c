/* ONNX: what is written is read again with the same bits; refusals.  tests/onnx/ has the comparisons with other
 * programs, tests/golden/make_onnx.py made the golden files. */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bad.h"

static bool has_onnx(void) {
#ifdef NNB_HAVE_ONNX
  return true;
#else
  printf("skipped: the library was built without protobuf-c\n");
  return false;
#endif
}

static void ck_same(nnb_net *a, nnb_net *b) {
  ck_assert_uint_eq(nnb_net_n_params(a), nnb_net_n_params(b));
  ck_assert(memcmp(nnb_net_params_read(a), nnb_net_params_read(b), nnb_net_n_params(a) * sizeof(real)) == 0);
}

/* ---- round trips ------------------------------------------------------------------------------------------------- */

static void ck_predicts_alike(nnb_net *a, nnb_net *b) {
  const int n = nnb_net_n_in(a), m = nnb_net_n_out(a);
  real x[400], ya[400], yb[400];
  ck_assert(n == nnb_net_n_in(b) && m == nnb_net_n_out(b) && 4 * n <= 400 && 4 * m <= 400);
  for (int i = 0; i < 4 * n; i++) x[i] = (real)(sin(5.1 * i) * 3);
  ck_ok(nnb_net_predict(a, nnb_cview(x, 4, n), nnb_view(ya, 4, m)));
  ck_ok(nnb_net_predict(b, nnb_cview(x, 4, n), nnb_view(yb, 4, m)));
  ck_assert(memcmp(ya, yb, (size_t)(4 * m) * sizeof(real)) == 0);
}

static void round_trip(nnb_net *one, int opset) {
  void *saved;
  size_t n;
  nnb_net *back;
  ck_ok(nnb_net_save_onnx_mem(one, &(nnb_onnx_opts){.opset = opset}, &saved, &n));
  ck_ok(nnb_net_load_onnx_mem(saved, n, NULL, &back));
  ck_same(one, back);
  ck_predicts_alike(one, back);
  nnb_free(saved);
  nnb_net_destroy(back);
}

static nnb_net *make(int shape, nnb_activation act) {
  nnb_net *one = nnb_net_create(3);
  const int second = shape == 1 ? nnb_net_input(one, 2, "other") : 0, inputs[] = {1, second};
  if (shape == 1) nnb_net_concat(one, inputs, 2);
  const int a = nnb_net_dense(one, 6, act);
  if (shape >= 2) {
    const int b = nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 6, .from = 1, .no_bias = true}),
              both[] = {a, b, a};
    if (shape == 2) nnb_net_add(one, both, 3, act);
    if (shape == 3) nnb_net_concat(one, both, 2), nnb_net_activation(one, 0, act);
    if (shape == 4) nnb_net_output(one, a), nnb_net_output(one, b);
  }
  if (shape < 4) nnb_net_dense(one, 4, NNB_LINEAR);
  return one;
}

static void scale(nnb_net *one) {
  nnb_data *d = toy_regression(12, nnb_net_n_in(one), nnb_net_n_out(one));
  nnb_net_standardize(one, d);
  nnb_net_scale_targets(one, d, NNB_MINMAX);
  nnb_net_loss(one, NNB_MSE);
  nnb_data_destroy(d);
}

START_TEST(round_trips) {
  if (!has_onnx()) return;
  for (int act = 0; act <= NNB_SOFTMAX; act++)
    for (int shape = 0; shape < 5; shape++)
      for (int scaled = 0; scaled < 2; scaled++) {
        nnb_net *one = make(shape, (nnb_activation)act);
        if (scaled) scale(one);
        ck_ok(nnb_net_status(one));
        for (size_t i = 0, n = nnb_net_n_params(one); i < n; i++)
          nnb_net_params(one)[i] += (real)(0.3 * sin(1.3 * (double)i));
        round_trip(one, 0), round_trip(one, 9), round_trip(one, 17);
        nnb_net_destroy(one);
      }
}
END_TEST

static const char *const layers[] = {
    "1x6x6-conv3@3:tanh-maxpool2-4:softmax",
    "2x7x5-conv3@3x2:relu:stride=2:pad=1:bias=0-conv2@2-flatten-3",
    "2x6x4-avgpool3x2:stride=1-maxpool2-2",
    "3x9-conv4@3:stride=2:pad=1-batchnorm:relu-avgpool2-2",
    "1x5x5-conv2@2:gelu-batchnorm-conv2@2:linear-layernorm:tanh-2",
    "2x3x4-conv3@3x1:linear-conv2@1x2:elu:stride=2-maxpool1x2-layernorm:softmax",
    "4-5:tanh-layernorm:relu-3:linear-layernorm",
    "4-5:tanh-batchnorm-batchnorm:relu-3:softmax",
    "1x4x4-conv2@3:pad=2:softmax-flatten:tanh-dropout0.5-2:softmax",
    "2x2x3-layernorm:epsilon=0.001-conv1@2-1",
    "3x5-gru4-2",
    "1x1-gru1",
    "3x5-gru4:tanh:sequence=1-conv2@2-gru3:sequence=1-layernorm",
    "2x7-conv3@3:tanh:stride=2-gru2:sequence=1-gru4:relu-2:softmax",
    "6-embed5x3-conv2@2:tanh-2",
    "2x3-embed5x2-conv2@2:tanh-2",
    "2x2x3-embed4x2-conv2@2:tanh-2",
    "2x1x3-embed4x2:tanh-gru2:sequence=1",
    "1-embed3x4-2",
    "1x1-embed3x4:relu-conv2@1-2",
    "6-embed7x3-gru4-2:softmax",
    "3x8-gru4:sequence=1:softmax-2", /* NODE.flat beside NODE.rows */
    "5-embed7x3:softmax-2",
    "2x3-embed5x2:softmax-conv2@2-gru3:sequence=1:softmax-2",
};

/* Parameters that are all different, and running means. */
static void stir(nnb_net *one) {
  for (size_t i = 0, n = nnb_net_n_params(one); i < n; i++)
    nnb_net_params(one)[i] += (real)(0.3 * sin(1.3 * (double)i));
  for (int k = 1; k <= nnb_net_n_nodes(one); k++) {
    nnb_cmat old;
    real fresh[200];
    if (nnb_net_buffers(one, k, &old)) continue;
    for (int i = 0; i < old.cols; i++) fresh[i] = (real)((i < old.cols / 2 ? 0.5 : 1) + 0.4 * cos(2.1 * i));
    ck_ok(nnb_net_set_buffers(one, k, nnb_cview(fresh, 1, old.cols)));
  }
}

/* Embeddings read whole numbers. */
static void fill(real *x, int n, bool whole) {
  for (int i = 0; i < n; i++) x[i] = whole ? (real)(i * 7 % 3) : (real)(sin(5.1 * i) * 3);
}

/* Batch normalisation has an epsilon of single precision in the file, and other nodes may run by another executor. */
static void ck_predicts_near(nnb_net *a, nnb_net *b, bool whole) {
  const int n = nnb_net_n_in(a), m = nnb_net_n_out(a);
  real x[400], ya[400], yb[400];
  double largest = 0;
  ck_assert(n == nnb_net_n_in(b) && m == nnb_net_n_out(b) && 4 * n <= 400 && 4 * m <= 400);
  fill(x, 4 * n, whole);
  ck_ok(nnb_net_predict(a, nnb_cview(x, 4, n), nnb_view(ya, 4, m)));
  ck_ok(nnb_net_predict(b, nnb_cview(x, 4, n), nnb_view(yb, 4, m)));
  for (int i = 0; i < 4 * m; i++) largest = fmax(largest, fabs((double)ya[i]));
  for (int i = 0; i < 4 * m; i++) ck_assert_double_le(fabs((double)ya[i] - (double)yb[i]), TOL(1e-14, 1e-6) * largest);
}

/* The second net is that of the first file, the third that of the second: the same bits, and layers of the same kind.
 */
static void round_trip_of_layers(nnb_net *one, int opset, bool whole) {
  void *saved, *again;
  size_t n, m;
  nnb_net *folded, *back, *third;
  ck_ok(nnb_net_fold(one, &folded));
  ck_ok(nnb_net_save_onnx_mem(one, &(nnb_onnx_opts){.opset = opset}, &saved, &n));
  ck_ok(nnb_net_load_onnx_mem(saved, n, NULL, &back));
  ck_same(folded, back);
  ck_predicts_near(folded, back, whole);
  ck_ok(nnb_net_save_onnx_mem(back, &(nnb_onnx_opts){.opset = opset}, &again, &m));
  ck_ok(nnb_net_load_onnx_mem(again, m, NULL, &third));
  ck_assert_uint_eq(toy_hash_net(1, back), toy_hash_net(1, third));
  nnb_free(saved), nnb_free(again);
  nnb_net_destroy(folded), nnb_net_destroy(back), nnb_net_destroy(third);
}

START_TEST(layers_there_and_back) {
  if (!has_onnx()) return;
  for (int i = 0; i < (int)(sizeof layers / sizeof *layers); i++)
    for (int scaled = 0; scaled < 2; scaled++) {
      const bool whole = strstr(layers[i], "embed");
      nnb_net *one;
      ck_ok(nnb_net_parse(layers[i], &one));
      if (scaled && !whole && !strstr(layers[i], "softmax")) scale(one);
      stir(one);
      for (int k = 0; k < 3; k++) round_trip_of_layers(one, (const int[]){0, 9, 17}[k], whole);
      nnb_net_destroy(one);
    }
}
END_TEST

/* Images beside each other, sums, products, a shape after a dense layer, signals and images in one net, two outputs. */
static nnb_net *graph_of_images(void) {
  nnb_net *one = nnb_net_create(12);
  ck_ok(nnb_net_shape(one, 1, 3, 2, 2));
  const int more = nnb_net_input(one, 5, "more");
  const int wide = nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 12, .activation = NNB_TANH, .from = more});
  ck_ok(nnb_net_shape(one, wide, 3, 2, 2));
  const int sum = nnb_net_add(one, (int[]){1, wide}, 2, NNB_RELU);
  const int product = nnb_net_product(one, (int[]){sum, wide, 1}, 3, NNB_SIGMOID);
  const int all = nnb_net_concat(one, (int[]){product, 1}, 2);
  const int conv = nnb_net_conv_opts(one, &(nnb_conv_opts){.channels = 2, .width = 2, .from = all, .pad = 1});
  nnb_net_output(one, conv);
  const int all_rows = nnb_net_concat(one, (int[]){conv, more, 1}, 3);
  const int gate = nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 4, .activation = NNB_SIGMOID, .from = all_rows});
  const int other = nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 4, .from = more});
  nnb_net_output(one, nnb_net_product(one, (int[]){gate, other}, 2, NNB_LINEAR));
  return one;
}

START_TEST(graphs_there_and_back) {
  if (!has_onnx()) return;
  for (int scaled = 0; scaled < 2; scaled++) {
    nnb_net *one = graph_of_images();
    if (scaled) scale(one);
    ck_ok(nnb_net_status(one));
    stir(one);
    for (int k = 0; k < 3; k++) round_trip_of_layers(one, (const int[]){0, 9, 17}[k], false);
    nnb_net_destroy(one);
  }
}
END_TEST

/* Whole numbers beside scaled ones, an input that a dense layer reads, too, signals beside images, and a gru twice. */
static nnb_net *graph_of_sequences(void) {
  nnb_net *one = nnb_net_create(5);
  ck_ok(nnb_net_shape(one, 1, 1, 1, 5));
  const int image = nnb_net_input(one, 8, "image"), kind = nnb_net_input(one, 1, "kind");
  ck_ok(nnb_net_shape(one, image, 2, 2, 2));
  const int words = nnb_net_embedding(one, 1, 3, 4), row = nnb_net_embedding(one, kind, 4, 6);
  const int all = nnb_net_gru(one, words, 3, true), last = nnb_net_gru(one, all, 2, false);
  nnb_net_output(one, nnb_net_concat(one, (int[]){last, row, image}, 3));
  nnb_net_output(one, nnb_net_gru(one, words, 3, false));
  nnb_net_output(one, all);
  nnb_net_output(one, nnb_net_dense_opts(one, &(nnb_dense_opts){.units = 2, .from = kind}));
  return one;
}

START_TEST(sequences_there_and_back) {
  if (!has_onnx()) return;
  for (int scaled = 0; scaled < 2; scaled++) {
    nnb_net *one = graph_of_sequences();
    ck_ok(nnb_net_status(one));
    real x[12 * 14], t[12 * 400];
    const int n = nnb_net_n_in(one), m = nnb_net_n_out(one);
    nnb_data *d;
    fill(x, 12 * n, true), fill(t, 12 * m, false);
    ck_ok(nnb_data_wrap(&(nnb_batch){.x = nnb_cview(x, 12, n), .t = nnb_cview(t, 12, m)}, 0, &d));
    ck_ok(scaled ? nnb_net_standardize(one, d) : NNB_OK);
    ck_ok(scaled ? nnb_net_scale_targets(one, d, NNB_MINMAX) : NNB_OK);
    stir(one);
    for (int k = 0; k < 3; k++) round_trip_of_layers(one, (const int[]){0, 9, 17}[k], true);
    nnb_data_destroy(d), nnb_net_destroy(one);
  }
}
END_TEST

/* Nodes that stand for nothing in a file: of an input, beside others that read it; the same output twice. */
static nnb_net *graph_of_nothing(int which) {
  nnb_net *one = nnb_net_create(6);
  if (which < 3) {
    if (which == 2) ck_ok(nnb_net_shape(one, 1, 1, 2, 3));
    const int a = which == 0 ? nnb_net_product(one, (int[]){1}, 1, NNB_LINEAR) : nnb_net_layer(one, 1, "flatten");
    nnb_net_output(one, a), nnb_net_output(one, nnb_net_dropout(one, a, 0.5));
    return one;
  }
  const int a = which == 3 ? 1 : nnb_net_layer(one, 1, "4:linear");
  const int norm = nnb_net_layer(one, nnb_net_layer(one, a, "flatten"), "batchnorm:tanh");
  const int ends[] = {nnb_net_layer(one, a, "2:tanh"), nnb_net_layer(one, norm, "2:tanh")};
  nnb_net_concat(one, ends, 2);
  return one;
}

START_TEST(nothing_there_and_back) {
  if (!has_onnx()) return;
  for (int which = 0; which < 5; which++)
    for (int scaled = 0; scaled < 2; scaled++) {
      nnb_net *one = graph_of_nothing(which), *back;
      void *saved;
      size_t n;
      if (scaled) scale(one);
      ck_ok(nnb_net_status(one));
      stir(one);
      ck_ok(nnb_net_save_onnx_mem(one, NULL, &saved, &n));
      ck_ok(nnb_net_load_onnx_mem(saved, n, NULL, &back));
      ck_predicts_near(one, back, false);
      nnb_free(saved);
      nnb_net_destroy(one), nnb_net_destroy(back);
    }
}
END_TEST

/* Own activations and those that have no line in io/onnx_acts.c */
START_TEST(what_cannot_be_written) {
  void *saved;
  size_t n;
  if (!has_onnx()) return;
  for (int act = NNB_SOFTMAX + 1; act <= NNB_N_ACTIVATIONS; act++) {
    nnb_net *own = nnb_net_create(2);
    nnb_net_dense(own, 2, (nnb_activation)(act < NNB_N_ACTIVATIONS ? act : nnb_net_own_activation(own, &toy_bump)));
    bad(NNB_E_UNSUPPORTED, "cannot be written as ONNX", nnb_net_save_onnx_mem(own, NULL, &saved, &n));
    ck_assert(!saved && n == 0);
    nnb_net_destroy(own);
  }
}
END_TEST

START_TEST(files_and_names) {
  static const char *const names[] = {"a", "b", "größe", "kind"}, *const kinds[] = {"x", "y"};
  char path[TOY_PATH];
  nnb_net *one, *back;
  if (!has_onnx()) return;
  nnb_data *d = toy_classes(12, 3, 2);
  ck_ok(nnb_data_set_column_names(d, names, 4));
  ck_ok(nnb_data_set_class_names(d, kinds, 2));
  ck_ok(nnb_net_parse("3-4:tanh-2:softmax", &one));
  ck_ok(nnb_fit(one, d, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  ck_ok(nnb_net_save_onnx(one, toy_path(path, "net.onnx"), NULL));
  ck_ok(nnb_net_load_onnx(path, NULL, &back));
  ck_same(one, back);
  for (int i = 0; i < 4; i++) ck_assert_str_eq(nnb_net_column_name(back, i), names[i]);
  for (int i = 0; i < 2; i++) ck_assert_str_eq(nnb_net_class_name(back, i), kinds[i]);
  nnb_metrics a, b;
  ck_ok(nnb_evaluate(one, d, &a));
  ck_ok(nnb_evaluate(back, d, &b)); /* the columns are those of the data */
  ck_assert(a.loss == b.loss);
  remove(path);
  nnb_data_destroy(d), nnb_net_destroy(one), nnb_net_destroy(back);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

START_TEST(bad_calls) {
  void *saved;
  size_t n;
  nnb_net *back;
  bad(NNB_E_ARG, "net is NULL", nnb_net_save_onnx(NULL, "x", NULL));
  bad(NNB_E_ARG, "path is NULL", nnb_net_load_onnx(NULL, NULL, &back));
  bad(NNB_E_ARG, "file is NULL", nnb_net_load_onnx_mem(NULL, 0, NULL, &back));
  if (!has_onnx()) {
    bad(NNB_E_UNSUPPORTED, "protobuf-c", nnb_net_save_onnx_mem(net, NULL, &saved, &n));
    bad(NNB_E_UNSUPPORTED, "protobuf-c", nnb_net_load_onnx_mem("", 0, NULL, &back));
    return;
  }
  bad(NNB_E_ARG, "opset is 8; wanted 9 to 17", nnb_net_save_onnx_mem(net, &(nnb_onnx_opts){.opset = 8}, &saved, &n));
  bad(NNB_E_ARG, "reserved", nnb_net_save_onnx_mem(net, &(nnb_onnx_opts){.reserved = {&n}}, &saved, &n));
  bad(NNB_E_ARG, "reserved", nnb_net_load_onnx_mem("", 0, &(nnb_onnx_opts){.reserved = {&n}}, &back));
  bad(NNB_E_IO, "No such file", nnb_net_load_onnx("/no/such/file", NULL, &back));
  bad(NNB_E_PARSE, "not an ONNX model", nnb_net_load_onnx_mem("", 0, NULL, &back));
  bad(NNB_E_PARSE, "cut off", nnb_net_load_onnx_mem("\x3a", 1, NULL, &back));
}
END_TEST

/* ---- golden files ------------------------------------------------------------------------------------------------ */

/* NAME.onnx with rows NAME.x.npy and predictions NAME.y.npy */
static void check_golden(const char *name) {
  char path[PATH_MAX];
  nnb_array x = {0}, want = {0};
  nnb_mat given, wanted;
  nnb_net *one;
  real got[400];
  double largest = 0, error = 0;
  snprintf(path, sizeof path, ONNX_DATA "/%s.onnx", name);
  ck_ok(nnb_net_load_onnx(path, &(nnb_onnx_opts){.external_data = true}, &one));
  snprintf(path, sizeof path, ONNX_DATA "/%s.x.npy", name);
  ck_ok(nnb_array_read_npy(path, &x));
  snprintf(path, sizeof path, ONNX_DATA "/%s.y.npy", name);
  ck_ok(nnb_array_read_npy(path, &want));
  ck_ok(nnb_array_view(&x, &given));
  ck_ok(nnb_array_view(&want, &wanted));
  ck_assert_msg(nnb_net_n_in(one) == given.cols && nnb_net_n_out(one) == wanted.cols && given.rows * wanted.cols <= 400,
                "%s: shapes", name);
  ck_ok(nnb_net_predict(one, nnb_cview(given.p, given.rows, given.cols), nnb_view(got, given.rows, wanted.cols)));
  for (int i = 0; i < wanted.rows * wanted.cols; i++) {
    error = fmax(error, fabs((double)got[i] - (double)wanted.p[i]));
    largest = fmax(largest, fabs((double)wanted.p[i]));
  }
  ck_assert_msg(error <= 1e-6 * largest, "%s: error %g of %g", name, error, largest);
  nnb_array_clear(&x), nnb_array_clear(&want);
  nnb_net_destroy(one);
}

START_TEST(golden_files) {
  int n = 0;
  if (!has_onnx()) return;
  DIR *dir = opendir(ONNX_DATA);
  ck_assert_ptr_nonnull(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char name[256];
    char *end = strstr(entry->d_name, ".onnx");
    if (!end || end[5] || strncmp(entry->d_name, "bad_", 4) == 0) continue;
    snprintf(name, sizeof name, "%.*s", (int)(end - entry->d_name), entry->d_name);
    check_golden(name), n++;
  }
  closedir(dir);
  ck_assert_int_ge(n, 20);
}
END_TEST

/* Each line of refused.txt: NAME: words of the message */
START_TEST(refused_files) {
  char line[300], path[PATH_MAX];
  int n = 0;
  if (!has_onnx()) return;
  FILE *list = fopen(ONNX_DATA "/refused.txt", "r");
  ck_assert_ptr_nonnull(list);
  while (fgets(line, sizeof line, list)) {
    char *words = strstr(line, ": ");
    nnb_net *back;
    ck_assert_ptr_nonnull(words);
    line[strcspn(line, "\n")] = '\0', *words = '\0', words += 2;
    snprintf(path, sizeof path, ONNX_DATA "/bad_%s.onnx", line);
    const nnb_status status = nnb_net_load_onnx(path, NULL, &back);
    ck_assert_msg(status == NNB_E_UNSUPPORTED || status == NNB_E_PARSE, "%s: %s", line, nnb_strstatus(status));
    ck_assert_msg(strstr(nnb_errmsg(), words), "%s: \"%s\" says nothing of \"%s\"", line, nnb_errmsg(), words);
    ck_assert_ptr_null(back);
    n++;
  }
  fclose(list);
  ck_assert_int_ge(n, 10);
}
END_TEST

/* ---- numbers in other files -------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to, size_t most) {
  static char text[4096];
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  ck_assert(in && out);
  const size_t n = fread(text, 1, most < sizeof text ? most : sizeof text, in);
  ck_assert_uint_eq(fwrite(text, 1, n, out), n);
  fclose(in), fclose(out);
}

/* A whole file beside the model is read; a link, a folder, a shorter file and none are not. */
START_TEST(files_beside) {
  char folder[] = "/tmp/nnblas-onnx-XXXXXX", model[64], beside[64];
  const nnb_onnx_opts opts = {.external_data = true};
  nnb_net *back;
  if (!has_onnx()) return;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(model, sizeof model, "%s/m.onnx", folder), snprintf(beside, sizeof beside, "%s/beside.bin", folder);
  copy_file(ONNX_DATA "/external.onnx", model, SIZE_MAX);
  bad(NNB_E_IO, "No such file", nnb_net_load_onnx(model, &opts, &back));
  ck_assert_int_eq(symlink(ONNX_DATA "/beside.bin", beside), 0);
  bad(NNB_E_IO, "beside.bin: opening failed: it is a symbolic link; only regular files in the model's folder are read",
      nnb_net_load_onnx(model, &opts, &back));
  unlink(beside);
  ck_assert_int_eq(mkdir(beside, 0700), 0);
  bad(NNB_E_IO, "not a regular file", nnb_net_load_onnx(model, &opts, &back));
  rmdir(beside);
  copy_file(ONNX_DATA "/beside.bin", beside, 50);
  bad(NNB_E_PARSE, "the length in another file", nnb_net_load_onnx(model, &opts, &back));
  copy_file(ONNX_DATA "/beside.bin", beside, SIZE_MAX);
  ck_ok(nnb_net_load_onnx(model, &opts, &back));
  nnb_net_destroy(back);
  unlink(model), unlink(beside), rmdir(folder);
}
END_TEST

/* ---- graphs written here ----------------------------------------------------------------------------------------- */

/* A message of protobuf: ModelProto and its parts, with the numbers of onnx.proto. */
typedef struct message {
  uint8_t p[2000];
  size_t n;
} message;

static void put_number(message *m, uint64_t value) {
  for (; value > 127; value >>= 7) m->p[m->n++] = (uint8_t)(value | 128);
  m->p[m->n++] = (uint8_t)value;
}
static void put_int(message *m, uint64_t field, int64_t value) {
  put_number(m, field << 3), put_number(m, (uint64_t)value);
}
static void put_data(message *m, uint64_t field, const void *p, size_t n) {
  put_number(m, field << 3 | 2), put_number(m, n);
  ck_assert_uint_le(m->n + n, sizeof m->p - 20);
  memcpy(m->p + m->n, p, n), m->n += n;
}
static void put_float(message *m, float value) { memcpy(m->p + m->n, &value, 4), m->n += 4; }
static void put_word(message *m, uint64_t field, const char *text) { put_data(m, field, text, strlen(text)); }
static void put_part(message *m, uint64_t field, const message *part) { put_data(m, field, part->p, part->n); }

/* A tensor of floats; dims: "N,3" or "2,3" */
static void put_info(message *graph, uint64_t field, const char *name, const char *dims) {
  message info = {.n = 0}, type = {.n = 0}, tensor = {.n = 0}, shape = {.n = 0};
  for (const char *at = dims; *at; at += strcspn(at, ","), at += *at == ',') {
    message dim = {.n = 0};
    if (*at == 'N')
      put_word(&dim, 2, "N");
    else
      put_int(&dim, 1, atoi(at));
    put_part(&shape, 1, &dim);
  }
  put_int(&tensor, 1, 1), put_part(&tensor, 2, &shape), put_part(&type, 1, &tensor);
  put_word(&info, 1, name), put_part(&info, 2, &type);
  put_part(graph, field, &info);
}

/* "alpha#": a float of 0, and "axis!": an integer of 0, as files of proto3 have them, which leave out the number */
static bool put_zero(message *node, const char *text) {
  const size_t n = strcspn(text, "#!");
  message a = {.n = 0};
  if (!text[n]) return false;
  put_data(&a, 1, text, n), put_int(&a, 20, text[n] == '#' ? 1 : 2);
  put_part(node, 5, &a);
  return true;
}

/* "axis=2": an integer; "axes=2,3": a list of them */
static void put_attribute(message *node, const char *text) {
  static const char *const lists[] = {"axes=", "perm=", "starts=", "ends=", "kernel_shape=", "strides="};
  message a = {.n = 0};
  bool list = false;
  const char *at = strchr(text, '=');
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) list |= strncmp(text, lists[i], strlen(lists[i])) == 0;
  put_data(&a, 1, text, (size_t)(at - text));
  for (at++; *at; at += strcspn(at, ","), at += *at == ',') put_int(&a, list ? 8 : 3, atoi(at));
  put_part(node, 5, &a);
}

/* "~1.5,2:1,2": a constant of that name with these numbers in 1×2 */
static void put_reals(message *graph, const char *name) {
  message t = {.n = 0}, values = {.n = 0};
  for (const char *at = strchr(name, ':') + 1; *at; at += strcspn(at, ","), at += *at == ',') put_int(&t, 1, atoi(at));
  for (const char *at = name + 1; *at && at[-1] != ':'; at += strcspn(at, ",:"), at++)
    put_float(&values, (float)atof(at));
  put_int(&t, 2, 1), put_part(&t, 4, &values), put_word(&t, 8, name);
  put_part(graph, 5, &t);
}

/* "=2,-1": a constant of that name with these integers */
static void put_constant(message *graph, const char *name) {
  message t = {.n = 0}, values = {.n = 0};
  int n = 0;
  for (const char *at = name + 1; *at; at += strcspn(at, ","), at += *at == ',', n++) put_int(&values, 7, atoi(at));
  if (n > 1) put_int(&t, 1, n); /* else it has no dimensions */
  put_int(&t, 2, 7), put_word(&t, 8, name);
  memcpy(t.p + t.n, values.p, values.n), t.n += values.n;
  put_part(graph, 5, &t);
}

/* nodes: "OPERATOR input … > output attribute=… ; …" from x to y, and class numbers to l */
static nnb_status load_graph(const char *dims, const char *nodes, nnb_net **out) {
  message model = {.n = 0}, graph = {.n = 0}, node = {.n = 0}, opset = {.n = 0};
  const char *known[20];
  char text[400], *rest = text;
  int n_known = 0;
  bool op = true, after = false;
  snprintf(text, sizeof text, "%s", nodes);
  for (char *word; (word = strtok_r(rest, " ", &rest));) {
    if (strcmp(word, ";") == 0) {
      put_part(&graph, 1, &node), node.n = 0, op = true, after = false;
    } else if (op) {
      put_word(&node, 4, word), op = false;
    } else if (strcmp(word, ">") == 0) {
      after = true;
    } else if (after && put_zero(&node, word)) {
      continue;
    } else if (after && strchr(word, '=')) {
      put_attribute(&node, word);
    } else {
      bool fresh = *word == '=' || *word == '~';
      for (int i = 0; i < n_known && fresh; i++) fresh = strcmp(known[i], word) != 0;
      put_word(&node, after ? 2 : 1, word);
      if (fresh) known[n_known++] = word, (*word == '~' ? put_reals : put_constant)(&graph, word);
    }
  }
  put_part(&graph, 1, &node);
  put_info(&graph, 11, "x", dims), put_info(&graph, 12, "y", "N");
  if (strstr(nodes, "> l ")) put_info(&graph, 12, "l", "N");
  put_int(&opset, 2, 11);
  put_int(&model, 1, 8), put_part(&model, 7, &graph), put_part(&model, 8, &opset);
  return nnb_net_load_onnx_mem(model.p, model.n, NULL, out);
}

/* One row of 1, 2, 3, … through the graph gives n numbers. */
static void check_graph(const char *dims, const char *nodes, int n, const double *wanted) {
  real x[24], got[24];
  nnb_net *one;
  const nnb_status status = load_graph(dims, nodes, &one);
  ck_assert_msg(status == NNB_OK, "%s of %s: %s", nodes, dims, nnb_errmsg());
  ck_assert_msg(nnb_net_n_out(one) == n && nnb_net_n_in(one) <= 24, "%s: %d outputs", nodes, nnb_net_n_out(one));
  for (int i = 0; i < 24; i++) x[i] = (real)(i + 1);
  ck_ok(nnb_net_predict(one, nnb_cview(x, 1, nnb_net_n_in(one)), nnb_view(got, 1, n)));
  for (int i = 0; i < n; i++)
    ck_assert_msg(fabs((double)got[i] - wanted[i]) < 1e-6, "%s: y%d is %g, not %g", nodes, i, (double)got[i],
                  wanted[i]);
  nnb_net_destroy(one);
}

static void refuse_graph(const char *dims, const char *nodes, const char *words) {
  nnb_net *one;
  check_bad(load_graph(dims, nodes, &one), NNB_E_UNSUPPORTED, words, nodes);
}

START_TEST(sides_of_one) {
  static const double same[] = {1, 2, 3, 4, 5, 6, 7, 8}, pairs[] = {2, 4, 6, 8}, means[] = {2.5, 6.5};
  if (!has_onnx()) return;
  check_graph("N,4,1,1", "Squeeze x > y axes=2,3", 4, same);
  check_graph("N,4,1,1", "Squeeze x > a axes=-1 ; Squeeze a > y axes=2", 4, same);
  check_graph("N,2,1,4", "Squeeze x > a axes=2 ; MaxPool a > y kernel_shape=2 strides=2", 4, pairs);
  check_graph("N,2,4,1", "Squeeze x > a axes=3 ; MaxPool a > y kernel_shape=2 strides=2", 4, pairs);
  check_graph("N,1,2,4", "Squeeze x > a axes=1 ; MaxPool a > y kernel_shape=2 strides=2", 4, pairs);
  check_graph("N,2,4", "GlobalAveragePool x > a ; Squeeze a > y axes=2", 2, means);
  check_graph("N,2,2,2", "GlobalAveragePool x > a ; Squeeze a > y axes=-2,-1", 2, means);
  check_graph("N,8", "Unsqueeze x > a axes=1 ; MaxPool a > y kernel_shape=2 strides=2", 4, pairs);
  check_graph("N,2,4", "Unsqueeze x > a axes=2 ; MaxPool a > y kernel_shape=1,2 strides=1,2", 4, pairs);
  check_graph("N,8", "Unsqueeze x > a axes=1,3 ; MaxPool a > y kernel_shape=1,1 strides=1,1", 8, same);
  check_graph("N,2,2,2", "ReduceMean x > y axes=2,3 keepdims=0", 2, means);
  check_graph("N,2,2,2", "ReduceMean x > y axes=-1,-2 keepdims=0", 2, means);
  check_graph("N,2,4", "ReduceMean x > y axes=2 keepdims=0", 2, means);
  check_graph("N,2,4", "ReduceMean x > a axes=2 ; Relu a > y", 2, means);
  refuse_graph("N,2,4,1", "Squeeze x > y axes=2", "it leaves out dimension 2, whose size is 4");
  refuse_graph("N,2,4,1", "Squeeze x > y axes=0", "axis is 0; wanted 1 to 3");
  refuse_graph("N,1,1,1", "Squeeze x > y axes=1,2,3", "all dimensions but the samples");
  refuse_graph("N,2,4,1", "Squeeze x > y", "it has no axes");
  refuse_graph("N,2,2,2", "Unsqueeze x > y axes=1", "its result has 5 dimensions; wanted at most 4");
  refuse_graph("N,8", "Unsqueeze x > y axes=0", "axis is 0; wanted 1 to 2");
  refuse_graph("N,8", "Unsqueeze x > y axes=1,1", "axis 1 is there twice");
  refuse_graph("N,2,2,2", "ReduceMean x > y axes=1 keepdims=0", "nor that of each channel");
}
END_TEST

/* Files of proto3 leave out numbers that are 0; other attributes have the type that they are read with. */
START_TEST(zeros_of_attributes) {
  static const double two[] = {1, 2}, none[] = {0, 0, 0, 0};
  nnb_net *one;
  if (!has_onnx()) return;
  check_graph("N,4", "Neg x > a ; Clip a > y min#", 4, none);
  check_graph("N,2", "Gemm x ~1,0,0,1:2,2 ~5,5:2 > y beta#", 2, two);
  refuse_graph("N,4", "LeakyRelu x > y alpha#", "alpha is 0; the library has 0.01");
  refuse_graph("N,4", "Elu x > y alpha#", "alpha is 0; the library has 1");
  refuse_graph("N,4", "Clip x > y max#", "the library has max(x, 0) alone");
  refuse_graph("N,4", "Softmax x > y axis!", "axis is 0");
  refuse_graph("N,4", "Concat x x > y axis!", "axis is 0");
  refuse_graph("N,2,2", "Flatten x > y axis!", "axis is 0");
  refuse_graph("N,4", "ReduceMean x > y axes=1 keepdims!", "with the dimensions kept");
  bad(NNB_E_PARSE, "the type of its attribute \"alpha\" is wrong",
      load_graph("N,2", "Gemm x ~1,0,0,1:2,2 > y alpha=3", &one));
  bad(NNB_E_PARSE, "the type of its attribute \"axis\" is wrong", load_graph("N,2", "Softmax x > y axis#", &one));
  bad(NNB_E_PARSE, "it has the attribute \"transB\" twice",
      load_graph("N,2", "Gemm x ~1,0,0,1:2,2 > y transB=0 transB=1", &one));
}
END_TEST

/* A constant of more dimensions makes a result of more dimensions; one of a matrix that is turned is another one. */
START_TEST(shapes_of_constants) {
  static const double pairs[] = {2, 4, 6, 8};
  const double r = 1 / sqrt(1.00001), p = 6 * r + 2, sums[] = {(p + (2 * p * r + 2) + 3) / 100};
  if (!has_onnx()) return;
  check_graph("N,4", "Add x ~1,2,3,4:1,4 > y", 4, pairs);
  refuse_graph("N,4", "Add x ~1:1,1,1 > y", "its constant does not have");
  refuse_graph("N,4", "Mul x ~1,2,3,4:1,1,4 > y", "its constant does not have");
  refuse_graph("N,4", "Max x ~0:1,1,1 > y", "it is neither with 0");
  refuse_graph("N,4", "Greater x ~0:1,1,1 > a ; Cast a > y to=1", "it does not compare with 0");
  refuse_graph("N,2,2", "Transpose ~1,2,3,4:2,2 > c perm=1,0 ; Add x c > y", "its constant does not have");
  refuse_graph("N,2,2", "Transpose ~1,2,3,4:2,2 > c perm=1,0 ; LayerNormalization x c > y axis=1",
               "does not have a number for each");
  refuse_graph("N,2,4", "Flatten x > a ; Mul a ~1:1 > b ; ReduceMean b > y axes=-1", "no part of a known");
  refuse_graph("N,4", "Reshape x =-2,4 > y", "has -2; wanted sizes");
  check_graph("N,2",
              "BatchNormalization x ~2,2:2 ~1,1:2 ~0,0:2 ~1,1:2 > p ; "
              "BatchNormalization p ~2,2:2 ~1,1:2 ~0,0:2 ~1,1:2 > q ; "
              "MatMul p ~.01,.01:2,1 > u ; MatMul q ~.01,.01:2,1 > w ; MatMul x ~.01,.01:2,1 > e ; Sum u w e > y",
              1, sums);
}
END_TEST

/* 1 - p and p of a sigmoid are its two classes, at the end; class numbers are those of an output. */
START_TEST(ends_of_classifiers) {
  static const double p[] = {0.73105857863}, thirds[] = {1 / 3., 1 / 3., 1 / 3.}, threes[] = {3, 3, 3};
  if (!has_onnx()) return;
  check_graph("N,1", "Sigmoid x > p ; Sub ~1:1 p > q ; Concat q p > y axis=1", 1, p);
  check_graph("N,1", "Sigmoid x > p ; Sub ~1:1 p > q ; Concat q p > r axis=1 ; ArgMax r > l axis=1 ; Identity r > y", 1,
              p);
  refuse_graph("N,1", "Sigmoid x > p ; Sub ~1:1 p > q ; Concat q p > r axis=1 ; Tanh r > y", "neither rows nor images");
  refuse_graph("N,1", "Tanh x > p ; Sub ~1:1 p > q ; Concat q p > y axis=1", "arithmetic with constants is only read");
  check_graph("N,2", "MatMul x ~1,1,1,1,1,1:2,3 > a ; Softmax a > y ; ArgMax a > l axis=1", 3, thirds);
  check_graph("N,2", "MatMul x ~1,1,1,1,1,1:2,3 > a ; Softmax a > b ; ArgMax b > l axis=1 ; Identity a > y", 3, threes);
  refuse_graph("N,2", "MatMul x ~1,1,1,1,1,1:2,3 > a ; Relu a > y ; ArgMax a > l axis=1", "of what is no output");
  refuse_graph("N,2", "MatMul x ~1,1,1,1,1,1:2,3 > y ; ArgMax x > l axis=1", "class numbers of what is no output");
}
END_TEST

START_TEST(parts_of_images) {
  if (!has_onnx()) return;
  refuse_graph("N,4,4,3", "Transpose x > y perm=0,3,1,2", "(Transpose): Transpose of images is not read; images are");
  refuse_graph("N,3,4,4", "Slice x > y starts=1 ends=2147483647 axes=2", "Slice of images is not read");
  refuse_graph("N,3,4,4", "Gather x =0 > y axis=2", "Gather of images is not read");
}
END_TEST

/* The first dimension that Reshape asks for is that of the samples. */
START_TEST(fixed_samples) {
  static const double same[] = {1, 2, 3, 4};
  if (!has_onnx()) return;
  check_graph("3,4", "Reshape x =3,-1 > y", 4, same);
  check_graph("3,4", "Reshape x =3,2,2 > a ; Reshape a =3,4 > y", 4, same);
  check_graph("1,2,2,1", "Reshape x =1,-1 > y", 4, same);
  check_graph("N,4", "Reshape x =0,4 > y", 4, same);
  check_graph("N,4", "Reshape x =-1,4 > y", 4, same);
  refuse_graph("3,4", "Reshape x =1,-1 > y", "the first dimension of its shape is 1; wanted that of the samples");
  refuse_graph("3,4", "Reshape x =6,4 > y", "the first dimension of its shape is 6; wanted");
  refuse_graph("N,4", "Reshape x =1,4 > y", "the first dimension of its shape is 1; wanted");
  refuse_graph("N,4", "Reshape x =2,-1 > y", "the first dimension of its shape is 2; wanted");
}
END_TEST

/* A name with folders is one that is not read; other names are no names. */
START_TEST(names_of_files_beside) {
  static const struct {
    const char *name;
    nnb_status wanted;
  } cases[] = {{"data/w.bin", NNB_E_UNSUPPORTED},
               {"../w.bin", NNB_E_UNSUPPORTED},
               {"/w.bin", NNB_E_UNSUPPORTED},
               {"..", NNB_E_PARSE},
               {".", NNB_E_PARSE},
               {"", NNB_E_PARSE}};
  if (!has_onnx()) return;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    message model = {.n = 0}, graph = {.n = 0}, opset = {.n = 0}, t = {.n = 0}, entry = {.n = 0};
    nnb_net *one;
    put_word(&entry, 1, "location"), put_word(&entry, 2, cases[i].name);
    put_int(&t, 1, 2), put_int(&t, 2, 1), put_word(&t, 8, "w"), put_part(&t, 13, &entry), put_int(&t, 14, 1);
    put_part(&graph, 5, &t), put_int(&opset, 2, 11);
    put_int(&model, 1, 8), put_part(&model, 7, &graph), put_part(&model, 8, &opset);
    bad(cases[i].wanted, "is not the name of a file in the model's folder",
        nnb_net_load_onnx_mem(model.p, model.n, NULL, &one));
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("onnx " PRECISION);
  TCase *t = tcase_create("onnx");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, round_trips);
  tcase_add_test(t, layers_there_and_back);
  tcase_add_test(t, graphs_there_and_back);
  tcase_add_test(t, sequences_there_and_back);
  tcase_add_test(t, nothing_there_and_back);
  tcase_add_test(t, what_cannot_be_written);
  tcase_add_test(t, files_and_names);
  tcase_add_test(t, bad_calls);
  tcase_add_test(t, golden_files);
  tcase_add_test(t, refused_files);
  tcase_add_test(t, files_beside);
  tcase_add_test(t, sides_of_one);
  tcase_add_test(t, zeros_of_attributes);
  tcase_add_test(t, shapes_of_constants);
  tcase_add_test(t, ends_of_classifiers);
  tcase_add_test(t, parts_of_images);
  tcase_add_test(t, fixed_samples);
  tcase_add_test(t, names_of_files_beside);
  suite_add_tcase(s, t);
  return s;
}

int main(void) { return run_suite(suite()); }
