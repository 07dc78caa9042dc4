/* bench/optimisers/defaults.c: how well a net predicts that was fitted with given options, or with none.  Driven by
 * bench/compare/tables.py; public calls only; built in both precisions.
 *
 *     defaults [--raw] HIDDEN OPTIONS FILE ...
 *
 * HIDDEN: hidden layers as nnb_net_parse reads them, "20:tanh"; OPTIONS: of nnb_fit as text, "" for all defaults.  FILE
 * holds a training and a test set: five int32, rows of the two, inputs, classes (0: one target) and the seed of the net
 * and the fit; then doubles, inputs and targets of the one, inputs and targets of the other.  Inputs and regression
 * targets are standardised by the training set; --raw: inputs stay as they are.  A line for each FILE: the RMSE or the
 * share of wrong answers, the log loss (NaN for a regression), seconds of processor time, parameters; then in words
 * what the fit did. */
#include <math.h>
#include <nnblas.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef NNB_SINGLE
#include <nnblas/float_on.h>
#define real float
#else
#define real double
#endif

typedef struct fold {
  nnb_data *train, *test;
  int32_t seed;
} fold;

static void stop_if(nnb_status status) {
  if (!status) return;
  fprintf(stderr, "defaults: %s\n", nnb_errmsg());
  exit(1);
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static real *read_numbers(FILE *f, size_t n) {
  real *to = malloc((n + 1) * sizeof *to);
  stop_if(to ? NNB_OK : NNB_E_NOMEM);
  for (size_t i = 0; i < n; i++) {
    double v;
    if (fread(&v, sizeof v, 1, f) != 1) fprintf(stderr, "defaults: a file is too short\n"), exit(1);
    to[i] = (real)v;
  }
  return to;
}

static nnb_data *read_rows(FILE *f, int n, int n_in, int classes) {
  real *x = read_numbers(f, (size_t)n * (size_t)n_in), *t = read_numbers(f, (size_t)n);
  int32_t *label = malloc((size_t)n * sizeof *label);
  stop_if(label ? NNB_OK : NNB_E_NOMEM);
  for (int i = 0; i < n; i++) label[i] = classes ? (int32_t)t[i] : 0;
  nnb_batch rows = {.x = nnb_cview(x, n, n_in)};
  if (classes)
    rows.label = label;
  else
    rows.t = nnb_cview(t, n, 1);
  nnb_data *out;
  stop_if(nnb_data_copy(&rows, classes, &out));
  free(x), free(t), free(label);
  return out;
}

static fold read_fold(const char *path) {
  int32_t head[5];
  FILE *f = fopen(path, "rb");
  if (!f || fread(head, sizeof head, 1, f) != 1) fprintf(stderr, "defaults: cannot read %s\n", path), exit(1);
  fold out = {.seed = head[4]};
  out.train = read_rows(f, head[0], head[2], head[3]);
  out.test = read_rows(f, head[1], head[2], head[3]);
  fclose(f);
  return out;
}

static nnb_net *make_net(const fold *f, const char *hidden, bool raw) {
  char text[256];
  const int classes = nnb_data_n_classes(f->train);
  snprintf(text, sizeof text, "%d-%s-%d:%s", nnb_data_n_in(f->train), hidden, nnb_data_n_out(f->train),
           classes ? "softmax" : "linear");
  nnb_net *net;
  stop_if(nnb_net_parse(text, &net));
  nnb_net_seed(net, (uint64_t)f->seed);
  if (!raw) nnb_net_standardize(net, f->train);
  if (!classes) nnb_net_scale_targets(net, f->train, NNB_STANDARDIZE);
  return net;
}

static void run(const char *path, const char *hidden, bool raw, const nnb_fit_opts *given) {
  fold f = read_fold(path);
  nnb_net *net = make_net(&f, hidden, raw);
  nnb_fit_opts opts = *given;
  nnb_report report;
  nnb_metrics m;
  opts.seed = (uint64_t)f.seed;
  const double began = cpu_now();
  stop_if(nnb_fit(net, f.train, NULL, &opts, &report));
  const double seconds = cpu_now() - began;
  stop_if(nnb_evaluate(net, f.test, &m));
  const bool classes = nnb_data_n_classes(f.train) > 0;
  printf("%.17g %.17g %.6f %zu ", classes ? 1 - m.accuracy : m.rmse, classes ? m.loss : (double)NAN, seconds,
         nnb_net_n_params(net));
  printf("%s, %d epochs, decay %g, %d trials, %s\n", nnb_algo_name(report.algo), report.epochs, report.l2,
         report.trials, nnb_stop_text(report.stop));
  nnb_net_destroy(net);
  nnb_data_destroy(f.train);
  nnb_data_destroy(f.test);
}

int main(int argc, char **argv) {
  nnb_fit_opts *opts;
  const bool raw = argc > 1 && strcmp(argv[1], "--raw") == 0;
  argc -= raw, argv += raw;
  if (argc < 4) return fprintf(stderr, "defaults [--raw] HIDDEN OPTIONS FILE ...\n"), 1;
  stop_if(nnb_fit_opts_create(argv[2], &opts));
  stop_if(nnb_set_threads(1));
  for (int i = 3; i < argc; i++) run(argv[i], argv[1], raw, opts);
  nnb_fit_opts_destroy(opts);
  return 0;
}
