/* ONNX Runtime through its C interface: onnx_peer WORKLOAD f32|f64 THREADS, predictions (W5…).  The model, Gemm and
 * Relu nodes with the weights as constants, is written here as protobuf: a few nested messages of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, whose field numbers are beside the calls. */
#include <onnxruntime_c_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "peer.h"

/* ---- protobuf --------------------------------------------------------------------------------------------------- */

typedef struct bytes {
  unsigned char *p;
  size_t n, room;
} bytes;

static void add(bytes *to, const void *from, size_t n) {
  if (to->n + n > to->room) {
    to->room = 2 * (to->n + n);
    to->p = realloc(to->p, to->room);
    if (!to->p) perror("onnx_peer"), exit(1);
  }
  if (n) memcpy(to->p + to->n, from, n);
  to->n += n;
}

static void add_varint(bytes *to, uint64_t value) {
  do {
    unsigned char byte = (unsigned char)(value & 127) | (unsigned char)(value > 127 ? 128 : 0);
    add(to, &byte, 1);
  } while (value >>= 7);
}

static void add_int(bytes *to, unsigned field, uint64_t value) {
  add_varint(to, field << 3);
  add_varint(to, value);
}

static void add_bytes(bytes *to, unsigned field, const void *from, size_t n) {
  add_varint(to, field << 3 | 2);
  add_varint(to, n);
  add(to, from, n);
}

static void add_text(bytes *to, unsigned field, const char *text) { add_bytes(to, field, text, strlen(text)); }

static void add_message(bytes *to, unsigned field, bytes *part) {
  add_bytes(to, field, part->p, part->n);
  free(part->p);
  *part = (bytes){0};
}

/* ---- the model -------------------------------------------------------------------------------------------------- */

static bool is_double;
static ONNXTensorElementDataType kind;

static void add_tensor(bytes *graph, const char *name, int rows, int cols, const void *values) {
  bytes tensor = {0};
  if (rows) add_int(&tensor, 1, (uint64_t)rows); /* dims */
  add_int(&tensor, 1, (uint64_t)cols);
  add_int(&tensor, 2, kind); /* data_type */
  add_text(&tensor, 8, name);
  add_bytes(&tensor, 9, values, (size_t)(rows ? rows : 1) * (size_t)cols * (is_double ? 8 : 4)); /* raw_data */
  add_message(graph, 5, &tensor);                                                                /* initializer */
}

static void add_node(bytes *graph, const char *op, const char *out, const char *const *in, int n_in) {
  bytes node = {0};
  for (int i = 0; i < n_in; i++) add_text(&node, 1, in[i]); /* input */
  add_text(&node, 2, out);                                  /* output */
  add_text(&node, 4, op);                                   /* op_type */
  add_message(graph, 1, &node);
}

static void add_end(bytes *graph, unsigned field, const char *name, int rows, int cols) {
  bytes row = {0}, col = {0}, shape = {0}, tensor = {0}, type = {0}, value = {0};
  add_int(&row, 1, (uint64_t)rows), add_int(&col, 1, (uint64_t)cols); /* dim_value */
  add_message(&shape, 1, &row), add_message(&shape, 1, &col);         /* dim */
  add_int(&tensor, 1, kind), add_message(&tensor, 2, &shape);         /* elem_type, shape */
  add_message(&type, 1, &tensor);                                     /* tensor_type */
  add_text(&value, 1, name), add_message(&value, 2, &type);           /* name, type */
  add_message(graph, field, &value);
}

/* Changes W from O×I, as in the file, to I×O; frees the argument. */
static void *converted(const float *from, int rows, int cols) {
  const size_t n = (size_t)rows * (size_t)cols;
  void *to = malloc(n * 8);
  if (!to) perror("onnx_peer"), exit(1);
  for (size_t i = 0; i < n; i++) {
    const size_t k = i % (size_t)rows * (size_t)cols + i / (size_t)rows;
    if (is_double)
      ((double *)to)[i] = (double)from[k];
    else
      ((float *)to)[i] = from[k];
  }
  return to;
}

static bytes make_model(const int *widths, int n_layers, const char *output, int batch, const float *values) {
  bytes graph = {0}, model = {0}, opset = {0};
  char last[16] = "x";
  for (int l = 0; l < n_layers; l++) {
    const int i = widths[l], o = widths[l + 1];
    char w[16], b[16], z[16];
    snprintf(w, sizeof w, "w%d", l), snprintf(b, sizeof b, "b%d", l), snprintf(z, sizeof z, "z%d", l);
    void *weights = converted(values, o, i), *bias = converted(values + (size_t)o * (size_t)i, 1, o);
    add_tensor(&graph, w, i, o, weights), add_tensor(&graph, b, 0, o, bias);
    free(weights), free(bias);
    values += (size_t)o * (size_t)(i + 1);
    const char *const in[] = {last, w, b};
    add_node(&graph, "Gemm", z, in, 3);
    const char *op = l + 1 < n_layers ? "Relu" : output;
    snprintf(last, sizeof last, op ? "a%d" : "z%d", l);
    if (op) add_node(&graph, op, last, (const char *const[]){z}, 1);
  }
  add_text(&graph, 2, "net"); /* name */
  add_end(&graph, 11, "x", batch, widths[0]);
  add_end(&graph, 12, last, batch, widths[n_layers]);
  add_text(&opset, 1, ""), add_int(&opset, 2, 13); /* domain, version */
  add_int(&model, 1, 8);                           /* ir_version */
  add_message(&model, 8, &opset), add_message(&model, 7, &graph);
  return model;
}

/* ---- the session ------------------------------------------------------------------------------------------------ */

static const OrtApi *ort;
static OrtSession *session;
static OrtValue *x, *y;
static const char *y_name;

static void must(OrtStatus *status) {
  if (!status) return;
  fprintf(stderr, "onnx_peer: %s\n", ort->GetErrorMessage(status));
  exit(1);
}

static void predict(void) {
  must(ort->Run(session, NULL, (const char *const[]){"x"}, (const OrtValue *const *)&x, 1, &y_name, 1, &y));
}

static void open_session(const bytes *model, int threads) {
  OrtEnv *env;
  OrtSessionOptions *options;
  must(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "peer", &env));
  must(ort->CreateSessionOptions(&options));
  /* nodes fused at the highest level have kernels in single precision only */
  must(ort->SetSessionGraphOptimizationLevel(options, is_double ? ORT_ENABLE_BASIC : ORT_ENABLE_ALL));
  must(ort->SetIntraOpNumThreads(options, threads));
  must(ort->SetInterOpNumThreads(options, 1));
  must(ort->CreateSessionFromArray(env, model->p, model->n, options, &session));
}

static OrtValue *tensor(void *values, int rows, int cols) {
  OrtMemoryInfo *memory;
  OrtValue *made;
  const int64_t shape[] = {rows, cols};
  must(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
  must(ort->CreateTensorWithDataAsOrtValue(memory, values, (size_t)rows * (size_t)cols * (is_double ? 8 : 4), shape, 2,
                                           kind, &made));
  return made;
}

int main(int argc, char **argv) {
  static const int mnist[] = {784, 128, 64, 10}, small[] = {10, 20, 20, 1};
  if (argc != 4 || strncmp(argv[1], "W5", 2)) return fprintf(stderr, "usage: onnx_peer W5... f32|f64 THREADS\n"), 2;
  const char *workload = argv[1];
  const bool is_mnist = workload[2] == 'm', dense = workload[3] == 'd';
  const int batch = strstr(workload, "b1024") ? 1024 : 1, *widths = is_mnist ? mnist : small, n_out = widths[3];
  is_double = !strcmp(argv[2], "f64");
  kind = is_double ? ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  if (!ort) return fprintf(stderr, "onnx_peer: the library is older than its header\n"), 1;
  bytes model = make_model(widths, 3, is_mnist ? "Softmax" : NULL, batch,
                           peer_load(is_mnist ? "W2init.f32" : "W5sinit.f32", NULL));
  y_name = is_mnist ? "a2" : "z2";
  open_session(&model, atoi(argv[3]));
  x = tensor(converted(peer_load(dense ? "W1x.f32" : "W2x.f32", NULL), 1, batch * widths[0]), batch, widths[0]);
  void *results = calloc((size_t)batch * (size_t)n_out, 8);
  y = tensor(results, batch, n_out);
  peer_report("onnxruntime", workload, argv[2], atoi(argv[3]), "ns/sample", 1e9 / (peer_rate(predict, 1) * batch), 0);
}
