/* Writes nets as C (nnb_net_write_c) and a program that compares them with the library:
 *
 *   make_cases DIR    DIR/CASE.c and DIR/main.c
 *
 * run.py compiles and runs them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../precision.h"

enum { ROWS = 3, SAMPLES = 20, WIDE = 16, MOST_PARAMS = 600 };

typedef struct spec {
  const char *name, *net; /* net NULL: the graph below */
  nnb_loss loss;
  bool scaled, probabilities;
  nnb_c_numbers numbers;
  double delta, smoothing; /* of the loss */
  bool no_step;            /* the net is folded, or cannot make one */
} spec;

static void must(nnb_status status) {
  if (status >= 0) return;
  fprintf(stderr, "%s\n", nnb_errmsg());
  exit(1);
}

/* Numbers in (-1, 1). */
static void fill(real *p, size_t n, uint64_t stream) {
  nnb_rng rng;
  nnb_rng_init(&rng, 77, stream);
  for (size_t i = 0; i < n; i++) p[i] = (real)(2 * nnb_rng_uniform(&rng) - 1);
}

/* Two inputs, a sum, a concatenation, a layer without bias, a frozen layer, two outputs, one of which is read. */
static nnb_net *graph(void) {
  nnb_net *net = nnb_net_create(2);
  int more = nnb_net_input(net, 1, NULL);
  int a = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .activation = NNB_GELU, .from = 1});
  int b = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 4, .activation = NNB_RELU, .from = more, .no_bias = true});
  int sum = nnb_net_add(net, (int[]){a, b}, 2, NNB_TANH);
  int soft = nnb_net_activation(net, a, NNB_SOFTMAX);
  int all = nnb_net_concat(net, (int[]){sum, 1, soft}, 3);
  int first = nnb_net_dense_opts(
      net, &(nnb_dense_opts){.units = 3, .activation = NNB_SILU, .from = all, .frozen = NNB_WEIGHTS});
  int second = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 2, .activation = NNB_SIGMOID, .from = first});
  nnb_net_output(net, first), nnb_net_output(net, second);
  must((nnb_status)nnb_net_output_loss(net, second, NNB_HALF_SSE, 0.5));
  must((nnb_status)nnb_net_loss_opts(net,
                                     &(nnb_loss_opts){.loss = NNB_HUBER, .output = first, .factor = 2, .delta = 0.5}));
  return net;
}

/* Outputs of probabilities that other layers read. */
static const char READ_CLASSES[] = "3-4:tanh-3:softmax";
static nnb_net *read_classes(void) {
  nnb_net *net = nnb_net_create(3);
  nnb_net_dense(net, 4, NNB_TANH);
  int a = nnb_net_output(net, nnb_net_dense(net, 3, NNB_SOFTMAX));
  int b = nnb_net_output(net, nnb_net_dense(net, 2, NNB_SIGMOID));
  nnb_net_output(net, nnb_net_add(net, (int[]){nnb_net_dense(net, 3, NNB_SIGMOID), a}, 2, NNB_LINEAR));
  must((nnb_status)nnb_net_loss_opts(
      net, &(nnb_loss_opts){.loss = NNB_BINARY_CROSS_ENTROPY, .output = b, .factor = 3, .label_smoothing = 0.125}));
  return net;
}

/* Images that branch: a product, a concatenation of channels, a shape after a dense layer, pools whose windows overlap.
 */
static const char IMAGES[] = "images";
static nnb_net *images(void) {
  nnb_net *net = nnb_net_create(12);
  must((nnb_status)nnb_net_shape(net, 1, 2, 2, 3));
  int a = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 2, .width = 2, .pad = 1, .activation = NNB_SIGMOID});
  int b = nnb_net_conv_opts(net, &(nnb_conv_opts){.channels = 2, .width = 2, .pad = 1, .from = 1, .no_bias = true});
  int wide = nnb_net_dense_opts(net, &(nnb_dense_opts){.units = 24, .activation = NNB_GELU, .from = 1});
  must((nnb_status)nnb_net_shape(net, wide, 2, 3, 4));
  int product = nnb_net_product(net, (int[]){a, b, wide}, 3, NNB_TANH);
  int all = nnb_net_concat(net, (int[]){product, a}, 2);
  int most = nnb_net_pool_opts(net, &(nnb_pool_opts){.kind = NNB_POOL_MAX, .width = 2, .stride = 1, .from = all});
  int mean = nnb_net_pool_opts(net, &(nnb_pool_opts){.kind = NNB_POOL_AVERAGE, .width = 2, .stride = 1, .from = all});
  nnb_net_add(net, (int[]){most, mean}, 2, NNB_LINEAR);
  nnb_net_dense(net, 3, NNB_LINEAR);
  return net;
}

/* Running means that are not 0 and 1 */
static void fill_buffers(nnb_net *net) {
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_cmat old;
    real fresh[4 * WIDE];
    if (nnb_net_buffers(net, k, &old)) continue;
    fill(fresh, (size_t)old.cols, 12);
    for (int i = old.cols / 2; i < old.cols; i++) fresh[i] += (real)1.5;
    must(nnb_net_set_buffers(net, k, nnb_cview(fresh, 1, old.cols)));
  }
}

static nnb_net *build(const spec *s) {
  nnb_net *net = NULL;
  nnb_data *data = NULL;
  real x[SAMPLES * WIDE], t[SAMPLES * WIDE];
  if (s->net == READ_CLASSES)
    net = read_classes();
  else if (s->net == IMAGES)
    net = images();
  else if (s->net)
    must(nnb_net_parse(s->net, &net));
  else
    net = graph();
  const nnb_loss_opts loss = {.loss = s->loss, .delta = s->delta, .label_smoothing = s->smoothing};
  if (s->loss || s->smoothing > 0) must((nnb_status)nnb_net_loss_opts(net, &loss));
  fill(x, SAMPLES * WIDE, 1), fill(t, SAMPLES * WIDE, 2);
  for (int i = 0; i < SAMPLES * WIDE; i++) x[i] = 3 * x[i] + 1, t[i] = 10 * t[i] - 5;
  nnb_batch rows = {.x = nnb_cview(x, SAMPLES, nnb_net_n_in(net)), .t = nnb_cview(t, SAMPLES, nnb_net_n_out(net))};
  must(nnb_data_copy(&rows, 0, &data));
  if (s->scaled) must((nnb_status)nnb_net_standardize(net, data));
  if (s->scaled && !s->probabilities) must((nnb_status)nnb_net_scale_targets(net, data, NNB_MINMAX));
  nnb_data_destroy(data);
  must(nnb_net_init(net, 5));
  real *p = nnb_net_params(net);
  fill(p, nnb_net_n_params(net), 11);
  fill_buffers(net);
  return net;
}

/* The weights that 8 or 16 bits and a factor for each column can hold. */
static void round_weights(nnb_net *net, int most) {
  for (int k = 1; k <= nnb_net_n_nodes(net); k++) {
    nnb_cmat w;
    real fresh[MOST_PARAMS];
    if (nnb_net_weights(net, k, &w)) continue;
    for (int j = 0; j < w.cols; j++) {
      double largest = 0;
      for (int i = 0; i < w.rows; i++) largest = fmax(largest, fabs((double)w.p[i * w.ld + j]));
      const double factor = (double)(float)(largest / most);
      for (int i = 0; i < w.rows; i++)
        fresh[i * w.cols + j] = (real)(factor * nearbyint((double)w.p[i * w.ld + j] / factor));
    }
    must(nnb_net_set_weights(net, k, nnb_cview(fresh, w.rows, w.cols)));
  }
}

/* Numbers as the functions take them, or what they are to give. */
static void put_numbers(FILE *f, const char *name, const char *what, const real *v, int n, bool single) {
  fprintf(f, "static const %s %s_%s[%d] = {", single ? "float" : "double", name, what, n);
  for (int i = 0; i < n; i++) fprintf(f, single ? "%s%.9ef" : "%s%.17e", i ? ", " : "", (double)v[i]);
  fprintf(f, "};\n");
}
static void put(FILE *f, const char *name, const char *what, const real *v, int n) {
  put_numbers(f, name, what, v, n, false);
}

static void put_results(FILE *f, const char *name, nnb_net *net, const char *prefix, const real *x) {
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net);
  real y[ROWS * WIDE], v[WIDE * WIDE] = {0}, jacobian[WIDE * WIDE], same[WIDE * WIDE];
  char what[40];
  must(nnb_net_predict(net, nnb_cview(x, ROWS, n_in), nnb_view(y, ROWS, n_out)));
  snprintf(what, sizeof what, "%sy", prefix);
  put(f, name, what, y, ROWS * n_out);
  for (int o = 0; o < n_out; o++) {
    v[o * n_out + o] = 1;
    memcpy(same + o * n_in, x, (size_t)n_in * sizeof *x);
  }
  nnb_plan *plan;
  must(nnb_plan_create(net, &(nnb_plan_opts){.max_rows = n_out, .want = NNB_DX}, &plan));
  must(nnb_plan_vjp(plan, nnb_cview(same, n_out, n_in), nnb_cview(v, n_out, n_out), nnb_view(jacobian, n_out, n_in)));
  nnb_plan_destroy(plan);
  snprintf(what, sizeof what, "%sJ", prefix);
  put(f, name, what, jacobian, n_out * n_in);
}

static void put_step(FILE *f, const char *name, nnb_net *net, const real *x, const real *t) {
  nnb_plan *plan;
  nnb_optim *optim;
  must(nnb_plan_create(net, &(nnb_plan_opts){.want = NNB_GRAD}, &plan));
  must(nnb_optim_create(net, &(nnb_optim_opts){.algo = NNB_SGD, .lr = 0.125}, &optim));
  nnb_batch row = {.x = nnb_cview(x, 1, nnb_net_n_in(net)), .t = nnb_cview(t, 1, nnb_net_n_out(net))};
  must(nnb_train_step(net, plan, &row, optim, NULL));
  put(f, name, "trained", nnb_net_params_read(net), (int)nnb_net_n_params(net));
  nnb_optim_destroy(optim);
  nnb_plan_destroy(plan);
}

static const char *capitals(const char *name) {
  static char out[40];
  size_t i = 0;
  for (; name[i]; i++) out[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
  out[i] = '\0';
  return out;
}

/* An activation that was added to the library need not have one. */
static bool has_source(nnb_activation activation) {
  nnb_net *net = nnb_net_create(2);
  char *text;
  size_t bytes;
  nnb_net_dense(net, 2, activation);
  nnb_status status = nnb_net_write_c_mem(net, NULL, &text, &bytes);
  if (status != NNB_E_UNSUPPORTED) must(status);
  nnb_free(text);
  nnb_net_destroy(net);
  return !status;
}

static void put_case(FILE *f, const spec *s, const char *folder) {
  const bool whole = s->numbers >= NNB_C_I16, single = s->numbers > NNB_C_F64 || (!s->numbers && sizeof(real) == 4);
  const bool step = !whole && !s->no_step, looks_up = s->net && strstr(s->net, "embed5");
  const char *name = s->name, *big = capitals(name), *type = single ? "float" : "double";
  nnb_net *net = build(s), *folded;
  char path[500];
  real x[ROWS * WIDE], t[WIDE];
  fill(x, ROWS * WIDE, 21), fill(t, WIDE, 22);
  for (int i = 0; i < ROWS * WIDE; i++) x[i] = looks_up ? (real)floor(2.5 * (double)(x[i] + 1)) : (real)(float)x[i];
  for (int i = 0; i < WIDE; i++) t[i] = (real)(float)(s->probabilities ? (t[i] + 1) / 2 : t[i]);
  snprintf(path, sizeof path, "%s/%s.c", folder, name);
  must(nnb_net_write_c(net, path, &(nnb_c_opts){.name = name, .numbers = s->numbers, .step = step}));
  fprintf(f, "\n#define %s_DECLARATIONS\n#include \"%s.c\"\n", big, name);
  if (!step) { /* which is what was written */
    must(nnb_net_fold(net, &folded));
    nnb_net_destroy(net), net = folded;
  }
  const int n_in = nnb_net_n_in(net), n_out = nnb_net_n_out(net), n_params = (int)nnb_net_n_params(net);
  if (whole) round_weights(net, s->numbers == NNB_C_I8 ? 127 : 32767);
  put_numbers(f, name, "x", x, ROWS * n_in, single);
  if (step) put_numbers(f, name, "t", t, n_out, single);
  put_results(f, name, net, "", x);
  if (!whole) {
    real *p = nnb_net_params(net);
    if (step) put_step(f, name, net, x, t);
    for (int i = 0; i < n_params; i++) p[i] *= (real)0.75;
    put_numbers(f, name, "other", p, n_params, single);
    put_results(f, name, net, "other_", x);
  }
  fprintf(f, "static int check_%s(void)\n{\n  %s y[%d], J[%d];\n  int bad = 0;\n", name, type, n_out, n_out * n_in);
  fprintf(f, "  const double eps = %s;\n",
          single || sizeof(real) == sizeof(float) ? "1.1920929e-7" : "2.220446049250313e-16");
  fprintf(f, "  for (int r = 0; r < %d; r++) {\n    %s_predict(&%s_x[r * %d], y);\n", ROWS, name, name, n_in);
  fprintf(f, "    CHECK(\"%s y\", y, &%s_y[r * %d], %d);\n  }\n", name, name, n_out, n_out);
  fprintf(f, "  %s_jacobian(%s_x, y, J);\n  CHECK(\"%s y of J\", y, %s_y, %d);\n", name, name, name, name, n_out);
  fprintf(f, "  CHECK(\"%s J\", J, %s_J, %d);\n", name, name, n_out * n_in);
  if (step) {
    fprintf(f, "  %s p[%s_N_PARAMS];\n  for (int i = 0; i < %d; i++) p[i] = %s_table[i];\n", type, big, n_params, name);
    fprintf(f, "  %s_step(p, %s_x, %s_t, 0.125f);\n", name, name, name);
    fprintf(f, "  CHECK(\"%s step\", p, %s_trained, %d);\n", name, name, n_params);
  }
  if (!whole) {
    fprintf(f, "  %s_predict_with(%s_other, %s_x, y);\n", name, name, name);
    fprintf(f, "  CHECK(\"%s other y\", y, %s_other_y, %d);\n", name, name, n_out);
    fprintf(f, "  %s_jacobian_with(%s_other, %s_x, y, J);\n", name, name, name);
    fprintf(f, "  CHECK(\"%s other J\", J, %s_other_J, %d);\n", name, name, n_out * n_in);
  }
  fprintf(f, "  return bad;\n}\n");
  nnb_net_destroy(net);
}

/* Numbers outside the table, of 5 rows, and NaN are read as the first or the last row, fractions as the one below. */
static void put_outside(FILE *f, bool single) {
  const char *type = single ? "float" : "double";
  fprintf(f,
          "static int check_outside(void)\n{\n  static const %s x[2][3] = {{-1, 5, NAN}, {0.5f, 3.75f, INFINITY}};\n",
          type);
  fprintf(f, "  static const %s as[2][3] = {{0, 4, 0}, {0, 3, 4}};\n  %s y[2], want[2];\n  int bad = 0;\n", type, type);
  fprintf(f, "  const double eps = 1.1920929e-7;\n  for (int r = 0; r < 2; r++) {\n    table_predict(x[r], y);\n");
  fprintf(f, "    table_predict(as[r], want);\n    CHECK(\"outside\", y, want, 2);\n  }\n  return bad;\n}\n");
}

/* tests of both types are made of one text */
static const char head[] =
    "/* Written by make_cases.c. */\n"
    "#include <math.h>\n#include <stdio.h>\n\n"
    "#ifndef MOST_ULP\n#define MOST_ULP 16.0\n#endif\n"
    "static double worst = 0.0;\nstatic const char *worst_of = \"none\";\n"
    "/* The largest difference in units of eps times the largest number. */\n"
    "#define CHECK(what, got, want, n)                                            \\\n"
    "  do {                                                                       \\\n"
    "    double most = 0.0, error = 0.0;                                          \\\n"
    "    for (int c = 0; c < (n); c++) {                                          \\\n"
    "      const double d = fabs((double)(got)[c] - (double)(want)[c]);           \\\n"
    "      most = fabs((double)(want)[c]) > most ? fabs((double)(want)[c]) : most; \\\n"
    "      error = (d > error || d != d) ? d : error;                             \\\n"
    "    }                                                                        \\\n"
    "    error = error > 0.0 ? error / (eps * most) : error;                      \\\n"
    "    worst_of = error > worst ? (what) : worst_of;                            \\\n"
    "    worst = error > worst ? error : worst;                                   \\\n"
    "    if (!(error <= MOST_ULP)) {                                              \\\n"
    "      printf(\"%s: %g ulp of the largest number\\n\", what, error);            \\\n"
    "      bad = 1;                                                               \\\n"
    "    }                                                                        \\\n"
    "  } while (0)\n";

/* The cases; behind them is place for those of the activations. */
static spec specs[60] = {
    {.name = "graph"},
    {.name = "graph_scaled", .scaled = true, .probabilities = true},
    {.name = "line", .net = "3-2:linear", .scaled = true},
    {.name = "slots", .net = "3-7:tanh-2:tanh-9:tanh-1:tanh-4:tanh"},
    {.name = "half_sse", .net = "3-5:tanh-3", .loss = NNB_HALF_SSE, .scaled = true},
    {.name = "sse", .net = "3-5:tanh-3", .loss = NNB_SSE},
    {.name = "mae", .net = "3-5:tanh-3", .loss = NNB_MAE, .scaled = true},
    {.name = "huber", .net = "3-5:tanh-3", .loss = NNB_HUBER},
    {.name = "huber_delta", .net = "3-5:tanh-3", .loss = NNB_HUBER, .delta = 0.25, .scaled = true},
    {.name = "smooth", .net = "3-5:tanh-3:softmax", .probabilities = true, .smoothing = 0.25},
    {.name = "smooth_labels", .net = "3-5:tanh-3:sigmoid", .probabilities = true, .smoothing = 0.25},
    {.name = "binary", .net = "3-5:tanh-3:sigmoid", .probabilities = true, .scaled = true},
    {.name = "classes", .net = "3-5:tanh-3:softmax", .probabilities = true, .scaled = true},
    {.name = "read_classes", .net = READ_CLASSES, .probabilities = true},
    {.name = "f64", .net = "3-6:tanh-2", .numbers = NNB_C_F64, .scaled = true},
    {.name = "f32", .net = "3-6:tanh-2", .numbers = NNB_C_F32, .scaled = true},
    {.name = "i16", .net = "3-6:tanh-5:relu-2", .numbers = NNB_C_I16, .scaled = true},
    {.name = "i8", .net = "3-6:tanh-5:bias=0-2", .numbers = NNB_C_I8, .scaled = true},
    {.name = "i8_graph", .numbers = NNB_C_I8},
    {.name = "lenet", .net = "1x4x4-conv2@2:tanh-maxpool2-conv3@1:relu-3:softmax", .probabilities = true},
    {.name = "strides", .net = "1x4x4-conv2@3:tanh:stride=2:pad=2-conv2@2x1:gelu:bias=0-flatten-2", .scaled = true},
    {.name = "signal", .net = "2x8-conv3@3:silu:pad=1-avgpool2-conv2@2-2"},
    {.name = "images", .net = IMAGES, .scaled = true},
    {.name = "layernorm", .net = "3-5:tanh-layernorm:relu-4:linear-layernorm-2", .scaled = true},
    {.name = "frozen", .net = "1x4x4-conv2@2:tanh:frozen=1-conv2@2:linear:frozen=2-layernorm:frozen=3-2"},
    {.name = "all_frozen", .net = "3-4:tanh:frozen=3-2:frozen=3"},
    {.name = "batchnorm", .net = "2x2x3-conv2@2:tanh-batchnorm:relu-3-batchnorm-2", .no_step = true},
    {.name = "folded",
     .net = "1x3x3-conv2@2:linear-batchnorm:tanh-dropout0.5-4:linear-batchnorm:tanh-2",
     .no_step = true},
    {.name = "table", .net = "3-embed5x2:tanh-4:tanh-2", .scaled = true},
    {.name = "i8_table", .net = "3-embed5x2-conv2@2-2", .numbers = NNB_C_I8},
    {.name = "gru", .net = "2x4-gru3:sequence=1-gru4-2", .scaled = true},
    {.name = "gru_parts",
     .net = "4-embed5x2-gru2:gelu:sequence=1:frozen=2-conv2@2:tanh-gru3:tanh:sequence=1:frozen=1-gru2:frozen=3"},
    {.name = "i8_words", .net = "4-embed5x3-gru3:sequence=1-2", .numbers = NNB_C_I8},
    {.name = "i16_gru", .net = "2x3-gru3-2", .numbers = NNB_C_I16, .scaled = true},
    {.name = "i8_images", .net = "1x4x4-conv2@2:tanh-avgpool2:stride=1-layernorm-2", .numbers = NNB_C_I8},
    {.name = "i16_norm", .net = "2x2x3-conv2@2:tanh:bias=0-batchnorm-2", .numbers = NNB_C_I16},
    {.name = "f32_images", .net = "1x4x4-conv2@3:tanh-layernorm-2", .numbers = NNB_C_F32, .scaled = true}};

/* A net of each activation; returns the number of cases. */
static int add_activations(int n) {
  static char text[NNB_N_ACTIVATIONS][80], name[NNB_N_ACTIVATIONS][40];
  for (int a = 0; a < NNB_N_ACTIVATIONS; a++) {
    const char *act = nnb_activation_name((nnb_activation)a);
    if (!has_source((nnb_activation)a)) {
      printf("skipped: the activation %s has no C source\n", act);
      continue;
    }
    snprintf(name[a], sizeof name[a], "act_%s", act);
    snprintf(text[a], sizeof text[a], "3-6:%s-5:%s-2:linear", act, act);
    specs[n++] = (spec){.name = name[a], .net = text[a], .scaled = a % 2 == 0};
  }
  return n;
}

static void put_program(FILE *f, int n, const char *folder) {
  fputs(head, f);
  for (int i = 0; i < n; i++) put_case(f, &specs[i], folder);
  put_outside(f, sizeof(real) == 4);
  fputs("\nint main(void)\n{\n  int bad = check_outside();\n", f);
  for (int i = 0; i < n; i++) fprintf(f, "  bad |= check_%s();\n", specs[i].name);
  fprintf(f, "  if (SLOTS_SCRATCH > 18) bad = printf(\"a chain takes more than two layers\\n\");\n");
  fputs("  printf(\"largest difference %.2f ulp, of %s\\n\", worst, worst_of);\n  return bad ? 1 : 0;\n}\n", f);
}

int main(int argc, char **argv) {
  char path[500];
  int n = 0;
  if (argc != 2) return fprintf(stderr, "usage: make_cases DIR\n"), 2;
  while (specs[n].name) n++;
  snprintf(path, sizeof path, "%s/main.c", argv[1]);
  FILE *f = fopen(path, "w");
  if (!f) return perror(path), 1;
  put_program(f, add_activations(n), argv[1]);
  return fclose(f) ? (perror(path), 1) : 0;
}
