/* The cost of a hostile file or text: time is proportional to its size, and memory is bounded. */
#include <time.h>

#include "heap.h"
#include "toys.h"

/* ---- measuring --------------------------------------------------------------------------------------------------- */

static double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The minimum of some runs: other programs can only add time. */
static double least_seconds(void (*run)(int n), int n, int tries) {
  double least = (double)INFINITY;
  for (int i = 0; i < tries; i++) {
    double begin = processor_seconds();
    run(n);
    double took = processor_seconds() - begin;
    if (took < least) least = took;
  }
  return least;
}

/* ---- texts that grow ----------------------------------------------------------------------------------------------
 */

static char *text;
static size_t used, capacity;

static void say(const char *more) {
  const size_t n = strlen(more);
  if (used + n + 1 > capacity) text = realloc(text, capacity = 2 * (used + n + 1));
  ck_assert_ptr_nonnull(text);
  memcpy(text + used, more, n + 1);
  used += n;
}

static void say_number(int i, const char *more) {
  char number[20];
  snprintf(number, sizeof number, "%d", i);
  say(number), say(more);
}

static void begin(const char *first) { used = 0, say(first); }

/* ---- nets and files -----------------------------------------------------------------------------------------------
 */

static void save_and_load(nnb_net *net) {
  void *file;
  size_t bytes;
  nnb_net *back;
  ck_ok(nnb_net_status(net));
  ck_ok(nnb_net_save_mem(net, &file, &bytes));
  ck_ok(nnb_net_load_mem(file, bytes, NULL, &back));
  ck_assert_int_eq(nnb_net_n_nodes(back), nnb_net_n_nodes(net));
  nnb_free(file), nnb_net_destroy(back), nnb_net_destroy(net);
}

static void many_nodes(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense(net, 1, NNB_TANH);
  save_and_load(net);
}

/* In the file, too, the last output comes first. */
static void many_outputs(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = 1});
  for (int i = n; i > 0; i--) nnb_net_output(net, i + 1);
  save_and_load(net);
}

static nnb_net *wide_concat(int n) {
  nnb_net *net = nnb_net_create(1);
  int *from = malloc((size_t)n * sizeof *from);
  ck_assert_ptr_nonnull(from);
  for (int i = 0; i < n; i++) from[i] = 1;
  nnb_net_concat(net, from, n);
  free(from);
  return net;
}

static void long_concat(int n) { save_and_load(wide_concat(n)); }

#ifdef NNB_HAVE_ONNX
static void as_onnx(nnb_net *net) {
  void *file;
  size_t bytes;
  nnb_net *back;
  ck_ok(nnb_net_save_onnx_mem(net, NULL, &file, &bytes));
  ck_ok(nnb_net_load_onnx_mem(file, bytes, NULL, &back));
  ck_assert_int_eq(nnb_net_n_out(back), nnb_net_n_out(net));
  nnb_free(file), nnb_net_destroy(back), nnb_net_destroy(net);
}

static void onnx_nodes(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense(net, 1, NNB_GELU);
  as_onnx(net);
}

static void onnx_outputs(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = 1});
  for (int i = n; i > 0; i--) nnb_net_output(net, i + 1);
  as_onnx(net);
}

static void onnx_sequences(int n) {
  nnb_net *net = nnb_net_create(2);
  nnb_net_embedding(net, 1, 2, 1);
  for (int i = 0; i < n; i++) nnb_net_gru(net, 0, 1, i + 1 < n);
  as_onnx(net);
}

static void onnx_concat(int n) { as_onnx(wide_concat(n)); }
#endif

/* Forward and back through a concat of n nodes of one column. */
static void run_concat(int n) {
  nnb_net *net = wide_concat(n);
  nnb_plan *plan;
  real x[1] = {1}, dx[1], *y = calloc((size_t)n, sizeof *y);
  ck_assert_ptr_nonnull(y);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_DX, .threads = 1}, &plan));
  ck_ok(nnb_plan_predict(plan, nnb_cview(x, 1, 1), nnb_view(y, 1, n)));
  ck_ok(nnb_plan_vjp(plan, nnb_cview(x, 1, 1), nnb_cview(y, 1, n), nnb_view(dx, 1, 1)));
  ck_assert(dx[0] == (real)n);
  nnb_plan_destroy(plan), nnb_net_destroy(net), free(y);
}

/* The loss of n outputs, and its gradient. */
static void run_outputs(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = 1}));
  nnb_plan *plan;
  double loss;
  real x[1] = {1}, *t = calloc((size_t)n, sizeof *t), *g = calloc(2 * (size_t)n, sizeof *g);
  ck_assert(t && g);
  ck_ok(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_GRAD, .threads = 1}, &plan));
  ck_ok(nnb_plan_gradient(plan, &(nnb_batch){.x = nnb_cview(x, 1, 1), .t = nnb_cview(t, 1, n)}, 0, &loss, g));
  nnb_plan_destroy(plan), nnb_net_destroy(net), free(t), free(g);
}

static void run_chain(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense(net, 1, NNB_TANH);
  real x[1] = {1}, y[1];
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, 1), nnb_view(y, 1, 1)));
  nnb_net_destroy(net);
}

static void parse(int n) {
  nnb_net *net;
  begin("1");
  for (int i = 0; i < n; i++) say("-1");
  ck_ok(nnb_net_parse(text, &net));
  nnb_net_destroy(net);
}

/* The first half has the names that the later half would get. */
static void parse_with_names_taken(int n) {
  nnb_net *net;
  begin("1");
  for (int i = 0; i < n; i++) say("-1:name=dense"), say_number(n + i + 1, "");
  for (int i = 0; i < n; i++) say("-1");
  ck_ok(nnb_net_parse(text, &net));
  ck_assert_int_gt(nnb_net_find(net, "dense17"), -1);
  nnb_net_destroy(net);
}

static void copy(int n) {
  nnb_net *net = nnb_net_create(1), *twin;
  for (int i = 0; i < n; i++) nnb_net_dense(net, 1, NNB_TANH);
  ck_ok(nnb_net_copy(net, &twin));
  nnb_net_destroy(net), nnb_net_destroy(twin);
}

static void find_all(int n) {
  nnb_net *net = nnb_net_create(1);
  for (int i = 0; i < n; i++) nnb_net_dense(net, 1, NNB_TANH);
  for (int i = 1; i <= n; i++) ck_assert_int_eq(nnb_net_find(net, nnb_net_node_name(net, i)), i);
  nnb_net_destroy(net);
}

/* ---- data ---------------------------------------------------------------------------------------------------------
 */

static void read_csv(const nnb_csv_opts *opts) {
  nnb_data *data;
  ck_ok(nnb_data_parse_csv(text, used, "hostile", opts, &data));
  nnb_data_destroy(data);
}

static void many_columns(int n) {
  begin("c0");
  for (int i = 1; i < n; i++) say(",c"), say_number(i, "");
  say("\n0");
  for (int i = 1; i < n; i++) say(",1");
  read_csv(&(nnb_csv_opts){.n_targets = NNB_NONE});
}

static void many_classes(int n) {
  begin("");
  for (int i = 0; i < n; i++) say("1,c"), say_number(i, "\n");
  read_csv(&(nnb_csv_opts){.header = NNB_NONE});
}

static void many_numbers_as_classes(int n) {
  begin("");
  for (int i = 0; i < n; i++) say("1,"), say_number(n - i, "\n");
  read_csv(&(nnb_csv_opts){.header = NNB_NONE, .classify = true});
}

static void many_classes_given(int n) {
  char **names = malloc((size_t)n * sizeof *names);
  ck_assert_ptr_nonnull(names);
  begin("");
  for (int i = 0; i < n; i++) say("1,c"), say_number(i, "\n");
  for (int i = 0; i < n; i++) snprintf(names[i] = malloc(16), 16, "c%d", i);
  read_csv(&(nnb_csv_opts){.header = NNB_NONE, .class_names = (const char *const *)names, .n_class_names = n});
  for (int i = 0; i < n; i++) free(names[i]);
  free(names);
}

/* The error is at the end, so its position must be found. */
static void a_fault_at_the_end(int n) {
  nnb_data *data;
  begin("");
  for (int i = 0; i < n; i++) say("1,2\n");
  say("1,x");
  ck_assert_int_eq(nnb_data_parse_csv(text, used, "hostile", NULL, &data), NNB_E_PARSE);
}

/* ---- time ---------------------------------------------------------------------------------------------------------
 */

static const struct {
  const char *what;
  void (*run)(int n);
  int n;
} growing[] = {
    {"a model of n nodes", many_nodes, 2000},
    {"a model of n outputs", many_outputs, 2000},
    {"a model with a concat of n nodes", long_concat, 100000},
#ifdef NNB_HAVE_ONNX
    {"an ONNX model of n nodes", onnx_nodes, 1000},
    {"an ONNX model of n outputs", onnx_outputs, 1000},
    {"an ONNX model of n GRUs", onnx_sequences, 500},
    {"an ONNX model with a concat of n nodes", onnx_concat, 20000},
#endif
    {"a concat of n nodes, forward and back", run_concat, 20000},
    {"losses of n outputs", run_outputs, 5000},
    {"a prediction of n layers", run_chain, 5000},
    {"a string of n layers", parse, 10000},
    {"a string of n layers whose names are taken", parse_with_names_taken, 5000},
    {"a copy of n nodes", copy, 10000},
    {"looking n nodes up", find_all, 10000},
    {"n columns of a CSV file", many_columns, 20000},
    {"n classes of a CSV file", many_classes, 20000},
    {"n numbers as classes", many_numbers_as_classes, 5000},
    {"n classes given", many_classes_given, 20000},
    {"a fault in row n of a CSV file", a_fault_at_the_end, 20000},
};
enum { N_GROWING = sizeof growing / sizeof *growing };

/* Eight times the size takes eight times as long, and somewhat more with a logarithm, at the end of a cache or with new
 * pages; 64 times if each item looks at each. */
START_TEST(time_grows_as_the_size) {
  enum { TIMES = 8, MOST = 32 };
  const int n = growing[_i].n / 2;
  double ratio = (double)INFINITY;
  for (int tries = 0; tries < 5 && ratio >= MOST; tries++)
    ratio = least_seconds(growing[_i].run, TIMES * n, 1 + tries) / least_seconds(growing[_i].run, n, 3);
  ck_assert_msg(ratio < MOST, "%s: from %d to %d the time grows %.1f times", growing[_i].what, n, TIMES * n, ratio);
}
END_TEST

/* ---- names that collide -------------------------------------------------------------------------------------------
 */

/* FNV-1a, folded: the hash of a table without a key. */
static uint64_t plain_hash(const char *s) {
  uint64_t h = 0xCBF29CE484222325u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 0x100000001B3u;
  return h ^ h >> 32;
}

/* The i-th text over 64 letters. */
static void spell(uint64_t i, char out[8]) {
  static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
  for (int k = 0; k < 6; k++, i >>= 6) out[k] = letters[i & 63];
  out[6] = '\0';
}

/* Entries of a header whose names are all in the first thousandth of a table's slots, or anywhere. */
static void say_header(int n, bool collide) {
  char name[8];
  begin("{\"__metadata__\":{");
  for (uint64_t i = 0, got = 0; got < (uint64_t)n; i++) {
    spell(i, name);
    if (collide && (plain_hash(name) & 0xffff) >= 64) continue;
    say(got++ ? ",\"" : "\""), say(name), say("\":\"\"");
  }
  say("}}");
}

/* The header as a file, which is not a model. */
static double seconds_to_refuse(void) {
  char *file = malloc(8 + used);
  nnb_net *net;
  ck_assert_ptr_nonnull(file);
  for (int i = 0; i < 8; i++) file[i] = (char)((uint64_t)used >> 8 * i);
  memcpy(file + 8, text, used);
  double least = (double)INFINITY;
  for (int i = 0; i < 3; i++) {
    double begin_at = processor_seconds();
    ck_assert_int_eq(nnb_net_load_mem(file, 8 + used, NULL, &net), NNB_E_PARSE);
    double took = processor_seconds() - begin_at;
    if (took < least) least = took;
  }
  free(file);
  return least;
}

START_TEST(names_that_collide_without_a_key) {
  enum { ENTRIES = 20000 };
  double ratio = (double)INFINITY;
  for (int tries = 0; tries < 5 && ratio >= 3; tries++) {
    say_header(ENTRIES, true);
    double colliding = seconds_to_refuse();
    say_header(ENTRIES, false);
    ratio = colliding / seconds_to_refuse();
  }
  ck_assert_msg(ratio < 3, "%d names that collide take %.1f times as long as others", (int)ENTRIES, ratio);
}
END_TEST

START_TEST(deep_nesting_is_refused) {
  enum { DEEP = 1 << 20 };
  begin("{\"a\":");
  for (int i = 0; i < DEEP; i++) say("[");
  ck_assert_double_lt(seconds_to_refuse(), slowness());
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

/* A net of 2ⁿ columns in a few thousand bytes. */
static void *doubling(int n, size_t *bytes) {
  void *file;
  nnb_net *net = nnb_net_create(1);
  for (int i = 1; i <= n; i++) nnb_net_concat(net, (int[]){i, i}, 2);
  ck_ok(nnb_net_save_mem(net, &file, bytes));
  nnb_net_destroy(net);
  return file;
}

START_TEST(a_small_file_is_no_large_net) {
  enum { COLUMNS = sizeof(size_t) > 4 ? 30 : 24 }; /* half a GB instead of 32 where that is no address */
  size_t bytes;
  nnb_net *net;
  void *file = doubling(COLUMNS, &bytes);
  heap_install();
  nnb_status status = nnb_net_load_mem(file, bytes, NULL, &net);
  size_t peak = heap_peak();
  heap_remove();
  ck_assert_int_eq(status, NNB_E_UNSUPPORTED);
  ck_assert_ptr_null(net);
  ck_assert_msg(strstr(nnb_errmsg(), "max_bytes"), "%s", nnb_errmsg());
  ck_assert_uint_lt(peak, 64 * bytes);
  ck_ok(nnb_net_load_mem(file, bytes, &(nnb_load_opts){.max_bytes = SIZE_MAX}, &net));
  ck_assert_int_eq(nnb_net_n_out(net), 1 << COLUMNS);
  nnb_net_destroy(net), nnb_free(file);
}
END_TEST

START_TEST(the_bound_is_what_the_header_says) {
  size_t bytes;
  nnb_net *net;
  void *file = doubling(4, &bytes); /* 1 + 2 + 4 + 8 + 16 columns; concats read as many as they write */
  const size_t wanted = (31 + 30) * sizeof(real);
  ck_ok(nnb_net_load_mem(file, bytes, &(nnb_load_opts){.max_bytes = wanted}, &net));
  nnb_net_destroy(net);
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, &(nnb_load_opts){.max_bytes = wanted - 1}, &net), NNB_E_UNSUPPORTED);
  nnb_free(file);
  file = doubling(22, &bytes); /* 2²⁴ - 3 numbers; 64 MiB are always allowed */
  ck_assert_int_eq(nnb_net_load_mem(file, bytes, NULL, &net), sizeof(real) == 4 ? NNB_OK : NNB_E_UNSUPPORTED);
  nnb_net_destroy(net), nnb_free(file);
}
END_TEST

/* The memory for loading files whose few bytes describe much. */
START_TEST(loading_takes_memory_in_proportion) {
  for (int k = 0; k < 3; k++) {
    nnb_net *net = k == 2 ? wide_concat(50000) : nnb_net_create(1), *back;
    for (int i = 0; i < 500 && k < 2; i++) k ? nnb_net_activation(net, 1, NNB_TANH) : nnb_net_dense(net, 1, NNB_TANH);
    for (int i = 0; i < 500 && k == 1; i++) nnb_net_output(net, i + 2);
    void *file;
    size_t bytes;
    ck_ok(nnb_net_save_mem(net, &file, &bytes));
    heap_install();
    ck_ok(nnb_net_load_mem(file, bytes, NULL, &back));
    size_t peak = heap_peak();
    nnb_net_destroy(back);
    heap_remove();
    ck_assert_msg(peak < 16 * bytes, "model %d: %zu bytes for a file of %zu", k, peak, bytes);
    nnb_free(file), nnb_net_destroy(net);
  }
}
END_TEST

/* ---- memory in multiples of the file: the table of docs/files.md ------------------------------------------------- */

static void short_rows(int n) {
  begin("");
  for (int i = 0; i < n; i++) say("1\n");
  read_csv(&(nnb_csv_opts){.header = NNB_NONE, .n_targets = NNB_NONE});
}

static void empty_fields(int n) {
  begin("a,b,c,d\n1,1,1,1\n");
  for (int i = 0; i < n; i++) say(",,,\n");
  read_csv(&(nnb_csv_opts){.missing = NNB_MISSING_MEAN, .n_targets = NNB_NONE});
}

static void fann(int n) {
  nnb_data *data;
  begin(""), say_number(n, " 1 1");
  for (int i = 0; i < n; i++) say(" 1 1");
  ck_ok(nnb_data_parse_fann(text, used, "hostile", &data));
  nnb_data_destroy(data);
}

static void bytes_as_array(int n) {
  nnb_array array;
  char header[120];
  snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }", n);
  begin("");
  for (int i = 0; i < 128 + n; i++) say(" ");
  memcpy(text, "\x93NUMPY\x01\0\x76\0", 10);
  memcpy(text + 10, header, strlen(header)), text[127] = '\n';
  ck_ok(nnb_array_parse_npy(text, used, "hostile", &array));
  nnb_array_clear(&array);
}

static void images(int n) {
  char path[TOY_PATH];
  nnb_data *data;
  begin("");
  for (int i = 0; i < 16 + n; i++) say(" ");
  memset(text, 0, 16);
  text[2] = 8, text[3] = 3, text[11] = 1, text[15] = 1;
  for (int i = 0; i < 4; i++) text[4 + i] = (char)(n >> (24 - 8 * i));
  FILE *f = fopen(toy_path(path, "images"), "wb");
  ck_assert(f && fwrite(text, 1, used, f) == used && fclose(f) == 0);
  ck_ok(nnb_data_read_idx(path, NULL, &data));
  nnb_data_destroy(data), unlink(path);
}

static const struct {
  const char *what;
  void (*run)(int n);
  int n, times;
} heavy[] = {
    {"rows of one number as CSV", short_rows, 200000, 24},
    {"missing numbers as CSV", empty_fields, 100000, 24},
    {"columns of CSV", many_columns, 50000, 24},
    {"classes of CSV", many_classes, 100000, 24},
    {"numbers as classes of CSV", many_numbers_as_classes, 100000, 24},
    {"FANN", fann, 200000, 4},
    {"bytes as an array", bytes_as_array, 1000000, 8},
    {"images, with the file", images, 1000000, 9},
    {"layers of a string", parse, 20000, 500},
};
enum { N_HEAVY = sizeof heavy / sizeof *heavy };

START_TEST(memory_is_a_multiple_of_the_file) {
  heap_install();
  heavy[_i].run(heavy[_i].n);
  const size_t peak = heap_peak();
  heap_remove();
  ck_assert_msg(peak <= (size_t)heavy[_i].times * used + ((size_t)1 << 17),
                "%s: %.1f bytes for a byte of the file, %d wanted", heavy[_i].what, (double)peak / (double)used,
                heavy[_i].times);
}
END_TEST

static void forget_text(void) {
  free(text);
  text = NULL, used = capacity = 0;
}

int main(void) {
  Suite *suite = suite_create("hostile, " PRECISION);
  TCase *tcase = tcase_create("hostile");
  tcase_set_timeout(tcase, 120);
  tcase_add_checked_fixture(tcase, NULL, forget_text);
  tcase_add_loop_test(tcase, time_grows_as_the_size, 0, N_GROWING);
  tcase_add_loop_test(tcase, memory_is_a_multiple_of_the_file, 0, N_HEAVY);
  tcase_add_test(tcase, names_that_collide_without_a_key);
  tcase_add_test(tcase, deep_nesting_is_refused);
  tcase_add_test(tcase, a_small_file_is_no_large_net);
  tcase_add_test(tcase, the_bound_is_what_the_header_says);
  tcase_add_test(tcase, loading_takes_memory_in_proportion);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
