/* Models in files: a loaded net equals the saved one, and files are not trusted. */
#include <errno.h>
#include <sys/stat.h>

#include <nnblas.h>

/* A model in double precision, in both builds of this file. */
static nnb_status double_model(double weight, void **file, size_t *bytes) {
  nnb_net *net;
  nnb_status status = nnb_net_parse("2-3:name=large", &net);
  if (status) return status;
  nnb_net_params(net)[4] = weight;
  status = nnb_net_save_mem(net, file, bytes);
  nnb_net_destroy(net);
  return status;
}

#include "heap.h"
#include "toys.h"

static const nnb_act_ops *const acts[] = {&toy_bump};
static const nnb_loss_ops *const losses[] = {&toy_quartic};
static const nnb_layer_ops *const layers[] = {&toy_gain};
static const nnb_load_opts own_parts = {
    .activations = acts, .n_activations = 1, .losses = losses, .n_losses = 1, .layers = layers, .n_layers = 1};

/* ---- round trips ------------------------------------------------------------------------------------------------- */

static nnb_net *chain(void) {
  nnb_net *net;
  ck_ok(nnb_net_parse("4-6:tanh:frozen=1:name=first-5:gelu:bias=0:init=orthogonal-3:softmax", &net));
  return net;
}

static nnb_net *scaled(void) {
  nnb_data *data = toy_regression(30, 4, 3);
  nnb_net *net = nnb_net_create(4);
  nnb_net_standardize(net, data);
  nnb_net_dense_opts(
      net, &(nnb_dense_opts){.units = 5, .activation = NNB_SELU, .init = NNB_INIT_UNIFORM, .init_scale = 0.3});
  nnb_net_dense(net, 3, NNB_LINEAR);
  nnb_net_loss(net, NNB_MAE);
  nnb_net_seed(net, UINT64_MAX);
  nnb_net_scale_targets(net, data, NNB_MINMAX);
  nnb_data_destroy(data);
  return net;
}

static nnb_net *named(void) {
  static const char text[] = "length,Höhe,\"a \"\"b\"\"\",d,kind\n1,2,3,4,röd\n4,5,6,7,blå\n7,8,9,1,\"{}[]:,\"\n";
  nnb_data *data;
  nnb_net *net;
  ck_ok(nnb_data_parse_csv(text, sizeof text - 1, "kinds", NULL, &data));
  ck_ok(nnb_net_parse("4-3:softmax", &net));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 2}, NULL));
  nnb_data_destroy(data);
  return net;
}

static nnb_net *without_parameters(void) {
  nnb_net *net = nnb_net_create(4);
  int a = nnb_net_activation(net, 1, NNB_TANH);
  nnb_net_add(net, (int[]){1, a, a}, 3, NNB_STEP);
  return net;
}

static nnb_net *(*const makers[])(void) = {chain, scaled, named, without_parameters, toy_graph};
enum { N_MAKERS = sizeof makers / sizeof *makers, ROWS = 7 };

static void predict(nnb_net *net, real y[ROWS * 4]) {
  real x[ROWS * 4];
  toy_fill(x, ROWS * 4, 5);
  for (int i = 0; i < ROWS * 4; i++) y[i] = 0;
  ck_ok(nnb_net_predict(net, nnb_cview(x, ROWS, 4), (nnb_mat){y, ROWS, nnb_net_n_out(net), nnb_net_n_out(net)}));
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static void compare(nnb_net *a, nnb_net *b) {
  size_t n = nnb_net_n_params(a);
  ck_assert_uint_eq(nnb_net_n_params(b), n);
  ck_assert_msg(memcmp(nnb_net_params_read(a), nnb_net_params_read(b), n * sizeof(real)) == 0, "other parameters");
  ck_assert_int_eq(nnb_net_n_in(b), nnb_net_n_in(a));
  ck_assert_int_eq(nnb_net_n_out(b), nnb_net_n_out(a));
  ck_assert_int_eq(nnb_net_n_nodes(b), nnb_net_n_nodes(a));
  for (int k = 1; k <= nnb_net_n_nodes(a); k++) ck_assert_str_eq(nnb_net_node_name(b, k), nnb_net_node_name(a, k));
  for (int k = 0; k < 6; k++) {
    ck_assert(same_text(nnb_net_column_name(a, k), nnb_net_column_name(b, k)));
    ck_assert(same_text(nnb_net_class_name(a, k), nnb_net_class_name(b, k)));
  }
}

/* The file in memory, and its net. */
static nnb_net *through_memory(nnb_net *net, void **file, size_t *bytes) {
  nnb_net *back;
  ck_ok(nnb_net_save_mem(net, file, bytes));
  ck_ok(nnb_net_load_mem(*file, *bytes, &own_parts, &back));
  return back;
}

START_TEST(what_comes_back_is_what_was_saved) {
  real y[2][ROWS * 4];
  void *file[2];
  size_t bytes[2];
  nnb_net *net = makers[_i](), *back = through_memory(net, &file[0], &bytes[0]);
  compare(net, back);
  predict(net, y[0]), predict(back, y[1]);
  ck_assert_msg(memcmp(y[0], y[1], sizeof y[0]) == 0, "other predictions");
  nnb_net *again = through_memory(back, &file[1], &bytes[1]); /* losses, factors, frozen parts, attributes, seed */
  ck_assert_msg(bytes[0] == bytes[1] && memcmp(file[0], file[1], bytes[0]) == 0, "a loaded net saves another file");
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_net_destroy(again);
  nnb_free(file[0]), nnb_free(file[1]);
}
END_TEST

/* A net with this activation and this loss is loaded as it was saved. */
static void comes_back(const char *text, nnb_loss loss) {
  real y[2][ROWS * 4];
  void *file;
  size_t bytes;
  nnb_net *net;
  ck_ok(nnb_net_parse(text, &net));
  ck_ok(nnb_net_loss(net, loss));
  nnb_net *back = through_memory(net, &file, &bytes);
  compare(net, back);
  predict(net, y[0]), predict(back, y[1]);
  ck_assert_msg(memcmp(y[0], y[1], sizeof y[0]) == 0, "%s, %s: other predictions", text, nnb_loss_name(loss));
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_free(file);
}

START_TEST(every_activation_comes_back) {
  char text[64];
  snprintf(text, sizeof text, "4-5:%s-3", nnb_activation_name((nnb_activation)_i));
  comes_back(text, NNB_LOSS_AUTO);
}
END_TEST
START_TEST(every_loss_comes_back) {
  comes_back(_i == NNB_BINARY_CROSS_ENTROPY ? "4-5:tanh-3:sigmoid" : "4-5:tanh-3:softmax", (nnb_loss)_i);
}
END_TEST

START_TEST(training_goes_on_with_the_same_bits) {
  nnb_net *net = makers[_i](), *back;
  int n_out = nnb_net_n_out(net);
  const bool classes = makers[_i] == chain || makers[_i] == named;
  nnb_data *data = classes ? toy_classes(40, 4, n_out) : toy_regression(40, 4, n_out);
  nnb_fit_opts opts = {.algo = NNB_MOMENTUM, .lr = 1e-3, .batch = 8, .max_epochs = 3};
  void *file;
  size_t bytes;
  ck_ok(nnb_fit(net, data, NULL, &opts, NULL));
  back = through_memory(net, &file, &bytes);
  ck_ok(nnb_fit(net, data, data, &opts, NULL));
  ck_ok(nnb_fit(back, data, data, &opts, NULL));
  compare(net, back);
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_data_destroy(data), nnb_free(file);
}
END_TEST

START_TEST(every_bit_of_a_parameter_is_kept) {
  static const double special[] = {0.0, -0.0, (double)INFINITY, -(double)INFINITY, 1e-310, 1e-42, 1.0 / 3};
  nnb_net *net = chain();
  real *w = nnb_net_params(net);
  size_t n = nnb_net_n_params(net), k = sizeof special / sizeof *special;
  for (size_t i = 0; i < k; i++) w[i] = (real)special[i];
  for (size_t i = k; i < n; i++) { /* NaN with a payload and a sign, and any other bits */
    uint64_t bits = i % 3 ? 0x9E3779B97F4A7C15u * i : 0xFFF8000000000000u | i;
#ifdef NNB_SINGLE
    uint32_t half = i % 3 ? (uint32_t)(bits >> 32) : 0xFFC00000u | (uint32_t)i;
    memcpy(&w[i], &half, sizeof half);
#else
    memcpy(&w[i], &bits, sizeof bits);
#endif
  }
  void *file;
  size_t bytes;
  nnb_net *back = through_memory(net, &file, &bytes);
  ck_assert(memcmp(w, nnb_net_params_read(back), n * sizeof(real)) == 0);
  nnb_net_destroy(net), nnb_net_destroy(back), nnb_free(file);
}
END_TEST

#ifndef NNB_SINGLE /* where both precisions can be named */
START_TEST(the_other_precision_is_converted) {
  nnb_net *net = scaled(), *wide;
  nnbf_net *narrow;
  void *file, *half;
  size_t bytes, half_bytes, n = nnb_net_n_params(net);
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnbf_net_load_mem(file, bytes, NULL, &narrow));
  ck_ok(nnbf_net_save_mem(narrow, &half, &half_bytes));
  ck_ok(nnb_net_load_mem(half, half_bytes, NULL, &wide));
  const double *a = nnb_net_params_read(net), *c = nnb_net_params_read(wide);
  const float *b = nnbf_net_params_read(narrow);
  for (size_t i = 0; i < n; i++) ck_assert(b[i] == (float)a[i] && c[i] == (double)b[i]);
  const double *shift, *factor, *wide_shift, *wide_factor;
  nnb_net_input_scaler(net, &shift, &factor), nnb_net_input_scaler(wide, &wide_shift, &wide_factor);
  for (int i = 0; i < 4; i++)
    ck_assert(wide_shift[i] == (double)(float)shift[i] && wide_factor[i] == (double)(float)factor[i]);
  ck_assert_uint_lt(half_bytes, bytes);
  nnb_net_destroy(net), nnb_net_destroy(wide), nnbf_net_destroy(narrow);
  nnb_free(file), nnb_free(half);
}
END_TEST
#endif

START_TEST(own_parts_must_be_handed_in) {
  static const char *const words[] = {"bump", "quartic", "gain"};
  nnb_net *net = toy_graph(), *back = net;
  void *file;
  size_t bytes;
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  for (int i = 0; i < 3; i++) {
    nnb_load_opts opts = own_parts;
    if (i == 0) opts.n_activations = 0;
    if (i == 1) opts.n_losses = 0;
    if (i == 2) opts.n_layers = 0;
    ck_assert_int_eq(nnb_net_load_mem(file, bytes, &opts, &back), NNB_E_UNSUPPORTED);
    ck_assert_ptr_null(back);
    ck_assert_msg(strstr(nnb_errmsg(), words[i]), "\"%s\" does not name %s", nnb_errmsg(), words[i]);
  }
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, NULL, &back), NNB_E_UNSUPPORTED);
  nnb_net_destroy(net), nnb_free(file);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------------------------- */

START_TEST(files_are_replaced_whole) {
  char path[TOY_PATH];
  struct stat st;
  nnb_net *a = chain(), *b = scaled(), *back;
  toy_path(path, "model.safetensors");
  ck_ok(nnb_net_save(a, path));
  ck_assert_int_eq(chmod(path, 0640), 0);
  ck_ok(nnb_net_save(b, path));
  ck_ok(nnb_net_load(path, NULL, &back));
  compare(b, back);
  ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
  remove(path);
  nnb_net_destroy(a), nnb_net_destroy(b), nnb_net_destroy(back);
}
END_TEST

START_TEST(places_that_cannot_be_written_or_read) {
  char path[TOY_PATH], inside[TOY_PATH + 20];
  nnb_net *net = chain(), *back = net;
  toy_path(path, "no-such-folder");
  snprintf(inside, sizeof inside, "%s/model", path);
  ck_assert_int_eq(nnb_net_save(net, inside), NNB_E_IO);
  ck_assert_msg(strstr(nnb_errmsg(), inside) && strstr(nnb_errmsg(), strerror(ENOENT)), "%s", nnb_errmsg());
  ck_assert_int_eq(nnb_net_load(inside, NULL, &back), NNB_E_IO);
  ck_assert_ptr_null(back);
  ck_assert_msg(strstr(nnb_errmsg(), inside) && strstr(nnb_errmsg(), strerror(ENOENT)), "%s", nnb_errmsg());
  ck_assert_int_eq(mkdir(path, 0700), 0);
  ck_assert_int_eq(nnb_net_save(net, path), NNB_E_IO); /* a folder is not a file */
  ck_assert_int_eq(nnb_net_load(path, NULL, &back), NNB_E_IO);
  if (geteuid() != 0) {
    ck_assert_int_eq(chmod(path, 0500), 0);
    ck_assert_int_eq(nnb_net_save(net, inside), NNB_E_IO);
    ck_assert_int_eq(access(inside, F_OK), -1);
  }
  ck_assert_int_eq(rmdir(path), 0); /* it is empty */
  ck_ok(nnb_net_status(net));
  nnb_net_destroy(net);
}
END_TEST

START_TEST(numbers_too_large_for_the_precision) {
  static const double weights[] = {1e300, 1e38, (double)INFINITY};
  for (int k = 0; k < 3; k++) {
    void *file;
    size_t bytes;
    nnb_net *back;
    ck_ok(double_model(weights[k], &file, &bytes));
    nnb_status status = nnb_net_load_mem(file, bytes, NULL, &back);
    ck_assert_int_eq(status, k == 0 ? TOL(NNB_OK, NNB_E_PARSE) : NNB_OK);
    if (status)
      ck_assert_msg(strstr(nnb_errmsg(), "\"large.weight\" holds a number too large"), "%s", nnb_errmsg());
    else
      ck_assert(nnb_net_params(back)[4] == (real)weights[k]);
    nnb_net_destroy(back), nnb_free(file);
  }
}
END_TEST

/* ---- models made by hand -------------------------------------------------------------------------------------------
 */

/* A file of this header and n zeros. */
static char *make_file(const char *header, size_t zeros, size_t *bytes) {
  size_t n = strlen(header);
  char *file = calloc(8 + n + zeros, 1);
  ck_assert_ptr_nonnull(file);
  for (int i = 0; i < 8; i++) file[i] = (char)((uint64_t)n >> 8 * i);
  memcpy(file + 8, header, n);
  *bytes = 8 + n + zeros;
  return file;
}

#define BEGIN      "{\"__metadata__\":{\"nnblas\":\"1\","
#define TOP(nodes) "\"nodes\":\"" nodes "\",\"loss\":\"auto\",\"seed\":\"0\","
#define NODE(k, layer, name, from, act)                                                                            \
  "\"node." k ".layer\":\"" layer "\",\"node." k ".name\":\"" name "\",\"node." k ".from\":\"" from "\",\"node." k \
  ".act\":\"" act "\",\"node." k ".frozen\":\"0\""
#define UNITS(k, n) ",\"node." k ".units\":\"" n "\""
#define DENSE(k, n) \
  UNITS(k, n) ",\"node." k ".bias\":\"1\",\"node." k ".init\":\"glorot_uniform\",\"node." k ".init_scale\":\"1\""
#define OUTPUT(k, column) \
  ",\"node." k ".output\":\"" column "\",\"node." k ".loss\":\"auto\",\"node." k ".factor\":\"1\""
#define INPUT NODE("1", "input", "input", "", "linear") UNITS("1", "2")
#define TENSOR(name, shape, begin, end) \
  ",\"" name "\":{\"dtype\":\"F64\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"
#define ACT(k, from) NODE(k, "activation", "a" k, from, "tanh")

static const struct bad {
  const char *what, *header;
  size_t zeros;
  const char *words; /* in the message */
} bad_models[] = {
    {"no metadata", "{}", 0, "not a libnnblas model"},
    {"another program's file", "{\"__metadata__\":{\"format\":\"pt\"}}", 0, "not a libnnblas model"},
    {"a later format", "{\"__metadata__\":{\"nnblas\":\"2\"}}", 0, "nnblas"},
    {"a huge number of nodes", BEGIN TOP("1e9") INPUT "}}", 0, "nodes"},
    {"many nodes that are not there", BEGIN TOP("1000000") INPUT "}}", 0, "node.2"},
    {"negative nodes", BEGIN TOP("-1") INPUT "}}", 0, "nodes"},
    {"half a node", BEGIN TOP("2.5") INPUT "}}", 0, "nodes"},
    {"NaN nodes", BEGIN TOP("nan") INPUT "}}", 0, "nodes"},
    {"one node only", BEGIN TOP("1") INPUT "}}", 0, "nodes"},
    {"a node that reads itself", BEGIN TOP("2") INPUT "," ACT("2", "2") "}}", 0, "node.2.from"},
    {"a node that reads a later one", BEGIN TOP("3") INPUT "," ACT("2", "3") "," ACT("3", "2") "}}", 0, "node.2.from"},
    {"a node that reads node 0", BEGIN TOP("2") INPUT "," ACT("2", "0") "}}", 0, "node.2.from"},
    {"a node that reads nothing", BEGIN TOP("2") INPUT "," ACT("2", "") "}}", 0, "has no input node"},
    {"a list with a hole", BEGIN TOP("2") INPUT "," ACT("2", "1,,1") "}}", 0, "node.2.from"},
    {"a list that ends in a comma", BEGIN TOP("2") INPUT "," ACT("2", "1,") "}}", 0, "node.2.from"},
    {"an activation of two nodes", BEGIN TOP("2") INPUT "," ACT("2", "1,1") "}}", 0, "activation"},
    {"an activation first", BEGIN TOP("2") ACT("1", "") "," ACT("2", "1") "}}", 0, "node 1"},
    {"an input of no column",
     BEGIN TOP("2") NODE("1", "input", "input", "", "linear") UNITS("1", "0") "," ACT("2", "1") "}}", 0, "input"},
    {"an unknown layer", BEGIN TOP("2") INPUT "," NODE("2", "magic", "m", "1", "tanh") "}}", 0, "magic"},
    {"an unknown activation", BEGIN TOP("2") INPUT "," NODE("2", "activation", "m", "1", "magic") "}}", 0, "magic"},
    {"two nodes of one name", BEGIN TOP("2") INPUT "," NODE("2", "activation", "input", "1", "tanh") "}}", 0,
     "another node already has the name"},
    {"a name that is none", BEGIN TOP("2") INPUT "," NODE("2", "activation", "a.b", "1", "tanh") "}}", 0, "name"},
    {"a dense layer without its tensors",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh") DENSE("2", "3") "}}", 0, "d.weight"},
    {"a dense layer without its bias",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh")
         DENSE("2", "3") "}" TENSOR("d.weight", "2,3", "0", "48") "}",
     48, "d.bias"},
    {"a weight of another shape",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh")
         DENSE("2", "3") "}" TENSOR("d.weight", "3,2", "0", "48") TENSOR("d.bias", "3", "48", "72") "}",
     72, "shape"},
    {"a bias of another shape",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh")
         DENSE("2", "3") "}" TENSOR("d.weight", "2,3", "0", "48") TENSOR("d.bias", "1,3", "48", "72") "}",
     72, "shape"},
    {"a huge dense layer",
     BEGIN TOP("2") NODE("1", "input", "input", "", "linear")
         UNITS("1", "2147483647") "," NODE("2", "dense", "d", "1", "tanh") DENSE("2", "2147483647") "}}",
     0, "d.weight"},
    {"a shape that overflows",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh")
         DENSE("2", "3") "}" TENSOR("d.weight", "4611686018427387904,8", "0", "0") "}",
     0, "d.weight"},
    {"a huge tensor of nothing",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh")
         DENSE("2", "3") "}" TENSOR("d.weight", "0,4611686018427387904", "0", "0") "}",
     0, "shape"},
    {"too many units for an int",
     BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh") DENSE("2", "2147483648") "}}", 0, "units"},
    {"no unit", BEGIN TOP("2") INPUT "," NODE("2", "dense", "d", "1", "tanh") DENSE("2", "0") "}}", 0, "unit"},
    {"an output that leaves a gap", BEGIN TOP("2") INPUT "," ACT("2", "1") OUTPUT("2", "1") "}}", 0, "output"},
    {"outputs that overlap",
     BEGIN TOP("3") INPUT "," ACT("2", "1") OUTPUT("2", "0") "," ACT("3", "1") OUTPUT("3", "1") "}}", 0, "output"},
    {"outputs in one place",
     BEGIN TOP("3") INPUT "," ACT("2", "1") OUTPUT("2", "0") "," ACT("3", "1") OUTPUT("3", "0") "}}", 0, "output"},
    {"an input as output",
     BEGIN TOP("2") NODE("1", "input", "input", "", "linear") UNITS("1", "2") OUTPUT("1", "0") "," ACT("2", "1") "}}",
     0, "input"},
    {"a factor of 0",
     BEGIN TOP("2") INPUT "," ACT("2", "1") ",\"node.2.output\":\"0\",\"node.2.loss\":\"auto\",\"node.2.factor\":\"0\""
                                            "}}",
     0, "factor"},
    {"an unknown loss",
     BEGIN TOP("2") INPUT "," ACT("2", "1") ",\"node.2.output\":\"0\",\"node.2.loss\":\"magic\",\"node.2.factor\":\"1\""
                                            "}}",
     0, "magic"},
    {"a node that leads nowhere", BEGIN TOP("3") INPUT "," ACT("2", "1") "," ACT("3", "1") "}}", 0,
     "is not used by any output"},
    {"a duplicate key", BEGIN "\"nnblas\":\"1\"," TOP("2") INPUT "," ACT("2", "1") "}}", 0, "duplicate"},
    {"a scaler of the wrong width",
     BEGIN TOP("2") INPUT "," ACT("2", "1") "}" TENSOR("scaler.input.shift", "1", "0", "8") "}", 8,
     "scaler.input.shift"},
    {"a scaler without factors",
     BEGIN TOP("2") INPUT "," ACT("2", "1") "}" TENSOR("scaler.input.shift", "2", "0", "16") "}", 16,
     "scaler.input.factor"},
    {"a scaler by 0",
     BEGIN TOP("2") INPUT "," ACT("2", "1") "}" TENSOR("scaler.input.shift", "2", "0", "16")
         TENSOR("scaler.input.factor", "2", "16", "32") "}",
     32, "scaler.input"},
    {"too many names", BEGIN TOP("2") "\"columns\":\"2000000000\"," INPUT "," ACT("2", "1") "}}", 0, "columns"},
    {"widths beyond an int",
     BEGIN TOP("4") NODE("1", "input", "input", "", "linear") UNITS("1", "2000000000") "," NODE(
         "2", "concat", "c", "1,1", "linear") "," ACT("3", "2") "," ACT("4", "3") "}}",
     0, "int"},
};
enum { N_BAD = sizeof bad_models / sizeof *bad_models };

START_TEST(bad_models_are_refused_with_a_sentence) {
  const struct bad *b = &bad_models[_i];
  size_t bytes;
  nnb_net *net;
  heap_install();
  char *file = make_file(b->header, b->zeros, &bytes);
  nnb_status status = nnb_net_load_mem(file, bytes, NULL, &net);
  bool unknown = strncmp(b->what, "an unknown", 10) == 0;
  ck_assert_msg(status == (unknown ? NNB_E_UNSUPPORTED : NNB_E_PARSE), "%s: %s (%s)", b->what, nnb_strstatus(status),
                nnb_errmsg());
  ck_assert_ptr_null(net);
  ck_assert_msg(strstr(nnb_errmsg(), b->words), "%s: \"%s\" says nothing of \"%s\"", b->what, nnb_errmsg(), b->words);
  ck_assert_msg(heap_peak() < 64 * bytes + 4096, "%s: %zu bytes of memory for a file of %zu", b->what, heap_peak(),
                bytes);
  ck_assert_int_eq(heap_live(), 0);
  heap_remove();
  free(file);
}
END_TEST

/* The macros above make a good model too. */
START_TEST(a_good_model_by_hand) {
  size_t bytes;
  nnb_net *net;
  char *file = make_file(
      BEGIN TOP("3") INPUT "," NODE("2", "dense", "d", "1", "tanh") DENSE("2", "3") OUTPUT("2", "2") "," ACT("3", "1")
          OUTPUT("3", "0") "}" TENSOR("d.weight", "2,3", "0", "48") TENSOR("d.bias", "3", "48", "72") "}",
      72, &bytes);
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &net));
  ck_assert_int_eq(nnb_net_n_out(net), 5);
  real x[2] = {1, 2}, y[5];
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, 2), nnb_view(y, 1, 5)));
  ck_assert(fabs((double)y[0] - tanh(1)) < 1e-6 && fabs((double)y[1] - tanh(2)) < 1e-6 && y[2] == 0 && y[4] == 0);
  nnb_net_destroy(net);
  free(file);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------------------------------
 */

/* Loading takes a few times the memory of the file. */
START_TEST(memory_for_a_real_model_is_bounded) {
  nnb_net *net, *back;
  void *file;
  size_t bytes;
  ck_ok(nnb_net_parse(_i ? "30-300-300-10:softmax" : "300-300:init=orthogonal-10:softmax:init=orthogonal", &net));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  heap_install();
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &back));
  ck_assert_msg(heap_peak() < 3 * bytes + 100000, "%zu bytes of memory for a file of %zu", heap_peak(), bytes);
  nnb_net_destroy(back);
  heap_remove();
  nnb_net_destroy(net), nnb_free(file);
}
END_TEST

/* A chain of many layers: memory and time stay proportional. */
START_TEST(a_long_chain_loads) {
  enum { N = 3000 };
  nnb_net *net = nnb_net_create(1), *back;
  void *file;
  size_t bytes;
  for (int i = 0; i < N; i++) nnb_net_dense(net, 1, NNB_TANH);
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  heap_install();
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &back));
  ck_assert_int_eq(nnb_net_n_nodes(back), N + 1);
  ck_assert_msg(heap_peak() < 10 * bytes, "%zu bytes of memory for a file of %zu", heap_peak(), bytes);
  nnb_net_destroy(back);
  heap_remove();
  nnb_net_destroy(net), nnb_free(file);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model, " PRECISION);
  TCase *tc = tcase_create("model");
  tcase_add_loop_test(tc, what_comes_back_is_what_was_saved, 0, N_MAKERS);
  tcase_add_loop_test(tc, every_activation_comes_back, 0, NNB_N_ACTIVATIONS);
  tcase_add_loop_test(tc, every_loss_comes_back, 0, NNB_N_LOSSES);
  tcase_add_loop_test(tc, training_goes_on_with_the_same_bits, 0, N_MAKERS);
  tcase_add_test(tc, every_bit_of_a_parameter_is_kept);
#ifndef NNB_SINGLE
  tcase_add_test(tc, the_other_precision_is_converted);
#endif
  tcase_add_test(tc, own_parts_must_be_handed_in);
  tcase_add_test(tc, files_are_replaced_whole);
  tcase_add_test(tc, places_that_cannot_be_written_or_read);
  tcase_add_test(tc, numbers_too_large_for_the_precision);
  tcase_add_loop_test(tc, bad_models_are_refused_with_a_sentence, 0, N_BAD);
  tcase_add_test(tc, a_good_model_by_hand);
  tcase_add_loop_test(tc, memory_for_a_real_model_is_bounded, 0, 2);
  tcase_add_test(tc, a_long_chain_loads);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
