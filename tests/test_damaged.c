/* Damaged files, for every reader: cut at any byte, a file is refused in a sentence; with a bit flipped it is refused,
 * or what was read works.  A reader leaves nothing behind and takes memory in proportion.  The table at the end has
 * them all.  NNB_EVERY_BIT: every bit is flipped, and not one of each byte. */
#include "heap.h"
#include "toys.h"

enum { UNIT = 1 << 20, TIMES = 1032 }; /* the most memory of a read: 64 units, and what deflate makes of a byte */

typedef struct reader {
  const char *name;
  nnb_status (*read)(const void *file, size_t bytes); /* checks that the outcome is whole */
  void *(*make)(size_t *bytes);                       /* a file; released by nnb_free */
  const char *text; /* instead of make: a text.  Behind a "|", which is left out, a cut leaves a whole text */
} reader;

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static nnb_status outcome(nnb_status status, const void *out) {
  ck_assert_msg(status ? !out : out != NULL, "%s, and %p", nnb_strstatus(status), out);
  if (!status) return status;
  const bool known = status == NNB_E_PARSE || status == NNB_E_UNSUPPORTED || status == NNB_E_SHAPE ||
                     status == NNB_E_OVERFLOW || status == NNB_E_ARG;
  ck_assert_msg(known && strlen(nnb_errmsg()) > 10, "%s: \"%s\"", nnb_strstatus(status), nnb_errmsg());
  return status;
}

/* Reads every number; the numbers of an open file are checked only then. */
static nnb_status data_outcome(nnb_status status, nnb_data *data) {
  if (outcome(status, data)) return status;
  const int n_in = nnb_data_n_in(data);
  ck_assert(nnb_data_rows(data) > 0 && n_in > 0 && n_in < 1000);
  nnb_net *net = nnb_net_create(n_in);
  nnb_net_dense(net, 1, NNB_LINEAR);
  status = nnb_net_standardize(net, data);
  nnb_net_destroy(net), nnb_data_destroy(data);
  return outcome(status, status ? NULL : "");
}

static nnb_status net_outcome(nnb_status status, nnb_net *net) {
  if (outcome(status, net)) return status;
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  ck_assert(n_in > 0 && n_in < 1000 && n_out > 0 && n_out < 1000);
  real *x = calloc((size_t)n_in, sizeof *x), *y = calloc((size_t)n_out, sizeof *y);
  ck_ok(nnb_net_predict(net, nnb_cview(x, 1, n_in), nnb_view(y, 1, n_out)));
  free(x), free(y), nnb_net_destroy(net);
  return NNB_OK;
}

static nnb_status array_outcome(nnb_status status, nnb_array *a) {
  if (outcome(status, a->p)) return status;
  size_t n = 1;
  volatile real last = 0;
  for (int i = 0; i < a->n_dims; i++) n *= a->dim[i];
  for (size_t i = 0; i < n; i++) last = a->p[i];
  (void)last;
  nnb_array_clear(a);
  return NNB_OK;
}

/* ---- texts and arrays -------------------------------------------------------------------------------------------- */

/* The bytes as a file. */
static const char *as_file(const void *bytes, size_t n) {
  static char path[TOY_PATH];
  unlink(toy_path(path, "damaged")); /* to empty a file takes some file systems a millisecond */
  FILE *f = fopen(path, "wb");
  ck_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
  return path;
}

static nnb_status parse_csv(const void *p, size_t n) {
  nnb_data *data;
  const nnb_csv_opts opts = {.header = 1, .missing = NNB_MISSING_MEAN, .categories = 3};
  const nnb_status status = nnb_data_parse_csv(p, n, "f", &opts, &data);
  return data_outcome(status, data);
}
static nnb_status open_csv(const void *p, size_t n) {
  nnb_data *data;
  const nnb_status status = nnb_data_open_csv(as_file(p, n), &(nnb_csv_opts){.header = 1}, &data);
  return data_outcome(status, data);
}
static nnb_status parse_fann(const void *p, size_t n) {
  nnb_data *data;
  const nnb_status status = nnb_data_parse_fann(p, n, "f", &data);
  return data_outcome(status, data);
}
static nnb_status parse_npy(const void *p, size_t n) {
  nnb_array a;
  const nnb_status status = nnb_array_parse_npy(p, n, "f", &a);
  return array_outcome(status, &a);
}
static nnb_status parse_npz(const void *p, size_t n) {
  nnb_array a;
  const nnb_status status = nnb_array_parse_npz(p, n, "f", "a", &a);
  return array_outcome(status, &a);
}
static nnb_status open_npy(const void *p, size_t n) {
  nnb_data *data;
  const nnb_status status = nnb_data_open_npy(as_file(p, n), NULL, 1, 0, &data);
  return data_outcome(status, data);
}
static nnb_status read_images(const void *p, size_t n) {
  nnb_data *data;
  const nnb_status status = nnb_data_read_idx(as_file(p, n), NULL, &data);
  return data_outcome(status, data);
}
static nnb_status open_images(const void *p, size_t n) {
  nnb_data *data;
  const nnb_status status = nnb_data_open_idx(as_file(p, n), NULL, &data);
  return data_outcome(status, data);
}

/* A file, in memory of the test's own. */
static void *golden(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f && fseek(f, 0, SEEK_END) == 0, "no %s", path);
  *n = (size_t)ftell(f);
  rewind(f);
  void *p = malloc(*n);
  ck_assert(p && fread(p, 1, *n, f) == *n && fclose(f) == 0);
  return p;
}
static void *small_npy(size_t *n) { return golden(NUMPY_DATA "/little_f4.npy", n); }
static void *stored_npz(size_t *n) { return golden(NUMPY_DATA "/stored.npz", n); }
static void *packed_npz(size_t *n) { return golden(NUMPY_DATA "/packed.npz", n); }

static void *copy_of(const void *bytes, size_t n) {
  void *p = malloc(n);
  ck_assert_ptr_nonnull(p);
  return memcpy(p, bytes, n);
}

/* 2 images of 1×2, and the same compressed */
static void *images(size_t *n) {
  static const uint8_t file[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102};
  return copy_of(file, *n = sizeof file);
}
#ifdef NNB_HAVE_ZLIB
static void *packed_images(size_t *n) {
  static const uint8_t file[] = {0x1F, 0x8B, 8,    0,    0,    0,    0,    0,    2,    3,    0x63, 0x60,
                                 0xE0, 0x60, 0x66, 0x60, 0x60, 0x60, 2,    0x62, 0x46, 0x30, 0xFD, 0xDF,
                                 0x38, 0x0D, 0,    0xDD, 9,    0xDB, 0xA8, 0x14, 0,    0,    0};
  return copy_of(file, *n = sizeof file);
}
#endif

/* ---- nets -------------------------------------------------------------------------------------------------------- */

static nnb_status load(const void *p, size_t n) {
  nnb_net *net;
  const nnb_status status = nnb_net_load_mem(p, n, NULL, &net);
  return net_outcome(status, net);
}
static nnb_status load_file(const void *p, size_t n) {
  nnb_net *net;
  const nnb_status status = nnb_net_load(as_file(p, n), NULL, &net);
  return net_outcome(status, net);
}
static nnb_status parse_net(const void *p, size_t n) {
  nnb_net *net;
  char *text = calloc(n + 1, 1);
  memcpy(text, p, n);
  const nnb_status status = nnb_net_parse(text, &net);
  free(text);
  if (outcome(status, net)) return status;
  nnb_net_destroy(net); /* it is not sealed, and its layers may be large */
  return NNB_OK;
}

static void *saved(nnb_net *net, size_t *n) {
  void *file;
  ck_ok(nnb_net_save_mem(net, &file, n));
  void *copy = copy_of(file, *n);
  nnb_free(file), nnb_net_destroy(net);
  return copy;
}

/* Scalers, names, categories, a branch, two outputs, what it was trained by. */
static void *trained_model(size_t *n) {
  static const char text[] = "a,b,t,u\n1,x,3,1\n4,y,6,0\n";
  nnb_data *data;
  ck_ok(nnb_data_parse_csv(text, sizeof text - 1, "f", &(nnb_csv_opts){.n_targets = 2, .categories = 2}, &data));
  nnb_net *net = nnb_net_create(nnb_data_n_in(data));
  nnb_net_standardize(net, data);
  nnb_net_scale_targets(net, data, NNB_STANDARDIZE);
  const int a = nnb_net_dense(net, 1, NNB_TANH);
  nnb_net_output(net, nnb_net_dense(net, 1, NNB_LINEAR));
  nnb_net_output(net, nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 1, .from = a, .no_bias = true}));
  ck_ok(nnb_fit(net, data, NULL, &(nnb_fit_opts){.max_epochs = 1}, NULL));
  nnb_data_destroy(data);
  return saved(net, n);
}

static nnb_net *of_images(void) {
  nnb_net *net;
  ck_ok(nnb_net_parse("1x2x2-conv1@1:tanh-batchnorm-maxpool2:stride=1-layernorm-1", &net));
  return net;
}
static void *model_of_images(size_t *n) { return saved(of_images(), n); }

static nnb_net *of_sequences(void) {
  nnb_net *net;
  ck_ok(nnb_net_parse("2-embed3x1-gru1:sequence=1-gru1-1", &net));
  return net;
}
static void *model_of_sequences(size_t *n) { return saved(of_sequences(), n); }

/* ---- parameters into a net, which a refused file leaves as it is ----------------------------------------------------
 */

typedef struct trained {
  nnb_net *net;
  nnb_optim *optim;
  size_t n;
  real before[100];
} trained;

static trained begin(void) {
  trained t = {0};
  ck_ok(nnb_net_parse("2-2:tanh-1", &t.net));
  ck_ok(nnb_optim_create(t.net, &(nnb_optim_opts){.algo = NNB_ADAM}, &t.optim));
  t.n = nnb_net_n_params(t.net);
  ck_assert_uint_le(t.n, 100);
  memcpy(t.before, nnb_net_params_read(t.net), t.n * sizeof(real));
  return t;
}

static nnb_status end(trained *t, nnb_status status) {
  if (status) ck_assert(memcmp(t->before, nnb_net_params_read(t->net), t->n * sizeof(real)) == 0);
  nnb_optim_destroy(t->optim), nnb_net_destroy(t->net);
  return outcome(status, status ? NULL : "");
}

static nnb_status load_torch(const void *p, size_t n) {
  trained t = begin();
  return end(&t, nnb_net_load_torch_mem(t.net, p, n, NULL));
}
static nnb_status load_torch_file(const void *p, size_t n) {
  trained t = begin();
  return end(&t, nnb_net_load_torch(t.net, as_file(p, n), NULL));
}
static nnb_status load_optim(const void *p, size_t n) {
  trained t = begin();
  return end(&t, nnb_optim_load_mem(t.optim, t.net, p, n));
}
static nnb_status load_optim_file(const void *p, size_t n) {
  trained t = begin();
  return end(&t, nnb_optim_load(t.optim, t.net, as_file(p, n)));
}

static void *torch_file(size_t *n) {
  trained t = begin();
  void *file;
  ck_ok(nnb_net_save_torch_mem(t.net, NULL, &file, n));
  void *copy = copy_of(file, *n);
  nnb_free(file), end(&t, NNB_OK);
  return copy;
}
static void *optim_file(size_t *n) {
  trained t = begin();
  void *file;
  ck_ok(nnb_optim_save_mem(t.optim, t.net, &file, n));
  void *copy = copy_of(file, *n);
  nnb_free(file), end(&t, NNB_OK);
  return copy;
}

/* ---- ONNX -------------------------------------------------------------------------------------------------------- */

#ifdef NNB_HAVE_ONNX
static nnb_status load_onnx(const void *p, size_t n) {
  nnb_net *net;
  const nnb_status status = nnb_net_load_onnx_mem(p, n, NULL, &net);
  return net_outcome(status, net);
}
/* Without names, which are the end of a file, and a cut between them leaves a model. */
static void *as_onnx(nnb_net *net, size_t *n) {
  void *file;
  ck_ok(nnb_net_save_onnx_mem(net, NULL, &file, n));
  void *copy = copy_of(file, *n);
  nnb_free(file), nnb_net_destroy(net);
  return copy;
}
static void *onnx_of_images(size_t *n) { return as_onnx(of_images(), n); }
static void *onnx_of_sequences(size_t *n) { return as_onnx(of_sequences(), n); }
static void *onnx_of_torch(size_t *n) { return golden(ONNX_DATA "/torch_view.onnx", n); }
static void *words_of_torch(size_t *n) { return golden(ONNX_DATA "/torch_words_13.onnx", n); }
#endif

/* ---- all readers ------------------------------------------------------------------------------------------------- */

static const reader readers[] = {
    {"a CSV text", parse_csv, NULL, "a,b,t\n1.5,x,3|\n|4,y,6|\n|,x,7|\n"},
    {"an open CSV file", open_csv, NULL, "a,b,t\n1.5,\"2\",3|\n|4,5.5,6|\n"},
    {"a text of FANN", parse_fann, NULL, "2 2 1\n1.5 2\n3\n4 -5\n7|\n"},
    {"a net as a string", parse_net, NULL, "3-4|:tanh|-2|:linear"},
    {"a net of sequences as a string", parse_net, NULL, "3-embed4x2|-gru5|:sequence=1|-conv1@2|"},
    {"an NPY file", parse_npy, small_npy, NULL},
    {"an open NPY file", open_npy, small_npy, NULL},
    {"an NPZ file", parse_npz, stored_npz, NULL},
    {"a compressed NPZ file", parse_npz, packed_npz, NULL},
    {"an IDX file", read_images, images, NULL},
    {"an open IDX file", open_images, images, NULL},
#ifdef NNB_HAVE_ZLIB
    {"a compressed IDX file", read_images, packed_images, NULL},
#endif
    {"a model", load, trained_model, NULL},
    {"a model of images", load, model_of_images, NULL},
    {"a model of an embedding and GRUs", load, model_of_sequences, NULL},
    {"a model as a file", load_file, model_of_images, NULL},
    {"weights of PyTorch", load_torch, torch_file, NULL},
    {"weights of PyTorch as a file", load_torch_file, torch_file, NULL},
    {"the state of an optimiser", load_optim, optim_file, NULL},
    {"the state of an optimiser as a file", load_optim_file, optim_file, NULL},
#ifdef NNB_HAVE_ONNX
    {"an ONNX file", load_onnx, onnx_of_images, NULL},
    {"an ONNX file of an embedding and GRUs", load_onnx, onnx_of_sequences, NULL},
    {"an ONNX file of PyTorch", load_onnx, onnx_of_torch, NULL},
    {"an ONNX file of an embedding and a GRU of PyTorch", load_onnx, words_of_torch, NULL},
#endif
};
enum { N_READERS = sizeof readers / sizeof *readers };

/* The file; whole[n]: the first n bytes are a file of their own. */
static uint8_t *make(const reader *r, size_t *n, bool **whole) {
  uint8_t *file = r->make ? r->make(n) : malloc(*n = strlen(r->text));
  ck_assert(file && (*whole = calloc(*n + 1, sizeof **whole)));
  if (r->make) return file;
  size_t k = 0;
  for (const char *p = r->text; *p; p++)
    if (*p == '|')
      (*whole)[k] = true;
    else
      file[k++] = (uint8_t)*p;
  *n = k;
  return file;
}

/* Reads the bytes where an access beyond them is seen, and checks the memory. */
static nnb_status read_exactly(const reader *r, const uint8_t *bytes, size_t n) {
  uint8_t *exact = malloc(n + !n);
  ck_assert_ptr_nonnull(exact);
  memcpy(exact, bytes, n);
  const long live = heap_live();
  heap_reset_peak();
  const nnb_status status = r->read(exact, n);
  ck_assert_msg(heap_live() == live, "%s: %ld blocks are left", r->name, heap_live() - live);
  ck_assert_msg(heap_peak() <= 64 * UNIT + TIMES * n, "%s: %zu bytes take %zu", r->name, n, heap_peak());
  free(exact);
  return status;
}

START_TEST(cuts_and_flips) {
  const reader *r = &readers[_i];
  const size_t step = getenv("NNB_EVERY_BIT") ? 1 : 9;
  size_t n, taken = 0, flips = 0;
  bool *whole;
  heap_install();
  uint8_t *file = make(r, &n, &whole);
  ck_assert_msg(read_exactly(r, file, n) == NNB_OK, "%s: %s", r->name, nnb_errmsg());
  for (size_t cut = 0; cut < n; cut++) {
    const bool good = read_exactly(r, file, cut) == NNB_OK;
    ck_assert_msg(good == whole[cut], "%s, cut at byte %zu of %zu: %s", r->name, cut, n, good ? "read" : nnb_errmsg());
  }
  for (size_t bit = 0; bit < 8 * n; bit += step, flips++) {
    file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    taken += read_exactly(r, file, n) == NNB_OK;
    file[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  ck_assert_msg(taken > 0 && taken < flips, "%s: %zu of %zu flipped bits are read", r->name, taken, flips);
  free(file), free(whole), unlink(as_file("", 0));
  heap_remove();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("damaged files, " PRECISION);
  TCase *tc = tcase_create("damaged");
  tcase_set_timeout(tc, 60 * slowness());
  tcase_add_loop_test(tc, cuts_and_flips, 0, N_READERS);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
