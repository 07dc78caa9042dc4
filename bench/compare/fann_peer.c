/* FANN: fann_peer WORKLOAD, one thread, in the precision it is compiled for (-DNNB_SINGLE: float). Predictions use
 * sigmoid nets of the same widths, because FANN 2.2 has neither softmax nor relu. */
#ifdef NNB_SINGLE
#include <floatfann.h>
#define DTYPE "f32"
#else
#include <doublefann.h>
#define DTYPE "f64"
#endif
#include "peer.h"

static struct fann *net;
static struct fann_train_data *all;
static fann_type *x, *t;
static unsigned n_in, n_out, n_rows, row;

static fann_type *load(const char *name, size_t *n) {
  float *from = peer_load(name, n);
  fann_type *to = malloc(*n * sizeof *to);
  for (size_t i = 0; i < *n; i++) to[i] = from[i];
  free(from);
  return to;
}

static void one_row(void) {
  fann_train(net, x + row * n_in, t + row * n_out);
  row = (row + 1) % n_rows;
}
static void all_rows(void) { fann_train_epoch(net, all); }
static void predict(void) { fann_run(net, x); }

static void load_w3(char kind) {
  char name[16];
  size_t n;
  snprintf(name, sizeof name, "W3%cx.f32", kind);
  x = load(name, &n);
  snprintf(name, sizeof name, "W3%cy.f32", kind);
  t = load(name, &n);
}

static void load_w4(void) {
  size_t n;
  int *label = peer_load("W2y.i32", &n);
  x = load("W2x.f32", &n);
  t = calloc((size_t)n_rows * n_out, sizeof *t);
  for (unsigned i = 0; i < n_rows; i++) t[i * n_out + (unsigned)label[i]] = 1;
}

static void make_trained(unsigned hidden) {
  net = fann_create_standard(3, n_in, hidden, n_out);
  fann_set_activation_function_hidden(net, FANN_SIGMOID);
  fann_set_activation_function_output(net, FANN_SIGMOID);
  fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
  fann_set_learning_rate(net, 0.1f);
  fann_set_training_algorithm(net, FANN_TRAIN_INCREMENTAL);
}

static void make_epoch(void) {
  all = fann_create_train(n_rows, n_in, n_out);
  for (unsigned i = 0; i < n_rows; i++) {
    memcpy(all->input[i], x + i * n_in, n_in * sizeof *x);
    memcpy(all->output[i], t + i * n_out, n_out * sizeof *t);
  }
  fann_set_training_algorithm(net, FANN_TRAIN_BATCH);
}

static int train(const char *workload) {
  int w4 = workload[1] == '4', iris = workload[2] == 'i', full = strstr(workload, "full") != NULL;
  n_in = w4 ? 784 : iris ? 4 : 2, n_out = w4 ? 10 : 3, n_rows = w4 ? 6000 : 150;
  if (w4)
    load_w4();
  else
    load_w3(workload[2]);
  make_trained(w4 ? 128 : iris ? 8 : 3);
  if (full) make_epoch();
  double rate = full ? n_rows * peer_rate(all_rows, 1) : peer_rate(one_row, (long)n_rows);
  peer_report("fann", workload, DTYPE, 1, "samples/s", rate, 0);
  return 0;
}

int main(int argc, char **argv) {
  const char *workload = argc > 1 ? argv[1] : "";
  size_t n;
  if (workload[0] == 'W' && (workload[1] == '3' || workload[1] == '4')) return train(workload);
  if (strncmp(workload, "W5", 2) || strstr(workload, "b1024")) return fprintf(stderr, "not this workload\n"), 2;
  x = load(strchr(workload, 'd') ? "W1x.f32" : "W2x.f32", &n);
  net = workload[2] == 'm' ? fann_create_standard(4, 784, 128, 64, 10) : fann_create_standard(4, 10, 20, 20, 1);
  peer_report("fann", workload, DTYPE, 1, "ns/sample", 1e9 / peer_rate(predict, 1), 0);
  return 0;
}
